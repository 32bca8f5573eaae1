"""Numbers that say where they come from: one closed model a kind, exact to the last digit.

In a file a quantity is a mapping: ``{value: 0.02, per: probe, source: npl-2023, basis: table, note: "..."}``.
`basis` says how the number was come by; `text`, `table` and `figure` need a source that the file names.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    PrivateAttr,
    StrictBool,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from underheaven.errors import Where
from underheaven.reading.guard import Node, did_you_mean, number_of, number_text, one_of, shown

DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}

#: What a chance can be per: the occasions of the model.
OCCASIONS = (
    "act", "appeal", "comparison", "exchange", "friend", "listing", "match", "person", "probe", "record", "removal",
    "sanction", "use", "visit",
)  # fmt: skip
BASES = ("text", "table", "figure", "recalled", "assumed")
Basis = Literal["text", "table", "figure", "recalled", "assumed"]

MAX_POINTS = 1_000_000
MAX_COUNT = 10**12
MAX_FACTOR = 10**6
MAX_NUMBER = 10**12
MAX_YEARS = 1000
SHARES_SLACK = Fraction(1, 1000)

_DURATION = re.compile(r"([0-9]{1,9}) +(day|week|month|year)s?")


def fault(code: str, text: str) -> PydanticCustomError:
    """Make the error that `load` turns into one located message with this code."""
    # The text goes in as a value, so that braces in it stay braces.
    return PydanticCustomError(code, "{text}", {"text": text})


def _number(value: object, info: ValidationInfo) -> Decimal:
    """Take a number exactly.  Files are strict; in Python, and in JSON of ours, text and floats will do."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and not info.context:
        read = number_of(value)
        value = Decimal(read) if read is not None else value
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal) and value.is_finite():
        return value
    raise fault("UH112", f"{shown(value)} is no number; {number_mend(value)}")


def number_mend(value: object) -> str:
    """Return what to write instead of something that is no number."""
    text = value.strip() if isinstance(value, str) else ""
    if text.endswith("%") and isinstance(percent := number_of(text[:-1].strip()), (int, Decimal)):
        return f"write {number_text(Decimal(percent) / 100)}"
    if text.lower().strip("+-.") in ("nan", "inf", "infinity"):
        return "write a number that can be counted with, or leave the key out if it is not known"
    for loose in (text.replace(",", ""), f"0{text}", text.rstrip("."), text.lstrip("0"), text.replace(" ", "")):
        if text and number_of(loose) is not None:
            return f"write {loose}"
    if text:
        return "write digits, as 20, 0.5 or 1.5e-8, without quotes or units"
    return "write digits, as 20, 0.5 or 1.5e-8"


def _whole(value: object, info: ValidationInfo) -> int:
    number = _number(value, info)
    if number != number.to_integral_value():
        below = math.floor(number)
        raise fault("UH112", f"{shown(number)} is no whole number; write {below} or {below + 1}")
    return int(number)


def _as_json(value: Decimal) -> int | float | str:
    """Return the number for JSON: exactly, as text only where a float would change it."""
    if value == value.to_integral_value() and abs(value) < 2**53:
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


Exactly = Annotated[Decimal, PlainValidator(_number), PlainSerializer(_as_json, when_used="json")]
Whole = Annotated[int, PlainValidator(_whole)]


