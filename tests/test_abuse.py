"""False reports, retaliation, and how long the innocent wait: closed forms, the oracle, and life without them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lives import Columns, StopAfter, live, made_up, q, totals
from test_closed_forms import act, world_of
from test_oracle import assert_same
from underheaven import errors
from underheaven.engine.relive import Reliving
from underheaven.engine.run import simulate
from underheaven.life.state import WAS_IN_LOWEST_TIER, columns_of
from underheaven.regime.reader import load_regime
from underheaven.regime.reform import load_reformed
from underheaven.show.abuse import ruin
from underheaven.show.describe import describe
from underheaven.study.abuse import reports_to_ruin
from underheaven.study.audit import audit
from underheaven.study.counts import Counts
from underheaven.world.reader import load_world


def shares(**values):
    return {"values": {name.replace("_", "-"): share for name, share in values.items()}, "basis": "assumed"}


def often(value, per="year"):
    return q(value, per=per)


SCORE = {
    "score": {"start": q(100), "floor": q(0), "cap": q(110)},
    "tiers": [{"name": "high", "from": q(60)}, {"name": "low"}],
    "treatment": {"rail": {"tiers": {"low": "refuse"}, "lists": {"ban": "refuse"}}},
    "lists": [
        {"name": "ban", "on": {"exposure": q(0.3, per="record")}, "term": {"law": "fixed", "mean": q("90 days")}}
    ],
    "points": {"late-payment": q(-20), "critical-post": q(-30), "exposure": q(-10)},
    "reporting": {"seen": q(0.6, per="act")},
}
ABUSE = {
    "malicious": {
        "rate": often(1),
        "varies": {"dissent": {"values": {"1": 0.5, "4": 2}, "basis": "assumed"},
                   "group": {"values": {"minority": 3}, "basis": "assumed"}},
        "acts": shares(late_payment=0.5, critical_post=0.3, exposure=0.2),
    },
    "companions": {"rate": often(0.5), "varies": {"travel": {"values": {"never": 0}, "basis": "assumed"}},
                   "acts": shares(critical_post=1)},
    "insiders": {"rate": often(0.3), "acts": shares(exposure=1)},
    "review": {"keep_false": q(0.8, per="record")},
    "retaliation": {"on": {"critical-post": q(0.7, per="act")}, "rate": often(6, "month"), "lasts": q("30 days"),
                    "acts": shares(exposure=0.5, late_payment=0.5), "lists": {"ban": q(0.4, per="record")}},
}  # fmt: skip
REMEDIES = {
    "notice": q(0.8, per="sanction"), "correction": often(4),
    "appeal": {"deadline": q("1 year"), "decision": q("15 days"), "reviewers_per_million": q(500),
               "cases_per_reviewer_day": q(4), "suspends": True, "finds_error": q(0.7, per="appeal"),
               "lenient": q(0.05, per="appeal"), "learns": "refusal"},
}  # fmt: skip


def lived(folder, regime, world="town", people=3_000, **settings):
    """Run a regime that was made up; return the run and the columns at its end."""
    columns = Columns()
    run = live(folder / "run", regime, world, people, observers=[columns], **{"days": 182} | settings)
    return run, columns.by_day[run.manifest["days"]]


@pytest.fixture(scope="module")
def harmed(tmp_path_factory):
    """Half a year under everything that the section has, with remedies."""
    folder = tmp_path_factory.mktemp("abuse")
    regime = made_up(folder, **SCORE, abuse=ABUSE, remedies=REMEDIES)
    return regime, *lived(folder, regime)


# Off, and without strength ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "abuse",
    [
        {},
        {"malicious": {"rate": often(0), "acts": shares(exposure=1)}},
        {"insiders": {"rate": often(5), "acts": shares(exposure=1)}, "review": {"keep_false": q(0, per="record")}},
        {"companions": {"rate": often(5), "acts": shares(exposure=1),
                        "varies": {"sex": {"values": {"male": 0, "female": 0}, "basis": "assumed"}}}},
        {"retaliation": ABUSE["retaliation"] | {"on": {"critical-post": q(0, per="act")}}},
        {"malicious": {"rate": often(9), "acts": shares(waste_sorting=1)}},
    ],
    ids=["empty", "no rate", "all dropped", "nobody's", "never answered", "alleging what costs nothing"],
)  # fmt: skip
def test_without_strength_nobody_changes(tmp_path, abuse):
    """No rate, a review that drops everything, no answer, an allegation that costs nothing: every score is the same."""
    plain, before = lived(tmp_path / "plain", made_up(tmp_path, **SCORE), days=56)
    other, after = lived(tmp_path / "other", made_up(tmp_path, **SCORE, abuse=abuse), days=56)
    for name in ("score", "list_until", "true_score", "true_list_until", "caution", "strain"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
    if "malicious" not in abuse or not abuse["malicious"]["rate"]["value"]:
        assert plain.manifest["result_hash"] == other.manifest["result_hash"]
        one, two = (totals(run) | {"malicious_reports_dropped": 0} for run in (plain, other))
        assert one == two


def test_the_truth_is_not_touched(tmp_path, harmed):
    """What is alleged enters no truth: those who fear nothing and are let off nothing keep their true score."""
    unmoved = ("record_caution", "sanction_caution", "friend_caution", "listing_strain")
    changes = [*(f"response.{name}=0" for name in unmoved), "services.rail.refused_strain=0"]
    quiet = load_world("town", people=3_000, overrides=changes)
    sides = []
    for number, parts in enumerate(({}, {"abuse": ABUSE})):
        columns = Columns()
        regime = made_up(tmp_path, **SCORE, **parts)
        simulate(regime, quiet, days=182, seed=5, threads=1, out=tmp_path / str(number), observers=[columns])
        sides.append(columns.by_day[182])
    np.testing.assert_array_equal(sides[0].true_score, sides[1].true_score)
    np.testing.assert_array_equal(sides[0].true_list_until, sides[1].true_list_until)
    assert (sides[0].score != sides[1].score).mean() > 0.2


# Closed forms -------------------------------------------------------------------------------------------------------


def test_reports_come_at_their_rate(tmp_path):
    """Their number is binomial, by person and day, and in proportion to the factor of the trait."""
    varies = {"sex": {"values": {"male": 2, "female": 0.5}, "basis": "assumed"}}
    kind = {"rate": often(0.004, "day"), "varies": varies, "acts": shares(late_payment=0.25, critical_post=0.75)}
    run, _ = lived(tmp_path, made_up(tmp_path, **SCORE, abuse={"malicious": kind}), people=10_000)
    rows = run.table("counts_stratum").to_pylist()
    people = run.table("people").to_pylist()
    for sex, factor in (("male", 2), ("female", 0.5)):
        n = 182 * sum(row["people"] for row in people if row["sex"] == sex)
        found = sum(r["amount"] for r in rows if r["counter"] == "malicious_records/neighbours" and r["sex"] == sex)
        p = 0.004 * factor
        assert found == pytest.approx(n * p, abs=4 * math.sqrt(n * p * (1 - p)))
    found = totals(run)
    n = found["malicious_records/neighbours"]
    assert found["false_records/late-payment"] == pytest.approx(n / 4, abs=4 * math.sqrt(n * 3 / 16))
    assert found["false_records/critical-post"] + found["false_records/late-payment"] == n


def test_review_drops_its_share(tmp_path):
    """Of false reports the stated share enters the file."""
    kind = {"rate": often(0.004, "day"), "acts": shares(exposure=1)}
    abuse = {"insiders": kind, "review": {"keep_false": q(0.3, per="record")}}
    found = totals(lived(tmp_path, made_up(tmp_path, **SCORE, abuse=abuse))[0])
    kept, dropped = found["malicious_records/insiders"], found["malicious_reports_dropped"]
    assert kept / (kept + dropped) == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / (kept + dropped)))


def test_retaliation_has_its_length(tmp_path):
    """Entries for one answered word: the rate times the days left of a geometric number of windows."""
    a_day, lasts, days = 0.1, 30, 364
    regime = made_up(
        tmp_path,
        lists=[{"name": "ban", "on": {"word": q(0, per="record")}, "term": {"law": "fixed", "mean": q("9 days")}}],
        reporting={"seen": q(0.5, per="act")},
        abuse={"retaliation": {"on": {"word": q(1, per="act")}, "rate": often(a_day, "day"), "acts": shares(word=1),
                               "lasts": q(f"{lasts} days")}},
    )  # fmt: skip
    world = world_of(people=20_000, word=act(0, 0.002, "report", speech=True))
    found = totals(simulate(regime, world, days=days, seed=3, threads=2, out=tmp_path / "run"))
    stays = (1 - 1 / lasts) ** 7
    # People are answered once while they are pursued: the chance to be free falls to its steady state, and starts
    # are a little more frequent at first.  The share pursued is small, and its change moves the mean by less than 1%.
    windows = days // 7
    means = [a_day * (3 + 7 * sum(stays**j for j in range(1, windows - w))) for w in range(windows)]
    mean = sum(means) / windows
    spread = math.sqrt((7 * a_day) ** 2 * stays / (1 - stays) ** 2 + mean)
    n = found["retaliations"]
    assert n > 5_000
    assert found["retaliation_records"] / n == pytest.approx(mean, abs=4 * spread / math.sqrt(n) + 0.01 * mean)


def test_time_to_exoneration_is_geometric(tmp_path):
    """Corrected at a rate once she knows: she waits for the next window, and then 1/p of them."""
    a_year, days = 4, 728
    regime = made_up(
        tmp_path,
        lists=[{"name": "ban", "on": {"word": q(1, per="record")}, "term": {"law": "fixed", "mean": q("49 years")}}],
        treatment={"rail": {"lists": {"ban": "refuse"}}},
        abuse={"malicious": {"rate": often(0.0002, "day"), "acts": shares(word=1)}},
        remedies={"notice": q(1, per="sanction"), "correction": often(a_year)},
    )
    world = world_of(people=20_000, word=act(0, 0, "report", speech=True))
    found = totals(simulate(regime, world, days=days, seed=3, threads=2, out=tmp_path / "run"))
    # Days waited by everybody over those whose wait has ended: the estimate that allows for waits cut off by the end.
    p = 1 - (1 - a_year / 365) ** 7
    mean = 7 * (1 / p - 1) + 4  # a report comes on a day 0..6 of its window, so 7..1 days before the next
    waited = found["denounced_error_days"] / found["exonerations"]
    assert waited == pytest.approx(mean, abs=4 * (7 / p) / math.sqrt(found["exonerations"]))
    assert found["exonerations"] > 1_000
    assert found["denounced_wrongful_days"] == found["denounced_error_days"]  # the list is the sanction


# One life, however it is computed -----------------------------------------------------------------------------------


def test_oracle_and_loop_agree(harmed):
    """Every column and every count, with every kind of abuse and remedies."""
    regime, run, state = harmed
    assert_same(regime, load_world("town", people=3_000), run, state, blocks=[2])
    found = totals(run)
    for name in ("malicious_records/neighbours", "malicious_records/companions", "malicious_records/insiders",
                 "retaliation_records", "retaliations", "exonerations", "malicious_reports_dropped",
                 "people_denounced_wrongly_sanctioned"):  # fmt: skip
        assert found[name] > 10, name


def test_oracle_and_loop_agree_behind_walls(tmp_path):
    """With a context wall entries go to the ledger and the list of their own context; records expire."""
    regime = made_up(tmp_path, **SCORE, abuse=ABUSE, context_wall=True, remedies={"expiry": q("1 year")})
    run, state = lived(tmp_path, regime, people=300, days=400)
    assert_same(regime, load_world("town", people=300), run, state)


def test_threads_blocks_and_a_stop_change_nothing(tmp_path, harmed):
    """The same hash and counts on two threads, block by block, and after a stop."""
    regime, run, _ = harmed
    world = load_world("town", people=3_000)
    settings = {"days": 182, "seed": 5, "threads": 2, "blocks_per_task": 1, "out": tmp_path / "run"}
    with pytest.raises(errors.Interrupted):
        simulate(regime, world, **settings, stop=StopAfter(9))
    other = simulate(regime, world, **settings, resume=True)
    assert other.manifest["result_hash"] == run.manifest["result_hash"]
    assert totals(other) == totals(run)


def test_a_life_is_lived_again(harmed):
    """Those who were denounced and pursued, too, and their story says so."""
    _, run, state = harmed
    lives, kinds = Reliving(run), set()
    for citizen in np.flatnonzero(state.flags >= 16384)[:40].tolist():
        life = lives.life(citizen)
        assert lives.oracle.columns(life.person) == columns_of(state, citizen)
        kinds |= {step.kind for step in life.steps}
    assert {"denounced", "pursued", "report-dropped"} <= kinds


# Mistakes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"malicious": {"rate": often(1), "acts": {"values": {}, "basis": "assumed"}}}, "shares add up to 0"),
        ({"malicious": {"rate": often(1), "acts": shares(exposure=1), "varies": {"disent": {"values": {"1": 2},
          "basis": "assumed"}}}}, "did you mean 'dissent'"),
        ({"malicious": {"rate": often(1), "acts": shares(exposure=1), "varies": {"travel": {"values": {"alway": 2},
          "basis": "assumed"}}}}, "'alway' is no level of travel; write one of never, seldom"),
        ({"malicious": {"rate": often(1), "acts": shares(exposure=1), "varies": {"sex": {"values": {},
          "basis": "assumed"}}}}, "the table is empty"),
        ({"malicious": {"rate": often(0.6, "day"), "acts": shares(exposure=1), "varies": {"sex": {"values": {"male": 2},
          "basis": "assumed"}}}}, "1.2 a day; a person meets at most one"),
        ({"malicious": {"rate": often(1), "acts": shares(exposure=1), "varies": {
          trait: {"values": {"1": 2}, "basis": "assumed"} for trait in ("age", "sex", "urban", "income", "name")}}},
         "varies with 5 traits; write at most 4"),
        ({"retaliation": ABUSE["retaliation"] | {"on": {}}}, "nothing is retaliated for"),
        ({"retaliation": ABUSE["retaliation"] | {"rate": often(1, "day")}}, "at most one entry a day"),
        ({"retaliation": ABUSE["retaliation"] | {"lasts": q("0 days")}}, "write `1 day` to `50 years`"),
        ({"retaliation": ABUSE["retaliation"] | {"lists": {"bann": q(1, per="record")}}}, "did you mean 'ban'"),
    ],
)  # fmt: skip
def test_what_the_file_may_not_say(tmp_path, change, text):
    """Each mistake is named with what to write instead."""
    with pytest.raises(errors.FileFormError, match=text):
        made_up(tmp_path, **SCORE, abuse=change)


def test_abuse_needs_a_file(tmp_path):
    """Without a score, a list or fines nothing can be reported into."""
    with pytest.raises(errors.FileFormError, match="there is no file that a report could enter"):
        made_up(tmp_path, abuse=ABUSE | {"retaliation": None})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"malicious": {"rate": often(1), "acts": shares(exposures=1)}}, "no act 'exposures'; did you mean 'exposure'"),
        ({"malicious": {"rate": often(1), "acts": shares(exposure=1), "varies": {"group": {"values": {"martian": 2},
          "basis": "assumed"}}}}, "no level 'martian' of group; it has majority, minority"),
        ({"retaliation": ABUSE["retaliation"] | {"on": {"late-payment": q(1, per="act")}}}, "is no act of speech"),
        ({"insiders": {"rate": often(0.5, "day"), "acts": shares(exposure=1)}}, "wrongdoing of officials is 1.5 a day"),
        ({"retaliation": ABUSE["retaliation"] | {"acts": shares(xyzzy=1)}}, "no act 'xyzzy'; it has late-payment"),
    ],
)  # fmt: skip
def test_what_the_world_does_not_have(tmp_path, change, text):
    """Acts and levels are those of the world, and retaliation answers speech only."""
    with pytest.raises(errors.FileFormError, match=text):
        simulate(made_up(tmp_path, **SCORE, abuse=change), load_world("town", people=100), days=1, out=tmp_path / "run")


def test_the_shipped_section(tmp_path):
    """press-2018 has false reports by all three, and retaliation; without the section nobody is denounced."""
    found = totals(live(tmp_path / "with", people=20_000, days=182))
    assert found["people_denounced"] > 0
    without = load_regime("press-2018").model_copy(update={"abuse": None})
    assert totals(live(tmp_path / "without", without, people=20_000, days=182)).get("people_denounced", 0) == 0


def test_who_checks_and_who_corrects(tmp_path):
    """Half a year of many lies: never undone without a remedy, in weeks with one; and fewer where somebody looks."""
    found = {}
    for name in ("", " + notice + correction", " + notice + appeal-15-days", " + report-review"):
        regime = load_reformed(f"press-2018{name}", ["abuse.malicious.rate=1 per year"])
        found[name] = audit(live(tmp_path / f"run{len(found)}", regime, "town", 10_000, days=182))["abuse"]
    plain, corrected, appealed, reviewed = found.values()
    assert plain["days_to_exoneration"]["value"] is None
    assert plain["error_days"] > 100_000
    assert corrected["exonerations"] > 100
    assert corrected["error_days"] < plain["error_days"]
    assert appealed["exonerations"] > 10
    assert reviewed["entries"] / (reviewed["entries"] + reviewed["dropped"]) == pytest.approx(0.2, abs=0.02)
    assert reviewed["error_days"] < 0.4 * plain["error_days"]


def test_reports_that_ruin(tmp_path):
    """By the rules five reports of 20 points lead from 100 below 20; in a run nobody falls with fewer."""
    regime = made_up(
        tmp_path,
        score={"start": q(100), "floor": q(0), "cap": q(110)},
        tiers=[{"name": "high", "from": q(20)}, {"name": "low"}],
        points={"word": q(-20), "smaller": q(-7)},
        lists=[{"name": "ban", "on": {"smaller": q(0.3, per="record")}, "term": {"law": "fixed", "mean": q("9 days")}}],
        abuse={"malicious": {"rate": often(0.02, "day"), "acts": shares(word=1)}},
    )
    rows = {row["act"]: row for row in reports_to_ruin(regime)}
    assert rows["word"]["lowest_tier"] == 5
    assert rows["smaller"]["lowest_tier"] == 12  # 100 - 84 = 16; after 11 she has 23
    assert rows["smaller"]["listed_even_odds"] == 2  # 1 - 0.7^2 = 0.51
    assert next(iter(rows)) == "smaller"
    columns = Columns()
    world = world_of(people=2_000, word=act(0, 0, "report", speech=True), smaller=act(1, 0))
    simulate(regime, world, days=182, seed=3, threads=1, out=tmp_path / "run", observers=[columns])
    state = columns.by_day[182]
    reports = (1000 - state.score[0]) // 200
    assert ((reports >= 5) == (state.flags & WAS_IN_LOWEST_TIER > 0)).all()
    assert 0.1 < (reports >= 5).mean() < 0.9


def test_what_the_audit_says(harmed):
    """Its figures are the counters; with files set right there is a mean, and the sentences say all of it."""
    _, run, state = harmed
    found, counted = audit(run), totals(run)
    abuse = found["abuse"]
    assert abuse["people"]["numerator"] == counted["people_denounced"] == (state.flags & 16384 > 0).sum()
    assert abuse["entries"] == found["records"]["false_by_malice"] == found["records"]["false"]
    assert abuse["days_to_exoneration"]["value"] == counted["denounced_error_days"] / counted["exonerations"]
    assert abuse["wrongful_days"] <= abuse["error_days"]
    told = {finding["id"]: finding for finding in found["findings"]}
    assert told["denounced"]["value"] == counted["people_denounced"]
    assert f"{counted['retaliation_records']:,} by retaliation" in told["denounced"]["text"]
    assert "set right by a correction or an appeal" in told["exoneration"]["text"]
    assert "exposure" in told["reports_to_ruin"]["text"]
    sentences = " ".join(describe(run.regime)["sentences"])
    assert "falsely reported by a companion on a journey at a rate of 0.5 a year, differently by travel" in sentences
    assert "80% of the false ones pass" in sentences
    assert "Insiders retaliate for critical post (70% of those noticed)" in sentences


def test_the_chart(harmed, tmp_path):
    """A bar an act and end, with the same figures in the table; none where the regime has no such section."""
    chart = ruin(Counts(harmed[1]))
    assert {(r["act"], r["end"]): r["reports"] for r in chart.records} == {
        ("critical post", "the lowest grade"): 2,
        ("exposure", "the lowest grade"): 5,
        ("exposure", "a list, likelier than not"): 2,
        ("late payment", "the lowest grade"): 3,
    }
    assert ("late payment", "-20", "3", "never", "0%") in chart.rows
    plain = live(tmp_path / "run", made_up(tmp_path, **SCORE), "town", 100, days=1)
    assert ruin(Counts(plain)) is None
    assert audit(plain)["abuse"] is None
