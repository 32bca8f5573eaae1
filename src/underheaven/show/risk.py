"""A risk score for people to look at: its chart and its sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from underheaven.show.vega import BLUE, ORANGE, WIDTH, Chart, category, income_axis, quantity, tooltip, vega_lite
from underheaven.study.risk import confusion
from underheaven.study.words import decimal, label, percent, whole

if TYPE_CHECKING:
    from underheaven.regime.schema import Regime
    from underheaven.study.counts import Counts

#: The words of the regime page for what a score looks at; traits have their own names.
_FEATURES = {
    "urban": "town or country",
    "name": "how common the name is",
    "children": "children in the household",
    "tier": "the grade",
    "listed": "being on a list",
    "refusals": "how many services have refused her",
    "friends": "how many friends are sanctioned",
}


def risk(counts: Counts) -> Chart | None:
    """Draw how often each income tenth is flagged, beside how often its people do something."""
    flagged = [f"risk_windows/flagged/{did}" for did in ("did", "did-nothing")]
    if not any(counts.total(name) for name in flagged):
        return None
    records = []
    for (tenth,), amounts in counts.by("income").items():
        table = confusion(
            amounts["risk_windows/flagged/did"],
            amounts["risk_windows/flagged/did-nothing"],
            amounts["risk_windows/cleared/did"],
            amounts["risk_windows/cleared/did-nothing"],
        )
        overall = _overall(counts)
        for kind, rate, all_rate in (
            ("flagged by the model", table["selection_rate"]["value"], overall[0]),
            ("did something held against people", table["prevalence"]["value"], overall[1]),
        ):
            records.append(
                {
                    "income_tenth": tenth,
                    "kind": kind,
                    "windows": table["windows"],
                    "share": rate,
                    "times": rate / all_rate if rate is not None and all_rate else None,
                }
            )
    kinds = ["flagged by the model", "did something held against people"]
    by_tenth = {(r["income_tenth"], r["kind"]): r for r in records}
    return Chart(
        "risk",
        "Who is flagged, and who did something?",
        "Each line is a rate of one income tenth as a multiple of the rate of all people; where the flags rise above "
        "the deeds, the model expects more of these people than they did.",
        vega_lite(
            records,
            width=WIDTH,
            height=240,
            mark={"type": "line", "strokeWidth": 2.5, "point": {"size": 60, "filled": True}},
            encoding={
                "x": income_axis(),
                "y": quantity("times", "times the rate of all people", scale={"domainMin": 0}),
                "color": category("kind", "share of windows", scale={"domain": kinds, "range": [ORANGE, BLUE]}),
                "shape": category("kind", "share of windows", scale={"domain": kinds}),
                "tooltip": tooltip(
                    income_tenth="income tenth", kind="what", share="share%", times="times that of all~"
                ),
            },
        ),
        records,
        ("Income tenth", "Windows lived", "Flagged", "Did something held against people"),
        [
            (
                str(tenth),
                whole(by_tenth[tenth, kinds[0]]["windows"]),
                *(percent(by_tenth[tenth, kind]["share"]) for kind in kinds),
            )
            for tenth in dict.fromkeys(r["income_tenth"] for r in records)
        ],
    )


def _overall(counts: Counts) -> tuple[float | None, float | None]:
    """Return the rates of flags and of deeds of everybody."""
    cells = ("flagged/did", "flagged/did-nothing", "cleared/did", "cleared/did-nothing")
    table = confusion(*(counts.total(f"risk_windows/{cell}") for cell in cells))
    return table["selection_rate"]["value"], table["prevalence"]["value"]


def risk_sentences(regime: Regime) -> list[str]:
    """Return what the page of a regime says of its risk score."""
    risk = regime.risk
    if risk is None:
        return []
    features = [_FEATURES.get(name, label(name)) for name in risk.features]
    seen = ", ".join(features[:-1]) + " and " + features[-1] if len(features) > 1 else features[0]
    why = (
        "Who is flagged is told why, and may contest a false record behind it."
        if risk.explain
        else "Nobody is told why. No record stands behind a flag, so no appeal and no correction can remove it."
    )
    wall = " A wall between contexts does not hold it: it looks at all of them." if regime.context_wall else ""
    return [
        f"A model flags the {decimal(float(100 * risk.flagged.exact), 4)}% of people of whom it expects most that they "
        f"will lose points or be listed within {risk.horizon.value}. It is learnt anew every {risk.retrain.value} from "
        f"what the file came to hold, and looks at {seen}. {why}{wall}"
    ]
