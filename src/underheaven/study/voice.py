"""Voice in the audit: whom words reached, what nobody said or heard, and what officials did meanwhile.

Words left undone for fear are known one by one (the same draw, with and without fear), so what the public would
have learned is counted, not estimated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from underheaven.study.counts import Counts, ratio
from underheaven.study.words import decimal, finding, label, percent, plural, whole

UNIT = 1 << 16  # the level of wrongdoing at the start


def voice_of(counts: Counts) -> dict[str, Any] | None:
    """Return whom words reached; None in a world where no words have an audience."""
    world = getattr(counts.run, "world", None)  # an audit made by hand has none
    given = {} if world is None else {name: act.audience for name, act in world.acts.items()}
    acts = {name: audience.people.value for name, audience in given.items() if audience is not None}
    if world is None or not acts:
        return None
    said, silenced = counts.sum("done", acts), counts.sum("silenced", acts)
    unheard, reached, lost = (counts.total(n) for n in ("words_unheard", "audience_reached", "audience_lost"))
    never_said = sum(people * counts.total(f"silenced/{name}") for name, people in acts.items())
    return {
        "acts": list(acts),
        "said": said,
        "silenced": silenced,
        "unheard": unheard,
        "unheard_share": ratio(unheard, said),
        "audience_reached": reached,
        "audience_lost": lost,
        "audience_never_spoken_to": never_said,
        "audience_missing_share": ratio(lost + never_said, reached + lost + never_said),
        "exposures": _exposures(counts, world),
    }


def _exposures(counts: Counts, world: Any) -> dict[str, Any] | None:
    """Return what was made public of the wrongs of officials, and their level; None where it does not move."""
    if world.officials is None:
        return None
    act = world.officials.exposed_by
    made, silenced = counts.total(f"done/{act}"), counts.total(f"silenced/{act}")
    unheard, levels = counts.total("exposures_unheard"), wrongdoing(counts)
    return {
        "act": act,
        "would_have_been": made + silenced,
        "silenced": silenced,
        "unheard": unheard,
        "reached": made - unheard,
        "not_learned_share": ratio(silenced + unheard, made + silenced),
        "wrongdoing_at_the_end": levels[-1]["wrongdoing"],
        "wrongdoing_if_heard": levels[-1]["wrongdoing_heard"],
    }


def wrongdoing(counts: Counts) -> list[dict[str, float]]:
    """Return the level of wrongdoing over time, the mean over people, 1 at the start.

    Returns
    -------
    list of dict with `day` (of an exchange), `wrongdoing` and `wrongdoing_heard`, the level if the public had heard
        all that would have been said without fear
    """
    people = np.array([county["people"] for county in counts.run.manifest["counties"]], float)
    latest: dict[str, float] = {}
    by_day: dict[int, dict[str, float]] = {}
    rows = counts.run.table("exchange/tables").to_pylist()
    for row in sorted(rows, key=lambda row: row["day"]):
        if row["name"] in ("wrongdoing", "wrongdoing_heard"):
            level = np.frombuffer(row["data"], "<i8") / UNIT
            latest[row["name"]] = float((np.broadcast_to(level, people.shape) * people).sum() / people.sum())
            by_day[row["day"]] = dict(latest)
    return [{"day": day, **levels} for day, levels in by_day.items()]


def voice_findings(found: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the headline figures of voice, each with its sentence, where anybody was silenced or unheard."""
    if found is None or not found["silenced"] + found["unheard"]:
        return []
    acts = " and ".join(label(act) for act in found["acts"])
    missing = found["audience_missing_share"]
    text = (
        f"{plural(found['unheard'], 'time')} somebody said something ({acts}) whose account was closed, to "
        f"{whole(found['audience_lost'])} readers who never saw it. With what was left unsaid for fear, "
        f"{percent(missing['value'])} of the readers are missing."
    )
    told = [finding("words_unheard", "Words that reached nobody", found["unheard"], "times", text)]
    exposures = found["exposures"]
    if exposures is not None and exposures["would_have_been"]:
        share = exposures["not_learned_share"]
        text = (
            f"Of {plural(exposures['would_have_been'], 'wrong')} of officials that people would have made public, "
            f"{whole(exposures['silenced'])} stayed unsaid for fear and {whole(exposures['unheard'])} reached nobody. "
            f"At the end officials do {decimal(exposures['wrongdoing_at_the_end'])} times the wrong that they did at "
            f"the start; had the public heard everything, {decimal(exposures['wrongdoing_if_heard'])} times."
        )
        told.append(finding("not_learned", "What the public never learned", share["value"], "share", text, share=share))
    return told
