"""Demands on foreign firms: what a regime file may say of them, and the institution that it becomes."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from underheaven.reading import Count, Duration, Factor, Finding, Findings, Section, passed
from underheaven.regime.units import Amount, Name

if TYPE_CHECKING:
    from underheaven.institutions import demands as institution

MAX_FIRMS = 10_000
MAX_GROUPS = 20
LONGEST_DAYS = 10 * 365
LARGEST_WEIGHT = 1_000  # of a threshold scale that runs from about 0 to 1


class FirmGroup(Section):
    """Firms that stand alike towards a demand: from one country, in one line of business.

    `exposure` is the mean share of their business in the market, the single shares spread evenly from 0 to twice it.
    `home_pressure` is what governments and customers at home lay against a full change.  `audience` is how many
    people abroad read what one firm writes, on average; firms differ by Zipf's law with `size_exponent`.
    """

    name: Name
    number: Count
    exposure: Amount | None = None
    home_pressure: Factor | None = None
    audience: Count | None = None
    size_exponent: Factor | None = None


class Thresholds(Section):
    """Between which pulls firms give in that nobody at home minds; spread evenly."""

    low: Amount
    high: Amount


class Published(Section):
    """A published count of firms that had complied in full, for comparison; it moves nothing.

    `calibrated`: the numbers of this demand were chosen with it in view.  `checked`: they were not.
    """

    after: Duration
    complied: Count
    use: Literal["calibrated", "checked"]


class Demand(Section):
    """A demand on firms abroad, made on the first day of the run, with deadlines and a threat.

    `summary` says what is asked and what is threatened.  A firm gives in when `peers` times the share that has, plus
    `threat` times the nearness of the deadline, plus its exposure reach its threshold.  With pressure at home it
    changes a part from the share `partial_from` of that pressure on, and all only if the pull outweighs the whole of
    it.
    """

    name: Name
    summary: str
    deadlines: tuple[Duration, ...]
    firms: tuple[FirmGroup, ...]
    thresholds: Thresholds
    peers: Factor
    threat: Factor
    nearness_half_life: Duration
    time_to_comply: Duration | None = None
    partial_from: Amount | None = None
    published: tuple[Published, ...] = Field(default=())

    @model_validator(mode="after")
    def _check(self) -> Demand:
        return passed(self, _check)

    @property
    def n_firms(self) -> int:
        """Return how many firms are asked."""
        return sum(group.number.value for group in self.firms)


def _check(found: Demand) -> Findings:
    """Check that there is somebody to ask, that the deadlines follow each other, and that every number has room."""
    yield from _check_firms(found)
    yield from _check_times(found)
    low, high = found.thresholds.low.exact, found.thresholds.high.exact
    if low > high:
        text = f"the lowest threshold is {float(low):.4g}, above the highest; exchange `low` and `high`"
        yield Finding(("thresholds", "low"), text)
    weights: dict[tuple[str, ...], Fraction] = {("thresholds", "high"): high}
    weights |= {("peers",): found.peers.exact, ("threat",): found.threat.exact}
    for at, weight in weights.items():
        if weight > LARGEST_WEIGHT:
            yield Finding((*at, "value"), f"{float(weight):.4g} is beyond any scale; write {LARGEST_WEIGHT} or less")
    if found.partial_from is not None and found.partial_from.exact > 1:
        text = f"{found.partial_from.text()} is no share of the pressure at home; write a number within 0 .. 1"
        yield Finding(("partial_from", "value"), text)
    for number, point in enumerate(found.published):
        if point.complied.value > found.n_firms:
            most = found.n_firms
            text = f"{point.complied.value} of {most} firms cannot have complied; write {most} or less"
            yield Finding(("published", number, "complied", "value"), text)


def _check_firms(found: Demand) -> Findings:
    names = [group.name for group in found.firms]
    if len(names) > MAX_GROUPS:
        yield Finding(("firms", MAX_GROUPS), f"{len(names)} groups are too many; write at most {MAX_GROUPS}")
    for number, group in enumerate(found.firms):
        at = ("firms", number)
        if group.name in names[:number]:
            text = f"there is already a group called '{group.name}'; write another name"
            yield Finding((*at, "name"), text)
        if group.exposure is not None and group.exposure.exact > Fraction(1, 2):
            text = (
                f"shares are spread from 0 to twice {group.exposure.text()}, and no firm has more than all of its "
                "business in a market; write 0.5 or less"
            )
            yield Finding((*at, "exposure", "value"), text)
        if group.home_pressure is not None and group.home_pressure.exact > LARGEST_WEIGHT:
            text = f"{group.home_pressure.text()} is beyond any scale; write {LARGEST_WEIGHT} or less"
            yield Finding((*at, "home_pressure", "value"), text)
        if group.audience is not None and group.audience.value * group.number.value > 10**15:
            yield Finding((*at, "audience", "value"), "more people than there are; write the readers of one firm")
        if group.size_exponent is not None and group.size_exponent.exact > 10:
            yield Finding((*at, "size_exponent", "value"), "one firm would have them all; write 10 or less")
    if not 1 <= found.n_firms <= MAX_FIRMS:
        text = f"the demand is made to {found.n_firms} firms; write 1 to {MAX_FIRMS:,} in all"
        yield Finding(("firms",), text)


def _check_times(found: Demand) -> Findings:
    if not found.deadlines:
        yield Finding(("deadlines",), "a demand has a deadline; write `deadlines: [{value: 30 days, ...}]`")
    before = 0
    for number, deadline in enumerate(found.deadlines):
        at = ("deadlines", number, "value")
        if deadline.days <= before:
            text = f"{deadline.value} is not after {before} days; write the deadlines in days since the demand was made"
            yield Finding(at, text + ", one after the other")
        before = max(before, deadline.days)
    times: dict[tuple[str | int, ...], Duration | None] = {
        ("nearness_half_life",): found.nearness_half_life,
        ("time_to_comply",): found.time_to_comply,
    }
    if found.deadlines:
        times["deadlines", len(found.deadlines) - 1] = found.deadlines[-1]
    for place, duration in times.items():
        if duration is not None and duration.days > LONGEST_DAYS:
            yield Finding((*place, "value"), f"{duration.value} is longer than 10 years; write `10 years` or less")
    if found.nearness_half_life.days < 1:
        text = "no deadline is twice as near within no time; write at least `1 day`"
        yield Finding(("nearness_half_life", "value"), text)


def compiled(demands: tuple[Demand, ...]) -> tuple[institution.Demand, ...]:
    """Return the institution of each demand, its weights in 1/65536."""
    return tuple(_compiled(number, demand) for number, demand in enumerate(demands))


def _fixed(weight: Fraction) -> int:
    from underheaven.life.tables import UNIT

    return int(weight * UNIT + Fraction(1, 2))


def _compiled(number: int, demand: Demand) -> institution.Demand:
    from underheaven.institutions import demands as institution  # its draws are compiled; a file is read without

    part = Fraction(1) if demand.partial_from is None else demand.partial_from.exact
    groups = []
    for group in demand.firms:
        home = Fraction(0) if group.home_pressure is None else group.home_pressure.exact
        groups.append(
            institution.FirmGroup(
                name=group.name,
                number=group.number.value,
                exposure=0 if group.exposure is None else _fixed(2 * group.exposure.exact),
                home_pressure=_fixed(home),
                partial_pressure=_fixed(home * part),
                audience=0 if group.audience is None else group.audience.value,
                size_exponent=0.0 if group.size_exponent is None else float(group.size_exponent.exact),
            )
        )
    return institution.Demand(
        name=demand.name,
        number=number,
        groups=tuple(groups),
        deadlines=tuple(deadline.days for deadline in demand.deadlines),
        peers=_fixed(demand.peers.exact),
        threat=_fixed(demand.threat.exact),
        half_life_days=demand.nearness_half_life.days,
        threshold_low=_fixed(demand.thresholds.low.exact),
        threshold_high=_fixed(demand.thresholds.high.exact),
        work_days=0 if demand.time_to_comply is None else demand.time_to_comply.days,
    )
