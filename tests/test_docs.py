"""What the documentation shows is run here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lives import live, totals
from underheaven.engine.run import simulate
from underheaven.regime.rollout import compile_rules, load_rollout, load_rules
from underheaven.world.reader import load_world

ROOT = Path(__file__).parents[1]


def blocks(page, language):
    """Return the fenced blocks of a page that are written in this language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def test_the_regime_of_the_how_to(tmp_path):
    """The example loads, and does what its page says: late payers lose the card, and some appeal."""
    (example,) = blocks("docs/how-to/write-a-regime.md", "yaml")
    path = tmp_path / "library-card.yaml"
    path.write_text(example, encoding="utf-8")
    found = totals(live(tmp_path / "run", str(path), "town", 3_000, days=182))
    assert found["tier_days/no-card"] > 0
    assert found["refused/credit"] > 0
    assert found["appeals"] > 0
    assert found["notices"] > 0


def test_the_roll_out_of_the_how_to(tmp_path):
    """The example loads and runs: two pilots first, then all towns."""
    (example,) = blocks("docs/how-to/roll-out.md", "yaml")
    (tmp_path / "pilots.yaml").write_text(example, encoding="utf-8")
    rules = load_rollout(str(tmp_path / "pilots.yaml"))
    run = simulate(rules, load_world("city", people=2_000), days=35, threads=1, out=tmp_path / "run")
    scored = {row["county"] for row in run.table("counts_county").to_pylist() if row["counter"].startswith("tier_days")}
    assert scored == {"Town 01", "Town 02"}


def test_the_python_of_the_readme(tmp_path, monkeypatch):
    """The lines run as they stand."""
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("README.md", "python")
    names: dict[str, object] = {}
    exec(code, names)  # the block is ours
    assert len(names["run"].frame("counts_stratum")) > 0  # type: ignore[attr-defined]


def test_the_tutorial_of_the_staggered_roll_out(capsys):
    """Its code prints what the page shows: estimates near the truth where there is an effect, and a truth of zero."""
    pytest.importorskip("pandas")
    page = "docs/tutorial/staggered-pilots.md"
    names: dict[str, object] = {}
    exec("\n".join(blocks(page, "python")), names)  # the blocks are ours
    printed = capsys.readouterr().out
    shown = re.search(r"\n```\n(volunteering.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    assert printed.startswith(shown[1])
    assert re.search(r"^([\d,]+) of \1 additional hours", printed, re.MULTILINE)


def test_what_the_bench_lives_in_can_be_read():
    """The common model and the two reforms of the bench still fit the society, the regimes and each other."""
    world = load_world(str(ROOT / "bench" / "common-world.yaml"), people=1_000)
    compile_rules(load_rules(str(ROOT / "bench" / "common-regime.yaml")), world)
    for reform in ("first-issue", "all-mechanisms"):
        compile_rules(load_rules(f"press-2018 + {ROOT / 'bench' / reform}.yaml"), load_world("city", people=1_000))


def test_links_lead_somewhere():
    """Every relative link of the documentation points at a file or folder."""
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_make_target_that_is_named_exists():
    """README and CONTRIBUTING name no command that the Makefile does not have."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    pages = [page.read_text(encoding="utf-8") for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]]
    named = {name for text in pages for name in re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)}
    assert named <= targets


def test_tables_of_the_description_are_those_of_the_code():
    """The tables of the ODD are what the schemas and the columns say now (`make odd`)."""
    from underheaven.show.odd import tables, with_tables

    text = (ROOT / "docs" / "explanation" / "odd.md").read_text(encoding="utf-8")
    assert with_tables(text) == text
    assert all(len(table.splitlines()) > 10 for table in tables().values())
