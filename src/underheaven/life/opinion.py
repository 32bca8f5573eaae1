"""Approval of being scored: a number 0 .. 255 that follows from who somebody is and what has happened to her.

It is stored nowhere and moves nothing; observers and pollsters work it out.
"""

from __future__ import annotations

import numpy as np

from underheaven import rng
from underheaven.compiled import compiled, inlined
from underheaven.life.state import AWARE, HAD_PERK, HEARD_REPRESSION, KNOWS, WAS_SANCTIONED
from underheaven.world.people import block_people

_I = np.int64
MOST_TRAITS = 12
APPROVES = 128  # from here on somebody approves
TEMPER = 1  # k of stream AWARENESS, day 0: what else makes people differ

#: What approval is made of (world/sections/opinion.py), compiled.
OPINION = np.dtype(
    [
        ("base", _I),
        ("n_varies", _I),
        ("shift", _I, MOST_TRAITS),  # where a trait lies in the packed traits
        ("mask", _I, MOST_TRAITS),
        ("points", _I, (MOST_TRAITS, 16)),  # what its level adds
        ("spread", _I),
        ("perk", _I),
        ("sanction", _I),
        ("repression", _I),
        ("order_framing", _I),
    ]
)

#: What an observer adds up, by trait, level and standing.
PEOPLE, APPROVAL, APPROVING, APPROVING_IF_TOLD, KNOW_IT, KNOW_REPRESSION = range(6)
N_SUMS = 6
#: Traits that are looked at: their lowest bits and masks in the packed traits.
LOOKED_AT = ("age", "sex", "urban", "education", "income", "group")
_SHIFT = np.array((0, 3, 4, 5, 7, 11), np.int64)
_MASK = np.array((7, 1, 1, 3, 15, 3), np.int64)
#: Standings that are looked at: sanctioned at some time; else a perk at some time; else neither.
STANDINGS = ("sanctioned", "perk", "neither")


@inlined
def approval(opinion, traits, flags, refused, w0, w1, w2):
    """Return how much a citizen approves of being scored, 0 .. 255.

    Parameters
    ----------
    opinion : OPINION record
    traits : int, packed
    flags, refused : int, her columns
    w0, w1, w2 : int, draws (stream AWARENESS, day 0, k = 1)

    Notes
    -----
    The sum of three even draws has nearly a normal law, with half their width as standard deviation.
    """
    temper = (w0 >> 16) + (w1 >> 16) + (w2 >> 16) - 3 * (1 << 15)
    points = opinion.base + ((temper * 2 * opinion.spread) >> 16)
    for slot in range(opinion.n_varies):
        points += opinion.points[slot, (traits >> opinion.shift[slot]) & opinion.mask[slot]]
    if flags & HAD_PERK:
        points += opinion.perk
    if flags & WAS_SANCTIONED and (flags & KNOWS or refused):
        points -= opinion.sanction
    if flags & HEARD_REPRESSION:
        points -= opinion.repression
    if flags & AWARE:
        points += opinion.order_framing
    return min(255, max(0, points))


@compiled
def look_at_opinions(people, seed, opinion_1, flags, refused, kept_traits, scratch, block_from, block_to, sums):
    """Add up what the people of a range of blocks think and know.

    Parameters
    ----------
    people : WorldTables
    seed : int
    opinion_1 : OPINION[1]
    flags, refused : columns of all citizens
    kept_traits : uint32[citizen] packed traits, or [0]: draw them again (same bits)
    scratch : Scratch, of the caller's own
    block_from, block_to : int, half-open range
    sums : int64[trait, level, standing, sum], added to
    """
    opinion = opinion_1[0]
    for block in range(block_from, block_to):
        first = people.block_first[block]
        size = people.block_first[block + 1] - first
        if kept_traits.shape[0] == 0:
            block_people(people, seed, block, scratch.traits, scratch.heads, scratch.words)
        else:
            for local in range(size):
                scratch.traits[local] = kept_traits[first + local]
        rng.draw_block(seed, rng.AWARENESS, first, size, 0, TEMPER, scratch.words)
        for local in range(size):
            traits = int(scratch.traits[local])
            has, turned_away = int(flags[first + local]), int(refused[first + local])
            w0, w1, w2 = int(scratch.words[0, local]), int(scratch.words[1, local]), int(scratch.words[2, local])
            now = approval(opinion, traits, has, turned_away, w0, w1, w2)
            told = approval(opinion, traits, has | AWARE | HEARD_REPRESSION, turned_away, w0, w1, w2)
            standing = 0 if has & WAS_SANCTIONED else 1 if has & HAD_PERK else 2
            for trait in range(_SHIFT.shape[0]):
                level = (traits >> _SHIFT[trait]) & _MASK[trait]
                sums[trait, level, standing, PEOPLE] += 1
                sums[trait, level, standing, APPROVAL] += now
                sums[trait, level, standing, APPROVING] += int(now >= APPROVES)
                sums[trait, level, standing, APPROVING_IF_TOLD] += int(told >= APPROVES)
                sums[trait, level, standing, KNOW_IT] += int(has & AWARE != 0)
                sums[trait, level, standing, KNOW_REPRESSION] += int(has & HEARD_REPRESSION != 0)
