"""What an institution that looks at people sees between windows; it only reads."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from underheaven.life.state import State


class Sight(NamedTuple):
    """The columns as a window ends, for institutions that need more than counts.

    Parameters
    ----------
    day : first day of the window to come
    seed : of the run
    rules : RULES record
    people : WorldTables
    state : State; its arrays refuse to be written
    counties : bool[county], those that are looked at
    """

    day: int
    seed: int
    rules: Any
    people: Any
    state: State
    counties: NDArray[np.bool_]

    @classmethod
    def of(cls, day: int, seed: int, people: Any, state: State) -> Sight:
        """Return what there is to see, in all counties and under no rules yet."""
        return cls(day, seed, None, people, state, np.ones(int(people.block_county.max()) + 1, bool))


def packed_traits(sight: Sight, citizens: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the packed traits of some citizens: those of their blocks, drawn again.

    Parameters
    ----------
    citizens : int64[n], rising
    """
    from underheaven.world.people import block_people

    first = sight.people.block_first
    size = int(np.diff(first).max())
    traits, heads = np.zeros(size, np.uint32), np.zeros(size, np.int32)
    words = np.zeros((4, size), np.uint32)
    blocks = block_of(sight, citizens)
    found = np.zeros(len(citizens), np.int64)
    for block in np.unique(blocks).tolist():
        block_people(sight.people, sight.seed, block, traits, heads, words)  # type: ignore[no-untyped-call]
        mine = blocks == block
        found[mine] = traits[citizens[mine] - first[block]]
    return found


def is_looked_at(sight: Sight, citizens: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell who lives in a county that is looked at."""
    found: NDArray[np.bool_] = sight.counties[sight.people.block_county[block_of(sight, citizens)]]
    return found


def block_of(sight: Sight, citizens: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the community block of each citizen."""
    found: NDArray[np.int64] = np.searchsorted(sight.people.block_first, citizens, side="right") - 1
    return found
