"""Futures of a stored run: from a kept state, the same bits as if everything had been lived from the first day."""

from __future__ import annotations

import numpy as np
import pytest

import underheaven as uh
from lives import Columns, StopAfter, totals
from underheaven import errors
from underheaven.engine.relive import Reliving
from underheaven.engine.run import RESULTS_VERSION, simulate
from underheaven.regime.rollout import branched, load_rules
from underheaven.store import open_run
from underheaven.world.reader import load_world

WORLD = load_world("city", people=3_000)
PRESS = load_rules("press-2018")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A run of 98 days that keeps the states of days 41 (that is: 42) and 70."""
    folder = tmp_path_factory.mktemp("kept") / "run"
    return simulate(PRESS, WORLD, days=98, seed=9, threads=2, out=folder, keep=[41, 70])


@pytest.fixture(scope="module")
def reformed():
    return load_rules("press-2018 + notice + context-wall + expiry-2-years")


def test_states_are_parts_of_the_run(kept):
    """They are named in the manifest with their SHA-256, and keeping them moves nothing."""
    assert kept.kept_days == [42, 70]
    kept.verify()
    assert "states/000042/arrays.npy" in kept.manifest["parts"]
    plain = simulate(PRESS, WORLD, days=98, seed=9, threads=1)
    assert plain.manifest["result_hash"] == kept.manifest["result_hash"]
    assert plain.kept_days == []


def test_a_future_is_the_same_as_lived_from_the_first_day(kept, reformed, tmp_path):
    """From the kept state or from day 0: equal columns, counts, exchanges and looks at the scores."""
    branch = uh.run("press-2018 + notice + context-wall + expiry-2-years", start=f"{kept.folder}@42", days=120,
                    out=tmp_path / "branch")  # fmt: skip
    whole = simulate(branched(PRESS, reformed, 42, "x"), WORLD, days=120, seed=9, threads=1, out=tmp_path / "whole")
    assert branch.manifest["branch"]["day"] == 42
    assert whole.manifest["branch"] is None
    assert branch.manifest["result_hash"] == whole.manifest["result_hash"]
    assert totals(branch) == totals(whole)
    for name in branch.names():
        assert branch.table(name).to_pylist() == whole.table(name).to_pylist(), name


def test_the_past_is_that_of_the_run(kept, tmp_path):
    """Until its day a future has the counts of the run that it starts from, after it others."""
    branch = uh.run("none", start=f"{kept.folder}@70", days=98, out=tmp_path / "branch")

    def by_day(run):
        table = run.table("counts_county").group_by(["start_day", "counter"]).aggregate([("amount", "sum")])
        return {(row["start_day"], row["counter"]): row["amount_sum"] for row in table.to_pylist()}

    before, after = by_day(kept), by_day(branch)
    assert {k: v for k, v in before.items() if k[0] < 70} == {k: v for k, v in after.items() if k[0] < 70}
    assert not [k for k in after if k[0] >= 70 and k[1] == "sanction_days"]


def test_a_day_that_is_not_kept_is_lived_again(kept, cli, tmp_path):
    """Without a kept state the past is lived again, and the command says so; the bits are the same."""
    done = cli("run", "press-2018 + notice", "--from", f"{kept.folder}@56", "--days", "98", "--out", tmp_path / "a")
    assert done.code == 0
    assert "lived again" in done.err
    assert open_run(tmp_path / "a").manifest["branch"] is None
    page = (tmp_path / "a" / "report.html").read_text()
    assert f"--from {kept.folder}@56" in page
    assert "from day 56 on" in page


def test_a_life_across_the_branching(kept, tmp_path):
    """A life of a future is told from its first day, through the change-over."""
    branch = uh.run("press-2018 + notice", start=f"{kept.folder}@42", days=98, out=tmp_path / "branch")
    assert Reliving(branch).life(17).person.since == 98


def test_a_branch_of_a_branch(kept, tmp_path):
    """A future can be left again."""
    first = uh.run("press-2018 + notice", start=f"{kept.folder}@42", days=98, out=tmp_path / "first", keep=[70])
    second = uh.run("press-2018", start=f"{first.folder}@70", days=98, out=tmp_path / "second")
    assert [(p.regime, p.from_.days) for p in second.regime.phases] == [
        ("press-2018 + notice", 42), ("press-2018 (2)", 70),
    ]  # fmt: skip
    Reliving(second).life(3)


def test_several_futures_compared(kept, tmp_path):
    """The same people from the same day on under two regimes: nobody differs before it."""
    found = uh.compare(["press-2018", "press-2018 + notice"], start=f"{kept.folder}@70", days=98, out=tmp_path / "c")
    runs = [twin.run for twin in found.twins]
    assert all(run.manifest["branch"]["day"] == 70 for run in runs)
    assert runs[0].manifest["result_hash"] == kept.manifest["result_hash"]  # what goes on as before
    assert found.pairs[0].differences


def test_kept_states_survive_an_interruption(kept, tmp_path):
    """A run that is stopped and resumed keeps the states of before as well."""
    with pytest.raises(errors.Interrupted):
        simulate(PRESS, WORLD, days=98, seed=9, threads=1, out=tmp_path / "run", keep=[41, 70], stop=StopAfter(8))
    again = simulate(PRESS, WORLD, days=98, seed=9, threads=2, out=tmp_path / "run", keep=[41, 70], resume=True)
    assert again.kept_days == [42, 70]
    again.verify()
    assert np.array_equal(again.state(42)[0]["state.score"], kept.state(42)[0]["state.score"])


def test_a_damaged_state_is_found(kept, tmp_path):
    """One flipped bit in a kept state is an error, not a future."""
    run = simulate(PRESS, WORLD, days=14, seed=9, threads=1, out=tmp_path / "run", keep=[7])
    path = run.folder / "states" / "000007" / "arrays.npy"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(errors.StoreError, match="does not match its SHA-256"):
        uh.run("none", start=f"{run.folder}@7", days=14, out=tmp_path / "branch")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "nowhere@7"], "there is no"),
        (["--from", "{run}"], "write the folder of a run, @ and a day"),
        (["--from", "{run}@0"], "write the folder of a run, @ and a day"),
        (["--from", "{run}@400"], "a day of the run"),
        (["--from", "{run}@42", "--seed", "3"], "leave --world, --people and --seed out"),
        (["--from", "{run}@42", "--world", "town"], "leave --world, --people and --seed out"),
        (["--keep", "99", "--days", "98"], "keep is 99"),
        (["--keep", "0"], "keep is 0"),
        (["--keep", "97", "--days", "97"], "the last exchange of the run"),
    ],
)
def test_what_cannot_be(kept, cli, tmp_path, arguments, words):
    """Each mistake has its sentence."""
    told = [argument.format(run=kept.folder) for argument in arguments]
    done = cli("run", "none", *told, "--out", tmp_path / "x")
    assert done.code == 2
    assert words in " ".join(done.err.split())


def test_a_future_has_one_regime(kept, cli, tmp_path):
    """A roll-out is no future, and a run of another version is no past."""
    done = cli("run", "staggered-pilots", "--from", f"{kept.folder}@42", "--out", tmp_path / "x")
    assert "name a regime, not a roll-out" in " ".join(done.err.split())
    assert kept.manifest["results_version"] == RESULTS_VERSION


def test_observers_of_a_branch(kept, tmp_path):
    """An observer of one's own begins with the branch."""
    columns = Columns()
    uh.run("none", start=f"{kept.folder}@42", days=56, out=tmp_path / "branch", observers=[columns])
    assert sorted(columns.by_day) == [49, 56]
