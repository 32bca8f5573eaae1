"""What all charts share: the `Chart` with all that stands around it, its colours, and words of Vega-Lite.

Colours are those of Okabe and Ito (2008), which people with colour-blindness can tell apart; what matters is never
told by colour alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]
Record = dict[str, Any]

WIDTH = 700  # pixels, of the drawing area; with its axis it fits the page
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
INK, GREY = "#1f2328", "#57606a"
SKY = "#9cc3dc"  # for what needs no alarm beside it
#: From the best tier to the lowest: blue, pale, vermilion; light and dark also differ.
_LADDER = ("#084a7b", "#3b86b8", SKY, "#e9e4dc", "#f2b88c", "#d9691e", "#a23a05", "#641d00")

_CONFIG: Spec = {
    "background": "white",
    "font": "Helvetica, Arial, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titleColor": GREY,
        "labelColor": INK,
        "domainColor": GREY,
        "tickColor": GREY,
        "gridColor": "#e6e9ed",
        "titlePadding": 8,
        "labelLimit": 200,
    },
    "legend": {
        "orient": "top",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titleColor": GREY,
        "labelColor": INK,
        "symbolSize": 120,
        "labelLimit": 300,
        "titleLimit": 500,
    },
    "header": {"labelFontSize": 12, "labelColor": INK, "labelFontWeight": "bold", "title": None},
    "range": {"category": [BLUE, ORANGE, GREEN, PINK]},
}


@dataclass(frozen=True)
class Chart:
    """One chart with all that stands around it.

    Parameters
    ----------
    name : its file name, without ending
    title : one thing, asked or said
    how_to_read : one sentence
    spec : Vega-Lite 6, self-contained
    records : the data as drawn, for CSV
    columns, rows : the same figures as a short text table
    """

    name: str
    title: str
    how_to_read: str
    spec: Spec
    records: list[Record]
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def as_csv(self) -> str:
        """Return the records as CSV; a text cell that a spreadsheet would run as a formula gets a ' before it."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        names = list(self.records[0]) if self.records else []
        writer.writerow([_tame(name) for name in names])
        writer.writerows([_tame(row[name]) for name in names] for row in self.records)
        return out.getvalue()


def _tame(cell: Any) -> Any:
    """Put a ' before text that begins like a formula; numbers, also negative ones, stay as they are."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def vega_lite(records: Sequence[Record], **parts: Any) -> Spec:
    """Return a self-contained specification: its data, the style of the house, and the parts of this chart."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "config": _CONFIG,
        "autosize": {"type": "pad", "contains": "padding"},
        "data": {"name": "records", "values": list(records)},
        **parts,
    }


def quantity(field: str, title: str | None, **more: Any) -> Spec:
    """Encode numbers, on any channel."""
    return {"field": field, "type": "quantitative", "title": title, **more}


def category(field: str, title: str | None = None, **more: Any) -> Spec:
    """Encode names, on any channel; in ascending order, unless `sort` or the domain of `scale` says another."""
    return {"field": field, "type": "nominal", "title": title, **more}


def day_axis(days: int) -> Spec:
    """Encode `day`, the middle of a window, on an axis over all days of the run."""
    return quantity("day", "day of the run", scale={"domain": [0, days], "nice": False})


def income_axis() -> Spec:
    """Encode `income_tenth`, side by side with the poorest first."""
    return category("income_tenth", "income tenth (1 is the poorest)", axis={"labelAngle": 0})


def tooltip(**titles: str) -> list[Spec]:
    """Return a tooltip of ``field=title``, in this order.

    The last sign of a title says how its field is written, and is not shown itself: ``%`` a share, ``#`` a whole
    number, ``~`` three significant digits; any other title is whole, and its field a name.
    """
    formats = {"%": ".2~%", "#": ",.0f", "~": ",.3~r"}
    tips: list[Spec] = []
    for field, title in titles.items():
        if title[-1] in formats:
            tips.append({"field": field, "type": "quantitative", "title": title[:-1], "format": formats[title[-1]]})
        else:
            tips.append({"field": field, "type": "nominal", "title": title})
    return tips


def ladder(n: int) -> list[str]:
    """Return `n` colours from best to lowest."""
    if n == 1:
        return [_LADDER[1]]
    return [_LADDER[round(i * (len(_LADDER) - 2) / (n - 1))] for i in range(n)]


def pivot(
    records: Sequence[Record], row: str, column: str, columns: Sequence[Any], write: Callable[[Record], str]
) -> list[tuple[str, ...]]:
    """Return records as a table with a column for each level."""
    cells: dict[Any, dict[Any, str]] = {}
    for record in records:
        cells.setdefault(record[row], {})[record[column]] = write(record)
    return [
        (f"{at:,.0f}" if isinstance(at, float) else str(at), *(found.get(level, "") for level in columns))
        for at, found in cells.items()
    ]
