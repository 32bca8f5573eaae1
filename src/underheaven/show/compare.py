"""The page of a comparison: what changes for the same people when the rules change.

It is made like the report (`show/report.py`): one file, no request of any kind, charts that stand in it as
drawings.  Its charts are below, its words in templates/compare.html.j2.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from underheaven.errors import StoreError, Where
from underheaven.show.describe import KINDS
from underheaven.show.report import _TEMPLATES, BASES, _bundle, _closed, _environment, _figure, _policy, _put
from underheaven.show.vega import (
    BLUE,
    GREY,
    ORANGE,
    WIDTH,
    Chart,
    Record,
    Spec,
    category,
    income_axis,
    quantity,
    tooltip,
    vega_lite,
)
from underheaven.study.twin_findings import minutes, signed, twin_findings
from underheaven.study.words import NOT_MEASURABLE, decimal, label, percent, whole

if TYPE_CHECKING:
    from pathlib import Path

    from underheaven.regime.rollout import Rules
    from underheaven.study.twins import Comparison, Pair

#: What the charts of differences show; the tables show everything.
_HEADLINES = (
    "sanctioned", "wrongly_sanctioned", "innocent_sanctioned", "sanction_days", "wrongful_sanction_days", "refused",
    "wrongly_refused", "people_wrongly_refused", "lowest_tier", "false_records", "people_with_false_record",
)  # fmt: skip

_SECTIONS = {
    "sanctions": "Sanctions",
    "services": "Services",
    "files": "Files, lists and remedies",
    "waits": "Waits at the hospital (minutes a visit)",
}

_WAYS = {"domain": ["worse for people", "better for people", "neither, or may be chance"],
         "range": [ORANGE, BLUE, GREY]}  # fmt: skip

_TRANSITIONS = {
    "history": "Over the whole time",
    "standing": "On the last day",
    "tier": "Grade on the last day",
    "services": "Services that ever refused a person",
}

_STRATA = {
    "income": "By income tenth (1 is the poorest)",
    "group": "By group",
    "age": "By age",
    "sex": "By sex",
    "urban": "By place",
    "education": "By education",
}


def write_page(comparison: Comparison) -> Path:
    """Write compare.html and data/*.csv into the folder of a comparison.

    Parameters
    ----------
    comparison : Comparison, with a folder

    Returns
    -------
    Path of compare.html, which is noted in the comparison, too

    Raises
    ------
    errors.StoreError : UH705 the disk refused
    """
    folder = comparison.folder
    if folder is None:
        raise ValueError("the comparison has no folder to write into")
    charts = [charts_of(pair, at if len(comparison.pairs) > 1 else 0) for at, pair in enumerate(comparison.pairs, 1)]
    page = render(comparison, charts)
    try:
        (folder / "data").mkdir(exist_ok=True)
        for chart in (chart for some in charts for chart in some):
            _put(folder / "data" / f"{chart.name}.csv", chart.as_csv())
        comparison.page = _put(folder / "compare.html", page)
    except OSError as error:
        raise StoreError.of(
            "UH705", f"cannot write the page: {error.strerror or error}; the runs are safe", Where(str(folder))
        ) from error
    return comparison.page


def render(comparison: Comparison, charts: Sequence[Sequence[Chart]]) -> str:
    """Return the page.

    Parameters
    ----------
    comparison : Comparison
    charts : those of each pair, as `charts_of` makes them
    """
    import vl_convert
    from markupsafe import Markup

    environment = _environment()
    environment.filters["signed"] = signed
    bundle, script = _bundle(), _closed((_TEMPLATES / "report.js").read_text(encoding="utf-8"))
    style = "\n".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "compare.css"))
    manifest = comparison.runs[0].manifest
    return environment.get_template("compare.html.j2").render(
        policy=_policy([bundle, script], style),
        bundle=Markup(bundle),
        script=Markup(script),
        style=Markup(style),
        manifest=manifest,
        labels=comparison.labels,
        regimes=[
            {
                "label": twin.label,
                "title": twin.run.manifest["regime"]["title"],
                "kind_line": KINDS[twin.run.manifest["regime"]["kind"]],
                "summary": twin.run.regime.summary,
                "result": twin.run.manifest["result_hash"],
                "hash": twin.run.manifest["regime"]["hash"],
            }
            for twin in comparison.twins
        ],
        pairs=[_shown(pair, at, some, vl_convert) for at, (pair, some) in
               enumerate(zip(comparison.pairs, charts, strict=True), 1)],
        groups=len(comparison.everybody.people),
        bases=BASES,
        command=command(comparison),
    )  # fmt: skip


def command(comparison: Comparison) -> str:
    """Return the command that repeats the comparison."""
    manifests = [run.manifest for run in comparison.runs]
    names = [shlex.quote(str(m.get("asked", {}).get("regime") or m["regime"]["name"])) for m in manifests]
    first, asked = manifests[0], manifests[0].get("asked", {})
    world = shlex.quote(str(asked.get("world") or first["world"]["name"]))
    changes = "".join(f" --set {shlex.quote(change)}" for change in manifests[1].get("asked", {}).get("set", ()))
    return (
        f"underheaven compare {' '.join(names)} --world {world} --people {first['people']} "
        f"--days {first['days']} --seed {first['seed']}{changes}"
    )


def _shown(pair: Pair, at: int, charts: Sequence[Chart], vl_convert: Any) -> dict[str, Any]:
    """Return what the page needs of one pair."""
    rows = pair.differences
    sections = {title: [row for row in rows if row["section"] == key] for key, title in _SECTIONS.items()}
    return {
        "at": at,
        "label": pair.other.label,
        "baseline": pair.baseline.label,
        "findings": [_finding(finding) for finding in twin_findings(pair)],
        "charts": {chart.name.rstrip("-0123456789"): _figure(chart, vl_convert) for chart in charts},
        "sections": {title: [_row(row) for row in found] for title, found in sections.items() if found},
        "persons": pair.persons,
        "strata": [{"title": title, "rows": [{**row, "level": label(row[trait])} for row in pair.by(trait)]}
                   for trait, title in _STRATA.items()],
        "transitions": [_transition(pair, of, title) for of, title in _TRANSITIONS.items()],
        "acts": [_row(row) | {key: row[key] for key in row if key not in _ROW} for row in pair.acts],
        "kinds": {kind: _row(row) for kind, row in pair.kinds_of_acts.items()},
        "rules": list(rules_changed(pair.baseline.run.regime, pair.other.run.regime)),
    }  # fmt: skip


_ROW = frozenset({"title", "per", "baseline", "other", "difference"})


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a difference as the page writes it."""
    is_wait = row["baseline"] is None
    is_same = row["rate_low"] == row["rate_high"] == 0
    if is_same:
        between = "none differs"
    elif is_wait:
        between = "" if row["rate_low"] is None else f"{minutes(row['rate_low'])} to {minutes(row['rate_high'])}"
    else:
        between = "" if row["low"] is None else f"{signed(round(row['low']))} to {signed(round(row['high']))}"
    return {
        "title": row["title"],
        "baseline": decimal(row["baseline_rate"]) if is_wait else whole(row["baseline"]),
        "other": decimal(row["other_rate"]) if is_wait else whole(row["other"]),
        "difference": minutes(row["rate_difference"]) if is_wait else signed(row["difference"]),
        "interval": between,
        "rate": "" if is_wait or not row["rate_difference"] else signed(row["rate_difference"], False),
        "rate_interval": ""
        if is_wait or not (row["rate_low"] or row["rate_high"])
        else _between(row["rate_low"], row["rate_high"]),
        "per": row["per"],
        "way": _way(row),
        "is_rough": row["is_rough"],
    }


def _between(low: float, high: float) -> str:
    return f"{signed(low, False)} to {signed(high, False)}"


def _way(row: Mapping[str, Any]) -> str:
    """Say whom a difference hits: `worse`, `better` or nothing."""
    harm = row.get("harm", 0)
    if not harm or not row["is_clear"] or row["is_rough"] or not row["rate_difference"]:
        return ""
    return "worse" if harm * row["rate_difference"] > 0 else "better"


def _finding(finding: Mapping[str, Any]) -> dict[str, Any]:
    value, unit = finding["value"], finding["unit"]
    if value is None:
        return {**finding, "big": NOT_MEASURABLE, "small": ""}
    is_change = finding["id"] not in ("worse", "better")
    big = minutes(value) if unit == "minutes" else signed(value) if is_change else whole(value)
    return {**finding, "big": big, "small": unit}


def _transition(pair: Pair, of: str, title: str) -> dict[str, Any]:
    rows, columns, table = pair.transitions(of)
    keep_rows = [i for i in range(len(rows)) if table[i].any()]
    keep_columns = [j for j in range(len(columns)) if table[:, j].any()]
    is_same_scale = rows == columns
    cells = [
        {
            "name": rows[i],
            "cells": [
                {"people": int(table[i, j]), "is_diagonal": is_same_scale and i == j,
                 "shade": _shade(int(table[i, j]), pair.people) if is_same_scale and i != j else 0}
                for j in keep_columns
            ],
        }
        for i in keep_rows
    ]  # fmt: skip
    moved = int(table.sum() - int(table.trace())) if is_same_scale else None
    return {"of": of, "title": title, "columns": [columns[j] for j in keep_columns], "rows": cells, "moved": moved,
            "is_same_scale": is_same_scale}  # fmt: skip


def _shade(people: int, everybody: int) -> int:
    """Return a step of shading, 0..4, by the share of all people on a scale of tens."""
    return sum(people * 10**power > everybody for power in (4, 3, 2, 1)) if people else 0


# Rules --------------------------------------------------------------------------------------------------------------


_OF_FILE = frozenset({"format", "regime", "rollout", "title", "kind", "status", "summary", "sources", "cases"})


def rules_changed(baseline: Rules, other: Rules) -> Iterator[dict[str, Any]]:
    """Yield each place where the rules of two regimes differ, with what the other one rests on there."""
    before, after = _rules(baseline), _rules(other)
    for path in dict.fromkeys([*before, *after]):
        a, b = before.get(path), after.get(path)
        if (a and a["text"]) != (b and b["text"]):
            told = b or {}
            sources = other.sources
            yield {
                "path": path.split("."),
                "baseline": a["text"] if a else "–",
                "other": b["text"] if b else "–",
                "basis": told.get("basis"),
                "note": told.get("note"),
                "source": sources.get(told.get("source") or ""),
            }


def _rules(regime: Rules) -> dict[str, dict[str, Any]]:
    """Return every number and every word of the rules by its path."""
    from pydantic import BaseModel

    from underheaven.reading import cited

    found: dict[str, dict[str, Any]] = {}
    for number in cited(regime):
        text = whole(int(number.text)) if number.text.isdigit() and len(number.text) > 4 else number.text
        text = f"{text} per {number.per}" if number.per else text
        found[number.path] = {"text": text, "basis": number.basis, "note": number.note, "source": number.source}

    def visit(value: object, path: tuple[str, ...]) -> None:
        if ".".join(path) in found:
            return
        if isinstance(value, BaseModel):
            for name, field in type(value).model_fields.items():
                if path or name not in _OF_FILE:
                    visit(getattr(value, name), (*path, field.alias or name))
        elif isinstance(value, Mapping):
            for key, item in value.items():
                visit(item, (*path, str(key)))
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                visit(item, (*path, str(getattr(item, "name", index))))
        elif isinstance(value, bool):
            found[".".join(path)] = {"text": "yes" if value else "no"}
        elif value is not None and not (path and path[-1] == "name"):
            found[".".join(path)] = {"text": str(value)}

    visit(regime, ())
    return found


# Charts -------------------------------------------------------------------------------------------------------------


def charts_of(pair: Pair, at: int = 0) -> list[Chart]:
    """Return the charts of one pair; `at` numbers their names where there are several pairs."""
    end = f"-{at}" if at else ""
    made = (differences(pair, end), better_and_worse(pair, end), acts(pair, end))
    return [chart for chart in made if chart is not None]


def _relative(row: Mapping[str, Any], key: str) -> float | None:
    """Return a difference (or an end of its interval) as a share of the larger of the two figures."""
    most = max(row["baseline_rate"], row["other_rate"])
    return None if row[key] is None or not most else float(row[key] / most)


def _forest_rows(rows: Sequence[Mapping[str, Any]]) -> list[Record]:
    words = {"worse": 0, "better": 1, "": 2}
    return [
        {
            "measure": row["title"],
            "baseline": row["baseline"],
            "other": row["other"],
            "difference": row["difference"],
            "low": row["low"],
            "high": row["high"],
            "change": _relative(row, "rate_difference"),
            "change_low": None if row["low"] is None else max(-1.0, _relative(row, "rate_low") or 0.0),
            "change_high": None if row["high"] is None else min(1.0, _relative(row, "rate_high") or 0.0),
            "meaning": _WAYS["domain"][words[_way(row)]],
            "note": f"{whole(row['baseline'])} → {whole(row['other'])}",
        }
        for row in rows
        if row["baseline"] or row["other"]
    ]


def differences(pair: Pair, end: str = "") -> Chart | None:
    """Draw the headline differences with their paired intervals, as a forest plot."""
    rows = [row for row in pair.differences if row["id"] in _HEADLINES or row["id"].startswith("listings/")]
    records = _forest_rows(rows)
    if not records:
        return None
    return _forest(
        f"differences{end}",
        f"What changes from {pair.baseline.label} to {pair.other.label}",
        "Each dot is a difference between the two lives of the same people, as a share of the larger of the two "
        "figures: left of the middle line there is less of it, right of it more, and at 100% it is there under one of "
        "the two only. The line through a dot is its 95% interval; the words beside it are the two figures.",
        records,
        "meaning",
        _WAYS,
        "Measure",
    )


def acts(pair: Pair, end: str = "") -> Chart | None:
    """Draw which acts people do less and more of, with intervals."""
    kinds = {"speech": "speech", "held against": "held against people", "rewarded": "rewarded", "other": "neither"}
    found = [row for row in pair.acts if row["difference"]]
    found.sort(key=lambda row: (list(kinds).index(row["kind"]), _relative(row, "rate_difference")))
    records = [
        {**record, "measure": label(str(record["measure"])), "kind": kinds[row["kind"]]}
        for row, record in zip(found, _forest_rows([{**row, "harm": 0} for row in found]), strict=True)
    ]
    if not records:
        return None
    for record in records:
        del record["meaning"]
    return _forest(
        f"acts{end}",
        "Acts that stopped, acts that increased",
        "Each dot is a difference in how often people do something, as a share of the larger of the two figures. What "
        "is said less may be what nobody hears of any more; what is rewarded more may be done for the points only.",
        records,
        "kind",
        {"domain": list(kinds.values()), "range": [ORANGE, "#084a7b", "#009E73", GREY]},
        "Act",
    )


def _forest(
    name: str, title: str, how: str, records: list[Record], colour: str, scale: Mapping[str, Any], head: str
) -> Chart:
    order = [record["measure"] for record in records]
    ends = [abs(record[key]) for record in records for key in ("change", "change_low", "change_high") if record[key]]
    far = max(0.01, 1.08 * max(ends, default=0.0))
    x = {"scale": {"domain": [-far, far], "nice": False}, "axis": {"format": "+~%", "tickCount": 5}}
    y = category("measure", None, sort=order, axis={"labelLimit": 280, "labelPadding": 8})
    shade = category(colour, "the change is" if colour == "meaning" else "the act is", scale=scale)
    has_interval = any(record["low"] is not None for record in records)
    rule = {
        "mark": {"type": "rule", "strokeWidth": 2.5},
        "encoding": {
            "y": y,
            "x": quantity("change_low", "change, as a share of the larger figure", **x),
            "x2": {"field": "change_high"},
            "color": shade,
        },
    }
    return Chart(
        name,
        title,
        how,
        vega_lite(
            records,
            width=WIDTH - 290,
            height={"step": 26},
            layer=[
                {"mark": {"type": "rule", "color": GREY}, "encoding": {"x": {"datum": 0}}},
                *([rule] if has_interval else []),
                {
                    "mark": {"type": "point", "filled": True, "size": 75, "opacity": 1},
                    "encoding": {
                        "y": y,
                        "x": quantity("change", "change, as a share of the larger figure", **x),
                        "color": shade,
                        "shape": category(colour, shade["title"], scale={"domain": scale["domain"]}),
                        "tooltip": tooltip(
                            measure=head.lower(),
                            baseline="baseline#",
                            other="other#",
                            difference="difference#",
                            low="from#",
                            high="to#",
                        ),
                    },
                },
                {
                    "mark": {"type": "text", "align": "left", "fontSize": 11, "color": GREY},
                    "encoding": {"y": y, "x": {"value": WIDTH - 282}, "text": category("note")},
                },
            ],
        ),
        records,
        (head, "Baseline", "Other", "Difference", "95% interval"),
        [
            (
                r["measure"],
                whole(r["baseline"]),
                whole(r["other"]),
                signed(r["difference"]),
                "" if r["low"] is None else f"{signed(round(r['low']))} to {signed(round(r['high']))}",
            )
            for r in records
        ],
    )


def better_and_worse(pair: Pair, end: str = "") -> Chart | None:
    """Draw the shares of each income tenth that are worse and better off, with intervals."""
    rows = pair.by("income")
    if not any(row["worse"] or row["better"] for row in rows):
        return None
    records: list[Record] = [
        {
            "income_tenth": int(row["income"]),
            "people": row["people"],
            "way": f"{way} off",
            "number": row[way],
            "share": row[f"{way}_share"],
            "low": row[f"{way}_share_low"],
            "high": row[f"{way}_share_high"],
        }
        for row in rows
        for way in ("worse", "better")
    ]
    scale: Spec = {"domain": ["worse off", "better off"], "range": [ORANGE, BLUE]}
    y: Spec = {"title": "share of people", "axis": {"format": "~%"}, "scale": {"domainMin": 0}}
    common: Spec = {"x": income_axis(), "xOffset": {"field": "way", "type": "nominal", "sort": scale["domain"]}}
    bar: Spec = {
        "mark": {"type": "bar"},
        "encoding": {
            **common,
            "y": {"field": "share", "type": "quantitative", **y},
            "color": category("way", "people are", scale=scale),
            "tooltip": tooltip(
                income_tenth="income tenth", way="people are", number="people#", share="share%", low="from%", high="to%"
            ),
        },
    }
    rule: Spec = {
        "mark": {"type": "rule", "strokeWidth": 1.5},
        "encoding": {**common, "y": {"field": "low", "type": "quantitative", **y}, "y2": {"field": "high"}},
    }
    has_interval = any(record["low"] is not None for record in records)
    return Chart(
        f"better-and-worse{end}",
        "Who is worse off, who is better off",
        "Each bar is the share of the people of one income tenth who are worse (or better) off under "
        f"{pair.other.label}: sanctioned, wrongly sanctioned, refused by more services or in deeper money troubles, "
        "and better in none of these. The line on it is the 95% interval.",
        vega_lite(records, width=WIDTH, height=240, layer=[bar, *([rule] if has_interval else [])]),
        records,
        ("Income tenth", "People", "They are", "Number", "Share", "95% interval"),
        [
            (
                str(r["income_tenth"]),
                whole(r["people"]),
                r["way"],
                whole(r["number"]),
                percent(r["share"]),
                "" if r["low"] is None else f"{percent(r['low'])} to {percent(r['high'])}",
            )
            for r in records
        ],
    )
