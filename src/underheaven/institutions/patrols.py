"""Where cameras and patrols are sent: by what they have found, by what was done, or evenly.

A place that is watched yields incidents, and incidents bring more watching (Ensign and others 2018, "Runaway
feedback loops in predictive policing", PMLR 81; Lum and Isaac 2016, "To predict and serve?", Significance 13).
The first part moves the cameras of a run from one exchange to the next, in whole numbers.  The second sends single
patrols by chance, as the published experiments do, so that their results can be had from the same rules.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from underheaven import rng
from underheaven.institutions.cameras import Cameras
from underheaven.life.tables import UNIT, Int64
from underheaven.rng import ONE

Rule = Literal["even", "by-records", "by-records-corrected", "by-truth", "hot-spots"]
Words = NDArray[np.uint32]
Floats = NDArray[np.float64]

#: Counts are kept in 1/65536 and stop here, far from the end of 64 bits.
MOST = 1 << 61


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Share out `total` in proportion to the weights, exactly; of equal remainders the first comes first.

    Parameters
    ----------
    total : int, 0 or more
    weights : 0 or more; not all 0, unless `total` is

    Returns
    -------
    list of int : they add up to `total`
    """
    whole = sum(weights)
    if total == 0:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    missing = total - sum(parts)
    for i in sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))[:missing]:
        parts[i] += 1
    return parts


def moved(now: Sequence[int], wanted: Sequence[int], moves: int) -> list[int]:
    """Take a share of what each area has and hand it out in proportion to what is wanted.

    Parameters
    ----------
    now : what each area has
    wanted : weights; if all are 0, everything stays where it is
    moves : share that is moved, as a threshold

    Returns
    -------
    list of int : with the sum of `now`, exactly
    """
    total, whole = sum(now), sum(wanted)
    if whole == 0:
        return list(now)
    mixed = [(ONE - moves) * n * whole + moves * total * w for n, w in zip(now, wanted, strict=True)]
    return largest_remainder(total, mixed)


