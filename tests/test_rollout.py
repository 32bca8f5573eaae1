"""Roll-outs: counties under different regimes from different days on, and how files pass from one to the next."""

from __future__ import annotations

import json

import numpy as np
import pytest
import vl_convert

from lives import Columns, StopAfter, assert_same_lives, live, made_up, q, totals
from test_levers import APPEAL, NOTICE
from test_oracle import assert_same
from underheaven import errors
from underheaven.engine.relive import Reliving
from underheaven.engine.run import simulate
from underheaven.life.state import FIRM_COLUMNS, State
from underheaven.regime.reader import load_regime
from underheaven.regime.rollout import Rollout, compile_rules, load_rollout
from underheaven.show.report import write_report
from underheaven.show.rollout import rollout as rollout_chart
from underheaven.store import open_run
from underheaven.study.counts import Counts
from underheaven.world.places import build_places
from underheaven.world.reader import load_world

CITY = load_world("city", people=6_000)
LOCAL = [
    "recognition.gallery=county", "recognition.nation=null", "registers.scope=county",
    "firms.registers.scope=county",
]  # fmt: skip
#: Everything that press-2018 does not have, so that much passes from one regime to the next.
FULL = [
    *LOCAL, NOTICE, APPEAL, "remedies.expiry=1 year", "remedies.correction=2 per year",
    "lists.travel-ban.term.mean=40 days",
]  # fmt: skip


def rollout(baseline, *phases):
    """Make a roll-out of regimes (as loaded): phases are (regime, day, counties)."""
    names = {id(baseline): "first"}
    for number, (regime, _, _) in enumerate(phases):
        names.setdefault(id(regime), f"other-{number}")
    regimes = {names[id(regime)]: regime for regime in (baseline, *(phase[0] for phase in phases))}
    found = Rollout.model_validate(
        {
            "format": "underheaven-rollout/1", "rollout": "made-up", "title": "Made up", "kind": "hypothesis",
            "status": "provisional", "summary": "For a test.", "baseline": "first",
            "phases": [{"regime": names[id(r)], "from": q(f"{day} days"), "counties": list(c)} for r, day, c in phases],
        },
        context={"sources": frozenset()},
    )  # fmt: skip
    return found.model_copy(update={"regimes": tuple(regimes[name] for name in found.names)})


def lived(folder, rules, days=70, world=CITY, **settings):
    """Run and return (run, columns of the last day)."""
    columns = Columns()
    settings = {"seed": 5, "threads": 1, "out": folder / "run"} | settings
    run = simulate(rules, world, days=days, observers=[columns], **settings)
    return run, columns.by_day[days]


def rows(state, people):
    """Return the columns of some people; those of firms are left out."""
    found = {name: array[:0] if name in FIRM_COLUMNS else array for name, array in state._asdict().items()}
    return State(**{name: array[..., people] if array.size else array for name, array in found.items()})


def of(*counties):
    """Return a mask of the citizens of some counties of the city, by the beginning of their names."""
    places = build_places(CITY)
    return np.repeat([name.startswith(counties) for name in places.names], places.sizes)


@pytest.fixture(scope="module")
def press():
    return load_regime("press-2018", LOCAL)


@pytest.fixture(scope="module")
def told():
    return load_regime("press-2018", [*LOCAL, "remedies.notice=1"])


def test_the_same_regime_again_is_no_change(tmp_path, press):
    """A roll-out of one regime to some counties where it is already in force moves nothing, to the bit."""
    same = load_regime("press-2018", LOCAL)
    alone, before = lived(tmp_path / "alone", press)
    run, after = lived(tmp_path / "rolled", rollout(press, (same, 28, ["Town *"])))
    assert_same_lives(before, after)
    assert run.manifest["result_hash"] == alone.manifest["result_hash"]
    assert totals(run) == totals(alone)


