"""What each command does: read the arguments, call one function, print."""

from __future__ import annotations

import json as _json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter, Token

import underheaven
from underheaven.cli import COMMANDS, mistakes, numbers

if TYPE_CHECKING:
    from underheaven.cli.progress import Narrator
    from underheaven.store import Run


def _number(read: Callable[[str, str], int]) -> Callable[[Any, Sequence[Token]], int]:
    def convert(_: Any, tokens: Sequence[Token]) -> int:
        return read(tokens[0].value, tokens[0].keyword or "the number")

    return convert


def _each_day(_: Any, tokens: Sequence[Token]) -> tuple[int, ...]:
    return tuple(numbers.days(token.value, token.keyword or "--keep") for token in tokens)


_Count = Parameter(converter=_number(numbers.count), allow_leading_hyphen=True, metavar="N")
_Days = Parameter(converter=_number(numbers.days), allow_leading_hyphen=True, metavar="N")

app = App(
    name="underheaven",
    version=underheaven.__version__,
    default_parameter=Parameter(negative=(), show_default=False),
    help="Simulate social scoring systems and measure what they do to the people who live under them.",
    help_format="plaintext",
)


def execute(arguments: Sequence[str]) -> int:
    """Parse the arguments and do what they say; return the exit code."""
    with mistakes.in_our_words(app, arguments):
        command, bound, _ = app.parse_args(arguments, print_error=False, exit_on_error=False)
    command(*bound.args, **bound.kwargs)
    return 0


# run ------------------------------------------------------------------------------------------------------


@app.command
def run(
    regime: Annotated[str, Parameter(help="a regime or roll-out: a name of the catalogue, or a path to a .yaml file")],
    /,
    *,
    world: Annotated[
        str, Parameter(help="who lives there (default: city, 740 thousand adults)", metavar="NAME")
    ] = "city",
    people: Annotated[int | None, _Count, Parameter(help="scale the world to so many adults: 10000, 740k, 10M")] = None,
    days: Annotated[int, _Days, Parameter(help="how long: 90, 12 weeks, 1 year (default: 365)")] = 365,
    seed: Annotated[int, _Count, Parameter(help="another seed, other people (default: 1)")] = 1,
    out: Annotated[
        Path | None, Parameter(help="folder of the run (default: runs/REGIME-WORLD-sSEED)", metavar="DIR")
    ] = None,
    set_: Annotated[
        tuple[str, ...],
        Parameter(
            name="--set",
            help="change a number: recognition.gallery=county, world.adults=5000; may stand several times",
            metavar="PATH=VALUE",
        ),
    ] = (),
    threads: Annotated[
        int | None, _Count, Parameter(help="any number gives the same bits (default: all cores)")
    ] = None,
    keep: Annotated[
        tuple[int, ...],
        Parameter(
            converter=_each_day,
            allow_leading_hyphen=True,
            help="keep the state of this day, so that futures may start from it; may stand several times",
            metavar="DAY",
        ),
    ] = (),
    from_: Annotated[
        str | None,
        Parameter(
            name="--from",
            help="start where a stored run stood: until that day its regime is in force, then this one",
            metavar="RUN@DAY",
        ),
    ] = None,
    resume: Annotated[bool, Parameter(help="go on with an interrupted run")] = False,
    overwrite: Annotated[bool, Parameter(help="replace a run that is there, once the new one is complete")] = False,
    json: Annotated[bool, Parameter(help="print manifest and findings as JSON on stdout")] = False,
    no_report: Annotated[bool, Parameter(help="write no report.html")] = False,
    quiet: Annotated[bool, Parameter(help="say nothing but errors")] = False,
) -> None:
    """Live a regime in a world and write a run folder with its report."""
    from underheaven.branching import begun
    from underheaven.cli.progress import Narrator
    from underheaven.engine.run import simulate

    lived, place, seed, start = begun(from_, regime, world, people, seed, set_)
    folder = _home(out) if out is not None else Path("runs") / f"{lived.regime}-{place.world}-s{seed}"
    head = f"{lived.regime} in {place.world}, {days} days, seed {seed}"
    if from_ is not None and start is None and not quiet:
        print(f"{from_}: no state of that day is kept, so the days until then are lived again", file=sys.stderr)
    with Narrator(quiet, head) as narrator, _stoppable(narrator) as stop:
        stored = simulate(
            lived,
            place,
            days=days,
            seed=seed,
            threads=threads,
            out=folder,
            resume=resume,
            overwrite=overwrite,
            progress=narrator,
            stop=stop,
            asked=underheaven._asked(regime, world, set_, from_),
            keep=keep,
            start=start,
        )
    findings = _audit(stored) if json else None
    report = None if no_report else _write_report(stored)
    if not quiet:
        from underheaven.cli.pages import print_summary

        print_summary(stored, report)
    if json:
        _print_json(
            {
                "run": str(stored.folder),
                "report": None if report is None else str(report),
                "manifest": stored.manifest,
                "findings": findings,
            }
        )


