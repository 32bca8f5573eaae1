"""Institutions against closed forms: recognition, registers, queues, appeals, attribution."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from underheaven.institutions.attribution import act_shares, hazard_gaps
from underheaven.institutions.cameras import Cameras, Recognition, Review
from underheaven.institutions.courts import CASE, NO_DECISION, THOUSANDTHS, Appeals
from underheaven.institutions.hospitals import FULLEST, Hospitals, cobham_waits
from underheaven.institutions.registers import NO_LINKING, Registers
from underheaven.life.tables import N_LOOKS, N_NAMES
from underheaven.rng import ONE

NPL_PER_COMPARISON = 1.67e-8  # computed from the false alerts of a street test (docs/explanation/evidence.md)


def recognition(**changes):
    """Make an error model with the street test's rates."""
    settings = {
        "is_national": True,
        "size": None,
        "miss": (0.11,) * N_LOOKS,
        "false_match": (NPL_PER_COMPARISON,) * N_LOOKS,
        "choice": "ranked",
    }
    return Recognition(**(settings | changes))


@pytest.mark.parametrize(
    ("gallery", "fpir"),
    [(10_000, 0.000167), (740_000, 0.0123), (10_000_000, 0.154), (1_410_000_000, 1.0)],
)
def test_gallery_scaling(gallery, fpir):
    """The chance of a false candidate grows as 1 - (1 - f)^N: a city gallery holds, a national one collapses."""
    none, mean, _ = recognition().false_candidates(0, gallery)
    assert 1 - none == pytest.approx(fpir, rel=0.01)
    assert mean == pytest.approx(gallery * NPL_PER_COMPARISON)


def test_false_match_rate_that_a_nation_would_need():
    """To hold FPIR 0.003 in a gallery of 1.41 bn, f must be about 7,800 times smaller."""
    needed = -math.log1p(-0.003) / 1.41e9
    none, _, _ = recognition(false_match=(needed,) * N_LOOKS).false_candidates(0, 1_410_000_000)
    assert 1 - none == pytest.approx(0.003, rel=1e-6)
    assert NPL_PER_COMPARISON / needed == pytest.approx(7_800, rel=0.01)


@pytest.mark.parametrize("gallery", [50, 3_000])
@pytest.mark.parametrize("choice", ["ranked", "any", "every"])
def test_one_search_against_a_simulated_one(choice, gallery):
    """Right and wrong names of a search agree with drawing its candidates, within 4 standard errors."""
    law = recognition(choice=choice, miss=(0.3,) * N_LOOKS, false_match=(0.001,) * N_LOOKS)
    right, wrong_if_right, wrong_if_not = law.outcome(0, gallery, 0.0)
    draw = np.random.default_rng(5)
    n = 400_000
    found = draw.random(n) >= 0.3
    others = draw.binomial(gallery, 0.001, n)
    if choice == "every":
        named_right, wrong = found, others
    else:
        lucky = draw.random(n) < 1 / (1 + others) if choice == "any" else np.ones(n, bool)
        named_right = found & lucky
        wrong = (~named_right & (others > 0)).astype(int)
    band = 4 * 0.5 / math.sqrt(n)
    assert right == pytest.approx(named_right.mean(), abs=band)
    expected = right * wrong_if_right + (1 - right) * wrong_if_not
    assert expected == pytest.approx(wrong.mean(), abs=4 * wrong.std() / math.sqrt(n))


@given(st.floats(0, 1), st.floats(0, 0.01), st.integers(1, 10**9), st.sampled_from(["ranked", "any"]))
def test_a_search_names_one_person_at_most(miss, false_match, gallery, choice):
    """Right name, wrong name and no name are shares of one search."""
    law = recognition(choice=choice, miss=(miss,) * N_LOOKS, false_match=(false_match,) * N_LOOKS)
    right, if_right, if_not = law.outcome(0, gallery, 0.0)
    assert 0 <= right <= 1
    assert if_right == 0
    assert -1e-9 <= right + (1 - right) * if_not <= 1 + 1e-9


def test_base_rates_of_recognition():
    """Bayes: with 1 wanted face in 10,000 passers and FPIR 0.1 %, about 8 of 100 alerts are right."""
    law = recognition(size=1, false_match=(0.001,) * N_LOOKS)
    sensitivity = 1 - law.miss[0]
    fpir = 1 - law.false_candidates(0, 1)[0]
    wanted = 1e-4
    precision = wanted * sensitivity / (wanted * sensitivity + (1 - wanted) * fpir)
    assert precision == pytest.approx(0.0817, rel=0.01)


