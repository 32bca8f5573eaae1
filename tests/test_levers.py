"""Each remedy and each response as a lever: pull it, and the counts that it is for move, in twin lives."""

from __future__ import annotations

import functools

import pytest

from lives import live, made_up, q, totals
from underheaven.life.response import decayed

APPEAL = (
    "remedies.appeal={deadline: {value: 1 year, basis: assumed}, decision: {value: 2 weeks, basis: assumed},"
    " reviewers_per_million: {value: 1000, basis: assumed}, cases_per_reviewer_day: {value: 5, basis: assumed},"
    " suspends: false, finds_error: {value: 0.9, per: appeal, basis: assumed},"
    " lenient: {value: 0.1, per: appeal, basis: assumed}}"
)
NOTICE = "remedies.notice=1"


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """Return a function that runs the town for half a year and counts; each setting is run once."""

    @functools.cache
    def count(regime, *overrides, days=182, people=10_000):
        folder = tmp_path_factory.mktemp("lever") / "run"
        return totals(live(folder, regime, "town", people, overrides, days=days))

    return count


def test_notice_tells_people(counted):
    """Nobody is told under press-2018; told with certainty, everybody is, and learns to be careful."""
    untold, told = counted("press-2018"), counted("press-2018", NOTICE)
    assert untold.get("notices", 0) == 0
    assert told["notices"] >= told["people_sanctioned"] > 0


def test_review_keeps_wrong_matches_out(counted):
    """Reviewers with time for every match drop the stated share of wrong ones, and some right ones."""
    alone = counted("press-2018")
    seen = counted("press-2018", "recognition.review.per_million_per_day=1e9", "recognition.review.keep_false=0.1")
    assert seen["false_match_records"] < 0.3 * alone["false_match_records"]
    assert seen["recorded/jaywalking"] < alone["recorded/jaywalking"]


def test_a_city_gallery_confuses_fewer(counted):
    """With faces of the city only, wrong matches all but vanish."""
    nation = counted("press-2018")
    city = counted("press-2018", "recognition.gallery=county")
    assert city.get("false_match_records", 0) < 0.05 * nation["false_match_records"]


def test_appeals_find_errors(counted):
    """Appeals are filed, decided, won and lost; sanctions and wrongful days fall."""
    without = counted("press-2018", NOTICE, days=364)
    found = counted("press-2018", NOTICE, APPEAL, days=364)
    assert found["appeals"] > 0
    assert 0 < found["appeals_won"] + found["appeals_lost"] <= found["appeals"]
    assert found["wrongful_sanction_days"] < without["wrongful_sanction_days"]


def test_a_suspended_sanction_is_not_served(counted):
    """Where an appeal suspends, days under sanction turn into suspended days."""
    served = counted("press-2018", NOTICE, APPEAL)
    spared = counted("press-2018", NOTICE, APPEAL, "remedies.appeal.suspends=true")
    assert served.get("suspended_days", 0) == 0
    assert spared["suspended_days"] > 0
    assert spared["sanction_days"] < served["sanction_days"]


def test_few_reviewers_make_long_waits(counted):
    """With fewer reviewers an appeal waits longer."""
    many = counted("press-2018", NOTICE, APPEAL)
    few = counted("press-2018", NOTICE, APPEAL, "remedies.appeal.reviewers_per_million=0.2")
    wait = [found["appeal_wait_days"] / found["appeals"] for found in (many, few)]
    assert wait[1] > 1.5 * wait[0] >= 14


def test_correction_sets_false_files_right(counted):
    """Who knows of a false file can have it corrected; wrongful days fall."""
    without = counted("press-2018", NOTICE)
    found = counted("press-2018", NOTICE, "remedies.correction=12 per year")
    assert found["corrections"] > 0
    assert found["wrongful_sanction_days"] < without["wrongful_sanction_days"]


def test_repair_gives_points_back(counted):
    """Repairs are made and shorten sanctions."""
    repair = "remedies.repair={rate: {value: 6, per: year, basis: assumed}, points: {value: 100, basis: assumed}}"
    without, found = counted("press-2018"), counted("press-2018", repair)
    assert found["repairs"] > 0
    assert found["sanction_days"] < without["sanction_days"]


