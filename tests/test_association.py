"""Association: refusals for the household's sake and echoes of friends' scores: closed forms, oracle, what is shown."""

from __future__ import annotations

import math

import altair
import numpy as np
import pytest

from lives import Columns, StopAfter, assert_same_lives, live, made_up, q, totals
from test_levers import APPEAL, NOTICE
from test_oracle import assert_same
from test_peers import who
from test_rollout import rollout
from underheaven import errors
from underheaven.engine.exchange import next_exchange
from underheaven.engine.relive import Reliving
from underheaven.engine.run import _Life, simulate
from underheaven.institutions.peers import echo
from underheaven.life.counters import KIN_DAYS, KIN_REFUSED, KIN_WRONGLY_REFUSED, WRONGFUL_KIN_DAYS
from underheaven.life.state import KNOWS, WAS_SANCTIONED, columns_of
from underheaven.regime.reader import load_regime
from underheaven.show import life as words
from underheaven.show.charts import all_charts
from underheaven.show.describe import describe
from underheaven.study.audit import audit
from underheaven.world.reader import load_world

BAN = {"name": "ban", "on": {"jaywalking": q(0, per="record")}, "term": {"law": "fixed", "mean": q("1 year")}}
LISTED = {"lists": [BAN], "treatment": {"rail": {"lists": {"ban": "refuse"}}}}
SCALE = {"score": {"start": q(0), "floor": q(-3_000), "cap": q(3_000)}, "tiers": [{"name": "all"}]}
BOTH = (
    "association={household: {school: {value: 1, per: use, basis: assumed}, "
    "rail: {value: 0.4, per: use, basis: assumed}}, friends: {value: 0.5, basis: assumed}}"
)
WRONG = [
    "registers.false_link=0.4 per record",
    "lists.travel-ban.on.late-payment={value: 0.1, per: record, basis: assumed}",
]
STARS = (
    "peers={rate: {value: 2, per: week, basis: assumed}, weighted: true, deference: {value: 0.3, basis: assumed}, "
    'conduct: {values: {"1": 3, "2": 3, "3": 3, "4": 4, "5": 4, "6": 4, "7": 4, "8": 5}, basis: assumed}, '
    "pull: {value: 0.2, per: exchange, basis: assumed}}"
)


def begun(folder, parts, people=1_024, world=()):
    """Begin a run of made-up rules, for a state to be written into."""
    folder.mkdir(exist_ok=True)
    place = load_world("town", people=people, overrides=["exchange_days=1", *world])
    life = _Life(made_up(folder, **parts), place, 365, 5, 1, (), None)
    life.prepare()
    return life


# Friends


@pytest.mark.parametrize("weight", [0.5, 0.8])
def test_the_loop_comes_to_the_echo(tmp_path, weight):
    """What one person loses spreads over the ties of her block as linear algebra says; all lose 1 / (1 - w) of it."""
    life = begun(tmp_path, SCALE | {"association": {"friends": q(weight)}})
    _, _, ties = who()
    own = np.zeros(1_024)
    own[[17, 900]] = -20_000, 6_000  # tenths of a point; one has lost and one has gained
    life.state.score[0] = own
    for _ in range(90):
        life.live_window()
    expected = echo(own, ties, weight)
    found = life.state.score[0].astype(np.int64) + life.state.echo[0]
    assert np.abs(found - expected).max() <= 0.5 / (1 - weight)  # half a tenth is rounded away at each step
    assert expected.sum() == pytest.approx(-14_000 / (1 - weight))
    assert (life.state.score[0] == own).all()
    assert not life.state.true_echo.any()
    assert np.abs(found - own).max() > 1_000


