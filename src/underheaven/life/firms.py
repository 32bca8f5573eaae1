"""FIRMS: their days, and what a firm and its legal representative do to each other.

A firm lives in the block of the citizen who represents it, and its window is lived right after hers.  Who
represents it, its sector and its size are drawn, never stored.  Both sides look at each other as they stand
when the window starts: a firm newly listed is entered in her file, and her new sanction in that of the firm.
"""

from __future__ import annotations

from underheaven import rng
from underheaven.compiled import inlined
from underheaven.life import counters as c
from underheaven.life.acts import lowest_bit, mark_first
from underheaven.life.records import days_on_list, move_points, put_on_list
from underheaven.life.sightings import pick_act
from underheaven.life.standing import tier_of
from underheaven.life.state import TRULY_AT_RISK
from underheaven.life.tables import FIRM_LINK, N_FIRM_ACTIVITIES, N_FIRM_ACTS, N_SIZES
from underheaven.life.tally import count

# Bits of the column `firm_flags`.
WAS_LISTED = 1
WAS_WRONGLY_LISTED = 2
NEWLY_LISTED = 4  # in the last window, and its representative has yet to answer for it
NEWLY_LISTED_IN_TRUTH = 8
ANSWERED = 16  # it has been charged with the present sanction of its representative
ANSWERED_IN_TRUTH = 32
WAS_COUNTED = 64  # in a roll-out firms may come under scores late

LINK_EVENT = N_FIRM_ACTIVITIES
ACT_EVENTS = (1 << N_FIRM_ACTS) - 1
SERVICE_EVENTS = ((1 << N_FIRM_ACTIVITIES) - 1) ^ ACT_EVENTS
NEVER = 1 << 40

# The place k of draws of stream FIRM_ACT, apart from 0 .. 2: the first candidates of activities 4k .. 4k+3.
FIRST_LINK = 3  # words: first false link of the window, -, -, -
SCREENS = 4  # words: points for screening, -, -, -
HAPPENS = 16  # + activity.  Act: seen, identified, listed, next gap.  Service: refused, -, -, next gap
LINKED = 28  # words: which act, listed, next gap, -
STAY = 32  # + act.  Words: its stay on the list, that by a false link, -, -
FELL = 40  # words: its stay on the list by a fall, -, -, -
CHARGED = 48  # + list of people.  Words: listed, stay, -, -


@inlined
def call_on(rules, it, seed, first, size, number, n_firms):
    """Turn to a firm of a block: its sector and its class of size.

    Parameters
    ----------
    it : FIRM record, changed
    first, size : int, citizens of the block
    number, n_firms : int, which of the firms of the block

    Returns
    -------
    int : number within the block of the citizen who represents it; rises with the firm's number

    Notes
    -----
    The block is cut into as many runs of citizens as it has firms, and one of each run is drawn.
    """
    low, high = number * size // n_firms, (number + 1) * size // n_firms
    who, large, where, _ = rng.draw4(seed, rng.FIRM, first + low, 0, 0)
    it.number = number
    it.sector = pick_act(rules.firm_sectors, where)
    kind = it.sector * N_SIZES
    for step in range(1, N_SIZES):
        kind += 1 if large < rules.firm_sizes[step] else 0
    it.kind = kind
    return low + ((who * (high - low)) >> 32)


@inlined
def take_firm(state, it, row):
    """Spread a firm's columns out into the FIRM record."""
    it.score = state.firm_score[row]
    it.true_score = state.firm_true_score[row]
    it.until = state.firm_until[row]
    it.true_until = state.firm_true_until[row]
    it.flags = state.firm_flags[row]


@inlined
def give_back_firm(state, it, row):
    """Write the FIRM record back into the firm's columns."""
    state.firm_score[row] = it.score
    state.firm_true_score[row] = it.true_score
    state.firm_until[row] = it.until
    state.firm_true_until[row] = it.true_until
    state.firm_flags[row] = it.flags


