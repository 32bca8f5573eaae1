"""Firms: scores for companies, and what a firm and its representative do to each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lives import Columns, StopAfter, live, made_up, q, totals
from test_oracle import assert_same
from test_rollout import rollout
from underheaven import errors, rng
from underheaven.engine.relive import Reliving
from underheaven.engine.run import simulate
from underheaven.institutions.employers import Employers
from underheaven.life.state import FIRM_COLUMNS, State
from underheaven.life.tables import UNIT
from underheaven.regime.reader import load_regime
from underheaven.regime.tables import compile_tables
from underheaven.show import life as words
from underheaven.show.charts import all_charts
from underheaven.show.describe import describe
from underheaven.show.report import write_report
from underheaven.study.audit import audit
from underheaven.study.counts import Counts
from underheaven.world.reader import load_world

HARSH = {
    "score": {"start": q(100), "floor": q(0), "cap": q(200)},
    "tiers": [{"name": "X", "from": q(90)}, {"name": "Y", "from": q(20)}, {"name": "Z"}],
    "points": {"late-payment": q(-15), "bill-on-time": q(1)},
    "lists": [{"name": "blacklist", "on": {"loan-default": q(0.9, per="record")},
               "term": {"law": "geometric", "mean": q("60 days")}}],
    "treatment": {"job": {"tiers": {"Z": "refuse"}, "lists": {"blacklist": "refuse"}},
                  "flight": {"lists": {"blacklist": "refuse"}}},
    "registers": {"scope": "nation", "missed_link": q(0.05, per="record"), "false_link": q(0.1, per="record")},
}  # fmt: skip
FIRMS = {
    "score": {"start": q(50), "floor": q(0), "cap": q(100)},
    "tiers": [{"name": "good", "from": q(60)}, {"name": "fair", "from": q(30)}, {"name": "bad"}],
    "points": {"tax-evasion": q(-10), "wage-arrears": q(-5), "taxes-on-time": q(2)},
    "list": {"name": "bad-firms", "on": {"tax-evasion": q(0.5, per="record")}, "below": "bad",
             "term": {"law": "geometric", "mean": q("50 days")}},
    "treatment": {"contracts": {"tiers": {"bad": "refuse"}, "listed": "refuse"},
                  "loans": {"tiers": {"fair": {"refuse": q(0.3, per="use")}}}},
    "inspected": q(0.4, per="act"),
    "registers": {"scope": "county", "missed_link": q(0.05, per="record"), "false_link": q(0.3, per="record")},
    "to_representative": {"points": q(-20), "lists": {"blacklist": q(0.5, per="listing")}},
    "from_representative": q(-12),
    "screening": {"services": ["job"], "share": q(0.2), "points": q(40)},
}  # fmt: skip
MANY = ["firms.per_1000=300", "firms.acts.tax-evasion.rate=2 per year", "firms.acts.wage-arrears.rate=1 per year"]


def firms_with(**parts):
    """Return the harsh section with other parts; None takes one out."""
    return {key: part for key, part in (FIRMS | parts).items() if part is not None}


@pytest.fixture(scope="module")
def harsh(tmp_path_factory):
    """400 people, 120 of them with a firm, over 210 days with every rule about firms on; and the last columns."""
    folder, columns = tmp_path_factory.mktemp("firms"), Columns()
    regime = made_up(folder, **HARSH, firms=FIRMS)
    world = load_world("town", people=400, overrides=MANY)
    run = simulate(regime, world, days=210, seed=8, threads=1, out=folder / "run", observers=[columns])
    return regime, world, run, columns.by_day[210]


# Off, or without strength ---------------------------------------------------------------------------------


def test_a_world_with_firms_changes_nobody_under_a_regime_without(tmp_path):
    """Without the section, no bit and no count differs from a world that has no firms."""
    regime, world = load_regime("rongcheng-2016"), load_world("town", people=2_000)
    runs = [
        simulate(regime, one, days=60, seed=5, threads=1, out=tmp_path / str(at))
        for at, one in enumerate((world, world.model_copy(update={"firms": None})))
    ]
    assert runs[0].manifest["result_hash"] == runs[1].manifest["result_hash"]
    assert totals(runs[0]) == totals(runs[1])
    assert not any("firm" in name for name in totals(runs[0]))
    assert runs[0].manifest["firms"] is None and audit(runs[0])["firms"] is None


def test_firms_that_answer_for_nobody_change_nobody(tmp_path):
    """With scores for firms and no contamination, people's columns and counts are those without the section."""
    alone = ["firms.to_representative=null", "firms.from_representative=null"]
    columns = [Columns(), Columns()]
    found = []
    for at, changes in enumerate((alone, ["firms=null"])):
        run = live(tmp_path / str(at), "press-2018", "town", 3_000, changes, days=90, observers=[columns[at]])
        found.append({name: n for name, n in totals(run).items() if n and "firm" not in name})
    assert found[0] == found[1]
    for name, a, b in zip(State._fields, columns[0].by_day[90], columns[1].by_day[90], strict=True):
        if name in FIRM_COLUMNS:
            assert a.size == 120 and b.size == 0
        else:
            np.testing.assert_array_equal(a, b, err_msg=name)


