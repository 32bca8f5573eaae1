"""Run a regime over a world: windows of days, an exchange between them, and what is stored."""

from __future__ import annotations

import hashlib
import itertools
import os
import platform
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from underheaven import errors
from underheaven.compiled import was_compiled_before
from underheaven.engine.exchange import (
    Census,
    Counts,
    Memory,
    Phases,
    first_memory,
    look_at_people,
    next_exchange,
    shared_models,
)
from underheaven.engine.threads import Workers
from underheaven.institutions.demands import Made, demands_table, first_made
from underheaven.institutions.sight import Sight
from underheaven.life.counters import DAYS, FIRM_COUNTERS, N_COUNTERS, N_FIRM_COUNTERS, counter_names
from underheaven.life.state import (
    COLUMNS,
    FIRM_COLUMNS,
    State,
    broken_invariants,
    bytes_per_citizen,
    new_state,
    rows_of,
)
from underheaven.life.tables import EXCHANGE, N_FIRM_CLASSES, N_SIZES, N_STRATA
from underheaven.regime.rollout import Rollout, Rules, compile_rules
from underheaven.regime.sections.awareness import opinion_table
from underheaven.regime.tables import Compiled
from underheaven.store import Run, RunWriter, open_run
from underheaven.study.observe import KeyedSample, Observer, ScoreHistogram
from underheaven.study.opinions import Opinions
from underheaven.world.people import build_tables
from underheaven.world.places import Places, build_places
from underheaven.world.schema import World

#: Raised whenever the same input gives another result; never silently (CHANGELOG says which and why).
RESULTS_VERSION = 3

#: Packed traits are kept in memory (4 bytes a citizen) up to this many people; beyond, they are drawn again.
KEEP_TRAITS_UP_TO = 100_000_000

Progress = Callable[[int, int, int, float, str], None]


@dataclass(frozen=True)
class Start:
    """Where a future begins: the state of a day that a run has kept."""

    run: Run
    day: int


class Stop(Protocol):
    """Something that can ask a run to stop, such as `threading.Event`."""

    def is_set(self) -> bool:
        """Tell whether the run is to stop at the next exchange."""


