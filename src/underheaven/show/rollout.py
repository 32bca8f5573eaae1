"""The chart of a roll-out: counties that change over on different days, side by side over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from underheaven.regime.rollout import Rollout, switches_in
from underheaven.show.vega import GREY, WIDTH, Chart, Record, category, day_axis, pivot, quantity, tooltip, vega_lite
from underheaven.study.words import decimal, plural

if TYPE_CHECKING:
    from underheaven.study.counts import Counts

MOST_GROUPS = 6


def groups_of(counts: Counts) -> dict[str, list[str]]:
    """Return the counties of a roll-out by what comes to them and when, in words; empty for a run of one regime."""
    rules = counts.run.regime
    if not isinstance(rules, Rollout):
        return {}
    counties = counts.run.manifest["counties"]
    names = [county["name"] for county in counties]
    came: list[list[str]] = [[] for _ in names]
    for day, regime, places in switches_in(rules, names, [county["province"] for county in counties], ""):
        for county in places:
            if day < counts.days:
                came[county].append(f"{rules.names[regime]} from day {day}")
    found: dict[str, list[str]] = {}
    for name, what in zip(names, came, strict=True):
        found.setdefault(", ".join(what) or f"{rules.baseline} throughout", []).append(name)
    return found


def rollout(counts: Counts) -> Chart | None:
    """Draw days under sanction (or, without any, acts for the points) by group of counties over time."""
    groups = groups_of(counts)
    if not 1 < len(groups) <= MOST_GROUPS:
        return None
    if counts.total("sanction_days"):
        counters, what = ["sanction_days"], "days under sanction per 1,000 people and day"
    else:
        counters, what = [f"gamed/{act['name']}" for act in counts.acts], "acts for the points per 1,000 people and day"
    people = {county["name"]: county["people"] for county in counts.run.manifest["counties"]}
    records: list[Record] = []
    for group, counties in groups.items():
        heads = sum(people[name] for name in counties)
        label = f"{group} ({plural(len(counties), 'county', 'counties')})"
        for row in counts.windows(counters, counties=counties):
            amount = sum(row[name] for name in counters)
            days = {"day": row["start_day"] + row["days"] / 2, "group": label, "amount": amount}
            records.append(days | {"per_1000": 1000 * amount / (heads * row["days"])})
    labels = list(dict.fromkeys(str(record["group"]) for record in records))
    rules = counts.run.regime
    assert isinstance(rules, Rollout)
    changes = [{"change": day} for day in sorted({phase.from_.days for phase in rules.phases} - {0})]
    line = {
        "mark": {"type": "line", "strokeWidth": 2.5},
        "encoding": {
            "x": day_axis(counts.days),
            "y": quantity("per_1000", what),
            "color": category("group", None, sort=labels, legend={"columns": 1, "labelLimit": 600}),
            "strokeDash": category("group", None, sort=labels, legend=None),
            "tooltip": tooltip(group="counties", day="day#", per_1000=f"{what}~"),
        },
    }
    mark = {
        "data": {"values": changes},
        "mark": {"type": "rule", "color": GREY, "strokeDash": [2, 3]},
        "encoding": {"x": quantity("change", "day of the run")},
    }
    return Chart(
        "rollout",
        "What changes where the regime changes?",
        "Each line is a group of counties to which the same comes on the same day; dotted lines are the days on which "
        "something comes into force. What one line does after its day, and the others do not, came with the regime.",
        vega_lite(records, width=WIDTH, height=260, layer=[line, mark]),
        records,
        ("Day", *labels),
        pivot(records, "day", "group", labels, lambda row: decimal(float(row["per_1000"]))),
    )