def test_an_echo_reaches_the_tier(tmp_path):
    """Three friends at the floor put a citizen into the lower grade, in the file only where theirs are wrong."""
    parts = SCALE | {"tiers": [{"name": "up", "from": q(-900)}, {"name": "down"}],
                     "treatment": {"rail": {"tiers": {"down": "refuse"}}},
                     "association": {"friends": q(0.5)}}  # fmt: skip
    life = begun(tmp_path, parts)
    _, _, ties = who()
    friends = np.flatnonzero(ties[40])[:3]
    life.state.score[0, friends] = -30_000
    life.state.true_score[0, friends[0]] = -30_000
    life.live_window()
    assert life.state.echo[0, 40] == -11_250
    assert life.state.true_echo[0, 40] == -3_750
    assert life.state.flags[40] & WAS_SANCTIONED
    county = dict(zip(life.book.county[0][:, 3].tolist(), life.book.county[0][:, 4].tolist(), strict=True))
    lowered = (life.state.echo[0] < -9_000) & (life.state.score[0] == 0)
    names = life.tables()["counts_stratum"].to_pylist()
    found = {name: sum(r["amount"] for r in names if r["counter"] == name) for name in {r["counter"] for r in names}}
    assert found["echo_lowered_days"] == lowered.sum() >= 1
    assert found["echo_wrongly_lowered_days"] == lowered.sum() - (lowered & (life.state.true_echo[0] < -9_000)).sum()
    assert county


# Household


def kin(tmp_path, chance, *, true=False, days=300):
    """List the head of each household of two and more; return (life, counts by counter, who has a listed housemate)."""
    parts = LISTED | {"association": {"household": {"rail": q(chance, per="use")}}}
    life = begun(
        tmp_path, parts, world=["services.rail.rate={value: 0.2, per: day, basis: assumed}", "exchange_days=10"]
    )
    _, heads, _ = who()
    sizes = np.bincount(heads, minlength=1_024)[heads]
    is_head = heads == np.arange(1_024)
    listed = is_head & (sizes > 1)
    life.state.list_until[0, listed] = 400
    life.state.flags[listed] = WAS_SANCTIONED | KNOWS
    if true:
        life.state.true_list_until[0, listed] = 400
    while life.day < days:
        life.live_window()
    return life, life.book.stratum.sum(axis=0), ~is_head


def test_refusals_for_the_household(tmp_path):
    """Housemates of the listed are refused with the chance, all wrongly if the list is wrong; they learn nothing."""
    life, every, housemates = kin(tmp_path / "1", 1)
    _, some, _ = kin(tmp_path / "2", 0.4)
    _, rightly, _ = kin(tmp_path / "3", 1, true=True)
    wishes = int(every[KIN_REFUSED])
    assert wishes > 10_000
    assert abs(some[KIN_REFUSED] - 0.4 * wishes) < 4 * math.sqrt(wishes * 0.4 * 0.6)
    assert every[KIN_WRONGLY_REFUSED] == wishes
    assert some[KIN_WRONGLY_REFUSED] == some[KIN_REFUSED]
    assert (rightly[KIN_REFUSED], rightly[KIN_WRONGLY_REFUSED]) == (wishes, 0)
    assert every[KIN_DAYS] == every[WRONGFUL_KIN_DAYS] == rightly[KIN_DAYS] == housemates.sum() * 300
    assert rightly[WRONGFUL_KIN_DAYS] == 0
    assert not (life.state.flags[housemates] & (KNOWS | WAS_SANCTIONED)).any()
    assert (life.state.refused[housemates] > 0).mean() > 0.99


def test_another_of_the_household_would_have_been_listed(tmp_path):
    """Where the file lists the one and the truth the other, the refusal of a third is not wrongful."""
    life = begun(tmp_path, LISTED | {"association": {"household": {"rail": q(1, per="use")}}})
    _, heads, _ = who()
    head = next(h for h in heads if (heads == h).sum() == 3)
    life.state.list_until[0, head], life.state.flags[head] = 400, WAS_SANCTIONED
    life.state.true_list_until[0, head + 1] = 400
    life.live_window()
    days = life.book.stratum.sum(axis=0)
    # The truth spares the head, whom the file lists: wrongful to the second, but the third has the second in truth.
    assert (days[KIN_DAYS], days[WRONGFUL_KIN_DAYS]) == (2, 1)


