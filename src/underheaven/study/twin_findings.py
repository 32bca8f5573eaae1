"""The headline of a comparison: a few differences, each in one plain sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from underheaven.study.words import NOT_MEASURABLE, decimal, percent, plural, whole

if TYPE_CHECKING:
    from underheaven.study.twins import Pair

#: The four things that a person is worse or better off by, in few words.
SHORT = {
    "sanctioned": "in whether they were ever sanctioned",
    "wrongly": "in whether ever wrongly",
    "services": "in how many services refused them",
    "strain": "in money troubles",
}


def twin_findings(pair: Pair) -> list[dict[str, Any]]:
    """Return the headline differences of one regime from the baseline.

    Returns
    -------
    list of dict with `id`, `title`, `value` (None: not measurable), `low`, `high`, `unit`, `text` and `harm` (1: a
    change for the worse, -1: for the better, 0: neither, or it may be chance)
    """
    rows = {row["id"]: row for row in pair.differences}
    return [
        _people(rows["sanctioned"], "People sanctioned", "were sanctioned at some time"),
        _people(rows["wrongly_sanctioned"], "People wrongly sanctioned", "were wrongly sanctioned at some time"),
        _days(rows["wrongful_sanction_days"], pair),
        _worse(pair),
        _better(pair),
        _acts(pair, "speech", "Acts of speech", "acts of speech"),
        _acts(pair, "held against", "Infractions", "infractions (acts held against people, speech aside)"),
        _wait(rows.get("wait")),
    ]


def _finding(id: str, row: Mapping[str, Any], title: str, unit: str, text: str, harm: int) -> dict[str, Any]:
    found = {key: row[key] for key in ("low", "high")}
    is_worse = harm * row["difference"] > 0
    return {
        "id": id,
        "title": title,
        "value": row["difference"],
        **found,
        "unit": unit,
        "text": text,
        "harm": 0 if not (harm and row["is_clear"]) else 1 if is_worse else -1,
    }


def interval(row: Mapping[str, Any]) -> str:
    """Write the interval of a difference of whole numbers."""
    if row["low"] is None:
        return "no interval: there is only one group of blocks"
    return f"95% interval {signed(round(row['low']))} to {signed(round(row['high']))}"


def signed(number: float | None, is_whole: bool = True) -> str:
    """Write a difference with its sign."""
    if number is None:
        return NOT_MEASURABLE
    text = whole(abs(round(number))) if is_whole else decimal(abs(number))
    return text if text == "0" else f"{'+' if number > 0 else '−'}{text}"


def minutes(number: float | None) -> str:
    """Write a difference of waits with its sign, to the hundredth of a minute."""
    if number is None:
        return NOT_MEASURABLE
    text = f"{abs(number):,.2f}"
    return "0" if text == "0.00" else f"{'+' if number > 0 else '−'}{text}"


def _chance(row: Mapping[str, Any]) -> str:
    if row["is_rough"]:
        return " Too few cases for a good interval."
    return "" if row["is_clear"] or row["low"] is None or not row["difference"] else " This may be chance."


def _people(row: Mapping[str, Any], title: str, did: str) -> dict[str, Any]:
    a, b = row["baseline"], row["other"]
    if a == b:
        text = f"The same number under both: {plural(a, 'person', 'people')} {did}."
    else:
        more = "more" if b > a else "fewer"
        number = plural(abs(b - a), f"{more} person", f"{more} people")
        text = f"{number} {did}: {whole(b)} instead of {whole(a)} ({interval(row)})."
    return _finding(row["id"], row, title, "people", text + _chance(row), 1)


def _days(row: Mapping[str, Any], pair: Pair) -> dict[str, Any]:
    a, b = row["baseline"], row["other"]
    text = (
        f"{whole(b)} days under a wrongful sanction instead of {whole(a)}, all people and {whole(pair.days)} days "
        f"together ({interval(row)})."
        if a != b
        else f"The same number under both: {whole(a)}."
    )
    return _finding(row["id"], row, "Wrongful sanction days", "days", text + _chance(row), 1)


def _worse(pair: Pair) -> dict[str, Any]:
    return _moved(pair, "worse", "People worse off", 1)


def _better(pair: Pair) -> dict[str, Any]:
    return _moved(pair, "better", "People better off", -1)


def _moved(pair: Pair, way: str, title: str, sign: int) -> dict[str, Any]:
    found = pair.persons
    share, number = found["shares"][way], found[way]
    if number:
        between = ""
        if share["low"] is not None:
            between = f", 95% interval {percent(share['low'])} to {percent(share['high'])}"
        moved = [f"{whole(row[way])} {SHORT[row['harm']]}" for row in found["harms"] if row[way]]
        text = f"{percent(share['value'])} of all people{between}. {', '.join(moved)}."
    else:
        text = (
            f"Nobody is {way} off in any of four things: sanctioned, wrongly sanctioned, services that refused, "
            "money troubles."
        )
    low, high = (None if share[key] is None else share[key] * found["people"] for key in ("low", "high"))
    return {"id": way, "title": title, "value": number, "low": low, "high": high, "unit": "people", "text": text,
            "harm": sign if number else 0}  # fmt: skip


def _acts(pair: Pair, kind: str, title: str, words: str) -> dict[str, Any]:
    row = pair.kinds_of_acts.get(kind)
    if row is None:
        text = (
            "Neither regime holds any act against people." if kind != "speech" else "Nobody would have said anything."
        )
        return {"id": kind, "title": title, "value": None, "low": None, "high": None, "unit": "", "text": text,
                "harm": 0}  # fmt: skip
    a, b = row["baseline"], row["other"]
    if a == b:
        text = f"The same number under both: {whole(a)} {words}."
    else:
        way = "more" if b > a else "fewer"
        text = f"{whole(abs(b - a))} {way} {words}: {whole(b)} instead of {whole(a)} ({interval(row)})."
    # Words that fall silent are a loss.  That an infraction stops is told and not judged.
    return _finding(kind, row, title, "times", text + _chance(row), -1 if kind == "speech" else 0)


def _wait(row: Mapping[str, Any] | None) -> dict[str, Any]:
    title = "Wait at the hospital"
    if row is None or row["rate_difference"] is None:
        return {"id": "wait", "title": title, "value": None, "low": None, "high": None, "unit": "", "harm": 0,
                "text": "Nobody visited a hospital."}  # fmt: skip
    a, b = row["baseline_rate"], row["other_rate"]
    between = (
        "" if row["rate_low"] is None else f" (95% interval {minutes(row['rate_low'])} to {minutes(row['rate_high'])})"
    )
    text = f"On average {decimal(b)} minutes a visit instead of {decimal(a)}{between}."
    if row["rate_low"] == row["rate_high"] == 0:
        text = f"The same under both: on average {decimal(a)} minutes a visit."
    clear = row["is_clear"]
    return {
        "id": "wait",
        "title": title,
        "value": row["rate_difference"],
        "low": row["rate_low"],
        "high": row["rate_high"],
        "unit": "minutes",
        "text": text + ("" if clear or a == b else " This may be chance."),
        "harm": 0 if not clear else 1 if b > a else -1,
    }
