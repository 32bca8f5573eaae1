"""Awareness and approval: who knows of the system, by what, and what people think of it."""

from __future__ import annotations

import functools
import json
import math

import numpy as np
import pytest

import underheaven as uh
from lives import Columns, StopAfter, live, made_up, q, totals
from test_levers import APPEAL, NOTICE
from test_oracle import assert_same
from test_rollout import of, rollout
from underheaven import errors
from underheaven.engine.relive import Reliving
from underheaven.engine.run import simulate
from underheaven.life.opinion import APPROVES
from underheaven.life.reference_awareness import approval
from underheaven.life.state import AWARE, HAD_PERK, HEARD_REPRESSION, bytes_per_citizen
from underheaven.regime.reader import load_regime
from underheaven.regime.tables import compile_tables
from underheaven.show.describe import describe
from underheaven.show.life import sentence
from underheaven.show.opinion import approval as approval_chart
from underheaven.store import Run
from underheaven.study.audit import audit
from underheaven.study.counts import Counts
from underheaven.study.opinions import SUMS
from underheaven.world.reader import load_world
from underheaven.world.schema import TRAITS

BITS = AWARE | HAD_PERK | HEARD_REPRESSION
EVERYBODY_KNOWS = ["awareness.known=1", "awareness.press=0"]
OPEN = ["awareness.press=1 per year", "awareness.censorship=0.2"]
#: Sanctions, refusals, perks, fines and friends of whom one hears, within two months.
EVENTFUL = [
    NOTICE, APPEAL, *OPEN, "lists.travel-ban.term.mean=40 days", "tiers.1.from=1005", "tiers.2.from=995",
    "tiers.3.from=990", "fines.jaywalking=0", "fines.smoking-in-public=0",
]  # fmt: skip


def known(share=0.0, press=0.0, censorship=0.0, **more):
    """Return an awareness section."""
    return {"known": q(share, per="person"), "press": q(press, per="year"), "censorship": q(censorship), **more}


#: A score that nobody does anything with.
IDLE = {
    "score": {"start": q(100), "floor": q(0), "cap": q(200)},
    "tiers": [{"name": "Good", "from": q(150)}, {"name": "Poor"}],
    "points": {"charity": q(5)},
}


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """Return a function that runs a town and returns the run with its last columns; each setting is run once."""

    @functools.cache
    def run(regime, *overrides, days=63, people=4_000, threads=1, **settings):
        columns = Columns()
        folder = tmp_path_factory.mktemp("aware") / "run"
        settings |= {"days": days, "threads": threads, "observers": [columns]}
        return live(folder, regime, "town", people, overrides, **settings), columns.by_day[days]

    return run


def others(run):
    """Return the counters of a run but for those of awareness."""
    own = ("people_aware", "people_heard_repression", "people_with_perk", "made_aware/", "heard_repression/")
    return {name: n for name, n in totals(run).items() if n and not name.startswith(own)}


# Metamorphic ----------------------------------------------------------------------------------------------------------


def test_where_all_know_nothing_else_moves(lived):
    """If everybody knows, all columns and counts are those without the section, but for the bits of awareness."""
    without, bare = lived("press-2018", NOTICE, "awareness=null")
    known_to_all, state = lived("press-2018", NOTICE, *EVERYBODY_KNOWS)
    assert others(known_to_all) == others(without)
    assert not (bare.flags & BITS).any()
    for name, a, b in zip(bare._fields, bare, state, strict=True):
        if name == "flags":
            b = b & ~np.uint16(BITS)
        np.testing.assert_array_equal(a, b, err_msg=name)
    assert (state.flags & AWARE).all()


def test_without_the_section_nothing_is_stored(lived):
    """Off means off: no counter, no table, no figure, no byte."""
    run, _ = lived("press-2018", NOTICE, "awareness=null")
    assert not [name for name in totals(run) if "aware" in name or "repression" in name]
    assert "opinion" not in run.names()
    assert audit(run)["awareness"] is None
    assert approval_chart(Counts(run)) is None
    world = load_world("town")
    for changes in (["firms=null"], ["firms=null", "awareness=null"]):
        assert bytes_per_citizen(compile_tables(load_regime("press-2018", changes), world).rules[0]) == 13


def test_who_does_not_know_does_nothing_for_the_points(tmp_path):
    """Nobody knows: no act is done for the points; all know: some are; the same acts are silenced either way."""
    counted = []
    for name, share in (("none", 0), ("all", 1)):
        (tmp_path / name).mkdir()
        regime = made_up(tmp_path / name, **IDLE, awareness=known(share))
        counted.append(totals(live(tmp_path / name / "run", regime, "town", 4_000, days=63)))
    unknown, known_to_all = counted
    assert unknown.get("gamed/charity", 0) == 0 < known_to_all["gamed/charity"]
    assert unknown["done/charity"] == known_to_all["done/charity"] - known_to_all["gamed/charity"]
    assert unknown.get("people_aware", 0) == 0


