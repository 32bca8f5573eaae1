"""AWARENESS: who learns that the system exists, and who learns what it represses.

Two kinds of news, one bit of `flags` each: AWARE and HEARD_REPRESSION; whoever has the second has the first.
They come by the press as a window starts, by friends who are sanctioned, and by what happens to a person
herself.  Whoever does not know that there is a score does nothing for its sake (life/acts.py).
"""

from __future__ import annotations

from underheaven.compiled import inlined
from underheaven.life.counters import HEARD_BY, MADE_AWARE_BY, PEOPLE_AWARE, PEOPLE_HEARD_REPRESSION, PEOPLE_WITH_PERK
from underheaven.life.state import AWARE, HAD_PERK, HEARD_REPRESSION
from underheaven.life.tally import count

# How news comes; the order of its counters.
FROM_THE_START, BY_PRESS, BY_FRIENDS, BY_SANCTION, BY_PERK, BY_FINE = range(6)
HALF = 1 << 31  # threshold of even chances


@inlined
def become_aware(rules, tally, me, how, is_of_repression):
    """Let news reach a citizen; it is counted once for each kind of news.

    Parameters
    ----------
    how : int, one of the ways above
    is_of_repression : bool, it also tells what the system represses
    """
    if rules.awareness:
        if not me.flags & AWARE:
            me.flags |= AWARE
            count(tally, me, PEOPLE_AWARE, 1)
            count(tally, me, MADE_AWARE_BY + how, 1)
        if is_of_repression and not me.flags & HEARD_REPRESSION:
            me.flags |= HEARD_REPRESSION
            count(tally, me, PEOPLE_HEARD_REPRESSION, 1)
            count(tally, me, HEARD_BY + how, 1)


@inlined
def meet_the_press(rules, tally, me, is_new, reached, half, let_through, knew):
    """Let the press of one window reach a citizen; as a system begins some know of it already.

    Parameters
    ----------
    is_new : bool, the first window under a regime of which not everybody knows
    reached, half, let_through, knew : int, draws (stream AWARENESS, k = 0): whether news of the system reaches her,
        whether it is of the critical half, whether that is let through, and whether she knew from the start
    """
    if is_new and knew < rules.known:
        become_aware(rules, tally, me, FROM_THE_START, False)
    if reached < rules.press:
        is_critical = half < HALF
        if not is_critical or let_through >= rules.censorship:
            become_aware(rules, tally, me, BY_PRESS, is_critical)


@inlined
def enjoy_perk(rules, tally, me):
    """Note that a service has given a citizen its perk, by which she also learns that there is a score."""
    if rules.awareness:
        if not me.flags & HAD_PERK:
            me.flags |= HAD_PERK
            count(tally, me, PEOPLE_WITH_PERK, 1)
        become_aware(rules, tally, me, BY_PERK, False)


@inlined
def is_wronged(me):
    """Tell whether the file sanctions a citizen for what the truth would not; she knows what she did."""
    return me.on_paper & ~me.deserved != 0
