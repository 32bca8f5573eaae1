"""Whom words reach, what officials do when nobody says it aloud, and companions abroad."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lives import Columns, StopAfter, assert_same_lives, live, made_up, q, totals
from test_abuse import ABUSE, SCORE, often, shares
from test_closed_forms import act, world_of
from test_oracle import assert_same
from underheaven import errors
from underheaven.engine.relive import Reliving
from underheaven.engine.run import simulate
from underheaven.institutions.press import Press
from underheaven.life.state import columns_of
from underheaven.life.tables import UNIT
from underheaven.regime.reader import load_regime
from underheaven.show.voice import officials
from underheaven.study.audit import audit
from underheaven.study.counts import Counts
from underheaven.study.voice import wrongdoing
from underheaven.world.reader import load_world
from underheaven.world.schema import World
from underheaven.world.sections.voice import Audience, Officials

CLOSED = SCORE | {
    "treatment": {"rail": {"tiers": {"low": "refuse"}},
                  "internet-account": {"tiers": {"low": {"refuse": q(0.4, per="use")}}, "lists": {"ban": "refuse"}}},
}  # fmt: skip


def press(**changes):
    """Make a law of wrongdoing that goes to three times the start, slowly."""
    settings = {"act": 12, "unwatched": 3 * UNIT, "creep_days": 300, "deterrence": 0.01, "lag_windows": 0}
    return Press(**(settings | changes))


def carried(law, exposures, people, windows):
    """Carry one county's level on with the same number of exposures a window; return it after each."""
    level, line = np.array([UNIT]), np.zeros((1, law.lag_windows), np.int64)
    found = []
    for _ in range(windows):
        level, line = law.step(level, line, np.array([exposures]), np.array([people]), 7)
        found.append(level[0] / UNIT)
    return found


# The law of wrongdoing ----------------------------------------------------------------------------------------------


def test_unwatched_officials_go_their_exponential_way():
    """Without exposures the level is 3 - 2 exp(-t/T)."""
    for window, level in enumerate(carried(press(), 0, 100_000, 60), 1):
        assert level == pytest.approx(3 - 2 * math.exp(-7 * window / 300), abs=1e-3)


@pytest.mark.parametrize("exposures", [1, 4, 40])
def test_exposures_hold_it_at_a_level(exposures):
    """With x of them a window it comes to rest at M (1-k) s / (1 - k s), k = exp(-7/T), s = (1-d)^x."""
    k, s = math.exp(-7 / 300), 0.99**exposures
    assert carried(press(), exposures, 100_000, 2_000)[-1] == pytest.approx(3 * (1 - k) * s / (1 - k * s), rel=1e-3)
    # It is exposures for so many heads that count.
    assert carried(press(), 2 * exposures, 200_000, 50) == carried(press(), exposures, 100_000, 50)


def test_an_exposure_works_after_its_lag():
    """With a lag of four windows the first four go on as if nobody had said anything."""
    alone, exposed = carried(press(), 0, 1_000, 9), carried(press(lag_windows=4), 1, 1_000, 9)
    assert exposed[:4] == alone[:4]
    assert all(one > other for one, other in zip(alone[4:], exposed[4:], strict=True))


# Lives --------------------------------------------------------------------------------------------------------------


def test_only_the_first_words_are_heard(tmp_path):
    """Where each act of speech is seen and closes the account for good, a person is heard once and never again."""
    regime = made_up(
        tmp_path,
        lists=[{"name": "ban", "on": {"word": q(1, per="record")}, "term": {"law": "fixed", "mean": q("49 years")}}],
        treatment={"internet-account": {"lists": {"ban": "refuse"}}},
        reporting={"seen": q(1, per="act")},
    )
    audience = Audience(people=q(30), through="internet-account")
    world = world_of(people=3_000, word=act(0, 0.02, "report", speech=True, audience=audience))
    found = totals(simulate(regime, world, days=182, seed=3, threads=1, out=tmp_path / "run"))
    assert found["listings/ban"] > 2_000
    assert found["audience_reached"] == 30 * found["listings/ban"]
    assert found["words_unheard"] == found["done/word"] - found["listings/ban"] > 5_000
    assert found["audience_lost"] == 30 * found["words_unheard"]


def test_without_a_regime_everybody_is_heard(tmp_path):
    """Nothing is lost and nothing silenced; what is reached is the audience of each act."""
    run = live(tmp_path / "run", "none", "town", 10_000, days=182)
    found = totals(run)
    assert found["audience_reached"] == 100 * found["done/critical-post"] + 20_000 * found["done/exposure"]
    assert found.get("words_unheard", 0) == found.get("audience_lost", 0) == 0
    assert audit(run)["voice"]["audience_missing_share"]["value"] == 0


