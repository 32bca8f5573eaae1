"""Roll-outs: counties that live under different regimes, each from some day on.

A roll-out file names a baseline, in force where and while nothing else is, and phases: a regime, the day from which
it is in force, and the counties.  Its regimes are read from their own files and stored with the run.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from underheaven import catalogue, errors
from underheaven.errors import FileFormError, Where
from underheaven.life.tables import MAX_LISTS, MAX_TIERS
from underheaven.reading import (
    Document,
    Duration,
    Finding,
    Findings,
    Node,
    Section,
    Source,
    did_you_mean,
    load,
    of_kind,
    override,
    passed,
    read_tree,
    resolve,
    shown,
)
from underheaven.regime.reform import load_reformed
from underheaven.regime.schema import Regime
from underheaven.regime.tables import Compiled, compile_tables
from underheaven.regime.units import Name
from underheaven.world.places import build_places
from underheaven.world.schema import World

FORMAT = "underheaven-rollout/1"
MAX_REGIMES = 8


class Phase(Section):
    """A regime that comes into force: from which day on, and where; without counties and provinces everywhere.

    Names of counties may hold ``*`` and ``?``.
    """

    regime: str
    from_: Duration = Field(alias="from")
    counties: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()


class Rollout(Document):
    """A whole roll-out file.  `regimes` are its different regimes, the baseline first; the reader fills them in."""

    format: Literal["underheaven-rollout/1"]
    rollout: Name
    title: str
    kind: Literal["press", "law", "fiction", "hypothesis"]
    status: Literal["provisional", "checked"]
    summary: str
    sources: dict[Name, Source] = Field(default_factory=dict)
    baseline: str
    phases: tuple[Phase, ...]
    regimes: tuple[Regime, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Rollout:
        return passed(self, _check)

    @property
    def regime(self) -> str:
        """Return its name, where a regime would have its own."""
        return self.rollout

    @property
    def names(self) -> tuple[str, ...]:
        """Return how its different regimes are named, the baseline first."""
        return tuple(dict.fromkeys((self.baseline, *(phase.regime for phase in self.phases))))


def _check(found: Rollout) -> Findings:
    if not found.phases:
        yield Finding(("phases",), "nothing comes into force; write at least one phase: a regime, `from`, `counties`")
    if len(found.names) > MAX_REGIMES:
        text = f"{len(found.names)} different regimes are named; write at most {MAX_REGIMES}"
        yield Finding(("phases",), text)


Rules = Regime | Rollout


def load_rules(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Rules:
    """Read what people are to live under: a regime, one with reforms behind it, or a roll-out.

    Parameters
    ----------
    name_or_path : a name of the catalogue or a path; behind a regime any number of ``+ reform``
    overrides : texts ``path=value``

    Raises
    ------
    FileFormError : a file is faulty, with every fault that was found
    """
    if isinstance(name_or_path, str) and "+" in name_or_path:
        return load_reformed(name_or_path, overrides)
    if name_or_path in catalogue.names("rollouts"):
        return load_rollout(name_or_path, overrides)
    is_file = isinstance(name_or_path, Path) or os.sep in name_or_path or name_or_path.endswith((".yaml", ".yml"))
    if is_file and _says_rollout(Path(name_or_path)):
        return load_rollout(name_or_path, overrides)
    return load_reformed(name_or_path, overrides)


def _says_rollout(path: Path) -> bool:
    """Tell whether a file calls itself a roll-out; whatever is wrong with it, its reader says."""
    try:
        with path.open("rb") as file:
            return b"underheaven-rollout/" in file.read(1 << 12)
    except OSError:
        return False


def load_rollout(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Rollout:
    """Read and validate a roll-out and the regimes that it names.

    Parameters
    ----------
    name_or_path : a name of the catalogue, or a path; regimes written as paths lie beside the file
    overrides : texts ``path=value`` of the roll-out file, as ``phases.0.from=90 days``

    Raises
    ------
    FileFormError : with every fault that was found, its place and its mend
    """
    file = catalogue.find("rollouts", name_or_path)
    tree = resolve(read_tree(file))
    of_kind(tree, FORMAT)
    given = tree.child("regimes")
    if given is not None:
        text = "the regimes of a roll-out are files of their own; name them under `baseline` and `phases`"
        raise FileFormError.of("UH110", text, given.where("regimes", at_key=True))
    tree = override(tree, overrides, Rollout)
    found = load(Rollout, tree)
    regimes = tuple(_named(name, file.parent, _place(tree, name)) for name in found.names)
    filled = found.model_copy(update={"regimes": regimes})
    filled.placed(tree)
    return filled


def branched(before: Rules, after: Regime, day: int, label: str) -> Rollout:
    """Return the roll-out in which a regime comes into force everywhere on a day, and until then what was before.

    Parameters
    ----------
    before : a regime or a roll-out, in force until the day
    after : in force from then on
    day : an exchange
    label : how the regime was asked for
    """
    kept = (
        {before.regime: before} if isinstance(before, Regime) else dict(zip(before.names, before.regimes, strict=True))
    )
    phases = () if isinstance(before, Regime) else before.phases
    name, n = label, 2
    while name in kept:
        name, n = f"{label} ({n})", n + 1
    baseline, kept[name] = next(iter(kept)), after
    found = Rollout.model_validate(
        {
            "format": FORMAT,
            "rollout": f"{before.regime[:28]}-then-{after.regime[:28]}".strip("-"),
            "title": f"{before.title}; from day {day} on: {after.title}",
            "kind": "hypothesis",
            "status": "provisional",
            "summary": f"{before.summary} From day {day} on, everywhere: {after.summary}",
            "baseline": baseline,
            "phases": [
                *(phase.model_dump(by_alias=True) for phase in phases if phase.from_.days < day),
                {"regime": name, "from": {"value": f"{day} days", "basis": "assumed", "note": "Chosen with --from."}},
            ],
        }
    )
    return found.model_copy(update={"regimes": tuple(kept[one] for one in found.names)})


def _place(tree: Node, name: str) -> Where | None:
    """Return where a regime is named."""
    phases = tree.child("phases")
    for number, phase in enumerate(phases.items if phases is not None else ()):
        node = phase.child("regime")
        if node is not None and node.value == name:
            return node.where(f"phases.{number}.regime")
    node = tree.child("baseline")
    return None if node is None else node.where("baseline")


def _named(name: str, folder: Path, where: Where | None) -> Regime:
    """Read a regime that a roll-out names; a path is taken from the folder of the roll-out."""
    first, plus, reforms = name.partition(" + ")
    if name in catalogue.names("rollouts"):
        raise FileFormError.of("UH112", f"{shown(name)} is a roll-out, and a phase is a regime; write one", where)
    if first.endswith((".yaml", ".yml")):
        first = str(folder / first)
    elif first not in catalogue.names("regimes"):
        guess = did_you_mean(first, catalogue.names("regimes"))
        mend = f"did you mean '{guess}'?" if guess else f"there are {', '.join(catalogue.names('regimes'))}"
        raise FileFormError.of("UH122", f"there is no regime {shown(first)}; {mend}", where)
    return load_reformed(f"{first}{plus}{reforms}")


# Compiling ------------------------------------------------------------------------------------------------


def compile_rules(rules: Rules, world: World) -> Compiled:
    """Compile a regime or a roll-out for a world.

    Raises
    ------
    FileFormError : a regime names what the world does not have, or a roll-out a county that it does not have
    """
    return compile_tables(rules, world) if isinstance(rules, Regime) else _compile_rollout(rules, world)


def _compile_rollout(rollout: Rollout, world: World) -> Compiled:
    alone = [compile_tables(regime, world) for regime in rollout.regimes]
    lists = list(dict.fromkeys(name for one in alone for name in one.lists))
    tiers = list(dict.fromkeys(name for one in alone for name in one.tiers))
    is_mixed = bool(tiers) and any(not one.tiers for one in alone)
    if len(lists) > MAX_LISTS:
        text = f"its regimes have {len(lists)} different lists together; at most {MAX_LISTS} are possible"
        raise FileFormError.of("UH121", text, rollout.where("phases"))
    if len(tiers) + is_mixed > MAX_TIERS:
        text = f"its regimes have {len(tiers)} different tiers together; at most {MAX_TIERS - is_mixed} are possible"
        raise FileFormError.of("UH121", text, rollout.where("phases"))
    each = [compile_tables(regime, world, lists) for regime in rollout.regimes]
    phases = np.concatenate([one.rules for one in each])
    scales: dict[tuple[object, ...], int] = {}
    for rules, one in zip(phases, each, strict=True):
        scale = (*one.ledgers, int(rules["start"]), int(rules["floor"]), int(rules["cap"]))
        rules["scale"] = scales.setdefault(scale, len(scales))
        rules["tier_column"] = MAX_TIERS - 1 if is_mixed else 0  # without tiers: everybody together
        rules["tier_column"][: len(one.tiers)] = [tiers.index(name) for name in one.tiers]
    names = [regime.firms.list_.name for regime in rollout.regimes if regime.firms and regime.firms.list_]
    for rules, regime in zip(phases, rollout.regimes, strict=True):
        if regime.firms and regime.firms.list_:
            rules["firm_list"] = 1 + names.index(regime.firms.list_.name)
    switches = _switches(rollout, world)
    told = json.dumps([[one.regime_hash for one in each], switches])
    return replace(
        each[0],
        rules=phases,
        institutions=tuple(one.institutions[0] for one in each),
        ledgers=max((one.ledgers for one in each), key=len),
        tiers=tiers,
        lists=lists,
        firms=next((one.firms for one in each if one.firms is not None), None),
        act_rows=[_of_any(rows) for rows in zip(*(one.act_rows for one in each), strict=True)],
        service_rows=[_of_any(rows) for rows in zip(*(one.service_rows for one in each), strict=True)],
        regime_hash=hashlib.sha256(told.encode()).hexdigest(),
        switches=switches,
    )


def _of_any(rows: Sequence[dict[str, object]]) -> dict[str, object]:
    """Return what a reader must know of an act or a service: what holds under any of the regimes."""
    return {key: next((row[key] for row in rows if row[key]), value) for key, value in rows[0].items()}


def _switches(rollout: Rollout, world: World) -> tuple[tuple[int, int, tuple[int, ...]], ...]:
    """Return (first day, regime, counties) of each phase, in the order of the days."""
    places = build_places(world)
    names, provinces = places.names, [places.provinces[number] for number in places.province_of.tolist()]
    found, faults = [], []
    for number, phase in enumerate(rollout.phases):
        chosen: set[int] = set() if phase.counties or phase.provinces else set(range(len(names)))
        for key, patterns, of in (("counties", phase.counties, names), ("provinces", phase.provinces, provinces)):
            for at, pattern in enumerate(patterns):
                hit = {county for county, name in enumerate(of) if fnmatchcase(name, pattern)}
                if not hit:
                    guess = did_you_mean(pattern, sorted(set(of)))
                    mend = f"did you mean '{guess}'?" if guess else f"it has {_some(of)}"
                    text = f"the world '{world.world}' has none of the {key} {shown(pattern)}; {mend}"
                    path = f"phases.{number}.{key}.{at}"
                    faults.append(
                        errors.Finding("UH121", rollout.where(path) or Where(rollout.rollout, path=path), text)
                    )
                chosen |= hit
        found.append((phase.from_.days, rollout.names.index(phase.regime), tuple(sorted(chosen))))
    if faults:
        raise FileFormError(faults)
    return tuple(sorted(found, key=lambda switch: switch[0]))


def _some(names: Sequence[str]) -> str:
    different = sorted(set(names))
    return ", ".join(different[:4]) + (f" and {len(different) - 4} more" if len(different) > 4 else "")
