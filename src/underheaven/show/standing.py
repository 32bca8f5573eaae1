"""The charts of where people stand: scores, grades, moves between grades, and lists, over time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from underheaven.regime.rollout import Rollout
from underheaven.show.vega import (
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
    ladder,
    pivot,
    quantity,
    tooltip,
    vega_lite,
)
from underheaven.study.words import decimal, label, percent, whole

if TYPE_CHECKING:
    from underheaven.study.counts import Counts


def scores(counts: Counts) -> Chart | None:
    """Draw how believed and true scores are spread, at three times of the run."""
    rows = counts.run.table("scores").to_pylist() if counts.tiers else []
    days = sorted({row["day"] for row in rows if row["day"] > 0})
    if not days:
        return None
    shown = sorted({days[math.ceil(len(days) * k / 3) - 1] for k in (1, 2, 3)})
    ledgers = counts.run.manifest["ledgers"]
    found: dict[tuple[int, int], dict[str, int]] = {}
    for row in rows:
        # With several ledgers (context walls) a person has several scores; the first one is drawn.
        if row["day"] in shown and row["ledger"] == ledgers[0]:
            found.setdefault((row["day"], row["low"]), {})[row["which"]] = row["people"]
    width = rows[0]["high"] - rows[0]["low"]
    low, high = min(low for _, low in found), max(low for _, low in found) + width
    records = []
    for day in shown:
        for start in range(low, high + width, width):  # empty bins too, and one beyond, where the line comes down
            amounts = found.get((day, start), {})
            believed, true = amounts.get("score", 0), amounts.get("true_score", 0)
            records.append(
                {
                    "day": f"day {day}",
                    "low": start,
                    "high": start + width,
                    "believed": believed,
                    "true": true,
                    "believed_share": believed / counts.people,
                    "true_share": true / counts.people,
                }
            )
    cutoffs: list[Record] = []
    for tier, cutoff in reversed(_cutoffs(counts)):
        if low < cutoff < high:
            # Where grades are narrow their names would lie on each other; every other one stands lower.
            close = bool(cutoffs) and cutoff - cutoffs[-1]["from"] < 0.04 * (high - low) and cutoffs[-1]["line"] == 0
            cutoffs.append({"from": cutoff, "tier": tier, "line": int(close)})
    x = quantity("low", None, scale={"domain": [low, high], "nice": False}, bin={"binned": True})
    at_cutoff = quantity("from", None)
    height = 130
    layers: list[Spec] = [
        {
            "mark": {"type": "bar", "color": SKY, "binSpacing": 0.5},
            "encoding": {
                "x": x,
                "x2": {"field": "high"},
                "y": quantity("believed_share", "share of people", axis={"format": "~%", "tickCount": 4}),
                "tooltip": tooltip(low="from", high="to", believed="in the file#", true="without errors#"),
            },
        },
        {
            "mark": {"type": "line", "interpolate": "step-after", "color": ORANGE, "strokeWidth": 2},
            "encoding": {
                "x": quantity("low", None, scale=x["scale"]),
                "y": quantity("true_share", "share of people"),
            },
        },
    ]
    if cutoffs:
        layers.append(
            {
                "data": {"values": cutoffs},
                "mark": {"type": "rule", "strokeDash": [3, 3], "color": GREY},
                "encoding": {"x": at_cutoff},
            }
        )
        for line, y in ((0, 2), (1, 16)):
            layers.append(
                {
                    "data": {"values": [cutoff for cutoff in cutoffs if cutoff["line"] == line]},
                    "mark": {
                        "type": "text",
                        "align": "left",
                        "dx": 3,
                        "baseline": "top",
                        "color": GREY,
                        "fontSize": 11,
                    },
                    "encoding": {"x": at_cutoff, "y": {"value": y}, "text": category("tier")},
                }
            )
    panels = [
        {
            "title": {"text": f"after day {day}", "anchor": "start", "fontSize": 12, "color": INK},
            "width": WIDTH,
            "height": height,
            "transform": [{"filter": f"datum.day === 'day {day}' || isValid(datum.from)"}],
            "layer": layers,
        }
        for day in shown
    ]
    titled = layers[0]["encoding"] | {"x": x | {"title": "score (points)"}}
    panels[-1]["layer"] = [layers[0] | {"encoding": titled}, *layers[1:]]
    note = " Each score counts once, of the first of several ledgers." if len(ledgers) > 1 else ""
    return Chart(
        "scores",
        "What the file says, and what it would say without errors",
        "Bars show how many people the file gives each score; the orange line shows where the same people would stand "
        "if every act that was noticed had been put down to the right person; dashed lines are where a grade begins."
        + note,
        vega_lite(records, vconcat=panels, spacing=14),
        records,
        ("Day", "Score (points)", "People in the file", "People without errors"),
        [
            (row["day"], f"{row['low']} to {row['high']}", whole(row["believed"]), whole(row["true"]))
            for row in records
            if row["believed"] or row["true"]
        ],
    )


def _cutoffs(counts: Counts) -> list[tuple[str, int]]:
    """Return (tier, the points from which it holds), from the best to the lowest."""
    rules = counts.run.regime
    regimes = rules.regimes if isinstance(rules, Rollout) else [rules]
    regime = next((regime for regime in regimes if regime.tiers), regimes[0])
    return list(zip(regime.tier_names, regime.cutoffs, strict=True))


def tiers(counts: Counts) -> Chart | None:
    """Draw which share of the people was in which tier over time."""
    if not counts.tiers:
        return None
    names = {f"tier_days/{tier}": tier for tier in counts.tiers}
    records = [
        {
            "day": row["start_day"] + row["days"] / 2,
            "grade": tier,
            "order": place,
            "people_days": row[counter],
            "share": row[counter] / (counts.people * row["days"]),
        }
        for row in counts.windows(names)
        for place, (counter, tier) in enumerate(names.items())
    ]
    colour = {"domain": counts.tiers, "range": ladder(len(counts.tiers))}
    return Chart(
        "tiers",
        "How the grades fill over time",
        "Read upwards on any day: the height of a band is the share of people in that grade, the best grade at the "
        "top and the lowest at the bottom.",
        vega_lite(
            records,
            width=WIDTH,
            height=260,
            mark={"type": "area", "stroke": "white", "strokeWidth": 0.5},
            encoding={
                "x": day_axis(counts.days),
                "y": quantity(
                    "share", "share of people", stack="zero", axis={"format": "~%"}, scale={"domain": [0, 1]}
                ),
                "color": category("grade", "grade", scale=colour),
                "order": {"field": "order", "type": "quantitative", "sort": "descending"},
                "tooltip": tooltip(grade="grade", day="day#", share="share of people%"),
            },
        ),
        records,
        ("Day", *(f"Grade {tier}" for tier in counts.tiers)),
        pivot(records, "day", "grade", counts.tiers, lambda row: percent(row["share"])),
    )


def flows(counts: Counts) -> Chart | None:
    """Draw moves between tiers as a table of from and to."""
    if len(counts.tiers) < 2:
        return None
    records: list[Record] = [
        {
            "from": a,
            "to": b,
            "moves": (moves := counts.total(f"flow/{a}/{b}")),
            "per_1000": 1000 * moves / counts.people,
        }
        for a in counts.tiers
        for b in counts.tiers
        if a != b
    ]
    most = max(record["moves"] for record in records)
    size = min(70, 420 // len(counts.tiers))
    place = {
        "x": category("to", "to grade", sort=counts.tiers, axis={"orient": "top", "labelAngle": 0}),
        "y": category("from", "from grade", sort=counts.tiers),
    }
    return Chart(
        "flows",
        "Who climbs, who falls",
        "Each cell counts moves from the grade of its row to the grade of its column over the whole run; cells right "
        "of the diagonal are falls, cells left of it are climbs.",
        vega_lite(
            records,
            width=size * 1.45 * len(counts.tiers),
            height=size * 0.6 * len(counts.tiers),
            layer=[
                {
                    "mark": {"type": "rect", "stroke": "white", "strokeWidth": 2},
                    "encoding": {
                        **place,
                        "color": quantity(
                            "moves",
                            "moves",
                            scale={"range": ["#f4f6f8", "#084a7b"], "type": "sqrt"},
                            legend=None,
                        ),
                        "tooltip": tooltip(
                            **{"from": "from", "to": "to", "moves": "moves#", "per_1000": "per 1,000 people~"}
                        ),
                    },
                },
                {
                    "mark": {"type": "text", "fontSize": 12},
                    "encoding": {
                        **place,
                        "text": quantity("moves", "moves", format=",.0f"),
                        "color": {
                            "condition": {"test": f"datum.moves > {most * 0.3}", "value": "white"},
                            "value": INK,
                        },
                    },
                },
            ],
        ),
        records,
        ("From", *(f"to {tier}" for tier in counts.tiers)),
        pivot(records, "from", "to", counts.tiers, lambda row: whole(row["moves"])),
    )


def lists(counts: Counts) -> Chart | None:
    """Draw how many people are on each list over time, rightly and wrongly."""
    if not counts.lists:
        return None
    kinds = ("wrongly", "rightly")
    records: list[Record] = []
    for row in counts.windows([f"{w}/{name}" for name in counts.lists for w in ("listed_days", "wrongly_listed_days")]):
        for name in counts.lists:
            all_days, wrong = row[f"listed_days/{name}"], row[f"wrongly_listed_days/{name}"]
            for kind, days in zip(kinds, (wrong, all_days - wrong), strict=True):
                records.append(
                    {
                        "day": row["start_day"] + row["days"] / 2,
                        "list": label(name),
                        "kind": kind,
                        "people": days / row["days"],
                    }
                )
    if not any(record["people"] for record in records):
        return None
    return Chart(
        "lists",
        "How many people are on a list",
        "The height is the mean number of people on the list; the orange part at the bottom should not be there, "
        "because without errors in the file these people would not be listed at that time.",
        vega_lite(
            records,
            width=WIDTH,
            height=200,
            mark={"type": "area"},
            encoding={
                "x": day_axis(counts.days),
                "y": quantity("people", "people on the list", stack="zero"),
                "color": category("kind", "listed", scale={"domain": list(kinds), "range": [ORANGE, SKY]}),
                "order": {"field": "kind", "type": "nominal", "sort": "descending"},
                **(
                    {"row": category("list", sort=[label(name) for name in counts.lists])}
                    if len(counts.lists) > 1
                    else {}
                ),
                "tooltip": tooltip(list="list", kind="listed", day="day#", people="people#"),
            },
        ),
        records,
        ("Day", "Wrongly listed", "Rightly listed"),
        pivot(
            [record | {"day": f"{record['list']}, day {record['day']:,.0f}"} for record in records],
            "day",
            "kind",
            kinds,
            lambda row: decimal(row["people"]),
        ),
    )
