"""The chart of association: how many people bear something for others, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from underheaven.show.vega import (
    ORANGE,
    SKY,
    WIDTH,
    Chart,
    Record,
    category,
    day_axis,
    pivot,
    quantity,
    tooltip,
    vega_lite,
)
from underheaven.study.words import decimal, label, percent

if TYPE_CHECKING:
    from underheaven.regime.schema import Regime
    from underheaven.study.counts import Counts

_GROUNDS = {
    "for the household": ("kin_days", "wrongful_kin_days"),
    "for friends": ("echo_lowered_days", "echo_wrongly_lowered_days"),
}
_KINDS = ("wrongly", "rightly")


def association(counts: Counts) -> Chart | None:
    """Draw the people who bear something for their household or their friends, wrongly and by the rules."""
    grounds = {name: pair for name, pair in _GROUNDS.items() if counts.total(pair[0])}
    if not grounds:
        return None
    records: list[Record] = []
    for row in counts.windows([counter for pair in grounds.values() for counter in pair]):
        for name, (all_days, wrongful) in grounds.items():
            for kind, days in zip(_KINDS, (row[wrongful], row[all_days] - row[wrongful]), strict=True):
                records.append(
                    {
                        "day": row["start_day"] + row["days"] / 2,
                        "ground": name,
                        "kind": kind,
                        "per_1000": 1000 * days / (counts.people * row["days"]),
                    }
                )
    facets = {"row": category("ground", sort=list(grounds))} if len(grounds) > 1 else {}
    return Chart(
        "association",
        "Who bears something for others",
        "The height is the number of people per 1,000 of whose household a service sanctions somebody else, or whom "
        "their friends’ scores put in a lower grade; the orange part would be spared if the files of the others held "
        "only the truth.",
        vega_lite(
            records,
            width=WIDTH,
            height=170,
            mark={"type": "area"},
            encoding={
                "x": day_axis(counts.days),
                "y": quantity("per_1000", "people per 1,000", stack="zero"),
                "color": category("kind", "borne", scale={"domain": list(_KINDS), "range": [ORANGE, SKY]}),
                "order": {"field": "kind", "type": "nominal", "sort": "descending"},
                **facets,
                "tooltip": tooltip(ground="borne", kind="kind", day="day#", per_1000="per 1,000~"),
            },
        ),
        records,
        ("Day", "Wrongly, per 1,000", "By the rules, per 1,000"),
        pivot(
            [record | {"day": f"{record['ground']}, day {record['day']:,.0f}"} for record in records],
            "day",
            "kind",
            _KINDS,
            lambda row: decimal(row["per_1000"]),
        ),
    )


def describe_association(regime: Regime) -> list[str]:
    """Describe in plain words what people bear for others; nothing where they bear nothing."""
    if regime.association is None:
        return []
    found = [
        f"While another adult of the household is sanctioned by {label(service)}, it refuses "
        + ("every use." if chance.exact == 1 else f"{percent(float(chance.exact))} of the uses.")
        for service, chance in regime.association.household.items()
    ]
    friends = regime.association.friends
    if friends is not None and friends.exact > 0:
        found.append(
            f"Of what friends’ scores lie below or above the start, {percent(float(friends.exact))} of the mean comes "
            "onto one’s own."
        )
    return found
