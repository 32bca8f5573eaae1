"""Live blocks on several threads: compiled code that holds no lock, called from a pool of threads."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from underheaven.engine.exchange import Census, Counts, empty_counts
from underheaven.life.block import run_blocks
from underheaven.life.census import count_people
from underheaven.life.counters import N_COUNTERS, TALLY
from underheaven.life.state import State
from underheaven.life.tables import EXCHANGE, N_NAMES, N_STRATA, Int64, Scratch, new_scratch, record
from underheaven.rng import ONE

T = TypeVar("T")


def share_out(n_blocks: int, blocks_per_task: int, task: Callable[[T, int, int], None], own: Sequence[T]) -> None:
    """Call ``task(one, block_from, block_to)`` over all blocks, on as many threads as there are `own` things.

    No two calls hold the same one of `own` at a time.
    """
    ranges = [(b, min(n_blocks, b + blocks_per_task)) for b in range(0, n_blocks, blocks_per_task)]
    free: queue.SimpleQueue[T] = queue.SimpleQueue()
    for one in own:
        free.put(one)

    def work(span: tuple[int, int]) -> None:
        one = free.get()
        try:
            task(one, *span)
        finally:
            free.put(one)

    if len(own) == 1:
        for span in ranges:
            work(span)
    else:
        with ThreadPoolExecutor(len(own)) as pool:
            list(pool.map(work, ranges))


#: Counts are also kept by groups of community blocks: independent parts of a run, for standard errors.
MOST_GROUPS = 500


def blocks_per_group(n_blocks: int) -> int:
    """Return how many blocks on end are a group, such that there are at most `MOST_GROUPS`."""
    return max(1, -(-n_blocks // MOST_GROUPS))


def n_groups(n_blocks: int) -> int:
    """Return how many groups there are."""
    return -(-n_blocks // blocks_per_group(n_blocks))


class _Own(NamedTuple):
    """What a thread has to itself."""

    counts: Counts
    groups: Int64  # [group, counter] of the whole run
    tally: NDArray[np.void]
    scratch: Scratch


class Workers:
    """The threads of a run, each with counts and working memory of its own.

    Parameters
    ----------
    people : WorldTables
    phases : RULES[regime]
    n_counties : int
    threads : int
    blocks_per_task : int or None: so that every thread is busy to the end; any value gives the same results
    """

    def __init__(
        self, people: Any, phases: NDArray[np.void], n_counties: int, threads: int, blocks_per_task: int | None
    ) -> None:
        self.people, self.phases, self.n_counties = people, phases, n_counties
        self.n_blocks = len(people.block_county)
        self.blocks_per_task = blocks_per_task or max(1, min(512, -(-self.n_blocks // (threads * 8))))
        largest = int(np.diff(people.block_first).max(initial=1))
        n_ties, window_days = int(phases[0]["n_ties"]), int(phases[0]["window_days"])
        self._own = [
            _Own(
                empty_counts(n_counties),
                np.zeros((n_groups(self.n_blocks), N_COUNTERS), np.int64),
                record(TALLY),
                new_scratch(largest, n_ties, window_days),
            )
            for _ in range(threads)
        ]

    def compile(self, state: State, kept_traits: NDArray[np.uint32]) -> None:
        """Compile the loop, or load it as compiled before, by living no block for no day."""
        own, exchange = self._own[0], np.zeros(self.n_counties, EXCHANGE)
        run_blocks(
            self.people, self.phases, exchange, state, own.tally, own.counts.county, own.groups,
            own.counts.hits, own.counts.hit_acts, kept_traits, own.scratch, 0, 0, 1, 0, 0, 0, 0,
        )  # fmt: skip

    def live(
        self,
        exchange: NDArray[np.void],
        state: State,
        kept_traits: NDArray[np.uint32],
        seed: int,
        day_from: int,
        day_to: int,
    ) -> Counts:
        """Live one window in all blocks and return its counts (arrays that the next call overwrites)."""
        for own in self._own:
            own.tally["stratum"] = 0
            own.tally["firm"] = 0
            for array in own.counts:
                array.fill(0)

        def task(own: _Own, block_from: int, block_to: int) -> None:
            run_blocks(
                self.people, self.phases, exchange, state, own.tally, own.counts.county, own.groups,
                own.counts.hits, own.counts.hit_acts, kept_traits, own.scratch,
                seed, 0, blocks_per_group(self.n_blocks), block_from, block_to, day_from, day_to,
            )  # fmt: skip

        share_out(self.n_blocks, self.blocks_per_task, task, self._own)
        total = self._own[0].counts
        for own in self._own:
            total.stratum[:] += own.tally["stratum"][0]
            total.firm[:] += own.tally["firm"][0]
            if own.counts is not total:
                for into, array in zip(total, own.counts, strict=True):
                    into += array
        return total

    def take_groups(self) -> Int64:
        """Return the counts by group, int64[group, counter], that have come together since the last call."""
        total: Int64 = np.sum([own.groups for own in self._own], axis=0)
        for own in self._own:
            own.groups.fill(0)
        return total

    def count(self, seed: int, kept_traits: NDArray[np.uint32], galleries: Int64) -> Census:
        """Count heads by county and stratum; fill `kept_traits` on the way unless it has length 0.

        Parameters
        ----------
        seed : int
        kept_traits : uint32[citizen] or [0]
        galleries : int64[county], handed on
        """
        n_counties = self.n_counties
        heads = [
            (own.scratch, np.zeros((n_counties, N_STRATA), np.int64), np.zeros((n_counties, N_NAMES), np.int64))
            for own in self._own
        ]

        def task(mine: tuple[Scratch, Int64, Int64], block_from: int, block_to: int) -> None:
            scratch, strata, names = mine
            count_people(self.people, seed, kept_traits, scratch, strata, names, block_from, block_to)

        share_out(self.n_blocks, self.blocks_per_task, task, heads)
        strata = np.sum([strata for _, strata, _ in heads], axis=0)
        names = np.sum([names for _, _, names in heads], axis=0)
        urban_share = ONE - 1 - self.people.urban_cum[:, 0].astype(np.int64)
        before = self.people.block_first * int(self.phases["firms"].max()) // 1_000_000
        firms = np.zeros(n_counties, np.int64)
        np.add.at(firms, self.people.block_county, np.diff(before))
        return Census(strata.sum(axis=1), galleries, strata, names, urban_share, firms)
