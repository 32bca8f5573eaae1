"""The audit on counts made by hand, where every figure is known."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import lives
from underheaven.store import Run
from underheaven.study.audit import audit
from underheaven.study.counts import Counts, ratio, share, wilson
from underheaven.study.words import decimal, label, percent

LEVELS = {
    "group": ["majority", "minority"],
    "sex": ["male", "female"],
    "age": ["18-29", "30-44", "45-59", "60-64", "65+"],
    "income": [str(tenth) for tenth in range(1, 11)],
}
#: 60 people of the majority, 40 of the minority, ten days in two windows, two counties.
POOR = ("majority", "male", "18-29", 1)
RICH = ("minority", "female", "65+", 10)


def by_hand(stratum: dict[tuple[Any, ...], dict[str, int]], *, tiers=("A", "B"), lists=("ban",), waits=()) -> Any:
    """Make a run of 100 people and ten days with these counters; all of them in the first window and county."""
    keys = ("group", "sex", "age", "income")
    rows = [(*at, name, amount) for at, amounts in stratum.items() for name, amount in amounts.items()]
    county = [(0, 7, "north", name, amount) for *_, name, amount in rows if not name.startswith("visits_ranked")]
    county += [(day, days, place, f"visits_ranked/{rank}", amount) for day, days, place, rank, amount, _ in waits]
    stored: dict[int, Any] = {}
    for day, _, place, rank, _, minutes in waits:
        table = stored.setdefault(day, np.zeros((2, 3), "<i8"))
        table[("north", "south").index(place), ("first", "normal", "last").index(rank)] = minutes
    tables = {
        "people": pa.table(
            {
                "county": ["north", "south"],
                **{key: [POOR[i], RICH[i]] for i, key in enumerate(keys)},
                "people": [60, 40],
            }
        ),
        "counts_stratum": _table((*keys, "counter", "amount"), rows),
        "counts_county": _table(("start_day", "days", "county", "counter", "amount"), county),
        "exchange/tables": pa.table(
            {
                "day": pa.array(list(stored), pa.int32()),
                "name": pa.array(["wait_minutes"] * len(stored), pa.string()),
                "shape": pa.array([[2, 3]] * len(stored), pa.list_(pa.int32())),
                "data": pa.array([table.tobytes() for table in stored.values()], pa.large_binary()),
            }
        ),
    }
    act = {"channel": "camera", "speech": False, "points": -5, "matters": True, "demerit": True}
    manifest = {
        "regime": {"name": "hand"},
        "world": {"name": "hand"},
        "seed": 1,
        "days": 10,
        "exchange_days": 7,
        "people": 100,
        "tiers": list(tiers),
        "lists": list(lists),
        "levels": LEVELS,
        "acts": [
            {"name": "jaywalking", **act},
            {"name": "critical-post", **act, "channel": "report", "speech": True},
            {"name": "charity", **act, "channel": "register", "points": 5, "demerit": False},
        ],
        "services": [{"name": "rail", "treated": True}, {"name": "shop", "treated": False}],
        "counties": [
            {"name": "north", "province": "p", "people": 60},
            {"name": "south", "province": "p", "people": 40},
        ],
    }
    regime = SimpleNamespace(peers=None, association=None, awareness=None)
    return SimpleNamespace(manifest=manifest, table=tables.__getitem__, regime=regime)


def _table(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    number = {"income", "amount", "start_day", "days"}
    return pa.table(
        {
            name: pa.array(column, pa.int64() if name in number else pa.string())
            for name, column in zip(names, columns, strict=True)
        }
    )


@pytest.fixture
def found() -> dict[str, Any]:
    """An audit of known counts."""
    poor = {
        "people_sanctioned": 12, "people_wrongly_sanctioned": 3, "people_innocent_sanctioned": 2,
        "sanction_days": 80, "wrongful_sanction_days": 10, "people_lowest_tier": 4, "tier_days/B": 30,
        "refused/rail": 9, "used/rail": 90, "wrongly_refused/rail": 3, "people_refused/rail": 5,
        "recorded/jaywalking": 30, "false_records/jaywalking": 10, "false_match_records": 10,
        "recorded/charity": 5, "false_records/charity": 5, "false_link_records": 5,
        "done/critical-post": 30, "silenced/critical-post": 10, "done/charity": 20, "gamed/charity": 4,
        "appeals": 8, "appeals_won": 2, "appeals_lost": 4, "appeal_wait_days": 112, "listings/ban": 4,
        "visits_ranked/first": 3, "visits_ranked/normal": 4,
    }  # fmt: skip
    rich = {"people_sanctioned": 4, "people_wrongly_sanctioned": 4, "sanction_days": 20, "wrongful_sanction_days": 20}
    waits = [(0, 7, "north", "first", 2, 5), (0, 7, "south", "first", 1, 8), (7, 3, "south", "normal", 4, 30)]
    return audit(by_hand({POOR: poor, RICH: rich}, waits=waits))


def value(found: dict[str, Any], id: str) -> Any:
    return next(finding["value"] for finding in found["findings"] if finding["id"] == id)


def test_people_and_days_are_exact(found):
    """Sixteen of a hundred were sanctioned, seven of them wrongly, for 30 of 100 days."""
    ever, days = found["people_sanctioned"], found["sanction_days"]
    assert (found["people"], found["people_days"]) == (100, 1000)
    assert ever["selection_rate"]["value"] == 0.16
    assert (ever["false_discovery_rate"]["numerator"], ever["false_discovery_rate"]["denominator"]) == (7, 16)
    assert ever["innocent_share"]["value"] == 2 / 16
    assert (days["wrongful_share"]["numerator"], days["wrongful_share"]["denominator"]) == (30, 100)
    assert value(found, "people_sanctioned") == 16
    assert value(found, "wrongly_sanctioned") == 7


def test_refusals_count_transactions_and_people_apart(found):
    """Nine refusals hit five people; a service that refused nobody has no share of wrongful ones."""
    rail, shop = found["services"]
    assert (rail["refused"], rail["people_refused"], rail["wrongly_refused_share"]["value"]) == (9, 5, 3 / 9)
    assert shop["wrongly_refused_share"]["value"] is None
    assert found["refused"]["people_at_least"] == 5


def test_false_records_by_channel(found):
    """Ten of forty camera entries are false, five of ten from registers; a quarter of those held against people."""
    records = found["records"]
    assert records["false_share_of_camera_entries"]["value"] == 10 / 40
    assert records["false_share_of_register_entries"]["value"] == 5 / 10
    assert records["against_people_false_share"]["value"] == 10 / 40
    assert records["entries"] == 50


def test_behaviour_appeals_and_lock_in(found):
    """Silence, gaming, appeals and the lowest tier are ratios of counters."""
    assert found["behaviour"]["silenced_speech_share"]["value"] == 10 / 40
    assert found["behaviour"]["gamed_share"]["value"] == 4 / 20
    appeals = found["appeals"]
    assert (appeals["pending"], appeals["won_share"]["value"], appeals["wait_days"]["value"]) == (2, 2 / 6, 14)
    assert found["lowest_tier"]["people"]["value"] == 0.04
    assert found["lowest_tier"]["days_per_person"]["value"] == 7.5


def test_hospital_waits_come_from_the_exchange(found):
    """Two visits of 5 minutes and one of 8 wait 6 on average; a class that nobody was in is not measurable."""
    waits = {row["rank"]: row["wait_minutes"]["value"] for row in found["hospital"]["by_rank"]}
    assert waits == {"first": 6, "normal": 30, "last": None}
    told = next(finding for finding in found["findings"] if finding["id"] == "hospital_wait")
    assert told["value"] is None  # so few visits are no headline, but they are told
    assert told["text"] == (
        "On average 6 minutes for people let in first (only 3 visits), "
        "30 minutes for people in the normal queue (only 4 visits)."
    )


def test_strata_add_up_and_compare(found):
    """Rates are by level, the parity ratio is the least over the most, and nobody's level is left out."""
    poor, rich = found["strata"]["group"]
    assert (poor["selection_rate"]["value"], rich["selection_rate"]["value"]) == (0.2, 0.1)
    assert found["fairness"]["group"]["demographic_parity_ratio"] == 0.5
    assert found["fairness"]["group"]["demographic_parity_difference"] == pytest.approx(0.1)
    assert value(found, "group_gap") == pytest.approx(0.1 / 0.05)
    assert [row["age"] for row in found["strata"]["age"]] == ["18-29", "65+"]
    for trait in ("group", "sex", "age", "income"):
        assert sum(row["people"] for row in found["strata"][trait]) == 100


