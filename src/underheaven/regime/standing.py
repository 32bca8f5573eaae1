"""What a score, its grades, a term and a refusal may say, of people and of firms alike."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from pydantic import Field, model_validator

from underheaven.reading import Duration, Points, Section, passed
from underheaven.regime import checks
from underheaven.regime.units import PerListing, PerUse, TierName


class Score(Section):
    """One number a citizen, or a firm: where it starts and how far it can go, in whole points."""

    start: Points
    floor: Points
    cap: Points

    @model_validator(mode="after")
    def _check(self) -> Score:
        return passed(self, checks.score)


class Tier(Section):
    """A grade and the lowest score that has it; the last tier may leave `from` out (the floor)."""

    name: TierName
    from_: Points | None = Field(default=None, alias="from")


class Term(Section):
    """How long a stay on a list lasts.

    `fixed`: always the mean.  `geometric`: each day the same chance 1/mean to leave.  `mixture`: two
    geometric terms; a stay is of the short kind with chance `short_share`, else of the long kind.
    """

    law: Literal["fixed", "geometric", "mixture"]
    mean: Duration | None = None
    short: Duration | None = None
    long: Duration | None = None
    short_share: PerListing | None = None

    @model_validator(mode="after")
    def _check(self) -> Term:
        return passed(self, checks.term)

    @property
    def parts(self) -> tuple[tuple[Fraction, int], ...]:
        """Return the parts of the law as (share, mean days); the shares add up to 1 exactly."""
        if self.short is not None and self.long is not None and self.short_share is not None:
            share = self.short_share.exact
            return ((share, self.short.days), (1 - share, self.long.days))
        assert self.mean is not None  # the check above
        return ((Fraction(1), self.mean.days),)

    @property
    def mean_days(self) -> Fraction:
        """Return the mean stay in days, exactly."""
        return sum((share * days for share, days in self.parts), Fraction(0))


class Refusal(Section):
    """A service that refuses only some uses: `{refuse: {value: 0.5, per: use, ...}}`."""

    refuse: PerUse
