"""Cameras and patrols that follow what they find: published results, and the rule in a run."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lives import Columns, StopAfter, live, made_up, q, totals
from test_audit import by_hand
from test_oracle import assert_same
from test_rollout import rollout
from underheaven import errors
from underheaven.engine.relive import Reliving
from underheaven.engine.run import simulate
from underheaven.institutions.patrols import (
    MOST,
    Patrols,
    corrected,
    greedy,
    hottest,
    incidents,
    largest_remainder,
    moved,
    send,
    urn,
    words_of,
)
from underheaven.life.tables import UNIT
from underheaven.regime.reader import load_regime
from underheaven.regime.reform import load_reformed
from underheaven.rng import ONE
from underheaven.show.describe import describe
from underheaven.show.patrols import OTHERS, cameras
from underheaven.study.audit import audit
from underheaven.study.counts import Counts
from underheaven.study.patrols import FEWEST_ACTS, _gap, camera_findings, concentration
from underheaven.world.reader import load_world

TOP1, TOP2, RANDOM = 3.68511, 2.816466, 2.35592  # incidents a day in three areas of Oakland (Ensign and others 2018)
EVEN = ["cameras.allocation={rule: even}"]
STAY = "cameras.allocation.moves=0"
HOT_SPOTS = "cameras.allocation.hot_spots={value: 3, basis: assumed}"
NONE = ["cameras.allocation=null"]


def agrees(sample, published, published_error=0.0):
    """Hold a mean against a published one within 4 standard errors of both."""
    sample = np.asarray(sample, float)
    error = math.hypot(sample.std(ddof=1) / math.sqrt(len(sample)), published_error)
    assert sample.mean() == pytest.approx(published, abs=4 * error)


# Published results ----------------------------------------------------------------------------------------------------


def test_luck_becomes_destiny():
    """Two areas alike: the days that one is watched follow a beta-binomial law (Ensign and others 2018)."""
    _, visits = urn(1, 5_000, 1_000, (1, 1), (1, 1))
    days = visits[:, 0]
    assert (visits.sum(axis=1) == 1_000).all()
    agrees(days / 1_000, 0.5)
    agrees((days - 500.0) ** 2, 288.964**2)
    agrees(days <= 100, 0.100899)


def test_an_early_lead_lasts():
    """Five finds against one at the start: the area keeps five sixths of the days, whatever is true."""
    _, visits = urn(2, 5_000, 1_000, (5, 1), (1, 1))
    agrees(visits[:, 0] / 1_000, 0.833333)
    agrees(visits[:, 0] < 500, 0.0314056)


@pytest.mark.parametrize(("start", "sd", "tenth"), [(2, 0.223607, 0.1958), (10, 0.109109, 0.35793)])
def test_limit_laws_of_the_urn(start, sd, tenth):
    """The share of one area tends to a beta law with the counts of the start."""
    counts, _ = urn(3, 4_000, 2_000, (start, start), (1, 1))
    share = counts[:, 0] / counts.sum(axis=1)
    agrees((share - 0.5) ** 2, sd**2)
    agrees(share < tenth, 0.1)
    agrees(share > 1 - tenth, 0.1)


@pytest.mark.parametrize(("days", "share", "error"), [(100, 0.553943, 0.0046), (1_000, 0.597226, 0.0045)])
def test_a_small_difference_grows(days, share, error):
    """With one tenth more to find, an area takes more and more of the patrols."""
    counts, _ = urn(4, 4_000, days, (1, 1), (1.1, 1))
    agrees(counts[:, 0] / counts.sum(axis=1), share, error)


@pytest.mark.parametrize(
    ("start", "other", "share", "error"),
    [
        ((609, 379), TOP2, 0.701384, 0.00033),
        ((6.09, 3.79), TOP2, 0.836776, 0.00246),
        ((609, 7), RANDOM, 0.994298, 0.00005),
    ],
    ids=["top2 strong", "top2 weak", "random strong"],
)
def test_oakland_runs_away(start, other, share, error):
    """Patrols by records in Oakland leave the truth (0.567 and 0.610) behind."""
    counts, _ = urn(5, 4_000, 1_000, start, (TOP1, other))
    agrees(counts[:, 0] / counts.sum(axis=1), share, error)


@pytest.mark.parametrize(
    ("start", "other", "days", "cities", "share", "error"),
    [
        ((609, 379), TOP2, 1_000, 4_000, 0.580257, 0.0002),
        ((6.09, 3.79), TOP2, 1_000, 4_000, 0.567554, 0.00027),
        ((609, 7), RANDOM, 1_000, 4_000, 0.842502, 0.00066),
        ((609, 379), TOP2, 20_000, 100, 0.567836, 0.00017),
        ((609, 7), RANDOM, 20_000, 100, 0.61554, 0.0002),
    ],
    ids=["top2 strong", "top2 weak", "random strong", "top2 strong, long", "random strong, long"],
)
def test_oakland_corrected(start, other, days, cities, share, error):
    """With finds kept by the inverse of the watching, shares go back to the truth: 0.566803 and 0.610014."""
    counts, _ = urn(6, cities, days, start, (TOP1, other), is_corrected=True)
    agrees(counts[:, 0] / counts.sum(axis=1), share, error)


def test_the_rule_of_a_run_on_oakland():
    """Sent on by the rule of a run, without chance, a million cameras end where the mean-field law says: 0.70188."""
    rule = Patrols("by-records", ONE, UNIT, 0, ())
    counts, cameras_ = [609 * UNIT, 379 * UNIT], largest_remainder(10**6, [609, 379])
    for _ in range(1_000):
        parts = [int(rate * n * UNIT / 10**6) for rate, n in zip((TOP1, TOP2), cameras_, strict=True)]
        counts = [c + p for c, p in zip(counts, parts, strict=True)]
        cameras_ = rule.send_on(cameras_, counts, [1, 1])
        assert sum(cameras_) == 10**6
    x, y = counts[0] / UNIT / 609, counts[1] / UNIT / 379
    assert math.log(y) / math.log(x) == pytest.approx(TOP2 / TOP1, abs=0.001)
    assert cameras_[0] / 10**6 == pytest.approx(0.70188, abs=0.0005)


RATES = (8, 6, 4, 3, 1.5)  # incidents a day at five sites (D'Amour and others 2020)


def attention(weights=None, placed=None, days=1_000, seeds=20):
    """Return incidents found and there, [seed, site]; one unit finds one incident at most."""
    found, there = np.zeros((2, seeds, len(RATES)))
    for seed in range(seeds):
        units = np.zeros((days, len(RATES)), int)
        for k in range(6) if placed is None else ():
            words = words_of(seed, days, 0, k)
            units[np.arange(days), send(words[0], np.tile(np.array(weights, float), (days, 1)))] += 1
        for site, rate in enumerate(RATES):
            came = incidents(words_of(seed, days, 1, site)[0], rate)
            watched = units[:, site] if placed is None else placed[site]
            found[seed, site], there[seed, site] = np.minimum(came, watched).sum(), came.sum()
    return found, there


def test_evenly_placed_units():
    """Six units on five sites at random find 5,288.55 in 1,000 days and miss 17,211.5 (D'Amour and others 2020)."""
    found, there = attention(weights=(1, 1, 1, 1, 1))
    agrees(found.sum(axis=1), 5288.55)
    agrees((there - found).sum(axis=1), 17211.5)
    for site, a_day in enumerate((1.19646, 1.18301, 1.12297, 1.04044, 0.745654)):
        agrees(found[:, site] / 1_000, a_day)
    shares = found / there
    agrees(shares[:, 4] - shares[:, 0], 0.347545)


def test_units_by_known_rates():
    """Placed in proportion to the true rates they find 5,696.44, and the sites are watched almost alike."""
    found, there = attention(weights=RATES)
    agrees(found.sum(axis=1), 5696.44)
    agrees((found / there)[:, 0] - (found / there)[:, 4], 0.0721108)


def test_greedy_units():
    """Placed where each finds most they find 5,944.75, and two sites are never looked at."""
    placed = greedy(RATES, 6)
    assert placed == [3, 2, 1, 0, 0]
    found, there = attention(placed=placed)
    agrees(found.sum(axis=1), 5944.75)
    agrees((found / there)[:, 0], 0.372861)


def test_incidents_are_poisson():
    """Mean and variance are the rate."""
    numbers = incidents(words_of(8, 50_000, 0, 0)[0], 3.0)
    agrees(numbers, 3.0)
    agrees((numbers - 3.0) ** 2, 3.0)


def oakland_cells():
    """Return the cells of Oakland: incidents recorded in 2010 and 2011, and days among the daily targets."""
    path = Path(__file__).parent / "data" / "oakland_bins_recorded_and_targeted.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    return [[int(row[key]) for row in rows] for key in ("recorded_2010", "recorded_2011", "days_in_daily_top20_of_368")]


def test_targets_of_predictive_policing_are_concentrated():
    """The stored targets of Lum and Isaac (2016) are far more concentrated than the records behind them."""
    before, recorded, targeted = oakland_cells()
    alike = [1] * 661
    assert concentration(targeted, alike) == pytest.approx(0.959, abs=0.0005)
    assert concentration(before, alike) == pytest.approx(0.809, abs=0.0005)
    assert (sum(n > 0 for n in targeted), sum(n > 184 for n in targeted), targeted.count(368)) == (52, 19, 5)
    assert sum(sorted(targeted)[-20:]) / sum(targeted) == pytest.approx(0.741, abs=0.0005)
    assert sum(sorted(recorded)[-20:]) / sum(recorded) == pytest.approx(0.345, abs=0.0005)


def test_hot_spots_of_oakland_concentrate():
    """Sent to the 20 cells with most records, patrols never learn that the truth is the same everywhere."""
    before, _, targeted = oakland_cells()
    alike, days = [1] * 661, 368
    rule = Patrols("hot-spots", ONE, UNIT, 20, ())
    counts, patrol_days = [n * UNIT for n in before], [0] * 661
    for day in range(days):
        watched = largest_remainder(20 * 1_000, rule.wanted(counts, alike))
        assert sum(n > 0 for n in watched) >= 20
        patrol_days = [p + n for p, n in zip(patrol_days, watched, strict=True)]
        there = incidents(words_of(9, 661, day, 0)[0], 0.1).tolist()
        found = [n if w else 0 for n, w in zip(there, watched, strict=True)]
        counts = rule.remember(counts, found, there, [0] * 661).tolist()
    ends = concentration(patrol_days, alike)
    assert ends > concentration(targeted, alike) > concentration(before, alike)
    assert concentration(counts, alike) > concentration(before, alike)


# The parts of the rule ------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**15), st.lists(st.integers(0, 10**12), min_size=1, max_size=30).filter(any))
def test_nothing_is_lost_in_sharing_out(total, weights):
    """Parts add up exactly, none is more than one away from its quota, and no weight means no part."""
    parts = largest_remainder(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert part in (total * weight // sum(weights), total * weight // sum(weights) + 1)
        assert weight or not part


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=20), st.integers(0, ONE))
def test_cameras_are_neither_made_nor_lost(areas, moves):
    """Whatever is wanted and moved, their number stays; without a wish or a move so does each area's."""
    now, wanted = [a for a, _ in areas], [b for _, b in areas]
    assert sum(moved(now, wanted, moves)) == sum(now)
    assert min(moved(now, wanted, moves)) >= 0
    assert moved(now, wanted, 0) == now
    assert moved(now, [0] * len(now), moves) == now


def test_hot_spots_by_person_and_ties():
    """Most records per person, not most records; who ties for the last place shares it; no record, no spot."""
    assert hottest([30, 20, 5], [100, 10, 10], 1) == [0, 10, 0]
    first, second, third = hottest([9, 4, 4], [1, 1, 1], 2)
    assert (first, second) == (2 * second, third)
    assert hottest([0, 7, 0], [5, 5, 5], 3) == [0, 5, 0]
    assert hottest([0, 0], [5, 5], 1) == [0, 0]


def test_counts_fade_are_corrected_and_end():
    """Half is kept, finds weigh by the inverse of what is seen, truth by what was done, and counts stop at an end."""
    seen = [ONE // 4, ONE // 2]
    by = {rule: Patrols(rule, ONE, UNIT // 2, 0, ()) for rule in ("by-records", "by-records-corrected", "by-truth")}
    after = {name: rule.remember([8 * UNIT, 0], [1, 3], [5, 6], seen) / UNIT for name, rule in by.items()}
    assert after["by-records"].tolist() == [5, 3]
    assert after["by-records-corrected"].tolist() == [8, 6]
    assert after["by-truth"].tolist() == [9, 6]
    assert corrected(1, 0) == 0
    assert by["by-records-corrected"].remember([0], [10**9], [0], [1]).tolist() == [MOST]


def test_concentration():
    """In proportion 0, with one of n equal places (n - 1) / n, and nothing to measure without cameras or acts."""
    assert concentration([3, 6, 9], [1, 2, 3]) == pytest.approx(0)
    assert concentration([0, 0, 0, 5], [1, 1, 1, 1]) == pytest.approx(0.75)
    assert concentration([5, 5], [10, 0]) == pytest.approx(0.5)
    assert concentration([0, 0], [1, 1]) is None
    assert concentration([1, 1], [0, 0]) is None


# In a run -------------------------------------------------------------------------------------------------------------


def two_districts(urban, people=2_000):
    """Return a world of two districts with as many people each."""
    number = "{{value: {}, basis: assumed}}"
    districts = ", ".join(
        f"{{name: {name}, people: {number.format(people // 2)}, urban: {number.format(share)}}}"
        for name, share in zip("AB", urban, strict=True)
    )
    return load_world("town", people, [f"places.districts=[{districts}]"])


def names_of(run):
    """Return the names of the counties."""
    return [county["name"] for county in run.manifest["counties"]]


def held(run):
    """Return the cameras by county at each exchange that moved some."""
    rows = [row for row in run.table("exchange/tables").to_pylist() if row["name"] == "cameras"]
    return {row["day"]: np.frombuffer(row["data"], "<i8") for row in rows}


def last_shares(tmp_path, world, rule, days, seeds=20):
    """Return the share of the first district at the end, and of the acts that cameras look for, by seed."""
    regime = load_regime("hot-spot-cameras", [f"cameras.allocation.rule={rule}", "cameras.allocation.moves=0.5"])
    shares, acts = [], []
    for seed in range(seeds):
        run = simulate(regime, world, days=days, seed=seed, threads=1, out=tmp_path / rule / str(seed))
        last = held(run)[days - 7]
        done = [county["done"] for county in audit(run)["cameras"]["counties"]]
        shares.append(last[0] / last.sum())
        acts.append(done[0] / sum(done))
    return np.array(shares), np.array(acts)


def test_equal_counties_have_equal_expected_shares(tmp_path):
    """Two districts alike: each seed parts them, and neither is favoured."""
    shares, _ = last_shares(tmp_path, two_districts((0.5, 0.5)), "by-records", 56)
    agrees(shares, 0.5)
    assert shares.std() > 0.005


def test_cameras_run_away_and_are_brought_back(tmp_path):
    """Where a little more is done, records bring far more cameras; corrected records bring them in proportion."""
    world = two_districts((1, 0))
    followed, acts = last_shares(tmp_path, world, "by-records", 98)
    assert followed.mean() - acts.mean() > 0.05
    assert followed.min() > acts.max()
    fair, acts = last_shares(tmp_path, world, "by-records-corrected", 56)
    agrees(fair - acts, 0)


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """Half a year in a city of 4,000 whose cameras follow their finds."""
    columns = Columns()
    folder = tmp_path_factory.mktemp("followed") / "run"
    run = live(folder, "hot-spot-cameras", people=4_000, days=182, observers=[columns])
    return run, columns.by_day[182]


@pytest.mark.parametrize(
    "still", [EVEN, [STAY], ["cameras.allocation.rule=by-truth", STAY]], ids=["even", "by-records", "by-truth"]
)
def test_cameras_that_stay_change_nobody(tmp_path, still):
    """`even`, and any rule that moves no camera, is bit-identical to a regime without the section."""
    settings = {"people": 4_000, "days": 63}
    for number, more in enumerate(([], ["cameras.growth=0.5 per year", "cameras.urban_ratio=3"])):
        without = live(tmp_path / f"without{number}", "hot-spot-cameras", overrides=[*NONE, *more], **settings)
        run = live(tmp_path / f"still{number}", "hot-spot-cameras", overrides=[*still, *more], **settings)
        assert run.manifest["result_hash"] == without.manifest["result_hash"]
        assert totals(run) == totals(without)
        assert run.table("counts_county").equals(without.table("counts_county"))


def test_cameras_that_follow_change_lives(followed, tmp_path):
    """The rule moves results; at each exchange the number of cameras is the same to the last part."""
    run, _ = followed
    without = live(tmp_path / "run", "hot-spot-cameras", people=4_000, days=182, overrides=NONE)
    assert run.manifest["result_hash"] != without.manifest["result_hash"]
    standing = held(run)
    assert len(standing) == 26
    assert {int(array.sum()) for array in standing.values()} == {80 * UNIT}
    assert (held(without)[0] == -1).all()


def test_the_first_exchanges_of_one_seed(followed):
    """The tables of the second exchange follow from the counts of the first window, as the description says."""
    run, _ = followed
    found = np.zeros(22, np.int64)
    names = names_of(run)
    for row in run.table("counts_county").to_pylist():
        if row["start_day"] == 0 and row["counter"] == "probes":
            found[names.index(row["county"])] = row["amount"]
    before, after = held(run)[0], held(run)[7]
    expected = before * 0.8 + 0.2 * before.sum() * found / found.sum()
    assert after == pytest.approx(expected, abs=1)
    seen = [row for row in run.table("exchange/tables").to_pylist() if row["name"] == "seen" and row["day"] == 7]
    in_view = np.frombuffer(seen[0]["data"], "<i8").reshape(22, 5)[:, 1] / ONE
    people = np.array([county["people"] for county in run.manifest["counties"]])
    assert in_view == pytest.approx(1 - 2 ** (-1000 * after / UNIT / people / 200), abs=1e-5)


def test_loop_and_oracle_agree(followed):
    """The oracle lives the same lives, in every column and count."""
    run, state = followed
    assert_same(run.regime, run.world, run, state, blocks=[0, 9, 21])


def test_a_life_lived_again(followed):
    """From the stored tables alone."""
    run, _ = followed
    reliving = Reliving(run)
    for citizen in (0, 2_000, 3_999):
        assert reliving.life(citizen).citizen == citizen


@pytest.mark.parametrize("how", [{"threads": 2}, {"blocks_per_task": 1}, {"checkpoint_seconds": 0.0}], ids=str)
def test_one_hash(followed, tmp_path, how):
    """Threads, blocks and checkpoints change nothing, in the tables neither."""
    run = live(tmp_path / "run", "hot-spot-cameras", people=4_000, days=182, **how)
    assert run.manifest["result_hash"] == followed[0].manifest["result_hash"]
    assert run.table("exchange/tables").equals(followed[0].table("exchange/tables"))


def test_interrupted_is_unbroken(followed, tmp_path):
    """What the rule remembers goes into the checkpoint."""
    with pytest.raises(errors.Interrupted):
        live(tmp_path / "run", "hot-spot-cameras", people=4_000, days=182, stop=StopAfter(5))
    run = live(tmp_path / "run", "hot-spot-cameras", people=4_000, days=182, resume=True)
    assert run.manifest["result_hash"] == followed[0].manifest["result_hash"]
    assert run.table("exchange/tables").equals(followed[0].table("exchange/tables"))


def test_growing_cameras_grow_where_they_stand(tmp_path):
    """With growth their number rises as the file says, and shares are moved as before."""
    grows = ["cameras.growth=1 per year"]
    run = live(tmp_path / "run", "hot-spot-cameras", people=4_000, days=70, overrides=grows)
    standing = held(run)
    assert standing[63].sum() == pytest.approx(80 * UNIT * (1 + 63 / 365), abs=22)


def test_a_roll_out_of_the_rule(tmp_path):
    """Cameras move only between the counties under the rule, from its day on; told alike, the rule is no change."""
    still, moving = (load_regime("hot-spot-cameras", more) for more in (NONE, []))
    world = load_world("city", people=4_000)
    run = simulate(rollout(still, (moving, 28, ["Town *"])), world, days=70, seed=5, threads=1, out=tmp_path / "run")
    towns = np.array([county["name"].startswith("Town") for county in run.manifest["counties"]])
    standing = held(run)
    assert sorted(standing) == [0, 28, 35, 42, 49, 56, 63]
    assert standing.pop(0).tolist() == [-1]  # one row for all
    assert all((array[~towns] == -1).all() for array in standing.values())
    assert len({int(array[towns].sum()) for array in standing.values()}) == 1
    assert (standing[63][towns] != standing[28][towns]).any()
    told = audit(run)["cameras"]
    assert len(told["counties"]) == towns.sum() == 12
    assert told["counties"][0]["cameras_at_start"] == standing[28][towns][0] / UNIT
    assert [row["day"] for row in told["concentration"]["over_time"]] == [28, 35, 42, 49, 56, 63]
    assert {row["county"] for row in cameras(Counts(run)).records} <= {OTHERS, *np.array(names_of(run))[towns]}
    assert Reliving(run).life(3_500).county in np.array(names_of(run))[towns]
    again = load_regime("hot-spot-cameras")
    rolled = simulate(rollout(moving, (again, 28, ["Town *"])), world, days=70, seed=5, threads=1, out=tmp_path / "b")
    alone = simulate(moving, world, days=70, seed=5, threads=1, out=tmp_path / "c")
    assert rolled.manifest["result_hash"] == alone.manifest["result_hash"]
    assert {day: array.tolist() for day, array in held(rolled).items()} == {
        day: array.tolist() for day, array in held(alone).items()
    }


# The file -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allocation", "path", "message"),
    [
        ({"rule": "even", "moves": q(0.2, per="exchange")}, "moves", "under `even` no camera moves"),
        ({"rule": "even", "half_life": q("1 year")}, "half_life", "there is no `half_life`; take it out"),
        ({"rule": "even", "hot_spots": q(1)}, "hot_spots", "there is no `hot_spots`; take it out"),
        ({"rule": "by-records"}, "allocation", "does not say what share of the cameras it moves; write `moves:"),
        (
            {"rule": "by-records", "moves": q(1, per="exchange"), "half_life": q("0 days")},
            "half_life",
            "less than a day; write at least `1 day`",
        ),
        (
            {"rule": "by-truth", "moves": q(1, per="exchange"), "hot_spots": q(2)},
            "hot_spots",
            "`by-truth` has no hot spots; take `hot_spots` out",
        ),
        ({"rule": "hot-spots", "moves": q(1, per="exchange")}, "allocation", "how many there are; write `hot_spots:"),
        (
            {"rule": "hot-spots", "moves": q(1, per="exchange"), "hot_spots": q(0)},
            "hot_spots",
            "cameras need a place to go to; write 1 or more",
        ),
        ({"rule": "by-records", "moves": q(0.2, per="record")}, "moves", "not per record; write `per: exchange`"),
        ({"rule": "by-record"}, "rule", "by-records"),
    ],
    ids=str,
)
def test_faults_of_the_section(tmp_path, allocation, path, message):
    """Each is found at its place and says what to write instead."""
    with pytest.raises(errors.FileFormError) as caught:
        made_up(tmp_path, cameras={"per_1000": q(5), "half_view": q(100), "allocation": allocation})
    finding = next(finding for finding in caught.value.findings if message in finding.text)
    assert path in finding.where.path


def test_the_reform_corrects(tmp_path):
    """`corrected-cameras` lays its rule over any that moves cameras, hot spots too, and refuses a regime without."""
    reformed = load_reformed("hot-spot-cameras + corrected-cameras")
    assert reformed.cameras.allocation.rule == "by-records-corrected"
    assert reformed.cameras.allocation.moves.exact == load_regime("hot-spot-cameras").cameras.allocation.moves.exact
    with pytest.raises(errors.FileFormError, match="nothing to correct"):
        load_reformed("press-2018 + corrected-cameras")


def test_the_rule_on_the_page_of_the_terminal(capsys):
    """`underheaven show` names the rule beside its numbers."""
    from underheaven.cli import main

    assert main(["show", "hot-spot-cameras"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"allocation\.rule +by-records", told)
    assert re.search(r"allocation\.moves +0\.2 per exchange", told)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (NONE, None),
        (EVEN, "Cameras stay where they are."),
        (
            [],
            "20% of the cameras are sent on, in proportion to the acts that cameras have found there",
        ),
        (["cameras.allocation.rule=by-records-corrected"], "each counted the less, the more of the place is in view"),
        (["cameras.allocation.rule=by-truth"], "no real system could know them"),
        (
            ["cameras.allocation.rule=hot-spots", HOT_SPOTS, "cameras.allocation.moves=0.5"],
            "50% of the cameras are sent on, to the 3 counties where cameras have found most for each person.",
        ),
    ],
    ids=str,
)
def test_the_rule_in_words(overrides, sentence):
    """The page of a regime says where its cameras go."""
    told = describe(load_regime("hot-spot-cameras", overrides))["sentences"]
    if sentence is None:
        assert len(told) == len(describe(load_regime("hot-spot-cameras", EVEN))["sentences"]) - 1
    else:
        assert any(sentence in line for line in told)


# What is told of a run ------------------------------------------------------------------------------------------------


def test_the_audit_of_cameras(followed):
    """Gap and concentration are those of the stored tables, and the headline says them."""
    run, _ = followed
    found = audit(run)
    told, standing = found["cameras"], held(run)
    counters = [f"done/{act}" for act in ("jaywalking", "smoking-in-public", "fare-dodging")]
    done = [sum(row.values()) for row in Counts(run).counties(counters).values()]
    per_act = standing[175] / np.array(done)
    assert told["rules"] == ["by-records"]
    assert told["gap"]["end"]["times"]["value"] == pytest.approx(per_act.max() / per_act.min())
    assert told["gap"]["end"]["most"] == run.manifest["counties"][int(per_act.argmax())]["name"]
    assert told["concentration"]["start"] == pytest.approx(concentration(standing[0].tolist(), done))
    assert told["concentration"]["end"] > told["concentration"]["start"]
    assert [row["day"] for row in told["concentration"]["over_time"]] == list(range(0, 182, 7))
    (finding,) = [finding for finding in found["findings"] if finding["id"] == "camera_gap"]
    assert finding["value"] == told["gap"]["end"]["times"]["value"]
    assert told["gap"]["end"]["most"] in finding["text"]


def test_nothing_to_tell_without_a_rule():
    """A regime without the section has no figures of it, no finding and no chart."""
    found = audit(by_hand({}))
    assert found["cameras"] is None
    assert "camera_gap" not in {finding["id"] for finding in found["findings"]}
    assert cameras(Counts(by_hand({}))) is None


def test_what_cannot_be_measured_is_said(followed):
    """Few acts, no gap; a county without cameras makes no ratio; one county has nothing to compare."""
    told = audit(followed[0])["cameras"]
    assert _gap(["a", "b"], [5, 6], [500, FEWEST_ACTS - 1]) is None
    gap = _gap(["a", "b", "c"], [0, 6, 3], [500, 300, 100])
    assert (gap["most"], gap["least"], gap["times"]["value"]) == ("c", "a", None)
    (no_acts,) = camera_findings(told | {"gap": {"start": None, "end": None}})
    assert (no_acts["value"], no_acts["unit"]) == (None, "not measurable")
    end = told["gap"]["end"] | {"times": {"numerator": 1, "denominator": 0, "value": None}}
    (blind,) = camera_findings(told | {"gap": {"start": end, "end": end}})
    assert blind["value"] is None
    assert "has no camera at all" in blind["text"]
    assert camera_findings(told | {"counties": told["counties"][:1]}) == []


def test_the_chart_of_cameras(followed):
    """The two most and the least watched county, and the rest: cameras and acts done, adding up to all of both."""
    run, _ = followed
    chart = cameras(Counts(run))
    last = [row for row in chart.records if row["day"] == max(r["day"] for r in chart.records)]
    assert [row["county"] for row in last][-1] == OTHERS
    assert len(last) == 4
    assert sum(row["cameras"] for row in last) == pytest.approx(80)
    assert sum(row["people"] for row in last) == 4_000
    names = ("jaywalking", "smoking-in-public", "fare-dodging")
    assert sum(row["acts"] for row in chart.records) == sum(totals(run)[f"done/{name}"] for name in names)
    assert last[0]["cameras_per_1000"] >= last[1]["cameras_per_1000"] > last[3]["cameras_per_1000"]
    assert last[2]["cameras_per_1000"] < last[3]["cameras_per_1000"]
    assert len(chart.rows) == len(chart.records)
