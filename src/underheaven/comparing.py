"""Live the same people under several regimes: what `underheaven.compare` does before anything is shown."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import underheaven
from underheaven.branching import begun
from underheaven.engine.run import RESULTS_VERSION, Progress, Start, Stop, ranges_under, simulate
from underheaven.engine.threads import blocks_per_group
from underheaven.errors import CommandError, StoreError, UnderheavenError, Where
from underheaven.regime.rollout import Rollout, Rules, compile_rules
from underheaven.regime.schema import Regime
from underheaven.regime.tables import Compiled
from underheaven.store import open_run
from underheaven.study.twins import Comparison, LastDay, Twin, population, stored_columns
from underheaven.world.places import build_places
from underheaven.world.schema import World

if TYPE_CHECKING:
    from underheaven.store import Run

#: The file that says that a folder holds a comparison.
MARK = "comparison.json"
RUNS, PAGE, DATA = "runs", "compare.html", "data"

Named = str | os.PathLike[str] | Rules


def live_together(
    regimes: Sequence[Named],
    world: str | os.PathLike[str] | World,
    *,
    people: int | None,
    days: int,
    seed: int,
    changes: Sequence[str],
    out: str | os.PathLike[str] | None,
    threads: int | None,
    resume: bool,
    overwrite: bool,
    progress: Progress | None,
    stop: Stop | None,
    start: str | None,
) -> Comparison:
    """Load the regimes, live each of them in turn and pair the lives.

    Parameters
    ----------
    As those of `underheaven.compare`; `changes` is its `set`.

    Returns
    -------
    Comparison : its runs stand in the folder ``runs/`` of `out`
    """
    loaded, place, seed, begin = _loaded(regimes, world, people, seed, changes, start)
    labels = labels_of(regimes, changes)
    folder = Path(out) if out is not None else Path(tempfile.mkdtemp(prefix="underheaven-")) / "comparison"
    _check_folder(folder, resume, overwrite)
    places = build_places(place)
    twins, homes, of_all = [], [], _OfAll(progress, len(loaded))
    for at, (regime, label) in enumerate(zip(loaded, labels, strict=True)):
        compiled = compile_rules(regime, place)
        observer = LastDay(compiled.rules, days, partial(ranges_under, compiled, places, place.exchange_days))
        home = folder / RUNS / f"{at + 1}-{slug(label)}"
        run = _stored(home, compiled, seed, days) if resume else None
        if run is None:
            run = simulate(
                regime,
                place,
                days=days,
                seed=seed,
                threads=threads,
                out=home,
                resume=resume and _has_checkpoint(home),
                overwrite=overwrite,
                observers=(observer,),
                progress=of_all,
                stop=stop,
                asked=underheaven._asked(regimes[at], world, changes if at else (), start),
                start=begin,
            )
        of_all.next()
        homes.append(home)
        twins.append(Twin(label, run, observer.columns or stored_columns(run)))
    comparison = Comparison(twins, population(place, seed, blocks_per_group))
    comparison.folder = folder
    try:
        comparison.write(folder / MARK)
    except OSError as error:
        text = f"cannot write the comparison: {error.strerror or error}; the runs themselves are safe"
        raise StoreError.of("UH705", text, Where(str(folder))) from error
    _clear(folder, homes)
    return comparison


# What is compared -----------------------------------------------------------------------------------------


def _loaded(
    regimes: Sequence[Named],
    world: str | os.PathLike[str] | World,
    people: int | None,
    seed: int,
    changes: Sequence[str],
    start: str | None,
) -> tuple[list[Rules], World, int, Start | None]:
    """Read the regimes; the changes belong to all but the first.

    Returns
    -------
    (what is lived, world, seed, kept state to start from)
    """
    if isinstance(regimes, (str, os.PathLike, Regime, Rollout)) or not isinstance(regimes, (list, tuple)):
        raise CommandError.of("UH803", f"regimes is {regimes!r:.60}; write a list, as ['none', 'press-2018']")
    if len(regimes) < 2:
        text = "one regime has nothing to be compared with; name another, or the same one twice with --set"
        raise CommandError.of("UH803", text if regimes else "no regime is named; write two or more")
    if isinstance(changes, (list, tuple)):
        for change in changes:
            if isinstance(change, str) and re.match(r"\s*world\s*\.", change):
                text = (
                    f"--set {change[:60]} changes the world, and with it the people, so that there would be no twins; "
                    "leave it out, or write a world file of your own and name it with --world"
                )
                raise CommandError.of("UH803", text)
    first = begun(start, regimes[0], world, people, seed, ())
    place, loaded = first.world, [first.rules]
    for regime in regimes[1:]:
        again = (world, people, seed) if start is not None else (place, None, seed)
        loaded.append(begun(start, regime, *again, changes).rules)
    for regime in loaded:
        compile_rules(regime, place)  # whatever does not fit is said before anybody lives
    return loaded, place, first.seed, first.start


def labels_of(regimes: Sequence[Named], changes: Sequence[str]) -> list[str]:
    """Return a name for each regime: as it was asked for, with what `--set` changes in it; no two are equal."""
    found: list[str] = []
    for at, regime in enumerate(regimes):
        label = regime.regime if isinstance(regime, (Regime, Rollout)) else " ".join(os.fspath(regime).split())
        label = re.sub(r"\s*\+\s*", " + ", label) if "/" not in label else label
        if at and changes:
            label += f" with {', '.join(changes)}" if len(", ".join(changes)) < 60 else f" with {len(changes)} changes"
        twice = sum(other == label or other.startswith(f"{label} (") for other in found)
        found.append(f"{label} ({twice + 1})" if twice else label)
    return found


def slug(label: str) -> str:
    """Return a label as a part of a path: letters, digits and hyphens, at most 60."""
    name = Path(label).stem if label.endswith((".yaml", ".yml", ".json")) else label
    return re.sub(r"[^a-z0-9]+", "-", name.lower().replace(".yaml", "")).strip("-")[:60].strip("-") or "regime"


class _OfAll:
    """The progress of several runs as that of one: their days, citizen-days and seconds added up."""

    def __init__(self, progress: Progress | None, n_runs: int) -> None:
        self._progress, self._n_runs = progress, n_runs
        self._done, self._before, self._seconds = 0, 0.0, 0.0  # runs, and seconds of those and of the present one

    def __call__(self, day: int, days: int, citizen_days: int, seconds: float, note: str) -> None:
        """Take the state of the present run."""
        self._seconds = seconds
        if self._progress is not None and (day or not self._done):  # a later run begins where the last one ended
            people = citizen_days // day if day else 0
            done = self._done * days + day
            self._progress(done, self._n_runs * days, people * done, self._before + seconds, note)

    def next(self) -> None:
        """Go on to the next run."""
        self._done, self._before, self._seconds = self._done + 1, self._before + self._seconds, 0.0


# The folder -----------------------------------------------------------------------------------------------


def _check_folder(folder: Path, resume: bool, overwrite: bool) -> None:
    """Refuse a folder that is not ours, and one that is ours without being asked to."""

    def refused(code: str, text: str) -> UnderheavenError:
        return StoreError.of(code, text, Where(str(folder)))

    if folder.exists() and not folder.is_dir():
        raise refused("UH701", "is a file. Choose another --out")
    entries = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    if not entries and resume:
        raise refused("UH702", "there is no interrupted comparison here; start it without --resume")
    if not entries:
        return
    if RUNS not in entries or entries - {MARK, RUNS, PAGE, DATA}:
        raise refused("UH701", "exists and is no comparison of ours, so it is left alone. Choose another --out")
    if not (resume or overwrite):
        what = "holds a comparison" if MARK in entries else "holds an interrupted comparison"
        mend = "" if MARK in entries else "--resume to go on with it, "
        raise refused("UH701", f"{what}. Write {mend}--overwrite to replace it, or choose another --out")


def _stored(home: Path, compiled: Compiled, seed: int, days: int) -> Run | None:
    """Return the complete run of an interrupted comparison; None if it is still to be lived.

    Raises
    ------
    StoreError : UH704 there is a run of something else
    """
    if not (home / "manifest.json").is_file():
        return None
    found = open_run(home)
    was = found.manifest
    now: dict[str, object] = {"results_version": RESULTS_VERSION, "seed": seed, "days": days}
    held = {key: was.get(key) for key in now} | {key: was[key]["hash"] for key in ("regime", "world")}
    now |= {"regime": compiled.regime_hash, "world": compiled.world_hash}
    wrong = next((key for key in now if held[key] != now[key]), None)
    if wrong is not None:
        text = f"this run has another {wrong}; resume with the same command, or write --overwrite to start again"
        raise StoreError.of("UH704", text, Where(str(home)))
    return found


def _has_checkpoint(home: Path) -> bool:
    return any(home.with_name(f"{home.name}.partial").glob("checkpoint-*"))


def _clear(folder: Path, kept: Sequence[Path]) -> None:
    """Take away the runs of a comparison that was here before and has been replaced."""
    for entry in (folder / RUNS).iterdir():
        if entry not in kept and entry.is_dir() and not entry.name.endswith(".partial"):
            with suppress(StoreError):  # what is no run is not ours to take away
                open_run(entry)
                shutil.rmtree(entry)
