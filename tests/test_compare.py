"""Twin lives: the same people under several regimes, paired; reforms; the page and the command."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lives
import underheaven as uh
from underheaven import catalogue
from underheaven.comparing import labels_of, slug
from underheaven.compiled import compiled
from underheaven.errors import CommandError, FileFormError, Interrupted, StoreError
from underheaven.life.standing import work_out
from underheaven.life.state import take
from underheaven.life.tables import PERSON, record
from underheaven.reading import cited
from underheaven.regime.reader import load_regime
from underheaven.regime.reform import load_reform, load_reformed, names_of
from underheaven.regime.tables import compile_tables
from underheaven.show.compare import command, rules_changed
from underheaven.study.paired import difference, student_95
from underheaven.study.twins import STRATA, _last
from underheaven.world.reader import load_world

TOWN: dict[str, Any] = {"world": "town", "people": 6_000, "days": 91, "threads": 1}


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> uh.Comparison:
    """A city sample of 20,000 under the press regime, and with a smaller gallery; with its page."""
    out = tmp_path_factory.mktemp("compare") / "gallery"
    return uh.compare(
        ["press-2018", "press-2018 + city-gallery"], "city", people=20_000, days=126, seed=3, out=out, threads=1
    )


@pytest.fixture(scope="module")
def against_none() -> list[uh.Comparison]:
    """None and the press regime, for two seeds."""
    return [uh.compare(["none", "press-2018"], seed=seed, page=False, **TOWN) for seed in (11, 12)]


# The interval


def test_student_has_its_known_points() -> None:
    """Against the printed table, for odd, even, small and many degrees of freedom."""
    for degrees, point in ((1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042), (499, 1.965)):
        assert student_95(degrees) == pytest.approx(point, abs=6e-4)


def test_the_interval_of_equal_groups_is_the_plain_one() -> None:
    """With groups of one size: the total plus and minus t times sqrt(G var(d))."""
    rng = np.random.default_rng(1)
    size, a, b = np.full(40, 500), rng.poisson(30, 40), rng.poisson(33, 40)
    found = difference(a, size, b, size)
    error = student_95(39) * np.sqrt(40 * np.var(b - a, ddof=1)) / size.sum()
    assert found.value == pytest.approx((b.sum() - a.sum()) / size.sum())
    assert found.high - found.value == pytest.approx(error)
    assert found.value - found.low == pytest.approx(error)


def test_intervals_of_ratios_hold_what_they_promise() -> None:
    """Of 400 populations of unequal groups about 95% have the true difference in their interval."""
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(400):
        size = rng.integers(300, 1000, 30)
        own = rng.gamma(20, 1 / 20, 30)
        a, b = rng.poisson(0.02 * size * own), rng.poisson(0.03 * size * own)
        found = difference(a, size, b, size)
        hits += found.low <= 0.01 <= found.high
    assert 0.92 <= hits / 400 <= 0.975


def test_nothing_is_measured_of_nobody_and_no_interval_of_one_group() -> None:
    """An empty denominator gives None, one group a value alone, no difference an interval of exactly 0."""
    one, none = np.array([5]), np.array([0])
    assert difference(one, none, one, one).value is None
    assert difference(one, one * 10, one * 2, one * 10)[2:] == (0.1, None, None, False)
    same = np.array([3, 4, 5])
    assert difference(same, same * 9, same, same * 9)[2:] == (0.0, 0.0, 0.0, False)


def test_a_difference_of_few_groups_is_called_rough() -> None:
    """Two cases in forty groups say so; two hundred spread over them do not."""
    size, zero = np.full(40, 500), np.zeros(40)
    two = zero.copy()
    two[:2] = 1
    assert difference(zero, size, two, size).is_rough
    assert not difference(zero, size, zero + 5, size).is_rough


# Twins


@pytest.mark.integration
def test_a_regime_against_itself_is_nothing() -> None:
    """All differences are exactly 0 with an interval of 0, and nobody is off the diagonal."""
    found = uh.compare(["press-2018", "press-2018"], page=False, **TOWN)
    frame = found.differences()
    assert (frame["difference"].fillna(0) == 0).all()
    assert (frame["rate_difference"].dropna() == 0).all()
    assert (frame["rate_low"].dropna() == 0).all()
    assert not frame["is_clear"].any()
    assert (found.acts()["difference"] == 0).all()
    for of in ("standing", "history", "tier", "services"):
        table = found.transitions(of).to_numpy()
        assert table.sum() == 6_000
        assert (table - np.diag(np.diag(table)) == 0).all()
    persons = found.pairs[0].persons
    assert (persons["worse"], persons["better"], persons["mixed"], persons["same"]) == (0, 0, 0, 6_000)
    assert found.labels == ["press-2018", "press-2018 (2)"]
    assert found.runs[0].manifest["result_hash"] == found.runs[1].manifest["result_hash"]


@pytest.mark.integration
def test_a_reform_that_never_fires_changes_nothing() -> None:
    """No record is two years old after three months."""
    found = uh.compare(["press-2018", "press-2018 + expiry-2-years"], page=False, **TOWN)
    assert (found.differences()["difference"].fillna(0) == 0).all()
    for one, other in zip(found.twins[0].columns, found.twins[1].columns, strict=True):
        np.testing.assert_array_equal(one, other)
    assert list(rules_changed(found.runs[0].regime, found.runs[1].regime))


@pytest.mark.integration
def test_the_baseline_is_the_same_with_and_without_a_reform_beside_it(tmp_path, gallery) -> None:
    """Bit for bit, in its columns and in its counts."""
    alone = lives.live(tmp_path / "alone", "press-2018", "city", 20_000, days=126, seed=3)
    beside = gallery.runs[0]
    assert alone.manifest["result_hash"] == beside.manifest["result_hash"]
    assert alone.manifest["regime"] == beside.manifest["regime"]
    for name in alone.names():
        assert alone.table(name).equals(beside.table(name)), name
    assert lives.totals(alone) != lives.totals(gallery.runs[1])


@pytest.mark.integration
def test_counts_and_columns_tell_the_same(gallery) -> None:
    """What the counters add up is what the persons show: totals by group, by history and by service."""
    pair = gallery.pairs[0]
    rows = {row["id"]: row for row in pair.differences}
    names, _, history = pair.transitions("history")
    assert names[0] == "never sanctioned"
    for key, twin, axis in (("baseline", gallery.twins[0], 1), ("other", gallery.twins[1], 0)):
        by_history = history.sum(axis=axis)
        totals = lives.totals(twin.run)
        assert rows["sanctioned"][key] == totals["people_sanctioned"] == by_history[1:].sum()
        assert rows["wrongly_sanctioned"][key] == totals.get("people_wrongly_sanctioned", 0) == by_history[2]
        refused = sum(amount for name, amount in totals.items() if name.startswith("people_refused/"))
        assert refused == np.bitwise_count(twin.columns.refused).sum()
        assert rows["wait"][f"{key}_rate"] == pytest.approx(
            sum(v for k, v in totals.items() if k.startswith("wait_minutes/"))
            / sum(v for k, v in totals.items() if k.startswith("visits/"))
        )
        for counter in ("sanction_days", "wrongful_sanction_days", "false_link_records"):
            assert rows[counter][key] == totals.get(counter, 0)


@compiled
def _stand(rules, state, me, tiers, on_paper):
    for row in range(state.strain.shape[0]):
        take(rules[0], state, me[0], row)
        work_out(rules[0], me[0])
        tiers[row], on_paper[row] = me[0].tier, me[0].on_paper


@pytest.mark.integration
@pytest.mark.parametrize("regime", ["press-2018", "press-2018 + context-wall", "judgment-defaulters", "none"])
def test_standing_is_that_of_the_loop(tmp_path, regime) -> None:
    """Tiers and sanctions of everybody on the last day, as the loop works them out one by one."""
    found = load_reformed(regime)
    columns = lives.Columns()
    lives.live(tmp_path / "run", found, "town", 4_000, days=70, observers=[columns])
    state, rules = columns.by_day[70], compile_tables(found, load_world("town", people=4_000)).rules
    tiers, on_paper = np.zeros(4_000, np.int64), np.zeros(4_000, np.int64)
    _stand(rules, state, record(PERSON), tiers, on_paper)
    last = _last(state, rules[0])
    np.testing.assert_array_equal(last.tier, tiers)
    is_listed = (state.list_until > 0).any(axis=0) if state.list_until.size else np.zeros(4_000, bool)
    np.testing.assert_array_equal(last.standing == 3, is_listed)
    np.testing.assert_array_equal(last.standing == 2, (on_paper > 0) & ~is_listed)


@pytest.mark.integration
def test_two_seeds_agree_within_their_intervals(against_none) -> None:
    """The same differences among other people: no further apart than both intervals allow (at three times them)."""
    one, other = ({row["id"]: row for row in found.pairs[0].differences} for found in against_none)
    compared = 0
    for key in ("sanctioned", "sanction_days", "false_records", "people_with_false_record", "recorded"):
        a, b = one[key], other[key]
        width = np.hypot(a["rate_high"] - a["rate_difference"], b["rate_high"] - b["rate_difference"])
        assert abs(a["rate_difference"] - b["rate_difference"]) <= 1.5 * width, key
        compared += a["rate_difference"] != b["rate_difference"]
    assert compared >= 3


@pytest.mark.integration
def test_what_stopped_is_what_was_silenced(against_none) -> None:
    """Twins prove it: where strain plays no part, the acts not done are those that the loop counted as silenced."""
    for found in against_none:
        rows = {row["id"]: row for row in found.pairs[0].acts}
        for act in ("jaywalking", "smoking-in-public", "critical-post"):
            assert rows[act]["difference"] == -rows[act]["silenced_other"] < 0
        for act in ("charity", "waste-sorting", "volunteering"):
            assert rows[act]["difference"] == rows[act]["gamed_other"] > 0
        assert {rows[act]["kind"] for act in ("critical-post", "exposure")} == {"speech"}
        assert rows["jaywalking"]["kind"] == "held against"
        assert rows["charity"]["kind"] == "rewarded"
        kinds = found.pairs[0].kinds_of_acts
        speech = ("critical-post", "exposure", "critical-talk-abroad")
        assert kinds["speech"]["difference"] == sum(rows[act]["difference"] for act in speech)


@pytest.mark.integration
def test_pairing_narrows_the_interval_of_a_small_reform(gallery) -> None:
    """For what a reform changes little, the paired interval is far narrower than that of two populations."""
    groups, size = len(gallery.everybody.people), gallery.everybody.people
    for counter in ("done/jaywalking", "sanction_days", "people_sanctioned"):
        a, b = (twin.by_group([counter], groups) for twin in gallery.twins)
        paired = difference(a, size, b, size)
        levels = [difference(np.zeros(groups), size, amounts, size) for amounts in (a, b)]
        apart = np.hypot(*(level.high - level.value for level in levels))
        assert paired.high - paired.value < 0.75 * apart, counter


@pytest.mark.integration
def test_strata_add_up(gallery) -> None:
    """The levels of each trait hold everybody once, two traits together as well, and the shares are those of people."""
    pair = gallery.pairs[0]
    assert pair.persons["better"] > pair.persons["worse"]
    for traits in [(trait,) for trait in STRATA] + [("group", "income")]:
        rows = pair.by(*traits)
        assert sum(row["people"] for row in rows) == 20_000
        for way in ("worse", "better", "mixed"):
            assert sum(row[way] for row in rows) == pair.persons[way]
    people = {row["income"]: row["people"] for row in pair.by("income")}
    counted = {str(level): amounts["people"] for (level,), amounts in gallery.twins[0].counts.by("income").items()}
    assert people == counted
    for row in pair.by("income"):
        assert row["better_share"] == pytest.approx(row["better"] / row["people"])
        assert row["better_share_low"] <= row["better_share"] <= row["better_share_high"]
        assert row["net_worse_share"] == pytest.approx((row["worse"] - row["better"]) / row["people"])
    with pytest.raises(CommandError, match="'hair'; write one or more of income"):
        pair.by("hair")
    with pytest.raises(CommandError, match="write one of standing, history"):
        pair.transitions("mood")


@pytest.mark.integration
def test_frames(gallery) -> None:
    """Frames have a row a measure, whole numbers stay whole, and cells are people."""
    frame = gallery.differences()
    row = frame.set_index("id").loc["false_records"]
    assert row["difference"] == row["other"] - row["baseline"] < 0
    assert row["low"] <= row["difference"] <= row["high"]
    assert row["is_clear"]
    assert frame["difference"].dtype == "Int64"
    assert gallery.by("group", "sex")["people"].sum() == 20_000
    table = gallery.transitions("tier")
    assert table.to_numpy().sum() == 20_000
    assert list(table.index) == gallery.runs[0].manifest["tiers"]
    assert gallery.pair("press-2018 + city-gallery") is gallery.pair(1)
    with pytest.raises(CommandError, match="the other regime is 2"):
        gallery.pair(2)
    with pytest.raises(CommandError, match="write 1 or 'press-2018 \\+ city-gallery'"):
        gallery.pair("press-2018")


# Reforms


def test_every_reform_loads_and_says_what_it_rests_on() -> None:
    """Each shipped reform is a valid file; each number of it has a basis, and a note or a source."""
    names = catalogue.names("reforms")
    assert set(names) >= {
        "human-review", "appeal-15-days", "suspend-while-appealing", "expiry-2-years", "context-wall", "notice",
        "city-gallery",
    }  # fmt: skip
    for name in names:
        assert load_reform(name).reform == name
        before = "appeal-15-days + " if name == "suspend-while-appealing" else ""
        regime = "hot-spot-cameras" if name == "corrected-cameras" else "press-2018"
        base = {number.path: number for number in cited(load_regime(regime))}
        reformed = load_reformed(f"{regime} + {before}{name}")
        assert reformed.kind == "hypothesis"
        assert reformed.title.endswith(f" + {name}")
        for number in cited(reformed):
            if base.get(number.path) != number:
                assert number.note or number.source, number.path
                assert number.note != "set on the command line"


def test_a_reform_leaves_the_regime_alone() -> None:
    """It is laid over a copy: the baseline is what it was, and so is everything that the reform does not name."""
    before = load_regime("rongcheng-2016")
    reformed = load_reformed("rongcheng-2016 + context-wall + notice")
    assert load_reformed("rongcheng-2016") == before
    assert load_regime("rongcheng-2016") == before
    changed = {".".join(row["path"]) for row in rules_changed(before, reformed)}
    assert changed == {"context_wall"}  # everybody is told there already


def test_several_reforms_in_their_order() -> None:
    """The plus stands once or often, with spaces or without; a later reform may need an earlier one."""
    assert names_of("press-2018 + notice+city-gallery") == ["press-2018", "notice", "city-gallery"]
    assert names_of("./my+regime.yaml + notice") == ["./my+regime.yaml", "notice"]
    found = load_reformed("press-2018+appeal-15-days + suspend-while-appealing", ["remedies.appeal.lenient=0.2"])
    assert found.remedies.appeal is not None
    assert found.remedies.appeal.suspends
    assert float(found.remedies.appeal.lenient.exact) == 0.2
    with pytest.raises(FileFormError, match="put one before it"):
        load_reformed("press-2018 + suspend-while-appealing")


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        ("rongcheng-2016 + city-gallery", "UH120", "needs `recognition`, and 'rongcheng-2016' has none"),
        ("none + notice", "UH120", "needs `score` or `lists`"),
        ("press-2018 + notize", "UH122", "did you mean 'notice'"),
        ("press-2018 + none", "UH122", "leave the \\+ out to compare the two"),
        ("notice + press-2018", "UH122", "is a reform; write the regime before it"),
        ("notice", "UH122", "is a reform; write the regime before it, as press-2018 \\+ notice"),
        ("press-2018 +", "UH803", "a name is missing beside a \\+"),
    ],
)
def test_reforms_that_cannot_be(asked, code, told) -> None:
    """Each mistake is told with its mend; a misfit points at the line of the reform that asks for it."""
    with pytest.raises((FileFormError, CommandError), match=told) as caught:
        load_reformed(asked)
    assert caught.value.code == code
    if code == "UH120":
        where = caught.value.findings[0].where
        assert where.line is not None
        assert where.path.startswith("needs.")


REFORM = {
    "format": "underheaven-reform/1",
    "reform": "mine",
    "title": "Mine",
    "status": "provisional",
    "summary": "A test.",
}


def written(folder: Path, **parts: Any) -> str:
    path = folder / "mine.yaml"
    path.write_text(json.dumps(REFORM | parts), encoding="utf-8")
    return str(path)


def test_a_reform_of_texts(tmp_path) -> None:
    """`path=value` is applied as --set is, and the number names the reform."""
    path = written(tmp_path, changes=["points.jaywalking=-1", "remedies.notice=0.5"])
    found = load_reformed(f"press-2018 + {path}")
    assert found.points_of("jaywalking") == -1
    assert found.points["jaywalking"].note == "set by the reform mine"
    assert found.points["late-payment"].note != "set by the reform mine"


@pytest.mark.parametrize(
    ("parts", "code", "told"),
    [
        ({"changes": {}}, "UH111", "`changes` is empty"),
        ({"changes": {"title": "Other"}}, "UH110", "put it beside `changes`"),
        ({"changes": ["kind=fiction"]}, "UH110", "take it out"),
        ({"changes": {"notice": 1}}, "UH110", "no key 'notice'"),
        ({"changes": ["points.jaywalkin=-1 "], "note": "x"}, "UH110", "no key 'note'"),
        ({"changes": {"remedies": {"notice": {"value": 2, "per": "sanction", "basis": "assumed"}}}}, "UH113", "2"),
        ({"changes": {"remedies": {"notice": {"value": 1, "per": "sanction"}}}}, "UH115", "basis"),
        (
            {"changes": {"remedies": {"notice": {"value": 1, "per": "sanction", "basis": "text", "source": "x"}}}},
            "UH116",
            "'x' does not stand under `sources`",
        ),
        ({"changes": ["points.jaywalking"]}, "UH131", "this is no `path=value`"),
        ({"format": "underheaven-reform/2", "changes": {"context_wall": True}}, "UH110|UH112", "underheaven-reform"),
        ({"changes": {"citizens": [{"name": "Ann", "score": 3}]}}, "UH1", "about persons"),
    ],
)
def test_faulty_reform_files(tmp_path, parts, code, told) -> None:
    """Every fault has its code and its place in the reform file."""
    with pytest.raises(FileFormError, match=told) as caught:
        load_reformed(f"press-2018 + {written(tmp_path, **parts)}")
    assert re.match(code, caught.value.code)
    assert caught.value.findings[0].where.file.endswith("mine.yaml")


def test_a_source_of_the_regime_stays_what_it_is(tmp_path) -> None:
    """A reform may call another source by the same name; both are kept."""
    source = {"npl-2023": {"title": "Another one", "read": True}}
    change = {"remedies": {"notice": {"value": 1, "per": "sanction", "basis": "text", "source": "npl-2023"}}}
    found = load_reformed(f"press-2018 + {written(tmp_path, sources=source, changes=change)}")
    assert found.sources["npl-2023"] == load_regime("press-2018").sources["npl-2023"]
    assert found.remedies.notice is not None
    assert found.sources[str(found.remedies.notice.source)].title == "Another one"


def test_a_regime_is_no_reform_and_a_reform_no_regime(tmp_path) -> None:
    """A file behind the plus must be a reform."""
    path = Path(catalogue.path("regimes", "none"))
    with pytest.raises(FileFormError, match="this file is a regime, and behind a \\+ stands a reform"):
        load_reformed(f"press-2018 + {path}")


# Asking


@pytest.mark.parametrize(
    ("regimes", "more", "told"),
    [
        (["press-2018"], {}, "name another, or the same one twice with --set"),
        ([], {}, "write two or more"),
        ("press-2018", {}, "write a list"),
        (["none", "press-2018"], {"set": ["world.adults=5"]}, "there would be no twins"),
        (["none", "press-2018"], {"set": "points.jaywalking=-1"}, "write a list"),
        (["none", 5], {}, "regime is 5"),
        (["none", "press-2018"], {"days": 0}, "days is 0"),
        (["none", "press-2018"], {"people": 1.5}, "people is 1.5"),
    ],
)
def test_questions_that_cannot_be_answered(regimes, more, told) -> None:
    """Each is refused before anybody lives a day."""
    with pytest.raises(CommandError, match=told):
        uh.compare(regimes, "town", page=False, **more)


@pytest.mark.integration
def test_set_changes_all_but_the_first() -> None:
    """The same regime twice is compared with itself changed."""
    found = uh.compare(["rongcheng-2016", "rongcheng-2016"], set=["points.late-payment=-200"], page=False, **TOWN)
    assert found.labels == ["rongcheng-2016", "rongcheng-2016 with points.late-payment=-200"]
    assert [row["path"] for row in rules_changed(*(run.regime for run in found.runs))] == [["points", "late-payment"]]
    rows = {row["id"]: row for row in found.pairs[0].differences}
    assert rows["sanctioned"]["baseline"] < rows["sanctioned"]["other"]
    with pytest.raises(FileFormError, match="did you mean 'late-payment'"):
        uh.compare(["rongcheng-2016", "rongcheng-2016"], set=["points.late-paymen=1"], page=False, **TOWN)


def test_labels_and_folders() -> None:
    """Labels say what was asked for and differ; slugs are plain."""
    assert labels_of(["a", "a", "a+b"], []) == ["a", "a (2)", "a + b"]
    assert labels_of(["a", "a"], ["x=1", "y=2"]) == ["a", "a with x=1, y=2"]
    assert slug("press-2018 + appeal-15-days") == "press-2018-appeal-15-days"
    assert slug("./some/My Regime.yaml") == "my-regime"
    assert slug("…") == "regime"


@pytest.mark.integration
def test_a_comparison_is_not_written_over_and_can_be_resumed(tmp_path) -> None:
    """Only --overwrite replaces one; an interrupted one goes on to the same results; a foreign folder is let be."""
    asked: dict[str, Any] = {"world": "town", "people": 2_000, "days": 56, "page": False, "threads": 1}
    pair = ["none", "judgment-defaulters"]
    out = tmp_path / "c"
    whole = uh.compare(pair, out=tmp_path / "whole", **asked)
    with pytest.raises(StoreError, match="there is no interrupted comparison here"):
        uh.compare(pair, out=out, resume=True, **asked)
    with pytest.raises(Interrupted):
        uh.compare(pair, out=out, stop=lives.StopAfter(10), **asked)  # in the second run
    with pytest.raises(StoreError, match="holds an interrupted comparison"):
        uh.compare(pair, out=out, **asked)
    with pytest.raises(StoreError, match="another days"):
        uh.compare(pair, out=out, resume=True, **(asked | {"days": 63}))
    found = uh.compare(pair, out=out, resume=True, **asked)
    assert found.as_dict() == whole.as_dict()
    with pytest.raises(StoreError, match="holds a comparison"):
        uh.compare(pair, out=out, **asked)
    again = uh.compare(["none", "rongcheng-2016"], out=out, overwrite=True, **asked)
    assert [folder.name for folder in sorted((out / "runs").iterdir())] == ["1-none", "2-rongcheng-2016"]
    assert again.runs[1].manifest["regime"]["name"] == "rongcheng-2016"
    (out / "mine.txt").write_text("mine")
    with pytest.raises(StoreError, match="is no comparison of ours"):
        uh.compare(pair, out=out, overwrite=True, **asked)


@pytest.mark.integration
def test_progress_counts_all_runs_together() -> None:
    """Days, citizen-days and seconds rise over the whole comparison and end at its end."""
    told: list[tuple[int, int, int, float]] = []
    uh.compare(
        ["none", "judgment-defaulters"], "town", people=2_000, days=28, page=False, threads=1,
        progress=lambda day, days, citizen_days, seconds, note: told.append((day, days, citizen_days, seconds)),
    )  # fmt: skip
    assert [day for day, *_ in told] == [0, 7, 14, 21, 28, 35, 42, 49, 56]
    assert {days for _, days, *_ in told} == {56}
    assert told[-1][2] == 2_000 * 56
    assert [seconds for *_, seconds in told] == sorted(seconds for *_, seconds in told)


# The page and the command


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text outside of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("section", "table", "main", "details", "figure", "tr", "ul", "script"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("section", "table", "main", "details", "figure", "tr", "ul", "script"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "script":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.integration
def test_page_is_whole_and_asks_nobody(gallery) -> None:
    """It parses, its anchors lead somewhere, nothing is loaded, and its figures are those of the comparison."""
    assert gallery.page is not None
    text = gallery.page.read_text(encoding="utf-8")
    page = Elements(text)
    assert page.open == []
    ids = [a["id"] for _, a in page.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for tag, a in page.tags if tag == "a" and (a["href"] or "").startswith("#")} <= set(ids)
    for tag, attributes in page.tags:
        for key in ("src", "href", "action", "poster", "srcset"):
            value = attributes.get(key) or ""
            assert tag == "a" or not value.startswith(("http", "//", "file")), (tag, value[:80])
        assert "style" not in attributes or tag in ("svg", "g", "path", "text")
    assert tag_of(page, "link") == []
    (policy,) = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    charts = [a["data-chart"] for tag, a in page.tags if tag == "figure"]
    assert charts == ["differences", "better-and-worse", "acts"]
    for finding in gallery.as_dict()["comparisons"][0]["findings"]:
        assert finding["text"] in page.text
    assert "recognition. gallery" in page.text.replace("recognition.gallery", "recognition. gallery")
    assert command(gallery) in page.text
    assert {path.name for path in (gallery.folder / "data").iterdir()} == {f"{name}.csv" for name in charts}
    assert " None" not in page.text
    assert " nan " not in page.text


@pytest.mark.integration
def test_one_neighbourhood_has_no_interval(cli, tmp_path) -> None:
    """So few people are one group: figures without intervals, on the page and on the terminal."""
    done = cli("compare", "none", "press-2018", "--world", "town", "--people", "900", "--days", "21", "--threads", "1",
               "--out", tmp_path / "c")  # fmt: skip
    assert done.code == 0, done.err
    assert "no intervals: so few people are one neighbourhood" in done.err
    assert "no interval: there is only one group of blocks" in (tmp_path / "c/compare.html").read_text(encoding="utf-8")


def tag_of(page: Elements, name: str) -> list[dict[str, str | None]]:
    return [attributes for tag, attributes in page.tags if tag == name]


@pytest.mark.integration
def test_page_escapes_names(tmp_path) -> None:
    """What a file says of itself cannot become part of the page."""
    said = {"title": "<b>x</b>", "summary": "</script><i id=mine>", "kind": "hypothesis", "status": "provisional"}
    regime = {"format": "underheaven-regime/1", "regime": "x"} | said
    path = tmp_path / "x.yaml"
    path.write_text(json.dumps(regime))
    found = uh.compare(["none", str(path)], "town", people=2_000, days=7, out=tmp_path / "c", threads=1)
    text = found.page.read_text(encoding="utf-8")
    tags = [(tag, attributes.get("id")) for tag, attributes in Elements(text).tags]
    assert not {tag for tag, _ in tags} & {"b", "i"}
    assert "<b>x</b>" in Elements(text).text
    assert "Nothing that is counted differs" in text
    assert "the two have the same rules" in text


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """Open a fresh page; the plugin's own needs a fixture of pytest-base-url that pytest 9 warns of."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.browser
@pytest.mark.integration
def test_page_in_a_browser(page, gallery) -> None:
    """Charts come alive, nothing is requested but the page, nothing is refused or wider than a phone."""
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(gallery.page.as_uri())
    for figure in page.query_selector_all("figure[data-chart]"):
        figure.scroll_into_view_if_needed()
        page.wait_for_function("figure => figure.dataset.state === 'live'", arg=figure)
    assert asked == [gallery.page.as_uri()]
    assert said == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.integration
