"""Cameras and face recognition: how much is in view, and whose name is given to a face.

Only error models: no image, no camera, no face is ever processed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from underheaven.life.tables import N_LOOKS, Int64
from underheaven.rng import ONE


def _quantised(p: float) -> int:
    return int(min(1.0, max(0.0, p)) * ONE + 0.5)


@dataclass(frozen=True)
class Cameras:
    """How many cameras there are, and what share of outdoor acts they see.

    Parameters
    ----------
    per_1000 : cameras per 1,000 people, mean of the world
    growth_per_day : relative growth of their number a day
    urban_ratio : density in urban places / density in rural ones
    half_view : cameras per 1,000 people at which half of outdoor acts are in view
    """

    per_1000: float
    growth_per_day: float
    urban_ratio: float
    half_view: float

    def coverage(self, urban_share: Int64, people: Int64, day: int) -> Int64:
        """Return the chance of being in view, by county.

        Parameters
        ----------
        urban_share : int64[county], thresholds
        people : int64[county]
        day : int

        Returns
        -------
        int64[county] : thresholds of 1 - 2**(-density / half_view)
        """
        return self.in_view(self.densities(urban_share, people, day))

    def grown(self, day: int) -> float:
        """Return their number on a day over that of day 0."""
        return 1.0 + self.growth_per_day * day

    def densities(self, urban_share: Int64, people: Int64, day: int) -> list[float]:
        """Return the cameras per 1,000 people of each county: towns have `urban_ratio` times those of the country."""
        urban = [u / ONE for u in urban_share.tolist()]
        weights = [u * self.urban_ratio + 1.0 - u for u in urban]
        heads = people.tolist()
        mean = math.fsum(w * n for w, n in zip(weights, heads, strict=True)) / max(1, sum(heads))
        density = self.per_1000 * self.grown(day)
        return [density * w / mean for w in weights]

    def in_view(self, densities: Sequence[float]) -> Int64:
        """Return the share of outdoor acts that cameras of these densities see, as thresholds.

        Notes
        -----
        Cameras placed independently of each other: each new one sees a share of what is still unseen.
        """
        return np.array([_quantised(1.0 - math.exp2(-density / self.half_view)) for density in densities], np.int64)


@dataclass(frozen=True)
class Review:
    """People who look at matches before they enter the file: a filter with a capacity, not a cure.

    Parameters
    ----------
    per_person_per_day : matches that can be looked at, per inhabitant and day
    keep_true, keep_false : chance that a right / a wrong match passes
    """

    per_person_per_day: float
    keep_true: float
    keep_false: float


@dataclass(frozen=True)
class Recognition:
    """1:N identification: miss rate, false match rate per comparison, gallery, and who enters the file.

    Parameters
    ----------
    is_national : one gallery for all, else one a county
    size : faces in the gallery; None: those of the county, however few of them a run simulates
    miss, false_match : [look] per probe, and per comparison
    choice : which faces above the threshold enter the file: `ranked` (the right one, if it is among them, else
        one of them), `any` (one of them, at random) or `every`
    constant_fpir : [look] chance of any false candidate in a search, held whatever the gallery's size (some
        vendors normalise scores so); None: FPIR(N) = 1 - (1 - false_match)**N (comparisons independent)
    """

    is_national: bool
    size: int | None
    miss: tuple[float, ...]
    false_match: tuple[float, ...]
    choice: Literal["ranked", "any", "every"]
    constant_fpir: tuple[float, ...] | None = None
    review: Review | None = None

    def outcome(self, look: int, gallery: int, reviewed: float) -> tuple[float, float, float]:
        """Return what one search yields for a probe of this look-alike class.

        Parameters
        ----------
        look : int
        gallery : int, faces searched
        reviewed : float, share of matches that a person looks at

        Returns
        -------
        (float, float, float) : chance that the right person is named; mean number of wrong names if she is, and
            if she is not

        Notes
        -----
        With M ~ Binomial(N, f) false candidates, E[1 / (1 + M)] = (1 - (1 - f)**(N + 1)) / ((N + 1) f).
        """
        miss = self.miss[look]
        none_false, mean_false, shared = self.false_candidates(look, gallery)
        keep_true = keep_false = 1.0
        if self.review is not None:
            keep_true = 1.0 - reviewed * (1.0 - self.review.keep_true)
            keep_false = 1.0 - reviewed * (1.0 - self.review.keep_false)
        if self.choice == "every":
            return (1.0 - miss) * keep_true, mean_false * keep_false, mean_false * keep_false
        found = (1.0 - miss) * (shared if self.choice == "any" else 1.0)
        other = 1.0 - found - miss * none_false
        right = found * keep_true
        return right, 0.0, other * keep_false / (1.0 - right) if right < 1.0 else 0.0

    def false_candidates(self, look: int, gallery: int) -> tuple[float, float, float]:
        """Return P(no false candidate), their mean number M, and E[1 / (1 + M)] in a gallery of this size."""
        if self.constant_fpir is not None:
            fpir = self.constant_fpir[look]
            return 1.0 - fpir, fpir, 1.0 - fpir / 2.0
        f = self.false_match[look]
        if f == 0.0:
            return 1.0, 0.0, 1.0
        spared = math.log1p(-f) if f < 1.0 else -math.inf  # log of the chance that one face is no candidate
        shared = -math.expm1((gallery + 1) * spared) / ((gallery + 1) * f)
        return math.exp(gallery * spared), gallery * f, shared

    def tables(self, gallery: int, reviewed: float) -> tuple[Int64, Int64]:
        """Return `face_right` [look] and `face_wrong` [look, right or not] (life/tables.py)."""
        right = np.zeros(N_LOOKS, np.int64)
        wrong = np.zeros((N_LOOKS, 2), np.int64)
        for look in range(N_LOOKS):
            p, if_right, if_not = self.outcome(look, self.size or gallery, reviewed)
            right[look] = _quantised(p)
            wrong[look] = int(if_right * ONE + 0.5), int(if_not * ONE + 0.5)
        return right, wrong

    def matches_per_search(self, gallery: int, people_of_look: Sequence[int]) -> float:
        """Return the mean number of matches that a search puts before a reviewer.

        Parameters
        ----------
        gallery : int, faces searched
        people_of_look : [look] people, each searched for equally often
        """
        total = 0.0
        for look, people in enumerate(people_of_look):
            if people:
                miss = self.miss[look]
                none_false, mean_false, _ = self.false_candidates(look, self.size or gallery)
                matches = 1.0 - miss + mean_false if self.choice == "every" else 1.0 - miss * none_false
                total += people * matches
        return total / max(1, sum(people_of_look))

    def reviewed_share(self, matches: float, people: int, days: int) -> float:
        """Return the share of the last window's matches that reviewers had time for; before any, all or none."""
        if self.review is None or self.review.per_person_per_day == 0:
            return 0.0
        return min(1.0, self.review.per_person_per_day * people * days / matches) if matches else 1.0