def test_contamination_without_points_and_lists_changes_nobody(tmp_path):
    """Zero points in both directions are as good as no contamination."""
    none = ["firms.to_representative=null", "firms.from_representative=null"]
    zero = ["firms.to_representative={points: {value: 0}}", "firms.from_representative=0"]
    runs = [live(tmp_path / str(at), "press-2018", "town", 2_000, changes, days=90) for at, changes in
            enumerate((none, zero))]  # fmt: skip
    assert runs[0].manifest["result_hash"] == runs[1].manifest["result_hash"]
    assert totals(runs[0]) == totals(runs[1])


def test_a_context_wall_keeps_firm_and_representative_apart(tmp_path):
    """Behind a wall nobody is charged for the other."""
    charged = {
        wall: {name: n for name, n in totals(
            simulate(made_up(tmp_path, **HARSH, firms=FIRMS, context_wall=wall),
                     load_world("town", people=400, overrides=MANY), days=70, seed=8, out=tmp_path / str(wall))
        ).items() if "charged" in name and n}
        for wall in (False, True)
    }  # fmt: skip
    assert charged[False]["representatives_charged"] > 10 and charged[False]["firms_charged"] > 0
    assert charged[True] == {}


# Closed forms ---------------------------------------------------------------------------------------------


def test_sizes_follow_zipf():
    """Of drawn firms the share with s people or more is s^-a, and the mean its sum; four deviations."""
    sizes = load_world("town", overrides=["firms.sizes.largest=1000"]).firms.sizes
    n, exponent = 20_000, 1.06
    drawn = np.array([sizes.of(rng.draw4.py_func(3, rng.FIRM, firm, 0, 0)[1]) for firm in range(n)])
    for size in (1, 2, 5, 10, 50, 250, 1_000):
        share = size**-exponent
        assert (drawn >= size).mean() == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / n) + 1e-12)
    assert drawn.min() == 1 and drawn.max() <= 1_000
    mean = sum(size**-exponent for size in range(1, 1_001))
    assert sizes.mean == pytest.approx(mean)
    second = sum((2 * size - 1) * size**-exponent for size in range(1, 1_001))
    assert drawn.mean() == pytest.approx(mean, abs=4 * math.sqrt((second - mean**2) / n))


def test_classes_of_size_and_sectors_in_a_run(harsh, tmp_path):
    """Sectors and classes of size have their shares; each block has its part of the firms."""
    world = load_world("town", people=6_000, overrides=["firms.per_1000=1000"])
    run = simulate(made_up(tmp_path, firms=firms_with(to_representative=None, from_representative=None,
                                                      screening=None)),
                   world, days=1, seed=4, out=tmp_path / "run")  # fmt: skip
    found = audit(run)["firms"]
    assert found["firms"] == 6_000
    for rows, shares in (
        (found["by_size"], [1 - 10**-1.06, 10**-1.06 - 50**-1.06, 50**-1.06 - 250**-1.06, 250**-1.06]),
        (found["by_sector"], [float(share) for share in world.firms.sector_shares]),
    ):
        for row, share in zip(rows, shares, strict=True):
            deviation = math.sqrt(share * (1 - share) * 6_000)
            assert row["firms"] == pytest.approx(share * 6_000, abs=4 * deviation)
    assert len(harsh[3].firm_score) == 120