@inlined
def look_at(rules, me, it):
    """Note how a firm's representative stands as the window starts, in the file and in truth."""
    it.is_answerable = 1 if me.on_paper else 0
    truly = 0
    for ledger in range(rules.n_ledgers):
        truly |= rules.tier_sanctions[ledger, tier_of(rules, me.true_score[ledger] + me.true_echo[ledger])]
    for entry in range(rules.n_lists):
        if me.true_list_until[entry] > 0:
            truly |= rules.list_sanctions[entry]
    if rules.risk and me.flags & TRULY_AT_RISK:
        truly |= rules.risk_sanctions
    it.is_truly_answerable = 1 if truly else 0


@inlined
def add(tally, me, it, column, amount):
    """Add to a counter of firms: by county, by stratum of the representative, and by class of firms."""
    count(tally, me, c.FIRMS + column, amount)
    tally.firm[it.kind, column] += amount


@inlined
def charge_representative(rules, tally, me, it, seed, day):
    """Enter in a citizen's file that her firm was listed in the last window.

    Returns
    -------
    bool : her file, or what it would be in truth, has been touched
    """
    is_filed, is_true = (it.flags & NEWLY_LISTED) != 0, (it.flags & NEWLY_LISTED_IN_TRUTH) != 0
    it.flags &= ~(NEWLY_LISTED | NEWLY_LISTED_IN_TRUTH)
    if not (is_filed or is_true):
        return False
    touched = rules.firm_to_points != 0
    if touched:
        move_points(rules, tally, me, day, 0, rules.firm_to_points, is_filed, is_true)
    for entry in range(rules.n_lists):
        if rules.firm_to_lists[entry] > 0:
            touched = True
            w0, w1, w2, w3 = rng.draw4(seed, rng.FIRM_ACT, me.citizen, day, CHARGED + rules.list_key[entry])
            if w0 < rules.firm_to_lists[entry]:
                put_on_list(rules, tally, me, day, entry, w1, is_filed, is_true)
    if touched and is_filed:
        add(tally, me, it, c.REPRESENTATIVES_CHARGED, 1)
        if not is_true and it.true_until == 0:
            add(tally, me, it, c.REPRESENTATIVES_WRONGLY_CHARGED, 1)
    return touched


@inlined
def live_firm(rules, place, tally, me, it, seed, day_from, day_to, due):
    """Live the days of a window of one firm, after those of its representative.

    Parameters
    ----------
    me : PERSON record of its representative: key of the draws, county and stratum of the counts
    it : FIRM record, changed
    due : int64[day of window], working memory
    """
    n_days = day_to - day_from
    it.since = day_from
    it.tier, it.true_tier = firm_tier(rules, it.score), firm_tier(rules, it.true_score)
    if not it.flags & WAS_COUNTED:
        it.flags |= WAS_COUNTED
        add(tally, me, it, c.FIRM_NUMBER, 1)
    unsettled = charge_firm(rules, tally, me, it)
    unsettled = screen(rules, tally, me, it, seed, day_from, n_days) or unsettled
    plan_firm(rules, place, me, it, seed, day_from, n_days, due)
    for day in range(day_from, day_to):
        events = due[day - day_from]
        is_over = 0 < it.until <= day or 0 < it.true_until <= day
        if events == 0 and not is_over and not unsettled:
            continue
        account_firm(tally, me, it, day)
        if is_over:
            it.until = 0 if it.until <= day else it.until
            it.true_until = 0 if it.true_until <= day else it.true_until
        tomorrow = day - day_from + 1
        todo = events & ACT_EVENTS
        while todo:
            act = lowest_bit(todo)
            todo &= todo - 1
            unsettled = do(rules, tally, me, it, seed, day, act, due, tomorrow, n_days) or unsettled
        if (events >> LINK_EVENT) & 1:
            which, listed, following, _ = rng.draw4(seed, rng.FIRM_ACT, me.citizen, day, LINKED)
            mark_first(due, following, place.firm_gaps, LINK_EVENT, tomorrow, n_days)
            act = pick_act(place.firm_acts, which)
            add(tally, me, it, c.FIRM_FALSE_RECORDS, 1)
            record_of_firm(rules, tally, me, it, seed, day, act, listed, True, True, False)
            unsettled = True
        if unsettled:
            settle_firm(rules, tally, me, it, seed, day)
            unsettled = False
        todo = (events & SERVICE_EVENTS) >> N_FIRM_ACTS
        while todo:
            service = lowest_bit(todo)
            todo &= todo - 1
            ask(rules, tally, me, it, seed, day, service, due, tomorrow, n_days)
    account_firm(tally, me, it, day_to)