def test_undefined_is_not_zero():
    """With nobody sanctioned there is no share of the sanctioned, and it says so; the count is 0."""
    found = audit(by_hand({}))
    assert found["people_sanctioned"]["selection_rate"]["value"] == 0
    for share_of_none in ("false_discovery_rate", "innocent_share"):
        undefined = found["people_sanctioned"][share_of_none]
        assert (undefined["value"], undefined["low"], undefined["high"]) == (None, None, None)
    for id in ("innocent_share", "wrongful_days_share", "false_records", "group_gap"):
        finding = next(finding for finding in found["findings"] if finding["id"] == id)
        assert finding["value"] is None
        assert finding["unit"] == "not measurable"
    assert found["fairness"]["group"]["demographic_parity_ratio"] is None
    assert found["appeals"]["wait_days"]["value"] is None
    json.dumps(found, allow_nan=False)


def test_lock_in_needs_tiers():
    """Without grades there is no lowest one; without a file nobody can be sanctioned."""
    only_lists = audit(by_hand({}, tiers=()))
    assert only_lists["lowest_tier"] is None
    assert value(only_lists, "lowest_tier") is None
    nothing = audit(by_hand({}, tiers=(), lists=()))
    assert [finding["id"] for finding in nothing["findings"]] == ["people_scored", "hospital_wait"]
    assert nothing["findings"][0]["title"] == "Nobody has a file"