def test_command(cli, tmp_path, monkeypatch) -> None:
    """It prints a summary within 80 columns, JSON on request, and says where the page is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    ask = ("compare", "none", "press-2018", "--world", "town", "--people", "3000", "--days", "28", "--threads", "1")
    done = cli(*ask)
    assert (done.code, done.out) == (0, "")
    folder = Path("runs/compare-none-vs-press-2018-town-s1")
    assert (folder / "compare.html").is_file()
    assert f"page: {folder / 'compare.html'}" in done.err
    assert "from none to press-2018" in done.err
    assert all(len(line) <= 80 for line in done.err.splitlines() if "runs/" not in line)
    again = cli(*ask)
    assert again.code == 2
    assert "--overwrite" in again.err
    told = cli(*ask, "--overwrite", "--json", "--quiet", "--no-page", "--set", "points.jaywalking=-50")
    assert (told.code, told.err) == (0, "")
    assert told.json["format"] == "underheaven-comparison/1"
    assert told.json["baseline"] == "none"
    assert told.json["comparisons"][0]["regime"] == "press-2018 with points.jaywalking=-50"
    assert told.json["page"] is None
    stored = json.loads((folder / "comparison.json").read_text())
    assert stored["comparisons"] == told.json["comparisons"]


def test_command_refuses(cli) -> None:
    """Mistakes are told in a sentence and exit 2."""
    for arguments, told in (
        (("none",), "name another"),
        ((), "two or more"),
        (("none", "press-2018 + nothing"), "reform"),
        (("none", "press-2018", "--set", "world.adults=5000"), "there would be no twins"),
        (("none", "press-2018", "--dayz", "5"), "--days"),
    ):
        done = cli("compare", *arguments)
        assert done.code == 2, arguments
        assert told in " ".join(done.err.split()), done.err
        assert "Traceback" not in done.err


@pytest.mark.integration
def test_a_reformed_regime_runs_alone_too(cli, tmp_path) -> None:
    """`run` takes the same names, and its report repeats them."""
    done = cli("run", "press-2018 + city-gallery", "--world", "town", "--people", "2000", "--days", "14", "--out",
               tmp_path / "run", "--threads", "1", "--quiet")  # fmt: skip
    assert done.code == 0, done.err
    text = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "underheaven run &#39;press-2018 + city-gallery&#39;" in text


def test_the_how_to(tmp_path) -> None:
    """The reform of docs/how-to/compare-regimes.md loads and does what the page says."""
    text = (Path(__file__).parents[1] / "docs/how-to/compare-regimes.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "no-shaming.yaml"
    path.write_text(example, encoding="utf-8")
    found = load_reformed(f"press-2018 + {path}")
    assert not found.lists[0].shaming
    assert found.lists[0].term != load_regime("press-2018").lists[0].term
