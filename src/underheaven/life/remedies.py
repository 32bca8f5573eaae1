"""REMEDIES: what can be undone: notice, appeal, correction, repair, release, expiry of records."""

from __future__ import annotations

from underheaven import rng
from underheaven.compiled import inlined
from underheaven.life.awareness import BY_SANCTION, become_aware, is_wronged
from underheaven.life.counters import (
    APPEALS,
    APPEALS_LOST,
    APPEALS_MOOT,
    APPEALS_WON,
    CORRECTIONS,
    EXONERATIONS,
    EXPIRED_POINTS,
    NOTICES,
    POINTS_MOVED,
    RELEASES,
    REPAIRS,
    RISK_APPEALS_LOST,
    STALE_DAYS,
    TRUE_POINTS_MOVED,
)
from underheaven.life.response import raise_caution
from underheaven.life.standing import account, is_in_error, tier_of
from underheaven.life.state import AT_RISK, KNOWS, KNOWS_RECORD, WAS_DENOUNCED
from underheaven.life.tally import count

DAYS_PER_YEAR = 365
NO_DECISION = 65_535  # the day of a decision that no run reaches
WITHOUT_LIMIT = 1 << 20  # more points than any scale has


@inlined
def notify(rules, place, tally, me, seed, day):
    """Tell a citizen, or not, that a sanction has started against her."""
    if rng.draw4(seed, rng.NOTICE, me.citizen, day, 0)[0] < rules.notice:
        count(tally, me, NOTICES, 1)
        learn(rules, place, tally, me, seed, day)


@inlined
def learn(rules, place, tally, me, seed, day):
    """Let a sanctioned citizen learn of it: she grows cautious, and may appeal within the deadline."""
    me.flags |= KNOWS
    become_aware(rules, tally, me, BY_SANCTION, is_wronged(me))
    raise_caution(me, rules.sanction_caution)
    if not rules.has_appeal or me.appeal_day > 0:
        return
    if rules.appeal_deadline_days > 0 and day - me.sanction_day > rules.appeal_deadline_days:
        return
    if rng.draw4(seed, rng.APPEAL, me.citizen, day, 0)[0] < rules.appeal[(me.traits >> 5) & 3]:
        account(rules, tally, me, day)
        me.appeal_day = min(NO_DECISION, day + place.appeal_days)
        if rules.appeal_suspends:
            me.in_force = 0
        count(tally, me, APPEALS, 1)


@inlined
def drop_appeal(tally, me):
    """Drop a pending appeal of somebody who is no longer sanctioned; the next sanction starts afresh."""
    me.appeal_day = 0
    count(tally, me, APPEALS_MOOT, 1)


@inlined
def decide_appeal(rules, tally, me, seed, day):
    """Decide an appeal: an error is found or not; whoever is rightly sanctioned is sometimes let off."""
    me.appeal_day = 0
    w0, finds, lenient, w3 = rng.draw4(seed, rng.APPEAL, me.citizen, day, 1)
    if rules.risk and is_by_flag_alone(rules, me):
        won = False  # no record stands behind a flag, so there is nothing to find and nobody to ask for mercy
        count(tally, me, RISK_APPEALS_LOST, 1)
    elif is_in_error(rules, me):
        won = finds < rules.appeal_finds_error
        if won:
            set_right(rules, tally, me)
    else:
        won = lenient < rules.appeal_lenient
        if won:
            let_off(rules, tally, me, day, WITHOUT_LIMIT)
    count(tally, me, APPEALS_WON if won else APPEALS_LOST, 1)


@inlined
def set_right(rules, tally, me):
    """Bring the file to the truth where it was harsher; what it overlooked stays overlooked."""
    if me.flags & WAS_DENOUNCED:
        count(tally, me, EXONERATIONS, 1)
    for ledger in range(rules.n_ledgers):
        gap = me.true_score[ledger] - me.score[ledger]
        if gap > 0:
            me.score[ledger] += gap
            count(tally, me, POINTS_MOVED, gap)
            for slot in range(rules.expiry_years + 1):
                me.bucket[slot, ledger] = me.true_bucket[slot, ledger]
    for entry in range(rules.n_lists):
        me.list_until[entry] = min(me.list_until[entry], me.true_list_until[entry])


