"""Places: provinces, the counties below them and how many adults live in each.

Provinces carry cited aggregates.  The counties of a province are synthetic subdivisions whose sizes follow
a law that the world file states; a world may also name its districts one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from underheaven.errors import CommandError
from underheaven.world.schema import World


@dataclass(frozen=True)
class Places:
    """Where people live.

    Parameters
    ----------
    names : of the counties
    provinces : names
    province_of : int64[county]
    tiles : (row, column) of each province on a map of tiles
    county_tiles : (row, column) of each county: its own where the file gives one, else that of its province
    sizes : int64[county], adults
    full_sizes : int64[county], adults that the file gives the county, before `--people` scaled it
    people : their sum
    urban_share : float64[county]; `urban` the same as exact fractions
    urban_mean : urban share of the world before `--people` scaled it
    ages : shares of the five age bands, by province
    """

    names: list[str]
    provinces: list[str]
    province_of: NDArray[np.int64]
    tiles: list[tuple[int, int]]
    county_tiles: list[tuple[int, int]]
    sizes: NDArray[np.int64]
    full_sizes: NDArray[np.int64]
    people: int
    urban_share: NDArray[np.float64]
    urban: tuple[Fraction, ...]
    urban_mean: Fraction
    ages: tuple[tuple[Fraction, ...], ...]


def build_places(world: World) -> Places:
    """Lay out the counties of a world.

    Raises
    ------
    CommandError : fewer people than counties
    """
    rules = world.places
    names: list[str] = []
    weights: list[int] = []
    urban: list[Fraction] = []
    province_of: list[int] = []
    own_tiles: list[tuple[int, int] | None] = []
    if rules.districts:
        for district in rules.districts:
            names.append(district.name)
            weights.append(district.people.value)
            urban.append(district.urban.exact)
            own_tiles.append(district.tile)
        province_of = [0] * len(names)
    else:
        assert rules.counties_per_million is not None and rules.largest_to_smallest is not None  # checked on reading
        for province, row in enumerate(rules.rows):
            adults = row.adults(world.traits.age.split.exact)
            n = max(1, round(row.population * rules.counties_per_million.exact / 1_000_000))
            sizes = apportion(adults, rank_sizes(n, rules.largest_to_smallest.exact))
            names += [f"{row.name} {number + 1:03d}" for number in range(n)]
            weights += sizes
            urban += [row.urban] * n
            province_of += [province] * n
            own_tiles += [None] * n
    if world.people < len(names):
        raise CommandError.out_of_range("people", world.people, f"{len(names)} or more: one in each county")
    provinces = [row.name for row in rules.rows] or [world.title]
    tiles = [rules.tiles.get(name, _default_tile(i, len(provinces))) for i, name in enumerate(provinces)]
    sizes_scaled = np.array(apportion(world.people, weights), np.int64)
    by_district = [
        tile or (_default_tile(i, len(names)) if rules.districts else tiles[province_of[i]])
        for i, tile in enumerate(own_tiles)
    ]
    return Places(
        names=names,
        provinces=provinces,
        province_of=np.array(province_of, np.int64),
        tiles=tiles,
        county_tiles=by_district,
        sizes=sizes_scaled,
        full_sizes=np.array(weights, np.int64),
        people=world.people,
        urban_share=np.array([float(share) for share in urban], np.float64),
        urban=tuple(urban),
        urban_mean=sum((w * u for w, u in zip(weights, urban, strict=True)), Fraction(0)) / sum(weights),
        ages=tuple(world.ages_of(row) for row in rules.rows) or (world.ages_of(None),),
    )


def rank_sizes(n: int, largest_to_smallest: Fraction) -> list[int]:
    """Return the weights of `n` counties: that of rank r is in proportion to 1 / (r + c), r = 0 .. n - 1.

    Parameters
    ----------
    n : int
    largest_to_smallest : ratio of the first to the last, 1 or more; it fixes c (the rank-size rule has c = 1)
    """
    if n == 1 or largest_to_smallest == 1:
        return [1] * n
    shift = Fraction(n - 1) / (largest_to_smallest - 1)
    return [int(10**9 / (rank + shift)) for rank in range(n)]


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Share out `total` in proportion to the weights: at least 1 each, the rest by largest remainder.

    Parameters
    ----------
    total : int, at least as many as there are weights
    weights : above 0

    Returns
    -------
    list of int : they add up to `total`; of equal remainders the first comes first
    """
    parts = [1] * len(weights)
    left, whole = total, sum(weights)
    above = list(range(len(weights)))
    while small := {i for i in above if weights[i] * left < whole}:
        # Whoever would get less than one gets one; the others share the rest.
        left -= len(small)
        whole -= sum(weights[i] for i in small)
        above = [i for i in above if i not in small]
    for i in above:
        parts[i] = weights[i] * left // whole
    missing = total - sum(parts)
    for i in sorted(above, key=lambda i: (-(weights[i] * left % whole), i))[:missing]:
        parts[i] += 1
    return parts


def _default_tile(number: int, n: int) -> tuple[int, int]:
    """Return a place on a square of tiles, row by row."""
    width = max(1, int(np.ceil(np.sqrt(n))))
    return number // width, number % width
