"""What people know of the system and think of it: figures of the audit and their headlines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from underheaven.regime.rollout import Rollout
from underheaven.study.counts import ratio, share
from underheaven.study.opinions import SUMS
from underheaven.study.words import decimal, percent, plural, whole

if TYPE_CHECKING:
    from underheaven.study.counts import Counts

#: How people come to know, in words.
WAYS = {
    "start": "knew it from the start",
    "press": "from the press",
    "friends": "from sanctioned friends",
    "sanction": "by being sanctioned",
    "perk": "by a perk",
    "fine": "by a fine",
}
#: Fewer people are told with their number, and no share is compared with theirs.
FEW = 30


def awareness(counts: Counts) -> dict[str, Any] | None:
    """Return who knows of the system and of its repression, and by what; None where everybody is taken to know."""
    if not is_on(counts):
        return None
    aware, heard = counts.total("people_aware"), counts.total("people_heard_repression")
    return {
        "aware": share(aware, counts.people),
        "repression_known": share(heard, counts.people),
        "with_perk": share(counts.total("people_with_perk"), counts.people),
        "by_way": [
            {
                "way": way,
                "made_aware": counts.total(f"made_aware/{way}"),
                "made_aware_share": ratio(counts.total(f"made_aware/{way}"), aware),
                "heard_repression": counts.total(f"heard_repression/{way}"),
            }
            for way in WAYS
        ],
        "opinion": _opinion(counts),
    }


def is_on(counts: Counts) -> bool:
    """Tell whether the run follows who knows of the system."""
    rules = counts.run.regime
    regimes = rules.regimes if isinstance(rules, Rollout) else (rules,)
    return any(regime.awareness is not None for regime in regimes)


def opinions(counts: Counts) -> list[dict[str, Any]]:
    """Return the table of opinions; empty where the world does not say what people think."""
    return counts.run.table("opinion").to_pylist() if "opinion" in counts.run.names() else []


def summed(rows: list[dict[str, Any]], *keys: str) -> dict[tuple[Any, ...], dict[str, int]]:
    """Return the sums of the rows of a table of opinions by some of its columns."""
    found: dict[tuple[Any, ...], dict[str, int]] = defaultdict(lambda: dict.fromkeys(SUMS, 0))
    for row in rows:
        at = found[tuple(row[key] for key in keys)]
        for name in SUMS:
            at[name] += row[name]
    return dict(found)


def _opinion(counts: Counts) -> dict[str, Any] | None:
    """Return approval at the start and at the end, and at the end by trait and by standing."""
    rows = opinions(counts)
    if not rows:
        return None
    days = sorted({row["day"] for row in rows})
    everybody = [row for row in rows if row["trait"] == "sex"]  # any one trait has everybody once
    last = [row for row in rows if row["day"] == days[-1]]
    by_standing = summed([row for row in last if row["trait"] == "sex"], "standing")
    return {
        "scale": "0 .. 255; who has 128 or more approves",
        "over_time": [{"day": day, **_figures(sums)} for (day,), sums in sorted(summed(everybody, "day").items())],
        "by_standing": [{"standing": name, **_figures(sums)} for (name,), sums in sorted(by_standing.items())],
        "by_trait": {
            trait: [
                {"level": level, **_figures(sums)}
                for (level,), sums in summed([row for row in last if row["trait"] == trait], "level").items()
            ]
            for trait in dict.fromkeys(row["trait"] for row in last)
        },
    }


def _figures(sums: Mapping[str, int]) -> dict[str, Any]:
    people = sums["people"]
    return {
        "people": people,
        "mean_approval": ratio(sums["approval"], people),
        "approving": share(sums["approving"], people),
        "approving_if_told": share(sums["approving_if_told"], people),
        "aware": share(sums["aware"], people),
        "repression_known": share(sums["repression_known"], people),
    }


def headlines(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the headlines: id, title, value, unit, text and share; none where everybody is taken to know."""
    part = found["awareness"]
    if part is None:
        return []
    aware, heard = part["aware"], part["repression_known"]
    first = max(part["by_way"], key=lambda row: row["made_aware"])
    text = (
        f"{whole(aware['numerator'])} of {plural(found['people'], 'person', 'people')} know that there is such a "
        f"system, most of them {_way(first['way'])}; {percent(heard['value'])} have heard what it represses."
        if aware["numerator"]
        else "Nobody knows that there is such a system."
    )
    title = "Know of the system"
    told = [{"id": "aware", "title": title, "value": aware["value"], "unit": "share", "text": text, "share": aware}]
    if part["opinion"] is not None:
        told.append(_approval(part["opinion"]))
    return told


def _way(way: str) -> str:
    return "from the start" if way == "start" else WAYS[way]


def _approval(opinion: Mapping[str, Any]) -> dict[str, Any]:
    end = opinion["over_time"][-1]
    told = {row["standing"]: row for row in opinion["by_standing"]}
    parts = []
    for name, words in (("perk", "who had a perk"), ("neither", "with neither"), ("sanctioned", "who were sanctioned")):
        row = told.get(name)
        if row is not None:
            few = f" (only {plural(row['people'], 'person', 'people')})" if row["people"] < FEW else ""
            parts.append(f"{percent(row['approving']['value'])} of those {words}{few}")
    text = (
        f"What people think, not what they say: {', '.join(parts)} approve; the mean is "
        f"{decimal(end['mean_approval']['value'])} of 255. If all were told what it represses, "
        f"{percent(end['approving_if_told']['value'])} would."
    )
    title, of = "Approve of being scored", end["approving"]
    return {"id": "approving", "title": title, "value": of["value"], "unit": "share", "text": text, "share": of}