@dataclass
class _Book:
    """What a run has added up so far; all of it goes into a checkpoint."""

    stratum: NDArray[np.int64]  # [stratum, counter]
    group: NDArray[np.int64]  # [group, counter]
    firm: NDArray[np.int64]  # [class of firms, counter from FIRMS on]
    memory: Memory  # of the institutions
    last: Counts | None = None
    last_days: int = 0
    county: list[NDArray[np.int64]] = field(default_factory=list)  # rows: window day, days, county, counter, amount
    exchanges: list[tuple[int, str, NDArray[np.int64]]] = field(default_factory=list)
    latest: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    def add(self, day: int, days: int, counts: Counts) -> None:
        """Add the counts of a window."""
        self.stratum += counts.stratum
        self.firm += counts.firm
        at = np.argwhere(counts.county)
        rows = np.empty((len(at), 5), np.int64)
        rows[:, 0], rows[:, 1] = day, days
        rows[:, 2:4] = at
        rows[:, 4] = counts.county[at[:, 0], at[:, 1]]
        self.county.append(rows)
        self.last = Counts(*(array.copy() for array in counts))
        self.last_days = days

    def note(self, day: int, exchange: NDArray[np.void]) -> None:
        """Keep those tables of an exchange that differ from the window before; one row where all are equal."""
        for name in EXCHANGE.names or ():
            array = exchange[name]
            array = array[:1] if (array == array[:1]).all() else array
            if name not in self.latest or not np.array_equal(self.latest[name], array):
                self.latest[name] = array.copy()
                self.exchanges.append((day, name, self.latest[name]))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as arrays for a checkpoint."""
        saved: dict[str, NDArray[Any]] = {
            "book.stratum": self.stratum,
            "book.group": self.group,
            "book.firm": self.firm,
        }
        saved |= {f"book.memory.{name}": array for name, array in self.memory.items()}
        saved["book.county"] = np.concatenate(self.county) if self.county else np.empty((0, 5), np.int64)
        if self.last is not None:
            saved |= {f"book.last.{n}": a for n, a in zip(Counts._fields, self.last, strict=True)}
        for i, (day, name, array) in enumerate(self.exchanges):
            saved[f"book.exchange.{i}.{day}.{name}"] = array
        return saved

    @classmethod
    def taken_up(cls, arrays: dict[str, NDArray[Any]], last_days: int) -> _Book:
        """Make a book from what :meth:`arrays` returned."""
        stratum, group, firm = (np.array(arrays[f"book.{name}"]) for name in ("stratum", "group", "firm"))
        prefix = "book.memory."
        memory = {key.removeprefix(prefix): np.array(a) for key, a in arrays.items() if key.startswith(prefix)}
        book = cls(stratum, group, firm, memory, last_days=last_days)
        book.county = [np.array(arrays["book.county"])]
        if "book.last.county" in arrays:
            book.last = Counts(*(np.array(arrays[f"book.last.{name}"]) for name in Counts._fields))
        noted = [(key.split("."), array) for key, array in arrays.items() if key.startswith("book.exchange.")]
        for (_, _, _, day, name), array in sorted(noted, key=lambda item: int(item[0][2])):
            book.exchanges.append((int(day), name, np.array(array)))
            book.latest[name] = book.exchanges[-1][2]
        return book


def result_hash(state: State) -> str:
    """Return the SHA-256 over all columns of state in citizen order: the identity of a run's outcome.

    Columns that the regime does not need do not enter, so a new kind of column moves no hash.
    """
    digest = hashlib.sha256()
    for column in COLUMNS:
        array: NDArray[Any] = getattr(state, column.name)
        if not array.size:
            continue
        digest.update(f"{column.name}:{column.dtype}:{array.shape};".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def block_digest(state: State, first: int, end: int, first_firm: int, end_firm: int) -> str:
    """Return 16 hexadecimal digits that stand for all columns of a block: its rows of citizens and of firms."""
    digest = hashlib.sha256()
    for name, array in state._asdict().items():
        part = array[first_firm:end_firm] if name in FIRM_COLUMNS else array[..., first:end]
        if part.size:
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()[:16]


def simulate(
    regime: Rules,
    world: World,
    *,
    days: int = 365,
    seed: int = 1,
    threads: int | None = None,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    observers: Sequence[Observer] = (),
    progress: Progress | None = None,
    stop: Stop | None = None,
    checkpoint_seconds: float = 60.0,
    blocks_per_task: int | None = None,
    asked: Mapping[str, Any] | None = None,
    keep: Sequence[int] = (),
    start: Start | None = None,
) -> Run:
    """Live `days` days of every citizen of a world under a regime and store what was counted.

    Parameters
    ----------
    regime : a regime or a roll-out, loaded from its file
    world : loaded from its file
    days : int, 1 .. 36,500
    seed : int, 0 .. 2**63 - 1
    threads : int or None, as many as there are cores; any number gives the same bits
    out : folder of the run; None: a new temporary folder
    resume : go on from the checkpoint of an interrupted run of the same regime, world, seed and days
    overwrite : replace a run that is there
    observers : further observers; the score histogram and the keyed sample are always there
    progress : called after each window with (day, days, citizen-days done, seconds, note)
    stop : when set, the run stores a checkpoint at the next exchange and raises `errors.Interrupted`
    checkpoint_seconds : time between checkpoints
    blocks_per_task : community blocks a thread takes at once; any number gives the same bits
    asked : how the files were named and what was laid over them, for the manifest; it moves nothing
    keep : days whose state (of the first exchange on or after each) is kept with the run
    start : begin with a state that another run has kept; `regime` must be a roll-out that begins as that run did

    Returns
    -------
    Run : the stored run

    Raises
    ------
    errors.FileFormError : regime and world do not fit together (an act that the world does not have, ...)
    errors.StoreError : the folder cannot be used
    errors.Interrupted : `stop` was set
    """
    started = time.perf_counter()
    _check_arguments(days, seed, threads, keep)
    life = _Life(regime, world, days, seed, threads or os.cpu_count() or 1, observers, blocks_per_task)
    folder = Path(out) if out is not None else Path(tempfile.mkdtemp(prefix="underheaven-")) / "run"
    with RunWriter(folder, overwrite=overwrite, resume=resume) as writer:
        identity = life.identity()
        kept_days = {-(-day // life.window_days) * life.window_days for day in keep}
        if kept_days and max(kept_days) > days:
            last = days // life.window_days * life.window_days
            raise errors.CommandError.out_of_range("keep", max(keep), f"1 to {last}, the last exchange of the run")
        if resume:
            life.take_up(*writer.load_checkpoint(), identity)
        elif start is not None:
            life.begin_from(start)
        if progress is not None:
            note = "" if was_compiled_before() else "compiling the life loop (once, about half a minute)"
            progress(life.day, days, 0, 0.0, note)
        life.prepare()
        first_day, lived_from, saved_at = life.day, time.perf_counter(), time.perf_counter()
        while life.day < days:
            life.live_window()
            elapsed = time.perf_counter() - lived_from
            if life.day in kept_days:
                writer.keep_state(life.day, life.arrays(), {**identity, "last_days": life.book.last_days})
            if progress is not None:
                progress(life.day, days, (life.day - first_day) * life.places.people, elapsed, "")
            if life.day < days and stop is not None and stop.is_set():
                writer.save_checkpoint(life.day, life.arrays(), {**identity, "last_days": life.book.last_days})
                raise errors.Interrupted(writer.partial, day=life.day, days=days)
            if life.day < days and time.perf_counter() - saved_at > checkpoint_seconds:
                writer.save_checkpoint(life.day, life.arrays(), {**identity, "last_days": life.book.last_days})
                saved_at = time.perf_counter()
        life_seconds = time.perf_counter() - lived_from
        wrong = life.broken_invariants()
        if wrong:
            raise errors.RunError.invariant(wrong)
        for name, table in life.tables().items():
            writer.add_table(name, table)
        writer.add_json("regime.json", regime.model_dump(mode="json"))
        writer.add_json("world.json", world.model_dump(mode="json"))
        lived = days - first_day
        timings = {
            "life_seconds": round(life_seconds, 3),
            "total_seconds": round(time.perf_counter() - started, 3),
            "citizen_days_per_second": round(life.places.people * lived / max(1e-9, life_seconds)),
        }
        writer.finish(life.manifest(timings) | {"asked": dict(asked or {})})
    return open_run(folder)


def _check_arguments(days: int, seed: int, threads: int | None, keep: Sequence[int]) -> None:
    for name, value in (("days", days), ("seed", seed), ("threads", threads)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise errors.CommandError.of("UH803", f"{name} is {value!r}; write a whole number, as 30")
    if not 1 <= days <= 36_500:
        raise errors.CommandError.out_of_range("days", days, "1 to 36500")
    if not 0 <= seed < 1 << 63:
        raise errors.CommandError.out_of_range("seed", seed, "0 to 2**63 - 1")
    for day in keep:
        if isinstance(day, bool) or not isinstance(day, int) or not 1 <= day <= days:
            raise errors.CommandError.out_of_range("keep", day, f"1 to {days}")
    if threads is not None and not 1 <= threads <= 1024:
        raise errors.CommandError.out_of_range("threads", threads, "1 to 1024")


class _Life:
    """A run in memory: tables, columns, book."""

    def __init__(
        self,
        regime: Rules,
        world: World,
        days: int,
        seed: int,
        threads: int,
        observers: Sequence[Observer],
        blocks_per_task: int | None,
    ) -> None:
        self.regime, self.world, self.days, self.seed, self.threads = regime, world, days, seed, threads
        self.places: Places = build_places(world)
        self.people = build_tables(world, self.places)
        self.compiled: Compiled = compile_rules(regime, world)
        rules = self.compiled.rules
        self.n_counties = len(self.places.sizes)
        institutions = self.compiled.institutions
        models = shared_models(institutions, rules)
        self.phases = Phases(institutions, self.compiled.switches, self.n_counties, models)
        self.workers = Workers(self.people, rules, self.n_counties, threads, blocks_per_task)
        self.state = new_state(rules, self.places.people)
        self.book = _Book(
            np.zeros((N_STRATA, N_COUNTERS), np.int64),
            self.workers.take_groups(),
            np.zeros((N_FIRM_CLASSES, N_FIRM_COUNTERS), np.int64),
            first_memory(self.phases),
        )
        self.window_days = int(rules[0]["window_days"])
        county_first = np.concatenate([[0], np.cumsum(self.places.sizes)]).astype(np.int64)
        self.observers: list[Observer] = [
            ScoreHistogram(rules, self.ranges_under, self.compiled.ledgers, self.window_days, days),
            KeyedSample(seed, county_first, days),
            *observers,
        ]
        regimes = regime.regimes if isinstance(regime, Rollout) else (regime,)
        opinions = [opinion_table(one, world) for one in regimes]
        self.opinions: Opinions | None = None
        if any(opinion is not None for opinion in opinions):
            levels = self.compiled.levels
            self.opinions = Opinions(
                self.people, seed, opinions, self.ranges_under, levels, self.window_days, days
            )  # fmt: skip
            self.observers.append(self.opinions)
        self.day = 0
        self.began: Start | None = None
        self.census: Census
        self.started = datetime.now(UTC)

    def identity(self) -> dict[str, Any]:
        """Return what must be equal for a checkpoint to be continued."""
        return {
            "results_version": RESULTS_VERSION,
            "regime": self.compiled.regime_hash,
            "world": self.compiled.world_hash,
            "people": self.places.people,
            "seed": self.seed,
            "days": self.days,
            "observers": [observer.name for observer in self.observers],
        }

    def prepare(self) -> None:
        """Compile the loop, count heads and let observers see the start."""
        people = self.places.people
        self.kept_traits = np.zeros(people if people <= KEEP_TRAITS_UP_TO else 0, np.uint32)
        if self.opinions is not None:
            self.opinions.kept_traits = self.kept_traits
        self.workers.compile(self.state, self.kept_traits)
        self.census = self.workers.count(self.seed, self.kept_traits, self.places.full_sizes)
        if self.day == 0:
            self._observe()

    def live_window(self) -> None:
        """Exchange, live one window, add up."""
        day_to = min(self.days, self.day + self.window_days)
        if self.phases.look_at_people:
            sight = Sight.of(self.day, self.seed, self.people, self._views())
            self.book.memory = look_at_people(
                self.phases, self.compiled.rules, sight, self.book.last_days, self.book.memory
            )
        exchange, self.book.memory = next_exchange(
            self.phases, self.census, self.day, self.book.last, self.book.last_days, self.book.memory
        )
        self.book.note(self.day, exchange)
        counts = self.workers.live(exchange, self.state, self.kept_traits, self.seed, self.day, day_to)
        # Everybody lives every day, so days need no counting in the loop.
        counts.county[:, DAYS] = self.census.people * (day_to - self.day)
        counts.stratum[:, DAYS] = self.census.strata.sum(axis=0) * (day_to - self.day)
        self.book.add(self.day, day_to - self.day, counts)
        self.book.group += self.workers.take_groups()
        self.day = day_to
        self._observe()

    def ranges_under(self, day: int) -> list[tuple[int, int, int]]:
        """Return (regime, first citizen, end) of all citizens, as the day before `day` found them."""
        return ranges_under(self.compiled, self.places, self.window_days, day)

    @cached_property
    def demands(self) -> list[Made]:
        """The demands on foreign firms, and when each is made."""
        exchanges = range(0, self.days, self.window_days)
        in_force = ((day, set(self.phases.in_force(day).tolist())) for day in exchanges)
        return first_made([found.demands for found in self.compiled.institutions], in_force)

    def broken_invariants(self) -> list[str]:
        """Say which invariants of the columns do not hold."""
        found: list[str] = []
        for regime, first, end in self.ranges_under(self.day):
            part = rows_of(self.state, first, end, self.compiled.firms_per_million)
            found += broken_invariants(part, self.compiled.rules[regime])
        return list(dict.fromkeys(found))

    def _views(self) -> State:
        """Return the columns as arrays that refuse to be written."""
        columns: dict[str, NDArray[Any]] = self.state._asdict()
        views = State(**{name: array.view() for name, array in columns.items()})
        for view in views:
            view.flags.writeable = False
        return views

    def _observe(self) -> None:
        views = self._views()
        for observer in self.observers:
            observer.observe(self.day, views)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that a checkpoint must hold."""
        saved: dict[str, NDArray[Any]] = {f"state.{name}": array for name, array in self.state._asdict().items()}
        saved |= self.book.arrays()
        for observer in self.observers:
            saved |= {f"observer.{observer.name}.{key}": array for key, array in observer.save().items()}
        return saved

    def take_up(
        self, day: int, arrays: dict[str, NDArray[Any]], meta: dict[str, Any], identity: dict[str, Any]
    ) -> None:
        """Go on from a checkpoint of the same run; any other is refused."""
        for key, value in identity.items():
            if meta.get(key) != value:
                raise errors.StoreError.other_run(key, meta.get(key), value)
        self.state = State(*(np.array(arrays[f"state.{name}"]) for name in State._fields))
        self.book = _Book.taken_up(arrays, int(meta["last_days"]))
        for observer in self.observers:
            prefix = f"observer.{observer.name}."
            observer.load({k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)})
        self.day = day

    def begin_from(self, start: Start) -> None:
        """Begin with the kept state of a run whose people and days so far are those of this one.

        Raises
        ------
        errors.StoreError : it is a run of other people, or of a version with other results
        """
        arrays, meta = start.run.state(start.day)
        identity = self.identity()
        for key in ("results_version", "world", "people", "seed"):
            if meta.get(key) != identity[key]:
                raise errors.StoreError.other_run(key, meta.get(key), identity[key])
        for name, column in self.state._asdict().items():  # this run may have more columns, and more rows of them
            kept = arrays[f"state.{name}"]
            if kept.size:
                (column if column.ndim == 1 else column[: len(kept)])[:] = kept
        first = first_memory(self.phases)
        self.book = _Book.taken_up(arrays, int(meta["last_days"]))
        for name, array in list(self.book.memory.items()):
            if "@" not in name and len(array) != self.n_counties and len(self.phases.institutions) > 1:
                # What a run of one regime remembers is that of the first regime here.
                self.book.memory[f"{name}@0"], self.book.memory[name] = array, first.get(name, array)
        self.book.memory = first | self.book.memory
        for observer in self.observers:
            prefix = f"observer.{observer.name}."
            found = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
            if found:
                observer.load(found)
        self.day, self.began = start.day, start

    def tables(self) -> dict[str, pa.Table]:
        """Return the tables of the run folder."""
        names = counter_names(self.compiled.acts, self.compiled.services, self.compiled.tiers, self.compiled.lists)
        counties = self.places.names
        found = {
            "counts_county": _county_table(self.book.county, names, counties),
            "counts_stratum": _stratum_table(self.book.stratum, names, self.compiled.levels),
            "counts_group": _group_table(self.book.group, names),
            "blocks": _block_table(self.state, self.workers.people.block_first, self.compiled.firms_per_million),
            "people": _people_table(self.census, counties, self.compiled.levels),
            "exchange/tables": _exchange_table(self.book.exchanges),
        }
        if self.compiled.firms is not None:
            found["firms"] = _firm_table(self.book.firm, self.compiled.firms)
        if self.demands:
            found["demands"] = demands_table(self.demands, self.seed, self.days)
        return found | {observer.name: observer.table() for observer in self.observers}

    def manifest(self, timings: dict[str, Any]) -> dict[str, Any]:
        """Return the manifest but for the list of parts, which the writer adds."""
        regime, world, compiled = self.regime, self.world, self.compiled
        return {
            "results_version": RESULTS_VERSION,
            "regime": {
                "name": regime.regime,
                "title": regime.title,
                "kind": regime.kind,
                "hash": compiled.regime_hash,
            },
            "world": {"name": world.world, "title": world.title, "hash": compiled.world_hash},
            "seed": self.seed,
            "people": self.places.people,
            "days": self.days,
            "exchange_days": self.window_days,
            "threads": self.threads,
            "tiers": compiled.tiers,
            "lists": compiled.lists,
            "ledgers": compiled.ledgers,
            "demands": [{"name": d.demand.name, "made_on_day": d.day, "regime": d.regime} for d in self.demands],
            "acts": compiled.act_rows,
            "services": compiled.service_rows,
            "levels": compiled.levels,
            "firms": compiled.firms,
            "counties": [
                {"name": name, "province": self.places.provinces[province], "people": int(size), "tile": list(tile)}
                for name, province, size, tile in zip(
                    self.places.names,
                    self.places.province_of.tolist(),
                    self.places.sizes.tolist(),
                    self.places.county_tiles,
                    strict=True,
                )
            ],
            "columns": [
                {"name": c.name, "dtype": c.dtype, "unit": c.unit, "meaning": c.meaning}
                for c in COLUMNS
                if getattr(self.state, c.name).size
            ],
            "branch": None if self.began is None else _branch_of(self.began),
            "bytes_per_citizen": bytes_per_citizen(compiled.rules),
            "result_hash": result_hash(self.state),
            "timings": timings,
            "versions": {
                "python": platform.python_version(),
                **{name: __import__(name).__version__ for name in ("numpy", "numba", "pyarrow")},
            },
            "started_utc": self.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def ranges_under(compiled: Compiled, places: Places, window_days: int, day: int) -> list[tuple[int, int, int]]:
    """Return (regime, first citizen, end) of each run of counties under one regime, as the day before `day` found them.

    Of day 0 it is what the first window finds.
    """
    phases = Phases(compiled.institutions, compiled.switches, len(places.sizes))
    in_force = phases.in_force(max(0, day - 1) // window_days * window_days).tolist()
    ends = np.cumsum(places.sizes).tolist()
    found: list[tuple[int, int, int]] = []
    for regime, end, size in zip(in_force, ends, places.sizes.tolist(), strict=True):
        first = end - size
        if found and found[-1][0] == regime:
            first = found.pop()[1]
        found.append((regime, first, end))
    return found


def _branch_of(start: Start) -> dict[str, Any]:
    """Return for the manifest what a future began with."""
    return {"run": start.run.folder.name, "day": start.day, "result_hash": start.run.manifest["result_hash"]}


def _county_table(county: list[NDArray[np.int64]], names: dict[int, str], counties: Sequence[str]) -> pa.Table:
    rows = np.concatenate(county) if county else np.empty((0, 5), np.int64)
    rows = rows[np.isin(rows[:, 3], list(names))]
    return pa.table(
        {
            "start_day": pa.array(rows[:, 0].astype(np.int32)),
            "days": pa.array(rows[:, 1].astype(np.int16)),
            "county": _labels(rows[:, 2], list(counties)),
            "counter": _counter_labels(rows[:, 3], names),
            "amount": pa.array(rows[:, 4]),
        }
    )


def _labels(codes: NDArray[Any], labels: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(list(labels), pa.string()))


def _counter_labels(codes: NDArray[Any], names: dict[int, str]) -> pa.Array:
    place = np.zeros(max(names) + 1, np.int32)
    place[list(names)] = np.arange(len(names))
    return _labels(place[codes], list(names.values()))


def _strata(at: NDArray[Any], levels: dict[str, list[str]]) -> dict[str, pa.Array]:
    """Split stratum numbers (group, sex, age, income tenth) into their columns."""
    return {
        "group": _labels(at // 100, levels["group"]),
        "sex": _labels(at // 50 % 2, levels["sex"]),
        "age": _labels(at // 10 % 5, levels["age"]),
        "income": pa.array((at % 10 + 1).astype(np.int8)),
    }


def _stratum_table(stratum: NDArray[np.int64], names: dict[int, str], levels: dict[str, list[str]]) -> pa.Table:
    at = np.argwhere(stratum)
    at = at[np.isin(at[:, 1], list(names))]
    return pa.table(
        {
            **_strata(at[:, 0], levels),
            "counter": _counter_labels(at[:, 1], names),
            "amount": pa.array(stratum[at[:, 0], at[:, 1]]),
        }
    )


def _group_table(group: NDArray[np.int64], names: dict[int, str]) -> pa.Table:
    """Return the counts of the whole run by group of community blocks."""
    at = np.argwhere(group)
    at = at[np.isin(at[:, 1], list(names))]
    return pa.table(
        {
            "group": pa.array(at[:, 0].astype(np.int32)),
            "counter": _counter_labels(at[:, 1], names),
            "amount": pa.array(group[at[:, 0], at[:, 1]]),
        }
    )


def _block_table(state: State, block_first: NDArray[np.int64], firms: int) -> pa.Table:
    """Return a digest of each community block's columns, against which a life that is lived again is held."""
    rows = zip(block_first.tolist(), (block_first * firms // 1_000_000).tolist(), strict=True)
    digests = [block_digest(state, a, b, firm_a, firm_b) for (a, firm_a), (b, firm_b) in itertools.pairwise(rows)]
    return pa.table({"digest": pa.array(digests, pa.string())})


def _firm_table(firm: NDArray[np.int64], levels: Mapping[str, Sequence[str]]) -> pa.Table:
    """Return the counts of the whole run by sector and size of firms."""
    at = np.argwhere(firm[:, : len(FIRM_COUNTERS)])
    return pa.table(
        {
            "sector": _labels(at[:, 0] // N_SIZES, levels["sectors"]),
            "size": _labels(at[:, 0] % N_SIZES, levels["sizes"]),
            "counter": _labels(at[:, 1], FIRM_COUNTERS),
            "amount": pa.array(firm[at[:, 0], at[:, 1]]),
        }
    )


def _people_table(census: Census, counties: Sequence[str], levels: dict[str, list[str]]) -> pa.Table:
    at = np.argwhere(census.strata)
    return pa.table(
        {
            "county": _labels(at[:, 0], list(counties)),
            **_strata(at[:, 1], levels),
            "people": pa.array(census.strata[at[:, 0], at[:, 1]]),
        }
    )


def _exchange_table(exchanges: list[tuple[int, str, NDArray[np.int64]]]) -> pa.Table:
    """Return what institutions handed over: from `day` on, table `name` is these bytes (int64, little-endian)."""
    return pa.table(
        {
            "day": pa.array([day for day, _, _ in exchanges], pa.int32()),
            "name": pa.array([name for _, name, _ in exchanges], pa.string()),
            "shape": pa.array([list(array.shape) for _, _, array in exchanges], pa.list_(pa.int32())),
            "data": pa.array([array.astype("<i8").tobytes() for _, _, array in exchanges], pa.large_binary()),
        }
    )
