"""Awareness: who knows of the system, and who of what it represses; what a regime file says, and its tables."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, model_validator

from underheaven.life.opinion import OPINION
from underheaven.life.tables import record
from underheaven.reading import Finding, Findings, Number, Per, Prob, Rate, Section, passed
from underheaven.rng import threshold

if TYPE_CHECKING:
    from underheaven.regime.schema import Regime
    from underheaven.world.schema import World

PerPerson = Annotated[Prob, AfterValidator(Per("person"))]


class Awareness(Section):
    """What people know of the system: at the start, and by the press.

    `press` is how often news of the system reaches a person.  Half of it is critical; `censorship` is the share
    of that half that is held back.  `framing` is what the other half speaks of: public order, or nothing in
    particular.
    """

    known: PerPerson
    press: Rate
    censorship: Number
    framing: Literal["none", "order"] = "none"

    @model_validator(mode="after")
    def _check(self) -> Awareness:
        return passed(self, _awareness)


def _awareness(found: Awareness) -> Findings:
    if not 0 <= found.censorship.exact <= 1:
        text = f"{found.censorship.text()} is no share of the critical half of the press; write a number within 0 .. 1"
        yield Finding(("censorship", "value"), text)
    if found.press.per_day > 1:
        text = f"news {float(found.press.per_day):g} times a day is more than a person meets; write at most 1 per day"
        yield Finding(("press", "value"), text)


def check(regime: Regime) -> Iterator[Finding]:
    """Check what awareness demands of the rest of the file: something to be aware of."""
    if regime.awareness is not None and not (regime.has_score or regime.lists or regime.fines):
        text = "nobody can know of a file that is not kept; write a score, a list or fines, or take `awareness` out"
        yield Finding(("awareness",), text)


def put_awareness(rules: NDArray[np.void], regime: Regime, world: World) -> None:
    """Fill in what the loop needs; without the section everything stays 0."""
    found, tables = regime.awareness, rules[0]
    if found is None:
        return
    tables["awareness"] = 1
    tables["known"] = threshold(found.known.exact)
    tables["press"] = threshold(1 - (1 - found.press.per_day) ** world.exchange_days)
    tables["censorship"] = threshold(found.censorship.exact)


def opinion_table(regime: Regime, world: World) -> NDArray[np.void] | None:
    """Return what approval is made of, OPINION[1]; None where the regime or the world says nothing of it."""
    from underheaven.world.schema import TRAITS

    found = world.opinion
    if regime.awareness is None or found is None:
        return None
    table = record(OPINION)
    row: Any = table[0]
    for key in ("base", "spread", "perk", "sanction", "repression"):
        row[key] = getattr(found, key).value
    row["order_framing"] = found.order_framing.value if regime.awareness.framing == "order" else 0
    row["n_varies"] = len(found.varies)
    for slot, (trait, levels) in enumerate(found.varies.items()):
        shift, bits, _ = TRAITS[trait]
        row["shift"][slot], row["mask"][slot] = shift, (1 << bits) - 1
        for number, level in enumerate(world.levels[trait]):
            row["points"][slot, number] = int(levels.exact.get(level, Fraction(0)))
    return table