@inlined
def firm_tier(rules, score):
    """Return the tier of a firm's score: the best one whose lowest score it reaches."""
    tier = 0
    while tier < rules.firm_n_tiers - 1 and score < rules.firm_cutoffs[tier]:
        tier += 1
    return tier


@inlined
def move_firm(rules, it, points, is_filed, is_true):
    """Move a firm's score, in the file, in truth, or both, within the regime's bounds."""
    if is_filed:
        it.score = min(rules.firm_cap, max(rules.firm_floor, it.score + points))
    if is_true:
        it.true_score = min(rules.firm_cap, max(rules.firm_floor, it.true_score + points))


@inlined
def charge_firm(rules, tally, me, it):
    """Take points from a firm whose representative is newly sanctioned; tell whether any side was touched."""
    is_new = it.is_answerable and not it.flags & ANSWERED
    is_truly_new = it.is_truly_answerable and not it.flags & ANSWERED_IN_TRUTH
    it.flags &= ~(ANSWERED | ANSWERED_IN_TRUTH)
    if it.is_answerable:
        it.flags |= ANSWERED
    if it.is_truly_answerable:
        it.flags |= ANSWERED_IN_TRUTH
    if rules.firm_from_points == 0 or not (is_new or is_truly_new):
        return False
    move_firm(rules, it, rules.firm_from_points, is_new, is_truly_new)
    if is_new:
        add(tally, me, it, c.FIRMS_CHARGED, 1)
        if not it.is_truly_answerable:
            add(tally, me, it, c.FIRMS_WRONGLY_CHARGED, 1)
    return True


@inlined
def screen(rules, tally, me, it, seed, day, n_days):
    """Let a firm that can still rise ask people for their file, and gain points by it, in both files alike."""
    if rules.firm_screening_points == 0 or it.tier == 0:
        return False
    add(tally, me, it, c.FIRM_SCREENING_DAYS, n_days)
    if rng.draw4(seed, rng.FIRM_ACT, me.citizen, day, SCREENS)[0] >= rules.firm_screening_chance:
        return False
    move_firm(rules, it, rules.firm_screening_points, True, True)
    return True


