"""Live single lives of a stored run again, from the tables that the institutions handed over.

Citizens of a community block need nothing from outside it but those tables, so one block is lived again by
the loop, whatever the size of the run, and the citizen asked for by the oracle, which can tell.  Each time the
block must come to the columns that the run had, and the oracle to those of the loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from underheaven.engine.exchange import empty_counts
from underheaven.engine.run import RESULTS_VERSION, block_digest
from underheaven.engine.threads import blocks_per_group, n_groups
from underheaven.errors import CommandError, RunError
from underheaven.life import state as flag
from underheaven.life.block import run_blocks
from underheaven.life.counters import N_COUNTERS, TALLY
from underheaven.life.reference import Person, Step
from underheaven.life.reference_peers import Others, Rated
from underheaven.life.reference_rollout import Oracles
from underheaven.life.state import State, columns_of, firm_columns_of, new_state
from underheaven.life.tables import EXCHANGE, new_scratch, record
from underheaven.regime.rollout import compile_rules
from underheaven.store import Run
from underheaven.world.people import build_tables
from underheaven.world.places import build_places


@dataclass(frozen=True)
class Block:
    """A community block lived again.

    Parameters
    ----------
    number : of the block
    first : number of its first citizen
    state : columns of its citizens at the end
    traits : uint32[citizen of the block] packed
    heard : uint8[window, citizen of the block] of how many sanctioned friends each one heard
    friends : uint8[window, citizen of the block, believed or true] friends whose file called for a sanction
    rated : int64[window, citizen of the block, column] what her raters handed to each one (life/peers.py)
    kin, echo : int64[window, citizen of the block, ...] what household and friends did (life/association.py)
    """

    number: int
    first: int
    state: State
    traits: NDArray[np.uint32]
    heard: NDArray[np.uint8]
    friends: NDArray[np.uint8]
    rated: NDArray[np.int64]
    kin: NDArray[np.int64]
    echo: NDArray[np.int64]


@dataclass(frozen=True)
class Life:
    """One life lived again.

    Parameters
    ----------
    citizen : number
    county : name
    traits : name of each trait's level
    steps : all that happened, in order
    person : how she stands at the end; `counts` are her own counters of the run
    """

    citizen: int
    county: str
    traits: dict[str, str]
    steps: list[Step]
    person: Person


class Reliving:
    """A stored run, ready for its lives to be lived again.

    Parameters
    ----------
    run : complete

    Raises
    ------
    RunError : the run was lived by a version with other results, or its files do not lead to its tables
    """

    def __init__(self, run: Run) -> None:
        manifest = run.manifest
        if manifest["results_version"] != RESULTS_VERSION:
            raise RunError.other_version(manifest["results_version"], RESULTS_VERSION)
        self.run, self.regime, self.world = run, run.regime, run.world
        self.seed, self.days, self.window = manifest["seed"], manifest["days"], manifest["exchange_days"]
        self.compiled = compile_rules(self.regime, self.world)
        if (self.compiled.regime_hash, self.compiled.world_hash) != (
            manifest["regime"]["hash"],
            manifest["world"]["hash"],
        ):
            raise RunError.not_its_files(str(run.folder))
        self.places = build_places(self.world)
        self.people = build_tables(self.world, self.places)
        self._digests = run.table("blocks")["digest"].to_pylist()
        self._exchanges = _exchanges(run)
        self._counts = empty_counts(len(self.places.names))
        n_blocks = len(self.people.block_county)
        self._groups = np.zeros((n_groups(n_blocks), N_COUNTERS), np.int64)
        self._per_group = blocks_per_group(n_blocks)
        self._tally = record(TALLY)
        largest = int(np.diff(self.people.block_first).max())
        self._scratch = new_scratch(largest, int(self.compiled.rules[0]["n_ties"]), self.window)
        self._last: Block | None = None

    @cached_property
    def oracle(self) -> Oracles:
        """The oracle of this run; it tells."""
        return Oracles(self.regime, self.world, self.seed, self.compiled.lists, tells=True)

    @property
    def windows(self) -> Iterator[tuple[int, int]]:
        """First day and end of each window."""
        return ((day, min(self.days, day + self.window)) for day in range(0, self.days, self.window))

    def block_of(self, citizen: int) -> int:
        """Return the number of a citizen's block.

        Raises
        ------
        CommandError : there is no such citizen
        """
        if not 0 <= citizen < self.places.people:
            raise CommandError.out_of_range("citizen", citizen, f"0 to {self.places.people - 1}")
        return int(np.searchsorted(self.people.block_first, citizen, side="right")) - 1

    def digest(self, number: int) -> str:
        """Return what stands for the columns of a block at the end of the run."""
        return str(self._digests[number])

    def block(self, number: int) -> Block:
        """Live a block again and hold it against the run.

        Raises
        ------
        RunError : its columns are not those of the run
        """
        if self._last is not None and self._last.number == number:
            return self._last
        first, end = int(self.people.block_first[number]), int(self.people.block_first[number + 1])
        county = int(self.people.block_county[number])
        state = new_state(self.compiled.rules, end - first, first)
        places = np.zeros(len(self.places.names), EXCHANGE)
        reached: tuple[list[NDArray[Any]], ...] = ([], [], [], [], [])
        for day, day_to in self.windows:
            for name, array in self._exchanges.get(day, ()):
                places[name][county] = array[county if len(array) > 1 else 0]
            run_blocks(
                self.people, self.compiled.rules, places, state, self._tally, self._counts.county, self._groups,
                self._counts.hits, self._counts.hit_acts, np.zeros(0, np.uint32), self._scratch,
                self.seed, first, self._per_group, number, number + 1, day, day_to,
            )  # fmt: skip
            found: tuple[NDArray[Any], ...] = (
                self._scratch.heard,
                self._scratch.friends.T,
                self._scratch.rated,
                self._scratch.kin,
                self._scratch.echo,
            )
            for kept, column in zip(reached, found, strict=True):
                kept.append(column[: end - first].copy())
        if block_digest(state, 0, end - first, 0, len(state.firm_score)) != self.digest(number):
            raise RunError.not_relived(number)
        traits = self._scratch.traits[: end - first].copy()
        self._last = Block(number, first, state, traits, *(np.array(kept) for kept in reached))
        return self._last

    def life(self, citizen: int, each_day: Callable[[Person, int], None] | None = None) -> Life:
        """Live one life again and tell it.

        Parameters
        ----------
        citizen : number
        each_day : called with her and the day after each day, for panels

        Raises
        ------
        CommandError : there is no such citizen
        RunError : oracle and loop differ, or the block and the run
        """
        number = self.block_of(citizen)
        block = self.block(number)
        county, local = int(self.people.block_county[number]), citizen - block.first
        me = self.oracle.person(citizen, int(block.traits[local]))
        self.oracle.begin(each_day)
        place: dict[str, Any] = {}
        for at, (day, day_to) in enumerate(self.windows):
            for name, array in self._exchanges.get(day, ()):
                place[name] = array[county if len(array) > 1 else 0].tolist()
            rated, echo = block.rated[at, local].tolist(), block.echo[at, local].tolist()
            believed, true = block.friends[at, local].tolist()
            others = Others(Rated(*rated), int(block.kin[at, local]), tuple(echo), (believed, true))
            self.oracle.live_window(me, place, day, day_to, int(block.heard[at, local]), others)
        if self.oracle.columns(me) != columns_of(block.state, local):
            raise RunError.not_relived(number)
        if me.firm is not None and me.firm.columns() != firm_columns_of(block.state, me.firm.row):
            raise RunError.not_relived(number)
        levels = {trait: names[me.traits[trait]] for trait, names in self.world.levels.items()}
        return Life(citizen, self.places.names[county], levels, self.oracle.steps, me)


def _exchanges(run: Run) -> dict[int, list[tuple[str, NDArray[np.int64]]]]:
    """Return the tables that changed on each day: their names and int64[county or 1, ...]."""
    found: dict[int, list[tuple[str, NDArray[np.int64]]]] = {}
    for row in run.table("exchange/tables").to_pylist():
        array = np.frombuffer(row["data"], "<i8").reshape(row["shape"])
        found.setdefault(row["day"], []).append((row["name"], array))
    return found


#: What `--find` looks for: the category of the run's sample that is searched, and what is largest in the life found.
FINDS: dict[str, tuple[str, Callable[[Life], float]]] = {
    "wrongly-listed": ("wrongly-sanctioned", lambda life: _counted(life, "wrongly_listed_days/")),
    "longest-wrong": ("wrongly-sanctioned", lambda life: life.person.counts["wrongful_sanction_days"]),
    "fell-furthest": ("sanctioned", lambda life: _fall(life)),
    "same-acts-different-fate": ("wrongly-sanctioned", lambda life: life.person.counts["wrongful_sanction_days"]),
    "redeemed": ("sanctioned", lambda life: 0 if life.person.on_paper else life.person.counts["sanction_days"]),
    "denounced": ("denounced", lambda life: life.person.counts["denounced_error_days"]),
    "never-knew": ("not-told", lambda life: _never_knew(life)),
}


def _counted(life: Life, prefix: str) -> int:
    return sum(n for name, n in life.person.counts.items() if name.startswith(prefix))


def _fall(life: Life) -> float:
    """Return the distance between the highest and the lowest score of her life, in points."""
    own = (step for step in life.steps if not step.kind.startswith("firm-"))  # those show how her firm stands
    scores = [score for step in own for score in step.filed["score"].values()]
    return max(scores, default=0.0) - min(scores, default=0.0)


def _never_knew(life: Life) -> int:
    learnt = any(step.kind in ("learns", "notice") for step in life.steps)
    return 0 if learnt else life.person.counts["sanction_days"]


def find(lives: Reliving, what: str, most: int = 60) -> list[Life]:
    """Return the life of the run's sample that shows something most plainly; two for different fates.

    Parameters
    ----------
    lives : Reliving
    what : a key of `FINDS`
    most : at most so many of the sample are lived again

    Returns
    -------
    list of Life : one; for `same-acts-different-fate` also that of a citizen of the same block whose true score is
        the same and who was never sanctioned, as like her in her traits as there is; empty if there is none
    """
    category, most_of = FINDS[what]
    rows = [row for row in lives.run.table("sample").to_pylist() if row["category"] == category]
    rank: Counter[int] = Counter()
    turn = []  # a few of every county before many of one
    for row in rows:
        turn.append((rank[row["county"]], row["county"], row["citizen"]))
        rank[row["county"]] += 1
    best: list[Life] = []
    best_value = 0.0
    for _, _, citizen in sorted(turn)[:most]:
        life = lives.life(citizen)
        value = most_of(life)
        if value > best_value:
            other = [] if what != "same-acts-different-fate" else _like(lives, life)
            if what != "same-acts-different-fate" or other:
                best, best_value = [life, *other], value
    return best


def _like(lives: Reliving, life: Life) -> list[Life]:
    """Return the most similar citizen of the block with the same true score who was never sanctioned."""
    block = lives.block(lives.block_of(life.citizen))
    local = life.citizen - block.first
    true = block.state.true_score
    same = (true == true[:, local : local + 1]).all(axis=0) & (block.state.flags & flag.WAS_SANCTIONED == 0)
    same &= block.state.flags & flag.HAS_DEMERIT > 0
    if not true.size or not same.any():
        return []
    differs = np.array([bin(int(t) ^ int(block.traits[local])).count("1") for t in block.traits])
    differs[~same] = 1 << 10
    return [lives.life(block.first + int(differs.argmin()))]


@dataclass(frozen=True)
class Parting:
    """Where two runs of the same people part.

    Parameters
    ----------
    citizen : number
    day : of the first step that differs
    one, other : that step in each of them; None where a life has ended its telling
    differing : citizens of the block who end differently
    """

    citizen: int
    day: int
    one: Step | None
    other: Step | None
    differing: int


def first_parting(one: Reliving, other: Reliving, most: int = 50) -> Parting | None:
    """Return where two runs part first: in the first block that differs, the earliest step of its citizens.

    Parameters
    ----------
    one, other : runs of the same people
    most : of the citizens who end differently, at most so many are lived again

    Returns
    -------
    Parting or None, if all columns end the same

    Raises
    ------
    CommandError : the runs are not of the same people
    """
    must_be_twins(one, other)
    for number in range(len(one.people.block_county)):
        # Two regimes may keep other columns, so that every digest differs; then the columns decide.
        if one.digest(number) != other.digest(number):
            mine, theirs = one.block(number), other.block(number)
            size = len(mine.traits)
            differ = [at for at in range(size) if columns_of(mine.state, at) != columns_of(theirs.state, at)]
            found = [
                _parted(one, other, mine.first + at, len(differ))
                for at in sorted(differ, key=lambda at: _likeness(mine.state, theirs.state, at))[:most]
            ]
            parted = [parting for parting in found if parting is not None]
            if parted:
                return min(parted, key=lambda parting: (parting.day, parting.citizen))
    return None


def must_be_twins(one: Reliving, other: Reliving) -> None:
    """Refuse two runs that are not of the same people.

    Raises
    ------
    CommandError : worlds, seeds, numbers of people or days differ
    """
    for key in ("world", "seed", "people", "days"):
        a, b = one.run.manifest[key], other.run.manifest[key]
        if a != b:
            a, b = (value["name"] if key == "world" else value for value in (a, b))
            text = f"the runs are not of the same people over the same time: {key} is {a} and {b}"
            raise CommandError.of("UH803", f"{text}; run both with the same world, people, days and seed")


def _likeness(one: State, other: State, row: int) -> int:
    """Return in how many columns that both have a citizen differs; the fewest tell most."""
    a, b = columns_of(one, row), columns_of(other, row)
    return sum(a[name] != b[name] for name in a.keys() & b.keys())


def _parted(one: Reliving, other: Reliving, citizen: int, differing: int) -> Parting | None:
    a, b = one.life(citizen), other.life(citizen)
    at = parting_step(a, b)
    if at is None:
        return None
    steps = [life.steps[at] if at < len(life.steps) else None for life in (a, b)]
    return Parting(citizen, min(step.day for step in steps if step), steps[0], steps[1], differing)


def parting_step(one: Life, other: Life) -> int | None:
    """Return the place of the first step in which two lives differ; None if they never do."""
    keys = ([(s.day, s.kind, s.what, s.told, s.filed, s.true) for s in life.steps] for life in (one, other))
    return next((at for at, (a, b) in enumerate(zip_longest(*keys)) if a != b), None)
