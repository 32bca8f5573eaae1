"""The oracle of a roll-out: one citizen under several regimes, one after the other.

Each regime is lived by an oracle of its own (life/reference.py); here a file is led over from one to the next, and
the columns are put together as the run has them.  Of one regime alone it is that regime's oracle.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from underheaven.life import state as flag
from underheaven.life.reference import YEAR, Oracle, Person, Step
from underheaven.life.reference_firms import lead_firm_over
from underheaven.life.reference_peers import NOBODY, Others
from underheaven.regime.rollout import Rollout, Rules
from underheaven.world.schema import World


class Oracles:
    """The model of a run, one citizen at a time.

    Parameters
    ----------
    regime : a regime or a roll-out
    world : as read
    seed : int
    lists : names of the lists of all regimes, in the order of the run's columns
    tells : write down steps; else only lives
    """

    def __init__(self, regime: Rules, world: World, seed: int, lists: Sequence[str], *, tells: bool = False) -> None:
        regimes = regime.regimes if isinstance(regime, Rollout) else (regime,)
        self.each = [Oracle(one, world, seed, tells=tells) for one in regimes]
        self.lists, self.phase = lists, 0
        self.begin(None)

    def begin(self, each_day: Callable[[Person, int], None] | None) -> None:
        """Begin a new telling; `each_day` is called with her and the day at the end of each day."""
        self.steps: list[Step] = []
        self.phase = 0
        for oracle in self.each:
            oracle.steps, oracle.each_day = self.steps, each_day

    def person(self, citizen: int, traits: int) -> Person:
        """Return a citizen as she starts, under the first regime; `traits` are packed (world/schema.py)."""
        return self.each[0].person(citizen, traits)

    def live_window(
        self, me: Person, place: Mapping[str, Any], day_from: int, day_to: int, friends: int, others: Others = NOBODY
    ) -> None:
        """Live the days `day_from` .. `day_to` - 1 under the regime that her county's tables name.

        Parameters
        ----------
        place : tables of her county for this window (life/tables.py), as nested lists
        friends : of how many sanctioned friends she hears as the window starts, if her regime lets her
        others : what else reaches her from others of her block
        """
        self.phase, before = place["phase"], place["phase_before"]
        oracle, held = self.each[self.phase], None
        if self.phase != before:
            held = self._lead_over(me, self.each[before], oracle, day_from)
        oracle.news.is_new = self.phase != before and not self.each[before].news.is_kept
        oracle.live_window(me, place, day_from, day_to, friends if oracle.hears else 0, others, held)

    def hear(self, block: int, people: Sequence[Person], day: int, place: Mapping[str, Any]) -> list[int]:
        """Return of how many sanctioned friends each citizen of a block hears as a window starts.

        Parameters
        ----------
        place : tables of the block's county for this window

        Notes
        -----
        On a day of change-over, what counts is how the files stand once they are led over.
        """
        oracle: Oracle = self.each[place["phase"]]
        return oracle.hear(block, self._led_over(people, day, place), day)

    def others(self, block: int, people: Sequence[Person], day: int, place: Mapping[str, Any]) -> list[Others]:
        """Return what else reaches each citizen of a block from the others as a window starts; as for `hear`."""
        oracle: Oracle = self.each[place["phase"]]
        return oracle.others(block, self._led_over(people, day, place), day)

    def _led_over(self, people: Sequence[Person], day: int, place: Mapping[str, Any]) -> Sequence[Person]:
        """Return people as they stand once their files are led over, if that is due."""
        oracle, before = self.each[place["phase"]], self.each[place["phase_before"]]
        if oracle is before:
            return people
        led_over = [copy.deepcopy(me) for me in people]
        for me in led_over:
            self._lead_over(me, before, oracle, day)
        return led_over

    def _lead_over(self, me: Person, old: Oracle, new: Oracle, day: int) -> set[str]:
        """Bring her file into the form of a new regime; return the sanctions that go on, for they are no new ones."""
        old.work_out(me)
        was, is_taken_over = set(me.on_paper), bool(new.contexts)
        for side in (me.filed, me.true):
            side.echo = {} if old.scale != new.scale or not new.echo_factor else side.echo
            if old.scale != new.scale:
                side.score, side.bucket = dict.fromkeys(new.contexts, new.start), {}
                is_taken_over = False
            elif old.slots != new.slots:
                now = day // YEAR % max(1, new.slots)
                side.bucket = {(now, ledger): score - new.start for ledger, score in side.score.items()}
            both = {entry.name for entry in old.lists} & {entry.name for entry in new.lists}
            side.until = {name: end for name, end in side.until.items() if name in both}
        if old.regime.risk is None or new.regime.risk is None:
            me.flags &= ~(flag.AT_RISK | flag.TRULY_AT_RISK)
        if new.keeps_file and not new.abuse.may_retaliate:
            me.flags &= ~flag.IS_PURSUED
        lead_firm_over(me, old.firms, new.firms)
        if not (old.may_appeal and new.may_appeal):
            me.appeal_day = 0
        if new.may_appeal and not old.may_appeal:
            me.flags &= ~flag.KNOWS
        if not old.deadline:
            me.sanction_day = day
        if not new.keeps_file:
            me.caution = 0
        return was if is_taken_over or me.filed.until else set()

    def columns(self, me: Person) -> dict[str, list[int]]:
        """Return a citizen as the columns of state hold her (life/state.py), each as a list along its axis."""
        now, found = self.each[self.phase], {}
        ledgers = max(len(one.contexts) for one in self.each)
        buckets = max(one.slots * len(one.contexts) for one in self.each)
        echoes = max(len(one.contexts) if one.echo_factor else 0 for one in self.each)
        at = [(slot, ledger) for slot in range(now.slots) for ledger in now.contexts]
        for prefix, side in (("", me.filed), ("true_", me.true)):
            found[f"{prefix}score"] = _filled([side.score[ledger] for ledger in now.contexts], ledgers)
            found[f"{prefix}list_until"] = [side.until.get(name, 0) for name in self.lists]
            found[f"{prefix}bucket"] = _filled([side.bucket.get(key, 0) for key in at], buckets)
            if any(one.echo_factor for one in self.each):
                found[f"{prefix}echo"] = _filled([side.echo.get(ledger, 0) for ledger in now.contexts], echoes)
        found["strain"] = [me.strain]
        if any(one.keeps_file for one in self.each):
            found |= {"caution": [me.caution], "flags": [me.flags], "refused": [now.refused_bits(me)]}
        if any(one.may_appeal for one in self.each):
            found["appeal_day"] = [me.appeal_day]
        if any(one.deadline for one in self.each):
            found["sanction_day"] = [me.sanction_day if now.deadline else 0]
        return {name: values for name, values in found.items() if values}


def _filled(values: list[int], length: int) -> list[int]:
    return values + [0] * (length - len(values))
