"""Firms: how many, how large, in which sectors, what they do and what they ask of others.

A firm is a number as a citizen is: its representative, size and sector are drawn anew whenever they are wanted.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal

from pydantic import Field, StrictInt, model_validator

from underheaven.reading import (
    Count,
    Finding,
    Findings,
    Levels,
    Number,
    Rate,
    Section,
    Shares,
    did_you_mean,
    one_of,
    passed,
)
from underheaven.rng import threshold
from underheaven.world.units import Name

MAX_SECTORS = 8
FIRST_FIRM_SERVICE, LAST_FIRM_ACTIVITY = 8, 11
#: Smallest size of each class, and its name: micro, small, medium and large, as statistical offices have them.
SIZE_CLASSES = ((1, "1-9"), (10, "10-49"), (50, "50-249"), (250, "250+"))


class Sizes(Section):
    """The people of a firm, by Zipf: the share of firms with s or more is s^-exponent, up to the largest."""

    exponent: Number
    largest: Count

    def at_least(self, size: int) -> int:
        """Return the share of firms with `size` people or more, as a threshold.

        Only Python's own power enters, so the bits are the same on every machine.
        """
        if size > self.largest.value:
            return 0
        return threshold(Fraction(math.pow(size, -float(self.exponent.exact)))) if size > 1 else 1 << 32

    def of(self, word: int) -> int:
        """Return the size that a draw has: the largest that it still falls below the share of."""
        low, high = 1, self.largest.value
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if word < self.at_least(middle) else (low, middle - 1)
        return low

    @property
    def mean(self) -> float:
        """Return the mean size: the sum of the shares at or above each size."""
        exponent = float(self.exponent.exact)
        return math.fsum(math.pow(size, -exponent) for size in range(1, self.largest.value + 1))


class FirmAct(Section):
    """Something that firms do: how often, by sector, and how it comes to notice.

    `register`: always, but it may be laid to no firm or to another one of a similar name.  `inspection`: as often
    as the regime inspects, and always under the right name.
    """

    stream: StrictInt
    rate: Rate
    channel: Literal["register", "inspection"]
    sectors: Levels | None = None

    def per_day(self, sector: str) -> Fraction:
        """Return the chance per day in a sector."""
        return _in_sector(self.rate, self.sectors, sector)


class FirmService(Section):
    """Something that firms ask of others: how often, by sector."""

    stream: StrictInt
    rate: Rate
    sectors: Levels | None = None

    def per_day(self, sector: str) -> Fraction:
        """Return the chance per day in a sector."""
        return _in_sector(self.rate, self.sectors, sector)


def _in_sector(rate: Rate, sectors: Levels | None, sector: str) -> Fraction:
    one = Fraction(1)
    return rate.per_day * (one if sectors is None else sectors.exact.get(sector, one))


class Firms(Section):
    """The firms of a world; each has one legal representative among the adults."""

    per_1000: Number
    sizes: Sizes
    sectors: Shares
    acts: dict[Name, FirmAct]
    services: dict[Name, FirmService] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Firms:
        return passed(self, _firms)

    @property
    def per_million(self) -> int:
        """Return the firms per million adults, rounded to the nearest."""
        return int(self.per_1000.exact * 1000 + Fraction(1, 2))

    @property
    def sector_names(self) -> tuple[str, ...]:
        """Return the sectors in the order of the alphabet, because that of a file has no meaning."""
        return tuple(sorted(self.sectors.values))

    @property
    def sector_shares(self) -> tuple[Fraction, ...]:
        """Return the share of firms in each of the sectors."""
        shares = self.sectors.exact
        return tuple(shares[name] for name in self.sector_names)


def _firms(found: Firms) -> Findings:
    if not 0 < found.per_1000.exact <= 1000:
        text = "each firm has a representative of its own; write a number above 0 and at most 1000"
        yield Finding(("per_1000", "value"), text)
    if found.sizes.exponent.exact <= 0:
        text = "the share of larger firms has to fall with size; write an exponent above 0, as 1.06"
        yield Finding(("sizes", "exponent", "value"), text)
    if not 1 <= found.sizes.largest.value <= 10_000_000:
        text = f"no firm has {found.sizes.largest.value:,} people; write a number within 1 .. 10,000,000"
        yield Finding(("sizes", "largest", "value"), text)
    if not 1 <= len(found.sectors.values) <= MAX_SECTORS:
        text = f"{len(found.sectors.values)} sectors are named; write 1 to {MAX_SECTORS}"
        yield Finding(("sectors", "values"), text)
    taken: dict[int, str] = {}
    for name, act in found.acts.items():
        yield from _activity(found, ("acts", name), act, (0, FIRST_FIRM_SERVICE - 1), taken)
    for name, service in found.services.items():
        yield from _activity(found, ("services", name), service, (FIRST_FIRM_SERVICE, LAST_FIRM_ACTIVITY), taken)


def _activity(
    found: Firms, at: tuple[str, str], activity: FirmAct | FirmService, streams: tuple[int, int], taken: dict[int, str]
) -> Findings:
    kind, name = at
    if not streams[0] <= activity.stream <= streams[1]:
        text = f"streams of the {kind} of firms go from {streams[0]} to {streams[1]}, and this is {activity.stream}"
        yield Finding((*at, "stream"), f"{text}; write a free one")
    elif activity.stream in taken:
        text = f"'{taken[activity.stream]}' has stream {activity.stream} already; write a free one"
        yield Finding((*at, "stream"), text)
    taken.setdefault(activity.stream, name)
    for sector in activity.sectors.values if activity.sectors is not None else ():
        if sector not in found.sectors.values:
            guess = did_you_mean(sector, found.sector_names)
            mend = f"did you mean '{guess}'?" if guess else f"write one of {one_of(found.sector_names)}"
            yield Finding((*at, "sectors", "values", sector), f"'{sector}' is no sector here; {mend}")
    most = max((activity.per_day(sector) for sector in found.sectors.values), default=Fraction(0))
    if most >= 1:
        text = (
            f"`rate` times its largest factor is {float(most):.4g} a day; a firm does this at most once a day, so "
            "write smaller numbers (below 1)"
        )
        yield Finding((*at, "rate"), text)
