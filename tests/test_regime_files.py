"""The shipped regimes, the cases in `spec/`, and what becomes of broken regime files."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from underheaven import catalogue
from underheaven.errors import FileFormError
from underheaven.reading import cited, identity_hash, parse
from underheaven.regime.cases import worked_out
from underheaven.regime.reader import load_regime
from underheaven.regime.schema import Case, Regime

SPEC = Path(__file__).parent.parent / "spec" / "cases"
SHIPPED = catalogue.names("regimes")
PRESS = catalogue.path("regimes", "press-2018").read_bytes()


# The shipped files ----------------------------------------------------------------------------------------


def test_the_four_regimes_are_shipped() -> None:
    assert {"judgment-defaulters", "none", "press-2018", "rongcheng-2016"} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_regime_is_sound(name: str) -> None:
    regime = load_regime(name)
    assert regime.regime == name
    used = {number.source for number in cited(regime)} - {None}
    assert used <= set(regime.sources)
    assert load_regime(catalogue.path("regimes", name)) == regime
    assert load_regime(str(catalogue.path("regimes", name))) == regime


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_regime_comes_back_from_json(name: str) -> None:
    regime = load_regime(name)
    for again in (
        Regime.model_validate_json(regime.model_dump_json()),
        Regime.model_validate(json.loads(json.dumps(regime.model_dump(mode="json")))),
    ):
        assert again == regime
        assert identity_hash(again) == identity_hash(regime)


def test_a_regime_is_read_quickly() -> None:
    load_regime("press-2018")
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        load_regime("press-2018")
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.15


def test_the_press_regime_says_what_the_press_said() -> None:
    regime = load_regime("press-2018")
    assert regime.cutoffs == (1050, 1030, 960, 850, 600, 0)
    assert regime.cameras is not None and regime.cameras.density_per_1000 == Fraction(200_000_000_000, 1_411_778_724)
    assert regime.by_tier("credit", "C").refuse == Fraction(1, 2)
    assert regime.lists[0].term.mean_days == 365
    assert [number.path for number in cited(regime)][:2] == ["score.start", "score.floor"]
    assert "lists.travel-ban.term.mean" in [number.path for number in cited(regime)]


CASES = [
    (path.name, number, case)
    for path in (*(catalogue.path("regimes", name) for name in SHIPPED), *sorted(SPEC.glob("valid/*.yaml")))
    for number, case in enumerate(load_regime(path).cases)
]


@pytest.mark.parametrize(("file", "number", "case"), CASES, ids=[f"{file}-{number}" for file, number, _ in CASES])
def test_a_worked_case_comes_out(file: str, number: int, case: Case) -> None:
    path = SPEC / "valid" / file
    regime = load_regime(path if path.exists() else file.removesuffix(".yaml"))
    found, then = worked_out(regime, case), case.then
    assert then.score in (None, found.score)
    assert then.tier in (None, found.tier)
    assert then.refused is None or sorted(then.refused) == list(found.refused or ())
    assert then.listed is None or sorted(then.listed) == list(found.listed or ())


def test_a_case_that_the_rules_do_not_bear_out_is_an_error(tmp_path: Path) -> None:
    text = catalogue.path("regimes", "press-2018").read_text(encoding="utf-8")
    path = tmp_path / "wrong.yaml"
    path.write_text(text.replace("then: {score: 955, tier: B,", "then: {score: 950, tier: A,"), encoding="utf-8")
    with pytest.raises(FileFormError) as caught:
        load_regime(path)
    assert [finding.code for finding in caught.value.findings] == ["UH120", "UH120"]
    assert "lead to score 955, and the case 'two late payments and a red light lead to grade B' says 950" in str(
        caught.value
    )
    assert load_regime(path, ["points.jaywalking=-6"]).cases  # a changed rule is not held against its cases


def test_the_identity_forgets_names_and_sources_only() -> None:
    regime = load_regime("press-2018")
    told = ["title=x", "summary=x", "regime=y", "status=checked", "kind=fiction", "cases=null", "score.start.note=x"]
    assert identity_hash(load_regime("press-2018", told)) == identity_hash(regime)
    moved = ["points.jaywalking=-6", "recognition.gallery=county", "context_wall=true", "lists.0.shaming=false"]
    assert len({identity_hash(load_regime("press-2018", [text])) for text in moved} | {identity_hash(regime)}) == 5


# Names and paths ------------------------------------------------------------------------------------------


def test_an_unknown_name_is_answered_with_the_names() -> None:
    with pytest.raises(FileFormError) as caught:
        load_regime("pres-2018")
    assert caught.value.code == "UH122"
    text = str(caught.value)
    assert text.startswith("there is no entry 'pres-2018' under regimes; did you mean 'press-2018'? There are ")
    assert "rongcheng-2016" in text and "./NAME.yaml" in text
    for name in ("", "..", "x" * 10_000, "\x00", "press-2018\n"):
        with pytest.raises(FileFormError) as caught:
            load_regime(name)
        assert caught.value.code == "UH122" and len(str(caught.value)) < 500


def test_a_path_that_is_not_there_is_said() -> None:
    for path in ("./press-2018", "press-2017.yaml", "../../etc/passwd.yaml", Path("press-2018")):
        with pytest.raises(FileFormError, match="there is no such file") as caught:
            load_regime(path)
        assert caught.value.code == "UH101"


# --set ----------------------------------------------------------------------------------------------------


def test_set_changes_one_place() -> None:
    def changed(text: str) -> Regime:
        return load_regime("press-2018", [text])

    assert changed("recognition.gallery=county").recognition.gallery == "county"  # type: ignore[union-attr]
    points = changed("points.jaywalking=-10").points["jaywalking"]
    assert (points.value, points.basis, points.source) == (-10, "assumed", None)
    for path in ("lists.travel-ban.term.mean", "lists.0.term.mean"):
        assert changed(f"{path}=2 years").lists[0].term.mean_days == 730
    assert changed("remedies.notice=null").remedies.notice is None
    review = changed("recognition.review.keep_true=0.5 per match").recognition.review  # type: ignore[union-attr]
    assert review is not None and review.keep_true.exact == Fraction(1, 2)
    assert load_regime("none", ["reporting.seen=0.5 per act"]).reporting is not None
    assert changed("treatment.flight.tiers.D.refuse=0.25 per use").by_tier("flight", "D").refuse == Fraction(1, 4)
    assert changed("treatment.credit.tiers.C=refuse").by_tier("credit", "C").refuse == 1
    assert changed("tiers.AAA.from=1100").cutoffs[0] == 1100
    appeal = (
        "remedies.appeal={deadline: {value: 1 year}, decision: {value: 15 days}, reviewers_per_million: {value: 10},"
        " cases_per_reviewer_day: {value: 4}, suspends: false, learns: refusal,"
        " finds_error: {value: 0.7, per: appeal}, lenient: {value: 0.1, per: appeal}}"
    )
    given = changed(appeal).remedies.appeal
    assert given is not None and given.lenient.basis == "assumed"


def test_set_that_does_not_fit_names_itself() -> None:
    for texts, code, words in (
        (
            ["points.jaywalking=1", "score.start=5000"],
            "UH120",
            "--set score.start: the start of 5000 is outside",
        ),
        (["recognition.law=constant"], "UH120", "law `constant` needs `fpir`"),
        (["lists.travelban.term.mean=1 day"], "UH131", "'travelban' is no place in lists; did you mean 'travel-ban'?"),
        (["recognition.review.keep_treu=1"], "UH131", "did you mean 'keep_true'?"),
        (["recognition.fpir=0.5"], "UH131", 'write recognition.fpir="0.5 per probe"'),
        (["remedies.apeal=null"], "UH131", "did you mean 'appeal'?"),
        (["lists.7=null"], "UH131", "'7' is no place in lists; it has travel-ban"),
        (["recognition.photo=x.jpg"], "UH131", "'photo' is no place in recognition"),
        (["title=null"], "UH111", "the key 'title' is missing"),
    ):
        with pytest.raises(FileFormError) as caught:
            load_regime("press-2018", texts)
        assert caught.value.code == code, str(caught.value)
        assert words in str(caught.value), str(caught.value)


# The cases of spec/ ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(SPEC.glob("valid/*.yaml")), ids=lambda path: path.stem)
def test_a_valid_case_is_read(path: Path) -> None:
    load_regime(path)


@pytest.mark.parametrize("path", sorted(SPEC.glob("invalid/*.yaml")), ids=lambda path: path.stem)
def test_an_invalid_case_is_refused_with_the_code_of_its_name(path: Path) -> None:
    with pytest.raises(FileFormError) as caught:
        load_regime(path)
    assert caught.value.code == path.name[:5], str(caught.value)
    assert caught.value.findings[0].where is not None
    assert caught.value.findings[0].where.file == str(path)


# Broken files ---------------------------------------------------------------------------------------------

Tree = Any


def places(tree: Tree, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything below the root."""
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def as_plain(tree: Tree) -> Tree:
    """Return a tree that can be written as JSON."""
    return json.loads(json.dumps(tree, default=float))


