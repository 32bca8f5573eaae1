"""Worlds: the shipped ones load, citizens are as their tables say, and broken files are refused with a place."""

from __future__ import annotations

import json
import time
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from underheaven import catalogue, rng
from underheaven.compiled import compiled
from underheaven.errors import CommandError, FileFormError
from underheaven.reading import cited, identity_hash
from underheaven.world.people import (
    IS_HEAD,
    WorldTables,
    block_people,
    build_tables,
    household_of,
    household_traits,
    income_by_place,
    person_traits,
    person_ways,
)
from underheaven.world.places import Places, apportion, build_places, rank_sizes
from underheaven.world.reader import load_world
from underheaven.world.schema import TRAITS, World
from underheaven.world.ties import NOBODY, tie_masks

TOWN = catalogue.path("worlds", "town").read_text()


class Drawn(NamedTuple):
    """A world with everybody in it."""

    world: World
    places: Places
    tables: WorldTables
    traits: NDArray[np.uint32]
    heads: NDArray[np.int32]  # within the block
    county: NDArray[np.int64]
    block: NDArray[np.int64]

    def level(self, trait: str) -> NDArray[np.int64]:
        shift, bits, _ = TRAITS[trait]
        return (self.traits.astype(np.int64) >> shift) & ((1 << bits) - 1)

    @property
    def local(self) -> NDArray[np.int64]:
        return np.arange(self.places.people) - self.tables.block_first[self.block]

    @property
    def is_head(self) -> NDArray[np.bool_]:
        return self.heads == self.local


def draw(world: World, seed: int = 1) -> Drawn:
    places = build_places(world)
    tables = build_tables(world, places)
    traits = np.zeros(places.people, np.uint32)
    heads = np.zeros(places.people, np.int32)
    words = np.zeros((4, world.community), np.uint32)
    first = tables.block_first
    for block in range(len(tables.block_county)):
        span = slice(first[block], first[block + 1])
        block_people(tables, seed, block, traits[span], heads[span], words)
    sizes = np.diff(first)
    block_of = np.repeat(np.arange(len(sizes)), sizes)
    return Drawn(world, places, tables, traits, heads, tables.block_county[block_of], block_of)


@pytest.fixture(scope="module")
def nation() -> Drawn:
    """200,000 citizens in all counties of the country."""
    return draw(load_world("china", people=200_000))


@pytest.fixture(scope="module")
def town() -> Drawn:
    """One county with 200,000 citizens."""
    return draw(load_world("town", people=200_000))


def assert_shares(levels: NDArray[np.int64], shares: list[Fraction], errors: float = 4.0) -> None:
    """Compare the counts of independent draws with their shares, within so many standard errors."""
    n = len(levels)
    counts = np.bincount(levels, minlength=len(shares))
    for count, share in zip(counts.tolist(), shares, strict=True):
        p = float(share)
        assert abs(count - n * p) <= errors * (n * p * (1 - p)) ** 0.5 + 1e-9, (count / n, p, n)


# The shipped worlds


@pytest.mark.parametrize(
    ("name", "people", "counties"),
    [("town", 10_000, 1), ("city", 740_000, 22), ("province", 79_465_895, 205), ("china", 1_112_743_992, 2_844)],
)
def test_a_shipped_world_loads_at_full_scale(name, people, counties):
    """Sizes add up, every county has people, and no two counties share a name."""
    places = build_places(load_world(name))
    assert places.people == people == places.sizes.sum()
    assert len(places.names) == len(set(places.names)) == counties
    assert places.sizes.min() >= 1
    assert len(places.tiles) == len(places.provinces) == len(set(places.tiles))
    assert len(places.county_tiles) == counties


def test_the_nation_loads_in_less_than_a_second():
    """A small run of the whole country starts at once, and full scale is a matter of arrays."""
    build_tables((warm := load_world("china", people=10_000)), build_places(warm))
    started = time.perf_counter()
    world = load_world("china", people=100_000)
    build_tables(world, build_places(world))
    assert time.perf_counter() - started < 1.0
    whole = load_world("china")
    tables = build_tables(whole, build_places(whole))
    assert tables.block_first[-1] == whole.people
    assert np.diff(tables.block_first).max() == whole.community


