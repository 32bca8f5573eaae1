"""What a world file may say: who lives where, what people are like, do and use, and how treatment moves them.

Every number is a quantity with its source; every key that is not named here is an error.  Only aggregates
enter: shares, rates and head counts of places.  The models are frozen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictInt, model_validator

from underheaven.reading import (
    Count,
    Document,
    Duration,
    Factor,
    Finding,
    Findings,
    Levels,
    Number,
    Per,
    Prob,
    Rate,
    Section,
    Shares,
    Source,
    did_you_mean,
    fault,
    number_of,
    one_of,
    passed,
)
from underheaven.world.sections import opinion
from underheaven.world.sections.firms import Firms
from underheaven.world.sections.opinion import Opinion
from underheaven.world.sections.voice import Audience, Officials, check_voice
from underheaven.world.units import Name

FORMAT = "underheaven-world/1"

#: Traits: (lowest bit, bits, levels) in the packed 32 bits; no levels: the world file names them.
TRAITS: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "age": (0, 3, ("18-29", "30-44", "45-59", "60-64", "65+")),
    "sex": (3, 1, ("male", "female")),
    "urban": (4, 1, ("rural", "urban")),
    "education": (5, 2, ("primary", "lower-secondary", "upper-secondary", "college")),
    "income": (7, 4, tuple(str(tenth + 1) for tenth in range(10))),
    "group": (11, 2, ()),
    "conscientiousness": (13, 3, tuple(str(level + 1) for level in range(8))),
    "dissent": (16, 3, tuple(str(level + 1) for level in range(8))),
    "travel": (19, 2, ("never", "seldom", "often", "very-often")),
    "name": (21, 2, ("rare", "uncommon", "common", "very-common")),
    "occupation": (23, 3, ()),
    "children": (26, 1, ("none", "some")),
}

MAX_HOUSEHOLD = 6  # adults
MAX_COMMUNITY = 1024
MAX_WINDOW = 31
MAX_PEOPLE = 4_000_000_000  # a citizen's number has 32 bits
MAX_COUNTIES = 100_000
MAX_TIES = 8
MAX_VARIES = 4
FIRST_SERVICE, LAST_ACTIVITY = 32, 39
HOSPITAL_TRAITS = ("age", "sex", "group", "income")
#: A share of a census is printed with two digits, so the age groups of a row may miss 100 by this much.
PERCENT_SLACK = Fraction(1, 10)


def _label(text: str) -> str:
    if not 1 <= len(text) <= 80 or text != text.strip():
        raise fault("UH107", f"{text[:80]!r} is no name of a place; write 1 to 80 characters, no blank at an end")
    return text


def _in_order(varies: dict[str, Levels]) -> dict[str, Levels]:
    """Return the factors in the order of the traits: they are rounded one after the other, so order would tell."""
    order = [trait for trait in TRAITS if trait in varies]
    return {trait: varies[trait] for trait in (*order, *(trait for trait in varies if trait not in TRAITS))}


Label = Annotated[str, AfterValidator(_label)]
Varies = Annotated[dict[str, Levels], AfterValidator(_in_order)]
Tile = tuple[Annotated[StrictInt, Field(ge=0, le=999)], Annotated[StrictInt, Field(ge=0, le=999)]]


class Row(Section):
    """One province of a table, as it is printed there: people, and shares in percent."""

    name: str
    population: StrictInt
    urban_share: str
    age_0_14: str
    age_15_59: str
    age_60_plus: str
    age_65_plus: str

    @property
    def urban(self) -> Fraction:
        """Return the share of urban people."""
        return _percent(self.urban_share)

    def bands(self, split: Mapping[str, Fraction]) -> tuple[Fraction, ...]:
        """Return the shares of all people, children included, that are in each of the five age bands.

        Parameters
        ----------
        split : shares of 15-17, 18-29, 30-44 and 45-59 among those of 15-59
        """
        working, old, oldest = (_percent(text) for text in (self.age_15_59, self.age_60_plus, self.age_65_plus))
        whole = _percent(self.age_0_14) + working + old
        young = [working * split[band] for band in ("18-29", "30-44", "45-59")]
        return tuple(share / whole for share in (*young, old - oldest, oldest))

    def adults(self, split: Mapping[str, Fraction]) -> int:
        """Return the people of 18 and more, rounded to the nearest."""
        return int(self.population * sum(self.bands(split), Fraction(0)) + Fraction(1, 2))


def _percent(text: str) -> Fraction:
    number = number_of(text)
    assert number is not None, text  # checked when the table was read
    return Fraction(number) / 100


class District(Section):
    """A county or district that the file names itself; `people` are adults, or any weight in proportion to them."""

    name: Label
    people: Count
    urban: Number
    tile: Tile | None = None


class PlacesRule(Section):
    """The places of a world: provinces of a table, or districts, or districts within one province of a table."""

    table: str | None = None
    only: tuple[str, ...] = ()
    population: Count | None = None
    counties_per_million: Number | None = None
    largest_to_smallest: Factor | None = None
    tiles: dict[str, Tile] = {}
    districts: tuple[District, ...] = ()
    rows: tuple[Row, ...] = ()  # what the table says; filled in by the reader


class AgeRule(Section):
    """Age of adults: by province from a table of 0-14, 15-59, 60+ and 65+, elsewhere `shares`."""

    shares: Shares
    split: Shares


class HouseholdRule(Section):
    """Households: how many adults, and the chance of children by that number."""

    adults: Shares
    children: Levels


class IncomeRule(Section):
    """Income per head: mean of each fifth, its spread within the fifth, and who of each tenth is urban."""

    fifths: Levels
    spread: Levels
    urban: Levels


class GroupRule(Section):
    """Groups of people, as majority and minority; a province that is not named has `shares`."""

    levels: tuple[Name, ...]
    shares: Shares
    provinces: dict[str, Shares] = {}

    def of(self, province: str) -> Shares:
        """Return the shares of a province."""
        return self.provinces.get(province, self.shares)


class OccupationRule(Section):
    """Occupations, and their shares by schooling."""

    levels: tuple[Name, ...]
    shares: dict[str, Shares]


class Disposition(Section):
    """A trait in steps: each step above the lowest is taken with the same chance (a binomial law).

    The chance is `chance` times a factor for each trait in `varies`; a level that is not named has 1.
    """

    chance: Number
    varies: Varies = {}

    def shares(self, steps: int, levels: Mapping[str, str] | None = None) -> list[Fraction]:
        """Return the shares of the steps + 1 levels for somebody with these levels of other traits."""
        p = self.chance.exact
        for trait, level in (levels or {}).items():
            if trait in self.varies:
                p *= self.varies[trait].exact.get(level, Fraction(1))
        return [math.comb(steps, k) * p**k * (1 - p) ** (steps - k) for k in range(steps + 1)]


class Traits(Section):
    """The tables that traits are drawn from."""

    age: AgeRule
    sex: Shares
    household: HouseholdRule
    income: IncomeRule
    group: GroupRule
    education: dict[str, dict[str, Shares]]
    occupation: OccupationRule
    conscientiousness: Disposition
    dissent: Disposition
    travel: Disposition
    name: Shares


class Act(Section):
    """Something that people do: how often, how it comes to notice, and what moves it.

    `rate` is the mean of a person whose factors are all one.  `strain`, `caution` and `gaming` are factors at
    fullest strain, at fullest fear (if the regime holds the act against people) and below the best tier (if
    it rewards the act).
    """

    stream: StrictInt
    rate: Rate
    channel: Literal["camera", "register", "report", "unseen", "companion"]
    context: Name
    varies: Varies = {}
    strain: Factor | None = None
    caution: Factor | None = None
    gaming: Factor | None = None
    speech: StrictBool = False
    audience: Audience | None = None

    @property
    def ceiling_per_day(self) -> Fraction:
        """Return the largest chance per day that anybody can have."""
        factors = [factor.exact for factor in (self.strain, self.caution, self.gaming) if factor is not None]
        return _ceiling(self.rate, self.varies, factors)


class Hospital(Section):
    """A service with a queue: the mean length of a visit, and the load at which it is staffed."""

    minutes_per_visit: Number
    load: Factor


class Service(Section):
    """Something that people use: how often, and the strain of being refused."""

    stream: StrictInt
    rate: Rate
    context: Name
    varies: Varies = {}
    refused_strain: Count | None = None
    hospital: Hospital | None = None

    @property
    def ceiling_per_day(self) -> Fraction:
        """Return the largest chance per day that anybody can have."""
        return _ceiling(self.rate, self.varies, ())


def _ceiling(rate: Rate, varies: Mapping[str, Levels], factors: Iterable[Fraction]) -> Fraction:
    one = Fraction(1)
    most = math.prod((max(one, *levels.exact.values()) for levels in varies.values()), start=one)
    return rate.per_day * most * math.prod((max(one, factor) for factor in factors), start=one)


class Response(Section):
    """How treatment moves people: strain and caution, 0..255 each, what friends hear, and who appeals.

    `base_strain` is the lasting strain of an income tenth.  `fine_strain` is the strain of a fine of one day's
    mean income on somebody with the mean income.  `fall_strain` is that of a fall to a lower grade by what others
    think of her.
    """

    base_strain: Levels
    fine_strain: Number
    listing_strain: Count
    record_caution: Count
    sanction_caution: Count
    friend_caution: Count
    strain_half_life: Duration
    caution_half_life: Duration
    heard: Annotated[Prob, AfterValidator(Per("exchange"))]
    ties: Count
    appeals: Levels
    fall_strain: Count | None = None


class World(Document):
    """A whole world file, its society included."""

    format: Literal["underheaven-world/1"]
    world: Name
    title: str
    kind: Literal["aggregates", "fiction", "hypothesis"]
    summary: str
    sources: dict[Name, Source] = {}
    exchange_days: Annotated[StrictInt, Field(ge=1, le=MAX_WINDOW)]
    community: Annotated[StrictInt, Field(ge=1, le=MAX_COMMUNITY)]
    adults: Count | None = None
    places: PlacesRule
    traits: Traits
    response: Response
    acts: dict[Name, Act]
    services: dict[Name, Service]
    firms: Firms | None = None
    opinion: Opinion | None = None
    officials: Officials | None = None

    @model_validator(mode="after")
    def _check(self) -> World:
        return passed(self, _world)

    @property
    def people(self) -> int:
        """Return how many adults are simulated: `adults`, or else what the places add up to."""
        if self.adults is not None:
            return self.adults.value
        if self.places.districts:
            return sum(district.people.value for district in self.places.districts)
        return sum(row.adults(self.traits.age.split.exact) for row in self.places.rows)

    @property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the levels of each trait, in the order of their numbers."""
        named = {"group": self.traits.group.levels, "occupation": self.traits.occupation.levels}
        return {trait: levels or named[trait] for trait, (_, _, levels) in TRAITS.items()}

    @property
    def income_by_tenth(self) -> tuple[Fraction, ...]:
        """Return the mean income of each tenth relative to that of all."""
        fifths, spread = self.traits.income.fifths.exact, self.traits.income.spread.exact
        mean = sum(fifths.values(), Fraction(0)) / 5
        names = [str(fifth + 1) for fifth in range(5)]
        return tuple(fifths[name] / mean * (1 + sign * spread[name]) for name in names for sign in (-1, 1))

    def ages_of(self, row: Row | None) -> tuple[Fraction, ...]:
        """Return the shares of the five age bands among the adults of a province; None: of the society."""
        if row is None:
            return tuple(self.traits.age.shares.exact[band] for band in TRAITS["age"][2])
        bands = row.bands(self.traits.age.split.exact)
        whole = sum(bands, Fraction(0))
        return tuple(share / whole for share in bands)