def test_records_expire(counted):
    """With an expiry of a year, points leave the score after the second turn of the year."""
    kept = counted("press-2018", days=800)
    gone = counted("press-2018", "remedies.expiry=1 year", days=800)
    assert kept.get("expired_points", 0) == 0
    assert gone["expired_points"] > 0
    assert gone["sanction_days"] < kept["sanction_days"]


def test_a_shorter_list_term_frees_people(counted):
    """A term of a month instead of a year leaves fewer days on the list."""
    year = counted("press-2018")
    month = counted("press-2018", "lists.travel-ban.term.mean=1 month")
    assert month["listed_days/travel-ban"] < 0.5 * year["listed_days/travel-ban"]
    assert month["releases/travel-ban"] > 0


def test_stale_entries_stay_behind(counted):
    """Entries that should have gone stay for a while, and their days are wrongful."""
    month = "lists.travel-ban.term.mean=1 month"
    clean = counted("press-2018", month, "registers.stale=0")
    stale = counted("press-2018", month, "registers.stale=1")
    assert clean.get("stale_days", 0) == 0
    assert stale["stale_days"] > 0
    assert stale["wrongful_sanction_days"] > clean["wrongful_sanction_days"]


def test_a_context_wall_keeps_records_at_home(counted):
    """Behind walls a record reaches only the services of its own context: fewer are refused."""
    open_, walled = counted("press-2018"), counted("press-2018", "context_wall=true")
    refused = [sum(n for name, n in found.items() if name.startswith("refused/")) for found in (open_, walled)]
    assert refused[1] < refused[0]


def test_fear_silences(counted):
    """Critical posts fall silent under the regime and not without it."""
    assert counted("press-2018", NOTICE)["silenced/critical-post"] > 0
    assert "silenced/critical-post" not in counted("none")


def test_points_are_gamed(counted):
    """Rewarded acts are done for the points under the regime, and never without it."""
    assert counted("press-2018")["gamed/volunteering"] > 0
    assert "gamed/volunteering" not in counted("none")


def test_the_poverty_trap(counted):
    """Heavier fines strain households, and strained households pay late more often: same lives, other fines."""
    light = counted("press-2018", "fines.jaywalking=0", "fines.smoking-in-public=0", "fines.fare-dodging=0")
    heavy = counted("press-2018", "fines.jaywalking=20", "fines.smoking-in-public=20", "fines.fare-dodging=20")
    assert heavy["done/late-payment"] > light["done/late-payment"]


def test_hospital_perks_are_paid_by_others(counted):
    """First waits less than normal, and somebody waits longer than without the regime."""
    found = counted("press-2018", days=365)
    waits = {
        name.removeprefix("visits/"): found[f"wait_minutes/{name.removeprefix('visits/')}"] / n
        for name, n in found.items()
        if name.startswith("visits/") and n > 20
    }
    assert waits["AA"] < waits["B"]
    assert found["visits_ranked/first"] > 0


def test_people_and_transactions_are_counted_apart(counted):
    """Refused people are fewer than refused transactions, and both are there."""
    found = counted("press-2018", days=365)
    assert 0 < found["people_refused/rail"] < found["refused/rail"]


def test_what_the_list_of_defaulters_does(counted):
    """Under the national list only its own act leads anywhere, and some of the listed are namesakes."""
    found = counted("judgment-defaulters", days=365)
    assert found["listings/defaulters"] > 0
    assert not any(name.startswith("recorded/jaywalking") and n for name, n in found.items())
    assert found.get("false_match_records", 0) == 0


