"""The store: whole or not at all, and no bit changes unseen (RELIABILITY: C6, crashes, full disks)."""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from underheaven import store
from underheaven.errors import CommandError, StoreError, UnderheavenError
from underheaven.store import Run, RunWriter, open_run

MANIFEST = {"regime": {"name": "r"}, "world": {"name": "w"}, "days": 7, "people": 10_000, "share": 0.1}


def a_table(rows: int = 500) -> pa.Table:
    rng = np.random.default_rng(1)
    county = pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, 3, rows, np.int32)), pa.array(["a", "b", "c"]))
    return pa.table({"county": county, "amount": pa.array(rng.integers(0, 1 << 40, rows))})


def some_arrays(salt: int = 0) -> dict[str, np.ndarray[Any, Any]]:
    return {
        "state.score": np.arange(salt, 300_000 + salt, dtype=np.int64),
        "state.flags": np.arange(60, dtype=np.uint8).reshape(3, 20),
        "state.empty": np.zeros((0, 4), np.int16),
        "book.exchange.0.7.coverage": np.array([[salt]], np.int64),
    }


def write_run(folder: Path, *, overwrite: bool = False, days: int = 7) -> Run:
    with RunWriter(folder, overwrite=overwrite) as writer:
        writer.add_table("counts_county", a_table())
        writer.add_table("exchange/tables", a_table(10))
        writer.add_json("regime.json", {"regime": "é", "points": [1, 2]})
        writer.finish({**MANIFEST, "days": days})
    return open_run(folder)


def listing(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def code_of(error: pytest.ExceptionInfo[UnderheavenError]) -> str:
    return error.value.code


# Writing and reading


def test_a_run_is_read_back(tmp_path: Path) -> None:
    """What was added is what is read; only the parts are in the folder."""
    run = write_run(tmp_path / "r")
    assert run.table("counts_county").equals(a_table())
    assert run.names() == ["counts_county", "exchange/tables"]
    assert run.json("regime.json") == {"regime": "é", "points": [1, 2]}
    assert run.manifest["format"] == "underheaven-run/1"
    assert run.manifest["share"] == 0.1
    assert run.manifest["parts"]["counts_county.parquet"]["rows"] == 500
    run.verify()
    parts = ["counts_county.parquet", "exchange", "exchange/tables.parquet", "manifest.json", "regime.json"]
    assert listing(tmp_path / "r") == parts
    assert listing(tmp_path) == ["r", *(f"r/{part}" for part in parts)]


def test_a_frame_is_a_table_in_pandas(tmp_path: Path) -> None:
    """Pandas is imported only when asked for."""
    assert list(write_run(tmp_path / "r").frame("counts_county").columns) == ["county", "amount"]
    code = "import sys, underheaven.store; assert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_pandas_a_frame_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the package and the way round it."""
    run = write_run(tmp_path / "r")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install pandas, or use Run\.table"):
        run.frame("counts_county")


def test_an_unknown_table_is_a_users_mistake(tmp_path: Path) -> None:
    """The tables that there are stand in the message."""
    with pytest.raises(CommandError, match="counts_county, exchange/tables") as error:
        write_run(tmp_path / "r").table("scores")
    assert code_of(error) == "UH801"


def test_undefined_numbers_are_not_stored(tmp_path: Path) -> None:
    """NaN is no JSON; the folder does not come to be."""
    with pytest.raises(ValueError, match="JSON"), RunWriter(tmp_path / "r") as writer:
        writer.finish({"share": float("nan")})
    assert listing(tmp_path) == []


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda p: None, "no such folder"),
        (lambda p: p.mkdir(), "no manifest.json"),
        (lambda p: (p.mkdir(), (p / "manifest.json").write_text('{"name": "an app"}')), "not that of an Underheaven"),
        (lambda p: (p.mkdir(), (p / "manifest.json").write_bytes(store._sealed({"format": "underheaven-run/9"}))), "9"),
        (lambda p: p.with_name("r.partial").mkdir(), "--resume"),
    ],
)
def test_what_is_no_run_is_not_opened(tmp_path: Path, make: Any, text: str) -> None:
    """A missing, empty, foreign, newer or unfinished run each gets its own sentence."""
    make(tmp_path / "r")
    with pytest.raises(StoreError, match=text) as error:
        open_run(tmp_path / "r")
    assert code_of(error) == "UH702"


def test_a_manifest_cannot_name_a_part_outside(tmp_path: Path) -> None:
    """A crafted manifest reads nothing else from this machine."""
    folder = tmp_path / "r"
    write_run(folder)
    (tmp_path / "secret.parquet").write_bytes(b"x")
    parts = {"../secret.parquet": {"bytes": 1, "sha256": "0"}}
    (folder / "manifest.json").write_bytes(store._sealed({"format": store.FORMAT, "parts": parts}))
    with pytest.raises(StoreError, match="outside the folder"):
        open_run(folder).table("../secret")