# What one part of a world file demands of another ---------------------------------------------------------

Path = tuple[str | int, ...]


def _world(found: World) -> Findings:
    problems = [*_places(found), *_traits(found)]
    yield from problems
    if problems:
        return  # the rest needs sound levels and places
    yield from _response(found)
    yield from _activities(found)
    yield from opinion.check(found.opinion, found.levels)
    yield from check_voice(found)
    if not 1 <= found.people <= MAX_PEOPLE:
        text = f"{found.people:,} adults cannot be simulated; write a number within 1 .. {MAX_PEOPLE:,}"
        yield Finding(("adults", "value") if found.adults is not None else ("places",), text)


def _places(found: World) -> Findings:
    places = found.places
    if places.table is None and not places.districts:
        text = "nobody lives anywhere; write `table:` with a table of provinces, or `districts:`"
        yield Finding(("places",), text)
    for key in ("only", "population", "tiles"):
        if getattr(places, key) and places.table is None:
            text = f"`{key}` is about a table, and there is none; write `table:` or take this out"
            yield Finding(("places", key), text)
    for key in ("counties_per_million", "largest_to_smallest"):
        value = getattr(places, key)
        if places.districts and value is not None:
            yield Finding(("places", key), f"the districts are named, so `{key}` is not used; take it out")
        elif places.table is not None and not places.districts and value is None:
            yield Finding(("places",), f"a table of provinces needs `{key}`; write `{key}: {{value: 2, ...}}`")
    if places.largest_to_smallest is not None and not 1 <= places.largest_to_smallest.exact <= 1000:
        text = "the largest county is not smaller than the smallest; write a ratio within 1 .. 1000"
        yield Finding(("places", "largest_to_smallest"), text)
    yield from _rows(found)
    names = [district.name for district in places.districts]
    for number, district in enumerate(places.districts):
        at: Path = ("places", "districts", number)
        if district.people.value < 1:
            yield Finding((*at, "people"), "nobody lives here; write 1 or more, or take the district out")
        yield from _share((*at, "urban"), district.urban)
        if district.name in names[:number]:
            yield Finding((*at, "name"), f"there is already one called '{district.name}'; write another name")


