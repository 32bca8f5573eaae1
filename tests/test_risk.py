"""The learned risk score: what it sees, whom it flags, what a flag does, and the arithmetic of its errors."""

from __future__ import annotations

import csv
import math
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lives import Columns, StopAfter, assert_same_lives, live, made_up, q, totals
from test_oracle import assert_same
from test_rollout import rollout
from underheaven import errors
from underheaven.engine.exchange import of_model
from underheaven.engine.relive import Reliving
from underheaven.engine.run import _Life, simulate
from underheaven.institutions import risk_model
from underheaven.institutions.risk_model import NOBODY, cut, fitted_weights, keyed_sample, levels_of
from underheaven.institutions.sight import Sight
from underheaven.life.state import AT_RISK, TRULY_AT_RISK, State
from underheaven.life.tables import N_LEVELS, N_RISK_ROWS
from underheaven.regime.reader import load_regime
from underheaven.regime.reform import load_reformed
from underheaven.show.charts import all_charts
from underheaven.show.describe import describe
from underheaven.study.audit import audit
from underheaven.study.risk import RATES, confusion, implied_false_positive_rate
from underheaven.world.places import build_places
from underheaven.world.reader import load_world

DATA = Path(__file__).parent / "data"
FEATURES = ["age", "sex", "urban", "education", "income", "group", "occupation", "travel", "children", "name",
            "tier", "listed", "refusals", "friends"]  # fmt: skip
SOON = ["risk.horizon=2 weeks", "risk.retrain=3 weeks"]
NOTICE_AND_APPEAL = [
    "remedies.notice=1", "remedies.correction=12 per year",
    "remedies.appeal={deadline: {value: 1 year, basis: assumed}, decision: {value: 2 weeks, basis: assumed},"
    " reviewers_per_million: {value: 5000, basis: assumed}, cases_per_reviewer_day: {value: 5, basis: assumed},"
    " suspends: false, finds_error: {value: 0.9, per: appeal, basis: assumed},"
    " lenient: {value: 0.3, per: appeal, basis: assumed}}",
]  # fmt: skip


def risk(**more):
    """Return the section `risk` as plain data."""
    return {"retrain": q("3 weeks"), "horizon": q("2 weeks"), "flagged": q(0.1, per="person"),
            "features": ["income", "tier"]} | more  # fmt: skip


def a_score(**more):
    """Return the parts of a small regime with a score that jaywalking and late payment lower."""
    return {
        "score": {"start": q(100), "floor": q(0), "cap": q(200)},
        "tiers": [{"name": "good", "from": q(90)}, {"name": "bad"}],
        "points": {"jaywalking": q(-5), "late-payment": q(-20)},
        "cameras": {"per_1000": q(500), "half_view": q(100)},
    } | more


def without_risk_counts(run):
    """Return the counts of a run but for those of the risk score."""
    return {name: n for name, n in totals(run).items() if n and not name.startswith("risk_")}


@pytest.fixture(scope="module")
def pressed(tmp_path_factory):
    """A run of press-2018 on 6,000 people over 70 days that learns every three weeks."""
    columns = Columns()
    run = live(tmp_path_factory.mktemp("risk") / "run", people=6_000, days=70, overrides=SOON, observers=[columns])
    return run, columns.by_day


# What it leaves alone


def test_flagging_nobody_is_living_without(tmp_path):
    """A score that flags nobody leaves every column and every other count as without one."""
    nobody = live(tmp_path / "nobody", people=6_000, days=70, overrides=[*SOON, "risk.flagged=0"])
    without = live(tmp_path / "without", regime=load_reformed("press-2018 + without-risk-score"), people=6_000, days=70)
    assert totals(nobody)["risk_windows/cleared/did"] > 0
    assert nobody.manifest["result_hash"] == without.manifest["result_hash"]
    assert without_risk_counts(nobody) == without_risk_counts(without)
    assert not any(name.startswith("risk_") and n for name, n in totals(without).items())
    assert audit(without)["risk"] is None


