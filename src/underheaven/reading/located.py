"""From a tree of nodes to a validated model: every fault becomes one finding with its place and its mend."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from underheaven.errors import CODES, FileFormError, Finding, Where
from underheaven.reading.guard import (
    Node,
    Scalar,
    did_you_mean,
    is_personal,
    item_name,
    no_persons,
    number_of,
    number_text,
    one_of,
    rows_about_persons,
    shown,
)
from underheaven.reading.quantities import BASES, Document, Duration, Per, Quantity

MAX_FINDINGS = 20
_MAX_ERRORS = 1000  # of a file that is all wrong, the rest is only counted
CITE = ("source", "basis", "note")

M = TypeVar("M", bound=BaseModel)


def resolve(tree: Node) -> Node:
    """Hand each `cite:` down to the quantities below it (nearest wins, key by key) and take it out.

    Raises
    ------
    FileFormError : a `cite:` that is not a mapping of source, basis and note
    """
    return _resolve(tree, {}, ())


def _resolve(node: Node, above: dict[str, Node], path: tuple[str, ...]) -> Node:
    if isinstance(node.value, list):
        items = [_resolve(item, above, (*path, str(i))) for i, item in enumerate(node.value)]
        return node if items == node.value else replace(node, value=items)
    if not isinstance(node.value, dict):
        return node
    children = dict(node.value)
    if "cite" in children:
        above = above | _cite(children.pop("cite"), ".".join((*path, "cite")))
    for key, child in children.items():
        if not child.is_scalar:
            children[key] = _resolve(child, above, (*path, key))
    if above and node.is_quantity:
        children = {**children, **{key: child for key, child in above.items() if key not in children}}
    # Nodes are compared as objects, so an unchanged mapping stays the one it is.
    return node if children == node.value else replace(node, value=children)


def _cite(node: Node, path: str) -> dict[str, Node]:
    if not isinstance(node.value, dict):
        text = f"found {shown(node.value)}; write `cite: {{source: ..., basis: text}}` for all numbers below"
        raise FileFormError.of("UH112", text, node.where(path))
    for key, child in node.value.items():
        if key not in CITE:
            guess = did_you_mean(key, CITE)
            mend = f"did you mean '{guess}'?" if guess else "it has source, basis and note"
            raise FileFormError.of("UH110", f"`cite` has no key {shown(key)}; {mend}", child.where(path, at_key=True))
    return node.value


def merged(under: Node, over: Node) -> Node:
    """Lay one tree over another: mappings key by key, lists and quantities as a whole; `null` takes a key out.

    Both should be resolved.  Each node keeps the file that it came from.
    """
    if not (isinstance(under.value, dict) and isinstance(over.value, dict)) or over.is_quantity:
        return over
    children = dict(under.value)
    for key, child in over.value.items():
        if child.value is None:
            children.pop(key, None)
        else:
            children[key] = merged(children[key], child) if key in children else child
    return replace(over, value=children)


def load(model: type[M], tree: Node) -> M:
    """Validate a tree as a model.

    Parameters
    ----------
    model : a pydantic model with closed keys
    tree : from `read_tree`; `cite:` is resolved here if that was not done

    Raises
    ------
    FileFormError : all findings at once, in the order of the file, at most 20
    """
    tree = resolve(tree)
    known = None
    if "sources" in model.model_fields:
        sources = tree.child("sources")
        known = frozenset(sources.mapping) if sources is not None else frozenset()
    try:
        found = model.model_validate(tree.plain(), context={"sources": known})
    except ValidationError as problem:
        raise FileFormError(_findings(model, tree, problem)) from None
    if isinstance(found, Document):
        found.placed(tree)
    return found


class Slot(NamedTuple):
    """One type that may stand at a place, and the unit that its chances are per."""

    kind: Any
    unit: str = "UNIT"


def slots(annotation: Any, unit: str = "UNIT") -> Iterator[Slot]:
    """Yield the types of an annotation without its wrappers."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *extras = get_args(annotation)
        for extra in extras:
            check = getattr(extra, "func", None)
            unit = check.unit if isinstance(check, Per) else unit
        yield from slots(inner, unit)
    elif origin in (Union, types.UnionType):
        for kind in get_args(annotation):
            yield from slots(kind, unit)
    elif annotation is not type(None):
        yield Slot(annotation, unit)


def below(slot: Slot, part: str | int) -> Iterator[Slot]:
    """Yield the types that may stand under a key or an index."""
    origin, inner = get_origin(slot.kind), get_args(slot.kind)
    if origin is dict:
        yield from slots(inner[1])
    elif origin in (tuple, list):
        is_pair = origin is tuple and inner[-1] is not Ellipsis
        position = part if is_pair and isinstance(part, int) and part < len(inner) else 0
        yield from slots(inner[position])
    elif _is_model(slot.kind):
        for name, field in slot.kind.model_fields.items():
            if part == (field.alias or name):
                kind = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
                yield from slots(kind)


