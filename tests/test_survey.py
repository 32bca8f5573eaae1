"""The survey of a run: who is asked, what a list experiment can tell, and what falsified answers do."""

from __future__ import annotations

import json
import math
import random
from collections import Counter

import numpy as np
import pytest

import underheaven as uh
from lives import live
from test_rollout import of, rollout
from underheaven import errors
from underheaven.cli import main
from underheaven.engine.poll import survey
from underheaven.engine.run import simulate
from underheaven.life.opinion import APPROVES
from underheaven.regime.reader import load_regime
from underheaven.store import open_run
from underheaven.study.survey import (
    PER_PLACE,
    Respondent,
    agreed,
    answers,
    chosen,
    estimate,
    has_long_list,
    summed_up,
    visits,
)
from underheaven.world.reader import load_world

OPINION = load_world("town").opinion


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Four weeks of 3,000 people under press-2018."""
    return live(tmp_path_factory.mktemp("survey") / "run", "press-2018", "town", 3_000, days=28)


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """The same people, none of whom says what she does not think."""
    world = load_world("town", people=3_000, overrides=[
        f"opinion.falsify.{who}=0" for who in ("calm", "sanctioned", "fearful")])  # fmt: skip
    return uh.run("press-2018", world, days=28, seed=5, out=tmp_path_factory.mktemp("survey") / "run")


# Sampling -------------------------------------------------------------------------------------------------------------


def test_blocks_are_visited_in_proportion():
    """Over 400 waves each block has the visits that its people call for (4 s.e.), never one more or less at a time."""
    sizes, n = [1024, 1024, 300, 7, 1024, 512], 10
    seen = np.array([visits(sizes, n, 3, wave) for wave in range(400)])
    assert (seen.sum(axis=1) == n).all()
    wanted = n * np.array(sizes) / sum(sizes)
    assert (np.abs(seen - wanted) < 1).all()
    spread = np.sqrt((wanted % 1) * (1 - wanted % 1) / 400)
    assert (np.abs(seen.mean(axis=0) - wanted) <= 4 * spread + 1e-9).all()


def test_everybody_may_be_asked_once():
    """Visits of a block share nobody, a small block gives all it has, and another wave asks others."""
    first = chosen(5_000, 100, 3, 20, 1, 0)
    flat = [citizen for place in first for citizen in place]
    assert len(flat) == len(set(flat)) == 60
    assert set(flat) <= set(range(5_000, 5_100))
    assert chosen(5_000, 7, 1, 20, 1, 0)[0] != chosen(5_000, 7, 1, 20, 1, 1)[0]
    assert sorted(chosen(5_000, 7, 1, 20, 1, 0)[0]) == list(range(5_000, 5_007))
    asked = Counter(c for wave in range(2_000) for place in chosen(0, 50, 1, 20, 9, wave) for c in place)
    assert all(abs(n - 800) < 4 * math.sqrt(2_000 * 0.4 * 0.6) for n in asked.values())


def test_lists_are_dealt_in_halves():
    """Of twenty people at a place ten have the long list, and whose turn is first is drawn."""
    for word in (4, 7):
        dealt = [has_long_list(number, word) for number in range(PER_PLACE)]
        assert sum(dealt) == PER_PLACE // 2
        assert dealt[0] == (word % 2 == 1)


# Estimating -----------------------------------------------------------------------------------------------------------


def made(place, number, approves, dice):
    """Make a respondent who agrees with each of four items by even odds."""
    is_long = number % 2 == 0
    items = sum(dice.random() < 0.5 for _ in range(4)) + (is_long and approves)
    return Respondent(place, number, approves, approves, is_long, items, "neither")


def test_the_list_experiment_is_unbiased_and_its_error_right():
    """600 surveys of 400: the mean is the truth and the spread is the standard error, as theory has it (4 s.e.)."""
    dice, truth, n_surveys, n_places = random.Random(1), 0.3, 600, 20
    found = []
    for _ in range(n_surveys):
        asked = [made(p, i, dice.random() < truth, dice) for p in range(n_places) for i in range(PER_PLACE)]
        found.append(summed_up(asked, OPINION, 0, False, None).listed)
    shares = np.array([one.share for one in found])
    # 4 items of even odds vary by 1, the sensitive one by p (1 - p): (1 + 1 + 0.21) / 200.
    theory = math.sqrt((1 + 1 + truth * (1 - truth)) / (n_places * PER_PLACE / 2))
    assert abs(shares.mean() - truth) < 4 * theory / math.sqrt(n_surveys)
    assert abs(shares.std() - theory) < 4 * theory / math.sqrt(2 * n_surveys)
    errors_ = np.array([one.standard_error for one in found])
    assert abs(math.sqrt((errors_**2).mean()) - theory) < 4 * theory * math.sqrt(1 / (2 * (n_places - 1) * n_surveys))
    covered = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.90 < covered < 0.98  # with 20 places the normal interval covers a little less than 95%


def test_no_error_can_be_told_from_one_place():
    """One place has a mean without an error; no place has neither: never 0."""
    assert estimate([0.5]).standard_error is None
    assert estimate([]).share is None


# Asking ---------------------------------------------------------------------------------------------------------------


def test_who_says_what_she_does_not_think():
    """Who approves says so; who does not says so with odds that fear and a sanction raise, within 4 s.e."""
    words = [random.Random(2).getrandbits(32)] + [random.Random(seed).getrandbits(32) for seed in range(4_000)]
    assert all(answers(OPINION, True, 0, False, word) for word in words)
    for caution, knows, odds in ((0, False, 0.5), (0, True, 0.75), (255, False, 0.95), (255, True, 0.95)):
        share = np.mean([answers(OPINION, False, caution, knows, word) for word in words])
        assert abs(share - odds) < 4 * math.sqrt(odds * (1 - odds) / len(words)), (caution, knows)


def test_harmless_items_are_agreed_with_at_their_odds():
    """Four items of even odds: a mean of 2 and a variance of 1 (4 s.e.)."""
    counts = np.array([agreed(OPINION, citizen, 7, 0) for citizen in range(4_000)])
    assert abs(counts.mean() - 2) < 4 / math.sqrt(4_000)
    assert abs(counts.var() - 1) < 4 * math.sqrt((2.5 - 1) / 4_000)


def test_honest_people_say_what_they_think(honest):
    """Without falsification the direct answers are the truth of the sample, to the last person."""
    found = survey(honest, 400)
    assert found.direct == found.true_in_sample
    for row in found.by_standing:
        assert row["direct"] == row["true"]


def test_a_survey_finds_the_truth_over_its_waves(run):
    """Over 30 waves the mean of the samples' truth, and of the list experiment, is that of everybody (4 s.e.)."""
    found = [survey(run, 400, wave=wave) for wave in range(30)]
    everybody = found[0].true_in_population
    for name in ("true_in_sample", "listed"):
        shares = np.array([getattr(one, name).share for one in found])
        assert abs(shares.mean() - everybody) < 4 * shares.std(ddof=1) / math.sqrt(len(found)), name
        error = math.sqrt(np.mean([getattr(one, name).standard_error ** 2 for one in found]))
        assert 0.5 < shares.std(ddof=1) / error < 1.5, name
    assert all(one.direct.share > one.true_in_sample.share for one in found)