def test_adults_are_computed_from_the_age_groups_of_the_census():
    """Shandong: people of 15-59 less the share of 15-17, and those of 60 and more."""
    split = Fraction("0.0489")
    share = (Fraction("60.32") * (1 - split) + Fraction("20.90")) / 100
    assert load_world("province").people == int(101_527_453 * share + Fraction(1, 2))


def test_provinces_lie_on_the_map_as_in_the_country():
    """North is up, west is left, and the tables of a province reach its counties."""
    places = build_places(load_world("china", people=10_000))
    tile = dict(zip(places.provinces, places.tiles, strict=True))
    assert tile["Heilongjiang"][0] < tile["Beijing"][0] < tile["Guangdong"][0] < tile["Hainan"][0]
    assert tile["Xinjiang"][1] < tile["Gansu"][1] < tile["Shaanxi"][1] < tile["Shandong"][1]
    shanghai = places.province_of == places.provinces.index("Shanghai")
    assert set(places.urban_share[shanghai]) == {0.893}
    assert places.names[np.flatnonzero(shanghai)[16]] == "Shanghai 017"


def test_a_city_has_districts_of_its_own_and_the_ages_of_its_province():
    """The tiles of a city are those of its districts."""
    world = load_world("city")
    places = build_places(world)
    assert places.provinces == ["Shandong"]
    assert len(set(places.county_tiles)) == 22
    old = places.ages[0][3] + places.ages[0][4]
    assert abs(float(old) - 20.90 / (20.90 + 60.32 * (1 - 0.0489))) < 1e-12


def test_every_number_says_what_it_rests_on():
    """No number of a shipped world is without a basis, and each source that is named is described."""
    for name in catalogue.names("worlds"):
        world = load_world(name)
        numbers = cited(world)
        assert len(numbers) > 100
        assert {number.source for number in numbers} - {None} <= set(world.sources)
        assert all(number.note for number in numbers)


def test_a_world_survives_being_stored():
    """What a run stores gives the same people back, in whatever order its keys are; people move its identity."""
    world = load_world("china", people=5_000)
    again = World.model_validate(json.loads(json.dumps(world.model_dump(mode="json"), sort_keys=True)))
    assert again == world
    assert again.levels == world.levels
    for rule, same in zip([*world.acts.values()], [again.acts[name] for name in world.acts], strict=True):
        assert list(rule.varies) == list(same.varies)
    assert identity_hash(again) == identity_hash(world)
    for name, a, b in zip(
        WorldTables._fields,
        build_tables(world, build_places(world)),
        build_tables(again, build_places(again)),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b, err_msg=name)
    assert identity_hash(load_world("china", people=5_001)) != identity_hash(world)
    assert identity_hash(load_world("china", 5_000, ["title=Another"])) == identity_hash(world)


@pytest.mark.parametrize("name", ["town", "china"])
def test_factors_have_a_mean_of_about_one(name):
    """The rate of an activity is the rate of people at large (strain comes on top)."""
    drawn = draw(load_world(name, people=100_000))
    for activity, rule in {**drawn.world.acts, **drawn.world.services}.items():
        factors = np.ones(drawn.places.people)
        for trait, levels in rule.varies.items():
            known = levels.exact
            table = np.array([float(known.get(level, Fraction(1))) for level in drawn.world.levels[trait]])
            factors *= table[drawn.level(trait)]
        assert abs(factors.mean() - 1) < 0.1, activity
        assert 0 < rule.ceiling_per_day < 1


def test_incomes_are_those_of_the_cited_fifths():
    """Tenths rise, their mean is one, and two tenths make a fifth."""
    incomes = load_world("town").income_by_tenth
    assert sum(incomes) == 10
    assert list(incomes) == sorted(incomes)
    assert (incomes[8] + incomes[9]) / (incomes[0] + incomes[1]) == Fraction(80294, 7869)


# Places


