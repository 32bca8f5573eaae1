"""Keyed draws: the published vectors, and what the keys promise."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from underheaven import rng
from underheaven.compiled import compiled

WORD = st.integers(0, rng.MASK32)

# Philox4x32-10 rows of Random123's kat_vectors: counter, key, result.
KNOWN_ANSWERS = [
    (
        (0, 0, 0, 0),
        (0, 0),
        (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
    ),
    (
        (0xFFFFFFFF,) * 4,
        (0xFFFFFFFF,) * 2,
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@compiled
def _compiled_philox(c0, c1, c2, c3, k0, k1):
    return rng.philox4x32(c0, c1, c2, c3, k0, k1)


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_published_vectors(counter, key, words):
    """The compiled function and its plain form give the published words (R1)."""
    assert rng.philox4x32.py_func(*counter, *key) == words
    assert _compiled_philox(*counter, *key) == words


@given(WORD, WORD, WORD, WORD, st.integers(0, 2**63 - 1))
def test_plain_equals_compiled(citizen, day, stream, k, seed):
    """One text, two ways to run it, the same bits."""
    plain = rng.philox4x32.py_func(citizen, day, stream, k, seed & rng.MASK32, seed >> 32)
    assert _compiled_philox(citizen, day, stream, k, seed & rng.MASK32, seed >> 32) == plain


@compiled
def _draw(seed, stream, citizen, day, k):
    return rng.draw4(seed, stream, citizen, day, k)


@compiled
def _block(seed, stream, first, size, day, k, words):
    rng.draw_block(seed, stream, first, size, day, k, words)


def test_a_block_is_its_citizens():
    """A vectorised block holds what single draws give."""
    words = np.zeros((4, 300), np.uint32)
    _block(2**40 + 7, rng.CANDIDATE, 12_345, 300, 77, 3, words)
    single = [_draw(2**40 + 7, rng.CANDIDATE, 12_345 + i, 77, 3) for i in range(300)]
    assert words.T.tolist() == [list(four) for four in single]


@pytest.mark.parametrize("changed", range(5))
def test_every_part_of_the_key_counts(changed):
    """Another seed, stream, citizen, day or slot is another draw."""
    key = [1, 2, 3, 4, 5]
    other = list(key)
    other[changed] += 1
    assert _draw(*key) != _draw(*other)


def test_high_half_of_the_seed_counts():
    """Seeds that differ only above 32 bits differ."""
    assert _draw(1, 2, 3, 4, 5) != _draw(1 + 2**32, 2, 3, 4, 5)


def test_streams_are_distinct():
    """No two purposes share a stream."""
    streams = {n: v for n, v in vars(rng).items() if n.isupper() and n not in ("MASK32", "ONE")}
    assert len(set(streams.values())) == len(streams)


@given(st.fractions(0, 1))
def test_threshold_is_nearest(p):
    """A threshold is off by at most half of 2**-32."""
    assert abs(Fraction(rng.threshold(p), rng.ONE) - p) <= Fraction(1, 2 * rng.ONE)


@pytest.mark.parametrize("p", [Fraction(-1, 100), Fraction(101, 100)])
def test_threshold_refuses_what_is_no_chance(p):
    """A chance below 0 or above 1 is a fault of the caller."""
    with pytest.raises(ValueError, match=r"within 0 \.\. 1"):
        rng.threshold(p)


def test_words_are_uniform():
    """Chi-square of the top byte over 400,000 words of consecutive citizens, at 1 in a million."""
    words = np.zeros((4, 100_000), np.uint32)
    _block(11, rng.ACT, 0, 100_000, 0, 0, words)
    counts = np.bincount((words >> 24).ravel(), minlength=256)
    expected = words.size / 256
    chi2 = float(((counts - expected) ** 2 / expected).sum())
    # 255 degrees of freedom: mean 255, deviation sqrt(510); 4.9 deviations is below 1e-6 on each side.
    assert abs(chi2 - 255) < 4.9 * 510**0.5
