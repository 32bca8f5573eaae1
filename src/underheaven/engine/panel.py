"""Panels: what single citizens went through, day by day, with the belief and the truth beside each other.

The citizens are chosen by what they are and how they end, then their lives are lived again.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from underheaven import rng
from underheaven.engine.relive import Reliving
from underheaven.errors import CommandError
from underheaven.life import state as flag
from underheaven.life.reference import File, Person
from underheaven.life.tables import POINT
from underheaven.reading import did_you_mean
from underheaven.world.schema import TRAITS

Progress = Callable[[int, int], None]

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip


def panel(
    lives: Reliving, where: str | None = None, sample: int | None = 1_000, progress: Progress | None = None
) -> pa.Table:
    """Live citizens of a stored run again and return a row for each of them and each day.

    Parameters
    ----------
    lives : Reliving
    where : condition on the citizens, such as ``county = 12 and listed``; None: everybody.  Names are the traits
        (their levels in quotation marks), `county` (number or name), and how she ends: `listed`, `sanctioned`,
        `wrongly_sanctioned`, `innocent_sanctioned` (ever), `knows`, `score`, `true_score`, `strain`, `caution`
    sample : so many of them at most, by a keyed draw of each; None: all
    progress : called with (citizens lived, of how many)

    Returns
    -------
    pyarrow.Table : one row a citizen and day, as the day ends; scores in points

    Raises
    ------
    CommandError : the condition cannot be read, or nobody meets it
    """
    chosen = _chosen(lives, where, sample)
    if not chosen:
        raise CommandError.of("UH804", f"nobody meets the condition {where!r}; write a wider one")
    columns: dict[str, list[Any]] = {}
    for at, citizen in enumerate(chosen):

        def each_day(me: Person, day: int) -> None:
            for name, value in _row(me, day).items():
                columns.setdefault(name, []).append(value)

        life = lives.life(citizen, each_day)
        columns.setdefault("county", []).extend([life.county] * lives.days)
        for trait, level in life.traits.items():
            columns.setdefault(trait, []).extend([level] * lives.days)
        if progress is not None:
            progress(at + 1, len(chosen))
    fixed = ("citizen", "day", "county", *TRAITS)
    order = [*fixed, *(name for name in columns if name not in fixed)]
    return pa.table({name: _packed(columns[name]) for name in order})


def _packed(values: list[Any]) -> pa.Array:
    array = pa.array(values)
    return array.dictionary_encode() if pa.types.is_string(array.type) else array


def _row(me: Person, day: int) -> dict[str, Any]:
    """Return how a citizen stands as a day ends."""
    row: dict[str, Any] = {"citizen": me.citizen, "day": day}
    sides: tuple[tuple[str, File, str], ...] = (("", me.filed, me.tier), ("true_", me.true, me.true_tier))
    for prefix, side, tier in sides:
        for ledger, score in side.score.items():
            name = f"{prefix}score" if len(side.score) == 1 else f"{prefix}score/{ledger}"
            row[name] = score / POINT
        if tier:
            row[f"{prefix}tier"] = tier
        row[f"{prefix}lists"] = ", ".join(sorted(side.until))
    return row | {
        "sanctioned": bool(me.in_force),
        "wrongly_sanctioned": bool(me.in_force - me.deserved),
        "suspended": bool(me.on_paper) and not me.in_force,
        "knows": bool(me.flags & flag.KNOWS),
        "appeal_pending": me.appeal_day > 0,
        "strain": me.strain,
        "caution": me.caution,
    }


def _chosen(lives: Reliving, where: str | None, sample: int | None) -> list[int]:
    """Return the citizens that meet a condition, or a sample of them, by their numbers."""
    everybody = np.arange(lives.places.people)
    if where is not None:
        condition = _condition(where)
        parts = []
        for number in range(len(lives.people.block_county)):
            meets = np.broadcast_to(condition(_who(lives, number)), np.diff(lives.people.block_first)[number])
            parts.append(int(lives.people.block_first[number]) + np.flatnonzero(meets))
        everybody = np.concatenate(parts)
    if sample is None or len(everybody) <= sample:
        return [int(citizen) for citizen in everybody]
    keyed = [(rng.draw4(lives.seed, rng.SAMPLE, int(citizen), 1, 0)[:2], int(citizen)) for citizen in everybody]
    return sorted(citizen for _, citizen in sorted(keyed)[:sample])


def _who(lives: Reliving, number: int) -> dict[str, Any]:
    """Return what a condition can ask about the citizens of a block: arrays, or one value for all."""
    block = lives.block(number)
    found: dict[str, Any] = {}
    for trait, (shift, bits, _) in TRAITS.items():
        names = np.array([*lives.world.levels[trait], *[""] * (1 << bits)])
        found[trait] = names[(block.traits >> shift) & ((1 << bits) - 1)]
    found["income"] = found["income"].astype(int)
    county = int(lives.people.block_county[number])
    found["county"] = _County(county, lives.places.names[county])
    state, nobody = block.state, np.zeros(len(block.traits), bool)
    for name, bit in _ENDS.items():
        found[name] = state.flags & bit > 0 if state.flags.size else nobody
    found["listed"] = (state.list_until > 0).any(axis=0) if state.list_until.size else nobody
    for name in ("score", "true_score"):
        scores: NDArray[Any] = getattr(state, name)
        found[name] = scores.min(axis=0) / POINT if scores.size else nobody * np.nan
    return found | {"strain": state.strain, "caution": state.caution if state.caution.size else nobody * 0}


_ENDS = {
    "sanctioned": flag.WAS_SANCTIONED,
    "wrongly_sanctioned": flag.WAS_WRONGLY_SANCTIONED,
    "innocent_sanctioned": flag.WAS_SANCTIONED_INNOCENT,
    "knows": flag.KNOWS,
}
_NAMES = (*TRAITS, "county", *_ENDS, "listed", "score", "true_score", "strain", "caution")


class _County:
    """A county that equals its number and its name."""

    def __init__(self, number: int, name: str) -> None:
        self._is = (number, name)

    def __eq__(self, other: object) -> bool:
        return other in self._is

    def __hash__(self) -> int:
        return hash(self._is)


def _condition(text: str) -> Callable[[Mapping[str, Any]], Any]:
    """Read a condition: comparisons of a name with a value, and names alone, with `and`, `or`, `not` and brackets."""
    try:
        # One = is the usual sign in queries; Python reads two.
        tree = ast.parse(re.sub(r"(?<![<>=!])=(?!=)", "==", text.strip()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _unreadable(text, "it is no condition") from None
    return _part(tree, text)


def _part(node: ast.expr, text: str) -> Callable[[Mapping[str, Any]], Any]:
    if isinstance(node, ast.BoolOp):
        parts = [_part(value, text) for value in node.values]
        joined = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        return lambda who: joined.reduce(np.broadcast_arrays(*(part(who) for part in parts)))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _part(node.operand, text)
        return lambda who: np.logical_not(inner(who))
    if isinstance(node, ast.Name):
        name = _name(node, text)
        if name not in _ENDS and name != "listed":
            raise _unreadable(text, f"{name} alone says nothing; compare it with a value, as in {name} = ...")
        return lambda who: who[name]
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARE:
        compare, value = _COMPARE[type(node.ops[0])], node.comparators[0]
        if isinstance(node.left, ast.Name) and isinstance(value, ast.Constant):
            name, constant = _name(node.left, text), value.value
            return lambda who: _compared(compare, who[name], constant, name, text)
    raise _unreadable(text, "it compares something else than a name with a value")


def _compared(compare: Callable[[Any, Any], Any], values: Any, constant: Any, name: str, text: str) -> Any:
    if isinstance(values, np.ndarray) and isinstance(constant, str) != (values.dtype.kind == "U"):
        kind = "a text in quotation marks" if values.dtype.kind == "U" else "a number"
        raise _unreadable(text, f"{name} has to be compared with {kind}")
    try:
        return compare(values, constant)
    except TypeError:
        raise _unreadable(text, f"{name} can be = or != only") from None


def _name(node: ast.Name, text: str) -> str:
    if node.id not in _NAMES:
        guess = did_you_mean(node.id, _NAMES)
        mend = f"did you mean {guess}?" if guess else f"write one of {', '.join(_NAMES)}"
        raise _unreadable(text, f"there is no {node.id}; {mend}")
    return node.id


def _unreadable(text: str, why: str) -> Exception:
    example = "county = 12 and listed, or income <= 2 and not sanctioned"
    return CommandError.of("UH803", f"--where {text!r:.200}: {why}; write such as {example}")
