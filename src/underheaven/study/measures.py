"""What is compared between two runs: counters, what they are taken per, and whether more of it is worse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from underheaven.study.words import label

if TYPE_CHECKING:
    from underheaven.study.counts import Counts

PEOPLE = "per 1,000 people"
DAYS = "days per person and year"
TIMES = "per 1,000 people and year"
VISIT = "minutes per visit"

_FACTORS = {PEOPLE: 1_000.0, DAYS: 365.0, TIMES: 365_000.0, VISIT: 1.0}


@dataclass(frozen=True)
class Measure:
    """One figure that two runs are compared by.

    Parameters
    ----------
    id, section, title : what it is called
    counters : added up
    per : one of PEOPLE, DAYS, TIMES, VISIT
    below : counters of the denominator; none: people, or the days that they lived
    harm : 1 if more is worse for people, -1 if better, 0 if neither
    is_always_shown : also where both runs have counted nothing
    """

    id: str
    section: str
    title: str
    counters: tuple[str, ...]
    per: str
    below: tuple[str, ...] = ()
    harm: int = 0
    is_always_shown: bool = False

    @property
    def factor(self) -> float:
        """What a ratio is multiplied by to be in the unit `per`."""
        return _FACTORS[self.per]

    @property
    def is_over_time(self) -> bool:
        """Tell whether it is taken per day lived."""
        return self.per in (DAYS, TIMES)


def measures(baseline: Counts, other: Counts) -> list[Measure]:
    """Return all that two runs can be compared by, in the order of the page."""
    found = [
        Measure("sanctioned", "sanctions", "People sanctioned", ("people_sanctioned",), PEOPLE, (), 1, True),
        Measure(
            "wrongly_sanctioned", "sanctions", "People wrongly sanctioned", ("people_wrongly_sanctioned",), PEOPLE,
            (), 1, True,
        ),
        Measure(
            "innocent_sanctioned", "sanctions", "People sanctioned for nothing they did",
            ("people_innocent_sanctioned",), PEOPLE, (), 1, True,
        ),
        Measure("sanction_days", "sanctions", "Days under a sanction", ("sanction_days",), DAYS, (), 1, True),
        Measure(
            "wrongful_sanction_days", "sanctions", "Days under a wrongful sanction", ("wrongful_sanction_days",), DAYS,
            (), 1, True,
        ),
        Measure(
            "innocent_sanction_days", "sanctions", "Sanction days of people who did nothing",
            ("innocent_sanction_days",), DAYS, (), 1,
        ),
        Measure("suspended_days", "sanctions", "Days on which a sanction was suspended", ("suspended_days",), DAYS),
        Measure("risk_flags", "sanctions", "Times somebody was flagged by a risk score", ("risk_flags",), TIMES, (), 1),
        Measure(
            "risk_alone_days", "sanctions", "Days under a sanction for a flag alone", ("risk_alone_days",), DAYS, (), 1
        ),
        Measure("lowest_tier", "sanctions", "People ever in the lowest grade", ("people_lowest_tier",), PEOPLE, (), 1),
    ]  # fmt: skip
    found += _services(baseline)
    found += _files(baseline, other)
    return found + _waits(baseline, other)


def _services(counts: Counts) -> list[Measure]:
    names = [service["name"] for service in counts.services]
    found = [
        Measure("refused", "services", "Uses refused, all services", _each("refused", names), TIMES, (), 1, True),
        Measure(
            "wrongly_refused", "services", "Of them wrongly", _each("wrongly_refused", names), TIMES, (), 1
        ),
        Measure(
            "people_wrongly_refused", "services", "People ever wrongly refused", ("people_wrongly_refused",), PEOPLE,
            (), 1,
        ),
    ]  # fmt: skip
    for name in names:
        said = label(name)
        found += [
            Measure(f"refused/{name}", "services", f"Uses refused: {said}", (f"refused/{name}",), TIMES, (), 1),
            Measure(f"people_refused/{name}", "services", f"People ever refused: {said}", (f"people_refused/{name}",),
                    PEOPLE, (), 1),
            Measure(f"perk/{name}", "services", f"Better terms given: {said}", (f"perk/{name}",), TIMES, (), -1),
        ]  # fmt: skip
    return found


def _files(baseline: Counts, other: Counts) -> list[Measure]:
    acts = [act["name"] for act in baseline.acts]
    found = [
        Measure("false_records", "files", "False entries in the file", _each("false_records", acts), TIMES, (), 1),
        Measure("false_match_records", "files", "Of them from faces", ("false_match_records",), TIMES, (), 1),
        Measure("false_link_records", "files", "Of them from registers", ("false_link_records",), TIMES, (), 1),
        Measure(
            "people_with_false_record", "files", "People with a false entry held against them",
            ("people_with_false_record",), PEOPLE, (), 1,
        ),
        Measure("recorded", "files", "True entries in the file", _each("recorded", acts), TIMES),
    ]  # fmt: skip
    for name in dict.fromkeys([*baseline.lists, *other.lists]):
        said = label(name)
        found += [
            Measure(f"listings/{name}", "files", f"Listings: {said}", (f"listings/{name}",), TIMES, (), 1),
            Measure(f"wrongful_listings/{name}", "files", f"Of them wrongful: {said}", (f"wrongful_listings/{name}",),
                    TIMES, (), 1),
            Measure(f"listed_days/{name}", "files", f"Days on the list: {said}", (f"listed_days/{name}",), DAYS, (), 1),
        ]  # fmt: skip
    found += [
        Measure("aware", "files", "People who know that there is such a system", ("people_aware",), PEOPLE),
        Measure("repression_known", "files", "People who have heard what it represses", ("people_heard_repression",),
                PEOPLE),
    ]  # fmt: skip
    remedies = {
        "notices": "Notices of a sanction",
        "appeals": "Appeals filed",
        "appeals_won": "Appeals won",
        "corrections": "Files corrected",
        "repairs": "Repairs",
    }
    return found + [Measure(key, "files", title, (key,), TIMES) for key, title in remedies.items()]


def _waits(baseline: Counts, other: Counts) -> list[Measure]:
    def tiers(counts: Counts) -> list[str]:
        return [*counts.tiers, "everybody"]

    every = list(dict.fromkeys([*tiers(baseline), *tiers(other)]))
    found = [
        Measure("wait", "waits", "Wait at the hospital, all visits", _each("wait_minutes", every), VISIT,
                _each("visits", every), 1)
    ]  # fmt: skip
    for tier in [tier for tier in every if tier != "everybody"]:
        title = f"Wait of people in grade {tier}"
        found.append(Measure(f"wait/{tier}", "waits", title, (f"wait_minutes/{tier}",), VISIT, (f"visits/{tier}",), 1))
    return found


def _each(what: str, names: list[str]) -> tuple[str, ...]:
    return tuple(f"{what}/{name}" for name in names)
