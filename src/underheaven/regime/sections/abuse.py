"""The section `abuse`: false reports that somebody wants to be believed, and what insiders do with the file.

A register or a camera errs; here somebody lies.  Who reports is not modelled, only whom it falls on.  What is
alleged enters the file like any record and is in no truth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from underheaven.errors import FileFormError, Finding, Where
from underheaven.institutions.press import Press
from underheaven.life.tables import COMPANIONS, INSIDERS, MAX_VARIES, MAX_WINDOW, N_ACTS, NEIGHBOURS, UNIT
from underheaven.reading import Duration, Findings, Levels, Rate, Section, Shares, did_you_mean, passed
from underheaven.reading import Finding as Fault
from underheaven.regime.units import Name, PerAct, PerRecord
from underheaven.rng import threshold
from underheaven.world.schema import TRAITS, World

if TYPE_CHECKING:
    from underheaven.regime.schema import Regime

LONGEST_DAYS = 50 * 365


def _in_order(varies: dict[str, Levels]) -> dict[str, Levels]:
    """Return the factors in the order of the traits: they are cut one after the other, so order would tell."""
    order = [trait for trait in TRAITS if trait in varies]
    return {trait: varies[trait] for trait in (*order, *(trait for trait in varies if trait not in TRAITS))}


Varies = Annotated[dict[str, Levels], AfterValidator(_in_order)]


class Malice(Section):
    """False reports of one kind: how many a person meets whose factors are all one, whom more, and what they allege."""

    rate: Rate
    varies: Varies = Field(default_factory=dict)
    acts: Shares

    @model_validator(mode="after")
    def _check(self) -> Malice:
        return passed(self, _malice)

    @property
    def most(self) -> Fraction:
        """Return the largest product of factors that anybody can have, at least 1."""
        return math.prod(
            (max(Fraction(1), *levels.exact.values()) for levels in self.varies.values()), start=Fraction(1)
        )


class Retaliation(Section):
    """What insiders do to somebody whose words were noticed: false entries, for a while, and lists by hand.

    `on`: the chance that a noticed act of speech is answered.  From the next day on entries come at `rate`;
    each alleges one of `acts`, and may put her on a list besides.  `lasts` is the mean length.
    """

    on: dict[Name, PerAct]
    rate: Rate
    lasts: Duration
    acts: Shares
    lists: dict[Name, PerRecord] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Retaliation:
        return passed(self, _retaliation)


class Review(Section):
    """Somebody who looks at a report before it enters the file: the chance that a false one passes."""

    keep_false: PerRecord


class Abuse(Section):
    """False reports by neighbours and rivals, by companions on a journey, by insiders; and retaliation."""

    malicious: Malice | None = None
    companions: Malice | None = None
    insiders: Malice | None = None
    review: Review | None = None
    retaliation: Retaliation | None = None

    @property
    def kinds(self) -> dict[int, Malice]:
        """Return the kinds of false reports that there are, by their number."""
        named = ((NEIGHBOURS, self.malicious), (COMPANIONS, self.companions), (INSIDERS, self.insiders))
        return {number: found for number, found in named if found is not None}


#: How the section calls each kind.
KEYS = {NEIGHBOURS: "malicious", COMPANIONS: "companions", INSIDERS: "insiders"}


def _malice(found: Malice) -> Findings:
    if len(found.varies) > MAX_VARIES:
        text = f"it varies with {len(found.varies)} traits; write at most {MAX_VARIES}"
        yield Fault(("varies",), text)
    for trait, levels in found.varies.items():
        if trait not in TRAITS:
            guess = did_you_mean(trait, tuple(TRAITS))
            mend = f"did you mean '{guess}'?" if guess else f"write one of {', '.join(TRAITS)}"
            yield Fault(("varies", trait), f"'{trait}' is no trait; {mend}")
            continue
        known = TRAITS[trait][2]  # none: the world names them, and they are held against it when it is there
        for level in levels.values:
            if known and level not in known:
                text = f"'{level}' is no level of {trait}; write one of {', '.join(known)}"
                yield Fault(("varies", trait, "values", level), text)
        if not levels.values:
            yield Fault(("varies", trait, "values"), "the table is empty; write a factor for a level, or take it out")
            return
    yield from _alleged(found.acts)
    if found.rate.per_day * found.most >= 1:
        text = (
            f"`rate` times its largest factors is {float(found.rate.per_day * found.most):.4g} a day; a person meets "
            "at most one such report a day, so write smaller numbers (below 1)"
        )
        yield Fault(("rate",), text)


def _alleged(acts: Shares) -> Findings:
    if not acts.values:
        yield Fault(("acts", "values"), "a report alleges something; write at least one act with its share")


def _retaliation(found: Retaliation) -> Findings:
    if not found.on:
        yield Fault(("on",), "nothing is retaliated for; write an act of speech, as `exposure: {value: 0.5, per: act}`")
    yield from _alleged(found.acts)
    if found.rate.per_day >= 1:
        text = (
            f"the rate is {float(found.rate.per_day):.4g} a day; at most one entry a day is made, so write less than 1"
        )
        yield Fault(("rate",), text)
    if not 1 <= found.lasts.days <= LONGEST_DAYS:
        yield Fault(("lasts",), f"{found.lasts.value} is no length of it; write `1 day` to `50 years`")


def check_abuse(regime: Regime) -> Findings:
    """Check what the section demands of the rest of the file."""
    if regime.abuse is None:
        return
    if not (regime.has_score or regime.lists or regime.fines):
        text = "there is no file that a report could enter; write `score:`, `lists:` or `fines:`, or take this out"
        yield Fault(("abuse",), text)
    retaliation = regime.abuse.retaliation
    for name in retaliation.lists if retaliation is not None else ():
        if name not in regime.list_names:
            guess = did_you_mean(name, regime.list_names)
            mend = f"did you mean '{guess}'?" if guess else "write one that stands under `lists`, or take it out"
            yield Fault(("abuse", "retaliation", "lists", name), f"'{name}' is no list of this regime; {mend}")


# Into tables --------------------------------------------------------------------------------------------------------


def put_abuse(rules: Any, regime: Regime, world: World, lists: Any) -> None:
    """Fill in the tables of the section.

    Parameters
    ----------
    rules : RULES[1]
    regime, world : as read
    lists : the lists as they are kept, by their place in the tables

    Raises
    ------
    FileFormError : the section names what the world does not have
    """
    abuse = regime.abuse
    if abuse is None:
        return
    _check_fit(regime, world)
    tables = rules[0]
    tables["report_kept"] = threshold(1 if abuse.review is None else abuse.review.keep_false.exact)
    for number, kind in abuse.kinds.items():
        _put_malice(tables, world, number, kind)
    if abuse.retaliation is not None:
        _put_retaliation(tables, world, abuse.retaliation, lists)


def _put_malice(tables: Any, world: World, number: int, kind: Malice) -> None:
    if kind.rate.per_day == 0:
        return
    tables["has_malice"] = 1
    # Candidates come to everybody alike and are thinned by her traits, and those of insiders by their wrongdoing.
    most = kind.most * (most_wrongdoing(world) if number == INSIDERS else 1)
    tables["malice_gaps"][number] = _gaps(kind.rate.per_day * most)
    tables["malice_base"][number] = threshold(1 / most)
    tables["malice_n_varies"][number] = len(kind.varies)
    tables["malice_factor"][number] = UNIT
    for slot, (trait, levels) in enumerate(kind.varies.items()):
        shift, bits, _ = TRAITS[trait]
        tables["malice_shift"][number, slot], tables["malice_mask"][number, slot] = shift, (1 << bits) - 1
        factors = [levels.exact.get(level, Fraction(1)) for level in world.levels[trait]]
        fixed = [int(factor * UNIT + Fraction(1, 2)) for factor in factors]
        tables["malice_factor"][number, slot, : len(fixed)] = fixed
    tables["malice_acts"][number] = _cumulative(kind.acts, world)


def most_wrongdoing(world: World) -> Fraction:
    """Return the highest level that the wrongdoing of officials can reach; 1 where it does not move."""
    return Fraction(1) if world.officials is None else max(Fraction(1), world.officials.unwatched.exact)


def put_voice(rules: Any, world: World) -> None:
    """Fill in whom words reach, and which of them make a wrong of officials public."""
    tables = rules[0]
    for name, act in world.acts.items():
        if act.audience is not None:
            tables["audience"][act.stream] = act.audience.people.value
            tables["account"][act.stream] = world.services[act.audience.through].stream - N_ACTS
        tables["exposes"][act.stream] = int(world.officials is not None and world.officials.exposed_by == name)


def compile_press(world: World) -> Press | None:
    """Return the law of the wrongdoing of officials; None in a world without one."""
    found = world.officials
    if found is None:
        return None
    return Press(
        act=world.acts[found.exposed_by].stream,
        unwatched=int(found.unwatched.exact * UNIT),
        creep_days=found.creep.days,
        deterrence=float(found.deterrence.exact),
        lag_windows=-(-found.lag.days // world.exchange_days),
    )


def companions_see(regime: Regime) -> int:
    """Return the threshold at which companions report an act that they alone see."""
    reporting = regime.reporting
    return 0 if reporting is None or reporting.companions is None else threshold(reporting.companions.exact)


def _put_retaliation(tables: Any, world: World, found: Retaliation, lists: Any) -> None:
    for name, chance in found.on.items():
        tables["retaliated"][world.acts[name].stream] = threshold(chance.exact)
        tables["has_retaliation"] |= int(chance.exact > 0)
    tables["retaliation_gaps"] = _gaps(found.rate.per_day)
    tables["retaliation_ends"] = threshold(1 - (1 - Fraction(1, found.lasts.days)) ** world.exchange_days)
    tables["retaliation_acts"] = _cumulative(found.acts, world)
    for at, entry in lists.items():
        for name in found.acts.values:
            if entry.rule.name in found.lists and entry.takes(world.acts[name].context):
                chance = found.lists[entry.rule.name]
                tables["retaliation_listing"][at, world.acts[name].stream] = threshold(chance.exact)


def _gaps(per_day: Fraction) -> list[int]:
    """Return the chance that something of this rate has come by the end of 1, 2, ... days."""
    return [threshold(1 - (1 - per_day) ** (day + 1)) for day in range(MAX_WINDOW)]


def _cumulative(acts: Shares, world: World) -> list[int]:
    """Return the cumulative shares of acts by their number, as thresholds."""
    shares = {world.acts[name].stream: share for name, share in acts.exact.items()}
    total, found = Fraction(0), []
    for number in range(N_ACTS):
        total += shares.get(number, Fraction(0))
        found.append(threshold(min(Fraction(1), total)))
    return found


def _check_fit(regime: Regime, world: World) -> None:
    found = []
    for path, text in _misfits(regime.abuse, world):
        place = regime.where(path) or Where(regime.regime, path=path)
        found.append(Finding("UH121", place, text))
    if found:
        raise FileFormError(found)


def _misfits(abuse: Abuse | None, world: World) -> Iterator[tuple[str, str]]:
    assert abuse is not None
    for number, kind in abuse.kinds.items():
        at = f"abuse.{KEYS[number]}"
        yield from _no_such(f"{at}.acts.values", kind.acts.values, world)
        for trait, levels in kind.varies.items():
            for level in levels.values:
                if level not in world.levels[trait]:
                    text = f"the world '{world.world}' has no level '{level}' of {trait}; it has "
                    yield f"{at}.varies.{trait}.values.{level}", text + ", ".join(world.levels[trait])
        a_day = float(kind.rate.per_day * kind.most * most_wrongdoing(world))
        if number == INSIDERS and a_day >= 1:
            text = (
                f"`rate` times its largest factors and the highest wrongdoing of officials is {a_day:.4g} a day; a "
                f"person meets at most one such report a day, so write less here, or in the world '{world.world}'"
            )
            yield f"{at}.rate", text
    retaliation = abuse.retaliation
    if retaliation is not None:
        yield from _no_such("abuse.retaliation.acts.values", retaliation.acts.values, world)
        yield from _no_such("abuse.retaliation.on", retaliation.on, world)
        for name in retaliation.on:
            if name in world.acts and not world.acts[name].speech:
                text = f"'{name}' is no act of speech in the world '{world.world}'; retaliation answers words only"
                yield f"abuse.retaliation.on.{name}", text


def _no_such(at: str, names: Mapping[str, Any], world: World) -> Iterator[tuple[str, str]]:
    for name in names:
        if name not in world.acts:
            guess = did_you_mean(name, tuple(world.acts))
            mend = f"did you mean '{guess}'?" if guess else f"it has {', '.join(world.acts)}"
            yield f"{at}.{name}", f"the world '{world.world}' has no act '{name}'; {mend}"
