"""The order of a day.  Read it top to bottom as the model.

A window is the days between two exchanges.  When it starts, each citizen of a block meets what is slow:
a risk score flags her or not, friends are heard of, ratings come in, troubles fade, appeals are decided, records
expire.  Then day by day:

    ACTS -> SIGHTINGS -> RECORDS -> STANDING -> TREATMENT -> RESPONSE        (REMEDIES where she learns of it)

If she represents a firm, its window follows hers (life/firms.py).

Citizens of a block are independent within a window: what one hears of another is as it stood when the
window started.  So blocks, and the citizens in them, may be lived in any order on any machine.

The records that the stages are handed: `rules` and `place` (tables, only read; life/tables.py), `tally`
(counts, only added to; life/counters.py) and `me` (the citizen in hand).
"""

from __future__ import annotations

from underheaven import rng
from underheaven.compiled import compiled, inlined
from underheaven.life import counters as c
from underheaven.life.abuse import ABUSE_EVENTS, meet_abuse, plan_malice, pursue, retaliate
from underheaven.life.acts import (
    ACT_EVENTS,
    DONE_FOR_POINTS,
    FACE_EVENT,
    LINK_EVENT,
    NOT_DONE,
    SERVICE_EVENTS,
    SILENCED,
    decide,
    lead_level,
    look_of,
    lowest_bit,
    mark_first,
    name_of,
    plan_block,
)
from underheaven.life.association import mark_kin, note_kin, spread_echo, take_echo
from underheaven.life.awareness import BY_FRIENDS, become_aware, meet_the_press
from underheaven.life.changeover import change_block, change_firms, forget
from underheaven.life.firms import call_on, charge_representative, give_back_firm, live_firm, look_at, take_firm
from underheaven.life.peers import rate_each_other, take_ratings
from underheaven.life.records import DAYS_PER_YEAR, OWN, put_on_list, record
from underheaven.life.remedies import correct_or_repair, decide_appeal, drop_appeal, expire, notify, release
from underheaven.life.response import fade, hear_of, raise_caution
from underheaven.life.risk import count_friends, judge, predict
from underheaven.life.sightings import identify, pick_act
from underheaven.life.standing import SHAMED, account, settle, work_out
from underheaven.life.state import (
    HAS_DEMERIT,
    HAS_FALSE_RECORD,
    IS_PURSUED,
    KNOWS,
    KNOWS_RECORD,
    WAS_DENOUNCED,
    WAS_IN_LOWEST_TIER,
    WAS_SANCTIONED,
    WAS_SANCTIONED_INNOCENT,
    WAS_WRONGLY_SANCTIONED,
    first_firm,
    give_back,
    take,
)
from underheaven.life.tables import FACE, LINK, N_ACTS, N_CHANNELS
from underheaven.life.tally import count, count_activity
from underheaven.life.treatment import use
from underheaven.life.voice import speak
from underheaven.world.people import block_people
from underheaven.world.ties import tie_masks

NEVER = 1 << 40  # a day that no run reaches