def hottest(counts: Sequence[int], people: Sequence[int], n_spots: int) -> list[int]:
    """Return the weights of the areas with most records per person: their people, and 0 for all others.

    Areas that tie for the last places share these places, so that no order of the areas decides.  An area without
    a record is never one of them.
    """
    rates = [(count << 64) // heads for count, heads in zip(counts, people, strict=True)]
    ranked = sorted((rate for rate in rates if rate > 0), reverse=True)
    if not ranked:
        return [0] * len(rates)
    last = ranked[min(n_spots, len(ranked)) - 1]
    above, level = sum(rate > last for rate in ranked), ranked.count(last)
    places = min(n_spots - above, level)
    return [
        heads * (level if rate > last else places if rate == last else 0)
        for rate, heads in zip(rates, people, strict=True)
    ]


def corrected(found: int, seen: int) -> int:
    """Count what was found with the inverse of the share that was seen, in 1/65536: an estimate of what was done.

    Parameters
    ----------
    found : int
    seen : int, threshold; where nothing can be seen, nothing is found
    """
    return found * UNIT * ONE // seen if seen > 0 else 0


@dataclass(frozen=True)
class Patrols:
    """A rule by which cameras follow what they find.

    Parameters
    ----------
    rule : `even`: they stay where the law of towns and country puts them.  `by-records`: in proportion to the acts
        that cameras found.  `by-records-corrected`: the same, each found act counted with the inverse of the share
        of acts that is seen there.  `by-truth`: in proportion to the acts done, seen or not (no system could).
        `hot-spots`: only to the places with most found acts per person, in proportion to their people
    moves : share of the cameras that is moved at each exchange, as a threshold
    keep : share of older counts that stays at each exchange, in 1/65536
    hot_spots : number of such places; used by that rule only
    acts : numbers of the acts that cameras look for
    """

    rule: Rule
    moves: int
    keep: int
    hot_spots: int
    acts: tuple[int, ...]

    def remember(self, counts: Sequence[int], found: Sequence[int], done: Sequence[int], seen: Sequence[int]) -> Int64:
        """Add the acts of a window to the fading counts of those before it.

        Parameters
        ----------
        counts : [area] in 1/65536 of an act
        found, done : [area] acts of the window that cameras saw; all of them
        seen : [area] thresholds: the share of acts in view in that window

        Returns
        -------
        int64[area] : in 1/65536 of an act
        """
        if self.rule == "by-records-corrected":
            more = [corrected(f, s) for f, s in zip(found, seen, strict=True)]
        else:
            more = [n * UNIT for n in (done if self.rule == "by-truth" else found)]
        return np.array([min(MOST, (c * self.keep >> 16) + m) for c, m in zip(counts, more, strict=True)], np.int64)

    def wanted(self, counts: Sequence[int], people: Sequence[int]) -> Sequence[int]:
        """Return the weights by which cameras are handed out; all 0: nobody wants any."""
        if self.rule == "even":
            return [0] * len(people)
        return hottest(counts, people, self.hot_spots) if self.rule == "hot-spots" else counts

    def send_on(self, cameras: Sequence[int], counts: Sequence[int], people: Sequence[int]) -> list[int]:
        """Move the cameras of an exchange; their number stays, exactly."""
        return moved(cameras, self.wanted(counts, people), self.moves)


def first_cameras(law: Cameras, urban_share: Int64, people: Int64) -> Int64:
    """Return the cameras of each county before any is moved, int64[county] in 1/65536 of a camera."""
    heads = people.tolist()
    total = int(law.per_1000 * sum(heads) / 1000 * UNIT)
    densities = law.densities(urban_share, people, 0)
    weights = [int(d * n * UNIT) for d, n in zip(densities, heads, strict=True)]
    return np.array(largest_remainder(total, weights), np.int64)


# Single patrols ------------------------------------------------------------------------------------------------------


def words_of(seed: int, n_cities: int, day: int, k: int) -> Words:
    """Draw the four words of each of `n_cities` independent cities, uint32[4, city]."""
    words = np.empty((4, n_cities), np.uint32)
    rng.draw_block(seed, rng.ALLOCATION, 0, n_cities, day, k, words)  # type: ignore[no-untyped-call]
    return words


def send(words: Words, weights: Floats) -> Int64:
    """Send a patrol of each city to one of its areas, by chance in proportion to the weights.

    Parameters
    ----------
    words : uint32[city]
    weights : float64[city, area]

    Returns
    -------
    int64[city] : number of the area
    """
    reached = np.cumsum(weights, axis=1)
    at = words[:, None] * reached[:, -1:] >= reached * float(ONE)
    area: Int64 = at[:, :-1].sum(axis=1).astype(np.int64)
    return area


def keeps(words: Words, weights: Floats, area: Int64) -> NDArray[np.bool_]:
    """Tell whether what was found is counted, where a find counts the less the likelier its area is to be watched.

    A find is kept with the weight of the least watched area over that of its own, which for two areas watched with
    chances p and 1 - p is min(1, (1 - p) / p) (Ensign and others 2018, who draw this lot for their correction).
    """
    own = np.take_along_axis(weights, area[:, None], axis=1)[:, 0]
    kept: NDArray[np.bool_] = words * own < weights.min(axis=1) * float(ONE)
    return kept


def urn(
    seed: int, n_cities: int, n_days: int, start: Sequence[float], finds: Sequence[float], *, is_corrected: bool = False
) -> tuple[Floats, Int64]:
    """Let independent cities send one patrol a day by what was found before: a generalised Pólya urn.

    Parameters
    ----------
    seed : int
    n_cities, n_days : int
    start : [area] counts before the first day
    finds : [area] what a patrol adds to the count of the area that it goes to
    is_corrected : count a find only by the lot of :func:`keeps`

    Returns
    -------
    (float64[city, area], int64[city, area]) : counts at the end; days on which the patrol went there

    Notes
    -----
    Draws: ALLOCATION, with the city in the place of the citizen.
    """
    counts = np.tile(np.array(start, np.float64), (n_cities, 1))
    visits = np.zeros((n_cities, len(start)), np.int64)
    cities, found = np.arange(n_cities), np.array(finds, np.float64)
    for day in range(n_days):
        words = words_of(seed, n_cities, day, 0)
        area = send(words[0], counts)
        added = found[area] * keeps(words[1], counts, area) if is_corrected else found[area]
        visits[cities, area] += 1
        counts[cities, area] += added
    return counts, visits


def incidents(words: Words, mean: float) -> Int64:
    """Return Poisson numbers of incidents, one for each word, by inversion."""
    chance = math.exp(-mean)
    reached, thresholds, n = chance, [int(chance * ONE)], 0
    while reached < 1.0 - 1e-12 and n < 10_000:
        n += 1
        chance = chance * mean / n
        reached += chance
        thresholds.append(int(reached * ONE))
    return np.searchsorted(np.array(thresholds, np.int64), words.astype(np.int64), side="right").astype(np.int64)


def greedy(rates: Sequence[float], n_units: int) -> list[int]:
    """Place units one by one where each is likeliest to find something, if one unit finds one incident at most.

    Parameters
    ----------
    rates : [area] mean incidents a day, Poisson
    n_units : int

    Returns
    -------
    list of int : units by area; of equal areas the first comes first
    """
    placed = [0] * len(rates)
    chance = [math.exp(-rate) for rate in rates]  # of exactly as many incidents as units there
    more = [1.0 - p for p in chance]  # of more incidents than that
    for _ in range(n_units):
        at = max(range(len(rates)), key=lambda i: more[i])
        placed[at] += 1
        chance[at] *= rates[at] / placed[at]
        more[at] -= chance[at]
    return placed
