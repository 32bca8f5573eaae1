"""The oracle's firms: the days of one firm again, in plain Python, beside docs/explanation/odd.md.

A firm is lived with the citizen who represents it, so nothing has to be handed over between them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from underheaven import rng
from underheaven.life import firms as bits
from underheaven.life import state as flag
from underheaven.regime.tables import term_quantiles
from underheaven.rng import draw4, threshold
from underheaven.world.places import build_places
from underheaven.world.sections.firms import SIZE_CLASSES, FirmAct, FirmService

if TYPE_CHECKING:
    from underheaven.life.reference import Oracle, Person

TENTHS = 10
YEAR = 365
LONGEST_STAY = 65_535
MILLION = 1_000_000


@dataclass
class FirmSide:
    """What the belief, or the truth, holds of a firm."""

    score: int  # tenths of a point
    until: int = 0  # first day off the list
    tier: str = ""  # as last settled
    newly: bool = False  # listed, and the representative has not answered for it yet
    answered: bool = False  # charged with the present sanction of the representative
    answerable: bool = False  # the representative is sanctioned as the window starts


@dataclass
class Firm:
    """A firm: what it is, both sides of its file, and whether it was ever listed."""

    row: int  # its place among the firms of its block
    representative: int
    sector: str
    size: str
    filed: FirmSide
    true: FirmSide
    was_listed: bool = False
    was_wrongly_listed: bool = False
    was_counted: bool = False
    since: int = 0
    due: dict[int, set[Any]] = field(default_factory=dict)

    def columns(self) -> dict[str, int]:
        """Return the firm as the columns of state hold it (life/state.py)."""
        flags = {
            bits.WAS_LISTED: self.was_listed,
            bits.WAS_WRONGLY_LISTED: self.was_wrongly_listed,
            bits.NEWLY_LISTED: self.filed.newly,
            bits.NEWLY_LISTED_IN_TRUTH: self.true.newly,
            bits.ANSWERED: self.filed.answered,
            bits.ANSWERED_IN_TRUTH: self.true.answered,
            bits.WAS_COUNTED: self.was_counted,
        }
        return {
            "firm_score": self.filed.score,
            "firm_true_score": self.true.score,
            "firm_until": self.filed.until,
            "firm_true_until": self.true.until,
            "firm_flags": sum(bit for bit, is_set in flags.items() if is_set),
        }


def lead_firm_over(me: Person, old: FirmOracle | None, new: FirmOracle | None) -> None:
    """Bring the file of her firm into the form of a new regime."""
    if me.firm is None:
        me.firm = new.of(me.citizen) if new is not None else None
        return
    same_scale = same_list = False
    if old is not None and new is not None:
        same_scale = (old.start, old.floor, old.cap) == (new.start, new.floor, new.cap)
        same_list = old.list_name == new.list_name
    for side in (me.firm.filed, me.firm.true):
        side.score = side.score if same_scale else new.start if new is not None else 0
        side.until = side.until if same_list else 0
        if old is None or new is None:
            side.newly = side.answered = False


class FirmOracle:
    """The firms of a regime and a world that have them.

    Parameters
    ----------
    oracle : of the citizens; it keeps counts and steps
    """

    def __init__(self, oracle: Oracle) -> None:
        regime, world = oracle.regime, oracle.world
        assert regime.firms is not None and world.firms is not None
        self.oracle, self.rules, self.world = oracle, regime.firms, world.firms
        self.seed = oracle.seed
        self.walled = regime.context_wall
        self.counties: list[tuple[int, int]] = []
        end = 0
        for size in build_places(world).sizes.tolist():
            self.counties.append((end, end + size))
            end += size
        self.community = world.community
        acts: list[tuple[str, FirmAct | FirmService]] = [*self.world.acts.items(), *self.world.services.items()]
        self.activities = sorted(acts, key=lambda item: item[1].stream)
        self._gaps_of = {
            (activity.stream, sector): [
                threshold(1 - (1 - activity.per_day(sector)) ** days) for days in range(1, world.exchange_days + 1)
            ]
            for _, activity in self.activities
            for sector in self.world.sector_names
        }
        self.window = world.exchange_days
        self.term = term_quantiles(self.rules.list_.term).tolist() if self.rules.list_ is not None else []
        score = self.rules.score
        self.start, self.floor, self.cap = (n.value * TENTHS for n in (score.start, score.floor, score.cap))

    # who is there ----------------------------------------------------------------------------------------

    def of(self, citizen: int) -> Firm | None:
        """Return the firm that a citizen represents, as it starts; None if she represents none."""
        first, end = next((a, b) for a, b in self.counties if a <= citizen < b)
        first += (citizen - first) // self.community * self.community
        size = min(self.community, end - first)
        rate = self.world.per_million
        n_firms = (first + size) * rate // MILLION - first * rate // MILLION
        for row in range(n_firms):
            low, high = first + row * size // n_firms, first + (row + 1) * size // n_firms
            if low <= citizen < high:
                who, large, where, _ = draw4(self.seed, rng.FIRM, low, 0, 0)
                if low + (who * (high - low) >> 32) != citizen:
                    return None
                size_class = [name for at, name in SIZE_CLASSES if large < self.world.sizes.at_least(at)][-1]
                filed, true = FirmSide(self.start), FirmSide(self.start)
                return Firm(row, citizen, self._sector(where), size_class, filed, true)
        return None

    def _sector(self, word: int) -> str:
        total = Fraction(0)
        for name in self.world.sector_names:
            total += self.world.sectors.exact[name]
            if word < threshold(min(total, Fraction(1))):
                return name
        return self.world.sector_names[-1]

    def tier_of(self, score: int) -> str:
        """Return the best tier whose lowest score is reached."""
        for tier, lowest in zip(self.rules.tier_names, self.rules.cutoffs, strict=True):
            if score >= lowest * TENTHS:
                return tier
        return self.rules.tier_names[-1]

    # firm and representative -----------------------------------------------------------------------------

    def meet(self, me: Person, firm: Firm) -> None:
        """Note how she stands as the window starts."""
        oracle = self.oracle
        for side, file, bit in (
            (firm.filed, me.filed, flag.AT_RISK),
            (firm.true, me.true, flag.TRULY_AT_RISK),
        ):
            tiers = {ledger: oracle.tier_of(file.standing(ledger)) for ledger in oracle.contexts}
            side.answerable = bool(oracle.sanctions(tiers, file.until, bool(me.flags & bit)))

    def answer_for(self, me: Person, firm: Firm, day: int) -> bool:
        """Enter in her file that her firm was listed in the last window; tell whether anything was entered."""
        is_filed, is_true = firm.filed.newly, firm.true.newly
        firm.filed.newly = firm.true.newly = False
        into, oracle = self.rules.to_representative, self.oracle
        if into is None or self.walled or not (is_filed or is_true):
            return False
        points = 0 if into.points is None else into.points.value * TENTHS
        chances = {name: chance.exact for name, chance in into.lists.items() if threshold(chance.exact) > 0}
        if not points and not chances:
            return False
        if is_filed:
            self._count(me, "representatives_charged")
            if not is_true and not firm.true.until:
                self._count(me, "representatives_wrongly_charged")
        if points:
            for is_on, file, counter in (
                (is_filed, me.filed, "points_moved"),
                (is_true, me.true, "true_points_moved"),
            ):
                if is_on:
                    (ledger,) = oracle.contexts
                    moved = min(oracle.cap, max(oracle.floor, file.score[ledger] + points)) - file.score[ledger]
                    file.score[ledger] += moved
                    slot = day // YEAR % max(1, oracle.slots)
                    file.bucket[slot, ledger] = file.bucket.get((slot, ledger), 0) + moved
                    me.counts[counter] += moved
        told = {"points": points // TENTHS, "filed": is_filed, "true": is_true}
        oracle._tell(me, day, "answers-for-firm", firm.sector, "firms.to_representative", **told)
        for number, entry in enumerate(oracle.lists):
            if entry.name in chances:
                words = draw4(self.seed, rng.FIRM_ACT, me.citizen, day, bits.CHARGED + number)
                if words[0] < threshold(chances[entry.name]):
                    rule = f"firms.to_representative.lists.{entry.name}"
                    oracle._list(me, day, entry, words[1], rule, is_filed, is_true)
        return True

    def _charge(self, me: Person, firm: Firm, day: int) -> bool:
        new = []
        for side in (firm.filed, firm.true):
            new.append(side.answerable and not side.answered)
            side.answered = side.answerable
        points = 0 if self.rules.from_representative is None else self.rules.from_representative.value * TENTHS
        if not points or self.walled or not any(new):
            return False
        self._move(firm, points, *new)
        if new[0]:
            self._count(me, "firms_charged")
            if not firm.true.answerable:
                self._count(me, "firms_wrongly_charged")
        told = {"points": points // TENTHS, "filed": new[0], "true": new[1]}
        self._tell(firm, day, "firm-charged", "", "firms.from_representative", **told)
        return True

    # days ------------------------------------------------------------------------------------------------

    def live_window(self, me: Person, firm: Firm, place: Mapping[str, Any], day_from: int, day_to: int) -> None:
        """Live the days `day_from` .. `day_to` - 1 of her firm."""
        firm.since = day_from
        for side in (firm.filed, firm.true):
            side.tier = self.tier_of(side.score)
        if not firm.was_counted:
            firm.was_counted = True
            self._count(me, "firms")
        unsettled = self._charge(me, firm, day_from)
        unsettled = self._screen(me, firm, day_from, day_to) or unsettled
        self._first_events(firm, place, day_from, day_to)
        for day in range(day_from, day_to):
            today = firm.due.get(day, set())
            over = [side for side in (firm.filed, firm.true) if 0 < side.until <= day]
            if today or over or unsettled:
                self._account(me, firm, day)
            for side in over:
                side.until = 0
                if side is firm.filed:
                    self._tell(firm, day, "firm-released", self.list_name, "firms.list.term")
            for name, activity in self.activities:
                if isinstance(activity, FirmAct) and activity.stream in today:
                    unsettled = self._act(me, firm, day, day_to, name, activity) or unsettled
            if "link" in today:
                self._suffer(me, firm, place, day, day_to)
                unsettled = True
            if unsettled:
                self._settle(me, firm, day)
                unsettled = False
            for name, activity in self.activities:
                if isinstance(activity, FirmService) and activity.stream in today:
                    self._ask(me, firm, day, day_to, name, activity)
        self._account(me, firm, day_to)

    def _first_events(self, firm: Firm, place: Mapping[str, Any], day_from: int, day_to: int) -> None:
        firm.due = {}
        for _, activity in self.activities:
            stream = activity.stream
            word = draw4(self.seed, rng.FIRM_ACT, firm.representative, day_from, stream // 4)[stream % 4]
            self._mark(firm, word, self._gaps(activity, firm.sector), stream, day_from, day_to)
        word = draw4(self.seed, rng.FIRM_ACT, firm.representative, day_from, bits.FIRST_LINK)[0]
        self._mark(firm, word, place["firm_gaps"], "link", day_from, day_to)

    def _gaps(self, activity: FirmAct | FirmService, sector: str) -> list[int]:
        """Return the chance, as thresholds, that it came within 1, 2, ... days."""
        return self._gaps_of[activity.stream, sector]

    def _mark(self, firm: Firm, word: int, gaps: list[int], event: Any, day_from: int, day_to: int) -> None:
        """Note the day of an event: the first by whose end the draw says that it came."""
        if day_from < day_to and word < gaps[day_to - day_from - 1]:
            day = next(day for day in range(day_from, day_to) if word < gaps[day - day_from])
            firm.due.setdefault(day, set()).add(event)

    def _screen(self, me: Person, firm: Firm, day_from: int, day_to: int) -> bool:
        screening = self.rules.screening
        if screening is None or screening.points.value == 0 or firm.filed.tier == self.rules.tier_names[0]:
            return False
        self._count(me, "firm_screening_days", day_to - day_from)
        word = draw4(self.seed, rng.FIRM_ACT, firm.representative, day_from, bits.SCREENS)[0]
        if word >= threshold(Fraction(self.window, YEAR)):
            return False
        self._move(firm, screening.points.value * TENTHS, True, True)
        return True

    def _act(self, me: Person, firm: Firm, day: int, day_to: int, name: str, act: FirmAct) -> bool:
        key = bits.HAPPENS + act.stream
        seen, identified, listed, following = draw4(self.seed, rng.FIRM_ACT, firm.representative, day, key)
        self._mark(firm, following, self._gaps(act, firm.sector), act.stream, day + 1, day_to)
        self._count(me, "firm_acts")
        if name not in self.rules.act_names:
            return False
        is_named = True
        if act.channel == "register":
            links = self.rules.registers
            if links is not None:
                is_named = identified < rng.ONE - threshold(links.missed_link.exact) - threshold(links.false_link.exact)
        elif self.rules.inspected is None or seen >= threshold(self.rules.inspected.exact):
            return False
        self._count(me, "firm_records" if is_named else "firm_missed_records")
        self._tell(firm, day, "firm-act", name, f"world.firms.acts.{name}.rate", named=is_named)
        self._record(me, firm, day, name, listed, 0, is_named, True)
        return True

    def _suffer(self, me: Person, firm: Firm, place: Mapping[str, Any], day: int, day_to: int) -> None:
        which, listed, following, _ = draw4(self.seed, rng.FIRM_ACT, firm.representative, day, bits.LINKED)
        self._mark(firm, following, place["firm_gaps"], "link", day + 1, day_to)
        shares = place["firm_acts"]
        number = next((n for n, share in enumerate(shares) if which < share), len(shares) - 1)
        name = next((name for name, act in self.world.acts.items() if act.stream == number), "")
        self._count(me, "firm_false_records")
        self._tell(firm, day, "firm-wrong-name", name, "firms.registers.false_link")
        self._record(me, firm, day, name, listed, 1, True, False)

    def _record(
        self, me: Person, firm: Firm, day: int, name: str, word: int, source: int, is_filed: bool, is_true: bool
    ) -> None:
        self._move(firm, self.rules.points_of(name) * TENTHS, is_filed, is_true)
        if word < threshold(self.rules.listing_of(name)):
            key = bits.STAY + self.world.acts[name].stream
            stay = draw4(self.seed, rng.FIRM_ACT, firm.representative, day, key)[source]
            self._list(me, firm, day, stay, f"firms.list.on.{name}", is_filed, is_true)

    def _move(self, firm: Firm, points: int, is_filed: bool, is_true: bool) -> None:
        for is_on, side in ((is_filed, firm.filed), (is_true, firm.true)):
            if is_on:
                side.score = min(self.cap, max(self.floor, side.score + points))

    def _list(self, me: Person, firm: Firm, day: int, word: int, rule: str, is_filed: bool, is_true: bool) -> None:
        low, high = self.term[word >> 22], self.term[(word >> 22) + 1]
        stay = max(1, math.ceil((low + ((high - low) * (word & 0x3FFFFF) >> 22)) / 65_536))
        end = min(LONGEST_STAY, day + stay)
        if is_true:
            firm.true.newly = firm.true.newly or not firm.true.until
            firm.true.until = max(firm.true.until, end)
        if is_filed:
            if not firm.filed.until:
                firm.filed.newly = True
                self._count(me, "firm_listings")
                if not firm.true.until:
                    self._count(me, "firm_wrongful_listings")
                if not firm.was_listed:
                    firm.was_listed = True
                    self._count(me, "firms_ever_listed")
            firm.filed.until = max(firm.filed.until, end)
        self._tell(firm, day, "firm-listed", self.list_name, rule, until=end, filed=is_filed, true=is_true)

    def _settle(self, me: Person, firm: Firm, day: int) -> None:
        names = self.rules.tier_names
        falls = []
        below = self.rules.list_.below if self.rules.list_ is not None else None
        for side in (firm.filed, firm.true):
            before, side.tier = side.tier, self.tier_of(side.score)
            worse = names.index(side.tier) > names.index(before)
            low = below is not None and names.index(side.tier) >= names.index(below)
            falls.append(worse and low and not side.until)
        if any(falls):
            word = draw4(self.seed, rng.FIRM_ACT, firm.representative, day, bits.FELL)[0]
            self._list(me, firm, day, word, "firms.list.below", *falls)

    def _account(self, me: Person, firm: Firm, day: int) -> None:
        days = day - firm.since
        firm.since = day
        if days and firm.filed.until:
            self._count(me, "firm_listed_days", days)
            if not firm.true.until:
                self._count(me, "firm_wrongly_listed_days", days)
                if not firm.was_wrongly_listed:
                    firm.was_wrongly_listed = True
                    self._count(me, "firms_ever_wrongly_listed")

    def _ask(self, me: Person, firm: Firm, day: int, day_to: int, name: str, service: FirmService) -> None:
        key = bits.HAPPENS + service.stream
        word, _, _, following = draw4(self.seed, rng.FIRM_ACT, firm.representative, day, key)
        self._mark(firm, following, self._gaps(service, firm.sector), service.stream, day + 1, day_to)
        self._count(me, "firm_wishes")
        if word < self._refusal(name, firm.filed):
            wrongly = word >= self._refusal(name, firm.true)
            self._count(me, "firm_refused")
            self._count(me, "firm_wrongly_refused", int(wrongly))
            self._tell(firm, day, "firm-refused", name, f"firms.treatment.{name}", wrongly=wrongly)

    def _refusal(self, service: str, side: FirmSide) -> int:
        chances = [self.rules.refusal(service, side.tier)]
        if side.until:
            chances.append(self.rules.refusal(service, None))
        return threshold(max(chances))

    # telling ---------------------------------------------------------------------------------------------

    @property
    def list_name(self) -> str:
        """Return the name of the list of firms; "" if there is none."""
        return self.rules.list_.name if self.rules.list_ is not None else ""

    def _count(self, me: Person, name: str, amount: int = 1) -> None:
        me.counts[name] += amount

    def _tell(self, firm: Firm, day: int, kind: str, what: str, rule: str, **told: Any) -> None:
        """Tell a step of the firm, with the standing of the firm on both sides."""
        sides = [
            {
                "score": {"firm": side.score / TENTHS},
                "tier": self.tier_of(side.score),
                "lists": [self.list_name] if side.until else [],
            }
            for side in (firm.filed, firm.true)
        ]
        self.oracle._tell_of(day, kind, what, rule, told, *sides)
