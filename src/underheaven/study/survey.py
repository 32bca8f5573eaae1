"""A survey of people who do not exist: how it samples, how it asks, and what it makes of the answers.

Beside what a pollster sees, the direct answers and the counts of a list experiment, stands what is true: what the
people of the sample and of the whole run think.  (Lives are lived again by `engine/poll.py`; here are the rules.)

A list experiment asks how many items of a list somebody agrees with, not with which.  Half of the respondents have
one item more, the sensitive one; the difference of the means estimates how many agree with it (Miller 1984;
Blair and Imai 2012), for nobody can be held to an answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from underheaven import rng
from underheaven.rng import draw4, threshold
from underheaven.study.counts import Z_95
from underheaven.world.sections.opinion import MOST_ITEMS, Opinion

FORMAT = "underheaven-survey/1"
#: Respondents of one place that a pollster visits; a place is (a part of) a community block.
PER_PLACE = 20
FEWEST = 2 * PER_PLACE
# Decisions of stream SURVEY (k): where the sample starts; who is asked, in which order; yes or no to each item.
_START, _PERSON, _ITEMS = 0, 1, 2


@dataclass(frozen=True)
class Respondent:
    """Somebody who was asked.

    Parameters
    ----------
    place : number of the visit at which she was asked
    citizen : number
    approves : what she thinks
    says_so : what she answers if asked directly
    has_long_list : the sensitive item is on her list
    items : how many items of her list she agrees with
    standing : `sanctioned` or `perk` at some time, or `neither`
    """

    place: int
    citizen: int
    approves: bool
    says_so: bool
    has_long_list: bool
    items: int
    standing: str


@dataclass(frozen=True)
class Estimate:
    """A share with its standard error and 95% interval; None where it cannot be measured."""

    share: float | None
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Survey:
    """What a survey found, and what is true.

    Parameters
    ----------
    respondents, places : how many were asked, at how many places
    wave : which sample
    is_informed : everybody was told first what the system represses
    n_items : harmless items of the list
    direct, listed : what the direct question and the list experiment come to
    gap : direct minus listed
    true_in_sample : what the people asked think
    true_in_population : what everybody thinks; None where nobody counted it
    by_standing : respondents, direct answers and the truth by standing
    """

    respondents: int
    places: int
    wave: int
    is_informed: bool
    n_items: int
    direct: Estimate
    listed: Estimate
    gap: Estimate
    true_in_sample: Estimate
    true_in_population: float | None
    by_standing: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, for JSON."""
        return {"format": FORMAT, **asdict(self), "by_standing": list(self.by_standing)}


# Sampling -------------------------------------------------------------------------------------------------------------