def test_scaling_keeps_the_total_and_leaves_nobody_out():
    """Any number of people is shared out to the last, in proportion."""
    for people in (2_844, 3_000, 99_999, 1_112_743_992, 1_411_778_724):
        sizes = build_places(load_world("china", people=people)).sizes
        assert sizes.sum() == people
        assert sizes.min() >= 1
    whole = build_places(load_world("china")).sizes
    half = build_places(load_world("china", people=1_112_743_992 // 2)).sizes
    assert np.abs(half - whole / 2).max() <= 1


def test_apportion_is_fair():
    """At least one each, largest remainder first, the first of equals first."""
    assert apportion(10, [1, 1, 1]) == [4, 3, 3]
    assert apportion(7, [1000, 1, 1]) == [5, 1, 1]
    assert apportion(100, [1, 2, 7]) == [10, 20, 70]
    assert apportion(3, [5, 1, 1]) == [1, 1, 1]


def test_county_sizes_follow_the_rank_size_law():
    """The first county has so many times the people of the last, and sizes fall all the way."""
    weights = rank_sizes(100, Fraction(10))
    assert weights == sorted(weights, reverse=True)
    assert abs(weights[0] / weights[-1] - 10) < 1e-6
    assert rank_sizes(1, Fraction(10)) == [1]
    assert rank_sizes(3, Fraction(1)) == [1, 1, 1]


def test_fewer_people_than_counties_are_refused():
    """The message says how many are needed."""
    with pytest.raises(CommandError, match="2844 or more") as problem:
        build_places(load_world("china", people=2_843))
    assert problem.value.code == "UH802"
    with pytest.raises(CommandError, match="1 to 4000000000"):
        load_world("town", people=0)


# Citizens


def test_ages_sexes_and_names_are_as_the_tables_say(nation, town):
    """Shares over the whole country are those of its provinces, weighted by their people."""
    for drawn in (nation, town):
        places, world = drawn.places, drawn.world
        people = np.bincount(places.province_of, places.sizes).astype(int).tolist()
        ages = [
            sum(n * row[band] for n, row in zip(people, places.ages, strict=True)) / places.people for band in range(5)
        ]
        assert_shares(drawn.level("age"), ages)
        assert_shares(drawn.level("sex"), list(world.traits.sex.exact.values()))
        assert_shares(drawn.level("name"), list(world.traits.name.exact.values()))
        assert_shares(drawn.level("conscientiousness"), world.traits.conscientiousness.shares(7))


def test_households_share_place_income_and_group(nation, town):
    """All that a household has in common is the same for its members; shares are those of households."""
    for drawn in (nation, town):
        head = np.arange(drawn.places.people) - drawn.local + drawn.heads
        shared = (1 << 4) | (15 << 7) | (3 << 11) | (1 << 26)
        np.testing.assert_array_equal(drawn.traits & shared, drawn.traits[head] & shared)
        # Households are independent draws; a county's share applies to its own.
        heads = drawn.is_head
        n = np.bincount(drawn.county[heads], minlength=len(drawn.places.sizes)).tolist()
        urban = sum(k * u for k, u in zip(n, drawn.places.urban, strict=True)) / sum(n)
        assert_shares(drawn.level("urban")[heads], [1 - urban, urban])
        groups = [drawn.world.traits.group.of(name).exact["minority"] for name in drawn.places.provinces]
        minority = sum(k * groups[p] for k, p in zip(n, drawn.places.province_of.tolist(), strict=True)) / sum(n)
        assert_shares(drawn.level("group")[heads], [1 - minority, minority])


def test_income_tenths_are_equally_large(nation, town):
    """A tenth of the households is in each, and those of towns have more."""
    for drawn in (nation, town):
        assert_shares(drawn.level("income")[drawn.is_head], [Fraction(1, 10)] * 10)
        people = np.bincount(drawn.level("income"), minlength=10) / drawn.places.people
        assert np.abs(people - 0.1).max() < 0.006  # households of up to six are drawn as one
        income = np.array([float(x) for x in drawn.world.income_by_tenth])[drawn.level("income")]
        urban = drawn.level("urban") == 1
        assert 1.7 < income[urban].mean() / income[~urban].mean() < 2.3


@pytest.mark.parametrize("mean", [Fraction(0), Fraction(1, 3), Fraction("0.6389"), Fraction(9, 10), Fraction(1)])
def test_income_tenths_stay_equal_in_a_world_with_another_urban_share(mean):
    """P(tenth) is exactly one tenth, whatever share of the people is urban."""
    of_tenth = load_world("town").traits.income.urban.exact
    rural, urban = income_by_place(of_tenth, mean)
    assert sum(rural) == sum(urban) == 1
    assert min(*rural, *urban) >= 0
    if 0 < mean < 1:
        assert all(mean * u + (1 - mean) * r == Fraction(1, 10) for u, r in zip(urban, rural, strict=True))


def test_conditional_traits_are_as_their_rows_say(town):
    """Schooling by place and age, occupation by schooling, dissent by schooling and age, travel by income."""
    traits, levels = town.world.traits, town.world.levels
    place, age, school, tenth = (town.level(trait) for trait in ("urban", "age", "education", "income"))
    for a, age_name in enumerate(levels["age"]):
        for p, place_name in enumerate(levels["urban"]):
            shares = traits.education[place_name][age_name].exact
            chosen = (place == p) & (age == a)
            assert_shares(town.level("education")[chosen], [shares[name] for name in levels["education"]])
        for s, school_name in enumerate(levels["education"]):
            chosen = (school == s) & (age == a)
            shares_of_steps = traits.dissent.shares(7, {"education": school_name, "age": age_name})
            assert_shares(town.level("dissent")[chosen], shares_of_steps)
    for s, school_name in enumerate(levels["education"]):
        shares = traits.occupation.shares[school_name].exact
        assert_shares(town.level("occupation")[school == s], [shares[name] for name in levels["occupation"]])
    for t, tenth_name in enumerate(levels["income"]):
        assert_shares(town.level("travel")[tenth == t], traits.travel.shares(3, {"income": tenth_name}))


def test_schooling_of_all_adults_is_near_the_census(nation):
    """20%, 17%, 39% and 24% of the adults, computed from the census (the shares by age are assumed)."""
    shares = np.bincount(nation.level("education"), minlength=4) / nation.places.people
    np.testing.assert_allclose(shares, [0.24, 0.39, 0.17, 0.20], atol=0.012)


def test_households_are_contiguous_and_end_with_their_block(nation, town):
    """A head is her own head, numbers rise by households, and no household crosses a block or a county."""
    for drawn in (nation, town):
        assert drawn.is_head[drawn.tables.block_first[:-1]].all()
        assert (drawn.heads >= 0).all()
        assert (drawn.heads <= drawn.local).all()
        assert drawn.is_head[drawn.tables.block_first[:-1][drawn.block] + drawn.heads].all()
        same_block = drawn.block[1:] == drawn.block[:-1]
        assert (np.diff(drawn.heads)[same_block] >= 0).all()
        blocks = drawn.tables.block_first
        assert blocks[0] == 0
        assert blocks[-1] == drawn.places.people
        assert np.diff(blocks).max() <= drawn.world.community
        np.testing.assert_array_equal(np.bincount(drawn.county), drawn.places.sizes)


def test_households_have_the_sizes_and_children_of_the_table(town):
    """Those that a block does not cut short."""
    starts = np.flatnonzero(town.is_head)
    sizes = np.diff(np.append(starts, town.places.people))
    whole = town.local[starts] < town.world.community - 6
    household = town.world.traits.household
    assert_shares(sizes[whole] - 1, list(household.adults.exact.values()))
    for size, chance in household.children.exact.items():
        chosen = starts[whole & (sizes == int(size))]
        assert_shares(town.level("children")[chosen], [1 - chance, chance])


def test_a_citizen_does_not_depend_on_how_many_others_there_are():
    """In one county the first 3,000 of 200,000 are the 3,000 of a town of 3,000."""
    few, many = draw(load_world("town", people=3_000), seed=7), draw(load_world("town", people=50_000), seed=7)
    np.testing.assert_array_equal(few.traits, many.traits[:3_000])
    np.testing.assert_array_equal(few.heads, many.heads[:3_000])
    other = draw(load_world("town", people=3_000), seed=8)
    assert (other.traits != few.traits).mean() > 0.9


def test_tables_of_traits_do_not_depend_on_how_many_people_are_simulated():
    """Only the blocks do; so the same number in the same county is the same person."""
    one, other = (load_world("china", people=n) for n in (10_000, 12_345))
    for name, a, b in zip(
        WorldTables._fields, build_tables(one, build_places(one)), build_tables(other, build_places(other)), strict=True
    ):
        if not name.startswith("block_"):
            np.testing.assert_array_equal(a, b, err_msg=name)


def test_the_order_of_blocks_does_not_matter(town):
    """A block that is drawn alone has the same people."""
    block, words = 77, np.zeros((4, 1024), np.uint32)
    traits, heads = np.zeros(1024, np.uint32), np.zeros(1024, np.int32)
    block_people(town.tables, 1, block, traits, heads, words)
    np.testing.assert_array_equal(traits, town.traits[town.block == block])


def test_plain_python_draws_the_same_people():
    """The compiled functions and their plain form agree, and so does a second writing of a citizen."""
    drawn = draw(load_world("city", people=400), seed=3)
    tables, seed = drawn.tables, 3
    for block in (0, 5):
        first, size = int(tables.block_first[block]), int(np.diff(tables.block_first)[block])
        traits, heads = np.zeros(size, np.uint32), np.zeros(size, np.int32)
        block_people.py_func(tables, seed, block, traits, heads, np.zeros((4, size), np.uint32))
        np.testing.assert_array_equal(traits, drawn.traits[first : first + size])
        np.testing.assert_array_equal(heads, drawn.heads[first : first + size])
        county = int(tables.block_county[block])
        for local in range(size):
            head, citizen = first + int(heads[local]), first + local
            w = rng.draw4.py_func(seed, rng.HOUSEHOLD_SIZE, head, 0, 0)
            with_children = (household_of.py_func(tables, w[0], w[1]) & 1) << 26
            is_head = IS_HEAD if citizen == head else 0
            w = rng.draw4.py_func(seed, rng.HOUSEHOLD, head, 0, 0)
            shared = with_children | household_traits.py_func(tables, county, *w[:3])
            who = person_traits.py_func(tables, county, shared, *rng.draw4.py_func(seed, rng.PERSON, citizen, 0, 0))
            w = rng.draw4.py_func(seed, rng.PERSON, citizen, 0, 1)
            assert person_ways.py_func(tables, who, *w) | is_head == traits[local]


def test_traits_stay_within_their_levels(nation):
    """No level beyond those that have names, and no bit beyond the 27 but that of a head of household."""
    for trait, names in nation.world.levels.items():
        assert nation.level(trait).max() < len(names), trait
    np.testing.assert_array_equal(nation.traits & ~np.uint32((1 << 27) - 1), np.uint32(IS_HEAD) * nation.is_head)


# Ties


@compiled
def _masks(seed, block, size, masks):
    tie_masks(seed, block, size, masks)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 40, 700, 1024])