def _home(path: Path) -> Path:
    """Put the home folder for `~`, which the shell leaves in `--out=~/x`."""
    return Path(os.path.expanduser(path))


# compare --------------------------------------------------------------------------------------------------


@app.command
def compare(
    *regimes: Annotated[
        str, Parameter(help="two or more, the first is the baseline; with reforms: 'press-2018 + notice'")
    ],
    world: Annotated[
        str, Parameter(help="who lives there (default: city, 740 thousand adults)", metavar="NAME")
    ] = "city",
    people: Annotated[int | None, _Count, Parameter(help="scale the world to so many adults: 10000, 740k, 10M")] = None,
    days: Annotated[int, _Days, Parameter(help="how long: 90, 12 weeks, 1 year (default: 365)")] = 365,
    seed: Annotated[int, _Count, Parameter(help="another seed, other people (default: 1)")] = 1,
    out: Annotated[
        Path | None,
        Parameter(help="folder of the runs and the page (default: runs/compare-A-vs-B-WORLD-sSEED)", metavar="DIR"),
    ] = None,
    set_: Annotated[
        tuple[str, ...],
        Parameter(
            name="--set",
            help="change a number of all regimes but the first (name one twice to compare it with itself changed); "
            "may stand several times",
            metavar="PATH=VALUE",
        ),
    ] = (),
    threads: Annotated[
        int | None, _Count, Parameter(help="any number gives the same bits (default: all cores)")
    ] = None,
    from_: Annotated[
        str | None,
        Parameter(name="--from", help="futures of a stored run: each regime from this day on", metavar="RUN@DAY"),
    ] = None,
    resume: Annotated[bool, Parameter(help="go on with an interrupted comparison")] = False,
    overwrite: Annotated[bool, Parameter(help="replace a comparison that is there")] = False,
    json: Annotated[bool, Parameter(help="print everything as JSON on stdout")] = False,
    no_page: Annotated[bool, Parameter(help="write no compare.html")] = False,
    quiet: Annotated[bool, Parameter(help="say nothing but errors")] = False,
) -> None:
    """Live the same people under several regimes and show what changes.

    Each citizen has the same luck under each regime, so a difference is that of
    the rules. A reform is a small file laid over a regime: appeal-15-days,
    city-gallery, county-registers, context-wall, expiry-2-years, human-review, notice,
    suspend-while-appealing, or a path to one of yours.
    """
    from underheaven.cli import compare as comparing

    found = comparing.compare(
        regimes, world, people=people, days=days, seed=seed, out=None if out is None else _home(out), changes=set_,
        threads=threads, resume=resume, overwrite=overwrite, no_page=no_page, quiet=quiet, start=from_,
    )  # fmt: skip
    if json:
        _print_json(comparing.as_json(found))


@contextmanager
def _stoppable(narrator: Narrator) -> Iterator[threading.Event]:
    """Turn the first Ctrl-C (or SIGTERM) into a wish to stop; the second one quits at once."""
    stop = threading.Event()

    def ask(number: int, frame: object) -> None:
        if stop.is_set():
            os.write(2, b"\x1b[?25hstopped at once\n" if narrator.is_live else b"stopped at once\n")
            os._exit(130)
        stop.set()
        # Nothing is printed through rich here: the signal may have come in the middle of its own printing.
        os.write(2, b"\nstopping after this window; again to quit at once\n")

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _audit(stored: Run) -> Any:
    from underheaven.study.audit import audit

    return audit(stored)["findings"]


def _write_report(stored: Run) -> Path:
    from underheaven.show.report import write_report

    return write_report(stored)


# life, diff -----------------------------------------------------------------------------------------------


@app.command
def life(
    run: Annotated[Path, Parameter(help="the folder of a run")],
    other: Annotated[Path | None, Parameter(help="that of a second run of the same people")] = None,
    /,
    *,
    citizen: Annotated[int | None, _Count, Parameter(help="whose life: a number from 0 on")] = None,
    find: Annotated[
        Literal[
            "wrongly-listed", "longest-wrong", "fell-furthest", "same-acts-different-fate", "redeemed", "never-knew"
        ]
        | None,
        Parameter(help="or look for one in the sample of the run (default: longest-wrong)"),
    ] = None,
    all_: Annotated[bool, Parameter(name="--all", help="tell the everyday, too")] = False,
    html: Annotated[Path | None, Parameter(help="write a page instead", metavar="FILE")] = None,
    json: Annotated[bool, Parameter(help="print every step as JSON")] = False,
) -> None:
    """Live one life of a stored run again and tell it, step by step."""
    from underheaven.cli.life import life as tell

    tell([run] if other is None else [run, other], citizen, find, html, everything=all_, json=json)