PAPER = [
    "firms.per_1000=1000", "firms.sectors={values: {all: 1}}", "firms.services={}",
    "firms.acts={fraud: {stream: 3, channel: register, rate: {value: 0.01, per: day, basis: assumed}}}",
]  # fmt: skip


def paper(folder, term, days, people=8_000, **parts):
    """Live firms that commit fraud with a chance of 0.01 a day and are listed for it each time."""
    rules = {
        "score": {"start": q(0), "floor": q(-100), "cap": q(0)},
        "tiers": [{"name": "all"}],
        "list": {"name": "bad", "on": {"fraud": q(1, per="record")}, "term": term},
    }
    columns = Columns()
    nothing_else = [HARSH["lists"][0] | {"on": {"loan-default": q(0, per="record")}}]
    regime = made_up(folder, **HARSH | {"lists": nothing_else}, firms=rules | parts)
    run = simulate(regime, load_world("town", people=people, overrides=PAPER), days=days, seed=11,
                   out=folder / "run", observers=[columns])  # fmt: skip
    return run, columns.by_day[days]


@pytest.mark.parametrize(
    ("term", "spared"),
    [
        ({"law": "fixed", "mean": q("40 days")}, 0.99**40),
        # The listed are those who had an act whose stay still runs; the chance per act and day is 0.9^age.
        ({"law": "geometric", "mean": q("10 days")}, math.prod(1 - 0.01 * 0.9**age for age in range(200))),
    ],
    ids=["fixed", "geometric"],
)
def test_occupancy_of_the_list(tmp_path, term, spared):
    """The share of listed firms is that of a renewal process whose stays a further act prolongs."""
    _, state = paper(tmp_path, term, days=119)
    share = 1 - spared
    # At the end of day t a stay from day t - age runs if it is longer than age: the columns are those of that day.
    assert (state.firm_until > 119 - 1).mean() == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 8_000))
    np.testing.assert_array_equal(state.firm_until, state.firm_true_until)


def test_how_many_representatives_are_dragged_in(tmp_path):
    """Each firm listed before the last window is entered once in the file of one person; of these q join the list."""
    term = {"law": "fixed", "mean": q("40 years")}
    into = {"points": q(-3), "lists": {"blacklist": q(0.3, per="listing")}}
    people, days = 8_000, 70
    run, state = paper(tmp_path, term, days, people, to_representative=into)
    found = totals(run)
    listed = 1 - 0.99**days
    assert found["firms_ever_listed"] == found["firm_listings"] == (state.firm_until > 0).sum()
    assert found["firm_listings"] == pytest.approx(listed * people, abs=4 * math.sqrt(listed * (1 - listed) * people))
    charged = 1 - 0.99 ** (days - 7)
    n = found["representatives_charged"]
    assert n == pytest.approx(charged * people, abs=4 * math.sqrt(charged * (1 - charged) * people))
    assert found["listings/blacklist"] == pytest.approx(0.3 * n, abs=4 * math.sqrt(0.3 * 0.7 * n))
    assert found.get("representatives_wrongly_charged", 0) == found.get("firm_false_records", 0) == 0


