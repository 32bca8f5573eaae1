"""Twin lives: the same people under two regimes, counted and paired person by person.

A run holds its counts by groups of community blocks; :class:`LastDay` adds where each citizen stood on the
last day.  Both are held against those of a baseline: the same world, seed and days, so the same people with the
same luck.  Nothing here lives a day; `underheaven.compare` does, and hands the runs over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from underheaven.errors import CommandError
from underheaven.life.state import AT_RISK, WAS_SANCTIONED, WAS_WRONGLY_SANCTIONED, State, rows_of
from underheaven.study.counts import Counts
from underheaven.study.measures import Measure, measures
from underheaven.study.observe import Ranges
from underheaven.study.paired import difference
from underheaven.world.people import block_people, build_tables
from underheaven.world.places import build_places
from underheaven.world.schema import TRAITS, World

if TYPE_CHECKING:
    import pandas as pd

    from underheaven.store import Run

FORMAT = "underheaven-comparison/1"

#: Traits that people are told apart by.
STRATA = ("income", "group", "age", "sex", "urban", "education")

STANDINGS = ("no sanction", "sanction suspended", "sanctioned by grade or flag", "on a list")
HISTORIES = ("never sanctioned", "sanctioned, never wrongly", "wrongly sanctioned")
NO_GRADE = "no grade"

STRAIN_STEP = 16  # behaviour sees strain in sixteen levels (life/acts.py)

UInt8 = NDArray[np.uint8]
Int64 = NDArray[np.int64]


class Columns(NamedTuple):
    """Where each citizen stood on the last day of a run."""

    tier: UInt8  # [citizen] number of the believed tier, the worst of her ledgers; 0 without tiers
    standing: UInt8  # [citizen] place in STANDINGS
    history: UInt8  # [citizen] place in HISTORIES
    refused: UInt8  # [citizen] bits: services that ever refused her
    strain: UInt8  # [citizen] 0..255


class LastDay:
    """An observer that keeps where each citizen stood on the last day, 5 bytes a citizen.

    Parameters
    ----------
    phases : RULES[regime] of the run
    last_day : int
    ranges_under : gives, for a day, (regime, first citizen, end) of all citizens; None: one regime for all
    """

    name = "last_day"

    def __init__(self, phases: Any, last_day: int, ranges_under: Ranges | None = None) -> None:
        self._phases, self._last_day, self._ranges_under = phases, last_day, ranges_under
        self.columns: Columns | None = None

    def observe(self, day: int, state: State) -> None:
        """Copy what is needed on the last day."""
        if day == self._last_day:
            ranges = [(0, 0, len(state.strain))] if self._ranges_under is None else self._ranges_under(day)
            parts = [_last(rows_of(state, first, end), self._phases[regime]) for regime, first, end in ranges]
            self.columns = Columns(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def table(self) -> pa.Table:
        """Return one row a citizen, in the order of their numbers."""
        assert self.columns is not None, "the last day was not seen"
        return pa.table({name: pa.array(column) for name, column in self.columns._asdict().items()})

    def save(self) -> dict[str, NDArray[Any]]:
        """Nothing is kept before the last day."""
        return {}

    def load(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Nothing is kept before the last day."""


def _graded(tier: UInt8, names: list[str]) -> tuple[UInt8, list[str]]:
    """Return grades and their names, with one more for people without any, if there are any."""
    if not len(tier) or int(tier.max()) < len(names):
        return tier, names
    return np.minimum(tier, len(names)).astype(np.uint8), [*names, NO_GRADE]


def stored_columns(run: Run) -> Columns:
    """Return what a :class:`LastDay` has stored with a run."""
    table = run.table(LastDay.name)
    return Columns(*(table[name].to_numpy() for name in Columns._fields))


