"""Compile a regime and a world to the flat tables that the loop reads, and to the institutions beside it.

Everything is exact (fractions of the written decimals) up to the last step, where a number becomes a
threshold, a fixed-point factor or a whole day.  Only waiting times on lists and fading need Python's `math`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from underheaven.errors import FileFormError, Finding, Where
from underheaven.institutions import Institutions
from underheaven.institutions.cameras import Cameras, Recognition, Review
from underheaven.institutions.courts import THOUSANDTHS, Appeals
from underheaven.institutions.hospitals import Hospitals
from underheaven.institutions.registers import NO_LINKING, Registers
from underheaven.life.standing import SHAMED
from underheaven.life.tables import (
    CAMERA,
    COMPANION,
    MAX_LEDGERS,
    MAX_LISTS,
    MAX_TIERS,
    MAX_WINDOW,
    N_ACTS,
    N_QUANTILES,
    POINT,
    REGISTER,
    REPORT,
    RULES,
    UNIT,
    UNSEEN,
    Int64,
    record,
)
from underheaven.reading import did_you_mean, identity_hash
from underheaven.regime.schema import FIRST, LAST, NORMAL, ListRule, Regime, Term
from underheaven.regime.sections import demands
from underheaven.regime.sections.abuse import companions_see, compile_press, put_abuse, put_voice
from underheaven.regime.sections.association import put_association
from underheaven.regime.sections.awareness import put_awareness
from underheaven.regime.sections.firms import employers, misfits, put_firms
from underheaven.regime.sections.patrols import compile_patrols
from underheaven.regime.sections.peers import put_peers
from underheaven.regime.sections.risk import put_risk, risk_model
from underheaven.rng import threshold
from underheaven.world.schema import TRAITS, Act, Service, World
from underheaven.world.sections.firms import SIZE_CLASSES

CHANNELS = {"unseen": UNSEEN, "camera": CAMERA, "register": REGISTER, "report": REPORT, "companion": COMPANION}
EVERYTHING = "everything"  # the one ledger of a regime without context walls
LONGEST_STAY = 65_535  # days; the column has 16 bits


@dataclass(frozen=True)
class Compiled:
    """A regime in a world, ready to be lived under.

    Parameters
    ----------
    rules : RULES[regime]: one, or in a roll-out as many as it has regimes
    institutions : what works between exchanges, by regime
    switches : (first day, regime, counties) of a roll-out; see `engine.exchange.Phases`
    ledgers : names of the scores that a citizen has, none without a score
    acts, services : name by activity number
    tiers, lists : names, in the order of the tables
    levels : names of the levels of each trait
    firms : names of their sectors and classes of size; None if the regime says nothing of them
    act_rows, service_rows : what a reader of the results must know of each, for the manifest
    regime_hash, world_hash : SHA-256 of all that can move a result
    """

    rules: NDArray[np.void]
    institutions: tuple[Institutions, ...]
    ledgers: list[str]
    acts: dict[int, str]
    services: dict[int, str]
    tiers: list[str]
    lists: list[str]
    levels: dict[str, list[str]]
    act_rows: list[dict[str, Any]]
    service_rows: list[dict[str, Any]]
    firms: dict[str, list[str]] | None
    regime_hash: str
    world_hash: str
    switches: tuple[tuple[int, int, tuple[int, ...]], ...] = ()

    @property
    def firms_per_million(self) -> int:
        """Return the firms per million citizens; 0 if no regime says anything of them."""
        return int(self.rules["firms"].max())


def compile_tables(regime: Regime, world: World, list_names: Sequence[str] = ()) -> Compiled:
    """Compile a regime for a world.

    Parameters
    ----------
    regime, world : as read
    list_names : lists of other regimes of a roll-out; each list has the place of its name among them

    Raises
    ------
    FileFormError : the regime names an act, a service or a group that the world does not have
    """
    _check_fit(regime, world)
    contexts = _contexts(regime, world)
    own_lists = _lists(regime, world, contexts)
    names = list(list_names) or [entry.name for entry in own_lists]
    lists = {names.index(entry.name): entry for entry in own_lists}
    rules = record(RULES)
    rules["window_days"] = world.exchange_days
    rules["n_ledgers"] = len(contexts)
    rules["n_lists"] = len(names)
    for key, at in enumerate(lists):
        rules["has_list"][0, at], rules["list_key"][0, at] = 1, key
    rules["tier_column"] = np.arange(MAX_TIERS)
    rules["keeps_file"] = int(regime.has_score or bool(regime.lists) or bool(regime.fines))
    for name, act in world.acts.items():
        _put_activity(rules, regime, world, name, act.stream, act)
        _put_act(rules, regime, world, name, act, contexts, lists)
    for name, service in world.services.items():
        _put_activity(rules, regime, world, name, service.stream, service)
    _put_standing(rules, regime, lists)
    _put_treatment(rules, regime, world, contexts, lists)
    _put_response(rules, world)
    _put_remedies(rules, regime, world)
    put_peers(rules, regime, world)
    put_risk(rules, regime, world)
    put_association(rules, regime, world)
    put_awareness(rules, regime, world)
    put_abuse(rules, regime, world, lists)
    put_firms(rules[0], regime, world, {entry.rule.name: at for at, entry in lists.items()}, term_quantiles)
    put_voice(rules, world)
    registers = _registers(regime, world)
    rules["link_right"], rules["link_wrong"] = registers.tables()
    return Compiled(
        rules=rules,
        institutions=(_institutions(regime, world, registers),),
        ledgers=list(contexts),
        acts={act.stream: name for name, act in world.acts.items()},
        services={service.stream: name for name, service in world.services.items()},
        tiers=list(regime.tier_names),
        lists=names,
        levels={trait: list(names) for trait, names in world.levels.items()},
        act_rows=[
            {
                "number": act.stream,
                "name": name,
                "channel": act.channel,
                "context": act.context,
                "speech": act.speech,
                "points": regime.points_of(name),
                "matters": name in regime.act_names,
                "demerit": regime.is_demerit(name),
            }
            for name, act in world.acts.items()
        ],
        service_rows=[
            {
                "number": service.stream,
                "name": name,
                "context": service.context,
                "hospital": service.hospital is not None,
                "treated": name in regime.treatment,
            }
            for name, service in world.services.items()
        ],
        firms=None
        if regime.firms is None or world.firms is None
        else {"sectors": list(world.firms.sector_names), "sizes": [name for _, name in SIZE_CLASSES]},
        regime_hash=identity_hash(regime),
        world_hash=identity_hash(world),
    )


def _check_fit(regime: Regime, world: World) -> None:
    """Refuse a regime that names what the world does not have."""
    groups = world.levels["group"]
    asked: list[tuple[str, str, str, tuple[str, ...]]] = []
    acts, services = tuple(world.acts), tuple(world.services)
    asked += [(f"points.{name}", "act", name, acts) for name in regime.points]
    asked += [(f"fines.{name}", "act", name, acts) for name in regime.fines]
    for number, entry in enumerate(regime.lists):
        asked += [(f"lists.{number}.on.{name}", "act", name, acts) for name in entry.on]
    asked += [(f"treatment.{name}", "service", name, services) for name in regime.treatment]
    for key, ratio in (
        ("recognition.miss_ratio", regime.recognition and regime.recognition.miss_ratio),
        ("recognition.false_match_ratio", regime.recognition and regime.recognition.false_match_ratio),
        ("registers.missed_link_ratio", regime.registers and regime.registers.missed_link_ratio),
    ):
        if ratio:
            asked += [(f"{key}.group.{name}", "group", name, groups) for name in ratio.group]
    if regime.peers is not None and regime.peers.prejudice is not None:
        asked.append(("peers.prejudice.against", "group", regime.peers.prejudice.against, groups))
    found = []
    for path, kind, name, names in asked:
        if name not in names:
            guess = did_you_mean(name, names)
            mend = f"did you mean '{guess}'?" if guess else f"it has {', '.join(names)}"
            place = regime.where(path) or Where(regime.regime, path=path)
            text = f"the world '{world.world}' has no {kind} '{name}'; {mend}"
            found.append(Finding("UH121", place, text))
    found += misfits(regime, world)
    if found:
        raise FileFormError(found)


def _contexts(regime: Regime, world: World) -> dict[str, int]:
    """Return the number of each ledger by its context; one for all without context walls."""
    if not regime.has_score:
        return {}
    if not regime.context_wall:
        return {EVERYTHING: 0}
    names = sorted({act.context for name, act in world.acts.items() if regime.points_of(name)})
    if len(names) > MAX_LEDGERS:
        text = f"a context wall splits the score into {len(names)} ledgers; at most {MAX_LEDGERS} are possible"
        raise FileFormError.of("UH121", text, regime.where("context_wall"))
    return {name: number for number, name in enumerate(names or [EVERYTHING])}


@dataclass(frozen=True)
class _List:
    """A list as the loop keeps it: behind a context wall, one for each context that its entries come from."""

    name: str
    rule: ListRule
    context: str | None  # None: any
    ledger: int  # whose tiers lead to it; -1: none do

    def takes(self, context: str) -> bool:
        return self.context in (None, context)


def _lists(regime: Regime, world: World, contexts: dict[str, int]) -> list[_List]:
    """Return the lists; behind a context wall a stay reaches only the context that it came from."""
    if not regime.context_wall:
        return [_List(rule.name, rule, None, 0 if contexts else -1) for rule in regime.lists]
    found = []
    for rule in regime.lists:
        sources = {world.acts[act].context for act in rule.on} | set(contexts if rule.below is not None else ())
        for context in sorted(sources):
            name = rule.name if len(sources) == 1 else f"{rule.name}/{context}"
            found.append(_List(name, rule, context, contexts.get(context, -1)))
    if len(found) > MAX_LISTS:
        text = f"a context wall splits the lists into {len(found)}, one a context; at most {MAX_LISTS} are possible"
        raise FileFormError.of("UH121", text, regime.where("context_wall"))
    return found


def _ledger_of(contexts: dict[str, int], context: str) -> int:
    """Return the ledger that a context writes to and reads from; -1: none."""
    return contexts.get(EVERYTHING, contexts.get(context, -1))


def _factor(factor: Fraction) -> int:
    return int(factor * UNIT + Fraction(1, 2))


def _ramp(highest: Fraction, levels: int) -> list[Fraction]:
    """Return factors that rise or fall in equal steps from 1 to `highest`."""
    return [1 + (highest - 1) * Fraction(level, levels - 1) for level in range(levels)]


def _put_activity(rules: Any, regime: Regime, world: World, name: str, number: int, found: Act | Service) -> None:
    """Fill in how often an activity is thought of (the same under any regime) and when it is done."""
    tables = rules[0]
    one = Fraction(1)
    strain = caution = gaming = one
    if isinstance(found, Act):
        strain, caution, gaming = (x.exact if x else one for x in (found.strain, found.caution, found.gaming))
    varies = {
        trait: [levels.exact.get(level, one) for level in world.levels[trait]] for trait, levels in found.varies.items()
    }
    # The trait with the widest factors sets how often candidates come; the others thin them.
    lead = max(varies, key=lambda trait: max(one, *varies[trait]), default="sex")
    leading = varies.pop(lead, [one] * len(world.levels[lead]))
    spare = math.prod((max(one, *factors) for factors in varies.values()), start=one)
    spare *= max(one, strain) * max(one, caution) * max(one, gaming)
    if found.rate.per_day <= 0:
        return
    tables["activity_groups"] |= 1 << (number // 4)
    shift, bits, _ = TRAITS[lead]
    tables["lead_shift"][number], tables["lead_mask"][number] = shift, (1 << bits) - 1
    for level, factor in enumerate(leading):
        spared = 1 - found.rate.per_day * factor * spare
        tables["gaps"][number, level] = [threshold(1 - spared ** (day + 1)) for day in range(MAX_WINDOW)]
    tables["base"][number] = threshold(1 / spare)
    tables["n_varies"][number] = len(varies)
    tables["varies_factor"][number] = UNIT
    for slot, (trait, factors) in enumerate(varies.items()):
        shift, bits, _ = TRAITS[trait]
        tables["varies_shift"][number, slot] = shift
        tables["varies_mask"][number, slot] = (1 << bits) - 1
        tables["varies_factor"][number, slot, : len(factors)] = [_factor(factor) for factor in factors]
    n_levels = tables["strain_factor"].shape[1]
    held_against = isinstance(found, Act) and regime.is_demerit(name)
    rewarded = isinstance(found, Act) and regime.points_of(name) > 0
    tables["strain_factor"][number] = [_factor(f) for f in _ramp(strain, n_levels)]
    tables["caution_factor"][number] = [_factor(f) for f in _ramp(caution if held_against else one, n_levels)]
    # Whoever is in the best tier has nothing to gain; everybody else may do it for the points.
    tables["game_factor"][number] = UNIT
    if rewarded:
        tables["game_factor"][number, 1 : max(1, len(regime.tiers))] = _factor(gaming)


def _put_act(
    rules: Any, regime: Regime, world: World, name: str, act: Act, contexts: dict[str, int], lists: dict[int, _List]
) -> None:
    tables, number = rules[0], act.stream
    tables["channel"][number] = CHANNELS[act.channel]
    tables["matters"][number] = int(name in regime.act_names)
    tables["demerit"][number] = int(regime.is_demerit(name))
    tables["points"][number] = regime.points_of(name) * POINT
    tables["act_ledger"][number] = max(0, _ledger_of(contexts, act.context))
    # A fine is an amount of money, so the same fine strains a poor household more.
    whole = regime.fine_of(name) * world.response.fine_strain.exact
    tables["fined"][number] = int(whole > 0)
    tables["fine_strain"][number] = [min(255, int(whole / income + Fraction(1, 2))) for income in world.income_by_tenth]
    for at, entry in lists.items():
        if name in entry.rule.on and entry.takes(act.context):
            tables["listing"][at, number] = threshold(entry.rule.on[name].exact)


def _put_standing(rules: Any, regime: Regime, lists: dict[int, _List]) -> None:
    tables = rules[0]
    tables["n_tiers"] = len(regime.tiers)
    if regime.score is not None:
        for key in ("start", "floor", "cap"):
            tables[key] = getattr(regime.score, key).value * POINT
    for tier, cutoff in enumerate(regime.cutoffs):
        tables["cutoffs"][tier] = cutoff * POINT
    tables["list_below"] = MAX_TIERS
    for at, entry in lists.items():
        if entry.rule.below is not None and entry.ledger >= 0:
            tables["list_ledger"][at] = entry.ledger
            tables["list_below"][at] = regime.tier_names.index(entry.rule.below)
        tables["term"][at] = term_quantiles(entry.rule.term)


def term_quantiles(term: Term) -> Int64:
    """Return the quantiles 0, 1/1024, ... 1 of a stay on a list, int64[1025] in 1/65536 of a day.

    Notes
    -----
    A geometric stay is an exponential one rounded up to whole days.  The last quantile, infinite in theory,
    is put where the mean beyond the one before it is right.
    """
    steps = N_QUANTILES - 1
    if term.law == "fixed":
        return np.full(N_QUANTILES, min(int(term.mean_days), LONGEST_STAY) << 16, np.int64)
    # One part with a mean of m days leaves with chance 1/m a day: an exponential of this scale.
    parts = [(float(share), -1.0 / math.log1p(-1.0 / days) if days > 1 else 0.0) for share, days in term.parts]

    def staying(x: float) -> float:
        return math.fsum(share * math.exp(-x / scale) for share, scale in parts if scale > 0)

    longest = max(scale for share, scale in parts if share > 0)
    quantiles = []
    for step in range(steps):
        left = 1.0 - step / steps
        low, high = 0.0, 60.0 * longest
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if staying(middle) > left else (low, middle)
        quantiles.append(high)
    last = quantiles[-1]
    left = staying(last)
    beyond = math.fsum(s * z * math.exp(-last / z) for s, z in parts if z > 0) / left if left > 0 else 0.0
    quantiles.append(last + 2 * beyond)
    return np.array([int(min(q, LONGEST_STAY) * UNIT) for q in quantiles], np.int64)


def _put_treatment(rules: Any, regime: Regime, world: World, contexts: dict[str, int], lists: dict[int, _List]) -> None:
    tables = rules[0]
    tables["service_ledger"] = -1
    tables["rank_tier"] = NORMAL
    tables["rank_list"] = FIRST
    for name, service in world.services.items():
        at = service.stream - N_ACTS
        ledger = _ledger_of(contexts, service.context)
        tables["service_ledger"][at] = ledger
        tables["is_hospital"][at] = int(service.hospital is not None)
        tables["refused_strain"][at] = service.refused_strain.value if service.refused_strain else 0
        for tier, tier_name in enumerate(regime.tier_names if ledger >= 0 else ()):
            treated = regime.by_tier(name, tier_name)
            tables["refuse_tier"][at, tier] = threshold(treated.refuse)
            tables["rank_tier"][at, tier] = treated.rank
            tables["perk_tier"][at, tier] = int(treated.is_perk)
            if treated.is_sanction:
                tables["tier_sanctions"][ledger, tier] |= 1 << at
        for number, entry in lists.items():
            treated = regime.by_list(name, entry.rule.name)
            if treated.is_sanction and entry.takes(service.context):
                tables["refuse_list"][at, number] = threshold(treated.refuse)
                tables["rank_list"][at, number] = LAST if treated.rank == LAST else FIRST
                tables["list_sanctions"][number] |= 1 << at
    for number, entry in lists.items():
        if entry.rule.shaming:
            tables["list_sanctions"][number] |= SHAMED


def _kept_per_window(half_life_days: int, window_days: int) -> int:
    return int(math.exp2(-window_days / half_life_days) * UNIT) if half_life_days > 0 else 0


def _put_response(rules: Any, world: World) -> None:
    tables, response = rules[0], world.response
    tables["base_strain"] = [int(response.base_strain.exact[str(tenth + 1)]) for tenth in range(10)]
    for key in ("listing_strain", "record_caution", "sanction_caution", "friend_caution"):
        tables[key] = getattr(response, key).value
    tables["strain_keep"] = _kept_per_window(response.strain_half_life.days, world.exchange_days)
    tables["caution_keep"] = _kept_per_window(response.caution_half_life.days, world.exchange_days)
    tables["n_ties"] = response.ties.value
    tables["heard"] = threshold(response.heard.exact)


def _per_window(rate_per_day: Fraction, window_days: int) -> int:
    """Return the chance that something of this rate happens within a window, as a threshold."""
    return threshold(1 - (1 - min(Fraction(1), rate_per_day)) ** window_days)


def _put_remedies(rules: Any, regime: Regime, world: World) -> None:
    tables, remedies = rules[0], regime.remedies
    if remedies.notice is not None:
        tables["notice"] = threshold(remedies.notice.exact)
    if remedies.appeal is not None and tables["keeps_file"]:
        appeal = remedies.appeal
        tables["has_appeal"] = 1
        files = world.response.appeals.exact
        tables["appeal"] = [threshold(files[level]) for level in world.levels["education"]]
        tables["appeal_deadline_days"] = appeal.deadline.days
        tables["appeal_suspends"] = int(appeal.suspends)
        tables["appeal_finds_error"] = threshold(appeal.finds_error.exact)
        tables["appeal_lenient"] = threshold(appeal.lenient.exact)
    if remedies.correction is not None:
        tables["correction"] = _per_window(remedies.correction.per_day, world.exchange_days)
    if remedies.repair is not None:
        tables["repair"] = _per_window(remedies.repair.rate.per_day, world.exchange_days)
        tables["repair_points"] = remedies.repair.points.value * POINT
    tables["expiry_years"] = remedies.expiry_years
    if regime.registers is not None and regime.registers.stale is not None and regime.registers.stale_time is not None:
        tables["stale"] = threshold(regime.registers.stale.exact)
        tables["stale_days"] = regime.registers.stale_time.days


def _looks(world: World) -> list[tuple[str, str, str]]:
    """Return (group, sex, age band) of each look-alike class; classes of groups that do not exist repeat the first."""
    groups = world.levels["group"]
    padded = [*groups, *[groups[0]] * (4 - len(groups))]
    return [(group, sex, age) for group in padded for sex in world.levels["sex"] for age in world.levels["age"]]


def _registers(regime: Regime, world: World) -> Registers:
    rules = regime.registers
    if rules is None:
        return NO_LINKING
    return Registers(
        is_national=rules.scope == "nation",
        missed=tuple(float(rules.missed_link.exact * rules.missed_link_ratio.of(*look)) for look in _looks(world)),
        false=tuple(float(rules.false_link.exact * rules.false_link_ratio.of(name)) for name in world.levels["name"]),
    )


def _institutions(regime: Regime, world: World, registers: Registers) -> Institutions:
    cameras, appeal = regime.cameras, regime.remedies.appeal
    return Institutions(
        cameras=None
        if cameras is None
        else Cameras(
            per_1000=float(cameras.density_per_1000),
            growth_per_day=float(cameras.growth_per_day),
            urban_ratio=float(cameras.urban_to_rural),
            half_view=float(cameras.half_view.exact),
        ),
        recognition=_recognition(regime, world),
        links_are_national=registers.is_national,
        report_seen=0 if regime.reporting is None else threshold(regime.reporting.seen.exact),
        appeals=None
        if appeal is None
        else Appeals(appeal.decision.days, int(appeal.cases_per_million_day * THOUSANDTHS)),
        hospitals=_hospitals(world),
        window_days=world.exchange_days,
        risk_model=risk_model(regime),
        has_registers=regime.registers is not None,
        patrols=compile_patrols(regime, world),
        demands=demands.compiled(regime.demands),
        has_firms=regime.firms is not None,
        firm_links_are_national=regime.firms is None
        or regime.firms.registers is None
        or regime.firms.registers.scope == "nation",
        employers=employers(regime, world),
        companion_seen=companions_see(regime),
        press=compile_press(world),
    )


def _recognition(regime: Regime, world: World) -> Recognition | None:
    law = regime.recognition
    if law is None:
        return None
    looks = _looks(world)

    def of_look(chance: Any) -> tuple[float, ...]:
        return tuple(float(chance.exact * law.false_match_ratio.of(*look)) for look in looks)

    return Recognition(
        is_national=law.gallery == "nation",
        size=law.fixed_gallery,
        miss=tuple(float(law.miss.exact * law.miss_ratio.of(*look)) for look in looks),
        false_match=of_look(law.false_match) if law.false_match is not None else (0.0,) * len(looks),
        choice=law.choice,
        constant_fpir=of_look(law.fpir) if law.fpir is not None else None,
        review=None
        if law.review is None
        else Review(
            float(law.review.per_million_per_day.exact / 1_000_000),
            float(law.review.keep_true.exact),
            float(law.review.keep_false.exact),
        ),
    )


def _hospitals(world: World) -> Hospitals:
    """Return the doctors, staffed for the visits that the county's own people make."""
    found = next((service for service in world.services.values() if service.hospital is not None), None)
    if found is None or found.hospital is None:
        return Hospitals(0.0, 0.0, (0.0,) * (len(_looks(world)) * 10))
    one = Fraction(1)
    rates = []
    for group, sex, age in _looks(world):
        for tenth in world.levels["income"]:
            traits = {"group": group, "sex": sex, "age": age, "income": tenth}
            factors = (levels.exact.get(traits[trait], one) for trait, levels in found.varies.items())
            rates.append(float(math.prod(factors, start=found.rate.per_day)))
    return Hospitals(float(found.hospital.minutes_per_visit.exact), float(found.hospital.load.exact), tuple(rates))