def test_a_safeguard_in_some_counties_changes_nobody_out_of_reach(tmp_path):
    """Notice in the towns from day 28: lives in subdistricts stay the same to the bit, those in towns part."""
    press, told = (load_regime("press-2018", [*LOCAL, "risk=null", *more]) for more in ([], ["remedies.notice=1"]))
    _, before = lived(tmp_path / "alone", press)
    _, after = lived(tmp_path / "rolled", rollout(press, (told, 28, ["Town *"])))
    assert_same_lives(rows(before, of("Subdistrict")), rows(after, of("Subdistrict")))
    assert (before.caution[of("Town")] != after.caution[of("Town")]).any()
    _, at_once = lived(tmp_path / "at-once", rollout(press, (told, 0, ["Town *"])))
    _, all_told = lived(tmp_path / "all", told)
    assert_same_lives(rows(at_once, of("Town")), rows(all_told, of("Town")))
    assert_same_lives(rows(at_once, of("Subdistrict")), rows(before, of("Subdistrict")))


def test_nothing_changes_before_its_day(tmp_path, press, told):
    """Until the day of a phase the counties live as under the baseline."""
    alone, rolled = Columns(), Columns()
    simulate(press, CITY, days=42, seed=5, threads=1, out=tmp_path / "a", observers=[alone])
    simulate(rollout(press, (told, 21, [])), CITY, days=42, seed=5, threads=1, out=tmp_path / "b", observers=[rolled])
    assert_same_lives(alone.by_day[21], rolled.by_day[21])
    assert (alone.by_day[42].caution != rolled.by_day[42].caution).any()


def test_from_nothing_everybody_starts_at_the_start(tmp_path, press):
    """Before its day a county has no file; from then on, every one starts at the start score of the new regime."""
    none = load_regime("none")
    run, _ = lived(tmp_path, rollout(none, (press, 35, ["Town *"])), days=35)
    assert totals(run).get("sanction_days", 0) == 0
    found = Columns()
    simulate(
        rollout(none, (press, 35, ["Town *"])), CITY, days=42, seed=5, threads=1, out=tmp_path / "more",
        observers=[found],
    )  # fmt: skip
    state = found.by_day[42]
    assert (state.score[0, of("Subdistrict")] == 0).all()
    assert np.median(state.score[0, of("Town")]) == 10_000
    run = open_run(tmp_path / "more")
    assert totals(run)["tier_days/A"] <= 7 * of("Town").sum()