def _rows(found: World) -> Findings:
    """Check the rows that the reader took from the table."""
    places = found.places
    if places.districts and len(places.rows) > 1:
        text = "districts lie within one province; write it as `only: [...]`, or take `table` out"
        yield Finding(("places", "districts"), text)
    total = sum(row.population for row in places.rows)
    if places.population is not None and places.rows and total != places.population.value:
        text = f"the provinces of the table add up to {total}, not to this; check `only` and the table"
        yield Finding(("places", "population"), text)
    per_million = places.counties_per_million
    if per_million is not None and not 0 <= per_million.exact * total / 1_000_000 <= MAX_COUNTIES:
        text = f"that makes more than {MAX_COUNTIES:,} counties, or less than none; write another number"
        yield Finding(("places", "counties_per_million"), text)


def _share(at: Path, number: Number | Factor) -> Findings:
    if not 0 <= number.exact <= 1:
        yield Finding(at, f"{number.value} is no share; write a number within 0 .. 1")


def _complete(at: Path, table: Levels | Shares | Mapping[str, object], names: Iterable[str]) -> Findings:
    """Check that a table has exactly these levels."""
    wanted = tuple(names)
    found = table.values if isinstance(table, (Levels, Shares)) else table
    inside = ("values",) if isinstance(table, (Levels, Shares)) else ()
    for name in found:
        if name not in wanted:
            yield from _unknown((*at, *inside, name), name, wanted)
    missing = [name for name in wanted if name not in found]
    if missing:
        yield Finding(at, f"the table has no {one_of(missing)}; write {'it' if len(missing) == 1 else 'them all'}")


