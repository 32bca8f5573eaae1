"""How far one life reaches: a changed citizen changes nobody in her window, and only her block after it."""

from __future__ import annotations

import numpy as np
import pytest

from underheaven.engine.exchange import next_exchange
from underheaven.engine.run import _Life
from underheaven.life.state import FIRM_COLUMNS, State
from underheaven.regime.reader import load_regime
from underheaven.world.reader import load_world


@pytest.fixture(scope="module")
def life():
    """A town of 3,000 (three blocks) that has lived under scoring for 20 weeks."""
    life = _Life(load_regime("press-2018"), load_world("town", people=3_000), 365, 7, 1, (), None)
    life.prepare()
    while life.day < 140:
        life.live_window()
    return life


def live_on(life, state, windows):
    """Live some windows from a state, under the tables of the next exchange, and return the state."""
    exchange, _ = next_exchange(
        life.phases, life.census, life.day, life.book.last, life.book.last_days, life.book.memory
    )
    state = State(*(array.copy() for array in state))
    for window in range(windows):
        day = life.day + 7 * window
        life.workers.live(exchange, state, life.kept_traits, life.seed, day, day + 7)
    return state


def changed(one, other, firms=False):
    """Return the citizens, or the firms, of whom any column differs."""
    differs = np.zeros(len(one.firm_score if firms else one.strain), bool)
    for name, a, b in zip(State._fields, one, other, strict=True):
        if a.size and (name in FIRM_COLUMNS) == firms:
            differs |= (a != b).reshape(-1, a.shape[-1]).any(axis=0)
    return np.flatnonzero(differs)


def ruin(state, citizen):
    """Give a citizen a score of 0 and put her on the list."""
    state = State(*(array.copy() for array in state))
    state.score[0, citizen] = 0
    state.list_until[0, citizen] = 400
    return state


@pytest.mark.parametrize("citizen", range(0, 3_000, 60))
def test_one_more_ruined_life(life, citizen):
    """In her window she alone is changed; in four windows only people of her block are (D7)."""
    before = life.state
    ruined = ruin(before, citizen)
    pair = live_on(life, before, 1), live_on(life, ruined, 1)
    assert changed(*pair).tolist() == [citizen]
    assert len(changed(*pair, firms=True)) <= 1  # her own, if she represents one
    pair = live_on(life, before, 4), live_on(life, ruined, 4)
    reached = changed(*pair)
    block = np.searchsorted(life.people.block_first, citizen, side="right") - 1
    assert citizen in reached
    assert (reached >= life.people.block_first[block]).all()
    assert (reached < life.people.block_first[block + 1]).all()
    firm_first = life.people.block_first * life.compiled.firms_per_million // 1_000_000
    firms = changed(*pair, firms=True)
    assert (firms >= firm_first[block]).all() and (firms < firm_first[block + 1]).all()


def test_somebody_is_reached(life):
    """The test above can fail: hearsay does change friends."""
    reached = set()
    for citizen in range(0, 3_000, 60):
        found = changed(live_on(life, life.state, 4), live_on(life, ruin(life.state, citizen), 4))
        reached |= set(found.tolist()) - {citizen}
    assert reached