def with_change(tree: Tree, path: tuple[Any, ...], change: Any) -> Tree:
    """Return a copy in which `change(parent, key)` was done at a path."""
    tree = json.loads(json.dumps(tree))
    parent = tree
    for part in path[:-1]:
        parent = parent[part]
    change(parent, path[-1])
    return tree


def judged(data: bytes) -> FileFormError | None:
    """Read a file that may be broken; whatever is wrong must come with its place."""
    from underheaven.reading import load

    try:
        load(Regime, parse(data, "broken.yaml"))
    except FileFormError as error:
        for finding in error.findings:
            if finding.text.startswith("and "):
                continue
            assert finding.where is not None and finding.where.file == "broken.yaml", str(error)
            if finding.code != "UH102":
                assert finding.where.line and finding.where.column, str(error)
            assert len(finding.text) < 700
        return error
    return None


PRESS_TREE = as_plain(parse(PRESS, "press-2018.yaml").plain())
WRONG: tuple[Any, ...] = (None, True, "maybe", -1, 2, 10**9, 0.5, [], {}, [1, 2], {"a": 1}, "", "x" * 300, "2 years")


def test_deleting_any_key_is_refused_with_a_place_or_allowed() -> None:
    refused = 0
    paths = [path for path in places(PRESS_TREE) if "note" not in path and path[0] != "sources"][::2]
    for path in paths:
        broken = with_change(PRESS_TREE, path, lambda parent, key: parent.pop(key))
        refused += judged(json.dumps(broken).encode()) is not None
    assert len(paths) > 120 and refused > 50


