"""Firms in a report: the chart of who is listed, and what a regime does to firms, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from underheaven.show.vega import ORANGE, SKY, WIDTH, Chart, Record, category, quantity, tooltip, vega_lite
from underheaven.study.firms import firms as figures
from underheaven.study.words import decimal, label, percent, whole

if TYPE_CHECKING:
    from underheaven.regime.schema import Regime
    from underheaven.study.counts import Counts

KINDS = ("listed", "listed wrongly")


def firms(counts: Counts) -> Chart | None:
    """Draw the share of firms ever listed, and wrongly listed, by their size."""
    found = figures(counts)
    if found is None or not found["listings"]:
        return None
    sizes = [row for row in found["by_size"] if row["firms"]]
    records: list[Record] = [
        {
            "size": f"{row['size'].replace('-', '–')} people",
            "kind": kind,
            "firms": row["firms"],
            "listed": row[key]["numerator"],
            "share": row[key]["value"],
        }
        for row in sizes
        for kind, key in zip(KINDS, ("listed", "wrongly_listed"), strict=True)
    ]
    order = list(dict.fromkeys(record["size"] for record in records))
    return Chart(
        "firms",
        "Which firms are listed?",
        "Bars are the share of firms of a size that were ever on the list; the orange bar is the share that at some "
        "time should not have been there.",
        vega_lite(
            records,
            width=WIDTH,
            height=220,
            mark={"type": "bar"},
            encoding={
                "x": category("size", "people of the firm", sort=order, axis={"labelAngle": 0}),
                "xOffset": category("kind", sort=list(KINDS)),
                "y": quantity("share", "share of firms", axis={"format": "~%"}),
                "color": category("kind", "ever", scale={"domain": list(KINDS), "range": [SKY, ORANGE]}),
                "tooltip": tooltip(size="size", kind="ever", firms="firms#", listed="of them#", share="share%"),
            },
        ),
        records,
        ("Size", "Firms", "Ever listed", "Ever listed wrongly"),
        [
            (
                record["size"],
                whole(row["firms"]),
                f"{whole(row['listed']['numerator'])} ({percent(row['listed']['value'])})",
                f"{whole(row['wrongly_listed']['numerator'])} ({percent(row['wrongly_listed']['value'])})",
            )
            for row, record in zip(sizes, records[::2], strict=True)
        ],
    )


def told_of_firms(regime: Regime) -> list[str]:
    """Return sentences on what a regime does to firms and to those who represent them; none if it says nothing."""
    rules = regime.firms
    if rules is None:
        return []
    found = [f"Firms have a score, too; each starts with {whole(rules.score.start.value)} points."]
    if rules.list_ is not None:
        causes = [
            f"a record of {label(act)} ({decimal(float(100 * chance.exact))}% of them)"
            for act, chance in rules.list_.on.items()
        ]
        causes += [f"a fall to grade {rules.list_.below}"] if rules.list_.below is not None else []
        either = " or ".join([", ".join(causes[:-1]), causes[-1]]) if len(causes) > 1 else causes[0]
        days = decimal(float(rules.list_.term.mean_days))
        found.append(f"The list of firms ‘{label(rules.list_.name)}’: they come onto it by {either}, for {days} days.")
    return [*found, *_contamination(regime)]


def _contamination(regime: Regime) -> list[str]:
    rules = regime.firms
    assert rules is not None
    found = []
    into = rules.to_representative
    parts = []
    if into is not None and into.points is not None and into.points.value:
        parts.append(f"{whole(-into.points.value)} points off")
    for name, chance in into.lists.items() if into is not None else ():
        parts.append(f"the list ‘{label(name)}’ ({decimal(float(100 * chance.exact))}% of the times)")
    back = 0 if rules.from_representative is None else -rules.from_representative.value
    if regime.context_wall and (parts or back):
        parts, back = [], 0
        found.append("As records stay in their context, a firm and its representative do not answer for each other.")
    if parts:
        found.append(f"When a firm is listed, the person who represents it gets {' and '.join(parts)}.")
    if back:
        found.append(f"When that person is sanctioned, the firm loses {whole(back)} points.")
    if rules.screening is not None:
        names = " and ".join(label(name) for name in rules.screening.services)
        share, points = decimal(float(100 * rules.screening.share.exact)), rules.screening.points.value
        more = f", and all below the best grade, because it pays them {whole(points)} points a year" if points else ""
        found.append(f"Only some firms ask for a person’s file ({names}): {share}% of them anyway{more}.")
    return found
