"""Opinion: what makes people approve of being scored, and what they say when they are asked.

Approval is a whole number 0 .. 255 of a citizen; from `APPROVES` on she approves.  It is never stored: it
follows from her traits and from what has happened to her (life/opinion.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from underheaven.reading import Count, Finding, Findings, Levels, Number, Section, did_you_mean, one_of

MOST = 255  # approval
MOST_ITEMS = 8


class Falsify(Section):
    """The chance that somebody who disapproves says she approves, if asked directly.

    It goes from `calm` without fear of the file to `fearful` at fullest fear; who knows of a sanction against
    her says so with `sanctioned` at least.
    """

    calm: Number
    fearful: Number
    sanctioned: Number


class Items(Section):
    """The harmless items of a list experiment: how many, and the chance that somebody says yes to one."""

    number: Count
    agree: Number


class Opinion(Section):
    """What approval is made of, in points of 0 .. 255.

    `base` and the points of each trait in `varies` are added; a level that is not named adds nothing.  `spread`
    is the standard deviation of what else makes people differ.  `perk` is added for who ever had one;
    `sanction` is taken off who knows of one against her or was refused, `repression` off who has heard what
    the system represses.  `order_framing` is added for who knows of the system, where the press speaks of order.
    """

    base: Count
    varies: dict[str, Levels] = Field(default_factory=dict)
    spread: Count
    perk: Count
    sanction: Count
    repression: Count
    order_framing: Count
    falsify: Falsify
    items: Items


def check(found: Opinion | None, levels: Mapping[str, tuple[str, ...]]) -> Findings:
    """Check that points stay on the scale, that shares are shares, and that traits and levels exist.

    Parameters
    ----------
    found : the section, if there is one
    levels : names of the levels of each trait
    """
    if found is None:
        return
    for key in ("base", "spread", "perk", "sanction", "repression", "order_framing"):
        points = getattr(found, key).value
        if points > MOST:
            text = f"approval goes from 0 to {MOST}, and this is {points}; write a whole number within them"
            yield Finding(("opinion", key), text)
    for trait, table in found.varies.items():
        if trait not in levels:
            yield _unknown(("opinion", "varies", trait), trait, tuple(levels), "trait")
            continue
        for level, value in table.exact.items():
            at = ("opinion", "varies", trait, "values", level)
            if level not in levels[trait]:
                yield _unknown(at, level, levels[trait], "level")
            elif value.denominator != 1 or not 0 <= value <= MOST:
                text = f"{float(value):g} is no number of points; write a whole number within 0 .. {MOST}"
                yield Finding(at, text)
    shares = {("falsify", key): getattr(found.falsify, key) for key in ("calm", "fearful", "sanctioned")}
    for path, number in (shares | {("items", "agree"): found.items.agree}).items():
        if not 0 <= number.exact <= 1:
            yield Finding(("opinion", *path), f"{number.text()} is no share; write a number within 0 .. 1")
    if found.falsify.fearful.exact < found.falsify.calm.exact:
        text = "fear makes people say less of what they think, not more; write no less than `calm`"
        yield Finding(("opinion", "falsify", "fearful"), text)
    if not 1 <= found.items.number.value <= MOST_ITEMS:
        text = f"a list has 1 to {MOST_ITEMS} harmless items, and this is {found.items.number.value}; write one of them"
        yield Finding(("opinion", "items", "number"), text)


def _unknown(at: tuple[str | int, ...], name: str, names: tuple[str, ...], what: str) -> Finding:
    guess = did_you_mean(name, names)
    mend = f"did you mean '{guess}'?" if guess else f"write one of {one_of(names)}"
    return Finding(at, f"'{name}' is no {what} here; {mend}")
