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
from operator import index
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from underheaven import errors
    from underheaven.engine.poll import survey
    from underheaven.engine.relive import Reliving
    from underheaven.engine.run import Progress, Stop
    from underheaven.regime.reader import load_regime
    from underheaven.regime.rollout import Rules
    from underheaven.store import Run, open_run
    from underheaven.study.observe import Observer
    from underheaven.study.survey import Survey
    from underheaven.study.twins import Comparison
    from underheaven.world.reader import load_world
    from underheaven.world.schema import World

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "Reliving",
    "Run",
    "Survey",
    "__version__",
    "compare",
    "errors",
    "load_regime",
    "load_world",
    "open_run",
    "regimes",
    "run",
    "survey",
    "worlds",
]

_HOME = {
    "Comparison": "underheaven.study.twins",
    "Reliving": "underheaven.engine.relive",
    "Run": "underheaven.store",
    "Survey": "underheaven.study.survey",
    "survey": "underheaven.engine.poll",
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
    regime: str | os.PathLike[str] | Rules,
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
    keep: Sequence[int] = (),
    start: str | None = None,
) -> Run:
    """Live a regime in a world and return the stored run.

    Parameters
    ----------
    regime, world : a name of the catalogue, a path to a file, or what `load_regime` and `load_world` return; a
        roll-out (counties under different regimes, each from some day on) may stand for the regime
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
    keep : days whose state is kept with the run, so that futures may start from it
    start : ``"FOLDER@DAY"``, a stored run and a day: until then everything is as in that run, from then on the
        regime is in force; the world, its people and the seed are those of the run

    Returns
    -------
    Run : with `frame`, `table`, `manifest`, `regime` and `world`

    Raises
    ------
    errors.UnderheavenError : with what was found, where, and what to write instead
    """
    from underheaven.branching import begun
    from underheaven.engine.run import simulate

    lived = begun(start, regime, world, _whole("people", people), _whole("seed", seed, 1), set)
    return simulate(
        lived.rules,
        lived.world,
        days=_whole("days", days, 365),
        seed=lived.seed,
        keep=[_whole("keep", day, 90) for day in keep],
        start=lived.start,
        threads=_whole("threads", threads),
        out=out,
        resume=resume,
        overwrite=overwrite,
        observers=observers,
        progress=progress,
        stop=stop,
        asked=_asked(regime, world, set, start),
    )


def compare(
    regimes: Sequence[str | os.PathLike[str] | Rules],
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
    page: bool = True,
    progress: Progress | None = None,
    stop: Stop | None = None,
    start: str | None = None,
) -> Comparison:
    """Live the same people under several regimes and hold each against the first.

    Draws are keyed without the regime, so each citizen has the same luck in each, and a difference is that of
    the rules.

    Parameters
    ----------
    regimes : two or more, the first is the baseline; names, paths, either with reforms behind it as
        ``"rongcheng-2016 + appeal-15-days"``, or what `load_regime` returns
    world : a name of the catalogue, a path, or what `load_world` returns
    people : int, adults; None: as many as the world file says
    days : int
    seed : int
    out : folder of the runs and of the page; None: a temporary one
    set : changes ``path=value`` of all regimes but the first; a change of the world is refused, because it
        would be a change of the people
    threads : int; None: as many as there are cores; any number gives the same bits
    resume : go on with an interrupted comparison in `out`
    overwrite : replace a comparison that is there
    page : write compare.html, comparison.json and data/*.csv into the folder
    progress : called after each window with (day, days, citizen-days, seconds, note), over all runs together
    stop : such as `threading.Event`; when it is set, a checkpoint is stored and `errors.Interrupted` raised
    start : ``"FOLDER@DAY"``: several futures of a stored run, in each of which another regime is in force from the
        day on

    Returns
    -------
    Comparison : with `differences`, `acts`, `by`, `transitions`, `pairs`, `runs`, `folder` and `page`

    Raises
    ------
    errors.UnderheavenError : with what was found, where, and what to write instead
    """
    from underheaven.comparing import live_together

    comparison = live_together(
        regimes,
        world,
        people=_whole("people", people),
        days=_whole("days", days, 365),
        seed=_whole("seed", seed, 1),
        changes=set,
        out=out,
        threads=_whole("threads", threads),
        resume=resume,
        overwrite=overwrite,
        progress=progress,
        stop=stop,
        start=start,
    )
    if page:
        from underheaven.show.compare import write_page

        write_page(comparison)
    return comparison


