"""`association`: what people bear for their household and for their friends."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pydantic import Field

from underheaven.life.tables import N_ACTS, UNIT
from underheaven.reading import Factor, Finding, Findings, Section, did_you_mean
from underheaven.regime.units import Name, PerUse
from underheaven.rng import threshold

if TYPE_CHECKING:
    from underheaven.regime.schema import Regime
    from underheaven.world.schema import World


class Association(Section):
    """Grounds that lie in others.

    `household`: services that refuse a use, with a chance, while they sanction another adult of her household.
    `friends`: the part of the mean distance of her friends' scores from the start that comes onto her own, each
    friend's with what that friend's friends brought onto it.
    """

    household: dict[Name, PerUse] = Field(default_factory=dict)
    friends: Factor | None = None


def fits(found: Regime) -> Findings:
    """Check that somebody can be sanctioned by what others are refused for, and that an echo has an end."""
    if found.association is None:
        return
    for service in found.association.household:
        if service not in found.treatment:
            guess = did_you_mean(service, found.service_names)
            mend = f"did you mean '{guess}'?" if guess else "write a service that stands under `treatment`"
            text = f"'{service}' sanctions nobody by tier or list, so nobody can be refused for another; {mend}"
            yield Finding(("association", "household", service), text)
    friends = found.association.friends
    if friends is not None:
        if found.score is None:
            text = "friends' scores come onto a score, and there is none; write `score:` or take this out"
            yield Finding(("association", "friends"), text)
        if friends.exact >= 1:
            text = f"{friends.text()} of what friends lose would come back as ever more; write less than 1"
            yield Finding(("association", "friends", "value"), text)


def put_association(rules: Any, regime: Regime, world: World) -> None:
    """Fill in the numbers of association; without it they stay 0."""
    association, tables = regime.association, rules[0]
    if association is None:
        return
    for name, chance in association.household.items():
        service = world.services[name].stream - N_ACTS
        tables["kin_services"] |= 1 << service
        tables["kin_refuse"][service] = threshold(chance.exact)
    if association.friends is not None:
        tables["echo"] = int(association.friends.exact * UNIT + Fraction(1, 2))