def test_scores_on_another_scale_start_afresh_and_back(tmp_path):
    """From a scale of 0..100 to one of 0..500 nobody keeps a score; a list that both have goes on."""

    def points(cap):
        return made_up(
            tmp_path, score={"start": q(cap // 2), "floor": q(0), "cap": q(cap)},
            tiers=[{"name": "high", "from": q(cap // 4)}, {"name": "low"}],
            points={"jaywalking": q(-5), "waste-sorting": q(5)},
            lists=[{"name": "barred", "on": {"late-payment": q(1, per="record")},
                    "term": {"law": "fixed", "mean": q("1 year")}}],
            treatment={"rail": {"tiers": {"low": "refuse"}, "lists": {"barred": "refuse"}}},
            cameras={"per_1000": q(500), "half_view": q(100)}, reporting={"seen": q(0.5, per="act")},
        )  # fmt: skip

    small, large = points(100), points(500)
    run, state = lived(tmp_path, rollout(small, (large, 140, [])), days=147)
    assert np.median(state.score) == 2_500
    assert (state.list_until[0][state.list_until[0] > 0] < 140 + 365).mean() > 0.8  # most stays are older than that
    counts = totals(run)
    assert counts["listings/barred"] == (state.list_until[0] > 0).sum()


@pytest.fixture(scope="module")
def through(tmp_path_factory, press):
    """Six hundred people through four regimes: none, the press, the press with all remedies, a context wall."""
    world = load_world("city", people=600)
    full, walled = load_regime("press-2018", FULL), load_regime("press-2018", [*LOCAL, "context_wall=true"])
    rules = rollout(
        load_regime("none"), (press, 0, ["Sub*"]), (full, 200, ["Sub*", "Town 0?"]), (walled, 400, ["Subdistrict 0?"]),
        (press, 401, ["Town 01", "Town 02"]),
    )  # fmt: skip
    folder, columns = tmp_path_factory.mktemp("through"), Columns()
    run = simulate(rules, world, days=560, seed=5, threads=2, out=folder / "run", observers=[columns])
    return rules, world, run, columns.by_day[560]


def test_oracle_and_loop_agree_through_four_regimes(through):
    """Every column and every count, through change-overs of ledgers, lists, expiry and appeals."""
    rules, world, run, state = through
    assert_same(rules, world, run, state)
    assert totals(run)["appeals"] > 0


def test_files_that_come_go_and_come_back(tmp_path):
    """From a regime with files to none and back: loop and oracle agree, and what has happened stays known."""
    world, press = load_world("city", people=400), load_regime("press-2018", LOCAL)
    none = load_regime("none")
    rules = rollout(press, (none, 98, []), (load_regime("press-2018", FULL), 196, ["Sub*"]))
    run, state = lived(tmp_path, rules, days=280, world=world)
    assert_same(rules, world, run, state)
    assert (state.flags > 0).any()


def test_a_life_through_four_regimes_can_be_lived_again(through):
    """Any of them, held against the run."""
    _, _, run, _ = through
    lives = Reliving(run)
    for citizen in range(0, 600, 37):
        life = lives.life(citizen)
        assert [step.day for step in life.steps] == sorted(step.day for step in life.steps)


@pytest.mark.parametrize("stop_at", [3, 29, 60])
def test_stopped_and_resumed_with_other_threads(tmp_path, through, stop_at):
    """Before, in between and after change-overs, the same bits."""
    rules, world, run, _ = through
    with pytest.raises(errors.Interrupted):
        simulate(rules, world, days=560, seed=5, threads=1, out=tmp_path / "run", stop=StopAfter(stop_at),
                 observers=[Columns()], blocks_per_task=1)  # fmt: skip
    again = simulate(
        rules, world, days=560, seed=5, threads=2, out=tmp_path / "run", resume=True, observers=[Columns()]
    )
    assert again.manifest["result_hash"] == run.manifest["result_hash"]
    assert totals(again) == totals(run)


def test_its_report_says_what_comes_when(through):
    """The page names the phases, and every regime's numbers are cited."""
    page = write_report(through[2]).read_text()
    assert "From day 400 on, in Subdistrict 0?" in page
    assert "remedies" in page


def test_its_chart_sets_groups_of_counties_beside_each_other(tmp_path):
    """One line a group, the day of each change marked, and the lines part after it only."""
    run = live(tmp_path / "run", load_rollout("staggered-pilots"), "city", 8_000, days=182)
    chart = rollout_chart(Counts(run))
    assert chart is not None
    groups = {record["group"] for record in chart.records}
    assert groups == {"rongcheng-2016 from day 91 (9 counties)", "none throughout (13 counties)"}
    first = [record for record in chart.records if "day 91" in record["group"]]
    assert all(record["amount"] == 0 for record in first if record["day"] < 91)
    assert all(record["amount"] > 0 for record in first if record["day"] > 98)
    assert vl_convert.vegalite_to_png(chart.spec)[:4] == b"\x89PNG"
    assert rollout_chart(Counts(live(tmp_path / "one", "none", "city", 2_000, days=7))) is None


def test_two_national_galleries_are_one(tmp_path):
    """Where both regimes search the nation's faces, a safeguard elsewhere moves no wrong name."""
    press, told = load_regime("press-2018"), load_regime("press-2018", ["remedies.notice=1"])
    alone, _ = lived(tmp_path / "alone", press, days=28)
    run, _ = lived(tmp_path / "rolled", rollout(press, (told, 14, ["Town *"])), days=28)

    def hazards(run):
        found = run.table("exchange/tables").to_pylist()
        return [row["data"] for row in found if row["name"] in ("face_gaps", "link_gaps") and row["day"] <= 14]

    assert hazards(alone) == hazards(run)


def test_compiled_tiers_and_lists_are_those_of_all(press):
    """Tiers and lists of all regimes have one place each; a regime without tiers is counted apart."""
    rules = rollout(load_regime("judgment-defaulters"), (press, 7, ["Town *"]))
    compiled = compile_rules(rules, CITY)
    assert compiled.tiers == list(press.tier_names)
    assert set(press.list_names) <= set(compiled.lists)
    assert compiled.rules[0]["tier_column"].tolist() == [7] * 8
    assert compiled.rules[1]["tier_column"][:6].tolist() == list(range(6))
    where = [compiled.lists.index(name) for name in press.list_names]
    assert compiled.rules[1]["has_list"][where].all()


@pytest.mark.parametrize("name", ["staggered-pilots", "notice-in-the-towns"])
def test_the_catalogue(cli, name, tmp_path):
    """Each roll-out of the catalogue can be shown, cited and lived."""
    assert "What comes into force" in cli("show", name).out
    assert "phases.0.from" in cli("cite", name).out
    done = cli("run", name, "--people", "2000", "--days", "14", "--out", tmp_path / "run", "--quiet", "--json")
    assert done.code == 0
    assert done.json["manifest"]["regime"]["name"] == name
    assert name in cli("list", "rollouts").out


HEAD = {"format": "underheaven-rollout/1", "rollout": "mine", "title": "Mine", "kind": "hypothesis",
        "status": "provisional", "summary": "For a test.", "baseline": "none"}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"phases": []}, "nothing comes into force"),
        ({"phases": [{"regime": "pres-2018", "from": q("7 days")}]}, "did you mean 'press-2018'"),
        ({"phases": [{"regime": "staggered-pilots", "from": q("7 days")}]}, "is a roll-out, and a phase is a regime"),
        (
            {"phases": [{"regime": "press-2018", "from": q("7 days"), "counties": ["Twon 01"]}]},
            "did you mean 'Town 01'",
        ),
        ({"phases": [{"regime": "press-2018", "from": q("7 days"), "provinces": ["Zz"]}]}, "none of the provinces"),
        ({"phases": [{"regime": "press-2018", "from": q("7")}]}, "UH114"),
        ({"phases": [{"regime": "press-2018", "from": q("7 days")}], "regimes": []}, "files of their own"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, cli, more, words):
    """Each mistake of a roll-out file has its sentence, its place and exit code 2."""
    path = tmp_path / "mine.yaml"
    path.write_text(json.dumps(HEAD | more))
    done = cli("run", path, "--people", "2000", "--days", "7", "--out", tmp_path / "run")
    assert done.code == 2
    assert words in " ".join(done.err.split())
    assert "mine.yaml:1" in done.err
    assert "Traceback" not in done.err


def test_a_regime_beside_the_file(tmp_path):
    """A phase may name a file of its own folder, with reforms behind it, and --set reaches the roll-out."""
    made_up(tmp_path, lists=[{"name": "barred", "on": {"late-payment": q(1, per="record")},
                              "term": {"law": "fixed", "mean": q("30 days")}}])  # fmt: skip
    path = tmp_path / "mine.yaml"
    path.write_text(json.dumps(HEAD | {"phases": [{"regime": "made-up.yaml + notice", "from": q("7 days")}]}))
    found = load_rollout(str(path), ["phases.0.from=21 days"])
    assert found.phases[0].from_.days == 21
    assert found.regimes[1].remedies.notice is not None


def test_compared_with_its_baseline(tmp_path):
    """A roll-out may stand in a comparison; people of untouched counties are no better and no worse off."""
    import underheaven as uh

    found = uh.compare(["none", "staggered-pilots"], "city", people=3_000, days=140, out=tmp_path / "c", page=True)
    pair = found.pairs[0]
    assert pair.differences
    assert (tmp_path / "c" / "compare.html").is_file()
    rows, columns, _ = pair.transitions("tier")
    assert rows == ["no grade"]
    assert columns[-1] == "no grade"
