"""The headline figures of an audit, each with one plain sentence.

These functions only read what :func:`underheaven.study.audit.audit` has measured; none of them counts anything.
A figure that is None is told as "not measurable", and its sentence says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from underheaven.study.abuse import abuse_findings
from underheaven.study.association import association_findings
from underheaven.study.awareness import headlines
from underheaven.study.counts import share
from underheaven.study.demands import demand_findings
from underheaven.study.firms import firm_findings
from underheaven.study.patrols import camera_findings
from underheaven.study.peers import peers_findings
from underheaven.study.risk import risk_findings
from underheaven.study.voice import voice_findings
from underheaven.study.words import decimal, finding, label, percent, plural, whole

#: A mean of fewer visits is told with their number, and is no headline.
FEW_VISITS = 30


def findings(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the headline figures, each with one plain sentence, in the order of the report.

    Parameters
    ----------
    found : the measured harms, as :func:`underheaven.study.audit.audit` puts them together

    Returns
    -------
    list of dict with `id`, `title`, `value` (None: not measurable), `unit` and `text`; a share of people has the
    ratio with its interval as `share`
    """
    told = [_people_finding(found)]
    if found["keeps_file"]:
        told += [*_sanction_findings(found), *_refusal_findings(found), *_standing_findings(found)]
        told += [*peers_findings(found), *association_findings(found)]
        told += risk_findings(found["risk"])
    known = [finding(**told) for told in headlines(found)]
    told += [*camera_findings(found["cameras"]), *_life_findings(found), *demand_findings(found["demands"])]
    told += [*firm_findings(found["firms"]), *known]
    return [*told, *abuse_findings(found["abuse"]), *voice_findings(found["voice"])]


def _between(found: Mapping[str, Any]) -> str:
    """Write the interval of a share."""
    return f"95% interval {percent(found['low'])} to {percent(found['high'])}"


def _people_finding(found: Mapping[str, Any]) -> dict[str, Any]:
    people = found["people"]
    if not found["keeps_file"]:
        text = (
            f"There is no score and no list, so none of the {whole(people)} people has a file "
            "and nobody can be sanctioned by one."
        )
        return finding("people_scored", "Nobody has a file", 0, "people", text)
    if not found["has_score"]:
        text = f"There is no score; all {whole(people)} adults can be put on a list."
        return finding("people_scored", "People who can be listed", people, "people", text)
    text = f"Every one of the {whole(people)} adults has a score from the first day."
    return finding("people_scored", "People with a score", people, "people", text)


