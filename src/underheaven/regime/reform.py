"""Reforms: small changes of a regime, kept in files of their own and laid over it when it is read.

``rongcheng-2016 + appeal-15-days`` is the regime with the reform laid over it.  The regime without it is read
from the same file as ever, so nothing of a reform can reach a baseline.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from underheaven import catalogue
from underheaven.errors import CommandError, FileFormError, Finding
from underheaven.reading import (
    Document,
    Node,
    Source,
    fault,
    load,
    merged,
    of_kind,
    override,
    read_tree,
    resolve,
    shown,
)
from underheaven.reading.overrides import OPTION
from underheaven.regime.reader import load_regime
from underheaven.regime.schema import FORMAT as REGIME_FORMAT
from underheaven.regime.schema import Regime
from underheaven.regime.units import Name

FORMAT = "underheaven-reform/1"

#: What a regime file says of itself; a reform changes rules.
_HEADER = ("format", "regime", "title", "kind", "status", "summary", "sources", "cases")

_PLUS = re.compile(r"\s+\+\s+")


class Reform(Document):
    """A whole reform file: what it is called, what it rests on, and what it changes.

    `needs` names places that a regime must have for the reform to mean anything (`score or lists`: one of
    them), each with the reason.  `changes` is a piece of a regime file, laid over it key by key (lists and
    numbers as a whole; `null` takes a key out), or a list of texts ``path=value``, as `--set` takes them.
    """

    format: Literal["underheaven-reform/1"]
    reform: Name
    title: str
    status: Literal["provisional", "checked"]
    summary: str
    sources: dict[Name, Source] = Field(default_factory=dict)
    needs: dict[str, str] = Field(default_factory=dict)
    changes: dict[str, Any] | tuple[str, ...]

    @field_validator("changes")
    @classmethod
    def _rules_only(cls, changes: dict[str, Any] | tuple[str, ...]) -> dict[str, Any] | tuple[str, ...]:
        first = list(changes) if isinstance(changes, dict) else [re.split(r"[.=]", text.strip())[0] for text in changes]
        wrong = next((key for key in first if key in _HEADER), None)
        if wrong is not None:
            mend = "put it beside `changes`" if wrong in ("title", "summary", "sources", "status") else "take it out"
            raise fault("UH110", f"a reform changes rules, and `{wrong}` is none; {mend}")
        return changes

    @model_validator(mode="after")
    def _changes_something(self) -> Reform:
        if not self.changes:
            raise fault("UH111", "`changes` is empty; write what the reform changes, as `remedies: {...}`")
        return self


@dataclass(frozen=True)
class _Read:
    """A reform and the tree that it was read from."""

    reform: Reform
    tree: Node


def names_of(text: str) -> list[str]:
    """Return the regime and the reforms of ``regime + reform + reform``; spaces may be left out around plain names."""
    found: list[str] = []
    for part in _PLUS.split(text.strip()):
        is_path = "/" in part or "\\" in part or part.endswith((".yaml", ".yml", ".json"))
        found += [part] if is_path else part.split("+")
    return [part.strip() for part in found]


def load_reform(name_or_path: str | Path) -> Reform:
    """Read and validate a reform.

    Parameters
    ----------
    name_or_path : `human-review`, or a path to a .yaml file

    Raises
    ------
    FileFormError : with every fault that was found, its place and its mend
    """
    return _read(name_or_path).reform


def _read(name_or_path: str | Path) -> _Read:
    tree = resolve(read_tree(_find(name_or_path)))
    found = tree.child("format")
    if found is not None and isinstance(found.value, str) and not found.value.startswith("underheaven-reform/"):
        what = found.value.removeprefix("underheaven-").partition("/")[0]
        if what in ("regime", "world", "society"):
            text = f"this file is a {what}, and behind a + stands a reform; write a reform, or leave the + out"
            raise FileFormError.of("UH112", text, found.where("format"))
    return _Read(load(Reform, tree), tree)


def _find(name_or_path: str | Path) -> Path:
    if isinstance(name_or_path, str) and name_or_path in catalogue.names("regimes"):
        text = f"{shown(name_or_path)} is a regime, and behind a + stands a reform"
        raise FileFormError.of("UH122", f"{text}; leave the + out to compare the two")
    return catalogue.find("reforms", name_or_path)


def load_reformed(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Regime:
    """Read a regime with the reforms that are named behind it.

    Parameters
    ----------
    name_or_path : a name of the catalogue or a path, and any number of ``+ reform`` behind it
    overrides : texts ``path=value``, laid over the reforms

    Returns
    -------
    Regime : reformed, a law or a press account becomes a hypothesis, and its title and summary name the reforms

    Raises
    ------
    FileFormError : a file is faulty, or UH120 a reform does not fit the regime
    """
    regime, *reforms = names_of(name_or_path) if isinstance(name_or_path, str) else [name_or_path]
    if isinstance(regime, str) and regime not in catalogue.names("regimes") and regime in catalogue.names("reforms"):
        text = f"{shown(regime)} is a reform; write the regime before it, as press-2018 + {regime}"
        raise FileFormError.of("UH122", text)
    if not reforms:
        return load_regime(regime, overrides)
    if "" in (regime, *reforms):
        raise CommandError.of("UH803", f"a name is missing beside a + in {name_or_path!r:.80}; write REGIME + REFORM")
    tree = resolve(read_tree(catalogue.find("regimes", regime)))
    of_kind(tree, REGIME_FORMAT)
    load(Regime, tree)  # what is wrong with the regime itself is said of it alone
    for name in reforms:
        tree = _laid_over(tree, _read(name), str(regime))
    return load(Regime, override(tree, overrides, Regime))


def _laid_over(tree: Node, read: _Read, regime: str) -> Node:
    """Return the tree of a regime with a reform laid over it."""
    reform = read.reform
    _check_needs(tree, read, regime)
    tree, changes = _with_sources(tree, read)
    tree = _by_texts(tree, changes, reform) if isinstance(changes.value, list) else merged(tree, changes)
    return _told(tree, reform)


def _check_needs(tree: Node, read: _Read, regime: str) -> None:
    """Refuse a reform of what the regime does not have."""
    found = []
    for key, why in read.reform.needs.items():
        paths = [path.strip() for path in re.split(r"\s+or\s+", key)]
        if not any(_has(tree, path) for path in paths):
            node = read.tree.mapping["needs"].mapping[key]
            place = node.where(f"needs.{key}", at_key=True)
            wanted = " or ".join(f"`{path}`" for path in paths)
            text = f"the reform '{read.reform.reform}' needs {wanted}, and '{regime}' has none: {why}"
            found.append(Finding("UH120", place, text))
    if found:
        raise FileFormError(found)


def _has(tree: Node, path: str) -> bool:
    node: Node | None = tree
    for part in path.split("."):
        node = None if node is None else node.child(part)
    return node is not None and node.value not in (None, {}, [])


def _with_sources(tree: Node, read: _Read) -> tuple[Node, Node]:
    """Return the tree with the sources of the reform beside its own, and the changes as they then cite them."""
    changes, theirs = read.tree.mapping["changes"], read.tree.child("sources")
    if theirs is None:
        return tree, changes
    mine = tree.child("sources")
    known = dict(mine.mapping) if mine is not None else {}
    called: dict[str, str] = {}  # a source that the regime has under this name stays what it is
    for key, source in theirs.mapping.items():
        taken = key in known and known[key].plain() != source.plain()
        called[key] = f"{read.reform.reform}-{key}"[:60] if taken else key
        known[called[key]] = source
    return replace(tree, value={**tree.mapping, "sources": replace(theirs, value=known)}), _citing(changes, called)


def _citing(tree: Node, called: Mapping[str, str]) -> Node:
    """Return changes in which sources have these names."""
    if isinstance(tree.value, list):
        return replace(tree, value=[_citing(child, called) for child in tree.value])
    if not isinstance(tree.value, dict):
        return tree
    children = {key: _citing(child, called) for key, child in tree.value.items()}
    source = children.get("source")
    if source is not None and isinstance(source.value, str) and tree.is_quantity:
        children["source"] = replace(source, value=called.get(source.value, source.value))
    return replace(tree, value=children)


def _by_texts(tree: Node, changes: Node, reform: Reform) -> Node:
    """Apply ``path=value`` texts; what is wrong with one is said at its place in the reform file."""
    for number, node in enumerate(changes.items):
        try:
            tree = override(tree, [str(node.value)], Regime)
        except FileFormError as error:
            place = node.where(f"changes.{number}")
            moved = [
                Finding(finding.code, place, finding.text)
                if finding.where is not None and finding.where.file == OPTION
                else finding
                for finding in error.findings
            ]
            raise FileFormError(moved) from None
    return _said_by(tree, reform)


def _said_by(tree: Node, reform: Reform) -> Node:
    """Return a tree in which numbers that a text has set name the reform, and not the command line."""
    value = tree.value
    if isinstance(value, dict):
        if tree.is_quantity and "note" in value and value["note"].origin.name == OPTION:
            note = replace(value["note"], value=f"set by the reform {reform.reform}")
            return replace(tree, value={**value, "note": note})
        return replace(tree, value={key: _said_by(child, reform) for key, child in value.items()})
    if isinstance(value, list):
        return replace(tree, value=[_said_by(child, reform) for child in value])
    return tree


def _told(tree: Node, reform: Reform) -> Node:
    """Return the tree with the reform named in its title and summary; a reformed law or account is a hypothesis."""
    children = dict(tree.mapping)
    said = {"title": f" + {reform.reform}", "summary": f" Changed: {' '.join(reform.summary.split())}"}
    for key, more in said.items():
        node = children[key]
        children[key] = replace(node, value=f"{str(node.value).rstrip()}{more}")
    if children["kind"].value in ("law", "press"):
        children["kind"] = replace(children["kind"], value="hypothesis")
    children["status"] = replace(children["status"], value="provisional")
    children.pop("cases", None)  # claims about the file as it stands; a reform changes what they are about
    return replace(tree, value=children)