class Section(BaseModel):
    """A mapping of a file: closed keys, never changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


class Source(Section):
    """A source that numbers cite."""

    title: str
    author: str | None = None
    year: Annotated[int, Field(strict=True)] | None = None
    address: str | None = None
    note: str | None = None
    read: StrictBool = False

    @field_validator("year")
    @classmethod
    def _year(cls, year: int | None) -> int | None:
        if year is not None and not 0 < year < 2200:
            raise fault("UH113", f"{year} is no year of a source; write four digits, as 2018")
        return year

    @field_validator("address")
    @classmethod
    def _address(cls, address: str | None) -> str | None:
        if address is not None and not re.fullmatch(r"https?://[^\s<>\"]+", address):
            raise fault("UH112", f"{shown(address)} is no address of a page; write https://..., or use `note`")
        return address


class Quantity(Section):
    """What every number, or table of numbers, says of itself."""

    EXAMPLE: ClassVar[str] = "{value: 1, basis: assumed}"

    source: str | None = None
    basis: Basis
    note: str | None = None

    @field_validator("source")
    @classmethod
    def _known(cls, source: str | None, info: ValidationInfo) -> str | None:
        known = (info.context or {}).get("sources")
        if source is not None and known is not None and source not in known:
            guess = did_you_mean(source, known)
            mend = f"did you mean '{guess}'?" if guess else _sources_mend(known)
            raise fault("UH116", f"{shown(source)} does not stand under `sources`; {mend}")
        return source

    @model_validator(mode="after")
    def _has_source(self) -> Quantity:
        if self.source is None and self.basis in ("text", "table", "figure"):
            text = (
                f"basis `{self.basis}` needs a source; write `source:` with a name from `sources`, or `basis: assumed`"
            )
            raise fault("UH115", text)
        return self

    def text(self) -> str:
        """Return the number as people write it, without its unit."""
        raise NotImplementedError

    def meaning(self) -> object:
        """Return what the number means, for `identity_hash`."""
        raise NotImplementedError


def _sources_mend(known: frozenset[str]) -> str:
    return f"write one of {one_of(sorted(known))}" if known else "write `sources:` with its title first"


class Points(Quantity):
    """Whole points of a score."""

    EXAMPLE: ClassVar[str] = "{value: 10, source: ..., basis: text}"
    value: Whole

    @field_validator("value")
    @classmethod
    def _range(cls, value: int) -> int:
        if abs(value) > MAX_POINTS:
            raise fault("UH113", f"{value} points are beyond any scale; write a number within ±{MAX_POINTS:,}")
        return value

    def text(self) -> str:
        """Return the points."""
        return str(self.value)

    def meaning(self) -> object:
        """Return the points."""
        return self.value


class Count(Quantity):
    """A whole number of things, 0 or more."""

    EXAMPLE: ClassVar[str] = "{value: 100, source: ..., basis: text}"
    value: Whole

    @field_validator("value")
    @classmethod
    def _range(cls, value: int) -> int:
        if not 0 <= value <= MAX_COUNT:
            raise fault("UH113", f"{value} is no count; write a whole number within 0 .. {MAX_COUNT:,}")
        return value

    def text(self) -> str:
        """Return the count."""
        return str(self.value)

    def meaning(self) -> object:
        """Return the count."""
        return self.value


class _Exact(Quantity):
    """A number that need not be whole."""

    value: Exactly

    @property
    def exact(self) -> Fraction:
        """The number as an exact fraction."""
        return Fraction(self.value)

    def text(self) -> str:
        """Return the number."""
        return number_text(self.value)

    def meaning(self) -> object:
        """Return the exact fraction as text."""
        return str(self.exact)


class Number(_Exact):
    """A number of any sign."""

    EXAMPLE: ClassVar[str] = "{value: 2.5, source: ..., basis: text}"

    @field_validator("value")
    @classmethod
    def _range(cls, value: Decimal) -> Decimal:
        if abs(value) > MAX_NUMBER:
            raise fault("UH113", f"{number_text(value)} is out of range; write a number within ±{MAX_NUMBER:,}")
        return value


class Factor(_Exact):
    """A number that something is multiplied by, 0 or more."""

    EXAMPLE: ClassVar[str] = "{value: 1.5, source: ..., basis: text}"

    @field_validator("value")
    @classmethod
    def _range(cls, value: Decimal) -> Decimal:
        return _in_factors(value)


def _in_factors(value: Decimal) -> Decimal:
    if not 0 <= value <= MAX_FACTOR:
        raise fault("UH113", f"{number_text(value)} is no factor; write a number within 0 .. {MAX_FACTOR:,}")
    return value


class Prob(_Exact):
    """A chance, 0 to 1, per occasion."""

    EXAMPLE: ClassVar[str] = "{value: 0.5, per: UNIT, source: ..., basis: text}"
    per: str

    @field_validator("value")
    @classmethod
    def _range(cls, value: Decimal) -> Decimal:
        return _in_shares(value, "chance")

    @field_validator("per")
    @classmethod
    def _occasion(cls, per: str) -> str:
        if per not in OCCASIONS:
            guess = did_you_mean(per, OCCASIONS)
            mend = f"did you mean '{guess}'?" if guess else f"write one of {one_of(OCCASIONS)}"
            raise fault("UH114", f"no chance is per {shown(per)}; {mend}")
        return per

    def meaning(self) -> object:
        """Return the exact fraction and the occasion."""
        return [str(self.exact), self.per]


def _in_shares(value: Decimal, what: str) -> Decimal:
    if not 0 <= value <= 1:
        mend = f" ({number_text(value / 100)} if percent are meant)" if 1 < value <= 100 else ""
        raise fault("UH113", f"{number_text(value)} is no {what}; write a number within 0 .. 1{mend}")
    return value


@dataclass(frozen=True)
class Per:
    """A validator that wants a chance to be written per this occasion."""

    unit: str

    def __call__(self, chance: Prob) -> Prob:
        """Return the chance if its unit is right."""
        if chance.per != self.unit:
            text = f"this is a chance per {self.unit}, not per {chance.per}; write `per: {self.unit}`"
            raise PydanticCustomError("UH114", "{text}", {"text": text, "at": ("per",)})
        return chance


class Rate(_Exact):
    """How often something happens: a number 0 or more per day, week (7 days), month (30) or year (365)."""

    EXAMPLE: ClassVar[str] = "{value: 2, per: year, source: ..., basis: text}"
    per: str

    @field_validator("value")
    @classmethod
    def _range(cls, value: Decimal) -> Decimal:
        if not 0 <= value <= MAX_FACTOR:
            raise fault("UH113", f"{number_text(value)} is no rate; write a number within 0 .. {MAX_FACTOR:,}")
        return value

    @field_validator("per")
    @classmethod
    def _time(cls, per: str) -> str:
        if per not in DAYS:
            raise fault("UH114", f"no rate is per {shown(per)}; write one of {one_of(DAYS)}")
        return per

    @property
    def per_day(self) -> Fraction:
        """How often a day, exactly."""
        return self.exact / DAYS[self.per]

    def meaning(self) -> object:
        """Return the rate per day as text."""
        return str(self.per_day)


class Duration(Quantity):
    """Whole days, written with their unit: `40 days`, `6 months` (30 days each), `2 years` (365)."""

    EXAMPLE: ClassVar[str] = "{value: 2 years, source: ..., basis: text}"
    value: Annotated[str, PlainValidator(lambda value: _duration(value))]

    @property
    def days(self) -> int:
        """The length in days."""
        number, unit = self.value.split()
        return int(number) * DAYS[unit.removesuffix("s")]

    def text(self) -> str:
        """Return the length with its unit."""
        return self.value

    def meaning(self) -> object:
        """Return the days."""
        return self.days


def _duration(value: object) -> str:
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        raise fault("UH114", f"{shown(value)} has no unit; write `{number_text(value)} days`, weeks, months or years")
    if not isinstance(value, str):
        raise fault("UH112", f"{shown(value)} is no length of time; write `40 days` or `2 years`")
    text = value.strip()
    found = _DURATION.fullmatch(text)
    if not found:
        mend = "write a whole number and days, weeks, months or years, as `40 days`"
        raise fault("UH114", f"{shown(value)} is no length of time; {mend}")
    if int(found[1]) * DAYS[found[2]] > MAX_YEARS * DAYS["year"]:
        raise fault("UH113", f"{text} is longer than {MAX_YEARS} years; write less")
    return text


class Levels(Quantity):
    """A table of factors by level, with one citation."""

    EXAMPLE: ClassVar[str] = "{values: {low: 0.5, high: 2}, source: ..., basis: text}"
    values: dict[str, Exactly]

    @field_validator("values")
    @classmethod
    def _range(cls, values: dict[str, Decimal]) -> dict[str, Decimal]:
        for value in values.values():
            _in_factors(value)
        return values

    @property
    def exact(self) -> dict[str, Fraction]:
        """The numbers by level, as exact fractions."""
        return {level: Fraction(value) for level, value in self.values.items()}

    def text(self) -> str:
        """Return the table in one line."""
        return ", ".join(f"{level} {number_text(value)}" for level, value in self.values.items())

    def meaning(self) -> object:
        """Return the exact fractions by level."""
        return {level: str(value) for level, value in self.exact.items()}


class Shares(Quantity):
    """A table of shares by level that add up to 1 (within 0.001; then scaled to 1 exactly)."""

    EXAMPLE: ClassVar[str] = "{values: {rural: 0.4, urban: 0.6}, source: ..., basis: table}"
    values: dict[str, Exactly]

    @field_validator("values")
    @classmethod
    def _range(cls, values: dict[str, Decimal]) -> dict[str, Decimal]:
        for value in values.values():
            _in_shares(value, "share")
        whole = sum((Fraction(value) for value in values.values()), Fraction(0))
        if abs(whole - 1) > SHARES_SLACK:
            raise fault("UH113", f"the shares add up to {float(whole):.6g}; write shares that add up to 1")
        return values

    @property
    def exact(self) -> dict[str, Fraction]:
        """The shares by level, as exact fractions that add up to 1."""
        whole = sum((Fraction(value) for value in self.values.values()), Fraction(0))
        return {level: Fraction(value) / whole for level, value in self.values.items()}

    def text(self) -> str:
        """Return the table in one line."""
        return ", ".join(f"{level} {number_text(value)}" for level, value in self.values.items())

    def meaning(self) -> object:
        """Return the exact shares by level."""
        return {level: str(value) for level, value in self.exact.items()}


class _Tree:
    """Where a document came from.  All are equal, so that equal documents of two files are equal."""

    def __init__(self, root: Node) -> None:
        self.root = root

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Tree) or other is None

    __hash__ = None  # type: ignore[assignment]


class Document(Section):
    """A whole file.  It remembers its places as long as it is the value that was read."""

    _tree: _Tree | None = PrivateAttr(default=None)

    def where(self, path: str) -> Where | None:
        """Return the place of ``lists.travel-ban.term`` or ``lists.0.term``; None if it was not read from a file."""
        node: Node | None = None if self._tree is None else self._tree.root
        for part in path.split(".") if path else ():
            node = None if node is None else node.child(part)
        return None if node is None else node.where(path)

    def placed(self, tree: Node) -> None:
        """Remember the tree that this was read from."""
        self._tree = _Tree(tree)


@dataclass(frozen=True)
class Cited:
    """One number of a file beside what it says of its source.

    Parameters
    ----------
    path : where it stands, as `--set` takes it
    text : the number as written; `per` its unit, if it has one
    source, basis, note : as in the file
    """

    path: str
    text: str
    per: str | None
    source: str | None
    basis: str
    note: str | None


def cited(model: BaseModel) -> list[Cited]:
    """Return every quantity of a model with its citation, in the order of the file's schema."""
    found: list[Cited] = []

    def visit(value: object, path: tuple[str, ...]) -> None:
        if isinstance(value, Quantity):
            per = getattr(value, "per", None)
            found.append(Cited(".".join(path), value.text(), per, value.source, value.basis, value.note))
        elif isinstance(value, BaseModel):
            for name, field in type(value).model_fields.items():
                visit(getattr(value, name), (*path, field.alias or name))
        elif isinstance(value, Mapping):
            for key, item in value.items():
                visit(item, (*path, str(key)))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for index, item in enumerate(value):
                visit(item, (*path, str(getattr(item, "name", index))))

    visit(model, ())
    return found


