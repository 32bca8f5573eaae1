"""ABUSE: records that somebody wants to be believed: false reports, and retaliation by those who keep the file.

Such a record enters the believed file by the same rule as any other and is in no truth.  What makes reports
come (whom somebody dislikes, who profits) is not modelled; each citizen meets them at a rate of her own.
Retaliation follows upon words that were noticed.  It needs memory, and has one bit of it: while the bit is
set, false entries come at a rate, and at each exchange the bit may fall.
"""

from __future__ import annotations

from underheaven import rng
from underheaven.compiled import compiled, inlined
from underheaven.life.acts import mark_first
from underheaven.life.counters import (
    DENOUNCED_SANCTIONED,
    DENOUNCED_WRONGLY,
    FALSE_RECORDS,
    MALICIOUS_RECORDS,
    PEOPLE_DENOUNCED,
    PEOPLE_WITH_FALSE_RECORD,
    REPORTS_DROPPED,
    RETALIATION_RECORDS,
    RETALIATIONS,
)
from underheaven.life.records import put_on_list, record
from underheaven.life.sightings import pick_act
from underheaven.life.standing import account
from underheaven.life.state import (
    HAS_FALSE_RECORD,
    IS_PURSUED,
    WAS_DENOUNCED,
    WAS_SANCTIONED,
    WAS_WRONGLY_SANCTIONED,
)
from underheaven.life.tables import N_MALICE
from underheaven.life.tally import count, count_activity

# Bits of a day's events (life/acts.py), well beyond those of acts, services and wrong names.
MALICE_EVENT = 56  # + NEIGHBOURS, COMPANIONS or INSIDERS
RETALIATION_EVENT = MALICE_EVENT + N_MALICE
ABUSE_EVENTS = ((1 << (N_MALICE + 1)) - 1) << MALICE_EVENT

# How a record came about, beside FACE, LINK and OWN; with it the draws of its listings have a number of their own.
BY_MALICE = 1 << 11  # times 1 + by whom
BY_RETALIATION = BY_MALICE * (1 + N_MALICE)


@inlined
def plan_malice(rules, seed, first, size, day, n_days, scratch):
    """Draw, for a whole block, the first candidate report of each kind.

    Parameters
    ----------
    rules : RULES record
    first, size : int, citizens of the block
    day, n_days : int, the window
    scratch : Scratch; bits of ``due`` are set
    """
    rng.draw_block(seed, rng.MALICE, first, size, day, 0, scratch.words)
    for source in range(N_MALICE):
        if rules.malice_base[source] > 0:
            for local in range(size):
                word = int(scratch.words[source, local])
                if word < rules.malice_gaps[source, n_days - 1]:
                    mark_first(scratch.due[local], word, rules.malice_gaps[source], MALICE_EVENT + source, 0, n_days)


@inlined
def pursue(rules, me, seed, day, due, n_days):
    """Let retaliation end or go on as a window starts; draw the first entry of the window."""
    ends, gap, w2, w3 = rng.draw4(seed, rng.RETALIATION, me.citizen, day, 0)
    if ends < rules.retaliation_ends:
        me.flags &= ~IS_PURSUED
    else:
        mark_first(due, gap, rules.retaliation_gaps, RETALIATION_EVENT, 0, n_days)


@inlined
def retaliate(rules, tally, me, seed, day, act, due, tomorrow, n_days):
    """Answer words that were noticed: from tomorrow on false entries come.  Whoever is pursued already, stays so."""
    answered, gap, w2, w3 = rng.draw4(seed, rng.RETALIATION, me.citizen, day, 64 + act)
    if answered < rules.retaliated[act] and not me.flags & IS_PURSUED:
        me.flags |= IS_PURSUED
        count(tally, me, RETALIATIONS, 1)
        mark_first(due, gap, rules.retaliation_gaps, RETALIATION_EVENT, tomorrow, n_days)


@compiled
def meet_abuse(rules, tally, me, seed, day, events, due, tomorrow, n_days):
    """Take the day's false reports and entries of retaliation into the file.

    Parameters
    ----------
    events : int, bits of the day
    due : int64[day of window], the next of each kind is added
    tomorrow, n_days : int, days of the window

    Returns
    -------
    bool : the file has been touched
    """
    touched = False
    for source in range(N_MALICE):
        if (events >> (MALICE_EVENT + source)) & 1:
            which, made, gap, passes = rng.draw4(seed, rng.MALICE_KIND, me.citizen, day, source)
            mark_first(due, gap, rules.malice_gaps[source], MALICE_EVENT + source, tomorrow, n_days)
            if made < malice_propensity(rules, me, source):
                if passes < rules.report_kept:
                    act = pick_act(rules.malice_acts[source], which)
                    denounce(rules, tally, me, seed, day, act, BY_MALICE * (1 + source), MALICIOUS_RECORDS + source)
                    touched = True
                else:
                    count(tally, me, REPORTS_DROPPED, 1)
    if (events >> RETALIATION_EVENT) & 1:
        which, gap, w2, w3 = rng.draw4(seed, rng.RETALIATION, me.citizen, day, 1)
        mark_first(due, gap, rules.retaliation_gaps, RETALIATION_EVENT, tomorrow, n_days)
        act = pick_act(rules.retaliation_acts, which)
        denounce(rules, tally, me, seed, day, act, BY_RETALIATION, RETALIATION_RECORDS)
        for entry in range(rules.n_lists):
            if rules.retaliation_listing[entry, act] > 0:
                listed, term, w2, w3 = rng.draw4(seed, rng.RETALIATION, me.citizen, day, 128 + rules.list_key[entry])
                if listed < rules.retaliation_listing[entry, act]:
                    put_on_list(rules, tally, me, day, entry, term, True, False)
        touched = True
    return touched


@inlined
def malice_propensity(rules, me, source):
    """Return the threshold at which a candidate report about this citizen is made."""
    p = rules.malice_base[source]
    for slot in range(rules.malice_n_varies[source]):
        level = (me.traits >> rules.malice_shift[source, slot]) & rules.malice_mask[source, slot]
        p = (p * rules.malice_factor[source, slot, level]) >> 16
    return p


@inlined
def denounce(rules, tally, me, seed, day, act, source, counter):
    """Take what is alleged into the file, and into no truth.

    Parameters
    ----------
    act : int, what she is said to have done
    source : int, by whom
    counter : int, to be counted under
    """
    account(rules, tally, me, day)
    count(tally, me, counter, 1)
    count_activity(tally, me, act, FALSE_RECORDS, 1)
    if rules.demerit[act] and not me.flags & HAS_FALSE_RECORD:
        me.flags |= HAS_FALSE_RECORD
        count(tally, me, PEOPLE_WITH_FALSE_RECORD, 1)
    if not me.flags & WAS_DENOUNCED:
        me.flags |= WAS_DENOUNCED
        count(tally, me, PEOPLE_DENOUNCED, 1)
        if me.flags & WAS_SANCTIONED:
            count(tally, me, DENOUNCED_SANCTIONED, 1)
        if me.flags & WAS_WRONGLY_SANCTIONED:
            count(tally, me, DENOUNCED_WRONGLY, 1)
    record(rules, tally, me, seed, day, act, source, True, False)
