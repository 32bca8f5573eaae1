"""How a stage counts: one line a count, by county and by stratum."""

from __future__ import annotations

from underheaven.compiled import inlined
from underheaven.life.counters import ACTIVITY, PER_ACTIVITY


@inlined
def count(tally, me, counter, amount):
    """Add an amount to a counter of the citizen's county and stratum."""
    tally.county[counter] += amount
    tally.stratum[me.stratum, counter] += amount


@inlined
def count_activity(tally, me, activity, column, amount):
    """Add an amount to a column of an activity (life/counters.py)."""
    count(tally, me, ACTIVITY + activity * PER_ACTIVITY + column, amount)
