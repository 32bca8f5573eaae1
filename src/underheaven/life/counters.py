"""The register of counters: what the loop adds up, by county and by stratum, in every window.

A counter is a column number.  The first part is fixed, the second has six columns an activity.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from underheaven.life.tables import (
    COMPANIONS,
    INSIDERS,
    MAX_LISTS,
    MAX_TIERS,
    N_ACTIVITIES,
    N_ACTS,
    N_CHANNELS,
    N_FIRM_CLASSES,
    N_LOOKS,
    N_STRATA,
    NEIGHBOURS,
)

DAYS = 0
SANCTION_DAYS = 1
WRONGFUL_SANCTION_DAYS = 2
INNOCENT_SANCTION_DAYS = 3
SUSPENDED_DAYS = 4
FALSE_MATCH_RECORDS = 5
FALSE_LINK_RECORDS = 6
PROBES = 7
PEOPLE_SANCTIONED = 8
PEOPLE_WRONGLY_SANCTIONED = 9
PEOPLE_INNOCENT_SANCTIONED = 10
PEOPLE_WITH_FALSE_RECORD = 11
PEOPLE_LOWEST_TIER = 12
PEOPLE_WRONGLY_REFUSED = 13
NOTICES = 14
APPEALS = 15
APPEALS_WON = 16
APPEALS_LOST = 17
APPEAL_WAIT_DAYS = 18
CORRECTIONS = 19
REPAIRS = 20
EXPIRED_POINTS = 21
STALE_DAYS = 22
POINTS_MOVED = 23
TRUE_POINTS_MOVED = 24
FRIENDS_HEARD = 25
FINES = 26
APPEALS_MOOT = 27

TIER_DAYS = 32
TRUE_TIER_DAYS = TIER_DAYS + MAX_TIERS
FLOW = TRUE_TIER_DAYS + MAX_TIERS  # + from * MAX_TIERS + to
VISITS_TIER = FLOW + MAX_TIERS * MAX_TIERS
WAIT_TIER = VISITS_TIER + MAX_TIERS
VISITS_RANK = WAIT_TIER + MAX_TIERS
LISTED_DAYS = VISITS_RANK + 3
WRONGLY_LISTED_DAYS = LISTED_DAYS + MAX_LISTS
LISTINGS = WRONGLY_LISTED_DAYS + MAX_LISTS
WRONGFUL_LISTINGS = LISTINGS + MAX_LISTS
RELEASES = WRONGFUL_LISTINGS + MAX_LISTS

ACTIVITY = 216
PER_ACTIVITY = 6
#: Counters of single mechanisms, each in a range of its own; a range is never given to another.
PEERS = ACTIVITY + PER_ACTIVITY * N_ACTIVITIES  # 8 columns
ASSOCIATION = PEERS + 8  # 8
ABUSE = ASSOCIATION + 8  # 8
AWARENESS = ABUSE + 8  # 16
RISK = AWARENESS + 16  # 8
FIRMS = RISK + 8  # 20
N_FIRM_COUNTERS = 20
VOICE = FIRMS + N_FIRM_COUNTERS  # 8, of abuse too
N_COUNTERS = VOICE + 8

MALICIOUS_RECORDS = ABUSE  # + NEIGHBOURS, COMPANIONS or INSIDERS
RETALIATION_RECORDS = ABUSE + 3
PEOPLE_DENOUNCED = ABUSE + 4
DENOUNCED_SANCTIONED = ABUSE + 5
DENOUNCED_ERROR_DAYS = ABUSE + 6
EXONERATIONS = ABUSE + 7
REPORTS_DROPPED = VOICE
RETALIATIONS = VOICE + 1
DENOUNCED_WRONGLY = VOICE + 2
DENOUNCED_WRONGFUL_DAYS = VOICE + 3
AUDIENCE_REACHED = VOICE + 4
AUDIENCE_LOST = VOICE + 5
WORDS_UNHEARD = VOICE + 6
EXPOSURES_UNHEARD = VOICE + 7

RATINGS = PEERS
RATINGS_RAISED = PEERS + 1
RATINGS_LOWERED = PEERS + 2
RATING_FALLS = PEERS + 3
TIE_ENDS = PEERS + 4
TIE_SCORES = PEERS + 5
TIE_SQUARES = PEERS + 6
TIE_PRODUCTS = PEERS + 7

KIN_DAYS = ASSOCIATION
WRONGFUL_KIN_DAYS = ASSOCIATION + 1
KIN_REFUSED = ASSOCIATION + 2
KIN_WRONGLY_REFUSED = ASSOCIATION + 3
ECHO_LOWERED_DAYS = ASSOCIATION + 4
ECHO_WRONGLY_LOWERED_DAYS = ASSOCIATION + 5
ECHO_RAISED_DAYS = ASSOCIATION + 6

#: What a thread adds up: sums of whole numbers, the same in any order.
TALLY = np.dtype(
    [
        ("county", np.int64, N_COUNTERS),  # of the county in hand
        ("stratum", np.int64, (N_STRATA, N_COUNTERS)),
        ("hits", np.int64, (N_CHANNELS, N_LOOKS)),  # by channel: wrong names to be drawn from this class
        ("hit_acts", np.int64, (N_CHANNELS, N_ACTS)),  # ... and which acts they are about
        ("firm", np.int64, (N_FIRM_CLASSES, N_FIRM_COUNTERS)),  # counters of firms by sector and size
    ]
)

# Columns of the risk score: windows lived flagged or not, by what people did in them, ...
RISK_FLAGGED_DID, RISK_FLAGGED_DID_NOT, RISK_CLEARED_DID, RISK_CLEARED_DID_NOT = range(RISK, RISK + 4)
# ... flags set, windows flagged by an error of the file, days under sanction for nothing else, appeals lost to it.
RISK_FLAGS, RISK_WRONG_WINDOWS, RISK_ALONE_DAYS, RISK_APPEALS_LOST = range(RISK + 4, RISK + 8)
# Columns of an act ...
DONE, SILENCED, GAMED, RECORDED, FALSE_RECORDS, MISSED = range(PER_ACTIVITY)
# ... and of a service.
USED, REFUSED, WRONGLY_REFUSED, PERK, PEOPLE_REFUSED = range(PER_ACTIVITY - 1)

MADE_AWARE_BY = AWARENESS  # + how news comes (life/awareness.py)
HEARD_BY = AWARENESS + 6
PEOPLE_AWARE = AWARENESS + 12
PEOPLE_HEARD_REPRESSION = AWARENESS + 13
PEOPLE_WITH_PERK = AWARENESS + 14
_NEWS = ("start", "press", "friends", "sanction", "perk", "fine")
# Columns of firms, from FIRMS on; they are counted in the stratum of the representative, and by class of firms.
(
    FIRM_NUMBER,
    FIRM_ACTS,
    FIRM_RECORDS,
    FIRM_MISSED,
    FIRM_FALSE_RECORDS,
    FIRM_LISTINGS,
    FIRM_WRONGFUL_LISTINGS,
    FIRMS_EVER_LISTED,
    FIRMS_EVER_WRONGLY_LISTED,
    FIRM_LISTED_DAYS,
    FIRM_WRONGLY_LISTED_DAYS,
    FIRM_WISHES,
    FIRM_REFUSED,
    FIRM_WRONGLY_REFUSED,
    REPRESENTATIVES_CHARGED,
    REPRESENTATIVES_WRONGLY_CHARGED,
    FIRMS_CHARGED,
    FIRMS_WRONGLY_CHARGED,
    FIRM_SCREENING_DAYS,
) = range(19)
#: Their names, in that order.
FIRM_COUNTERS = (
    "firms",
    "firm_acts",
    "firm_records",
    "firm_missed_records",
    "firm_false_records",
    "firm_listings",
    "firm_wrongful_listings",
    "firms_ever_listed",
    "firms_ever_wrongly_listed",
    "firm_listed_days",
    "firm_wrongly_listed_days",
    "firm_wishes",
    "firm_refused",
    "firm_wrongly_refused",
    "representatives_charged",
    "representatives_wrongly_charged",
    "firms_charged",
    "firms_wrongly_charged",
    "firm_screening_days",
)

_FIXED = {
    DAYS: "days",
    SANCTION_DAYS: "sanction_days",
    WRONGFUL_SANCTION_DAYS: "wrongful_sanction_days",
    INNOCENT_SANCTION_DAYS: "innocent_sanction_days",
    SUSPENDED_DAYS: "suspended_days",
    FALSE_MATCH_RECORDS: "false_match_records",
    FALSE_LINK_RECORDS: "false_link_records",
    PROBES: "probes",
    PEOPLE_SANCTIONED: "people_sanctioned",
    PEOPLE_WRONGLY_SANCTIONED: "people_wrongly_sanctioned",
    PEOPLE_INNOCENT_SANCTIONED: "people_innocent_sanctioned",
    PEOPLE_WITH_FALSE_RECORD: "people_with_false_record",
    PEOPLE_LOWEST_TIER: "people_lowest_tier",
    PEOPLE_WRONGLY_REFUSED: "people_wrongly_refused",
    NOTICES: "notices",
    APPEALS: "appeals",
    APPEALS_WON: "appeals_won",
    APPEALS_LOST: "appeals_lost",
    APPEAL_WAIT_DAYS: "appeal_wait_days",
    CORRECTIONS: "corrections",
    REPAIRS: "repairs",
    EXPIRED_POINTS: "expired_points",
    STALE_DAYS: "stale_days",
    POINTS_MOVED: "points_moved",
    TRUE_POINTS_MOVED: "true_points_moved",
    FRIENDS_HEARD: "friends_heard",
    FINES: "fines",
    APPEALS_MOOT: "appeals_moot",
    RATINGS: "ratings",
    RATINGS_RAISED: "ratings_raised",
    RATINGS_LOWERED: "ratings_lowered",
    RATING_FALLS: "rating_falls",
    TIE_ENDS: "tie_ends",
    TIE_SCORES: "tie_scores",
    TIE_SQUARES: "tie_squares",
    TIE_PRODUCTS: "tie_products",
    KIN_DAYS: "kin_days",
    WRONGFUL_KIN_DAYS: "wrongful_kin_days",
    KIN_REFUSED: "kin_refused",
    KIN_WRONGLY_REFUSED: "kin_wrongly_refused",
    ECHO_LOWERED_DAYS: "echo_lowered_days",
    ECHO_WRONGLY_LOWERED_DAYS: "echo_wrongly_lowered_days",
    ECHO_RAISED_DAYS: "echo_raised_days",
    PEOPLE_AWARE: "people_aware",
    PEOPLE_HEARD_REPRESSION: "people_heard_repression",
    PEOPLE_WITH_PERK: "people_with_perk",
    **{MADE_AWARE_BY + how: f"made_aware/{name}" for how, name in enumerate(_NEWS)},
    **{HEARD_BY + how: f"heard_repression/{name}" for how, name in enumerate(_NEWS)},
    MALICIOUS_RECORDS + NEIGHBOURS: "malicious_records/neighbours",
    MALICIOUS_RECORDS + COMPANIONS: "malicious_records/companions",
    MALICIOUS_RECORDS + INSIDERS: "malicious_records/insiders",
    RETALIATION_RECORDS: "retaliation_records",
    PEOPLE_DENOUNCED: "people_denounced",
    DENOUNCED_SANCTIONED: "people_denounced_sanctioned",
    DENOUNCED_ERROR_DAYS: "denounced_error_days",
    EXONERATIONS: "exonerations",
    REPORTS_DROPPED: "malicious_reports_dropped",
    RETALIATIONS: "retaliations",
    DENOUNCED_WRONGLY: "people_denounced_wrongly_sanctioned",
    DENOUNCED_WRONGFUL_DAYS: "denounced_wrongful_days",
    AUDIENCE_REACHED: "audience_reached",
    AUDIENCE_LOST: "audience_lost",
    WORDS_UNHEARD: "words_unheard",
    EXPOSURES_UNHEARD: "exposures_unheard",
}
_RISK = {
    RISK_FLAGGED_DID: "risk_windows/flagged/did",
    RISK_FLAGGED_DID_NOT: "risk_windows/flagged/did-nothing",
    RISK_CLEARED_DID: "risk_windows/cleared/did",
    RISK_CLEARED_DID_NOT: "risk_windows/cleared/did-nothing",
    RISK_FLAGS: "risk_flags",
    RISK_WRONG_WINDOWS: "risk_wrong_windows",
    RISK_ALONE_DAYS: "risk_alone_days",
    RISK_APPEALS_LOST: "risk_appeals_lost",
}
_ACT = ("done", "silenced", "gamed", "recorded", "false_records", "missed")
_SERVICE = ("used", "refused", "wrongly_refused", "perk", "people_refused")
_RANKS = ("first", "normal", "last")


def counter_names(
    acts: dict[int, str], services: dict[int, str], tiers: Sequence[str], lists: Sequence[str]
) -> dict[int, str]:
    """Name the counters that this run can use.

    Parameters
    ----------
    acts, services : name by activity number
    tiers, lists : names in the order of the tables

    Returns
    -------
    dict of column number to counter name (``done/jaywalking``, ``flow/A/B``)
    """
    names = _FIXED | _RISK | {FIRMS + column: name for column, name in enumerate(FIRM_COUNTERS)}
    for t, tier in enumerate(tiers):
        names[TIER_DAYS + t] = f"tier_days/{tier}"
        names[TRUE_TIER_DAYS + t] = f"true_tier_days/{tier}"
        for u, other in enumerate(tiers):
            names[FLOW + t * MAX_TIERS + u] = f"flow/{tier}/{other}"
    visitors = dict(enumerate(tiers or ("everybody",)))
    if len(tiers) < MAX_TIERS:  # people under a regime without tiers, beside others in a roll-out
        visitors.setdefault(MAX_TIERS - 1, "everybody")
    for t, tier in visitors.items():
        names[VISITS_TIER + t] = f"visits/{tier}"
        names[WAIT_TIER + t] = f"wait_minutes/{tier}"
    for r, rank in enumerate(_RANKS):
        names[VISITS_RANK + r] = f"visits_ranked/{rank}"
    for m, entry in enumerate(lists):
        names[LISTED_DAYS + m] = f"listed_days/{entry}"
        names[WRONGLY_LISTED_DAYS + m] = f"wrongly_listed_days/{entry}"
        names[LISTINGS + m] = f"listings/{entry}"
        names[WRONGFUL_LISTINGS + m] = f"wrongful_listings/{entry}"
        names[RELEASES + m] = f"releases/{entry}"
    for number, name in acts.items():
        for column, what in enumerate(_ACT):
            names[ACTIVITY + number * PER_ACTIVITY + column] = f"{what}/{name}"
    for number, name in services.items():
        for column, what in enumerate(_SERVICE):
            names[ACTIVITY + number * PER_ACTIVITY + column] = f"{what}/{name}"
    return names
