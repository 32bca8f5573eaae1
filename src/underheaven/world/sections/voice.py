"""Whom words reach, and what officials do when nobody makes their wrongs public."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from underheaven.reading import Count, Duration, Factor, Finding, Findings, Number, Section, did_you_mean, one_of

if TYPE_CHECKING:
    from underheaven.world.schema import World

MAX_AUDIENCE = 1_000_000
MAX_LAG_WINDOWS = 520
LONGEST_DAYS = 100 * 365


class Audience(Section):
    """How many people words reach, and through which service; where that is refused to her, nobody."""

    people: Count
    through: str


class Officials(Section):
    """The wrongdoing of officials, by county, in units of its level at the start.

    Unwatched it goes back to the level `unwatched`, by the fraction 1/`creep` a day.  Each act `exposed_by` that
    reaches the public lowers it, after `lag`, by the share `deterrence` if there is one for 100,000 people.
    """

    exposed_by: str
    unwatched: Factor
    creep: Duration
    deterrence: Number
    lag: Duration


def check_voice(found: World) -> Findings:
    """Check that services and acts exist, that only words have an audience, and that the numbers have sense."""
    for name, act in found.acts.items():
        if act.audience is None:
            continue
        at = ("acts", name, "audience")
        if not act.speech:
            yield Finding(at, f"'{name}' says nothing to anybody; write `speech: true`, or take `audience` out")
        yield from _known((*at, "through"), act.audience.through, found.services, "service")
        if act.audience.people.value > MAX_AUDIENCE:
            text = f"{act.audience.people.value} is too many; write at most {MAX_AUDIENCE:,}"
            yield Finding((*at, "people"), text)
    officials = found.officials
    if officials is None:
        return
    yield from _known(("officials", "exposed_by"), officials.exposed_by, found.acts, "act")
    if officials.unwatched.exact < 1 or officials.unwatched.exact > 100:
        text = "wrongdoing starts at 1 and cannot do with less when nobody watches; write a number within 1 .. 100"
        yield Finding(("officials", "unwatched"), text)
    if not 0 <= officials.deterrence.exact < 1:
        text = f"{officials.deterrence.value} is no share; write a number from 0 to below 1"
        yield Finding(("officials", "deterrence"), text)
    if not 1 <= officials.creep.days <= LONGEST_DAYS:
        yield Finding(
            ("officials", "creep"), f"{officials.creep.value} is no length of it; write `1 day` to `100 years`"
        )
    if officials.lag.days > MAX_LAG_WINDOWS * found.exchange_days:
        text = f"{officials.lag.value} is too long; write at most {MAX_LAG_WINDOWS} times `exchange_days`"
        yield Finding(("officials", "lag"), text)


def _known(at: tuple[str, ...], name: str, names: Mapping[str, Any], what: str) -> Findings:
    if name not in names:
        guess = did_you_mean(name, tuple(names))
        mend = f"did you mean '{guess}'?" if guess else f"write one of {one_of(tuple(names))}"
        yield Finding(at, f"'{name}' is no {what} here; {mend}")
