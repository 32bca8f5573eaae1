"""The oracle's reading of awareness and approval: who learns of the system, of what it represses, and what she thinks.

Written from section 7 of docs/explanation/odd.md, apart from the loop (life/awareness.py, life/opinion.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from underheaven import rng
from underheaven.life import state as flag
from underheaven.regime.schema import Regime
from underheaven.rng import draw4, threshold
from underheaven.world.schema import World

if TYPE_CHECKING:
    from underheaven.life.reference import Person

Tell = Callable[..., None]


class News:
    """How news of the system and of its repression reaches people.

    Parameters
    ----------
    regime, world : as read
    seed : int
    tell : called with (person, day, kind, what, rule) for each news that reaches somebody
    """

    def __init__(self, regime: Regime, world: World, seed: int, tell: Tell) -> None:
        self._rules, self._seed, self._tell = regime.awareness, seed, tell
        press = Fraction(0) if self._rules is None else self._rules.press.per_day
        self.is_new = False  # this window is the first under the regime, though not the first of all
        self._reached = threshold(1 - (1 - press) ** world.exchange_days)

    @property
    def is_kept(self) -> bool:
        """Tell whether the regime says who knows of it; else everybody is taken to."""
        return self._rules is not None

    def by_press(self, me: Person, day: int) -> None:
        """Let the press of a window reach her; as the system begins some know already."""
        if self._rules is None:
            return
        reached, half, let_through, knew = draw4(self._seed, rng.AWARENESS, me.citizen, day, 0)
        if (day == 0 or self.is_new) and knew < threshold(self._rules.known.exact):
            self.reach(me, day, "start", "awareness.known")
        if reached >= self._reached:
            return
        if half >= rng.ONE // 2:
            self.reach(me, day, "press", "awareness.press")
        elif let_through >= threshold(self._rules.censorship.exact):
            self.reach(me, day, "press", "awareness.press", represses=True)

    def reach(self, me: Person, day: int, how: str, rule: str, *, represses: bool = False) -> None:
        """Let news reach her: of the system, and if `represses` of what it represses."""
        if self._rules is None:
            return
        if not me.flags & flag.AWARE:
            me.flags |= flag.AWARE
            me.counts["people_aware"] += 1
            me.counts[f"made_aware/{how}"] += 1
            self._tell(me, day, "aware", how, rule)
        if represses and not me.flags & flag.HEARD_REPRESSION:
            me.flags |= flag.HEARD_REPRESSION
            me.counts["people_heard_repression"] += 1
            me.counts[f"heard_repression/{how}"] += 1
            self._tell(me, day, "hears-repression", how, rule)

    def by_perk(self, me: Person, day: int, rule: str) -> None:
        """Let her learn of the system by a perk."""
        if self._rules is None:
            return
        if not me.flags & flag.HAD_PERK:
            me.flags |= flag.HAD_PERK
            me.counts["people_with_perk"] += 1
        self.reach(me, day, "perk", rule)

    def works_for_points(self, me: Person) -> bool:
        """Tell whether she can do something for the points: only if she knows of the system."""
        return self._rules is None or bool(me.flags & flag.AWARE)


def approval(
    regime: Regime, world: World, seed: int, citizen: int, traits: Mapping[str, int], flags: int, was_refused: bool
) -> int:
    """Return how much a citizen approves of being scored, 0 .. 255.

    Parameters
    ----------
    regime, world : as read; both with what they say of awareness and opinion
    seed, citizen : key of the draws
    traits : level numbers
    flags, was_refused : what has happened to her
    """
    opinion, awareness = world.opinion, regime.awareness
    assert opinion is not None and awareness is not None
    words = draw4(seed, rng.AWARENESS, citizen, 0, 1)
    temper = sum(word // 65_536 for word in words[:3]) - 98_304
    points = opinion.base.value + temper * 2 * opinion.spread.value // 65_536
    for trait, levels in opinion.varies.items():
        points += int(levels.exact.get(world.levels[trait][traits[trait]], Fraction(0)))
    points += opinion.perk.value * bool(flags & flag.HAD_PERK)
    points -= opinion.sanction.value * bool(flags & flag.WAS_SANCTIONED and (flags & flag.KNOWS or was_refused))
    points -= opinion.repression.value * bool(flags & flag.HEARD_REPRESSION)
    if awareness.framing == "order":
        points += opinion.order_framing.value * bool(flags & flag.AWARE)
    return min(255, max(0, points))
