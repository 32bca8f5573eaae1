"""Pages for a terminal: the catalogue, a regime, a world, their sources, and the summary of a run."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from underheaven import catalogue
from underheaven.errors import FileFormError
from underheaven.reading import Quantity, Section, cited, did_you_mean
from underheaven.regime.reader import load_regime
from underheaven.regime.reform import load_reform, load_reformed
from underheaven.regime.rollout import Rollout, Rules, load_rollout, load_rules
from underheaven.regime.schema import Regime
from underheaven.world.reader import load_world
from underheaven.world.schema import World

if TYPE_CHECKING:
    from underheaven.reading import Source
    from underheaven.store import Run

#: What the kinds of a regime mean; every report says it too.
KINDS = {
    "press": "as the press described it; not a claim about a country",
    "law": "as documents state it",
    "fiction": "invented",
    "hypothesis": "a supposition, to see what would follow",
}


def _console(is_error: bool = False) -> Console:
    # Whatever is not a terminal gets whole lines: a file or a pipe has no width.
    file = sys.stderr if is_error else sys.stdout
    width = None if file.isatty() or "COLUMNS" in os.environ else 160
    return Console(file=file, width=width, highlight=False, markup=False, emoji=False)


def _grid(rows: Iterable[Sequence[str]], right: Sequence[int] = (), heads: Sequence[str] = ()) -> Table:
    rows = list(rows)
    table = Table(box=None, show_header=bool(heads), pad_edge=False, header_style="bold")
    for at in range(max((len(row) for row in rows), default=len(heads))):
        head = heads[at] if heads else ""
        table.add_column(head, justify="right" if at in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


# The catalogue --------------------------------------------------------------------------------------------


def entries(kind: str) -> list[dict[str, Any]]:
    """Return name, kind, title and file of each entry of the catalogue, and its people if it is a world."""
    found: list[dict[str, Any]] = []
    for name in catalogue.names(kind):
        if kind == "regimes":
            regime = load_regime(name)
            found.append({"name": name, "kind": regime.kind, "title": regime.title})
        elif kind == "rollouts":
            rollout = load_rollout(name)
            found.append({"name": name, "kind": rollout.kind, "title": rollout.title})
        elif kind == "reforms":
            found.append({"name": name, "kind": "reform", "title": load_reform(name).title})
        else:
            world = load_world(name)
            found.append({"name": name, "kind": world.kind, "title": world.title, "people": world.people})
        found[-1]["file"] = str(catalogue.path(kind, name))
    return found


def print_entries(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Print the catalogue, one entry a line."""
    console = _console()
    for at, (kind, rows) in enumerate(found.items()):
        if at:
            console.print()
        console.print(f"{kind}:", style="bold")
        people = [[f"{row['people']:,} adults"] if "people" in row else [] for row in rows]
        console.print(
            _grid([row["name"], row["kind"], *more, row["title"]] for row, more in zip(rows, people, strict=True))
        )
        if rows:
            console.print(f"files: {Path(rows[0]['file']).parent}", soft_wrap=True)


def find(name: str) -> Rules | World:
    """Return the regime (with any reforms laid over it), the roll-out or the world of a name or path.

    Raises
    ------
    FileFormError : UH122 there is neither; or the file cannot be used
    """
    name = os.path.expanduser(name)
    if "+" in name and not Path(name).is_file():
        return load_reformed(name)
    if name in catalogue.names("regimes") or name in catalogue.names("rollouts"):
        return load_rules(name)
    if name in catalogue.names("worlds"):
        return load_world(name)
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return load_world(path) if _says_world(path) else load_rules(path)
    known = [name for kind in ("regimes", "rollouts", "worlds") for name in catalogue.names(kind)]
    near = did_you_mean(name, known)
    mend = catalogue.hint("", name).rstrip(".") or (f"did you mean {near}?" if near else "")
    mend = mend or f"write one of {', '.join(known)}, or a path to a .yaml file"
    raise FileFormError.of("UH122", f"the catalogue has no regime or world {name[:60]!r}; {mend}")


