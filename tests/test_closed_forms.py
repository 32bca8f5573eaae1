"""Whole runs against closed forms: what the loop must show because it can be worked out on paper."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from lives import Columns, totals
from underheaven.engine.run import simulate
from underheaven.reading import Factor, Rate
from underheaven.regime.reader import load_regime
from underheaven.world.reader import load_world
from underheaven.world.schema import Act

PEOPLE = 20_000


def act(stream, rate, channel="register", **more):
    """Make an act that everybody does at the same rate a day."""
    a_day = Rate(value=rate, per="day", basis="assumed")
    return Act(stream=stream, rate=a_day, channel=channel, context="test", **more)


def world_of(people=PEOPLE, **acts):
    """Make the town with these acts and no others."""
    return load_world("town", people=people).model_copy(update={"acts": acts, "officials": None})


def regime_of(tmp_path, body):
    """Load a regime from text; `~` stands for a number that is assumed."""
    head = "format: underheaven-regime/1\nregime: paper\ntitle: On paper\nkind: hypothesis\nstatus: provisional\n"
    path = tmp_path / "paper.yaml"
    path.write_text(head + "summary: A closed form.\n" + body.replace("~", "basis: assumed"), encoding="utf-8")
    return load_regime(str(path))


RANDOM_WALK = """
score: {start: {value: 2, ~}, floor: {value: 0, ~}, cap: {value: 4, ~}}
tiers:
  - {name: high, from: {value: 4, ~}}
  - {name: middle, from: {value: 1, ~}}
  - {name: low}