def test_less_censorship_takes_no_news_from_anybody(tmp_path):
    """Whoever knows under strict censorship knows under a milder one, of the system and of its repression."""
    flags = []
    for censorship in (1, 0.5, 0):
        folder = tmp_path / str(censorship)
        folder.mkdir()
        columns = Columns()
        regime = made_up(folder, **IDLE, awareness=known(0.1, 3, censorship))
        live(folder / "run", regime, "town", 4_000, days=63, observers=[columns])
        flags.append(columns.by_day[63].flags & (AWARE | HEARD_REPRESSION))
    strict, mild, free = flags
    assert not (strict & ~mild).any() and not (mild & ~free).any()
    assert not (strict & HEARD_REPRESSION).any()
    assert (mild != strict).any() and (free != mild).any()


# Closed forms ---------------------------------------------------------------------------------------------------------


def test_news_spreads_at_its_rate(tmp_path):
    """Aware after n windows: 1 - (1 - known)(1 - p(1 - c/2))^n; of repression 1 - (1 - p(1 - c)/2)^n (4 s.e.)."""
    share, press, censorship, people, windows = 0.11, 2.0, 0.6, 10_000, 8
    regime = made_up(tmp_path, **IDLE, awareness=known(share, press, censorship))
    found = totals(live(tmp_path / "run", regime, "town", people, days=7 * windows))
    p = 1 - (1 - press / 365) ** 7
    aware = 1 - (1 - share) * (1 - p * (1 - censorship / 2)) ** windows
    heard = 1 - (1 - p * (1 - censorship) / 2) ** windows
    expected = {"people_aware": aware, "people_heard_repression": heard, "made_aware/start": share}
    for name, probability in expected.items():
        spread = math.sqrt(people * probability * (1 - probability))
        assert abs(found[name] - people * probability) < 4 * spread, name
    assert found["made_aware/start"] + found["made_aware/press"] == found["people_aware"]


def test_temper_has_the_spread_that_the_world_says():
    """With nothing else in it, approval has mean `base` and standard deviation `spread` (4 s.e.)."""
    flat = {"base": 128, "spread": 30, "perk": 0, "sanction": 0, "repression": 0, "order_framing": 0}
    changes = [*(f"opinion.{key}={value}" for key, value in flat.items()), "opinion.varies=null"]
    regime, world = load_regime("press-2018"), load_world("town", overrides=changes)
    values = np.array([approval(regime, world, 9, citizen, {}, 0, False) for citizen in range(10_000)])
    assert abs(values.mean() - 127.5) < 4 * 30 / 100
    assert abs(values.std() - 30) < 4 * 30 / math.sqrt(2 * 10_000)


# The oracle, re-living, engines --------------------------------------------------------------------------------------


def test_oracle_and_loop_agree(tmp_path):
    """Every route of news at once: columns and counts agree, and each route was taken."""
    regime, world = load_regime("press-2018", EVENTFUL), load_world("town", people=800)
    columns = Columns()
    run = live(tmp_path / "run", regime, "town", 800, days=119, observers=[columns])
    assert_same(regime, world, run, columns.by_day[119])
    found = totals(run)
    assert all(found[f"made_aware/{way}"] > 0 for way in ("start", "press", "sanction", "perk", "fine"))
    assert all(found[f"heard_repression/{way}"] > 0 for way in ("press", "friends", "sanction"))
    assert sum(n for name, n in found.items() if name.startswith("made_aware/")) == found["people_aware"]


def test_approval_is_that_of_the_oracle(lived):
    """What the observer adds up is what the oracle works out for each citizen, as things stand and if all were told."""
    run, state = lived("press-2018", *EVENTFUL)
    lives = Reliving(run)
    sums = dict.fromkeys(SUMS, 0)
    for number in range(len(lives.people.block_county)):
        block = lives.block(number)
        for local, packed in enumerate(block.traits.tolist()):
            traits = {name: (packed >> shift) & ((1 << bits) - 1) for name, (shift, bits, _) in TRAITS.items()}
            citizen, flags = block.first + local, int(state.flags[block.first + local])
            asked = (run.regime, run.world, lives.seed, citizen, traits)
            now = approval(*asked, flags, bool(state.refused[citizen]))
            told = approval(*asked, flags | AWARE | HEARD_REPRESSION, bool(state.refused[citizen]))
            values = (1, now, now >= APPROVES, told >= APPROVES, flags & AWARE > 0, flags & HEARD_REPRESSION > 0)
            for name, value in zip(SUMS, values, strict=True):
                sums[name] += value
    rows = [row for row in run.table("opinion").to_pylist() if row["day"] == 63]
    for trait in ("age", "sex", "urban", "education", "income", "group"):
        assert {name: sum(row[name] for row in rows if row["trait"] == trait) for name in SUMS} == sums, trait


