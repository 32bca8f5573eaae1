"""The oracle: the days of one citizen again, in plain Python, to be read beside docs/explanation/odd.md.

Nothing here is compiled, packed or indexed by number: acts, services, tiers, lists and contexts go by their
names, and chances are worked out anew from the regime and the world (life/reference_rules.py).  It shares with the
loop only the keyed draws (the same text, with published answers) and the quantiles of stays on lists.  The
tests hold it against the loop, column by column and count by count.

It is also the storyteller: it can write down each step with the rule that fired.  What crosses between
citizens it is given: the tables that the institutions handed over, and of how many friends she hears.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from underheaven import rng
from underheaven.life import state as flag
from underheaven.life.reference_abuse import ENTRY, AbuseRules, meet_abuse, speak
from underheaven.life.reference_association import association_numbers, echo, kin_bits, take_association
from underheaven.life.reference_awareness import News
from underheaven.life.reference_firms import Firm, FirmOracle
from underheaven.life.reference_peers import NOBODY, Others, Stars, ratings, take_ratings
from underheaven.life.reference_risk import Foresight, friends_called
from underheaven.life.reference_rules import ONE_FACTOR, SHAMED, TENTHS, Chances, ListPart, Rulebook, Ways
from underheaven.regime.schema import NORMAL, Regime
from underheaven.regime.tables import term_quantiles
from underheaven.rng import draw4, threshold
from underheaven.world.people import IS_HEAD
from underheaven.world.schema import TRAITS, Act, Service, World

YEAR = 365
LONGEST_STAY = 65_535
NO_DECISION = 65_535
RANKS = ("first", "normal", "last")
OWN, FACE, LINK = 2, 0, 1  # how a record came about


@dataclass
class Step:
    """One thing that happened, with the rule behind it.

    Parameters
    ----------
    day : int
    kind : what it was, such as `record` or `refused`
    what : the act, service, tier or list that it was about
    rule : path of the rule in the regime file, or in the world file after ``world.``; "" if none
    told : further particulars
    filed, true : the standing after it, believed and true: score, tier and lists
    """

    day: int
    kind: str
    what: str
    rule: str
    told: dict[str, Any]
    filed: dict[str, Any] = field(default_factory=dict)
    true: dict[str, Any] = field(default_factory=dict)


@dataclass
class File:
    """What one side, the belief or the truth, holds of a citizen."""

    score: dict[str, int]  # by ledger, tenths of a point
    until: dict[str, int] = field(default_factory=dict)  # by list: first day off it
    bucket: dict[tuple[int, str], int] = field(default_factory=dict)  # by year slot and ledger
    tiers: dict[str, str] = field(default_factory=dict)  # by ledger, as last settled
    echo: dict[str, int] = field(default_factory=dict)  # by ledger: what friends bring onto her score

    def standing(self, ledger: str) -> int:
        """Return the score that her tier goes by."""
        return self.score[ledger] + self.echo.get(ledger, 0)


@dataclass
class Person:
    """A citizen: who she is, both sides of her file, and what it has done to her."""

    citizen: int
    traits: dict[str, int]  # level numbers
    is_head: bool  # the first of her household
    filed: File
    true: File
    strain: int = 0
    caution: int = 0
    flags: int = 0
    refused: set[str] = field(default_factory=set)
    appeal_day: int = 0
    sanction_day: int = 0
    on_paper: set[str] = field(default_factory=set)
    in_force: set[str] = field(default_factory=set)
    deserved: set[str] = field(default_factory=set)
    kin: set[str] = field(default_factory=set)  # services that sanction another of her household
    true_kin: set[str] = field(default_factory=set)
    tier: str = ""
    true_tier: str = ""
    since: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    has_done: bool = False  # in this window, something that is held against people
    firm: Firm | None = None  # that she represents


class Oracle(Rulebook):
    """The model, one citizen at a time.

    Parameters
    ----------
    regime, world : as read
    seed : int
    tells : write down steps; else only lives
    """

    def __init__(self, regime: Regime, world: World, seed: int, *, tells: bool = False) -> None:
        super().__init__(regime, world)
        self.seed, self.tells = seed, tells
        self.steps: list[Step] = []
        self.each_day: Callable[[Person, int], None] | None = None  # called at the end of each day
        self.window = world.exchange_days
        self.acts = sorted(world.acts.items(), key=lambda item: item[1].stream)
        self.services = sorted(world.services.items(), key=lambda item: item[1].stream)
        self.keeps_file = regime.has_score or bool(regime.lists) or bool(regime.fines)
        self.activities: list[tuple[str, Act | Service]] = [*self.acts, *self.services]
        self.ways = {name: Ways(name, found, regime, world) for name, found in self.activities}
        self.start, self.floor, self.cap = 0, 0, 0
        if regime.score is not None:
            score = regime.score
            self.start, self.floor, self.cap = (n.value * TENTHS for n in (score.start, score.floor, score.cap))
        self.terms: dict[str, list[int]] = {
            entry.name: term_quantiles(entry.rule.term).tolist() for entry in self.lists
        }
        self.slots = regime.remedies.expiry_years + 1 if regime.remedies.expiry_years else 0
        self.scale = (*self.contexts, self.start, self.floor, self.cap)
        appeal = regime.remedies.appeal
        self.may_appeal = appeal is not None and self.keeps_file
        self.deadline = appeal.deadline.days if appeal is not None and self.keeps_file else 0
        response, self.news = world.response, News(regime, world, seed, self._tell)
        minds = response.friend_caution.value > 0 or self.news.is_kept
        self.hears = self.keeps_file and response.ties.value > 0 and minds
        self.remedy = Chances(regime, world)
        self.firms = FirmOracle(self) if regime.firms is not None and world.firms is not None else None
        self.stars = Stars(regime.peers, self) if regime.peers is not None else None
        self.foresight = Foresight(regime, world)
        self.echo_factor, self.kin_chances = 0, dict[str, int]()
        if regime.association is not None:
            self.echo_factor, self.kin_chances = association_numbers(regime.association)
        self.abuse = AbuseRules(regime, world)
        self._thought_of = [(name, found.stream) for name, found in self.activities if found.rate.per_day > 0]

    # a life ----------------------------------------------------------------------------------------------

    def person(self, citizen: int, traits: int) -> Person:
        """Return a citizen as she starts; `traits` are packed (world/schema.py)."""
        levels = {name: (traits >> shift) & ((1 << bits) - 1) for name, (shift, bits, _) in TRAITS.items()}
        filed, true = (File(dict.fromkeys(self.contexts, self.start)) for _ in range(2))
        firm = self.firms.of(citizen) if self.firms is not None else None
        return Person(citizen, levels, bool(traits & IS_HEAD), filed, true, firm=firm)

    def columns(self, me: Person) -> dict[str, list[int]]:
        """Return a citizen as the columns of state hold her (life/state.py), each as a list along its axis."""
        found = {
            "score": [me.filed.score[ledger] for ledger in self.contexts],
            "true_score": [me.true.score[ledger] for ledger in self.contexts],
            "list_until": [me.filed.until.get(entry.name, 0) for entry in self.lists],
            "true_list_until": [me.true.until.get(entry.name, 0) for entry in self.lists],
            "strain": [me.strain],
        }
        if self.keeps_file:
            found |= {"caution": [me.caution], "flags": [me.flags], "refused": [self.refused_bits(me)]}
            appeal = self.regime.remedies.appeal
            found |= {"appeal_day": [me.appeal_day]} if appeal else {}
            found |= {"sanction_day": [me.sanction_day]} if appeal and appeal.deadline.days else {}
        if self.slots:
            at = [(slot, ledger) for slot in range(self.slots) for ledger in self.contexts]
            found["bucket"] = [me.filed.bucket.get(key, 0) for key in at]
            found["true_bucket"] = [me.true.bucket.get(key, 0) for key in at]
        if self.echo_factor:
            found["echo"] = [me.filed.echo.get(ledger, 0) for ledger in self.contexts]
            found["true_echo"] = [me.true.echo.get(ledger, 0) for ledger in self.contexts]
        return {name: values for name, values in found.items() if values}

    def refused_bits(self, me: Person) -> int:
        """Return the services that ever refused her, as the column holds them."""
        return sum(1 << (self.world.services[name].stream - 32) for name in me.refused)

    def live_window(
        self,
        me: Person,
        place: Mapping[str, Any],
        day_from: int,
        day_to: int,
        friends: int,
        others: Others = NOBODY,
        held: set[str] | None = None,
    ) -> None:
        """Live the days `day_from` .. `day_to` - 1.

        Parameters
        ----------
        place : tables of her county for this window, by their names in life/tables.py, as nested lists
        friends : of how many sanctioned friends she hears as the window starts
        others : what else reaches her from others of her block
        held : in a roll-out, as the window changes over: sanctions of the regime before that go on
        """
        self.work_out(me)
        me.since, told_before = day_from, len(self.steps)
        if self.firms is not None and me.firm is not None:
            self.firms.meet(me, me.firm)
        flag_changed = self._predict(me, place, day_from, others.called)
        self.news.by_press(me, day_from)
        if friends and self.hears:
            me.caution = min(255, me.caution + friends * self.world.response.friend_caution.value)
            me.counts["friends_heard"] += friends
            self._tell(me, day_from, "friends", str(friends), "world.response.friend_caution")
            self.news.reach(me, day_from, "friends", "world.response.heard", represses=True)
        is_moved = take_association(self, me, day_from, day_to, others)
        is_moved = take_ratings(self, me, day_from, others.rated) or is_moved
        unsettled = self._start_window(me, day_from) or is_moved or flag_changed
        if self.firms is not None and me.firm is not None:
            unsettled = self.firms.answer_for(me, me.firm, day_from) or unsettled
        if held is not None and self.keeps_file:
            me.on_paper, me.in_force = held, set(held)
            unsettled = True
        due = self._first_events(me, place, day_from, day_to)
        for day in range(day_from, day_to):
            today = due.get(day, set())
            if any(end <= day for side in (me.filed, me.true) for end in side.until.values()):
                self._account(me, day)
                self._release(me, day)
                unsettled = True
            for name, _ in self.acts:
                if name in today:
                    unsettled = self._meet_act(me, place, due, day, day_to, name) or unsettled
            for channel, label in ((FACE, "face"), (LINK, "link")):
                if channel in today:
                    self._suffer(me, place, due, day, day_to, channel, label)
                    unsettled = True
            unsettled = meet_abuse(self, me, place, due, day, day_to, today) or unsettled
            if unsettled and self.keeps_file:
                self._stand(me, place, day)
                unsettled = False
            for name, _ in self.services:
                if name in today:
                    self._wish(me, place, due, day, day_to, name)
            if self.each_day is not None:
                self.each_day(me, day)
        self._account(me, day_to)
        self.foresight.judge(me, place)
        if self.firms is not None and me.firm is not None:
            self.firms.live_window(me, me.firm, place, day_from, day_to)
            self.steps[told_before:] = sorted(self.steps[told_before:], key=lambda step: step.day)

    def hear(self, block: int, people: Sequence[Person], day: int) -> list[int]:
        """Return of how many sanctioned friends each citizen of a block hears as a window starts.

        Parameters
        ----------
        block : number of the community block
        people : everybody in it, in the order of their numbers
        day : first day of the window
        """
        heard = [0] * len(people)
        response = self.world.response
        if not self.hears:
            return heard
        masks = self._masks(block, len(people))
        for local, me in enumerate(people):
            if not me.flags & flag.WAS_SANCTIONED:
                continue
            self.work_out(me)
            if SHAMED in me.on_paper or (me.on_paper and me.flags & flag.KNOWS):
                for k, mask in enumerate(masks):
                    friend = local ^ mask
                    if friend < len(people):
                        word = draw4(self.seed, rng.HEARSAY, people[friend].citizen, day, k)[0]
                        heard[friend] += word < threshold(response.heard.exact)
        return heard

    def others(self, block: int, people: Sequence[Person], day: int) -> list[Others]:
        """Return what else reaches each citizen of a block from the others as a window starts; as for `hear`."""
        rated, called = ratings(self, block, people, day), friends_called(self, block, people)
        kin, echoes = kin_bits(self, people), echo(self, block, people)
        return [Others(*each) for each in zip(rated, kin, echoes, called, strict=True)]

    def _masks(self, block: int, size: int) -> list[int]:
        """Return the numbers whose exclusive or with a citizen's own gives her friends: all different."""
        span = 1 << (size - 1).bit_length()
        masks: list[int] = []
        for k in range(min(self.world.response.ties.value, span - 1)):
            mask = 1 + (draw4(self.seed, rng.TIE, block, 0, k)[0] * (span - 1) >> 32)
            while mask in masks:
                mask = mask % (span - 1) + 1
            masks.append(mask)
        return masks

    def _first_events(self, me: Person, place: Mapping[str, Any], day_from: int, day_to: int) -> dict[int, set[Any]]:
        """Draw the first candidate of each activity and of the wrong names that reach her."""
        due: dict[int, set[Any]] = {}
        for name, stream in self._thought_of:
            word = draw4(self.seed, rng.CANDIDATE, me.citizen, day_from, stream // 4)[stream % 4]
            _mark(due, word, self.ways[name].gaps(me.traits), name, day_from, day_to)
        words = draw4(self.seed, rng.FALSE_RECORD, me.citizen, day_from, 0)
        _mark(due, words[0], place["face_gaps"][_look(me.traits)], FACE, day_from, day_to)
        _mark(due, words[1], place["link_gaps"][me.traits["name"]], LINK, day_from, day_to)
        for word, gaps, event in self.abuse.first_events(self.seed, me, day_from):
            _mark(due, word, gaps, event, day_from, day_to)
        return due

    def _predict(self, me: Person, place: Mapping[str, Any], day: int, called: tuple[int, int]) -> bool:
        """Flag her or clear her, by the file and by the truth; tell whether a flag has changed."""
        me.has_done = False
        before, was_alone = me.flags, self._by_flag_alone(me)
        self.foresight.flag(me, place, called)
        if was_alone and not me.flags & flag.AT_RISK:
            me.flags &= ~flag.KNOWS
        if (me.flags ^ before) & flag.AT_RISK:
            is_flagged = bool(me.flags & flag.AT_RISK)
            wrongly = is_flagged and not me.flags & flag.TRULY_AT_RISK
            self._tell(me, day, "flagged" if is_flagged else "cleared", "", "risk", wrongly=wrongly)
        return me.flags != before

    # what is slow ----------------------------------------------------------------------------------------

    def _start_window(self, me: Person, day: int) -> bool:
        """Fade, expire, decide, correct and repair; tell whether the file has been touched."""
        touched = False
        words = draw4(self.seed, rng.FADING, me.citizen, day, 0)
        me.strain = _faded(me.strain, self.world.response.strain_half_life.days, self.window, words[0])
        me.caution = _faded(me.caution, self.world.response.caution_half_life.days, self.window, words[1])
        if not self.keeps_file:
            return touched
        if day == 0 and me.on_paper:
            me.on_paper, me.in_force = set(), set()
            touched = True
        if self.slots and day > 0:
            year = (day + self.window - 1) // YEAR
            if year != (day - 1) // YEAR:
                self._expire(me, day, year)
                touched = True
        if 0 < me.appeal_day <= day:
            self._decide(me, day)
            touched = True
        words = draw4(self.seed, rng.CORRECTION, me.citizen, day, 0)
        knows = me.flags & (flag.KNOWS | flag.KNOWS_RECORD)
        told = me.flags & flag.KNOWS_RECORD if self._by_flag_alone(me) else knows
        if told and words[0] < self.remedy.correction and self._in_error(me):
            self._set_right(me)
            me.counts["corrections"] += 1
            self._tell(me, day, "corrected", "", "remedies.correction")
        if me.on_paper and words[1] < self.remedy.repair and self._sanctioned_now(me):
            self._let_off(me, day, self.remedy.repair_points)
            me.counts["repairs"] += 1
            self._tell(me, day, "repaired", "", "remedies.repair")
        return touched or bool(knows) or bool(me.on_paper)

    def _expire(self, me: Person, day: int, year: int) -> None:
        for side, counter in ((me.filed, "points_moved"), (me.true, "true_points_moved")):
            for ledger in self.contexts:
                before = side.score[ledger]
                side.bucket[year % self.slots, ledger] = 0
                kept = self.start + sum(side.bucket.get((slot, ledger), 0) for slot in range(self.slots))
                side.score[ledger] = min(self.cap, max(self.floor, kept))
                me.counts[counter] += side.score[ledger] - before
                if side is me.filed:
                    me.counts["expired_points"] += abs(side.score[ledger] - before)
        self._tell(me, day, "expired", "", "remedies.expiry")

    def _decide(self, me: Person, day: int) -> None:
        words = draw4(self.seed, rng.APPEAL, me.citizen, day, 1)
        me.appeal_day = 0
        if self._by_flag_alone(me):
            won = False
            me.counts["risk_appeals_lost"] += 1
        elif self._in_error(me):
            won = words[1] < self.remedy.finds_error
            if won:
                self._set_right(me)
        else:
            won = words[2] < self.remedy.lenient
            if won:
                self._let_off(me, day, 1 << 20)
        me.counts["appeals_won" if won else "appeals_lost"] += 1
        self._tell(me, day, "appeal-won" if won else "appeal-lost", "", "remedies.appeal")

    def _in_error(self, me: Person) -> bool:
        harsher = any(me.filed.score[ledger] < me.true.score[ledger] for ledger in self.contexts)
        return harsher or any(end > me.true.until.get(name, 0) for name, end in me.filed.until.items())

    def _set_right(self, me: Person) -> None:
        me.counts["exonerations"] += bool(me.flags & flag.WAS_DENOUNCED)
        for ledger in self.contexts:
            gap = me.true.score[ledger] - me.filed.score[ledger]
            if gap > 0:
                me.filed.score[ledger] += gap
                me.counts["points_moved"] += gap
                for slot in range(max(1, self.slots)):
                    me.filed.bucket[slot, ledger] = me.true.bucket.get((slot, ledger), 0)
        for name in list(me.filed.until):
            end = min(me.filed.until[name], me.true.until.get(name, 0))
            if end:
                me.filed.until[name] = end
            else:
                del me.filed.until[name]

    def _let_off(self, me: Person, day: int, most: int) -> None:
        """Give points back, oldest records first, and end stays on lists, on both sides alike."""
        for side, counter in ((me.filed, "points_moved"), (me.true, "true_points_moved")):
            side.until.clear()
            for ledger in self.contexts:
                up = max(0, min(most, self.start - side.score[ledger]))
                side.score[ledger] += up
                me.counts[counter] += up
                for age in range(max(1, self.slots)):
                    slot = (day // YEAR + 1 + age) % max(1, self.slots)
                    part = min(up, max(0, -side.bucket.get((slot, ledger), 0)))
                    side.bucket[slot, ledger] = side.bucket.get((slot, ledger), 0) + part
                    up -= part

    def _by_flag_alone(self, me: Person) -> bool:
        """Tell whether only a flag that nobody explains sanctions her: there is no record to contest."""
        risk = self.regime.risk
        opaque = risk is not None and not risk.explain and bool(me.flags & flag.AT_RISK)
        return opaque and not self._sanctioned_now(me)

    def _sanctioned_now(self, me: Person) -> bool:
        tiers = {ledger: self.tier_of(me.filed.standing(ledger)) for ledger in self.contexts}
        return bool(self.sanctions(tiers, me.filed.until))

    def _release(self, me: Person, day: int) -> None:
        registers = self.regime.registers
        for entry in self.lists:
            until, true_until = me.filed.until.get(entry.name, 0), me.true.until.get(entry.name, 0)
            if 0 < true_until <= day:
                del me.true.until[entry.name]
            if 0 < until <= day:
                number = self.lists.index(entry)
                word = draw4(self.seed, rng.TERM, me.citizen, day, number)[1]
                if until == true_until and registers and registers.stale_time and word < self.remedy.stale:
                    me.filed.until[entry.name] = min(LONGEST_STAY, day + registers.stale_time.days)
                    me.counts["stale_days"] += registers.stale_time.days
                    self._tell(me, day, "stale", entry.name, "registers.stale")
                else:
                    del me.filed.until[entry.name]
                    me.counts[f"releases/{entry.name}"] += 1
                    self._tell(me, day, "released", entry.name, f"lists.{entry.rule.name}.term")

    # acts, sightings, records ----------------------------------------------------------------------------

    def _meet_act(
        self, me: Person, place: Mapping[str, Any], due: dict[int, set[Any]], day: int, day_to: int, name: str
    ) -> bool:
        """Live one candidate act; tell whether the file has been touched."""
        act = self.world.acts[name]
        accept, seen, identified, following = draw4(self.seed, rng.ACT, me.citizen, day, act.stream)
        _mark(due, following, self.ways[name].gaps(me.traits), name, day + 1, day_to)
        income = me.traits["income"]
        strain = min(255, me.strain + int(self.world.response.base_strain.exact[str(income + 1)]))
        below_best = self.regime.tiers and self.regime.tier_names.index(me.tier) > 0 if me.tier else False
        below_best = below_best and self.news.works_for_points(me)
        free, held = self.ways[name].acceptance(me.traits, strain, me.caution, bool(below_best))
        if accept >= max(free, held):
            return False
        if accept >= held:
            me.counts[f"silenced/{name}"] += 1
            self._tell(me, day, "silenced", name, f"world.acts.{name}.caution")
            return False
        me.counts[f"done/{name}"] += 1
        me.has_done = me.has_done or self.regime.is_demerit(name)
        if accept >= free:
            me.counts[f"gamed/{name}"] += 1
        if act.audience is not None:
            speak(self, me, day, name, act.audience.people.value, act.audience.through)
        was_seen = seen < place["seen"][("unseen", "camera", "register", "report", "companion").index(act.channel)]
        if was_seen:
            self._answer(me, due, day, day_to, name)
        was_seen = was_seen and name in self.regime.act_names
        gamed = {"for the points": True} if accept >= free else {}
        if not was_seen:
            self._tell(me, day, "act", name, f"world.acts.{name}.rate", seen=False, **gamed)
            return False
        self._account(me, day)
        is_hers = self._identify(me, place, day, act, name, identified)
        me.counts[f"recorded/{name}" if is_hers else f"missed/{name}"] += 1
        if self.regime.is_demerit(name):
            me.flags |= flag.HAS_DEMERIT
        self._tell(me, day, "act", name, f"world.acts.{name}.rate", seen=True, named=is_hers, **gamed)
        self._record(me, day, name, OWN, is_filed=is_hers, is_true=True)
        return True

    def _answer(self, me: Person, due: dict[int, set[Any]], day: int, day_to: int, name: str) -> None:
        """Let insiders answer what was said and noticed."""
        word = self.abuse.answer(self.seed, me, day, name, self.world)
        if word is not None:
            me.counts["retaliations"] += 1
            self._tell(me, day, "pursued", name, f"abuse.retaliation.on.{name}")
            _mark(due, word, self.abuse.entry_gaps, ENTRY, day + 1, day_to)

    def _identify(self, me: Person, place: Mapping[str, Any], day: int, act: Act, name: str, word: int) -> bool:
        """Tell whether her own file is named; the wrong names that leave are not hers to follow."""
        if act.channel == "camera":
            me.counts["probes"] += 1
            return bool(word < place["face_right"][_look(me.traits)])
        if act.channel == "register":
            return bool(word < self.remedy.link_right(me.traits))
        return True

    def _suffer(
        self, me: Person, place: Mapping[str, Any], due: dict[int, set[Any]], day: int, day_to: int, channel: int,
        label: str,
    ) -> None:  # fmt: skip
        """Take a record of somebody else's act into her file."""
        words = draw4(self.seed, rng.FALSE_RECORD_KIND, me.citizen, day, channel)
        at = _look(me.traits) if channel == FACE else me.traits["name"]
        _mark(due, words[2], place[f"{label}_gaps"][at], channel, day + 1, day_to)
        shares = place[f"{label}_acts"]
        number = next((n for n, share in enumerate(shares) if words[0] < share), len(shares) - 1)
        name = next(name for name, act in self.acts if act.stream == number)
        self._account(me, day)
        me.counts["false_match_records" if channel == FACE else "false_link_records"] += 1
        me.counts[f"false_records/{name}"] += 1
        if self.regime.is_demerit(name) and not me.flags & flag.HAS_FALSE_RECORD:
            me.flags |= flag.HAS_FALSE_RECORD
            me.counts["people_with_false_record"] += 1
        rule = "recognition.false_match" if channel == FACE else "registers.false_link"
        self._tell(me, day, "wrong-name", name, rule, by="face search" if channel == FACE else "register")
        self._record(me, day, name, channel, is_filed=True, is_true=False)

    def _record(self, me: Person, day: int, name: str, source: int, *, is_filed: bool, is_true: bool) -> None:
        act = self.world.acts[name]
        points = self.regime.points_of(name) * TENTHS
        sides = [(me.filed, "points_moved")] * is_filed + [(me.true, "true_points_moved")] * is_true
        if points:
            ledger = self.ledger_of(act.context)
            assert ledger is not None
            for side, counter in sides:
                moved = min(self.cap, max(self.floor, side.score[ledger] + points)) - side.score[ledger]
                side.score[ledger] += moved
                slot = day // YEAR % max(1, self.slots)
                side.bucket[slot, ledger] = side.bucket.get((slot, ledger), 0) + moved
                me.counts[counter] += moved
            self._tell(me, day, "points", name, f"points.{name}", points=points // TENTHS, filed=is_filed, true=is_true)
        for number, entry in enumerate(self.lists):
            leads = entry.rule.on.get(name) if entry.context in (None, act.context) else None
            if leads is not None:
                words = draw4(self.seed, rng.LISTING, me.citizen, day, 64 * act.stream + 4 * number + source)
                if words[0] < threshold(leads.exact):
                    self._list(me, day, entry, words[1], f"lists.{entry.rule.name}.on.{name}", is_filed, is_true)
        fine = self.regime.fine_of(name) * self.world.response.fine_strain.exact
        if is_filed and fine > 0:
            me.counts["fines"] += 1
            income = self.world.income_by_tenth[me.traits["income"]]
            me.strain = min(255, me.strain + min(255, int(fine / income + Fraction(1, 2))))
            me.caution = min(255, me.caution + self.world.response.record_caution.value)
            me.flags |= flag.KNOWS_RECORD
            self._tell(me, day, "fine", name, f"fines.{name}")
            self.news.reach(me, day, "fine", f"fines.{name}")

    def _list(self, me: Person, day: int, entry: ListPart, word: int, rule: str, is_filed: bool, is_true: bool) -> None:
        end = min(LONGEST_STAY, day + self._stay(entry, word))
        if is_true:
            me.true.until[entry.name] = max(me.true.until.get(entry.name, 0), end)
        if is_filed:
            if entry.name not in me.filed.until:
                me.counts[f"listings/{entry.name}"] += 1
                if entry.name not in me.true.until:
                    me.counts[f"wrongful_listings/{entry.name}"] += 1
                me.strain = min(255, me.strain + self.world.response.listing_strain.value)
            me.filed.until[entry.name] = max(me.filed.until.get(entry.name, 0), end)
        self._tell(me, day, "listed", entry.name, rule, until=end, filed=is_filed, true=is_true)

    def _stay(self, entry: ListPart, word: int) -> int:
        """Return a stay in whole days: between two of 1,025 quantiles, rounded up."""
        step, within = word >> 22, word & 0x3FFFFF
        low, high = self.terms[entry.name][step], self.terms[entry.name][step + 1]
        return max(1, math.ceil((low + ((high - low) * within >> 22)) / 65_536))

    # standing --------------------------------------------------------------------------------------------

    def work_out(self, me: Person) -> None:
        """Work out what scores and lists amount to."""
        for side in (me.filed, me.true):
            side.tiers = {ledger: self.tier_of(side.standing(ledger)) for ledger in self.contexts}
        me.tier, me.true_tier = self.worst(me.filed.tiers), self.worst(me.true.tiers)
        at_risk, truly = bool(me.flags & flag.AT_RISK), bool(me.flags & flag.TRULY_AT_RISK)
        me.on_paper = self.sanctions(me.filed.tiers, me.filed.until, at_risk)
        me.deserved = self.sanctions(me.true.tiers, me.true.until, truly)
        for service in (me.on_paper & me.deserved) - {SHAMED}:
            refuse, rank, _ = self.treatment(service, me.filed.tiers, me.filed.until, at_risk)
            true_refuse, true_rank, _ = self.treatment(service, me.true.tiers, me.true.until, truly)
            if threshold(refuse) > threshold(true_refuse) or rank > true_rank:
                me.deserved.discard(service)
        appeal = self.regime.remedies.appeal
        is_suspended = appeal is not None and appeal.suspends and me.appeal_day > 0
        me.in_force = set() if is_suspended else set(me.on_paper)

    def _stand(self, me: Person, place: Mapping[str, Any], day: int) -> None:
        """Settle the day's records: tier, lists that a tier leads to, and what is new."""
        was_sanctioned, old_tier = bool(me.on_paper), me.tier
        old, old_true = me.filed.tiers, me.true.tiers
        self.work_out(me)
        if me.tier != old_tier:
            me.counts[f"flow/{old_tier}/{me.tier}"] += 1
            self._tell(me, day, "tier", me.tier, "tiers", before=old_tier)
        place_of = self.regime.tier_names.index
        is_listed_now = False
        for number, entry in enumerate(self.lists):
            below, ledger = entry.rule.below, entry.ledger
            if below is None or ledger is None:
                continue
            fell, should = (
                place_of(side.tiers[ledger]) > place_of(before[ledger])
                and place_of(side.tiers[ledger]) >= place_of(below)
                and entry.name not in side.until
                for side, before in ((me.filed, old), (me.true, old_true))
            )
            if fell or should:
                word = draw4(self.seed, rng.TERM, me.citizen, day, number)[0]
                self._list(me, day, entry, word, f"lists.{entry.rule.name}.below", fell, should)
                is_listed_now = True
        if is_listed_now:
            self.work_out(me)
        names = self.regime.tier_names
        if len(names) > 1 and me.tier == names[-1]:
            self._first_time(me, flag.WAS_IN_LOWEST_TIER, "people_lowest_tier")
        if me.appeal_day > 0 and not me.on_paper:
            me.appeal_day = 0
            me.counts["appeals_moot"] += 1
            self._tell(me, day, "appeal-moot", "", "remedies.appeal")
        if me.in_force:
            denounced = bool(me.flags & flag.WAS_DENOUNCED)
            if self._first_time(me, flag.WAS_SANCTIONED, "people_sanctioned"):
                me.counts["people_denounced_sanctioned"] += denounced
            if me.in_force - me.deserved and self._first_time(
                me, flag.WAS_WRONGLY_SANCTIONED, "people_wrongly_sanctioned"
            ):
                me.counts["people_denounced_wrongly_sanctioned"] += denounced
            if not me.flags & flag.HAS_DEMERIT:
                self._first_time(me, flag.WAS_SANCTIONED_INNOCENT, "people_innocent_sanctioned")
        if me.on_paper and not was_sanctioned:
            me.sanction_day = day
            me.flags &= ~flag.KNOWS
            wrongly = bool(me.in_force - me.deserved)
            self._tell(me, day, "sanctioned", ", ".join(sorted(me.on_paper)), "treatment", wrongly=wrongly)
            if draw4(self.seed, rng.NOTICE, me.citizen, day, 0)[0] < self.remedy.notice:
                me.counts["notices"] += 1
                self._tell(me, day, "notice", "", "remedies.notice")
                self._learn(me, place, day)
            self.work_out(me)
        elif was_sanctioned and not me.on_paper:
            self._tell(me, day, "sanction-over", "", "treatment")

    def _first_time(self, me: Person, bit: int, counter: str) -> bool:
        """Note what has happened to her for the first time, and count it once; tell whether it is."""
        if me.flags & bit:
            return False
        me.flags |= bit
        me.counts[counter] += 1
        return True

    def _account(self, me: Person, day: int) -> None:
        """Count the days up to `day` under the standing as last worked out."""
        days = day - me.since
        if days == 0 or not self.keeps_file:
            return
        me.since = day
        if me.tier:
            me.counts[f"tier_days/{me.tier}"] += days
            me.counts[f"true_tier_days/{me.true_tier}"] += days
        if me.appeal_day > 0:
            me.counts["appeal_wait_days"] += days
        if me.in_force:
            me.counts["sanction_days"] += days
            me.counts["wrongful_sanction_days"] += days * bool(me.in_force - me.deserved)
            me.counts["innocent_sanction_days"] += days * (not me.flags & flag.HAS_DEMERIT)
            records = self.sanctions(me.filed.tiers, me.filed.until)
            me.counts["risk_alone_days"] += days * (bool(me.flags & flag.AT_RISK) and not records)
        elif me.on_paper:
            me.counts["suspended_days"] += days
        if me.flags & flag.WAS_DENOUNCED and self._in_error(me):
            me.counts["denounced_error_days"] += days
            me.counts["denounced_wrongful_days"] += days * bool(me.in_force - me.deserved)
        for name in me.filed.until:
            me.counts[f"listed_days/{name}"] += days
            me.counts[f"wrongly_listed_days/{name}"] += days * (name not in me.true.until)

    # treatment -------------------------------------------------------------------------------------------

    def _wish(
        self, me: Person, place: Mapping[str, Any], due: dict[int, set[Any]], day: int, day_to: int, name: str
    ) -> None:
        """Meet one candidate wish to use a service."""
        service = self.world.services[name]
        accept, word, _, following = draw4(self.seed, rng.SERVICE, me.citizen, day, service.stream)
        _mark(due, following, self.ways[name].gaps(me.traits), name, day + 1, day_to)
        if accept >= self.ways[name].own(me.traits):
            return
        me.counts[f"used/{name}"] += 1
        at_risk = bool(me.flags & flag.AT_RISK)
        refuse, rank, perk = self.treatment(name, me.filed.tiers, me.filed.until, at_risk)
        is_for_own = bool(me.in_force) and word < self._asked(place, name, refuse)
        if is_for_own or (name in me.kin and word < self.kin_chances.get(name, 0)):
            self._refuse(me, place, day, name, service, word, is_for_own)
            return
        if perk and name not in me.on_paper:
            me.counts[f"perk/{name}"] += 1
            self.news.by_perk(me, day, f"treatment.{name}")
        if service.hospital is None:
            if perk and name not in me.on_paper:
                self._tell(me, day, "perk", name, f"treatment.{name}.tiers.{me.tier}")
            return
        if name in me.on_paper:
            rank = max(rank, NORMAL)
        if not me.in_force:
            rank = min(rank, NORMAL)
        me.counts[f"visits_ranked/{RANKS[rank]}"] += 1
        me.counts[f"visits/{me.tier or 'everybody'}"] += 1
        me.counts[f"wait_minutes/{me.tier or 'everybody'}"] += place["wait_minutes"][rank]
        self._tell(me, day, "visit", name, f"treatment.{name}", rank=RANKS[rank], minutes=place["wait_minutes"][rank])

    def _refuse(
        self, me: Person, place: Mapping[str, Any], day: int, name: str, service: Service, word: int, is_for_own: bool
    ) -> None:
        me.counts[f"refused/{name}"] += 1
        if name not in me.refused:
            me.refused.add(name)
            me.counts[f"people_refused/{name}"] += 1
        truly = bool(me.flags & flag.TRULY_AT_RISK)
        deserved = self.treatment(name, me.true.tiers, me.true.until, truly)[0]
        wrongly = word >= self._asked(place, name, deserved)
        wrongly = wrongly and not (name in me.true_kin and word < self.kin_chances.get(name, 0))
        me.counts["kin_refused"] += not is_for_own
        if wrongly:
            me.counts["kin_wrongly_refused"] += not is_for_own
            me.counts[f"wrongly_refused/{name}"] += 1
            self.news.reach(me, day, "sanction", f"treatment.{name}", represses=True)
            self._first_time(me, flag.WAS_WRONGLY_REFUSED, "people_wrongly_refused")
        if service.refused_strain is not None:
            me.strain = min(255, me.strain + service.refused_strain.value)
        if is_for_own:
            self._tell(me, day, "refused", name, f"treatment.{name}", wrongly=wrongly)
        else:
            self._tell(me, day, "refused-for-kin", name, f"association.household.{name}", wrongly=wrongly)
        if is_for_own and not me.flags & flag.KNOWS:
            self._learn(me, place, day)

    def _asked(self, place: Mapping[str, Any], name: str, refuse: Fraction) -> int:
        """Return the threshold of a refusal, less those by employers and lenders that do not ask."""
        firms = self.regime.firms
        if firms is None or firms.screening is None or name not in firms.screening.services:
            return threshold(refuse)
        return threshold(refuse) * int(place["screening"][self.world.services[name].stream - 32]) >> 16

    def _learn(self, me: Person, place: Mapping[str, Any], day: int) -> None:
        """Learn of the sanction; perhaps appeal."""
        me.flags |= flag.KNOWS
        self.news.reach(me, day, "sanction", "treatment", represses=bool(me.on_paper - me.deserved))
        me.caution = min(255, me.caution + self.world.response.sanction_caution.value)
        self._tell(me, day, "learns", "", "world.response.sanction_caution")
        appeal = self.regime.remedies.appeal
        if appeal is None or me.appeal_day > 0:
            return
        if appeal.deadline.days > 0 and day - me.sanction_day > appeal.deadline.days:
            return
        schooling = self.world.levels["education"][me.traits["education"]]
        files = threshold(self.world.response.appeals.exact[schooling])
        if draw4(self.seed, rng.APPEAL, me.citizen, day, 0)[0] < files:
            self._account(me, day)
            me.appeal_day = min(NO_DECISION, day + place["appeal_days"])
            me.counts["appeals"] += 1
            self._tell(me, day, "appeals", "", "remedies.appeal", decided_from=me.appeal_day)
            if appeal.suspends:
                me.in_force = set()

    # telling ---------------------------------------------------------------------------------------------

    def _tell(self, me: Person, day: int, kind: str, what: str, rule: str, **told: Any) -> None:
        if self.tells:
            self._tell_of(day, kind, what, rule, told, self._side(me.filed), self._side(me.true))

    def _tell_of(
        self, day: int, kind: str, what: str, rule: str, told: dict[str, Any], filed: dict[str, Any],
        true: dict[str, Any],
    ) -> None:  # fmt: skip
        """Write down a step, with these standings."""
        if self.tells:
            self.steps.append(Step(day, kind, what, rule, told, filed, true))

    def _side(self, side: File) -> dict[str, Any]:
        tiers = {ledger: self.tier_of(side.standing(ledger)) for ledger in self.contexts}
        points = {ledger: score / TENTHS for ledger, score in side.score.items()}
        return {"score": points, "tier": self.worst(tiers), "lists": sorted(side.until)}


def _look(traits: Mapping[str, int]) -> int:
    return traits["group"] * 10 + traits["sex"] * 5 + traits["age"]


def _faded(level: int, half_life: int, window: int, word: int) -> int:
    keep = int(math.exp2(-window / half_life) * ONE_FACTOR) if half_life > 0 else 0
    return (level * keep + (word >> 16)) >> 16


def _mark(due: dict[int, set[Any]], word: int, gaps: Sequence[int], event: Any, day_from: int, day_to: int) -> None:
    """Note the day of an event, if it comes between two days: the first by whose end the draw says it came."""
    if day_from < day_to and word < gaps[day_to - day_from - 1]:
        day = next(day for day in range(day_from, day_to) if word < gaps[day - day_from])
        due.setdefault(day, set()).add(event)
