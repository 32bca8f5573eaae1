"""The oracle's reading of a risk score: the weights of a window, added up by name (docs/explanation/odd.md, 7.18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from underheaven.life import state as flag
from underheaven.regime.schema import Regime
from underheaven.world.schema import World

if TYPE_CHECKING:
    from underheaven.life.reference import File, Oracle, Person


class Foresight:
    """What a risk score makes of a citizen.

    Parameters
    ----------
    regime, world : as read
    """

    def __init__(self, regime: Regime, world: World) -> None:
        self.regime, self.world = regime, world
        self._rows = {} if regime.risk is None else regime.risk.rows

    def looks_at(self, feature: str) -> bool:
        """Tell whether the score looks at a feature."""
        return feature in self._rows

    def flag(self, me: Person, place: Mapping[str, Any], called: tuple[int, int]) -> None:
        """Set or clear both flags of a citizen whose standing is worked out.

        Parameters
        ----------
        place : tables of her county
        called : friends whose file calls for a sanction, believed and in truth
        """
        if not self._rows or not place["risk_on"]:
            return
        sides = ((me.filed, me.tier, flag.AT_RISK), (me.true, me.true_tier, flag.TRULY_AT_RISK))
        was_flagged = me.flags & flag.AT_RISK
        for (side, tier, bit), friends in zip(sides, called, strict=True):
            me.flags &= ~bit
            if self.risk(me, side, tier, friends, place["risk_weights"]) >= place["risk_cut"]:
                me.flags |= bit
        if me.flags & flag.AT_RISK:
            me.counts["risk_flags"] += not was_flagged
            me.counts["risk_wrong_windows"] += not me.flags & flag.TRULY_AT_RISK

    def risk(self, me: Person, side: File, tier: str, friends: int, weights: list[list[int]]) -> int:
        """Return the sum of the weights of all that the score looks at, in 1/256 of a logit."""
        levels = {
            **me.traits,
            "tier": self.regime.tier_names.index(tier) if tier else 0,
            "listed": int(bool(side.until)),
            "refusals": len(me.refused),
            "friends": friends,
        }
        return sum(weights[row][levels[feature]] for feature, row in self._rows.items())

    def judge(self, me: Person, place: Mapping[str, Any]) -> None:
        """Count a window that is over."""
        if self._rows and place["risk_on"]:
            flagged = "flagged" if me.flags & flag.AT_RISK else "cleared"
            me.counts[f"risk_windows/{flagged}/{'did' if me.has_done else 'did-nothing'}"] += 1


def friends_called(oracle: Oracle, block: int, people: Sequence[Person]) -> list[tuple[int, int]]:
    """Return how many friends of each citizen of a block have a file that calls for a sanction, believed and in truth.

    Parameters
    ----------
    oracle : of the regime in force
    block : number of the community block
    people : everybody in it, in the order of their numbers, as a window starts
    """
    found = [[0, 0] for _ in people]
    masks = oracle._masks(block, len(people)) if oracle.foresight.looks_at("friends") else []
    for local, me in enumerate(people if masks else []):
        for number, side in enumerate((me.filed, me.true)):
            tiers = {ledger: oracle.tier_of(side.standing(ledger)) for ledger in oracle.contexts}
            if oracle.sanctions(tiers, side.until):
                for mask in masks:
                    if local ^ mask < len(people):
                        found[local ^ mask][number] += 1
    return [(believed, true) for believed, true in found]
