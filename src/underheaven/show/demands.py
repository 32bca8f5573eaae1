"""Demands on foreign firms in the report: the chart of who gave in when, and the rules in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from underheaven.show.vega import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    SKY,
    WIDTH,
    Chart,
    Record,
    Spec,
    category,
    day_axis,
    quantity,
    tooltip,
    vega_lite,
)
from underheaven.study.demands import by_day, rules_of, spread
from underheaven.study.words import decimal, label, plural, whole

if TYPE_CHECKING:
    from underheaven.regime.schema import Regime
    from underheaven.regime.sections.demands import Demand
    from underheaven.study.counts import Counts

_KINDS = {"complied": "complied in full", "partially": "complied in part", "open": "not yet"}
_DAYS, _FIRMS = "days since the demand was made", "firms"  # in every layer, or the axis has no title
_COLOURS = [BLUE, SKY, "#e9e4dc"]


def demands(counts: Counts) -> Chart | None:
    """Draw how many firms had given in to a demand over time, with the published counts; the first demand only."""
    courses = by_day(counts.run)
    if not courses:
        return None
    name, course = next(iter(courses.items()))
    rules = rules_of(counts.run)[name]
    last = max(course)
    published = {point.after.days: point for point in rules.published if point.after.days <= last}
    records: list[Record] = [
        {
            "day": day,
            "kind": words,
            "order": order,
            "firms": row[key],
            "published": published[day].complied.value if key == "complied" and day in published else None,
        }
        for day, row in course.items()
        for order, (key, words) in enumerate(_KINDS.items())
    ]
    marks = (
        ", diamonds are published counts (hollow ones were not used to choose the numbers), and the bars behind them "
        "span what 95 of 100 seeds give"
        if published
        else ""
    )
    shown = {0, last, *published, *(deadline.days for deadline in rules.deadlines)}
    return Chart(
        "demands",
        f"Who gave in to ‘{label(name)}’, and when?",
        "The dark area is how many firms had done all that was asked, the pale one above it how many had done a part, "
        f"dashed lines are the deadlines{marks}.",
        vega_lite(
            records,
            width=WIDTH,
            height=260,
            layer=[
                _areas(last, course[last]["asked"]),
                *_deadlines(rules, last),
                *(_published(rules, last) if published else []),
            ],
        ),
        records,
        ("Day", *(words.capitalize() for words in _KINDS.values()), "Published in full"),
        [
            (
                str(day),
                *(whole(row[key]) for key in _KINDS),
                whole(published[day].complied.value) if day in published else "",
            )
            for day, row in course.items()
            if day in shown
        ],
    )


def _areas(last: int, asked: int) -> Spec:
    return {
        "mark": {"type": "area", "interpolate": "step-after"},
        "encoding": {
            "x": day_axis(max(1, last)) | {"title": _DAYS, "axis": {"tickMinStep": 1, "format": "d"}},
            "y": quantity(
                "firms",
                _FIRMS,
                stack="zero",
                axis={"tickMinStep": 1, "format": "d"},
                scale={"domain": [0, asked], "nice": False},
            ),
            "color": category("kind", "firms that have", scale={"domain": list(_KINDS.values()), "range": _COLOURS}),
            "order": quantity("order", None, sort="ascending"),
            "tooltip": tooltip(kind="firms that have", day="day#", firms="firms#"),
        },
    }


def _deadlines(rules: Demand, last: int) -> list[Spec]:
    marked = [
        {"deadline": deadline.days, "words": "deadline" if number == 0 else "new deadline"}
        for number, deadline in enumerate(rules.deadlines)
        if deadline.days <= last
    ]
    if not marked:
        return []
    x = quantity("deadline", _DAYS)
    return [
        {
            "data": {"values": marked},
            "mark": {"type": "rule", "strokeDash": [4, 3], "color": INK},
            "encoding": {"x": x},
        },
        {
            "data": {"values": marked},
            "mark": {"type": "text", "align": "right", "dx": -4, "baseline": "top", "color": GREY, "fontSize": 11},
            "encoding": {"x": x, "y": {"value": 4}, "text": category("words")},
        },
    ]


def _published(rules: Demand, last: int) -> list[Spec]:
    points = [point for point in rules.published if point.after.days <= last]
    expected = spread(rules, [point.after.days for point in points])
    marked = [
        {
            "after": point.after.days,
            "complied": point.complied.value,
            "use": point.use,
            "low": expected[point.after.days][0],
            "high": expected[point.after.days][1],
        }
        for point in points
    ]
    x = quantity("after", _DAYS)
    bars = {
        "data": {"values": marked},
        "mark": {"type": "rule", "strokeWidth": 5, "color": "#f2b88c", "opacity": 1},
        "encoding": {"x": x, "y": quantity("low", _FIRMS), "y2": {"field": "high"}},
    }
    diamonds = {
        "data": {"values": marked},
        "mark": {"type": "point", "shape": "diamond", "size": 130, "strokeWidth": 2, "opacity": 1},
        "encoding": {
            "x": x,
            "y": quantity("complied", _FIRMS),
            "stroke": {"value": ORANGE},
            "fill": {
                "condition": {"test": "datum.use === 'calibrated'", "value": ORANGE},
                "value": "white",
            },
            "tooltip": tooltip(
                after="day#", complied="published: complied in full#", use="used as", low="seeds from#", high="to#"
            ),
        },
    }
    return [bars, diamonds]


def demand_sentences(regime: Regime) -> list[str]:
    """Say what the regime demands of whom, and what makes a firm give in."""
    found = []
    for demand in regime.demands:
        dates = [decimal(deadline.days) for deadline in demand.deadlines]
        when = f"within {dates[0]} days" + (
            f"; who does not is given until day {', then day '.join(dates[1:])}" if dates[1:] else ""
        )
        summary = demand.summary.strip().rstrip(".")
        found.append(
            f"The demand ‘{label(demand.name)}’ is made to {plural(demand.n_firms, 'foreign firm')}: {summary} "
            f"({when}). A firm gives in when the others that have, the nearness of the deadline and its own share of "
            "business in the market together outweigh its reluctance; no citizen is touched by it."
        )
        pressed = [label(group.name) for group in demand.firms if group.home_pressure and group.home_pressure.exact]
        if pressed:
            found.append(f"Firms of the group ‘{'’, ‘'.join(pressed)}’ are also pressed at home not to give in.")
    return found
