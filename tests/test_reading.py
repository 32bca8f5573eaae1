"""The file border: the guard, numbers with their sources, errors with their places, and `--set`."""

from __future__ import annotations

import json
import os
import time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from underheaven.errors import FileFormError
from underheaven.reading import (
    Count,
    Document,
    Duration,
    Factor,
    Levels,
    Node,
    Number,
    Points,
    Prob,
    Rate,
    Section,
    Shares,
    Source,
    cited,
    compose,
    did_you_mean,
    identity_hash,
    load,
    merged,
    number_of,
    override,
    parse,
    read_tree,
    resolve,
)
from underheaven.regime.schema import Regime

HEAD = "format: underheaven-regime/1\nregime: x\ntitle: t\nkind: law\nstatus: provisional\nsummary: s\n"
LIMIT_SECONDS = 1.5  # half a second where the machine is ours alone


def refusal(data: bytes | str, model: type = Regime) -> FileFormError:
    """Return the error that a text ends in."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    begun = time.process_time()
    with pytest.raises(FileFormError) as caught:
        load(model, parse(raw, "x.yaml"))
    assert time.process_time() - begun < LIMIT_SECONDS
    return caught.value


# The guard ------------------------------------------------------------------------------------------------

NASTIES = {
    "100,000 brackets": ("[" * 100_000, "UH102", "x.yaml:1:33: more than 32 levels deep"),
    "100,000 braces": ("{a: " * 60_000, "UH102", "more than 32 levels deep"),
    "100,000 dashes": ("- " * 100_000, "UH102", "more than 32 levels deep"),
    "question marks": ("? " * 100_000, "UH107", "x.yaml:1:3: a key must be a word"),
    "alias bomb": (
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{b}: &{b} [{f'*{a},' * 9}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)),
        "UH103",
        "x.yaml:1:4: the anchor &a is not allowed; take it out",
    ),
    "alias alone": ("a: *b", "UH103", "x.yaml:1:4: the alias *b is not allowed; write the value out"),
    "merge bomb": ("a: {x: 1}\nb: {<<: [{}, {}], <<: {}}", "UH103", "x.yaml:2:5: the merge key << is not allowed"),
    "Python tag": ("a: !!python/object/apply:os.system [ls]", "UH103", "the tag tag:yaml.org,2002:python/object/apply"),
    "local tag": ("a: !x 1", "UH103", "the tag !x is not allowed"),
    "bare tag": ("a: ! 1", "UH103", "the tag ! is not allowed"),
    "tag directive": ("%TAG ! tag:evil,2000:\n---\na: 1", "UH103", "%TAG is not allowed"),
    "YAML directive": ("%YAML 9.1\n---\na: 1", "UH104", "x.yaml:1:1: this is not YAML"),
    "1 MB": ("a: 1\n" * 250_000, "UH102", "more than 256 KiB"),
    "map of 30,000 keys": ("{" + ",".join(f"k{i}: 1" for i in range(20_000)) + "," * 20 + "}", "UH104", "not YAML"),
    "60,000 parts": ("a: [" + "1," * 60_000 + "]", "UH102", "more than 50,000 parts"),
    "duplicate key": ("a: 1\nb: 2\na: 3", "UH105", "x.yaml:3:1: the key 'a' stands twice, first in line 1"),
    "duplicate in braces": ("a: {b: 1, b: 1}", "UH105", "x.yaml:1:11: the key 'b' stands twice, first in line 1"),
    "same key in quotes": ("a: 1\n'a': 1", "UH105", "x.yaml:2:1: the key 'a' stands twice"),
    "two documents": ("a: 1\n---\nb: 2", "UH106", "x.yaml:2:1: a second document starts here"),
    "empty": ("", "UH106", "x.yaml:1:1: the file is empty"),
    "only a comment": ("# hello", "UH106", "the file is empty"),
    "only a line": ("---\n", "UH106", "the file is empty"),
    "only null": ("null", "UH106", "the file is empty"),
    "a list": ("- a\n- b", "UH112", "x.yaml:1:1: the file is a list, and a mapping of keys to values is wanted"),
    "a word": ("hello", "UH112", "the file is 'hello'"),
    "list as key": ("? [a]\n: b", "UH107", "x.yaml:1:3: a key must be a word, not a mapping or a list"),
    "empty key": ("'': 1", "UH107", "a key must be a word of 1 to 200 characters"),
    "null key": ("?\n: 1", "UH107", "a key must be a word of 1 to 200 characters"),
    "long key": ("k" * 300 + ": 1", "UH107", "a key must be a word of 1 to 200 characters"),
    "tab": (
        "\ta: 1",
        "UH104",
        "x.yaml:1:1: this is not YAML: found character that cannot start any token; indent with",
    ),
    "open quote": ("a: 'b", "UH104", "x.yaml:1:6: this is not YAML: found unexpected end of stream; close the quotes"),
    "open bracket": ("a: [1, 2", "UH104", "x.yaml:1:9: this is not YAML: did not find expected ',' or ']'; close the"),
    "two colons": (
        "a: b: c",
        "UH104",
        "x.yaml:1:5: this is not YAML: mapping values are not allowed in this context; put",
    ),
    "bad indent": ("a:\n  b: 1\n c: 2", "UH104", "start this line in the same column"),
    "at sign": ("a: @b", "UH104", "put a text that starts with @"),
    "word before mapping": ("hello\na: 1", "UH104", "x.yaml:2:2: this is not YAML"),
    "Latin-1": ("a: stra\xdfe".encode("latin-1"), "UH101", "x.yaml:1:8: byte 0xdf is not UTF-8 text"),
    "UTF-16": ("a: 1".encode("utf-16"), "UH101", "x.yaml: the file is in UTF-16; save it as plain text in UTF-8"),
    "surrogate": ("a: 1\nb: \ud800", "UH101", "x.yaml:2:4: byte 0xed is not UTF-8 text"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00", "UH101", "x.yaml:1:1: byte 0x89"),
    "NUL": ("a: b\x00", "UH107", "x.yaml:1:5: U+0000 (a control character) may not stand in a file"),
    "NUL escaped": ('a: "b\\0"', "UH107", "x.yaml:1:4: U+0000 (a control character)"),
    "terminal escape": ("a: \x1b[31m", "UH107", "x.yaml:1:4: U+001B (a control character)"),
    "bidi override": ("a: \u202eb", "UH107", "x.yaml:1:4: U+202E (right-to-left override) may not stand in a file"),
    "bidi escaped": ('a: "\\u202e"', "UH107", "U+202E (right-to-left override)"),
    "bidi isolate": ("a: \u2066b", "UH107", "U+2066 (left-to-right isolate)"),
    "zero width": ("a\u200b: 1", "UH107", "x.yaml:1:2: U+200B (zero width space)"),
    "line separator": ("a: b\u2028c: d", "UH107", "x.yaml:1:5: U+2028 (line separator)"),
    "next line": ("a: b\x85c: d", "UH107", "x.yaml:1:5: U+0085"),
    "second BOM": ("\ufeff\ufeffa: 1", "UH107", "x.yaml:1:1: U+FEFF"),
    "tag character": ("a: \U000e0041", "UH107", "U+E0041"),
    "200,000 digits": ("a: " + "9" * 200_000, "UH107", "x.yaml:1:4: a number of 200000 digits; at most 30 are read"),
    "31 digits": ("a: 0." + "1" * 30, "UH107", "a number of 31 digits; at most 30 are read"),
    "huge power": ("a: 1e999999999", "UH107", "x.yaml:1:4: a power of ten beyond 30 is not read"),
    "huge power of 400 digits": ("a: 1e" + "9" * 400, "UH107", "a power of ten beyond 30 is not read"),
    "tiny power": ("a: 1e-31", "UH107", "a power of ten beyond 30 is not read"),
    "table of commas": ("id_number,surname,phone\n1,Wang,555", "UH130", "only aggregate tables may enter"),
    "table of tabs": (
        "nr\tfirst name\tpoints\n1\tAnn\t3".replace("\t", ";"),
        "UH130",
        "'first name' belongs to a table",
    ),
    "list of persons": ("- {name: Ann, phone: 1}\n- {name: Bob, phone: 2}", "UH130", "'phone' belongs to a table"),
}


@pytest.mark.parametrize("name", NASTIES)
def test_a_nasty_file_is_refused_with_its_message(name: str) -> None:
    data, code, words = NASTIES[name]
    error = refusal(data)
    assert error.code == code, str(error)
    assert words in str(error).splitlines()[0]
    assert len(str(error)) < 3000


BODIES = {
    "impossible date": ("score: 2020-13-45\n", "UH112", "x.yaml:7:8: score: '2020-13-45' stands here; write a mapping"),
    "a time": ("reporting: {seen: {value: 12:30:00, per: act, basis: assumed}}\n", "UH112", "'12:30:00' is no number"),
    "octal": ("points: {a: {value: 0777, basis: assumed}}\n", "UH112", "'0777' is no number; write 777"),
    "hex": ("points: {a: {value: 0x10, basis: assumed}}\n", "UH112", "'0x10' is no number; write digits"),
    "no leading 0": (
        "fines: {a: {value: .5, basis: assumed}}\n",
        "UH112",
        "x.yaml:7:20: fines.a.value: '.5' is no number; write 0.5",
    ),
    "thousands": ('points: {a: {value: "1,000", basis: assumed}}\n', "UH112", "'1,000' is no number; write 1000"),
    "percent": ("reporting: {seen: {value: 5%, per: act, basis: assumed}}\n", "UH112", "'5%' is no number; write 0.05"),
    "quoted number": ("points: {a: {value: '5', basis: assumed}}\n", "UH112", "'5' is no number; write 5"),
    "NaN": (
        "fines: {a: {value: .nan, basis: assumed}}\n",
        "UH112",
        "'.nan' is no number; write a number that can be counted",
    ),
    "infinity": (
        "fines: {a: {value: -.inf, basis: assumed}}\n",
        "UH112",
        "'-.inf' is no number; write a number that can",
    ),
    "true as number": ("points: {a: {value: true, basis: assumed}}\n", "UH112", "true is no number"),
    "list as number": ("points: {a: {value: [1], basis: assumed}}\n", "UH112", "a list is no number"),
    "nothing as number": ("points: {a: {value: , basis: assumed}}\n", "UH112", "nothing is no number"),
    "half a point": ("points: {a: {value: 2.5, basis: assumed}}\n", "UH112", "2.5 is no whole number; write 2 or 3"),
    "long half": (f"points: {{a: {{value: {'9' * 29}.5, basis: assumed}}}}\n", "UH112", "is no whole number"),
    "negative chance": (
        "reporting: {seen: {value: -1, per: act, basis: assumed}}\n",
        "UH113",
        "-1 is no chance; write a number within 0 .. 1",
    ),
    "chance of 20": (
        "reporting: {seen: {value: 20, per: act, basis: assumed}}\n",
        "UH113",
        "(0.2 if percent are meant)",
    ),
    "negative fine": ("fines: {a: {value: -1, basis: assumed}}\n", "UH113", "fines.a: -1 is below 0; write 0 or more"),
    "negative rate": ("remedies: {correction: {value: -2, per: year, basis: assumed}}\n", "UH113", "-2 is no rate"),
    "negative count": (
        "cameras: {number: {value: -2, basis: assumed}, half_view: {value: 1, basis: assumed}}\n",
        "UH113",
        "-2 is no count",
    ),
    "points beyond": (
        "points: {a: {value: 1e20, basis: assumed}}\n",
        "UH113",
        "100000000000000000000 points are beyond any scale",
    ),
    "no unit": (
        "remedies: {expiry: {value: 2, basis: assumed}}\n",
        "UH114",
        "remedies.expiry.value: 2 has no unit; write `2 days`",
    ),
    "odd unit": ("remedies: {expiry: {value: 2 moons, basis: assumed}}\n", "UH114", "'2 moons' is no length of time"),
    "eternity": ("remedies: {expiry: {value: 999999999 years, basis: assumed}}\n", "UH113", "longer than 1000 years"),
    "unknown occasion": ("reporting: {seen: {value: 1, per: aect, basis: assumed}}\n", "UH114", "did you mean 'act'?"),
    "rate per second": (
        "remedies: {correction: {value: 2, per: second, basis: assumed}}\n",
        "UH114",
        "no rate is per 'second'; write one of day, week, month or year",
    ),
    "missing per": (
        "reporting: {seen: {value: 1, basis: assumed}}\n",
        "UH114",
        "the unit is missing; write `per:`, as in {value: 0.5, per: act",
    ),
    "missing basis": ("points: {a: {value: 5}}\n", "UH115", "the number does not say what it rests on"),
    "plain points": (
        "points: {a: 5}\n",
        "UH115",
        "5 does not say where it comes from; write {value: 5, source: ..., basis: text}",
    ),
    "plain length": ("remedies: {expiry: 2 years}\n", "UH115", "write {value: 2 years, source: ..., basis: text}"),
    "plain chance": (
        "reporting: {seen: 0.5 per act}\n",
        "UH115",
        "write {value: 0.5, per: act, source: ..., basis: text}",
    ),
    "odd basis": (
        "points: {a: {value: 5, basis: guess}}\n",
        "UH112",
        "'guess' stands here; write one of text, table, figure, recalled or assumed",
    ),
    "text without source": ("points: {a: {value: 5, basis: text}}\n", "UH115", "points.a: basis `text` needs a source"),
    "unknown source": (
        "sources: {smith: {title: T}}\npoints: {a: {value: 5, basis: text, source: smit}}\n",
        "UH116",
        "x.yaml:8:45: points.a.source: 'smit' does not stand under `sources`; did you mean 'smith'?",
    ),
    "no sources": (
        "points: {a: {value: 5, basis: text, source: smith}}\n",
        "UH116",
        "write `sources:` with its title first",
    ),
    "script as address": (
        "sources: {a: {title: T, address: 'javascript:alert(1)'}}\n",
        "UH112",
        "is no address of a page",
    ),
    "number as text": ("sources: {a: {title: 1984}}\n", "UH112", 'put it in quotes: "1984"'),
    "year as text": ("sources: {a: {title: T, year: '1984'}}\n", "UH112", "'1984' stands here; write a whole number"),
    "yes": (
        "context_wall: yes\n",
        "UH112",
        "x.yaml:7:15: context_wall: 'yes' stands here, and true or false is wanted",
    ),
    "True": ("context_wall: True\n", "UH112", "true or false is wanted"),
    "missing keys": (
        "score: {}\n",
        "UH111",
        "x.yaml:7:1: score.start: the key 'start' is missing; write `start: {value: 10",
    ),
    "unknown key": ("tears: []\n", "UH110", "x.yaml:7:1: tears: there is no key 'tears' here; did you mean 'tiers'?"),
    "key with underscore": ("context-wall: true\n", "UH110", "did you mean 'context_wall'?"),
    "alias named": ("tiers: [{name: A, form: {value: 1, basis: assumed}}]\n", "UH110", "did you mean 'from'?"),
    "unknown level": (
        "registers: {missed_link_ratio: {sex: {mael: {value: 1, basis: assumed}}}}\n",
        "UH111",
        "registers.scope",
    ),
    "bad name": (
        "points: {Late Payment: {value: 1, basis: assumed}}\n",
        "UH112",
        "'Late Payment' is no name; write small letters",
    ),
    "nothing where a mapping must be": (
        "remedies:\n",
        "UH112",
        "nothing stands here; write a mapping with the keys notice",
    ),
    "one message for a union": (
        "treatment: {rail: {tiers: {D: refused}}}\n",
        "UH112",
        "perk, first, last or refuse, or a mapping with the key refuse is wanted; did you mean 'refuse'?",
    ),
    "a list for a union": (
        "treatment: {rail: {tiers: {D: [x]}}}\n",
        "UH112",
        "a list stands here; write one of normal",
    ),
    "inside a union": (
        "treatment: {rail: {tiers: {D: {refuse: 0.5}}}}\n",
        "UH115",
        "treatment.rail.tiers.D.refuse: 0.5 does not say where it comes from; write {value: 0.5, per: use",
    ),
    "a check": (
        "score: {cite: {basis: assumed}, start: {value: 9}, floor: {value: 0}, cap: {value: 5}}\n",
        "UH120",
        "score.start: the start of 9 is outside 0 .. 5",
    ),
    "cite as a word": (
        "cite: assumed\n",
        "UH112",
        "x.yaml:7:7: cite: found 'assumed'; write `cite: {source: ..., basis: text}`",
    ),
    "cite misspelt": ("cite: {sauce: x}\n", "UH110", "`cite` has no key 'sauce'; did you mean 'source'?"),
    "cite of unknown source": (
        "cite: {source: x, basis: text}\npoints: {a: {value: 1}, b: {value: 2}}\n",
        "UH116",
        "x.yaml:7:16: points.a.source: 'x' does not stand under `sources`",
    ),
    "persons": (
        "citizens: [{name: Ann}]\n",
        "UH130",
        "x.yaml:7:1: citizens: 'citizens' belongs to a table about persons; only aggregate tables may enter, because",
    ),
    "rows": ("rows: [{name: Ann, id-card: 1}]\n", "UH130", "'id-card' belongs to a table about persons"),
    "faces": (
        "cameras: {half_view: {value: 1, basis: assumed}, face: a.jpg}\n",
        "UH130",
        "cameras.face: 'face' belongs",
    ),
    "phone in a tier": (
        "tiers: [{name: A, Phone Number: 1}]\n",
        "UH130",
        "tiers.A.Phone Number: 'Phone Number' belongs",
    ),
    "persons for points": ("points: [{name: Ann, passport: 3}]\n", "UH130", "points: 'passport' belongs to a table"),
    "persons in Chinese": ("名单: [{姓名: 王伟}]\n", "UH130", "'姓名' belongs to a table about persons"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_broken_regime_is_refused_with_its_message(name: str) -> None:
    body, code, words = BODIES[name]
    error = refusal(HEAD + body)
    assert error.code == code, str(error)
    assert words in str(error).splitlines()[0]


def test_a_union_and_a_shared_citation_give_one_message_each() -> None:
    for name in ("one message for a union", "a list for a union", "inside a union", "cite of unknown source"):
        findings = refusal(HEAD + BODIES[name][0]).findings
        assert len({finding.text for finding in findings}) == 1
    assert len(refusal(HEAD + BODIES["a list for a union"][0]).findings) == 1


def test_all_findings_come_at_once_in_the_order_of_the_file() -> None:
    error = refusal(HEAD + "points: {a: 1}\nfines: {b: 2}\nscore: 7\nscoer: 8\n")
    assert [finding.code for finding in error.findings] == ["UH115", "UH115", "UH112", "UH110"]
    assert [finding.where.line for finding in error.findings if finding.where] == [7, 8, 9, 10]
    assert "  7 | points: {a: 1}\n    |             ^" in str(error)


def test_more_than_twenty_findings_are_counted() -> None:
    error = refusal(HEAD + "points: {" + ", ".join(f"a{i}: 1" for i in range(50)) + "}\n")
    assert len(error.findings) == 21
    assert str(error).splitlines()[-1] == "and 30 more; mend these first [UH115]"


@pytest.mark.parametrize("row", ["a{}: 5", "a{}: {{v: 1}}", "a{}: {{value: x, basis: y}}"])
def test_a_large_file_that_is_all_wrong_is_refused_soon(row: str) -> None:
    body = "\n".join("  " + row.format(i) for i in range(40_000))[:200_000].rpartition("\n")[0]
    refusal(HEAD + "points:\n" + body)


def test_bom_crlf_and_free_text_of_any_language_are_read() -> None:
    text = "\ufeff" + (HEAD + "sources: {a: {title: 社会信用 — “quoted”, note: naïve\u00a0text 🙂}}\n").replace(
        "\n", "\r\n"
    )
    found = load(Regime, parse(text.encode(), "x.yaml"))
    assert found.sources["a"].title == "社会信用 — “quoted”"
    place = parse(text.encode(), "x.yaml").child("sources")
    assert place is not None and place.where(at_key=True).line == 7


def test_scalars_are_typed_by_our_patterns_only() -> None:
    read = {
        "true": True, "false": False, "True": "True", "yes": "yes", "no": "no", "on": "on", "null": None, "~": None,
        "": None, "'5'": "5", "5": 5, "-5": -5, "+5": 5, "1_000": 1000, "1_00": "1_00", "0777": "0777", "0o7": "0o7",
        "0x1F": "0x1F", "1e3": 1000, "1.50": Decimal("1.50"), "1e-8": Decimal("1e-8"), "1.5E+2": 150, ".5": ".5",
        "5.": "5.", ".nan": ".nan", "nan": "nan", ".inf": ".inf", "2020-13-45": "2020-13-45", "12:30": "12:30",
        "123456789012345678901234567890": 123456789012345678901234567890, "0": 0, "-0": 0, "=": "=", "1 000": "1 000",
    }  # fmt: skip
    for text, value in read.items():
        node = compose(f"a: {text}\n", "x").child("a")
        assert node is not None
        assert node.value == value and type(node.value) is type(value), text
    assert number_of("0.1") == Decimal("0.1") and number_of("abc") is None and number_of("9" * 999) is None


def test_files_that_cannot_be_opened_say_why(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    for path, words in (
        (tmp_path / "none.yaml", "there is no such file"),
        (tmp_path, "this is a folder"),
        (tmp_path / "pipe.yaml", "this is a device or a pipe"),
        (Path("/dev/zero"), "this is a device or a pipe"),
        ("a\x00b.yaml", "the file cannot be read"),
        ("n" * 5000 + ".yaml", "the file cannot be read"),
        ("\ud800.yaml", "there is no such file|cannot be read"),
    ):
        with pytest.raises(FileFormError, match=words) as caught:
            read_tree(path)
        assert caught.value.code == "UH101"
    (tmp_path / "large.yaml").write_bytes(b"#" * 300_000)
    with pytest.raises(FileFormError, match="more than 256 KiB"):
        read_tree(tmp_path / "large.yaml")


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-[]{},'\"|>&*!%#?\n\t 0.1e_~<é"), max_size=60) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for data in (text, HEAD + text, HEAD + "points: {a: " + text):
        try:
            load(Regime, parse(data.encode("utf-8", "surrogatepass"), "x.yaml"))
        except FileFormError as error:
            assert all(finding.where is None or finding.where.file == "x.yaml" for finding in error.findings)
            assert str(error)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        parse(data, "x.yaml")
    except FileFormError as error:
        assert error.findings[0].where is not None


# Quantities -----------------------------------------------------------------------------------------------


class Example(Document):
    """A model with one quantity of each kind."""

    title: str = ""
    sources: dict[str, Source] = {}  # noqa: RUF012
    points: Points | None = None
    count: Count | None = None
    factor: Factor | None = None
    number: Number | None = None
    chance: Prob | None = None
    rate: Rate | None = None
    length: Duration | None = None
    levels: Levels | None = None
    shares: Shares | None = None


def example(text: str) -> Example:
    """Read a text in which every number is assumed."""
    return load(Example, compose("cite: {basis: assumed}\n" + text, "x.yaml"))


def test_quantities_are_exact() -> None:
    found = example(
        "factor: {value: 0.1}\nnumber: {value: -1.67e-8}\nchance: {value: 0.3, per: use}\n"
        "rate: {value: 2, per: year}\nlength: {value: 2 years}\ncount: {value: 1_411_778_724}\npoints: {value: -20}\n"
    )
    assert found.factor is not None and found.factor.exact == Fraction(1, 10)
    assert found.number is not None and found.number.exact == Fraction(-167, 10**10)
    assert found.chance is not None and (found.chance.exact, found.chance.per) == (Fraction(3, 10), "use")
    assert found.rate is not None and found.rate.per_day == Fraction(2, 365)
    assert found.length is not None and (found.length.days, found.length.value) == (730, "2 years")
    assert found.count is not None and found.count.value == 1_411_778_724
    assert found.points is not None and found.points.value == -20


@pytest.mark.parametrize(("text", "days"), [("1 day", 1), ("3 weeks", 21), ("6 months", 180), ("0 days", 0)])
def test_lengths_of_time(text: str, days: int) -> None:
    found = example(f"length: {{value: {text}}}").length
    assert found is not None and found.days == days


@pytest.mark.parametrize(("per", "days"), [("day", 1), ("week", 7), ("month", 30), ("year", 365)])
def test_rates_of_any_unit_of_time(per: str, days: int) -> None:
    found = example(f"rate: {{value: 3, per: {per}}}").rate
    assert found is not None and found.per_day == Fraction(3, days)


def test_shares_add_up_to_one_exactly() -> None:
    found = example("shares: {values: {a: 0.333, b: 0.333, c: 0.3335}}").shares
    assert found is not None and sum(found.exact.values()) == 1
    assert found.exact["a"] == Fraction(3330, 9995)
    error = refusal("shares: {values: {a: 0.3, b: 0.3}, basis: assumed}", Example)
    assert "shares.values: the shares add up to 0.6; write shares that add up to 1 [UH113]" in str(error)


def test_levels_are_factors_by_name() -> None:
    found = example("levels: {values: {18-29: 0.5, 65+: 2, no: 1}}").levels
    assert found is not None and found.exact == {"18-29": Fraction(1, 2), "65+": Fraction(2), "no": Fraction(1)}
    error = refusal("levels: {values: {a: x, b: -2}, basis: assumed}", Example)
    assert "levels.values.a: 'x' is no number" in str(error)


def test_python_may_make_quantities_too() -> None:
    assert Prob(value=0.1, per="use", basis="assumed").exact == Fraction(1, 10)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="no number"):
        Prob(value=float("nan"), per="use", basis="assumed")  # type: ignore[arg-type]


def test_models_come_back_from_json_unchanged() -> None:
    found = example(
        "factor: {value: 0.1}\nnumber: {value: 123456789.012345678901234567}\nchance: {value: 1e-8, per: use}\n"
        "length: {value: 2 years}\nshares: {values: {a: 0.25, b: 0.75}}\n"
    )
    for again in (
        Example.model_validate_json(found.model_dump_json()),
        Example.model_validate(json.loads(json.dumps(found.model_dump(mode="json")))),
    ):
        assert again == found
        assert identity_hash(again) == identity_hash(found)
        assert again.where("factor") is None


# Citations ------------------------------------------------------------------------------------------------


def test_the_nearest_citation_wins_key_by_key() -> None:
    class Inner(Section):
        chance: Prob

    class Outer(Document):
        sources: dict[str, Source]
        inner: dict[str, Inner]
        points: Points

    text = """
        sources: {s: {title: S}, t: {title: T}}
        cite: {source: s, basis: text, note: from the root}
        inner:
          cite: {source: t}
          a: {chance: {value: 1, per: use}}
          b: {cite: {note: mine}, chance: {value: 1, per: use, basis: table}}
        points: {value: 1}
    """
    tree = compose(text, "x.yaml")
    found = load(Outer, tree)
    told = [(c.path, c.source, c.basis, c.note) for c in cited(found)]
    assert told == [
        ("inner.a.chance", "t", "text", "from the root"),
        ("inner.b.chance", "t", "table", "mine"),
        ("points", "s", "text", "from the root"),
    ]
    assert resolve(resolve(tree)).plain() == resolve(tree).plain()


def test_cited_names_numbers_as_they_were_written() -> None:
    found = example("chance: {value: 1.670e-8, per: use}\nlength: {value: 2 years}\nlevels: {values: {a: 0.5, b: 2}}")
    assert [(c.path, c.text, c.per) for c in cited(found)] == [
        ("chance", "1.670e-8", "use"),
        ("length", "2 years", None),
        ("levels", "a 0.5, b 2", None),
    ]


def test_the_identity_is_what_can_move_a_result() -> None:
    base = "chance: {value: 0.5, per: use}\nlength: {value: 2 years}\nlevels: {values: {a: 1, b: 2}}"
    same = [
        "title: Another\n" + base,
        "sources: {s: {title: S}}\nlength: {value: 730 days, note: n}\nchance: {value: 0.50, per: use, source: s}\n"
        "levels: {values: {b: 2.0, a: 1}}",
    ]
    other = [
        base.replace("0.5", "0.51"),
        base.replace("2 years", "3 years"),
        base.replace("b: 2", "b: 3"),
        "rate: null",
    ]
    assert len({identity_hash(example(text)) for text in [base, *same]}) == 1
    assert len({identity_hash(example(text)) for text in [base, *other]}) == 5


TIERED = """tiers: [{name: A, from: {value: 3, basis: assumed}}, {name: B}]
score:
  cite: {basis: assumed}
  start: {value: 5}
  floor: {value: 0}
  cap: {value: 9}
