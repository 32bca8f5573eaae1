"""What people think of being scored and what they know of it, added up between windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from underheaven.life.opinion import LOOKED_AT, N_SUMS, STANDINGS, look_at_opinions
from underheaven.life.state import State
from underheaven.life.tables import N_LEVELS, new_scratch
from underheaven.study.observe import Ranges

#: The columns of the table, in the order of the sums.
SUMS = ("people", "approval", "approving", "approving_if_told", "aware", "repression_known")
_SHAPE = (len(LOOKED_AT), N_LEVELS, len(STANDINGS), N_SUMS)


class Opinions:
    """Approval and knowledge by trait, level and standing: at the start, every fourth window and the end.

    Parameters
    ----------
    people : WorldTables
    seed : int
    opinions : OPINION[1] of each regime of the run; None where it does not say who knows of it
    ranges_under : gives, for a day, (regime, first citizen, end) of all citizens
    levels : names of the levels of each trait
    window_days, last_day : int

    Notes
    -----
    It draws nothing that moves a life: the temper of a citizen is a trait like any other.
    """

    name = "opinion"

    def __init__(
        self,
        people: Any,
        seed: int,
        opinions: Sequence[NDArray[np.void] | None],
        ranges_under: Ranges,
        levels: dict[str, list[str]],
        window_days: int,
        last_day: int,
    ) -> None:
        self._people, self._seed, self._opinions, self._levels = people, seed, opinions, levels
        self._ranges_under = ranges_under
        self._days = {*range(0, last_day, 4 * window_days), last_day}
        self._scratch = new_scratch(int(np.diff(people.block_first).max(initial=1)), 0, 1)
        self._seen: list[NDArray[np.int64]] = []  # a row a look, the day first
        #: Packed traits of all citizens, if the run keeps them; without, they are drawn again.
        self.kept_traits: NDArray[np.uint32] = np.zeros(0, np.uint32)

    def observe(self, day: int, state: State) -> None:
        """Ask everybody, so to speak."""
        if day not in self._days:
            return
        sums = np.zeros(_SHAPE, np.int64)
        for regime, first, end in self._ranges_under(day):
            opinion = self._opinions[regime]
            if opinion is not None:
                # No block crosses a county, and a range is of whole counties.
                block_from, block_to = np.searchsorted(self._people.block_first, (first, end)).tolist()
                look_at_opinions(  # type: ignore[no-untyped-call]
                    self._people, self._seed, opinion, state.flags, state.refused, self.kept_traits, self._scratch,
                    block_from, block_to, sums,
                )  # fmt: skip
        self._seen.append(np.concatenate([[day], sums.ravel()]))

    def table(self) -> pa.Table:
        """Return day, trait, level and standing with `SUMS`; rows without people are left out.

        `approval` is the sum of 0 .. 255 over the people, `approving_if_told` who would approve if all were told
        what the system represses.
        """
        columns: dict[str, list[Any]] = {key: [] for key in ("day", "trait", "level", "standing", *SUMS)}
        for row in self._seen:
            sums = row[1:].reshape(_SHAPE)
            for trait, level, standing in np.argwhere(sums[..., 0]).tolist():
                name = LOOKED_AT[trait]
                values = (int(row[0]), name, self._levels[name][level], STANDINGS[standing])
                for key, value in zip(columns, (*values, *sums[trait, level, standing].tolist()), strict=True):
                    columns[key].append(value)
        types = (pa.int32(), pa.string(), pa.string(), pa.string(), *[pa.int64()] * N_SUMS)
        return pa.table({k: pa.array(v, t) for (k, v), t in zip(columns.items(), types, strict=True)})

    def save(self) -> dict[str, NDArray[Any]]:
        """Return the looks so far."""
        return {"seen": np.array(self._seen, np.int64)}

    def load(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take up the looks of a checkpoint."""
        self._seen = list(arrays["seen"])
