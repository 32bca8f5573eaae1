"""Differences between two runs of the same people, with their intervals.

Two runs of one world and seed share every draw that the rules do not touch, so what differs between them is
small beside what differs between two populations.  The interval of a difference comes from how it varies over
groups of community blocks: people of different groups do not know each other, and each group differs for its
own people only.  (Cochran 1977, *Sampling Techniques*, 3rd edition, section 6: the ratio estimate; the groups
are clusters of nearly equal size.)

It says how far the difference may lie from this one in another population of the same world.  What all groups
share in one run is taken as given: the length of a queue, and how many wrong names the last window sent out, which
is itself a matter of chance.  So where wrong names make the difference, it varies about sqrt(2) times as much from
seed to seed (24 seeds of 20,000 people under `press-2018` against a smaller gallery: 1.2 to 1.5 times for people
sanctioned and wrongly sanctioned, 1.0 for acts); repeat with other seeds.  Where no case differs, the interval is
0 to 0, and up to three cases could still be expected elsewhere (the rule of three).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Amounts = NDArray[Any]  # [group]

#: If a difference is made by fewer groups than these (as many as if all made an equal part), its interval is rough.
FEWEST_GROUPS = 5


class Difference(NamedTuple):
    """Two ratios and the second less the first, with the 95% interval of that; None: not measurable."""

    baseline: float | None
    other: float | None
    value: float | None
    low: float | None
    high: float | None
    is_rough: bool = False  # so few groups make the difference that its interval is only a hint

    @property
    def is_clear(self) -> bool:
        """Tell whether the interval lies on one side of zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def difference(over: Amounts, below: Amounts, other_over: Amounts, other_below: Amounts) -> Difference:
    """Return ``sum(other_over) / sum(other_below) - sum(over) / sum(below)`` with its paired interval.

    Parameters
    ----------
    over, below : [group], numerator and denominator of the baseline's ratio
    other_over, other_below : [group], those of the other run, of the same groups

    Notes
    -----
    Each group's part in the difference is linearised: e = (n' - r' d') / D' - (n - r d) / D, and the variance is
    G / (G - 1) times the sum of its squares.  With one group there is a value and no interval.  Student's
    distribution with G - 1 degrees of freedom gives the width.
    """
    baseline, parts = _linear(over, below)
    other, other_parts = _linear(other_over, other_below)
    if baseline is None or other is None or parts is None or other_parts is None:
        return Difference(baseline, other, None, None, None)
    value, groups = other - baseline, len(over)
    if groups < 2:
        return Difference(baseline, other, value, None, None)
    spread, whole, other_whole = other_parts - parts, float(np.sum(below)), float(np.sum(other_below))
    error = math.sqrt(groups / (groups - 1) * math.fsum((spread * spread).tolist())) * student_95(groups - 1)
    moved = np.abs(other_over / other_whole - over / whole)
    weight = float((moved * moved).sum())
    is_rough = weight > 0 and float(moved.sum()) ** 2 < FEWEST_GROUPS * weight
    return Difference(baseline, other, value, value - error, value + error, is_rough)


def _linear(over: Amounts, below: Amounts) -> tuple[float | None, Amounts | None]:
    """Return a ratio, and how far each group moves it."""
    whole = float(np.sum(below))
    if whole == 0:
        return None, None
    ratio = float(np.sum(over)) / whole
    return ratio, (over - ratio * below) / whole


@cache
def student_95(degrees: int) -> float:
    """Return the 97.5% point of Student's distribution.

    Notes
    -----
    The finite series for whole degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4), turned round
    by halving.
    """
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < 0.95 else (low, middle)
    return high


def _within(t: float, degrees: int) -> float:
    """Return the chance that a variable of Student's distribution lies within -t .. t."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine = math.cos(angle)
    is_odd = degrees % 2
    term, total = (cosine, cosine) if is_odd else (1.0, 1.0)
    for k in range(2 + is_odd, degrees - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    if not is_odd:
        return math.sin(angle) * total
    return 2 / math.pi * (angle + (math.sin(angle) * total if degrees > 1 else 0.0))
