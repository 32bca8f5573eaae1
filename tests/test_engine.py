"""One life, however it is computed: threads, blocks, checkpoints, observers, twins, prefixes."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from lives import Columns, StopAfter, assert_same_lives, live, totals
from underheaven import errors
from underheaven.engine.run import simulate
from underheaven.life import counters as c
from underheaven.life.state import bytes_per_citizen
from underheaven.regime.reader import load_regime
from underheaven.regime.tables import compile_tables
from underheaven.world.reader import load_world


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A run of 20,000 citizens over 28 days on one thread."""
    return live(tmp_path_factory.mktemp("plain") / "run")


@pytest.mark.parametrize(
    "how",
    [
        {"threads": 2},
        {"blocks_per_task": 1},
        {"blocks_per_task": 3, "threads": 2},
        {"blocks_per_task": 1_000},
        {"checkpoint_seconds": 0.0},
        {"observers": [Columns()]},
    ],
    ids=["2 threads", "1 block", "3 blocks, 2 threads", "all blocks", "checkpoints", "an observer"],
)
def test_one_hash(plain, tmp_path, how):
    """Threads, blocks, checkpoints and observers change nothing (D1)."""
    run = live(tmp_path / "run", **how)
    assert run.manifest["result_hash"] == plain.manifest["result_hash"]
    assert totals(run) == totals(plain)


def test_traits_may_be_drawn_again(plain, tmp_path, monkeypatch):
    """A run that keeps no traits in memory lives the same lives."""
    monkeypatch.setattr("underheaven.engine.run.KEEP_TRAITS_UP_TO", 0)
    run = live(tmp_path / "run")
    assert run.manifest["result_hash"] == plain.manifest["result_hash"]


def test_another_seed_is_another_run(plain, tmp_path):
    """The hash can differ."""
    assert live(tmp_path / "run", seed=6).manifest["result_hash"] != plain.manifest["result_hash"]


@pytest.mark.parametrize("window", [1, 2, 3])
def test_interrupted_is_unbroken(plain, tmp_path, window):
    """Stopped at an exchange and resumed, from a copied folder too, a run ends in the same bytes (D5)."""
    with pytest.raises(errors.Interrupted) as stopped:
        live(tmp_path / "run", stop=StopAfter(window))
    assert stopped.value.day == 7 * window
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    shutil.move(stopped.value.partial, moved / stopped.value.partial.name)
    run = live(moved / "run", resume=True)
    assert run.manifest["result_hash"] == plain.manifest["result_hash"]
    for name in (
        "counts_county",
        "counts_stratum",
        "counts_group",
        "blocks",
        "exchange/tables",
        "scores",
        "sample",
        "people",
    ):
        assert run.table(name).equals(plain.table(name)), name


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    """Resuming under another seed is an error that names what differs."""
    with pytest.raises(errors.Interrupted):
        live(tmp_path / "run", stop=StopAfter(1))
    with pytest.raises(errors.StoreError, match="seed 5, and this run has 6"):
        live(tmp_path / "run", resume=True, seed=6)
    assert live(tmp_path / "run", resume=True).manifest["days"] == 28


def test_a_longer_run_starts_the_same(tmp_path):
    """The first 14 days of 28 are those of a run of 14 days (D6)."""
    short, long = Columns(), Columns()
    live(tmp_path / "short", days=14, observers=[short])
    live(tmp_path / "long", days=28, observers=[long])
    for day in (0, 7, 14):
        assert_same_lives(short.by_day[day], long.by_day[day])


def test_windows_may_end_early(tmp_path):
    """A run whose days are no multiple of the window ends on its last day."""
    columns = Columns()
    run = live(tmp_path / "run", days=10, observers=[columns])
    assert sorted(columns.by_day) == [0, 7, 10]
    assert run.manifest["days"] == 10


def test_a_regime_against_itself(tmp_path):
    """Twins under one regime are equal in every cell (D7)."""
    one, two = Columns(), Columns()
    live(tmp_path / "one", observers=[one])
    live(tmp_path / "two", observers=[two], threads=2)
    assert_same_lives(one.by_day[28], two.by_day[28])


@pytest.mark.parametrize(
    "never",
    [
        "recognition.review.keep_false=0.1 per match",  # no reviewer has time
        "remedies.correction=0 per year",
        "treatment.shop.tiers.AAA=normal",  # a perk moves nobody's columns
    ],
)
def test_a_rule_that_never_fires(tmp_path, plain, never):
    """A rule without effect on lives leaves every life as it was (D7)."""
    assert live(tmp_path / "run", overrides=[never]).manifest["result_hash"] == plain.manifest["result_hash"]


def test_none_has_no_records(tmp_path):
    """Without scoring nobody has a file, a sanction or a record; acts and visits go on."""
    run = live(tmp_path / "run", "none")
    found = totals(run)
    nothing = {"sanction_days", "false_match_records", "false_link_records", "points_moved", "notices", "fines"}
    assert not nothing & {name for name, amount in found.items() if amount}
    assert not any(name.startswith(("recorded/", "refused/", "silenced/", "gamed/", "listed_")) for name in found)
    assert found["done/jaywalking"] > 0
    assert found["used/hospital"] > 0


def test_the_same_acts_are_thought_of_under_every_regime(tmp_path, plain):
    """In the first window, before anybody is afraid, people do the same under scoring and without, but for gaming."""
    scored = totals(live(tmp_path / "scored", days=1))
    free = totals(live(tmp_path / "free", "none", days=1))
    gamed = {name.removeprefix("gamed/"): n for name, n in scored.items() if name.startswith("gamed/")}
    silenced = {name.removeprefix("silenced/"): n for name, n in scored.items() if name.startswith("silenced/")}
    for name, n in free.items():
        if name.startswith("done/"):
            act = name.removeprefix("done/")
            assert scored[name] - gamed.get(act, 0) + silenced.get(act, 0) == n, act


