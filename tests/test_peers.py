"""Peer rating: fixed points in closed form, the loop against them, oracle, re-living, errors, audit and chart."""

from __future__ import annotations

import math

import altair
import numpy as np
import pytest

from lives import Columns, StopAfter, assert_same_lives, live, made_up, q, totals
from test_oracle import assert_same
from underheaven import errors
from underheaven.compiled import compiled
from underheaven.engine.relive import Reliving
from underheaven.engine.run import simulate
from underheaven.institutions.peers import echo, mean_rating, rated, reputation
from underheaven.life.state import columns_of
from underheaven.regime.reader import load_regime
from underheaven.show import life as words
from underheaven.show.charts import all_charts
from underheaven.show.describe import describe
from underheaven.study.audit import audit
from underheaven.study.peers import spread
from underheaven.world.people import block_people, build_tables
from underheaven.world.places import build_places
from underheaven.world.reader import load_world
from underheaven.world.ties import tie_masks

STAR = 1_000  # tenths of a point, on a scale of 100 to 500 points
LEVELS = {str(level + 1): 2 + level / 4 for level in range(8)}  # of conscientiousness: 2 to 3.75 stars
ALWAYS = q(1, per="day")
SCALE = {
    "score": {"start": q(300), "floor": q(100), "cap": q(500)},
    "tiers": [{"name": "up", "from": q(300)}, {"name": "middle", "from": q(200)}, {"name": "down"}],
    "treatment": {"rail": {"tiers": {"down": "refuse"}}},
}


def ratings(**changes):
    """Return a section in which every contact rates in every window, exactly as conduct earns."""
    levels = changes.pop("levels", LEVELS)
    plain = {"rate": ALWAYS, "conduct": {"values": levels, "basis": "assumed"}, "weighted": False,
             "whole_stars": False, "pull": q(1, per="exchange")}  # fmt: skip
    return plain | changes


def lived(folder, people=1_024, days=1, world=(), scale=SCALE, seed=5, **peers):
    """Live in a town where people rate each other; return the run and the columns by day."""
    folder.mkdir(exist_ok=True)
    regime, columns = made_up(folder, **scale, peers=ratings(**peers)), Columns()
    place = load_world("town", people=people, overrides=["exchange_days=1", *world])
    run = simulate(regime, place, days=days, seed=seed, threads=1, out=folder / "run", observers=[columns])
    return run, columns.by_day


@compiled
def _masks(seed, block, size, masks):
    tie_masks(seed, block, size, masks)


def who(people=1_024, seed=5, n_ties=4):
    """Return packed traits and the matrix of friends of the first block of a town."""
    tables = build_tables(world := load_world("town", people=people), build_places(world))
    traits, heads = np.zeros(people, np.uint32), np.zeros(people, np.int32)
    block_people(tables, seed, 0, traits, heads, np.zeros((4, people), np.uint32))
    masks, ties = np.zeros(n_ties, np.int64), np.zeros((people, people), bool)
    _masks(seed, 0, people, masks)
    for mask in masks.tolist():
        local = np.arange(people)
        local = local[(local ^ mask) < people]
        ties[local, local ^ mask] = True
    return traits.astype(np.int64), heads, ties


def earned(traits):
    """Return the stars that conduct earns at the levels of these tests."""
    return 2 + ((traits >> 13) & 7) / 4


# Closed forms


LOCAL = np.array([[0, 4, 1, 0, 0], [3, 0, 1, 1, 0], [2, 2, 0, 0, 1], [0, 1, 0, 0, 4], [0, 0, 0, 5, 0]], float)


@pytest.mark.parametrize(
    ("restart", "trusted", "expected"),
    [
        (0.05, None, [0.170920, 0.225443, 0.085309, 0.279613, 0.238715]),
        (0.15, None, [0.182965, 0.232810, 0.100682, 0.259778, 0.223765]),
        (0.30, None, [0.192228, 0.234958, 0.119806, 0.241176, 0.211832]),
        (0.15, 0, [0.332793, 0.288055, 0.105544, 0.152181, 0.121426]),
    ],
)
def test_reputation_weighted_by_the_raters(restart, trusted, expected):
    """The fixed point of EigenTrust for five people, to a millionth."""
    start = None if trusted is None else np.eye(5)[trusted]
    found = reputation(LOCAL, restart, start)
    assert found == pytest.approx(expected, abs=1e-6)
    assert found.sum() == pytest.approx(1)


