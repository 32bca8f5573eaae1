"""The measured harms of a run: what was counted, as whole numbers and exact ratios.

Nothing is modelled here a second time.  Every figure is a counter of the run, or a ratio of two counters that
keeps its numerator and its denominator.  A ratio whose denominator is 0 is None, "not measurable", never 0.

A share of people comes with Wilson's 95% interval (Wilson 1927, "Probable inference, the law of succession,
and statistical inference", JASA 22, 209-212).  A run is one draw of a population from its world; the interval
says how far another draw (another seed) may lie from it, if people were independent of each other.  It says
nothing about whether the model is right.  Shares of days or of records have no interval: the days of one
person are not independent of each other.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

if TYPE_CHECKING:
    import pyarrow as pa

    from underheaven.store import Run

FORMAT = "underheaven-audit/1"
STRATUM = ("group", "sex", "age", "income")
RANKS = ("first", "normal", "last")

Z_95 = 1.959963984540054  # the 97.5% point of the normal distribution


def audit(run: Run) -> dict[str, Any]:
    """Return the measured harms of a run, ready for JSON.

    Parameters
    ----------
    run : Run, complete

    Returns
    -------
    dict with `findings` (the headline, each with id, title, value, unit and text), `strata`, `fairness`,
    `services`, `acts`, `tiers`, `lists`, `records`, `appeals`, `hospital`, `behaviour`

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
        "strata": {trait: _strata(counts, trait) for trait in STRATUM}
        | {"group_income": _strata(counts, "group", "income")},
    }
    found["fairness"] = {trait: _fairness(found["strata"][trait]) for trait in STRATUM}
    return {"findings": _findings(found), **found}


# What is counted ------------------------------------------------------------------------------------------------------


