"""The columns of state: what is remembered about a citizen from one day to the next.

One array a column, never an object a citizen.  A column exists only where a regime needs it; its first axis
(if any) is the ledger, the list or the year, its last axis the citizen.  Under `press-2018` they are
13 bytes a citizen, and 9 a firm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from underheaven.compiled import inlined

# Bits of the column `flags`; all but KNOWS, IS_PURSUED and the two of risk say that something has ever happened.
HAS_DEMERIT = 1  # an infraction that she did was sighted
HAS_FALSE_RECORD = 2
WAS_SANCTIONED = 4
WAS_WRONGLY_SANCTIONED = 8
WAS_SANCTIONED_INNOCENT = 16  # sanctioned while HAS_DEMERIT was not set
KNOWS = 32  # has learnt of the present sanction
WAS_IN_LOWEST_TIER = 64
WAS_WRONGLY_REFUSED = 128
KNOWS_RECORD = 256  # has learnt of a record, by a fine
AWARE = 512  # knows that there is such a system
HAD_PERK = 1024
HEARD_REPRESSION = 2048  # has heard what the system represses
AT_RISK = 4096  # flagged by the risk score; works out anew as each window starts
TRULY_AT_RISK = 8192  # the same score would flag her if it saw a true file
WAS_DENOUNCED = 16384  # somebody lied about her, and it entered the file
IS_PURSUED = 32768  # insiders retaliate against her; more entries are to come


@dataclass(frozen=True)
class Column:
    """One column of state: its name, type, unit and what always holds of it."""

    name: str
    dtype: str
    axis: str  # "", "ledger", "list" or "year"; "firm": one a firm, and none a citizen
    unit: str
    meaning: str
    holds: str


COLUMNS = (
    Column("score", "int16", "ledger", "tenths of a point", "what the system believes", "floor..cap"),
    Column(
        "true_score",
        "int16",
        "ledger",
        "tenths of a point",
        "what the same system would hold if it never took one person for another",
        "floor..cap",
    ),
    Column("list_until", "uint16", "list", "day", "first day off the list", "0: not listed"),
    Column("true_list_until", "uint16", "list", "day", "the same in truth", "0: not listed"),
    Column("strain", "uint8", "", "0..255", "money troubles beyond those of her income", ""),
    Column("caution", "uint8", "", "0..255", "fear of the file", "0 without a score and a list"),
    Column(
        "flags",
        "uint16",
        "",
        "bits",
        "what has ever happened to her",
        "bits are only set, but KNOWS, IS_PURSUED and those of risk",
    ),
    Column("refused", "uint8", "", "bits", "services that have ever refused her", "bits are only set"),
    Column(
        "appeal_day", "uint16", "", "day", "her appeal is decided at the next exchange from it on", "0: none pending"
    ),
    Column("sanction_day", "uint16", "", "day", "first day of the present sanction", "needs an appeal deadline"),
    Column("bucket", "int16", "year", "tenths of a point", "believed points by year of record", "needs expiry"),
    Column("true_bucket", "int16", "year", "tenths of a point", "the same in truth", "needs expiry"),
    Column("echo", "int16", "ledger", "tenths of a point", "what friends bring onto her score", "needs association"),
    Column("true_echo", "int16", "ledger", "tenths of a point", "the same in truth", "needs association"),
    Column("firm_score", "int16", "firm", "tenths of a point", "what the system believes of a firm", "floor..cap"),
    Column("firm_true_score", "int16", "firm", "tenths of a point", "the same without errors", "floor..cap"),
    Column("firm_until", "uint16", "firm", "day", "first day off the list of firms", "0: not listed"),
    Column("firm_true_until", "uint16", "firm", "day", "the same in truth", "0: not listed"),
    Column("firm_flags", "uint8", "firm", "bits", "what has happened to it (life/firms.py)", ""),
)


class State(NamedTuple):
    """The columns as arrays; a column that the regime does not need has no elements."""

    score: NDArray[np.int16]  # [ledger, citizen]
    true_score: NDArray[np.int16]
    list_until: NDArray[np.uint16]  # [list, citizen]
    true_list_until: NDArray[np.uint16]
    strain: NDArray[np.uint8]  # [citizen]
    caution: NDArray[np.uint8]
    flags: NDArray[np.uint16]
    refused: NDArray[np.uint8]
    appeal_day: NDArray[np.uint16]
    sanction_day: NDArray[np.uint16]
    bucket: NDArray[np.int16]  # [year * ledger, citizen]
    true_bucket: NDArray[np.int16]
    echo: NDArray[np.int16]  # [ledger, citizen]
    true_echo: NDArray[np.int16]
    firm_score: NDArray[np.int16]  # [firm]
    firm_true_score: NDArray[np.int16]
    firm_until: NDArray[np.uint16]
    firm_true_until: NDArray[np.uint16]
    firm_flags: NDArray[np.uint8]


FIRM_COLUMNS = tuple(column.name for column in COLUMNS if column.axis == "firm")


@inlined
def first_firm(rules, citizen):
    """Return the number of the first firm whose representative is a citizen from this number on.

    Exact at the first citizen of a block.  It needs no table, so any part of a world numbers its firms alike.
    """
    return citizen * rules.firms // 1_000_000


def firms_of(rules: Any, first: int, people: int) -> int:
    """Return how many firms the `people` citizens from number `first` on represent."""
    rate = int(rules["firms"])
    return (first + people) * rate // 1_000_000 - first * rate // 1_000_000


def state_shapes(rules: Any, people: int, first: int = 0) -> dict[str, tuple[int, ...]]:
    """Return the shape of each column under these rules.

    Parameters
    ----------
    rules : RULES record
    people : number of citizens
    first : number of the first of them
    """
    ledgers, lists = int(rules["n_ledgers"]), int(rules["n_lists"])
    filed = people if rules["keeps_file"] else 0
    years = int(rules["expiry_years"]) + 1 if rules["expiry_years"] else 0
    return {
        "score": (ledgers, people),
        "true_score": (ledgers, people),
        "list_until": (lists, people),
        "true_list_until": (lists, people),
        "strain": (people,),
        "caution": (filed,),
        "flags": (filed,),
        "refused": (filed,),
        "appeal_day": (filed if rules["has_appeal"] else 0,),
        "sanction_day": (filed if rules["appeal_deadline_days"] else 0,),
        "bucket": (years * ledgers, people),
        "true_bucket": (years * ledgers, people),
        "echo": (ledgers if rules["echo"] else 0, people),
        "true_echo": (ledgers if rules["echo"] else 0, people),
        **dict.fromkeys(FIRM_COLUMNS, (firms_of(rules, first, people),)),
    }


def shapes_of_all(phases: Any, people: int, first: int = 0) -> dict[str, tuple[int, ...]]:
    """Return the shape of each column that holds what any of several regimes needs.

    Parameters
    ----------
    phases : RULES[regime]
    people : number of citizens
    first : number of the first of them
    """
    each = [state_shapes(rules, people, first) for rules in phases]
    return {name: tuple(max(sizes) for sizes in zip(*(one[name] for one in each), strict=True)) for name in each[0]}


def new_state(phases: Any, people: int, first: int = 0) -> State:
    """Make the state of day 0: everybody at the start score of the first regime, nobody listed, nothing known.

    Parameters
    ----------
    phases : RULES[regime], the regimes of a run, or the one RULES record
    people : number of citizens
    first : number of the first of them
    """
    phases = np.atleast_1d(phases)
    rules, shapes = phases[0], shapes_of_all(phases, people, first)
    arrays = {column.name: np.zeros(shapes[column.name], column.dtype) for column in COLUMNS}
    for name in ("score", "true_score"):
        arrays[name][: int(rules["n_ledgers"])] = rules["start"]
        arrays[f"firm_{name}"][:] = rules["firm_start"]
    return State(**arrays)


def rows_of(state: State, first: int, end: int, firms: int = 0) -> State:
    """Return the columns of the citizens `first` .. `end` - 1 and of the firms that they represent, as views.

    Parameters
    ----------
    firms : per million citizens
    """
    firm_first, firm_end = first * firms // 1_000_000, end * firms // 1_000_000
    part: dict[str, Any] = {
        name: array[firm_first:firm_end] if name in FIRM_COLUMNS else array[..., first:end]
        for name, array in state._asdict().items()
    }
    return State(**part)


def bytes_per_citizen(phases: Any) -> int:
    """Return the bytes of state that a citizen costs, her share of firms rounded up; of one RULES record or several."""
    million = 1_000_000
    shapes = shapes_of_all(np.atleast_1d(phases), million)
    return -(-sum(int(np.prod(shapes[c.name])) * np.dtype(c.dtype).itemsize for c in COLUMNS) // million)


def broken_invariants(state: State, rules: Any) -> list[str]:
    """Say which invariants of the columns do not hold; an empty list when all is well.

    Parameters
    ----------
    state : State of people who all live under these rules
    rules : RULES record
    """
    found = []
    for name in ("score", "true_score"):
        column = getattr(state, name)[: int(rules["n_ledgers"])]
        firms = getattr(state, f"firm_{name}")
        if firms.size and (firms.min() < rules["firm_floor"] or firms.max() > rules["firm_cap"]):
            found.append(f"firm_{name} outside floor..cap")
        if column.size and (column.min() < rules["floor"] or column.max() > rules["cap"]):
            found.append(f"{name} outside floor..cap")
    flags = state.flags
    for part, whole, text in (
        (WAS_WRONGLY_SANCTIONED, WAS_SANCTIONED, "wrongly sanctioned, but never sanctioned"),
        (WAS_SANCTIONED_INNOCENT, WAS_SANCTIONED, "sanctioned while innocent, but never sanctioned"),
        (HEARD_REPRESSION, AWARE, "heard of repression, but not aware of the system"),
        (HAD_PERK, AWARE, "had a perk, but not aware of the system"),
    ):
        if ((flags & part > 0) & (flags & whole == 0)).any():
            found.append(text)
    return found


def columns_of(state: State, row: int) -> dict[str, list[int]]:
    """Return the columns of one citizen, each as a list along its axis; columns without elements are left out."""
    return {
        name: array[..., row].reshape(-1).tolist()
        for name, array in state._asdict().items()
        if array.size and name not in FIRM_COLUMNS
    }


def firm_columns_of(state: State, row: int) -> dict[str, int]:
    """Return the columns of one firm."""
    return {name: int(getattr(state, name)[row]) for name in FIRM_COLUMNS}


@inlined
def take(rules, state, me, row):
    """Spread a citizen's columns out into the PERSON record; columns that do not exist read 0."""
    for ledger in range(rules.n_ledgers):
        me.score[ledger] = state.score[ledger, row]
        me.true_score[ledger] = state.true_score[ledger, row]
    for entry in range(rules.n_lists):
        me.list_until[entry] = state.list_until[entry, row]
        me.true_list_until[entry] = state.true_list_until[entry, row]
    me.strain = state.strain[row]
    if rules.keeps_file:
        me.caution = state.caution[row]
        me.flags = state.flags[row]
        me.refused = state.refused[row]
    if rules.has_appeal:
        me.appeal_day = state.appeal_day[row]
    if rules.appeal_deadline_days > 0:
        me.sanction_day = state.sanction_day[row]
    if rules.expiry_years > 0:
        for slot in range(rules.expiry_years + 1):
            for ledger in range(rules.n_ledgers):
                at = slot * rules.n_ledgers + ledger
                me.bucket[slot, ledger] = state.bucket[at, row]
                me.true_bucket[slot, ledger] = state.true_bucket[at, row]
    if rules.echo > 0:
        for ledger in range(rules.n_ledgers):
            me.echo[ledger] = state.echo[ledger, row]
            me.true_echo[ledger] = state.true_echo[ledger, row]


