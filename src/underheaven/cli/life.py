"""`underheaven life` and `underheaven diff`: a life of a stored run, and where two runs part."""

from __future__ import annotations

import json as _json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import underheaven
from underheaven.cli.pages import _console, _grid
from underheaven.errors import CommandError

if TYPE_CHECKING:
    from underheaven.engine.relive import Life, Reliving


def life(
    runs: Sequence[Path], citizen: int | None, find: str | None, html: Path | None, *, everything: bool, json: bool
) -> None:
    """Tell one life of a run, or the same life in two."""
    from underheaven.engine.relive import FINDS, Reliving, must_be_twins, parting_step
    from underheaven.engine.relive import find as found_in
    from underheaven.show import life as words

    if citizen is not None and find is not None:
        raise CommandError.of("UH803", "both --citizen and --find say whose life; give one of them")
    lived = [Reliving(underheaven.open_run(folder)) for folder in runs]
    if len(lived) > 1:
        must_be_twins(*lived)
    what = find or ("longest-wrong" if citizen is None else None)
    if what is not None:
        lives = found_in(lived[0], what)
        if not lives:
            names = ", ".join(sorted(FINDS))
            raise CommandError.of(
                "UH804",
                f"the sample of {runs[0]} has no life that is {what}; look for another ({names}) or name a --citizen",
            )
        if len(lived) > 1:
            lives = [lives[0], lived[1].life(lives[0].citizen)]
    else:
        assert citizen is not None
        lives = [each.life(citizen) for each in lived]
    source = _sources(lived)
    parting = parting_step(lives[0], lives[1]) if len(lived) > 1 else None
    if json:
        print(_json.dumps(words.as_json(lives, source), ensure_ascii=False, allow_nan=False))
    titles = _titles(lived, lives)
    if html is not None:
        title = f"Citizen {lives[0].citizen}" + (f", {what}" if what else "")
        path = words.write_page(
            html.expanduser(), title, lives, titles, source, everything, parting, is_pair=len(lived) > 1
        )
        if not json:
            print(path)
    elif not json and len(lived) > 1:
        _print_pair(lives, [one.regime.regime for one in lived], parting, everything)
    elif not json:
        console = _console()
        for one, title in zip(lives, titles, strict=True):
            _print(console, one, title, source, everything)


def _sources(lived: Sequence[Reliving]) -> Any:
    from underheaven.show.life import sources

    each = [sources((one.regime, one.world)) for one in lived]
    return lambda rule: next((found for source in each if (found := source(rule))), "")


def _titles(lived: Sequence[Reliving], lives: Sequence[Life]) -> list[str]:
    names = [one.regime.regime for one in lived]
    names += names[-1:] * (len(lives) - len(names))
    return [f"Citizen {one.citizen}, {one.county}, under {name}" for one, name in zip(lives, names, strict=True)]


def _print(console: Any, life: Life, title: str, source: Any, everything: bool) -> None:
    from underheaven.show import life as words

    console.print(title, style="bold")
    console.print(f"{words.who(life)}.")
    console.print(words.sums(life))
    console.print()
    steps = words.told(life, everything=everything)
    rows = []
    for step in steps:
        told, true = words.standing(step.filed), words.standing(step.true)
        side = told if told == true else f"{told}\n(true: {true})"
        rule = ", ".join(part for part in (step.rule, source(step.rule)) if part)
        rows.append([str(step.day), f"{words.sentence(step)}\n  {rule}" if rule else words.sentence(step), side])
    if not rows:
        console.print("Nothing touched the file; --all tells the everyday, too.")
    else:
        console.print(_grid(rows, right=(0,), heads=("day", "what happened, by which rule", "the file says")))
    console.print()


