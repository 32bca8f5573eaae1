"""The names that sections of a world file are written with."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from underheaven.reading import fault

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


def _plain_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        text = f"{text[:80]!r} is no name; write small letters, digits and hyphens, at most 60, as in late-payment"
        raise fault("UH107", text)
    return text


Name = Annotated[str, AfterValidator(_plain_name)]
