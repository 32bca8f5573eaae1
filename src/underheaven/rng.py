"""Keyed draws: every random decision is a pure function of (seed, stream, citizen, day, k).

The generator is Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as
1, 2, 3", SC11): the seed is its key and (citizen, day, stream, k) its counter.  Regime, thread, block and
engine never enter.  So the same citizen under two regimes has the same luck, and only what the regime
touches can differ.  Each call yields four 32-bit words; a decision names the word that it uses.

Words are returned as whole numbers 0 .. 2**32 - 1 and compared with thresholds 0 .. 2**32: a decision of
probability p is ``word < threshold(p)``.  Everything is 64-bit signed arithmetic under a mask, so that the
compiled function and its plain Python form (``draw4.py_func``) are one text with the same bits.
"""

from __future__ import annotations

from fractions import Fraction

from underheaven.compiled import inlined

#: Register of streams.  Append only; a number is never used again for something else.
HOUSEHOLD_SIZE = 1
HOUSEHOLD = 2
PERSON = 3
TIE = 4
CANDIDATE = 10  # first candidate event of a window, one word an activity
ACT = 12  # words: accept, seen, identified, gap to the next candidate; k = act
SERVICE = 13  # words: accept, refused, -, gap to the next candidate; k = service
WRONG_NAMES = 11  # words: how many, -, -, -; k = act
FALSE_RECORD = 14  # first false record of a window; words: face match, register link
FALSE_RECORD_KIND = 15  # words: which act, -, next gap, -; k = channel
TERM = 16  # words: length of a stay that a tier led to, stale on release, -, -; k = list
NOTICE = 17  # words: told of a sanction, of a record, -, -
APPEAL = 18  # words: files, found, lenient, -
CORRECTION = 19  # words: corrected, repaired, -, -
HEARSAY = 20  # words: hears of it, -, -, -; k = friend
SAMPLE = 21  # which citizens an observer keeps
LISTING = 22  # words: listed, term, -, -; k = 64 * act + 4 * list + how the record came about (life/records.py,
#               life/abuse.py)
FADING = 23  # words: strain, caution, -, -
RATING = 24  # words: rates, mood, rounding to stars, -; k = friend or 8 + housemate; 255: word 0 rounds the move
MALICE = 25  # first candidate false report of a window; words: by neighbours, companions, insiders, -
MALICE_KIND = 26  # words: which act, made, next gap, passes review; k = by whom
RETALIATION = 27  # words for k = 0 (a window starts): ends, first entry, -, -; 1 (an entry): which act, next gap, -, -;
#                   64 + act (what was said): answered, first entry, account closed, -;
#                   128 + list (an entry): listed, term, -, -
AWARENESS = 28  # k = 0, words: news reaches her, of which half, let through, knew at the start; k = 1: three of temper
SURVEY = 29  # day = wave; k = 0: start of the sample; 1, words: order, list, what she says, -; 2 ..: harmless items
FIRM = 30  # of the first citizen of a run of a block, day 0; words: who represents the firm, size, sector, -
FIRM_ACT = 31  # of the representative; k and words: life/firms.py
RISK = 32  # words: which citizens a risk score learns from, the same in case of a tie, -, -
ALLOCATION = 33  # where a patrol goes, words: area or incidents there, counted, -, -; for citizen the city; k = unit
DEMAND = 34  # ... the firm that a demand is made to; words: threshold, exposure, time to comply, -; k = demand

MASK32 = 0xFFFFFFFF
ONE = 1 << 32  # threshold of a certain event


@inlined
def philox4x32(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    """Return the Philox4x32-10 block of counter (c0, c1, c2, c3) under key (k0, k1).

    Parameters and result are whole numbers 0 .. 2**32 - 1.
    """
    for _ in range(10):
        # A product of two 32-bit numbers may pass 2**63; the wrapped sign is masked away again.
        p0 = 0xD2511F53 * c0
        p1 = 0xCD9E8D57 * c2
        c0 = ((p1 >> 32) ^ c1 ^ k0) & MASK32
        c1 = p1 & MASK32
        c2 = ((p0 >> 32) ^ c3 ^ k1) & MASK32
        c3 = p0 & MASK32
        k0 = (k0 + 0x9E3779B9) & MASK32
        k1 = (k1 + 0xBB67AE85) & MASK32
    return c0, c1, c2, c3


@inlined
def draw4(seed: int, stream: int, citizen: int, day: int, k: int) -> tuple[int, int, int, int]:
    """Return the four words that belong to this decision of this citizen on this day.

    Parameters
    ----------
    seed : int, 0 .. 2**63 - 1
    stream : int, a number of the register above
    citizen : int, 0 .. 2**32 - 1
    day : int, day of the run from 0
    k : int, which of several like decisions of the day

    Returns
    -------
    tuple of four int, each 0 .. 2**32 - 1
    """
    return philox4x32(citizen, day, stream, k, seed & MASK32, (seed >> 32) & MASK32)


@inlined
def draw_block(seed, stream, first, size, day, k, words):
    """Draw the four words of each of `size` citizens from `first` on, as one loop over the block.

    Parameters
    ----------
    seed, stream, day, k : as in :func:`draw4`
    first, size : int, citizens
    words : uint32[4, at least size], overwritten

    Notes
    -----
    The processor works on several citizens at once here: 2.3 ns a citizen where single calls take 18.
    """
    for local in range(size):
        w0, w1, w2, w3 = draw4(seed, stream, (first + local) & MASK32, day, k)
        words[0, local] = w0
        words[1, local] = w1
        words[2, local] = w2
        words[3, local] = w3


def threshold(probability: Fraction | int) -> int:
    """Return the threshold under which a word falls with `probability`, rounded to the nearest 2**-32.

    Raises
    ------
    ValueError : `probability` is not within 0 .. 1
    """
    p = Fraction(probability)
    if not 0 <= p <= 1:
        raise ValueError(f"a probability lies within 0 .. 1, not {probability}")
    return int(p * ONE + Fraction(1, 2))