@app.command
def diff(
    one: Annotated[Path, Parameter(help="the folder of a run")],
    other: Annotated[Path, Parameter(help="that of another run of the same people")],
    /,
    *,
    json: Annotated[bool, Parameter(help="print JSON")] = False,
) -> None:
    """Name the first citizen, day and rule in which two runs part."""
    from underheaven.cli.life import diff as name

    name(one, other, json=json)


@app.command
def panel(
    run: Annotated[Path, Parameter(help="the folder of a run")],
    /,
    *,
    where: Annotated[
        str | None, Parameter(help="who: county = 12 and listed; income <= 2 (default: everybody)", metavar="CONDITION")
    ] = None,
    sample: Annotated[int, _Count, Parameter(help="at most so many citizens, by keyed draws (default: 1000)")] = 1_000,
    out: Annotated[Path | None, Parameter(help="file to write (default: RUN/panel.parquet)", metavar="FILE")] = None,
    quiet: Annotated[bool, Parameter(help="say nothing but errors")] = False,
) -> None:
    """Write citizens x days of a run, belief and truth side by side, as Parquet."""
    from underheaven.cli.life import panel as write

    write(run, where, sample, out, quiet=quiet)


@app.command
def survey(
    run: Annotated[Path, Parameter(help="the folder of a run")],
    /,
    *,
    respondents: Annotated[int, _Count, Parameter(help="about so many are asked (default: 1000)")] = 1_000,
    told: Annotated[bool, Parameter(help="tell everybody first what the system represses")] = False,
    wave: Annotated[int, _Count, Parameter(help="another number asks another sample (default: 0)")] = 0,
    html: Annotated[Path | None, Parameter(help="write a page instead", metavar="FILE")] = None,
    json: Annotated[bool, Parameter(help="print JSON")] = False,
) -> None:
    """Ask some people of a stored run what they think of being scored.

    A direct question, which people may answer with what they do not think, beside
    a list experiment, which hides each answer; and the truth beside both.
    """
    from underheaven.cli.survey import survey as ask

    ask(run, respondents, wave, html, told=told, json=json)


# report, list, show, cite ---------------------------------------------------------------------------------


@app.command
def report(
    run: Annotated[Path, Parameter(help="the folder of a run")],
    /,
    *,
    json: Annotated[bool, Parameter(help="print the findings as JSON on stdout")] = False,
) -> None:
    """Write the report of a stored run again."""
    stored = underheaven.open_run(_home(run))
    path = _write_report(stored)
    if json:
        _print_json({"run": str(stored.folder), "report": str(path), "findings": _audit(stored)})
    else:
        print(path)


@app.command(name="list")
def list_(
    what: Annotated[
        Literal["regimes", "reforms", "rollouts", "worlds"] | None, Parameter(help="one of them (default: all)")
    ] = None,
    /,
    *,
    json: Annotated[bool, Parameter(help="print JSON")] = False,
) -> None:
    """Name the regimes, reforms, roll-outs and worlds of the catalogue."""
    from underheaven.cli import pages

    kinds = ("regimes", "reforms", "rollouts", "worlds") if what is None else (what,)
    entries = {kind: pages.entries(kind) for kind in kinds}
    if json:
        _print_json(entries)
    else:
        pages.print_entries(entries)


@app.command
def show(
    name: Annotated[str, Parameter(help="a regime, a roll-out or a world: a name, or a path to a .yaml file")],
    /,
    *,
    json: Annotated[bool, Parameter(help="print JSON")] = False,
) -> None:
    """Read a regime, a roll-out or a world as a page."""
    from underheaven.cli import pages

    model = pages.find(name)
    if json:
        _print_json(model.model_dump(mode="json"))
    else:
        pages.print_page(model)


@app.command
def cite(
    name: Annotated[str, Parameter(help="a regime or a world: a name, or a path to a .yaml file")],
    /,
    *,
    format: Annotated[Literal["text", "json", "bibtex"], Parameter(help="text (default), json or bibtex")] = "text",
    json: Annotated[bool, Parameter(help="as --format json")] = False,
) -> None:
    """Print every number of a regime or a world with its source."""
    from underheaven.cli import pages

    model = pages.find(name)
    if json or format == "json":
        _print_json(pages.citations(model))
    elif format == "bibtex":
        print(pages.bibtex(model), end="")
    else:
        pages.print_citations(model)


def _print_json(value: object) -> None:
    print(_json.dumps(value, ensure_ascii=False, allow_nan=False))


assert all(name in COMMANDS for name in app if not name.startswith("-")), "the first page names every command"
