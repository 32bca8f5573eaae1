"""Ties: who are whose friends, computed from numbers and stored nowhere.

Friend k of the citizen with number `local` in a community block is ``local ^ masks[k]``.  So a tie is the
same seen from both ends, nobody is her own friend, and the whole of a block's network is a few numbers.
"""

from __future__ import annotations

from underheaven import rng
from underheaven.compiled import inlined

NOBODY = 1 << 20  # a mask that leads out of any block


@inlined
def tie_masks(seed, block, size, masks):
    """Draw the masks of a block: different numbers 1 .. (power of two that holds the block) - 1.

    Parameters
    ----------
    seed : int
    block : int, number of the block; it keys the draws
    size : int, citizens of the block
    masks : int64[tie], overwritten; ``NOBODY`` where a block is too small for so many ties

    Notes
    -----
    Draws: stream TIE, word 0, one a tie.  A mask that is taken already gives way to the next free number.
    A friend whose number is not below `size` does not exist, so in a block that is no power of two some
    citizens have fewer friends than there are masks.  More ties change none of the earlier ones.
    """
    span = 1
    while span < size:
        span *= 2
    for k in range(masks.shape[0]):
        masks[k] = NOBODY
        if k < span - 1:
            word = rng.draw4(seed, rng.TIE, block, 0, k)[0]
            mask = 1 + ((word * (span - 1)) >> 32)
            j = 0
            while j < k:
                if masks[j] == mask:
                    mask = mask % (span - 1) + 1
                    j = 0
                else:
                    j += 1
            masks[k] = mask
