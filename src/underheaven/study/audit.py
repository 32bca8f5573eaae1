"""The measured harms of a run: what was counted, as whole numbers and exact ratios.

Nothing is modelled here a second time: every figure is read from the counters of the run, and
:mod:`underheaven.study.counts` says what a ratio and its interval mean.  The headline figures and their
sentences are made of these figures in :mod:`underheaven.study.findings`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from underheaven.study.abuse import KINDS, abuse_of
from underheaven.study.association import association
from underheaven.study.awareness import awareness
from underheaven.study.counts import RANKS, STRATUM, Counts, ratio, share
from underheaven.study.demands import demands_part
from underheaven.study.findings import findings
from underheaven.study.firms import firms
from underheaven.study.patrols import patrols
from underheaven.study.peers import peers
from underheaven.study.risk import risk
from underheaven.study.voice import voice_of

if TYPE_CHECKING:
    from underheaven.store import Run

FORMAT = "underheaven-audit/1"

_COMPARED = ("selection_rate", "wrongful_sanction_rate", "false_discovery_rate", "innocent_sanction_rate")


def audit(run: Run) -> dict[str, Any]:
    """Return the measured harms of a run, ready for JSON.

    Parameters
    ----------
    run : Run, complete

    Returns
    -------
    dict with `findings` (the headline, each with id, title, value, unit and text), `strata`, `fairness`,
    `services`, `acts`, `tiers`, `lists`, `records`, `appeals`, `hospital`, `behaviour`, and `peers`, `association`,
    `demands`, `cameras`, `awareness`, `abuse`, `risk`, `firms` and `voice` (None without)

    Notes
    -----
    Draws: none.  Whole numbers stay whole; a ratio is ``{numerator, denominator, value}``, a share of people
    has `low` and `high` beside them.
    """
    counts = Counts(run)
    found: dict[str, Any] = {
        "format": FORMAT,
        "regime": run.manifest["regime"],
        "world": run.manifest["world"],
        "seed": run.manifest["seed"],
        "days": run.manifest["days"],
        "people": counts.people,
        "people_days": counts.people_days,
        "has_score": bool(counts.tiers),
        "keeps_file": counts.keeps_file,
        "interval": "Wilson, 95%, one seed: other draws of the population, not the error of the model",
        "people_sanctioned": _sanctioned(counts),
        "sanction_days": _sanction_days(counts),
        "services": _services(counts),
        "refused": _refused(counts),
        "lowest_tier": _lowest_tier(counts),
        "tiers": _tiers(counts),
        "lists": _lists(counts),
        "records": _records(counts),
        "behaviour": _behaviour(counts),
        "acts": _acts(counts),
        "appeals": _appeals(counts),
        "hospital": _hospital(counts),
        "peers": peers(counts),
        "association": association(counts),
        "cameras": patrols(counts),
        "risk": risk(counts),
        "firms": firms(counts),
        "demands": demands_part(run),
        "awareness": awareness(counts),
        "abuse": abuse_of(counts),
        "voice": voice_of(counts),
        "strata": {trait: _strata(counts, trait) for trait in STRATUM}
        | {"group_income": _strata(counts, "group", "income")},
    }
    found["fairness"] = {trait: _fairness(found["strata"][trait]) for trait in STRATUM}
    return {"findings": findings(found), **found}


# The parts of an audit ------------------------------------------------------------------------------------------------


def _sanctioned(counts: Counts) -> dict[str, Any]:
    sanctioned = counts.total("people_sanctioned")
    wrongly, innocent = counts.total("people_wrongly_sanctioned"), counts.total("people_innocent_sanctioned")
    return {
        "people": sanctioned,
        "selection_rate": share(sanctioned, counts.people),
        "wrongly": wrongly,
        "wrongful_sanction_rate": share(wrongly, counts.people),
        "false_discovery_rate": share(wrongly, sanctioned),
        "innocent": innocent,
        "innocent_share": share(innocent, sanctioned),
        "with_false_record": share(counts.total("people_with_false_record"), counts.people),
    }


def _sanction_days(counts: Counts) -> dict[str, Any]:
    days = counts.total("sanction_days")
    wrongful = counts.total("wrongful_sanction_days")
    innocent = counts.total("innocent_sanction_days")
    return {
        "days": days,
        "share_of_days": ratio(days, counts.people_days),
        "per_sanctioned": ratio(days, counts.total("people_sanctioned")),
        "wrongful": wrongful,
        "wrongful_share": ratio(wrongful, days),
        "innocent": innocent,
        "innocent_share": ratio(innocent, days),
        "suspended": counts.total("suspended_days"),
        "stale": counts.total("stale_days"),
    }


def _services(counts: Counts) -> list[dict[str, Any]]:
    rows = []
    for service in counts.services:
        name = service["name"]
        used, refused = counts.total(f"used/{name}"), counts.total(f"refused/{name}")
        wrongly, people = counts.total(f"wrongly_refused/{name}"), counts.total(f"people_refused/{name}")
        rows.append(
            {
                "name": name,
                "treated": bool(service["treated"]),
                "wishes": used,
                "refused": refused,
                "refused_share": ratio(refused, used),
                "wrongly_refused": wrongly,
                "wrongly_refused_share": ratio(wrongly, refused),
                "people_refused": people,
                "people_refused_share": share(people, counts.people),
                "perks": counts.total(f"perk/{name}"),
            }
        )
    return rows


def _refused(counts: Counts) -> dict[str, Any]:
    names = [service["name"] for service in counts.services]
    refused, wrongly = counts.sum("refused", names), counts.sum("wrongly_refused", names)
    return {
        "transactions": refused,
        "transactions_share": ratio(refused, counts.sum("used", names)),
        "wrongly": wrongly,
        "wrongly_share": ratio(wrongly, refused),
        # People are counted once a service; who is refused by two is in both, so no sum is made.
        "people_at_least": max((counts.total(f"people_refused/{name}") for name in names), default=0),
        "people_wrongly": share(counts.total("people_wrongly_refused"), counts.people),
    }


def _lowest_tier(counts: Counts) -> dict[str, Any] | None:
    """Return the lock-in: people ever in the lowest tier, and days there; None without two tiers."""
    if len(counts.tiers) < 2:
        return None
    lowest = counts.tiers[-1]
    days, people = counts.total(f"tier_days/{lowest}"), counts.total("people_lowest_tier")
    return {
        "tier": lowest,
        "people": share(people, counts.people),
        "days": days,
        "share_of_days": ratio(days, counts.people_days),
        "days_per_person": ratio(days, people),
        "true_days": counts.total(f"true_tier_days/{lowest}"),
    }


def _tiers(counts: Counts) -> list[dict[str, Any]]:
    return [
        {
            "name": tier,
            "days": counts.total(f"tier_days/{tier}"),
            "share_of_days": ratio(counts.total(f"tier_days/{tier}"), counts.people_days),
            "true_days": counts.total(f"true_tier_days/{tier}"),
            "true_share_of_days": ratio(counts.total(f"true_tier_days/{tier}"), counts.people_days),
            "moves_to": {other: counts.total(f"flow/{tier}/{other}") for other in counts.tiers if other != tier},
        }
        for tier in counts.tiers
    ]


def _lists(counts: Counts) -> list[dict[str, Any]]:
    rows = []
    for name in counts.lists:
        days, wrongly = counts.total(f"listed_days/{name}"), counts.total(f"wrongly_listed_days/{name}")
        listings, wrongful = counts.total(f"listings/{name}"), counts.total(f"wrongful_listings/{name}")
        rows.append(
            {
                "name": name,
                "listings": listings,
                "wrongful_listings": wrongful,
                "wrongful_share": ratio(wrongful, listings),
                "days": days,
                "wrongful_days": wrongly,
                "wrongful_days_share": ratio(wrongly, days),
                "releases": counts.total(f"releases/{name}"),
            }
        )
    return rows


def _records(counts: Counts) -> dict[str, Any]:
    names = [act["name"] for act in counts.acts]
    against = [act["name"] for act in counts.acts if act["demerit"]]
    true, false = counts.sum("recorded", names), counts.sum("false_records", names)
    face, link = counts.total("false_match_records"), counts.total("false_link_records")
    by_channel = {
        channel: counts.sum("recorded", [act["name"] for act in counts.acts if act["channel"] == channel])
        for channel in ("camera", "register", "report", "companion")
    }
    against_true, against_false = counts.sum("recorded", against), counts.sum("false_records", against)
    return {
        "entries": true + false,
        "true": true,
        "false": false,
        "false_share": ratio(false, true + false),
        "false_by_face_match": face,
        "false_by_register_link": link,
        "false_by_malice": sum(counts.total(name) for name in KINDS),
        "true_by_channel": by_channel,
        "false_share_of_camera_entries": ratio(face, face + by_channel["camera"]),
        "false_share_of_register_entries": ratio(link, link + by_channel["register"]),
        "against_people": against_true + against_false,
        "against_people_false": against_false,
        "against_people_false_share": ratio(against_false, against_true + against_false),
        "missed": counts.sum("missed", names),
        "searches": counts.total("probes"),
        "people_with_false_record": share(counts.total("people_with_false_record"), counts.people),
    }


def _behaviour(counts: Counts) -> dict[str, Any]:
    names = [act["name"] for act in counts.acts]
    speech = [act["name"] for act in counts.acts if act["speech"]]
    silenced, spoken = counts.sum("silenced", speech), counts.sum("done", speech)
    gamed, done = counts.sum("gamed", names), counts.sum("done", names)
    rewarded = [act["name"] for act in counts.acts if act["points"] > 0]
    return {
        "silenced": counts.sum("silenced", names),
        "silenced_speech": silenced,
        # What would have been said without fear: what was said and what was not.
        "silenced_speech_share": ratio(silenced, silenced + spoken),
        "done": done,
        "gamed": gamed,
        "gamed_share": ratio(gamed, counts.sum("done", rewarded)),
        "friends_heard": counts.total("friends_heard"),
    }


def _acts(counts: Counts) -> list[dict[str, Any]]:
    rows = []
    for act in counts.acts:
        name = act["name"]
        amounts = {what: counts.total(f"{what}/{name}") for what in ("done", "silenced", "gamed", "recorded", "missed")}
        false = counts.total(f"false_records/{name}")
        rows.append(
            {key: act[key] for key in ("name", "channel", "speech", "points", "matters", "demerit")}
            | amounts
            | {
                "false_records": false,
                "false_share": ratio(false, false + amounts["recorded"]),
                "silenced_share": ratio(amounts["silenced"], amounts["silenced"] + amounts["done"]),
            }
        )
    return rows


def _appeals(counts: Counts) -> dict[str, Any]:
    names = ("appeals", "appeals_won", "appeals_lost", "appeals_moot")
    filed, won, lost, moot = (counts.total(name) for name in names)
    return {
        "notices": counts.total("notices"),
        "filed": filed,
        "filed_per_sanctioned": ratio(filed, counts.total("people_sanctioned")),
        "won": won,
        "lost": lost,
        "moot": moot,
        "pending": filed - won - lost - moot,
        "won_share": ratio(won, won + lost),
        "wait_days": ratio(counts.total("appeal_wait_days"), filed),
        "corrections": counts.total("corrections"),
        "repairs": counts.total("repairs"),
        "fines": counts.total("fines"),
    }


def _hospital(counts: Counts) -> dict[str, Any]:
    waited = counts.waits_by_rank()
    return {
        "by_tier": [
            {
                "tier": tier,
                "visits": counts.total(f"visits/{tier}"),
                "wait_minutes": ratio(counts.total(f"wait_minutes/{tier}"), counts.total(f"visits/{tier}")),
            }
            for tier in [*counts.tiers, "everybody"]
            if tier != "everybody" or not counts.tiers or counts.total("visits/everybody")
        ],
        "by_rank": [
            {
                "rank": rank,
                "visits": counts.total(f"visits_ranked/{rank}"),
                "wait_minutes": ratio(waited[rank], counts.total(f"visits_ranked/{rank}")),
            }
            for rank in RANKS
        ],
    }


def _strata(counts: Counts, *traits: str) -> list[dict[str, Any]]:
    """Return the harms by level, with Fairlearn's names where it has them.

    A `false_positive_rate` would need the people who never called for a sanction, and no counter has them; so
    the share of all people (`wrongful_sanction_rate`) and of the sanctioned (`false_discovery_rate`) are given.
    """
    lowest = counts.tiers[-1] if len(counts.tiers) > 1 else None
    rows = []
    for levels, amounts in counts.by(*traits).items():
        people, sanctioned = amounts["people"], amounts["people_sanctioned"]
        wrongly, innocent = amounts["people_wrongly_sanctioned"], amounts["people_innocent_sanctioned"]
        days = people * counts.days
        rows.append(
            dict(zip(traits, levels, strict=True))
            | {
                "people": people,
                "sanctioned": sanctioned,
                "selection_rate": share(sanctioned, people),
                "wrongly_sanctioned": wrongly,
                "wrongful_sanction_rate": share(wrongly, people),
                "false_discovery_rate": share(wrongly, sanctioned),
                "innocent_sanctioned": innocent,
                "innocent_sanction_rate": share(innocent, people),
                "sanction_days": amounts["sanction_days"],
                "sanction_days_share": ratio(amounts["sanction_days"], days),
                "wrongful_sanction_days": amounts["wrongful_sanction_days"],
                "wrongful_sanction_days_share": ratio(amounts["wrongful_sanction_days"], days),
                "wrongly_refused_rate": share(amounts["people_wrongly_refused"], people),
                "false_record_rate": share(amounts["people_with_false_record"], people),
                "lowest_tier_rate": share(amounts["people_lowest_tier"], people) if lowest else None,
                "lowest_tier_days_share": ratio(amounts[f"tier_days/{lowest}"], days) if lowest else None,
            }
        )
    return rows


def _fairness(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how far apart the levels of a trait are: difference and ratio of the extreme rates."""
    found: dict[str, Any] = {}
    for metric in _COMPARED:
        rates = [row[metric]["value"] for row in rows if row[metric]["value"] is not None]
        low, high = (min(rates), max(rates)) if rates else (None, None)
        comparable = len(rates) > 1
        found[metric] = {
            "min": low,
            "max": high,
            "difference": high - low if comparable and low is not None and high is not None else None,
            "ratio": low / high if comparable and low is not None and high else None,
        }
    found["demographic_parity_difference"] = found["selection_rate"]["difference"]
    found["demographic_parity_ratio"] = found["selection_rate"]["ratio"]
    return found