def test_who_rates_nobody_passes_trust_on():
    """Somebody without ratings of her own loses nobody's trust; wrong input is refused."""
    silent = LOCAL.copy()
    silent[4] = 0
    assert reputation(silent, 0.15).sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="ratings are 0 or more"):
        reputation(-LOCAL, 0.15)
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        reputation(LOCAL, 0.0)


def test_means_of_ratings():
    """Ten fives lift fifty ratings of 3.2 to 3.5; where the few high rate low, weights take half a star."""
    assert mean_rating(np.array([3.2] * 50 + [5.0] * 10)) == pytest.approx(3.5)
    stars, raters = np.array([2.0] * 10 + [4.0] * 90), np.array([5.0] * 10 + [1.0] * 90)
    assert mean_rating(stars) == pytest.approx(3.8)
    assert mean_rating(stars, raters) == pytest.approx(3.28571, abs=1e-5)
    assert mean_rating(np.array([])) is None


def ring(n, reach):
    """Return a ring of people, each with the `reach` nearest on both sides as contacts."""
    apart = np.abs(np.arange(n)[:, None] - np.arange(n)[None, :])
    apart = np.minimum(apart, n - apart)
    return (apart > 0) & (apart <= reach)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [(0.5, [-108.905, -18.6852, -16.9357, -4.95538]), (0.8, [-140.640, -53.7196, -47.8798, -26.3589])],
)
def test_echo_on_a_ring(weight, expected):
    """What one person loses comes onto her neighbours; all together lose 1 / (1 - w) times as much."""
    own = np.zeros(200)
    own[0] = -100
    found = echo(own, ring(200, 2), weight)
    assert found[:4] == pytest.approx(expected, abs=1e-3)
    assert found.sum() == pytest.approx(-100 / (1 - weight))


def test_echo_elsewhere():
    """On a long ring it decays by a known factor a step; among all alike the others bear little; groups drift apart."""
    own = np.zeros(400)
    own[0] = -100
    for weight, decay in ((0.5, 0.267949), (0.8, 0.5)):
        found = echo(own, ring(400, 1), weight)
        assert found[0] == pytest.approx(-100 / math.sqrt(1 - weight**2))
        assert found[1:6] / found[:5] == pytest.approx([decay] * 5, abs=1e-6)
    own = own[:200]
    found = echo(own, ~np.eye(200, dtype=bool), 0.5)
    assert (found[0], found[1]) == (pytest.approx(-100.251, abs=1e-3), pytest.approx(-0.501253, abs=1e-6))
    # Two groups of 100: each has 8 ties to her own and 2 to the other; their own scores lie 20 apart.
    group = np.arange(200) // 100
    near, across = ring(100, 4), np.eye(100, dtype=bool) | np.roll(np.eye(100, dtype=bool), 1, axis=1)
    ties = np.block([[near, across], [across.T, near]])
    found = echo(10.0 - 20.0 * group, ties, 0.5)
    assert found[0] - found[199] == pytest.approx(20 / (1 - 0.5 * 0.6))
    with pytest.raises(ValueError, match="below 1"):
        echo(own, ring(200, 1), 1.0)


# The loop against them


@pytest.mark.parametrize("weighted", [False, True])
def test_the_loop_comes_to_the_fixed_point(tmp_path, weighted):
    """Without chance, ratings on the ties of a block lead where linear algebra says, up to rounding."""
    traits, _, ties = who(512)
    assert (ties.sum(axis=1) == 4).all()
    _, by_day = lived(tmp_path, 512, days=40, deference=q(0.2), weighted=weighted)
    expected = rated(earned(traits), ties, 0.2, weighted=weighted)
    # A step is rounded by 0.5 tenths of a point, and a product cut by 1; later steps keep 0.4 of each error.
    found = 1 + (by_day[40].score[0] - 1_000) / STAR
    assert np.abs(found - expected).max() <= 1.5 / (1 - 0.4) / STAR
    assert np.abs(found - earned(traits)).max() > 0.1  # there was somewhere to go
    np.testing.assert_array_equal(by_day[40].true_score[0], earned(traits) * STAR)


