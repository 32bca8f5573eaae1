"""What a risk score did: how often its flags were right, whom they fell on, and what it had learnt.

Units are windows of one person: flagged or not as the window started, and whether in it she in truth did an act
that the regime holds against people, seen or not.  So every rate is exact, and none needs the file.  Words are
Fairlearn's; `false_positive_rate` is the share flagged of the windows in which nothing was done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from underheaven.study.counts import STRATUM, ratio
from underheaven.study.words import decimal, finding, label, percent, whole

if TYPE_CHECKING:
    from underheaven.regime.sections.risk import Risk
    from underheaven.study.counts import Counts

_CELLS = {
    "true_positives": "risk_windows/flagged/did",
    "false_positives": "risk_windows/flagged/did-nothing",
    "false_negatives": "risk_windows/cleared/did",
    "true_negatives": "risk_windows/cleared/did-nothing",
}
RATES = ("selection_rate", "prevalence", "false_positive_rate", "false_negative_rate", "positive_predictive_value")
WEIGHT_UNIT = 256  # weights are stored in 1/256 of a logit


def confusion(tp: int, fp: int, fn: int, tn: int) -> dict[str, Any]:
    """Return the rates of a table of flags against deeds; a rate of nobody is not measurable.

    Parameters
    ----------
    tp, fp : int, flagged who did, and who did nothing
    fn, tn : int, not flagged who did, and who did nothing
    """
    everybody = tp + fp + fn + tn
    return {
        "windows": everybody,
        "true_positives": tp,
        "false_positives": fp,
        "false_negatives": fn,
        "true_negatives": tn,
        "selection_rate": ratio(tp + fp, everybody),
        "prevalence": ratio(tp + fn, everybody),
        "false_positive_rate": ratio(fp, fp + tn),
        "false_negative_rate": ratio(fn, tp + fn),
        "positive_predictive_value": ratio(tp, tp + fp),
        "negative_predictive_value": ratio(tn, tn + fn),
    }


def implied_false_positive_rate(
    prevalence: float, positive_predictive_value: float, false_negative_rate: float
) -> float | None:
    """Return the false positive rate that the three others leave no choice about; None where it has no meaning.

    Notes
    -----
    Chouldechova 2017, "Fair prediction with disparate impact": p / (1 - p) * (1 - PPV) / PPV * (1 - FNR).  So two
    groups that differ in prevalence cannot be equal in all of the other three.
    """
    if prevalence >= 1 or positive_predictive_value <= 0:
        return None
    odds = prevalence / (1 - prevalence)
    return odds * (1 - positive_predictive_value) / positive_predictive_value * (1 - false_negative_rate)


def risk(counts: Counts) -> dict[str, Any] | None:
    """Return what the risk score of a run did; None under a regime without one.

    Returns
    -------
    dict with the rates of all, `strata` (of each level of group, sex, age and income), `fairness` (how far the levels
    of a trait are apart), `flags`, `wrong_windows`, `alone_days`, `appeals_lost`, `features`, `weights`
    """
    rules = _section(counts)
    if rules is None:
        return None
    rows = {trait: _by_level(counts, trait) for trait in STRATUM}
    return {
        **confusion(*(counts.total(name) for name in _CELLS.values())),
        "flags": counts.total("risk_flags"),
        "wrong_windows": counts.total("risk_wrong_windows"),
        "wrong_windows_share": ratio(counts.total("risk_wrong_windows"), _flagged(counts)),
        "alone_days": counts.total("risk_alone_days"),
        "alone_days_share": ratio(counts.total("risk_alone_days"), counts.total("sanction_days")),
        "appeals_lost": counts.total("risk_appeals_lost"),
        "features": list(rules.features),
        "explained": rules.explain,
        "strata": rows,
        "fairness": {trait: _apart(rows[trait]) | {"is_feature": trait in rules.features} for trait in STRATUM},
        "weights": _weights(counts, rules),
    }


def _section(counts: Counts) -> Risk | None:
    """Return the section of the regime, or of the first regime of a roll-out that has one."""
    regime = counts.run.regime
    found = (getattr(one, "risk", None) for one in getattr(regime, "regimes", (regime,)))
    return next((section for section in found if section is not None), None)


def _flagged(counts: Counts) -> int:
    return counts.total(_CELLS["true_positives"]) + counts.total(_CELLS["false_positives"])


def _by_level(counts: Counts, trait: str) -> list[dict[str, Any]]:
    return [
        {trait: level, "people": amounts["people"]} | confusion(*(amounts[name] for name in _CELLS.values()))
        for (level,), amounts in counts.by(trait).items()
    ]


def _apart(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how far apart the levels of a trait are, rate by rate."""
    found: dict[str, Any] = {}
    for rate in RATES:
        values = [row[rate]["value"] for row in rows if row[rate]["value"] is not None]
        low, high = (min(values), max(values)) if len(values) > 1 else (None, None)
        found[rate] = {
            "difference": None if low is None or high is None else high - low,
            "ratio": low / high if low is not None and high else None,
        }
    found["demographic_parity_difference"] = found["selection_rate"]["difference"]
    found["demographic_parity_ratio"] = found["selection_rate"]["ratio"]
    # A true positive rate is 1 less the false negative rate, so their differences are the same.
    odds = [found[rate]["difference"] for rate in ("false_positive_rate", "false_negative_rate")]
    found["equalized_odds_difference"] = max(odds) if None not in odds else None
    return found


