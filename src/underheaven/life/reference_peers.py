"""The oracle's part on what reaches a citizen from others of her block: the ratings that her contacts give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from underheaven import rng
from underheaven.life.reference_rules import ONE_FACTOR, TENTHS, Rulebook, fixed
from underheaven.regime.sections.peers import Peers
from underheaven.rng import draw4, threshold

if TYPE_CHECKING:
    from underheaven.life.reference import Oracle, Person


@dataclass(frozen=True)
class Rated:
    """The ratings that a citizen got as a window starts.

    Parameters
    ----------
    n : how many
    mean : of them, in tenths of a point above the floor, weighted as the regime says
    true_mean : of what her conduct alone would have earned
    raised, lowered : how many gave more, and less, than that
    n_friends, friends_scores : her friends, and the sum of their scores in 255ths of the scale
    """

    n: int = 0
    mean: int = 0
    true_mean: int = 0
    raised: int = 0
    lowered: int = 0
    n_friends: int = 0
    friends_scores: int = 0


@dataclass(frozen=True)
class Others:
    """All that reaches a citizen from others of her block as a window starts, but for what she hears.

    Parameters
    ----------
    rated : the ratings that she got
    kin : bit s: service s sanctions another of her household by the file; bit 8 + s: it would by the truth
    echo : what her friends' scores bring onto hers, in the file and in truth, ledger after ledger
    called : friends whose file calls for a sanction, believed and in truth
    """

    rated: Rated = Rated()
    kin: int = 0
    echo: tuple[int, ...] = ()
    called: tuple[int, int] = (0, 0)


NOBODY = Others()


class Stars:
    """The numbers of peer rating in a world, in tenths of a point above the floor."""

    def __init__(self, peers: Peers, rules: Rulebook) -> None:
        score = rules.regime.score
        assert score is not None  # a regime with ratings has a score
        self.peers, self.floor = peers, score.floor.value * TENTHS
        self.room = score.cap.value * TENTHS - self.floor
        self.star = self.room // 4
        self.rate = threshold(1 - (1 - min(Fraction(1), peers.rate.per_day)) ** rules.world.exchange_days)
        self.earns = {level: self._tenths(stars - 1) for level, stars in peers.conduct.exact.items()}
        self.mood, self.strained = (self._tenths(n.exact) if n else 0 for n in (peers.mood, peers.strained))
        self.deference = fixed(peers.deference.exact) if peers.deference else 0
        self.pull = fixed(peers.pull.exact)
        self.scorned: int | None = None
        self.scorn: int = 0
        if peers.prejudice is not None:
            self.scorned = rules.world.levels["group"].index(peers.prejudice.against)
            self.scorn = self._tenths(peers.prejudice.stars.exact)
        fall = rules.world.response.fall_strain
        self.fall_strain = fall.value if fall else 0

    def _tenths(self, stars: Fraction) -> int:
        return int(stars * self.star + Fraction(1, 2))

    def given(self, value: int, word: int) -> int:
        """Return a rating, kept within one to five stars, as the regime writes it."""
        value = max(0, min(4 * self.star, value))
        if not self.peers.whole_stars:
            return value
        return (value + (word * self.star >> 32)) // self.star * self.star

    def finest(self, score: int) -> int:
        """Return a score in 255ths of the scale."""
        return (score - self.floor) * 255 // self.room

    def moved(self, way: int, word: int) -> int:
        """Return the part of a way that a score goes."""
        return (self.pull * way + (word >> 16)) // ONE_FACTOR


def ratings(oracle: Oracle, block: int, people: Sequence[Person], day: int) -> list[Rated]:
    """Return the ratings that each citizen of a block gets as a window starts."""
    stars = oracle.stars
    if stars is None:
        return [Rated()] * len(people)
    masks = oracle._masks(block, len(people))
    return [_rated(oracle.seed, stars, masks, people, local, day) for local in range(len(people))]


def _rated(seed: int, stars: Stars, masks: Sequence[int], people: Sequence[Person], local: int, day: int) -> Rated:
    me = people[local]
    friends = {k: local ^ mask for k, mask in enumerate(masks) if local ^ mask < len(people)}
    contacts = dict(friends)
    if stars.peers.household:
        head = max(at for at in range(local + 1) if people[at].is_head)
        end = next((at for at in range(head + 1, len(people)) if people[at].is_head), len(people))
        contacts |= {8 + at - head: at for at in range(head, end) if at != local}
    got = []  # weight, rating, what conduct earned
    for k, at in contacts.items():
        words, rater = draw4(seed, rng.RATING, me.citizen, day, k), people[at]
        if words[0] < stars.rate:
            earned = _earned(stars, me, words[1])
            above = _score(me) - _score(rater)
            felt = earned + (stars.deference * above) // ONE_FACTOR - _scorn(stars, me, rater)
            weight = _score(rater) - stars.floor + stars.star if stars.peers.weighted else 1
            got.append((weight, stars.given(felt, words[2]), stars.given(earned, words[2])))
    rated = Rated(
        n=len(got),
        mean=_rounded(sum(w * given for w, given, _ in got), sum(w for w, _, _ in got)),
        true_mean=_rounded(sum(earned for _, _, earned in got), len(got)),
        raised=sum(given > earned for _, given, earned in got),
        lowered=sum(given < earned for _, given, earned in got),
        n_friends=len(friends),
        friends_scores=sum(stars.finest(_score(people[at])) for at in friends.values()),
    )
    return rated


def _score(me: Person) -> int:
    (score,) = me.filed.score.values()
    return score


def _standing(me: Person) -> int:
    (ledger,) = me.filed.score
    return me.filed.standing(ledger)


def _earned(stars: Stars, me: Person, word: int) -> int:
    level = str(me.traits["conscientiousness"] + 1)
    mood = ((2 * stars.mood + 1) * (word >> 16) >> 16) - stars.mood
    return stars.earns[level] + mood - stars.strained * me.strain // 255


def _scorn(stars: Stars, me: Person, rater: Person) -> int:
    if stars.scorned is None or me.traits["group"] != stars.scorned or rater.traits["group"] == stars.scorned:
        return 0
    return stars.scorn


def _rounded(part: int, whole: int) -> int:
    return int(Fraction(part, whole) + Fraction(1, 2)) if whole else 0


def take_ratings(oracle: Oracle, me: Person, day: int, rated: Rated) -> bool:
    """Count her ties, move her scores by the ratings, and tell whether there were any."""
    stars = oracle.stars
    if stars is None:
        return False
    own = stars.finest(_score(me))
    me.counts["tie_ends"] += rated.n_friends
    me.counts["tie_scores"] += rated.n_friends * own
    me.counts["tie_squares"] += rated.n_friends * own * own
    me.counts["tie_products"] += rated.friends_scores * own
    if not rated.n:
        return False
    for name, amount in (("ratings", rated.n), ("ratings_raised", rated.raised), ("ratings_lowered", rated.lowered)):
        me.counts[name] += amount
    word = draw4(oracle.seed, rng.RATING, me.citizen, day, 255)[0]
    before = oracle.tier_of(_standing(me))
    for side, mean, counter in (
        (me.filed, rated.mean, "points_moved"),
        (me.true, rated.true_mean, "true_points_moved"),
    ):
        for ledger, score in side.score.items():
            moved = stars.moved(stars.floor + mean - score, word)
            side.score[ledger] = score + moved
            me.counts[counter] += moved
    names = oracle.regime.tier_names
    if names.index(oracle.tier_of(_standing(me))) > names.index(before):
        me.strain = min(255, me.strain + stars.fall_strain)
        me.counts["rating_falls"] += 1
    given, earned = (1 + Fraction(mean, stars.star) for mean in (rated.mean, rated.true_mean))
    oracle._tell(me, day, "rated", "", "peers", by=rated.n, stars=float(given), earned=float(earned))
    return True
