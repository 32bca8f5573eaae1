"""What people bore for others: refusals for the sake of the household, and grades for the company of friends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from underheaven.study.counts import Counts, ratio
from underheaven.study.words import finding, percent, plural, whole


def association(counts: Counts) -> dict[str, Any] | None:
    """Return what people bore for others; None where nobody bears anything.

    Parameters
    ----------
    counts : Counts

    Returns
    -------
    dict or None : `household` (days of people while a service sanctions another of their household, and refusals for
        it) and `friends` (days in a tier that their friends' scores made worse, or better), each None where the regime
        has no such rule.  Wrongful is what would not be if the file of the others held only the truth
    """
    rules = [regime.association for regime in counts.regimes if regime.association is not None]
    if not rules:
        return None
    return {
        "household": _household(counts) if any(rule.household for rule in rules) else None,
        "friends": _friends(counts) if any(rule.friends is not None for rule in rules) else None,
    }


def _household(counts: Counts) -> dict[str, Any]:
    days, refused = counts.total("kin_days"), counts.total("kin_refused")
    names = [service["name"] for service in counts.services]
    return {
        "days": days,
        "share_of_days": ratio(days, counts.people_days),
        "wrongful_days_share": ratio(counts.total("wrongful_kin_days"), days),
        "refused": refused,
        "share_of_refusals": ratio(refused, counts.sum("refused", names)),
        "wrongly_refused_share": ratio(counts.total("kin_wrongly_refused"), refused),
    }


def _friends(counts: Counts) -> dict[str, Any]:
    lowered = counts.total("echo_lowered_days")
    return {
        "lowered_days": lowered,
        "lowered_share_of_days": ratio(lowered, counts.people_days),
        "wrongly_lowered_share": ratio(counts.total("echo_wrongly_lowered_days"), lowered),
        "raised_days": counts.total("echo_raised_days"),
    }


def association_findings(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the headline figures of association, each with its sentence; none where nobody bears anything.

    Parameters
    ----------
    found : the measured harms, with what :func:`association` returned under `association`
    """
    part, told = found["association"] or {}, []
    if part.get("household") is not None:
        kin = part["household"]
        text = f"{plural(kin['days'], 'day')} were lived while a service sanctioned another adult of the household"
        text += f", {percent(kin['wrongful_days_share']['value'])} of them for an error in that person’s file. "
        text += (
            f"{percent(kin['wrongly_refused_share']['value'])} of these refusals were wrongful."
            if kin["refused"]
            else "Nobody asked in vain for it."
        )
        told.append(finding("kin_refused", "Refused for somebody in the household", kin["refused"], "times", text))
    if part.get("friends") is not None:
        friends = part["friends"]
        share, wrongly = friends["lowered_share_of_days"], friends["wrongly_lowered_share"]
        text = (
            f"On {whole(friends['lowered_days'])} days people stood in a lower grade than their own score called for, "
            f"on {whole(friends['raised_days'])} in a higher one. {percent(wrongly['value'])} of the days in a lower "
            "grade would not have been if every file held only the truth."
            if friends["lowered_days"]
            else "Nobody ever stood in a lower grade for the company of friends."
        )
        told.append(finding("lowered_by_friends", "Days in a lower grade for friends", share["value"], "share", text))
    return told
