"""The chart of voice: what officials do while nobody says it aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from underheaven.show.vega import (
    BLUE,
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
from underheaven.study.voice import wrongdoing
from underheaven.study.words import decimal, whole

if TYPE_CHECKING:
    from underheaven.study.counts import Counts

_LEVELS = {"wrongdoing": "as it is", "wrongdoing_heard": "if all had been said and heard"}
_FATES = ("reached the public", "reached nobody", "left unsaid for fear")


def officials(counts: Counts) -> Chart | None:
    """Draw the level of wrongdoing over time, and below it what became of exposures; only where some are missing."""
    world = counts.run.world
    if world is None or world.officials is None:
        return None
    act = world.officials.exposed_by
    done, silenced = f"done/{act}", f"silenced/{act}"
    if not counts.total(silenced) + counts.total("exposures_unheard"):
        return None
    levels: list[Record] = [
        {"day": row["day"], "case": words, "level": row[name]}
        for row in wrongdoing(counts)
        for name, words in _LEVELS.items()
    ]
    fates: list[Record] = []
    for row in counts.windows((done, silenced, "exposures_unheard"), most=26):
        amounts = (row[done] - row["exposures_unheard"], row["exposures_unheard"], row[silenced])
        span, below = {"from": row["start_day"], "to": row["start_day"] + row["days"]}, 0
        for fate, n in zip(_FATES, amounts, strict=True):
            fates.append(span | {"fate": fate, "exposures": n, "below": below, "above": below + n})
            below += n
    cases = {"domain": list(_LEVELS.values()), "range": [ORANGE, BLUE]}
    dash = {"domain": list(_LEVELS.values()), "range": [[1, 0], [5, 3]]}
    level = quantity("level", "wrongdoing (1 at the start)", scale={"zero": False})
    days = {"domain": [0, counts.days], "nice": False}
    upper = {
        "width": WIDTH,
        "height": 180,
        "mark": {"type": "line", "strokeWidth": 2.5},
        "encoding": {
            "x": day_axis(counts.days) | {"title": None},
            "y": level,
            "color": category("case", "wrongdoing of officials", scale=cases),
            "strokeDash": category("case", None, scale=dash, legend=None),
            "tooltip": tooltip(case="wrongdoing", day="day#", level="level~"),
        },
    }
    lower = {
        "data": {"values": fates},
        "width": WIDTH,
        "height": 140,
        "mark": {"type": "rect", "stroke": "white", "strokeWidth": 0.5},
        "encoding": {
            "x": quantity("from", "day of the run", scale=days),
            "x2": {"field": "to"},
            "y": quantity("below", "wrongs to be made public"),
            "y2": {"field": "above"},
            "color": category("fate", "they", scale={"domain": list(_FATES), "range": [SKY, BLUE, ORANGE]}),
            "tooltip": tooltip(fate="fate", exposures="exposures#"),
        },
    }
    reached = sum(row["exposures"] for row in fates if row["fate"] == _FATES[0])
    return Chart(
        "wrongdoing",
        "What do officials do while nobody says it aloud?",
        "The orange line is the wrongdoing of officials, the dashed one what it would be if all that people would have "
        f"said had been heard; the bars below count those exposures, of which {whole(reached)} reached the public.",
        vega_lite(levels, vconcat=[upper, lower], spacing=16, resolve={"scale": {"color": "independent"}}),
        levels,
        ("Day", *(words.capitalize() for words in _LEVELS.values())),
        pivot(levels, "day", "case", list(_LEVELS.values()), lambda row: decimal(row["level"])),
    )