def _weights(counts: Counts, rules: Risk) -> list[dict[str, Any]]:
    """Return what the last model had learnt: logits of each level of each feature, the highest first.

    A roll-out may have several models, and none is shown.
    """
    if hasattr(counts.run.regime, "regimes"):
        return []
    table = counts.run.table("exchange/tables")
    table = table.filter(pc.equal(table["name"], "risk_weights")).sort_by("day")
    if not table.num_rows:
        return []
    last = table.slice(table.num_rows - 1).to_pylist()[0]
    weights = np.frombuffer(last["data"], "<i8").reshape(last["shape"])[0]  # the same in every county
    levels = {**counts.run.manifest["levels"], "tier": counts.tiers, "listed": ["no", "yes"]}
    rows = [
        {"feature": name, "level": str(_named(levels.get(name), at)), "logits": int(weight) / WEIGHT_UNIT}
        for name, row in rules.rows.items()
        for at, weight in enumerate(weights[row])
        if weight
    ]
    return sorted(rows, key=lambda found: -float(found["logits"]))


def _named(names: list[str] | None, level: int) -> str | int:
    return names[level] if names else level


# Headlines ------------------------------------------------------------------------------------------------------------


def risk_findings(found: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the headline figures of a risk score; none without one.

    Parameters
    ----------
    found : what :func:`risk` returned
    """
    if found is None:
        return []
    wrong = ratio(found["false_positives"], found["true_positives"] + found["false_positives"])
    if not found["windows"]:
        text = "No model had been learnt before the run ended."
    elif wrong["value"] is None:
        text = "The model flagged nobody."
    else:
        text = (
            f"In {percent(wrong['value'])} of the windows under a flag nothing held against her was done; "
            f"of those who did nothing, {percent(found['false_positive_rate']['value'])} were flagged, and "
            f"{percent(found['false_negative_rate']['value'])} of those who did something were not. "
            f"{whole(found['alone_days'])} days under sanction rest on the flag alone."
        )
    told = [finding("risk_innocent", "Flagged for what they did not do", wrong["value"], "share", text, share=wrong)]
    return [*told, _proxy(found)]


def _proxy(found: Mapping[str, Any]) -> dict[str, Any]:
    """Say how unevenly the flags fall on the income tenths or the groups, and whether the model looked at it."""
    title = "Unevenness of the flags"
    rates = {row["group"]: row["selection_rate"]["value"] for row in found["strata"]["group"]}
    known = {group: rate for group, rate in rates.items() if rate is not None}
    if len(known) < 2 or not all(known.values()):
        return finding("risk_groups", title, None, "times", "Not measurable: no two groups have people with a flag.")
    low, high = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    looked = (
        "which is among the features that the model looks at"
        if found["fairness"]["group"]["is_feature"]
        else "although the model does not look at the group"
    )
    text = (
        f"The group ‘{label(high)}’ was flagged {percent(known[high])} of the time, the group ‘{label(low)}’ "
        f"{percent(known[low])}, {looked}. A person counts in many windows, so a small gap may be chance."
    )
    tenths = [row["selection_rate"]["value"] for row in found["strata"]["income"]]
    if tenths[0] and tenths[-1]:
        text += f" Of the poorest tenth it was {percent(tenths[0])}, of the richest {percent(tenths[-1])}"
        text += f" ({decimal(tenths[0] / tenths[-1], 2)} times)."
    return finding("risk_groups", title, known[high] / known[low], "times", text)
