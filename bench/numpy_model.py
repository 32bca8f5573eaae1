"""The common model in plain, vectorised NumPy: what a good programmer writes first.

N agents in 100 regions with a whole-number score.  Each day each agent may commit three kinds of acts, each
seen with its region's chance; a seen act moves the score.  Six tiers are counted by region every day, and an
agent's propensity drifts with the mean score of four friends in its block of 1,024.
"""

from __future__ import annotations

import numpy as np

ACTS = ((0.004, -50), (0.02, -5), (0.01, 30))  # chance a day at propensity 1, points
TIERS = np.array([550, 750, 850, 960, 1050])
REGIONS, BLOCK = 100, 1_024


def live(n: int, days: int, seed: int) -> np.ndarray:
    """Return agents by day, region and tier, int64[days, 100, 6]."""
    draw = np.random.default_rng(seed)
    agent = np.arange(n)
    region = agent * REGIONS // n
    seen = np.linspace(0.2, 0.8, REGIONS)[region]
    propensity = draw.uniform(0.25, 4.0, n)
    block = agent // BLOCK * BLOCK
    friends = np.minimum(n - 1, block + draw.integers(0, BLOCK, (4, n)))
    score = np.full(n, 1_000, np.int32)
    counts = np.empty((days, REGIONS, 6), np.int64)
    for day in range(days):
        for chance, points in ACTS:
            hit = (draw.random(n) < chance * propensity) & (draw.random(n) < seen)
            score[hit] += points
        np.clip(score, 0, 1_300, out=score)
        tier = np.searchsorted(TIERS, score, side="right")
        counts[day] = np.bincount(region * 6 + tier, minlength=REGIONS * 6).reshape(REGIONS, 6)
        drift = (score[friends].mean(axis=0) - 1_000) * 1e-5
        propensity = np.clip(propensity * (1 - drift), 0.25, 4.0)
    return counts
