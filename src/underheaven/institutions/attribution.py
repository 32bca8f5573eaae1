"""Where wrong names fall: from the wrong names counted in one window to the hazards of the next."""

from __future__ import annotations

import numpy as np

from underheaven.life.tables import Int64
from underheaven.rng import ONE

#: A citizen receives at most one wrong name a channel a day; a hazard beyond this is cut.
MOST_PER_DAY = 0.999


def hazard_gaps(wrong_names: Int64, pool: Int64, days: int, window_days: int) -> Int64:
    """Turn counts of wrong names into the chance that one has reached a member of the class by each day.

    Parameters
    ----------
    wrong_names : int64[zone, class], counted over `days` days
    pool : int64[zone, class], people on whom they can fall
    days : int, length of the window in which they were counted
    window_days : int, length of the window to come

    Returns
    -------
    int64[zone, class, window_days] : thresholds of 1 - (1 - h)**(day + 1), h = wrong_names / (pool * days)

    Notes
    -----
    Each wrong name falls on a member of the class with equal chance, so their expected number is kept.
    """
    people_days = pool.astype(np.float64) * days
    hazard = np.divide(wrong_names, people_days, out=np.zeros(pool.shape), where=people_days > 0)
    spared = 1.0 - np.minimum(hazard, MOST_PER_DAY)
    gaps = np.empty((*pool.shape, window_days), np.int64)
    left = np.ones(pool.shape)
    for day in range(window_days):
        left = left * spared
        gaps[..., day] = np.floor((1.0 - left) * ONE)
    return gaps


def act_shares(counted: Int64) -> Int64:
    """Return cumulative shares of the acts behind the wrong names of each zone, as thresholds.

    Parameters
    ----------
    counted : int64[zone, act]

    Returns
    -------
    int64[zone, act] : rising; the last act with any share ends at 2**32; all zero where nothing was counted
    """
    cumulative = np.cumsum(counted, axis=1)
    total = cumulative[:, -1:].astype(np.float64)
    shares = np.divide(cumulative, total, out=np.zeros(counted.shape), where=total > 0)
    thresholds: Int64 = np.floor(shares * ONE).astype(np.int64)
    return thresholds