def _last(state: State, rules: Any) -> Columns:
    """Work out standing from the columns as `life.standing.work_out` does, for everybody at once."""
    people = len(state.strain)
    tier, on_paper = np.zeros(people, np.uint8), np.zeros(people, np.int64)
    for ledger in range(int(rules["n_ledgers"])):
        mine = np.zeros(people, np.uint8)
        for cutoff in rules["cutoffs"][: max(0, int(rules["n_tiers"]) - 1)]:
            mine += state.score[ledger] < cutoff
        tier = np.maximum(tier, mine)
        on_paper |= rules["tier_sanctions"][ledger][mine]
    is_listed = np.zeros(people, bool)
    for entry in range(int(rules["n_lists"])):
        is_on = state.list_until[entry] > 0
        is_listed |= is_on
        on_paper[is_on] |= rules["list_sanctions"][entry]
    if rules["risk"]:
        on_paper[state.flags & AT_RISK > 0] |= rules["risk_sanctions"]
    standing = np.where(is_listed, 3, np.where(on_paper > 0, 2, 0)).astype(np.uint8)
    if rules["appeal_suspends"] and state.appeal_day.size:
        standing[(state.appeal_day > 0) & (standing > 0)] = 1
    history, refused = np.zeros(people, np.uint8), np.zeros(people, np.uint8)
    if state.flags.size:
        history += state.flags & WAS_SANCTIONED > 0
        history += state.flags & WAS_WRONGLY_SANCTIONED > 0
        refused = np.array(state.refused)
    return Columns(rules["tier_column"][tier].astype(np.uint8), standing, history, refused, np.array(state.strain))


# Who they are ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Population:
    """The people of a world and seed, who are the same in every run of it.

    Parameters
    ----------
    traits : uint32[citizen], packed
    group_first : int64[group + 1], first citizen of each group of community blocks
    levels : names of the levels of each trait
    """

    traits: NDArray[np.uint32]
    group_first: Int64
    levels: dict[str, list[str]]

    @property
    def people(self) -> Int64:
        """How many people each group has, int64[group]."""
        return np.diff(self.group_first)

    @cached_property
    def group(self) -> NDArray[np.int32]:
        """The group of each citizen, int32[citizen]."""
        return np.repeat(np.arange(len(self.group_first) - 1, dtype=np.int32), self.people)

    def level(self, trait: str) -> Int64:
        """Return the level of each citizen in a trait, int64[citizen]."""
        shift, bits, _ = TRAITS[trait]
        return ((self.traits >> np.uint32(shift)) & np.uint32((1 << bits) - 1)).astype(np.int64)


def population(world: World, seed: int, blocks_per_group: Callable[[int], int]) -> Population:
    """Draw the traits of everybody.

    Parameters
    ----------
    world : World
    seed : int
    blocks_per_group : says of how many blocks on end a group consists, given the number of blocks; that of the
        engine (`engine.threads`), whose groups the counts are of
    """
    tables = build_tables(world, build_places(world))
    first = tables.block_first
    largest = int(np.diff(first).max())
    traits, heads = np.zeros(largest, np.uint32), np.zeros(largest, np.int32)
    words = np.zeros((4, largest), np.uint32)
    everybody = np.empty(int(first[-1]), np.uint32)
    draw: Any = block_people  # compiled, without types
    for block in range(len(first) - 1):
        draw(tables, seed, block, traits, heads, words)
        everybody[first[block] : first[block + 1]] = traits[: first[block + 1] - first[block]]
    each = blocks_per_group(len(first) - 1)
    group_first = np.append(first[:-1:each], first[-1])
    return Population(everybody, group_first, {trait: list(names) for trait, names in world.levels.items()})


# One pair -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Twin:
    """A run with the last day of its people.

    Parameters
    ----------
    label : how the regime was asked for, as `press-2018 + notice`
    run : Run
    columns : of its last day
    """

    label: str
    run: Run
    columns: Columns

    @cached_property
    def counts(self) -> Counts:
        """The counters of the run."""
        return Counts(self.run)

    @cached_property
    def _groups(self) -> dict[str, tuple[Int64, Int64]]:
        table = self.run.table("counts_group")
        labels = table["counter"].combine_chunks()
        codes, names = labels.indices.to_numpy(), labels.dictionary.to_pylist()
        group, amount = table["group"].to_numpy(), table["amount"].to_numpy()
        order = np.argsort(codes, kind="stable")
        edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
        found = {}
        for number, name in enumerate(names):
            rows = order[edges[number] : edges[number + 1]]
            found[name] = (group[rows], amount[rows])
        return found

    def by_group(self, counters: Sequence[str], groups: int) -> Int64:
        """Return the sum of some counters in each group, int64[group]; a counter of no amount is 0."""
        total = np.zeros(groups, np.int64)
        for counter in counters:
            group, amount = self._groups.get(counter, (np.empty(0, np.int64), np.empty(0, np.int64)))
            np.add.at(total, group, amount)
        return total


