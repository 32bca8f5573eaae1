"""The table of docs/explanation/expected-effect.md: ``python -m bench.effect`` (a few minutes)."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import underheaven as uh

CITY = ["recognition.gallery=county", "recognition.size={value: 740000, basis: assumed}"]
REVIEW = ["recognition.review.per_million_per_day=10000000"]
ALONE = ["risk=null"]  # what face search and registers do, without the flags of the risk score
CASES: dict[str, tuple[str, list[str]]] = {
    "`press-2018` (as shipped)": ("press-2018", []),
    "without its risk score: national gallery": ("press-2018", ALONE),
    "city gallery of 740,000": ("press-2018", ALONE + CITY),
    "national gallery, every match reviewed": ("press-2018", ALONE + REVIEW),
    "city gallery, every match reviewed": ("press-2018", ALONE + CITY + REVIEW),
    "national gallery, any of the candidates": ("press-2018", [*ALONE, "recognition.choice=any"]),
    "national gallery, every candidate": ("press-2018", [*ALONE, "recognition.choice=every"]),
    "city gallery, any of the candidates": ("press-2018", [*ALONE, *CITY, "recognition.choice=any"]),
    "`rongcheng-2016`": ("rongcheng-2016", []),
    "`judgment-defaulters`": ("judgment-defaulters", []),
}


def row(name: str, regime: str, changes: list[str], people: int | None) -> str:
    """Live one case and return its row."""
    with tempfile.TemporaryDirectory() as folder:
        run = uh.run(regime, "city", people=people, days=365, seed=1, set=changes, out=Path(folder) / "run")
        table = run.table("counts_stratum").group_by("counter").aggregate([("amount", "sum")])
        found = dict(zip(table["counter"].to_pylist(), table["amount_sum"].to_pylist(), strict=True))

    def share(part: str, whole: str) -> str:
        return f"{found.get(part, 0) / found[whole]:.1%}" if found.get(whole) else "not measurable"

    columns = (
        name,
        f"{found.get('people_sanctioned', 0):,}",
        share("people_wrongly_sanctioned", "people_sanctioned"),
        f"{found.get('people_innocent_sanctioned', 0):,}",
        share("wrongful_sanction_days", "sanction_days"),
        f"{found.get('false_match_records', 0):,}",
        f"{found.get('false_link_records', 0):,}",
    )
    return "| " + " | ".join(columns) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.effect", description=__doc__)
    parser.add_argument("--people", type=int, help="a smaller city, to try the script")
    people = parser.parse_args().people
    print("| case | people sanctioned | wrongly | no act of theirs was seen | wrongful days | false face records "
          "| false links |\n|---|---|---|---|---|---|---|")  # fmt: skip
    for name, (regime, changes) in CASES.items():
        print(row(name, regime, changes, people), flush=True)


if __name__ == "__main__":
    main()
