"""RECORDS: entries in the file, true or not.

The believed score and the true score move by the same rule; they part only where a sighting was given the
wrong name, or none.
"""

from __future__ import annotations

from underheaven import rng
from underheaven.compiled import inlined
from underheaven.life.awareness import BY_FINE, become_aware
from underheaven.life.counters import FINES, LISTINGS, POINTS_MOVED, TRUE_POINTS_MOVED, WRONGFUL_LISTINGS
from underheaven.life.response import raise_caution, raise_strain
from underheaven.life.state import KNOWS_RECORD
from underheaven.life.tally import count

DAYS_PER_YEAR = 365
OWN = 2  # how a record came about: FACE or LINK as a wrong name, else as an act of her own


@inlined
def clipped(rules, score):
    """Return a score within the regime's bounds."""
    return min(rules.cap, max(rules.floor, score))


@inlined
def move_points(rules, tally, me, day, ledger, points, is_filed, is_true):
    """Move the score of a ledger, in the file, in truth, or both, within the regime's bounds."""
    slot = (day // DAYS_PER_YEAR) % (rules.expiry_years + 1)
    if is_filed:
        moved = clipped(rules, me.score[ledger] + points) - me.score[ledger]
        me.score[ledger] += moved
        me.bucket[slot, ledger] += moved
        count(tally, me, POINTS_MOVED, moved)
    if is_true:
        moved = clipped(rules, me.true_score[ledger] + points) - me.true_score[ledger]
        me.true_score[ledger] += moved
        me.true_bucket[slot, ledger] += moved
        count(tally, me, TRUE_POINTS_MOVED, moved)


@inlined
def record(rules, tally, me, seed, day, act, source, is_filed, is_true):
    """Move the scores and the lists of a citizen by one record.

    Parameters
    ----------
    rules : RULES record
    tally, me : records, changed
    seed, day : key of the draws
    act : int, what the record says she did
    source : int, OWN, FACE or LINK; of one act and day there can be one of each
    is_filed : bool, it enters this citizen's file (the belief)
    is_true : bool, she did it (the truth)
    """
    points = rules.points[act]
    if points != 0:
        move_points(rules, tally, me, day, rules.act_ledger[act], points, is_filed, is_true)
    for entry in range(rules.n_lists):
        if rules.listing[entry, act] > 0:
            k = 64 * act + 4 * rules.list_key[entry] + source
            w0, w1, w2, w3 = rng.draw4(seed, rng.LISTING, me.citizen, day, k)
            if w0 < rules.listing[entry, act]:
                put_on_list(rules, tally, me, day, entry, w1, is_filed, is_true)
    if is_filed and rules.fined[act]:
        # Whoever is fined knows why.
        count(tally, me, FINES, 1)
        raise_strain(me, rules.fine_strain[act, me.income])
        raise_caution(me, rules.record_caution)
        me.flags |= KNOWS_RECORD
        become_aware(rules, tally, me, BY_FINE, False)


@inlined
def put_on_list(rules, tally, me, day, entry, word, is_filed, is_true):
    """Put a citizen on a list, in the file, in truth, or both, for one and the same term.

    A longer stay that is already running is kept.
    """
    end_day = min(65535, day + days_on_list(rules.term[entry], word))
    if is_true:
        me.true_list_until[entry] = max(me.true_list_until[entry], end_day)
    if is_filed:
        if me.list_until[entry] == 0:
            count(tally, me, LISTINGS + entry, 1)
            if me.true_list_until[entry] == 0:
                count(tally, me, WRONGFUL_LISTINGS + entry, 1)
            raise_strain(me, rules.listing_strain)
        me.list_until[entry] = max(me.list_until[entry], end_day)


@inlined
def days_on_list(term, word):
    """Return how long a stay on a list lasts, in days (at least 1), from the quantiles of its term.

    Ten bits of the draw choose the step between two quantiles, the others interpolate within it.
    """
    step = word >> 22
    low = term[step]
    high = term[step + 1]
    # A stay of x days ends after ceil(x) days.
    return max(1, (low + (((high - low) * (word & 0x3FFFFF)) >> 22) + 0xFFFF) >> 16)
