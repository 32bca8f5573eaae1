"""The chart of who approves of being scored, and the sentences of who knows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    tooltip,
    vega_lite,
)
from underheaven.study.awareness import opinions, summed
from underheaven.study.counts import share
from underheaven.study.words import decimal, percent, whole

if TYPE_CHECKING:
    from underheaven.regime.schema import Regime
    from underheaven.study.counts import Counts

_STANDINGS = {"perk": "had a perk", "neither": "neither", "sanctioned": "sanctioned"}
_COLOURS = {"had a perk": BLUE, "neither": GREY, "sanctioned": ORANGE}


def approval(counts: Counts) -> Chart | None:
    """Draw the share of people who approve by income tenth and by what the system has done to them."""
    rows = opinions(counts)
    if not rows:
        return None
    last = max(row["day"] for row in rows)
    sums = summed([row for row in rows if row["day"] == last and row["trait"] == "income"], "level", "standing")
    records: list[Record] = []
    for (level, standing), found in sorted(sums.items(), key=lambda item: (int(item[0][0]), item[0][1])):
        rate = share(found["approving"], found["people"])
        records.append(
            {
                "income_tenth": int(level),
                "standing": _STANDINGS[standing],
                "people": found["people"],
                "approving": found["approving"],
                "rate": rate["value"],
                "low": rate["low"],
                "high": rate["high"],
                "mean_approval": found["approval"] / found["people"],
            }
        )
    kinds = [name for name in _STANDINGS.values() if any(record["standing"] == name for record in records)]
    scale = {"domain": kinds, "range": [_COLOURS[name] for name in kinds]}
    y: Spec = {"title": "share who approve", "axis": {"format": "~%"}, "scale": {"domain": [0, 1]}}
    common = {
        "x": income_axis(),
        "xOffset": {"field": "standing", "type": "nominal", "sort": kinds, "scale": {"paddingOuter": 0.8}},
        "color": category("standing", "what the system has done to them", scale=scale),
    }
    tip = tooltip(
        standing="standing", income_tenth="income tenth", people="people#", approving="approve#", rate="share%",
        low="from%", high="to%", mean_approval="mean approval of 255~",
    )  # fmt: skip
    return Chart(
        "approval",
        "Who approves of being scored?",
        "Each mark is the share of one income tenth who approve at the end, apart for people who were ever sanctioned, "
        "for others who ever had a perk, and for the rest; the line through it is the 95% interval.",
        vega_lite(
            records,
            width=WIDTH,
            height=260,
            layer=[
                {
                    "mark": {"type": "rule", "strokeWidth": 2},
                    "encoding": {
                        **common,
                        "y": {"field": "low", "type": "quantitative", **y},
                        "y2": {"field": "high"},
                    },
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                    "encoding": {
                        **common,
                        "shape": category("standing", "what the system has done to them", scale={"domain": kinds}),
                        "y": {"field": "rate", "type": "quantitative", **y},
                        "tooltip": tip,
                    },
                },
            ],
        ),
        records,
        ("Income tenth", "Standing", "People", "Approve", "Share", "95% interval", "Mean of 255"),
        [
            (
                str(r["income_tenth"]),
                r["standing"],
                whole(r["people"]),
                whole(r["approving"]),
                percent(r["rate"]),
                f"{percent(r['low'])} to {percent(r['high'])}",
                decimal(r["mean_approval"]),
            )
            for r in records
        ],
    )


def sentences(regime: Regime) -> list[str]:
    """Say who knows of the system, for the page of a regime."""
    found = regime.awareness
    if found is None:
        return []
    press = decimal(float(found.press.exact))
    return [
        f"{percent(float(found.known.exact))} of people know of the system at the start. The press brings news of it "
        f"to a person {press} times a {found.press.per}; {percent(float(found.censorship.exact))} of its critical half "
        "is held back. Who does not know that there is a score does nothing for the points."
    ]
