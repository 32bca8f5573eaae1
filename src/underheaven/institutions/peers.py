"""Where ratings and the company that people keep lead in the end: fixed points, by linear algebra.

The loop goes there step by step, with chance and in whole numbers (life/peers.py, life/association.py).  These are the
exact ends of the same laws, for who wants to know them without a run, and for tests that hold the loop against them.
They are worked out on the host and enter no run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.floating[Any]]

MOST_STEPS = 10_000
CLOSE = 1e-13  # relative; steps smaller than this have come to an end


def mean_rating(stars: Float64, raters: Float64 | None = None) -> float | None:
    """Return the mean of some ratings, each counted as many times as its rater has stars.

    Parameters
    ----------
    stars : float64[rating]
    raters : float64[rating], stars of the raters; None: each rating counts once

    Returns
    -------
    float or None : not measurable without a rating, or if no rater has a star
    """
    weights = np.ones(len(stars)) if raters is None else raters
    whole = float(weights.sum())
    return None if whole == 0 else float((stars * weights).sum()) / whole


def reputation(ratings: Float64, restart: float, trusted: Float64 | None = None) -> Float64:
    """Return the reputation t = (1 - a) C't + a p in which praise counts by the reputation of who gives it.

    Parameters
    ----------
    ratings : float64[rater, rated], 0 or more; C is its rows, each divided by its sum
    restart : the share a, 0 < a <= 1, that comes from `trusted` and not from ratings
    trusted : p, float64[person], adds up to 1; None: everybody alike

    Returns
    -------
    float64[person], adding up to 1

    Raises
    ------
    ValueError : a rating is below 0, or `restart` is not within 0 .. 1

    Notes
    -----
    Kamvar, Schlosser and Garcia-Molina (2003), "The EigenTrust algorithm for reputation management in P2P networks",
    WWW 2003.  Who rates nobody passes trust on to `trusted`.
    """
    if (ratings < 0).any() or not 0 < restart <= 1:
        raise ValueError("ratings are 0 or more, and the share of the trusted is above 0 and at most 1")
    n = len(ratings)
    p = np.full(n, 1 / n) if trusted is None else trusted
    sums = ratings.sum(axis=1, keepdims=True)
    shares = np.where(sums > 0, ratings / np.where(sums > 0, sums, 1), p[None, :])
    found: Float64 = np.linalg.solve(np.eye(n) - (1 - restart) * shares.T, restart * p)
    return found


def mean_over_contacts(ties: NDArray[np.bool_]) -> Float64:
    """Return W: the matrix that takes scores to the mean over each person's contacts; a row of zeros without any."""
    counts = ties.sum(axis=1, keepdims=True)
    found: Float64 = ties / np.maximum(counts, 1)
    return found


def rated(earned: Float64, ties: NDArray[np.bool_], deference: float = 0.0, *, weighted: bool = False) -> Float64:
    """Return the stars that people end with who rate each other.

    Person i gets of each contact j ``earned[i] + deference * (s[i] - s[j])``; her stars s[i] are the mean of that,
    where with `weighted` a rating counts s[j] times.

    Parameters
    ----------
    earned : float64[person], stars that conduct earns
    ties : bool[person, person], symmetric, nobody her own contact
    deference : 0 .. 1
    weighted : by the stars of the rater

    Returns
    -------
    float64[person] : stars; `earned` for who has no contact

    Raises
    ------
    ArithmeticError : the steps come to no end

    Notes
    -----
    Without weights ((1 - d) I + d W) s = earned.  With weights W depends on s, and the equation is solved again with
    the W of its last solution until nothing moves.
    """
    weights = mean_over_contacts(ties)
    alone = ~ties.any(axis=1)
    stars = earned.copy()
    for _ in range(MOST_STEPS):
        if weighted:
            weights = np.where(ties, stars[None, :], 0.0)
            weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)
        step = np.linalg.solve((1 - deference) * np.eye(len(stars)) + deference * weights, earned)
        step[alone] = earned[alone]
        if np.abs(step - stars).max() <= CLOSE * np.abs(step).max():
            return step
        stars = step
    raise ArithmeticError("the ratings come to no end")


def echo(own: Float64, ties: NDArray[np.bool_], weight: float) -> Float64:
    """Return where guilt by association leads: s = own + weight * (mean of s over contacts).

    Parameters
    ----------
    own : float64[person], what each is held to account for, as a distance from the start score
    ties : bool[person, person], symmetric, nobody her own contact
    weight : 0 <= weight < 1

    Raises
    ------
    ValueError : with a weight of 1 or more the sum has no end

    Notes
    -----
    The series own + wW own + w²W² own + ... of Katz (1953) and Bonacich (1987) with means in place of sums.  Where all
    have equally many contacts, what one loses costs all together 1 / (1 - weight) times as much.
    """
    if not 0 <= weight < 1:
        raise ValueError("the weight of association is 0 or more and below 1")
    found: Float64 = np.linalg.solve(np.eye(len(own)) - weight * mean_over_contacts(ties), own)
    return found