def test_a_score_that_no_service_heeds(tmp_path):
    """Flags without treatment change no column but their own two bits, and no other count."""
    columns = [Columns(), Columns()]
    shadow = [*SOON, "treatment.credit.risk=null", "treatment.job.risk=null"]
    run = live(tmp_path / "run", people=6_000, days=70, overrides=shadow, observers=[columns[0]])
    other = live(tmp_path / "other", people=6_000, days=70, overrides=[*shadow, "risk.flagged=0"],
                 observers=[columns[1]])  # fmt: skip
    one, two = columns[0].by_day[70], columns[1].by_day[70]
    assert (one.flags & AT_RISK).any()
    assert_same_lives(one._replace(flags=one.flags & ~np.uint16(AT_RISK | TRULY_AT_RISK)), two)
    assert without_risk_counts(run) == without_risk_counts(other)


def test_the_first_model_waits_for_its_horizon(pressed):
    """Nobody is flagged before there is something to learn from; flags change only as a window starts."""
    _, by_day = pressed
    assert not (by_day[14].flags & (AT_RISK | TRULY_AT_RISK)).any()
    assert (by_day[21].flags & AT_RISK).any()


# What it sees


def test_the_model_never_sees_the_truth():
    """Whatever the truth is, the model looks at the same and learns the same."""
    life = _Life(load_regime("press-2018", SOON), load_world("town", people=3_000), 70, 7, 1, (), None)
    life.prepare()
    while life.day < 28:
        life.live_window()
    model, rules = life.phases.institutions[0].risk_model, life.compiled.rules[0]
    memory = of_model(life.book.memory, 0)
    seen = []
    for truth in (0, 77):
        lie = {name: array + truth for name, array in life.state._asdict().items() if name.startswith("true_")}
        flags = life.state.flags ^ np.uint16(TRULY_AT_RISK if truth else 0)
        sight = Sight.of(35, 7, life.people, life.state._replace(flags=flags, **lie))._replace(rules=rules)
        seen.append(model.look(sight, memory))
    assert seen[0].keys() == seen[1].keys()
    for name in seen[0]:
        np.testing.assert_array_equal(seen[0][name], seen[1][name], err_msg=name)
    assert not np.array_equal(seen[0]["risk_weights"], memory["risk_weights"])


def test_host_and_loop_add_up_the_same(pressed):
    """What the institution would flag from the columns is whom the loop flags as the next window starts."""
    run, by_day = pressed
    life = _Life(run.regime, run.world, 70, 5, 1, (), None)
    life.prepare()
    weights, bar = handed_over(run, 49)
    everybody = np.arange(6_000)
    sight = Sight.of(49, 5, life.people, by_day[49])._replace(rules=life.compiled.rules[0])
    levels = levels_of(sight, everybody, life.kept_traits.astype(np.int64))
    risks = weights[np.arange(N_RISK_ROWS)[None, :], levels].sum(axis=1)
    np.testing.assert_array_equal(risks >= bar, by_day[56].flags & AT_RISK > 0)
    true = by_day[49]._replace(score=by_day[49].true_score, list_until=by_day[49].true_list_until)
    levels = levels_of(sight._replace(state=true), everybody, life.kept_traits.astype(np.int64))
    risks = weights[np.arange(N_RISK_ROWS)[None, :], levels].sum(axis=1)
    np.testing.assert_array_equal(risks >= bar, by_day[56].flags & TRULY_AT_RISK > 0)


def handed_over(run, day):
    """Return the weights and the cut that hold on a day."""
    found = {}
    for row in run.table("exchange/tables").to_pylist():
        if row["day"] <= day and row["name"].startswith("risk_"):
            found[row["name"]] = np.frombuffer(row["data"], "<i8").reshape(row["shape"])[0]
    return found["risk_weights"], int(found["risk_cut"])


def test_the_sample_is_keyed(monkeypatch):
    """The smallest draws make the sample, however the people are gone through; more people only push some out."""

    def sample(people, seed=3):
        tables = SimpleNamespace(block_first=np.array([0, people]), block_county=np.array([0]))
        return keyed_sample(Sight.of(0, seed, tables, None), 20_000)

    whole = sample(50_000)
    assert len(whole) == 20_000
    assert len(np.unique(whole)) == 20_000
    monkeypatch.setattr(risk_model, "_CHUNK", 1_024)
    np.testing.assert_array_equal(sample(50_000), whole)
    fewer = sample(30_000)
    assert set(whole[whole < 30_000]) <= set(fewer)
    assert len(sample(150)) == 150
    assert not np.array_equal(sample(50_000, seed=4), whole)