@compiled
def run_blocks(
    people, phases, places, state, tally_1, county_counts, group_counts, hits, hit_acts, kept_traits, scratch,
    seed, state_from, blocks_per_group, block_from, block_to, day_from, day_to,
):  # fmt: skip
    """Live the days `day_from` .. `day_to` - 1 (one window) in a range of community blocks.

    This is the one door to the loop for threads, a cluster and a graphics card.

    Parameters
    ----------
    people : WorldTables
    phases : RULES[regime], the regimes of the run; a county's place says which is in force
    places : EXCHANGE[county], of this window
    state : State of the citizens from number `state_from` on, changed in place; only rows of these blocks
    tally_1 : TALLY[1], its `stratum` added to
    county_counts : int64[county, counter], added to
    group_counts : int64[group, counter], added to; a group is `blocks_per_group` blocks on end
    hits, hit_acts : int64[channel, county, class], int64[channel, county, act], added to: wrong names
    kept_traits : uint32[citizen from `state_from` on] packed traits, or [0]: draw them again (same bits)
    scratch : Scratch, of the caller's own
    seed : int
    state_from, blocks_per_group : int
    block_from, block_to, day_from, day_to : int, half-open ranges
    """
    tally, me, firm = tally_1[0], scratch.me[0], scratch.firm[0]
    for block in range(block_from, block_to):
        first = people.block_first[block]
        row = first - state_from
        size = people.block_first[block + 1] - first
        county = people.block_county[block]
        place = places[county]
        rules = phases[place.phase]
        hearsay = rules.keeps_file and rules.n_ties > 0 and (rules.friend_caution > 0 or rules.awareness)
        is_new = day_from == 0 or not phases[place.phase_before].awareness  # some know a system as it begins
        changes_over = place.phase != place.phase_before
        if changes_over:
            change_block(phases[place.phase_before], rules, state, me, day_from, row, size, scratch.held)
            change_firms(phases[place.phase_before], rules, state, state_from, first, size)
        elif phases.shape[0] > 1:
            forget(me)  # a block before this one may have had other columns
        if kept_traits.shape[0] == 0:
            block_people(people, seed, block, scratch.traits, scratch.heads, scratch.words)
        else:
            for local in range(size):
                scratch.traits[local] = kept_traits[row + local]
        plan_block(rules, place, seed, first, size, day_from, day_to - day_from, scratch)
        if rules.has_malice:
            plan_malice(rules, seed, first, size, day_from, day_to - day_from, scratch)
        if hearsay or rules.peers or rules.echo or rules.risk_friends:
            tie_masks(seed, block, size, scratch.masks)
        if rules.peers:
            rate_each_other(rules, state, seed, day_from, first, row, size, scratch)
        if rules.kin_services:
            mark_kin(rules, state, me, row, size, scratch)
        if rules.echo:
            spread_echo(rules, state, row, size, scratch)
        if rules.risk_friends:
            count_friends(rules, state, row, size, scratch)
        if hearsay:
            spread_word(rules, state, me, seed, day_from, first, row, size, scratch)
        if rules.awareness:
            rng.draw_block(seed, rng.AWARENESS, first, size, day_from, 0, scratch.words)
        n_firms = first_firm(rules, first + size) - first_firm(rules, first)
        firm_row = first_firm(rules, first) - first_firm(rules, state_from)
        representative = call_on(rules, firm, seed, first, size, 0, n_firms) if n_firms > 0 else -1
        for local in range(size):
            be(me, first + local, scratch.traits[local])
            take(rules, state, me, row + local)
            work_out(rules, me)
            if local == representative:
                take_firm(state, firm, firm_row + firm.number)
                look_at(rules, me, firm)
            flag_changed = False
            if rules.risk:
                flag_changed = predict(rules, place, tally, me, scratch.friends[0, local], scratch.friends[1, local])
            if rules.awareness:
                w = scratch.words
                w0, w1, w2, w3 = int(w[0, local]), int(w[1, local]), int(w[2, local]), int(w[3, local])
                meet_the_press(rules, tally, me, is_new, w0, w1, w2, w3)
            if hearsay and scratch.heard[local] > 0:
                become_aware(rules, tally, me, BY_FRIENDS, True)
                raise_caution(me, scratch.heard[local] * rules.friend_caution)
                count(tally, me, c.FRIENDS_HEARD, scratch.heard[local])
            if rules.kin_services:
                note_kin(rules, tally, me, scratch.kin[local], day_to - day_from)
            is_moved = False
            if rules.echo:
                is_moved = take_echo(rules, tally, me, scratch.echo[local], day_to - day_from)
            if rules.peers:
                is_moved = take_ratings(rules, tally, me, seed, day_from, scratch.rated[local]) or is_moved
            if rules.has_retaliation and me.flags & IS_PURSUED:
                pursue(rules, me, seed, day_from, scratch.due[local], day_to - day_from)
            unsettled = start_window(rules, tally, me, seed, day_from) or is_moved or flag_changed
            if local == representative:
                unsettled = charge_representative(rules, tally, me, firm, seed, day_from) or unsettled
            if changes_over and rules.keeps_file:
                me.on_paper, me.in_force = scratch.held[local], scratch.held[local]
                unsettled = True
            live_window(rules, place, tally, me, seed, day_from, day_to, scratch.due[local], unsettled)
            if rules.risk:
                judge(place, tally, me)
            give_back(rules, state, me, row + local)
            if local == representative:
                live_firm(rules, place, tally, me, firm, seed, day_from, day_to, scratch.firm_due)
                give_back_firm(state, firm, firm_row + firm.number)
                following = firm.number + 1
                if following < n_firms:
                    representative = call_on(rules, firm, seed, first, size, following, n_firms)
        hand_in(tally, county, block // blocks_per_group, county_counts, group_counts, hits, hit_acts)


@inlined
def be(me, citizen, traits):
    """Turn to a citizen: number and traits, and what follows from the traits."""
    me.citizen = citizen
    me.traits = traits
    me.look = look_of(traits)
    me.name = name_of(traits)
    me.income = (me.traits >> 7) & 15
    me.stratum = me.look * 10 + me.income


@inlined
def spread_word(rules, state, me, seed, day, first, row, size, scratch):
    """Let friends hear of those in a block who are sanctioned and know it, or are shamed in public.

    What counts is how things stand as the window starts.  Ties are symmetric, so the few who are sanctioned
    are gone through, not everybody's friends; it took a sixth off the loop.
    """
    for local in range(size):
        scratch.heard[local] = 0
    for local in range(size):
        if state.flags[row + local] & WAS_SANCTIONED:
            take(rules, state, me, row + local)
            work_out(rules, me)
            if me.on_paper & SHAMED or (me.on_paper and me.flags & KNOWS):
                hear_of(rules, seed, first, local, size, day, scratch.masks, scratch.heard)


@inlined
def hand_in(tally, county, group, county_counts, group_counts, hits, hit_acts):
    """Move a block's counts from the tally to those of its county and its group."""
    for counter in range(c.N_COUNTERS):
        county_counts[county, counter] += tally.county[counter]
        group_counts[group, counter] += tally.county[counter]
        tally.county[counter] = 0
    for channel in range(N_CHANNELS):
        for number in range(hits.shape[2]):
            hits[channel, county, number] += tally.hits[channel, number]
            tally.hits[channel, number] = 0
        for act_number in range(N_ACTS):
            hit_acts[channel, county, act_number] += tally.hit_acts[channel, act_number]
            tally.hit_acts[channel, act_number] = 0


@inlined
def start_window(rules, tally, me, seed, day):
    """Do what is slow: fading, expiry of records, the decision of an appeal, correction and repair.

    Returns
    -------
    bool : the file has been touched
    """
    touched = False
    fade(rules, me, seed, day)
    if not rules.keeps_file:
        return touched
    if day == 0 and me.on_paper:
        me.on_paper, me.in_force = 0, 0  # whoever starts sanctioned meets the sanction on the first day
        touched = True
    if rules.expiry_years > 0 and day > 0:
        year = (day + rules.window_days - 1) // DAYS_PER_YEAR
        if year != (day - 1) // DAYS_PER_YEAR:
            expire(rules, tally, me, year)
            touched = True
    if 0 < me.appeal_day <= day:
        decide_appeal(rules, tally, me, seed, day)
        touched = True
    if (rules.correction > 0 and me.flags & (KNOWS | KNOWS_RECORD)) or (rules.repair > 0 and me.on_paper):
        correct_or_repair(rules, tally, me, seed, day)
        touched = True
    return touched


@inlined
def live_window(rules, place, tally, me, seed, day_from, day_to, due, unsettled):
    """Live the days of a window; days on which nothing is due cost next to nothing.

    Parameters
    ----------
    due : int64[day of window], bits of the day's events; each event that comes adds the next of its kind
    unsettled : bool, the start of the window has touched the file

    Notes
    -----
    Standing is settled only on days that touch the file.  Most candidates come to nothing, and settling after
    each of them took a third of the loop's time.
    """
    n_days = day_to - day_from
    me.since = day_from
    release_day = next_release(rules, me)
    for day in range(day_from, day_to):
        events = due[day - day_from]
        if events == 0 and day < release_day and not unsettled:
            continue
        tomorrow = day - day_from + 1
        if day >= release_day:
            account(rules, tally, me, day)
            unsettled = release(rules, tally, me, seed, day) or unsettled
        todo = events & ACT_EVENTS
        while todo:
            activity = lowest_bit(todo)
            todo &= todo - 1
            w0, w1, w2, w3 = rng.draw4(seed, rng.ACT, me.citizen, day, activity)
            gaps = rules.gaps[activity, lead_level(rules, me.traits, activity)]
            mark_first(due, w3, gaps, activity, tomorrow, n_days)
            touched = act(rules, place, tally, me, seed, day, activity, w0, w1, w2, due, tomorrow, n_days)
            unsettled = touched or unsettled
        if (events >> FACE_EVENT) & 1:
            w0, w1, w2, w3 = rng.draw4(seed, rng.FALSE_RECORD_KIND, me.citizen, day, FACE)
            mark_first(due, w2, place.face_gaps[me.look], FACE_EVENT, tomorrow, n_days)
            suffer(rules, tally, me, seed, day, pick_act(place.face_acts, w0), FACE)
            unsettled = True
        if (events >> LINK_EVENT) & 1:
            w0, w1, w2, w3 = rng.draw4(seed, rng.FALSE_RECORD_KIND, me.citizen, day, LINK)
            mark_first(due, w2, place.link_gaps[me.name], LINK_EVENT, tomorrow, n_days)
            suffer(rules, tally, me, seed, day, pick_act(place.link_acts, w0), LINK)
            unsettled = True
        if events & ABUSE_EVENTS:
            unsettled = meet_abuse(rules, place, tally, me, seed, day, events, due, tomorrow, n_days) or unsettled
        if unsettled and rules.keeps_file:
            stand(rules, place, tally, me, seed, day)
            release_day = next_release(rules, me)
            unsettled = False
        todo = (events & SERVICE_EVENTS) >> N_ACTS
        while todo:
            activity = N_ACTS + lowest_bit(todo)
            todo &= todo - 1
            w0, w1, w2, w3 = rng.draw4(seed, rng.SERVICE, me.citizen, day, activity)
            gaps = rules.gaps[activity, lead_level(rules, me.traits, activity)]
            mark_first(due, w3, gaps, activity, tomorrow, n_days)
            use(rules, place, tally, me, seed, day, activity, w0, w1)
    account(rules, tally, me, day_to)


@inlined
def next_release(rules, me):
    """Return the first day on which a stay on a list, in the file or in truth, is over."""
    first = NEVER
    for entry in range(rules.n_lists):
        if me.list_until[entry] > 0:
            first = min(first, me.list_until[entry])
        if me.true_list_until[entry] > 0:
            first = min(first, me.true_list_until[entry])
    return first


@inlined
def act(rules, place, tally, me, seed, day, activity, accept, seen, identified, due, tomorrow, n_days):
    """ACTS, SIGHTINGS, RECORDS: one candidate act of one citizen.

    Parameters
    ----------
    accept, seen, identified : int, draws
    due, tomorrow, n_days : the events and days of the window, for what follows upon it

    Returns
    -------
    bool : a file has been touched, hers or (as her own is not) in truth
    """
    outcome = decide(rules, me, activity, accept)
    if outcome == NOT_DONE:
        return False
    if outcome == SILENCED:
        count_activity(tally, me, activity, c.SILENCED, 1)
        return False
    count_activity(tally, me, activity, c.DONE, 1)
    if outcome == DONE_FOR_POINTS:
        count_activity(tally, me, activity, c.GAMED, 1)
    if rules.demerit[activity]:
        me.has_done = 1
    if rules.has_retaliation and rules.retaliated[activity] > 0 and seen < place.seen[rules.channel[activity]]:
        retaliate(rules, tally, me, seed, day, activity, due, tomorrow, n_days)
    if rules.audience[activity] > 0:
        speak(rules, tally, me, seed, day, activity)
    if not rules.matters[activity] or seen >= place.seen[rules.channel[activity]]:
        return False
    account(rules, tally, me, day)
    is_hers = identify(rules, place, tally, me, seed, day, activity, identified)
    count_activity(tally, me, activity, c.RECORDED if is_hers else c.MISSED, 1)
    if rules.demerit[activity]:
        me.flags |= HAS_DEMERIT
    record(rules, tally, me, seed, day, activity, OWN, is_hers, True)
    return True


@inlined
def suffer(rules, tally, me, seed, day, activity, channel):
    """RECORDS: an act of somebody else enters this citizen's file."""
    account(rules, tally, me, day)
    count(tally, me, c.FALSE_MATCH_RECORDS if channel == FACE else c.FALSE_LINK_RECORDS, 1)
    count_activity(tally, me, activity, c.FALSE_RECORDS, 1)
    if rules.demerit[activity] and not me.flags & HAS_FALSE_RECORD:
        me.flags |= HAS_FALSE_RECORD
        count(tally, me, c.PEOPLE_WITH_FALSE_RECORD, 1)
    record(rules, tally, me, seed, day, activity, channel, True, False)


@inlined
def stand(rules, place, tally, me, seed, day):
    """STANDING: settle tiers and lists after the day's records; count, and tell of, what is new."""
    was_sanctioned = me.on_paper
    for ledger in range(rules.n_ledgers):
        me.old_tier[ledger], me.old_true_tier[ledger] = me.ledger_tier[ledger], me.true_ledger_tier[ledger]
    settle(rules, tally, me)
    is_listed_now = False
    for entry in range(rules.n_lists):
        ledger, below = rules.list_ledger[entry], rules.list_below[entry]
        falls = me.ledger_tier[ledger] > me.old_tier[ledger] and me.ledger_tier[ledger] >= below
        falls = falls and me.list_until[entry] == 0
        should = me.true_ledger_tier[ledger] > me.old_true_tier[ledger] and me.true_ledger_tier[ledger] >= below
        should = should and me.true_list_until[entry] == 0
        if falls or should:
            word = rng.draw4(seed, rng.TERM, me.citizen, day, rules.list_key[entry])[0]
            put_on_list(rules, tally, me, day, entry, word, falls, should)
            is_listed_now = True
    if is_listed_now:
        work_out(rules, me)
    if rules.n_tiers > 1 and me.tier == rules.n_tiers - 1 and not me.flags & WAS_IN_LOWEST_TIER:
        me.flags |= WAS_IN_LOWEST_TIER
        count(tally, me, c.PEOPLE_LOWEST_TIER, 1)
    if me.appeal_day > 0 and not me.on_paper:
        drop_appeal(tally, me)
    if me.in_force:
        note_firsts(tally, me)
    if me.on_paper and not was_sanctioned:
        me.sanction_day = day
        me.flags &= ~KNOWS  # of an earlier sanction; of this one she may be told
        notify(rules, place, tally, me, seed, day)
        work_out(rules, me)


@inlined
def note_firsts(tally, me):
    """Count a citizen once for each kind of sanction that she has now met for the first time."""
    if not me.flags & WAS_SANCTIONED:
        me.flags |= WAS_SANCTIONED
        count(tally, me, c.PEOPLE_SANCTIONED, 1)
        if me.flags & WAS_DENOUNCED:
            count(tally, me, c.DENOUNCED_SANCTIONED, 1)
    if me.in_force & ~me.deserved and not me.flags & WAS_WRONGLY_SANCTIONED:
        me.flags |= WAS_WRONGLY_SANCTIONED
        count(tally, me, c.PEOPLE_WRONGLY_SANCTIONED, 1)
        if me.flags & WAS_DENOUNCED:
            count(tally, me, c.DENOUNCED_WRONGLY, 1)
    if not me.flags & HAS_DEMERIT and not me.flags & WAS_SANCTIONED_INNOCENT:
        me.flags |= WAS_SANCTIONED_INNOCENT
        count(tally, me, c.PEOPLE_INNOCENT_SANCTIONED, 1)