@inlined
def let_off(rules, tally, me, day, most):
    """End every stay on a list and give points back, in the file and in truth alike (mercy, not correction).

    Parameters
    ----------
    most : int, tenths of a point a ledger; no score is raised above the start
    """
    for entry in range(rules.n_lists):
        me.list_until[entry] = 0
        me.true_list_until[entry] = 0
    for ledger in range(rules.n_ledgers):
        up = max(0, min(most, rules.start - me.score[ledger]))
        true_up = max(0, min(most, rules.start - me.true_score[ledger]))
        me.score[ledger] += up
        me.true_score[ledger] += true_up
        count(tally, me, POINTS_MOVED, up)
        count(tally, me, TRUE_POINTS_MOVED, true_up)
        year = day // DAYS_PER_YEAR
        for age in range(rules.expiry_years + 1):
            # The oldest records are made good first, so that what was given back leaves with them.
            slot = (year + 1 + age) % (rules.expiry_years + 1)
            part = min(up, max(0, -me.bucket[slot, ledger]))
            true_part = min(true_up, max(0, -me.true_bucket[slot, ledger]))
            me.bucket[slot, ledger] += part
            me.true_bucket[slot, ledger] += true_part
            up -= part
            true_up -= true_part


@inlined
def correct_or_repair(rules, tally, me, seed, day):
    """Correct a file that its owner knows to be false; complete a repair of one that is right."""
    w0, w1, w2, w3 = rng.draw4(seed, rng.CORRECTION, me.citizen, day, 0)
    knows = me.flags & (KNOWS | KNOWS_RECORD)
    if rules.risk and is_by_flag_alone(rules, me):
        knows = me.flags & KNOWS_RECORD  # of the flag she knows that it is there, not what led to it
    if w0 < rules.correction and knows and is_in_error(rules, me):
        set_right(rules, tally, me)
        count(tally, me, CORRECTIONS, 1)
    if w1 < rules.repair and me.on_paper and is_sanctioned(rules, me):
        let_off(rules, tally, me, day, rules.repair_points)
        count(tally, me, REPAIRS, 1)


@inlined
def is_by_flag_alone(rules, me):
    """Tell whether nothing but an unexplained flag of the risk score sanctions a citizen."""
    return me.flags & AT_RISK > 0 and not rules.risk_explain and not is_sanctioned(rules, me)


@inlined
def is_sanctioned(rules, me):
    """Tell whether the records of the file, as it is now, call for any sanction; a risk score aside."""
    found = False
    for ledger in range(rules.n_ledgers):
        found = found or rules.tier_sanctions[ledger, tier_of(rules, me.score[ledger] + me.echo[ledger])] != 0
    for entry in range(rules.n_lists):
        found = found or (me.list_until[entry] > 0 and rules.list_sanctions[entry] != 0)
    return found


@inlined
def expire(rules, tally, me, year):
    """Take the records of the oldest year out of both scores when year number `year` starts.

    A record leaves between `expiry_years` and one year later, at a turn of the year; the year that starts
    takes over its slot.
    """
    slot = year % (rules.expiry_years + 1)
    for ledger in range(rules.n_ledgers):
        before, true_before = me.score[ledger], me.true_score[ledger]
        me.bucket[slot, ledger] = 0
        me.true_bucket[slot, ledger] = 0
        kept, true_kept = rules.start, rules.start
        for year_slot in range(rules.expiry_years + 1):
            kept += me.bucket[year_slot, ledger]
            true_kept += me.true_bucket[year_slot, ledger]
        me.score[ledger] = min(rules.cap, max(rules.floor, kept))
        me.true_score[ledger] = min(rules.cap, max(rules.floor, true_kept))
        count(tally, me, EXPIRED_POINTS, abs(me.score[ledger] - before))
        count(tally, me, POINTS_MOVED, me.score[ledger] - before)
        count(tally, me, TRUE_POINTS_MOVED, me.true_score[ledger] - true_before)


@inlined
def release(rules, tally, me, seed, day):
    """Take a citizen off the lists whose term has run out; sometimes the entry stays behind, stale.

    Only an entry that was right can go stale, and only once: a stale one is found at its own end.

    Returns
    -------
    bool : something has changed
    """
    changed = False
    for entry in range(rules.n_lists):
        until, true_until = me.list_until[entry], me.true_list_until[entry]
        if 0 < true_until <= day:
            me.true_list_until[entry] = 0
            changed = True
        if 0 < until <= day:
            changed = True
            w0, w1, w2, w3 = rng.draw4(seed, rng.TERM, me.citizen, day, rules.list_key[entry])
            if until == true_until and w1 < rules.stale:
                me.list_until[entry] = min(65535, day + rules.stale_days)
                count(tally, me, STALE_DAYS, rules.stale_days)
            else:
                me.list_until[entry] = 0
                count(tally, me, RELEASES + entry, 1)
    return changed
