"""ACTS: what a person does.

Candidate events come at the activity's ceiling rate, as geometric gaps, and are accepted at the citizen's
present propensity (thinning; Lewis and Shedler 1979).  The candidates are the same under every regime;
only which of them are accepted can differ.
"""

from __future__ import annotations

import numpy as np

from underheaven import rng
from underheaven.compiled import inlined
from underheaven.life.state import AWARE
from underheaven.life.tables import FACE, LINK, N_ACTIVITIES, N_ACTS, UNIT

# Bits of a day's events: 0 .. 31 acts, 32 .. 39 uses of services, then the wrong names that reach her.
FACE_EVENT = N_ACTIVITIES + FACE
LINK_EVENT = N_ACTIVITIES + LINK
ACT_EVENTS = (1 << N_ACTS) - 1
SERVICE_EVENTS = ((1 << N_ACTIVITIES) - 1) ^ ACT_EVENTS

_DE_BRUIJN = 0x077CB531
_BIT = np.zeros(32, np.int64)
for _bit in range(32):
    _BIT[((_DE_BRUIJN << _bit) & rng.MASK32) >> 27] = _bit

NOT_DONE, DONE, DONE_FOR_POINTS, SILENCED = 0, 1, 2, 3


@inlined
def plan_block(rules, place, seed, first, size, day, n_days, scratch):
    """Draw, for a whole block, the first candidate of each activity and of the wrong names that reach her.

    Parameters
    ----------
    rules, place : records
    first, size : int, citizens of the block
    day, n_days : int, the window
    scratch : Scratch; bit e of ``due[local, d]`` is set if event e comes on day d of the window

    Notes
    -----
    This dense pass over everybody decides one thing, whether and when something happens; all else is done
    only for those to whom it does.  It took the loop from 130 ns to 30 ns a citizen and window.
    """
    for local in range(size):
        for d in range(n_days):
            scratch.due[local, d] = 0
    for group in range(N_ACTIVITIES // 4):
        if (rules.activity_groups >> group) & 1:
            rng.draw_block(seed, rng.CANDIDATE, first, size, day, group, scratch.words)
            for j in range(4):
                activity = 4 * group + j
                if rules.base[activity] > 0:
                    for local in range(size):
                        word = int(scratch.words[j, local])
                        level = lead_level(rules, int(scratch.traits[local]), activity)
                        if word < rules.gaps[activity, level, n_days - 1]:
                            mark_first(scratch.due[local], word, rules.gaps[activity, level], activity, 0, n_days)
    if place.has_wrong_names:
        rng.draw_block(seed, rng.FALSE_RECORD, first, size, day, 0, scratch.words)
        for local in range(size):
            look, name = look_of(scratch.traits[local]), name_of(scratch.traits[local])
            w0, w1 = int(scratch.words[0, local]), int(scratch.words[1, local])
            mark_first(scratch.due[local], w0, place.face_gaps[look], FACE_EVENT, 0, n_days)
            mark_first(scratch.due[local], w1, place.link_gaps[name], LINK_EVENT, 0, n_days)


@inlined
def mark_first(due, word, gaps, event, from_day, n_days):
    """Note the first candidate of an event in the days of the window from `from_day` on.

    Parameters
    ----------
    due : int64[day of window], bit `event` set where it falls
    word : int, the draw
    gaps : int64[day], chance as a threshold that a candidate came by the end of that many days
    event : int
    from_day, n_days : int, days of the window

    Notes
    -----
    Geometric gaps have no memory, so a window may start afresh and still be exact.
    """
    left = n_days - from_day
    if left <= 0 or word >= gaps[left - 1]:
        return
    gap = 0
    while word >= gaps[gap]:
        gap += 1
    due[from_day + gap] |= 1 << event


@inlined
def lowest_bit(word):
    """Return the number of the lowest bit that is set in a word above 0, of at most 32 bits.

    By multiplication with a de Bruijn sequence, whose five leading bits differ for every shift.
    """
    return _BIT[(((word & -word) * _DE_BRUIJN) & rng.MASK32) >> 27]


@inlined
def lead_level(rules, traits, activity):
    """Return the level of the trait that sets how often candidates of an activity come.

    Traits never change and the regime does not touch them, so candidates are still the same under any regime.
    Letting the widest trait set the rate, not only the acceptance, halved the candidates that come to nothing.
    """
    return (traits >> rules.lead_shift[activity]) & rules.lead_mask[activity]


@inlined
def look_of(traits):
    """Return the look-alike class 0..39 (group, sex, age band) of packed traits."""
    traits = int(traits)
    return ((traits >> 11) & 3) * 10 + ((traits >> 3) & 1) * 5 + (traits & 7)


@inlined
def name_of(traits):
    """Return the class of name commonness 0..3 of packed traits."""
    return (int(traits) >> 21) & 3


@inlined
def own_propensity(rules, me, activity):
    """Return the acceptance threshold from the citizen's traits alone; beyond 2**32 it means certain."""
    p = rules.base[activity]
    for slot in range(rules.n_varies[activity]):
        level = (me.traits >> rules.varies_shift[activity, slot]) & rules.varies_mask[activity, slot]
        p = (p * rules.varies_factor[activity, slot, level]) >> 16
    return p


@inlined
def decide(rules, me, activity, word):
    """Decide whether a candidate act is done, and why or why not.

    Parameters
    ----------
    rules, me : records
    activity : int, the act
    word : int, the draw

    Returns
    -------
    int : NOT_DONE, DONE, DONE_FOR_POINTS (would not be done without the reward) or SILENCED (would be done
        without fear)

    Notes
    -----
    One draw is held against two thresholds, with and without the regime's influence; so for each citizen
    the difference that fear or reward makes is exact (a coupling), not an average.
    """
    strain = min(255, me.strain + rules.base_strain[me.income])
    free = (own_propensity(rules, me, activity) * rules.strain_factor[activity, strain >> 4]) >> 16
    held = (free * rules.caution_factor[activity, me.caution >> 4]) >> 16
    # Whoever does not know that there is a score does nothing for its sake.
    reward = UNIT if rules.awareness and not me.flags & AWARE else rules.game_factor[activity, me.tier]
    held = (held * reward) >> 16
    if word < held:
        return DONE if word < free else DONE_FOR_POINTS
    return SILENCED if word < free else NOT_DONE