def _says_world(path: Path) -> bool:
    """Tell whether a file calls itself a world; whatever is wrong with it, its reader says."""
    try:
        with path.open("rb") as file:
            return re.search(rb"^format:\s*['\"]?underheaven-world/", file.read(1 << 16), re.MULTILINE) is not None
    except OSError:
        return False


# A regime, a world ----------------------------------------------------------------------------------------


def print_page(model: Rules | World) -> None:
    """Print a regime or a world so that it can be read."""
    console = _console()
    console.print(model.title, style="bold")
    name = model.world if isinstance(model, World) else model.regime
    console.print(f"{name} · {model.kind}" + (f": {KINDS[model.kind]}" if model.kind in KINDS else ""))
    console.print()
    console.print(" ".join(model.summary.split()))
    if isinstance(model, Rollout):
        sections = _rollout_sections(model)
    else:
        sections = _regime_sections(model) if isinstance(model, Regime) else _world_sections(model)
    for head, rows in sections:
        rows = list(rows)
        if rows:
            console.print()
            console.print(head, style="bold")
            console.print(_grid([["", *row] for row in rows]))
    console.print()
    console.print(f"Every number with its source: underheaven cite {name}")


_Sections = Iterable[tuple[str, Iterable[Sequence[str]]]]


def _rollout_sections(rollout: Rollout) -> _Sections:
    yield "In force where nothing else is", [[rollout.baseline, rollout.regimes[0].title]]
    rows = []
    for phase in rollout.phases:
        where = ", ".join((*phase.counties, *(f"all of {name}" for name in phase.provinces))) or "everywhere"
        rows.append([f"day {phase.from_.days}", phase.regime, where])
    yield "What comes into force", rows


def _regime_sections(regime: Regime) -> _Sections:
    if regime.score is not None:
        score = regime.score
        yield "Score", [["starts at", str(score.start.value)], ["never below", str(score.floor.value)],
                        ["never above", str(score.cap.value)]]  # fmt: skip
    tiers = zip(regime.tier_names, regime.cutoffs, strict=True)
    yield "Tiers, best first", [[name, f"from {cutoff} points"] for name, cutoff in tiers]
    yield "What is done to whom", _act_rows(regime)
    yield (
        "Lists",
        [
            [
                entry.name,
                f"for {_days(float(entry.term.mean_days))}",
                "in public" if entry.shaming else "",
                ", ".join([f"below {entry.below}"] * (entry.below is not None) + list(entry.on)),
            ]
            for entry in regime.lists
        ],
    )
    yield (
        "How services treat people",
        [[service, _treatments(rule.tiers), _treatments(rule.lists)] for service, rule in regime.treatment.items()],
    )
    for part, head in (
        ("cameras", "Cameras"),
        ("recognition", "Face recognition (an error model)"),
        ("registers", "Registers"),
        ("reporting", "Reports by people"),
        ("awareness", "Who knows of it"),
    ):
        section = getattr(regime, part)
        yield head, _plain(section) + _numbers(regime, part)
    yield (
        "Demands on foreign firms",
        [
            [demand.name, f"to {demand.n_firms} firms", "until day " + ", ".join(str(d.days) for d in demand.deadlines)]
            for demand in regime.demands
        ],
    )
    remedies = _numbers(regime, "remedies") + _plain(regime.remedies)
    yield "Remedies", remedies or [["none"]]
    if regime.context_wall:
        yield "Context wall", [["a record only affects services of its own context"]]


def _act_rows(regime: Regime) -> list[list[str]]:
    rows = []
    for act in regime.act_names:
        points, fine = regime.points_of(act), regime.fine_of(act)
        on = [entry.name for entry in regime.lists if act in entry.on]
        rows.append(
            [
                act,
                f"{points:+d} points" if points else "",
                f"a fine of {float(fine):g} {'day' if fine == 1 else 'days'} of income" if fine else "",
                f"list: {', '.join(on)}" if on else "",
            ]
        )
    return rows