class Pair:
    """One regime held against the baseline, life by life.

    Parameters
    ----------
    baseline, other : Twin, of the same world, seed and days
    everybody : Population
    """

    def __init__(self, baseline: Twin, other: Twin, everybody: Population) -> None:
        self.baseline, self.other, self.everybody = baseline, other, everybody
        self.days = int(baseline.run.manifest["days"])
        before, after = _harms(baseline.columns), _harms(other.columns)
        people = len(everybody.traits)
        rises, falls = np.zeros(people, bool), np.zeros(people, bool)
        for name in before:
            rises |= after[name] > before[name]
            falls |= after[name] < before[name]
        self._before, self._after = before, after
        self.is_worse, self.is_better = rises & ~falls, falls & ~rises
        self.is_mixed = rises & falls

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(self.everybody.traits)

    @cached_property
    def differences(self) -> list[dict[str, Any]]:
        """What was counted under the two regimes, each difference with its paired interval."""
        a, b = self.baseline.counts, self.other.counts
        rows = [self._measured(measure) for measure in measures(a, b)]
        return [row for row in rows if row is not None]

    def _measured(self, measure: Measure) -> dict[str, Any] | None:
        groups, size = len(self.everybody.people), self.everybody.people
        over, other_over = (twin.by_group(measure.counters, groups) for twin in (self.baseline, self.other))
        if measure.below:
            below, other_below = (twin.by_group(measure.below, groups) for twin in (self.baseline, self.other))
        else:
            below = other_below = size * (self.days if measure.is_over_time else 1)
        totals = int(over.sum()), int(other_over.sum())
        if not (any(totals) or measure.is_always_shown):
            return None
        found = difference(over, below, other_over, other_below)
        whole = None if measure.below else float(below.sum())
        figures = {key: getattr(found, key) for key in ("baseline", "other", "value", "low", "high")}
        rate = {key: None if x is None else x * measure.factor for key, x in figures.items()}
        spread = {key: None if x is None or whole is None else x * whole for key, x in figures.items()}
        return {
            "id": measure.id,
            "section": measure.section,
            "title": measure.title,
            "per": measure.per,
            "harm": measure.harm,
            "baseline": None if measure.below else totals[0],
            "other": None if measure.below else totals[1],
            "difference": None if measure.below else totals[1] - totals[0],
            "low": spread["low"],
            "high": spread["high"],
            "baseline_rate": rate["baseline"],
            "other_rate": rate["other"],
            "rate_difference": rate["value"],
            "rate_low": rate["low"],
            "rate_high": rate["high"],
            "is_clear": found.is_clear,
            "is_rough": found.is_rough,
        }

    @cached_property
    def acts(self) -> list[dict[str, Any]]:
        """Acts that stopped or increased, each with what the regimes hold of it."""
        rows = []
        for act, after in zip(self.baseline.counts.acts, self.other.counts.acts, strict=True):
            found = self._measured(_of_acts(act["name"], [act["name"]]))
            demerit, rewarded = act["demerit"] or after["demerit"], max(act["points"], after["points"]) > 0
            kind = "speech" if act["speech"] else "held against" if demerit else "rewarded" if rewarded else "other"
            amounts = {
                f"{what}_{key}": twin.counts.total(f"{what}/{act['name']}")
                for what in ("silenced", "gamed")
                for key, twin in (("baseline", self.baseline), ("other", self.other))
            }
            if found is not None:
                del found["section"], found["harm"]
                flags = {"demerit_baseline": act["demerit"], "demerit_other": after["demerit"]}
                rows.append(found | {"id": act["name"], "kind": kind, **flags, **amounts})
        return rows

    @cached_property
    def kinds_of_acts(self) -> dict[str, dict[str, Any]]:
        """The same for all speech, all infractions (held against people, and no speech) and all rewarded acts."""
        kinds: dict[str, list[str]] = {"speech": [], "held against": [], "rewarded": []}
        for row in self.acts:
            kinds.setdefault(row["kind"], []).append(row["id"])
        found = {kind: self._measured(_of_acts(kind, names)) for kind, names in kinds.items()}
        return {kind: row for kind, row in found.items() if row is not None}

    @cached_property
    def persons(self) -> dict[str, Any]:
        """How many people are worse and better off, and by how much."""
        count = {
            "worse": int(self.is_worse.sum()),
            "better": int(self.is_better.sum()),
            "mixed": int(self.is_mixed.sum()),
        }
        count["same"] = self.people - sum(count.values())
        shares = {key: self._share(flags) for key, flags in self._outcomes().items()}
        rows = []
        for name, title in HARMS.items():
            before, after = self._before[name].astype(np.int64), self._after[name].astype(np.int64)
            change = after - before
            rises, falls = int((change > 0).sum()), int((change < 0).sum())
            rows.append(
                {
                    "harm": name,
                    "title": title,
                    "worse": rises,
                    "better": falls,
                    "rise": int(change[change > 0].sum()),
                    "fall": int(-change[change < 0].sum()),
                    "mean_rise": float(change[change > 0].mean()) if rises else None,
                    "mean_fall": float(-change[change < 0].mean()) if falls else None,
                    "baseline_mean": float(before.mean()),
                    "other_mean": float(after.mean()),
                }
            )
        return {"people": self.people, **count, "shares": shares, "harms": rows}

    def _outcomes(self) -> dict[str, NDArray[Any]]:
        net = self.is_worse.astype(np.int64) - self.is_better.astype(np.int64)
        return {"worse": self.is_worse.astype(np.int64), "better": self.is_better.astype(np.int64), "net_worse": net}

    def _share(self, flags: NDArray[Any]) -> dict[str, float | None]:
        size = self.everybody.people
        over = np.add.reduceat(flags, self.everybody.group_first[:-1])
        found = difference(np.zeros_like(over), size, over, size)
        least = -1.0 if (flags < 0).any() else 0.0  # the share of people cannot be below 0
        low = None if found.low is None else max(least, found.low)
        return {"value": found.value, "low": low, "high": None if found.high is None else min(1.0, found.high)}

    def by(self, *traits: str) -> list[dict[str, Any]]:
        """Return who is worse and who is better off, by levels of traits.

        Parameters
        ----------
        traits : one or more of STRATA

        Returns
        -------
        list of dict with the levels, `people`, `worse`, `better`, `mixed`, and the shares `worse_share`,
        `better_share`, `net_worse_share`, each with `_low` and `_high`; levels that nobody has are left out
        """
        unknown = next((trait for trait in traits if trait not in STRATA), None)
        if unknown is not None or not traits:
            raise CommandError.of("UH803", f"the stratum is {unknown!r}; write one or more of {', '.join(STRATA)}")
        levels = [self.everybody.levels[trait] for trait in traits]
        code = np.zeros(self.people, np.int64)
        for trait, names in zip(traits, levels, strict=True):
            code = code * len(names) + self.everybody.level(trait)
        cells = int(np.prod([len(names) for names in levels]))
        groups = len(self.everybody.people)
        at = self.everybody.group.astype(np.int64) * cells + code

        def tally(flags: NDArray[Any] | None = None) -> Int64:
            found = np.bincount(at, flags, minlength=groups * cells)
            return np.rint(found).astype(np.int64).reshape(groups, cells)

        people = tally()
        outcomes = {key: tally(flags) for key, flags in self._outcomes().items()}
        mixed = tally(self.is_mixed).sum(axis=0)
        rows = []
        for cell in np.flatnonzero(people.sum(axis=0)).tolist():
            row: dict[str, Any] = {}
            rest = cell
            for trait, names in reversed(list(zip(traits, levels, strict=True))):
                rest, level = divmod(rest, len(names))
                row = {trait: names[level], **row}
            row["people"] = int(people[:, cell].sum())
            row |= {key: int(found[:, cell].sum()) for key, found in outcomes.items() if key != "net_worse"}
            row["mixed"] = int(mixed[cell])
            for key, found in outcomes.items():
                share = difference(np.zeros(groups), people[:, cell], found[:, cell], people[:, cell])
                least = -1.0 if key == "net_worse" else 0.0
                row[f"{key}_share"] = share.value
                row[f"{key}_share_low"] = None if share.low is None else max(least, share.low)
                row[f"{key}_share_high"] = None if share.high is None else min(1.0, share.high)
            rows.append(row)
        return rows

    def transitions(self, of: str = "standing") -> tuple[list[str], list[str], Int64]:
        """Return how many people were here in the baseline and there in the other regime.

        Parameters
        ----------
        of : `standing` on the last day, `history` (ever sanctioned, wrongly), `tier` on the last day, or
            `services` (how many ever refused her)

        Returns
        -------
        (names of the baseline's rows, names of the other's columns, int64[row, column])
        """
        fixed = {"standing": STANDINGS, "history": HISTORIES}
        a, b = self.baseline.columns, self.other.columns
        if of in fixed:
            rows = columns = list(fixed[of])
            before, after = getattr(a, of), getattr(b, of)
        elif of == "tier":
            rows, columns = (list(twin.run.manifest["tiers"]) or [NO_GRADE] for twin in (self.baseline, self.other))
            # In a roll-out people under a regime without grades have a number behind the last one.
            (before, rows), (after, columns) = _graded(a.tier, rows), _graded(b.tier, columns)
        elif of == "services":
            before, after = (np.bitwise_count(twin.refused) for twin in (a, b))
            most = int(max(before.max(initial=0), after.max(initial=0)))
            rows = columns = [str(number) for number in range(most + 1)]
        else:
            raise CommandError.of("UH803", f"`of` is {of!r:.60}; write one of standing, history, tier, services")
        table = np.bincount(before.astype(np.int64) * len(columns) + after, minlength=len(rows) * len(columns))
        return rows, columns, table.reshape(len(rows), len(columns)).astype(np.int64)

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON."""
        tables = {of: self.transitions(of) for of in ("standing", "history", "tier", "services")}
        return {
            "regime": self.other.label,
            "differences": self.differences,
            "acts": self.acts,
            "kinds_of_acts": self.kinds_of_acts,
            "persons": self.persons,
            "strata": {trait: self.by(trait) for trait in STRATA},
            "transitions": {
                of: {"baseline": rows, "other": columns, "people": table.tolist()}
                for of, (rows, columns, table) in tables.items()
            },
        }


#: What a person is worse off by; perks are counted apart, because the columns do not remember them.
HARMS = {
    "sanctioned": "sanctioned at some time",
    "wrongly": "wrongly sanctioned at some time",
    "services": "services that ever refused the person",
    "strain": "money troubles on the last day, in sixteen levels",
}


def _harms(columns: Columns) -> dict[str, NDArray[Any]]:
    return {
        "sanctioned": columns.history > 0,
        "wrongly": columns.history > 1,
        "services": np.bitwise_count(columns.refused),
        "strain": columns.strain // STRAIN_STEP,
    }


def _of_acts(title: str, names: Sequence[str]) -> Measure:
    return Measure(title, "acts", title, tuple(f"done/{name}" for name in names), "per 1,000 people and year")


# Several regimes ------------------------------------------------------------------------------------------


class Comparison:
    """The same people under several regimes; the first is the baseline.

    Parameters
    ----------
    twins : at least two, of the same world, seed and days
    everybody : Population

    Attributes
    ----------
    labels : list of str, as the regimes were asked for
    runs : list of Run
    pairs : list of Pair, one for each regime but the first
    folder : Path of the folder that holds the runs and the page; None if there is none
    page : Path of compare.html; None if none was written
    """

    def __init__(self, twins: Sequence[Twin], everybody: Population) -> None:
        for twin in twins[1:]:
            _check_same(twins[0].run, twin.run)
        self.twins, self.everybody = list(twins), everybody
        self.labels = [twin.label for twin in twins]
        self.runs = [twin.run for twin in twins]
        self.pairs = [Pair(twins[0], twin, everybody) for twin in twins[1:]]
        self.folder: Path | None = None
        self.page: Path | None = None

    def __repr__(self) -> str:
        manifest = self.runs[0].manifest
        asked = f"{manifest['world']['name']}, {manifest['days']} days, seed {manifest['seed']}"
        return f"<Comparison {' | '.join(self.labels)} in {asked}>"

    def pair(self, other: int | str = 1) -> Pair:
        """Return a regime beside the baseline.

        Parameters
        ----------
        other : its place (1: the second one named) or its label

        Raises
        ------
        CommandError : UH803 there is no such regime
        """
        at = self.labels.index(other) if isinstance(other, str) and other in self.labels[1:] else other
        if isinstance(at, bool) or not isinstance(at, int) or not 1 <= at < len(self.labels):
            known = ", ".join(f"{place} or {label!r}" for place, label in enumerate(self.labels) if place)
            raise CommandError.of("UH803", f"the other regime is {other!r:.60}; write {known}")
        return self.pairs[at - 1]

    def differences(self) -> pd.DataFrame:
        """Return what was counted, as a data frame with one row a measure and regime; needs pandas.

        Returns
        -------
        columns: regime; id, section, title; baseline, other, difference (whole numbers of the whole run), low,
        high (95% interval of the difference); per, baseline_rate, other_rate, rate_difference, rate_low,
        rate_high (in the unit that `per` names); is_clear (the interval lies on one side of 0); is_rough (too few
        cases for a good interval); harm (1: more is worse, -1: more is better, 0: neither).  A wait has rates only.
        """
        return _frame([{"regime": pair.other.label, **row} for pair in self.pairs for row in pair.differences])

    def acts(self) -> pd.DataFrame:
        """Return acts done under each regime and their differences, as a data frame; needs pandas."""
        return _frame([{"regime": pair.other.label, **row} for pair in self.pairs for row in pair.acts])

    def by(self, *traits: str) -> pd.DataFrame:
        """Return who is worse and better off by levels of traits, as a data frame; see :meth:`Pair.by`."""
        return _frame([{"regime": pair.other.label, **row} for pair in self.pairs for row in pair.by(*traits)])

    def transitions(self, of: str = "standing", other: int | str = 1) -> pd.DataFrame:
        """Return people by where they were in the baseline (rows) and in the other regime (columns).

        Parameters
        ----------
        of : `standing`, `history`, `tier` or `services`; see :meth:`Pair.transitions`
        other : which regime, by place or label
        """
        rows, columns, table = self.pair(other).transitions(of)
        frame = _frame(table.tolist())
        frame.columns, frame.index = columns, rows
        return frame.rename_axis(index=self.labels[0], columns=self.pair(other).other.label)

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON; whole numbers stay whole, None is "not measurable"."""
        from underheaven.study.twin_findings import twin_findings

        manifest = self.runs[0].manifest
        return {
            "format": FORMAT,
            "baseline": self.labels[0],
            "regimes": [
                {"label": twin.label, "hash": twin.run.manifest["regime"]["hash"],
                 "result_hash": twin.run.manifest["result_hash"]}
                for twin in self.twins
            ],
            **{key: manifest[key] for key in ("world", "seed", "days", "people")},
            "groups": len(self.everybody.people),
            "interval": "95%, paired, over groups of community blocks; another population of the same world",
            "comparisons": [{**pair.as_dict(), "findings": twin_findings(pair)} for pair in self.pairs],
        }  # fmt: skip

    def write(self, path: str | Path) -> Path:
        """Write everything as JSON to a file."""
        text = json.dumps(self.as_dict(), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
        place = Path(path)
        place.write_text(text, encoding="utf-8")
        return place


def _frame(rows: Sequence[Any]) -> pd.DataFrame:
    try:
        import pandas as pd
    except ImportError:
        raise ImportError("data frames need pandas, which is not installed: pip install pandas") from None
    frame = pd.DataFrame(rows)
    counted = [name for name in ("baseline", "other", "difference") if name in frame]
    return frame.astype(
        dict.fromkeys(counted, "Int64")
    )  # a wait has no whole number: missing, and the rest stays whole


def _check_same(one: Run, other: Run) -> None:
    """Refuse runs that are not of the same people."""
    keys: Mapping[str, Callable[[Any], Any]] = {
        "world": lambda manifest: manifest["world"]["hash"],
        "seed": lambda manifest: manifest["seed"],
        "people": lambda manifest: manifest["people"],
        "days": lambda manifest: manifest["days"],
    }
    for key, of in keys.items():
        if of(one.manifest) != of(other.manifest):
            text = f"the runs have another {key}, so they are not of the same lives; run both with the same one"
            raise CommandError.of("UH803", text)