def slots_at(model: type[BaseModel], parts: Sequence[str | int]) -> list[Slot]:
    """Return the types that may stand at a path of a model; none if the model has no such place."""
    found = [Slot(model)]
    for part in parts:
        found = [inner for slot in found for inner in below(slot, part)]
    return found


def keys_of(found: Sequence[Slot]) -> list[str]:
    """Return the keys that mappings of these types have, where they are fixed."""
    models = [slot.kind for slot in found if _is_model(slot.kind)]
    return [field.alias or name for kind in models for name, field in kind.model_fields.items()]


def is_open(found: Sequence[Slot]) -> bool:
    """Tell whether mappings of these types may have keys of any name."""
    return any(get_origin(slot.kind) is dict for slot in found)


def quantity_of(found: Sequence[Slot]) -> Slot | None:
    """Return the quantity among these types, if there is one."""
    return next((slot for slot in found if _is_model(slot.kind) and issubclass(slot.kind, Quantity)), None)


def example_of(slot: Slot) -> str:
    """Return how a quantity of this type is written."""
    example: str = slot.kind.EXAMPLE
    return example.replace("UNIT", slot.unit.lower() if slot.unit != "UNIT" else "...")


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def wanted(found: Sequence[Slot]) -> str:
    """Return in words what may stand at a place of these types."""
    words: list[str] = []
    for slot in found:
        origin = get_origin(slot.kind)
        if origin is Literal:
            names = [str(word) for word in get_args(slot.kind)]
            words.append(f"one of {one_of(names)}" if len(names) > 1 else names[0])
        elif origin is dict:
            words.append("a mapping")
        elif origin in (tuple, list):
            inner = get_args(slot.kind)
            is_pair = origin is tuple and inner[-1] is not Ellipsis
            words.append(f"a list of {len(inner)} values" if is_pair else "a list")
        elif _is_model(slot.kind):
            if issubclass(slot.kind, Quantity):
                words.append(f"a number with its source, as {example_of(slot)}")
            else:
                keys = keys_of([slot])
                words.append(f"a mapping with the key{'s' if len(keys) > 1 else ''} {', '.join(keys)}")
        else:
            simple = {str: "a text", bool: "true or false", int: "a whole number", Decimal: "a number"}
            words.append(simple.get(slot.kind, "another value"))
    return ", or ".join(dict.fromkeys(words)) or "nothing"


@dataclass
class _Fault:
    """An error of pydantic, and where it is in the tree."""

    kind: str
    context: dict[str, Any]
    message: str
    node: Node
    parts: tuple[str | int, ...]  # to the node
    path: str
    missing: str | int | None = None
    at_key: bool = False
    branch: tuple[tuple[str | int, ...], str] | None = None  # place of a union, and which of its types

    @cached_property
    def place(self) -> Where:
        is_about_key = self.at_key or self.kind == "extra_forbidden"
        return self.node.where(self.path, at_key=is_about_key)


def _findings(model: type[BaseModel], tree: Node, problem: ValidationError) -> list[Finding]:
    """Return a finding for each error, in the order of the file."""
    faults = []
    errors = problem.errors(include_url=False, include_input=False)
    for error in errors[:_MAX_ERRORS]:
        context = dict(error.get("ctx") or {})
        parts = tuple(error["loc"])
        for at, text in context.pop("findings", None) or [(context.pop("at", ()), context.get("text", error["msg"]))]:
            faults.append(_locate(tree, error["type"], {**context, "text": text}, (*parts, *at)))
    faults = _without_other_branches(faults)
    # What must never enter comes first; the rest in the order of the file.
    faults.sort(key=lambda fault: (not _is_personal(fault), fault.place.file, fault.place.line, fault.place.column))
    findings: list[Finding] = []
    seen: set[tuple[str, str | None, int | None, int | None, str]] = set()
    left = max(0, len(errors) - _MAX_ERRORS)
    for fault in faults:
        if len(findings) >= MAX_FINDINGS:
            left += 1
            continue
        finding = _say(model, fault)
        key = (finding.code, fault.place.file, fault.place.line, fault.place.column, finding.text)
        if key not in seen:
            seen.add(key)
            findings.append(finding)
    if left:
        findings.append(Finding(findings[-1].code, None, f"and {left} more; mend these first"))
    return findings


