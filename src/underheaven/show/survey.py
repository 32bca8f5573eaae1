"""A survey as a page and in words: what people say, what lists give away, and what they think."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from underheaven.show.report import _TEMPLATES, _environment, _figure, _policy, _put
from underheaven.show.vega import (
    BLUE,
    INK,
    ORANGE,
    WIDTH,
    Chart,
    Record,
    category,
    quantity,
    tooltip,
    vega_lite,
)
from underheaven.study.words import NOT_MEASURABLE, decimal, percent, plural, whole

if TYPE_CHECKING:
    from underheaven.store import Run
    from underheaven.study.survey import Estimate, Survey

_STANDINGS = {"perk": "had a perk", "neither": "neither", "sanctioned": "sanctioned"}


def rows(found: Survey) -> list[tuple[str, Estimate]]:
    """Return the estimates with their names, in the order in which they are shown."""
    from underheaven.study.survey import Estimate

    population = Estimate(found.true_in_population)
    return [
        ("Say yes if asked directly", found.direct),
        ("By the list experiment", found.listed),
        ("Think yes, of those asked", found.true_in_sample),
        ("Think yes, of everybody", population),
    ]


def between(found: Estimate) -> str:
    """Write an interval; nothing where there is none."""
    return "" if found.low is None else f"{_percent(found.low)} to {_percent(found.high)}"


def _percent(value: float | None) -> str:
    """Write a share that may fall outside 0 .. 1, as those of a list experiment can."""
    if value is None:
        return NOT_MEASURABLE
    return percent(value) if value >= 0 else f"−{percent(-value)}"


def points(value: float | None) -> str:
    """Write a standard error, or a difference of shares, in percentage points."""
    if value is None:
        return NOT_MEASURABLE
    return f"{'−' if value < 0 else ''}{decimal(abs(100 * value), 3)}"


def sentences(found: Survey) -> list[str]:
    """Say in sentences how people were asked and what came out."""
    asked = (
        f"{plural(found.respondents, 'person', 'people')} were asked at {plural(found.places, 'place')}, drawn in "
        "proportion to their people; twenty at a place, or all of a smaller one."
    )
    if found.is_informed:
        asked += " All of them were told first what the system represses."
    gap = (
        f"The direct answers lie {points(found.gap.share)} percentage points above the list experiment (95% interval "
        f"{points(found.gap.low)} to {points(found.gap.high)}): so many say what they do not think, as far as a "
        "pollster can tell."
        if found.gap.low is not None
        else "How far the direct answers lie from the list experiment cannot be told from one place."
    )
    lists = (
        f"Each list has {plural(found.n_items, 'harmless item')}; every other person has the sensitive one beside "
        "them, and all say only how many they agree with."
    )
    return [asked, lists, gap]


def chart(found: Survey) -> Chart:
    """Draw the four shares with their intervals."""
    records: list[Record] = [
        {
            "what": name,
            "kind": "what a pollster sees" if at < 2 else "the truth",
            "share": one.share,
            "low": one.low,
            "high": one.high,
            "note": _percent(one.share),
        }
        for at, (name, one) in enumerate(rows(found))
        if one.share is not None
    ]
    order = [record["what"] for record in records]
    low = min(0.0, *(record["low"] or 0.0 for record in records))
    high = max(1.0, *(record["high"] or 0.0 for record in records))
    x = {"title": "share who approve", "axis": {"format": "~%"}, "scale": {"domain": [low, high]}}
    y = category("what", None, sort=order, axis={"labelLimit": 260})
    kinds = {"domain": ["what a pollster sees", "the truth"], "range": [ORANGE, BLUE]}
    tip = tooltip(what="what", share="share%", low="from%", high="to%")
    colour = category("kind", None, scale=kinds)
    return Chart(
        "survey",
        "What people say, and what they think",
        "Each mark is the share who approve by one way of knowing it, and the line through it is the 95% interval of a "
        "sample of this size.",
        vega_lite(
            records,
            width=WIDTH - 180,
            height={"step": 34},
            layer=[
                {
                    "mark": {"type": "rule", "strokeWidth": 2.5},
                    "encoding": {
                        "y": y, "color": colour, "x2": {"field": "high"},
                        "x": {"field": "low", "type": "quantitative", **x},
                    },
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
                    "encoding": {
                        "y": y, "color": colour, "tooltip": tip, "shape": category("kind", None, scale={
                            "domain": kinds["domain"], "range": ["circle", "diamond"]}),
                        "x": {"field": "share", "type": "quantitative", **x},
                    },
                },
                {
                    "mark": {"type": "text", "dy": -11, "fontSize": 11, "color": INK},
                    "encoding": {"y": y, "x": quantity("share", None), "text": category("note")},
                },
            ],
        ),
        records,
        ("What", "Share", "95% interval"),
        [(name, _percent(one.share), between(one)) for name, one in rows(found)],
    )  # fmt: skip


def write_page(path: Path, run: Run, found: Survey) -> Path:
    """Write a survey as an HTML page of one file, without script.

    Raises
    ------
    StoreError : the file cannot be written
    """
    import vl_convert

    style = "".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css",))
    standings = [{**row, "words": _STANDINGS[row["standing"]]} for row in found.by_standing]
    page = (
        _environment()
        .get_template("survey.html.j2")
        .render(
            manifest=run.manifest,
            sentences=sentences(found),
            rows=[(name, _percent(one.share), points(one.standard_error), between(one)) for name, one in rows(found)],
            standings=standings,
            chart=_figure(chart(found), vl_convert),
            style=style,
            policy=_policy([], style),
        )
    )
    return _put(path, page)


def as_table(found: Survey) -> list[list[str]]:
    """Return the estimates as rows of text: what, share, standard error in points, interval."""
    return [
        [name, _percent(one.share), "" if one.standard_error is None else points(one.standard_error), between(one)]
        for name, one in rows(found)
    ]


def standings(found: Survey) -> list[list[str]]:
    """Return what people of each standing say and think, as rows of text."""
    return [
        [_STANDINGS[row["standing"]], whole(row["respondents"]), percent(row["direct"]), percent(row["true"])]
        for row in found.by_standing
        if row["respondents"]
    ]


def as_json(run: Run, found: Survey) -> dict[str, Any]:
    """Return a survey as plain data, with the run that it was taken in."""
    head = {key: run.manifest[key] for key in ("regime", "world", "seed", "people", "days")}
    return {"run": head, **found.as_dict()}