def _print_pair(lives: Sequence[Life], names: Sequence[str], parting: int | None, everything: bool) -> None:
    """Print one citizen's life under two regimes in two columns; what differs has a mark before it."""
    from rich.table import Table
    from rich.text import Text

    from underheaven.show import life as words

    console = _console()
    console.print(f"Citizen {lives[0].citizen}, {lives[0].county}, under two regimes", style="bold")
    console.print(f"{words.who(lives[0])}.")
    console.print()
    names = [f"{name} ({at})" if names[0] == names[1] else name for at, name in enumerate(names, 1)]
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("day", justify="right")
    table.add_column("", width=1)
    for name in names:
        table.add_column(name, ratio=1, overflow="fold")
    table.add_row("", "", *(Text(words.sums(life)) for life in lives))
    before = ["", ""]
    for row in words.side_by_side(lives, parting, everything=everything):
        if row.parts:
            table.add_row("", "", Text("--- the lives part here ---", style="bold"), "")
        cells = []
        for at, step in enumerate((row.one, row.other)):
            if step is None:
                cells.append(Text(""))
                continue
            told, true = words.standing(step.filed), words.standing(step.true)
            side = told if told == true else f"{told} (true: {true})"
            cells.append(Text(words.sentence(step) + (f"\n  {side}" if side != before[at] else "")))
            before[at] = side
        table.add_row(str(row.day), "*" if row.differs else "", *cells)
    console.print(table)
    if parting is None:
        console.print("Both lives are the same to the last step.")


def diff(one: Path, other: Path, *, json: bool) -> None:
    """Say where two runs part first."""
    from underheaven.engine.relive import Reliving, first_parting
    from underheaven.show.life import sentence

    lived = Reliving(underheaven.open_run(one)), Reliving(underheaven.open_run(other))
    found = first_parting(*lived)
    if json:
        steps = [] if found is None else [found.one, found.other]
        print(
            _json.dumps(
                {
                    "same": found is None,
                    "citizen": None if found is None else found.citizen,
                    "day": None if found is None else found.day,
                    "steps": [None if s is None else {"kind": s.kind, "rule": s.rule, **_plain(s)} for s in steps],
                }
            )
        )
        return
    console = _console()
    if found is None:
        console.print("The runs are the same: every citizen ends with the same columns.")
        return
    console.print(f"They part first with citizen {found.citizen}, on day {found.day}:")
    for each, step in zip(lived, (found.one, found.other), strict=True):
        text = "nothing more" if step is None else f"day {step.day}, {step.kind}: {sentence(step)} ({step.rule})"
        console.print(f"  {each.regime.regime}: {text}")
    console.print(f"{found.differing} citizens of her community block end differently.")
    console.print(f"underheaven life {one} {other} --citizen {found.citizen}", soft_wrap=True)


def _plain(step: Any) -> dict[str, Any]:
    from underheaven.show.life import sentence

    return {"day": step.day, "what": step.what, "text": sentence(step), "file": step.filed, "truth": step.true}


def panel(run: Path, where: str | None, sample: int, out: Path | None, *, quiet: bool) -> None:
    """Write the days of some citizens of a run as a Parquet file."""
    import sys

    import pyarrow.parquet as pq

    from underheaven.engine.panel import panel as lived_again
    from underheaven.engine.relive import Reliving
    from underheaven.errors import StoreError

    lives = Reliving(underheaven.open_run(run))
    path = (out or run / "panel.parquet").expanduser()
    is_live = sys.stderr.isatty() and not quiet

    def progress(done: int, of: int) -> None:
        if is_live and (done == of or done % 20 == 0):
            print(f"\r{done:,} of {of:,} lives", end="\n" if done == of else "", file=sys.stderr, flush=True)

    table = lived_again(lives, where, sample, progress)
    try:
        pq.write_table(table, path, write_page_checksum=True)
    except OSError as problem:
        raise StoreError.of("UH703", f"{path}: {problem.strerror or problem}; write --out to another place") from None
    if not quiet:
        print(f"{path}: {len(set(table['citizen'].to_pylist())):,} citizens, {table.num_rows:,} rows")