@pytest.mark.parametrize("gone", [{"officials": None}, {"acts": "audience"}], ids=["officials", "audience"])
def test_who_reads_changes_nobody(tmp_path, gone):
    """Without insiders neither the audience of words nor the level of wrongdoing changes any life."""
    world = load_world("town", people=2_000)
    if "acts" in gone:
        gone = {"acts": {name: act.model_copy(update={"audience": None}) for name, act in world.acts.items()}}
    regime, columns = made_up(tmp_path, **CLOSED), [Columns(), Columns()]
    for number, one in enumerate((world, world.model_copy(update=gone))):
        simulate(regime, one, days=91, seed=5, threads=1, out=tmp_path / str(number), observers=[columns[number]])
    assert_same_lives(columns[0].by_day[91], columns[1].by_day[91])


def test_insiders_follow_the_wrongdoing(tmp_path):
    """Where nobody says anything and officials learn it at once, insiders lie three times as often from day 7 on."""
    regime = made_up(tmp_path, **SCORE, abuse={"insiders": {"rate": often(0.002, "day"), "acts": shares(exposure=1)}})
    world = load_world("town", people=5_000)
    quick = Officials(exposed_by="exposure", unwatched=q(3), creep=q("1 day"), deterrence=q(0), lag=q("0 days"))
    run = simulate(regime, world.model_copy(update={"officials": quick}), days=182, seed=3, out=tmp_path / "run")
    found = totals(run)["malicious_records/insiders"]
    levels = [1.0] + [3 - 2 * math.exp(-7 * window) for window in range(1, 26)]
    mean = 5_000 * 7 * 0.002 * sum(levels)
    assert found == pytest.approx(mean, abs=4 * math.sqrt(mean))
    assert [row["wrongdoing"] for row in wrongdoing(Counts(run))][:2] == pytest.approx(levels[:2], abs=1e-4)


def test_companions_report_what_is_said_abroad(tmp_path):
    """The stated share of such talk enters the file, and of nothing else; nobody speaks abroad who never travels."""
    regime = made_up(tmp_path, **SCORE | {"points": {"critical-talk-abroad": q(-30)},
                     "reporting": {"seen": q(0, per="act"), "companions": q(0.3, per="act")}})  # fmt: skip
    many = load_world("town", people=10_000, overrides=["acts.critical-talk-abroad.rate=2 per year"])
    columns = Columns()
    run = simulate(regime, many, days=182, seed=3, threads=1, out=tmp_path / "run", observers=[columns])
    found = totals(run)
    done, recorded = found["done/critical-talk-abroad"], found["recorded/critical-talk-abroad"]
    assert recorded / done == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / done))
    assert audit(run)["records"]["true_by_channel"]["companion"] == recorded == audit(run)["records"]["true"]
    lives = Reliving(run)
    fallen = np.flatnonzero(columns.by_day[182].true_score[0] < 1000)[:30].tolist()
    assert {lives.life(citizen).traits["travel"] for citizen in fallen} <= {"seldom", "often", "very-often"}
    none = made_up(tmp_path, **SCORE | {"points": {"critical-talk-abroad": q(-30)}})
    assert "recorded/critical-talk-abroad" not in totals(simulate(none, many, days=28, out=tmp_path / "none"))


# One life, however it is computed -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def silenced(tmp_path_factory):
    """Half a year in which accounts are closed, insiders lie, and 1,500 people talk a great deal."""
    folder = tmp_path_factory.mktemp("voice")
    regime, columns = made_up(folder, **CLOSED, abuse=ABUSE), Columns()
    world = load_world("town", people=1_500, overrides=["acts.exposure.rate=1 per year", "officials.lag=20 days"])
    run = simulate(regime, world, days=182, seed=5, threads=1, out=folder / "run", observers=[columns])
    return regime, world, run, columns.by_day[182]


def test_oracle_and_loop_agree(silenced):
    """Every column and every count, with accounts that are closed for certain and by chance."""
    regime, world, run, state = silenced
    assert_same(regime, world, run, state, blocks=[1])
    found = totals(run)
    for name in ("audience_reached", "audience_lost", "words_unheard", "exposures_unheard", "silenced/exposure"):
        assert found[name] > 10, name
    levels = wrongdoing(Counts(run))
    assert levels[-1]["wrongdoing"] > levels[-1]["wrongdoing_heard"]