# C6: flips and truncations


PARTS = ["counts_county.parquet", "exchange/tables.parquet", "regime.json", "manifest.json"]


@pytest.mark.parametrize("file", PARTS)
def test_every_flipped_bit_is_seen(tmp_path: Path, file: str) -> None:
    """C6: one flipped bit anywhere in a part: UH703 (or, in the manifest's header, no run at all)."""
    folder = tmp_path / "r"
    write_run(folder)
    path = folder / file
    good = path.read_bytes()
    rng = random.Random(file)
    for _ in range(60):
        bit = rng.randrange(8 * len(good))
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bad)
        with pytest.raises(StoreError) as error:
            open_run(folder).verify()
        assert code_of(error) in (("UH703", "UH702") if file == "manifest.json" else ("UH703",))
        assert file in str(error.value) or code_of(error) == "UH702"
    path.write_bytes(good)
    open_run(folder).verify()


@pytest.mark.parametrize("file", PARTS)
def test_every_truncation_is_seen(tmp_path: Path, file: str) -> None:
    """C6: a part cut short, longer by a byte, empty or missing."""
    folder = tmp_path / "r"
    write_run(folder)
    path = folder / file
    good = path.read_bytes()
    for length in (0, 1, len(good) // 10, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:length])
        with pytest.raises(StoreError):
            open_run(folder).verify()
    if file != "manifest.json":
        path.write_bytes(good + b"\0")
        with pytest.raises(StoreError, match="bytes and should have"):
            open_run(folder).verify()
    path.unlink()
    with pytest.raises(StoreError):
        open_run(folder).verify()


def test_pages_carry_checksums_for_other_readers(tmp_path: Path) -> None:
    """A reader that does not know the manifest sees flips in the data by the page checksums."""
    import pyarrow.parquet as pq

    write_run(tmp_path / "r")
    path = tmp_path / "r" / "counts_county.parquet"
    bad = bytearray(path.read_bytes())
    bad[len(bad) // 2] ^= 4
    path.write_bytes(bad)
    with pytest.raises(OSError, match=r"(?i)crc|checksum"):
        pq.read_table(path, page_checksum_verification=True)


def checkpointed(folder: Path, *days: int) -> RunWriter:
    """Leave a partial folder with checkpoints, as an interrupted run does."""
    with RunWriter(folder) as writer:
        for day in days:
            writer.save_checkpoint(day, some_arrays(day), {"seed": 1, "day": day})
    return writer


@pytest.mark.parametrize("file", ["arrays.npy", "checkpoint.json"])
def test_every_flip_in_a_checkpoint_is_seen(tmp_path: Path, file: str) -> None:
    """C6: the checkpoint before is taken instead; with that one damaged too, UH703."""
    partial = checkpointed(tmp_path / "r", 84).partial
    path = partial / "checkpoint-000084" / file
    good = path.read_bytes()
    rng = random.Random(file)
    for _ in range(60):
        bit = rng.randrange(8 * len(good))
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bad)
        with pytest.raises(StoreError) as error:
            store._read_checkpoint(path.parent)
        assert code_of(error) == "UH703"
    for length in (0, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:length])
        with pytest.raises(StoreError):
            store._read_checkpoint(path.parent)


# Checkpoints


def test_a_checkpoint_is_read_back(tmp_path: Path) -> None:
    """Names, types, shapes and content; large arrays are mapped, none can be written."""
    checkpointed(tmp_path / "r", 84)
    with RunWriter(tmp_path / "r", resume=True) as writer:
        day, arrays, meta = writer.load_checkpoint()
        assert (day, meta) == (84, {"seed": 1, "day": 84})
        assert list(arrays) == list(some_arrays(84))
        for name, array in some_arrays(84).items():
            assert arrays[name].dtype == array.dtype
            assert not arrays[name].flags.writeable
            np.testing.assert_array_equal(arrays[name], array)
        assert isinstance(arrays["state.score"], np.memmap)
        del arrays


def test_two_checkpoints_are_kept_and_the_older_stands_in(tmp_path: Path) -> None:
    """The newest that verifies is taken."""
    partial = checkpointed(tmp_path / "r", 7, 14, 21).partial
    assert [p.name for p in sorted(partial.glob("checkpoint-*"))] == ["checkpoint-000014", "checkpoint-000021"]
    (partial / "checkpoint-000021" / "arrays.npy").write_bytes(b"")
    with RunWriter(tmp_path / "r", resume=True) as writer:
        assert writer.load_checkpoint()[0] == 14
    (partial / "checkpoint-000014" / "checkpoint.json").unlink()
    with RunWriter(tmp_path / "r", resume=True) as writer, pytest.raises(StoreError) as error:
        writer.load_checkpoint()
    assert code_of(error) == "UH703"
    assert "checkpoint-000021" in str(error.value)