def _is_personal(fault: _Fault) -> bool:
    return fault.kind == "extra_forbidden" and bool(fault.parts) and is_personal(str(fault.parts[-1]))


def _locate(tree: Node, kind: str, context: dict[str, Any], loc: tuple[str | int, ...]) -> _Fault:
    """Follow pydantic's path through the tree; it also names keys (`[key]`) and types of unions."""
    node, parts, names = tree, [], []
    fault = _Fault(kind, context, str(context.get("text", "")), tree, (), "")
    for number, part in enumerate(loc):
        child = None
        if isinstance(node.value, dict):
            child = node.value.get(str(part))
        elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
            child = node.value[part]
        if part == "[key]":
            fault.at_key = True
        elif child is not None:
            is_item = isinstance(node.value, list)
            node = child
            parts.append(part)
            names.append((item_name(node) or str(part)) if is_item else str(part))
        elif kind == "missing" and number == len(loc) - 1:
            fault.missing = part
            names.append(str(part))
        elif fault.branch is None and kind in _OF_PYDANTIC:
            fault.branch = (tuple(parts), str(part))
    fault.node, fault.parts, fault.path = node, tuple(parts), ".".join(names)
    return fault


_OF_PYDANTIC = frozenset(
    {
        "missing", "extra_forbidden", "model_type", "model_attributes_type", "dict_type", "tuple_type", "list_type",
        "string_type", "bool_type", "int_type", "int_from_float", "literal_error", "none_required", "is_instance_of",
    }
)  # fmt: skip


_BOUNDS = {
    "greater_than": "above",
    "greater_than_equal": "of at least",
    "less_than": "below",
    "less_than_equal": "of at most",
}


def _without_other_branches(faults: list[_Fault]) -> list[_Fault]:
    """Of the errors of a union keep those of the type that was meant; if none was, keep one."""
    unions: dict[tuple[str | int, ...], dict[str, bool]] = {}
    for fault in faults:
        if fault.branch is not None:
            at, tag = fault.branch
            is_meant = fault.parts != at or fault.missing is not None or fault.kind == "extra_forbidden"
            tags = unions.setdefault(at, {})
            tags[tag] = tags.get(tag, False) or is_meant
    kept, said = [], set()
    for fault in faults:
        if fault.branch is not None:
            at, tag = fault.branch
            if any(unions[at].values()):
                if not unions[at][tag]:
                    continue
            elif at in said:
                continue
            said.add(at)
        kept.append(fault)
    return kept


def _say(model: type[BaseModel], fault: _Fault) -> Finding:
    """Say what is wrong and what to write instead."""
    code, text = _words(model, fault)
    return Finding(code, fault.place, text)


def _words(model: type[BaseModel], fault: _Fault) -> tuple[str, str]:
    found = slots_at(model, fault.parts)
    above = slots_at(model, fault.parts[:-1])
    if fault.kind in CODES:
        return fault.kind, fault.message
    if fault.kind == "rule":
        return "UH120", fault.message
    if fault.kind in _BOUNDS:
        word = _BOUNDS[fault.kind]
        limit = next(iter(value for key, value in fault.context.items() if key in ("ge", "gt", "le", "lt")), "")
        return "UH113", f"{shown(fault.node.value)} is out of range; write a number {word} {limit}"
    if fault.kind in ("too_long", "too_short") or (fault.kind == "missing" and fault.node.items):
        return "UH112", f"{len(fault.node.items)} values stand here; write {wanted(found)}"
    if fault.kind == "missing":
        return _missing(model, fault, found)
    if fault.kind == "extra_forbidden" or (fault.at_key and fault.kind == "literal_error"):
        return _unknown(fault, above)
    if not fault.node.is_scalar and (personal := rows_about_persons(fault.node)):
        return "UH130", no_persons(personal)
    quantity = quantity_of(found)
    if quantity is not None and fault.kind in ("model_type", "model_attributes_type"):
        return _plain_number(fault.node.value, quantity)
    return _wrong_kind(fault, found)


def _missing(model: type[BaseModel], fault: _Fault, found: list[Slot]) -> tuple[str, str]:
    key = str(fault.missing)
    quantity = quantity_of(found)
    if quantity is not None:
        if key == "basis":
            return "UH115", f"the number does not say what it rests on; write `basis:` with {one_of(BASES)}"
        if key == "per":
            return "UH114", f"the unit is missing; write `per:`, as in {example_of(quantity)}"
        return "UH111", f"the key '{key}' is missing; write {example_of(quantity)}"
    inner = [slot for place in found for slot in below(place, key)]
    within = quantity_of(inner)
    if within is not None:
        return "UH111", f"the key '{key}' is missing; write `{key}: {example_of(within)}`"
    return "UH111", f"the key '{key}' is missing; write `{key}:` with {wanted(inner)}"