# What says something to readers only, and can move no result.
_TOLD = frozenset({"title", "summary", "note", "published"})
_TOLD_AT_ROOT = frozenset({"kind", "status", "sources", "cases", "regime", "world"})


def identity(model: BaseModel) -> object:
    """Return everything in a model that can move a result, in a canonical form for JSON.

    Numbers stand as what they mean (`2 years` as 730 days); what equals its default is left out, so that a
    new option of a later version does not change the identity of a file that does not use it.
    """
    return _identity(model, _TOLD | _TOLD_AT_ROOT)


def _identity(value: object, told: frozenset[str]) -> object:
    if isinstance(value, Quantity):
        return value.meaning()
    if isinstance(value, BaseModel):
        return {
            field.alias or name: _identity(getattr(value, name), _TOLD)
            for name, field in type(value).model_fields.items()
            if name not in told
            and (field.is_required() or getattr(value, name) != field.get_default(call_default_factory=True))
        }
    if isinstance(value, Mapping):
        return {str(key): _identity(item, _TOLD) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_identity(item, _TOLD) for item in value]
    if isinstance(value, (Decimal, Fraction)):
        return str(Fraction(value))
    assert value is None or isinstance(value, (str, int, bool)), type(value)
    return value


def identity_hash(model: BaseModel) -> str:
    """Return the SHA-256 (hex) of everything in a model that can move a result."""
    text = json.dumps(identity(model), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
