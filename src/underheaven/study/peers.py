"""What peer rating did: ratings that conduct did not earn, falls, the lowest grade, and cliques."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from underheaven.study.counts import Counts, ratio
from underheaven.study.words import NOT_MEASURABLE, decimal, percent, whole

TIES = ("tie_ends", "tie_scores", "tie_squares", "tie_products")
FINEST = 255  # steps of the scale on which scores at the two ends of a tie are counted


def peers(counts: Counts) -> dict[str, Any] | None:
    """Return what ratings did; None where people do not rate each other.

    Parameters
    ----------
    counts : Counts

    Returns
    -------
    dict or None : `ratings`, of which `raised` and `lowered` gave other than conduct earned, `falls` to a lower tier by
        ratings, `lowest_tier` (share of people there in the first and the last windows), `assortativity` (in the first
        and the last, see `spread`)
    """
    if not any(regime.peers for regime in counts.regimes):
        return None
    ratings, raised, lowered = (counts.total(name) for name in ("ratings", "ratings_raised", "ratings_lowered"))
    lowest = f"tier_days/{counts.tiers[-1]}"
    rows = counts.windows([lowest, *TIES])
    return {
        "ratings": ratings,
        "raised": raised,
        "lowered": lowered,
        "unearned_share": ratio(raised + lowered, ratings),
        "per_person_week": ratio(7 * ratings, counts.people_days),
        "falls": counts.total("rating_falls"),
        "lowest_tier": [ratio(row[lowest], counts.people * row["days"]) for row in (rows[0], rows[-1])],
        "assortativity": [spread(row)["assortativity"] for row in (rows[0], rows[-1])],
    }


def spread(row: Mapping[str, int]) -> dict[str, float | None]:
    """Return mean and standard deviation of scores, and how alike friends are.

    Parameters
    ----------
    row : sums over both ends of all ties, of which each has the score x of one end and y of the other: `tie_ends`
        (how many), `tie_scores` (x), `tie_squares` (x²), `tie_products` (xy)

    Returns
    -------
    dict : `mean` and `deviation` as shares of the scale, and `assortativity`, the correlation of x and y (Newman 2003,
        "Mixing patterns in networks", Physical Review E 67, 026126): 1 if friends have the same score, 0 if chance
        put them together, below 0 if high stand beside low; None without ties, or where all scores are the same
    """
    ends = row["tie_ends"]
    if ends == 0:
        return {"mean": None, "deviation": None, "assortativity": None}
    # Whole numbers up to the last division, so that a spread of 0 is 0.
    variance = ends * row["tie_squares"] - row["tie_scores"] ** 2
    covariance = ends * row["tie_products"] - row["tie_scores"] ** 2
    return {
        "mean": row["tie_scores"] / (ends * FINEST),
        "deviation": math.sqrt(variance) / (ends * FINEST),
        "assortativity": covariance / variance if variance else None,
    }


def peers_findings(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the headline figure of peer rating, with its sentence; none where people do not rate each other.

    Parameters
    ----------
    found : the measured harms, with what :func:`peers` returned under `peers`
    """
    part = found["peers"]
    if part is None:
        return []
    unearned, alike = part["unearned_share"], part["assortativity"][-1]
    if unearned["value"] is None:
        text = "Nobody was rated by anybody."
    else:
        text = (
            f"Of {whole(part['ratings'])} ratings {percent(unearned['value'])} gave other than conduct earned: "
            f"{whole(part['raised'])} more, {whole(part['lowered'])} less. Ratings pushed people to a lower grade "
            f"{whole(part['falls'])} times. "
        )
        text += (
            "At the end all had the same score."
            if alike is None
            else f"At the end the scores of friends had a correlation of {decimal(alike, 2)}."
        )
    value = unearned["value"]
    return [
        {
            "id": "unearned_ratings",
            "title": "Ratings that conduct did not earn",
            "value": value,
            "unit": NOT_MEASURABLE if value is None else "share",
            "text": text,
            "share": unearned,
        }
    ]
