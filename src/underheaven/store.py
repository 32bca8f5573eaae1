"""Run folders: the only reader and writer of result files.

A run is a folder.  Its parts are written once, each with its SHA-256; the manifest names them and is written
last; the whole is written beside (``<name>.partial``), forced to the disk and renamed into place.  So a folder
with a manifest is complete, and whatever kills a writer leaves the run that was there before as it was.

While a run is being lived, its partial folder holds up to two checkpoints.  A checkpoint is complete when its
folder has its final name; the newest one that verifies is taken.  Nothing is ever appended, and nothing is pickled.
States that a run is asked to keep have the same form, and stay with it as parts (``states/DAY/``).
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from underheaven.errors import CommandError, StoreError, Where

if TYPE_CHECKING:
    import pandas as pd

    from underheaven.regime.rollout import Rules
    from underheaven.world.schema import World

FORMAT = "underheaven-run/1"
MANIFEST = "manifest.json"
CHECKPOINT_FORMAT = "underheaven-checkpoint/1"

_LOCK = ".lock"
_STATES = "states"
_KEEP_CHECKPOINTS = 2
_CHUNK = 1 << 22  # bytes read at once
_MAP_FROM = 1 << 20  # arrays of a checkpoint this large are mapped, not read

_CAUSES = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your disk quota is used up",
    errno.EFBIG: "the file is larger than this system allows",
    errno.EACCES: "you have no permission there",
    errno.EPERM: "you have no permission there",
    errno.EROFS: "the disk is read-only",
    errno.EIO: "the disk reported a fault",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EMFILE: "too many files are open",
}

_READ_MEND = "Check the path and its permissions"
_WRITE_MENDS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Make room or choose another --out"),
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM, errno.EROFS), "Choose another --out, in a folder that you may write to"
    ),
    errno.ENAMETOOLONG: "Choose a shorter --out",
    errno.EMFILE: "Close some programs, or allow more open files (ulimit -n)",
}


# What both directions need --------------------------------------------------------------------------------


@contextmanager
def _disk(doing: str, path: Path) -> Iterator[None]:
    """Say in plain words why the disk refused."""
    try:
        yield
    except OSError as error:
        cause = _CAUSES.get(error.errno or 0, error.strerror or str(error))
        raise StoreError.of(
            "UH705",
            f"cannot {doing} this: {cause}; nothing that was stored before is lost. "
            + (_READ_MEND if doing == "read" else _WRITE_MENDS.get(error.errno or 0, "Choose another --out")),
            Where(str(path)),
        ) from error


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _sealed(value: dict[str, Any]) -> bytes:
    """Return JSON for people, with the SHA-256 of its own content under `sha256`."""
    digest = hashlib.sha256(_canonical(value).encode()).hexdigest()
    text = json.dumps({**value, "sha256": digest}, sort_keys=True, indent=1, allow_nan=False)
    return (text + "\n").encode()


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _damaged(path: Path, how: str) -> StoreError:
    error = StoreError.of("UH703", f"this file is damaged ({how}); restore it or run again", Where(str(path)))
    assert isinstance(error, StoreError)
    return error


def _unsealed(path: Path) -> dict[str, Any]:
    """Read what :func:`_sealed` wrote; UH703 if a bit of it has changed."""
    with _disk("read", path):
        data = path.read_bytes()
    try:
        value = json.loads(data.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _damaged(path, "it is not JSON") from None
    if not isinstance(value, dict):
        raise _damaged(path, "it is not a JSON object")
    value.pop("sha256", None)
    if data != _sealed(value):
        raise _damaged(path, "its content does not match its SHA-256")
    return value


def _sync_folder(path: Path) -> None:
    """Force the names in a folder to the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Part:
    """A file that is hashed while it is written and forced to the disk when closed."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")
        self._digest = hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._digest.update(view)
        self._file.write(view)
        self.size += view.nbytes
        return view.nbytes

    def flush(self) -> None:
        self._file.flush()

    def tell(self) -> int:
        return self.size

    def next_digest(self) -> str:
        """Return the SHA-256 of what was written since the last call, and begin anew."""
        found, self._digest = self._digest.hexdigest(), hashlib.sha256()
        return found

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            try:
                self._file.flush()
                os.fsync(self._file.fileno())
            finally:
                self._file.close()

    def __enter__(self) -> _Part:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# Writing --------------------------------------------------------------------------------------------------


class RunWriter:
    """Write a run beside its place and rename it in when it is complete; a context manager.

    Parameters
    ----------
    folder : where the run is to be
    overwrite : replace a run that is there (only a run of ours, or an empty folder), when the new one is complete
    resume : take up the checkpoint of an interrupted run

    Raises
    ------
    StoreError : UH701 the folder is taken, UH702 nothing to resume, UH705 the disk refused, UH706 somebody else
        writes there

    Notes
    -----
    Left without :meth:`finish`, the partial folder stays if it holds a checkpoint, and goes if it does not.
    """

    def __init__(self, folder: str | os.PathLike[str], *, overwrite: bool = False, resume: bool = False) -> None:
        self.folder = Path(folder).absolute()
        self.partial = self.folder.with_name(self.folder.name + ".partial") if self.folder.name else self.folder
        self._aside = self.folder.with_name(self.folder.name + ".replaced") if self.folder.name else self.folder
        self._overwrite, self._resume = overwrite, resume
        self._parts: dict[str, dict[str, Any]] = {}
        self._lock: int | None = None
        self._is_finished = False

    def __enter__(self) -> RunWriter:
        """Check the place, lock it and clear what a dead writer left behind."""
        here = Path.cwd()
        if self.folder.resolve() in (here, *here.parents):
            raise self._taken("is the folder you are in, or lies above it", "Name a folder below it")
        with _disk("write", self.partial):
            self._check_partial()
            self.partial.mkdir(parents=True, exist_ok=True)
            self._take_lock()
        try:
            with _disk("write", self.partial):
                self._put_back()
                self._check_place()
                self._check_checkpoints()
                for entry in self.partial.iterdir():
                    if entry.name != _LOCK and not (self._resume and self._is_of_resume(entry)):
                        _remove(entry)
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the place; an unfinished run keeps its checkpoints."""
        self._leave()

    def _leave(self) -> None:
        if self._lock is None:
            return
        if not self._is_finished and not self._checkpoints():
            shutil.rmtree(self.partial, ignore_errors=True)
        os.close(self._lock)  # and with it the lock
        self._lock = None

    # The place

    def _taken(self, what: str, mend: str) -> Exception:
        return StoreError.of("UH701", f"{what}. {mend}", Where(str(self.folder)))

    def _check_partial(self) -> None:
        """Refuse a partial folder that no writer of ours has made."""
        if self.partial.is_dir():
            if not (self.partial / _LOCK).is_file() and any(self.partial.iterdir()):
                raise self._taken(f"{self.partial.name} beside it is not ours", "Choose another --out")
        elif self.partial.exists():
            raise self._taken(f"{self.partial.name} beside it is not a folder", "Choose another --out")
        elif self._resume:
            # Nothing is made for a resume that cannot be.
            complete = (self.folder / MANIFEST).is_file()
            raise StoreError.of(
                "UH702",
                "the run is complete: there is nothing to resume"
                if complete
                else "there is no interrupted run here; start it without --resume",
                Where(str(self.folder)),
            )

    def _take_lock(self) -> None:
        path = self.partial / _LOCK
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The lock is only ours if the file is still at its name: its last owner may just have moved it away.
            mine = path.exists() and os.path.samestat(os.fstat(handle), path.stat())
        except BlockingIOError:
            mine = False
        if not mine:
            owner = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise StoreError.of(
                "UH706",
                f"another process (number {owner}) is writing this run; wait for it, stop it, or choose another --out",
                Where(str(self.folder)),
            )
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._lock = handle

    def _put_back(self) -> None:
        """Undo a replacement that was cut short between its two renames, or finish one cut short after."""
        if _is_run(self._aside):
            if self.folder.exists():
                _remove(self._aside)
            else:
                self._aside.rename(self.folder)

    def _check_place(self) -> None:
        """Refuse to replace what is not ours, and what is ours without being asked to."""
        if not self.folder.exists():
            return
        if not self.folder.is_dir():
            raise self._taken("is a file", "Choose another --out")
        if not any(self.folder.iterdir()):
            return
        if not _is_run(self.folder):
            raise self._taken("exists and is not an Underheaven run, so it is left alone", "Choose another --out")
        if not self._overwrite:
            raise self._taken("holds a run", "Write --overwrite to replace it, or choose another --out")

    def _check_checkpoints(self) -> None:
        found = self._checkpoints()
        if self._resume and not found:
            raise StoreError.of(
                "UH702",
                "the interrupted run has no checkpoint yet; start it again without --resume",
                Where(str(self.partial)),
            )
        if found and not self._resume and not self._overwrite:
            day = int(found[-1].name.rpartition("-")[2])
            raise self._taken(
                f"has an interrupted run beside it (day {day})",
                "Write --resume to go on with it, or --overwrite to start again",
            )

    # Checkpoints

    def _checkpoints(self) -> list[Path]:
        """Return the complete checkpoints, oldest first."""
        found = self.partial.glob("checkpoint-*")
        return sorted(path for path in found if path.name.removeprefix("checkpoint-").isdecimal())

    def _is_of_resume(self, entry: Path) -> bool:
        """Tell whether an entry is needed to go on: a checkpoint, or the states that are kept."""
        return entry in self._checkpoints() or entry.name == _STATES

    def save_checkpoint(self, day: int, arrays: dict[str, NDArray[Any]], meta: dict[str, Any]) -> None:
        """Store all that is needed to go on from `day`; the checkpoint before is kept too.

        Parameters
        ----------
        day : int, days lived
        arrays : by name; no dtype object
        meta : plain values for JSON
        """
        self._write_state(self.partial / f"checkpoint-{day:06d}", day, arrays, meta)
        with _disk("write", self.partial):
            for old in self._checkpoints()[:-_KEEP_CHECKPOINTS]:
                _remove(old)

    def keep_state(self, day: int, arrays: dict[str, NDArray[Any]], meta: dict[str, Any]) -> None:
        """Store the same as a part of the run, for futures that start from it.

        Parameters
        ----------
        As those of :meth:`save_checkpoint`.
        """
        with _disk("write", self.partial):
            (self.partial / _STATES).mkdir(exist_ok=True)
        self._write_state(self.partial / _STATES / f"{day:06d}", day, arrays, meta)

    def _write_state(self, place: Path, day: int, arrays: dict[str, NDArray[Any]], meta: dict[str, Any]) -> None:
        """Write a state beside its place and rename it in."""
        new = place.with_name(place.name + ".new")
        try:
            with _disk("write", new):
                if new.exists():
                    _remove(new)
                new.mkdir()
                index = _write_arrays(new / "arrays.npy", arrays)
                sealed = _sealed({"format": CHECKPOINT_FORMAT, "day": day, "meta": meta, "arrays": index})
                with _Part(new / "checkpoint.json") as part:
                    part.write(sealed)
                _sync_folder(new)
                if place.exists():
                    _remove(place)
                new.rename(place)
                _sync_folder(place.parent)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise

    def load_checkpoint(self) -> tuple[int, dict[str, NDArray[Any]], dict[str, Any]]:
        """Return day, arrays (read-only) and meta of the newest checkpoint that verifies.

        Raises
        ------
        StoreError : UH702 there is none, UH703 every one is damaged
        """
        first: StoreError | None = None
        for place in reversed(self._checkpoints()):
            try:
                return _read_checkpoint(place)
            except StoreError as error:
                first = first or error
        if first is None:
            raise StoreError.of("UH702", "there is no checkpoint", Where(str(self.partial)))
        raise first

    # Parts

    def add_table(self, name: str, table: pa.Table) -> None:
        """Store a table as ``name.parquet`` with a checksum on each page."""

        def write(part: _Part) -> None:
            pq.write_table(table, part, compression="zstd", use_dictionary=True, write_page_checksum=True)

        self._add(f"{name}.parquet", write, rows=table.num_rows)

    def add_json(self, name: str, value: Any) -> None:
        """Store a value as JSON."""
        text = json.dumps(value, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False)

        def write(part: _Part) -> None:
            part.write((text + "\n").encode())

        self._add(name, write)

    def _add(self, file: str, write: Callable[[_Part], None], **more: int) -> None:
        path = self.partial / file
        with _disk("write", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with _Part(path) as part:
                write(part)
            self._parts[file] = {"sha256": part.next_digest(), "bytes": part.size, **more}

    def _add_states(self) -> None:
        """Take the kept states into the parts of the run; a damaged one is an error, an unfinished one goes."""
        for place in sorted((self.partial / _STATES).glob("*")):
            if place.name.endswith(".new"):
                _remove(place)
                continue
            _read_checkpoint(place)
            for path in (place / "arrays.npy", place / "checkpoint.json"):
                with _disk("read", path), path.open("rb") as file:
                    size = path.stat().st_size
                    file_part = {"sha256": _digest(file, size), "bytes": size}
                self._parts[path.relative_to(self.partial).as_posix()] = file_part

    def finish(self, manifest: dict[str, Any]) -> None:
        """Write the manifest, force everything to the disk and put the run in its place."""
        self._add_states()
        sealed = _sealed({**manifest, "format": FORMAT, "parts": self._parts})
        with _disk("write", self.partial):
            with _Part(self.partial / MANIFEST) as part:
                part.write(sealed)
            for folder in {self.partial, *((self.partial / file).parent for file in self._parts)}:
                _sync_folder(folder)
            self._check_place()  # somebody may have put something there since
            if self.folder.is_dir():
                self.folder.rename(self._aside)
            try:
                self.partial.rename(self.folder)
            except OSError:
                if self._aside.is_dir():
                    self._aside.rename(self.folder)
                raise
            self._is_finished = True
            _sync_folder(self.folder.parent)
        # The run is in place and safe; what follows only tidies up.
        with suppress(OSError):
            for entry in (self._aside, self.folder / _LOCK, *self.folder.glob("checkpoint-*")):
                if entry.exists():
                    _remove(entry)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _is_run(folder: Path) -> bool:
    """Tell whether a folder holds a manifest of ours, of any version, whole or damaged."""
    try:
        head = (folder / MANIFEST).read_bytes()
    except OSError:
        return False
    return b'"underheaven-run/' in head


def _write_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """Write arrays one after the other in NumPy's own format; return where each stands, with its SHA-256."""
    index = []
    with _Part(path) as part:
        for name, array in arrays.items():
            start = part.size
            np.save(part, array, allow_pickle=False)
            part.write(bytes(-part.size % 64))  # so that a mapped array is aligned
            index.append({"name": name, "offset": start, "bytes": part.size - start, "sha256": part.next_digest()})
    return index


def _read_checkpoint(place: Path) -> tuple[int, dict[str, NDArray[Any]], dict[str, Any]]:
    head = _unsealed(place / "checkpoint.json")
    path = place / "arrays.npy"
    if head.get("format") != CHECKPOINT_FORMAT:
        raise StoreError.of(
            "UH704",
            f"the checkpoint has the format {head.get('format')!r} and this version of Underheaven writes "
            f"{CHECKPOINT_FORMAT}; resume with the version that made it",
            Where(str(place)),
        )
    arrays = {}
    with _disk("read", path), path.open("rb") as file:
        for entry in head["arrays"]:
            if _digest(file, entry["bytes"]) != entry["sha256"]:
                raise _damaged(path, f"{entry['name']} does not match its SHA-256")
        for entry in head["arrays"]:
            file.seek(entry["offset"])
            arrays[entry["name"]] = _read_array(file, path)
    return head["day"], arrays, head["meta"]


def _digest(file: Any, size: int) -> str:
    """Return the SHA-256 of the next `size` bytes; of fewer if the file ends."""
    digest = hashlib.sha256()
    while size > 0 and (data := file.read(min(size, _CHUNK))):
        digest.update(data)
        size -= len(data)
    return digest.hexdigest()


def _read_array(file: Any, path: Path) -> NDArray[Any]:
    start = file.tell()
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read_header(file)
    if dtype.itemsize * int(np.prod(shape, dtype=np.int64)) >= _MAP_FROM:
        order: Any = "F" if is_fortran else "C"
        return np.memmap(path, dtype, "r", offset=file.tell(), shape=shape, order=order)
    file.seek(start)
    array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    array.flags.writeable = False
    return array


# Reading --------------------------------------------------------------------------------------------------


def open_run(folder: str | os.PathLike[str]) -> Run:
    """Open a stored run.

    Raises
    ------
    StoreError : UH702 there is no run, or one of another version; UH703 its manifest is damaged
    """
    if not isinstance(folder, (str, os.PathLike)):
        raise CommandError.of("UH803", f"the run is {folder!r:.60}; write the path of its folder, as 'runs/mine'")
    place = Path(folder)
    path = place / MANIFEST
    if not path.is_file():
        raise StoreError.of("UH702", _no_run(place), Where(str(place)))
    if not _is_run(place):
        raise StoreError.of("UH702", "this manifest is not that of an Underheaven run", Where(str(path)))
    manifest = _unsealed(path)
    if manifest.get("format") != FORMAT:
        raise StoreError.of(
            "UH702",
            f"the run has the format {manifest.get('format')!r} and this version of Underheaven reads {FORMAT}; "
            "open it with the version that wrote it, or run it again",
            Where(str(path)),
        )
    if not isinstance(manifest.get("parts"), dict):
        raise _damaged(path, "it names no parts")
    return Run(place, manifest)


def _no_run(place: Path) -> str:
    beside = [place.with_name(place.name + end) for end in (".partial", ".replaced")] if place.name else []
    if not place.exists() and beside and beside[0].is_dir():
        return "there is only an unfinished run here; finish it with --resume"
    if not place.exists() and beside and beside[1].is_dir():
        return f"there is no run here, but the one that was being replaced is whole: {beside[1]}"
    if not place.exists():
        return "there is no such folder; name the folder that `underheaven run` wrote"
    return "there is no run in this folder (no manifest.json); name the folder that `underheaven run` wrote"


class Run:
    """A stored run; every part is checked against the manifest when it is opened.

    Attributes
    ----------
    folder : Path
    manifest : dict, what was run, with what, and what came out
    """

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest

    def __repr__(self) -> str:
        regime, world = (self.manifest.get(key, {}).get("name") for key in ("regime", "world"))
        return f"<Run {regime} in {world}, {self.manifest.get('days')} days: {self.folder}>"

    def names(self) -> list[str]:
        """Return the names of the tables."""
        return sorted(file.removesuffix(".parquet") for file in self.manifest["parts"] if file.endswith(".parquet"))

    def table(self, name: str) -> pa.Table:
        """Return a table.

        Raises
        ------
        CommandError : UH801 there is no such table
        StoreError : UH703 it is damaged
        """
        if name not in self.names():
            raise CommandError.of("UH801", f"the run has no table {name!r}; it has {', '.join(self.names())}")
        file = f"{name}.parquet"
        data = self._part(file)
        try:
            return pq.read_table(pa.BufferReader(data), page_checksum_verification=True)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self.folder / file, str(error).splitlines()[0]) from error

    def frame(self, name: str) -> pd.DataFrame:
        """Return a table as a pandas data frame; needs pandas."""
        try:
            import pandas  # noqa: F401
        except ImportError:
            raise ImportError(
                "Run.frame() needs pandas, which is not installed: pip install pandas, or use Run.table()"
            ) from None
        return self.table(name).to_pandas()

    @cached_property
    def regime(self) -> Rules:
        """The regime, or the roll-out of several, as it was run."""
        from underheaven.regime.rollout import Rollout
        from underheaven.regime.schema import Regime

        stored = self.json("regime.json")
        return (Rollout if "rollout" in stored else Regime).model_validate(stored)

    @cached_property
    def world(self) -> World:
        """The world as it was run."""
        from underheaven.world.schema import World

        return World.model_validate(self.json("world.json"))

    @property
    def kept_days(self) -> list[int]:
        """The days whose state is kept with the run, for futures that start from it."""
        found = (Path(file) for file in self.manifest["parts"] if file.startswith(f"{_STATES}/"))
        return sorted(int(file.parent.name) for file in found if file.name == "checkpoint.json")

    def state(self, day: int) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the arrays (read-only) and the particulars of a state that is kept.

        Raises
        ------
        CommandError : UH801 none is kept of this day
        StoreError : UH703 it is damaged
        """
        if day not in self.kept_days:
            kept = ", ".join(map(str, self.kept_days)) or "none"
            text = f"the run keeps no state of day {day} (kept: {kept}); run it with --keep {day}"
            raise CommandError.of("UH801", text)
        _, arrays, meta = _read_checkpoint(self.folder / _STATES / f"{day:06d}")
        return arrays, meta

    def json(self, file: str) -> Any:
        """Return the value of a JSON part."""
        if file not in self.manifest["parts"]:
            raise CommandError.of("UH801", f"the run has no part {file!r}")
        return json.loads(self._part(file))

    def verify(self) -> None:
        """Check every part against its SHA-256; UH703 names the first that is damaged or missing."""
        for file in sorted(self.manifest["parts"]):
            self._part(file)

    def _part(self, file: str) -> bytes:
        path = self.folder / file
        expected = self.manifest["parts"][file]
        if Path(file).is_absolute() or ".." in Path(file).parts:
            raise _damaged(self.folder / MANIFEST, f"it names a part outside the folder: {file}")
        if not path.is_file():
            raise _damaged(path, "it is missing")
        with _disk("read", path):
            data = path.read_bytes()
        if len(data) != expected["bytes"]:
            raise _damaged(path, f"it has {len(data)} bytes and should have {expected['bytes']}")
        if hashlib.sha256(data).hexdigest() != expected["sha256"]:
            raise _damaged(path, "its content does not match its SHA-256")
        return data