def _loaded(
    regime: str | os.PathLike[str] | Rules,
    world: str | os.PathLike[str] | World,
    people: int | None,
    changes: Sequence[str],
) -> tuple[Rules, World]:
    """Read both files with the changes that belong to each."""
    from underheaven.errors import CommandError
    from underheaven.reading import blamed
    from underheaven.regime.rollout import Rollout, compile_rules, load_rules
    from underheaven.regime.schema import Regime
    from underheaven.world.reader import load_world
    from underheaven.world.schema import World

    for name, value, kinds in (("regime", regime, (Regime, Rollout)), ("world", world, (World,))):
        if not isinstance(value, (str, os.PathLike, *kinds)):
            text = f"{name} is {value!r:.60}; write a name of the catalogue, a path, or what load_{name} returns"
            raise CommandError.of("UH803", text)
    if isinstance(changes, str):
        raise CommandError.of("UH803", f"set is the text {changes!r}; write a list, as [{changes!r}]")
    if not isinstance(changes, (list, tuple)) or not all(isinstance(change, str) for change in changes):
        text = f"set is {changes!r:.60}; write a list of texts, as ['points.jaywalking=-10']"
        raise CommandError.of("UH803", text)
    of_world = [change for change in changes if change.startswith("world.")]
    is_text = isinstance(regime, (str, os.PathLike)), isinstance(world, (str, os.PathLike))
    of_regime = len(changes) > len(of_world)
    if (of_regime and not is_text[0]) or (of_world and not is_text[1]) or (people is not None and not is_text[1]):
        raise CommandError.of(
            "UH803", "set and people change a file while it is read; give the name or path of the file with them"
        )

    def read(kept: Sequence[str]) -> tuple[Rules, World]:
        of_world = [change for change in kept if change.startswith("world.")]
        of_regime = [change for change in kept if not change.startswith("world.")]
        pair = (
            regime if isinstance(regime, (Regime, Rollout)) else load_rules(_path(regime), of_regime),
            world if isinstance(world, World) else load_world(_path(world), people, of_world),
        )
        if changes:
            compile_rules(*pair)  # a change may also make the two unfit for each other
        return pair

    return blamed(read, changes)


def _path(name: str | os.PathLike[str]) -> str:
    """Return a name or path as a text; `~` is the home folder also where the shell has left it."""
    return os.path.expanduser(os.fspath(name))


@overload
def _whole(name: str, value: int, example: int) -> int: ...
@overload
def _whole(name: str, value: int | None, example: None = None) -> int | None: ...
def _whole(name: str, value: int | None, example: int | None = None) -> int | None:
    """Return a whole number as Python's own int; None where it may be left out."""
    from underheaven.errors import CommandError

    if value is None and example is None:
        return None
    if value is None or isinstance(value, bool) or not hasattr(value, "__index__"):
        text = f"{name} is {value!r:.60}; write a whole number, as {example or 8}"
        raise CommandError.of("UH803", text)
    return index(value)


def regimes() -> list[str]:
    """Return the names of the regimes of the catalogue."""
    from underheaven import catalogue

    return catalogue.names("regimes")


def worlds() -> list[str]:
    """Return the names of the worlds of the catalogue."""
    from underheaven import catalogue

    return catalogue.names("worlds")


def _asked(regime: object, world: object, changes: Sequence[str], start: str | None = None) -> dict[str, object]:
    """Return how the files were named, for the manifest; models made in Python have no name to ask for."""
    names = {"regime": regime, "world": world}
    return {
        **{key: os.fspath(name) for key, name in names.items() if isinstance(name, (str, os.PathLike))},
        "set": list(changes),
        **({"from": start} if start is not None else {}),
    }
