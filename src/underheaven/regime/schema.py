"""What a regime file may say: one closed pydantic model a section, in the order of the file.

Every number is a quantity with its source (`underheaven.reading`); every key that is not named here is an
error.  What one part demands of another is checked in `underheaven.regime.checks`.  The models are frozen:
a changed regime is a second value, never a mutated first one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Literal, NamedTuple, get_args

from pydantic import Field, StrictBool, StrictInt, model_validator

from underheaven.reading import (
    Count,
    Document,
    Duration,
    Factor,
    Points,
    Rate,
    Section,
    Source,
    passed,
)
from underheaven.regime import checks
from underheaven.regime.sections.abuse import Abuse
from underheaven.regime.sections.association import Association
from underheaven.regime.sections.awareness import Awareness
from underheaven.regime.sections.demands import Demand
from underheaven.regime.sections.firms import Firms
from underheaven.regime.sections.patrols import Allocation
from underheaven.regime.sections.peers import Peers
from underheaven.regime.sections.risk import Risk
from underheaven.regime.standing import Refusal as Refusal
from underheaven.regime.standing import Score as Score
from underheaven.regime.standing import Term as Term
from underheaven.regime.standing import Tier as Tier
from underheaven.regime.units import (
    AgeBand,
    Amount,
    Name,
    NameClass,
    PerAct,
    PerAppeal,
    PerComparison,
    PerMatch,
    PerProbe,
    PerRecord,
    PerRemoval,
    PerSanction,
    Sex,
    TierName,
)

FORMAT = "underheaven-regime/1"
FIRST, NORMAL, LAST = 0, 1, 2  # classes of a queue


class ListRule(Section):
    """A list: which records and which tier lead to it, for how long, and whether in public."""

    name: Name
    on: dict[Name, PerRecord] = Field(default_factory=dict)
    below: TierName | None = None
    term: Term
    shaming: StrictBool = False


class Treated(NamedTuple):
    """What a treatment means to a service."""

    rank: int  # FIRST, NORMAL or LAST in a queue
    is_perk: bool
    refuse: Fraction  # chance that a use is refused

    @property
    def is_sanction(self) -> bool:
        """Tell whether somebody is worse off for it than without the regime."""
        return self.rank == LAST or self.refuse > 0


_WORDS = {
    "normal": Treated(NORMAL, False, Fraction(0)),
    "perk": Treated(NORMAL, True, Fraction(0)),
    "first": Treated(FIRST, True, Fraction(0)),
    "last": Treated(LAST, False, Fraction(0)),
    "refuse": Treated(NORMAL, False, Fraction(1)),
}
Treatment = Literal["normal", "perk", "first", "last", "refuse"] | Refusal


class ServiceRule(Section):
    """How one service treats people, by tier, by list and by the flag of a risk score; else `normal`."""

    tiers: dict[TierName, Treatment] = Field(default_factory=dict)
    lists: dict[Name, Treatment] = Field(default_factory=dict)
    risk: Treatment | None = None


class Cameras(Section):
    """How many cameras there are and what they see: coverage = 1 - 2^(-density / half_view)."""

    number: Count | None = None
    people: Count | None = None
    per_1000: Amount | None = None
    growth: Rate | None = None
    urban_ratio: Factor | None = None
    half_view: Factor
    allocation: Allocation | None = None

    @model_validator(mode="after")
    def _check(self) -> Cameras:
        return passed(self, checks.cameras)

    @property
    def density_per_1000(self) -> Fraction:
        """Return the cameras per 1,000 people, exactly."""
        if self.per_1000 is not None:
            return self.per_1000.exact
        assert self.number is not None and self.people is not None  # the check above
        return Fraction(1000 * self.number.value, self.people.value)

    @property
    def growth_per_day(self) -> Fraction:
        """Return the growth of their number a day, relative to the start; 0 if `growth` is left out."""
        return Fraction(0) if self.growth is None else self.growth.per_day

    @property
    def urban_to_rural(self) -> Fraction:
        """Return the density in urban over that in rural places; 1 if `urban_ratio` is left out."""
        return Fraction(1) if self.urban_ratio is None else self.urban_ratio.exact


class LookRatio(Section):
    """How much an error rate differs by group, sex and age band; what is not named is 1."""

    group: dict[Name, Factor] = Field(default_factory=dict)
    sex: dict[Sex, Factor] = Field(default_factory=dict)
    age: dict[AgeBand, Factor] = Field(default_factory=dict)

    def of(self, group: str, sex: str, age: str) -> Fraction:
        """Return the product of the factors of one look-alike class."""
        kinds = ((self.group, group), (self.sex, sex), (self.age, age))
        return math.prod((_exact(kind).get(level, Fraction(1)) for kind, level in kinds), start=Fraction(1))

    @property
    def most(self) -> Fraction:
        """Return the largest product of any class; a world may have groups that are not named here."""
        return _largest(self.group, None) * _largest(self.sex, Sex) * _largest(self.age, AgeBand)


class NameRatio(Section):
    """How much the risk of a namesake differs by the commonness of the name; what is not named is 1."""

    name: dict[NameClass, Factor] = Field(default_factory=dict)

    def of(self, name: str) -> Fraction:
        """Return the factor of one class of names."""
        return _exact(self.name).get(name, Fraction(1))

    @property
    def most(self) -> Fraction:
        """Return the largest factor that any class of names has."""
        return _largest(self.name, NameClass)


def _exact(factors: Mapping[Any, Factor]) -> dict[str, Fraction]:
    return {str(level): factor.exact for level, factor in factors.items()}


def _largest(factors: Mapping[Any, Factor], levels: Any) -> Fraction:
    """Return the largest factor; a level that is not named has 1, unless all `levels` are named."""
    found = list(_exact(factors).values())
    all_named = levels is not None and len(found) == len(get_args(levels))
    return max(found if all_named else [*found, Fraction(1)])


class Review(Section):
    """People who look at matches before they enter the file."""

    per_million_per_day: Amount
    keep_true: PerMatch
    keep_false: PerMatch


class Recognition(Section):
    """1:N face recognition, as an error model only.

    `choice` says which faces above the threshold enter the file: `ranked` the right one if it is among
    them, else one of them; `any` one of them at random; `every` all of them.  `law` says how the chance of
    a false candidate grows with the gallery: `independent` FPIR(N) = 1 - (1 - false_match)^N; `constant`
    the `fpir` that a vendor holds whatever N is.
    """

    gallery: Literal["nation", "county"]
    choice: Literal["any", "ranked", "every"]
    law: Literal["independent", "constant"]
    miss: PerProbe
    false_match: PerComparison | None = None
    fpir: PerProbe | None = None
    nation: Count | None = None
    size: Count | None = None
    miss_ratio: LookRatio = LookRatio()
    false_match_ratio: LookRatio = LookRatio()
    review: Review | None = None

    @model_validator(mode="after")
    def _check(self) -> Recognition:
        return passed(self, checks.recognition)

    @property
    def fixed_gallery(self) -> int | None:
        """Return the faces searched, where the file says so; None: the people of the run's own county."""
        if self.size is not None:
            return self.size.value
        if self.gallery == "nation" and self.nation is not None:
            return self.nation.value
        return None


