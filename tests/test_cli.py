"""The command line: what is printed, where, and with which exit code."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import underheaven
from underheaven.cli import COMMANDS, numbers, progress
from underheaven.errors import CommandError

Cli = Callable[..., Any]
HEAVY = ("numba", "numpy", "pyarrow", "pandas", "altair", "pydantic", "yaml", "cyclopts", "rich")


def flat(text: str) -> str:
    """Return a message without the line breaks that fit it to the terminal."""
    return " ".join(text.split())


# The first page


def test_help_is_quick() -> None:
    """Under 0.3 s, the best of five: the machine may be busy."""
    best = 9.0
    for _ in range(5):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "underheaven", "--help"], capture_output=True, check=True)
        best = min(best, time.perf_counter() - begun)
    assert best < 0.3


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"]])
def test_the_first_page_imports_nothing_heavy(arguments: list[str]) -> None:
    """Neither do `import underheaven` and its errors."""
    code = (
        "import sys, underheaven\nfrom underheaven import errors\nfrom underheaven.cli import main\n"
        f"assert main({arguments}) == 0\nprint('HEAVY', [m for m in {HEAVY} if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.endswith("HEAVY []\n")


def test_the_first_page_names_every_command(cli: Cli) -> None:
    """The page is written by hand, so it is compared with the commands that there are."""
    from underheaven.cli.commands import app

    assert [name for name in app if not name.startswith("-")] == list(COMMANDS)
    for given in ("--help", "-h", "help", "--help --json", "--json --help", "help --json"):
        found = cli(*given.split())
        assert (found.code, found.err) == (0, "")
        assert max(map(len, found.out.splitlines())) <= 80
        assert re.findall(r"^  ([a-z]+)  ", found.out, re.MULTILINE) == list(COMMANDS)


def test_without_arguments_there_are_three_examples(cli: Cli) -> None:
    """And each of them begins with a command that there is."""
    found = cli()
    examples = re.findall(r"^  underheaven (\w+)", found.out, re.MULTILINE)
    assert max(map(len, found.out.splitlines())) <= 80
    assert found.code == 0
    assert len(examples) == 3
    assert set(examples) <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(cli: Cli, command: str) -> None:
    """`COMMAND --help` and `help COMMAND` are the same page."""
    first, second = cli(command, "--help"), cli("help", command)
    assert (first.code, first.out) == (second.code, second.out)
    assert first.code == 0
    assert f"Usage: underheaven {command}" in first.out
    assert "--no-json" not in first.out


def test_version(cli: Cli) -> None:
    """One version, in one word."""
    assert cli("--version").out == cli("--version", "--json").out == f"{underheaven.__version__}\n"


# Mistakes


@pytest.mark.parametrize(
    ("line", "code", "text"),
    [
        ("rnu press-2018", "UH801", "no command 'rnu'; did you mean run?"),
        ("frobnicate", "UH801", "write one of run, compare, "),
        ("--fast run none", "UH801", "a command comes first"),
        ("run none --peopel 3", "UH801", "run has no option --peopel; did you mean --people?"),
        ("run none --thread=3", "UH801", "did you mean --threads?"),
        ("run none -x", "UH801", "write one of --world, --people"),
        ("run none --zzz", "UH801", "write one of --world, --people"),
        ("-v", "UH801", "did you mean --version?"),
        ("-V", "UH801", "did you mean --version?"),
        ("version", "UH801", "did you mean --version?"),
        ("run", "UH803", "run needs REGIME"),
        ("run none --resume=maybe", "UH803", "--resume is 'maybe', but takes no value; write it alone"),
        ("run none town", "UH803", "does not know what 'town' is for"),
        ("run none --people", "UH803", "--people needs a value; write --people N"),
        ("run none --seed 1 --seed 2", "UH803", "--seed stands twice"),
        ("run none --people 1.7", "UH803", "no whole number; write 2"),
        ("run none --people -5", "UH802", "--people is -5; write a number within 1 to 4000000000"),
        ("run none --people 5G", "UH802", "--people is 5000000000; write a number within 1 to"),
        ("run none --people 10,000", "UH803", "--people is '10,000', with commas; write 10000"),
        ("run none --people 1e4", "UH803", "--people is '1e4', with an exponent; write 10000"),
        ("run none --people +5", "UH803", "--people is '+5', with a sign; write 5"),
        ("run none --days 1e20", "UH802", "--days is 1e20; write a number within 1 to 36500"),
        ("run none --days 101 years", "UH803", "does not know what 'years' is for"),
        ("run none --days=101years", "UH802", "--days is 36865; write a number within 1 to 36500"),
        ("run none --days -3", "UH802", "--days is -3; write a number within 1 to 36500"),
        ("run none --seed -1", "UH802", "--seed is -1; write a number within 0 to 2**63 - 1"),
        ("run none --people many", "UH803", "740k"),
        ("run none --seed 9999999999999999999", "UH802", "2**63 - 1"),
        ("run none --days tomorrow", "UH803", "1 year"),
        ("run none --threads 1.5", "UH803", "--threads is '1.5'"),
        ("list wrolds", "UH803", "did you mean worlds?"),
        ("cite none --format jason", "UH803", "--format is 'jason'; did you mean json?"),
        ("report nowhere", "UH702", "no such folder"),
    ],
)
def test_mistakes_are_told_with_their_mend(cli: Cli, line: str, code: str, text: str) -> None:
    """Cause and mend on stderr and nothing before it, nothing on stdout, no traceback, exit 2."""
    found = cli(*line.split())
    assert found.code == 2
    assert "Traceback" not in found.err
    assert found.err.startswith("error: ")
    assert text in flat(found.err)
    assert "nvalid" not in found.err  # a word of cyclopts
    assert f"[{code}]" in found.err
    assert found.out == ""


def test_mistakes_as_json(cli: Cli) -> None:
    """With --json the error is an object on stdout."""
    found = cli("run", "none", "--people", "1.7", "--json")
    assert found.code == 2
    assert found.json["error"] == "CommandError"
    assert found.json["findings"][0]["code"] == "UH803"
    assert found.err == ""


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["run", "pres-2018"], "press-2018"),
        (["run", "none", "--world", "twon"], "town"),
        (["show", "rongcheng-2061"], "rongcheng-2016"),
        (["cite", "rongcheng-2061"], "rongcheng-2016"),
        (["run", "./nowhere.yaml"], "nowhere.yaml"),
        (["show", "./nowhere.yaml"], "nowhere.yaml"),
        (["run", "press-2018", "--set", "recognition.galery=county"], "gallery"),
        (["run", "none", "--world", "town", "--days", "40000"], "36500"),
        (["run", "none", "--world", "town", "--days", "0"], "36500"),
        (["run", "none", "--world", "town", "--threads", "0"], "1024"),
        (["run", "none", "--world", "town", "--people", "0"], "people"),
    ],
)
def test_wrong_names_and_numbers(cli: Cli, tmp_path: Path, arguments: list[str], text: str) -> None:
    """Names of the catalogue, files, places and ranges: exit 2 and what was perhaps meant."""
    more = ["--out", tmp_path / "r"] if arguments[0] == "run" else []
    found = cli(*arguments, *more)
    assert found.code == 2
    assert found.err.startswith("error: ")
    assert text in flat(found.err)
    assert "Traceback" not in found.err
    assert found.out == ""
    assert list(tmp_path.iterdir()) == []


def test_the_ranges_are_those_of_the_engine() -> None:
    """The command line refuses early what the engine would refuse."""
    from underheaven.engine.run import simulate
    from underheaven.world.schema import MAX_PEOPLE

    assert numbers.RANGES["--people"] == (1, MAX_PEOPLE)
    regime, world = underheaven.load_regime("none"), underheaven.load_world("town")
    for option in ("days", "seed", "threads"):
        least, most = numbers.RANGES[f"--{option}"]
        for value in (least - 1, most + 1):
            with pytest.raises(CommandError) as error:
                simulate(regime, world, **{option: value})
            assert error.value.code == "UH802"
            with pytest.raises(CommandError, match=re.escape(str(error.value).partition("; ")[2])):
                (numbers.days if option == "days" else numbers.count)(str(value), f"--{option}")


@pytest.mark.parametrize(
    ("changes", "place", "text"),
    [
        (["tiers.A.from=5"], "--set tiers.A.from:", "tiers.B.from in"),
        (["score.floor=2000", "recognition.gallery=county"], "--set score.floor:", "score.cap in"),
        (["score.start=null"], "--set score.start:", "is missing"),
        (["world.acts.jaywalking=null"], "--set world.acts.jaywalking:", "no act 'jaywalking'"),
        (["points.jaywalking=1", "world.exchange_days=x"], "--set world.exchange_days:", "'x' stands here"),
        (["exchange_days=3"], "--set exchange_days:", "world file: write --set world.exchange_days=..."),
        (["world.recognition.gallery=x"], "--set world.rec", "regime file: write --set recognition.gallery=..."),
    ],
)
def test_a_change_that_is_at_fault_is_pointed_at(cli: Cli, changes: list[str], place: str, text: str) -> None:
    """Not the line of the file that no longer fits; the text is quoted as it was written."""
    given = [word for change in changes for word in ("--set", change)]
    found = cli("run", "press-2018", "--world", "town", *given)
    assert found.code == 2
    assert found.err.startswith(f"error: {place}")
    assert text in flat(found.err)
    at_fault = next(change for change in changes if place[len("--set ") : -1] in change)
    assert f"\n  | {at_fault}\n" in found.err


def test_a_fault_of_the_file_stays_one(cli: Cli, tmp_path: Path) -> None:
    """A change that has nothing to do with it is not blamed."""
    (tmp_path / "mine.yaml").write_text("format: underheaven-regime/1\nregime: mine\nkind: fact\n")
    found = cli("run", tmp_path / "mine.yaml", "--world", "town", "--set", "title=Mine")
    assert found.code == 2
    assert "mine.yaml:3:7: kind" in flat(found.err)
    assert "title" not in found.err


def test_errors_fit_the_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """80 columns where nobody says otherwise; text and excerpt are cut to them; JSON is one line."""
    change = ("run", "press-2018", "--world", "town", "--set", "summary={" + "x: 1, " * 40 + "}")
    for asked, width in ((None, 80), ("60", 60), ("1", 40)):
        monkeypatch.delenv("COLUMNS", raising=False)
        if asked is not None:
            monkeypatch.setenv("COLUMNS", asked)
        lines = cli(*change).err.splitlines()
        assert len(lines) > 2
        assert max(map(len, lines)) <= width
        assert lines[-2][lines[-1].index("^")] == "x"
    assert len(cli(*change, "--json").out.splitlines()) == 1


def test_a_dumb_terminal_gets_no_colour(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """TERM=dumb and NO_COLOR are heeded."""
    from underheaven.cli import main

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for term, is_coloured in (("xterm", True), ("dumb", False)):
        monkeypatch.setenv("TERM", term)
        main(["rnu"])
        assert ("\x1b" in capsys.readouterr().err) == is_coloured


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["run", "town"], "it is a world: write --world town"),
        (["run", "press-2018", "--world", "none"], "it is a regime: write it first"),
        (["run", "mine"], "there is a file of that name here: write ./mine.yaml"),
        (["run", "bare"], "there is a file of that name here: write ./bare"),
        (["show", "mine"], "there is a file of that name here: write ./mine.yaml"),
    ],
)
def test_a_name_that_is_something_else(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], text: str
) -> None:
    """UH122 says what the name is."""
    monkeypatch.chdir(tmp_path)
    for name in ("mine.yaml", "bare"):
        (tmp_path / name).write_text("")
    found = cli(*arguments)
    assert found.code == 2
    assert text in flat(found.err)
    assert "; There" not in flat(cli("run", "xyz").err)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: underheaven.run(5), "regime is 5; write a name"),  # type: ignore[arg-type]
        (lambda: underheaven.run("none", 5), "world is 5; write a name"),  # type: ignore[arg-type]
        (lambda: underheaven.run("none", people="many"), "people is 'many'; write a whole number"),  # type: ignore
        (lambda: underheaven.run("none", people=1.5), "people is 1.5; write a whole number"),  # type: ignore[arg-type]
        (lambda: underheaven.run("none", days=None), "days is None; write a whole number"),  # type: ignore[arg-type]
        (lambda: underheaven.run("none", seed=True), "seed is True; write a whole number"),
        (lambda: underheaven.run("none", set=5), "set is 5; write a list"),  # type: ignore[arg-type]
        (lambda: underheaven.run("none", set=[5]), r"set is \[5\]; write a list"),  # type: ignore[list-item]
        (lambda: underheaven.load_regime(5), "5 is no name under regimes"),  # type: ignore[arg-type]
        (lambda: underheaven.load_world(None), "None is no name under worlds"),  # type: ignore[arg-type]
        (lambda: underheaven.open_run(5), "the run is 5; write the path"),  # type: ignore[arg-type]
    ],
)
def test_wrong_types_in_python(call: Callable[[], object], text: str) -> None:
    """A sentence, not an error of a library."""
    with pytest.raises(CommandError, match=text):
        call()


def test_a_reader_who_has_enough_is_no_fault() -> None:
    """`underheaven cite ... | head -1` ends quietly."""
    line = f"{sys.executable} -m underheaven cite press-2018 | head -1"
    found = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, check=False)
    assert found.stderr == ""
    assert len(found.stdout.splitlines()) == 1


# Numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("740000", 740_000),
        ("740_000", 740_000),
        ("740k", 740_000),
        ("740K", 740_000),
        ("10M", 10_000_000),
        ("1.41G", 1_410_000_000),
        ("1.41 B", 1_410_000_000),
        ("0.5k", 500),
        (" 7 ", 7),
        ("9223372036854775807", (1 << 63) - 1),
    ],
)
def test_counts(text: str, value: int) -> None:
    """Exact: no float lies on the way."""
    assert numbers.count(text, "--seed") == value


@pytest.mark.parametrize(
    "text", ["1.7", "0.0001k", "", "k", "+1", "1e6", "1e-6", "1.2.3e4", "1,000", "1,00", "1__0", "_1", "٣", "0x10", "∞"]
)
def test_what_is_no_count(text: str) -> None:
    """Refused with an example of what to write."""
    with pytest.raises(CommandError, match=r"--seed is .*write") as error:
        numbers.count(text, "--seed")
    assert error.value.code == "UH803"


@pytest.mark.parametrize("text", ["9223372036854775808", "10000000000G", "9" * 5000])
def test_counts_that_are_too_large(text: str) -> None:
    """Refused before anything is computed with them."""
    with pytest.raises(CommandError) as error:
        numbers.count(text, "--seed")
    assert error.value.code == "UH802"
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90), ("1 year", 365), ("2years", 730), ("12 weeks", 84), ("6 months", 180), ("1_000", 1000), ("1 day", 1)],
)
def test_days(text: str, value: int) -> None:
    """The units of the files: week 7, month 30, year 365."""
    assert numbers.days(text, "--days") == value


@pytest.mark.parametrize("text", ["", "1.5 years", "1 fortnight", "year"])
def test_what_are_no_days(text: str) -> None:
    """Refused with an example."""
    with pytest.raises(CommandError, match="1 year"):
        numbers.days(text, "--days")


def test_amounts_and_durations_for_people() -> None:
    """Three digits are enough."""
    assert [progress.amount(n) for n in (0, 7, 999, 1234, 2.6e8, 1.41e9)] == ["0", "7", "999", "1.23k", "260M", "1.41G"]
    assert [progress.duration(s) for s in (0.4, 59.4, 60, 3700)] == ["0 s", "59 s", "1 min 0 s", "1 h 1 min"]


def test_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A line every ten seconds; the first window, which may compile, does not spoil the estimate."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.Narrator(False, "none in town") as narrator:
        assert capsys.readouterr().err == ""  # nothing before the run has begun
        for day, seconds in ((0, 0.0), (7, 50.0), (14, 51.0), (21, 52.0), (364, 101.0)):
            now[0] = 100.0 + seconds
            narrator(day, 364, day * 1000, seconds, "compiling" if day == 0 else "")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "none in town",
        "compiling",
        "day 7 of 364, measuring the speed",
        "day 364 of 364, 7k citizen-days/s, 0 s left",
    ]
    with progress.Narrator(is_quiet=True) as narrator:
        narrator(0, 7, 0, 0.0, "compiling")
        narrator.say("nothing")
    assert capsys.readouterr().err == ""


# The catalogue


def test_list(cli: Cli) -> None:
    """Every entry of the catalogue on a line of its own."""
    found = cli("list")
    assert (found.code, found.err) == (0, "")
    for name in (*underheaven.regimes(), *underheaven.worlds()):
        assert re.search(rf"^{name} ", found.out, re.MULTILINE)
    assert "town" not in cli("list", "regimes").out
    assert set(cli("list", "--json").json) == {"regimes", "reforms", "rollouts", "worlds"}
    entries = cli("list", "worlds", "--json").json["worlds"]
    assert [entry["name"] for entry in entries] == underheaven.worlds()
    assert all(Path(entry["file"]).stem == entry["name"] and Path(entry["file"]).is_file() for entry in entries)
    folders = [Path(line.removeprefix("files: ")) for line in found.out.splitlines() if line.startswith("files: ")]
    assert [folder.name for folder in folders] == ["regimes", "reforms", "rollouts", "worlds"]
    assert (folders[3] / "town.yaml").is_file()


@pytest.mark.parametrize("name", ["press-2018", "judgment-defaulters", "rongcheng-2016", "none", "town", "china"])
def test_show(cli: Cli, name: str) -> None:
    """A page with the title and how it is to be taken; the same as JSON."""
    found = cli("show", name)
    assert (found.code, found.err) == (0, "")
    as_json = cli("show", name, "--json").json
    assert found.out.startswith(as_json["title"][:40])
    assert as_json["kind"] in found.out
    assert f"underheaven cite {name}" in found.out


def test_show_says_what_is_done_to_whom(cli: Cli) -> None:
    """Points, lists, treatment and remedies stand on the page."""
    out = cli("show", "press-2018").out
    for part in (r"jaywalking +-\d+ points", r"travel-ban +for", r"flight +D: refuse", r"AAA +from", "Remedies"):
        assert re.search(part, out), part


def test_show_reads_files(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is told from a name, a world from a regime."""
    from underheaven import catalogue

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for kind, name in (("regimes", "none"), ("worlds", "town")):
        for file in ("mine.yaml", "bare"):
            (tmp_path / file).write_bytes(catalogue.path(kind, name).read_bytes())
        for given in (tmp_path / "mine.yaml", "~/mine.yaml", "bare"):
            assert cli("show", given).code == 0