def test_a_resumed_run_finishes_in_its_place(tmp_path: Path) -> None:
    """The checkpoints go once the run is in place."""
    checkpointed(tmp_path / "r", 7)
    (tmp_path / "r.partial" / "half.parquet").write_bytes(b"from a run that died while it was finishing")
    with RunWriter(tmp_path / "r", resume=True) as writer:
        writer.load_checkpoint()
        assert listing(writer.partial)[0:2] == [".lock", "checkpoint-000007"]
        writer.add_table("counts_county", a_table())
        writer.finish(MANIFEST)
    assert listing(tmp_path) == ["r", "r/counts_county.parquet", "r/manifest.json"]


def test_no_object_enters_a_checkpoint(tmp_path: Path) -> None:
    """Nothing is pickled, neither on the way in nor on the way out."""
    with RunWriter(tmp_path / "r") as writer:
        with pytest.raises(ValueError, match="allow_pickle"):
            writer.save_checkpoint(7, {"x": np.array([object()])}, {})
        assert listing(writer.partial) == [".lock"]
    assert listing(tmp_path) == []


@pytest.mark.parametrize("make", [lambda p: None, write_run], ids=["nothing", "a complete run"])
def test_nothing_to_resume(tmp_path: Path, make: Any) -> None:
    """--resume without an interrupted run says so and makes nothing."""
    make(tmp_path / "r")
    before = listing(tmp_path)
    with pytest.raises(StoreError, match="resume") as error, RunWriter(tmp_path / "r", resume=True):
        pass
    assert code_of(error) == "UH702"
    assert listing(tmp_path) == before


def test_an_interrupted_run_is_not_started_over_unasked(tmp_path: Path) -> None:
    """A fresh run finds a checkpoint: it asks; with overwrite it starts again."""
    checkpointed(tmp_path / "r", 84)
    with pytest.raises(StoreError, match=r"day 84.*--resume.*--overwrite") as error, RunWriter(tmp_path / "r"):
        pass
    assert code_of(error) == "UH701"
    with RunWriter(tmp_path / "r", overwrite=True) as writer:
        assert listing(writer.partial) == [".lock"]


# What is there already


@pytest.mark.parametrize("overwrite", [False, True])
def test_foreign_folders_are_left_alone(tmp_path: Path, overwrite: bool) -> None:
    """A folder with somebody's files, a file, a foreign partial folder: UH701, and all is as it was."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")
    (tmp_path / "letter").write_text("dear")
    (tmp_path / "new.partial").mkdir()
    (tmp_path / "new.partial" / "cat.jpg").write_bytes(b"cat")
    before = listing(tmp_path)
    for name in ("photos", "letter", "new"):
        with pytest.raises(StoreError) as error, RunWriter(tmp_path / name, overwrite=overwrite):
            pass
        assert code_of(error) == "UH701"
        assert name in str(error.value)
    assert listing(tmp_path) == before


def test_the_folder_one_is_in_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--out . and --out .. would pull the floor away."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for out in (".", "..", "/"):
        with pytest.raises(StoreError) as error, RunWriter(out, overwrite=True):
            pass
        assert code_of(error) == "UH701"


def test_a_run_is_replaced_only_when_asked(tmp_path: Path) -> None:
    """Without overwrite UH701; with it the old run stays until the new one is complete."""
    folder = tmp_path / "r"
    write_run(folder)
    with pytest.raises(StoreError, match="--overwrite"):
        write_run(folder)
    with RunWriter(folder, overwrite=True) as writer:
        writer.add_table("counts_county", a_table(3))
        assert open_run(folder).table("counts_county").num_rows == 500
    assert open_run(folder).table("counts_county").num_rows == 500
    assert write_run(folder, overwrite=True, days=9).manifest["days"] == 9
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    """An empty folder made first, then --out: that is no mistake."""
    (tmp_path / "r").mkdir()
    write_run(tmp_path / "r").verify()


def test_a_failed_run_leaves_nothing(tmp_path: Path) -> None:
    """Without a checkpoint the partial folder goes."""
    with pytest.raises(RuntimeError), RunWriter(tmp_path / "deep" / "r") as writer:
        writer.add_table("counts_county", a_table())
        raise RuntimeError
    assert listing(tmp_path) == ["deep"]


def test_a_replacement_cut_short_is_put_right(tmp_path: Path) -> None:
    """Killed between the two renames, the old run stands aside; the next writer puts it back first."""
    folder = tmp_path / "r"
    write_run(folder)
    folder.rename(tmp_path / "r.replaced")
    with pytest.raises(StoreError, match=r"r\.replaced"):
        open_run(folder)
    with pytest.raises(StoreError, match="--overwrite"):
        write_run(folder)
    assert open_run(folder).manifest["days"] == 7
    # Killed after both, the old one is only waste.
    write_run(tmp_path / "r.replaced")
    write_run(folder, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


# Crashes, a second process, a full disk


CHILD = """
import os, signal, sys
from underheaven.store import RunWriter
real, left = os.{call}, {at}
def dying(*a, **k):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*a, **k)
os.{call} = dying
with RunWriter(sys.argv[1], overwrite=True) as writer:
    writer.add_json("regime.json", {{}})
    writer.finish({{"days": 8}})
