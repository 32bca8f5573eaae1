"""Where the cameras stand against where the acts are done: what a rule that follows its own records leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from underheaven.study.counts import Counts, ratio
from underheaven.study.words import NOT_MEASURABLE, decimal, label

#: A county in which fewer acts were done says little about how closely acts are watched; it is left out of the gap.
FEWEST_ACTS = 100

#: The exchange tells of cameras in parts of this (life/tables.py).
PARTS = 1 << 16


def concentration(held: Sequence[int], against: Sequence[int]) -> float | None:
    """Return how far what places hold departs from proportion: 0 in proportion, towards 1 all in one place.

    Parameters
    ----------
    held, against : whole numbers 0 or more, by place

    Returns
    -------
    float, or None if either adds up to nothing

    Notes
    -----
    The Gini index of the Lorenz curve of `held` over `against` (equal numbers there give the usual index).
    """
    all_held, all_against = sum(held), sum(against)
    if not all_held or not all_against:
        return None
    places = sorted(zip(held, against, strict=True), key=lambda place: _share(*place))
    area, below = 0, 0
    for mine, theirs in places:
        area += theirs * (2 * below + mine)
        below += mine
    return 1.0 - area / (all_held * all_against)


def _share(held: int, against: int) -> float:
    return held / against if against else float("inf")


def cameras_over_time(counts: Counts) -> dict[int, NDArray[np.int64]]:
    """Return the cameras of each county as they stand from each exchange on, in 1/65536; empty without such a rule.

    A county that is under no such rule at the time has -1.  Days on which nothing moved are left out.
    """
    stored = counts.run.table("exchange/tables")
    rows = stored.filter(pc.equal(stored["name"], "cameras")).sort_by("day").to_pylist()
    n = len(counts.run.manifest["counties"])
    found = {row["day"]: np.broadcast_to(np.frombuffer(row["data"], "<i8"), (n,)).astype(np.int64) for row in rows}
    return found if any((array >= 0).any() for array in found.values()) else {}


def camera_acts(counts: Counts) -> list[str]:
    """Return the acts that cameras look for under this regime."""
    return [act["name"] for act in counts.acts if act["channel"] == "camera" and act["matters"]]


def acts_over_time(counts: Counts) -> dict[int, NDArray[np.int64]]:
    """Return how many of these acts were done in each county, seen or not, by first day of the window."""
    number = {county["name"]: i for i, county in enumerate(counts.run.manifest["counties"])}
    table = counts.run.table("counts_county")
    names = pa.array([f"done/{act}" for act in camera_acts(counts)], pa.string())
    table = table.filter(pc.is_in(table["counter"].cast(pa.string()), value_set=names))
    table = table.group_by(["start_day", "county"]).aggregate([("amount", "sum")])
    found: dict[int, NDArray[np.int64]] = {}
    for row in table.to_pylist():
        done = found.setdefault(row["start_day"], np.zeros(len(number), np.int64))
        done[number[row["county"]]] += row["amount_sum"]
    return dict(sorted(found.items()))


def patrols(counts: Counts) -> dict[str, Any] | None:
    """Return where the cameras stood at the start and the end against the acts done; None without a rule for them.

    Returns
    -------
    dict with `rules`, `counties` (those under such a rule at the end; their start is when it came), `concentration` of
    cameras over acts at the start, at the end and `over_time`, and the `gap` at the start and the end: the county with
    most cameras for each act done in the run over that with least (of those with at least `FEWEST_ACTS`).
    """
    cameras = cameras_over_time(counts)
    places = counts.run.manifest["counties"]
    standing = np.array(list(cameras.values())) if cameras else np.full((1, len(places)), -1)
    ruled = np.flatnonzero(standing[-1] >= 0).tolist()
    if not ruled:
        return None
    done = sum(acts_over_time(counts).values(), np.zeros(len(places), np.int64))[ruled].tolist()
    first = standing[(standing >= 0).argmax(axis=0), np.arange(len(places))][ruled].tolist()
    last = standing[-1][ruled].tolist()
    counties = [
        {
            "county": places[at]["name"],
            "people": places[at]["people"],
            "done": acts,
            "cameras_at_start": start / PARTS,
            "cameras_at_end": end / PARTS,
            "cameras_per_1000_at_end": 1000 * end / PARTS / places[at]["people"],
            "cameras_per_act_at_end": None if acts == 0 else end / PARTS / acts,
        }
        for at, acts, start, end in zip(ruled, done, first, last, strict=True)
    ]
    names = [county["county"] for county in counties]
    return {
        "rules": _rules(counts.run.regime),
        "counties": counties,
        "gap": {"start": _gap(names, first, done), "end": _gap(names, last, done)},
        "concentration": {
            "start": concentration(first, done),
            "end": concentration(last, done),
            "over_time": [
                {"day": day, "concentration": concentration(now[ruled].tolist(), done)}
                for day, now in cameras.items()
                if (now[ruled] >= 0).all()
            ],
        },
    }


def _rules(rules: Any) -> list[str]:
    """Return the rules of allocation of a regime, or of all those of a roll-out."""
    regimes = getattr(rules, "regimes", None) or (rules,)
    return [r.cameras.allocation.rule for r in regimes if r.cameras is not None and r.cameras.allocation is not None]


def _gap(names: Sequence[str], cameras: Sequence[int], done: Sequence[int]) -> dict[str, Any] | None:
    """Return the most and the least watched county, and the ratio of their cameras for each act done."""
    rows = zip(names, cameras, done, strict=True)
    known = [(held / acts, name, held, acts) for name, held, acts in rows if acts >= FEWEST_ACTS]
    if len(known) < 2:
        return None
    (_, least, few, few_acts), (_, most, many, many_acts) = min(known), max(known)
    return {"most": most, "least": least, "times": ratio(many * few_acts, few * many_acts)}


def camera_findings(found: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Say how unevenly acts are watched; nothing where no rule places cameras, or there is but one county."""
    if found is None or len(found["counties"]) < 2:
        return []
    id, title = "camera_gap", "Watched unevenly"
    start, end = found["gap"]["start"], found["gap"]["end"]
    if end is None:
        text = f"Not measurable: fewer than two counties have {FEWEST_ACTS} acts that cameras look for."
        return [{"id": id, "title": title, "value": None, "unit": NOT_MEASURABLE, "text": text}]
    most, least, times = label(end["most"]), label(end["least"]), end["times"]["value"]
    if times is None:
        text = f"Not measurable as a ratio: in the end {least} has no camera at all; {most} has most for each act done."
        return [{"id": id, "title": title, "value": None, "unit": NOT_MEASURABLE, "text": text}]
    before = start["times"]["value"]
    then = f"; on the first day the widest gap was {decimal(before)} times" if before is not None else ""
    text = (
        f"In the end, {most} has {decimal(times)} times the cameras for each act done there, seen or not, that {least} "
        f"has{then}. Cameras that stood where the acts are done would make it 1."
    )
    return [{"id": id, "title": title, "value": times, "unit": "times", "text": text}]