def test_cite_without_numbers(cli: Cli) -> None:
    """A sentence, not the head of a table."""
    assert cli("cite", "none").out.strip() == "The regime none states no numbers, so there is nothing to cite."


@pytest.mark.parametrize("columns", ["80", "160"])
@pytest.mark.parametrize("name", ["press-2018", "judgment-defaulters", "rongcheng-2016", "town"])
def test_cite(cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str, columns: str) -> None:
    """Every number has a basis; every source that is named is listed; no name is folded."""
    monkeypatch.setenv("COLUMNS", columns)
    found = cli("cite", name)
    assert max(map(len, found.out.partition("\nSources")[0].splitlines())) <= int(columns)
    assert (found.code, found.err) == (0, "")
    as_json = cli("cite", name, "--json").json
    assert as_json == cli("cite", name, "--format", "json").json
    assert as_json["numbers"]
    for number in as_json["numbers"]:
        assert number["path"] in found.out
        assert number["basis"] in ("text", "table", "figure", "recalled", "assumed")
        assert number["source"] is None or number["source"] in as_json["sources"]
    for key in as_json["sources"]:
        assert f"  {key}: " in found.out


def test_cite_as_bibtex(cli: Cli) -> None:
    """One entry a source, with braces that match."""
    out = cli("cite", "press-2018", "--format", "bibtex").out
    sources = cli("cite", "press-2018", "--json").json["sources"]
    assert re.findall(r"^@misc\{(.*),$", out, re.MULTILINE) == list(sources)
    plain = re.sub(r"\\.", "", out)
    assert plain.count("{") == plain.count("}")


