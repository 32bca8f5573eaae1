"""TREATMENT: what a service does with a person of this standing."""

from __future__ import annotations

from underheaven.compiled import inlined
from underheaven.life.acts import own_propensity
from underheaven.life.association import kin_refuses
from underheaven.life.awareness import BY_SANCTION, become_aware, enjoy_perk
from underheaven.life.counters import (
    KIN_REFUSED,
    KIN_WRONGLY_REFUSED,
    PEOPLE_REFUSED,
    PEOPLE_WRONGLY_REFUSED,
    PERK,
    REFUSED,
    USED,
    VISITS_RANK,
    VISITS_TIER,
    WAIT_TIER,
    WRONGLY_REFUSED,
)
from underheaven.life.remedies import learn
from underheaven.life.response import raise_strain
from underheaven.life.standing import chance_of_refusal, rank_of
from underheaven.life.state import AT_RISK, KNOWS, TRULY_AT_RISK, WAS_WRONGLY_REFUSED
from underheaven.life.tables import N_ACTS
from underheaven.life.tally import count, count_activity

NORMAL = 1  # the middle class of a queue


@inlined
def use(rules, place, tally, me, seed, day, activity, accept, word):
    """Meet one wish to use a service: refused, with a perk, or at a place in the queue.

    Parameters
    ----------
    accept, word : int, draws: whether the candidate is a wish, and whether it is refused
    """
    if accept >= own_propensity(rules, me, activity):
        return
    count_activity(tally, me, activity, USED, 1)
    service = activity - N_ACTS
    tier = me.ledger_tier[max(0, rules.service_ledger[service])]
    flag = me.flags & AT_RISK
    chance = asked(rules, place, service, chance_of_refusal(rules, service, tier, me.list_until, flag))
    is_for_own = me.in_force > 0 and word < chance
    if is_for_own or (rules.kin_services and kin_refuses(rules, me.kin, service, word)):
        refuse(rules, place, tally, me, seed, day, activity, word, is_for_own)
        return
    is_sanctioned_here = (me.on_paper >> service) & 1
    if rules.perk_tier[service, tier] and not is_sanctioned_here:
        count_activity(tally, me, activity, PERK, 1)
        enjoy_perk(rules, tally, me)
    if rules.is_hospital[service]:
        rank = rank_of(rules, service, tier, me.list_until, me.flags & AT_RISK)
        if is_sanctioned_here:
            rank = max(rank, NORMAL)  # what one rule gives another has taken away
        if not me.in_force:
            rank = min(rank, NORMAL)  # a suspended sanction puts nobody last
        count(tally, me, VISITS_RANK + rank, 1)
        count(tally, me, VISITS_TIER + rules.tier_column[me.tier], 1)
        count(tally, me, WAIT_TIER + rules.tier_column[me.tier], place.wait_minutes[rank])


@inlined
def asked(rules, place, service, chance):
    """Return what is left of a chance of refusal where only some employers or lenders ask for the file."""
    return (chance * place.screening[service]) >> 16 if rules.screened[service] else chance


@inlined
def refuse(rules, place, tally, me, seed, day, activity, word, is_for_own):
    """Refuse a service; people and transactions are counted apart; by it she learns of her file.

    The same draw is held against what the truth would have called for, so that the two differ only where
    the file is wrong.  Whoever is refused for the sake of others of her household only learns nothing of her own file.
    """
    service = activity - N_ACTS
    count_activity(tally, me, activity, REFUSED, 1)
    if not (me.refused >> service) & 1:
        me.refused |= 1 << service
        count_activity(tally, me, activity, PEOPLE_REFUSED, 1)
    true_tier = me.true_ledger_tier[max(0, rules.service_ledger[service])]
    if not is_for_own:
        count(tally, me, KIN_REFUSED, 1)
    chance = chance_of_refusal(rules, service, true_tier, me.true_list_until, me.flags & TRULY_AT_RISK)
    is_deserved = word < asked(rules, place, service, chance)
    if not (is_deserved or (rules.kin_services and kin_refuses(rules, me.true_kin, service, word))):
        count_activity(tally, me, activity, WRONGLY_REFUSED, 1)
        if not is_for_own:
            count(tally, me, KIN_WRONGLY_REFUSED, 1)
        become_aware(rules, tally, me, BY_SANCTION, True)
        if not me.flags & WAS_WRONGLY_REFUSED:
            me.flags |= WAS_WRONGLY_REFUSED
            count(tally, me, PEOPLE_WRONGLY_REFUSED, 1)
    raise_strain(me, rules.refused_strain[service])
    if is_for_own and not me.flags & KNOWS:
        learn(rules, place, tally, me, seed, day)
