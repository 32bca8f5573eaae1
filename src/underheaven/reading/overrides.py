"""`--set path=value`: change one place of a file for one run, and say so in the number itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn, TypeVar

from pydantic import BaseModel

from underheaven.errors import FileFormError, Finding, Where
from underheaven.reading.guard import MAX_BYTES, Node, Origin, compose, did_you_mean, item_index, item_name, one_of
from underheaven.reading.located import (
    CITE,
    Slot,
    below,
    example_of,
    is_open,
    keys_of,
    quantity_of,
    resolve,
)
from underheaven.reading.quantities import Document

NOTE = "set on the command line"
OPTION = "--set"

#: The files that `--set` changes; a path may begin with the name of its file.
_FILES = ("regime", "world")

T = TypeVar("T")

_PER = re.compile(r"(\S+) +per +(\S.*)")


def override(tree: Node, overrides: Sequence[str], model: type[BaseModel]) -> Node:
    """Apply ``path=value`` texts to a resolved tree, one after the other.

    A path is written with dots, and may begin with the file that it belongs to, `regime.` or `world.`; items
    of a list are named by their `name` or number.  A plain value at the
    place of a quantity replaces its number (and unit, if written ``0.5 per match``); the quantity then rests on
    `assumed`, without a source.  ``null`` takes the place out.  The value may be a small mapping or list.

    Parameters
    ----------
    tree : resolved, so that nothing is inherited by what is set here
    overrides : such as ``points.jaywalking=-10`` or ``lists.travel-ban.term.mean=2 years``
    model : says which places there are

    Raises
    ------
    FileFormError : UH131 for a path or a form that cannot be used; UH102 to UH107 from the guard
    """
    for text in overrides:
        tree = _Override(text, model).apply(tree)
    return tree


def blamed(read: Callable[[Sequence[str]], T], overrides: Sequence[str]) -> T:
    """Return what `read` makes of the overrides; where one of them makes the file faulty, point at its text.

    Raises
    ------
    FileFormError : a fault that is gone without one of the overrides has its place in that override
    """
    try:
        return read(overrides)
    except FileFormError as error:
        if not any(_is_of_file(finding) for finding in error.findings):
            raise
        left = [_faults(read, [*overrides[:at], *overrides[at + 1 :]]) for at in range(len(overrides))]
        found: list[Finding] = []
        for finding in error.findings:
            causes = [text for text, faults in zip(overrides, left, strict=True) if _key(finding) not in faults]
            found.append(_laid_on(finding, causes[-1]) if causes and _is_of_file(finding) else finding)
        raise FileFormError(found) from None


def _is_of_file(finding: Finding) -> bool:
    return finding.where is not None and finding.where.file != OPTION


def _key(finding: Finding) -> tuple[str, str]:
    return finding.code, finding.where.path if finding.where else finding.text


def _faults(read: Callable[[Sequence[str]], object], overrides: Sequence[str]) -> set[tuple[str, str]]:
    """Return which faults are there with these overrides."""
    try:
        read(overrides)
    except FileFormError as error:
        return {_key(finding) for finding in error.findings}
    return set()


def _laid_on(finding: Finding, text: str) -> Finding:
    """Return a finding about a file at the place of the override that brought it about."""
    path, _, value = text.partition("=")
    column = len(path) + 2 + len(value) - len(value.lstrip())
    of_file = finding.where
    assert of_file is not None
    said = f"with this value {of_file.path} in {of_file.file} no longer fits: {finding.text}"
    return Finding(finding.code, Where(OPTION, 1, column, path.strip(), text), said)


@dataclass(frozen=True)
class _Argument(Origin):
    """The text after `--set`, named by its path as it is written there."""

    prefix: str = ""
    given: str = ""  # its path, where a fault has none of its own

    def where(self, line: int, column: int, path: str = "") -> Where:
        """Return a place in the text."""
        return super().where(line, column, self.prefix + (path or self.given))


def _file_of(model: type[BaseModel]) -> str:
    """Return `regime` or `world`; a model of neither has no name."""
    return next((name for name in _FILES if name in model.model_fields), "")


class _Override:
    """One ``path=value``."""

    def __init__(self, text: str, model: type[BaseModel]) -> None:
        self.model = model
        path, equals, value = text.partition("=")
        own = f"{_file_of(model)}."
        prefix = own if path.lstrip().startswith(own) else ""
        self.path = path.strip().removeprefix(prefix)
        self.origin = _Argument(OPTION, tuple(text[:MAX_BYTES].split("\n")), prefix, self.path[:200])
        self.parts = self.path.split(".")
        if not equals or not all(self.parts) or len(self.parts) > 32:
            self.refuse("this is no `path=value`; write it as `points.jaywalking=-10`")
        if not value.strip():
            self.refuse(f"no value stands after `{self.path[:100]}=`; write one, or `null` to take the place out")
        if len(text) > MAX_BYTES:
            raise FileFormError.of("UH102", f"more than {MAX_BYTES // 1024} KiB; write a file", self.origin.where(1, 1))
        self.value = resolve(self._composed(value, len(path) + 1))

    def refuse(self, text: str) -> NoReturn:
        raise FileFormError.of("UH131", text, self.origin.where(1, 1, self.path[:200]))

    def _composed(self, value: str, column: int) -> Node:
        if value.strip() in ("null", "~"):
            return Node(None, self.origin)
        # Spaces before the value put its places where they are in the whole text.
        return compose(" " * column + value, self.origin.name, self.origin)

    def apply(self, tree: Node) -> Node:
        """Return the tree with the place changed."""
        return self._put(tree, 0, [Slot(self.model)])

    def _put(self, node: Node, at: int, found: list[Slot]) -> Node:
        part = self.parts[at]
        if isinstance(node.value, list):
            return self._put_item(node, at, found)
        children = dict(node.mapping)
        if "values" in children and part not in (*children, *CITE):  # a table of numbers: the level may follow at once
            return self._cited_anew(node, {"values": self._put(children["values"], at, self._step(found, "values"))})
        inner = self._step(found, part)
        if part not in children and not inner:
            self._refuse_unknown(at, [*children, *keys_of(found)])
        is_last = at == len(self.parts) - 1
        if is_last and self.value.value is None:
            children.pop(part, None)
            return replace(node, value=children)
        old = children.get(part)
        if is_last:
            new = self._leaf(old, inner)
        else:
            if old is None or old.is_scalar:
                if not inner or not (keys_of(inner) or is_open(inner)):
                    self._refuse_unknown(at + 1, [])
                old = Node({}, self.origin, key=(1, 1))
            new = self._put(old, at + 1, inner)
        if node.is_quantity and part not in CITE:
            return self._cited_anew(node, {part: new})
        children[part] = new
        return replace(node, value=children)

    def _put_item(self, node: Node, at: int, found: list[Slot]) -> Node:
        part, items = self.parts[at], list(node.items)
        index = item_index(node, part)
        if index is None:
            names = [item_name(item) or str(i) for i, item in enumerate(items)]
            self._refuse_unknown(at, names)
        inner = self._step(found, index)
        if at == len(self.parts) - 1:
            if self.value.value is None:
                items.pop(index)
            else:
                items[index] = self._leaf(items[index], inner)
        else:
            items[index] = self._put(items[index], at + 1, inner)
        return replace(node, value=items)

    def _step(self, found: list[Slot], part: str | int) -> list[Slot]:
        return [inner for slot in found for inner in below(slot, part)]

    def _refuse_unknown(self, at: int, names: list[str]) -> NoReturn:
        names = list(dict.fromkeys(names))
        above = ".".join(self.parts[:at]) or "the file"
        part = self.parts[at]
        guess = did_you_mean(part, names)
        other = self._other_file() if at == 0 else None
        if other:
            whole = f"world.{self.path}" if other == "world" else self.path
            above = f"the {_file_of(self.model)} file"
            mend = f"it belongs to the {other} file: write --set {whole[:100]}=..."
        elif guess:
            mend = f"did you mean '{guess}'?"
        else:
            mend = f"it has {one_of(names)}" if names else "nothing can stand below it"
        self.refuse(f"'{part[:60]}' is no place in {above[:100]}; {mend}")

    def _other_file(self) -> str | None:
        """Return the file that has this path, if it is not the one that is read."""
        for model in Document.__subclasses__():
            other = _file_of(model)
            if other not in ("", _file_of(self.model)) and self.parts[0] in keys_of([Slot(model)]):
                return other
        return None

    def _leaf(self, old: Node | None, found: list[Slot]) -> Node:
        """Return what stands at the place now."""
        value, quantity = self.value, quantity_of(found)
        key = (value.line, value.column)
        if not value.is_scalar:
            return replace(self._assumed(value), key=key)
        if old is not None and old.is_quantity and "value" in old.mapping:
            return self._cited_anew(old, self._number(value))
        if quantity is None or "value" not in quantity.kind.model_fields:
            if quantity is not None:
                self.refuse(f"a table of numbers stands at this place; write {example_of(quantity)}")
            return replace(value, key=key)
        parts = self._number(value)
        if "per" in quantity.kind.model_fields and "per" not in parts:
            unit = quantity.unit if quantity.unit != "UNIT" else "day"
            text = f'the file has no number here yet, so the unit must be said; write {self.path}="0.5 per {unit}"'
            self.refuse(text)
        return self._cited_anew(Node({}, self.origin), parts)

    def _number(self, value: Node) -> dict[str, Node]:
        """Return `value`, and `per` if it is written as in `0.5 per match`."""
        found = _PER.fullmatch(value.value) if isinstance(value.value, str) else None
        if not found:
            return {"value": value}
        return {
            "value": replace(self._composed(found[1], 0), line=value.line, column=value.column),
            "per": replace(value, value=found[2].strip()),
        }

    def _cited_anew(self, node: Node, changed: dict[str, Node]) -> Node:
        """Return a quantity with changed parts, which now rests on an assumption and says so."""
        kept = {key: child for key, child in node.mapping.items() if key not in CITE}
        value = {**kept, **changed, "basis": self._word("assumed"), "note": self._word(NOTE)}
        return replace(self.value, value=value, key=(self.value.line, self.value.column))

    def _assumed(self, node: Node) -> Node:
        """Return a tree from the command line in which each number without a basis rests on an assumption."""
        value = node.value
        if isinstance(value, dict):
            value = {key: self._assumed(child) for key, child in value.items()}
            if node.is_quantity and "basis" not in value:
                value = {"note": self._word(NOTE), **value, "basis": self._word("assumed")}
        elif isinstance(value, list):
            value = [self._assumed(child) for child in value]
        return replace(node, value=value)

    def _word(self, text: str) -> Node:
        return Node(text, self.origin, key=(1, 1))
