"""The counters of one run, added up as a question needs them, and exact ratios of two counters.

Every figure is a counter of the run, or a ratio of two counters that keeps its numerator and its denominator.
A ratio whose denominator is 0 is None, "not measurable", never 0.

A share of people comes with Wilson's 95% interval (Wilson 1927, "Probable inference, the law of succession,
and statistical inference", JASA 22, 209-212).  A run is one draw of a population from its world; the interval
says how far another draw (another seed) may lie from it, if people were independent of each other.  It says
nothing about whether the model is right.  Shares of days or of records have no interval: the days of one
person are not independent of each other.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

if TYPE_CHECKING:
    import pyarrow as pa

    from underheaven.regime.schema import Regime
    from underheaven.store import Run

STRATUM = ("group", "sex", "age", "income")
RANKS = ("first", "normal", "last")

Z_95 = 1.959963984540054  # the 97.5% point of the normal distribution


class Counts:
    """The counters of one run, added up as a question needs them.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        manifest = run.manifest
        self.run = run
        self.days = int(manifest["days"])
        self.acts: list[dict[str, Any]] = manifest["acts"]
        self.services: list[dict[str, Any]] = manifest["services"]
        self.tiers: list[str] = manifest["tiers"]
        self.lists: list[str] = manifest["lists"]
        self.levels: dict[str, list[Any]] = {
            **{trait: list(manifest["levels"][trait]) for trait in ("group", "sex", "age")},
            "income": list(range(1, 11)),
        }
        self._people: dict[tuple[Any, ...], int] = {}
        for row in _added(run.table("people"), STRATUM, "people"):
            self._people[tuple(row[trait] for trait in STRATUM)] = row["people"]
        self._amounts: dict[tuple[Any, ...], dict[str, int]] = defaultdict(dict)
        for row in _added(run.table("counts_stratum"), (*STRATUM, "counter"), "amount"):
            self._amounts[tuple(row[trait] for trait in STRATUM)][row["counter"]] = row["amount"]
        self._totals: dict[str, int] = defaultdict(int)
        for amounts in self._amounts.values():
            for counter, amount in amounts.items():
                self._totals[counter] += amount
        self.people = sum(self._people.values())
        self.people_days = self.people * self.days

    @property
    def keeps_file(self) -> bool:
        """Tell whether the regime has a score or a list."""
        return bool(self.tiers or self.lists)

    @property
    def regimes(self) -> tuple[Regime, ...]:
        """The regimes that people lived under: one, or those of a roll-out."""
        from underheaven.regime.rollout import Rollout

        rules = self.run.regime
        return rules.regimes if isinstance(rules, Rollout) else (rules,)

    def total(self, counter: str) -> int:
        """Return what a counter has added up in the whole run; 0 if nothing was counted."""
        return self._totals.get(counter, 0)

    def sum(self, what: str, names: Iterable[str]) -> int:
        """Return the total of ``what/name`` over names."""
        return sum(self.total(f"{what}/{name}") for name in names)

    def by(self, *traits: str) -> dict[tuple[Any, ...], dict[str, int]]:
        """Return the counters of each level of some traits, `people` among them, in the order of the levels.

        Levels that nobody has are left out.
        """
        at = [STRATUM.index(trait) for trait in traits]
        found: dict[tuple[Any, ...], dict[str, int]] = {}
        for stratum, people in self._people.items():
            row = found.setdefault(tuple(stratum[i] for i in at), defaultdict(int))
            row["people"] += people
            for counter, amount in self._amounts.get(stratum, {}).items():
                row[counter] += amount
        order = [{level: place for place, level in enumerate(self.levels[trait])} for trait in traits]
        return dict(
            sorted(found.items(), key=lambda item: [o.get(level, 99) for o, level in zip(order, item[0], strict=True)])
        )

    def windows(self, counters: Iterable[str], most: int = 60) -> list[dict[str, int]]:
        """Return counters over time: rows with `start_day`, `days` and each counter, at most `most` of them.

        In long runs neighbouring windows are added together; a last one of less than half the days joins the one
        before it, so that no row is all noise.
        """
        wanted = list(counters)
        table = _only(self.run.table("counts_county"), "counter", wanted)
        spans = self._spans()
        each = -(-len(spans) // most)
        parts = [spans[i : i + each] for i in range(0, len(spans), each)]
        if len(parts) > 1 and 2 * sum(days for _, days in parts[-1]) < sum(days for _, days in parts[0]):
            parts[-2:] = [parts[-2] + parts[-1]]
        rows = [
            {"start_day": part[0][0], "days": sum(days for _, days in part)} | dict.fromkeys(wanted, 0)
            for part in parts
        ]
        place = {start: row for row, part in zip(rows, parts, strict=True) for start, _ in part}
        for row in _added(table, ("start_day", "counter"), "amount"):
            place[row["start_day"]][row["counter"]] += row["amount"]
        return rows

    def counties(self, counters: Iterable[str]) -> dict[str, dict[str, int]]:
        """Return the totals of counters by county name."""
        wanted = list(counters)
        found = {county["name"]: dict.fromkeys(wanted, 0) for county in self.run.manifest["counties"]}
        for row in _added(_only(self.run.table("counts_county"), "counter", wanted), ("county", "counter"), "amount"):
            found[row["county"]][row["counter"]] += row["amount"]
        return found

    def _spans(self) -> list[tuple[int, int]]:
        """Return (first day, days) of every window."""
        step = int(self.run.manifest["exchange_days"])
        return [(start, min(step, self.days - start)) for start in range(0, self.days, step)]

    def waits_by_rank(self) -> dict[str, int]:
        """Return the minutes waited in each class of the queue, all visits together.

        A visit waits as long as the hospitals handed out for its county and window, so the sum is exact.
        """
        stored = self.run.table("exchange/tables")
        stored = stored.filter(pc.equal(stored["name"], "wait_minutes")).sort_by("day")
        handed = {row["day"]: np.frombuffer(row["data"], "<i8").reshape(row["shape"]) for row in stored.to_pylist()}
        number = {county["name"]: i for i, county in enumerate(self.run.manifest["counties"])}
        table = _only(self.run.table("counts_county"), "counter", [f"visits_ranked/{rank}" for rank in RANKS])
        waited = dict.fromkeys(RANKS, 0)
        days, at, minutes = sorted(handed), 0, None
        for row in sorted(table.to_pylist(), key=lambda row: row["start_day"]):
            while at < len(days) and days[at] <= row["start_day"]:
                minutes, at = handed[days[at]], at + 1
            if minutes is not None:
                place = number[row["county"]] if len(minutes) > 1 else 0
                rank = row["counter"].split("/", 1)[1]
                waited[rank] += row["amount"] * int(minutes[place, RANKS.index(rank)])
        return waited


def _added(table: pa.Table, keys: Sequence[str], value: str) -> list[dict[str, Any]]:
    """Return the sums of a column by keys, as rows."""
    rows: list[dict[str, Any]] = table.group_by(list(keys)).aggregate([(value, "sum")]).to_pylist()
    for row in rows:
        row[value] = row.pop(f"{value}_sum")
    return rows


def _only(table: pa.Table, column: str, wanted: Sequence[str]) -> pa.Table:
    """Return the rows of a table whose label is wanted."""
    import pyarrow as pa

    labels = table[column].cast(pa.string())
    return table.filter(pc.is_in(labels, value_set=pa.array(list(wanted), pa.string())))


# Ratios ---------------------------------------------------------------------------------------------------------------


def ratio(numerator: int, denominator: int) -> dict[str, Any]:
    """Return an exact ratio; its value is None, "not measurable", if the denominator is 0."""
    value = None if denominator == 0 else numerator / denominator
    return {"numerator": numerator, "denominator": denominator, "value": value}


def share(part: int, people: int) -> dict[str, Any]:
    """Return a share of people with its 95% interval; None throughout if there is nobody to have a share of."""
    low, high = wilson(part, people) if people > 0 else (None, None)
    return ratio(part, people) | {"low": low, "high": high}


def wilson(part: int, whole: int, z: float = Z_95) -> tuple[float, float]:
    """Return Wilson's score interval of a binomial share.

    Parameters
    ----------
    part, whole : int, 0 <= part <= whole, whole > 0
    z : float, normal quantile

    Returns
    -------
    (low, high) : float, within 0 .. 1

    Notes
    -----
    Wilson 1927.  Unlike the usual p ± z·s it is not empty at 0 and at 1.
    """
    p = part / whole
    middle = p + z * z / (2 * whole)
    spread = z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    scale = 1 + z * z / whole
    low, high = (middle - spread) / scale, (middle + spread) / scale
    return max(0.0, low) if part > 0 else 0.0, min(1.0, high) if part < whole else 1.0
