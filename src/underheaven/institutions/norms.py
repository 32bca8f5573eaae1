"""What becomes of a public good name under the rule by which it is given: four norms of indirect reciprocity.

Every day each person is asked for help by one other, and everybody helps whoever has a good name.  The norm says what
name the helper has after that.  What was meant as help may fail, and a name may be written down wrong.  This stands
beside the loop: it answers, for a rule of assessment alone, how many keep a good name when nobody does anything wrong
on purpose.  The share is known in closed form, and a run of people comes to it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Published names of what makes a name good (Nowak and Sigmund 1998; Ohtsuki and Iwasa 2004).
NAMES = ("image-scoring", "simple-standing", "stern-judging", "shunning")


class Norm(NamedTuple):
    """Whether the helper has a good name after what she did to whom."""

    helped_good: bool
    helped_bad: bool
    refused_good: bool
    refused_bad: bool


NORMS = dict(
    zip(
        NAMES,
        (
            Norm(True, True, False, False),  # good is who helped
            Norm(True, True, False, True),  # bad is only who refused somebody good
            Norm(True, False, False, True),  # good is who helped the good and refused the bad
            Norm(True, False, False, False),  # good is only who helped somebody good
        ),
        strict=True,
    )
)


def share_good(norm: Norm, fails: float, flips: float) -> float | None:
    """Return the share of people with a good name in the long run.

    Parameters
    ----------
    norm : Norm
    fails : chance that help which was meant does not come about
    flips : chance that a name is written down wrong

    Returns
    -------
    float or None : not measurable where all names stay as they are whatever they were at first

    Notes
    -----
    Be A the chance of a good name after meeting somebody good, and B after somebody bad.  The share g then follows
    g = A g + B (1 - g), so that g = B / (1 - A + B).
    """

    def written(is_good: bool) -> float:
        return 1 - flips if is_good else flips

    after_good = (1 - fails) * written(norm.helped_good) + fails * written(norm.refused_good)
    after_bad = written(norm.refused_bad)
    whole = 1 - after_good + after_bad
    return None if whole == 0 else after_bad / whole


def live_norm(
    norm: Norm, fails: float, flips: float, *, runs: int, people: int, days: int, seed: int
) -> NDArray[np.float64]:
    """Return the share with a good name, by day and run.

    Parameters
    ----------
    norm, fails, flips : as for :func:`share_good`
    runs, people, days, seed : how many, of how many people, for how long, and the key of the draws

    Returns
    -------
    float64[day, run]

    Notes
    -----
    Everybody starts with a good name.  Each day people stand in a circle in random order, and each is asked by the
    next; so everybody is asked once and asks once, and nobody herself.
    """
    draw = np.random.Generator(np.random.Philox(seed))
    good = np.ones((runs, people), bool)
    order = np.tile(np.arange(people), (runs, 1))
    shares = np.empty((days, runs))
    outcome = np.array(norm).reshape(2, 2)  # [helped or refused, whoever asked is good or bad]
    for day in range(days):
        order = draw.permuted(order, axis=1)
        name_of_asking = np.take_along_axis(good, np.roll(order, -1, axis=1), axis=1)
        helps = name_of_asking & (draw.random((runs, people)) >= fails)
        named = outcome[1 - helps.astype(int), 1 - name_of_asking.astype(int)]
        named ^= draw.random((runs, people)) < flips
        np.put_along_axis(good, order, named, axis=1)
        shares[day] = good.mean(axis=1)
    return shares