class Counts:
    """The counters of one run, added up as a question needs them.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        manifest = run.manifest
        self.run = run
        self.days = int(manifest["days"])
        self.acts: list[dict[str, Any]] = manifest["acts"]
        self.services: list[dict[str, Any]] = manifest["services"]
        self.tiers: list[str] = manifest["tiers"]
        self.lists: list[str] = manifest["lists"]
        self.levels: dict[str, list[Any]] = {
            **{trait: list(manifest["levels"][trait]) for trait in ("group", "sex", "age")},
            "income": list(range(1, 11)),
        }
        self._people: dict[tuple[Any, ...], int] = {}
        for row in _added(run.table("people"), STRATUM, "people"):
            self._people[tuple(row[trait] for trait in STRATUM)] = row["people"]
        self._amounts: dict[tuple[Any, ...], dict[str, int]] = defaultdict(dict)
        for row in _added(run.table("counts_stratum"), (*STRATUM, "counter"), "amount"):
            self._amounts[tuple(row[trait] for trait in STRATUM)][row["counter"]] = row["amount"]
        self._totals: dict[str, int] = defaultdict(int)
        for amounts in self._amounts.values():
            for counter, amount in amounts.items():
                self._totals[counter] += amount
        self.people = sum(self._people.values())
        self.people_days = self.people * self.days

    @property
    def keeps_file(self) -> bool:
        """Tell whether the regime has a score or a list."""
        return bool(self.tiers or self.lists)

    def total(self, counter: str) -> int:
        """Return what a counter has added up in the whole run; 0 if nothing was counted."""
        return self._totals.get(counter, 0)

    def sum(self, what: str, names: Iterable[str]) -> int:
        """Return the total of ``what/name`` over names."""
        return sum(self.total(f"{what}/{name}") for name in names)

    def by(self, *traits: str) -> dict[tuple[Any, ...], dict[str, int]]:
        """Return the counters of each level of some traits, `people` among them, in the order of the levels.

        Levels that nobody has are left out.
        """
        at = [STRATUM.index(trait) for trait in traits]
        found: dict[tuple[Any, ...], dict[str, int]] = {}
        for stratum, people in self._people.items():
            row = found.setdefault(tuple(stratum[i] for i in at), defaultdict(int))
            row["people"] += people
            for counter, amount in self._amounts.get(stratum, {}).items():
                row[counter] += amount
        order = [{level: place for place, level in enumerate(self.levels[trait])} for trait in traits]
        return dict(
            sorted(found.items(), key=lambda item: [o.get(level, 99) for o, level in zip(order, item[0], strict=True)])
        )

    def windows(self, counters: Iterable[str], most: int = 60) -> list[dict[str, int]]:
        """Return counters over time: rows with `start_day`, `days` and each counter, at most `most` of them.

        In long runs neighbouring windows are added together; a last one of less than half the days joins the one
        before it, so that no row is all noise.
        """
        wanted = list(counters)
        table = _only(self.run.table("counts_county"), "counter", wanted)
        spans = self._spans()
        each = -(-len(spans) // most)
        parts = [spans[i : i + each] for i in range(0, len(spans), each)]
        if len(parts) > 1 and 2 * sum(days for _, days in parts[-1]) < sum(days for _, days in parts[0]):
            parts[-2:] = [parts[-2] + parts[-1]]
        rows = [
            {"start_day": part[0][0], "days": sum(days for _, days in part)} | dict.fromkeys(wanted, 0)
            for part in parts
        ]
        place = {start: row for row, part in zip(rows, parts, strict=True) for start, _ in part}
        for row in _added(table, ("start_day", "counter"), "amount"):
            place[row["start_day"]][row["counter"]] += row["amount"]
        return rows

    def counties(self, counters: Iterable[str]) -> dict[str, dict[str, int]]:
        """Return the totals of counters by county name."""
        wanted = list(counters)
        found = {county["name"]: dict.fromkeys(wanted, 0) for county in self.run.manifest["counties"]}
        for row in _added(_only(self.run.table("counts_county"), "counter", wanted), ("county", "counter"), "amount"):
            found[row["county"]][row["counter"]] += row["amount"]
        return found

    def _spans(self) -> list[tuple[int, int]]:
        """Return (first day, days) of every window."""
        step = int(self.run.manifest["exchange_days"])
        return [(start, min(step, self.days - start)) for start in range(0, self.days, step)]

    def waits_by_rank(self) -> dict[str, int]:
        """Return the minutes waited in each class of the queue, all visits together.

        A visit waits as long as the hospitals handed out for its county and window, so the sum is exact.
        """
        stored = self.run.table("exchange/tables")
        stored = stored.filter(pc.equal(stored["name"], "wait_minutes")).sort_by("day")
        handed = {row["day"]: np.frombuffer(row["data"], "<i8").reshape(row["shape"]) for row in stored.to_pylist()}
        number = {county["name"]: i for i, county in enumerate(self.run.manifest["counties"])}
        table = _only(self.run.table("counts_county"), "counter", [f"visits_ranked/{rank}" for rank in RANKS])
        waited = dict.fromkeys(RANKS, 0)
        days, at, minutes = sorted(handed), 0, None
        for row in sorted(table.to_pylist(), key=lambda row: row["start_day"]):
            while at < len(days) and days[at] <= row["start_day"]:
                minutes, at = handed[days[at]], at + 1
            if minutes is not None:
                place = number[row["county"]] if len(minutes) > 1 else 0
                rank = row["counter"].split("/", 1)[1]
                waited[rank] += row["amount"] * int(minutes[place, RANKS.index(rank)])
        return waited


def _added(table: pa.Table, keys: Sequence[str], value: str) -> list[dict[str, Any]]:
    """Return the sums of a column by keys, as rows."""
    rows: list[dict[str, Any]] = table.group_by(list(keys)).aggregate([(value, "sum")]).to_pylist()
    for row in rows:
        row[value] = row.pop(f"{value}_sum")
    return rows


def _only(table: pa.Table, column: str, wanted: Sequence[str]) -> pa.Table:
    """Return the rows of a table whose label is wanted."""
    import pyarrow as pa

    labels = table[column].cast(pa.string())
    return table.filter(pc.is_in(labels, value_set=pa.array(list(wanted), pa.string())))


# Ratios ---------------------------------------------------------------------------------------------------------------


def ratio(numerator: int, denominator: int) -> dict[str, Any]:
    """Return an exact ratio; its value is None, "not measurable", if the denominator is 0."""
    value = None if denominator == 0 else numerator / denominator
    return {"numerator": numerator, "denominator": denominator, "value": value}


def share(part: int, people: int) -> dict[str, Any]:
    """Return a share of people with its 95% interval; None throughout if there is nobody to have a share of."""
    low, high = wilson(part, people) if people > 0 else (None, None)
    return ratio(part, people) | {"low": low, "high": high}


def wilson(part: int, whole: int, z: float = Z_95) -> tuple[float, float]:
    """Return Wilson's score interval of a binomial share.

    Parameters
    ----------
    part, whole : int, 0 <= part <= whole, whole > 0
    z : float, normal quantile

    Returns
    -------
    (low, high) : float, within 0 .. 1

    Notes
    -----
    Wilson 1927.  Unlike the usual p ± z·s it is not empty at 0 and at 1.
    """
    p = part / whole
    middle = p + z * z / (2 * whole)
    spread = z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    scale = 1 + z * z / whole
    low, high = (middle - spread) / scale, (middle + spread) / scale
    return max(0.0, low) if part > 0 else 0.0, min(1.0, high) if part < whole else 1.0


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
        for channel in ("camera", "register", "report")
    }
    against_true, against_false = counts.sum("recorded", against), counts.sum("false_records", against)
    return {
        "entries": true + false,
        "true": true,
        "false": false,
        "false_share": ratio(false, true + false),
        "false_by_face_match": face,
        "false_by_register_link": link,
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
    filed, won, lost = (counts.total(name) for name in ("appeals", "appeals_won", "appeals_lost"))
    return {
        "notices": counts.total("notices"),
        "filed": filed,
        "filed_per_sanctioned": ratio(filed, counts.total("people_sanctioned")),
        "won": won,
        "lost": lost,
        "pending": filed - won - lost,
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
            for tier in counts.tiers or ["everybody"]
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


_COMPARED = ("selection_rate", "wrongful_sanction_rate", "false_discovery_rate", "innocent_sanction_rate")


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


# Words ----------------------------------------------------------------------------------------------------------------

NOT_MEASURABLE = "not measurable"


def whole(number: int | None) -> str:
    """Write a whole number with thousands separators."""
    return NOT_MEASURABLE if number is None else f"{number:,}"


def decimal(number: float | None, digits: int = 3) -> str:
    """Write a number with so many significant digits, and thousands separators."""
    if number is None:
        return NOT_MEASURABLE
    if number == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(number))))
    text = f"{number:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(value: float | None) -> str:
    """Write a share in percent: one decimal from 1% on, two significant digits below."""
    if value is None:
        return NOT_MEASURABLE
    hundred = 100 * value
    if hundred == 0 or hundred == 100:
        return f"{hundred:.0f}%"
    if 1 <= hundred < 99.95:
        return f"{hundred:.1f}%"
    return f"{decimal(hundred, 2)}%" if hundred < 1 else "almost 100%"


def plural(number: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun."""
    return f"{whole(number)} {one if number == 1 else many or one + 's'}"


