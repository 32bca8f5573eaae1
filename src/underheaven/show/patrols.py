"""Cameras that follow what they find: the sentence of a regime's page, and the chart of a run."""

from __future__ import annotations

import numpy as np

from underheaven.regime.sections.patrols import Allocation
from underheaven.show.vega import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    Chart,
    Record,
    category,
    day_axis,
    quantity,
    tooltip,
    vega_lite,
)
from underheaven.study.counts import Counts
from underheaven.study.patrols import PARTS, acts_over_time, camera_acts, cameras_over_time
from underheaven.study.words import decimal, label, plural, whole

#: Counties drawn one by one; the others are drawn together.
N_DRAWN = 3
OTHERS = "all others together"

_WHERE = {
    "by-records": "in proportion to the acts that cameras have found there",
    "by-records-corrected": "in proportion to the acts that cameras have found there, each counted the less, "
    "the more of the place is in view",
    "by-truth": "in proportion to the acts done there, seen or not; no real system could know them",
}


def allocation_sentences(found: Allocation | None) -> list[str]:
    """Say where cameras are sent; nothing if the regime does not say."""
    if found is None:
        return []
    if found.rule == "even" or found.moves is None:
        return ["Cameras stay where they are."]
    where = _WHERE.get(found.rule, "")
    if found.hot_spots is not None:
        places = plural(found.hot_spots.value, "county", "counties")
        where = f"to the {places} where cameras have found most for each person"
    share = decimal(float(100 * found.moves.exact), 4)
    fades = f" A find counts half after {found.half_life.value}." if found.half_life is not None else ""
    when = "At each exchange (weekly, unless the world says otherwise)"
    return [f"{when} {share}% of the cameras are sent on, {where}.{fades}"]


def cameras(counts: Counts) -> Chart | None:
    """Draw the cameras of the most and the least watched counties over time, beside the acts done there in truth."""
    held, counties = cameras_over_time(counts), counts.run.manifest["counties"]
    ruled = np.flatnonzero(held[max(held)] >= 0).tolist() if held else []
    if len(ruled) < 2:
        return None
    people = np.array([county["people"] for county in counties], np.int64)
    order = sorted(ruled, key=lambda at: (-held[max(held)][at] / people[at], at))
    drawn = order if len(order) <= N_DRAWN else [*order[: N_DRAWN - 1], order[-1]]
    parts = [([at], label(counties[at]["name"])) for at in drawn]
    if len(order) > N_DRAWN:
        parts.append(([at for at in order if at not in drawn], OTHERS))
    done = acts_over_time(counts)
    records: list[Record] = []
    for span in counts.windows([f"done/{act}" for act in camera_acts(counts)]):
        start, end = span["start_day"], span["start_day"] + span["days"]
        standing = held[max(day for day in held if day < end)]
        if (standing[ruled] < 0).any():
            continue  # before the rule came everywhere
        acts = sum((n for day, n in done.items() if start <= day < end), np.zeros(len(counties), np.int64))
        for at, name in parts:
            heads = int(people[at].sum())
            records.append(
                {
                    "day": start + span["days"] / 2,
                    "county": name,
                    "people": heads,
                    "cameras": int(standing[at].sum()) / PARTS,
                    "acts": int(acts[at].sum()),
                    "cameras_per_1000": 1000 * int(standing[at].sum()) / PARTS / heads,
                    "acts_per_1000_week": 7000 * int(acts[at].sum()) / heads / span["days"],
                }
            )
    names = [name for _, name in parts]
    colours = [ORANGE, GREEN, BLUE, GREY] if len(drawn) == N_DRAWN else [ORANGE, BLUE]
    common = {
        "x": day_axis(counts.days),
        "color": category("county", "county", scale={"domain": names, "range": colours[: len(names)]}),
        "strokeDash": category("county", "county", scale={"domain": names}),
        "tooltip": tooltip(
            county="county", day="day#", cameras_per_1000="cameras per 1,000 people~", acts_per_1000_week="acts done~"
        ),
    }
    panels = (
        ("cameras_per_1000", "cameras per 1,000 people"),
        ("acts_per_1000_week", "acts done per 1,000 people and week"),
    )
    return Chart(
        "cameras",
        "Do cameras go where things are done?",
        "Left, the cameras of the most and the least watched counties; right, what people there did, seen or not: "
        "lines that part on the left and stay close on the right mean that cameras follow their own finds.",
        vega_lite(
            records,
            hconcat=[
                {
                    "width": 290,
                    "height": 240,
                    "mark": {"type": "line", "strokeWidth": 2.5},
                    "encoding": {**common, "y": quantity(field, title, scale={"domainMin": 0})},
                }
                for field, title in panels
            ],
            spacing=40,
        ),
        records,
        ("Day", "County", "Cameras per 1,000 people", "Acts done", "Acts done per 1,000 people and week"),
        [
            (
                f"{r['day']:,.0f}",
                r["county"],
                decimal(r["cameras_per_1000"]),
                whole(r["acts"]),
                decimal(r["acts_per_1000_week"]),
            )
            for r in records
        ],
    )
