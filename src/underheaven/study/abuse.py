"""Abuse in the audit: who was denounced, what it did, how long it took to undo, and how little it takes.

What is measured is read from the counters.  How many reports it takes to ruin somebody follows from the
regime's own rules, without a run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from underheaven.study.counts import Counts, ratio, share
from underheaven.study.words import decimal, finding, label, percent, plural, whole

if TYPE_CHECKING:
    from underheaven.regime.schema import Regime

#: The counter of each kind of false entry, and in words who is behind it.
KINDS = {
    "malicious_records/neighbours": "neighbours and rivals",
    "malicious_records/companions": "companions on a journey",
    "malicious_records/insiders": "insiders",
    "retaliation_records": "retaliation",
}


def abuse_of(counts: Counts) -> dict[str, Any] | None:
    """Return what false reports and retaliation did; None where the regime has none.

    Notes
    -----
    `days_to_exoneration` is the days that denounced people waited under a file harsher than the truth, over the
    times that a file was set right: the estimate of a mean that allows for waits cut off by the end of the run.
    Without anybody set right it is not measurable.
    """
    regime = abusing(counts)
    if regime is None:
        return None
    entries = {name: counts.total(name) for name in KINDS}
    denounced = counts.total("people_denounced")
    waited, ended = counts.total("denounced_error_days"), counts.total("exonerations")
    return {
        "entries": sum(entries.values()),
        "by_kind": {words: entries[name] for name, words in KINDS.items()},
        "dropped": counts.total("malicious_reports_dropped"),
        "retaliations": counts.total("retaliations"),
        "people": share(denounced, counts.people),
        "sanctioned": share(counts.total("people_denounced_sanctioned"), denounced),
        "wrongly_sanctioned": share(counts.total("people_denounced_wrongly_sanctioned"), denounced),
        "error_days": waited,
        "wrongful_days": counts.total("denounced_wrongful_days"),
        "exonerations": ended,
        "days_to_exoneration": ratio(waited, ended),
        "reports_to_ruin": reports_to_ruin(regime),
    }


def abusing(counts: Counts) -> Regime | None:
    """Return the regime of the run that has false reports, the first one of a roll-out; None without any."""
    rules: Any = counts.run.regime
    regimes: tuple[Regime, ...] = () if rules is None else getattr(rules, "regimes", (rules,))
    return next((regime for regime in regimes if getattr(regime, "abuse", None) is not None), None)


def reports_to_ruin(regime: Regime) -> list[dict[str, Any]]:
    """Return how few reports of each act ruin somebody who starts at the start score, the fewest first.

    Returns
    -------
    list of dict with `act`, `points`, `lowest_tier` (reports until the lowest tier; None: never), `list`,
        `listed_chance` of one report, `listed_even_odds` (reports until it is likelier than not; None: never) and
        `fewest` of the two
    """
    rows = []
    for act in regime.act_names:
        if not regime.is_demerit(act):
            continue
        to_lowest = _until_lowest(regime, regime.points_of(act))
        name, chance = max(
            ((entry.name, float(entry.on[act].exact)) for entry in regime.lists if act in entry.on),
            key=lambda found: found[1],
            default=(None, 0.0),
        )
        to_list = _until_even_odds(chance)
        found = [n for n in (to_lowest, to_list) if n is not None]
        if found:
            rows.append(
                {
                    "act": act,
                    "points": regime.points_of(act),
                    "lowest_tier": to_lowest,
                    "list": name if to_list is not None else None,
                    "listed_chance": chance,
                    "listed_even_odds": to_list,
                    "fewest": min(found),
                }
            )
    return sorted(rows, key=lambda row: (row["fewest"], -row["listed_chance"], row["points"], row["act"]))


def _until_lowest(regime: Regime, points: int) -> int | None:
    """Return after how many records of so many points somebody at the start is in the lowest tier."""
    if regime.score is None or len(regime.tiers) < 2 or points >= 0:
        return None
    to_lose = regime.score.start.value - regime.cutoffs[-2] + 1  # whole points, so one below is below
    return max(0, -(-to_lose // -points))


def _until_even_odds(chance: float) -> int | None:
    """Return after how many records a listing with this chance is at least as likely as not."""
    if chance <= 0:
        return None
    return 1 if chance >= 0.5 else math.ceil(math.log(0.5) / math.log1p(-chance))


def abuse_findings(found: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the headline figures of abuse, each with its sentence; none where the regime has none."""
    if found is None:
        return []
    people, wrongly = found["people"]["numerator"], found["wrongly_sanctioned"]
    kinds = ", ".join(f"{whole(n)} by {words}" for words, n in found["by_kind"].items() if n)
    told = (
        f"{plural(found['entries'], 'entry', 'entries')} about things that nobody did ({kinds}). Of the people whom "
        f"they are about {percent(found['sanctioned']['value'])} were sanctioned at some time, and "
        f"{percent(wrongly['value'])} wrongly."
        if people
        else "Nobody was denounced."
    )
    return [
        finding("denounced", "Denounced by somebody who lied", people, "people", told, share=found["people"]),
        _exoneration_finding(found),
        *_ruin_finding(found["reports_to_ruin"]),
    ]


def _exoneration_finding(found: Mapping[str, Any]) -> dict[str, Any]:
    days, ended = found["days_to_exoneration"]["value"], found["exonerations"]
    title = "Days until a lie is undone"
    if not found["error_days"]:
        return finding("exoneration", title, None, "days", "Nobody’s file was worse than the truth because of one.")
    if not ended:
        text = (
            f"Not exonerated: {whole(found['error_days'])} days were lived under files worse than the truth since "
            "somebody lied, and none of the files was set right."
        )
        return finding("exoneration", title, None, "days", text)
    text = (
        f"On average, over {plural(ended, 'file')} of denounced people set right by a correction or an appeal; waits "
        f"that the end of the run cut off are allowed for. {whole(found['wrongful_days'])} of "
        f"{whole(found['error_days'])} days were under a sanction that the truth does not call for."
    )
    return finding("exoneration", title, days, "days", text)


def _ruin_finding(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not rows:
        return []
    row = rows[0]
    if row["fewest"] == row["listed_even_odds"]:
        text = (
            f"By the regime’s own rules a false report of {label(row['act'])} puts somebody on the list "
            f"‘{label(row['list'])}’ with a chance of {percent(row['listed_chance'])}."
        )
    else:
        text = (
            f"By the regime’s own rules so many false reports of {label(row['act'])}, at {decimal(-row['points'])} "
            "points each, bring somebody from the start score to the lowest grade."
        )
    return [finding("reports_to_ruin", "Reports that ruin a person", row["fewest"], "reports", text)]
