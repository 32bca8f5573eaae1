"""`peers`: people rate each other in stars, and the score follows what they are given."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, StrictBool, model_validator

from underheaven.life.tables import POINT, UNIT
from underheaven.reading import Factor, Finding, Findings, Levels, Number, Rate, Section, fault, number_text, passed
from underheaven.regime.units import Name, PerExchange
from underheaven.rng import threshold

if TYPE_CHECKING:
    from underheaven.regime.schema import Regime
    from underheaven.world.schema import World

FEWEST, MOST = 1, 5  # stars
LEVELS = tuple(str(level + 1) for level in range(8))  # of conscientiousness


def _stars(number: Number) -> Number:
    """Take a difference between two ratings."""
    if not 0 <= number.exact <= MOST - FEWEST:
        text = f"{number.text()} stars are no difference between two ratings; write a number within 0 .. 4"
        raise fault("UH113", text)
    return number


Stars = Annotated[Number, AfterValidator(_stars)]


class Prejudice(Section):
    """People of other groups give people of this group so many stars less than they earn."""

    against: Name
    stars: Stars


class Peers(Section):
    """Ratings of 1 to 5 stars among friends (and, with `household`, those who live together).

    The floor of the score is one star and the cap five.  `rate` says how often each contact rates her; within a
    window at most one of these ratings counts.  A rating is what her conduct earns (`conduct`, by conscientiousness,
    up or down by at most `mood`, lower by `strained` at fullest strain), plus `deference` times the stars by which
    she stands above the rater, less `prejudice`.  In each window the score goes the part `pull` of its way to the
    mean of the ratings, where with `weighted` a rating counts as many times as its rater has stars.
    """

    rate: Rate
    household: StrictBool = False
    conduct: Levels
    mood: Stars | None = None
    strained: Stars | None = None
    deference: Factor | None = None
    prejudice: Prejudice | None = None
    weighted: StrictBool
    whole_stars: StrictBool = True
    pull: PerExchange

    @model_validator(mode="after")
    def _check(self) -> Peers:
        return passed(self, _sound)


def _sound(found: Peers) -> Findings:
    """Check that all levels of conduct are there and are stars, and that deference does not feed on itself."""
    for level in found.conduct.values:
        if level not in LEVELS:
            text = f"'{level}' is no level of conscientiousness; write 1 (least) to 8"
            yield Finding(("conduct", "values", level), text)
    missing = [level for level in LEVELS if level not in found.conduct.values]
    if missing:
        text = f"conduct of level {', '.join(missing)} is missing; write the stars of all levels 1 to 8"
        yield Finding(("conduct", "values"), text)
    for level, stars in found.conduct.values.items():
        if not FEWEST <= stars <= MOST:
            text = f"a rating has 1 to 5 stars, not {number_text(stars)}; write a number within 1 .. 5"
            yield Finding(("conduct", "values", level), text)
    if found.deference is not None and found.deference.exact > 1:
        text = f"a deference of {found.deference.text()} would add more stars than people stand apart; write 1 or less"
        yield Finding(("deference", "value"), text)


def fits(found: Regime) -> Findings:
    """Check that there is one score that ratings can move, and that nothing else unmakes what they did."""
    if found.peers is None:
        return
    if found.score is None:
        yield Finding(("peers",), "ratings move a score, and there is none; write `score:` with start, floor and cap")
    if found.context_wall:
        yield Finding(("context_wall",), "ratings make one score of everything; take the wall out, or `peers`")
    if found.remedies.expiry is not None:
        text = "old ratings fade by `pull` and leave no record that could expire; take `expiry` out, or `peers`"
        yield Finding(("remedies", "expiry"), text)


def put_peers(rules: Any, regime: Regime, world: World) -> None:
    """Fill in the numbers of peer rating; without it they stay 0."""
    peers, score, tables = regime.peers, regime.score, rules[0]
    if peers is None or score is None:
        return
    star = (score.cap.value - score.floor.value) * POINT // (MOST - FEWEST)

    def tenths(stars: Number | None) -> int:
        return 0 if stars is None else int(stars.exact * star + Fraction(1, 2))

    tables["peers"] = 1
    tables["peer_rate"] = threshold(1 - (1 - min(Fraction(1), peers.rate.per_day)) ** world.exchange_days)
    tables["peer_household"] = int(peers.household)
    tables["peer_star"] = star
    tables["peer_whole"] = int(peers.whole_stars)
    tables["peer_conduct"] = [int((stars - FEWEST) * star + Fraction(1, 2)) for stars in _in_order(peers.conduct.exact)]
    tables["peer_mood"], tables["peer_strained"] = tenths(peers.mood), tenths(peers.strained)
    tables["peer_deference"] = 0 if peers.deference is None else int(peers.deference.exact * UNIT + Fraction(1, 2))
    if peers.prejudice is not None:
        tables["peer_prejudice"][world.levels["group"].index(peers.prejudice.against)] = tenths(peers.prejudice.stars)
    tables["peer_weighted"] = int(peers.weighted)
    tables["peer_pull"] = int(peers.pull.exact * UNIT + Fraction(1, 2))
    fall = world.response.fall_strain
    tables["peer_fall_strain"] = 0 if fall is None else fall.value


def _in_order(levels: Mapping[str, Fraction]) -> list[Fraction]:
    return [levels[level] for level in LEVELS]