def test_ties_are_the_same_from_both_ends(size):
    """Symmetric, different from each other, and nobody is her own friend."""
    for block in range(20):
        masks = np.zeros(8, np.int64)
        _masks(9, block, size, masks)
        span = 1 << (size - 1).bit_length()
        real = masks[masks != NOBODY].tolist()
        assert len(real) == min(8, span - 1) == len(set(real))
        assert all(1 <= mask < span for mask in real)
        friends = [{local ^ mask for mask in masks.tolist() if local ^ mask < size} for local in range(size)]
        for local, mine in enumerate(friends):
            assert local not in mine
            assert all(local in friends[other] for other in mine)


def test_ties_are_keyed_draws():
    """Other blocks and seeds have other friends; more ties leave the first ones as they are."""
    few, many, other = np.zeros(3, np.int64), np.zeros(8, np.int64), np.zeros(8, np.int64)
    _masks(1, 4, 1024, few)
    _masks(1, 4, 1024, many)
    _masks(2, 4, 1024, other)
    np.testing.assert_array_equal(few, many[:3])
    assert (many != other).any()
    plain = np.zeros(8, np.int64)
    tie_masks.py_func(1, 4, 1024, plain)
    np.testing.assert_array_equal(plain, many)
    first = np.zeros(1, np.int64)
    drawn = []
    for block in range(4000):
        _masks(1, block, 8, first)
        drawn.append(int(first[0]) - 1)
    assert_shares(np.array(drawn), [Fraction(1, 7)] * 7)


