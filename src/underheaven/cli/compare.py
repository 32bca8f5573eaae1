"""The command `compare`: live the same people under several regimes, print what changes, write the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import underheaven

if TYPE_CHECKING:
    from underheaven.study.twins import Comparison, Pair

#: What the summary shows, in its order.
_SHOWN = (
    "sanctioned", "wrongly_sanctioned", "innocent_sanctioned", "sanction_days", "wrongful_sanction_days", "refused",
    "wrongly_refused", "false_records", "people_with_false_record",
)  # fmt: skip


def default_folder(regimes: Sequence[str], world: str, seed: int) -> Path:
    """Return where a comparison goes if nobody says: runs/compare-A-vs-B-WORLD-sSEED."""
    from underheaven.comparing import slug

    names = [slug(regime) for regime in regimes]
    if len(names) > 3 or sum(map(len, names)) > 120:
        names = [name[:40].strip("-") for name in names[:2]] + [f"{len(names) - 2}-more"] * (len(names) > 2)
    return Path("runs") / f"compare-{'-vs-'.join(names)}-{slug(world)}-s{seed}"


def print_comparison(comparison: Comparison) -> None:
    """Print what changes, in a few lines a regime, on stderr."""
    from underheaven.cli.pages import _console

    console = _console(is_error=True)
    for pair in comparison.pairs:
        console.print()
        console.print(f"from {pair.baseline.label} to {pair.other.label}", style="bold")
        for table in _tables(pair):
            console.print(table)
    if comparison.folder is not None:
        console.print()
        console.print(f"stored in {comparison.folder}", soft_wrap=True)
    if comparison.page is not None:
        console.print(f"page: {comparison.page}", soft_wrap=True)


def _tables(pair: Pair) -> list[Any]:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=False, ratio=None, max_width=32)
    for head in ("before", "after", "difference", "95% interval"):
        table.add_column(head, justify="right", no_wrap=True)
    rows = {row["id"]: row for row in pair.differences}
    shown = [rows[key] for key in _SHOWN if key in rows]
    shown += [row for row in pair.differences if row["id"].startswith("listings/")]
    for row in shown:
        table.add_row(*(Text(cell) for cell in _cells(row["title"], row)))
    for kind, title in (("speech", "Acts of speech"), ("held against", "Infractions")):
        if kind in pair.kinds_of_acts:
            table.add_row(*(Text(cell) for cell in _cells(title, pair.kinds_of_acts[kind])))
    if "wait" in rows and rows["wait"]["rate_difference"] is not None:
        table.add_row(*(Text(cell) for cell in _wait(rows["wait"])))
    return [table, Text(_people(pair))]


def _cells(title: str, row: Mapping[str, Any]) -> list[str]:
    from underheaven.study.twin_findings import signed
    from underheaven.study.words import whole

    between = "" if row["low"] is None else f"{signed(round(row['low']))} to {signed(round(row['high']))}"
    if row["low"] == row["high"] == 0:
        between = "none differs"
    rough = "*" if row["is_rough"] else ""
    return [title, whole(row["baseline"]), whole(row["other"]), signed(row["difference"]), between + rough]


def _wait(row: Mapping[str, Any]) -> list[str]:
    from underheaven.study.twin_findings import minutes
    from underheaven.study.words import decimal

    between = "" if row["rate_low"] is None else f"{minutes(row['rate_low'])} to {minutes(row['rate_high'])}"
    if row["rate_low"] == row["rate_high"] == 0:
        between = "none differs"
    figures = [decimal(row["baseline_rate"]), decimal(row["other_rate"]), minutes(row["rate_difference"])]
    return ["Minutes waited at the hospital", *figures, between]


def _people(pair: Pair) -> str:
    from underheaven.study.words import percent, whole

    found = pair.persons
    said = [
        f"{whole(found[way])} people {way} off ({percent(found['shares'][way]['value'])})"
        for way in ("worse", "better")
    ]
    text = f"{', '.join(said)}, {whole(found['mixed'])} in both ways"
    is_rough = any(row["is_rough"] for row in pair.differences if row["id"] in _SHOWN)
    if len(pair.everybody.people) < 2:
        text += "\nno intervals: so few people are one neighbourhood; write a larger --people"
    return text + ("\n* too few cases for a good interval" if is_rough else "")


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison and where it lies, for JSON."""
    return {
        "folder": str(comparison.folder),
        "page": None if comparison.page is None else str(comparison.page),
        "runs": [str(run.folder) for run in comparison.runs],
        **comparison.as_dict(),
    }


def compare(
    regimes: Sequence[str],
    world: str,
    *,
    people: int | None,
    days: int,
    seed: int,
    out: Path | None,
    changes: Sequence[str],
    threads: int | None,
    resume: bool,
    overwrite: bool,
    no_page: bool,
    quiet: bool,
    start: str | None,
) -> Comparison:
    """Live the regimes, with progress on stderr, and print the summary."""
    from underheaven.cli.commands import _stoppable
    from underheaven.cli.progress import Narrator

    folder = out if out is not None else default_folder(regimes, world, seed)
    head = f"{len(regimes)} regimes in {Path(world).stem}, {days} days each, seed {seed}"
    with Narrator(quiet, head) as narrator, _stoppable(narrator) as stop:
        comparison = underheaven.compare(
            list(regimes),
            world,
            people=people,
            days=days,
            seed=seed,
            out=folder,
            set=list(changes),
            threads=threads,
            resume=resume,
            overwrite=overwrite,
            page=not no_page,
            progress=narrator,
            stop=stop,
            start=start,
        )
    if not quiet:
        print_comparison(comparison)
    return comparison
