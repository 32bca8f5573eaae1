"""The oracle's reading of the rules: what a regime and a world come to, by name, from their files alone.

Chances are worked out anew here, apart from the tables of the loop (regime/tables.py), so that a fault in either
shows.  What is lived under them stands in life/reference.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from underheaven import rng
from underheaven.regime.schema import FIRST, LAST, NORMAL, ListRule, Regime
from underheaven.regime.tables import EVERYTHING
from underheaven.rng import threshold
from underheaven.world.schema import Act, Service, World

ONE_FACTOR = 1 << 16  # a fixed-point factor of one
TENTHS = 10  # scores are kept in tenths of a point
SHAMED = "shamed in public"  # a sanction beside those of the services


@dataclass(frozen=True)
class ListPart:
    """A list as it is kept: behind a context wall, one for each context that its entries come from."""

    name: str
    rule: ListRule
    context: str | None
    ledger: str | None


class Rulebook:
    """What standing leads to what treatment.

    Parameters
    ----------
    regime, world : as read
    """

    def __init__(self, regime: Regime, world: World) -> None:
        self.regime, self.world = regime, world
        self.contexts = self._contexts()
        self.lists = self._lists()
        # A standing means the same each time, so what it means is worked out once.
        self._treated: dict[tuple[Any, ...], tuple[Fraction, int, bool]] = {}
        self._sanctioned: dict[tuple[Any, ...], frozenset[str]] = {}

    def _contexts(self) -> list[str]:
        """Return the ledgers: one for everything, or one a context with points behind a context wall."""
        if not self.regime.has_score:
            return []
        if not self.regime.context_wall:
            return [EVERYTHING]
        found = {act.context for name, act in self.world.acts.items() if self.regime.points_of(name) != 0}
        return sorted(found) or [EVERYTHING]

    def _lists(self) -> list[ListPart]:
        kept = []
        for rule in self.regime.lists:
            if not self.regime.context_wall:
                kept.append(ListPart(rule.name, rule, None, EVERYTHING if self.contexts else None))
                continue
            sources = {self.world.acts[act].context for act in rule.on}
            if rule.below is not None:
                sources |= set(self.contexts)
            for context in sorted(sources):
                name = rule.name if len(sources) == 1 else f"{rule.name}/{context}"
                kept.append(ListPart(name, rule, context, context if context in self.contexts else None))
        return kept

    def ledger_of(self, context: str) -> str | None:
        """Return the ledger of a context; None if it has none."""
        if EVERYTHING in self.contexts:
            return EVERYTHING
        return context if context in self.contexts else None

    def tier_of(self, score: int) -> str:
        """Return the best tier whose lowest score is reached; the last one has no lowest."""
        for tier, lowest in zip(self.regime.tier_names[:-1], self.regime.cutoffs, strict=False):
            if score >= lowest * TENTHS:
                return tier
        return self.regime.tier_names[-1] if self.regime.tiers else ""

    def worst(self, tiers: Mapping[str, str]) -> str:
        """Return the worst of some tiers."""
        names = self.regime.tier_names
        return max(tiers.values(), key=names.index, default="") if names else ""

    def treatment(
        self, service: str, tiers: Mapping[str, str], until: Mapping[str, int], at_risk: bool = False
    ) -> tuple[Fraction, int, bool]:
        """Return (chance of a refusal, rank in the queue, perk) of a service for such a standing."""
        key = (service, tuple(tiers.values()), frozenset(until), at_risk)
        if key not in self._treated:
            refuse, rank, perk = self._work_out_treatment(service, tiers, until)
            by_risk = self.regime.by_risk(service)
            if at_risk and by_risk.is_sanction:
                refuse = max(refuse, by_risk.refuse)
                rank = max(rank, LAST if by_risk.rank == LAST else FIRST)
            self._treated[key] = refuse, rank, perk
        return self._treated[key]

    def _work_out_treatment(
        self, service: str, tiers: Mapping[str, str], until: Mapping[str, int]
    ) -> tuple[Fraction, int, bool]:
        refuse, rank, perk = Fraction(0), NORMAL, False
        ledger = self.ledger_of(self.world.services[service].context)
        if ledger is not None and self.regime.tier_names:
            by_tier = self.regime.by_tier(service, tiers[ledger])
            refuse, rank, perk = by_tier.refuse, by_tier.rank, by_tier.is_perk
        for entry in self.lists:
            if entry.name in until and self._reaches(entry, service):
                by_list = self.regime.by_list(service, entry.rule.name)
                refuse = max(refuse, by_list.refuse)
                rank = max(rank, LAST if by_list.rank == LAST else FIRST)
        return refuse, rank, perk

    def _reaches(self, entry: ListPart, service: str) -> bool:
        walled_off = entry.context not in (None, self.world.services[service].context)
        return not walled_off and self.regime.by_list(service, entry.rule.name).is_sanction

    def sanctions(self, tiers: Mapping[str, str], until: Mapping[str, int], at_risk: bool = False) -> set[str]:
        """Return the services that sanction a person of such a standing, and whether she is shamed."""
        key = (tuple(tiers.values()), frozenset(until), at_risk)
        if key not in self._sanctioned:
            flagged = {name for name in self.world.services if at_risk and self.regime.by_risk(name).is_sanction}
            self._sanctioned[key] = frozenset(self._work_out_sanctions(tiers, until) | flagged)
        return set(self._sanctioned[key])

    def _work_out_sanctions(self, tiers: Mapping[str, str], until: Mapping[str, int]) -> set[str]:
        found = set()
        for service in self.world.services:
            ledger = self.ledger_of(self.world.services[service].context)
            if ledger is not None and self.regime.tiers and self.regime.by_tier(service, tiers[ledger]).is_sanction:
                found.add(service)
        for entry in self.lists:
            if entry.name in until:
                found |= {service for service in self.world.services if self._reaches(entry, service)}
                if entry.rule.shaming:
                    found.add(SHAMED)
        return found


class Ways:
    """How often somebody thinks of an activity and when she does it."""

    def __init__(self, name: str, found: Act | Service, regime: Regime, world: World) -> None:
        one = Fraction(1)
        strain = caution = gaming = one
        self.held_against = self.rewarded = False
        if isinstance(found, Act):
            strain, caution, gaming = (f.exact if f else one for f in (found.strain, found.caution, found.gaming))
            self.held_against, self.rewarded = regime.is_demerit(name), regime.points_of(name) > 0
        factors = {
            trait: [levels.exact.get(level, one) for level in world.levels[trait]]
            for trait, levels in found.varies.items()
        }
        self.lead = max(factors, key=lambda trait: max(one, *factors[trait]), default="")
        leading = factors.pop(self.lead, [one])
        spare = max(one, strain) * max(one, caution) * max(one, gaming)
        for others in factors.values():
            spare *= max(one, *others)
        self._factors = {trait: [fixed(factor) for factor in row] for trait, row in factors.items()}
        self._base = threshold(1 / spare)
        self._strain, self._caution = _steps(strain), _steps(caution)
        self._gaming = fixed(gaming)
        self._gaps = []
        for factor in leading:
            missed = 1 - found.rate.per_day * factor * spare
            self._gaps.append([threshold(1 - missed**days) for days in range(1, world.exchange_days + 1)])

    def gaps(self, traits: Mapping[str, int]) -> Sequence[int]:
        """Return the chance, as thresholds, that a candidate came within 1, 2, ... days."""
        return self._gaps[traits[self.lead] if self.lead else 0]

    def own(self, traits: Mapping[str, int]) -> int:
        """Return the threshold at which a candidate is taken up, from traits alone."""
        chance = self._base
        for trait, factors in self._factors.items():
            chance = chance * factors[traits[trait]] >> 16
        return chance

    def acceptance(self, traits: Mapping[str, int], strain: int, caution: int, below_best: bool) -> tuple[int, int]:
        """Return the thresholds without and with fear and reward."""
        free = self.own(traits) * self._strain[strain // 16] >> 16
        held = free * self._caution[caution // 16] >> 16 if self.held_against else free
        if self.rewarded and below_best:
            held = held * self._gaming >> 16
        return free, held


class Chances:
    """The thresholds of remedies and links."""

    def __init__(self, regime: Regime, world: World) -> None:
        remedies, appeal, self._world = regime.remedies, regime.remedies.appeal, world
        self.notice = threshold(remedies.notice.exact) if remedies.notice else 0
        self.finds_error = threshold(appeal.finds_error.exact) if appeal else 0
        self.lenient = threshold(appeal.lenient.exact) if appeal else 0
        self.correction = _within(remedies.correction.per_day, world) if remedies.correction else 0
        self.repair = _within(remedies.repair.rate.per_day, world) if remedies.repair else 0
        self.repair_points = remedies.repair.points.value * TENTHS if remedies.repair else 0
        self.registers = regime.registers
        self.stale = threshold(regime.registers.stale.exact) if regime.registers and regime.registers.stale else 0

    def link_right(self, traits: Mapping[str, int]) -> int:
        """Return the threshold at which a register's record finds her, by her look and name."""
        if self.registers is None:
            return rng.ONE
        levels = {trait: self._world.levels[trait][traits[trait]] for trait in ("group", "sex", "age", "name")}
        ratio = self.registers.missed_link_ratio.of(levels["group"], levels["sex"], levels["age"])
        false = min(1.0, float(self.registers.false_link.exact * self.registers.false_link_ratio.of(levels["name"])))
        missed = min(1.0 - false, float(self.registers.missed_link.exact * ratio))
        return max(0, rng.ONE - int(false * rng.ONE + 0.5) - int(missed * rng.ONE + 0.5))


def _within(per_day: Fraction, world: World) -> int:
    return threshold(1 - (1 - min(Fraction(1), per_day)) ** world.exchange_days)


def fixed(factor: Fraction) -> int:
    """Return a factor with 16 binary places."""
    return int(factor * ONE_FACTOR + Fraction(1, 2))


def _steps(highest: Fraction) -> list[int]:
    """Return the factors at sixteen steps of strain or caution, from 1 to the highest."""
    return [fixed(1 + (highest - 1) * Fraction(step, 15)) for step in range(16)]