# Broken files


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ("acts.jaywalking.stream=0", "UH120", "'late-payment' has stream 0 already"),
        ("acts.jaywalking.stream=40", "UH120", "go from 0 to 31"),
        ("services.shop.stream=3", "UH120", "go from 32 to 39"),
        ("acts.charity.varies.conscientousness={values: {low: 2}}", "UH120", "did you mean 'conscientiousness'?"),
        ("acts.jaywalking.varies.age.teen=2", "UH120", "'teen' is no level here"),
        ("acts.jaywalking.rate=200", "UH120", "at most once a day"),
        ("acts.late-payment.strain=400", "UH120", "at most once a day"),
        ("acts.charity.channel=eye", "UH112", "camera, register, report or unseen"),
        ("services.hospital.varies.education={values: {college: 2}}", "UH120", "age, sex, group or income only"),
        ("services.hospital.hospital.load=1", "UH120", "never ends"),
        ("services.hospital.hospital.minutes_per_visit=0", "UH120", "takes time"),
        ("services.shop.hospital={minutes_per_visit: {value: 3}, load: {value: 0.5}}", "UH120", "hospital already"),
        ("services.shop.refused_strain=256", "UH120", "0 .. 255"),
        ("traits.sex={values: {male: 0.5, woman: 0.5}}", "UH120", "no female"),
        ("traits.sex={values: {male: 0.5, female: 0.6}}", "UH113", "add up to 1.1"),
        ("traits.income.urban.3=1.5", "UH120", "no share"),
        ("traits.dissent.chance=0.9", "UH120", "above 1"),
        ("traits.travel.varies.age={values: {65+: 1}}", "UH120", "varies with income only"),
        ("traits.group.levels=[a, b]", "UH120", "provinces: null"),
        ("traits.group.levels=[a, a]", "UH120", "stands twice"),
        ("traits.age.split={values: {18-29: 0.5, 30-44: 0.5}}", "UH120", "no 15-17 or 45-59"),
        ("traits.education.rural.65+=null", "UH120", "no 65+"),
        ("traits.household.children.6=1.5", "UH120", "no share"),
        ("traits.household.adults={values: {'1': 0.5, '7': 0.5}}", "UH120", "'7' is no level here"),
        ("traits.income.spread.1=1", "UH120", "no spread"),
        ("traits.income.fifths.1=0", "UH120", "nobody lives on this"),
        ("traits.group.levels=[a, b, c, d, e]", "UH120", "write 1 to 4"),
        ("traits.group.levels=[A b]", "UH107", "is no name"),
        ("traits.occupation.levels=[]", "UH120", "write 1 to 8"),
        ("traits.occupation.shares.college={values: {farming: 1}}", "UH120", "has no"),
        ("traits.conscientiousness.varies={sex: {values: {male: 1}}}", "UH120", "varies with nothing"),
        ("response.fine_strain=-1", "UH120", "does not relieve"),
        ("response.ties=9", "UH120", "0 .. 8"),
        ("response.base_strain.1=300", "UH120", "0 to 255"),
        ("response.appeals.college=2", "UH120", "no share"),
        ("places.districts.Town.urban=2", "UH120", "no share"),
        ("places.districts.Town.people=0", "UH120", "nobody lives here"),
        ("places.districts=[]", "UH120", "nobody lives anywhere"),
        ("places.only=[Shandong]", "UH120", "there is none"),
        ("places.largest_to_smallest=2", "UH120", "the districts are named"),
        ("places.districts.Town.name=''", "UH107", "no name of a place"),
        ("places.table=china_provinces_2020", "UH120", "within one province"),
        ("places.table=china_provinces", "UH122", "did you mean 'china_provinces_2020'?"),
        ("places.table=../secret.csv", "UH107", "beside the world file"),
        ("places.rows=[]", "UH110", "rows are read from a table"),
        ("adults=0", "UH120", "cannot be simulated"),
        ("exchange_days=40", "UH113", "31"),
        ("community=5000", "UH113", "1024"),
    ],
)
def test_a_broken_world_is_refused_with_its_place(change, code, says):
    """Every finding has a code, a place and says what to write."""
    with pytest.raises(FileFormError) as problem:
        load_world("town", None, [change])
    finding = problem.value.findings[0]
    assert finding.code == code
    assert says in " ".join(str(each) for each in problem.value.findings)
    assert finding.where is not None
    assert finding.where.line is not None


