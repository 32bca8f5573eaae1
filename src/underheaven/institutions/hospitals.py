"""Hospitals: a priority queue, in which a perk for one is a wait for another (Cobham 1954)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from underheaven.life.tables import Int64
from underheaven.rng import ONE

#: A queue fuller than this has no steady state that a week reaches; waits are those at this load.
FULLEST = 0.99


def cobham_waits(loads: Sequence[float], service_time: float) -> list[float]:
    """Return the mean wait of each class in a non-preemptive M/M/1 priority queue.

    Parameters
    ----------
    loads : load (arrival rate x mean service time) of each class, the first served first
    service_time : mean service time

    Returns
    -------
    list of float : mean waits in the unit of `service_time`

    Notes
    -----
    W_k = W_0 / ((1 - s_(k-1)) (1 - s_k)), s_k the load of classes 1..k, W_0 = (total load) x service time
    (A. Cobham 1954, Operations Research 2).  Kleinrock's law holds: sum of load x wait depends on the total
    load alone.  A total load above `FULLEST` is scaled down to it.
    """
    total = sum(loads)
    scale = FULLEST / total if total > FULLEST else 1.0
    residual = total * scale * service_time
    waits, before = [], 0.0
    for load in loads:
        after = before + load * scale
        waits.append(residual / ((1.0 - before) * (1.0 - after)))
        before = after
    return waits


@dataclass(frozen=True)
class Hospitals:
    """A county's doctors: each one a queue, patients spread evenly over them.

    Parameters
    ----------
    minutes_per_visit : mean length of a visit
    load : share of their time taken up when people visit as often as they are expected to
    visits_per_day : [stratum] that rate, of a person
    """

    minutes_per_visit: float
    load: float
    visits_per_day: tuple[float, ...]

    def expected_visits(self, strata: Int64) -> list[float]:
        """Return the visits of a day in each county, from its people int64[county, stratum]."""
        rates = np.array([int(rate * ONE + 0.5) for rate in self.visits_per_day], np.int64)
        return [visits / ONE for visits in (strata * rates).sum(axis=1).tolist()]

    def wait_minutes(self, visits: Int64, strata: Int64, days: int) -> Int64:
        """Return the mean wait of each class after a window with these visits.

        Parameters
        ----------
        visits : int64[county, rank], visits of the window by class
        strata : int64[county, stratum], people
        days : int, days of the window

        Returns
        -------
        int64[county, rank] : whole minutes
        """
        waits = np.zeros(visits.shape, np.int64)
        for county, (row, expected) in enumerate(zip(visits.tolist(), self.expected_visits(strata), strict=True)):
            loads = [self.load * n / (expected * days) if expected > 0 else 0.0 for n in row]
            waits[county] = [int(w + 0.5) for w in cobham_waits(loads, self.minutes_per_visit)]
        return waits