def _unknown(at: Path, name: str, names: tuple[str, ...], what: str = "level") -> Findings:
    guess = did_you_mean(name, names)
    mend = f"did you mean '{guess}'?" if guess else f"write one of {one_of(names)}"
    yield Finding(at, f"'{name}' is no {what} here; {mend}")


def _traits(found: World) -> Findings:
    traits = found.traits
    at = ("traits",)
    ages, places, schools, tenths = (TRAITS[name][2] for name in ("age", "urban", "education", "income"))
    yield from _complete((*at, "age", "shares"), traits.age.shares, ages)
    yield from _complete((*at, "age", "split"), traits.age.split, ("15-17", *ages[:3]))
    yield from _complete((*at, "sex"), traits.sex, TRAITS["sex"][2])
    yield from _complete((*at, "name"), traits.name, TRAITS["name"][2])
    sizes = tuple(str(size + 1) for size in range(MAX_HOUSEHOLD))
    yield from _complete((*at, "household", "adults"), traits.household.adults, sizes)
    yield from _complete((*at, "household", "children"), traits.household.children, sizes)
    yield from _shares_at_most_one((*at, "household", "children"), traits.household.children)
    yield from _income(traits.income, tenths)
    yield from _groups(traits.group)
    yield from _complete((*at, "education"), traits.education, places)
    for place, rows in traits.education.items():
        yield from _complete((*at, "education", place), rows, ages)
        for age, shares in rows.items():
            yield from _complete((*at, "education", place, age), shares, schools)
    occupation = traits.occupation
    yield from _named_levels((*at, "occupation"), occupation.levels, 8)
    yield from _complete((*at, "occupation", "shares"), occupation.shares, schools)
    for school, shares in occupation.shares.items():
        yield from _complete((*at, "occupation", "shares", school), shares, occupation.levels)
    yield from _disposition((*at, "conscientiousness"), traits.conscientiousness, ())
    yield from _disposition((*at, "dissent"), traits.dissent, ("education", "age"))
    yield from _disposition((*at, "travel"), traits.travel, ("income",))


