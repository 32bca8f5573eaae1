"""The oracle's reading of abuse: false reports and retaliation (docs/explanation/odd.md, section 7).

Worked out anew from the regime and the world, by name; what is shared with the loop is the keyed draws only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from underheaven import rng
from underheaven.life import state as flag
from underheaven.life.reference_rules import fixed
from underheaven.rng import draw4, threshold

if TYPE_CHECKING:
    from underheaven.life.reference import Oracle, Person
    from underheaven.reading import Shares
    from underheaven.regime.schema import Regime
    from underheaven.regime.sections.abuse import Malice
    from underheaven.world.schema import World

#: Who may lie, in the order of the draws, and how the story calls them.
LIARS = {"neighbours": "somebody who knows her", "companions": "a companion", "insiders": "an insider"}
ENTRY = "entry of retaliation"  # an event, beside ("report", liar)


class Liar:
    """One kind of false reports."""

    def __init__(self, number: int, name: str, kind: Malice, world: World) -> None:
        self.number, self.name, self.kind = number, name, kind
        self.key = "malicious" if name == "neighbours" else name
        most = kind.most
        self.gaps = within_days(kind.rate.per_day * most, world)
        self._base = threshold(1 / most)
        self._factors = {
            trait: [fixed(levels.exact.get(level, Fraction(1))) for level in world.levels[trait]]
            for trait, levels in kind.varies.items()
        }
        self.source = 2_048 * (1 + number)

    def made(self, traits: Mapping[str, int]) -> int:
        """Return the threshold at which a candidate report about somebody is made."""
        chance = self._base
        for trait, factors in self._factors.items():
            chance = chance * factors[traits[trait]] >> 16
        return chance


class AbuseRules:
    """What the section `abuse` says, ready to be lived under; nothing where there is none."""

    def __init__(self, regime: Regime, world: World) -> None:
        abuse = regime.abuse
        self.liars: list[Liar] = []
        self.passes = rng.ONE
        self.retaliation = None if abuse is None else abuse.retaliation
        self.may_retaliate = self.retaliation is not None and any(p.exact > 0 for p in self.retaliation.on.values())
        if abuse is None:
            return
        kinds = (abuse.malicious, abuse.companions, abuse.insiders)
        for number, (name, kind) in enumerate(zip(LIARS, kinds, strict=True)):
            if kind is not None and kind.rate.per_day > 0:
                self.liars.append(Liar(number, name, kind, world))
        if abuse.review is not None:
            self.passes = threshold(abuse.review.keep_false.exact)
        if self.retaliation is not None:
            self.entry_gaps = within_days(self.retaliation.rate.per_day, world)
            stays = 1 - Fraction(1, self.retaliation.lasts.days)
            self.ends = threshold(1 - stays**world.exchange_days)

    def first_events(self, seed: int, me: Person, day: int) -> Iterator[tuple[int, Sequence[int], Any]]:
        """Yield (draw, chances by day, event) of what may come first in a window; retaliation may end here."""
        if self.liars:
            words = draw4(seed, rng.MALICE, me.citizen, day, 0)
            for liar in self.liars:
                yield words[liar.number], liar.gaps, ("report", liar.name)
        if me.flags & flag.IS_PURSUED:
            words = draw4(seed, rng.RETALIATION, me.citizen, day, 0)
            if words[0] < self.ends:
                me.flags &= ~flag.IS_PURSUED
            else:
                yield words[1], self.entry_gaps, ENTRY

    def answer(self, seed: int, me: Person, day: int, name: str, world: World) -> int | None:
        """Answer words that were noticed, perhaps; return the draw of the first entry."""
        if self.retaliation is None or name not in self.retaliation.on or me.flags & flag.IS_PURSUED:
            return None
        words = draw4(seed, rng.RETALIATION, me.citizen, day, 64 + world.acts[name].stream)
        if words[0] >= threshold(self.retaliation.on[name].exact):
            return None
        me.flags |= flag.IS_PURSUED
        return words[1]


def meet_abuse(oracle: Oracle, me: Person, due: dict[int, set[Any]], day: int, day_to: int, today: set[Any]) -> bool:
    """Take the day's false reports and entries of retaliation into the file; tell whether it has been touched."""
    from underheaven.life.reference import _mark

    touched, rules = False, oracle.abuse
    for liar in rules.liars:
        if ("report", liar.name) not in today:
            continue
        which, made, following, passes = draw4(oracle.seed, rng.MALICE_KIND, me.citizen, day, liar.number)
        _mark(due, following, liar.gaps, ("report", liar.name), day + 1, day_to)
        if made >= liar.made(me.traits):
            continue
        if passes >= rules.passes:
            me.counts["malicious_reports_dropped"] += 1
            oracle._tell(me, day, "report-dropped", "", "abuse.review", by=LIARS[liar.name])
            continue
        name = picked(liar.kind.acts, which, oracle.world)
        me.counts[f"malicious_records/{liar.name}"] += 1
        denounce(oracle, me, day, name, liar.source, f"abuse.{liar.key}", LIARS[liar.name])
        touched = True
    if ENTRY in today:
        enter_retaliation(oracle, me, due, day, day_to)
        touched = True
    return touched