# What it learns


def test_it_learns_the_odds():
    """With one feature the model's weights differ by the log odds ratio of the table, a closed form."""
    counts = {0: (3_000, 600), 1: (1_500, 1_100), 2: (900, 1_600)}  # level: people, of them fallen
    levels = np.concatenate([np.full(n, level) for level, (n, _) in counts.items() if level < 2])[:, None]
    fallen = np.concatenate([np.arange(n) < k for level, (n, k) in counts.items() if level < 2])
    weights = fitted_weights(levels, fallen, np.array([4]))
    odds = math.log(1_100 / 400) - math.log(600 / 2_400)
    error = math.sqrt(1 / 1_100 + 1 / 400 + 1 / 600 + 1 / 2_400)
    assert abs((weights[4, 1] - weights[4, 0]) / 256 - odds) < error / 4  # far within one standard error of the data
    assert not np.delete(weights, 4, axis=0).any()
    np.testing.assert_array_equal(fitted_weights(levels[::-1], fallen[::-1], np.array([4])), weights)


def test_nothing_can_be_learnt_of_all_or_nobody(tmp_path):
    """Where nobody has fallen no model is made, and nobody is flagged."""
    still = made_up(tmp_path, **a_score(points={"jaywalking": q(5)}, risk=risk()))
    run = live(tmp_path / "run", regime=still, people=2_000, days=49)
    assert not any(name.startswith("risk_windows") and n for name, n in totals(run).items())
    found = audit(run)
    assert found["risk"]["false_positive_rate"]["value"] is None
    told = {finding["id"]: finding for finding in found["findings"]}
    assert told["risk_innocent"]["unit"] == "not measurable"
    assert "No model had been learnt" in told["risk_innocent"]["text"]
    assert not [chart for chart in all_charts(run) if chart.name == "risk"]


@pytest.mark.parametrize(
    ("risks", "flagged", "expected"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], Fraction(1, 5), 9),
        ([1, 2, 3, 4], Fraction(0), NOBODY),
        ([4, 3, 2, 1], Fraction(1), 1),
        ([0] * 20, Fraction(1, 20), NOBODY),  # all alike: to flag all is farther from a twentieth than nobody
        ([0] * 20, Fraction(3, 4), 0),
        ([5, 5, 1, 1, 1, 1, 1, 1, 1, 1], Fraction(1, 10), NOBODY),  # two are as far from one as none
        ([7, 5, 5, 5, 1, 1, 1, 1, 1, 1], Fraction(3, 10), 5),
    ],
)
def test_the_cut(risks, flagged, expected):
    """The cut is that whose share is nearest to what is asked; of two as near, the higher."""
    assert cut(np.array(risks), flagged) == expected


def test_as_many_are_flagged_as_were_asked_for(tmp_path):
    """With traits alone the share of all people is that of the sample, within 4 standard errors."""
    features = ["income", "education", "occupation", "urban", "age", "sex", "travel", "name", "children"]
    regime = made_up(tmp_path, **a_score(risk=risk(features=features)))
    columns = Columns()
    live(tmp_path / "run", regime=regime, people=60_000, days=21, observers=[columns])
    share = (columns.by_day[21].flags & AT_RISK > 0).mean()
    # The cut is a quantile of 20,000 of them, and the flagged are some of 60,000.
    error = math.sqrt(0.1 * 0.9 * (1 / 20_000 - 1 / 60_000))
    assert abs(share - 0.1) < 4 * error + 0.001  # people who are alike share a sum, so the cut is no finer than that


# One life, however it is computed


