"""The worked cases of a regime file: what the rules make of a situation, chance left aside."""

from __future__ import annotations

from collections.abc import Iterator

from underheaven.errors import Finding
from underheaven.regime.schema import Case, Outcome, Regime


def worked_out(regime: Regime, case: Case) -> Outcome:
    """Return what a case comes to: score, tier, services that refuse every use, lists she is on for certain."""
    score = tier = None
    if regime.score is not None:
        score = regime.score.start.value if case.given.start is None else case.given.start
    listed = set(case.given.lists)
    for act in case.given.records:
        if score is not None and regime.score is not None:
            score = min(max(score + regime.points_of(act), regime.score.floor.value), regime.score.cap.value)
        listed |= {entry.name for entry in regime.lists if act in entry.on and entry.on[act].exact == 1}
    if score is not None:
        rank = next(rank for rank, cutoff in enumerate(regime.cutoffs) if score >= cutoff)
        tier = regime.tier_names[rank]
        listed |= {e.name for e in regime.lists if e.below is not None and rank >= regime.tier_names.index(e.below)}
    refused = {
        service
        for service in regime.service_names
        if (tier is not None and regime.by_tier(service, tier).refuse == 1)
        or any(regime.by_list(service, name).refuse == 1 for name in listed)
    }
    return Outcome(score=score, tier=tier, refused=tuple(sorted(refused)), listed=tuple(sorted(listed)))


def not_borne_out(regime: Regime) -> Iterator[Finding]:
    """Yield a finding for every claim of a case that the rules of its own file do not bear out."""
    for number, case in enumerate(regime.cases):
        found = worked_out(regime, case)
        for key in ("score", "tier", "refused", "listed"):
            claim, fact = getattr(case.then, key), getattr(found, key)
            if claim is None or (sorted(claim) == list(fact) if isinstance(claim, tuple) else claim == fact):
                continue
            place = regime.where(f"cases.{number}.then.{key}")
            text = (
                f"the rules of this file lead to {key} {_shown(fact)}, and the case '{case.name}' says "
                f"{_shown(claim)}; mend the case or the rules"
            )
            yield Finding("UH120", place, text)


def _shown(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)
