"""The tables of the model description that follow from the code: columns of state, parameters of the files.

`make odd` writes them into docs/explanation/odd.md; a test fails when they differ.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from underheaven.life.state import COLUMNS
from underheaven.reading import Quantity
from underheaven.regime.schema import Regime
from underheaven.world.schema import World

#: What stands in every file and is no parameter.
_HEAD = frozenset({"format", "regime", "world", "title", "kind", "status", "summary", "sources", "cases"})


def state_table() -> str:
    """Return the columns of state as a Markdown table."""
    rows = [(f"`{c.name}`", c.axis or "one", c.dtype, c.unit, c.meaning, c.holds) for c in COLUMNS]
    return _table(("column", "one a", "type", "unit", "meaning", "what holds"), rows)


def parameter_table(model: type[BaseModel]) -> str:
    """Return the parameters of a kind of file as a Markdown table: path, form, and whether it may be left out."""
    rows = [(f"`{path}`", form, "may be left out" if optional else "must be there")
            for path, form, optional in _parameters(model, ())]  # fmt: skip
    return _table(("parameter", "form", ""), rows)


def tables() -> dict[str, str]:
    """Return every generated table by the name of its place in the text."""
    return {"state": state_table(), "regime": parameter_table(Regime), "world": parameter_table(World)}


def with_tables(text: str) -> str:
    """Return the text of the description with its tables as the code has them now.

    Raises
    ------
    ValueError : a table has no place in the text
    """
    for name, table in tables().items():
        pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(\n<!-- end {name} -->)", re.DOTALL)
        place = pattern.search(text)
        if place is None:
            raise ValueError(f"the text has no place for the table {name!r}")
        text = f"{text[: place.end(1)]}{table}{text[place.start(2) :]}"
    return text


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _parameters(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[str, str, bool]]:
    for name, field in model.model_fields.items():
        if path or name not in _HEAD:
            here = (*path, field.alias or name)
            yield from _of_type(field.annotation, here, not field.is_required())


def _of_type(kind: Any, path: tuple[str, ...], optional: bool) -> Iterator[tuple[str, str, bool]]:
    origin = get_origin(kind)
    if origin is Annotated:
        yield from _of_type(get_args(kind)[0], path, optional)
    elif origin in (Union, types.UnionType):
        for part in get_args(kind):
            if part is not type(None):
                yield from _of_type(part, path, optional)
    elif origin is dict:
        yield from _of_type(get_args(kind)[1], (*path, "*"), optional)
    elif origin is tuple:
        yield from _of_type(get_args(kind)[0], (*path, "#"), optional)
    elif origin is Literal:
        yield ".".join(path), ", ".join(str(value) for value in get_args(kind)), optional
    elif isinstance(kind, type) and issubclass(kind, BaseModel) and not issubclass(kind, Quantity):
        yield from _parameters(kind, path)
    else:
        yield ".".join(path), _FORMS.get(kind.__name__, kind.__name__), optional


_FORMS = {"bool": "true or false", "str": "text", "int": "whole number"}


def main() -> None:
    """Write the tables into the description."""
    path = Path(__file__).parents[3] / "docs" / "explanation" / "odd.md"
    path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
