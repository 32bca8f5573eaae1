"""Demands on foreign firms: who gives in, when, and how far, as a threshold cascade with a deadline.

A firm gives in once the share of the firms asked that have already given in, the nearness of the deadline and its own
stake in the market together reach its threshold (Granovetter 1978, "Threshold models of collective behavior", AJS 83,
1420-1443, in general form: his example is the case of no deadline and no stake).  Pressure at home lifts the threshold;
between the two thresholds a firm changes a part only.  No citizen is touched by it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from underheaven.life.tables import UNIT, Int64
from underheaven.rng import DEMAND, MASK32, draw4

if TYPE_CHECKING:
    import pyarrow as pa

NEVER = 1 << 40  # a day after every run


@dataclass(frozen=True)
class FirmGroup:
    """Firms that stand alike towards a demand.

    Parameters
    ----------
    name : str
    number : int, firms
    exposure : int, twice their mean stake in the market, in 1/65536 of the threshold scale
    home_pressure : int, what pressure at home adds to the threshold of a full change, in 1/65536
    partial_pressure : int, what it adds to the threshold of a partial change, in 1/65536
    audience : int, people abroad who read what one firm writes, on average over the group
    size_exponent : float, of Zipf's law over the firms of the group in the order of their numbers; 0: all alike
    """

    name: str
    number: int
    exposure: int = 0
    home_pressure: int = 0
    partial_pressure: int = 0
    audience: int = 0
    size_exponent: float = 0.0

    def audiences(self) -> list[int]:
        """Return the people abroad who read what each firm writes; in all `number` times `audience`."""
        sizes = [1.0 / math.pow(rank, self.size_exponent) for rank in range(1, self.number + 1)]
        whole, everybody = math.fsum(sizes), self.audience * self.number
        # Cut where the sums end, so that nobody is lost between two firms.
        ends = [int(everybody * (part / whole) + 0.5) for part in itertools.accumulate(sizes)]
        ends[-1:] = [everybody] if ends else []
        return [end - start for start, end in itertools.pairwise([0, *ends])]


class Firms(NamedTuple):
    """The firms that a demand is made to, in the order of their numbers; the last axis is the firm."""

    group: Int64  # number of its group
    threshold: Int64  # in 1/65536: where it gives in if nobody at home minds
    exposure: Int64  # in 1/65536: its stake in the market
    work_days: Int64  # from giving in to the changed label


class Course(NamedTuple):
    """From which day on each firm shows a changed label, in part and in full; `NEVER` if not within the days asked."""

    partial_day: Int64
    full_day: Int64


@dataclass(frozen=True)
class Demand:
    """A demand on firms abroad.

    Parameters
    ----------
    name : str
    number : int, its place in the regime file, which its draws are keyed by
    groups : the firms
    deadlines : days since the demand was made; each is granted when the one before has passed; none: no pressure
    peers, threat : int, what the share of the others, and a deadline that has come, weigh, in 1/65536
    half_life_days : how much nearer a deadline must be to weigh twice as much
    threshold_low, threshold_high : int, the ends between which thresholds are spread evenly, in 1/65536
    work_days : mean time from giving in to the changed label, with the same chance every day to be done; 0: at once
    """

    name: str
    number: int
    groups: tuple[FirmGroup, ...]
    deadlines: tuple[int, ...] = ()
    peers: int = UNIT
    threat: int = 0
    half_life_days: int = 1
    threshold_low: int = 0
    threshold_high: int = UNIT
    work_days: int = 0

    @property
    def n_firms(self) -> int:
        """How many firms are asked."""
        return sum(group.number for group in self.groups)

    def firms(self, seed: int) -> Firms:
        """Draw what makes the firms differ; the firm stands in the place of the citizen, the demand in that of k.

        Words: threshold, exposure, time to comply, -.
        """
        group = [at for at, found in enumerate(self.groups) for _ in range(found.number)]
        words = [draw4(seed, DEMAND, firm, 0, self.number) for firm in range(len(group))]
        spread = self.threshold_high - self.threshold_low
        return Firms(
            np.array(group, np.int64),
            np.array([self.threshold_low + (spread * int(w[0]) >> 32) for w in words], np.int64),
            np.array([self.groups[g].exposure * int(w[1]) >> 32 for g, w in zip(group, words, strict=True)], np.int64),
            np.array([_work(int(w[2]), self.work_days) for w in words], np.int64),
        )

    def pressure(self, day: int) -> int:
        """Return what the deadline in force weighs on a day since the demand, in 1/65536.

        It doubles with every half-life that the deadline is nearer, is whole on its day, falls back when the next one
        is granted, and stays whole after the last.
        """
        if not self.deadlines:
            return 0
        left = next((deadline - day for deadline in self.deadlines if deadline >= day), 0)
        return int(self.threat * math.exp2(-left / self.half_life_days))

    def course(self, firms: Firms, days: int) -> Course:
        """Work out who gives in when, over `days` days since the demand (its day is day 0).

        Parameters
        ----------
        firms : arrays [..., firm]; leading axes are replicates, which do not see each other
        days : int

        Notes
        -----
        Draws: none.  Firms see the labels as they are; where a change takes no time, the day goes on until nobody more
        gives in.  Giving in only ever lifts the share, so the outcome is the least fixed point, whoever looks first.
        """
        n_firms = firms.threshold.shape[-1]
        home, half_way = (
            np.array([getattr(group, key) for group in self.groups], np.int64)[firms.group]
            for key in ("home_pressure", "partial_pressure")
        )
        partial_day, full_day = np.full(firms.threshold.shape, NEVER), np.full(firms.threshold.shape, NEVER)
        for day in range(days):
            # Times the number of firms, so that the share of the others is exact.
            wanted = (firms.threshold - firms.exposure - self.pressure(day)) * n_firms
            while True:
                changed = (np.minimum(partial_day, full_day) <= day).sum(axis=-1, keepdims=True)
                pull = self.peers * changed
                is_full = (full_day == NEVER) & (pull >= wanted + home * n_firms)
                full_day[is_full] = (day + firms.work_days)[is_full]
                is_partial = (full_day == NEVER) & (partial_day == NEVER) & (pull >= wanted + half_way * n_firms)
                partial_day[is_partial] = (day + firms.work_days)[is_partial]
                if not ((is_full | is_partial) & (firms.work_days == 0)).any():
                    break
            is_at_work = any(((found > day) & (found < NEVER)).any() for found in (partial_day, full_day))
            if day >= max(self.deadlines, default=0) and not is_at_work:
                break  # the pressure stays as it is and no label will change: nor will anything else
        for found in (partial_day, full_day):
            found[found >= days] = NEVER
        return Course(partial_day, full_day)


def _work(word: int, mean_days: int) -> int:
    """Return a time with the same chance 1/mean to end on every day, from one word; 0 if there is no mean."""
    if mean_days <= 1:
        return mean_days
    left = (word + 0.5) / (MASK32 + 1)
    return max(1, math.ceil(math.log(left) / math.log1p(-1.0 / mean_days)))


def standing(demand: Demand, firms: Firms, course: Course, days: int) -> list[dict[str, Int64]]:
    """Count the firms of each group, and the people abroad who read a changed label, at the end of each day.

    Returns
    -------
    list of dict, one a group, of int64[days] : `asked`, `complied`, `partially`, `open`, `audience`
    """
    found = []
    at = np.arange(days)
    for number, group in enumerate(demand.groups):
        mine = firms.group == number
        full = course.full_day[mine]
        changed = np.minimum(course.partial_day[mine], full)
        order = np.argsort(changed, kind="stable")
        readers = np.concatenate([[0], np.cumsum(np.array(group.audiences(), np.int64)[order])])
        n_full, n_changed = (np.searchsorted(np.sort(days_of), at, side="right") for days_of in (full, changed))
        found.append(
            {
                "asked": np.full(days, group.number),
                "complied": n_full,
                "partially": n_changed - n_full,
                "open": group.number - n_changed,
                "audience": readers[n_changed],
            }
        )
    return found


class Made(NamedTuple):
    """A demand, the day on which it is made, and the number of its regime."""

    demand: Demand
    day: int
    regime: int


def first_made(demands: Sequence[tuple[Demand, ...]], in_force: Iterable[tuple[int, Iterable[int]]]) -> list[Made]:
    """Return when each demand is made: on the first day on which its regime is in force anywhere.

    Parameters
    ----------
    demands : by regime
    in_force : (day, regimes in force), in the order of the days

    Notes
    -----
    Of two demands of one name only the first is made; what was demanded stands, also when its regime has gone.
    """
    found: dict[str, Made] = {}
    if any(demands):
        for day, regimes in in_force:
            for regime in sorted(regimes):
                for demand in demands[regime]:
                    found.setdefault(demand.name, Made(demand, day, regime))
    return list(found.values())


def demands_table(made: Iterable[Made], seed: int, days: int) -> pa.Table:
    """Return the course of every demand over a run of `days` days, by day and group of firms.

    A pure function of the demands and the seed: it is worked out when a run ends, also one that was resumed, and
    nothing of it stands in a checkpoint.  `since_days` is 0 on the day on which the demand is made; a row says how
    things stand at the end of its day.  Rows end with the run, or when the last deadline has passed and nothing can
    change any more.
    """
    import pyarrow as pa

    parts = []
    for demand, made_on_day, _ in made:
        firms = demand.firms(seed)
        course = demand.course(firms, days - made_on_day)
        changes = np.concatenate([course.partial_day, course.full_day])
        last = max([*demand.deadlines, int(changes[changes < NEVER].max(initial=0))])
        shown = min(days - made_on_day, last + 1)
        for group, counts in zip(demand.groups, standing(demand, firms, course, shown), strict=True):
            parts.append(
                pa.table(
                    {
                        "day": pa.array(np.arange(made_on_day, made_on_day + shown), pa.int32()),
                        "since_days": pa.array(np.arange(shown), pa.int32()),
                        "demand": pa.array([demand.name] * shown, pa.string()),
                        "group": pa.array([group.name] * shown, pa.string()),
                        **{key: pa.array(amounts, pa.int64()) for key, amounts in counts.items()},
                    }
                )
            )
    return pa.concat_tables(parts)
