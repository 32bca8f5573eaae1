"""CHANGE-OVER: a county passes from one regime to another, and its people's files with it.

A roll-out has several regimes, each in force in some counties from some day on.  What two regimes have in common is
taken over; what only the old one had is gone; what only the new one has starts afresh.
"""

from __future__ import annotations

from underheaven.compiled import inlined
from underheaven.life.firms import WAS_COUNTED, WAS_LISTED, WAS_WRONGLY_LISTED
from underheaven.life.records import DAYS_PER_YEAR
from underheaven.life.standing import work_out
from underheaven.life.state import AT_RISK, IS_PURSUED, KNOWS, TRULY_AT_RISK, give_back, take


@inlined
def change_block(old, new, state, me, day, row, size, held):
    """Lead the files of a block over, before anything else of the window.

    Parameters
    ----------
    old, new : RULES records
    state : State, changed in place
    me : PERSON record, overwritten
    day : int, first day under the new regime
    row, size : int, citizens of the block
    held : int64[at least size], overwritten: sanctions that the file called for under the old regime, if the new
        one takes it over; so that a sanction which goes on is no new one
    """
    forget(me)
    has_files = state.flags.shape[0] > 0  # under some regime of the run, if not under these two
    for local in range(size):
        take(old, state, me, row + local)
        if has_files and not old.keeps_file:
            me.flags, me.refused = state.flags[row + local], state.refused[row + local]
        work_out(old, me)
        was_sanctioned = me.on_paper
        is_taken_over = lead_over(old, new, me, day)
        held[local] = was_sanctioned if is_taken_over else 0
        empty(state, row + local)
        give_back(new, state, me, row + local)
        if has_files and not new.keeps_file:
            # What has ever happened to her stays known; the fear of a file goes with the file.
            state.flags[row + local], state.refused[row + local] = me.flags, me.refused
            state.caution[row + local] = 0
    forget(me)


@inlined
def empty(state, row):
    """Empty the columns that one regime has and another one has not, before the new one fills its own in."""
    for ledger in range(state.score.shape[0]):
        state.score[ledger, row], state.true_score[ledger, row] = 0, 0
    for at in range(state.bucket.shape[0]):
        state.bucket[at, row], state.true_bucket[at, row] = 0, 0
    for ledger in range(state.echo.shape[0]):
        state.echo[ledger, row], state.true_echo[ledger, row] = 0, 0
    if state.appeal_day.shape[0] > 0:
        state.appeal_day[row] = 0
    if state.sanction_day.shape[0] > 0:
        state.sanction_day[row] = 0


@inlined
def forget(me):
    """Empty what `take` leaves alone where a column does not exist: regimes of one run differ in their columns."""
    me.caution, me.flags, me.refused, me.appeal_day, me.sanction_day = 0, 0, 0, 0, 0
    for slot in range(me.bucket.shape[0]):
        for ledger in range(me.bucket.shape[1]):
            me.bucket[slot, ledger] = 0
            me.true_bucket[slot, ledger] = 0
    for ledger in range(me.echo.shape[0]):
        me.echo[ledger], me.true_echo[ledger] = 0, 0


@inlined
def lead_over(old, new, me, day):
    """Bring one citizen's file into the form of the new regime.

    Scores on the same scale (ledgers, start, floor and cap) are taken over, others start afresh; where records
    expire and did not, or after another time, what has been gathered counts as of the present year.  A stay on a
    list that the new regime has goes on to its end.  A flag of a risk score stays until the new regime's score, if
    it has one, clears it.

    Returns
    -------
    bool : something of the old file is in the new one
    """
    is_taken_over = False
    for ledger in range(new.n_ledgers):
        if old.scale != new.scale:
            me.score[ledger] = new.start
            me.true_score[ledger] = new.start
            me.echo[ledger], me.true_echo[ledger] = 0, 0
        else:
            is_taken_over = True
        if old.scale != new.scale or old.expiry_years != new.expiry_years:
            for slot in range(new.expiry_years + 1):
                me.bucket[slot, ledger] = 0
                me.true_bucket[slot, ledger] = 0
            slot = (day // DAYS_PER_YEAR) % (new.expiry_years + 1)
            me.bucket[slot, ledger] = me.score[ledger] - new.start
            me.true_bucket[slot, ledger] = me.true_score[ledger] - new.start
    for entry in range(new.n_lists):
        if not (old.has_list[entry] and new.has_list[entry]):
            me.list_until[entry] = 0
            me.true_list_until[entry] = 0
        is_taken_over = is_taken_over or me.list_until[entry] > 0
    if not (old.risk and new.risk):
        me.flags &= ~(AT_RISK | TRULY_AT_RISK)
    if new.keeps_file and not new.has_retaliation:
        me.flags &= ~IS_PURSUED
    if not (old.has_appeal and new.has_appeal):
        me.appeal_day = 0
    if new.has_appeal and not old.has_appeal:
        me.flags &= ~KNOWS  # there is something new to learn: that she may appeal
    if old.appeal_deadline_days == 0:
        me.sanction_day = day  # so her time runs from now on
    return is_taken_over


@inlined
def change_firms(old, new, state, state_from, first, size):
    """Lead the files of firms over: a score on the same scale and a stay on a list of the same name go on.

    Parameters
    ----------
    old, new : RULES records
    state : State, changed in place
    state_from : int, number of the citizen at row 0
    first, size : int, citizens of the block
    """
    rate = max(old.firms, new.firms)
    origin = state_from * rate // 1_000_000
    row, end = first * rate // 1_000_000 - origin, (first + size) * rate // 1_000_000 - origin
    goes_on = old.firms and new.firms
    same_scale = goes_on and old.firm_start == new.firm_start
    same_scale = same_scale and old.firm_floor == new.firm_floor and old.firm_cap == new.firm_cap
    for firm in range(row, end):
        if not same_scale:
            state.firm_score[firm] = new.firm_start
            state.firm_true_score[firm] = new.firm_start
        if not goes_on or old.firm_list != new.firm_list:
            state.firm_until[firm] = 0
            state.firm_true_until[firm] = 0
        if not goes_on:
            state.firm_flags[firm] &= WAS_LISTED | WAS_WRONGLY_LISTED | WAS_COUNTED
