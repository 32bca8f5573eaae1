"""The oracle's part on association: what a citizen bears for her household and for her friends."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from underheaven.life import state as flag
from underheaven.life.reference_peers import Others
from underheaven.life.reference_rules import fixed
from underheaven.regime.sections.association import Association
from underheaven.rng import threshold

if TYPE_CHECKING:
    from underheaven.life.reference import Oracle, Person

LONGEST_ECHO = 32_767


def association_numbers(association: Association) -> tuple[int, dict[str, int]]:
    """Return the factor of the echo, and by service the chance, as a threshold, of a refusal for another's sake."""
    chances = {name: threshold(chance.exact) for name, chance in association.household.items()}
    return fixed(association.friends.exact) if association.friends else 0, chances


def kin_bits(oracle: Oracle, people: Sequence[Person]) -> list[int]:
    """Return which services sanction another of each citizen's household, in the form of `Others.kin`."""
    if not oracle.kin_chances:
        return [0] * len(people)
    filed, true = [], []
    for me in people:
        oracle.work_out(me)
        # Whoever starts sanctioned meets the sanction on the first day, and before it nobody has.
        was_met = me.flags & flag.WAS_SANCTIONED
        filed.append(_bits(oracle, me.in_force) if was_met else 0)
        truly = bool(me.flags & flag.TRULY_AT_RISK)
        true.append(_bits(oracle, oracle.sanctions(me.true.tiers, me.true.until, truly)))
    found = []
    heads = [at for at, me in enumerate(people) if me.is_head]
    for head, end in zip(heads, [*heads[1:], len(people)], strict=True):
        for local in range(head, end):
            others = [at for at in range(head, end) if at != local]
            bits, true_bits = 0, 0
            for at in others:
                bits, true_bits = bits | filed[at], true_bits | true[at]
            found.append(bits | true_bits << 8 if bits else 0)
    return found


def _bits(oracle: Oracle, services: set[str]) -> int:
    asked = services & oracle.kin_chances.keys()
    return sum(1 << (oracle.world.services[name].stream - 32) for name in asked)


def echo(oracle: Oracle, block: int, people: Sequence[Person]) -> list[tuple[int, ...]]:
    """Return what the scores of friends bring onto each citizen of a block, in the form of `Others.echo`."""
    if not oracle.echo_factor:
        return [()] * len(people)
    masks = oracle._masks(block, len(people))
    found = []
    for local in range(len(people)):
        friends = [people[local ^ mask] for mask in masks if local ^ mask < len(people)]
        row = []
        for ledger in oracle.contexts:
            for sides in ([me.filed for me in friends], [me.true for me in friends]):
                apart = [min(oracle.cap, max(oracle.floor, side.standing(ledger))) - oracle.start for side in sides]
                mean = Fraction(sum(apart), max(1, len(apart)))
                rounded = (mean * oracle.echo_factor / (1 << 16) + Fraction(1, 2)).__floor__()
                row.append(min(LONGEST_ECHO, max(-LONGEST_ECHO, rounded)))
        found.append(tuple(row))
    return found


def take_association(oracle: Oracle, me: Person, day: int, day_to: int, others: Others) -> bool:
    """Take up what household and friends bring onto her; tell whether her standing is to be settled."""
    if oracle.kin_chances:
        me.kin, me.true_kin = (
            {name for name in oracle.kin_chances if bits >> (oracle.world.services[name].stream - 32) & 1}
            for bits in (others.kin, others.kin >> 8)
        )
        if me.kin:
            me.counts["kin_days"] += day_to - day
            if me.kin - me.true_kin:
                me.counts["wrongful_kin_days"] += day_to - day
    if not oracle.echo_factor:
        return False
    before = dict(me.filed.echo), dict(me.true.echo)
    own, true_own = (_tier(oracle, side.score) for side in (me.filed, me.true))
    for number, ledger in enumerate(oracle.contexts):
        me.filed.echo[ledger], me.true.echo[ledger] = others.echo[2 * number], others.echo[2 * number + 1]
    with_friends, true_with = (
        _tier(oracle, {ledger: side.standing(ledger) for ledger in oracle.contexts}) for side in (me.filed, me.true)
    )
    if with_friends < own:
        me.counts["echo_raised_days"] += day_to - day
    if with_friends > own:
        me.counts["echo_lowered_days"] += day_to - day
        if true_with <= true_own:
            me.counts["echo_wrongly_lowered_days"] += day_to - day
        oracle._tell(me, day, "echo", oracle.worst(me.filed.tiers), "association.friends")
    return any(
        was.get(ledger, 0) != side.echo[ledger]
        for was, side in zip(before, (me.filed, me.true), strict=True)
        for ledger in oracle.contexts
    )


def _tier(oracle: Oracle, scores: dict[str, int]) -> int:
    """Return the number of the worst tier of some scores, 0 for the best."""
    names = oracle.regime.tier_names
    return max(names.index(oracle.tier_of(score)) for score in scores.values())