def test_constant_law_holds_its_rate():
    """Where a vendor holds the rate of false candidates, the gallery does not matter."""
    law = recognition(constant_fpir=(0.003,) * N_LOOKS)
    assert law.false_candidates(0, 10) == law.false_candidates(0, 10**9)
    assert 1 - law.false_candidates(0, 10)[0] == pytest.approx(0.003)


def test_a_matcher_that_matches_everybody():
    """With a false match rate of 1 every face is a candidate, and the right one is one of them."""
    none, mean, shared = recognition(false_match=(1.0,) * N_LOOKS).false_candidates(0, 9)
    assert (none, mean) == (0.0, 9.0)
    assert shared == pytest.approx(1 / 10)


def test_review_drops_false_and_some_true_matches():
    """A reviewer with time for everything passes the stated shares; with no time, everything."""
    law = recognition(review=Review(1.0, 0.9, 0.5), miss=(0.2,) * N_LOOKS)
    right, _, if_not = law.outcome(0, 10**9, 1.0)
    assert right == pytest.approx(0.8 * 0.9)
    assert (1 - right) * if_not == pytest.approx(0.2 * 0.5, rel=1e-3)
    assert law.outcome(0, 10**9, 0.0)[0] == pytest.approx(0.8)
    assert law.reviewed_share(matches=200, people=10, days=7) == pytest.approx(70 / 200)
    assert law.reviewed_share(matches=20, people=10, days=7) == 1.0


def test_reviewers_see_every_match_of_a_search():
    """Where every candidate enters the file a search brings many matches, else one or none."""
    looks = [5, *[0] * (N_LOOKS - 1)]
    shape = {"false_match": (1e-3,) * N_LOOKS, "miss": (0.2,) * N_LOOKS}
    spared = (1 - 1e-3) ** 2_000
    assert recognition(**shape).matches_per_search(2_000, looks) == pytest.approx(1 - 0.2 * spared)
    assert recognition(**shape, choice="every").matches_per_search(2_000, looks) == pytest.approx(0.8 + 2)
    assert recognition(**shape).matches_per_search(2_000, [0] * N_LOOKS) == 0


