"""What the tests of the engine share: short runs, and an observer that keeps whole columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from underheaven.engine.run import simulate
from underheaven.life.state import State
from underheaven.regime.reader import load_regime
from underheaven.world.reader import load_world


class Columns:
    """An observer that copies every column at the end of each window."""

    name = "columns"

    def __init__(self) -> None:
        self.by_day: dict[int, State] = {}

    def observe(self, day: int, state: State) -> None:
        self.by_day[day] = State(*(np.array(array) for array in state))

    def table(self) -> pa.Table:
        return pa.table({"day": list(self.by_day)})

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, arrays: dict[str, Any]) -> None:
        pass


class StopAfter:
    """Asks a run to stop at the n-th exchange."""

    def __init__(self, n: int) -> None:
        self.left = n

    def is_set(self) -> bool:
        self.left -= 1
        return self.left <= 0


def live(folder, regime="press-2018", world="city", people=20_000, overrides=(), **settings):
    """Run a catalogue regime on a small world."""
    settings = {"days": 28, "seed": 5, "threads": 1, "out": folder} | settings
    regime = load_regime(regime, overrides) if isinstance(regime, str) else regime
    return simulate(regime, load_world(world, people=people), **settings)


def made_up(folder, **parts):
    """Load a regime of these parts (plain data, as in a file); each number of theirs is assumed."""
    head = {"format": "underheaven-regime/1", "regime": "made-up", "title": "Made up", "kind": "hypothesis",
            "status": "provisional", "summary": "For a test."}  # fmt: skip
    path = Path(folder) / "made-up.yaml"
    path.write_text(json.dumps(head | parts), encoding="utf-8")
    return load_regime(str(path))


def q(value, **more):
    """Return a quantity that is assumed."""
    return {"value": value, "basis": "assumed", **more}


def totals(run) -> dict[str, int]:
    """Return each counter, summed over the run."""
    table = run.table("counts_stratum").group_by("counter").aggregate([("amount", "sum")])
    return dict(zip(table["counter"].to_pylist(), table["amount_sum"].to_pylist(), strict=True))


def assert_same_lives(one: State, other: State) -> None:
    """Compare two states column by column."""
    for name, a, b in zip(State._fields, one, other, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)
