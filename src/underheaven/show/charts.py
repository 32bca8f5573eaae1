"""The charts of a run, one function a chart: a Vega-Lite specification with its data as plain records.

A chart has a title that says one thing, one sentence that says how to read it, and a table of the same figures
for who cannot see it.  Colours are those of Okabe and Ito (2008), which people with colour-blindness can tell
apart; what matters is never told by colour alone.  All numbers come from counters, none is estimated here.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from underheaven.study.audit import Counts, decimal, label, percent, ratio, share, whole

if TYPE_CHECKING:
    from underheaven.store import Run

Spec = dict[str, Any]
Record = dict[str, Any]

WIDTH = 700  # pixels, of the drawing area; with its axis it fits the page
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
INK, GREY, PALE = "#1f2328", "#57606a", "#d8dee4"
#: From the best tier to the lowest: blue, pale, vermilion; light and dark also differ.
_LADDER = ("#084a7b", "#3b86b8", "#9cc3dc", "#e9e4dc", "#f2b88c", "#d9691e", "#a23a05", "#641d00")

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


def all_charts(run: Run, counts: Counts | None = None) -> list[Chart]:
    """Return the charts that this run has something to show in, in the order of the report."""
    counts = counts or Counts(run)
    made = (draw(counts) for draw in _CHARTS)
    return [chart for chart in made if chart is not None]


def _spec(records: Sequence[Record], **parts: Any) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "config": _CONFIG,
        "autosize": {"type": "pad", "contains": "padding"},
        "data": {"name": "records", "values": list(records)},
        **parts,
    }


def _x(field: str, title: str | None, **more: Any) -> Spec:
    return {"field": field, "type": "quantitative", "title": title, **more}


_n = _x  # quantities on any channel


def _text(field: str, title: str | None = None, **more: Any) -> Spec:
    return {"field": field, "type": "nominal", "title": title, **more}


def _tip(**titles: str) -> list[Spec]:
    """Return a tooltip: ``field=title``; a title that ends in %, or holds a number, is formatted so."""
    formats = {"%": ".2~%", "#": ",.0f", "~": ",.3~r"}
    tips: list[Spec] = []
    for field, title in titles.items():
        if title[-1] in formats:
            tips.append({"field": field, "type": "quantitative", "title": title[:-1], "format": formats[title[-1]]})
        else:
            tips.append({"field": field, "type": "nominal", "title": title})
    return tips


def _ladder(n: int) -> list[str]:
    """Return `n` colours from best to lowest."""
    if n == 1:
        return [_LADDER[1]]
    return [_LADDER[round(i * (len(_LADDER) - 2) / (n - 1))] for i in range(n)]


# Scores and tiers -----------------------------------------------------------------------------------------------------


def scores(counts: Counts) -> Chart | None:
    """Draw how believed and true scores are spread, at three times of the run."""
    rows = counts.run.table("scores").to_pylist() if counts.tiers else []
    days = sorted({row["day"] for row in rows if row["day"] > 0})
    if not days:
        return None
    shown = sorted({days[math.ceil(len(days) * k / 3) - 1] for k in (1, 2, 3)})
    ledgers = counts.run.manifest["ledgers"]
    found: dict[tuple[int, int], dict[str, int]] = {}
    for row in rows:
        # With several ledgers (context walls) a person has several scores; the first one is drawn.
        if row["day"] in shown and row["ledger"] == ledgers[0]:
            found.setdefault((row["day"], row["low"]), {})[row["which"]] = row["people"]
    width = rows[0]["high"] - rows[0]["low"]
    low, high = min(low for _, low in found), max(low for _, low in found) + width
    records = []
    for day in shown:
        for start in range(low, high + width, width):  # empty bins too, and one beyond, where the line comes down
            amounts = found.get((day, start), {})
            believed, true = amounts.get("score", 0), amounts.get("true_score", 0)
            records.append(
                {
                    "day": f"day {day}",
                    "low": start,
                    "high": start + width,
                    "believed": believed,
                    "true": true,
                    "believed_share": believed / counts.people,
                    "true_share": true / counts.people,
                }
            )
    cutoffs: list[Record] = []
    for tier, cutoff in reversed(_cutoffs(counts)):
        if low < cutoff < high:
            # Where grades are narrow their names would lie on each other; every other one stands lower.
            close = bool(cutoffs) and cutoff - cutoffs[-1]["from"] < 0.04 * (high - low) and cutoffs[-1]["line"] == 0
            cutoffs.append({"from": cutoff, "tier": tier, "line": int(close)})
    x = _x("low", None, scale={"domain": [low, high], "nice": False}, bin={"binned": True})
    at_cutoff = _x("from", None)
    height = 130
    layers: list[Spec] = [
        {
            "mark": {"type": "bar", "color": "#9cc3dc", "binSpacing": 0.5},
            "encoding": {
                "x": x,
                "x2": {"field": "high"},
                "y": _n("believed_share", "share of people", axis={"format": "~%", "tickCount": 4}),
                "tooltip": _tip(low="from", high="to", believed="in the file#", true="without errors#"),
            },
        },
        {
            "mark": {"type": "line", "interpolate": "step-after", "color": ORANGE, "strokeWidth": 2},
            "encoding": {
                "x": _x("low", None, scale=x["scale"]),
                "y": _n("true_share", "share of people"),
            },
        },
    ]
    if cutoffs:
        layers.append(
            {
                "data": {"values": cutoffs},
                "mark": {"type": "rule", "strokeDash": [3, 3], "color": GREY},
                "encoding": {"x": at_cutoff},
            }
        )
        for line, y in ((0, 2), (1, 16)):
            layers.append(
                {
                    "data": {"values": [cutoff for cutoff in cutoffs if cutoff["line"] == line]},
                    "mark": {
                        "type": "text",
                        "align": "left",
                        "dx": 3,
                        "baseline": "top",
                        "color": GREY,
                        "fontSize": 11,
                    },
                    "encoding": {"x": at_cutoff, "y": {"value": y}, "text": _text("tier")},
                }
            )
    panels = [
        {
            "title": {"text": f"after day {day}", "anchor": "start", "fontSize": 12, "color": INK},
            "width": WIDTH,
            "height": height,
            "transform": [{"filter": f"datum.day === 'day {day}' || isValid(datum.from)"}],
            "layer": layers,
        }
        for day in shown
    ]
    titled = layers[0]["encoding"] | {"x": x | {"title": "score (points)"}}
    panels[-1]["layer"] = [layers[0] | {"encoding": titled}, *layers[1:]]
    note = " Each score counts once, of the first of several ledgers." if len(ledgers) > 1 else ""
    return Chart(
        "scores",
        "What the file says, and what it would say without errors",
        "Bars show how many people the file gives each score; the orange line shows where the same people would stand "
        "if every act that was noticed had been put down to the right person; dashed lines are where a grade begins."
        + note,
        _spec(records, vconcat=panels, spacing=14),
        records,
        ("Day", "Score (points)", "People in the file", "People without errors"),
        [
            (row["day"], f"{row['low']} to {row['high']}", whole(row["believed"]), whole(row["true"]))
            for row in records
            if row["believed"] or row["true"]
        ],
    )


def _cutoffs(counts: Counts) -> list[tuple[str, int]]:
    regime = counts.run.regime
    return list(zip(regime.tier_names, regime.cutoffs, strict=True)) if regime is not None else []


def tiers(counts: Counts) -> Chart | None:
    """Draw which share of the people was in which tier over time."""
    if not counts.tiers:
        return None
    names = {f"tier_days/{tier}": tier for tier in counts.tiers}
    records = [
        {
            "day": row["start_day"] + row["days"] / 2,
            "grade": tier,
            "order": place,
            "people_days": row[counter],
            "share": row[counter] / (counts.people * row["days"]),
        }
        for row in counts.windows(names)
        for place, (counter, tier) in enumerate(names.items())
    ]
    colour = {"domain": counts.tiers, "range": _ladder(len(counts.tiers))}
    return Chart(
        "tiers",
        "How the grades fill over time",
        "Read upwards on any day: the height of a band is the share of people in that grade, the best grade at the "
        "top and the lowest at the bottom.",
        _spec(
            records,
            width=WIDTH,
            height=260,
            mark={"type": "area", "stroke": "white", "strokeWidth": 0.5},
            encoding={
                "x": _x("day", "day of the run", scale={"domain": [0, counts.days], "nice": False}),
                "y": _n("share", "share of people", stack="zero", axis={"format": "~%"}, scale={"domain": [0, 1]}),
                "color": _text("grade", "grade", scale=colour),
                "order": {"field": "order", "type": "quantitative", "sort": "descending"},
                "tooltip": _tip(grade="grade", day="day#", share="share of people%"),
            },
        ),
        records,
        ("Day", *(f"Grade {tier}" for tier in counts.tiers)),
        _pivot(records, "day", "grade", counts.tiers, lambda row: percent(row["share"])),
    )


def _pivot(
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


def flows(counts: Counts) -> Chart | None:
    """Draw moves between tiers as a table of from and to."""
    if len(counts.tiers) < 2:
        return None
    records: list[Record] = [
        {"from": a, "to": b, "moves": counts.total(f"flow/{a}/{b}"), "per_1000": 1000 * moved / counts.people}
        for a in counts.tiers
        for b in counts.tiers
        if a != b and (moved := counts.total(f"flow/{a}/{b}")) >= 0
    ]
    most = max(record["moves"] for record in records)
    size = min(70, 420 // len(counts.tiers))
    place = {
        "x": _text("to", "to grade", sort=counts.tiers, axis={"orient": "top", "labelAngle": 0}),
        "y": _text("from", "from grade", sort=counts.tiers),
    }
    return Chart(
        "flows",
        "Who climbs, who falls",
        "Each cell counts moves from the grade of its row to the grade of its column over the whole run; cells right "
        "of the diagonal are falls, cells left of it are climbs.",
        _spec(
            records,
            width=size * 1.45 * len(counts.tiers),
            height=size * 0.6 * len(counts.tiers),
            layer=[
                {
                    "mark": {"type": "rect", "stroke": "white", "strokeWidth": 2},
                    "encoding": {
                        **place,
                        "color": _n(
                            "moves",
                            "moves",
                            scale={"range": ["#f4f6f8", "#084a7b"], "type": "sqrt"},
                            legend=None,
                        ),
                        "tooltip": _tip(
                            **{"from": "from", "to": "to", "moves": "moves#", "per_1000": "per 1,000 people~"}
                        ),
                    },
                },
                {
                    "mark": {"type": "text", "fontSize": 12},
                    "encoding": {
                        **place,
                        "text": _n("moves", "moves", format=",.0f"),
                        "color": {
                            "condition": {"test": f"datum.moves > {most * 0.3}", "value": "white"},
                            "value": INK,
                        },
                    },
                },
            ],
        ),
        records,
        ("From", *(f"to {tier}" for tier in counts.tiers)),
        _pivot(records, "from", "to", counts.tiers, lambda row: whole(row["moves"])),
    )


def lists(counts: Counts) -> Chart | None:
    """Draw how many people are on each list over time, rightly and wrongly."""
    if not counts.lists:
        return None
    kinds = ("wrongly", "rightly")
    records: list[Record] = []
    for row in counts.windows([f"{w}/{name}" for name in counts.lists for w in ("listed_days", "wrongly_listed_days")]):
        for name in counts.lists:
            all_days, wrong = row[f"listed_days/{name}"], row[f"wrongly_listed_days/{name}"]
            for kind, days in zip(kinds, (wrong, all_days - wrong), strict=True):
                records.append(
                    {
                        "day": row["start_day"] + row["days"] / 2,
                        "list": label(name),
                        "kind": kind,
                        "people": days / row["days"],
                    }
                )
    if not any(record["people"] for record in records):
        return None
    return Chart(
        "lists",
        "How many people are on a list",
        "The height is the mean number of people on the list; the orange part at the bottom should not be there, "
        "because without errors in the file these people would not be listed at that time.",
        _spec(
            records,
            width=WIDTH,
            height=200,
            mark={"type": "area"},
            encoding={
                "x": _x("day", "day of the run", scale={"domain": [0, counts.days], "nice": False}),
                "y": _n("people", "people on the list", stack="zero"),
                "color": _text("kind", "listed", scale={"domain": list(kinds), "range": [ORANGE, "#9cc3dc"]}),
                "order": {"field": "kind", "type": "nominal", "sort": "descending"},
                **(
                    {"row": _text("list", sort=[label(name) for name in counts.lists])} if len(counts.lists) > 1 else {}
                ),
                "tooltip": _tip(list="list", kind="listed", day="day#", people="people#"),
            },
        ),
        records,
        ("Day", "Wrongly listed", "Rightly listed"),
        _pivot(
            [record | {"day": f"{record['list']}, day {record['day']:,.0f}"} for record in records],
            "day",
            "kind",
            kinds,
            lambda row: decimal(row["people"]),
        ),
    )


# Records --------------------------------------------------------------------------------------------------------------


_CHANNELS = {"false_match_records": "a face taken for another", "false_link_records": "a namesake in a register"}


def false_records(counts: Counts) -> Chart | None:
    """Draw false records over time, by the channel that made them."""
    if not counts.keeps_file or not any(counts.total(name) for name in _CHANNELS):
        return None
    records = [
        {
            "day": row["start_day"] + row["days"] / 2,
            "channel": words,
            "false_records": row[name],
            "per_1000_week": 7000 * row[name] / (counts.people * row["days"]),
        }
        for row in counts.windows(_CHANNELS)
        for name, words in _CHANNELS.items()
    ]
    colour = {"domain": list(_CHANNELS.values()), "range": [ORANGE, BLUE]}
    return Chart(
        "false-records",
        "Where do false entries come from?",
        "Each line counts entries about something that another person did, per 1,000 people and week, by what went "
        "wrong: a camera match or a register link.",
        _spec(
            records,
            width=WIDTH,
            height=220,
            mark={"type": "line", "strokeWidth": 2.5},
            encoding={
                "x": _x("day", "day of the run", scale={"domain": [0, counts.days], "nice": False}),
                "y": _n("per_1000_week", "false entries per 1,000 people and week"),
                "color": _text("channel", "the file names the wrong person because of", scale=colour),
                "strokeDash": _text(
                    "channel",
                    "the file names the wrong person because of",
                    scale={"domain": colour["domain"], "range": [[1, 0], [5, 3]]},
                ),
                "tooltip": _tip(channel="cause", day="day#", false_records="false entries#"),
            },
        ),
        records,
        ("Day", *(words.capitalize() for words in _CHANNELS.values())),
        _pivot(records, "day", "channel", list(_CHANNELS.values()), lambda row: whole(row["false_records"])),
    )


def records_by_act(counts: Counts) -> Chart | None:
    """Draw true and false records by act."""
    rows = []
    for act in counts.acts:
        true, false = counts.total(f"recorded/{act['name']}"), counts.total(f"false_records/{act['name']}")
        if true + false:
            rows.append((label(act["name"]), act["demerit"], true, false))
    if not rows:
        return None
    rows.sort(key=lambda row: (not row[1], -row[3] / (row[2] + row[3])))
    records: list[Record] = [
        {
            "act": act,
            "held": "held against people" if demerit else "rewarded",
            "entries": true + false,
            "false_entries": false,
            "false_share": false / (true + false),
            "note": f"{percent(false / (true + false))} of {whole(true + false)}",
        }
        for act, demerit, true, false in rows
    ]
    most = max(record["false_share"] for record in records) or 1
    order = [record["act"] for record in records]
    return Chart(
        "false-by-act",
        "Which entries can be trusted?",
        "The bar is the share of all entries about an act that name the wrong person; the words beside it say of how "
        "many entries.",
        _spec(
            records,
            layer=[
                {
                    "mark": {"type": "bar", "height": {"band": 0.7}},
                    "encoding": {
                        "color": _text(
                            "held",
                            "entries are",
                            scale={"domain": ["held against people", "rewarded"], "range": [ORANGE, "#9cc3dc"]},
                        ),
                        "tooltip": _tip(
                            act="act", entries="entries#", false_entries="of them false#", false_share="share%"
                        ),
                    },
                },
                {
                    "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 11, "color": GREY},
                    "encoding": {"text": _text("note")},
                },
            ],
            encoding={
                "y": _text("act", None, sort=order, axis={"labelPadding": 6}),
                "x": _n(
                    "false_share",
                    "share of entries that name the wrong person",
                    axis={"format": "~%", "tickCount": 6},
                    scale={"domain": [0, min(1.35, most * 1.35)], "nice": False},
                ),
            },
            width=WIDTH - 90,
            height={"step": 24},
        ),
        records,
        ("Act", "Entries are", "Entries", "Of them false", "Share false"),
        [
            (r["act"], r["held"], whole(r["entries"]), whole(r["false_entries"]), percent(r["false_share"]))
            for r in records
        ],
    )


# Who ------------------------------------------------------------------------------------------------------------------


def wrongful_by_stratum(counts: Counts) -> Chart | None:
    """Draw the share of people wrongly sanctioned by group and income tenth, with intervals."""
    if not counts.total("people_wrongly_sanctioned"):
        return None
    records: list[Record] = []
    for (group, income), amounts in counts.by("group", "income").items():
        found = share(amounts["people_wrongly_sanctioned"], amounts["people"])
        records.append(
            {
                "group": label(group),
                "income_tenth": income,
                "people": amounts["people"],
                "wrongly_sanctioned": found["numerator"],
                "rate": found["value"],
                "low": found["low"],
                "high": found["high"],
            }
        )
    groups = list(dict.fromkeys(record["group"] for record in records))
    y = {"title": "share of people wrongly sanctioned", "axis": {"format": "~%"}, "scale": {"domainMin": 0}}
    common = {
        "x": _text("income_tenth", "income tenth (1 is the poorest)", axis={"labelAngle": 0}),
        "xOffset": {"field": "group", "type": "nominal", "sort": groups, "scale": {"paddingOuter": 0.8}},
        "color": _text("group", "group", scale={"domain": groups}),
    }
    return Chart(
        "wrongful-by-stratum",
        "Whom do the errors hit?",
        "Each mark is the share of the people of one group and income tenth who were wrongly sanctioned at some time; "
        "the line through it is the 95% interval, which is long where few people are counted.",
        _spec(
            records,
            width=WIDTH,
            height=280,
            layer=[
                {
                    "mark": {"type": "rule", "strokeWidth": 2},
                    "encoding": {
                        **common,
                        "y": {"field": "low", "type": "quantitative", **y},
                        "y2": {"field": "high"},
                    },
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
                    "encoding": {
                        **common,
                        "shape": _text("group", "group", scale={"domain": groups}),
                        "y": {"field": "rate", "type": "quantitative", **y},
                        "tooltip": _tip(
                            group="group",
                            income_tenth="income tenth",
                            people="people#",
                            wrongly_sanctioned="wrongly sanctioned#",
                            rate="share%",
                            low="from%",
                            high="to%",
                        ),
                    },
                },
            ],
        ),
        records,
        ("Group", "Income tenth", "People", "Wrongly sanctioned", "Share", "95% interval"),
        [
            (
                r["group"],
                str(r["income_tenth"]),
                whole(r["people"]),
                whole(r["wrongly_sanctioned"]),
                percent(r["rate"]),
                f"{percent(r['low'])} to {percent(r['high'])}",
            )
            for r in records
        ],
    )


def sanction_days(counts: Counts) -> Chart | None:
    """Draw the share of days under a sanction, by group and income tenth."""
    if not counts.total("sanction_days"):
        return None
    return _days_by_stratum(
        counts,
        "sanction-days",
        "Who lives under sanction?",
        "under a sanction",
        "sanction_days",
        "people_sanctioned",
    )


#: Below so many people ever in the lowest tier, a chart of who they are would be read into chance.
FEWEST_LOCKED_IN = 20


def lock_in(counts: Counts) -> Chart | None:
    """Draw the share of days spent in the lowest tier, by group and income tenth."""
    if len(counts.tiers) < 2 or counts.total("people_lowest_tier") < FEWEST_LOCKED_IN:
        return None
    lowest = counts.tiers[-1]
    return _days_by_stratum(
        counts,
        "lock-in",
        f"Who is held in the lowest grade, {lowest}?",
        f"in grade {lowest}",
        f"tier_days/{lowest}",
        "people_lowest_tier",
    )


def _days_by_stratum(counts: Counts, name: str, title: str, where: str, days: str, people: str) -> Chart:
    """Draw which share of their days people spend somewhere, by group and income tenth."""
    records = [
        {
            "group": label(group),
            "income_tenth": income,
            "people": amounts["people"],
            "people_ever": amounts[people],
            "ever_share": ratio(amounts[people], amounts["people"])["value"],
            "days": amounts[days],
            "days_share": amounts[days] / (amounts["people"] * counts.days),
        }
        for (group, income), amounts in counts.by("group", "income").items()
    ]
    groups = list(dict.fromkeys(record["group"] for record in records))
    return Chart(
        name,
        title,
        f"Each bar is the share of all days that the people of one income tenth and group spent {where}; if rich and "
        "poor fared alike, the bars would be level.",
        _spec(
            records,
            width=WIDTH,
            height=240,
            mark={"type": "bar"},
            encoding={
                "x": _text("income_tenth", "income tenth (1 is the poorest)", axis={"labelAngle": 0}),
                "xOffset": {"field": "group", "type": "nominal", "sort": groups},
                "y": _n("days_share", f"share of days {where}", axis={"format": "~%"}),
                "color": _text("group", "group", sort=groups),
                "tooltip": _tip(
                    group="group",
                    income_tenth="income tenth",
                    people="people#",
                    people_ever="ever there#",
                    days_share="share of days%",
                ),
            },
        ),
        records,
        ("Group", "Income tenth", "People", f"Ever {where}", "Share of people", "Share of days"),
        [
            (
                r["group"],
                str(r["income_tenth"]),
                whole(r["people"]),
                whole(r["people_ever"]),
                percent(r["ever_share"]),
                percent(r["days_share"]),
            )
            for r in records
        ],
    )


# Services -------------------------------------------------------------------------------------------------------------


def refusals(counts: Counts) -> Chart | None:
    """Draw refused transactions beside refused people, by service."""
    records: list[Record] = []
    for service in counts.services:
        name = service["name"]
        refused, wrongly = counts.total(f"refused/{name}"), counts.total(f"wrongly_refused/{name}")
        if refused:
            records.append(
                {
                    "service": label(name),
                    "refusals": refused,
                    "wrongful_refusals": wrongly,
                    "people": counts.total(f"people_refused/{name}"),
                }
            )
    if not records:
        return None
    records.sort(key=lambda record: -record["refusals"])
    order = [record["service"] for record in records]
    tip = _tip(service="service", refusals="refusals#", wrongful_refusals="of them wrongful#", people="people refused#")
    y = _text("service", None, sort=order)
    number = {"type": "text", "align": "left", "dx": 4, "fontSize": 11, "color": GREY}
    room = 1.25

    def panel(field: str, title: str, colour: str, axis: Spec, over: list[Spec]) -> Spec:
        most = max(record[field] for record in records)
        x = _n(field, title, scale={"domain": [0, most * room], "nice": False}, axis={"tickCount": 4, "format": ",.0f"})
        bar = {"type": "bar", "color": colour, "height": {"band": 0.7}}
        return {
            "width": 270,
            "height": {"step": 26},
            "layer": [
                {"mark": bar, "encoding": {"x": x, "y": y | axis, "tooltip": tip}},
                *over,
                {"mark": number, "encoding": {"x": x, "y": y | axis, "text": _n(field, title, format=",.0f")}},
            ],
        }

    all_refusals = "refusals (wrongful ones in orange)"
    wrongful = {
        "mark": {"type": "bar", "color": ORANGE, "height": {"band": 0.7}},
        "encoding": {"x": _n("wrongful_refusals", all_refusals), "y": y, "tooltip": tip},
    }
    return Chart(
        "refusals",
        "What people are turned away from",
        "Left, every refusal counts, with the wrongful ones in orange; right, each person counts once for a service, "
        "however often it turned that person away.",
        _spec(
            records,
            hconcat=[
                panel("refusals", all_refusals, "#9cc3dc", {}, [wrongful]),
                panel("people", "people refused at least once", BLUE, {"axis": None}, []),
            ],
            spacing=40,
        ),
        records,
        ("Service", "Refusals", "Of them wrongful", "People refused"),
        [(r["service"], whole(r["refusals"]), whole(r["wrongful_refusals"]), whole(r["people"])) for r in records],
    )


def hospital(counts: Counts) -> Chart | None:
    """Draw mean hospital waits by tier over time."""
    kinds = counts.tiers or ["everybody"]
    records: list[Record] = []
    counters = [f"{what}/{tier}" for tier in kinds for what in ("visits", "wait_minutes")]
    for row in counts.windows(counters, most=30):
        for tier in kinds:
            if row[f"visits/{tier}"]:  # a mean of no visits is not drawn
                records.append(
                    {
                        "day": row["start_day"] + row["days"] / 2,
                        "grade": tier,
                        "visits": row[f"visits/{tier}"],
                        "minutes": row[f"wait_minutes/{tier}"] / row[f"visits/{tier}"],
                    }
                )
    if not records:
        return None
    shades = _ladder(len(kinds))
    colour = {"domain": kinds, "range": ["#b9ab95" if shade == "#e9e4dc" else shade for shade in shades]}
    by_grade = (
        {
            "color": _text("grade", "grade", scale=colour),
            "shape": _text("grade", "grade", scale={"domain": kinds}),
        }
        if counts.tiers
        else {"color": {"value": BLUE}}
    )
    sentence = (
        "Each line is the mean wait of one grade’s visits; where a grade goes first, the minutes it saves are waited "
        "by those behind it."
        if counts.tiers
        else "The line is the mean wait of all visits; everybody waits in the same queue."
    )
    return Chart(
        "hospital",
        "Who waits at the hospital?" if counts.tiers else "How long people wait at the hospital",
        sentence,
        _spec(
            records,
            width=WIDTH,
            height=240,
            mark={"type": "line", "strokeWidth": 2, "point": {"size": 45, "filled": True}},
            encoding={
                "x": _x("day", "day of the run", scale={"domain": [0, counts.days], "nice": False}),
                "y": _n("minutes", "mean wait (minutes)", scale={"domainMin": 0}),
                **by_grade,
                "tooltip": _tip(grade="grade", day="day#", minutes="minutes~", visits="visits#"),
            },
        ),
        records,
        ("Day", *((f"Grade {tier}" for tier in kinds) if counts.tiers else ("Everybody",))),
        _pivot(records, "day", "grade", kinds, lambda row: decimal(row["minutes"])),
    )


# Where ----------------------------------------------------------------------------------------------------------------


def tile_map(counts: Counts) -> Chart | None:
    """Draw wrongful sanction days as a grid of tiles: provinces, or the counties of a world with one province."""
    if not counts.keeps_file or len(counts.run.manifest["counties"]) < 2:
        return None
    amounts = counts.counties(["wrongful_sanction_days", "sanction_days"])
    places: dict[str, Record] = {}
    provinces = {county["province"] for county in counts.run.manifest["counties"]}
    for county in counts.run.manifest["counties"]:
        name = county["province"] if len(provinces) > 1 else county["name"]
        place = places.setdefault(
            name,
            {
                "place": label(name),
                "tile": county.get("tile"),
                "people": 0,
                "sanction_days": 0,
                "wrongful_sanction_days": 0,
            },
        )
        place["people"] += county["people"]
        for key in ("sanction_days", "wrongful_sanction_days"):
            place[key] += amounts[county["name"]][key]
    found = list(places.values())
    if len({str(place["tile"]) for place in found}) < len(found):
        found = [place | {"tile": None} for place in found]  # no map was drawn for them: in their order
    columns = max(2, math.ceil(math.sqrt(len(found) * 1.6)))
    records = []
    for number, place in enumerate(found):
        row, column = place.pop("tile") or divmod(number, columns)
        days = place["people"] * counts.days
        per_1000 = 1000 * place["wrongful_sanction_days"] / days
        records.append(
            place | {"per_1000": per_1000, "short": _short(place["place"]), "row": int(row), "column": int(column)}
        )
    across = len({record["column"] for record in records})
    side = min(96, WIDTH // max(across, max(record["column"] for record in records) + 1))
    high = max(record["per_1000"] for record in records)
    what = "province" if len(provinces) > 1 else "district"
    at = {
        "x": _text("column", None, axis=None, scale={"paddingInner": 0.06}),
        "y": _text("row", None, axis=None, scale={"paddingInner": 0.06}),
    }
    dark = {"condition": {"test": f"datum.per_1000 > {high * 0.55}", "value": "white"}, "value": INK}
    return Chart(
        "map",
        f"Wrongful sanctions by {what}",
        f"Each tile is a {what}; the darker it is, and the larger its number, the more of 1,000 days lived there were "
        "days under a wrongful sanction.",
        _spec(
            records,
            width={"step": side},
            height={"step": min(side, 64)},
            encoding=at,
            layer=[
                {
                    "mark": {"type": "rect", "cornerRadius": 3},
                    "encoding": {
                        "color": _n(
                            "per_1000",
                            "wrongful sanction days per 1,000 days lived",
                            scale={"range": ["#fbeee4", "#f2b88c", "#d9691e", "#7a2a02"], "domain": [0, high or 1]},
                            legend={"gradientLength": 200, "tickCount": 4},
                        ),
                        "tooltip": _tip(
                            place=what, people="people#", wrongful_sanction_days="wrongful days#", per_1000="per 1,000~"
                        ),
                    },
                },
                {
                    "mark": {"type": "text", "fontSize": 11, "dy": -8, "limit": side - 6},
                    "encoding": {"text": _text("short"), "color": dark},
                },
                {
                    "mark": {"type": "text", "fontSize": 13, "fontWeight": "bold", "dy": 9},
                    "encoding": {"text": _n("per_1000", "", format=",.2~f" if high < 10 else ",.0f"), "color": dark},
                },
            ],
        ),
        records,
        (what.capitalize(), "People", "Sanction days", "Of them wrongful", "Per 1,000 days lived"),
        [
            (
                r["place"],
                whole(r["people"]),
                whole(r["sanction_days"]),
                whole(r["wrongful_sanction_days"]),
                decimal(r["per_1000"]),
            )
            for r in records
        ],
    )


def _short(name: str) -> str:
    return name if len(name) <= 14 else name[:13] + "…"


_CHARTS: Sequence[Callable[[Counts], Chart | None]] = (
    wrongful_by_stratum,
    records_by_act,
    false_records,
    scores,
    tiers,
    flows,
    sanction_days,
    lock_in,
    lists,
    refusals,
    hospital,
    tile_map,
)