def write(folder: Path, text: str, table: str | None = None) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text)
    if table is not None:
        (folder / "mine.csv").write_text(table)
    return path


def refused(path: Path) -> FileFormError:
    with pytest.raises(FileFormError) as problem:
        load_world(path)
    return problem.value


def test_an_error_names_file_line_and_column(tmp_path):
    """As the reader of the file sees it."""
    path = write(tmp_path, TOWN.replace("tile: [0, 0]", "tyle: [0, 0]"))
    where = refused(path).findings[0].where
    assert where is not None
    line = TOWN.replace("tile: [0, 0]", "tyle: [0, 0]").split("\n")[where.line - 1]
    assert where.file == str(path)
    assert line[where.column - 1 :].startswith("tyle")


def test_a_world_may_decide_what_its_society_says(tmp_path):
    """Key by key; the rest stays, with its citations."""
    own = "acts:\n  jaywalking:\n    rate: {value: 1, per: week, basis: assumed}\n  charity: null\n"
    world = load_world(write(tmp_path, f"{TOWN}\n{own}"))
    assert world.acts["jaywalking"].rate.per_day == Fraction(1, 7)
    assert world.acts["jaywalking"].channel == "camera"
    assert "charity" not in world.acts
    assert world.sources["incomes-2020"].read


