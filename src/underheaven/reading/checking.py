"""What one part of a file demands of another: checks that yield all their findings, so a file is mended in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from pydantic_core import PydanticCustomError

T = TypeVar("T")


class Finding(NamedTuple):
    """One fault: its place below the checked model, and a sentence that says what is wrong and what to write."""

    at: tuple[str | int, ...]
    text: str


Findings = Iterator[Finding]


def passed(model: T, check: Callable[[T], Findings]) -> T:
    """Return the model if the check finds nothing.

    Raises
    ------
    PydanticCustomError : with all findings in its context, of which `load` makes one located message each
    """
    found = tuple(check(model))
    if found:
        text = "; ".join(finding.text for finding in found)
        raise PydanticCustomError("rule", "{text}", {"text": text, "findings": found})
    return model
