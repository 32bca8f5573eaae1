"""Futures of a stored run: what `--from RUN@DAY` means, before anything is lived."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import underheaven
from underheaven.engine.run import RESULTS_VERSION, Start
from underheaven.errors import CommandError, RunError
from underheaven.regime.rollout import Rollout, Rules, branched
from underheaven.regime.schema import Regime
from underheaven.store import Run, open_run
from underheaven.world.schema import World


class Lived(NamedTuple):
    """What is to be lived: rules, a world, a seed, and the kept state to start from, if there is one."""

    rules: Rules
    world: World
    seed: int
    start: Start | None


def begun(
    start: str | None,
    regime: str | os.PathLike[str] | Rules,
    world: str | os.PathLike[str] | World,
    people: int | None,
    seed: int,
    changes: Sequence[str],
) -> Lived:
    """Return what is to be lived.

    Parameters
    ----------
    start : ``FOLDER@DAY``; None: from the first day, in a world and with a seed of one's own
    regime, world, people, changes : as those of `underheaven.run`; with a start, the world, its people and the
        seed are those of the stored run

    Raises
    ------
    CommandError : the start is no run and day, or something is asked for that the run decides
    """
    if start is None:
        rules, place = underheaven._loaded(regime, world, people, changes)
        return Lived(rules, place, seed, None)
    run, day = _found(start)
    if world != "city" or people is not None or seed != 1:
        text = "people, world and seed are those of the run that --from names; leave --world, --people and --seed out"
        raise CommandError.of("UH803", text)
    rules, place = underheaven._loaded(regime, run.world, None, changes)
    if isinstance(rules, Rollout):
        raise CommandError.of("UH803", "a future has one regime from its day on; name a regime, not a roll-out")
    window = place.exchange_days
    day = -(-day // window) * window
    if day >= run.manifest["days"] and day not in run.kept_days:
        last = run.manifest["days"] - 1
        raise CommandError.out_of_range("--from", day, f"a day of the run, 1 to {last}, or one that it keeps")
    # Without a kept state the days until then are lived again: the same bits, only slower.
    known = Start(run, day) if day in run.kept_days else None
    label = rules.regime if isinstance(regime, (Regime, Rollout)) else " ".join(os.fspath(regime).split())
    return Lived(branched(run.regime, rules, day, label), place, run.manifest["seed"], known)


def _found(start: str) -> tuple[Run, int]:
    """Return the run and the day of ``FOLDER@DAY``."""
    folder, at, text = os.path.expanduser(start).rpartition("@")
    if not at or not text.isdecimal() or int(text) < 1:
        told = f"--from is {start!r:.60}; write the folder of a run, @ and a day, as runs/mine@90"
        raise CommandError.of("UH803", told)
    run = open_run(Path(folder))
    if run.manifest["results_version"] != RESULTS_VERSION:
        raise RunError.other_version(run.manifest["results_version"], RESULTS_VERSION)
    return run, int(text)
