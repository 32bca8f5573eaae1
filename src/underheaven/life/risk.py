"""RISK: a learned score of what a person is expected to do, before she has done it.

The model is learnt between windows (institutions/risk_model.py); here its whole-number weights are added up over
what it looks at.  Whoever reaches the cut is flagged for the window, and services treat the flag like a standing.
No record stands behind a flag, so there is nothing in it that could be contested or expire.
"""

from __future__ import annotations

from underheaven.compiled import inlined
from underheaven.life.counters import (
    RISK_CLEARED_DID,
    RISK_CLEARED_DID_NOT,
    RISK_FLAGGED_DID,
    RISK_FLAGGED_DID_NOT,
    RISK_FLAGS,
    RISK_WRONG_WINDOWS,
)
from underheaven.life.standing import tier_of
from underheaven.life.state import AT_RISK, KNOWS, TRULY_AT_RISK
from underheaven.life.tables import RISK_FRIENDS, RISK_LISTED, RISK_REFUSALS, RISK_TIER
from underheaven.life.tally import count


@inlined
def calls_for(rules, score, echo, list_until, row):
    """Return 1 if the scores and lists of a citizen, believed or true, call for any sanction; else 0.

    Parameters
    ----------
    rules : RULES record
    score, echo : int16[ledger, citizen], tenths of a point
    list_until : uint16[list, citizen]
    row : int
    """
    sanctions = 0
    for ledger in range(rules.n_ledgers):
        standing = int(score[ledger, row])
        if rules.echo > 0:
            standing += int(echo[ledger, row])
        sanctions |= rules.tier_sanctions[ledger, tier_of(rules, standing)]
    for entry in range(rules.n_lists):
        if list_until[entry, row] > 0:
            sanctions |= rules.list_sanctions[entry]
    return 1 if sanctions else 0


@inlined
def count_friends(rules, state, row, size, scratch):
    """Count each citizen's friends whose file calls for a sanction, as the window starts, believed and in truth.

    Flags of the risk score do not count, so that a flag does not spread by itself.

    Parameters
    ----------
    rules : RULES record
    state : State
    row, size : int, first row and citizens of the block
    scratch : Scratch, `masks` filled; `friends` is overwritten
    """
    for local in range(size):
        scratch.friends[0, local] = 0
        scratch.friends[1, local] = 0
    for local in range(size):
        believed = calls_for(rules, state.score, state.echo, state.list_until, row + local)
        true = calls_for(rules, state.true_score, state.true_echo, state.true_list_until, row + local)
        if believed or true:
            for k in range(rules.n_ties):
                friend = local ^ scratch.masks[k]
                if friend < size:
                    scratch.friends[0, friend] += believed
                    scratch.friends[1, friend] += true


@inlined
def predict(rules, place, tally, me, friends, true_friends):
    """Flag a citizen, or clear her, as a window starts: by her file, and by what a true file would say.

    Parameters
    ----------
    rules, place : records
    tally, me : records, changed; the standing of `me` has been worked out
    friends, true_friends : int, friends whose file calls for a sanction

    Returns
    -------
    bool : a flag has changed

    Notes
    -----
    Draws: none.  Services that have refused her are known facts, the same on both sides.
    """
    me.has_done = 0
    if not place.risk_on:
        return False
    own = 0
    for slot in range(rules.n_risk_traits):
        own += place.risk_weights[slot, (me.traits >> rules.risk_shift[slot]) & rules.risk_mask[slot]]
    own += place.risk_weights[RISK_REFUSALS, n_bits(me.refused)]
    listed, true_listed = 0, 0
    for entry in range(rules.n_lists):
        listed |= int(me.list_until[entry] > 0)
        true_listed |= int(me.true_list_until[entry] > 0)
    believed = own + place.risk_weights[RISK_TIER, me.tier] + place.risk_weights[RISK_LISTED, listed]
    believed += place.risk_weights[RISK_FRIENDS, friends]
    true = own + place.risk_weights[RISK_TIER, me.true_tier] + place.risk_weights[RISK_LISTED, true_listed]
    true += place.risk_weights[RISK_FRIENDS, true_friends]
    before = me.flags
    me.flags &= ~(AT_RISK | TRULY_AT_RISK)
    if believed >= place.risk_cut:
        me.flags |= AT_RISK
        if not before & AT_RISK:
            count(tally, me, RISK_FLAGS, 1)
        if true < place.risk_cut:
            count(tally, me, RISK_WRONG_WINDOWS, 1)
    if true >= place.risk_cut:
        me.flags |= TRULY_AT_RISK
    if me.risk_alone and not rules.risk_explain and not me.flags & AT_RISK:
        me.flags &= ~KNOWS  # what she had learnt of is over, and it told her nothing of her file
    return me.flags != before


@inlined
def n_bits(word):
    """Return how many bits of a small word are set."""
    found = 0
    while word:
        word &= word - 1
        found += 1
    return found


@inlined
def judge(place, tally, me):
    """Count a window that is over: flagged or not, and whether she did what the flag is about."""
    if not place.risk_on:
        return
    if me.flags & AT_RISK:
        count(tally, me, RISK_FLAGGED_DID if me.has_done else RISK_FLAGGED_DID_NOT, 1)
    else:
        count(tally, me, RISK_CLEARED_DID if me.has_done else RISK_CLEARED_DID_NOT, 1)
