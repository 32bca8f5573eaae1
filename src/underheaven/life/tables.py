"""The flat tables that a day reads, as records of fixed form: what a regime and a world become.

All probabilities are thresholds 0 .. 2**32 (a decision falls when its word is below), all factors are
fixed-point numbers with 16 binary places (`UNIT` is one), all points are tenths of a point, all durations
are whole days.  An *activity* is an act (numbers 0 .. 31) or a use of a service (32 .. 39); its number is
the stream that the world file registers, so a new activity moves nobody's draws.

Each table is one record, so a stage is handed one pointer.  (As some eighty separate arrays the loop was
ten times slower and took a minute longer to compile.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]

N_ACTS = 32
N_SERVICES = 8
N_ACTIVITIES = N_ACTS + N_SERVICES
MAX_LEDGERS = 8
MAX_TIERS = 8
MAX_LISTS = 16  # a regime has at most two; behind a context wall each is kept apart by context
MAX_VARIES = 4  # traits that one activity may vary with
MAX_WINDOW = 31  # days between two exchanges
MAX_EXPIRY = 10  # years that a record may stay where records expire
MAX_TIES = 8
N_LEVELS = 16  # levels of a trait, of strain and of caution in factor tables
N_LOOKS = 40  # look-alike classes: group (4) x sex (2) x age band (5)
N_NAMES = 4  # classes of name commonness
N_STRATA = 400  # audit strata: group (4) x sex (2) x age band (5) x income tenth (10)
N_QUANTILES = 1025
# What a risk score may look at: rows of its table of weights, first the traits that it uses, then the file.
MAX_RISK_TRAITS = 10
RISK_TIER, RISK_LISTED, RISK_REFUSALS, RISK_FRIENDS = range(MAX_RISK_TRAITS, MAX_RISK_TRAITS + 4)
N_RISK_ROWS = MAX_RISK_TRAITS + 4
UNIT = 1 << 16  # a factor of one
POINT = 10  # a point in the units of the score columns
N_RATED = 7  # columns of what raters hand to a citizen

# How an act can come to the system's notice.
UNSEEN, CAMERA, REGISTER, REPORT, COMPANION = 0, 1, 2, 3, 4
FACE, LINK, FIRM_LINK = 0, 1, 2  # the channels that can name the wrong person, or the wrong firm
N_CHANNELS = 3
N_FIRM_ACTS = 8
N_FIRM_SERVICES = 4
N_FIRM_ACTIVITIES = N_FIRM_ACTS + N_FIRM_SERVICES
N_SECTORS = 8
N_SIZES = 4  # classes of size of a firm
N_FIRM_CLASSES = N_SECTORS * N_SIZES
# Who lies about a person: people around her, who travelled with her, who keeps the file.
N_MALICE = 3
NEIGHBOURS, COMPANIONS, INSIDERS = range(N_MALICE)

_I = np.int64

#: What is fixed during a run: the regime and the world's behaviour, compiled.
RULES = np.dtype(
    [
        ("window_days", _I),
        ("n_ledgers", _I),
        ("n_lists", _I),
        ("keeps_file", _I),  # there is a score, a list or a fine
        # acts
        ("activity_groups", _I),  # bit g set: one of the activities 4g .. 4g+3 exists
        ("lead_shift", _I, N_ACTIVITIES),  # the trait that sets how often candidates come, in the packed traits
        ("lead_mask", _I, N_ACTIVITIES),
        (
            "gaps",
            _I,
            (N_ACTIVITIES, N_LEVELS, MAX_WINDOW),
        ),  # by its level: chance of a candidate by a day's end
        ("base", _I, N_ACTIVITIES),  # acceptance when all that varies is at one
        ("n_varies", _I, N_ACTIVITIES),
        ("varies_shift", _I, (N_ACTIVITIES, MAX_VARIES)),  # where the trait lies in the packed traits
        ("varies_mask", _I, (N_ACTIVITIES, MAX_VARIES)),
        ("varies_factor", _I, (N_ACTIVITIES, MAX_VARIES, N_LEVELS)),
        ("strain_factor", _I, (N_ACTIVITIES, N_LEVELS)),
        ("caution_factor", _I, (N_ACTIVITIES, N_LEVELS)),
        ("game_factor", _I, (N_ACTIVITIES, MAX_TIERS)),
        # sightings and records
        ("channel", _I, N_ACTS),
        ("matters", _I, N_ACTS),  # the regime does something with it
        ("demerit", _I, N_ACTS),  # the regime holds it against a person
        ("points", _I, N_ACTS),
        ("fined", _I, N_ACTS),
        ("fine_strain", _I, (N_ACTS, 10)),  # by income tenth; small against a high income it may round to 0
        ("act_ledger", _I, N_ACTS),
        ("listing", _I, (MAX_LISTS, N_ACTS)),  # chance that a record leads to the list
        ("link_right", _I, (N_LOOKS, N_NAMES)),  # a register's record finds the right person
        ("link_wrong", _I, (N_LOOKS, N_NAMES)),  # ... or falls to a namesake
        # standing
        ("n_tiers", _I),
        ("start", _I),
        ("floor", _I),
        ("cap", _I),
        ("cutoffs", _I, MAX_TIERS),  # lowest score of the tier, best tier first
        ("tier_sanctions", _I, (MAX_LEDGERS, MAX_TIERS)),  # bit s: service s is refused or put last
        ("list_sanctions", _I, MAX_LISTS),
        ("list_ledger", _I, MAX_LISTS),  # the ledger whose ...
        ("list_below", _I, MAX_LISTS),  # ... tiers from this one on lead to the list; MAX_TIERS: none do
        ("term", _I, (MAX_LISTS, N_QUANTILES)),  # quantiles of the stay, in 1/65536 of a day
        # treatment
        ("service_ledger", _I, N_SERVICES),  # -1: no score decides on it
        ("refuse_tier", _I, (N_SERVICES, MAX_TIERS)),
        ("refuse_list", _I, (N_SERVICES, MAX_LISTS)),
        ("rank_tier", _I, (N_SERVICES, MAX_TIERS)),  # 0 first, 1 normal, 2 last
        ("rank_list", _I, (N_SERVICES, MAX_LISTS)),
        ("perk_tier", _I, (N_SERVICES, MAX_TIERS)),
        ("is_hospital", _I, N_SERVICES),
        ("refused_strain", _I, N_SERVICES),
        # response
        ("base_strain", _I, 10),  # by income tenth
        ("listing_strain", _I),
        ("strain_keep", _I),  # factor per window
        ("record_caution", _I),
        ("sanction_caution", _I),
        ("friend_caution", _I),
        ("caution_keep", _I),
        ("n_ties", _I),
        ("heard", _I),
        # remedies
        ("notice", _I),
        ("has_appeal", _I),
        ("appeal", _I, 4),  # by education: files an appeal on learning of a sanction
        ("appeal_deadline_days", _I),  # 0: none
        ("appeal_suspends", _I),
        ("appeal_finds_error", _I),
        ("appeal_lenient", _I),
        ("correction", _I),  # per window
        ("repair", _I),  # per window
        ("repair_points", _I),
        ("expiry_years", _I),  # 0: records stay
        ("stale", _I),
        ("stale_days", _I),
        # risk score (life/risk.py)
        ("risk", _I),
        ("risk_explain", _I),  # who is flagged is told why, so that a false record behind it can be contested
        ("risk_friends", _I),  # it looks at friends
        ("n_risk_traits", _I),
        ("risk_shift", _I, MAX_RISK_TRAITS),  # where the trait lies in the packed traits
        ("risk_mask", _I, MAX_RISK_TRAITS),
        ("risk_sanctions", _I),  # bit s: service s refuses the flagged or puts them last
        ("risk_refuse", _I, N_SERVICES),
        ("risk_rank", _I, N_SERVICES),
        # roll-outs (life/changeover.py); of one regime alone these say nothing
        ("scale", _I),  # number of the score's scale: regimes with the same one take a score over
        ("has_list", _I, MAX_LISTS),
        ("list_key", _I, MAX_LISTS),  # place of the list in its own regime, which keys its draws
        ("tier_column", _I, MAX_TIERS),  # place of the tier among those of all regimes, for counting
        # peer rating (life/peers.py); stars are tenths of a point above the floor
        ("peers", _I),  # people rate each other
        ("peer_rate", _I),  # chance that a contact gives a rating in a window
        ("peer_household", _I),  # those of her household are contacts, too
        ("peer_star", _I),  # one star
        ("peer_whole", _I),  # ratings are whole stars
        ("peer_conduct", _I, 8),  # by conscientiousness: the rating that conduct earns, on average
        ("peer_mood", _I),  # ... and how far it varies, up or down
        ("peer_strained", _I),  # ... and how much lower it is at fullest strain
        ("peer_deference", _I),  # factor of how far the rated stands above the rater
        ("peer_prejudice", _I, 4),  # by group: what raters of other groups take off
        ("peer_weighted", _I),  # a rating weighs as much as its rater has stars
        ("peer_pull", _I),  # factor: how much of its way to the mean rating a score goes in a window
        ("peer_fall_strain", _I),
        # association (life/association.py)
        ("kin_services", _I),  # bit s: service s refuses for the sake of others of the household
        ("kin_refuse", _I, N_SERVICES),  # ... with this chance
        ("echo", _I),  # factor: the part of friends' distance from the start that comes onto her
        # awareness
        ("awareness", _I),  # people do not all know that there is a system
        ("known", _I),
        ("press", _I),  # per window: news of the system reaches a person
        ("censorship", _I),  # chance that news of the critical half is held back
        # abuse (life/abuse.py)
        ("has_malice", _I),
        ("malice_gaps", _I, (N_MALICE, MAX_WINDOW)),  # chance that a candidate report has come by a day's end
        ("malice_base", _I, N_MALICE),  # ... and that it is made when all that varies is at one
        ("malice_n_varies", _I, N_MALICE),
        ("malice_shift", _I, (N_MALICE, MAX_VARIES)),
        ("malice_mask", _I, (N_MALICE, MAX_VARIES)),
        ("malice_factor", _I, (N_MALICE, MAX_VARIES, N_LEVELS)),
        ("malice_acts", _I, (N_MALICE, N_ACTS)),  # cumulative: what is alleged
        ("report_kept", _I),  # a false report passes whoever looks at it
        ("has_retaliation", _I),
        ("retaliated", _I, N_ACTS),  # a noticed act of speech is answered
        ("retaliation_gaps", _I, MAX_WINDOW),
        ("retaliation_ends", _I),  # per window
        ("retaliation_acts", _I, N_ACTS),  # cumulative: what is alleged
        ("audience", _I, N_ACTS),  # people whom words reach; 0: no words
        ("account", _I, N_ACTS),  # ... through this service
        ("exposes", _I, N_ACTS),  # makes a wrong of officials public
        ("retaliation_listing", _I, (MAX_LISTS, N_ACTS)),  # an entry puts her on the list besides, by what it alleges
        # firms (life/firms.py)
        ("firms", _I),  # per million citizens; 0: the regime says nothing of them
        ("firm_sizes", _I, N_SIZES),  # share of firms of this class or a larger one
        ("firm_sectors", _I, N_SECTORS),  # cumulative shares
        ("firm_groups", _I),  # bit g set: one of the activities 4g .. 4g+3 of firms exists
        ("firm_gaps", _I, (N_FIRM_ACTIVITIES, N_SECTORS, MAX_WINDOW)),  # it has come by a day's end
        ("firm_by_register", _I, N_FIRM_ACTS),  # else by inspection
        ("firm_inspected", _I),
        ("firm_link_right", _I),
        ("firm_link_wrong", _I),
        ("firm_matters", _I, N_FIRM_ACTS),
        ("firm_points", _I, N_FIRM_ACTS),
        ("firm_listing", _I, N_FIRM_ACTS),
        ("firm_n_tiers", _I),
        ("firm_start", _I),
        ("firm_floor", _I),
        ("firm_cap", _I),
        ("firm_cutoffs", _I, MAX_TIERS),
        ("firm_list", _I),  # 0: none; else the same number as that of other regimes with a list of this name
        ("firm_below", _I),  # tiers from this one on lead to the list; MAX_TIERS: none do
        ("firm_term", _I, N_QUANTILES),
        ("firm_refuse_tier", _I, (N_FIRM_SERVICES, MAX_TIERS)),
        ("firm_refuse_list", _I, N_FIRM_SERVICES),
        ("firm_to_points", _I),  # a listing of the firm, in the file of its representative: points ...
        ("firm_to_lists", _I, MAX_LISTS),  # ... and the chance of a list
        ("firm_from_points", _I),  # a sanction of the representative, in the file of the firm
        ("firm_screening_points", _I),
        ("firm_screening_chance", _I),  # per window
        ("screened", _I, N_SERVICES),  # only firms that screen ask there
    ]
)

#: What institutions hand over to a county for one window; stored with the run.
EXCHANGE = np.dtype(
    [
        ("seen", _I, 5),  # by channel: chance that an act is sighted
        ("face_right", _I, N_LOOKS),  # a probe names the right person
        ("face_wrong", _I, (N_LOOKS, 2)),  # mean number of wrong names (2**32 is one) if right, if not
        ("face_gaps", _I, (N_LOOKS, MAX_WINDOW)),  # a false match has reached the citizen by then
        ("link_gaps", _I, (N_NAMES, MAX_WINDOW)),
        ("has_wrong_names", _I),  # any of the two is above zero
        ("face_acts", _I, N_ACTS),  # cumulative: which act a false match is about
        ("link_acts", _I, N_ACTS),
        ("wait_minutes", _I, 3),  # by rank
        ("appeal_days", _I),  # until an appeal filed now is decided, at the least
        # risk score
        ("risk_on", _I),  # a model has been learnt
        ("risk_weights", _I, (N_RISK_ROWS, N_LEVELS)),  # in 1/256 of a logit
        ("risk_cut", _I),  # flagged from this sum of weights on
        ("wrongdoing", _I),  # of officials, in 1/65536 of its level at the start
        ("wrongdoing_heard", _I),  # ... if the public had heard all that would have been said without fear
        ("phase", _I),  # which of the run's regimes is in force: its place in RULES[regime]
        ("phase_before", _I),  # ... and which was in the window before
        # what a rule of allocation reports; the loop does not read it
        ("cameras", _I),  # in 1/65536 of a camera; -1 where the regime has no such rule
        # firms
        ("firm_gaps", _I, MAX_WINDOW),  # a false link has reached a firm by then
        ("firm_acts", _I, N_FIRM_ACTS),  # cumulative: which act of firms a false link is about
        ("screening", _I, N_SERVICES),  # share of the regime's refusals that is left, 16 binary places
    ]
)

#: One citizen while she is being lived: her columns, her traits and her place, spread out.
PERSON = np.dtype(
    [
        ("citizen", _I),
        ("traits", _I),  # packed
        ("stratum", _I),
        ("look", _I),
        ("name", _I),
        ("income", _I),  # tenth, 0 .. 9
        ("score", _I, MAX_LEDGERS),
        ("true_score", _I, MAX_LEDGERS),
        ("list_until", _I, MAX_LISTS),
        ("true_list_until", _I, MAX_LISTS),
        ("strain", _I),
        ("caution", _I),
        ("flags", _I),
        ("refused", _I),
        ("appeal_day", _I),
        ("sanction_day", _I),
        ("bucket", _I, (MAX_EXPIRY + 1, MAX_LEDGERS)),
        ("true_bucket", _I, (MAX_EXPIRY + 1, MAX_LEDGERS)),
        ("since", _I),  # day from which her standing is still to be counted
        # what her columns amount to (life/standing.py)
        ("ledger_tier", _I, MAX_LEDGERS),
        ("true_ledger_tier", _I, MAX_LEDGERS),
        ("old_tier", _I, MAX_LEDGERS),  # before the day was settled
        ("old_true_tier", _I, MAX_LEDGERS),
        ("tier", _I),  # the worst of the ledgers
        ("true_tier", _I),
        ("on_paper", _I),  # sanctions that the file calls for
        ("in_force", _I),  # the same but for those suspended by an appeal
        ("deserved", _I),  # sanctions that the truth would call for, in no lower a degree
        # risk score
        ("risk_alone", _I),  # on paper for nothing but the flag
        ("has_done", _I),  # in this window she did an act that is held against people, seen or not
        # association: services that sanction another of her household, and what friends bring onto her score
        ("kin", _I),
        ("true_kin", _I),
        ("echo", _I, MAX_LEDGERS),
        ("true_echo", _I, MAX_LEDGERS),
    ]
)

#: One firm while it is being lived.
FIRM = np.dtype(
    [
        ("number", _I),
        ("sector", _I),
        ("kind", _I),  # sector and class of size
        ("score", _I),
        ("true_score", _I),
        ("until", _I),
        ("true_until", _I),
        ("flags", _I),
        ("tier", _I),
        ("true_tier", _I),
        ("since", _I),  # day from which its standing is still to be counted
        ("is_answerable", _I),  # its representative is sanctioned, by the file, as the window starts
        ("is_truly_answerable", _I),
    ]
)


class Scratch(NamedTuple):
    """Working memory of one caller of the loop."""

    me: NDArray[np.void]  # PERSON[1]
    traits: NDArray[np.uint32]  # [citizen of the block] packed
    heads: NDArray[np.int32]  # [citizen of the block] first of her household
    heard: NDArray[np.uint8]  # [citizen of the block] sanctioned friends of whom she hears
    masks: Int64  # [tie]
    words: NDArray[np.uint32]  # [4, citizen of the block]
    due: Int64  # [citizen of the block, day of the window]
    friends: NDArray[np.uint8]  # [believed or true, citizen of the block] friends whose file calls for a sanction
    held: Int64  # [citizen of the block] sanctions that the regime before a change-over called for
    rated: Int64  # [citizen of the block, what she gets from raters] (life/peers.py)
    kin: Int64  # [citizen of the block] services that sanction others of her household (life/association.py)
    echo: Int64  # [citizen of the block, 2 * ledger] what friends bring onto her score, in the file and in truth
    firm: NDArray[np.void]  # FIRM[1]
    firm_due: Int64  # [day of the window]


def new_scratch(community: int, n_ties: int, window_days: int) -> Scratch:
    """Make working memory for blocks of at most `community` citizens."""
    return Scratch(
        record(PERSON),
        np.zeros(community, np.uint32),
        np.zeros(community, np.int32),
        np.zeros(community, np.uint8),
        np.zeros(n_ties, np.int64),
        np.zeros((4, community), np.uint32),
        np.zeros((community, window_days), np.int64),
        np.zeros((2, community), np.uint8),
        np.zeros(community, np.int64),
        np.zeros((community, N_RATED), np.int64),
        np.zeros(community, np.int64),
        np.zeros((community, 2 * MAX_LEDGERS), np.int64),
        record(FIRM),
        np.zeros(window_days, np.int64),
    )


def record(dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """Make one record of zeros, as an array of length 1 (what compiled code takes a record from)."""
    return np.zeros(1, dtype)
