"""What a demand on foreign firms has done by the end of a run, and how its numbers were chosen.

The course of a demand is a table of the run; everything here is read from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from underheaven.study.counts import ratio
from underheaven.study.words import label, percent, plural, whole

if TYPE_CHECKING:
    from underheaven.institutions.demands import Course, Demand, Firms
    from underheaven.life.tables import Int64
    from underheaven.regime.sections.demands import Demand as Rules
    from underheaven.store import Run

_SUMS = ("asked", "complied", "partially", "open", "audience")


def by_day(run: Run) -> dict[str, dict[int, dict[str, int]]]:
    """Return the counts of all firms, by demand and days since it was made; empty without demands."""
    found: dict[str, dict[int, dict[str, int]]] = {}
    if not run.manifest.get("demands"):
        return found
    for row in run.table("demands").to_pylist():
        sums = found.setdefault(row["demand"], {}).setdefault(row["since_days"], dict.fromkeys(_SUMS, 0))
        for key in _SUMS:
            sums[key] += row[key]
    return found


def rules_of(run: Run) -> dict[str, Rules]:
    """Return what the file says of each demand, by name; in a roll-out, the file of the regime that made it."""
    regimes = run.regime.regimes if hasattr(run.regime, "regimes") else (run.regime,)
    found = {}
    for made in run.manifest["demands"]:
        demands = {demand.name: demand for demand in regimes[made["regime"]].demands}
        found[made["name"]] = demands[made["name"]]
    return found


def demands_part(run: Run) -> list[dict[str, Any]] | None:
    """Return how each demand stood when the run ended, on its deadlines, and beside what was published.

    Returns
    -------
    list of dict with `name`, `made_on_day` (of the run), `last_day` and all other days since then, the counts and the
    shares of the last day, `groups`, `deadlines` and `published`; None if no demand was made
    """
    courses = by_day(run)
    if not courses:
        return None
    rules = rules_of(run)
    made = {row["name"]: row["made_on_day"] for row in run.manifest["demands"]}
    groups = run.table("demands").to_pylist()
    found = []
    for name, course in courses.items():
        last = max(course)
        dates = [deadline.days for deadline in rules[name].deadlines]
        found.append(
            {
                "name": name,
                "made_on_day": made[name],
                "last_day": last,
                **_standing(course[last]),
                "groups": [
                    {"name": row["group"], **_standing(row)}
                    for row in groups
                    if (row["demand"], row["since_days"]) == (name, last)
                ],
                "deadlines": [{"day": day, **_standing(course[day])} for day in dates if day in course],
                "deadlines_to_come": [day for day in dates if day not in course],
                "published": _beside_published(rules[name], course),
            }
        )
    return found


def _beside_published(rules: Rules, course: Mapping[int, Mapping[str, int]]) -> list[dict[str, Any]]:
    points = [point for point in rules.published if point.after.days in course]
    expected = spread(rules, [point.after.days for point in points])
    return [
        {
            "day": point.after.days,
            "complied": course[point.after.days]["complied"],
            "published": point.complied.value,
            "use": point.use,
            "low": expected[point.after.days][0],
            "high": expected[point.after.days][1],
        }
        for point in points
    ]


def spread(rules: Rules, days: Sequence[int], seeds: Sequence[int] = range(200)) -> dict[int, tuple[int, int]]:
    """Return between which numbers of firms 95% of the seeds lie that had complied in full, by days since the demand.

    The run has one seed and history is one draw too; this says how far apart two draws of the same rules may be.
    """
    from underheaven.regime.sections.demands import compiled

    if not days:
        return {}
    (demand,) = compiled((rules,))
    course = demand.course(replicated(demand, seeds), max(days) + 1)
    found = {}
    for day in days:
        ends = np.quantile(complied_by(course, day), [0.025, 0.975], method="inverted_cdf")
        found[day] = (int(ends[0]), int(ends[1]))
    return found


def _standing(row: Mapping[str, int]) -> dict[str, Any]:
    return {key: row[key] for key in _SUMS} | {
        "complied_share": ratio(row["complied"], row["asked"]),
        "partially_share": ratio(row["partially"], row["asked"]),
        "open_share": ratio(row["open"], row["asked"]),
    }


def demand_findings(parts: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """Return the headline of each demand: how many firms abroad gave in, and who reads the changed label."""
    return [
        {
            "id": "firms_complied" if len(parts or ()) == 1 else f"firms_complied/{part['name']}",
            "title": "Foreign firms that gave in",
            "value": part["complied"],
            "unit": "firms",
            "text": _told(part),
        }
        for part in parts or ()
    ]


def _told(part: Mapping[str, Any]) -> str:
    asked, share = plural(part["asked"], "firm"), percent(part["complied_share"]["value"])
    text = (
        f"{whole(part['complied'])} of {asked} asked (‘{label(part['name'])}’) had done all of it after "
        f"{plural(part['last_day'], 'day')} ({share}), {whole(part['partially'])} a part, and "
        f"{whole(part['open'])} nothing yet."
    )
    dates = part["deadlines"]
    if len(dates) + len(part["deadlines_to_come"]) > 1 and dates:
        text += f" When the first deadline passed on day {dates[0]['day']} it was {whole(dates[0]['complied'])}."
    elif not dates:
        text += f" The first deadline, day {part['deadlines_to_come'][0]}, lies beyond the run."
    if part["audience"]:
        readers = whole(part["audience"])
        text += f" {readers} readers abroad, each counted once a firm, now see the words that were demanded."
    return text


# How the numbers of a demand were chosen ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Calibration:
    """A threat and a mean time to comply that bring the mean course through two published counts.

    Parameters
    ----------
    threat : int, in 1/65536
    work_days : int
    complied : the mean number of firms that had complied in full on the days of the two counts
    """

    threat: int
    work_days: int
    complied: tuple[float, float]


def replicated(demand: Demand, seeds: Sequence[int]) -> Firms:
    """Draw the firms of a demand under several seeds; the first axis is the seed."""
    drawn = [demand.firms(seed) for seed in seeds]
    first = drawn[0]
    threshold, exposure, work_days = (
        np.stack([getattr(firms, key) for firms in drawn]) for key in ("threshold", "exposure", "work_days")
    )
    return first._replace(threshold=threshold, exposure=exposure, work_days=work_days)


def complied_by(course: Course, day: int) -> Int64:
    """Return how many firms show all of the change at the end of a day, int64[seed]."""
    found: Int64 = (course.full_day <= day).sum(axis=-1)
    return found


def calibrate(
    demand: Demand,
    points: Sequence[tuple[int, int]],
    seeds: Sequence[int] = range(200),
    most_work_days: int = 30,
) -> Calibration:
    """Choose the threat and the mean time to comply by two published counts; all else stays as it is.

    For each mean time, from 1 day on, the threat is found by halving at which the mean over the seeds meets the first
    count.  The shortest time is taken whose mean course then reaches the second count; longer ones may pass through it
    again, with a harder threat.

    Parameters
    ----------
    demand : Demand; its own threat and time do not matter
    points : (day, firms that had complied in full), twice
    seeds : of the replicates; the same ones for every trial
    most_work_days : int, where the search for the time ends

    Raises
    ------
    ValueError : no time up to `most_work_days` reaches the second count

    Notes
    -----
    The mean over seeds rises with the threat, because draws do not depend on it.
    """
    (first_day, first_count), (second_day, second_count) = points
    for work_days in range(1, most_work_days + 1):
        tried = replace(demand, work_days=work_days)
        firms = replicated(tried, seeds)
        low, high = 0, 1 << 19
        while high - low > 1 << 8:
            threat = (low + high) // 2
            mean = complied_by(replace(tried, threat=threat).course(firms, first_day + 1), first_day).mean()
            low, high = (threat, high) if mean < first_count else (low, threat)
        course = replace(tried, threat=high).course(firms, second_day + 1)
        first, second = (float(complied_by(course, day).mean()) for day in (first_day, second_day))
        if second >= second_count:
            return Calibration(high, work_days, (first, second))
    raise ValueError(f"no mean time up to {most_work_days} days leads to {second_count} firms by day {second_day}")