def _treatments(treatments: Mapping[str, Any]) -> str:
    def said(treatment: Any) -> str:
        return treatment if isinstance(treatment, str) else f"refuse {treatment.refuse.text()} of uses"

    return ", ".join(f"{name}: {said(treatment)}" for name, treatment in treatments.items())


def _world_sections(world: World) -> _Sections:
    yield (
        "People",
        [
            ["adults", f"{world.people:,}"],
            ["a community", f"up to {world.community:,}"],
            ["institutions look", f"every {world.exchange_days} days"],
        ],
    )
    yield "Traits", [[trait, ", ".join(levels)] for trait, levels in world.levels.items()]
    yield (
        "Acts",
        [
            [name, f"{act.rate.text()} per {act.rate.per}", act.channel, "speech" if act.speech else "", _varies(act)]
            for name, act in world.acts.items()
        ],
    )
    yield (
        "Services",
        [
            [name, f"{service.rate.text()} per {service.rate.per}", _varies(service)]
            for name, service in world.services.items()
        ],
    )
    yield "How people respond", _numbers(world, "response")
    yield "What people think of being scored", _numbers(world, "opinion")


def _varies(entry: Any) -> str:
    return f"varies by {', '.join(entry.varies)}" if entry.varies else ""


def _numbers(model: Rules | World, part: str) -> list[list[str]]:
    """Return the quantities below a part of the file, as the file states them."""
    return [
        [found.path.removeprefix(f"{part}.").replace("_", " "), _with_unit(found.text, found.per)]
        for found in cited(model)
        if found.path.startswith(f"{part}.")
    ]


def _plain(section: Any, part: str = "") -> list[list[str]]:
    """Return the words of a section and of those in it: values that are no quantities."""
    if section is None or isinstance(section, Quantity):
        return []
    rows = []
    for key, value in section:
        if isinstance(value, str):
            rows.append([f"{part}{key}".replace("_", " "), value])
        elif isinstance(value, Section):
            rows += _plain(value, f"{part}{key}.")
    return rows


def _with_unit(text: str, per: str | None) -> str:
    return f"{text} per {per}" if per else text


def _days(days: float) -> str:
    years = days / 365
    return f"{years:g} years" if days >= 730 and years == int(years) else f"{days:g} days"


# Sources --------------------------------------------------------------------------------------------------


def citations(model: Rules | World) -> dict[str, Any]:
    """Return every number with its source, and the sources, for JSON."""
    numbers = [
        {
            "path": found.path,
            "value": found.text,
            "per": found.per,
            "basis": found.basis,
            "source": found.source,
            "note": found.note,
        }
        for found in cited(model)
    ]
    sources = {key: source.model_dump(mode="json", exclude_none=True) for key, source in model.sources.items()}
    name = model.world if isinstance(model, World) else model.regime
    return {"name": name, "kind": model.kind, "numbers": numbers, "sources": sources}


def print_citations(model: Rules | World) -> None:
    """Print every number with its source, then the sources."""
    console = _console()
    rows = [[f.path, _with_unit(f.text, f.per), f.basis, f.source or ""] for f in cited(model)]
    if not rows:
        name, what = (model.world, "world") if isinstance(model, World) else (model.regime, "regime")
        console.print(f"The {what} {name} states no numbers, so there is nothing to cite.")
    table = _grid(rows, right=(1,), heads=("number", "value", "basis", "source"))
    if rows and sum(max(len(row[at]) for row in rows) + 2 for at in range(4)) <= console.width:
        console.print(table)
    else:
        for path, *told in rows:  # too wide for columns: a number a paragraph
            console.print(path, soft_wrap=True)
            console.print(Padding(" · ".join(word for word in told if word), (0, 0, 0, 4)))
    for head, has_text in (("Sources", True), ("Not yet read", False)):
        listed = {key: source for key, source in model.sources.items() if source.read is has_text}
        if listed:
            console.print(f"\n{head}", style="bold")
            for key, source in listed.items():
                console.print(f"  {key}: {_reference(source)}", soft_wrap=True)  # an address stays whole
    counted: dict[str, int] = {}
    for found in cited(model):
        counted[found.basis] = counted.get(found.basis, 0) + 1
    if counted:
        console.print("\n" + ", ".join(f"{n} {basis}" for basis, n in sorted(counted.items())))