def test_a_suspended_sanction_touches_nobody_else(tmp_path):
    """While an appeal suspends a sanction, the household is served."""
    remedies = {"notice": q(1, per="sanction"), "appeal": {
        "deadline": q("30 days"), "decision": q("300 days"), "reviewers_per_million": q(10),
        "cases_per_reviewer_day": q(1), "suspends": True, "finds_error": q(1, per="appeal"),
        "lenient": q(0, per="appeal")}}  # fmt: skip
    life = begun(tmp_path, LISTED | {"remedies": remedies, "association": {"household": {"rail": q(1, per="use")}}})
    life.state.list_until[0], life.state.flags[:] = 400, WAS_SANCTIONED
    life.state.appeal_day[:] = 300
    life.live_window()
    assert life.book.stratum.sum(axis=0)[KIN_DAYS] == 0


# Nothing else is moved


@pytest.mark.parametrize("nothing", ["association={}", "association.household.school=0"])
def test_without_strength_nobody_is_changed(tmp_path, nothing):
    """Without a rule, or with a chance of 0, all columns and all other counts are the same."""
    common = {"world": "town", "people": 3_000, "days": 112}
    columns = [Columns(), Columns()]
    none = "association=null"
    without = live(tmp_path / "a", **common, observers=[columns[0]], overrides=[none])
    idle = live(tmp_path / "b", **common, observers=[columns[1]], overrides=[nothing])
    assert_same_lives(columns[0].by_day[112], columns[1].by_day[112])
    assert without.manifest["result_hash"] == idle.manifest["result_hash"]
    own = ("kin_days", "wrongful_kin_days")
    assert {k: v for k, v in totals(idle).items() if k not in own} == totals(without)
    assert ("kin_days" in totals(idle)) == ("household" in nothing)


def test_oracle_and_loop_agree(tmp_path):
    """In every column and count: alone, behind walls with appeals and expiry, and together with ratings."""
    ratings = [
        "association.friends={value: 0.3, basis: assumed}",
        "association.household={job: {value: 0.6, per: use, basis: assumed}}",
    ]
    walls = [BOTH, "context_wall=true", "remedies.expiry=1 year", NOTICE, APPEAL, "remedies.appeal.suspends=true"]
    for name, overrides, days in (
        ("press-2018", [BOTH], 210),
        ("press-2018", walls, 400),
        ("nosedive-2016", ratings, 70),
    ):
        regime, world, columns = load_regime(name, overrides), load_world("town", people=60), Columns()
        run = live(tmp_path / f"{name}{days}", regime, "town", 60, days=days, observers=[columns])
        assert_same(regime, world, run, columns.by_day[days])
        assert totals(run)["echo_lowered_days"] > 0


@pytest.fixture(scope="module")
def bound(tmp_path_factory):
    """Half a year of 2,500 people who bear for household and friends, and the columns at the end."""
    columns, common = Columns(), {"world": "town", "people": 2_500, "days": 182, "overrides": [BOTH, *WRONG]}
    run = live(tmp_path_factory.mktemp("bound") / "run", **common, observers=[columns])
    return run, columns.by_day[182], common


def test_one_hash(bound, tmp_path, monkeypatch):
    """Threads, blocks, a stop on the way and traits drawn anew change no bit."""
    run, _, common = bound
    with pytest.raises(errors.Interrupted):
        live(tmp_path / "stopped", **common, stop=StopAfter(9))
    monkeypatch.setattr("underheaven.engine.run.KEEP_TRAITS_UP_TO", 0)
    others = [
        live(tmp_path / "stopped", **common, resume=True),
        live(tmp_path / "threads", **common | {"threads": 2}, blocks_per_task=1),
    ]
    for other in others:
        assert other.manifest["result_hash"] == run.manifest["result_hash"]
        assert totals(other) == totals(run)


def test_lives_are_lived_again(bound):
    """Single lives come out as in the run, and tell of what is borne for others."""
    run, state, _ = bound
    reliving, told = Reliving(run), set()
    for citizen in range(2, 2_500, 100):
        life = reliving.life(citizen)
        assert reliving.oracle.columns(life.person) == columns_of(state, citizen)
        told |= {words.sentence(step) for step in life.steps if step.kind in ("echo", "refused-for-kin")}
    assert "stands in a lower grade for the company of her friends" in told


def test_a_refusal_for_another_is_told(bound):
    """It names the ground and whether the truth would have called for it."""
    step = words._WORDS["refused-for-kin"]
    assert step("school", {"wrongly": False}) == "is refused for the sake of somebody in her household: school"
    assert step("school", {"wrongly": True}).endswith("which the truth would not call for")


