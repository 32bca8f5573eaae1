"""SIGHTINGS: what the system thinks it saw.

A sighted act is given a name by face recognition or by linking registers.  Either can name the right
person, nobody, or somebody else.  Who that other person is, is settled by the next exchange: the wrong
names of a zone are counted by class and fall as a hazard on its members, so blocks stay independent.
"""

from __future__ import annotations

from underheaven import rng
from underheaven.compiled import inlined
from underheaven.life.counters import PROBES
from underheaven.life.tables import CAMERA, FACE, LINK, REGISTER
from underheaven.life.tally import count
from underheaven.rng import MASK32


@inlined
def identify(rules, place, tally, me, seed, day, act, word):
    """Name the person behind a sighted act; count the wrong names for the next exchange.

    Parameters
    ----------
    rules, place, me : records
    tally : TALLY record, added to
    seed, day, act : key of a further draw
    word : int, the draw

    Returns
    -------
    bool : her own file is named
    """
    channel = rules.channel[act]
    if channel == CAMERA:
        count(tally, me, PROBES, 1)
        right = word < place.face_right[me.look]
        mean = place.face_wrong[me.look, 0 if right else 1]
        wrong_word = rng.draw4(seed, rng.WRONG_NAMES, me.citizen, day, act)[0]
        # Only the total of wrong names goes on, so a number with the right mean is all that is needed.
        n_wrong = (mean >> 32) + (1 if wrong_word < (mean & MASK32) else 0)
        tally.hits[FACE, me.look] += n_wrong
        tally.hit_acts[FACE, act] += n_wrong
        return right
    if channel == REGISTER:
        right = word < rules.link_right[me.look, me.name]
        if not right and word < rules.link_right[me.look, me.name] + rules.link_wrong[me.look, me.name]:
            tally.hits[LINK, me.name] += 1
            tally.hit_acts[LINK, act] += 1
        return right
    return True


@inlined
def pick_act(cumulative, word):
    """Return which act a false record is about, in proportion to the acts behind the wrong names.

    Parameters
    ----------
    cumulative : int64[act], thresholds
    word : int, the draw
    """
    act = 0
    while act < cumulative.shape[0] - 1 and word >= cumulative[act]:
        act += 1
    return act