def label(name: str) -> str:
    """Write a name of a file in plain words; 18-29 is a range and stays one."""
    return name.replace("-", "–" if name[:1].isdigit() else " ")


def _between(found: Mapping[str, Any]) -> str:
    """Write the interval of a share."""
    return f"95% interval {percent(found['low'])} to {percent(found['high'])}"


def _finding(id: str, title: str, value: float | None, unit: str, text: str, **more: Any) -> dict[str, Any]:
    if value is None:
        unit = NOT_MEASURABLE
    return {"id": id, "title": title, "value": value, "unit": unit, "text": text, **more}


def _findings(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the headline figures, each with one plain sentence."""
    findings = [_people_finding(found)]
    if found["keeps_file"]:
        findings += [*_sanction_findings(found), *_refusal_findings(found), *_standing_findings(found)]
    return [*findings, *_life_findings(found)]


def _people_finding(found: Mapping[str, Any]) -> dict[str, Any]:
    people = found["people"]
    if not found["keeps_file"]:
        text = (
            f"There is no score and no list, so none of the {whole(people)} people has a file "
            "and nobody can be sanctioned by one."
        )
        return _finding("people_scored", "Nobody has a file", 0, "people", text)
    if not found["has_score"]:
        text = f"There is no score; all {whole(people)} adults can be put on a list."
        return _finding("people_scored", "People who can be listed", people, "people", text)
    text = f"Every one of the {whole(people)} adults has a score from the first day."
    return _finding("people_scored", "People with a score", people, "people", text)


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
        _finding("people_sanctioned", "People sanctioned", ever["people"], "people", sanctioned, share=rate),
        _finding("wrongly_sanctioned", "Wrongly sanctioned", ever["wrongly"], "people", wrongly, share=wrong),
        _finding(
            "innocent_share",
            "Sanctioned for nothing they did",
            innocent["value"],
            "share",
            of_sanctioned,
            share=innocent,
        ),
        _finding("sanction_days", "Days under sanction", days["days"], "days", lost),
        _finding(
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
            f"Most of them for {label(worst['name'])}: {whole(worst['refused'])} refusals to "
            f"{plural(worst['people_refused'], 'person', 'people')}. {percent(refused['wrongly_share']['value'])} of "
            "all refusals were wrongful."
        )
    people = refused["people_wrongly"]
    hit = f"They were turned away at least once when a file without errors would have let them in ({_between(people)})."
    return [
        _finding("refused_transactions", "Services refused", refused["transactions"], "times", text),
        _finding("people_wrongly_refused", "Wrongly refused", people["numerator"], "people", hit, share=people),
    ]


def _standing_findings(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    lowest, records, group = found["lowest_tier"], found["records"], found["strata"]["group"]
    if lowest is None:
        stuck = _finding(
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
        stuck = _finding(
            "lowest_tier", "In the lowest grade", lowest["people"]["numerator"], "people", text, share=lowest["people"]
        )
    against = records["against_people_false_share"]
    text = (
        f"Of {plural(records['against_people'], 'entry', 'entries')} held against people, "
        f"{whole(records['against_people_false'])} describe what somebody else did. In the whole file, "
        f"{whole(records['false_by_face_match'])} false entries come from faces and "
        f"{whole(records['false_by_register_link'])} from registers."
        if records["against_people"]
        else "No entry was held against anybody."
    )
    return [
        stuck,
        _finding("false_records", "False entries held against people", against["value"], "share", text, share=against),
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
        return _finding("group_gap", title, None, "times", f"Not measurable as a ratio: {why}.")
    (low, least), (high, most) = rated[0], rated[-1]
    text = (
        f"{percent(high)} of the group ‘{label(most['group'])}’ were wrongly sanctioned, against {percent(low)} of the "
        f"group ‘{label(least['group'])}’."
    )
    if most["wrongful_sanction_rate"]["low"] <= least["wrongful_sanction_rate"]["high"]:
        text += " Their 95% intervals overlap, so this may be chance."
    return _finding("group_gap", title, high / low, "times", text)


def _life_findings(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    findings = []
    if found["keeps_file"]:
        behaviour, appeals = found["behaviour"], found["appeals"]
        speech = behaviour["silenced_speech_share"]
        names = " and ".join(label(act["name"]) for act in found["acts"] if act["speech"])
        said = (
            f"{percent(speech['value'])} of all acts of speech ({names}) were left undone for fear of the file."
            if speech["value"] is not None
            else "There was nothing to say, or nobody who would have said it."
        )
        findings.append(
            _finding(
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
        findings.append(_finding("gamed", "Done for the points", behaviour["gamed"], "times", text))
        decided = appeals["won"] + appeals["lost"]
        if not appeals["filed"]:
            text = "Nobody filed an appeal."
        else:
            text = (
                f"{whole(appeals['won'])} of {whole(decided)} decided were won; a decision took "
                f"{decimal(appeals['wait_days']['value'])} days on average."
            )
        findings.append(_finding("appeals", "Appeals", appeals["filed"], "times", text))
    return [*findings, _hospital_finding(found["hospital"])]


#: A mean of fewer visits is told with their number, and is no headline.
FEW_VISITS = 30


def _hospital_finding(hospital: Mapping[str, Any]) -> dict[str, Any]:
    ranks = {row["rank"]: row for row in hospital["by_rank"] if row["visits"]}
    if list(ranks) in ([], ["normal"]):
        visits = sum(row["visits"] for row in ranks.values())
        wait = ranks["normal"]["wait_minutes"]["value"] if ranks else None
        text = f"Everybody waits in one queue; {plural(visits, 'visit')} in all."
        return _finding("hospital_wait", "Wait at the hospital", wait, "minutes", text)
    parts = []
    for rank, words in (("first", "let in first"), ("normal", "in the normal queue"), ("last", "put last")):
        if rank in ranks:
            visits, wait = ranks[rank]["visits"], ranks[rank]["wait_minutes"]["value"]
            few = f" (only {plural(visits, 'visit')})" if visits < FEW_VISITS else ""
            parts.append(f"{decimal(wait)} minutes for people {words}{few}")
    enough = [row["wait_minutes"]["value"] for row in ranks.values() if row["visits"] >= FEW_VISITS]
    text = "On average " + ", ".join(parts) + "."
    return _finding("hospital_wait", "Longest mean wait at the hospital", max(enough, default=None), "minutes", text)
