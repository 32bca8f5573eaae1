"""ASSOCIATION: what a citizen bears for the company she keeps: her household's sanctions and her friends' scores.

Both are read from the columns as a window starts, before anybody of the block lives it.
"""

from __future__ import annotations

from underheaven.compiled import inlined
from underheaven.life import counters as c
from underheaven.life.standing import tier_of, work_out
from underheaven.life.state import TRULY_AT_RISK, WAS_SANCTIONED, take
from underheaven.life.tally import count
from underheaven.world.people import IS_HEAD

TRUE_KIN = 8  # what the truth would call for stands this many bits higher
MOST_ECHO = 32_767  # tenths of a point; the column has 16 bits


@inlined
def mark_kin(rules, state, me, row, size, scratch):
    """Note for everybody in a block which services sanction another of her household, in the file and in truth.

    Parameters
    ----------
    rules : RULES record
    state : State, only read
    me : PERSON record, overwritten
    row, size : int, row of the block's first citizen in the columns, and how many it has
    scratch : Scratch; `traits` is read, `kin` is overwritten: bit s, a member is sanctioned by service s; bit 8 + s,
        one would be by the truth

    Notes
    -----
    Few are sanctioned, so they are gone through and not all households; what the truth says of the others of a
    household is asked only where the file says something.
    """
    for local in range(size):
        scratch.kin[local] = 0
    for local in range(size):
        if state.flags[row + local] & WAS_SANCTIONED:
            take(rules, state, me, row + local)
            work_out(rules, me)
            bits = me.in_force & rules.kin_services
            if bits:
                mark_others(scratch, local, size, bits)
    for local in range(size):
        if scratch.kin[local]:
            head, end = household(scratch, local, size)
            for member in range(head, end):
                if member != local:
                    take(rules, state, me, row + member)
                    work_out(rules, me)
                    scratch.kin[local] |= (true_sanctions(rules, me) & rules.kin_services) << TRUE_KIN


@inlined
def household(scratch, local, size):
    """Return the numbers, first and end, of the household of a citizen of the block."""
    head, end = local, local + 1
    while head > 0 and not int(scratch.traits[head]) & IS_HEAD:
        head -= 1
    while end < size and not int(scratch.traits[end]) & IS_HEAD:
        end += 1
    return head, end


@inlined
def mark_others(scratch, local, size, bits):
    """Set bits of all others of a citizen's household."""
    head, end = household(scratch, local, size)
    for member in range(head, end):
        if member != local:
            scratch.kin[member] |= bits


@inlined
def true_sanctions(rules, me):
    """Return the services that the truth would have sanction a citizen, in whatever degree."""
    found = 0
    for ledger in range(rules.n_ledgers):
        found |= rules.tier_sanctions[ledger, me.true_ledger_tier[ledger]]
    for entry in range(rules.n_lists):
        if me.true_list_until[entry] > 0:
            found |= rules.list_sanctions[entry]
    if rules.risk and me.flags & TRULY_AT_RISK:
        found |= rules.risk_sanctions
    return found


@inlined
def note_kin(rules, tally, me, kin, n_days):
    """Take up what :func:`mark_kin` found, and count the days of the window that are lived under it."""
    me.kin, me.true_kin = kin & (1 << TRUE_KIN) - 1, kin >> TRUE_KIN
    if me.kin:
        count(tally, me, c.KIN_DAYS, n_days)
        if me.kin & ~me.true_kin:
            count(tally, me, c.WRONGFUL_KIN_DAYS, n_days)


@inlined
def kin_refuses(rules, kin, service, word):
    """Tell whether a service refuses for the sake of others of the household (as the file or as the truth has them)."""
    return ((kin >> service) & 1) > 0 and word < rules.kin_refuse[service]


@inlined
def spread_echo(rules, state, row, size, scratch):
    """Work out what the scores of her friends bring onto everybody in a block.

    Parameters
    ----------
    state : State, only read
    row, size : int
    scratch : Scratch; `masks` is read, `echo` is overwritten: int64[citizen, 2 * ledger + (0: file, 1: truth)]
    """
    for local in range(size):
        for ledger in range(rules.n_ledgers):
            n, filed, true = 0, 0, 0
            for k in range(rules.n_ties):
                friend = local ^ scratch.masks[k]
                if friend < size:
                    at = row + friend
                    n += 1
                    filed += standing_of(rules, state.score[ledger, at], state.echo[ledger, at])
                    true += standing_of(rules, state.true_score[ledger, at], state.true_echo[ledger, at])
            scratch.echo[local, 2 * ledger] = share_of(rules, filed, n)
            scratch.echo[local, 2 * ledger + 1] = share_of(rules, true, n)


@inlined
def standing_of(rules, score, echo):
    """Return how far somebody stands from the start, with what her own friends brought onto her, within the scale."""
    return min(rules.cap, max(rules.floor, int(score) + int(echo))) - rules.start


@inlined
def share_of(rules, distance, n):
    """Return the echo of the mean of n distances, rounded to the nearest tenth of a point."""
    if n == 0:
        return 0
    whole = n << 16
    echo = (2 * rules.echo * distance + whole) // (2 * whole)
    return min(MOST_ECHO, max(-MOST_ECHO, echo))


@inlined
def take_echo(rules, tally, me, echo, n_days):
    """Take up what :func:`spread_echo` found; count the days on which it makes a difference to her tier.

    Returns
    -------
    bool : something has changed
    """
    changed, own, true_own, tier, true_tier = False, 0, 0, 0, 0
    for ledger in range(rules.n_ledgers):
        filed, true = echo[2 * ledger], echo[2 * ledger + 1]
        changed = changed or filed != me.echo[ledger] or true != me.true_echo[ledger]
        me.echo[ledger], me.true_echo[ledger] = filed, true
        own, true_own = max(own, tier_of(rules, me.score[ledger])), max(true_own, tier_of(rules, me.true_score[ledger]))
        tier = max(tier, tier_of(rules, me.score[ledger] + filed))
        true_tier = max(true_tier, tier_of(rules, me.true_score[ledger] + true))
    if tier < own:
        count(tally, me, c.ECHO_RAISED_DAYS, n_days)
    if tier > own:
        count(tally, me, c.ECHO_LOWERED_DAYS, n_days)
        if true_tier <= true_own:
            count(tally, me, c.ECHO_WRONGLY_LOWERED_DAYS, n_days)
    return changed