@pytest.mark.parametrize("order", [0, 1])
def test_in_a_roll_out(tmp_path, order):
    """Echoes, kin and ratings begin and end with their regime, and the oracle follows."""
    world, columns = load_world("city", people=700), Columns()
    regimes = [load_regime("press-2018", [BOTH]), load_regime("press-2018")]
    rated = load_regime("press-2018", [STARS])
    rules = rollout(regimes[order], (rated, 21, ["Town *"]), (regimes[1 - order], 42, []))
    run = simulate(rules, world, days=84, seed=5, threads=1, out=tmp_path / "run", observers=[columns])
    assert_same(rules, world, run, columns.by_day[84])
    assert totals(run)["echo_lowered_days"] > 0
    assert totals(run)["ratings"] > 0
    assert audit(run)["peers"]["ratings"] == totals(run)["ratings"]
    reliving = Reliving(run)
    for citizen in (5, 333, 650):
        assert reliving.oracle.columns(reliving.life(citizen).person) == columns_of(columns.by_day[84], citizen)


def test_the_exchange_needs_nothing_of_it(tmp_path):
    """Household and friends are of one block, so institutions hand nothing over for them."""
    life = begun(tmp_path, SCALE | {"association": {"friends": q(0.5)}})
    tables, _ = next_exchange(life.phases, life.census, 0, None, 0, life.book.memory)
    assert not [name for name in tables.dtype.names if "echo" in name or "kin" in name]


# What is shown


def test_audit_chart_and_description(bound, tmp_path):
    """Figures are ratios of counts; there are findings, a chart and sentences; without the section there is nothing."""
    run, _, _ = bound
    found, counted = audit(run), totals(run)
    household, friends = found["association"]["household"], found["association"]["friends"]
    assert household["refused"] == counted["kin_refused"] > 0
    assert household["wrongful_days_share"]["numerator"] == counted["wrongful_kin_days"] > 0
    assert household["share_of_days"]["denominator"] == 2_500 * 182
    assert friends["lowered_days"] == counted["echo_lowered_days"]
    told = {finding["id"]: finding for finding in found["findings"]}
    assert told["kin_refused"]["value"] == counted["kin_refused"]
    assert told["lowered_by_friends"]["value"] == counted["echo_lowered_days"] / (2_500 * 182)
    chart = next(chart for chart in all_charts(run) if chart.name == "association")
    altair.Chart.from_dict(chart.spec)
    drawn = sum(r["per_1000"] for r in chart.records if r["ground"] == "for the household")
    assert drawn * 2_500 * 7 / 1_000 == pytest.approx(counted["kin_days"])
    sentences = " ".join(describe(run.regime)["sentences"])
    assert "another adult of the household is sanctioned by rail, it refuses 40.0% of the uses" in sentences
    assert "50.0% of the mean comes onto one’s own" in sentences
    other = live(tmp_path / "other", "rongcheng-2016", "town", 500, days=7)
    assert audit(other)["association"] is None
    assert "association" not in [chart.name for chart in all_charts(other)]
    idle = live(tmp_path / "idle", "press-2018", "town", 60, days=7, overrides=[BOTH])
    findings = {finding["id"]: finding for finding in audit(idle)["findings"]}
    assert "asked in vain" in findings["kin_refused"]["text"]
    assert audit(idle)["association"]["household"]["wrongly_refused_share"]["value"] is None


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (LISTED | {"association": {"household": {"school": q(1, per="use")}}}, "'school' sanctions nobody"),
        (LISTED | {"association": {"household": {"rial": q(1, per="use")}}}, "did you mean 'rail'"),
        (LISTED | {"association": {"household": {"rail": q(1, per="act")}}}, "a chance per use"),
        (LISTED | {"association": {"friends": q(0.5)}}, "friends' scores come onto a score, and there is none"),
        (SCALE | {"association": {"friends": q(1)}}, "write less than 1"),
        (SCALE | {"association": {"colleagues": q(1)}}, "colleagues"),
    ],
)
def test_faults_are_told(tmp_path, parts, told):
    """Each fault is one message with its place and its mend."""
    with pytest.raises(errors.FileFormError, match=told):
        made_up(tmp_path, **parts)