@pytest.mark.parametrize("explain", ["true", "false"])
def test_the_oracle_agrees(tmp_path, explain):
    """Every feature, notice, appeals, correction and walls: loop and oracle agree in every column and count."""
    changes = [*SOON, *NOTICE_AND_APPEAL, f"risk.explain={explain}", "risk.flagged=0.2", "context_wall=true",
               f"risk.features={FEATURES}".replace("'", ""), "treatment.hospital.risk=last"]  # fmt: skip
    regime, world, columns = load_regime("press-2018", changes), load_world("town", people=300), Columns()
    run = live(tmp_path / "run", regime, "town", 300, days=200, observers=[columns])
    assert_same(regime, world, run, columns.by_day[200])
    found = totals(run)
    assert found["risk_flags"] > 0
    assert bool(found.get("risk_appeals_lost")) == (explain == "false")


@pytest.mark.parametrize("how", [{"threads": 2}, {"blocks_per_task": 1}, {"threads": 2, "blocks_per_task": 3}])
def test_one_hash(pressed, tmp_path, how):
    """Threads and block sizes change nothing."""
    run = live(tmp_path / "run", people=6_000, days=70, overrides=SOON, **how)
    assert run.manifest["result_hash"] == pressed[0].manifest["result_hash"]
    assert totals(run) == totals(pressed[0])


@pytest.mark.parametrize("window", [1, 2, 3, 4])
def test_resumed_it_learns_nothing_twice(pressed, tmp_path, window):
    """Stopped before, at and after a look or a training, a run ends in the same bytes, its tables included."""
    with pytest.raises(errors.Interrupted):
        live(tmp_path / "run", people=6_000, days=70, overrides=SOON, stop=StopAfter(window))
    run = live(tmp_path / "run", people=6_000, days=70, overrides=SOON, resume=True)
    assert run.manifest["result_hash"] == pressed[0].manifest["result_hash"]
    for name in ("counts_county", "counts_group", "blocks", "exchange/tables"):
        assert run.table(name).equals(pressed[0].table(name)), name


def test_a_roll_out_of_scores(tmp_path):
    """A score that comes to some counties is learnt there alone; another one later; oracle and loop agree."""
    world = load_world("city", people=900)
    none, soon = load_regime("press-2018", ["risk=null"]), load_regime("press-2018", [*SOON, "risk.flagged=0.2"])
    other = load_regime("press-2018", [*SOON, "risk.features=[age, sex]", "remedies.notice=1", "context_wall=true"])
    phases = (soon, 21, ["Town *"]), (other, 49, ["Town *"]), (none, 84, ["Town 1*"])
    rules, columns = rollout(none, *phases), Columns()
    run = simulate(rules, world, days=112, seed=5, threads=2, out=tmp_path / "run", observers=[columns])
    places = build_places(world)
    in_towns = np.repeat([name.startswith("Town") for name in places.names], places.sizes)
    assert not (columns.by_day[35].flags & AT_RISK).any()  # fourteen days after its first look
    assert (columns.by_day[49].flags & AT_RISK)[in_towns].any()
    assert not any((state.flags & AT_RISK)[~in_towns].any() for state in columns.by_day.values())
    assert_same(rules, world, run, columns.by_day[112])
    assert audit(run)["risk"]["features"] == list(soon.risk.features)
    Reliving(run).life(int(np.flatnonzero(columns.by_day[112].flags & AT_RISK)[0]))


def test_a_flagged_life_is_lived_again(pressed, monkeypatch):
    """Lives are told from the stored weights: nothing is learnt again, and the flags are among the steps."""
    monkeypatch.setattr(risk_model, "fitted_weights", None)
    run, by_day = pressed
    lives = Reliving(run)
    flagged = np.flatnonzero(by_day[70].flags & AT_RISK)[:5].tolist()
    wrongly = np.flatnonzero(by_day[70].flags & (AT_RISK | TRULY_AT_RISK) == AT_RISK)[:1].tolist()
    for citizen in [*flagged, *wrongly]:
        kinds = [(step.kind, step.told.get("wrongly")) for step in lives.life(citizen).steps]
        assert "flagged" in [kind for kind, _ in kinds]


# What a flag does