def enter_retaliation(oracle: Oracle, me: Person, due: dict[int, set[Any]], day: int, day_to: int) -> None:
    """Make one entry of retaliation: what it alleges, and lists by hand."""
    from underheaven.life.reference import _mark

    retaliation = oracle.abuse.retaliation
    assert retaliation is not None
    which, following, _, _ = draw4(oracle.seed, rng.RETALIATION, me.citizen, day, 1)
    _mark(due, following, oracle.abuse.entry_gaps, ENTRY, day + 1, day_to)
    name = picked(retaliation.acts, which, oracle.world)
    me.counts["retaliation_records"] += 1
    denounce(oracle, me, day, name, 2_048 * 4, "abuse.retaliation", "retaliation")
    for number, entry in enumerate(oracle.lists):
        chance = retaliation.lists.get(entry.rule.name)
        if chance is None or entry.context not in (None, oracle.world.acts[name].context):
            continue
        words = draw4(oracle.seed, rng.RETALIATION, me.citizen, day, 128 + number)
        if words[0] < threshold(chance.exact):
            rule = f"abuse.retaliation.lists.{entry.rule.name}"
            oracle._list(me, day, entry, words[1], rule, True, False)


def denounce(oracle: Oracle, me: Person, day: int, name: str, source: int, rule: str, by: str) -> None:
    """Take an allegation into the file, and into no truth."""
    oracle._account(me, day)
    me.counts[f"false_records/{name}"] += 1
    if oracle.regime.is_demerit(name):
        oracle._first_time(me, flag.HAS_FALSE_RECORD, "people_with_false_record")
    if not me.flags & flag.WAS_DENOUNCED:
        me.flags |= flag.WAS_DENOUNCED
        me.counts["people_denounced"] += 1
        me.counts["people_denounced_sanctioned"] += bool(me.flags & flag.WAS_SANCTIONED)
        me.counts["people_denounced_wrongly_sanctioned"] += bool(me.flags & flag.WAS_WRONGLY_SANCTIONED)
    oracle._tell(me, day, "denounced", name, rule, by=by)
    oracle._record(me, day, name, source, is_filed=True, is_true=False)


def picked(acts: Shares, word: int, world: World) -> str:
    """Return which act a draw alleges, in proportion to the shares; acts stand in the order of their streams."""
    names = sorted(acts.values, key=lambda name: world.acts[name].stream)
    total = Fraction(0)
    for name in names:
        total += acts.exact[name]
        if word < threshold(min(Fraction(1), total)):
            return name
    raise AssertionError("the shares add up to 1")


def within_days(per_day: Fraction, world: World) -> list[int]:
    """Return the chance, as thresholds, that something of this rate came within 1, 2, ... days."""
    return [threshold(1 - (1 - per_day) ** days) for days in range(1, world.exchange_days + 1)]