points: {up: {value: 1, ~}, down: {value: -1, ~}}
"""


def test_tier_occupancy_of_a_markov_chain(tmp_path):
    """A bounded random walk of points: the scores of each day are those of the chain's matrix, within 4 deviations."""
    up, down, days = 0.05, 0.03, 84
    columns = Columns()
    run = simulate(
        regime_of(tmp_path, RANDOM_WALK), world_of(up=act(0, up), down=act(1, down)),
        days=days, seed=3, out=tmp_path / "run", observers=[columns],
    )  # fmt: skip
    higher = np.diag([1 - up] * 4 + [1.0]) + np.diag([up] * 4, 1)
    lower = np.diag([1.0] + [1 - down] * 4) + np.diag([down] * 4, -1)
    step = higher @ lower  # the acts of a day come in the order of their streams
    now, lived = np.eye(5)[2], np.zeros(5)
    for day in range(1, days + 1):
        now = now @ step
        lived += now
        if day in columns.by_day:
            seen = np.bincount(columns.by_day[day].score[0] // 10, minlength=5) / PEOPLE
            assert seen == pytest.approx(now, abs=4 * 0.5 / math.sqrt(PEOPLE)), day
    found = totals(run)
    for tier, share in (("low", lived[0]), ("middle", lived[1:4].sum()), ("high", lived[4])):
        # Days of one life hang together, so the deviation is that of all days in one piece.
        assert found[f"tier_days/{tier}"] / PEOPLE == pytest.approx(share, abs=4 * days * 0.5 / math.sqrt(PEOPLE))
        assert found[f"true_tier_days/{tier}"] == found[f"tier_days/{tier}"]  # nobody is confused with anybody


def test_the_stationary_tiers_of_the_chain(tmp_path):
    """In the long run the scores are geometric, with ratio p_up (1 - p_down) / (p_down (1 - p_up))."""
    columns = Columns()
    up, down = 0.2, 0.3
    simulate(
        regime_of(tmp_path, RANDOM_WALK), world_of(up=act(0, up), down=act(1, down)),
        days=196, seed=4, out=tmp_path / "run", observers=[columns],
    )  # fmt: skip
    higher = np.diag([1 - up] * 4 + [1.0]) + np.diag([up] * 4, 1)
    lower = np.diag([1.0] + [1 - down] * 4) + np.diag([down] * 4, -1)
    stationary = np.linalg.matrix_power(higher @ lower, 4_000)[0]
    inner = up * (1 - down) / (down * (1 - up))
    assert stationary[2] / stationary[1] == pytest.approx(inner)
    seen = np.bincount(columns.by_day[196].score[0] // 10, minlength=5) / PEOPLE
    assert seen == pytest.approx(stationary, abs=4 * 0.5 / math.sqrt(PEOPLE))


LINKS = """
score: {start: {value: 100, ~}, floor: {value: 0, ~}, cap: {value: 200, ~}}
tiers: [{name: all}]
points: {debt: {value: -1, ~}}
registers:
  scope: nation
  missed_link: {value: 0.1, per: record, ~}
  false_link: {value: 0.05, per: record, ~}
  missed_link_ratio: {sex: {male: {value: 2, ~}}}
  false_link_ratio: {name: {very-common: {value: 4, ~}, rare: {value: 0, ~}}}
"""


def test_missed_and_false_links_of_a_run(tmp_path):
    """Each record finds its person, nobody or a namesake at the stated shares, by sex and by name."""
    world = world_of(debt=act(0, 0.05))
    run = simulate(regime_of(tmp_path, LINKS), world, days=70, seed=9, out=tmp_path / "run")
    table = run.table("counts_stratum").to_pandas()
    by_sex = table.pivot_table(index="sex", columns="counter", values="amount", aggfunc="sum", observed=True)
    names = dict(zip(world.levels["name"], _shares(world.traits.name), strict=True))
    false = 0.05 * (names["very-common"] * 4 + names["common"] + names["uncommon"])
    for sex, missed in (("male", 0.2), ("female", 0.1)):
        done, not_hers = by_sex.loc[sex, "done/debt"], by_sex.loc[sex, "missed/debt"]
        # Names are a draw too: their shares differ from the table's by a binomial deviation.
        band = 4 * math.sqrt(0.25 / done) + 4 * 0.2 * math.sqrt(0.25 / (PEOPLE / 2))
        assert not_hers / done == pytest.approx(missed + false, abs=band)
    # Wrong names fall a window late: those of the last window are still to come.
    weeks = run.table("counts_county").to_pandas().pivot_table(
        index="start_day", columns="counter", values="amount", aggfunc="sum", observed=True
    )  # fmt: skip
    sent = weeks["done/debt"].iloc[:-1].sum() * false
    arrived = weeks["false_link_records"].sum()
    assert arrived == pytest.approx(
        sent, abs=4 * math.sqrt(2 * sent) + 4 * 0.2 * math.sqrt(0.25 / PEOPLE) * sent / false
    )


def _shares(shares):
    return [float(share) for share in shares.exact.values()]


CAMERAS = """
score: {start: {value: 100, ~}, floor: {value: 0, ~}, cap: {value: 100, ~}}
tiers: [{name: all}]
points: {walk: {value: -1, ~}}
cameras: {per_1000: {value: 100, ~}, half_view: {value: 100, ~}}
recognition:
  gallery: nation
  choice: CHOICE
  law: independent
  nation: {value: 1411778724, ~}
  size: {value: SIZE, ~}
  miss: {value: 0.11, per: probe, ~}
  false_match: {value: 1.67e-8, per: comparison, ~}
"""


@pytest.mark.parametrize("choice", ["ranked", "every"])
@pytest.mark.parametrize("gallery", [10_000, 740_000, 1_411_778_724])
def test_gallery_of_a_run(tmp_path, choice, gallery):
    """False records of a run follow FPIR(N) = 1 - (1 - f)^N: few in a city's gallery, the rule in a nation's."""
    regime = regime_of(tmp_path, CAMERAS.replace("CHOICE", choice).replace("SIZE", str(gallery)))
    run = simulate(regime, world_of(walk=act(0, 0.05, "camera")), days=28, seed=2, out=tmp_path / "run")
    weeks = run.table("counts_county").to_pandas().pivot_table(
        index="start_day", columns="counter", values="amount", aggfunc="sum", observed=True
    ).fillna(0)  # fmt: skip
    probes = weeks["probes"].sum()
    done = totals(run)["done/walk"]
    assert probes / done == pytest.approx(0.5, abs=4 * math.sqrt(0.25 / done))  # the half-view density
    right = totals(run)["recorded/walk"]
    assert right / probes == pytest.approx(0.89, abs=4 * math.sqrt(0.1 / probes))
    none, mean = math.exp(-gallery * 1.67e-8), gallery * 1.67e-8
    wrong = mean if choice == "every" else 0.11 * (1 - none)
    sent = weeks["probes"].iloc[:-1].sum() * wrong
    arrived = weeks["false_match_records"].sum() if "false_match_records" in weeks else 0
    # One wrong name a day at most: the few that a hazard near one loses are worked out, not waved through.
    hazard = weeks["probes"].iloc[:-1] * wrong / (7 * PEOPLE)
    assert hazard.max() < 0.95
    assert arrived == pytest.approx(sent, abs=4 * math.sqrt(2 * sent) + 1)


def test_stays_on_a_list_last_as_long_as_the_term(tmp_path):
    """People on a list in the steady state are entries a day times the mean stay (Little's law)."""
    regime = regime_of(
        tmp_path,
        """
lists:
  - {name: black, on: {debt: {value: 1, per: record, ~}}, term: {law: geometric, mean: {value: 20 days, ~}}}
""",
    )
    columns = Columns()
    simulate(regime, world_of(debt=act(0, 0.01)), days=140, seed=8, out=tmp_path / "run", observers=[columns])
    # On a day she is listed unless no stay reaches it: each of the days before may have started one.
    spared = math.prod(1 - 0.01 * (1 - 1 / 20) ** age for age in range(140))
    seen = (columns.by_day[140].list_until[0] > 140).mean()
    assert seen == pytest.approx(1 - spared, abs=4 * math.sqrt(0.25 / PEOPLE) + 0.003)


def test_thinning_gives_the_rate(tmp_path):
    """Acts come at their rate whatever ceiling their candidates come at."""
    world = world_of(
        low=act(0, 0.01),
        high=act(1, 0.01, strain=Factor(value=8, basis="assumed"), gaming=Factor(value=5, basis="assumed")),
    )
    flat = world.response.model_copy(
        update={"base_strain": world.response.base_strain.model_copy(
            update={"values": dict.fromkeys(world.response.base_strain.values, Decimal(0))})}
    )  # fmt: skip
    run = simulate(load_regime("none"), world.model_copy(update={"response": flat}), days=56, out=tmp_path / "run")
    expected = PEOPLE * 56 * 0.01
    for name in ("low", "high"):
        assert totals(run)[f"done/{name}"] == pytest.approx(expected, abs=4 * math.sqrt(expected))


def test_a_term_of_two_kinds_keeps_its_mean(tmp_path):
    """The quantiles of a mixture give its mean to within half a percent."""
    from underheaven.regime.tables import term_quantiles

    regime = regime_of(
        tmp_path,
        """
lists:
  - name: black
    on: {debt: {value: 1, per: record, ~}}
    term:
      law: mixture
      short: {value: 30 days, ~}
      long: {value: 400 days, ~}
      short_share: {value: 0.8, per: listing, ~}
""",
    )
    term = regime.lists[0].term
    assert term.mean_days == Fraction(104)
    quantiles = term_quantiles(term) / 65_536
    middles = (quantiles[:-1] + quantiles[1:]) / 2
    scales = [-1 / math.log1p(-1 / days) for _, days in term.parts]
    assert middles.mean() == pytest.approx(0.8 * scales[0] + 0.2 * scales[1], rel=0.005)


def test_a_small_run_has_the_gallery_of_the_whole_county(tmp_path):
    """Fewer simulated people do not make a county's gallery smaller: false records a person stay what they are."""
    rates = []
    for people in (5_000, 40_000):
        regime = load_regime("press-2018", ["recognition.gallery=county", "recognition.false_match=1e-6"])
        run = simulate(regime, load_world("city", people), days=56, out=tmp_path / str(people))
        rates.append(totals(run)["false_match_records"] / people)
    # A county of 13,000 to 90,000 faces: about 0.11 x (1 - exp(-0.05)) of some three probes a person.
    assert rates[0] == pytest.approx(rates[1], abs=4 * math.sqrt(rates[1] / 5_000) + 0.1 * rates[1])


STARTS_LOW = """
score: {start: {value: 10, ~}, floor: {value: 0, ~}, cap: {value: 100, ~}}
tiers: [{name: good, from: {value: 50, ~}}, {name: low}]
points: {debt: {value: -1, ~}}
treatment: {rail: {tiers: {low: refuse}}}
remedies: {notice: {value: 1, per: sanction, ~}}
"""


def test_whoever_starts_sanctioned_is_told_and_counted(tmp_path):
    """A start score in a refusing tier is a sanction from the first day: everybody is counted, told and served."""
    run = simulate(regime_of(tmp_path, STARTS_LOW), world_of(debt=act(0, 0.01)), days=14, out=tmp_path / "run")
    found = totals(run)
    assert found["people_sanctioned"] == found["notices"] == PEOPLE
    assert found["sanction_days"] == 14 * PEOPLE


def test_an_appeal_against_nothing_keeps_no_column(tmp_path):
    """Remedies alone, with no score, list or fine, need no file and touch no memory."""
    regime = regime_of(tmp_path, """
remedies:
  appeal: {learns: refusal, deadline: {value: 9 days, ~}, decision: {value: 9 days, ~}, suspends: true,
           reviewers_per_million: {value: 1, ~}, cases_per_reviewer_day: {value: 1, ~},
           finds_error: {value: 1, per: appeal, ~}, lenient: {value: 1, per: appeal, ~}}
""")  # fmt: skip
    run = simulate(regime, world_of(debt=act(0, 0.01)), days=14, out=tmp_path / "run")
    assert [column["name"] for column in run.manifest["columns"]] == ["strain"]


def test_repair_pays_once(tmp_path):
    """Points given back leave with the record that they repaired: nobody rises above the start by expiry."""
    body = STARTS_LOW.replace("start: {value: 10,", "start: {value: 60,").replace("value: -1,", "value: -20,")
    repair = "repair: {rate: {value: 9, per: year, ~}, points: {value: 20, ~}}"
    body = body.replace("remedies: {", "remedies: {expiry: {value: 1 year, ~}, " + repair + ", ")
    columns = Columns()
    world = world_of(people=2_000, debt=act(0, 0.01))
    simulate(regime_of(tmp_path, body), world, days=800, out=tmp_path / "run", observers=[columns])
    assert columns.by_day[800].score.max() <= 600
