"""Demands on foreign firms: the cascade, its closed forms, the published counts, and where it is told."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import underheaven as uh
from lives import StopAfter, live, made_up, q, totals
from underheaven import errors
from underheaven.cli import main
from underheaven.engine.relive import Reliving
from underheaven.errors import FileFormError
from underheaven.institutions.demands import NEVER, Demand, FirmGroup, Firms, Made, demands_table, standing
from underheaven.life.tables import UNIT
from underheaven.reading import identity_hash
from underheaven.regime.reader import load_regime
from underheaven.regime.sections.demands import compiled
from underheaven.show.charts import all_charts
from underheaven.show.describe import describe
from underheaven.show.report import write_report
from underheaven.study.audit import audit
from underheaven.study.demands import calibrate, complied_by, replicated, spread

POINTS = [(30, 18), (79, 38)]


def firms_of(thresholds):
    """Return firms of one group with these thresholds, in hundredths (cut to 1/65536), and nothing else."""
    level = np.array([n * UNIT // 100 for n in thresholds], np.int64)
    nothing = np.zeros(len(level), np.int64)
    return Firms(nothing, level, nothing, nothing)


def settled(thresholds):
    """Return how many of a hundred firms give in when only the others matter."""
    demand = Demand("x", 0, (FirmGroup("all", len(thresholds)),))
    return int((demand.course(firms_of(thresholds), 1).full_day == 0).sum())


def relabelling():
    return compiled(load_regime("airlines-2018").demands)[0]


# The cascade ----------------------------------------------------------------------------------------------------------


def test_granovetter():
    """Thresholds 0..99: all; the threshold 1 raised to 2: one; the threshold g raised by one: exactly g."""
    assert settled(range(100)) == 100
    assert settled([0, 2, *range(2, 100)]) == 1
    for g in range(100):
        assert settled([n + (n == g) for n in range(100)]) == g


def test_any_order_of_looking_gives_the_same():
    """One after the other, in any order, ends where all at once does, and the numbers of the firms do not matter."""
    chance = random.Random(4)
    for _ in range(30):
        thresholds = [min(101, int(chance.expovariate(1 / 30))) for _ in range(100)]
        given_in: set[int] = set()
        while True:
            willing = [i for i in range(100) if i not in given_in and thresholds[i] <= len(given_in)]
            if not willing:
                break
            given_in.add(chance.choice(willing))
        shuffled = thresholds[:]
        chance.shuffle(shuffled)
        assert settled(thresholds) == settled(shuffled) == len(given_in)


def by_the_text(demand, firms, days):
    """Work out the course firm by firm in exact whole numbers, as section 7.14 of the ODD says it."""
    n = demand.n_firms
    part, full = [None] * n, [None] * n
    for day in range(days):
        ahead = [deadline for deadline in demand.deadlines if deadline >= day]
        left = ahead[0] - day if ahead else 0
        pressure = int(demand.threat * 2.0 ** (-left / demand.half_life_days)) if demand.deadlines else 0
        moved = True
        while moved:
            shown = sum(min(d for d in (part[i], full[i], NEVER) if d is not None) <= day for i in range(n))
            moved = False
            for i in range(n):
                group = demand.groups[firms.group[i]]
                pull = demand.peers * shown + (pressure + int(firms.exposure[i])) * n
                today = day + int(firms.work_days[i])
                if full[i] is None and pull >= (int(firms.threshold[i]) + group.home_pressure) * n:
                    full[i], moved = today, moved or today == day
                elif (
                    full[i] is None
                    and part[i] is None
                    and pull >= (int(firms.threshold[i]) + group.partial_pressure) * n
                ):
                    part[i], moved = today, moved or today == day
    return [[d if d is not None and d < days else NEVER for d in found] for found in (part, full)]


GROUPS = st.builds(
    FirmGroup,
    name=st.just("g"),
    number=st.integers(1, 12),
    exposure=st.integers(0, UNIT),
    home_pressure=st.integers(UNIT // 4, 2 * UNIT),
    partial_pressure=st.integers(0, UNIT // 4),
)


@settings(max_examples=60, deadline=None)
@given(
    groups=st.lists(GROUPS, min_size=1, max_size=3).map(tuple),
    deadlines=st.lists(st.integers(1, 40), unique=True, max_size=3).map(lambda days: tuple(sorted(days))),
    peers=st.integers(0, 2 * UNIT),
    threat=st.integers(0, 2 * UNIT),
    half_life=st.integers(1, 20),
    work=st.integers(0, 9),
    seed=st.integers(0, 2**63 - 1),
    days=st.integers(1, 70),
)
def test_the_course_is_what_the_text_says(groups, deadlines, peers, threat, half_life, work, seed, days):
    """Against a second writing in plain Python, for any demand; nobody takes a change back."""
    demand = Demand("x", 0, groups, deadlines, peers, threat, half_life, 0, UNIT, work)
    firms = demand.firms(seed)
    course = demand.course(firms, days)
    assert [course.partial_day.tolist(), course.full_day.tolist()] == by_the_text(demand, firms, days)
    for counts in standing(demand, firms, course, days):
        assert (counts["complied"] + counts["partially"] + counts["open"] == counts["asked"]).all()
        assert (np.diff(counts["complied"]) >= 0).all()
        assert (np.diff(counts["open"]) <= 0).all()


def test_a_run_that_ends_early_is_the_start_of_a_longer_one():
    """Days cut the course; what they show does not move."""
    demand = relabelling()
    long = demands_table([Made(demand, 0, 0)], 8, 200).to_pylist()
    short = demands_table([Made(demand, 0, 0)], 8, 20).to_pylist()
    assert max(row["day"] for row in short) == 19
    assert short == [row for row in long if row["day"] < 20]


# Closed forms ---------------------------------------------------------------------------------------------------------


def near(found, p, n):
    return abs(found - n * p) <= 4 * math.sqrt(n * p * (1 - p))


def test_a_deadline_alone():
    """Without others, as many have given in as have a threshold below the pressure: threat / 2^(left / half)."""
    n, demand = 4_000, Demand("x", 0, (FirmGroup("all", 4_000),), (21,), 0, UNIT * 4 // 5, 7)
    course = demand.course(demand.firms(3), 30)
    for day, p in ((0, 0.1), (7, 0.2), (14, 0.4), (21, 0.8), (29, 0.8)):
        assert near(complied_by(course, day), p, n), day


def test_the_pressure_falls_back_when_time_is_given():
    """It is whole on each deadline, low again the day after, and stays whole after the last."""
    demand = Demand("x", 0, (FirmGroup("all", 1),), (30, 91), UNIT, UNIT, 7)
    assert [demand.pressure(day) for day in (23, 30, 91, 92, 500)] == [UNIT // 2, UNIT, UNIT, UNIT, UNIT]
    assert demand.pressure(31) == int(UNIT * 2 ** (-60 / 7)) < UNIT // 100


def test_the_time_that_a_change_takes():
    """Each day the same chance 1/mean to be done: by day t a share 1 - (1 - 1/mean)^t."""
    n, demand = 4_000, Demand("x", 0, (FirmGroup("all", 4_000),), (1,), 0, 9 * UNIT, 1, work_days=13)
    course = demand.course(demand.firms(5), 60)
    for day in (1, 5, 13, 40):
        assert near(complied_by(course, day), 1 - (1 - 1 / 13) ** day, n), day


def test_pressure_at_home_lets_a_part_be_changed():
    """Between the two thresholds a firm changes a part; what it does depends on nobody's order."""
    group = FirmGroup("pressed", 1_000, home_pressure=UNIT // 2, partial_pressure=UNIT // 4)
    demand = Demand("x", 0, (group,), (1,), 0, UNIT * 3 // 4, 1)
    (counts,) = standing(demand, demand.firms(1), demand.course(demand.firms(1), 5), 5)
    complied, partially = int(counts["complied"][-1]), int(counts["partially"][-1])
    assert near(complied, 0.25, 1_000)  # pull 3/4 against a threshold below 1/4
    assert near(partially, 0.25, 1_000)  # ... and below 1/2


def test_stakes_and_audiences_keep_their_sums():
    """Stakes are spread evenly up to twice their mean; audiences follow Zipf and add up to all of them."""
    group = FirmGroup("all", 2_000, exposure=UNIT // 10, audience=1_000, size_exponent=1.0)
    stakes = Demand("x", 0, (group,)).firms(2).exposure / UNIT
    assert abs(stakes.mean() - 0.05) < 4 * 0.1 / math.sqrt(12 * 2_000)
    assert stakes.max() < 0.1
    readers = group.audiences()
    assert sum(readers) == 2_000 * 1_000
    assert readers[0] == pytest.approx(2 * readers[1], rel=1e-4)


# The airlines of 2018 -------------------------------------------------------------------------------------------------


def test_the_numbers_of_the_file_are_those_of_the_calibration():
    """The threat and the time to comply in the file are what the search finds on the first two counts."""
    found = calibrate(relabelling(), POINTS)
    file = load_regime("airlines-2018").demands[0]
    assert file.time_to_comply is not None
    assert file.time_to_comply.days == found.work_days
    assert float(file.threat.exact) == round(found.threat / UNIT, 2)
    assert [(p.after.days, p.complied.value) for p in file.published if p.use == "calibrated"] == POINTS


def test_the_mean_course_passes_through_the_counts_that_it_was_chosen_by():
    """Under seeds that the search did not use, within 4 standard errors (and the two digits of the file)."""
    demand = relabelling()
    course = demand.course(replicated(demand, range(5_000, 6_000)), 107)
    for day, count in POINTS:
        found = complied_by(course, day)
        assert abs(found.mean() - count) < 4 * found.std() / math.sqrt(1_000) + 0.2


def test_the_count_that_was_left_out():
    """40 of 44 on day 92 with four in part on day 105 lies in the middle of what the model expects, not at its edge."""
    demand = relabelling()
    course = demand.course(replicated(demand, range(5_000, 6_000)), 107)
    on_92 = complied_by(course, 92)
    low, high = np.quantile(on_92, [0.025, 0.975])
    assert low <= 40 <= high
    assert (on_92 == 40).mean() > 0.4
    partial = (course.partial_day <= 105) & (course.full_day > 105)
    assert (partial.sum(axis=-1) == 4).mean() > 0.5
    assert not (partial & (demand.firms(1).group == 0)).any()  # only who is pressed at home does it by halves


def test_calibration_finds_what_was_put_in():
    """Counts made by the model itself lead back to its threat and its time; counts out of reach are an error."""
    true = replace(relabelling(), threat=UNIT // 2, work_days=5)
    course = true.course(replicated(true, range(200)), 80)
    points = [(day, float(complied_by(course, day).mean())) for day in (30, 79)]
    found = calibrate(true, points, range(200))
    assert found.work_days == 5
    assert abs(found.threat - true.threat) < UNIT // 50
    with pytest.raises(ValueError, match="no mean time up to 2 days leads to 44 firms by day 79"):
        calibrate(true, [(30, 18), (79, 44)], range(20), most_work_days=2)


# In a run -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def airlines(tmp_path_factory):
    """The regime of the catalogue over 120 days."""
    return live(tmp_path_factory.mktemp("air") / "run", "airlines-2018", "town", 2_000, days=120)


def test_off_is_as_if_it_were_not_there(tmp_path, airlines):
    """The demand touches no citizen: with and without it every column and count is the same."""
    none = live(tmp_path / "none", "none", "town", 2_000, days=120)
    assert airlines.manifest["result_hash"] == none.manifest["result_hash"]
    assert totals(airlines) == totals(none)
    assert "demands" not in none.names()
    assert audit(none)["demands"] is None
    with_it = live(tmp_path / "with", days=14)
    without = live(tmp_path / "without", days=14, overrides=["demands=null"])
    assert with_it.manifest["result_hash"] == without.manifest["result_hash"]
    assert totals(with_it) == totals(without)
    assert "demands" in with_it.names()
    assert "demands" not in without.names()


def test_no_pull_moves_nobody(tmp_path):
    """Without others, threat and stake, nobody whose threshold is above 0 gives in."""
    changes = [
        "demands.0.peers=0",
        "demands.0.threat=0",
        "demands.0.thresholds.low=0.1",
        "demands.0.firms.0.exposure=0",
    ]
    run = live(tmp_path / "run", "airlines-2018", "town", 2_000, days=110,
               overrides=[*changes, "demands.territory-label.firms.united-states.exposure=0"])  # fmt: skip
    assert {(row["complied"], row["partially"]) for row in run.table("demands").to_pylist()} == {(0, 0)}
    assert run.table("demands")["audience"].to_pylist() == [0] * len(run.table("demands"))


def test_resumed_is_as_never_stopped(tmp_path, airlines):
    """The table of a run that was stopped and resumed, with other threads and blocks, is the same to the bit."""
    settings = {"world": "town", "people": 2_000, "days": 120}
    with pytest.raises(errors.Interrupted):
        live(tmp_path / "run", "airlines-2018", stop=StopAfter(3), **settings)
    run = live(tmp_path / "run", "airlines-2018", resume=True, threads=2, blocks_per_task=1, **settings)
    assert run.table("demands").equals(airlines.table("demands"))
    assert run.manifest["result_hash"] == airlines.manifest["result_hash"]


def test_a_life_can_be_lived_again(airlines):
    """A run with a demand is re-lived as any other."""
    lives = Reliving(airlines)
    assert all(lives.life(citizen).person is not None for citizen in (0, 999, 1_999))


def test_a_demand_comes_with_its_regime(tmp_path, airlines):
    """In a roll-out it is made once, when its regime first comes into force, and takes the course that it takes."""
    path = tmp_path / "later.yaml"
    phases = [
        {"regime": "airlines-2018", "from": q("20 days"), "counties": []},
        {"regime": "press-2018", "from": q("60 days"), "counties": []},
    ]
    head = {"format": "underheaven-rollout/1", "rollout": "later", "title": "Later", "kind": "hypothesis",
            "status": "provisional", "summary": "For a test.", "baseline": "none", "phases": phases}  # fmt: skip
    path.write_text(json.dumps(head), encoding="utf-8")
    run = uh.run(path, "town", people=2_000, days=70, seed=5, threads=1, out=tmp_path / "run")
    (part,) = audit(run)["demands"]
    assert (part["made_on_day"], part["last_day"]) == (21, 48)  # at the first exchange on or after its day
    later, at_once = run.table("demands").to_pylist(), airlines.table("demands").to_pylist()
    assert [row["day"] - row["since_days"] for row in later] == [21] * len(later)
    shifted = [row | {"day": row["day"] + 21} for row in at_once if row["since_days"] <= 48]
    assert later == shifted
    assert [chart.name for chart in all_charts(run) if chart.name == "demands"]


def test_the_same_firms_under_another_demand():
    """Draws are keyed by seed, firm and demand only: what is demanded moves no firm's threshold."""
    demand = relabelling()
    mild = replace(demand, threat=0, deadlines=(5,))
    assert (mild.firms(9).threshold == demand.firms(9).threshold).all()
    assert (replace(demand, number=1).firms(9).threshold != demand.firms(9).threshold).any()


def test_audit_and_finding(airlines):
    """The part of the audit is the table added up; the headline says who gave in, and who reads it abroad."""
    found = audit(airlines)
    (part,) = found["demands"]
    rows = [row for row in airlines.table("demands").to_pylist() if row["day"] == part["last_day"]]
    assert part["last_day"] == 106
    assert part["asked"] == 44
    for key in ("complied", "partially", "open", "audience"):
        assert part[key] == sum(row[key] for row in rows)
    assert part["complied_share"]["value"] == part["complied"] / 44
    assert [row["day"] for row in part["deadlines"]] == [30, 91, 106]
    assert [(row["day"], row["published"]) for row in part["published"]] == [(30, 18), (79, 38), (92, 40), (105, 40)]
    for row in part["published"]:
        assert 0 <= row["low"] <= row["published"] <= row["high"] <= 44
    finding = next(row for row in found["findings"] if row["id"] == "firms_complied")
    assert (finding["value"], finding["unit"]) == (part["complied"], "firms")
    assert finding["text"].startswith(f"{part['complied']} of 44 firms asked (‘territory label’)")
    assert "880,000,000 readers abroad" in finding["text"]
    assert finding["title"] in write_report(airlines).read_text(encoding="utf-8")


def test_chart(airlines):
    """Areas of firms over time, the published counts as marks, and a row of the table for each date."""
    chart = next(chart for chart in all_charts(airlines) if chart.name == "demands")
    by_day: dict[int, int] = {}
    for record in chart.records:
        by_day[record["day"]] = by_day.get(record["day"], 0) + record["firms"]
    assert set(by_day.values()) == {44}
    assert [row[0] for row in chart.rows] == ["0", "30", "79", "91", "92", "105", "106"]
    marks = next(layer for layer in chart.spec["layer"] if layer["mark"].get("shape") == "diamond")
    assert [(m["after"], m["complied"], m["use"]) for m in marks["data"]["values"]] == [
        (30, 18, "calibrated"), (79, 38, "calibrated"), (92, 40, "checked"), (105, 40, "checked")
    ]  # fmt: skip
    assert "hollow" in chart.how_to_read


def test_the_spread_over_seeds():
    """19 of 20 draws of the same rules lie within it, under other seeds too; on the first days there is none."""
    rules, institution = load_regime("airlines-2018").demands[0], relabelling()
    found = spread(rules, [0, 30, 92])
    assert found[0] == (0, 0)
    course = institution.course(replicated(institution, range(7_000, 8_000)), 93)
    for day in (30, 92):
        low, high = found[day]
        counts = complied_by(course, day)
        inside = ((low <= counts) & (counts <= high)).mean()
        # 95% at least, as counts are whole; the ends come from 200 seeds, which adds to the error of 1,000.
        assert inside > 0.95 - 4 * math.sqrt(0.95 * 0.05 * (1 / 1_000 + 1 / 200))
        assert low < high
    assert spread(rules, []) == {}


def test_the_course_of_the_airlines(golden):
    """Day by day under one seed, as text."""
    rows = demands_table([Made(relabelling(), 0, 0)], 2018, 120).to_pylist()
    keys = ("day", "group", "asked", "complied", "partially", "open", "audience")
    golden("airlines-2018-course", "".join(" ".join(str(row[key]) for key in keys) + "\n" for row in rows))


def test_a_run_before_the_first_deadline(tmp_path):
    """It has no deadline and no mark to show, and says so."""
    run = live(tmp_path / "run", "airlines-2018", "town", 2_000, days=14)
    (part,) = audit(run)["demands"]
    assert (part["last_day"], part["deadlines"], part["published"]) == (13, [], [])
    assert part["deadlines_to_come"] == [30, 91, 106]
    text = next(row["text"] for row in audit(run)["findings"] if row["id"] == "firms_complied")
    assert "The first deadline, day 30, lies beyond the run." in text
    chart = next(chart for chart in all_charts(run) if chart.name == "demands")
    assert "published" not in chart.how_to_read
    assert len(chart.spec["layer"]) == 1


def test_two_demands(tmp_path):
    """Each has firms, rows and a finding of its own; the chart is of the first."""
    demands = [
        demand(name="one"),
        demand(name="two", peers=q(0), threat=q(0), thresholds={"low": q(0.5), "high": q(1)}),
    ]
    run = live(tmp_path / "run", made_up(tmp_path, demands=demands), "town", 2_000, days=20)
    one, two = audit(run)["demands"]
    assert one["complied"] == 3
    assert two["complied"] == 0
    ids = [row["id"] for row in audit(run)["findings"]]
    assert {"firms_complied/one", "firms_complied/two"} <= set(ids)
    assert [chart.title for chart in all_charts(run) if chart.name == "demands"] == ["Who gave in to ‘one’, and when?"]


def test_show_names_it(capsys):
    """`underheaven show` says to how many firms and until when."""
    assert main(["show", "airlines-2018"]) == 0
    out = capsys.readouterr().out
    assert "Demands on foreign firms" in out
    assert "to 44 firms" in out
    assert "until day 30, 91, 106" in out


def test_the_rules_in_plain_words():
    """The page of the regime says what is asked, of how many, until when, and who is pressed at home."""
    text = " ".join(describe(load_regime("airlines-2018"))["sentences"])
    for words in ("44 foreign firms", "name Taiwan as a part of China", "within 30 days", "day 91, then day 106",
                  "Firms of the group ‘united states’ are also pressed at home"):  # fmt: skip
        assert words in text
    assert not [line for line in describe(load_regime("none"))["sentences"] if "firm" in line]


def test_compare_does_not_mind(tmp_path):
    """Twin lives under the demand and without it differ in nothing."""
    comparison = uh.compare(["none", "airlines-2018"], "town", people=2_000, days=14, out=tmp_path / "twins")
    one, other = comparison.runs
    assert one.manifest["result_hash"] == other.manifest["result_hash"]
    assert comparison.page.is_file()


# The file -------------------------------------------------------------------------------------------------------------


def demand(**changes):
    """Return a small demand as plain data."""
    plain = {
        "name": "relabel", "summary": "say this", "deadlines": [q("10 days")],
        "firms": [{"name": "all", "number": q(3)}], "thresholds": {"low": q(0), "high": q(1)},
        "peers": q(1), "threat": q(1), "nearness_half_life": q("3 days"),
    }  # fmt: skip
    return plain | changes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"deadlines": []}, "a demand has a deadline; write `deadlines:"),
        ({"deadlines": [q("10 days"), q("10 days")]}, "10 days is not after 10 days; write the deadlines in days"),
        ({"deadlines": [q("0 days")]}, "0 days is not after 0 days"),
        ({"deadlines": [q("11 years")]}, "11 years is longer than 10 years; write `10 years` or less"),
        ({"firms": []}, "the demand is made to 0 firms; write 1 to 10,000 in all"),
        ({"firms": [{"name": "a", "number": q(20_000)}]}, "the demand is made to 20000 firms"),
        ({"firms": [{"name": "a", "number": q(1)}] * 2}, "there is already a group called 'a'; write another name"),
        ({"firms": [{"name": f"g{n}", "number": q(1)} for n in range(21)]}, "21 groups are too many; write at most 20"),
        ({"firms": [{"name": "a", "number": q(1), "exposure": q(0.6)}]}, "twice 0.6, and no firm has more than all"),
        ({"firms": [{"name": "a", "number": q(1), "home_pressure": q(1001)}]}, "1001 is beyond any scale"),
        ({"firms": [{"name": "a", "number": q(5000), "audience": q(10**12)}]}, "more people than there are"),
        ({"firms": [{"name": "a", "number": q(1), "size_exponent": q(11)}]}, "one firm would have them all"),
        ({"thresholds": {"low": q(1), "high": q(0.5)}}, "the lowest threshold is 1, above the highest; exchange"),
        ({"thresholds": {"low": q(1), "high": q(2000)}}, "2000 is beyond any scale; write 1000 or less"),
        ({"peers": q(1001)}, "1001 is beyond any scale; write 1000 or less"),
        ({"threat": q(1001)}, "1001 is beyond any scale; write 1000 or less"),
        ({"partial_from": q(1.5)}, "1.5 is no share of the pressure at home; write a number within 0 .. 1"),
        ({"nearness_half_life": q("0 days")}, "no deadline is twice as near within no time; write at least `1 day`"),
        ({"time_to_comply": q("11 years")}, "11 years is longer than 10 years"),
        (
            {"published": [{"after": q("3 days"), "complied": q(4), "use": "checked"}]},
            "4 of 3 firms cannot have complied; write 3 or less",
        ),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(tmp_path, changes, words):
    """What is wrong, where it stands in the file, and what to write instead."""
    with pytest.raises(FileFormError) as caught:
        made_up(tmp_path, demands=[demand(**changes)])
    assert words in str(caught.value)
    assert {finding.code for finding in caught.value.findings} == {"UH120"}
    assert all(finding.where is not None and finding.where.line for finding in caught.value.findings)


def test_a_name_is_used_once(tmp_path):
    """Two demands of one name could not be told apart in the table."""
    with pytest.raises(FileFormError, match="there is already one called 'relabel'"):
        made_up(tmp_path, demands=[demand(), demand()])


def test_published_counts_move_no_result():
    """They are for comparison: the identity of the regime does not know them, but for any number that acts."""
    regime = load_regime("airlines-2018")
    told = load_regime("airlines-2018", ["demands.0.published=null", "demands.0.summary=x"])
    assert identity_hash(told) == identity_hash(regime)
    assert identity_hash(load_regime("airlines-2018", ["demands.0.threat=0.5"])) != identity_hash(regime)
    assert regime.demands == load_regime("press-2018").demands