def test_both_fixed_points_differ():
    """Weights matter, and who has no contact keeps what conduct earns."""
    traits, _, ties = who(512)
    ties[7], ties[:, 7] = False, False
    free, weighed = (rated(earned(traits), ties, 0.2, weighted=weighted) for weighted in (False, True))
    assert np.abs(free - weighed).max() > 0.01
    assert free[7] == weighed[7] == earned(traits)[7]


def test_how_often_and_how_much(tmp_path):
    """Ratings come at their rate; whole stars have the mean that conduct earns, within 4 standard errors."""
    level = {str(n + 1): 3.3 for n in range(8)}
    run, _ = lived(tmp_path, days=2, rate=q(0.25, per="day"))
    n = 1_024 * 4 * 2
    assert abs(totals(run)["ratings"] - n / 4) < 4 * math.sqrt(n * 0.25 * 0.75)
    run, by_day = lived(tmp_path / "whole", levels=level, whole_stars=True, mood=q(0.2))
    stars = 1 + (by_day[1].score[0] - 1_000) / STAR
    variance = 0.3 * 0.7 + 0.2**2 / 3  # of rounding, and no more than that of the mood
    assert abs(stars.mean() - 3.3) < 4 * math.sqrt(variance / (1_024 * 4))
    assert set(np.round(stars * 4) % 1) == {0.0}
    assert totals(run).get("ratings_raised", 0) == totals(run).get("ratings_lowered", 0) == 0
    np.testing.assert_array_equal(by_day[1].score, by_day[1].true_score)


def test_prejudice_takes_what_it_says(tmp_path):
    """The minority loses half a star from each friend of the majority, in the file and not in truth."""
    traits, _, ties = who()
    _, by_day = lived(tmp_path, prejudice={"against": "minority", "stars": q(0.5)})
    minority = (traits >> 11) & 3 == 1
    others = (ties & (minority[:, None] & ~minority[None, :])).sum(axis=1) / 4
    np.testing.assert_allclose(by_day[1].score[0] / STAR, earned(traits) - 0.5 * others, atol=0.001)
    np.testing.assert_array_equal(by_day[1].true_score[0], earned(traits) * STAR)
    assert others[minority].mean() > 0.5


def test_housemates_rate_too(tmp_path):
    """With `household` each other adult of the household is one more contact."""
    _, heads, _ = who()
    _, sizes = np.unique(heads, return_counts=True)
    run, _ = lived(tmp_path / "", household=True)
    assert totals(run)["ratings"] == 1_024 * 4 + (sizes * (sizes - 1)).sum()


def test_the_score_goes_part_of_the_way(tmp_path):
    """A pull of a quarter leaves three quarters of the distance, on average exactly."""
    traits, _, _ = who()
    _, by_day = lived(tmp_path, days=8, pull=q(0.25, per="exchange"))
    left = (by_day[8].score[0] - earned(traits) * STAR) - 0.75**8 * (3_000 - earned(traits) * STAR)
    assert np.abs(left).max() <= 4
    assert abs(left.mean()) < 4 / math.sqrt(1_024)


def test_a_fall_strains(tmp_path):
    """Whoever falls to a lower grade by ratings is strained, and strain lowers what conduct earns."""
    run, by_day = lived(tmp_path, days=2, strained=q(4), world=["response.fall_strain=255"])
    traits, _, _ = who()
    fell = (earned(traits) < 3) & (by_day[1].score[0] < 3_000)
    assert totals(run)["rating_falls"] >= fell.sum() > 100
    assert (by_day[1].strain[fell] >= 252).all()  # all there is, less a day of fading
    assert (by_day[1].strain[~fell] == 0).all()
    assert (by_day[2].score[0][fell] < by_day[1].score[0][fell] - 500).all()


