"""A regime in plain words: what it gives people for what they do, and what can be undone."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from underheaven.regime.rollout import Rollout, Rules
from underheaven.regime.schema import FIRST, LAST, Appeal, Recognition, Regime
from underheaven.show.abuse import abuse_sentences
from underheaven.show.association import describe_association
from underheaven.show.demands import demand_sentences
from underheaven.show.firms import told_of_firms
from underheaven.show.opinion import sentences
from underheaven.show.patrols import allocation_sentences
from underheaven.show.peers import describe_peers
from underheaven.show.risk import risk_sentences
from underheaven.study.words import decimal, label, whole

#: What each kind of regime is, and is not; every report begins with it.
KINDS = {
    "press": "As reported by the press; not a claim about a country.",
    "law": "As written in laws and official papers; not a claim about how it is applied.",
    "fiction": "From fiction; not a claim about a country.",
    "hypothesis": "A thought experiment; not a claim about a country.",
}

_CHANNELS = {
    "camera": "seen by cameras",
    "register": "from registers",
    "report": "reported",
    "companion": "reported by companions",
    "unseen": "not seen",
}


def _exactly(share: Fraction) -> str:
    """Write a share of a file in percent, as exactly as the file does."""
    return f"{decimal(float(100 * share), 4)}%"


def describe(regime: Rules) -> dict[str, Any]:
    """Describe a regime in plain words; of a roll-out, when and where what comes into force, and its main regime.

    Parameters
    ----------
    regime : Regime or Rollout

    Returns
    -------
    dict with `sentences` (list of str), `tiers`, `acts`, `services` and `remedies` (lists of rows)
    """
    if isinstance(regime, Rollout):
        return _rollout(regime)
    return {
        "sentences": [
            *_standing(regime),
            *describe_peers(regime),
            *describe_association(regime),
            *_watching(regime),
            *risk_sentences(regime),
            *told_of_firms(regime),
            *demand_sentences(regime),
            *sentences(regime),
            *abuse_sentences(regime),
        ],
        "tiers": _tiers(regime),
        "acts": _acts(regime),
        "services": _services(regime),
        "remedies": _remedies(regime),
    }


def _rollout(rollout: Rollout) -> dict[str, Any]:
    """Describe a roll-out by the first regime that comes into force in it."""
    first = rollout.regimes[rollout.names.index(rollout.phases[0].regime)]
    told = describe(first)
    said = [f"Where and while nothing else is said, this is in force: {rollout.regimes[0].title}."]
    for phase in rollout.phases:
        where = ", ".join((*phase.counties, *(f"all of {name}" for name in phase.provinces))) or "all counties"
        title = rollout.regimes[rollout.names.index(phase.regime)].title
        said.append(f"From day {phase.from_.days} on, in {where}: {title}.")
    more = [f"What follows describes {first.title}."] if len(rollout.names) > 1 else []
    return told | {"sentences": [*said, *more, *told["sentences"]]}


def _standing(regime: Regime) -> list[str]:
    found = []
    score = regime.score
    if score is None and not regime.lists:
        return ["Nobody has a file. There is no score and no list."]
    if score is None:
        found.append("There is no score.")
    else:
        found.append(
            f"Every adult starts with {whole(score.start.value)} points. "
            f"The score cannot fall below {whole(score.floor.value)} or rise above {whole(score.cap.value)}."
        )
    for entry in regime.lists:
        causes = [f"a record of {label(act)} ({_exactly(prob.exact)} of them)" for act, prob in entry.on.items()]
        if entry.below is not None:
            causes.append(f"a fall to grade {entry.below}")
        shame = " The list is public." if entry.shaming else ""
        found.append(
            f"The list ‘{label(entry.name)}’: people come onto it by {_either(causes)}. "
            f"A stay lasts {decimal(float(entry.term.mean_days))} days{_law(entry.term.law)}.{shame}"
        )
    return found


def _either(parts: list[str]) -> str:
    return " or ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def _law(law: str) -> str:
    return "" if law == "fixed" else " on average, with a different length for each person"


def _watching(regime: Regime) -> list[str]:
    found = []
    if regime.cameras is not None:
        density = decimal(float(regime.cameras.density_per_1000))
        growth = regime.cameras.growth
        more = f" Their number grows by {_exactly(growth.exact)} a {growth.per}." if growth else ""
        found.append(f"There are {density} cameras for every 1,000 people.{more}")
        found += allocation_sentences(regime.cameras.allocation)
    if regime.recognition is not None:
        found.append(_recognition(regime.recognition))
    registers = regime.registers
    if registers is not None:
        where = "the whole nation" if registers.scope == "nation" else "one county"
        found.append(
            f"Registers of {where} are joined by name. {_exactly(registers.missed_link.exact)} of records find "
            f"nobody, and {_exactly(registers.false_link.exact)} fall to somebody with the same name. "
            "Both figures differ between people."
        )
    if regime.reporting is not None:
        found.append(
            f"Neighbours and officials write down {_exactly(regime.reporting.seen.exact)} of the acts that "
            "can be reported."
        )
    if not found and (regime.has_score or regime.lists) and regime.peers is None:
        found.append("No cameras, registers or reports are named.")
    return found


def _recognition(found: Recognition) -> str:
    size = found.fixed_gallery
    gallery = f"{whole(size)} faces" if size is not None else "the faces of the county"
    parts = [
        f"Faces are looked up among {gallery}. The right person is overlooked in {_exactly(found.miss.exact)} "
        "of the looks."
    ]
    if found.false_match is not None:
        each = found.false_match.exact
        parts.append(f"{_one_in(each)} comparisons of two different faces is taken for a match.")
    if found.fpir is not None:
        parts.append(f"{_exactly(found.fpir.exact)} of the looks bring up a wrong person.")
    parts.append(
        {
            "ranked": "The right face enters the file if it is among those found, otherwise one of the others.",
            "any": "One of the faces found enters the file at random.",
            "every": "All faces found enter the file.",
        }[found.choice]
    )
    return " ".join(parts)


def _one_in(chance: Fraction) -> str:
    return "None of the" if chance == 0 else f"About one in {decimal(float(f'{float(1 / chance):.2g}'))}"


def _tiers(regime: Regime) -> list[dict[str, str]]:
    rows = []
    above: int | None = None
    for tier, low in zip(regime.tier_names, regime.cutoffs, strict=True):
        text = f"{whole(low)} points and more" if above is None else f"{whole(low)} to below {whole(above)} points"
        rows.append({"name": tier, "range": text})
        above = low
    return rows


def _acts(regime: Regime) -> list[dict[str, str]]:
    rows = []
    for act in sorted(regime.act_names, key=lambda act: (not regime.is_demerit(act), regime.points_of(act), act)):
        points, fine = regime.points_of(act), regime.fine_of(act)
        lists = [f"{label(e.name)} ({_exactly(e.on[act].exact)})" for e in regime.lists if act in e.on]
        rows.append(
            {
                "name": label(act),
                "points": f"{'+' if points > 0 else '−'}{whole(abs(points))}" if points else "",
                "fine": _fine(fine),
                "lists": ", ".join(lists),
            }
        )
    return rows


def _fine(days: Fraction) -> str:
    if not days:
        return ""
    number = decimal(float(days))
    return f"{number} of a day’s income" if days < 1 else f"{number} {'day’s' if days == 1 else 'days’'} income"


def _services(regime: Regime) -> list[dict[str, str]]:
    rows = []
    for service in regime.service_names:
        better: dict[str, list[str]] = {}
        worse: dict[str, list[str]] = {}
        standings = [(f"grade {tier}", regime.by_tier(service, tier)) for tier in regime.tier_names]
        standings += [(f"list ‘{label(name)}’", regime.by_list(service, name)) for name in regime.list_names]
        standings.append(("flagged by the model", regime.by_risk(service)))
        for who, treated in standings:
            if treated.rank == FIRST:
                better.setdefault("first in the queue", []).append(who)
            elif treated.is_perk:
                better.setdefault("better terms", []).append(who)
            if treated.rank == LAST:
                worse.setdefault("last in the queue", []).append(who)
            elif treated.refuse == 1:
                worse.setdefault("refused", []).append(who)
            elif treated.refuse > 0:
                worse.setdefault(f"refused {_exactly(treated.refuse)} of the time", []).append(who)
        rows.append({"name": label(service), "better": _treated(better), "worse": _treated(worse)})
    return rows


def _treated(kinds: dict[str, list[str]]) -> str:
    return "; ".join(f"{', '.join(who)}: {how}" for how, who in kinds.items())


def _remedies(regime: Regime) -> list[dict[str, Any]]:
    """Return each safeguard, whether the regime has it, and a sentence."""
    if not regime.has_score and not regime.lists:
        return []
    remedies = regime.remedies
    notice = remedies.notice.exact if remedies.notice is not None else Fraction(0)
    review = regime.recognition.review if regime.recognition is not None else None
    reviewed = review is not None and review.per_million_per_day.exact > 0
    rows = [
        _row(
            "Notice",
            notice > 0,
            f"People are told of {_exactly(notice)} of new sanctions.",
            "Nobody is told of a sanction; people find out when a service refuses them.",
        ),
        _row(
            "Appeal",
            remedies.appeal is not None,
            _appeal(remedies.appeal) if remedies.appeal is not None else "",
            "There is no way to contest a sanction.",
        ),
        _row(
            "Pause during an appeal",
            remedies.appeal is not None and remedies.appeal.suspends,
            "A sanction is suspended until the appeal is decided.",
            "A sanction stays in force whatever is pending.",
        ),
        _row(
            "Correction",
            remedies.correction is not None and remedies.correction.exact > 0,
            f"Who knows of a false entry has it put right at a rate of {_rate(remedies.correction)}.",
            "False entries are not put right.",
        ),
    ]
    if regime.lists:
        rows.append(_row("End of a listing", True, "A stay on a list ends by itself after the time given above.", ""))
    if regime.has_score:
        rows += _score_remedies(regime)
    if regime.recognition is not None:
        rows.insert(
            3,
            _row(
                "Human review of matches",
                reviewed,
                f"{decimal(float(review.per_million_per_day.exact)) if review else ''} matches a day per million "
                "people are looked at before they enter the file.",
                "Nobody looks at a match before it enters the file.",
            ),
        )
    return rows


def _score_remedies(regime: Regime) -> list[dict[str, Any]]:
    """Return the safeguards that only a score can have."""
    repair, expiry = regime.remedies.repair, regime.remedies.expiry
    return [
        _row(
            "Repair",
            repair is not None and repair.rate.exact > 0,
            f"Who is sanctioned can make good at a rate of {_rate(repair and repair.rate)}, for "
            f"{repair.points.value if repair else 0} points each time.",
            "Points cannot be earned back by making good, beyond the ordinary rewards.",
        ),
        _row(
            "Expiry of records",
            expiry is not None,
            f"Records leave the score after {expiry.value if expiry else ''}.",
            "Records never leave the score.",
        ),
        _row(
            "Wall between contexts",
            regime.context_wall,
            "A record only counts for services of its own kind.",
            "A record of any kind counts for every service.",
        ),
    ]


def _row(name: str, exists: bool, there: str, missing: str) -> dict[str, Any]:
    return {"name": name, "exists": exists, "text": there if exists else missing}


def _rate(rate: Any) -> str:
    return "" if rate is None else f"{decimal(float(rate.exact))} a {rate.per}"


def _appeal(appeal: Appeal) -> str:
    learns = "a notice" if appeal.learns == "notice" else "a refusal"
    reviewers, cases = (decimal(float(x.exact)) for x in (appeal.reviewers_per_million, appeal.cases_per_reviewer_day))
    return (
        f"Within {appeal.deadline.value} of {learns}. {reviewers} reviewers per million people decide {cases} cases a "
        f"day each, at the earliest after {appeal.decision.value}; an error is found in "
        f"{_exactly(appeal.finds_error.exact)} of the cases that have one."
    )


def channel(name: str) -> str:
    """Write how an act comes to the notice of the system."""
    return _CHANNELS.get(name, label(name))