def _reference(source: Source) -> str:
    parts = (source.author, f"({source.year})" if source.year else None, source.title, source.address, source.note)
    return ". ".join(part.rstrip(".") for part in parts if part)


def bibtex(model: Rules | World) -> str:
    """Return the sources as BibTeX."""
    return "\n".join(_bibtex_entry(key, source) for key, source in model.sources.items())


def _bibtex_entry(key: str, source: Source) -> str:
    fields = {
        "title": source.title,
        "author": source.author,
        "year": source.year,
        "url": source.address,
        "note": source.note,
    }
    lines = [f"  {name} = {{{_tex(str(value))}}}," for name, value in fields.items() if value is not None]
    return "\n".join([f"@misc{{{key},", *lines, "}", ""])


def _tex(text: str) -> str:
    """Return a text that neither ends its field nor is obeyed by TeX."""
    safe = {"\\": r"\textbackslash ", "{": r"\{", "}": r"\}"} | {sign: f"\\{sign}" for sign in "&%$#_"}
    if text.startswith(("http://", "https://")):
        safe = {"{": "%7B", "}": "%7D", "\\": "%5C"}
    return "".join(safe.get(sign, sign) for sign in text)


# A run ----------------------------------------------------------------------------------------------------


def totals(run: Run) -> dict[str, int]:
    """Return the sum of each counter over the whole run."""
    import pyarrow.compute as pc

    table = run.table("counts_stratum").select(["counter", "amount"])
    summed = table.group_by("counter").aggregate([("amount", "sum")])
    return dict(zip(pc.cast(summed["counter"], "string").to_pylist(), summed["amount_sum"].to_pylist(), strict=True))


def print_summary(run: Run, report: Path | None) -> None:
    """Print what came out of a run, in a few lines on stderr."""
    found = totals(run)

    def added(kind: str) -> int:
        return sum(amount for name, amount in found.items() if name.startswith(f"{kind}/"))

    people, sanctioned = run.manifest["people"], found.get("people_sanctioned", 0)
    wrongly = found.get("people_wrongly_sanctioned", 0)
    rows = [
        ["people", f"{people:,}", f"{run.manifest['days']:,} days"],
        ["sanctioned", f"{sanctioned:,}", _share(sanctioned, people, "of all")],
        ["wrongly sanctioned", f"{wrongly:,}", _share(wrongly, sanctioned, "of those")],
        ["wrongful days", f"{found.get('wrongful_sanction_days', 0):,}",
         _share(found.get("wrongful_sanction_days", 0), found.get("sanction_days", 0), "of sanction days")],
        ["refused transactions", f"{added('refused'):,}",
         _share(added("wrongly_refused"), added("refused"), "of them wrongly")],
    ]  # fmt: skip
    console = _console(is_error=True)
    console.print(_grid([["", *row] for row in rows], right=(2,)))
    seconds = run.manifest["timings"]["life_seconds"]
    console.print(f"lived in {seconds:.1f} s; stored in {run.folder}", soft_wrap=True)
    if report is not None:
        console.print(f"report: {report}", soft_wrap=True)


def _share(part: int, whole: int, of: str) -> str:
    """Return a share in per cent; without a whole there is none."""
    return f"{100 * part / whole:.3g}% {of}" if whole else "not measurable"