def test_a_society_may_lie_beside_the_world(tmp_path):
    """And must say that it is one; a name that is not in the catalogue is an error with a place."""
    society = catalogue.path("societies", "china-2020").read_text()
    text = TOWN.replace("society: china-2020", "society: ./ours.yaml")
    (tmp_path / "ours.yaml").write_text(society.replace("exchange_days: 7", "exchange_days: 5"))
    assert load_world(write(tmp_path, text)).exchange_days == 5
    (tmp_path / "ours.yaml").write_text(society.replace("underheaven-society/1", "underheaven-world/1"))
    assert "underheaven-society/1" in str(refused(write(tmp_path, text)))
    missing = refused(write(tmp_path, TOWN.replace("china-2020", "china-2021")))
    assert missing.code == "UH122"
    assert missing.findings[0].where.text == "society: china-2021"
    assert "did you mean 'china-2020'?" in str(missing)
    away = refused(write(tmp_path, TOWN.replace("society: china-2020", "society: ../ours.yaml")))
    assert away.code == "UH107"


OWN = """
format: underheaven-world/1
world: mine
title: Two provinces
kind: fiction
summary: A table of one's own.
society: china-2020
places:
  cite: {basis: assumed}
  table: mine.csv
  counties_per_million: {value: 2}
  largest_to_smallest: {value: 4}
"""
HEADER = "province,population,urban_share,age_0_14,age_15_59,age_60_plus,age_65_plus\n"
ROWS = "Upland,1500000,40.0,20,60,20,12\nLowland,3000000,80.0,15,65,20,14\n"