def _shares_at_most_one(at: Path, levels: Levels) -> Findings:
    for name, value in levels.exact.items():
        if not 0 <= value <= 1:
            yield Finding((*at, "values", name), f"{float(value):.6g} is no share; write a number within 0 .. 1")


def _named_levels(at: Path, names: tuple[str, ...], most: int) -> Findings:
    if not 1 <= len(names) <= most:
        yield Finding((*at, "levels"), f"{len(names)} levels are named; write 1 to {most}")
    for number, name in enumerate(names):
        if name in names[:number]:
            yield Finding((*at, "levels", number), f"'{name}' stands twice; take one out")


def _income(income: IncomeRule, tenths: tuple[str, ...]) -> Findings:
    at: Path = ("traits", "income")
    fifths = ("1", "2", "3", "4", "5")
    yield from _complete((*at, "fifths"), income.fifths, fifths)
    yield from _complete((*at, "spread"), income.spread, fifths)
    yield from _complete((*at, "urban"), income.urban, tenths)
    for name, value in income.spread.exact.items():
        if not 0 <= value < 1:
            yield Finding((*at, "spread", "values", name), "this is no spread; write a number from 0 to below 1")
    for name, value in income.fifths.exact.items():
        if value <= 0:
            yield Finding((*at, "fifths", "values", name), "nobody lives on this; write an income above 0")
    yield from _shares_at_most_one((*at, "urban"), income.urban)
    mean = sum(income.urban.exact.values(), Fraction(0))
    if not 0 < mean < 10:
        yield Finding((*at, "urban"), "all tenths are urban, or none is; write shares between 0 and 1")


def _groups(group: GroupRule) -> Findings:
    at: Path = ("traits", "group")
    names = group.levels
    yield from _named_levels(at, names, 4)
    yield from _complete((*at, "shares"), group.shares, names)
    for province, shares in group.provinces.items():
        if set(shares.values) != set(names):
            text = f"the groups of this world are {one_of(names)}, and here are others; write the same everywhere"
            yield Finding((*at, "provinces", province), f"{text}, or take `provinces` out (`provinces: null`)")
            return


def _disposition(at: Path, found: Disposition, may_vary: tuple[str, ...]) -> Findings:
    most = found.chance.exact
    yield from _share((*at, "chance"), found.chance)
    for trait, levels in found.varies.items():
        if trait not in may_vary:
            allowed = f"it varies with {one_of(may_vary)} only" if may_vary else "it varies with nothing"
            yield Finding((*at, "varies", trait), f"`{at[-1]}` cannot vary with '{trait}'; {allowed}")
            continue
        yield from _levels_of((*at, "varies", trait), levels, TRAITS[trait][2])
        most *= max(Fraction(1), *levels.exact.values())
    if most > 1 >= found.chance.exact:
        text = f"`chance` times its largest factors is {float(most):.4g}, above 1; write smaller factors"
        yield Finding((*at, "varies"), text)