def test_lives_are_lived_again(lived):
    """A life told again ends as in the run, and its news are in it, each with words."""
    run, state = lived("press-2018", *EVENTFUL)
    lives, kinds = Reliving(run), set()
    wronged = np.flatnonzero(state.flags & HEARD_REPRESSION)[:12].tolist()
    for citizen in [*range(0, 4_000, 400), *wronged]:
        life = lives.life(citizen)
        kinds |= {(step.kind, step.what) for step in life.steps if step.kind in ("aware", "hears-repression")}
        assert all(sentence(step) for step in life.steps)
    assert {("aware", "press"), ("aware", "sanction"), ("hears-repression", "friends")} <= kinds
    assert {kind for kind, _ in kinds} == {"aware", "hears-repression"}


def test_one_hash_however_it_is_lived(lived, tmp_path, monkeypatch):
    """Threads, blocks, a restart and traits drawn again change no bit, no count and no opinion."""
    plain, _ = lived("press-2018", *EVENTFUL)
    common = {"world": "town", "people": 4_000, "overrides": EVENTFUL, "days": 63}
    with pytest.raises(errors.Interrupted):
        live(tmp_path / "resumed", **common, observers=[Columns()], stop=StopAfter(5))
    ways = [live(tmp_path / "resumed", **common, observers=[Columns()], resume=True)]
    ways.append(live(tmp_path / "threads", **common, threads=2, blocks_per_task=1))
    monkeypatch.setattr("underheaven.engine.run.KEEP_TRAITS_UP_TO", 0)
    ways.append(live(tmp_path / "drawn", **common))
    for run in ways:
        assert run.manifest["result_hash"] == plain.manifest["result_hash"]
        assert totals(run) == totals(plain)
        assert run.table("opinion").equals(plain.table("opinion"))


def test_a_system_begins_in_some_counties_later(tmp_path):
    """Where it comes into force on day 28 a share knows it from then on; elsewhere nobody, and nobody is asked."""
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    rules = {key: value for key, value in IDLE.items() if key != "points"}
    silent = made_up(tmp_path / "a", **rules, awareness=known(0))
    told = made_up(tmp_path / "b", **IDLE, awareness=known(0.3, 2, 0.5))
    never = load_regime("none")
    for before, share in ((silent, 0.0), (never, 0.3)):
        pilots = rollout(before, (told, 28, ["T*"]))
        world = load_world("city", people=6_000)
        columns, folder = Columns(), tmp_path / before.regime / "run"
        run = simulate(pilots, world, days=63, seed=5, threads=1, out=folder, observers=[columns])
        assert_same(pilots, world, run, columns.by_day[63], [0, 12, 17])
        place = of("T")
        flags = columns.by_day[63].flags
        assert not (flags[~place] & BITS).any()
        assert (columns.by_day[28].flags & AWARE).sum() == 0
        people = int(place.sum())
        found = totals(run).get("made_aware/start", 0)
        assert abs(found - share * people) <= 4 * math.sqrt(people * share * (1 - share))
        rows = run.table("opinion").to_pylist()
        asked = sum(row["people"] for row in rows if row["day"] == 63 and row["trait"] == "sex")
        assert asked == (6_000 if before is silent else people)
        assert audit(run)["awareness"]["aware"]["numerator"] == int((flags & AWARE > 0).sum())


# Anchors --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pilot(tmp_path_factory) -> Run:
    """Four months of a pilot-like regime in a city of 60,000."""
    return live(tmp_path_factory.mktemp("pilot") / "run", "rongcheng-2016", "city", 60_000, days=119, threads=2)


def test_calibrated_on_one_survey(pilot):
    """Kostka 2019: about 80% say yes; more with age, income, schooling and in town (what the numbers were set by)."""
    opinion = audit(pilot)["awareness"]["opinion"]
    share = opinion["over_time"][-1]["approving"]["value"]
    calm = float(pilot.world.opinion.falsify.calm.exact)
    assert share + (1 - share) * calm == pytest.approx(0.80, abs=0.015)
    shares = {
        trait: [row["approving"]["value"] for row in opinion["by_trait"][trait]]
        for trait in ("age", "income", "education", "urban")
    }
    for trait, values in shares.items():
        assert values == sorted(values), trait


def test_held_against_others_as_anchors(pilot):
    """MERICS: whoever hears both sides approves less (53 to 29%); here by 24 points, within half of that."""
    end = audit(pilot)["awareness"]["opinion"]["over_time"][-1]
    fall = end["approving"]["value"] - end["approving_if_told"]["value"]
    assert 0.12 < fall < 0.36
    assert pilot.world.opinion.order_framing.value == 0  # Xu and others: words of order add nothing


