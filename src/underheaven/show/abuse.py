"""The charts of abuse: how few reports ruin a person; and what the regime's page says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from underheaven.show.vega import BLUE, GREY, ORANGE, WIDTH, Chart, Record, category, quantity, tooltip, vega_lite
from underheaven.study.abuse import abusing, reports_to_ruin
from underheaven.study.words import decimal, label, percent, whole

if TYPE_CHECKING:
    from underheaven.regime.schema import Regime
    from underheaven.regime.sections.abuse import Abuse
    from underheaven.study.counts import Counts

_ENDS = {"lowest_tier": "the lowest grade", "listed_even_odds": "a list, likelier than not"}


def ruin(counts: Counts) -> Chart | None:
    """Draw how many false reports of each act bring somebody to the lowest grade, or onto a list."""
    regime = abusing(counts)
    if regime is None:
        return None
    rows = reports_to_ruin(regime)
    records: list[Record] = [
        {"act": label(row["act"]), "end": words, "reports": row[key], "points": row["points"]}
        for row in rows
        for key, words in _ENDS.items()
        if row[key] is not None
    ]
    if not records:
        return None
    order = [label(row["act"]) for row in rows]
    ends = list(_ENDS.values())
    y = {"field": "act", "type": "nominal", "title": None, "sort": order, "axis": {"labelPadding": 6}}
    offset = {"field": "end", "type": "nominal", "sort": ends}
    x = quantity("reports", "false reports, from the start score", axis={"format": ",.0f", "tickCount": 6})
    colour = category("end", "reports that lead to", scale={"domain": ends, "range": [ORANGE, BLUE]})
    number = {"type": "text", "align": "left", "dx": 4, "fontSize": 11, "color": GREY}
    return Chart(
        "reports-to-ruin",
        "How few lies ruin a person?",
        "Each bar is the number of false reports of one act that bring somebody from the start score to the lowest "
        "grade, or make a listing likelier than not, by the regime’s own rules.",
        vega_lite(
            records,
            width=WIDTH - 90,
            height={"step": 14},
            encoding={"y": y, "yOffset": offset, "x": x},
            layer=[
                {
                    "mark": {"type": "bar"},
                    "encoding": {
                        "color": colour,
                        "tooltip": tooltip(act="act", end="leads to", reports="reports#", points="points each#"),
                    },
                },
                {"mark": number, "encoding": {"text": quantity("reports", None, format=",.0f")}},
            ],
        ),
        records,
        ("Act", "Points each", *(words.capitalize() for words in ends), "Chance of a listing"),
        [
            (
                label(row["act"]),
                whole(row["points"]),
                *(whole(row[key]) if row[key] is not None else "never" for key in _ENDS),
                percent(row["listed_chance"]),
            )
            for row in rows
        ],
    )


def abuse_sentences(regime: Regime) -> list[str]:
    """Say in plain words what the regime's file says of false reports and retaliation."""
    abuse = regime.abuse
    if abuse is None:
        return []
    return [*_reports(abuse), *_retaliation(abuse)]


def _reports(abuse: Abuse) -> list[str]:
    found = []
    kinds = (
        (abuse.malicious, "somebody who knows them"),
        (abuse.companions, "a companion on a journey"),
        (abuse.insiders, "somebody who keeps the file"),
    )
    for kind, who in kinds:
        if kind is not None and kind.rate.exact > 0:
            acts = ", ".join(label(act) for act, part in kind.acts.exact.items() if part > 0)
            rate = f"{decimal(float(kind.rate.exact))} a {kind.rate.per}"
            more = f", differently by {' and '.join(label(trait) for trait in kind.varies)}" if kind.varies else ""
            found.append(f"People are falsely reported by {who} at a rate of {rate}{more}; what is alleged is {acts}.")
    if found and abuse.review is not None:
        passes = f"{decimal(100 * float(abuse.review.keep_false.exact), 4)}%"
        found.append(f"Somebody looks at each report; {passes} of the false ones pass.")
    elif found:
        found.append("Nobody checks a report before it enters the file.")
    return found


def _retaliation(abuse: Abuse) -> list[str]:
    retaliation = abuse.retaliation
    if retaliation is None:
        return []
    acts = " or ".join(
        f"{label(act)} ({decimal(100 * float(chance.exact), 4)}% of those noticed)"
        for act, chance in retaliation.on.items()
    )
    rate = f"{decimal(float(retaliation.rate.exact))} a {retaliation.rate.per}"
    lists = "".join(
        f" {decimal(100 * float(chance.exact), 4)}% of them put the person on the list ‘{label(name)}’ besides."
        for name, chance in retaliation.lists.items()
    )
    return [
        f"Insiders retaliate for {acts}: false entries at a rate of {rate}, for {retaliation.lasts.value} on "
        f"average.{lists}"
    ]
