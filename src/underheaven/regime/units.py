"""The units that sections of a regime file write their numbers in: names, amounts and chances per occasion."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator

from underheaven.reading import Number, Per, Prob, fault, shown

_PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_TIER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+-]{0,19}")


def _plain_name(text: str) -> str:
    if not _PLAIN_NAME.fullmatch(text):
        raise fault(
            "UH112", f"{shown(text)} is no name; write small letters, digits and hyphens, at most 60, as late-payment"
        )
    return text


def _tier_name(text: str) -> str:
    if not _TIER_NAME.fullmatch(text):
        raise fault("UH112", f"{shown(text)} cannot be a tier; write letters, digits, + and -, at most 20, as AAA")
    return text


def _not_negative(number: Number) -> Number:
    if number.exact < 0:
        raise fault("UH113", f"{number.text()} is below 0; write 0 or more")
    return number


Name = Annotated[str, AfterValidator(_plain_name)]
TierName = Annotated[str, AfterValidator(_tier_name)]
Amount = Annotated[Number, AfterValidator(_not_negative)]
PerRecord = Annotated[Prob, AfterValidator(Per("record"))]
PerListing = Annotated[Prob, AfterValidator(Per("listing"))]
PerPerson = Annotated[Prob, AfterValidator(Per("person"))]
PerUse = Annotated[Prob, AfterValidator(Per("use"))]
PerProbe = Annotated[Prob, AfterValidator(Per("probe"))]
PerComparison = Annotated[Prob, AfterValidator(Per("comparison"))]
PerMatch = Annotated[Prob, AfterValidator(Per("match"))]
PerRemoval = Annotated[Prob, AfterValidator(Per("removal"))]
PerAct = Annotated[Prob, AfterValidator(Per("act"))]
PerSanction = Annotated[Prob, AfterValidator(Per("sanction"))]
PerExchange = Annotated[Prob, AfterValidator(Per("exchange"))]
PerAppeal = Annotated[Prob, AfterValidator(Per("appeal"))]
AgeBand = Literal["18-29", "30-44", "45-59", "60-64", "65+"]
Sex = Literal["male", "female"]
NameClass = Literal["rare", "uncommon", "common", "very-common"]