def test_people_and_their_truth_are_those_of_the_run(run):
    """The population's truth is what the run has counted; the same wave asks the same people again."""
    rows = [row for row in run.table("opinion").to_pylist() if row["day"] == 28 and row["trait"] == "age"]
    everybody = sum(row["approving"] for row in rows) / 3_000
    one, again, other = survey(run, 300), survey(run, 300), survey(run, 300, wave=1)
    assert one.true_in_population == everybody
    assert one == again != other
    assert one.respondents == 300 and one.places == 15
    assert APPROVES == 128


def test_being_told_lowers_approval(run):
    """The same people, told what the system represses, approve less, in the sample and in all (MERICS: 53 to 29%)."""
    plain, told = survey(run, 600), survey(run, 600, told=True)
    assert told.true_in_population < plain.true_in_population - 0.1
    assert told.true_in_sample.share < plain.true_in_sample.share
    assert told.direct.share < plain.direct.share


def test_the_gap_is_of_the_order_that_was_published(run):
    """Carter and others: direct answers 20 to 40 points above lists, about another question: an anchor, no more."""
    gaps = [survey(run, 1_000, wave=wave).gap.share for wave in range(8)]
    assert 0.15 < np.mean(gaps) < 0.45


def test_a_roll_out_is_asked_where_it_is(tmp_path):
    """Under a roll-out only those are asked whose county has a regime that says who knows of it."""
    pilots = rollout(load_regime("none"), (load_regime("rongcheng-2016"), 7, ["T*"]))
    world = load_world("city", people=6_000)
    found = survey(simulate(pilots, world, days=14, seed=5, threads=1, out=tmp_path / "run"), 200)
    rows = [row for row in open_run(tmp_path / "run").table("opinion").to_pylist() if row["trait"] == "sex"]
    people = sum(row["people"] for row in rows if row["day"] == 14)
    assert people == int(of("T").sum())
    assert found.true_in_population == sum(row["approving"] for row in rows if row["day"] == 14) / people
    assert abs(found.true_in_sample.share - found.true_in_population) < 4 * found.true_in_sample.standard_error
    assert 180 <= found.respondents <= 200


# The command ----------------------------------------------------------------------------------------------------------


def test_on_the_command_line(run, tmp_path, capsys, monkeypatch):
    """In words within 80 columns, as JSON and as a page without script; and through Python."""
    monkeypatch.setenv("COLUMNS", "80")
    folder = str(run.folder)
    assert main(["survey", folder, "--respondents", "200"]) == 0
    text = capsys.readouterr().out
    assert "Say yes if asked directly" in text and "By the list experiment" in text
    assert max(map(len, text.splitlines())) <= 80
    assert main(["survey", folder, "--respondents", "200", "--told", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["format"] == "underheaven-survey/1" and found["is_informed"] is True
    assert found["direct"]["low"] < found["direct"]["share"] < found["direct"]["high"]
    page = tmp_path / "survey.html"
    assert main(["survey", folder, "--respondents", "200", "--html", str(page)]) == 0
    html = page.read_text()
    assert "<script" not in html and "<svg" in html
    assert "http" not in html.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert uh.survey(run, 200) == survey(run, 200)


def test_mistakes(run, tmp_path, capsys):
    """Too few, too many, a wave below 0, a regime without awareness, a world without opinion."""
    for options in (["--respondents", "10"], ["--respondents", "2000"], ["--wave", "-1"]):
        assert main(["survey", str(run.folder), *options]) == 2
    assert "40 to 1500" in capsys.readouterr().err
    for wrong in ("many", True, 100.5):
        with pytest.raises(errors.CommandError, match="write a whole number, as 1000"):
            survey(run, wrong)
    silent = live(tmp_path / "none", "none", "town", 500, days=7)
    with pytest.raises(errors.CommandError, match="regime does not say who knows of it"):
        survey(silent, 100)
    world = load_world("town", people=500, overrides=["opinion=null"])
    mute = uh.run("press-2018", world, days=7, out=tmp_path / "mute")
    with pytest.raises(errors.CommandError, match="world does not say what people think"):
        survey(mute, 100)