def test_a_flag_cannot_be_contested(tmp_path):
    """Where nothing is explained an appeal against a flag alone is lost, however often mercy is shown; else not."""
    common = {"people": 6_000, "days": 120}
    always = [*SOON, *NOTICE_AND_APPEAL, "remedies.appeal.lenient=1", "remedies.appeal.finds_error=1"]
    opaque = totals(live(tmp_path / "opaque", overrides=always, **common))
    told = totals(live(tmp_path / "told", overrides=[*always, "risk.explain=true"], **common))
    assert opaque["risk_appeals_lost"] == opaque["appeals_lost"] > 100
    assert told.get("appeals_lost", 0) == told.get("risk_appeals_lost", 0) == 0


def test_a_false_record_behind_a_flag(tmp_path):
    """Whoever is told why she is flagged has a false record corrected; else she does not know of it."""
    common = {"people": 6_000, "days": 120}
    changes = [*SOON, "remedies.notice=1", "remedies.correction=12 per year", "fines=null"]
    opaque = totals(live(tmp_path / "opaque", overrides=changes, **common))
    told = totals(live(tmp_path / "told", overrides=[*changes, "risk.explain=true"], **common))
    assert told["corrections"] > 2 * opaque.get("corrections", 0)


def test_refused_for_what_is_expected(tmp_path):
    """With a refusal for the flagged alone only they are refused, and the days are those of the flag."""
    regime = made_up(tmp_path, **a_score(risk=risk(), treatment={"credit": {"risk": "refuse"}}))
    found = totals(live(tmp_path / "run", regime=regime, people=6_000, days=70))
    assert found["refused/credit"] > 0
    assert found["risk_alone_days"] == found["sanction_days"]
    windows = sum(found[f"risk_windows/flagged/{did}"] for did in ("did", "did-nothing"))
    assert 7 * (windows - 1) < found["sanction_days"] + 7 and found["sanction_days"] == 7 * windows


# The arithmetic of errors


def test_four_rates_leave_no_choice(pressed):
    """In every stratum of an audit the false positive rate is what the three others leave (Chouldechova 2017)."""
    found = audit(pressed[0])["risk"]
    rows = [found, *(row for rows in found["strata"].values() for row in rows)]
    checked = 0
    for row in rows:
        p, ppv, fnr, fpr = (
            row[rate]["value"]
            for rate in ("prevalence", "positive_predictive_value", "false_negative_rate", "false_positive_rate")
        )
        if None not in (p, ppv, fnr, fpr) and ppv > 0:
            assert abs(implied_false_positive_rate(p, ppv, fnr) - fpr) <= 1e-12
            checked += 1
    assert checked > 15


