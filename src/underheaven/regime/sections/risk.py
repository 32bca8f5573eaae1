"""The section `risk`: a learned score of what people are expected to do, and what it may look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, StrictBool, model_validator

from underheaven.reading import Duration, Finding, Findings, Section, passed
from underheaven.regime.units import PerPerson
from underheaven.world.schema import TRAITS

if TYPE_CHECKING:
    from underheaven.institutions.risk_model import RiskModel
    from underheaven.regime.schema import Regime
    from underheaven.world.schema import World

_FIRST, _LAST = 0, 2  # classes of a queue (regime/schema.py)
LONGEST_DAYS = 10 * 365

Feature = Literal[
    "age", "sex", "urban", "education", "income", "group", "occupation", "travel", "children", "name",
    "tier", "listed", "refusals", "friends",
]  # fmt: skip
#: What stands in the file, in the order of its rows of weights; all other features are traits.
FILE_FEATURES = ("tier", "listed", "refusals", "friends")


class Risk(Section):
    """A risk score: learnt anew every `retrain` days from what the file came to hold within `horizon`.

    `features`: what it looks at, traits of people and what stands in the file: `tier`, `listed`, `refusals`
    (services that have ever refused her) and `friends` (those whose file calls for a sanction).  `flagged`: the
    share of people, those of highest risk, who are flagged.  `explain`: who is flagged is told why.
    """

    retrain: Duration
    horizon: Duration
    flagged: PerPerson
    features: tuple[Feature, ...] = Field(min_length=1)
    explain: StrictBool = False

    @model_validator(mode="after")
    def _check(self) -> Risk:
        return passed(self, _check)

    @property
    def rows(self) -> dict[str, int]:
        """Return the row of weights of each feature: traits in the order of the world, then the file."""
        from underheaven.life.tables import MAX_RISK_TRAITS

        traits = [trait for trait in TRAITS if trait in self.features]
        found: dict[str, int] = {trait: row for row, trait in enumerate(traits)}
        for row, name in enumerate(FILE_FEATURES, MAX_RISK_TRAITS):
            if name in self.features:
                found[name] = row
        return found


def _check(found: Risk) -> Findings:
    for key in ("retrain", "horizon"):
        days = getattr(found, key).days
        if not 1 <= days <= LONGEST_DAYS:
            yield Finding((key, "value"), f"{days} days cannot be learnt from; write between `1 day` and `10 years`")
    if found.retrain.days < found.horizon.days:
        text = (
            f"a model is learnt every {found.retrain.days} days from what {found.horizon.days} days bring; "
            f"write `{found.horizon.days} days` or more"
        )
        yield Finding(("retrain", "value"), text)
    for number, name in enumerate(found.features):
        if name in found.features[:number]:
            yield Finding(("features", number), f"`{name}` stands here twice; take one out")


def check_in_regime(found: Regime) -> Findings:
    """Check that a risk score has something to learn and to look at, and that a flag only makes treatment worse."""
    for service, rule in found.treatment.items():
        if rule.risk in ("perk", "first"):
            text = f"a risk score only makes treatment worse, not `{rule.risk}`; write last or refuse, or use tiers"
            yield Finding(("treatment", service, "risk"), text)
    if found.risk is None:
        return
    if found.score is None and not found.lists:
        text = "a risk score learns who falls or is listed, and here nobody can; write `score:` or `lists:` first"
        yield Finding(("risk",), text)
        return
    missing = {"tier": (not found.tiers, "tiers"), "listed": (not found.lists, "lists")}
    for name, (is_missing, key) in missing.items():
        if is_missing and name in found.risk.features:
            at = ("risk", "features", found.risk.features.index(name))
            yield Finding(at, f"`{name}` says nothing, because there are no {key}; write `{key}:` first or take it out")


def put_risk(rules: Any, regime: Regime, world: World) -> None:
    """Fill in what the loop must know of the risk score; nothing without one.

    Parameters
    ----------
    rules : RULES[1], changed in place
    regime, world : as read
    """
    from underheaven.rng import threshold

    risk, tables = regime.risk, rules[0]
    if risk is None:
        return
    tables["risk"] = 1
    tables["risk_explain"] = int(risk.explain)
    tables["risk_friends"] = int("friends" in risk.features)
    for name, row in risk.rows.items():
        if name in TRAITS:
            shift, bits, _ = TRAITS[name]
            tables["risk_shift"][row], tables["risk_mask"][row] = shift, (1 << bits) - 1
            tables["n_risk_traits"] = row + 1
    for name, service in world.services.items():
        treated = regime.by_risk(name)
        if treated.is_sanction:
            at = service.stream - 32
            tables["risk_sanctions"] |= 1 << at
            tables["risk_refuse"][at] = threshold(treated.refuse)
            tables["risk_rank"][at] = _LAST if treated.rank == _LAST else _FIRST


def risk_model(regime: Regime) -> RiskModel | None:
    """Return the institution that learns the score; None without one."""
    from underheaven.institutions.risk_model import RiskModel

    if regime.risk is None:
        return None
    risk = regime.risk
    return RiskModel(
        retrain_days=risk.retrain.days,
        horizon_days=risk.horizon.days,
        flagged=risk.flagged.exact,
        rows=tuple(sorted(risk.rows.values())),
    )
