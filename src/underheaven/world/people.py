"""People: every trait of every citizen, as a function of (seed, number) and of the tables of her county.

Nothing about a person is stored or read from anywhere.  A household's traits are keyed by the number of its
first member, a person's by her own, and her block says which county's tables apply; how many others there
are does not enter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from underheaven import rng
from underheaven.compiled import compiled, inlined
from underheaven.reading import Shares
from underheaven.world.places import Places
from underheaven.world.schema import MAX_HOUSEHOLD, TRAITS, World

Int64 = NDArray[np.int64]

#: Bit of the packed traits, beyond those of the traits: she is the first of her household.
IS_HEAD = 1 << 27


class WorldTables(NamedTuple):
    """The tables that traits are drawn from.

    A row of a table named ``*_cum`` holds the cumulative shares of a trait's levels as thresholds, as many as
    the trait's bits can number; a word has the level of the first threshold that it falls below.
    """

    block_first: Int64  # [block + 1] number of the first citizen
    block_county: Int64  # [block]
    urban_cum: NDArray[np.uint32]  # [county, 2]
    group_cum: Int64  # [county, 4]
    age_cum: Int64  # [county, 8]
    household_cum: Int64  # [1, 8] adults
    children_cum: Int64  # [adults - 1, 2]
    income_cum: Int64  # [urban, 16]
    sex_cum: Int64  # [1, 2]
    education_cum: Int64  # [urban * 5 + age, 4]
    occupation_cum: Int64  # [education, 8]
    conscientiousness_cum: Int64  # [1, 8]
    dissent_cum: Int64  # [education * 5 + age, 8]
    travel_cum: Int64  # [income tenth, 4]
    name_cum: Int64  # [1, 4]


def build_tables(world: World, places: Places) -> WorldTables:
    """Turn the world's shares into the tables that traits are drawn from.

    Parameters
    ----------
    world : World
    places : Places, of the same world

    Notes
    -----
    Exact up to the last step, where a cumulative share is rounded to the nearest 2**-32.  How many people
    are simulated enters nowhere but in `block_first` and `block_county`.
    """
    traits, levels = world.traits, world.levels
    first, county = _blocks(places.sizes, world.community)
    urban = np.full((len(places.sizes), 2), rng.MASK32, np.uint32)
    # A county without urban people keeps one chance in 2**32 of one: the threshold has 32 bits.
    urban[:, 0] = [min(rng.threshold(1 - share), rng.MASK32) for share in places.urban]
    adults, children = traits.household.adults.exact, traits.household.children.exact
    sizes = [str(n + 1) for n in range(MAX_HOUSEHOLD)]
    ages, schools = levels["age"], levels["education"]
    schooling = [traits.education[place][age] for place in levels["urban"] for age in ages]
    dissent = [traits.dissent.shares(7, {"education": school, "age": age}) for school in schools for age in ages]

    def rows(trait: str, tables: Iterable[Shares]) -> Int64:
        exact = [table.exact for table in tables]
        return _rows([[shares[level] for level in levels[trait]] for shares in exact], _width(trait))

    return WorldTables(
        block_first=first,
        block_county=county,
        urban_cum=urban,
        group_cum=rows("group", [traits.group.of(name) for name in places.provinces])[places.province_of],
        age_cum=_rows(places.ages, _width("age"))[places.province_of],
        household_cum=_rows([[adults[size] for size in sizes]], 8),
        children_cum=_rows([[1 - children[size], children[size]] for size in sizes], 2),
        income_cum=_rows(income_by_place(traits.income.urban.exact, places.urban_mean), _width("income")),
        sex_cum=rows("sex", [traits.sex]),
        education_cum=rows("education", schooling),
        occupation_cum=rows("occupation", [traits.occupation.shares[school] for school in schools]),
        conscientiousness_cum=_rows([traits.conscientiousness.shares(7)], _width("conscientiousness")),
        dissent_cum=_rows(dissent, _width("dissent")),
        travel_cum=_rows([traits.travel.shares(3, {"income": tenth}) for tenth in levels["income"]], _width("travel")),
        name_cum=rows("name", [traits.name]),
    )


def _width(trait: str) -> int:
    return 1 << TRAITS[trait][1]


def _rows(rows: Sequence[Sequence[Fraction]], width: int) -> Int64:
    """Return the cumulative thresholds of a trait, a row a condition; levels that do not exist are never reached."""
    table = np.full((len(rows), width), rng.ONE, np.int64)
    for number, shares in enumerate(rows):
        total = Fraction(0)
        for level, share in enumerate(shares):
            total += share
            table[number, level] = rng.threshold(min(total, Fraction(1)))
    return table


def income_by_place(urban_of_tenth: dict[str, Fraction], urban_mean: Fraction) -> list[list[Fraction]]:
    """Return the shares of the income tenths among rural and among urban people.

    Parameters
    ----------
    urban_of_tenth : share of urban people in each tenth, of the society that the numbers are about
    urban_mean : share of urban people in this world

    Notes
    -----
    Tenths are equally large by their meaning, so P(tenth | urban) = urban share of the tenth / (10 urban
    share).  A world with another urban share gets those of the tenths scaled: down in proportion, or their
    rural parts in proportion.  Either way the tenths stay equally large.
    """
    shares = [urban_of_tenth[str(tenth + 1)] for tenth in range(10)]
    mean = sum(shares, Fraction(0)) / 10
    if urban_mean <= mean:
        shares = [share * urban_mean / mean for share in shares]
    else:
        shares = [1 - (1 - share) * (1 - urban_mean) / (1 - mean) for share in shares]
    even = [Fraction(1, 10)] * 10
    return [
        [(1 - share) / (10 * (1 - urban_mean)) for share in shares] if urban_mean < 1 else even,
        [share / (10 * urban_mean) for share in shares] if urban_mean > 0 else even,
    ]


def _blocks(sizes: Int64, community: int) -> tuple[Int64, Int64]:
    """Cut each county into blocks of `community` citizens, the last one smaller; first citizens and counties."""
    n_blocks = -(-sizes // community)
    county = np.repeat(np.arange(len(sizes)), n_blocks)
    start = np.repeat(np.cumsum(n_blocks) - n_blocks, n_blocks)
    county_first = np.cumsum(sizes) - sizes
    first = county_first[county] + (np.arange(len(county)) - start) * community
    return np.append(first, sizes.sum()).astype(np.int64), county.astype(np.int64)


@inlined
def level_of(cum, row, word, half):
    """Return the level that a draw falls into: how many thresholds of a row it does not fall below.

    Parameters
    ----------
    cum : int64[row, 2 * half], rising thresholds
    row, word : int
    half : int, half of the row's length, a power of two

    Notes
    -----
    A search by halves without a branch, because the processor could not guess it.
    """
    level = 0
    while half > 0:
        level += half * int(word >= cum[row, level + half - 1])
        half //= 2
    return level


@inlined
def household_of(tables, w0, w1):
    """Return the adults 1..6 of a household, times 2, plus 1 if it has children.

    Parameters
    ----------
    tables : WorldTables
    w0, w1 : int, words 0 (adults) and 1 (children, given the adults) of stream HOUSEHOLD_SIZE
    """
    more = level_of(tables.household_cum, 0, w0, 4)
    return 2 * (more + 1) + level_of(tables.children_cum, more, w1, 1)


@inlined
def household_traits(tables, county, w0, w1, w2):
    """Return what the members of a household share, packed: urban, income tenth and group.

    Parameters
    ----------
    tables : WorldTables
    county : int
    w0, w1, w2 : int, words 0 (urban), 1 (income, given urban) and 2 (group) of stream HOUSEHOLD
    """
    urban = int(w0 >= int(tables.urban_cum[county, 0]))
    tenth = level_of(tables.income_cum, urban, w1, 8)
    group = level_of(tables.group_cum, county, w2, 2)
    return urban << 4 | tenth << 7 | group << 11


@inlined
def person_traits(tables, county, shared, w0, w1, w2, w3):
    """Return who a person is, packed with what her household shares.

    Parameters
    ----------
    tables : WorldTables
    county : int
    shared : int, packed traits of the household
    w0, w1, w2, w3 : int, words of stream PERSON, k = 0: age, sex, education (given urban and age) and
        occupation (given education)
    """
    age = level_of(tables.age_cum, county, w0, 4)
    sex = level_of(tables.sex_cum, 0, w1, 1)
    education = level_of(tables.education_cum, ((shared >> 4) & 1) * 5 + age, w2, 2)
    occupation = level_of(tables.occupation_cum, education, w3, 4)
    return shared | age | sex << 3 | education << 5 | occupation << 23


@inlined
def person_ways(tables, traits, w0, w1, w2, w3):
    """Return packed traits with how a person is added.

    Parameters
    ----------
    tables : WorldTables
    traits : int, packed traits so far
    w0, w1, w2, w3 : int, words of stream PERSON, k = 1: conscientiousness, dissent (given education and
        age), travel (given income) and name
    """
    conscientiousness = level_of(tables.conscientiousness_cum, 0, w0, 4)
    dissent = level_of(tables.dissent_cum, ((traits >> 5) & 3) * 5 + (traits & 7), w1, 4)
    travel = level_of(tables.travel_cum, (traits >> 7) & 15, w2, 2)
    name = level_of(tables.name_cum, 0, w3, 2)
    return traits | conscientiousness << 13 | dissent << 16 | travel << 19 | name << 21


@compiled
def block_people(tables, seed, block, traits_out, head_out, words):
    """Draw the people of a community block.

    Parameters
    ----------
    tables : WorldTables
    seed, block : int
    traits_out : uint32[at least the block's size], packed traits (world/schema.py) and `IS_HEAD`, overwritten
    head_out : int32[same], number within the block of the first member of the household, overwritten
    words : uint32[4, same], working memory

    Notes
    -----
    A household that would reach beyond the block ends with it.  First members alone need the household's
    draws, but drawing for everybody and keeping some is faster: the processor then takes several at once,
    and nothing is left for it to guess.
    """
    first = tables.block_first[block]
    size = tables.block_first[block + 1] - first
    county = tables.block_county[block]
    rng.draw_block(seed, rng.HOUSEHOLD_SIZE, first, size, 0, 0, words)
    head, after, shared = 0, 0, 0
    for local in range(size):
        household = household_of(tables, int(words[0, local]), int(words[1, local]))
        is_head = local == after
        head = local if is_head else head
        after = local + household // 2 if is_head else after
        shared = (household & 1) << 26 if is_head else shared
        head_out[local] = head
        traits_out[local] = shared | IS_HEAD * int(is_head)
    rng.draw_block(seed, rng.HOUSEHOLD, first, size, 0, 0, words)
    shared = 0
    for local in range(size):
        drawn = household_traits(tables, county, int(words[0, local]), int(words[1, local]), int(words[2, local]))
        shared = drawn if head_out[local] == local else shared
        traits_out[local] = int(traits_out[local]) | shared
    rng.draw_block(seed, rng.PERSON, first, size, 0, 0, words)
    for local in range(size):
        w0, w1, w2, w3 = int(words[0, local]), int(words[1, local]), int(words[2, local]), int(words[3, local])
        traits_out[local] = person_traits(tables, county, int(traits_out[local]), w0, w1, w2, w3)
    rng.draw_block(seed, rng.PERSON, first, size, 0, 1, words)
    for local in range(size):
        w0, w1, w2, w3 = int(words[0, local]), int(words[1, local]), int(words[2, local]), int(words[3, local])
        traits_out[local] = person_ways(tables, int(traits_out[local]), w0, w1, w2, w3)
