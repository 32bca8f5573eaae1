"""The risk model: what a score learns from the file of some about all.

It never sees the truth.  It looks at a keyed sample of citizens, waits for the horizon, and asks the file who has
fallen or has been listed meanwhile.  A logistic regression (scikit-learn) is learnt from that; its weights are cut
to whole numbers, and whoever is among the highest share by their sum is flagged from then on.

Whole numbers leave this file, and nothing is learnt twice: the weights are stored with the run.  The solver (Newton's
method) is run until nothing moves any more, so that processors which round differently meet in the same 1/256.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from underheaven import rng
from underheaven.institutions.sight import Sight, block_of, is_looked_at, packed_traits
from underheaven.life.tables import MAX_RISK_TRAITS, N_LEVELS, N_RISK_ROWS, Int64

#: So many citizens the model learns from, at most.
MOST_SAMPLED = 20_000
#: A weight of 256 is one logit; weights beyond 32 logits are cut.
WEIGHT_UNIT = 256
MOST_WEIGHT = 32 * WEIGHT_UNIT
NOBODY = 1 << 40  # a cut that no sum of weights reaches
NO_LOOK = -1
_CHUNK = 1 << 20

Memory = dict[str, Int64]


@dataclass(frozen=True)
class RiskModel:
    """The institution that learns a risk score.

    Parameters
    ----------
    retrain_days : days between two looks that a model is learnt from
    horizon_days : days from a look to the question who has fallen
    flagged : share of people to flag
    rows : rows of the table of weights that it uses, rising (life/tables.py)
    """

    retrain_days: int
    horizon_days: int
    flagged: Fraction
    rows: tuple[int, ...]

    def look(self, sight: Sight, memory: Memory) -> Memory:
        """Look at the sample, if it is time to, and learn if the horizon of the last look has passed.

        Parameters
        ----------
        sight : the columns as they are
        memory : empty before the first look; `risk_sample`, `risk_traits`: the citizens looked at; `risk_levels`:
            int64[citizen, row] and `risk_standing`: int64[citizen, score or whether listed], as at the last look;
            `risk_clock`: days of the next look and of the last one; `risk_on`, `risk_weights`, `risk_cut`: as for
            the loop

        Returns
        -------
        Memory : changed where something has happened
        """
        memory = memory or first_memory()
        next_look, last_look = memory["risk_clock"].tolist()
        if last_look != NO_LOOK and sight.day >= last_look + self.horizon_days:
            memory = memory | self._learnt(sight, memory)
            last_look = NO_LOOK
        if sight.day >= next_look and sight.counties.any():
            next_look, last_look = sight.day + self.retrain_days, sight.day
            sample = keyed_sample(sight, MOST_SAMPLED)
            if not np.array_equal(sample, memory["risk_sample"]):
                memory = memory | {"risk_sample": sample, "risk_traits": packed_traits(sight, sample)}
            memory = memory | {
                "risk_levels": levels_of(sight, sample, memory["risk_traits"]),
                "risk_standing": standing_of(sight, sample),
            }
        return memory | {"risk_clock": np.array([next_look, last_look], np.int64)}

    def _learnt(self, sight: Sight, memory: Memory) -> Memory:
        """Return new weights and a new cut; nothing if all have fallen or nobody has."""
        still = is_looked_at(sight, memory["risk_sample"])  # the others live under another regime by now
        sample, rows = memory["risk_sample"][still], np.array(self.rows)
        has_fallen = fallen(memory["risk_standing"][still], standing_of(sight, sample))
        if not has_fallen.any() or has_fallen.all():
            return {}
        weights = fitted_weights(memory["risk_levels"][still][:, rows], has_fallen, rows)
        now = levels_of(sight, sample, memory["risk_traits"][still])
        risks = weights[rows[None, :], now[:, rows]].sum(axis=1)
        return {
            "risk_weights": weights,
            "risk_cut": np.array([cut(risks, self.flagged)], np.int64),
            "risk_on": np.ones(1, np.int64),
        }


def first_memory() -> Memory:
    """Return what a model remembers before it has looked at anybody."""
    return {
        "risk_sample": np.zeros(0, np.int64),
        "risk_traits": np.zeros(0, np.int64),
        "risk_levels": np.zeros((0, N_RISK_ROWS), np.int64),
        "risk_standing": np.zeros((0, 1), np.int64),
        "risk_clock": np.array([0, NO_LOOK], np.int64),
        "risk_on": np.zeros(1, np.int64),
        "risk_weights": np.zeros((N_RISK_ROWS, N_LEVELS), np.int64),
        "risk_cut": np.array([NOBODY], np.int64),
    }


def hand_over(memory: Memory, here: NDArray[np.bool_], tables: NDArray[np.void]) -> None:
    """Fill the weights and the cut into the tables of some counties.

    Parameters
    ----------
    memory : of one regime's model; empty without one
    here : bool[county], where the regime is in force
    tables : EXCHANGE[county], changed in place
    """
    if memory.get("risk_on", np.zeros(1))[0]:
        for name in ("risk_on", "risk_cut"):
            tables[name][here] = memory[name][0]
        tables["risk_weights"][here] = memory["risk_weights"]


def keyed_sample(sight: Sight, most: int) -> Int64:
    """Return the citizens with the smallest draws among those who are looked at, in the order of their numbers.

    Parameters
    ----------
    most : int, size of the sample if there are as many people

    Notes
    -----
    Draws: stream RISK, words 0 and 1, day 0, one a citizen.
    """
    first_of = sight.people.block_first
    people = int(first_of[-1])
    n_looked_at = int(np.diff(first_of)[sight.counties[sight.people.block_county]].sum())
    # A fifth more than are wanted, and 1,000, so that enough fall below the threshold with all but certainty.
    bar = min(rng.ONE, rng.ONE * (most + most // 5 + 1_000) // max(1, n_looked_at))
    keys, citizens = [], []
    words = np.zeros((4, min(people, _CHUNK)), np.uint32)
    for first in range(0, people, _CHUNK):
        size = min(_CHUNK, people - first)
        rng.draw_block(sight.seed, rng.RISK, first, size, 0, 0, words)  # type: ignore[no-untyped-call]
        below = np.flatnonzero(words[0, :size] < bar)
        below = below[is_looked_at(sight, first + below)]
        keys.append((words[0, below].astype(np.uint64) << np.uint64(32)) | words[1, below])
        citizens.append(first + below)
    order = np.argsort(np.concatenate(keys), kind="stable")[:most]
    found: Int64 = np.sort(np.concatenate(citizens)[order]).astype(np.int64)
    return found


def standing_of(sight: Sight, citizens: Int64) -> Int64:
    """Return the believed scores of some citizens, and whether they are listed: int64[citizen, ledger + 1]."""
    listed = (sight.state.list_until[:, citizens] > 0).any(axis=0)
    found: Int64 = np.column_stack([_scores(sight, citizens).T, listed]).astype(np.int64)
    return found


def fallen(before: Int64, after: Int64) -> NDArray[np.bool_]:
    """Tell of whom the file believes that a score has fallen, or who is newly listed."""
    lower = (after[:, :-1] < before[:, :-1]).any(axis=1)
    found: NDArray[np.bool_] = lower | (after[:, -1] > before[:, -1])
    return found


def _scores(sight: Sight, citizens: Int64) -> NDArray[np.int16]:
    """Return the believed scores of some citizens, int16[ledger, citizen]; other regimes may have more ledgers."""
    found: NDArray[np.int16] = sight.state.score[: int(sight.rules["n_ledgers"]), citizens]
    return found


def _standings(sight: Sight, citizens: Int64) -> Int64:
    """Return what tiers are cut from, int64[ledger, citizen]: scores with what friends bring onto them."""
    found: Int64 = _scores(sight, citizens).astype(np.int64)
    if sight.rules["echo"]:
        found += sight.state.echo[: len(found), citizens]
    return found


def levels_of(sight: Sight, citizens: Int64, traits: Int64) -> Int64:
    """Return the level of each citizen in each row of the table of weights, int64[citizen, row].

    Parameters
    ----------
    citizens : int64[n]
    traits : int64[n], packed
    """
    rules, state = sight.rules, sight.state
    found = np.zeros((len(citizens), N_RISK_ROWS), np.int64)
    for slot in range(int(rules["n_risk_traits"])):
        found[:, slot] = (traits >> rules["risk_shift"][slot]) & rules["risk_mask"][slot]
    tiers = _tiers(rules, _standings(sight, citizens))
    listed = state.list_until[:, citizens] > 0
    refused = state.refused[citizens].astype(np.int64)
    found[:, MAX_RISK_TRAITS] = tiers.max(axis=0, initial=0)
    found[:, MAX_RISK_TRAITS + 1] = listed.any(axis=0)
    found[:, MAX_RISK_TRAITS + 2] = sum((refused >> bit) & 1 for bit in range(8))
    if rules["risk_friends"]:
        found[:, MAX_RISK_TRAITS + 3] = _friends(sight, citizens)
    return found


def _tiers(rules: object, standing: Int64) -> Int64:
    """Return the tier of standings, int64[ledger, citizen]: how many lowest scores they do not reach."""
    cutoffs = rules["cutoffs"][: max(0, int(rules["n_tiers"]) - 1)]  # type: ignore[index]
    found: Int64 = (standing[None] < cutoffs[:, None, None]).sum(axis=0)
    return found


def _calls_for_sanction(sight: Sight, citizens: Int64) -> NDArray[np.bool_]:
    """Tell whose believed scores and lists call for a sanction."""
    rules, state = sight.rules, sight.state
    found = np.zeros(len(citizens), bool)
    tiers = _tiers(rules, _standings(sight, citizens))
    for ledger in range(int(rules["n_ledgers"])):
        found |= rules["tier_sanctions"][ledger][tiers[ledger]] != 0
    for entry in range(int(rules["n_lists"])):
        if rules["list_sanctions"][entry]:
            found |= state.list_until[entry, citizens] > 0
    return found


def _friends(sight: Sight, citizens: Int64) -> Int64:
    """Return how many friends of each citizen have a file that calls for a sanction."""
    from underheaven.world.ties import tie_masks

    first = sight.people.block_first
    blocks = block_of(sight, citizens)
    masks = np.zeros((len(citizens), int(sight.rules["n_ties"])), np.int64)
    known: dict[int, Int64] = {}
    for at, block in enumerate(blocks.tolist()):
        if block not in known:
            known[block] = np.zeros(masks.shape[1], np.int64)
            size = int(first[block + 1] - first[block])
            tie_masks(sight.seed, block, size, known[block])  # type: ignore[no-untyped-call]
        masks[at] = known[block]
    start = first[blocks][:, None]
    friends = start + ((citizens[:, None] - start) ^ masks)
    exists = friends < first[blocks + 1][:, None]
    calls = _calls_for_sanction(sight, np.where(exists, friends, 0).ravel()).reshape(friends.shape)
    found: Int64 = (calls & exists).sum(axis=1)
    return found


def fitted_weights(levels: Int64, has_fallen: NDArray[np.bool_], rows: Int64) -> Int64:
    """Learn a logistic regression on one-hot levels; return its weights in whole 1/256 logits.

    Parameters
    ----------
    levels : int64[citizen, feature]
    has_fallen : bool[citizen], of both kinds
    rows : int64[feature], row of the table of each feature

    Returns
    -------
    int64[row, level] : 0 where nobody had the level; without the intercept, which moves nobody's rank
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    at = [(feature, level) for feature in range(len(rows)) for level in np.unique(levels[:, feature]).tolist()]
    design = np.column_stack([levels[:, feature] == level for feature, level in at]).astype(np.float64)
    model = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-10, max_iter=100)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit that has stopped early is still the model that was learnt
        model.fit(design, has_fallen)
    weights = np.zeros((N_RISK_ROWS, N_LEVELS), np.int64)
    for (feature, level), coefficient in zip(at, model.coef_[0].tolist(), strict=True):
        whole = math.floor(coefficient * WEIGHT_UNIT + 0.5)
        weights[rows[feature], level] = min(MOST_WEIGHT, max(-MOST_WEIGHT, whole))
    return weights


def cut(risks: Int64, flagged: Fraction) -> int:
    """Return the lowest sum of weights that is flagged, so that the share of people flagged is nearest to `flagged`.

    Parameters
    ----------
    risks : int64[citizen], not empty
    flagged : share to flag
    """
    wanted = flagged * len(risks)
    best, best_gap = NOBODY, wanted
    values, counts = np.unique(risks, return_counts=True)
    above = np.cumsum(counts[::-1])  # people at this value or higher, from the highest down
    for value, n_people in zip(values[::-1].tolist(), above.tolist(), strict=True):
        gap = abs(n_people - wanted)
        if gap >= best_gap:
            break
        best, best_gap = value, gap
    return int(best)
