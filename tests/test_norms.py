"""Public good names under four norms: the closed form with its published values, and people who live by them."""

from __future__ import annotations

import math

import pytest

from underheaven.institutions.norms import NAMES, NORMS, Norm, live_norm, share_good

PUBLISHED = [
    (0.01, 0.01, [0.335570, 0.980392, 0.980392, 0.335570]),
    (0.05, 0.02, [0.227273, 0.935115, 0.935115, 0.227273]),
    (0.0, 0.05, [0.5, 0.95, 0.95, 0.5]),
]


@pytest.mark.parametrize(("fails", "flips", "expected"), PUBLISHED)
def test_the_closed_form(fails, flips, expected):
    """With one error in a hundred image scoring keeps a third of the good names, standing and judging nearly all."""
    found = [share_good(NORMS[name], fails, flips) for name in NAMES]
    assert found == pytest.approx(expected, abs=1e-6)
    image = flips / (1 - (1 - 2 * flips) * (1 - fails))
    kept = (1 - fails) * (1 - flips) + fails * flips
    standing, shunning = (1 - flips) / (2 - flips - kept), flips / (1 - kept + flips)
    assert found == pytest.approx([image, standing, standing, shunning])


@pytest.mark.parametrize("name", NAMES)
def test_people_come_to_it(name):
    """The mean over runs is that of the closed form within 4 standard errors of the runs."""
    fails, flips, _ = PUBLISHED[1]
    shares = live_norm(NORMS[name], fails, flips, runs=40, people=500, days=240, seed=11)[120:].mean(axis=0)
    error = shares.std(ddof=1) / math.sqrt(len(shares))
    assert abs(shares.mean() - share_good(NORMS[name], fails, flips)) < 4 * error
    assert error < 0.01


def test_without_errors():
    """Nobody loses a good name without an error; under image scoring any first share then stays, so none is told."""
    assert live_norm(NORMS["stern-judging"], 0.0, 0.0, runs=2, people=50, days=30, seed=1).min() == 1.0
    assert share_good(NORMS["image-scoring"], 0.0, 0.0) is None
    assert share_good(Norm(False, False, True, True), 0.0, 0.0) == 0.5  # good is who refuses: names turn over daily