@inlined
def give_back(rules, state, me, row):
    """Write the PERSON record back into the citizen's columns."""
    for ledger in range(rules.n_ledgers):
        state.score[ledger, row] = me.score[ledger]
        state.true_score[ledger, row] = me.true_score[ledger]
    for entry in range(rules.n_lists):
        state.list_until[entry, row] = me.list_until[entry]
        state.true_list_until[entry, row] = me.true_list_until[entry]
    state.strain[row] = me.strain
    if rules.keeps_file:
        state.caution[row] = me.caution
        state.flags[row] = me.flags
        state.refused[row] = me.refused
    if rules.has_appeal:
        state.appeal_day[row] = me.appeal_day
    if rules.appeal_deadline_days > 0:
        state.sanction_day[row] = me.sanction_day
    if rules.expiry_years > 0:
        for slot in range(rules.expiry_years + 1):
            for ledger in range(rules.n_ledgers):
                at = slot * rules.n_ledgers + ledger
                state.bucket[at, row] = me.bucket[slot, ledger]
                state.true_bucket[at, row] = me.true_bucket[slot, ledger]
    if rules.echo > 0:
        for ledger in range(rules.n_ledgers):
            state.echo[ledger, row] = me.echo[ledger]
            state.true_echo[ledger, row] = me.true_echo[ledger]