def visits(sizes: Sequence[int], n_places: int, seed: int, wave: int) -> list[int]:
    """Return how often each block is visited: a systematic sample in proportion to size.

    Parameters
    ----------
    sizes : people of each block, in the order of the blocks, so that counties are represented in proportion
    n_places : visits in all
    seed, wave : key of the draw

    Notes
    -----
    A block is visited n_places x size / people times on average.  With equally many people at each visit everybody
    has the same chance to be asked.
    """
    people = sum(sizes)
    word = draw4(seed, rng.SURVEY, 0, wave, _START)[0]
    # Visit i goes to the person number (i + u) people / n_places, with u in 2**-32.
    points = [((i << 32) + word) * people // (n_places << 32) for i in range(n_places)]
    found, at, end = [], 0, 0
    for size in sizes:
        end, before = end + size, at
        while at < n_places and points[at] < end:
            at += 1
        found.append(at - before)
    return found


def chosen(first: int, size: int, n_visits: int, per_place: int, seed: int, wave: int) -> list[list[int]]:
    """Return the citizens asked at each visit of a block, a simple random sample; a small block has fewer."""
    order = sorted(range(first, first + size), key=lambda citizen: draw4(seed, rng.SURVEY, citizen, wave, _PERSON)[0])
    return [order[i * per_place : (i + 1) * per_place] for i in range(n_visits)]


# Asking ---------------------------------------------------------------------------------------------------------------


def answers(opinion: Opinion, approves: bool, caution: int, knows_sanction: bool, word: int) -> bool:
    """Return whether somebody says that she approves when asked directly.

    Parameters
    ----------
    opinion : of the world
    approves : what she thinks
    caution : her fear of the file, 0 .. 255
    knows_sanction : she knows of a sanction against her
    word : the draw
    """
    odds = opinion.falsify
    chance = odds.calm.exact + (odds.fearful.exact - odds.calm.exact) * caution / 255
    if knows_sanction:
        chance = max(chance, odds.sanctioned.exact)
    return approves or word < threshold(chance)


def agreed(opinion: Opinion, citizen: int, seed: int, wave: int) -> int:
    """Return with how many of the harmless items somebody agrees."""
    words = [word for k in range(MOST_ITEMS // 4) for word in draw4(seed, rng.SURVEY, citizen, wave, _ITEMS + k)]
    agree = threshold(opinion.items.agree.exact)
    return sum(word < agree for word in words[: opinion.items.number.value])


def has_long_list(number: int, word: int) -> bool:
    """Return whether the person with this number at her place has the long list: every other one, by a keyed start.

    Parameters
    ----------
    number : int, in the order (a random one) in which people are asked there
    word : draw of the first of them
    """
    return (number + (word & 1)) % 2 == 1


# Estimating -----------------------------------------------------------------------------------------------------------


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of the places with its standard error: places are what was drawn, people only within them."""
    n = len(values)
    if n == 0:
        return Estimate(None)
    mean = math.fsum(values) / n
    if n == 1:
        return Estimate(mean)
    error = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n)
    return Estimate(mean, error, mean - Z_95 * error, mean + Z_95 * error)


def by_place(asked: Sequence[Respondent]) -> list[list[Respondent]]:
    """Return the respondents of each place that can be used: there are some with either list."""
    found: dict[int, list[Respondent]] = {}
    for one in asked:
        found.setdefault(one.place, []).append(one)
    return [each for each in found.values() if 0 < sum(one.has_long_list for one in each) < len(each)]


def list_difference(asked: Sequence[Respondent]) -> float:
    """Return how many items more are agreed with on the long lists of one place than on the short ones."""
    long = [one.items for one in asked if one.has_long_list]
    short = [one.items for one in asked if not one.has_long_list]
    return math.fsum(long) / len(long) - math.fsum(short) / len(short)


def summed_up(
    asked: Sequence[Respondent], opinion: Opinion, wave: int, is_informed: bool, true_in_population: float | None
) -> Survey:
    """Return what the answers come to.

    Notes
    -----
    Each place counts the same (they were drawn in proportion to size).  The estimate of the list experiment is the
    mean over places of the difference between lists; it is unbiased, whatever people's items, as lists are dealt at
    random, if nobody changes her count for fear.
    """
    places = by_place(asked)
    direct = [sum(one.says_so for one in each) / len(each) for each in places]
    listed = [list_difference(each) for each in places]
    rows = []
    for standing in ("perk", "neither", "sanctioned"):
        own = [one for one in asked if one.standing == standing]
        rows.append(
            {
                "standing": standing,
                "respondents": len(own),
                "direct": sum(one.says_so for one in own) / len(own) if own else None,
                "true": sum(one.approves for one in own) / len(own) if own else None,
            }
        )
    return Survey(
        respondents=sum(len(each) for each in places),
        places=len(places),
        wave=wave,
        is_informed=is_informed,
        n_items=opinion.items.number.value,
        direct=estimate(direct),
        listed=estimate(listed),
        gap=estimate([a - b for a, b in zip(direct, listed, strict=True)]),
        true_in_sample=estimate([sum(one.approves for one in each) / len(each) for each in places]),
        true_in_population=true_in_population,
        by_standing=tuple(rows),
    )
