"""Observers: they read the columns between windows and add up whole numbers; nothing else.

An observer never draws and never writes state (it is handed arrays that refuse to be written), so a run is
the same with any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from underheaven import rng
from underheaven.compiled import compiled
from underheaven.life.state import (
    KNOWS,
    WAS_DENOUNCED,
    WAS_SANCTIONED,
    WAS_SANCTIONED_INNOCENT,
    WAS_WRONGLY_SANCTIONED,
    State,
)
from underheaven.life.tables import POINT

#: From a day to (regime, first citizen, end): under which regime of a roll-out whom the day before found.
Ranges = Callable[[int], list[tuple[int, int, int]]]


class Observer(Protocol):
    """What an observer must offer.  `name` is also the name of its table in the run folder."""

    name: str

    def observe(self, day: int, state: State) -> None:
        """Look at the state of the end of day `day` - 1 (day 0: the start)."""

    def table(self) -> pa.Table:
        """Return what was seen as a tidy table."""

    def save(self) -> dict[str, NDArray[Any]]:
        """Return what was seen so far as arrays, for a checkpoint."""

    def load(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take up what :meth:`save` returned."""


@compiled
def _histogram(score, low, width, bins):
    """Add each score to its bin; int16[citizen], int, int, int64[bin] changed in place."""
    for citizen in range(score.shape[0]):
        bins[(score[citizen] - low) // width] += 1


class ScoreHistogram:
    """How believed and true scores are spread, at the start, every fourth window and the end.

    Parameters
    ----------
    phases : RULES[regime]
    ranges_under : gives, for a day, (regime, first citizen, end) of all citizens
    ledgers : names of the ledgers
    window_days : int
    width : int, points a bin
    """

    name = "scores"

    def __init__(
        self, phases: Any, ranges_under: Ranges, ledgers: list[str], window_days: int, last_day: int, width: int = 25
    ) -> None:
        self._phases, self._ranges_under, self._ledgers = phases, ranges_under, ledgers
        self._days = {*range(0, last_day, 4 * window_days), last_day}
        scored = [rules for rules in phases if rules["n_ledgers"] > 0] or phases[:1]
        # A whole number of bins, so that looks of a run with another scale can be taken up.
        self._low = min(int(rules["floor"]) for rules in scored) // (width * POINT) * (width * POINT)
        cap = max(int(rules["cap"]) for rules in scored)
        self._width = width * POINT
        self._n_bins = (cap - self._low) // self._width + 1
        self._seen: list[NDArray[np.int64]] = []  # one [1 + 2 * ledger * bin] row a look, the day first

    def observe(self, day: int, state: State) -> None:
        """Count the scores of all citizens."""
        if day not in self._days or not self._ledgers:
            return
        bins = np.zeros((2, len(self._ledgers), self._n_bins), np.int64)
        for regime, first, end in self._ranges_under(day):
            for which, column in enumerate((state.score, state.true_score)):
                for ledger in range(int(self._phases[regime]["n_ledgers"])):
                    _histogram(column[ledger, first:end], self._low, self._width, bins[which, ledger])
        self._seen.append(np.concatenate([[day], bins.ravel()]))

    def table(self) -> pa.Table:
        """Return day, which, ledger, low, high (points) and people; empty bins are left out."""
        columns: dict[str, list[Any]] = {k: [] for k in ("day", "which", "ledger", "low", "high", "people")}
        for row in self._seen:
            bins = row[1:].reshape(2, len(self._ledgers), self._n_bins)
            for which, ledger, at in np.argwhere(bins).tolist():
                low = (self._low + at * self._width) // POINT
                values = (
                    int(row[0]),
                    ("score", "true_score")[which],
                    self._ledgers[ledger],
                    low,
                    low + self._width // POINT,
                    int(bins[which, ledger, at]),
                )
                for key, value in zip(columns, values, strict=True):
                    columns[key].append(value)
        types = (pa.int32(), pa.string(), pa.string(), pa.int16(), pa.int16(), pa.int64())
        return pa.table({k: pa.array(v, t) for (k, v), t in zip(columns.items(), types, strict=True)})

    def save(self) -> dict[str, NDArray[Any]]:
        """Return the looks so far, and how they are laid out."""
        layout = np.array([self._low // self._width, len(self._ledgers), self._n_bins], np.int64)
        return {"seen": np.array(self._seen, np.int64), "layout": layout}

    def load(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take up the looks of a checkpoint, or of a run whose scale lies within the present one."""
        first, ledgers, n_bins = arrays["layout"].tolist()
        shift = first - self._low // self._width
        self._seen = []
        for row in arrays["seen"]:
            if int(row[0]) in self._days and self._ledgers:
                bins = np.zeros((2, len(self._ledgers), self._n_bins), np.int64)
                bins[:, :ledgers, shift : shift + n_bins] = row[1:].reshape(2, ledgers, n_bins)
                self._seen.append(np.concatenate([row[:1], bins.ravel()]))


@compiled
def _smallest(flags, mask, bits, seed, first, keys, citizens):
    """Keep the citizens with these flags whose draws are smallest: a sample that does not depend on order."""
    worst = keys.shape[0] - 1
    for local in range(flags.shape[0]):
        if flags[local] & mask == bits:
            w0, w1, w2, w3 = rng.draw4(seed, rng.SAMPLE, first + local, 0, mask)
            key = (w0 << 30) | (w1 >> 2)
            if key < keys[worst]:
                at = worst
                while at > 0 and keys[at - 1] > key:
                    keys[at] = keys[at - 1]
                    citizens[at] = citizens[at - 1]
                    at -= 1
                keys[at] = key
                citizens[at] = first + local


class KeyedSample:
    """A few citizens of each category and county, so that a life can be found in a run of aggregates.

    Parameters
    ----------
    seed : int
    county_first : int64[county + 1], first citizen of each county
    last_day : int, the sample is taken then
    size : int, citizens a category and county
    """

    name = "sample"
    #: Which bits of the flags are looked at, and how they must stand.
    _CATEGORIES: ClassVar[dict[str, tuple[int, int]]] = {
        "sanctioned": (WAS_SANCTIONED, WAS_SANCTIONED),
        "wrongly-sanctioned": (WAS_WRONGLY_SANCTIONED, WAS_WRONGLY_SANCTIONED),
        "innocent-sanctioned": (WAS_SANCTIONED_INNOCENT, WAS_SANCTIONED_INNOCENT),
        "denounced": (WAS_DENOUNCED, WAS_DENOUNCED),
        "not-told": (WAS_SANCTIONED | KNOWS, WAS_SANCTIONED),
    }

    def __init__(self, seed: int, county_first: NDArray[np.int64], last_day: int, size: int = 20) -> None:
        self._seed, self._first, self._last_day, self._size = seed, county_first, last_day, size
        self._rows: list[tuple[str, int, int]] = []

    def observe(self, day: int, state: State) -> None:
        """Draw the sample on the last day."""
        if day != self._last_day or not state.flags.size:
            return
        for category, (mask, bits) in self._CATEGORIES.items():
            for county in range(len(self._first) - 1):
                start, end = int(self._first[county]), int(self._first[county + 1])
                keys = np.full(self._size, np.iinfo(np.int64).max)
                citizens = np.full(self._size, -1, np.int64)
                _smallest(state.flags[start:end], mask, bits, self._seed, start, keys, citizens)
                self._rows += [(category, county, int(n)) for n in citizens if n >= 0]

    def table(self) -> pa.Table:
        """Return category, county (number) and citizen."""
        category, county, citizen = zip(*self._rows, strict=True) if self._rows else ((), (), ())
        return pa.table(
            {
                "category": pa.array(category, pa.string()),
                "county": pa.array(county, pa.int32()),
                "citizen": pa.array(citizen, pa.int64()),
            }
        )

    def save(self) -> dict[str, NDArray[Any]]:
        """Nothing is kept before the last day."""
        return {}

    def load(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Nothing is kept before the last day."""