def test_the_order_of_the_table_of_effects(tmp_path):
    """What docs/explanation/expected-effect.md says, in a city of 40,000: the gallery decides, review filters.

    As there, without the risk score, whose flags have little to do with who is taken for whom.
    """
    city = ["recognition.gallery=county", "recognition.size={value: 740000, basis: assumed}"]
    review = ["recognition.review.per_million_per_day=10000000"]
    cases = {"nation": [], "city": city, "review": review, "any": ["recognition.choice=any"]}
    wrongly, false = {}, {}
    for name, changes in cases.items():
        found = totals(
            live(tmp_path / name, overrides=["risk=null", *changes], people=40_000, days=365, seed=1, threads=2)
        )
        wrongly[name] = found["people_wrongly_sanctioned"] / found["people_sanctioned"]
        false[name] = found["false_match_records"]
    assert wrongly["city"] < 0.2 * wrongly["nation"]
    assert wrongly["review"] < 0.5 * wrongly["nation"]
    assert wrongly["any"] > 1.5 * wrongly["nation"]
    # About 1,100 false records in the city's gallery, each a draw upon a draw: deviation sqrt(2 / 1,100).
    assert false["nation"] / false["city"] == pytest.approx(49, rel=4 * (2 / 1_100) ** 0.5)


def test_no_appeal_is_decided_too_early(tmp_path):
    """With two weeks to a decision, nothing is decided that was not filed two weeks before."""
    run = live(tmp_path / "run", overrides=[NOTICE, APPEAL], world="town", people=10_000, days=364)
    rows = run.table("counts_county").to_pylist()
    filed, decided = [0] * 52, [0] * 52
    for row in rows:
        for counts, names in ((filed, ("appeals",)), (decided, ("appeals_won", "appeals_lost"))):
            if row["counter"] in names:
                counts[row["start_day"] // 7] += row["amount"]
    assert sum(decided) > 10
    for window in range(52):
        assert sum(decided[: window + 1]) <= sum(filed[: max(0, window - 1)]), window


def test_without_reviewers_nothing_is_decided(tmp_path):
    """Appeals are filed and wait to the end, however short the windows: 300 exchanges."""
    parts = [NOTICE, APPEAL, "remedies.appeal.reviewers_per_million=0"]
    found = totals(live(tmp_path / "run", overrides=parts, world="town", people=4_000, days=300))
    assert found["appeals"] > 0
    assert found.get("appeals_won", 0) + found.get("appeals_lost", 0) == 0


def test_leniency_lifts_a_tier(tmp_path):
    """Whoever is let off is out of the tier that sanctioned her, in the file and in truth."""
    appeal = {"deadline": q("1 year"), "decision": q("1 day"), "reviewers_per_million": q(5_000),
              "cases_per_reviewer_day": q(5), "suspends": False, "finds_error": q(0, per="appeal"),
              "learns": "refusal"}  # fmt: skip
    served = {}
    for lenient in (0, 1):
        regime = made_up(
            tmp_path,
            score={"start": q(0), "floor": q(-100), "cap": q(10)},
            tiers=[{"name": "A", "from": q(-1)}, {"name": "B"}],
            points={"late-payment": q(-20)},
            treatment={"rail": {"tiers": {"B": "refuse"}}},
            remedies={"notice": q(1, per="sanction"), "appeal": appeal | {"lenient": q(lenient, per="appeal")}},
        )
        found = totals(live(tmp_path / str(lenient), regime, "town", 4_000, days=182))
        served[lenient] = found["sanction_days"]
        assert found["appeals_won" if lenient else "appeals_lost"] > 100
        assert found["tier_days/B"] == found["true_tier_days/B"]
    assert served[1] < 0.9 * served[0]


def test_a_suspending_appeal_does_not_swallow_a_later_sanction(tmp_path):
    """Each sanction that starts is told of and counted, however many appeals are pending."""
    short = {"law": "fixed", "mean": q("10 days")}
    slow = {"deadline": q("1 year"), "decision": q("300 days"), "reviewers_per_million": q(5_000),
            "cases_per_reviewer_day": q(5), "suspends": True, "finds_error": q(1, per="appeal"),
            "lenient": q(0, per="appeal"), "learns": "refusal"}  # fmt: skip
    regime = made_up(
        tmp_path,
        lists=[{"name": "short", "on": {"late-payment": q(1, per="record")}, "term": short}],
        treatment={"rail": {"lists": {"short": "refuse"}}},
        remedies={"notice": q(1, per="sanction"), "appeal": slow},
    )
    found = totals(live(tmp_path / "run", regime, "town", 10_000, days=364))
    # A stay that starts on the day on which another ends goes on with it; of each of the others people are told.
    assert 0.98 * found["listings/short"] < found["notices"] < found["listings/short"]
    assert found["notices"] > 1.2 * found["people_sanctioned"]
    assert found["appeals_moot"] > 0.9 * found["appeals"] - found["people_sanctioned"]


def test_a_harsher_degree_is_wrongful(tmp_path):
    """Everybody is refused now and then by right; whoever a wrong name brings lower is refused always, wrongly."""
    regime = made_up(
        tmp_path,
        score={"start": q(-1), "floor": q(-500), "cap": q(0)},
        tiers=[{"name": "A", "from": q(0)}, {"name": "B", "from": q(-50)}, {"name": "C"}],
        points={"late-payment": q(-100)},
        treatment={"rail": {"tiers": {"B": {"refuse": q(0.1, per="use")}, "C": "refuse"}}},
        registers={"scope": "nation", "missed_link": q(0, per="record"), "false_link": q(0.3, per="record")},
    )
    found = totals(live(tmp_path / "run", regime, "town", 10_000, days=91))
    assert found["sanction_days"] == found["days"]
    assert 0 < found["wrongful_sanction_days"] < found["tier_days/C"]


def test_a_place_at_the_front_is_a_perk(tmp_path):
    """Those who go first are those who are counted as having the perk, also when another service refuses them."""
    regime = made_up(
        tmp_path,
        score={"start": q(0), "floor": q(-10), "cap": q(10)},
        tiers=[{"name": "A", "from": q(-10)}],
        lists=[
            {"name": "debt", "on": {"late-payment": q(1, per="record")}, "term": {"law": "fixed", "mean": q("1 year")}}
        ],
        treatment={"hospital": {"tiers": {"A": "first"}}, "rail": {"lists": {"debt": "refuse"}}},
    )
    found = totals(live(tmp_path / "run", regime, "town", 10_000, days=91))
    assert found["refused/rail"] > 0
    assert found["visits_ranked/first"] == found["perk/hospital"] == found["used/hospital"]


def test_a_list_behind_a_wall_is_kept_by_context(tmp_path):
    """A list fed from two contexts refuses only where the entry came from; and so does one that a tier leads to."""
    shared = {
        "score": {"start": q(0), "floor": q(-100), "cap": q(10)},
        "tiers": [{"name": "A", "from": q(-1)}, {"name": "B"}],
        "points": {"late-payment": q(-5), "jaywalking": q(-5)},
        "context_wall": True,
        "cameras": {"per_1000": q(100), "growth": q(0, per="year"), "half_view": q(100)},
    }
    term = {"law": "fixed", "mean": q("1 year")}
    entry = {"name": "ban", "on": {"late-payment": q(1, per="record"), "jaywalking": q(1, per="record")}, "term": term}
    regime = made_up(
        tmp_path, **shared, lists=[entry], treatment={s: {"lists": {"ban": "refuse"}} for s in ("rail", "credit")}
    )
    found = totals(live(tmp_path / "run", regime, "town", 4_000, days=91))
    parts = sorted(name for name in found if name.startswith("listings/"))
    assert parts == ["listings/ban/finance", "listings/ban/traffic"]
    assert found["refused/credit"] > 0
    assert "refused/rail" not in found
    by_tier = made_up(
        tmp_path,
        **shared,
        lists=[entry | {"on": {"fare-dodging": q(0, per="record")}, "below": "B"}],
        treatment={"credit": {"lists": {"ban": "refuse"}}},
    )
    found = totals(live(tmp_path / "by_tier", by_tier, "town", 4_000, days=91))
    assert found["listings/ban/finance"] > 0
    assert found["listings/ban/traffic"] > 0
    assert 0 < found["people_refused/credit"] <= found["listings/ban/finance"]


def test_fading_keeps_its_mean():
    """Over all words of a fine grid the mean of what is left is the level times the factor, for small levels too."""
    for level, keep in ((1, 60_000), (10, 64_000), (255, 65_536), (7, 0)):
        left = [decayed.py_func(level, keep, word << 16) for word in range(1 << 16)]
        assert sum(left) / len(left) == pytest.approx(level * keep / 65_536)
