"""What the scoring of companies did: who was listed, wrongly, and which representatives it dragged in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from underheaven.study.counts import Counts, ratio, share
from underheaven.study.words import NOT_MEASURABLE, percent, plural, whole


def firms(counts: Counts) -> dict[str, Any] | None:
    """Return the figures of firms; None if the regime says nothing of them.

    Parameters
    ----------
    counts : Counts of the run

    Returns
    -------
    dict or None : figures of all firms, then rows `by_sector` and `by_size` with the same keys
    """
    levels = counts.run.manifest.get("firms")
    if levels is None:
        return None
    kinds: dict[str, dict[str, dict[str, int]]] = {
        kind: {name: defaultdict(int) for name in levels[f"{kind}s"]} for kind in ("sector", "size")
    }
    everything: dict[str, int] = defaultdict(int)
    for row in counts.run.table("firms").to_pylist():
        for amounts in (everything, kinds["sector"][row["sector"]], kinds["size"][row["size"]]):
            amounts[row["counter"]] += row["amount"]
    return {
        **_figures(everything),
        "by_sector": [{"sector": name} | _figures(amounts) for name, amounts in kinds["sector"].items()],
        "by_size": [{"size": name} | _figures(amounts) for name, amounts in kinds["size"].items()],
    }


def _figures(amounts: Mapping[str, int]) -> dict[str, Any]:
    """Return the figures of some firms; a share of firms has an interval as one of people does."""
    n = amounts["firms"]
    records, false = amounts["firm_records"], amounts["firm_false_records"]
    listed, wrongly = amounts["firms_ever_listed"], amounts["firms_ever_wrongly_listed"]
    charged, charged_wrongly = amounts["representatives_charged"], amounts["representatives_wrongly_charged"]
    return {
        "firms": n,
        "acts": amounts["firm_acts"],
        "records": records + false,
        "false_records": false,
        "false_share": ratio(false, records + false),
        "missed": amounts["firm_missed_records"],
        "listed": share(listed, n),
        "wrongly_listed": share(wrongly, n),
        "wrongly_of_listed": share(wrongly, listed),
        "listings": amounts["firm_listings"],
        "wrongful_listings": amounts["firm_wrongful_listings"],
        "listed_days": amounts["firm_listed_days"],
        "wrongly_listed_days": amounts["firm_wrongly_listed_days"],
        "wrongful_days_share": ratio(amounts["firm_wrongly_listed_days"], amounts["firm_listed_days"]),
        "refused": ratio(amounts["firm_refused"], amounts["firm_wishes"]),
        "wrongly_refused": ratio(amounts["firm_wrongly_refused"], amounts["firm_refused"]),
        "representatives_charged": charged,
        "representatives_wrongly_charged": ratio(charged_wrongly, charged),
        "firms_charged": amounts["firms_charged"],
        "firms_wrongly_charged": ratio(amounts["firms_wrongly_charged"], amounts["firms_charged"]),
        "screening_days": amounts["firm_screening_days"],
    }


def firm_findings(found: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the headline figures of firms, each with one plain sentence; none, if there are none.

    Parameters
    ----------
    found : what :func:`firms` returned
    """
    if found is None:
        return []
    if not found["firms"]:
        text = "Not measurable: no firm is among so few people."
        return [{"id": "firms_listed", "title": "Firms listed", "value": None, "unit": NOT_MEASURABLE, "text": text}]
    listed, wrongly = found["listed"], found["wrongly_of_listed"]
    text = f"{percent(listed['value'])} of {plural(found['firms'], 'firm')} were on the list at some time"
    text += (
        f"; {whole(wrongly['numerator'])} of them at a time when the truth would not have listed them."
        if listed["numerator"]
        else "."
    )
    charged, wrong = found["representatives_charged"], found["representatives_wrongly_charged"]
    dragged = (
        f"So many times a listing of a firm was entered in the file of the person who represents it; "
        f"{whole(wrong['numerator'])} of these listings were false. "
        if charged
        else "No listing of a firm was entered in the file of the person who represents it. "
    )
    dragged += (
        f"The other way round, {plural(found['firms_charged'], 'firm')} lost points because the person was sanctioned."
        if found["firms_charged"]
        else "No firm lost points because the person was sanctioned."
    )
    return [
        {
            "id": "firms_listed",
            "title": "Firms listed",
            "value": listed["numerator"],
            "unit": "firms",
            "text": text,
            "share": listed,
        },
        {
            "id": "representatives_charged",
            "title": "Held against the person behind a firm",
            "value": charged,
            "unit": "times",
            "text": dragged,
        },
    ]