"""


@pytest.mark.parametrize(("call", "at"), [("fsync", 0), ("fsync", 1), ("fsync", 2), ("rename", 0), ("rename", 1)])
def test_a_killed_writer_leaves_the_old_run(tmp_path: Path, call: str, at: int) -> None:
    """Killed (-9) at each step: the old run can be read, or is put back whole by the next writer."""
    folder = tmp_path / "r"
    write_run(folder)
    child = subprocess.run([sys.executable, "-c", CHILD.format(call=call, at=at), str(folder)], check=False)
    assert child.returncode == -signal.SIGKILL
    if (call, at) != ("rename", 1):
        assert open_run(folder).manifest["days"] == 7
    with pytest.raises(StoreError, match="--overwrite"):
        write_run(folder)
    open_run(folder).verify()
    assert open_run(folder).manifest["days"] == 7
    assert write_run(folder, overwrite=True, days=9).manifest["days"] == 9
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """UH706 with the number of the process that is at work."""
    code = f"""
        import sys
        from underheaven.errors import StoreError
        from underheaven.store import RunWriter
        for how in ({{}}, {{"overwrite": True}}, {{"resume": True}}):
            try:
                RunWriter({str(tmp_path / "r")!r}, **how).__enter__()
            except StoreError as error:
                print(error.code, "number {os.getpid()}" in str(error))
    """
    with RunWriter(tmp_path / "r") as writer:
        writer.save_checkpoint(7, some_arrays(), {})
        out = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
        ).stdout
    assert out.splitlines() == ["UH706 True"] * 3
    assert (tmp_path / "r.partial" / "checkpoint-000007").is_dir()


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """A real limit on file sizes: UH705 in plain words; run and checkpoint stay as they were."""
    folder = tmp_path / "r"
    write_run(folder)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with RunWriter(folder, overwrite=True) as writer:
            writer.save_checkpoint(7, some_arrays(), {})
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
            for attempt in (
                lambda: writer.save_checkpoint(14, some_arrays(), {}),
                lambda: writer.add_table("scores", a_table(50_000)),
            ):
                with pytest.raises(StoreError, match="larger than this system allows") as error:
                    attempt()
                assert code_of(error) == "UH705"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    open_run(folder).verify()
    with RunWriter(folder, overwrite=True, resume=True) as writer:
        assert writer.load_checkpoint()[0] == 7
        assert sorted(p.name for p in writer.partial.iterdir()) == [".lock", "checkpoint-000007"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EIO, "reported a fault"), (errno.EDQUOT, "quota")],
)
@pytest.mark.parametrize("call", ["fsync", "rename", "mkdir"])
def test_what_the_disk_says_is_said_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, words: str
) -> None:
    """Any refused step: UH705, and the run that was there is there."""
    folder = tmp_path / "r"
    write_run(folder)

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(StoreError, match=words) as error:
        write_run(folder, overwrite=True)
    assert code_of(error) == "UH705"
    monkeypatch.undo()
    open_run(folder).verify()
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    """UH705 says permission."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="no permission"):
            write_run(tmp_path / "r")
    finally:
        tmp_path.chmod(0o700)


def test_a_file_on_the_way(tmp_path: Path) -> None:
    """A file where a folder is needed."""
    (tmp_path / "a").write_text("")
    with pytest.raises(StoreError, match="a file, not a folder"):
        write_run(tmp_path / "a" / "b" / "r")


def test_manifest_is_plain_json(tmp_path: Path) -> None:
    """Other tools read it: sorted keys, one line a value."""
    write_run(tmp_path / "r")
    text = (tmp_path / "r" / "manifest.json").read_text()
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert '\n "days": 7,\n' in text
