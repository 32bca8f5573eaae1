"""RESPONSE: what treatment does to a person: strain, caution, and what friends hear.

Strain makes late payment likelier, and late payment costs points: the poverty trap.  Caution makes acts
that the regime holds against people rarer: deterrence, and silence where the act was speech.
"""

from __future__ import annotations

from underheaven import rng
from underheaven.compiled import inlined


@inlined
def raise_strain(me, amount):
    """Raise a citizen's strain, not beyond 255."""
    me.strain = min(255, me.strain + amount)


@inlined
def raise_caution(me, amount):
    """Raise a citizen's caution, not beyond 255."""
    me.caution = min(255, me.caution + amount)


@inlined
def fade(rules, me, seed, day):
    """Let strain and caution fade by the days of one window."""
    if me.strain > 0 or me.caution > 0:
        w0, w1, w2, w3 = rng.draw4(seed, rng.FADING, me.citizen, day, 0)
        me.strain = decayed(me.strain, rules.strain_keep, w0)
        me.caution = decayed(me.caution, rules.caution_keep, w1)


@inlined
def decayed(level, keep, word):
    """Return what is left of a level 0..255 after one window, rounded up or down at random.

    Parameters
    ----------
    level : int
    keep : int, fixed-point factor with 16 binary places; 65536 keeps everything
    word : int, the draw

    Notes
    -----
    The mean is exact.  Always rounded down, a level of 10 would be gone after ten windows, however long
    its half-life.
    """
    return (level * keep + (word >> 16)) >> 16


@inlined
def hear_of(rules, seed, first, local, size, day, masks, heard):
    """Let the friends of a sanctioned citizen hear of it, each by a draw of her own.

    Parameters
    ----------
    first : int, first citizen of the block
    local, size : int, the sanctioned citizen's number within the block, and how many the block has
    masks : int64[tie], friend k of `local` is ``local ^ masks[k]`` (world/ties.py)
    heard : uint8[size], added to: of how many friends each one hears
    """
    for k in range(rules.n_ties):
        friend = local ^ masks[k]
        if friend < size and rng.draw4(seed, rng.HEARSAY, first + friend, day, k)[0] < rules.heard:
            heard[friend] += 1