def test_false_links_keep_their_number(tmp_path):
    """As many records reach the wrong firm as registers named one wrongly, a window later."""
    run, state = paper(
        tmp_path, {"law": "fixed", "mean": q("30 days")}, days=84,
        registers={"scope": "nation", "missed_link": q(0.1, per="record"), "false_link": q(0.2, per="record")},
    )  # fmt: skip
    found = totals(run)
    acts = found["firm_acts"]
    assert acts == pytest.approx(8_000 * 84 * 0.01, abs=4 * math.sqrt(8_000 * 84 * 0.01 * 0.99))
    assert found["firm_missed_records"] == pytest.approx(0.3 * acts, abs=4 * math.sqrt(0.3 * 0.7 * acts))
    expected = 0.2 * acts * 77 / 84
    assert found["firm_false_records"] == pytest.approx(expected, abs=4 * math.sqrt(2 * expected))
    assert (state.firm_until > 0).sum() > (state.firm_true_until > 0).sum() * 0.8
    wrongly = audit(run)["firms"]["wrongly_listed"]["numerator"]
    assert 0 < wrongly <= found["firms_ever_listed"]


# Screening ------------------------------------------------------------------------------------------------


def test_the_share_of_employers_that_ask():
    """Those that ask anyway, and of the others those whose score gains by it; a county without firms as the nation."""
    employers = Employers(services=(3,), share=UNIT // 4, at_first=UNIT)
    firms = np.array([10, 0, 30])
    assert employers.table(None, firms, 0)[:, 3].tolist() == [UNIT] * 3
    table = employers.table(np.array([35, 0, 0]), firms, 7)
    assert table[:, 3].tolist() == [UNIT // 4 + 3 * UNIT // 8, UNIT // 4 + 3 * UNIT // 32, UNIT // 4]
    assert (np.delete(table, 3, axis=1) == UNIT).all()
    assert Employers((3,), UNIT // 4, 0).table(None, firms, 0)[:, 3].tolist() == [UNIT // 4] * 3


def test_nobody_is_refused_where_nobody_asks(tmp_path):
    """A share of 0 that is not paid refuses nobody; a share of 1 is as without the rule."""
    world = load_world("town", people=1_500, overrides=MANY)
    found = {}
    for share in (None, 0, 0.5, 1):
        screening = None if share is None else {"services": ["job"], "share": q(share), "points": q(0)}
        regime = made_up(tmp_path, **HARSH, firms=firms_with(screening=screening))
        run = simulate(regime, world, days=210, seed=8, out=tmp_path / str(share))
        found[share] = run.manifest["result_hash"], totals(run).get("refused/job", 0)
    assert found[1] == found[None]
    assert found[0][1] == 0 < found[0.5][1] < found[1][1]


def test_screening_pays_until_the_best_tier(harsh):
    """Firms below the best tier ask, and gain; so the share that asks falls as they rise."""
    _, _, run, state = harsh
    rows = [row for row in run.table("exchange/tables").to_pylist() if row["name"] == "screening"]
    shares = [np.frombuffer(row["data"], "<i8").reshape(row["shape"])[0, 3] for row in rows]
    assert shares[0] == UNIT and 0.2 * UNIT < shares[-1] < UNIT
    assert totals(run)["firm_screening_days"] < 120 * 210
    assert (state.firm_score >= 600).any()


# One life, however it is computed -------------------------------------------------------------------------


def test_oracle_and_loop_agree_on_firms(harsh):
    """Every column and count of firms and of those who represent them, with every rule on."""
    regime, world, run, state = harsh
    assert_same(regime, world, run, state)
    found = totals(run)
    for name in (
        "firm_false_records", "firm_wrongful_listings", "firm_wrongly_refused", "representatives_wrongly_charged",
        "firms_wrongly_charged", "firm_screening_days", "firm_missed_records",
    ):  # fmt: skip
        assert found[name] > 0, name


@pytest.mark.parametrize("how", [{"threads": 2}, {"blocks_per_task": 1}, {"stopped": 4}], ids=str)
def test_one_hash_with_firms(tmp_path, how):
    """Threads, tasks and a restart change no bit; blocks of 50 citizens have firms of their own."""
    regime = made_up(tmp_path, **HARSH, firms=FIRMS)
    world = load_world("town", people=2_000, overrides=[*MANY, "community=50"])
    settings = {"days": 63, "seed": 3}
    plain = simulate(regime, world, threads=1, out=tmp_path / "plain", **settings)
    if "stopped" in how:
        with pytest.raises(errors.Interrupted):
            simulate(regime, world, threads=1, out=tmp_path / "run", stop=StopAfter(how["stopped"]), **settings)
        how = {"resume": True}
    run = simulate(regime, world, out=tmp_path / "run", **settings, **how)
    assert run.manifest["result_hash"] == plain.manifest["result_hash"]
    for name in ("counts_stratum", "counts_county", "blocks", "firms", "exchange/tables"):
        assert run.table(name).equals(plain.table(name)), name


def test_a_representative_is_lived_again_with_her_firm(tmp_path):
    """Lives of a run of many blocks come out as they were, and tell of both directions of the contamination."""
    regime = made_up(tmp_path, **HARSH, firms=FIRMS)
    world = load_world("town", people=1_000, overrides=[*MANY, "community=100"])
    run = simulate(regime, world, days=210, seed=8, out=tmp_path / "run")
    lives, kinds, n_firms = Reliving(run), set(), 0
    for citizen in range(200, 400):
        life = lives.life(citizen)
        n_firms += life.person.firm is not None
        assert [step.day for step in life.steps] == sorted(step.day for step in life.steps)
        assert all(words.sentence(step) for step in life.steps)
        kinds |= {step.kind for step in life.steps}
    assert n_firms == 60
    assert kinds >= {"answers-for-firm", "firm-charged", "firm-act", "firm-wrong-name", "firm-listed",
                     "firm-released", "firm-refused"}  # fmt: skip


def test_a_firm_that_does_not_come_out_is_found_out(tmp_path, monkeypatch):
    """A firm whose columns the oracle does not reach is an error, not a story."""
    regime = made_up(tmp_path, **HARSH, firms=FIRMS)
    run = simulate(regime, load_world("town", people=100, overrides=MANY), days=14, seed=8, out=tmp_path / "run")
    lives = Reliving(run)
    citizen = next(n for n in range(100) if lives.oracle.person(n, 0).firm is not None)
    assert lives.life(citizen)
    monkeypatch.setattr("underheaven.life.reference_firms.Firm.columns", lambda self: {})
    with pytest.raises(errors.RunError, match="lived again, is not what it was"):
        lives.life(citizen)


def test_firms_pass_from_one_regime_to_the_next(tmp_path):
    """Under four regimes in turn oracle and loop agree; scores on one scale and stays of one name go on."""
    none, first = made_up(tmp_path, **HARSH), made_up(tmp_path, **HARSH, firms=FIRMS)
    other = firms_with(points={}, list=FIRMS["list"] | {"name": "other"})
    same = made_up(tmp_path, **HARSH, firms=other)
    wide = made_up(tmp_path, **HARSH, firms=firms_with(score=FIRMS["score"] | {"cap": q(200)}))
    rules = rollout(none, (first, 14, []), (same, 56, []), (wide, 70, []), (none, 98, []), (first, 112, []))
    world = load_world("town", people=200, overrides=[*MANY, "community=64"])
    columns = Columns()
    run = simulate(rules, world, days=126, seed=8, out=tmp_path / "run", observers=[columns])
    assert_same(rules, world, run, columns.by_day[126])
    by_day = columns.by_day
    assert (by_day[14].firm_score == 0).all() and (by_day[105].firm_score == 0).all()
    assert (by_day[63].firm_score < 500).any()  # what the regime before took off
    assert (np.median(by_day[77].firm_score) == 500) and not (by_day[105].firm_flags & ~np.uint8(67)).any()
    assert totals(run)["firms"] == len(by_day[14].firm_score) == 60
    lives = Reliving(run)
    assert any(lives.life(citizen).person.firm for citizen in range(10))


# What can be written --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({"tiers": []}, "a score without tiers decides nothing; write 1 to 8 `tiers`"),
        ({"tiers": [{"name": "a", "from": q(10)}, {"name": "b", "from": q(20)}]}, "the last tier starts at 20"),
        ({"points": {"tax-evasion": q(-101)}}, "101 points are more than the whole scale of 100; write at most 100"),
        ({"from_representative": q(1)}, "nobody gains by the sanction of another; write 0 or a number below 0"),
        ({"to_representative": {"points": q(1)}}, "nobody gains by the sanction of another"),
        ({"to_representative": {"points": q(-201)}}, "201 points are more than the whole scale of 200"),
        ({"to_representative": {"lists": {"blacklst": q(1, per="listing")}}},
         "'blacklst' is no list of people in this regime; did you mean 'blacklist'?"),
        ({"list": {"name": "x", "term": {"law": "fixed", "mean": q("1 year")}}},
         "nothing leads to this list; write `on:` with acts, or `below:` with a tier"),
        ({"list": FIRMS["list"] | {"below": "bd"}}, "'bd' is no tier of firms; did you mean 'bad'?"),
        ({"list": FIRMS["list"] | {"below": "good"}}, "every firm is in tier 'good' or lower; write a lower tier"),
        ({"list": None}, "there is no list of firms; write `list:` in this section, or take `listed` out"),
        ({"treatment": {"loans": {"tiers": {"worst": "refuse"}}}}, "'worst' is no tier of firms; write good, fair or"),
        ({"registers": {"scope": "nation", "missed_link": q(0.6, per="record"), "false_link": q(0.5, per="record")}},
         "missed and false links together are 1.1 of the records; write chances that stay within 1"),
        ({"screening": {"services": ["job"], "share": q(2), "points": q(1)}}, "2 is no share of firms; write a number"),
        ({"screening": {"services": ["job"], "share": q(1), "points": q(-1)}}, "does not ask for what costs it points"),
        ({"screening": {"services": ["jb"], "share": q(1), "points": q(1)}},
         "'jb' has no rule under `treatment`, so nobody asks there; did you mean 'job'?"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(tmp_path, parts, text):
    """Each part that cannot be meant is refused, with the place and what to write."""
    with pytest.raises(errors.FileFormError) as caught:
        made_up(tmp_path, **HARSH, firms=firms_with(**parts))
    assert caught.value.code == "UH120"
    assert text in str(caught.value)


def test_firms_may_stand_alone(tmp_path):
    """Scores for firms need no score of people; points for people do."""
    alone = firms_with(to_representative=None, from_representative=None, screening=None)
    run = simulate(made_up(tmp_path, firms=alone), load_world("town", people=500), days=14, out=tmp_path / "run")
    assert totals(run)["firms"] == 20 and not totals(run).get("points_moved")
    with pytest.raises(errors.FileFormError, match="people have no score in this regime"):
        made_up(tmp_path, firms=alone | {"to_representative": {"points": q(-1)}})


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({"points": {"tax-evasio": q(-1)}}, "have no act 'tax-evasio'; did you mean 'tax-evasion'?"),
        ({"list": FIRMS["list"] | {"on": {"x": q(1, per="record")}}}, "have no act 'x'; they have tax-evasion, "),
        ({"treatment": {"loan": {"listed": "refuse"}}}, "have no service 'loan'; did you mean 'loans'?"),
    ],
)
def test_what_the_world_does_not_have_is_said(tmp_path, parts, text):
    """An act or a service that firms of the world do not have is refused with its place."""
    with pytest.raises(errors.FileFormError) as caught:
        compile_tables(made_up(tmp_path, **HARSH, firms=firms_with(**parts)), load_world("town"))
    assert caught.value.code == "UH121"
    assert text in str(caught.value) and "firms." in str(caught.value)


def test_a_world_without_firms_is_said(tmp_path):
    """A regime that scores firms needs a world that has them."""
    world = load_world("town").model_copy(update={"firms": None})
    with pytest.raises(errors.FileFormError, match="has no firms; write `firms:` in it, or take this out"):
        compile_tables(made_up(tmp_path, **HARSH, firms=FIRMS), world)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("firms.per_1000=0", "write a number above 0 and at most 1000"),
        ("firms.sizes.exponent=0", "write an exponent above 0"),
        ("firms.sizes.largest=0", "no firm has 0 people"),
        (
            "firms.sectors={values: {a: 0.2, b: 0.1, c: 0.1, d: 0.1, e: 0.1, f: 0.1, g: 0.1, h: 0.1, i: 0.1}}",
            "9 sectors are",
        ),
        ("firms.acts.pollution.stream=8", "streams of the acts of firms go from 0 to 7, and this is 8"),
        ("firms.acts.pollution.stream=0", "has stream 0 already; write a free one"),
        ("firms.services.loans.stream=1", "streams of the services of firms go from 8 to 11, and this is 1"),
        ("firms.acts.pollution.sectors={values: {trad: 2}}", "'trad' is no sector here; did you mean 'trade'?"),
        ("firms.acts.pollution.rate=1 per day", "a firm does this at most once a day"),
    ],
)
def test_what_no_world_can_have_is_said(change, text):
    """Each number or name of firms that cannot be is refused."""
    with pytest.raises(errors.FileFormError) as caught:
        load_world("town", overrides=[change])
    assert text in str(caught.value)