def test_perks_please_and_sanctions_do_not(lived):
    """Those who had a perk approve most, those who were sanctioned least, at like incomes."""
    run, _ = lived("press-2018", NOTICE, "tiers.1.from=1005", people=10_000, days=119)
    by = {row["standing"]: row["approving"] for row in audit(run)["awareness"]["opinion"]["by_standing"]}
    assert by["sanctioned"]["high"] < by["neither"]["low"] < by["perk"]["low"]


# What is read and shown ----------------------------------------------------------------------------------------------


def test_figures_headlines_and_chart(lived):
    """The audit counts people by each way of news; two headlines; the chart has a mark an income tenth and standing."""
    run, state = lived("press-2018", *EVENTFUL)
    found = audit(run)
    part = found["awareness"]
    assert part["aware"]["numerator"] == int((state.flags & AWARE > 0).sum())
    assert part["repression_known"]["numerator"] == int((state.flags & HEARD_REPRESSION > 0).sum())
    assert part["with_perk"]["numerator"] == int((state.flags & HAD_PERK > 0).sum())
    assert sum(row["made_aware"] for row in part["by_way"]) == part["aware"]["numerator"]
    told = {finding["id"]: finding for finding in found["findings"]}
    assert "have heard what it represses" in told["aware"]["text"]
    assert "not what they say" in told["approving"]["text"]
    chart = approval_chart(Counts(run))
    assert sum(record["people"] for record in chart.records) == 4_000
    assert {record["income_tenth"] for record in chart.records} == set(range(1, 11))
    assert len(chart.rows) == len(chart.records)
    json.dumps(found, allow_nan=False)
    assert "know of the system at the start" in " ".join(describe(run.regime)["sentences"])


def test_two_runs_are_compared_by_it(lived, tmp_path):
    """A comparison says how many more know of the system, and of its repression, where the press is free."""
    changes = ["awareness.censorship=0", "awareness.press=4 per year"]
    twins = ["press-2018", "press-2018"]
    found = uh.compare(twins, "town", people=3_000, days=28, seed=5, out=tmp_path / "c", page=False, set=changes)
    by_id = {row["id"]: row for row in found.pairs[0].differences}
    for name, more in (("aware", 100), ("repression_known", 200)):
        assert by_id[name]["other"] > by_id[name]["baseline"] + more


def test_a_world_without_opinions(tmp_path):
    """People still learn; what they think is not measured."""
    regime, world = load_regime("press-2018"), load_world("town", people=500, overrides=["opinion=null"])
    run = simulate(regime, world, days=14, threads=1, out=tmp_path / "run")
    part = audit(run)["awareness"]
    assert part["opinion"] is None and part["aware"]["numerator"] > 0
    assert approval_chart(Counts(run)) is None
    assert "approving" not in {finding["id"] for finding in audit(run)["findings"]}


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (known(0.1, censorship=1.5), "no share of the critical half of the press; write a number within 0 .. 1"),
        (known(0.1, press=800), "more than a person meets; write at most 1 per day"),
        ({**known(0.1), "known": q(0.1, per="use")}, "write `per: person`"),
        (known(0.1, framing="fear"), "framing"),
    ],
)
def test_mistakes_in_the_section(tmp_path, section, message):
    """Each mistake is named with its mend."""
    with pytest.raises(errors.FileFormError) as caught:
        made_up(tmp_path, **IDLE, awareness=section)
    assert message in str(caught.value)


def test_awareness_needs_a_file(tmp_path):
    """Nobody can know of a file that is not kept."""
    with pytest.raises(errors.FileFormError, match="nobody can know of a file that is not kept"):
        made_up(tmp_path, awareness=known(0.5))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("opinion.base=300", "approval goes from 0 to 255, and this is 300"),
        ("opinion.falsify.calm=1.2", "1.2 is no share"),
        ("opinion.falsify.fearful=0.1", "write no less than `calm`"),
        ("opinion.items.number=9", "a list has 1 to 8 harmless items"),
        ("opinion.items.agree=-1", "-1 is no share"),
        ("opinion.varies={hair: {values: {long: 1}, basis: assumed}}", "'hair' is no trait here"),
        ("opinion.varies={sex: {values: {mail: 1}, basis: assumed}}", "'mail' is no level here; did you mean 'male'?"),
        ("opinion.varies={sex: {values: {male: 1.5}, basis: assumed}}", "1.5 is no number of points"),
    ],
)
def test_mistakes_in_the_world(change, message):
    """Each mistake of the world's opinion is named with its mend."""
    with pytest.raises(errors.FileFormError) as caught:
        load_world("town", overrides=[change])
    assert message in str(caught.value)