class Registers(Section):
    """Records of several registers laid to persons: links that are missed and links to a namesake."""

    scope: Literal["nation", "county"]
    missed_link: PerRecord
    false_link: PerRecord
    missed_link_ratio: LookRatio = LookRatio()
    false_link_ratio: NameRatio = NameRatio()
    stale: PerRemoval | None = None
    stale_time: Duration | None = None

    @model_validator(mode="after")
    def _check(self) -> Registers:
        return passed(self, checks.registers)


class Reporting(Section):
    """People who see an act and write it down; `companions`: those of a journey, who alone see some acts."""

    seen: PerAct
    companions: PerAct | None = None


class Appeal(Section):
    """A way to contest a sanction: how long, before how many, with what success, and who learns in time.

    `learns: notice` (the default): by the notice.  `learns: refusal`: there may be no notice; people learn
    of a sanction when a service first refuses them.
    """

    deadline: Duration
    decision: Duration
    reviewers_per_million: Amount
    cases_per_reviewer_day: Amount
    suspends: StrictBool
    finds_error: PerAppeal
    lenient: PerAppeal
    learns: Literal["notice", "refusal"] = "notice"

    @property
    def cases_per_million_day(self) -> Fraction:
        """Return how many cases are decided a day per million people."""
        return self.reviewers_per_million.exact * self.cases_per_reviewer_day.exact


class Repair(Section):
    """Points given back to whoever makes good, up to the start score, at this rate while sanctioned."""

    rate: Rate
    points: Points


class Remedies(Section):
    """What can be undone.  Human review stands under `recognition`, the list term under `lists`."""

    notice: PerSanction | None = None
    appeal: Appeal | None = None
    correction: Rate | None = None
    repair: Repair | None = None
    expiry: Duration | None = None

    @model_validator(mode="after")
    def _check(self) -> Remedies:
        return passed(self, checks.remedies)

    @property
    def expiry_years(self) -> int:
        """Return after how many years records leave the score; 0: they stay."""
        return 0 if self.expiry is None else self.expiry.days // 365