def test_a_stop_changes_nothing(tmp_path, silenced):
    """After a stop, on two threads, the press remembers what is still to work: the same hash, counts and tables."""
    regime, world, run, _ = silenced
    settings = {"days": 182, "seed": 5, "threads": 2, "blocks_per_task": 1, "out": tmp_path / "run"}
    with pytest.raises(errors.Interrupted):
        simulate(regime, world, **settings, stop=StopAfter(9))
    other = simulate(regime, world, **settings, resume=True)
    assert other.manifest["result_hash"] == run.manifest["result_hash"]
    assert totals(other) == totals(run)
    assert other.table("exchange/tables").equals(run.table("exchange/tables"))


def test_a_life_is_lived_again(silenced):
    """Those who speak to nobody, too, and their story says so."""
    _, _, run, state = silenced
    lives, kinds = Reliving(run), set()
    for citizen in np.flatnonzero(state.list_until[0] > 0)[:25].tolist():
        life = lives.life(citizen)
        assert lives.oracle.columns(life.person) == columns_of(state, citizen)
        kinds |= {step.kind for step in life.steps}
    assert "unheard" in kinds


# Mistakes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("acts.exposure.audience.through=internet-acount", "did you mean 'internet-account'"),
        ("acts.exposure.audience.people=2000000", "at most 1,000,000"),
        ("acts.charity.audience={people: {value: 3, basis: assumed}, through: shop}", "says nothing to anybody"),
        ("officials.exposed_by=exposures", "did you mean 'exposure'"),
        ("officials.unwatched=0.5", "write a number within 1 .. 100"),
        ("officials.deterrence=1", "from 0 to below 1"),
        ("officials.creep=0 days", "write `1 day` to `100 years`"),
        ("officials.lag=90 years", "at most 520 times"),
    ],
)
def test_what_a_world_may_not_say(change, text):
    """Each mistake is named with what to write instead."""
    with pytest.raises(errors.FileFormError, match=text):
        load_world("town", overrides=[change])


# Audit and chart ----------------------------------------------------------------------------------------------------


def test_what_the_audit_says(silenced):
    """Its figures are the counters: what was said, unsaid, unheard, and what the public never learned."""
    _, _, run, _ = silenced
    found, counted = audit(run), totals(run)
    voice, exposures = found["voice"], found["voice"]["exposures"]
    assert voice["unheard"] == counted["words_unheard"]
    lost = counted["audience_lost"]
    lost += 100 * counted["silenced/critical-post"] + 20_000 * counted["silenced/exposure"]
    assert voice["audience_missing_share"]["numerator"] == lost
    assert exposures["would_have_been"] == counted["done/exposure"] + counted["silenced/exposure"]
    missing = counted["silenced/exposure"] + counted["exposures_unheard"]
    assert exposures["not_learned_share"]["numerator"] == missing
    told = {finding["id"]: finding["text"] for finding in found["findings"]}
    assert f"{counted['silenced/exposure']:,} stayed unsaid for fear" in told["not_learned"]
    assert "whose account was closed" in told["words_unheard"]


def test_the_chart(silenced, tmp_path):
    """Two levels over time and the fates of exposures, which add up; none without anybody silenced."""
    run, counted = silenced[2], totals(silenced[2])
    chart = officials(Counts(run))
    assert [row["level"] for row in chart.records[:2]] == [1, 1]
    assert len(chart.records) == 2 * 26
    fates = chart.spec["vconcat"][1]["data"]["values"]
    total = sum(row["exposures"] for row in fates)
    assert total == counted["done/exposure"] + counted["silenced/exposure"]
    free = live(tmp_path / "run", "none", "town", 500, days=14)
    assert officials(Counts(free)) is None
    assert not [row for row in audit(free)["findings"] if row["id"] in ("words_unheard", "not_learned")]


def test_silence_feeds_wrongdoing(tmp_path):
    """Under press-2018 officials end worse than they would if all had been heard; without a regime, no different."""
    levels = {}
    for name in ("none", "press-2018"):
        regime = load_regime(name)
        run = live(tmp_path / name, regime, "town", 10_000, days=364)
        levels[name] = wrongdoing(Counts(run))[-1]
    assert levels["none"]["wrongdoing"] == levels["none"]["wrongdoing_heard"]
    assert levels["press-2018"]["wrongdoing"] > levels["press-2018"]["wrongdoing_heard"]
    assert World.model_fields["officials"].default is None
