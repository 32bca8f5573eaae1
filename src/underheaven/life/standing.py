"""STANDING: where the records leave a person: score, tier, lists, and what follows from them."""

from __future__ import annotations

from underheaven.compiled import inlined
from underheaven.life.counters import (
    APPEAL_WAIT_DAYS,
    DENOUNCED_ERROR_DAYS,
    DENOUNCED_WRONGFUL_DAYS,
    FLOW,
    INNOCENT_SANCTION_DAYS,
    LISTED_DAYS,
    RISK_ALONE_DAYS,
    SANCTION_DAYS,
    SUSPENDED_DAYS,
    TIER_DAYS,
    TRUE_TIER_DAYS,
    WRONGFUL_SANCTION_DAYS,
    WRONGLY_LISTED_DAYS,
)
from underheaven.life.state import AT_RISK, HAS_DEMERIT, TRULY_AT_RISK, WAS_DENOUNCED
from underheaven.life.tables import MAX_TIERS, N_SERVICES
from underheaven.life.tally import count

SHAMED = 1 << 8  # a sanction beside those of the services, whose bits are 0 .. 7


@inlined
def tier_of(rules, score):
    """Return the tier of a score (tenths of a point): the best one whose lowest score it reaches."""
    tier = 0
    while tier < rules.n_tiers - 1 and score < rules.cutoffs[tier]:
        tier += 1
    return tier


@inlined
def settle(rules, tally, me):
    """Work out what a citizen's scores and lists amount to; count a change of tier.

    With several ledgers (context walls) her tier is the worst of them.

    Parameters
    ----------
    rules : RULES record
    tally : TALLY record, added to
    me : PERSON record; tier, true_tier, on_paper, in_force and deserved are set
    """
    before = me.tier
    work_out(rules, me)
    if me.tier != before:
        count(tally, me, FLOW + rules.tier_column[before] * MAX_TIERS + rules.tier_column[me.tier], 1)


@inlined
def work_out(rules, me):
    """Set tiers, on_paper, in_force and deserved from the scores and lists."""
    me.tier, me.true_tier, me.on_paper, me.deserved = 0, 0, 0, 0
    differs = False
    for ledger in range(rules.n_ledgers):
        tier = tier_of(rules, me.score[ledger] + me.echo[ledger])
        true_tier = tier_of(rules, me.true_score[ledger] + me.true_echo[ledger])
        me.ledger_tier[ledger], me.true_ledger_tier[ledger] = tier, true_tier
        me.tier, me.true_tier = max(me.tier, tier), max(me.true_tier, true_tier)
        me.on_paper |= rules.tier_sanctions[ledger, tier]
        me.deserved |= rules.tier_sanctions[ledger, true_tier]
        differs = differs or tier != true_tier
    for entry in range(rules.n_lists):
        is_listed, should_be = me.list_until[entry] > 0, me.true_list_until[entry] > 0
        if is_listed:
            me.on_paper |= rules.list_sanctions[entry]
        if should_be:
            me.deserved |= rules.list_sanctions[entry]
        differs = differs or is_listed != should_be
    if rules.risk:
        is_flagged, should_be = me.flags & AT_RISK, me.flags & TRULY_AT_RISK
        me.risk_alone = int(is_flagged and me.on_paper == 0)
        if is_flagged:
            me.on_paper |= rules.risk_sanctions
        if should_be:
            me.deserved |= rules.risk_sanctions
        differs = differs or (is_flagged > 0) != (should_be > 0)
    in_both = me.on_paper & me.deserved
    if differs and in_both:
        for service in range(N_SERVICES):
            if (in_both >> service) & 1 and is_harsher(rules, me, service):
                me.deserved &= ~(1 << service)
    me.in_force = 0 if rules.appeal_suspends and me.appeal_day > 0 else me.on_paper


@inlined
def is_harsher(rules, me, service):
    """Tell whether a service treats a citizen worse, by her file, than the truth would have it."""
    ledger = max(0, rules.service_ledger[service])  # where no score decides on it, its rows are the same for any tier
    tier, true_tier = me.ledger_tier[ledger], me.true_ledger_tier[ledger]
    flag, true_flag = me.flags & AT_RISK, me.flags & TRULY_AT_RISK
    refused = chance_of_refusal(rules, service, tier, me.list_until, flag)
    should_be = chance_of_refusal(rules, service, true_tier, me.true_list_until, true_flag)
    rank = rank_of(rules, service, tier, me.list_until, flag)
    return refused > should_be or rank > rank_of(rules, service, true_tier, me.true_list_until, true_flag)


@inlined
def chance_of_refusal(rules, service, tier, list_until, is_at_risk):
    """Return the threshold of a refusal to a person of this tier, these lists and this flag (believed or true)."""
    chance = rules.refuse_tier[service, tier]
    for entry in range(rules.n_lists):
        if list_until[entry] > 0:
            chance = max(chance, rules.refuse_list[service, entry])
    if is_at_risk:
        chance = max(chance, rules.risk_refuse[service])
    return chance


@inlined
def rank_of(rules, service, tier, list_until, is_at_risk):
    """Return the rank in a queue (0 first, 1 normal, 2 last) of a person of this tier, these lists and this flag."""
    rank = rules.rank_tier[service, tier]
    for entry in range(rules.n_lists):
        if list_until[entry] > 0:
            rank = max(rank, rules.rank_list[service, entry])
    if is_at_risk:
        rank = max(rank, rules.risk_rank[service])
    return rank


@inlined
def is_in_error(rules, me):
    """Tell whether the file holds something against a citizen that the truth does not."""
    found = False
    for ledger in range(rules.n_ledgers):
        found = found or me.score[ledger] < me.true_score[ledger]
    for entry in range(rules.n_lists):
        found = found or me.list_until[entry] > me.true_list_until[entry]
    return found


@inlined
def account(rules, tally, me, day):
    """Count the days up to `day`, lived under one standing; called before anything touches the file."""
    n_days = day - me.since
    if n_days == 0 or not rules.keeps_file:
        return
    me.since = day
    if rules.n_tiers > 0:
        count(tally, me, TIER_DAYS + rules.tier_column[me.tier], n_days)
        count(tally, me, TRUE_TIER_DAYS + rules.tier_column[me.true_tier], n_days)
    if me.appeal_day > 0:
        count(tally, me, APPEAL_WAIT_DAYS, n_days)
    if me.in_force:
        count(tally, me, SANCTION_DAYS, n_days)
        if me.in_force & ~me.deserved:
            count(tally, me, WRONGFUL_SANCTION_DAYS, n_days)
        if not me.flags & HAS_DEMERIT:
            count(tally, me, INNOCENT_SANCTION_DAYS, n_days)
        if rules.risk and me.risk_alone:
            count(tally, me, RISK_ALONE_DAYS, n_days)
    elif me.on_paper:
        count(tally, me, SUSPENDED_DAYS, n_days)
    if me.flags & WAS_DENOUNCED and is_in_error(rules, me):
        count(tally, me, DENOUNCED_ERROR_DAYS, n_days)
        if me.in_force & ~me.deserved:
            count(tally, me, DENOUNCED_WRONGFUL_DAYS, n_days)
    for entry in range(rules.n_lists):
        if me.list_until[entry] > 0:
            count(tally, me, LISTED_DAYS + entry, n_days)
            if me.true_list_until[entry] == 0:
                count(tally, me, WRONGLY_LISTED_DAYS + entry, n_days)