"""


def test_a_document_knows_its_places() -> None:
    found = load(Regime, parse((HEAD + TIERED).encode(), "x.yaml"))
    for path in ("tiers.1", "tiers.B"):
        place = found.where(path)
        assert place is not None and (place.file, place.line, place.column) == ("x.yaml", 7, 54)
    assert found.where("nowhere.at.all") is None
    assert found == load(Regime, parse((HEAD + TIERED).encode(), "y.yaml"))


def test_names_that_were_perhaps_meant() -> None:
    assert did_you_mean("jaywalkin", ["jaywalking", "charity"]) == "jaywalking"
    assert did_you_mean("Fly_Ing", ["fly-ing"]) == "fly-ing"
    assert did_you_mean("xyz", ["jaywalking"]) is None
    assert did_you_mean("x" * 10_000, ["jaywalking"]) is None
    assert did_you_mean("a", []) is None


# Merged files ---------------------------------------------------------------------------------------------


def test_merged_files_keep_their_own_places() -> None:
    under = compose(
        "points: {value: 1, basis: table, source: s, note: old}\nfactor: {value: 2, basis: assumed}", "under"
    )
    over = compose("title: T\npoints: {value: 3, basis: assumed}\nchance: {value: 7, per: use, basis: assumed}", "over")
    tree = merged(under, over)
    assert tree.plain()["points"] == {"value": 3, "basis": "assumed"}  # a number is replaced with its citation
    with pytest.raises(FileFormError) as caught:
        load(Example, merged(tree, compose("factor: {value: -1, basis: assumed}", "third")))
    assert {f.where.file for f in caught.value.findings if f.where} == {"over", "third"}
    assert "factor" not in merged(under, compose("factor: null", "over")).mapping


# --set ----------------------------------------------------------------------------------------------------


def under_set(*texts: str, model: type[Example] = Example) -> Example:
    """Read a small file with overrides."""
    text = (
        "sources: {s: {title: S}}\ncite: {source: s, basis: text, note: n}\npoints: {value: 1}\n"
        "chance: {value: 0.5, per: use}\nlevels: {values: {a: 1, b: 2}}\n"
    )
    return load(model, override(resolve(compose(text, "x.yaml")), texts, model))


def test_set_replaces_a_number_and_says_so() -> None:
    points = under_set("points=-10").points
    assert points is not None
    assert (points.value, points.basis, points.source, points.note) == (-10, "assumed", None, "set on the command line")
    assert under_set("points.value=7").points == Points(value=7, basis="assumed", note="set on the command line")
    chance = under_set("chance=0.25").chance
    assert chance is not None and (chance.exact, chance.per) == (Fraction(1, 4), "use")


def test_set_gives_a_new_number_with_its_unit() -> None:
    rate = under_set("rate=2 per year").rate
    assert rate is not None and rate.per_day == Fraction(2, 365) and rate.basis == "assumed"
    length = under_set("length = 2 years").length
    assert length is not None and length.days == 730
    number = under_set("number=1e-3").number
    assert number is not None and number.exact == Fraction(1, 1000)


def test_set_takes_places_out_and_small_mappings_in() -> None:
    assert under_set("points=null").points is None
    assert under_set("rate=null") == under_set()
    found = under_set("shares={values: {x: 0.5, y: 0.5}}", "levels.a=9", "title=Other")
    assert found.shares is not None and found.shares.basis == "assumed"
    assert found.levels is not None and found.levels.basis == "assumed" and found.levels.source is None
    assert found.levels.exact == {"a": 9, "b": 2}


def test_set_of_a_note_leaves_the_number_and_its_source() -> None:
    found = under_set("levels.note=mine", "points.source=null", "points.basis=recalled")
    assert found.levels is not None and (found.levels.note, found.levels.source) == ("mine", "s")
    assert found.points is not None and (found.points.source, found.points.basis) == (None, "recalled")


def test_set_names_what_is_wrong() -> None:
    for text, code, words in (
        ("pionts=1", "UH131", "--set pionts: 'pionts' is no place in the file; did you mean 'points'?"),
        ("points.valu=1", "UH131", "'valu' is no place in points; did you mean 'value'?"),
        ("points.value.more=1", "UH131", "'more' is no place in points.value; nothing can stand below it"),
        ("rate=2", "UH131", 'the unit must be said; write rate="0.5 per day"'),
        ("shares=2", "UH131", "a table of numbers stands at this place; write {values:"),
        ("points", "UH131", "this is no `path=value`; write it as `points.jaywalking=-10`"),
        ("=5", "UH131", "this is no `path=value`"),
        ("a..b=5", "UH131", "this is no `path=value`"),
        ("points=", "UH131", "no value stands after `points=`; write one, or `null`"),
        ("points=often", "UH112", "--set points.value: 'often' is no number"),
        ("chance=7", "UH113", "--set chance.value: 7 is no chance"),
        ("chance=0.5 per day", "UH114", "--set chance.per: no chance is per 'day'"),
        ("chance={value: 1, pre: use}", "UH114", "--set chance.per: the unit is missing"),
        ("points=[", "UH104", "--set points: this is not YAML"),
        ("points=*x", "UH103", "--set points: the alias *x"),
        ("points=" + "[" * 100, "UH102", "more than 32 levels deep"),
        ("points=\u202e5", "UH107", "--set points: U+202E"),
        ("points=\ud800", "UH107", "U+D800"),
        ("points={value: 1, source: t}", "UH116", "--set points.source: 't' does not stand under `sources`"),
        ("phone=5", "UH131", "'phone' is no place in the file"),
    ):
        with pytest.raises(FileFormError) as caught:
            under_set(text)
        assert caught.value.code == code, str(caught.value)
        assert words in str(caught.value).splitlines()[0], str(caught.value)
    with pytest.raises(FileFormError, match="--set x: 'x' is no place"):
        under_set("points=1", "x=2")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_any_set_is_applied_or_refused(path: str, value: str) -> None:
    for text in (path + "=" + value, "points=" + value, "levels." + path + "=" + value, path):
        try:
            under_set(text)
        except FileFormError as error:
            assert str(error)


def test_nodes_walk_over_all_that_is_below() -> None:
    tree: Node = compose("a: [1, {b: 2}]", "x")
    assert [node.value for node in tree.walk() if node.is_scalar] == [1, 2]