def test_coverage_follows_its_law():
    """At the half-view density half is seen; towns and country keep the mean density."""
    cameras = Cameras(per_1000=200, growth_per_day=0, urban_ratio=1, half_view=200)
    urban = np.array([0, ONE - 1])
    assert cameras.coverage(urban, np.array([10, 10]), 0).tolist() == [ONE // 2, ONE // 2]
    uneven = Cameras(per_1000=200, growth_per_day=0, urban_ratio=3, half_view=200)
    rural, town = uneven.coverage(urban, np.array([10, 10]), 0) / ONE
    densities = [-math.log2(1 - rural) * 200, -math.log2(1 - town) * 200]
    assert densities[1] / densities[0] == pytest.approx(3, rel=1e-6)
    assert sum(densities) / 2 == pytest.approx(200, rel=1e-6)


def test_no_cameras_no_view():
    """A density of 0 sees nothing."""
    nothing = Cameras(0, 0.1, 1, 100).coverage(np.array([ONE // 2]), np.array([5]), 100)
    assert nothing.tolist() == [0]


def test_missed_and_false_links():
    """Shares of right, wrong and no link add up, by look and by name."""
    law = Registers(True, (0.041,) * N_LOOKS, (0.001, 0.002, 0.004, 0.01))
    right, wrong = law.tables()
    assert right.shape == wrong.shape == (N_LOOKS, N_NAMES)
    assert wrong[0] / ONE == pytest.approx([0.001, 0.002, 0.004, 0.01], abs=1e-9)
    assert 1 - (right + wrong)[3] / ONE == pytest.approx([0.041] * 4, abs=1e-9)
    right, wrong = NO_LINKING.tables()
    assert (right == ONE).all()
    assert not wrong.any()


def test_cobham_against_a_queue():
    """Mean waits of three classes agree with a simulated priority queue, within 4 standard errors of batches."""
    loads, service = (0.2, 0.3, 0.3), 10.0
    waits = _queue(np.random.default_rng(3), loads, service, 300_000)
    for expected, seen in zip(cobham_waits(loads, service), waits, strict=True):
        batches = np.array([batch.mean() for batch in np.array_split(seen, 30)])
        assert expected == pytest.approx(seen.mean(), abs=4 * batches.std(ddof=1) / math.sqrt(30))


def _queue(draw, loads, service, n):
    """Simulate one doctor who always takes the first class that waits; return the waits by class."""
    rate = sum(loads) / service
    arrivals = np.cumsum(draw.exponential(1 / rate, n))
    classes = draw.choice(3, n, p=np.array(loads) / sum(loads))
    times = draw.exponential(service, n)
    waiting = [[], [], []]
    heads = [0, 0, 0]
    waits = [[], [], []]
    now, i = 0.0, 0
    while i < n or any(heads[c] < len(waiting[c]) for c in range(3)):
        if all(heads[c] == len(waiting[c]) for c in range(3)):
            now = max(now, arrivals[i])
        while i < n and arrivals[i] <= now:
            waiting[classes[i]].append(i)
            i += 1
        k = next(c for c in range(3) if heads[c] < len(waiting[c]))
        patient = waiting[k][heads[k]]
        heads[k] += 1
        waits[k].append(now - arrivals[patient])
        now += times[patient]
    return [np.array(w) for w in waits]


@given(st.lists(st.floats(0, 0.32), min_size=3, max_size=3))
def test_a_perk_for_one_is_a_wait_for_another(loads):
    """Kleinrock: the load-weighted sum of waits depends on the total load alone, so it only moves between classes."""
    total = sum(loads)
    together = cobham_waits([total], 1.0)[0] * total
    apart = math.fsum(load * wait for load, wait in zip(loads, cobham_waits(loads, 1.0), strict=True))
    assert apart == pytest.approx(together, rel=1e-9, abs=1e-12)


def test_an_overfull_queue_stays_finite():
    """Above the fullest load the waits are those at the fullest load, and finite."""
    assert cobham_waits([5.0], 1.0) == pytest.approx(cobham_waits([FULLEST], 1.0))


def test_hospital_waits_of_a_county():
    """Expected visits give the stated load: one class waits load / (1 - load) of a visit (M/M/1)."""
    hospital = Hospitals(minutes_per_visit=10, load=0.8, visits_per_day=(0.01,) * 400)
    strata = np.zeros((1, 400), np.int64)
    strata[0, 3] = 1_000_000
    visits = np.array([[0, 70_000, 0]])
    assert hospital.wait_minutes(visits, strata, 7)[0, 1] == 40


def test_appeals_wait_for_a_reviewer():
    """A backlog grows by what is filed beyond the capacity, and a decision takes its time plus the queue."""
    appeals = Appeals(decision_days=14, capacity=10 * THOUSANDTHS)  # 10 cases a day per million
    people = np.array([1_000_000])
    backlog, days = appeals.step(np.array([0]), np.array([170]), people, 7)
    assert backlog.tolist() == [100 * CASE]
    assert days.tolist() == [14 + 10]


def test_no_reviewers_no_decision():
    """Without capacity an appeal takes as long as can be counted."""
    _, days = Appeals(14, 0).step(np.array([0]), np.array([5]), np.array([1_000]), 7)
    assert days.tolist() == [NO_DECISION]


def test_wrong_names_keep_their_number():
    """The hazard of a window spreads as many wrong names as were counted in the last one."""
    wrong, pool = np.array([[5_000, 0]]), np.array([[100_000, 7]])
    gaps = hazard_gaps(wrong, pool, days=7, window_days=7)
    a_day = gaps[0, 0, 0] / ONE
    assert a_day * 100_000 * 7 == pytest.approx(5_000, rel=1e-6)
    assert gaps[0, 0, 6] / ONE == pytest.approx(1 - (1 - a_day) ** 7, rel=1e-6)
    assert not gaps[0, 1].any()


def test_acts_behind_wrong_names_keep_their_shares():
    """Cumulative shares end at certainty; nothing counted, nothing shared."""
    shares = act_shares(np.array([[1, 0, 3], [0, 0, 0]]))
    assert shares.tolist() == [[ONE // 4, ONE // 4, ONE], [0, 0, 0]]