class Given(Section):
    """The situation of a case: points at the start, records in their order, lists she is already on."""

    start: StrictInt | None = None
    records: tuple[Name, ...] = ()
    lists: tuple[Name, ...] = ()


class Outcome(Section):
    """What must follow; what is left out is not claimed.

    `refused`: exactly the services that refuse every use.  `listed`: exactly the lists she is on for certain.
    """

    score: StrictInt | None = None
    tier: TierName | None = None
    refused: tuple[Name, ...] | None = None
    listed: tuple[Name, ...] | None = None


class Case(Section):
    """A worked example that the regime's own rules must bear out, chance left aside."""

    name: str
    given: Given
    then: Outcome


class Regime(Document):
    """A whole regime file.  All but the header is optional."""

    format: Literal["underheaven-regime/1"]
    regime: Name
    title: str
    kind: Literal["press", "law", "fiction", "hypothesis"]
    status: Literal["provisional", "checked"]
    summary: str
    sources: dict[Name, Source] = Field(default_factory=dict)
    score: Score | None = None
    tiers: tuple[Tier, ...] = ()
    points: dict[Name, Points] = Field(default_factory=dict)
    fines: dict[Name, Amount] = Field(default_factory=dict)
    lists: tuple[ListRule, ...] = ()
    treatment: dict[Name, ServiceRule] = Field(default_factory=dict)
    cameras: Cameras | None = None
    recognition: Recognition | None = None
    registers: Registers | None = None
    reporting: Reporting | None = None
    risk: Risk | None = None
    remedies: Remedies = Remedies()
    context_wall: StrictBool = False
    peers: Peers | None = None
    association: Association | None = None
    firms: Firms | None = None
    demands: tuple[Demand, ...] = ()
    awareness: Awareness | None = None
    abuse: Abuse | None = None
    cases: tuple[Case, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Regime:
        return passed(self, checks.regime)

    @property
    def has_score(self) -> bool:
        """Tell whether citizens have a score."""
        return self.score is not None

    @property
    def tier_names(self) -> tuple[str, ...]:
        """Return the names of the tiers, best first."""
        return tuple(tier.name for tier in self.tiers)

    @property
    def list_names(self) -> tuple[str, ...]:
        """Return the names of the lists, in the order of the file."""
        return tuple(entry.name for entry in self.lists)

    @property
    def cutoffs(self) -> tuple[int, ...]:
        """Return the lowest score of each tier in points, best first; the last is the floor."""
        floor = 0 if self.score is None else self.score.floor.value
        return tuple(floor if tier.from_ is None else tier.from_.value for tier in self.tiers)

    @property
    def act_names(self) -> tuple[str, ...]:
        """Return the acts that the regime does something with, in alphabetical order."""
        on_lists = [act for entry in self.lists for act in entry.on]
        return tuple(sorted({*self.points, *self.fines, *on_lists}))

    @property
    def service_names(self) -> tuple[str, ...]:
        """Return the services that the regime has a rule for, in the order of the file."""
        return tuple(self.treatment)

    def points_of(self, act: str) -> int:
        """Return the points of one record of an act; 0 if the regime names none."""
        return self.points[act].value if act in self.points else 0

    def fine_of(self, act: str) -> Fraction:
        """Return the fine for one record of an act, in days of the mean income of all."""
        return self.fines[act].exact if act in self.fines else Fraction(0)

    def is_demerit(self, act: str) -> bool:
        """Tell whether a record of an act is held against a person: points off, a fine or a list."""
        listed = any(act in entry.on and entry.on[act].exact > 0 for entry in self.lists)
        return self.points_of(act) < 0 or self.fine_of(act) > 0 or listed

    def by_tier(self, service: str, tier: str) -> Treated:
        """Return how a service treats a tier; `normal` where the regime says nothing."""
        rule = self.treatment.get(service)
        return _treated(None if rule is None else rule.tiers.get(tier))

    def by_list(self, service: str, name: str) -> Treated:
        """Return how a service treats people on a list; `normal` where the regime says nothing."""
        rule = self.treatment.get(service)
        return _treated(None if rule is None else rule.lists.get(name))

    def by_risk(self, service: str) -> Treated:
        """Return how a service treats those whom the risk score flags; `normal` without one."""
        rule = self.treatment.get(service)
        return _treated(None if rule is None or self.risk is None else rule.risk)


def _treated(treatment: str | Refusal | None) -> Treated:
    if isinstance(treatment, Refusal):
        return Treated(NORMAL, False, treatment.refuse.exact)
    return _WORDS[treatment or "normal"]