@pytest.mark.parametrize("key", ["format", "regime", "title", "kind", "status", "summary"])
def test_a_missing_key_of_the_header_is_named(key: str) -> None:
    error = judged(json.dumps({k: v for k, v in PRESS_TREE.items() if k != key}).encode())
    assert error is not None and error.code == "UH111" and f"the key '{key}' is missing" in str(error)


def test_any_misspelt_key_is_found() -> None:
    open_tables = {"points", "fines", "on", "tiers", "lists", "treatment", "sources", "group", "values"}
    tried = 0
    for path in list(places(PRESS_TREE))[::2]:
        key = path[-1]
        if not isinstance(key, str) or "sources" in path or (len(path) > 1 and path[-2] in open_tables):
            continue
        wrong = key[:-1] + "qq"

        def misspell(parent: Tree, key: Any, wrong: str = wrong) -> None:
            parent[wrong] = parent.pop(key)

        error = judged(json.dumps(with_change(PRESS_TREE, path, misspell)).encode())
        assert error is not None, path
        assert any(wrong in finding.text for finding in error.findings), (path, str(error))
        tried += 1
    assert tried > 70


def test_any_value_of_a_wrong_kind_or_size_is_refused_with_a_place_or_allowed() -> None:
    chance = random.Random(1)
    refused = 0
    for number in range(200):
        path = chance.choice(list(places(PRESS_TREE)))
        wrong = WRONG[number % len(WRONG)]
        broken = with_change(PRESS_TREE, path, lambda parent, key, wrong=wrong: parent.__setitem__(key, wrong))
        refused += judged(json.dumps(broken).encode()) is not None
    assert refused > 125


def test_a_file_cut_anywhere_is_refused_with_a_place_or_allowed() -> None:
    refused = sum(judged(PRESS[:size]) is not None for size in range(0, len(PRESS), 97))
    assert refused > 50


def test_any_change_of_bytes_is_refused_with_a_place_or_allowed() -> None:
    chance = random.Random(2)
    refused = 0
    for _ in range(300):
        data = bytearray(PRESS)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            kind = chance.randrange(4)
            if kind == 0:
                data[at] = chance.randrange(256)
            elif kind == 1:
                del data[at : at + chance.randint(1, 40)]
            elif kind == 2:
                data[at:at] = bytes(chance.choice(b"[]{}:,-&*!|>'\"#%@`\n\t 09x") for _ in range(chance.randint(1, 5)))
            else:
                other = chance.randrange(len(data))
                data[at:at] = data[other : other + 60]
        refused += judged(bytes(data)) is not None
    assert refused > 100


def test_random_pieces_of_the_format_never_raise_anything_else() -> None:
    chance = random.Random(3)
    keys = sorted({str(path[-1]) for path in places(PRESS_TREE) if isinstance(path[-1], str)})
    values = [
        *WRONG,
        0,
        1,
        1000,
        "D",
        "AAA",
        "refuse",
        "fixed",
        "mixture",
        "county",
        "assumed",
        "text",
        "record",
        "use",
    ]

    def piece(depth: int) -> Any:
        kind = chance.random()
        if depth > 4 or kind < 0.4:
            return chance.choice(values)
        if kind < 0.9:
            return {chance.choice(keys): piece(depth + 1) for _ in range(chance.randint(0, 4))}
        return [piece(depth + 1) for _ in range(chance.randint(0, 3))]

    for _ in range(200):
        broken = dict(PRESS_TREE)
        for key in chance.sample(list(broken), 3):
            broken[key] = piece(0)
        judged(json.dumps(broken).encode())