def _sanction_findings(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    ever, days, people = found["people_sanctioned"], found["sanction_days"], whole(found["people"])
    rate, wrong, innocent = ever["selection_rate"], ever["wrongful_sanction_rate"], ever["innocent_share"]
    nobody = "Nobody was sanctioned, so there is nothing to take a share of."
    sanctioned = (
        f"{percent(rate['value'])} of {people} people were sanctioned at some time: refused a service, put last in "
        f"a queue or shamed in public ({_between(rate)})."
    )
    wrongly = (
        f"At some time they bore a sanction that would not have applied if the file had held only the truth. That is "
        f"{percent(ever['false_discovery_rate']['value'])} of those sanctioned and {percent(wrong['value'])} of "
        f"everybody ({_between(wrong)})."
        if ever["people"]
        else nobody
    )
    of_sanctioned = (
        f"Of {plural(ever['people'], 'person', 'people')} sanctioned, {whole(ever['innocent'])} were sanctioned at a "
        f"time when nothing held against them was their own doing ({_between(innocent)})."
        if ever["people"]
        else nobody
    )
    if found["peers"] is not None and not any(act["demerit"] for act in found["acts"]):
        innocent = share(0, 0)
        of_sanctioned = "Not measurable: ratings alone decide here, and no act is held against anybody."
    each = days["per_sanctioned"]["value"]
    lost = (
        f"Added up over all people; {decimal(each)} days for each person sanctioned, out of {whole(found['days'])}."
        if ever["people"]
        else nobody
    )
    wrongful = (
        f"{whole(days['wrongful'])} of {whole(days['days'])} sanction days would not have been served under a file "
        "without errors."
        if days["days"]
        else nobody
    )
    return [
        finding("people_sanctioned", "People sanctioned", ever["people"], "people", sanctioned, share=rate),
        finding("wrongly_sanctioned", "Wrongly sanctioned", ever["wrongly"], "people", wrongly, share=wrong),
        finding(
            "innocent_share",
            "Sanctioned for nothing they did",
            innocent["value"],
            "share",
            of_sanctioned,
            share=innocent,
        ),
        finding("sanction_days", "Days under sanction", days["days"], "days", lost),
        finding(
            "wrongful_days_share",
            "Of these days, wrongful",
            days["wrongful_share"]["value"],
            "share",
            wrongful,
            share=days["wrongful_share"],
        ),
    ]


def _refusal_findings(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    refused = found["refused"]
    worst = max(found["services"], key=lambda row: row["refused"], default=None)
    if worst is None or not refused["transactions"]:
        text = "No service refused anybody because of the file."
    else:
        text = (
            f"Most often for {label(worst['name'])}: {plural(worst['refused'], 'refusal')} to "
            f"{plural(worst['people_refused'], 'person', 'people')}. {percent(refused['wrongly_share']['value'])} of "
            "all refusals were wrongful."
        )
    people = refused["people_wrongly"]
    hit = f"They were turned away at least once when a file without errors would have let them in ({_between(people)})."
    return [
        finding("refused_transactions", "Services refused", refused["transactions"], "times", text),
        finding("people_wrongly_refused", "Wrongly refused", people["numerator"], "people", hit, share=people),
    ]


def _standing_findings(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    lowest, records, group = found["lowest_tier"], found["records"], found["strata"]["group"]
    if lowest is None:
        stuck = finding(
            "lowest_tier", "In the lowest grade", None, "people", "Not measurable: this regime has no grades."
        )
    else:
        each = lowest["days_per_person"]["value"]
        text = (
            f"{percent(lowest['people']['value'])} of people were in grade {lowest['tier']} at some time, "
            f"{decimal(each)} days each on average."
            if each is not None
            else f"Nobody ever fell to grade {lowest['tier']}."
        )
        stuck = finding(
            "lowest_tier", "In the lowest grade", lowest["people"]["numerator"], "people", text, share=lowest["people"]
        )
    against = records["against_people_false_share"]
    lies = f", {whole(records['false_by_malice'])} from somebody who lied" if found["abuse"] is not None else ""
    text = (
        f"Of {plural(records['against_people'], 'entry', 'entries')} held against people, "
        f"{whole(records['against_people_false'])} describe what was not their doing. In the whole file, "
        f"{whole(records['false_by_face_match'])} false entries come from faces and "
        f"{whole(records['false_by_register_link'])} from registers{lies}."
        if records["against_people"]
        else "No entry was held against anybody."
    )
    return [
        stuck,
        finding("false_records", "False entries held against people", against["value"], "share", text, share=against),
        _gap_finding(group),
    ]


def _gap_finding(groups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say how much likelier the worst-off group is to be wrongly sanctioned than the best-off one."""
    rated = [(row["wrongful_sanction_rate"]["value"], row) for row in groups if row["people"]]
    rated.sort(key=lambda item: item[0])
    title = "Gap between groups"
    if len(rated) < 2 or not rated[0][0]:
        why = (
            "there is only one group"
            if len(rated) < 2
            else f"nobody of the group ‘{label(rated[0][1]['group'])}’ was wrongly sanctioned"
        )
        return finding("group_gap", title, None, "times", f"Not measurable as a ratio: {why}.")
    (low, least), (high, most) = rated[0], rated[-1]
    text = (
        f"{percent(high)} of the group ‘{label(most['group'])}’ were wrongly sanctioned, against {percent(low)} of the "
        f"group ‘{label(least['group'])}’."
    )
    if most["wrongful_sanction_rate"]["low"] <= least["wrongful_sanction_rate"]["high"]:
        text += " Their 95% intervals overlap, so this may be chance."
    return finding("group_gap", title, high / low, "times", text)


def _life_findings(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    told = []
    if found["keeps_file"]:
        behaviour, appeals = found["behaviour"], found["appeals"]
        speech = behaviour["silenced_speech_share"]
        spoken = [label(act["name"]) for act in found["acts"] if act["speech"]]
        names = " and ".join([", ".join(spoken[:-1]), spoken[-1]] if len(spoken) > 1 else spoken)
        said = (
            f"{percent(speech['value'])} of all acts of speech ({names}) were left undone for fear of the file."
            if speech["value"] is not None
            else "There was nothing to say, or nobody who would have said it."
        )
        told.append(
            finding(
                "silenced_speech",
                "Words never said",
                behaviour["silenced_speech"],
                "times",
                said,
                share=speech,
            )
        )
        text = (
            f"{percent(behaviour['gamed_share']['value'])} of the rewarded acts were done for the points and would not "
            "have been done otherwise."
            if behaviour["gamed_share"]["value"] is not None
            else "No act was rewarded."
        )
        told.append(finding("gamed", "Done for the points", behaviour["gamed"], "times", text))
        decided = appeals["won"] + appeals["lost"]
        if not appeals["filed"]:
            text = "Nobody filed an appeal."
        elif not decided:
            text = "None was decided before the run ended."
        else:
            text = (
                f"{whole(appeals['won'])} of {whole(decided)} decided were won; an appeal was pending for "
                f"{decimal(appeals['wait_days']['value'])} days on average."
            )
        told.append(finding("appeals", "Appeals", appeals["filed"], "times", text))
    return [*told, _hospital_finding(found["hospital"])]


def _hospital_finding(hospital: Mapping[str, Any]) -> dict[str, Any]:
    ranks = {row["rank"]: row for row in hospital["by_rank"] if row["visits"]}
    if list(ranks) in ([], ["normal"]):
        visits = sum(row["visits"] for row in ranks.values())
        wait = ranks["normal"]["wait_minutes"]["value"] if ranks else None
        text = f"Everybody waits in one queue; {plural(visits, 'visit')} in all."
        return finding("hospital_wait", "Wait at the hospital", wait, "minutes", text)
    parts = []
    for rank, words in (("first", "let in first"), ("normal", "in the normal queue"), ("last", "put last")):
        if rank in ranks:
            visits, wait = ranks[rank]["visits"], ranks[rank]["wait_minutes"]["value"]
            few = f" (only {plural(visits, 'visit')})" if visits < FEW_VISITS else ""
            parts.append(f"{decimal(wait)} minutes for people {words}{few}")
    enough = [row["wait_minutes"]["value"] for row in ranks.values() if row["visits"] >= FEW_VISITS]
    text = "On average " + ", ".join(parts) + "."
    return finding("hospital_wait", "Longest mean wait at the hospital", max(enough, default=None), "minutes", text)
