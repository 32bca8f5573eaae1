"""Lives lived again: the same as in the run, told, found, and held against each other."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lives import Columns, live
from underheaven import errors
from underheaven.cli import main
from underheaven.engine.panel import panel
from underheaven.engine.relive import FINDS, Reliving, find, first_parting, parting_step
from underheaven.life.state import columns_of
from underheaven.show import life as words
from underheaven.store import open_run

SHORT = "lists.travel-ban.term.mean=1 month"  # so that somebody is off it again


@pytest.fixture(scope="module")
def told_and_untold(tmp_path_factory):
    """Two runs of the same 12,000 people for 120 days, without notice and with; and the columns of the first."""
    folder, columns = tmp_path_factory.mktemp("relive"), Columns()
    one = live(folder / "one", people=12_000, days=120, overrides=[SHORT], threads=2, observers=[columns])
    other = live(folder / "other", people=12_000, days=120, overrides=[SHORT, "remedies.notice=1"])
    return one, other, columns.by_day[120]


def test_any_life_ends_as_in_the_run(told_and_untold):
    """Forty citizens from all over, lived again one by one, have the columns that the run had."""
    run, _, state = told_and_untold
    lives = Reliving(run)
    for citizen in np.random.default_rng(1).integers(0, 12_000, 40).tolist():
        life = lives.life(citizen)
        assert lives.oracle.columns(life.person) == columns_of(state, citizen)
        assert [step.day for step in life.steps] == sorted(step.day for step in life.steps)
        assert all(words.sentence(step) for step in life.steps)


def test_a_damaged_run_is_found_out(told_and_untold, monkeypatch):
    """A life that does not come out as it was is an error, not a story."""
    lives = Reliving(told_and_untold[0])
    monkeypatch.setattr(lives, "digest", lambda number: "0" * 16)
    with pytest.raises(errors.RunError, match="lived again, is not what it was"):
        lives.life(0)
    lives = Reliving(told_and_untold[0])
    monkeypatch.setattr(type(lives.oracle), "columns", lambda self, me: {})
    with pytest.raises(errors.RunError, match="lived again, is not what it was"):
        lives.life(0)


def test_an_older_run_is_refused(told_and_untold, monkeypatch):
    """Another results_version cannot be lived again."""
    run = open_run(told_and_untold[0].folder)
    run.manifest["results_version"] = 1
    with pytest.raises(errors.RunError, match="results_version 1 and this version lives"):
        Reliving(run)


@pytest.mark.parametrize("what", sorted(FINDS))
def test_find(told_and_untold, what):
    """Each kind of life that is found is of that kind."""
    lives = Reliving(told_and_untold[0])
    found = find(lives, what)
    assert found, "the sample has one"
    counts = found[0].person.counts
    if what == "never-knew":
        assert not any(step.kind in ("learns", "notice") for step in found[0].steps)
        assert counts["sanction_days"] > 0
    elif what == "redeemed":
        assert not found[0].person.on_paper
        assert counts["sanction_days"] > 0
    elif what == "fell-furthest":
        lowest = min(step.filed["score"]["everything"] for step in found[0].steps)
        assert lowest < 900
    elif what == "denounced":
        assert any(step.kind == "denounced" for step in found[0].steps)
        assert counts["denounced_error_days"] > 0
    elif what == "same-acts-different-fate":
        one, other = found
        assert one.person.true.score == other.person.true.score
        assert one.person.counts["wrongful_sanction_days"] > 0 == other.person.counts["sanction_days"]
    else:
        assert counts["wrongful_sanction_days"] > 0


def test_two_runs_part_at_the_rule_that_differs(told_and_untold):
    """With notice the first thing that differs is a notice, or an act that somebody told leaves undone."""
    one, other = (Reliving(run) for run in told_and_untold[:2])
    parting = first_parting(one, other)
    assert parting is not None
    assert parting.other is not None
    assert (parting.other.kind, parting.other.rule) == ("notice", "remedies.notice")
    a, b = one.life(parting.citizen), other.life(parting.citizen)
    at = parting_step(a, b)
    assert a.steps[:at] == b.steps[:at]
    assert first_parting(one, Reliving(told_and_untold[0])) is None


def test_runs_of_other_people_cannot_be_held_against_each_other(told_and_untold, tmp_path):
    """Another seed is another people."""
    stranger = live(tmp_path / "run", people=12_000, days=120, seed=6)
    with pytest.raises(errors.CommandError, match="seed is 5 and 6"):
        first_parting(Reliving(told_and_untold[0]), Reliving(stranger))


def test_on_the_command_line(told_and_untold, tmp_path, capsys):
    """A life in words, as JSON and as a page; two lives and where they part; mistakes."""
    one, other = (str(run.folder) for run in told_and_untold[:2])
    assert main(["life", one]) == 0
    text = capsys.readouterr().out
    assert "days under sanction" in text
    assert "(true: " in text
    assert main(["life", one, "--find", "never-knew", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found[0]["counts"]["sanction_days"] > 0
    assert {"day", "rule", "source", "file", "truth", "text"} <= set(found[0]["steps"][0])
    page = tmp_path / "life.html"
    assert main(["life", one, other, "--citizen", "35", "--html", str(page)]) == 0
    html = page.read_text()
    assert html.count("Citizen 35") >= 2
    assert "http" not in html.replace("http-equiv", "")
    capsys.readouterr()
    assert main(["diff", one, other]) == 0
    assert "They part first with citizen" in capsys.readouterr().out
    assert main(["diff", one, one]) == 0
    assert "the same" in capsys.readouterr().out
    for wrong in (["--citizen", "12000"], ["--citizen", "1", "--find", "redeemed"], ["--find", "saints"]):
        assert main(["life", one, *wrong]) == 2


def test_a_life_without_scoring(tmp_path, capsys):
    """Without a file there is nobody to find, and any life can be told."""
    run = live(tmp_path / "run", "none", "town", 2_000)
    assert main(["life", str(run.folder)]) == 2
    assert "has no life that is longest-wrong" in " ".join(capsys.readouterr().err.split())
    assert main(["life", str(run.folder), "--citizen", "3", "--all"]) == 0
    assert "Citizen 3" in capsys.readouterr().out


def test_a_panel_ends_as_the_run_did(told_and_untold):
    """A row a citizen and day; on the last day scores and lists are those of the columns, and counts add up."""
    run, _, state = told_and_untold
    lives = Reliving(run)
    table = panel(lives, "wrongly_sanctioned or innocent_sanctioned", sample=5)
    frame = table.to_pandas()
    chosen = frame["citizen"].unique()
    assert len(chosen) == 5
    assert len(frame) == 5 * 120
    last = frame[frame["day"] == 119].set_index("citizen")
    assert (last["score"] * 10 == state.score[0, last.index]).all()
    assert (last["true_score"] * 10 == state.true_score[0, last.index]).all()
    assert ((last["lists"] != "") == (state.list_until[0, last.index] > 0)).all()
    for citizen in chosen.tolist():
        counts, mine = lives.life(citizen).person.counts, frame[frame["citizen"] == citizen]
        # A day counts under the standing in which it ends, but for the day on which an appeal is filed.
        assert abs(mine["sanctioned"].sum() - counts["sanction_days"]) <= counts["appeals"]
        assert abs(mine["wrongly_sanctioned"].sum() - counts["wrongful_sanction_days"]) <= counts["appeals"]
        assert counts["wrongful_sanction_days"] + counts["innocent_sanction_days"] > 0
    assert panel(lives, "wrongly_sanctioned or innocent_sanctioned", sample=5).equals(table)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("incme = 3", "did you mean income"),
        ("sex = 3", "sex has to be compared with a text"),
        ("score", "score alone says nothing"),
        ("__import__('os')", "compares something else"),
        ("income <", "it is no condition"),
        ("county < 3", "can be = or != only"),
        ("score > 5000", "nobody meets"),
    ],
)
def test_conditions_that_cannot_be(told_and_untold, where, words):
    """Each gets a sentence; nothing is ever evaluated."""
    with pytest.raises(errors.CommandError, match=words):
        panel(Reliving(told_and_untold[0]), where)


def test_a_panel_on_the_command_line(told_and_untold, tmp_path, capsys):
    """A Parquet file that says how much is in it."""
    path = tmp_path / "panel.parquet"
    folder = str(told_and_untold[0].folder)
    assert main(["panel", folder, "--where", "county = 1 and not listed", "--sample", "3", "--out", str(path)]) == 0
    assert "3 citizens, 360 rows" in capsys.readouterr().out
    assert path.stat().st_size > 1_000
    assert main(["panel", folder, "--sample", "3", "--out", str(tmp_path / "no" / "x.parquet")]) == 1


def test_two_lives_stand_side_by_side(told_and_untold, tmp_path, capsys, monkeypatch):
    """One citizen under two regimes in two columns: equal steps beside each other, the parting marked once."""
    monkeypatch.setenv("COLUMNS", "80")
    one, other = (Reliving(run) for run in told_and_untold[:2])
    parting = first_parting(one, other)
    assert parting is not None
    lives = [each.life(parting.citizen) for each in (one, other)]
    rows = words.side_by_side(lives, parting_step(*lives))
    assert [row.day for row in rows] == sorted(row.day for row in rows)
    assert sum(row.parts for row in rows) == 1
    first = next(at for at, row in enumerate(rows) if row.differs)
    assert rows[first].parts
    folders = [str(run.folder) for run in told_and_untold[:2]]
    page = tmp_path / "pair.html"
    assert main(["life", *folders, "--citizen", str(parting.citizen)]) == 0
    out = capsys.readouterr().out
    assert out.count("the lives part here") == 1
    assert max(map(len, out.splitlines())) <= 80
    assert main(["life", *folders, "--citizen", str(parting.citizen), "--html", str(page)]) == 0
    html = page.read_text()
    assert html.count("the lives part here") == 1
    assert "press-2018" in html
    same = words.side_by_side([lives[0], one.life(parting.citizen)], None)
    assert not any(row.differs or row.parts for row in same)