# What is shown --------------------------------------------------------------------------------------------


def test_the_audit_of_firms_adds_up(harsh):
    """The rows by sector and by size add up to all, and all to the counters; shares have their parts."""
    _, _, run, state = harsh
    found, counted = audit(run)["firms"], totals(run)
    for key, counter in (
        ("firms", "firms"), ("acts", "firm_acts"), ("listings", "firm_listings"), ("listed_days", "firm_listed_days"),
        ("representatives_charged", "representatives_charged"), ("false_records", "firm_false_records"),
    ):  # fmt: skip
        assert found[key] == counted[counter]
        for rows in ("by_sector", "by_size"):
            assert sum(row[key] for row in found[rows]) == found[key], key
    assert found["listed"]["numerator"] == (state.firm_flags & 1 > 0).sum()
    assert found["wrongly_listed"]["numerator"] == (state.firm_flags & 2 > 0).sum()
    assert 0 < found["wrongly_listed_days"] < found["listed_days"]
    empty = [row for row in found["by_size"] if not row["firms"]]
    assert all(row["listed"]["value"] is None for row in empty)


def test_findings_chart_and_words(harsh, tmp_path):
    """The headline, the chart and the sentences say the figures of the run."""
    regime, _, run, _ = harsh
    found = audit(run)
    told = {finding["id"]: finding for finding in found["findings"]}
    assert told["firms_listed"]["value"] == found["firms"]["listed"]["numerator"]
    assert "of 120 firms were on the list at some time" in told["firms_listed"]["text"]
    charged = found["firms"]["representatives_charged"]
    assert told["representatives_charged"]["value"] == charged
    assert f"{found['firms']['firms_charged']} firms lost points" in told["representatives_charged"]["text"]
    chart = next(chart for chart in all_charts(run) if chart.name == "firms")
    sizes = [row for row in found["firms"]["by_size"] if row["firms"]]
    assert [record["share"] for record in chart.records[::2]] == [row["listed"]["value"] for row in sizes]
    assert len(chart.rows) == len(sizes) and "Firms listed" in write_report(run).read_text(encoding="utf-8")
    sentences = " ".join(describe(regime)["sentences"])
    assert "gets 20 points off and the list ‘blacklist’ (50% of the times)" in sentences
    assert "the firm loses 12 points" in sentences and "20% of them anyway, and all below the best" in sentences
    nobody = simulate(regime, load_world("town", people=2), days=1, out=tmp_path / "run")
    told = {finding["id"]: finding for finding in audit(nobody)["findings"]}
    assert told["firms_listed"]["value"] is None and not any(c.name == "firms" for c in all_charts(nobody))
    assert Counts(nobody).total("firms") == 0


def test_a_wall_is_said_in_words(tmp_path):
    """Behind a context wall the sentences say that neither answers for the other."""
    sentences = " ".join(describe(made_up(tmp_path, **HARSH, firms=FIRMS, context_wall=True))["sentences"])
    assert "a firm and its representative do not answer for each other" in sentences
    assert "the firm loses" not in sentences