def test_cliques_are_measured(tmp_path):
    """The correlation over ties is that of the columns, and the mean and spread are theirs."""
    run, by_day = lived(tmp_path, days=2)
    _, _, ties = who()
    score = (by_day[1].score[0].astype(np.int64) - 1_000) * 255 // 4_000
    one, other = np.nonzero(ties)
    window = {row["counter"]: row["amount"] for row in run.table("counts_county").to_pylist() if row["start_day"] == 1}
    found = spread(window)
    assert found["assortativity"] == pytest.approx(np.corrcoef(score[one], score[other])[0, 1])
    assert found["mean"] == pytest.approx(score.mean() / 255)
    assert found["deviation"] == pytest.approx(score.std() / 255)
    assert spread({"tie_ends": 0})["mean"] is None
    same = {"tie_ends": 4, "tie_scores": 8, "tie_squares": 16, "tie_products": 16}
    assert spread(same)["assortativity"] is None


# Nothing else is moved


def test_ratings_without_pull_change_nobody(tmp_path):
    """With a pull of 0 all columns and all other counts are those without ratings."""
    common = {"world": "town", "people": 2_000, "days": 56}
    columns = [Columns(), Columns()]
    levels = ", ".join(f'"{level}": 2' for level in range(1, 9))
    peers = (
        "peers={rate: {value: 1, per: day, basis: assumed}, weighted: true, "
        "conduct: {values: {" + levels + "}, basis: assumed}, pull: {value: 0, per: exchange, basis: assumed}}"
    )
    without = live(tmp_path / "a", **common, observers=[columns[0]])
    idle = live(tmp_path / "b", **common, observers=[columns[1]], overrides=[peers])
    assert_same_lives(columns[0].by_day[56], columns[1].by_day[56])
    assert without.manifest["result_hash"] == idle.manifest["result_hash"]
    own = ("rating", "tie_")
    found = {name: n for name, n in totals(idle).items() if not name.startswith(own)}
    assert found == {name: n for name, n in totals(without).items() if not name.startswith(own)}
    assert totals(idle)["ratings"] > 10_000
    assert not totals(without).get("tie_ends")


@pytest.fixture(scope="module")
def nosedive(tmp_path_factory):
    """Seventeen weeks of 1,500 people who rate each other, and the columns at the end."""
    columns = Columns()
    common = {"world": "town", "people": 1_500, "days": 119}
    run = live(tmp_path_factory.mktemp("nosedive") / "run", "nosedive-2016", **common, observers=[columns])
    return run, columns.by_day[119], common


def test_oracle_and_loop_agree(tmp_path):
    """In every column and count, with everything on: household, prejudice, strain, weights, whole stars, records."""
    changes = [
        "peers.prejudice={against: minority, stars: {value: 0.7, basis: assumed}}",
        "points={charity: {value: 5, basis: assumed}, jaywalking: {value: -9, basis: assumed}}",
        'reporting.seen="0.9 per act"',
        "remedies.correction=9 per year",
        "remedies.repair={rate: {value: 2, per: year, basis: assumed}, points: {value: 30, basis: assumed}}",
    ]
    for overrides in ([], changes[:3], changes):
        regime, world, columns = load_regime("nosedive-2016", overrides), load_world("town", people=250), Columns()
        run = live(tmp_path / str(len(overrides)), regime, "town", 250, days=100, observers=[columns])
        assert_same(regime, world, run, columns.by_day[100])
        assert totals(run)["ratings_raised"] > 100


def test_one_hash(nosedive, tmp_path, monkeypatch):
    """Threads, blocks, a stop on the way and traits drawn anew change no bit."""
    run, _, common = nosedive
    with pytest.raises(errors.Interrupted):
        live(tmp_path / "stopped", "nosedive-2016", **common, stop=StopAfter(5))
    monkeypatch.setattr("underheaven.engine.run.KEEP_TRAITS_UP_TO", 0)
    others = [
        live(tmp_path / "stopped", "nosedive-2016", **common, resume=True),
        live(tmp_path / "threads", "nosedive-2016", **common | {"threads": 2}, blocks_per_task=1),
    ]
    for other in others:
        assert other.manifest["result_hash"] == run.manifest["result_hash"]
        assert totals(other) == totals(run)