def test_a_table_of_ones_own(tmp_path):
    """A CSV file beside the world file with the columns of a table of provinces."""
    path = write(tmp_path, OWN, HEADER + ROWS)
    world = load_world(path)
    places = build_places(world)
    assert places.provinces == ["Upland", "Lowland"]
    assert np.bincount(places.province_of).tolist() == [3, 6]
    assert places.people == sum(row.adults(world.traits.age.split.exact) for row in world.places.rows)
    assert places.tiles == [(0, 0), (0, 1)]
    only = load_world(path, None, ["places.only=[Lowland]"])
    assert build_places(only).provinces == ["Lowland"]
    with pytest.raises(FileFormError, match="did you mean 'Lowland'"):
        load_world(path, None, ["places.only=[Lowlan]"])
    with pytest.raises(FileFormError, match="a table of provinces needs `counties_per_million`"):
        load_world(path, None, ["places.counties_per_million=null"])
    with pytest.raises(FileFormError, match="100,000 counties"):
        load_world(path, None, ["places.counties_per_million=1e6"])
    with pytest.raises(FileFormError, match=r"within 1 \.\. 1000"):
        load_world(path, None, ["places.largest_to_smallest=0.5"])
    with pytest.raises(FileFormError, match="named twice"):
        load_world(path, None, ["places.only=[Lowland, Lowland]"])
    with pytest.raises(FileFormError, match="add up to 4500000"):
        load_world(path, None, ["places.population=4500001"])
    assert load_world(path, None, ["places.population=4500000"]).people == places.people


@pytest.mark.parametrize("column", ["name", "id", "birth_date", "Phone", "citizen id", "sex", "身份证号"])
def test_a_table_about_persons_is_refused(tmp_path, column):
    """Nobody real can enter: a column that only persons have is enough."""
    table = HEADER.replace("\n", f",{column}\n") + ROWS.replace("\n", ",x\n")
    problem = refused(write(tmp_path, OWN, table))
    assert problem.code == "UH130"
    assert "nobody real" in str(problem)
    assert problem.findings[0].where.file.endswith("mine.csv")


def test_a_table_with_a_row_for_everybody_is_refused(tmp_path):
    """However its columns are called."""
    rows = "".join(f"{n},1,50,20,60,20,10\n" for n in range(5_001))
    problem = refused(write(tmp_path, OWN, HEADER + rows))
    assert problem.code == "UH130"
    assert "5,000 rows" in str(problem)


def test_rows_about_persons_in_a_world_file_are_refused(tmp_path):
    """There is no key for them, and the message says why."""
    rows = "\ncitizens:\n  - {full-name: A, id-number: 1}\n"
    problem = refused(write(tmp_path, TOWN + rows))
    assert problem.code == "UH130"


@pytest.mark.parametrize(
    ("table", "code", "says"),
    [
        (None, "UH101", "cannot be read"),
        (HEADER, "UH106", "no rows"),
        ("province,population\nA,1\n", "UH111", "urban_share"),
        (HEADER.replace("\n", ",colour\n") + ROWS, "UH110", "'colour'"),
        (HEADER + "Upland,1500000,40.0,20,60\n", "UH107", "5 cells"),
        (HEADER + ROWS + ROWS, "UH105", "already a row"),
        (HEADER + ROWS.replace("1500000", "many"), "UH113", "no population"),
        (HEADER + ROWS.replace("40.0", "140"), "UH113", "urban_share"),
        (HEADER + ROWS.replace("20,60,20,12", "20,60,30,12"), "UH113", "add up to 110%"),
        (HEADER + ROWS.replace("20,60,20,12", "20,60,20,25"), "UH113", "65+"),
        (HEADER + ROWS.replace("Upland", ""), "UH107", "no name of a province"),
        (HEADER + '"Upland', "UH107", "comma-separated"),
    ],
)
def test_a_broken_table_is_refused(tmp_path, table, code, says):
    """With the file, and the row where one is at fault."""
    problem = refused(write(tmp_path, OWN, table))
    assert problem.code == code
    assert says in str(problem)
    assert problem.findings[0].where is not None