def test_counts_agree_with_each_other(plain):
    """Days add up to people times days; parts do not pass their whole."""
    found = totals(plain)
    people, days = plain.manifest["people"], plain.manifest["days"]
    assert found["days"] == people * days
    assert sum(n for name, n in found.items() if name.startswith("tier_days/")) == people * days
    assert sum(n for name, n in found.items() if name.startswith("true_tier_days/")) == people * days
    assert found.get("wrongful_sanction_days", 0) <= found["sanction_days"]
    assert found.get("people_wrongly_sanctioned", 0) <= found["people_sanctioned"]
    for name in [n.removeprefix("used/") for n in found if n.startswith("used/")]:
        assert found.get(f"people_refused/{name}", 0) <= found.get(f"refused/{name}", 0) <= found[f"used/{name}"]
        assert found.get(f"wrongly_refused/{name}", 0) <= found.get(f"refused/{name}", 0)


def test_county_and_stratum_tables_agree(plain):
    """Both tables add up to the same totals."""
    county = plain.table("counts_county").group_by("counter").aggregate([("amount", "sum")])
    by_county = dict(zip(county["counter"].to_pylist(), county["amount_sum"].to_pylist(), strict=True))
    assert {k: v for k, v in by_county.items() if v} == {k: v for k, v in totals(plain).items() if v}


def test_state_is_small():
    """Everything that press-2018 names costs at most 14 bytes a citizen."""
    compiled = compile_tables(load_regime("press-2018"), load_world("town"))
    assert bytes_per_citizen(compiled.rules[0]) <= 14


def test_every_counter_has_a_name_of_its_own():
    """No two counters share a column or a name."""
    names = c.counter_names({0: "x", 31: "y"}, {32: "s", 39: "t"}, ["A", "B"], ["l", "m"])
    assert len(set(names.values())) == len(names)
    assert max(names) < c.N_COUNTERS


@pytest.mark.parametrize(
    ("setting", "value"), [("days", 0), ("days", 40_000), ("seed", -1), ("seed", 2**63), ("threads", 0)]
)
def test_arguments_out_of_range(tmp_path, setting, value):
    """A number out of range is refused with what is allowed."""
    with pytest.raises(errors.CommandError, match=f"{setting} is {value}; write a number within"):
        live(tmp_path / "run", **{setting: value})


def test_observers_cannot_write(tmp_path):
    """An observer that tries to change a column is stopped."""

    class Meddler(Columns):
        def observe(self, day, state):
            state.score[0, 0] = 0

    with pytest.raises(ValueError, match="read-only"):
        live(tmp_path / "run", observers=[Meddler()])


def test_hash_covers_every_column(plain):
    """Any changed cell changes the hash."""
    from underheaven.engine.run import result_hash
    from underheaven.life.state import new_state

    rules = compile_tables(load_regime("press-2018"), load_world("town")).rules[0]
    state = new_state(rules, 100)
    before = result_hash(state)
    for array in state:
        if array.size:
            array.flat[array.size // 2] += 1
            assert result_hash(state) != before
            array.flat[array.size // 2] -= 1
    assert result_hash(state) == before
    assert np.array_equal(state.score, state.true_score)


def test_groups_of_blocks_add_up(plain):
    """The counts by group of blocks add up to those by stratum; there is a digest a block."""
    groups = plain.table("counts_group").group_by("counter").aggregate([("amount", "sum")])
    found = dict(zip(groups["counter"].to_pylist(), groups["amount_sum"].to_pylist(), strict=True))
    expected = {k: v for k, v in totals(plain).items() if v and k != "days"}  # days are counted beside the loop
    assert {k: v for k, v in found.items() if v} == expected
    assert plain.table("blocks").num_rows >= 20


def test_one_more_kind_of_act_moves_nothing_else(tmp_path):
    """Streams are registered: an act that the regime ignores leaves every column and every other count as they were."""
    more = ["acts.humming={stream: 31, rate: {value: 50, per: year, basis: assumed}, channel: camera, context: civic}"]
    regime, columns = load_regime("press-2018"), [Columns(), Columns()]
    found = []
    for number, changes in enumerate(([], more)):
        world = load_world("town", people=6_000, overrides=changes)
        out = tmp_path / str(number)
        run = simulate(regime, world, days=56, seed=5, threads=2, out=out, observers=[columns[number]])
        found.append({name: n for name, n in totals(run).items() if n})
    assert_same_lives(columns[0].by_day[56], columns[1].by_day[56])
    assert found[1].pop("done/humming") > 10_000
    assert found[0] == found[1]


def test_one_hash_where_records_expire(tmp_path):
    """Past the first expiry, with buckets, appeals and walls: threads and block sizes change no bit (D1)."""
    changes = ["remedies.expiry=1 year", "context_wall=true", "remedies.notice=1", "remedies.correction=2 per year"]
    common = {"world": "town", "people": 2_500, "overrides": changes, "days": 742}
    one = live(tmp_path / "one", **common, threads=1)
    other = live(tmp_path / "other", **common, threads=2, blocks_per_task=1)
    assert totals(one)["expired_points"] > 0
    assert one.manifest["result_hash"] == other.manifest["result_hash"]
    assert one.table("blocks").equals(other.table("blocks"))