def test_lives_are_lived_again(nosedive):
    """Single lives come out as in the run, and tell of ratings."""
    run, state, _ = nosedive
    reliving = Reliving(run)
    for citizen in range(3, 1_500, 200):
        life = reliving.life(citizen)
        assert reliving.oracle.columns(life.person) == columns_of(state, citizen)
        told = [step for step in life.steps if step.kind == "rated"]
        assert any("conduct alone would have earned" in words.sentence(step) for step in told)


# What is shown


def test_audit_chart_and_description(nosedive, tmp_path):
    """Figures are ratios of counts; there are a finding, a chart and sentences; without ratings there is nothing."""
    run, _, _ = nosedive
    found, counted = audit(run), totals(run)
    part = found["peers"]
    assert part["unearned_share"]["numerator"] == counted["ratings_raised"] + counted["ratings_lowered"]
    assert part["ratings"] == counted["ratings"]
    assert part["assortativity"][0] is None  # all start alike
    assert -1 < part["assortativity"][1] < 1
    assert part["lowest_tier"][0]["value"] == 0
    finding = next(f for f in found["findings"] if f["id"] == "unearned_ratings")
    assert finding["value"] == part["unearned_share"]["value"]
    innocent = next(f for f in found["findings"] if f["id"] == "innocent_share")
    assert (innocent["value"], innocent["text"][:14]) == (None, "Not measurable")
    chart = next(chart for chart in all_charts(run) if chart.name == "stars")
    altair.Chart.from_dict(chart.spec)
    assert chart.records[0]["stars"] == pytest.approx(4.2, abs=0.02)
    assert chart.rows[0][3] == "all the same"
    sentences = " ".join(describe(run.regime)["sentences"])
    assert "Friends, and those who live together, rate each other" in sentences
    assert "counts the more" in sentences
    other = live(tmp_path / "other", "rongcheng-2016", "town", 500, days=7)
    assert audit(other)["peers"] is None
    assert "stars" not in [chart.name for chart in all_charts(other)]


def test_nobody_rated_is_not_measurable(tmp_path):
    """Without a rating there is no share of unearned ones."""
    run, _ = lived(tmp_path, people=50, rate=q(0, per="day"))
    finding = next(f for f in audit(run)["findings"] if f["id"] == "unearned_ratings")
    assert (finding["value"], finding["unit"]) == (None, "not measurable")


SCORELESS = {"peers": ratings(), "lists": [{"name": "one", "on": {"jaywalking": q(1, per="record")},
             "term": {"law": "fixed", "mean": q("9 days")}}]}  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (SCORELESS, "ratings move a score, and there is none"),
        (SCALE | {"peers": ratings(), "context_wall": True}, "take the wall out, or `peers`"),
        (SCALE | {"peers": ratings(), "remedies": {"expiry": q("2 years")}}, "no record that could expire"),
        (SCALE | {"peers": ratings(levels=LEVELS | {"9": 3})}, "'9' is no level of conscientiousness"),
        (SCALE | {"peers": ratings(levels={"1": 3})}, "conduct of level 2, 3, 4, 5, 6, 7, 8 is missing"),
        (SCALE | {"peers": ratings(levels=LEVELS | {"1": 0.5})}, "a rating has 1 to 5 stars, not 0.5"),
        (SCALE | {"peers": ratings(deference=q(1.5))}, "a deference of 1.5 would add more stars"),
        (SCALE | {"peers": ratings(mood=q(5))}, "5 stars are no difference between two ratings"),
        (SCALE | {"peers": ratings(pull=q(0.5, per="act"))}, "a chance per exchange"),
    ],
)
def test_faults_are_told(tmp_path, parts, told):
    """Each fault is one message with its place and its mend."""
    with pytest.raises(errors.FileFormError, match=told):
        made_up(tmp_path, **parts)


def test_a_group_that_the_world_does_not_have(tmp_path):
    """Prejudice against nobody is an error when the regime meets its world."""
    with pytest.raises(errors.FileFormError, match="has no group 'martian'"):
        lived(tmp_path, prejudice={"against": "martian", "stars": q(1)})
