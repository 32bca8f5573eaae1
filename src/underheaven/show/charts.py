"""The charts of a run, one function a chart: a Vega-Lite specification with its data as plain records.

A chart has a title that says one thing, one sentence that says how to read it, and a table of the same figures
for who cannot see it.  All numbers come from counters, none is estimated here.  The charts of scores, grades and
lists over time are in :mod:`underheaven.show.standing`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from underheaven.show.abuse import ruin
from underheaven.show.association import association
from underheaven.show.demands import demands
from underheaven.show.firms import firms
from underheaven.show.opinion import approval
from underheaven.show.patrols import cameras
from underheaven.show.peers import stars
from underheaven.show.risk import risk
from underheaven.show.standing import flows, lists, scores, tiers
from underheaven.show.vega import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    SKY,
    WIDTH,
    Chart,
    Record,
    Spec,
    category,
    day_axis,
    income_axis,
    ladder,
    pivot,
    quantity,
    tooltip,
    vega_lite,
)
from underheaven.show.voice import officials
from underheaven.study.counts import Counts, ratio, share
from underheaven.study.words import decimal, label, percent, whole

if TYPE_CHECKING:
    from underheaven.store import Run

#: Below so many people ever in the lowest tier, a chart of who they are would be read into chance.
FEWEST_LOCKED_IN = 20

_CHANNELS = {"false_match_records": "a face taken for another", "false_link_records": "a namesake in a register"}


def all_charts(run: Run, counts: Counts | None = None) -> list[Chart]:
    """Return the charts that this run has something to show in, in the order of the report."""
    counts = counts or Counts(run)
    made = (draw(counts) for draw in _CHARTS)
    return [chart for chart in made if chart is not None]


# Records --------------------------------------------------------------------------------------------------------------


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
        vega_lite(
            records,
            width=WIDTH,
            height=220,
            mark={"type": "line", "strokeWidth": 2.5},
            encoding={
                "x": day_axis(counts.days),
                "y": quantity("per_1000_week", "false entries per 1,000 people and week"),
                "color": category("channel", "the file names the wrong person because of", scale=colour),
                "strokeDash": category(
                    "channel",
                    "the file names the wrong person because of",
                    scale={"domain": colour["domain"], "range": [[1, 0], [5, 3]]},
                ),
                "tooltip": tooltip(channel="cause", day="day#", false_records="false entries#"),
            },
        ),
        records,
        ("Day", *(words.capitalize() for words in _CHANNELS.values())),
        pivot(records, "day", "channel", list(_CHANNELS.values()), lambda row: whole(row["false_records"])),
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
        vega_lite(
            records,
            layer=[
                {
                    "mark": {"type": "bar", "height": {"band": 0.7}},
                    "encoding": {
                        "color": category(
                            "held",
                            "entries are",
                            scale={"domain": ["held against people", "rewarded"], "range": [ORANGE, SKY]},
                        ),
                        "tooltip": tooltip(
                            act="act", entries="entries#", false_entries="of them false#", false_share="share%"
                        ),
                    },
                },
                {
                    "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 11, "color": GREY},
                    "encoding": {"text": category("note")},
                },
            ],
            encoding={
                "y": category("act", None, sort=order, axis={"labelPadding": 6}),
                "x": quantity(
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
        "x": income_axis(),
        "xOffset": {"field": "group", "type": "nominal", "sort": groups, "scale": {"paddingOuter": 0.8}},
        "color": category("group", "group", scale={"domain": groups}),
    }
    return Chart(
        "wrongful-by-stratum",
        "Whom do the errors hit?",
        "Each mark is the share of the people of one group and income tenth who were wrongly sanctioned at some time; "
        "the line through it is the 95% interval, which is long where few people are counted.",
        vega_lite(
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
                        "shape": category("group", "group", scale={"domain": groups}),
                        "y": {"field": "rate", "type": "quantitative", **y},
                        "tooltip": tooltip(
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
        vega_lite(
            records,
            width=WIDTH,
            height=240,
            mark={"type": "bar"},
            encoding={
                "x": income_axis(),
                "xOffset": {"field": "group", "type": "nominal", "sort": groups},
                "y": quantity("days_share", f"share of days {where}", axis={"format": "~%"}),
                "color": category("group", "group", sort=groups),
                "tooltip": tooltip(
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
    tip = tooltip(
        service="service", refusals="refusals#", wrongful_refusals="of them wrongful#", people="people refused#"
    )
    y = category("service", None, sort=order)
    number = {"type": "text", "align": "left", "dx": 4, "fontSize": 11, "color": GREY}
    room = 1.25

    def panel(field: str, title: str, colour: str, axis: Spec, over: list[Spec]) -> Spec:
        most = max(record[field] for record in records)
        x = quantity(
            field, title, scale={"domain": [0, most * room], "nice": False}, axis={"tickCount": 4, "format": ",.0f"}
        )
        bar = {"type": "bar", "color": colour, "height": {"band": 0.7}}
        return {
            "width": 270,
            "height": {"step": 26},
            "layer": [
                {"mark": bar, "encoding": {"x": x, "y": y | axis, "tooltip": tip}},
                *over,
                {"mark": number, "encoding": {"x": x, "y": y | axis, "text": quantity(field, title, format=",.0f")}},
            ],
        }

    all_refusals = "refusals (wrongful ones in orange)"
    wrongful = {
        "mark": {"type": "bar", "color": ORANGE, "height": {"band": 0.7}},
        "encoding": {"x": quantity("wrongful_refusals", all_refusals), "y": y, "tooltip": tip},
    }
    return Chart(
        "refusals",
        "What people are turned away from",
        "Left, every refusal counts, with the wrongful ones in orange; right, each person counts once for a service, "
        "however often it turned that person away.",
        vega_lite(
            records,
            hconcat=[
                panel("refusals", all_refusals, SKY, {}, [wrongful]),
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
    shades = ladder(len(kinds))  # its palest step fills an area, but could not be seen as a line
    colour = {"domain": kinds, "range": ["#b9ab95" if shade == "#e9e4dc" else shade for shade in shades]}
    by_grade = (
        {
            "color": category("grade", "grade", scale=colour),
            "shape": category("grade", "grade", scale={"domain": kinds}),
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
        vega_lite(
            records,
            width=WIDTH,
            height=240,
            mark={"type": "line", "strokeWidth": 2, "point": {"size": 45, "filled": True}},
            encoding={
                "x": day_axis(counts.days),
                "y": quantity("minutes", "mean wait (minutes)", scale={"domainMin": 0}),
                **by_grade,
                "tooltip": tooltip(grade="grade", day="day#", minutes="minutes~", visits="visits#"),
            },
        ),
        records,
        ("Day", *((f"Grade {tier}" for tier in kinds) if counts.tiers else ("Everybody",))),
        pivot(records, "day", "grade", kinds, lambda row: decimal(row["minutes"])),
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
    side = min(96, WIDTH // (max(record["column"] for record in records) + 1))
    high = max(record["per_1000"] for record in records)
    what = "province" if len(provinces) > 1 else "district"
    at = {
        "x": category("column", None, axis=None, scale={"paddingInner": 0.06}),
        "y": category("row", None, axis=None, scale={"paddingInner": 0.06}),
    }
    dark = {"condition": {"test": f"datum.per_1000 > {high * 0.55}", "value": "white"}, "value": INK}
    return Chart(
        "map",
        f"Wrongful sanctions by {what}",
        f"Each tile is a {what}; the darker it is, and the larger its number, the more of 1,000 days lived there were "
        "days under a wrongful sanction.",
        vega_lite(
            records,
            width={"step": side},
            height={"step": min(side, 64)},
            encoding=at,
            layer=[
                {
                    "mark": {"type": "rect", "cornerRadius": 3},
                    "encoding": {
                        "color": quantity(
                            "per_1000",
                            "wrongful sanction days per 1,000 days lived",
                            scale={"range": ["#fbeee4", "#f2b88c", "#d9691e", "#7a2a02"], "domain": [0, high or 1]},
                            legend={"gradientLength": 200, "tickCount": 4},
                        ),
                        "tooltip": tooltip(
                            place=what, people="people#", wrongful_sanction_days="wrongful days#", per_1000="per 1,000~"
                        ),
                    },
                },
                {
                    "mark": {"type": "text", "fontSize": 11, "dy": -8, "limit": side - 6},
                    "encoding": {"text": category("short"), "color": dark},
                },
                {
                    "mark": {"type": "text", "fontSize": 13, "fontWeight": "bold", "dy": 9},
                    "encoding": {
                        "text": quantity("per_1000", "", format=",.2~f" if high < 10 else ",.0f"),
                        "color": dark,
                    },
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
    """Return a name that fits on a tile."""
    return name if len(name) <= 14 else name[:13] + "…"


_CHARTS: Sequence[Callable[[Counts], Chart | None]] = (
    wrongful_by_stratum,
    records_by_act,
    false_records,
    scores,
    tiers,
    flows,
    stars,
    sanction_days,
    lock_in,
    lists,
    refusals,
    association,
    hospital,
    cameras,
    risk,
    approval,
    ruin,
    officials,
    tile_map,
    firms,
    demands,
)
