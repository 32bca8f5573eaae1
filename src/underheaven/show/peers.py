"""The chart of peer rating: stars, their spread, and how alike friends are, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from underheaven.show.vega import BLUE, INK, ORANGE, SKY, WIDTH, Chart, Record, day_axis, quantity, tooltip, vega_lite
from underheaven.study.peers import TIES, spread
from underheaven.study.words import decimal

if TYPE_CHECKING:
    from underheaven.regime.schema import Regime
    from underheaven.study.counts import Counts


def stars(counts: Counts) -> Chart | None:
    """Draw the mean of all stars with their spread, and the correlation of friends' stars, over time."""
    if not any(regime.peers for regime in counts.regimes):
        return None
    records: list[Record] = []
    for row in counts.windows(TIES):
        found = spread(row)
        mean, deviation = found["mean"], found["deviation"]
        if mean is not None and deviation is not None:
            records.append(
                {
                    "day": row["start_day"] + row["days"] / 2,
                    "stars": 1 + 4 * mean,
                    "low": 1 + 4 * max(0.0, mean - deviation),
                    "high": 1 + 4 * min(1.0, mean + deviation),
                    "spread": 4 * deviation,
                    "alike": found["assortativity"],
                }
            )
    if not records:
        return None
    day = day_axis(counts.days)
    tips = tooltip(day="day#", stars="stars~", spread="standard deviation~", alike="correlation of friends~")
    return Chart(
        "stars",
        "How many stars people have, and who is friends with whom",
        "Above, the line is the mean number of stars and the band one standard deviation to both sides; below, 1 means "
        "that friends have the same stars, 0 that friendship says nothing about them, and less than 0 that high stand "
        "beside low.",
        vega_lite(
            records,
            vconcat=[
                {
                    "width": WIDTH,
                    "height": 190,
                    "layer": [
                        {
                            "mark": {"type": "area", "color": SKY, "opacity": 0.6},
                            "encoding": {
                                "x": day,
                                "y": quantity("low", "stars", scale={"domain": [1, 5]}),
                                "y2": {"field": "high"},
                            },
                        },
                        {
                            "mark": {"type": "line", "color": BLUE, "strokeWidth": 2.5},
                            "encoding": {"x": day, "y": quantity("stars", "stars"), "tooltip": tips},
                        },
                    ],
                },
                {
                    "width": WIDTH,
                    "height": 110,
                    "layer": [
                        {
                            "data": {"values": [{"zero": 0}]},
                            "mark": {"type": "rule", "color": INK, "strokeWidth": 1},
                            "encoding": {"y": quantity("zero", "correlation of friends")},
                        },
                        {
                            "mark": {"type": "line", "color": ORANGE, "strokeWidth": 2.5},
                            "encoding": {
                                "x": day,
                                "y": quantity("alike", "correlation of friends", scale={"domain": [-1, 1]}),
                                "tooltip": tips,
                            },
                        },
                    ],
                },
            ],
            spacing=14,
        ),
        records,
        ("Day", "Mean stars", "Standard deviation", "Correlation of friends"),
        [
            (
                decimal(row["day"]),
                decimal(row["stars"], 2),
                decimal(row["spread"], 2),
                "all the same" if row["alike"] is None else decimal(row["alike"], 2),
            )
            for row in records
        ],
    )


def describe_peers(regime: Regime) -> list[str]:
    """Describe in plain words how people rate each other; nothing where they do not."""
    peers = regime.peers
    if peers is None:
        return []
    who = "Friends, and those who live together," if peers.household else "Friends"
    kind = "whole stars" if peers.whole_stars else "stars, also parts of one"
    found = [
        f"{who} rate each other with one to five {kind}, about {decimal(float(peers.rate.exact))} times a "
        f"{peers.rate.per} each."
    ]
    if peers.deference is not None and peers.deference.exact > 0:
        found.append(
            f"For each star that somebody stands above the rater, {decimal(float(peers.deference.exact), 2)} stars are "
            "added, and as much is taken off below."
        )
    if peers.prejudice is not None and peers.prejudice.stars.exact > 0:
        found.append(
            f"People of other groups give the group ‘{peers.prejudice.against}’ "
            f"{decimal(float(peers.prejudice.stars.exact), 2)} stars less than they earn."
        )
    counts = "counts the more, the more stars its giver has" if peers.weighted else "counts the same, whoever gave it"
    found.append(f"A rating {counts}.")
    return found