COMPAS = list(csv.DictReader((DATA / "compas_confusion_by_group.csv").read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("row", COMPAS, ids=[f"{r['score']}-{r['cut']}-{r['group']}" for r in COMPAS])
def test_the_compas_tables(row):
    """The published aggregate tables of COMPAS (ProPublica 2016): the identity holds in each of the eight."""
    cells = (int(row[key]) for key in ("TP_high_recid", "FP_high_noRecid", "FN_low_recid", "TN_low_noRecid"))
    found = {rate: figure["value"] for rate, figure in confusion(*cells).items() if isinstance(figure, dict)}
    implied = implied_false_positive_rate(
        found["prevalence"], found["positive_predictive_value"], found["false_negative_rate"]
    )
    assert abs(implied - found["false_positive_rate"]) <= 1e-12
    published = {
        "Black": (0.514340, 0.448468, 0.279853, 0.629715, 0.650460),
        "White": (0.393643, 0.234543, 0.477226, 0.591335, 0.711875),
    }
    if row["score"] == "general" and row["cut"] == "medium+high" and row["group"] in published:
        rates = ("prevalence", "false_positive_rate", "false_negative_rate", "positive_predictive_value",
                 "negative_predictive_value")  # fmt: skip
        assert [found[rate] for rate in rates] == pytest.approx(published[row["group"]], abs=5e-7)


def test_equal_errors_are_impossible():
    """Equal PPV and FNR with unequal prevalence force unequal FPR; one cut through two normal curves."""
    assert implied_false_positive_rate(0.3, 0.6, 0.35) == pytest.approx(0.185714, abs=5e-7)
    assert implied_false_positive_rate(0.5, 0.6, 0.35) == pytest.approx(0.433333, abs=5e-7)
    assert implied_false_positive_rate(1.0, 0.6, 0.35) is None
    fpr, tpr = (math.erfc((1 - mean) / math.sqrt(2)) / 2 for mean in (0, 1.5))
    for p, ppv in ((0.1, 0.326260), (0.3, 0.651304), (0.5, 0.813373)):
        found = p * tpr / (p * tpr + (1 - p) * fpr)
        assert found == pytest.approx(ppv, abs=5e-7)
        assert implied_false_positive_rate(p, found, 1 - tpr) == pytest.approx(fpr, abs=1e-12)
    assert (fpr, 1 - tpr) == pytest.approx((0.158655, 0.308538), abs=5e-7)


def test_a_rate_of_nobody_is_not_measurable():
    """Rates without a denominator are None, never 0."""
    found = confusion(0, 0, 0, 0)
    assert all(found[rate]["value"] is None for rate in RATES)


# What people see


def test_the_audit_and_the_chart(pressed):
    """Rates by income and group, headlines, a chart with its table; an unlooked-at trait differs all the same."""
    run, _ = pressed
    found = audit(run)
    seen = found["risk"]
    assert seen["windows"] == sum(row["windows"] for row in seen["strata"]["income"]) == 6_000 * 8
    assert seen["fairness"]["income"]["is_feature"] and not seen["fairness"]["sex"]["is_feature"]
    assert 0 < seen["fairness"]["sex"]["demographic_parity_ratio"] < 1  # by proxy
    assert seen["weights"][0]["logits"] > 0 > seen["weights"][-1]["logits"]
    assert {row["feature"] for row in seen["weights"]} <= set(seen["features"])
    told = {finding["id"]: finding for finding in found["findings"]}
    assert 0 < told["risk_innocent"]["value"] < 1
    assert "although the model does not look at the group" in told["risk_groups"]["text"]
    chart = next(chart for chart in all_charts(run) if chart.name == "risk")
    assert len(chart.records) == 20
    assert chart.how_to_read.startswith("Each line is a rate of one income tenth")


def test_the_page_of_a_regime_tells_of_it():
    """What it looks at, how often it is learnt, and that nobody is told why."""
    told = " ".join(describe(load_regime("press-2018"))["sentences"])
    assert "flags the 5% of people" in told and "no appeal and no correction can remove it" in told
    assert "is told why, and may" in " ".join(describe(load_regime("press-2018", ["risk.explain=true"]))["sentences"])
    walled = " ".join(describe(load_regime("press-2018", ["context_wall=true"]))["sentences"])
    assert "A wall between contexts does not hold it" in walled
    credit = next(row for row in describe(load_regime("press-2018"))["services"] if row["name"] == "credit")
    assert "grade C, flagged by the model: refused 50% of the time" in credit["worse"]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (a_score(risk=risk(retrain=q("1 week"))), "learnt every 7 days from what 14 days bring; write `14 days`"),
        (a_score(risk=risk(horizon=q("0 days"))), "0 days cannot be learnt from"),
        (a_score(risk=risk(features=["income", "income"])), "`income` stands here twice"),
        (a_score(risk=risk(features=["incme"])), "did you mean 'income'"),
        (a_score(risk=risk(features=[])), "features"),
        (a_score(risk=risk(features=["listed"])), "`listed` says nothing, because there are no lists"),
        (a_score(risk=risk(flagged=q(0.1, per="use"))), "write `per: person`"),
        ({"risk": risk(features=["income"])}, "here nobody can; write `score:` or `lists:` first"),
        (a_score(risk=risk(), treatment={"shop": {"risk": "perk"}}), "a risk score only makes treatment worse"),
    ],
)
def test_mistakes(tmp_path, parts, words):
    """Each mistake of the section is told with its mend."""
    with pytest.raises(errors.FileFormError) as caught:
        made_up(tmp_path, **parts)
    assert words in str(caught.value)


def test_state_has_no_new_column(pressed):
    """The score costs no byte of state: its two flags are bits."""
    assert pressed[0].manifest["bytes_per_citizen"] <= 14
    assert State._fields[6] == "flags"
    assert N_LEVELS == 16
