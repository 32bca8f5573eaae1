"""The oracle against the loop: every column and every count, bit for bit."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lives import Columns, live, totals
from test_any_regime import regimes
from test_levers import APPEAL, NOTICE
from underheaven import catalogue
from underheaven.engine.run import simulate
from underheaven.life.reference_rollout import Oracles
from underheaven.life.state import columns_of, firm_columns_of, firms_of
from underheaven.regime.reader import load_regime
from underheaven.regime.rollout import compile_rules
from underheaven.world.people import block_people, build_tables
from underheaven.world.places import build_places
from underheaven.world.reader import load_world

REMEDIES = [
    NOTICE, APPEAL, "remedies.appeal.suspends=true", "remedies.correction=2 per year", "remedies.expiry=1 year",
    "remedies.repair={rate: {value: 2, per: year, basis: assumed}, points: {value: 30, basis: assumed}}",
    "recognition.review.per_million_per_day=3000", "context_wall=true", "lists.travel-ban.term.mean=40 days",
]  # fmt: skip


def exchanges(run):
    """Return the tables of a run as they stand in each window: {day: {name: nested lists by county}}."""
    found, latest = {}, {}
    rows = run.table("exchange/tables").to_pylist()
    days, window = run.manifest["days"], run.manifest["exchange_days"]
    n_counties = len(run.manifest["counties"])
    for day in range(0, days, window):
        for row in rows:
            if row["day"] == day:
                array = np.frombuffer(row["data"], "<i8").reshape(row["shape"])
                latest[row["name"]] = np.broadcast_to(array, (n_counties, *array.shape[1:])).tolist()
        found[day] = dict(latest)
    return found


def relived(regime, world, run, blocks=None):
    """Live the people of some blocks (or all) through the oracle; yield (block, oracle, people)."""
    oracle = Oracles(regime, world, run.manifest["seed"], run.manifest["lists"])
    people = build_tables(world, build_places(world))
    tables, days, window = exchanges(run), run.manifest["days"], world.exchange_days
    traits, heads, words = np.zeros(1024, np.uint32), np.zeros(1024, np.int32), np.zeros((4, 1024), np.uint32)
    for block in range(len(people.block_county)) if blocks is None else blocks:
        first, end = int(people.block_first[block]), int(people.block_first[block + 1])
        county = int(people.block_county[block])
        block_people(people, run.manifest["seed"], block, traits, heads, words)
        lives = [oracle.person(citizen, int(traits[citizen - first])) for citizen in range(first, end)]
        for day in range(0, days, window):
            place = {name: table[county] for name, table in tables[day].items()}
            heard = oracle.hear(block, lives, day, place)
            others = oracle.others(block, lives, day, place)
            for me, friends, other in zip(lives, heard, others, strict=True):
                oracle.live_window(me, place, day, min(days, day + window), friends, other)
        yield block, oracle, lives


def assert_same(regime, world, run, state, blocks=None):
    """Hold the oracle against the columns, and its counts against those of the same groups of blocks."""
    counted, lived = Counter(), set()
    rules = max(compile_rules(regime, world).rules, key=lambda rules: rules["firms"])
    first = build_tables(world, build_places(world)).block_first.tolist()
    for block, oracle, lives in relived(regime, world, run, blocks):
        lived.add(block)
        for me in lives:
            counted.update(me.counts)
            assert oracle.columns(me) == columns_of(state, me.citizen), me.citizen
            if me.firm is not None:
                row = firms_of(rules, 0, first[block]) + me.firm.row
                assert me.firm.columns() == firm_columns_of(state, row), me.citizen
    expected = Counter()
    for row in run.table("counts_group").to_pylist():  # in a small world a group is one block
        expected[row["counter"]] += row["amount"] * (row["group"] in lived)
    assert {name: n for name, n in counted.items() if n} == {name: n for name, n in expected.items() if n}


@pytest.mark.parametrize("name", catalogue.names("regimes"))
def test_a_year_under_every_regime(tmp_path, name):
    """400 people for a year under every regime of the catalogue (the whole town: `make verify`)."""
    regime, world = load_regime(name), load_world("town", people=400)
    columns = Columns()
    run = live(tmp_path / "run", name, "town", 400, days=365, observers=[columns])
    assert_same(regime, world, run, columns.by_day[365])


def test_every_remedy_at_once(tmp_path):
    """Appeals that suspend, correction, repair, expiry, review and a context wall, over two turns of the year."""
    regime, world = load_regime("press-2018", REMEDIES), load_world("town", people=150)
    columns = Columns()
    run = live(tmp_path / "run", regime, "town", 150, days=800, observers=[columns])
    assert_same(regime, world, run, columns.by_day[800])
    assert totals(run)["expired_points"] > 0


WORLD = load_world("town", people=120)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(regime=regimes(), seed=st.integers(0, 2**63 - 1))
def test_any_regime(regime, seed):
    """Any valid regime, made up by Hypothesis: oracle and loop agree in every column and count."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made-up.yaml"
        path.write_text(json.dumps(regime), encoding="utf-8")
        loaded, columns = load_regime(str(path)), Columns()
        run = simulate(loaded, WORLD, days=45, seed=seed, threads=1, out=Path(folder) / "run", observers=[columns])
        assert_same(loaded, WORLD, run, columns.by_day[45])
