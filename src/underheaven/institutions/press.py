"""The press: what officials do wrong, and what keeps them from it: exposures that reach the public.

A level by county, 1 at the start.  Left alone it creeps towards the level of officials whom nobody watches; what is
made public lowers it, some time later.  Words that were never said, or that reached nobody, leave it where it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from underheaven.life.tables import UNIT, Int64

HEADS = 100_000  # what an exposure is counted against


@dataclass(frozen=True)
class Press:
    """The law by which wrongdoing moves.

    Parameters
    ----------
    act : number of the act that makes a wrong public
    unwatched : level, of 1/65536
    creep_days : by 1/creep_days of the distance it goes there a day
    deterrence : share by which one exposure for 100,000 people lowers it
    lag_windows : whole windows until an exposure works
    """

    act: int
    unwatched: int
    creep_days: int
    deterrence: float
    lag_windows: int

    def step(self, level: Int64, waiting: Int64, reached: Int64, people: Int64, days: int) -> tuple[Int64, Int64]:
        """Carry the level over a window.

        Parameters
        ----------
        level : int64[county], of 1/65536
        waiting : int64[county, lag_windows], exposures that do not work yet, the oldest first
        reached : int64[county], those of the window that has passed
        people : int64[county]
        days : int, of that window

        Returns
        -------
        (int64[county], int64[county, lag_windows]) : the level and what is waiting now
        """
        line = np.concatenate([waiting, reached.reshape(-1, 1)], axis=1)
        kept = math.exp(-days / self.creep_days)
        spared = math.log1p(-self.deterrence)
        new = []
        for at, working, heads in zip(level.tolist(), line[:, 0].tolist(), people.tolist(), strict=True):
            raised = self.unwatched - (self.unwatched - at) * kept
            if working and heads:
                raised *= math.exp(spared * working * HEADS / heads)
            new.append(min(self.unwatched, int(raised + 0.5)))
        return np.array(new, np.int64), line[:, 1:].copy()


def first_press(press: Press, n_counties: int) -> dict[str, Int64]:
    """Return what is remembered before the first exchange.

    `wrongdoing`, `wrongdoing_heard` : int64[county], levels in 1/65536; the second is that of a public that would have
    heard everything that somebody would have said without fear.  `exposures`, `exposures_heard` :
    int64[county, lag windows].
    """
    start = np.full(n_counties, UNIT, np.int64)
    line = np.zeros((n_counties, press.lag_windows), np.int64)
    return {"wrongdoing": start, "wrongdoing_heard": start, "exposures": line, "exposures_heard": line}