def _levels_of(at: Path, levels: Levels, names: tuple[str, ...]) -> Findings:
    for name in levels.values:
        if name not in names:
            yield from _unknown((*at, "values", name), name, names)
    if not levels.values:
        yield Finding((*at, "values"), "the table is empty; write a factor for a level, or take it out")


def _response(found: World) -> Findings:
    response, at = found.response, ("response",)
    yield from _complete((*at, "base_strain"), response.base_strain, TRAITS["income"][2])
    for name, value in response.base_strain.exact.items():
        if value > 255 or value.denominator != 1:
            text = "strain goes from 0 to 255; write a whole number within them"
            yield Finding((*at, "base_strain", "values", name), text)
    for key in ("listing_strain", "record_caution", "sanction_caution", "friend_caution"):
        yield from _count_within((*at, key), getattr(response, key), 255)
    yield from _count_within((*at, "ties"), response.ties, MAX_TIES)
    if response.fine_strain.exact < 0:
        yield Finding((*at, "fine_strain"), "a fine does not relieve; write 0 or more")
    yield from _complete((*at, "appeals"), response.appeals, TRAITS["education"][2])
    yield from _shares_at_most_one((*at, "appeals"), response.appeals)


def _count_within(at: Path, count: Count | None, most: int) -> Findings:
    if count is not None and count.value > most:
        yield Finding(at, f"{count.value} is too much; write a whole number within 0 .. {most}")


def _activities(found: World) -> Findings:
    taken: dict[int, str] = {}
    kinds: tuple[tuple[str, Mapping[str, Act | Service], int, int], ...] = (
        ("acts", found.acts, 0, FIRST_SERVICE - 1),
        ("services", found.services, FIRST_SERVICE, LAST_ACTIVITY),
    )
    hospitals: list[str] = []
    for kind, activities, first, last in kinds:
        for name, activity in activities.items():
            at = (kind, name)
            if not first <= activity.stream <= last:
                text = f"streams of {kind} go from {first} to {last}, and this is {activity.stream}"
                yield Finding((*at, "stream"), f"{text}; write a free one")
            elif activity.stream in taken:
                text = f"'{taken[activity.stream]}' has stream {activity.stream} already; write a free one"
                yield Finding((*at, "stream"), text)
            taken.setdefault(activity.stream, name)
            yield from _varies(found, at, activity)
            if activity.ceiling_per_day >= 1:
                text = (
                    f"`rate` times its largest factors is {float(activity.ceiling_per_day):.4g} a day; a person does "
                    "this at most once a day, so write smaller numbers (below 1)"
                )
                yield Finding((*at, "rate"), text)
            if isinstance(activity, Service):
                yield from _count_within((*at, "refused_strain"), activity.refused_strain, 255)
                if activity.hospital is not None:
                    hospitals.append(name)
                    yield from _hospital(at, activity, activity.hospital)
    for name in hospitals[1:]:
        text = f"'{hospitals[0]}' is the hospital already; take `hospital` out here"
        yield Finding(("services", name, "hospital"), text)


def _varies(found: World, at: Path, activity: Act | Service) -> Findings:
    if len(activity.varies) > MAX_VARIES:
        text = f"it varies with {len(activity.varies)} traits; write at most {MAX_VARIES}"
        yield Finding((*at, "varies"), text)
    for trait, levels in activity.varies.items():
        where = (*at, "varies", trait)
        if trait in TRAITS:
            yield from _levels_of(where, levels, found.levels[trait])
        else:
            yield from _unknown(where, trait, tuple(TRAITS), "trait")


def _hospital(at: Path, service: Service, hospital: Hospital) -> Iterator[Finding]:
    for trait in service.varies:
        if trait in TRAITS and trait not in HOSPITAL_TRAITS:
            text = f"a hospital's visits vary with {one_of(HOSPITAL_TRAITS)} only, because doctors are staffed by them"
            yield Finding((*at, "varies", trait), f"{text}; take '{trait}' out")
    if hospital.minutes_per_visit.exact <= 0:
        yield Finding((*at, "hospital", "minutes_per_visit"), "a visit takes time; write a number above 0")
    if not 0 < hospital.load.exact < 1:
        text = "a queue whose load is 1 or more never ends; write a number between 0 and 1"
        yield Finding((*at, "hospital", "load"), text)