def test_no_color(cli: Cli) -> None:
    """What is not a terminal gets no escape codes."""
    assert "\x1b" not in cli("show", "press-2018").out + cli("run", "nothing").err


# Whole runs


SMALL = ("run", "press-2018", "--world", "town", "--people", "2000", "--days", "28", "--threads", "2", "--no-report")


@pytest.mark.integration
def test_run(cli: Cli, tmp_path: Path) -> None:
    """A run folder, a report, JSON on stdout and the story on stderr."""
    given = ("run", "press-2018", "--world", "town", "--days", "14", "--out", tmp_path / "r", "--json")
    found = cli(*given)
    assert found.code == 0, found.err
    assert found.json["manifest"]["days"] == 14
    assert found.json["findings"]
    assert Path(found.json["report"]).is_file()
    assert "wrongly sanctioned" in found.err
    stored = underheaven.open_run(tmp_path / "r")
    stored.verify()
    assert stored.manifest == found.json["manifest"]
    assert stored.regime == underheaven.load_regime("press-2018")
    assert stored.world == underheaven.load_world("town")

    again = cli(*given)
    assert again.code == 2
    assert "--overwrite" in again.json["findings"][0]["text"]
    assert cli("report", tmp_path / "r").out == f"{found.json['report']}\n"


@pytest.mark.integration
def test_the_home_folder_and_a_disk_that_refuses(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the home folder where the shell has left it; a mend fits its cause; exit 1 for a disk."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cli(*SMALL, "--out=~/r", "--quiet").code == 0
    assert (tmp_path / "r" / "manifest.json").is_file()
    assert cli("report", "~/r").out == f"{tmp_path / 'r' / 'report.html'}\n"
    for number, mend in ((errno.EACCES, "you may write to"), (errno.ENOSPC, "Make room")):

        def refuse(*_: object, reason: int = number) -> None:
            raise OSError(reason, "refused")

        with monkeypatch.context() as patch:
            patch.setattr(os, "mkdir", refuse)
            found = cli(*SMALL, "--out", tmp_path / "s")
        assert found.code == 1
        assert mend in flat(found.err)
        assert ("Make room" in flat(found.err)) == (number == errno.ENOSPC)


@pytest.mark.integration
def test_run_in_python_is_the_same(cli: Cli, tmp_path: Path) -> None:
    """`uh.run` and the command give the same bits."""
    found = cli(*SMALL, "--out", tmp_path / "a", "--json", "--quiet")
    assert found.err == ""
    run = underheaven.run("press-2018", "town", people=2000, days=28, out=tmp_path / "b")
    assert run.manifest["result_hash"] == found.json["manifest"]["result_hash"]


@pytest.mark.integration
def test_set_changes_the_regime_or_the_world(cli: Cli, tmp_path: Path) -> None:
    """A change of either file gives another hash of it; what is changed is stored."""
    plain = cli(*SMALL, "--out", tmp_path / "a", "--json", "--quiet").json["manifest"]
    change = ("--set", "recognition.gallery=county", "--set", "world.exchange_days=14")
    changed = cli(*SMALL, "--out", tmp_path / "b", "--json", "--quiet", *change)
    assert changed.code == 0, changed.out
    for kind in ("regime", "world"):
        assert plain[kind]["hash"] != changed.json["manifest"][kind]["hash"]
    assert underheaven.open_run(tmp_path / "b").regime.recognition.gallery == "county"


@pytest.mark.integration
def test_ctrl_c_and_resume_give_the_same_run(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 130 with the command that goes on; the finished run is the unbroken one."""
    unbroken = cli(*SMALL, "--out", tmp_path / "a", "--json", "--quiet").json["manifest"]
    heard = progress.Narrator.__call__

    def interrupting(self: Any, day: int, days: int, *more: Any) -> None:
        heard(self, day, days, *more)
        if day == 14:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(progress.Narrator, "__call__", interrupting)
        stopped = cli(*SMALL, "--out", tmp_path / "b")
    assert stopped.code == 130
    assert "stopped after day 14 of 28" in stopped.err
    command = re.search(r"^  underheaven (.*)$", stopped.err, re.MULTILINE)
    assert command is not None
    assert not (tmp_path / "b").exists()

    refused = cli(*SMALL, "--out", tmp_path / "b")
    assert refused.code == 2
    assert "--resume" in refused.err
    assert cli(*SMALL, "--out", tmp_path / "b", "--resume", "--seed", "2").code == 2
    resumed = cli(*command[1].split(), "--json", "--quiet")
    assert resumed.code == 0, resumed.err
    assert resumed.json["manifest"]["result_hash"] == unbroken["result_hash"]
    parts = ("parts", "people", "days")
    assert {key: resumed.json["manifest"][key] for key in parts} == {key: unbroken[key] for key in parts}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.integration
def test_a_second_ctrl_c_quits_at_once(tmp_path: Path) -> None:
    """Exit 130 without waiting; the next run is not hindered by what is left."""
    code = f"""
import os, signal, sys
from underheaven.cli import main, progress
def interrupting(self, *_):
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
progress.Narrator.__call__ = interrupting
main({[*SMALL, "--out", str(tmp_path / "r")]!r})
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.returncode == 130
    assert "stopped at once" in found.stderr
    assert "Traceback" not in found.stderr
    clean = subprocess.run(
        [sys.executable, "-m", "underheaven", *SMALL, "--out", str(tmp_path / "r"), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(clean.stdout)["manifest"]["people"] == 2000
