"""Scores for companies: what a regime file may say of firms, and the tables that it becomes.

A firm and its legal representative can contaminate each other: what is held against the one is entered in the
file of the other.  Firms may also gain points by screening people for the system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from underheaven.errors import Finding as Located
from underheaven.errors import Where
from underheaven.institutions.employers import Employers
from underheaven.life.tables import MAX_TIERS, MAX_WINDOW, N_ACTS, POINT, UNIT, Int64
from underheaven.reading import Factor, Finding, Findings, Points, Section, did_you_mean, one_of, passed
from underheaven.regime import checks
from underheaven.regime.standing import Refusal, Score, Term, Tier
from underheaven.regime.units import Name, PerAct, PerListing, PerRecord, TierName
from underheaven.rng import ONE, threshold
from underheaven.world.sections.firms import SIZE_CLASSES

if TYPE_CHECKING:
    from underheaven.regime.schema import Regime
    from underheaven.world.schema import World
    from underheaven.world.sections.firms import FirmAct, FirmService
    from underheaven.world.sections.firms import Firms as WorldFirms

Treatment = Literal["normal", "refuse"] | Refusal


class FirmList(Section):
    """The list of firms: which records and which tier lead to it, and for how long."""

    name: Name
    on: dict[Name, PerRecord] = Field(default_factory=dict)
    below: TierName | None = None
    term: Term


class FirmTreatment(Section):
    """How a service treats firms, by tier and if they are listed; what is not named is `normal`."""

    tiers: dict[TierName, Treatment] = Field(default_factory=dict)
    listed: Treatment | None = None


class FirmRegisters(Section):
    """Records laid to firms: links that are missed, and links to a firm of a similar name."""

    scope: Literal["nation", "county"]
    missed_link: PerRecord
    false_link: PerRecord


class ToRepresentative(Section):
    """What a new listing of a firm does to her who represents it: points, and chances of a list of people."""

    points: Points | None = None
    lists: dict[Name, PerListing] = Field(default_factory=dict)


class Screening(Section):
    """Employers and lenders that ask for scores: some anyway, others as long as it pays them points.

    `services` are those of people at which fewer than all ask: their refusals happen as often as the regime says,
    times the share of firms that ask.  A firm below the best tier asks if `points` are above 0; they are what it
    gains for a year of it.
    """

    services: tuple[Name, ...]
    share: Factor
    points: Points


class Firms(Section):
    """Scores for companies."""

    score: Score
    tiers: tuple[Tier, ...]
    points: dict[Name, Points] = Field(default_factory=dict)
    list_: FirmList | None = Field(default=None, alias="list")
    treatment: dict[Name, FirmTreatment] = Field(default_factory=dict)
    inspected: PerAct | None = None
    registers: FirmRegisters | None = None
    to_representative: ToRepresentative | None = None
    from_representative: Points | None = None
    screening: Screening | None = None

    @model_validator(mode="after")
    def _check(self) -> Firms:
        return passed(self, _firms)

    @property
    def tier_names(self) -> tuple[str, ...]:
        """Return the names of the tiers, best first."""
        return tuple(tier.name for tier in self.tiers)

    @property
    def cutoffs(self) -> tuple[int, ...]:
        """Return the lowest score of each tier in points, best first; the last is the floor."""
        return tuple(self.score.floor.value if tier.from_ is None else tier.from_.value for tier in self.tiers)

    @property
    def act_names(self) -> tuple[str, ...]:
        """Return the acts of firms that the regime does something with, in alphabetical order."""
        return tuple(sorted({*self.points, *(self.list_.on if self.list_ is not None else ())}))

    @property
    def start_tier(self) -> int:
        """Return the number of the tier in which firms start."""
        return next(rank for rank, cutoff in enumerate(self.cutoffs) if self.score.start.value >= cutoff)

    def points_of(self, act: str) -> int:
        """Return the points of one record of an act; 0 if the regime names none."""
        return self.points[act].value if act in self.points else 0

    def listing_of(self, act: str) -> Fraction:
        """Return the chance that a record of an act leads to the list."""
        on = self.list_.on if self.list_ is not None else {}
        return on[act].exact if act in on else Fraction(0)

    def refusal(self, service: str, tier: str | None) -> Fraction:
        """Return the chance that a service refuses a firm of a tier; None: a firm that is listed."""
        rule = self.treatment.get(service)
        found = None if rule is None else rule.listed if tier is None else rule.tiers.get(tier)
        return found.refuse.exact if isinstance(found, Refusal) else Fraction(found == "refuse")

    def within(self, regime: Regime) -> Findings:
        """Check what the section demands of the rest of the file."""
        into = self.to_representative
        if into is not None:
            at: tuple[str, ...] = ("firms", "to_representative")
            if into.points is not None and regime.score is None:
                yield Finding((*at, "points"), "people have no score in this regime; write `score:`, or take this out")
            if into.points is not None and regime.score is not None:
                room = regime.score.cap.value - regime.score.floor.value
                yield from _size((*at, "points"), into.points.value, room)
            for name in into.lists:
                if name not in regime.list_names:
                    text = f"'{name}' is no list of people in this regime; {_mend(name, regime.list_names, 'lists')}"
                    yield Finding((*at, "lists", name), text)
        for number, name in enumerate(self.screening.services if self.screening is not None else ()):
            if name not in regime.treatment:
                text = f"'{name}' has no rule under `treatment`, so nobody asks there; "
                mend = _mend(name, regime.service_names, "treatment")
                yield Finding(("firms", "screening", "services", number), text + mend)


def _mend(name: str, names: tuple[str, ...], key: str) -> str:
    if not names:
        return f"write `{key}:` first, or take it out"
    guess = did_you_mean(name, names)
    return f"did you mean '{guess}'?" if guess else f"write {one_of(names)}"


def _size(at: tuple[str, ...], points: int, room: int) -> Findings:
    if abs(points) > room:
        text = f"{abs(points)} points are more than the whole scale of {room}; write at most {room}"
        yield Finding((*at, "value"), text)


def _firms(found: Firms) -> Findings:
    if not found.tiers:
        yield Finding(("tiers",), "a score without tiers decides nothing; write 1 to 8 `tiers`")
    yield from checks.tiers(found)
    room = found.score.cap.value - found.score.floor.value
    for act, points in found.points.items():
        yield from _size(("points", act), points.value, room)
    into = found.to_representative
    passed_on: dict[tuple[str, ...], Points | None] = {
        ("from_representative",): found.from_representative,
        ("to_representative", "points"): into.points if into is not None else None,
    }
    for at, off in passed_on.items():
        if off is not None and off.value > 0:
            yield Finding((*at, "value"), "nobody gains by the sanction of another; write 0 or a number below 0")
    if found.from_representative is not None:
        yield from _size(("from_representative",), found.from_representative.value, room)
    yield from _list(found)
    yield from _treatment(found)
    registers = found.registers
    if registers is not None and registers.missed_link.exact + registers.false_link.exact > 1:
        both = float(registers.missed_link.exact + registers.false_link.exact)
        text = f"missed and false links together are {both:.4g} of the records; write chances that stay within 1"
        yield Finding(("registers",), text)
    if found.screening is not None:
        yield from _screening(found, found.screening, room)


def _screening(found: Firms, screening: Screening, room: int) -> Findings:
    if screening.share.exact > 1:
        text = f"{screening.share.text()} is no share of firms; write a number within 0 .. 1"
        yield Finding(("screening", "share", "value"), text)
    if screening.points.value < 0:
        text = "a firm does not ask for what costs it points; write 0 or a number above 0"
        yield Finding(("screening", "points", "value"), text)
    yield from _size(("screening", "points"), screening.points.value, room)


def _list(found: Firms) -> Findings:
    entry = found.list_
    if entry is None:
        return
    if not entry.on and entry.below is None:
        yield Finding(("list",), "nothing leads to this list; write `on:` with acts, or `below:` with a tier")
    if entry.below is not None:
        yield from _known_tier(("list", "below"), entry.below, found.tier_names)
        if found.tier_names and entry.below == found.tier_names[0]:
            text = f"every firm is in tier '{entry.below}' or lower; write a lower tier, or take `below` out"
            yield Finding(("list", "below"), text)


def _known_tier(at: tuple[str, ...], name: str, names: tuple[str, ...]) -> Findings:
    if name not in names:
        yield Finding(at, f"'{name}' is no tier of firms; {_mend(name, names, 'tiers')}")


def _treatment(found: Firms) -> Findings:
    for service, rule in found.treatment.items():
        for tier in rule.tiers:
            yield from _known_tier(("treatment", service, "tiers", tier), tier, found.tier_names)
        if rule.listed is not None and found.list_ is None:
            text = "there is no list of firms; write `list:` in this section, or take `listed` out"
            yield Finding(("treatment", service, "listed"), text)


# Tables -------------------------------------------------------------------------------------------------------


def misfits(regime: Regime, world: World) -> Iterator[Located]:
    """Yield what the section names and the world does not have."""
    rules = regime.firms
    if rules is None:
        return
    there = world.firms
    if there is None:
        place = regime.where("firms") or Where(regime.regime, path="firms")
        yield Located("UH121", place, f"the world '{world.world}' has no firms; write `firms:` in it, or take this out")
        return
    asked = [(f"firms.points.{name}", "act", name, tuple(there.acts)) for name in rules.points]
    if rules.list_ is not None:
        asked += [(f"firms.list.on.{name}", "act", name, tuple(there.acts)) for name in rules.list_.on]
    asked += [(f"firms.treatment.{name}", "service", name, tuple(there.services)) for name in rules.treatment]
    for path, kind, name, names in asked:
        if name not in names:
            guess = did_you_mean(name, names)
            mend = f"did you mean '{guess}'?" if guess else f"they have {one_of(names) or 'none'}"
            place = regime.where(path) or Where(regime.regime, path=path)
            yield Located("UH121", place, f"the firms of the world '{world.world}' have no {kind} '{name}'; {mend}")


def put_firms(
    tables: Any, regime: Regime, world: World, lists: Mapping[str, int], quantiles: Callable[[Term], Int64]
) -> None:
    """Fill in what the loop reads of firms; nothing, if the regime says nothing of them.

    Parameters
    ----------
    tables : RULES record, changed
    regime, world : as read
    lists : places of the lists of people
    quantiles : of a stay on a list, by its term
    """
    rules, there = regime.firms, world.firms
    if rules is None or there is None:
        return
    tables["firms"] = there.per_million
    tables["firm_sizes"] = [there.sizes.at_least(size) for size, _ in SIZE_CLASSES]
    tables["firm_sectors"] = ONE
    total = Fraction(0)
    for number, share in enumerate(there.sector_shares):
        total += share
        tables["firm_sectors"][number] = threshold(min(total, Fraction(1)))
    _put_activities(tables, rules, there)
    for key in ("start", "floor", "cap"):
        tables[f"firm_{key}"] = getattr(rules.score, key).value * POINT
    tables["firm_n_tiers"] = len(rules.tiers)
    for tier, cutoff in enumerate(rules.cutoffs):
        tables["firm_cutoffs"][tier] = cutoff * POINT
    tables["firm_below"] = MAX_TIERS
    if rules.list_ is not None:
        tables["firm_list"] = 1
        tables["firm_term"] = quantiles(rules.list_.term)
        if rules.list_.below is not None:
            tables["firm_below"] = rules.tier_names.index(rules.list_.below)
    missed, false = Fraction(0), Fraction(0)
    if rules.registers is not None:
        missed, false = rules.registers.missed_link.exact, rules.registers.false_link.exact
    tables["firm_link_right"], tables["firm_link_wrong"] = ONE - threshold(missed) - threshold(false), threshold(false)
    _put_contamination(tables, regime, rules, lists)
    if rules.screening is not None:
        tables["firm_screening_points"] = rules.screening.points.value * POINT
        tables["firm_screening_chance"] = threshold(min(Fraction(1), Fraction(world.exchange_days, 365)))
        for name in rules.screening.services:
            tables["screened"][world.services[name].stream - N_ACTS] = 1


def _put_activities(tables: Any, rules: Firms, there: WorldFirms) -> None:
    tables["firm_inspected"] = 0 if rules.inspected is None else threshold(rules.inspected.exact)
    activities: list[FirmAct | FirmService] = [*there.acts.values(), *there.services.values()]
    for activity in activities:
        number = activity.stream
        tables["firm_groups"] |= 1 << (number // 4)
        for sector, sector_name in enumerate(there.sector_names):
            spared = 1 - activity.per_day(sector_name)
            tables["firm_gaps"][number, sector] = [threshold(1 - spared ** (day + 1)) for day in range(MAX_WINDOW)]
    for name, act in there.acts.items():
        tables["firm_by_register"][act.stream] = int(act.channel == "register")
        tables["firm_matters"][act.stream] = int(name in rules.act_names)
        tables["firm_points"][act.stream] = rules.points_of(name) * POINT
        tables["firm_listing"][act.stream] = threshold(rules.listing_of(name))
    for name, service in there.services.items():
        at = service.stream - len(tables["firm_points"])
        tables["firm_refuse_list"][at] = threshold(rules.refusal(name, None))
        for tier, tier_name in enumerate(rules.tier_names):
            tables["firm_refuse_tier"][at, tier] = threshold(rules.refusal(name, tier_name))


def _put_contamination(tables: Any, regime: Regime, rules: Firms, lists: Mapping[str, int]) -> None:
    """Fill in what firm and representative do to each other; a context wall keeps them apart."""
    if regime.context_wall:
        return
    into = rules.to_representative
    if into is not None:
        tables["firm_to_points"] = 0 if into.points is None else into.points.value * POINT
        for name, chance in into.lists.items():
            tables["firm_to_lists"][lists[name]] = threshold(chance.exact)
    if rules.from_representative is not None:
        tables["firm_from_points"] = rules.from_representative.value * POINT


def employers(regime: Regime, world: World) -> Employers | None:
    """Return the employers that screen; None where the regime knows none."""
    rules = regime.firms
    if rules is None or rules.screening is None:
        return None
    asked = rules.screening
    pays = asked.points.value > 0
    return Employers(
        services=tuple(world.services[name].stream - N_ACTS for name in asked.services),
        share=int(asked.share.exact * UNIT + Fraction(1, 2)),
        at_first=UNIT if pays and rules.start_tier > 0 else 0,
    )
