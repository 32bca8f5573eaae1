"""Underheaven: a laboratory that simulates social scoring systems over people who do not exist.

The public verbs:

    import underheaven as uh

    run = uh.run("press-2018", "town", days=90)
    run.frame("counts_county")
    uh.regimes()

Everything is imported when it is first used, so that ``import underheaven`` is quick.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from underheaven import errors
    from underheaven.engine.run import Progress, Stop
    from underheaven.regime.reader import load_regime
    from underheaven.regime.schema import Regime
    from underheaven.store import Run, open_run
    from underheaven.study.observe import Observer
    from underheaven.world.reader import load_world
    from underheaven.world.schema import World

__version__ = "0.1.0"

__all__ = [
    "Run",
    "__version__",
    "errors",
    "load_regime",
    "load_world",
    "open_run",
    "regimes",
    "run",
    "worlds",
]

_HOME = {
    "Run": "underheaven.store",
    "open_run": "underheaven.store",
    "load_regime": "underheaven.regime.reader",
    "load_world": "underheaven.world.reader",
}


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("underheaven.errors")
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'underheaven' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


def run(
    regime: str | os.PathLike[str] | Regime,
    world: str | os.PathLike[str] | World = "city",
    *,
    people: int | None = None,
    days: int = 365,
    seed: int = 1,
    out: str | os.PathLike[str] | None = None,
    set: Sequence[str] = (),
    threads: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    observers: Sequence[Observer] = (),
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Run:
    """Live a regime in a world and return the stored run.

    Parameters
    ----------
    regime, world : a name of the catalogue, a path to a file, or what `load_regime` and `load_world` return
    people : int, adults; None: as many as the world file says
    days : int
    seed : int; the same seed, regime, world and days give the same run to the bit
    out : folder of the run; None: a temporary one
    set : changes, each ``path=value`` of the regime file, or ``world.path=value`` of the world file
    threads : int; None: as many as there are cores; any number gives the same bits
    resume : go on with an interrupted run in `out`
    overwrite : replace a run that is there
    observers : further observers; they only read
    progress : called after each window with (day, days, citizen-days, seconds, note)
    stop : such as `threading.Event`; when it is set, the run stores a checkpoint and raises `errors.Interrupted`

    Returns
    -------
    Run : with `frame`, `table`, `manifest`, `regime` and `world`

    Raises
    ------
    errors.UnderheavenError : with what was found, where, and what to write instead
    """
    from underheaven.engine.run import simulate

    return simulate(
        *_loaded(regime, world, people, set),
        days=days,
        seed=seed,
        threads=threads,
        out=out,
        resume=resume,
        overwrite=overwrite,
        observers=observers,
        progress=progress,
        stop=stop,
        asked=_asked(regime, world, set),
    )


def _loaded(
    regime: str | os.PathLike[str] | Regime,
    world: str | os.PathLike[str] | World,
    people: int | None,
    changes: Sequence[str],
) -> tuple[Regime, World]:
    """Read both files with the changes that belong to each."""
    from underheaven.errors import CommandError
    from underheaven.regime.reader import load_regime
    from underheaven.world.reader import load_world

    if isinstance(changes, str):
        raise CommandError.of("UH803", f"set is the text {changes!r}; write a list, as [{changes!r}]")
    of_world = [change.removeprefix("world.") for change in changes if change.startswith("world.")]
    of_regime = [change.removeprefix("regime.") for change in changes if not change.startswith("world.")]
    is_text = isinstance(regime, (str, os.PathLike)), isinstance(world, (str, os.PathLike))
    if (of_regime and not is_text[0]) or (of_world and not is_text[1]) or (people is not None and not is_text[1]):
        raise CommandError.of(
            "UH803", "set and people change a file while it is read; give the name or path of the file with them"
        )
    return (
        load_regime(os.fspath(regime), of_regime) if isinstance(regime, (str, os.PathLike)) else regime,
        load_world(os.fspath(world), people, of_world) if isinstance(world, (str, os.PathLike)) else world,
    )


def regimes() -> list[str]:
    """Return the names of the regimes of the catalogue."""
    from underheaven import catalogue

    return catalogue.names("regimes")


def worlds() -> list[str]:
    """Return the names of the worlds of the catalogue."""
    from underheaven import catalogue

    return catalogue.names("worlds")


def _asked(regime: object, world: object, changes: Sequence[str]) -> dict[str, object]:
    """Return how the files were named, for the manifest; models made in Python have no name to ask for."""
    names = {"regime": regime, "world": world}
    return {
        **{key: os.fspath(name) for key, name in names.items() if isinstance(name, (str, os.PathLike))},
        "set": list(changes),
    }
