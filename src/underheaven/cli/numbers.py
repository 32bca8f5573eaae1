"""Numbers as people write them on a command line: 740k, 10M, 1_000, "1 year".  Fractions of people are refused."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from underheaven.errors import CommandError, UnderheavenError

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
_COUNT = re.compile(r"(\d+(?:_\d+)*)(?:\.(\d+))? ?([kKmMgGbB]?)", re.ASCII)
_TIME = re.compile(r"(\d+(?:_\d+)*) ?(?:(day|week|month|year)s?)?", re.ASCII)
MOST = (1 << 63) - 1

#: What each option may be; the engine holds itself to the same.
RANGES = {
    "--people": (1, 4_000_000_000),
    "--days": (1, 36_500),
    "--seed": (0, MOST),
    "--threads": (1, 1024),
}


def count(text: str, option: str) -> int:
    """Return the whole number that a text means.

    Parameters
    ----------
    text : ``740000``, ``740_000``, ``740k``, ``10M``, ``1.41G`` (or B); with a unit a decimal point may stand as
        long as the number comes out whole
    option : what the number is for, as the message names it

    Raises
    ------
    CommandError : UH803 it is no number or not whole, UH802 it is out of the range of the option
    """
    found = _COUNT.fullmatch(text.strip())
    if found is None:
        raise _unread(text, option, "write a whole number, as 10000, 10_000, 740k, 10M or 1.41G")
    whole, decimals, unit = found[1].replace("_", ""), found[2] or "", found[3].lower()
    if len(whole) + len(decimals) > 40:
        raise _out_of_range(f"a number of {len(whole) + len(decimals)} digits", option)
    value = Fraction(int(whole + decimals), 10 ** len(decimals)) * _UNITS[unit]
    if value.denominator != 1:
        near = max(1, round(value))
        raise CommandError.of("UH803", f"{option} is {text[:40]!r}, which is no whole number; write {near}")
    return _in_range(int(value), option)


def days(text: str, option: str) -> int:
    """Return the days that ``90``, ``12 weeks``, ``6 months`` (of 30 days) or ``1 year`` (of 365) mean."""
    found = _TIME.fullmatch(text.strip().lower())
    if found is None:
        raise _unread(text, option, "write whole days, as 365, or with a unit, as 12 weeks, 6 months or 1 year")
    if len(found[1]) > 18:
        raise _out_of_range(f"a number of {len(found[1])} digits", option)
    return _in_range(int(found[1].replace("_", "")) * _DAYS[found[2] or "day"], option)


def _unread(text: str, option: str, mend: str) -> UnderheavenError:
    """Say why a text is no number, where one can tell, and what to write."""
    given = text.strip()
    least, most = RANGES.get(option, (0, MOST))
    if re.fullmatch(r"-[\d.,_]+ ?\w*", given):
        return _out_of_range(given[:40], option)
    if re.fullmatch(r"\d{1,3}(,\d{3})+", given, re.ASCII):
        return CommandError.of("UH803", f"{option} is {given[:40]!r}, with commas; write {given[:40].replace(',', '')}")
    if re.fullmatch(r"\+[\d._]+ ?\w*", given):
        return CommandError.of("UH803", f"{option} is {given[:40]!r}, with a sign; write {given[1:40]}")
    if re.fullmatch(r"\d+(\.\d+)?e[+-]?\d{1,4}", given, re.ASCII | re.IGNORECASE):
        value = Decimal(given)
        if value > most or value < least:
            return _out_of_range(given[:40], option)
        if value == int(value):
            return CommandError.of("UH803", f"{option} is {given[:40]!r}, with an exponent; write {int(value)}")
    return CommandError.of("UH803", f"{option} is {text[:40]!r}; {mend}")


def _in_range(value: int, option: str) -> int:
    least, most = RANGES.get(option, (0, MOST))
    if not least <= value <= most:
        raise _out_of_range(str(value), option)
    return value


def _out_of_range(given: str, option: str) -> UnderheavenError:
    least, most = RANGES.get(option, (0, MOST))
    return CommandError.out_of_range(option, given, f"{least} to {'2**63 - 1' if most == MOST else most}")
