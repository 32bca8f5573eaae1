"""PEERS: people rate each other, and the score of each follows what the others gave.

What a contact gives has a part that conduct earned and parts that it did not: deference to whoever stands above,
contempt for whoever stands below, prejudice; and it counts by the rater's own standing.  The true score follows the
same ratings as conduct alone would have earned them, each counted once.

Ratings are kept in tenths of a point above the floor, where one star is 0 and five stars are four times `peer_star`.
"""

from __future__ import annotations

from underheaven import rng
from underheaven.compiled import inlined
from underheaven.life.counters import (
    POINTS_MOVED,
    RATING_FALLS,
    RATINGS,
    RATINGS_LOWERED,
    RATINGS_RAISED,
    TIE_ENDS,
    TIE_PRODUCTS,
    TIE_SCORES,
    TIE_SQUARES,
    TRUE_POINTS_MOVED,
)
from underheaven.life.response import raise_strain
from underheaven.life.standing import tier_of
from underheaven.life.tally import count
from underheaven.world.people import IS_HEAD
from underheaven.world.schema import MAX_HOUSEHOLD

HOUSEMATE = 8  # first number of a contact in the household; friends have 0 .. 7
OWN_MOVE = 255  # the draw that rounds the move of her score
FINEST = 255  # steps of the scale on which scores at the two ends of a tie are compared

# What raters hand to a citizen: the columns of `Scratch.rated`.
N_RATINGS, MEAN, TRUE_MEAN, RAISED, LOWERED, N_FRIENDS, FRIENDS_SCORES = range(7)


@inlined
def rate_each_other(rules, state, seed, day, first, row, size, scratch):
    """Let the contacts of everybody in a block rate her, by how things stand as the window starts.

    Parameters
    ----------
    rules : RULES record
    state : State, only read
    seed, day : key of the draws
    first, row, size : int, first citizen of the block, her row of the columns, and how many there are
    scratch : Scratch; `traits` and `masks` are read, `rated` is overwritten
    """
    rated = scratch.rated
    for local in range(size):
        for column in range(7):
            rated[local, column] = 0
        head = local
        if rules.peer_household:
            while head > 0 and not int(scratch.traits[head]) & IS_HEAD:
                head -= 1
        weights, given, earned = 0, 0, 0
        for contact in range(HOUSEMATE + MAX_HOUSEHOLD):
            if contact < HOUSEMATE:
                if contact >= rules.n_ties:
                    continue
                rater = local ^ scratch.masks[contact]
                if rater >= size:
                    continue
                rated[local, N_FRIENDS] += 1
                rated[local, FRIENDS_SCORES] += on_finest(rules, state.score[0, row + rater])
            else:
                if not rules.peer_household:
                    break
                rater = head + contact - HOUSEMATE
                if rater >= size or (rater > head and int(scratch.traits[rater]) & IS_HEAD):
                    break
                if rater == local:
                    continue
            w0, w1, w2, w3 = rng.draw4(seed, rng.RATING, first + local, day, contact)
            if w0 >= rules.peer_rate:
                continue
            above = int(state.score[0, row + local]) - int(state.score[0, row + rater])
            traits, raters = int(scratch.traits[local]), int(scratch.traits[rater])
            honest = conduct(rules, traits, state.strain[row + local], w1)
            fair = to_stars(rules, honest, w2)
            stars = to_stars(rules, honest + ((rules.peer_deference * above) >> 16) - scorn(rules, traits, raters), w2)
            weight = 1
            if rules.peer_weighted:
                weight = int(state.score[0, row + rater]) - rules.floor + rules.peer_star
            rated[local, N_RATINGS] += 1
            rated[local, RAISED] += int(stars > fair)
            rated[local, LOWERED] += int(stars < fair)
            weights += weight
            given += weight * stars
            earned += fair
        if weights > 0:
            rated[local, MEAN] = (2 * given + weights) // (2 * weights)
            n = rated[local, N_RATINGS]
            rated[local, TRUE_MEAN] = (2 * earned + n) // (2 * n)


@inlined
def conduct(rules, traits, strain, word):
    """Return what somebody's conduct earns of one rater: by conscientiousness, strain and the mood of the day."""
    mood = (((2 * rules.peer_mood + 1) * (word >> 16)) >> 16) - rules.peer_mood
    return rules.peer_conduct[(traits >> 13) & 7] + mood - rules.peer_strained * int(strain) // 255


@inlined
def scorn(rules, traits, raters):
    """Return what the rater takes off for the group of the rated, if it is another."""
    group = (traits >> 11) & 3
    return rules.peer_prejudice[group] if group != (raters >> 11) & 3 else 0


@inlined
def to_stars(rules, value, word):
    """Return a rating within one to five stars; whole stars are rounded up or down at random, so the mean stays."""
    star = rules.peer_star
    value = min(4 * star, max(0, value))
    if rules.peer_whole:
        value = (value + ((word * star) >> 32)) // star * star
    return value


@inlined
def on_finest(rules, score):
    """Return a score on a scale of 0 .. 255, so that sums of products over a nation fit into 64 bits."""
    return (int(score) - rules.floor) * FINEST // (rules.cap - rules.floor)


@inlined
def take_ratings(rules, tally, me, seed, day, rated):
    """Move a citizen's scores towards the mean of the ratings that she got; a fall to a lower tier strains her.

    Parameters
    ----------
    rated : int64[7], her row of `Scratch.rated`

    Returns
    -------
    bool : she was rated, so her standing is to be settled
    """
    own, n_friends = on_finest(rules, me.score[0]), rated[N_FRIENDS]
    count(tally, me, TIE_ENDS, n_friends)
    count(tally, me, TIE_SCORES, n_friends * own)
    count(tally, me, TIE_SQUARES, n_friends * own * own)
    count(tally, me, TIE_PRODUCTS, own * rated[FRIENDS_SCORES])
    if rated[N_RATINGS] == 0:
        return False
    count(tally, me, RATINGS, rated[N_RATINGS])
    count(tally, me, RATINGS_RAISED, rated[RAISED])
    count(tally, me, RATINGS_LOWERED, rated[LOWERED])
    w0, w1, w2, w3 = rng.draw4(seed, rng.RATING, me.citizen, day, OWN_MOVE)
    before = tier_of(rules, me.score[0] + me.echo[0])
    moved = move(rules, rules.floor + rated[MEAN] - me.score[0], w0)
    me.score[0] += moved
    count(tally, me, POINTS_MOVED, moved)
    moved = move(rules, rules.floor + rated[TRUE_MEAN] - me.true_score[0], w0)
    me.true_score[0] += moved
    count(tally, me, TRUE_POINTS_MOVED, moved)
    if tier_of(rules, me.score[0] + me.echo[0]) > before:
        raise_strain(me, rules.peer_fall_strain)
        count(tally, me, RATING_FALLS, 1)
    return True


@inlined
def move(rules, way, word):
    """Return the part `pull` of a way, rounded up or down at random so that the mean is exact."""
    return (rules.peer_pull * way + (word >> 16)) >> 16
