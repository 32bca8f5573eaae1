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
    """

    day: int
    seed: int
    rules: Any
    people: Any
    state: State


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


def block_of(sight: Sight, citizens: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the community block of each citizen."""
    found: NDArray[np.int64] = np.searchsorted(sight.people.block_first, citizens, side="right") - 1
    return found