def _unknown(fault: _Fault, above: list[Slot]) -> tuple[str, str]:
    key = str(fault.parts[-1]) if fault.parts else ""
    if is_personal(key):
        return "UH130", no_persons(key)
    if not fault.node.is_scalar and (personal := rows_about_persons(fault.node)):
        return "UH130", no_persons(personal)
    known = keys_of(above)
    for slot in above:
        if get_origin(slot.kind) is dict:
            for inner in slots(get_args(slot.kind)[0]):
                known += [str(word) for word in get_args(inner.kind)] if get_origin(inner.kind) is Literal else []
    guess = did_you_mean(key, known)
    mend = f"did you mean '{guess}'?" if guess else f"write one of {one_of(known)}, or take it out"
    if guess is None and key == "cite":
        mend = "only mappings have `cite`"
    return "UH110", f"there is no key {shown(key)} here; {mend}"


def _plain_number(value: object, quantity: Slot) -> tuple[str, str]:
    example = example_of(quantity)
    if isinstance(value, bool) or value is None or isinstance(value, (dict, list)):
        mend = f"write {example}" + (", or take the key out" if value is None else "")
        return "UH112", f"{shown(value)} stands here, and a number with its source is wanted; {mend}"
    words = str(value).split()
    is_number = isinstance(value, (int, Decimal)) or (words and number_of(words[0]) is not None)
    if not is_number:
        return "UH112", f"{shown(value)} stands here, and a number with its source is wanted; write {example}"
    written = number_text(value) if isinstance(value, (int, Decimal)) else str(value)[:40]
    unit = ""
    if "per:" in example:
        number, _, per = written.partition(" per ")
        written, unit = number, f", per: {per or (quantity.unit if quantity.unit != 'UNIT' else '...')}"
    if quantity.kind is Duration and isinstance(value, (int, Decimal)):
        written += " days"
    form = f"{{value: {written}{unit}, source: ..., basis: text}}"
    mend = f"write {form}, or `basis: assumed` with a `note` that says why"
    return "UH115", f"{shown(value)} does not say where it comes from; {mend}"


def _wrong_kind(fault: _Fault, found: list[Slot]) -> tuple[str, str]:
    value = fault.node.value
    what = f"{shown(value)} stands here"
    if not found:
        return "UH112", f"{what}, which cannot be used ({fault.message[:200]})"
    literals = [str(word) for slot in found if get_origin(slot.kind) is Literal for word in get_args(slot.kind)]
    if literals and isinstance(value, str) and (guess := did_you_mean(value, literals)):
        return "UH112", f"{what}, and {wanted(found)} is wanted; did you mean '{guess}'?"
    kinds = {slot.kind for slot in found}
    if bool in kinds and isinstance(value, str):
        return "UH112", f"{what}, and true or false is wanted; write true or false"
    if str in kinds and value is not None and fault.node.is_scalar:
        return "UH112", f"{what}, and a text is wanted; put it in quotes: {_quoted(value)}"
    if int in kinds and isinstance(value, Decimal):
        return "UH112", f"{what}, and a whole number is wanted; write {number_text(Decimal(round(value)))}"
    if value is None:
        return "UH112", f"nothing stands here; write {wanted(found)}, or take the key out"
    return "UH112", f"{what}; write {wanted(found)}"


def _quoted(value: Scalar | dict[str, Node] | list[Node]) -> str:
    words = number_text(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else shown(value)
    return f'"{words}"'


#: What the formats of files are, and where a file of that kind belongs.
KINDS = {
    "underheaven-regime/": "a regime",
    "underheaven-world/": "a world (--world NAME)",
    "underheaven-society/": "a society",
    "underheaven-rollout/": "a roll-out",
}


def of_kind(tree: Node, wanted: str) -> None:
    """Refuse a file of another kind in one sentence, before its every key is found unknown.

    Parameters
    ----------
    tree : Node, root of a file
    wanted : the format that is looked for, as underheaven-regime/1

    Raises
    ------
    FileFormError : the file says that it is of another kind
    """
    node = tree.child("format")
    found = node.value if node is not None and isinstance(node.value, str) else ""
    kind = next((kind for start, kind in KINDS.items() if found.startswith(start)), None)
    if kind is not None and not found.startswith(wanted.split("/")[0]):
        here = next(kind for start, kind in KINDS.items() if wanted.startswith(start))
        text = f"this file is {kind}, and {here} is wanted here; exchange the two, or give another file"
        raise FileFormError.of("UH112", text, node.where("format") if node is not None else None)
