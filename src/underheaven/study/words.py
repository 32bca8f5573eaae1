"""How figures and names are written for people: separators, sensible digits, percent, plain words."""

from __future__ import annotations

import math
from typing import Any

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
    name, _, part = name.partition("/")
    if part:
        return f"{label(name)} ({label(part)})"
    return name.replace("-", "–" if name[:1].isdigit() else " ")


def finding(id: str, title: str, value: float | None, unit: str, text: str, **more: Any) -> dict[str, Any]:
    """Return a headline figure with its sentence; a value of None is told as not measurable."""
    return {
        "id": id,
        "title": title,
        "value": value,
        "unit": NOT_MEASURABLE if value is None else unit,
        "text": text,
        **more,
    }
