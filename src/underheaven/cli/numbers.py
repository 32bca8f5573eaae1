"""Numbers as people write them on a command line: 740k, 10M, 1_000, "1 year".  Fractions of people are refused."""

from __future__ import annotations

import re
from fractions import Fraction

from underheaven.errors import CommandError

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
_COUNT = re.compile(r"(\d+(?:_\d+)*)(?:\.(\d+))? ?([kKmMgGbB]?)", re.ASCII)
_TIME = re.compile(r"(\d+(?:_\d+)*) ?(?:(day|week|month|year)s?)?", re.ASCII)
MOST = (1 << 63) - 1


def count(text: str, option: str) -> int:
    """Return the whole number that a text means.

    Parameters
    ----------
    text : ``740000``, ``740_000``, ``740k``, ``10M``, ``1.41G`` (or B); with a unit a decimal point may stand as
        long as the number comes out whole
    option : what the number is for, as the message names it

    Raises
    ------
    CommandError : UH803 it is no number or not whole, UH802 it is above 2**63 - 1
    """
    found = _COUNT.fullmatch(text.strip())
    if found is None:
        raise CommandError.of(
            "UH803", f"{option} is {text[:40]!r}; write a whole number, as 10000, 10_000, 740k, 10M or 1.41G"
        )
    whole, decimals, unit = found[1].replace("_", ""), found[2] or "", found[3].lower()
    if len(whole) + len(decimals) > 40:
        raise CommandError.of("UH802", f"{option} has {len(whole)} digits; write a number up to 2**63 - 1")
    value = Fraction(int(whole + decimals), 10 ** len(decimals)) * _UNITS[unit]
    if value.denominator != 1:
        near = max(1, round(value))
        raise CommandError.of("UH803", f"{option} is {text[:40]!r}, which is no whole number; write {near}")
    if value > MOST:
        raise CommandError.of("UH802", f"{option} is {text[:40]}; write a number up to 2**63 - 1")
    return int(value)


def days(text: str, option: str) -> int:
    """Return the days that ``90``, ``12 weeks``, ``6 months`` (of 30 days) or ``1 year`` (of 365) mean."""
    found = _TIME.fullmatch(text.strip().lower())
    if found is None or len(found[1]) > 18:
        raise CommandError.of(
            "UH803", f"{option} is {text[:40]!r}; write days, as 365, or with a unit, as 12 weeks, 6 months or 1 year"
        )
    return int(found[1].replace("_", "")) * _DAYS[found[2] or "day"]
