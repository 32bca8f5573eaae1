"""`cameras.allocation`: whether cameras stay where they are, or follow what they find."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from underheaven.reading import Count, Duration, Finding, Findings, Section, passed
from underheaven.regime.units import PerExchange

if TYPE_CHECKING:
    from underheaven.institutions.patrols import Patrols
    from underheaven.regime.schema import Regime
    from underheaven.world.schema import World


class Allocation(Section):
    """Where cameras go at each exchange.

    `even`: nowhere.  `by-records`: to counties in proportion to the acts that cameras found there.
    `by-records-corrected`: the same, but each found act counts with the inverse of the share of acts in view.
    `by-truth`: in proportion to the acts done; no system could, it is a yardstick.  `hot-spots`: to those with most
    found acts per person.  Counts fade with `half_life`; without one they never do.
    """

    rule: Literal["even", "by-records", "by-records-corrected", "by-truth", "hot-spots"]
    moves: PerExchange | None = None
    half_life: Duration | None = None
    hot_spots: Count | None = None

    @model_validator(mode="after")
    def _check(self) -> Allocation:
        return passed(self, _allocation)


def _allocation(found: Allocation) -> Findings:
    """Check that a rule has the numbers that it goes by, and no others."""
    rule, half_life = found.rule, found.half_life
    if rule == "even":
        for key in ("moves", "half_life", "hot_spots"):
            if getattr(found, key) is not None:
                yield Finding((key,), f"under `even` no camera moves, so there is no `{key}`; take it out")
        return
    if found.moves is None:
        example = "moves: {value: 0.2, per: exchange, ...}"
        yield Finding((), f"`{rule}` does not say what share of the cameras it moves; write `{example}`")
    if half_life is not None and half_life.days < 1:
        yield Finding(("half_life", "value"), "this is less than a day; write at least `1 day`, or leave it out")
    if rule != "hot-spots":
        if found.hot_spots is not None:
            text = f"`{rule}` has no hot spots; take `hot_spots` out, or write `rule: hot-spots`"
            yield Finding(("hot_spots",), text)
    elif found.hot_spots is None:
        yield Finding((), "`hot-spots` does not say how many there are; write `hot_spots: {value: 3, ...}`")
    elif found.hot_spots.value < 1:
        yield Finding(("hot_spots", "value"), "cameras need a place to go to; write 1 or more")


def compile_patrols(regime: Regime, world: World) -> Patrols | None:
    """Return the rule of a regime as an institution; None where the file has no `allocation`."""
    from underheaven.institutions.patrols import Patrols  # brings NumPy, which reading a file does without
    from underheaven.life.tables import UNIT
    from underheaven.rng import threshold

    rules = None if regime.cameras is None else regime.cameras.allocation
    if rules is None:
        return None
    half_life = None if rules.half_life is None else rules.half_life.days
    return Patrols(
        rule=rules.rule,
        moves=0 if rules.moves is None else threshold(rules.moves.exact),
        keep=UNIT if half_life is None else int(math.exp2(-world.exchange_days / half_life) * UNIT),
        hot_spots=0 if rules.hot_spots is None else rules.hot_spots.value,
        acts=tuple(
            act.stream for name, act in world.acts.items() if act.channel == "camera" and name in regime.act_names
        ),
    )