def test_windows_join_a_short_last_one():
    """A last window of less than half the days is no row of its own, and no amount is lost."""
    counts = Counts(by_hand({POOR: {"probes": 6}}))
    assert counts.windows(["probes"]) == [{"start_day": 0, "days": 10, "probes": 6}]


def test_wilson_interval():
    """Wilson's interval has its published form, and is not empty at the ends."""
    low, high = wilson(5, 50)
    z = 1.959963984540054
    for p in (low, high):  # the ends are where the score statistic is z (Wilson 1927)
        assert abs(0.1 - p) == pytest.approx(z * (p * (1 - p) / 50) ** 0.5)
    assert wilson(0, 10)[0] == 0
    assert 0.2 < wilson(0, 10)[1] < 0.35
    assert wilson(10, 10)[1] == 1
    assert share(0, 0) == {"numerator": 0, "denominator": 0, "value": None, "low": None, "high": None}
    assert ratio(3, 0)["value"] is None


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, "not measurable"), (0, "0%"), (1, "100%"), (0.123, "12.3%"), (0.00123, "0.12%"), (0.99999, "almost 100%")],
)
def test_percent(number, text):
    """Shares are written with sensible digits."""
    assert percent(number) == text


def test_numbers_and_names():
    """Numbers have separators, names of files become words and ranges stay ranges."""
    assert (decimal(1234.5678), decimal(0.01234), decimal(2.0), decimal(None)) == (
        "1,235",
        "0.0123",
        "2",
        "not measurable",
    )
    assert (label("late-payment"), label("18-29"), label("65+")) == ("late payment", "18–29", "65+")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A short real run, long enough for windows of two sizes."""
    folder: Path = tmp_path_factory.mktemp("audit") / "run"
    return lives.live(folder, world="town", people=4_000, days=60)


@pytest.mark.integration
def test_real_run_agrees_with_itself(run):
    """In a real run the strata and the counties hold the same totals, and waits by rank and by tier agree."""
    counts = Counts(run)
    names = ["probes", "false_match_records", "refused/rail", "visits_ranked/normal", "tier_days/A"]
    by_county = counts.counties(names)
    by_window = counts.windows(names)
    for name in names:
        assert sum(row[name] for row in by_county.values()) == counts.total(name)
        assert sum(row[name] for row in by_window) == counts.total(name)
    found = audit(run)
    by_tier = sum(row["wait_minutes"]["numerator"] for row in found["hospital"]["by_tier"])
    by_rank = sum(row["wait_minutes"]["numerator"] for row in found["hospital"]["by_rank"])
    assert by_tier == by_rank > 0
    named = counts.total("false_match_records") + counts.total("false_link_records")
    assert found["records"]["false"] == named + found["records"]["false_by_malice"]
    assert sum(row["days"] for row in found["tiers"]) == found["people_days"]