@inlined
def plan_firm(rules, place, me, it, seed, day, n_days, due):
    """Draw the first event of each kind in the window: acts, wishes, and a false link."""
    for d in range(n_days):
        due[d] = 0
    for group in range(N_FIRM_ACTIVITIES // 4):
        if (rules.firm_groups >> group) & 1:
            w0, w1, w2, w3 = rng.draw4(seed, rng.FIRM_ACT, me.citizen, day, group)
            mark_first(due, w0, rules.firm_gaps[4 * group, it.sector], 4 * group, 0, n_days)
            mark_first(due, w1, rules.firm_gaps[4 * group + 1, it.sector], 4 * group + 1, 0, n_days)
            mark_first(due, w2, rules.firm_gaps[4 * group + 2, it.sector], 4 * group + 2, 0, n_days)
            mark_first(due, w3, rules.firm_gaps[4 * group + 3, it.sector], 4 * group + 3, 0, n_days)
    if place.firm_gaps[n_days - 1] > 0:
        word = rng.draw4(seed, rng.FIRM_ACT, me.citizen, day, FIRST_LINK)[0]
        mark_first(due, word, place.firm_gaps, LINK_EVENT, 0, n_days)


@inlined
def do(rules, tally, me, it, seed, day, act, due, tomorrow, n_days):
    """Do one act, be seen or not, and be named or not; tell whether a record was made."""
    seen, identified, listed, following = rng.draw4(seed, rng.FIRM_ACT, me.citizen, day, HAPPENS + act)
    mark_first(due, following, rules.firm_gaps[act, it.sector], act, tomorrow, n_days)
    add(tally, me, it, c.FIRM_ACTS, 1)
    is_named = True
    if not rules.firm_matters[act]:
        return False
    if rules.firm_by_register[act]:
        is_named = identified < rules.firm_link_right
        if not is_named and identified < rules.firm_link_right + rules.firm_link_wrong:
            tally.hits[FIRM_LINK, 0] += 1
            tally.hit_acts[FIRM_LINK, act] += 1
    elif seen >= rules.firm_inspected:
        return False
    add(tally, me, it, c.FIRM_RECORDS if is_named else c.FIRM_MISSED, 1)
    record_of_firm(rules, tally, me, it, seed, day, act, listed, False, is_named, True)
    return True


@inlined
def record_of_firm(rules, tally, me, it, seed, day, act, word, is_link, is_filed, is_true):
    """Move a firm's scores and its stay on the list by one record."""
    move_firm(rules, it, rules.firm_points[act], is_filed, is_true)
    if word < rules.firm_listing[act]:
        own, linked, _, _ = rng.draw4(seed, rng.FIRM_ACT, me.citizen, day, STAY + act)
        list_firm(rules, tally, me, it, day, linked if is_link else own, is_filed, is_true)


@inlined
def list_firm(rules, tally, me, it, day, word, is_filed, is_true):
    """Put a firm on the list, in the file, in truth, or both, for one and the same term; a longer stay is kept."""
    end_day = min(65535, day + days_on_list(rules.firm_term, word))
    if is_true:
        if it.true_until == 0:
            it.flags |= NEWLY_LISTED_IN_TRUTH
        it.true_until = max(it.true_until, end_day)
    if is_filed:
        if it.until == 0:
            it.flags |= NEWLY_LISTED
            add(tally, me, it, c.FIRM_LISTINGS, 1)
            if it.true_until == 0:
                add(tally, me, it, c.FIRM_WRONGFUL_LISTINGS, 1)
            if not it.flags & WAS_LISTED:
                it.flags |= WAS_LISTED
                add(tally, me, it, c.FIRMS_EVER_LISTED, 1)
        it.until = max(it.until, end_day)


@inlined
def settle_firm(rules, tally, me, it, seed, day):
    """Settle a firm's tiers after the day's records; a fall may lead to the list."""
    tier, true_tier = it.tier, it.true_tier
    it.tier, it.true_tier = firm_tier(rules, it.score), firm_tier(rules, it.true_score)
    falls = it.tier > tier and it.tier >= rules.firm_below and it.until == 0
    should = it.true_tier > true_tier and it.true_tier >= rules.firm_below and it.true_until == 0
    if falls or should:
        word = rng.draw4(seed, rng.FIRM_ACT, me.citizen, day, FELL)[0]
        list_firm(rules, tally, me, it, day, word, falls, should)


@inlined
def account_firm(tally, me, it, day):
    """Count the days up to `day`, lived under one standing."""
    n_days = day - it.since
    if n_days == 0:
        return
    it.since = day
    if it.until > 0:
        add(tally, me, it, c.FIRM_LISTED_DAYS, n_days)
        if it.true_until == 0:
            add(tally, me, it, c.FIRM_WRONGLY_LISTED_DAYS, n_days)
            if not it.flags & WAS_WRONGLY_LISTED:
                it.flags |= WAS_WRONGLY_LISTED
                add(tally, me, it, c.FIRMS_EVER_WRONGLY_LISTED, 1)


@inlined
def ask(rules, tally, me, it, seed, day, service, due, tomorrow, n_days):
    """Meet one wish of a firm: a contract, a loan; wrongly refused, if the truth would not have refused it."""
    activity = N_FIRM_ACTS + service
    word, _, _, following = rng.draw4(seed, rng.FIRM_ACT, me.citizen, day, HAPPENS + activity)
    mark_first(due, following, rules.firm_gaps[activity, it.sector], activity, tomorrow, n_days)
    add(tally, me, it, c.FIRM_WISHES, 1)
    if word < refusal_of_firm(rules, service, it.tier, it.until):
        add(tally, me, it, c.FIRM_REFUSED, 1)
        if word >= refusal_of_firm(rules, service, it.true_tier, it.true_until):
            add(tally, me, it, c.FIRM_WRONGLY_REFUSED, 1)


@inlined
def refusal_of_firm(rules, service, tier, until):
    """Return the threshold of a refusal to a firm of this tier, listed or not."""
    chance = rules.firm_refuse_tier[service, tier]
    return max(chance, rules.firm_refuse_list[service]) if until > 0 else chance
