"""The exchange: what institutions make of one window's counts for the next window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from underheaven.institutions import Institutions
from underheaven.institutions.attribution import act_shares, hazard_gaps
from underheaven.institutions.cameras import Cameras
from underheaven.institutions.patrols import first_cameras
from underheaven.institutions.press import Press, first_press
from underheaven.institutions.risk_model import hand_over
from underheaven.institutions.sight import Sight
from underheaven.life import counters as c
from underheaven.life.tables import (
    CAMERA,
    COMPANION,
    EXCHANGE,
    FIRM_LINK,
    N_ACTS,
    N_CHANNELS,
    N_FIRM_ACTS,
    N_FIRM_CLASSES,
    N_LOOKS,
    N_STRATA,
    REGISTER,
    REPORT,
    UNIT,
    Int64,
)
from underheaven.rng import ONE


@dataclass(frozen=True)
class Census:
    """Head counts that the institutions work with, counted once before day 0."""

    people: Int64  # [county]
    galleries: Int64  # [county] faces of the county's own gallery: those of the whole county, not only of the run
    strata: Int64  # [county, stratum]
    names: Int64  # [county, name class]
    urban_share: Int64  # [county] threshold
    firms: Int64  # [county]

    @property
    def looks(self) -> Int64:
        """Head counts by look-alike class, int64[county, look]."""
        looks: Int64 = self.strata.reshape(len(self.people), N_LOOKS, N_STRATA // N_LOOKS).sum(axis=2)
        return looks


class Counts(NamedTuple):
    """What a window has added up; whole numbers, the same in any order."""

    county: Int64  # [county, counter]
    stratum: Int64  # [stratum, counter]
    hits: Int64  # [channel, county, class] wrong names that left it, to be drawn from this class
    hit_acts: Int64  # [channel, county, act]
    firm: Int64  # [class of firms, counter from FIRMS on]


#: What institutions remember from one exchange to the next, by name; whole numbers only.  Part of a checkpoint.
Memory = dict[str, Int64]


@dataclass(frozen=True)
class Phases:
    """The institutions of a run's regimes, and from which day on each regime is in force in which counties.

    Parameters
    ----------
    institutions : by regime; the first is in force where and while no other is
    switches : (first day, regime, int64[] counties), in the order of the days; a county changes over at the first
        exchange on or after the day
    n_counties : int
    models : by regime: the first regime with the same risk score, which is learnt for all of them as one
    """

    institutions: tuple[Institutions, ...]
    switches: tuple[tuple[int, int, tuple[int, ...]], ...]
    n_counties: int
    models: tuple[int, ...] = (0,)

    def in_force(self, day: int) -> Int64:
        """Return the regime that is in force in each county on a day that is an exchange, int64[county]."""
        found = np.zeros(self.n_counties, np.int64)
        for first_day, regime, counties in self.switches:
            if first_day <= day:
                found[list(counties)] = regime
        return found

    @property
    def look_at_people(self) -> bool:
        """Tell whether an institution of any regime looks at people, not only at counts."""
        return any(institutions.risk_model is not None for institutions in self.institutions)


def look_at_people(phases: Phases, rules: Any, sight: Sight, last_days: int, memory: Memory) -> Memory:
    """Let the institutions that look at people do so, before the exchange of a day.

    Parameters
    ----------
    phases : the institutions of each of the run's regimes, and where they are in force
    rules : RULES[regime]
    sight : what there is to see; its rules and counties are those of each model by turns
    last_days : int, length of the last window; a model sees the counties where it was and is in force
    memory : what the institutions remember; of these by model, as `risk_on@0`

    Returns
    -------
    Memory : what they remember now
    """
    model_of = np.array(phases.models)
    now, before = model_of[phases.in_force(sight.day)], model_of[phases.in_force(sight.day - last_days)]
    if last_days == 0:
        before = np.zeros_like(now)  # the files are still those of the first regime
    for phase, institutions in enumerate(phases.institutions):
        if institutions.risk_model is not None and phases.models[phase] == phase:
            mine = sight._replace(rules=rules[phase], counties=(now == phase) & (before == phase))
            seen = institutions.risk_model.look(mine, of_model(memory, phase))
            memory = memory | {f"{name}@{phase}": array for name, array in seen.items()}
    return memory


def of_model(memory: Memory, number: int) -> Memory:
    """Return what is remembered of one model, under its names without the number of the model."""
    end = f"@{number}"
    return {name.removesuffix(end): array for name, array in memory.items() if name.endswith(end)}


#: What a model of risk sees of a regime; two regimes that are equal in it share one.
_SEEN_BY_A_MODEL = (
    "scale", "n_ledgers", "n_lists", "has_list", "n_tiers", "cutoffs", "tier_sanctions", "list_sanctions",
    "risk_friends", "n_risk_traits", "risk_shift",
)  # fmt: skip


def shared_models(institutions: tuple[Institutions, ...], rules: Any) -> tuple[int, ...]:
    """Return, for each regime of a run, the first one with the same risk score over the same files."""
    found: list[int] = []
    for number, mine in enumerate(institutions):
        same = (
            other
            for other in range(number)
            if institutions[other].risk_model == mine.risk_model
            and all(np.array_equal(rules[other][name], rules[number][name]) for name in _SEEN_BY_A_MODEL)
        )
        found.append(next(same, number))
    return tuple(found)


def first_memory(phases: Phases) -> Memory:
    """Return what the institutions remember before the first exchange.

    `backlog` : int64[county], appeals waiting, in billionths of a case.
    With a rule of allocation also int64[county] each: `cameras_moved`, in 1/65536 of a camera, their sum is 0;
    `camera_counts`, what the rule goes by; `camera_seen`, thresholds of the last window.
    What the press remembers says `institutions.press.first_press`.
    """
    names = ["backlog"]
    if any(institutions.patrols is not None for institutions in phases.institutions):
        names += ["cameras_moved", "camera_counts", "camera_seen"]
    found = {name: np.zeros(phases.n_counties, np.int64) for name in names}
    press = next((institutions.press for institutions in phases.institutions if institutions.press is not None), None)
    return found if press is None else found | first_press(press, phases.n_counties)


def empty_counts(n_counties: int) -> Counts:
    """Make counts of zero."""
    return Counts(
        county=np.zeros((n_counties, c.N_COUNTERS), np.int64),
        stratum=np.zeros((N_STRATA, c.N_COUNTERS), np.int64),
        hits=np.zeros((N_CHANNELS, n_counties, N_LOOKS), np.int64),
        hit_acts=np.zeros((N_CHANNELS, n_counties, N_ACTS), np.int64),
        firm=np.zeros((N_FIRM_CLASSES, c.N_FIRM_COUNTERS), np.int64),
    )


def next_exchange(
    phases: Phases, census: Census, day: int, last: Counts | None, last_days: int, memory: Memory
) -> tuple[NDArray[np.void], Memory]:
    """Let the institutions read the last window and hand over the tables of the next.

    Parameters
    ----------
    phases : the institutions of each of the run's regimes, and where they are in force
    census : head counts
    day : int, first day of the window to come
    last : Counts of the window before; None before day 0
    last_days : int, its length
    memory : what the institutions remember

    Returns
    -------
    (EXCHANGE[county], Memory) : the tables, and what they remember now
    """
    in_force = phases.in_force(day)
    before = phases.in_force(day - last_days) if last is not None else np.zeros_like(in_force)
    tables = np.zeros(len(census.people), EXCHANGE)
    remembered = dict(memory)
    for phase, institutions in enumerate(phases.institutions):
        here = in_force == phase
        if len(phases.institutions) == 1:
            tables, remembered = _hand_over(institutions, census, day, last, last_days, memory, here, ~here)
        elif here.any():
            own = {name: memory.get(_own(name, phase), array) for name, array in memory.items()}
            alike, alike_before = (_same_cameras(phases, institutions, now) for now in (in_force, before))
            new = alike & ~alike_before
            handed, own = _hand_over(institutions, census, day, last, last_days, own, alike, new)
            tables[here] = handed[here]
            for name, array in own.items():
                if len(array) == len(here):  # by county
                    remembered[name] = np.where(here.reshape(-1, *[1] * (array.ndim - 1)), array, remembered[name])
                else:
                    remembered[_own(name, phase)] = array
    _recognise(phases, in_force, census, last, last_days, tables)
    if last is not None:
        _attribute(phases, in_force, census, last, last_days, tables)
    for phase in range(len(phases.models)):
        hand_over(of_model(remembered, phases.models[phase]), in_force == phase, tables)
    tables["phase"], tables["phase_before"] = in_force, before
    return tables, remembered


def _same_cameras(phases: Phases, institutions: Institutions, in_force: Int64) -> NDArray[np.bool_]:
    """Tell in which counties cameras are placed by the same rules: between those they can move."""
    mine = institutions.cameras, institutions.patrols
    same: NDArray[np.bool_] = np.array([(i.cameras, i.patrols) == mine for i in phases.institutions])[in_force]
    return same


def _own(name: str, phase: int) -> str:
    """Return the name under which one regime's institutions remember what is not by county."""
    return name if "@" in name else f"{name}@{phase}"


def _hand_over(
    institutions: Institutions,
    census: Census,
    day: int,
    last: Counts | None,
    last_days: int,
    memory: Memory,
    here: NDArray[np.bool_],
    new: NDArray[np.bool_],
) -> tuple[NDArray[np.void], Memory]:
    """Let the institutions of one regime hand over their tables, as if it were in force in every county.

    Cameras pass between the counties `here`; those that are `new` had other rules for them in the last window.
    """
    n_counties, window = len(census.people), institutions.window_days
    tables = np.zeros(n_counties, EXCHANGE)
    tables["cameras"] = -1
    tables["seen"][:, REGISTER] = ONE
    tables["seen"][:, REPORT] = institutions.report_seen
    tables["seen"][:, COMPANION] = institutions.companion_seen
    if institutions.cameras is not None:
        memory = _watch(institutions, institutions.cameras, census, day, last, tables, memory, here, new)
    visits = np.zeros((n_counties, 3), np.int64)
    if last is None:
        visits[:, 1] = [int(a_day * window) for a_day in institutions.hospitals.expected_visits(census.strata)]
    else:
        visits = last.county[:, c.VISITS_RANK : c.VISITS_RANK + 3]
    tables["wait_minutes"] = institutions.hospitals.wait_minutes(visits, census.strata, last_days or window)
    tables["appeal_days"] = 1
    tables["screening"] = UNIT
    if institutions.employers is not None:
        asked = None if last is None else last.county[:, c.FIRMS + c.FIRM_SCREENING_DAYS]
        tables["screening"] = institutions.employers.table(asked, census.firms, last_days)
    if institutions.appeals is not None:
        filed = np.zeros(n_counties, np.int64) if last is None else last.county[:, c.APPEALS]
        backlog, tables["appeal_days"] = institutions.appeals.step(memory["backlog"], filed, census.people, last_days)
        memory = memory | {"backlog": backlog}
    return tables, memory | _publish(institutions.press, census, last, last_days, memory, tables)


def _publish(
    press: Press | None,
    census: Census,
    last: Counts | None,
    last_days: int,
    memory: Memory,
    tables: NDArray[np.void],
) -> Memory:
    """Let the wrongdoing of officials move by what was made public, and as it would have if all had been heard."""
    tables["wrongdoing"], tables["wrongdoing_heard"] = UNIT, UNIT
    if press is None:
        return {}
    found: Memory = {}
    for which in ("", "_heard"):
        level, waiting = memory[f"wrongdoing{which}"], memory[f"exposures{which}"]
        if last is not None:
            made = last.county[:, c.ACTIVITY + c.PER_ACTIVITY * press.act + c.DONE]
            silenced = last.county[:, c.ACTIVITY + c.PER_ACTIVITY * press.act + c.SILENCED]
            reached = made + silenced if which else made - last.county[:, c.EXPOSURES_UNHEARD]
            level, waiting = press.step(level, waiting, reached, census.people, last_days)
        tables[f"wrongdoing{which}"] = level
        found |= {f"wrongdoing{which}": level, f"exposures{which}": waiting}
    return found


def _zones(in_force: Int64, phases: Phases, channel: int) -> list[Int64]:
    """Return the zones of a channel, each by its counties: a wrong name falls on somebody of the zone it comes from.

    National galleries (or registers) of all regimes that have any are one zone; every other county is its own.
    A county whose regime has none is in no zone.
    """
    has = np.array([institutions.has_channel[channel] for institutions in phases.institutions])[in_force]
    is_national = np.array([institutions.is_national[channel] for institutions in phases.institutions])[in_force]
    nation = np.flatnonzero(has & is_national)
    return [*([nation] if len(nation) else []), *np.flatnonzero(has & ~is_national).reshape(-1, 1)]


def _watch(
    institutions: Institutions,
    cameras: Cameras,
    census: Census,
    day: int,
    last: Counts | None,
    tables: NDArray[np.void],
    memory: Memory,
    here: NDArray[np.bool_],
    new: NDArray[np.bool_],
) -> Memory:
    """Say what share of acts the cameras of each county see, and send them on where a rule says so."""
    densities = cameras.densities(census.urban_share, census.people, day)
    patrols = institutions.patrols
    if patrols is None:
        tables["seen"][:, CAMERA] = cameras.in_view(densities)
        return memory
    start = first_cameras(cameras, census.urban_share, census.people)
    # A county that has changed over has the cameras of the law, and none of the counts.
    away, counts = (np.where(new, 0, memory[name]) for name in ("cameras_moved", "camera_counts"))
    if last is not None:
        acts = np.array(patrols.acts, np.int64) * c.PER_ACTIVITY + c.ACTIVITY + c.DONE
        at = here & ~new
        found, done = last.county[at, c.PROBES].tolist(), last.county[at][:, acts].sum(axis=1).tolist()
        counts[at] = patrols.remember(counts[at].tolist(), found, done, memory["camera_seen"][at].tolist())
        now = patrols.send_on((start + away)[here].tolist(), counts[here].tolist(), census.people[here].tolist())
        away[here] = np.array(now, np.int64) - start[here]
    # Only what was moved is added to the law, so that a rule that moves nothing leaves every bit as it is.
    grown = cameras.grown(day)
    more = [1000.0 * m / UNIT / n * grown for m, n in zip(away.tolist(), census.people.tolist(), strict=True)]
    seen = cameras.in_view([max(0.0, d + m) for d, m in zip(densities, more, strict=True)])
    tables["seen"][:, CAMERA] = seen
    tables["cameras"] = [int(n * grown) for n in (start + away).tolist()]
    return memory | {"cameras_moved": away, "camera_counts": counts, "camera_seen": seen}


def _recognise(
    phases: Phases, in_force: Int64, census: Census, last: Counts | None, last_days: int, tables: NDArray[np.void]
) -> None:
    """Fill in what a probe yields, by the size of the gallery and the time that reviewers have."""
    laws = [institutions.recognition for institutions in phases.institutions]
    probes = np.zeros(len(in_force), np.int64) if last is None else last.county[:, c.PROBES]
    looks = census.looks
    for number, law in enumerate(laws):
        if law in laws[:number]:
            continue  # regimes with the same law share their gallery and their reviewers
        here = np.array([other == law for other in laws])[in_force]
        if law is None:
            tables["face_right"][here] = ONE
            continue
        known: dict[tuple[int, float], tuple[Int64, Int64]] = {}
        for zone in [here] if law.is_national else np.flatnonzero(here).reshape(-1, 1):
            people, gallery = int(census.people[zone].sum()), int(census.galleries[zone].sum())
            if not people:
                continue
            matches = int(probes[zone].sum()) * law.matches_per_search(gallery, looks[zone].sum(axis=0).tolist())
            key = gallery, law.reviewed_share(matches, people, last_days)
            if key not in known:
                known[key] = law.tables(*key)
            tables["face_right"][zone], tables["face_wrong"][zone] = known[key]


def _attribute(
    phases: Phases, in_force: Int64, census: Census, last: Counts, last_days: int, tables: NDArray[np.void]
) -> None:
    """Turn the wrong names of the last window into hazards of the next."""
    window = phases.institutions[0].window_days
    channels = (("face", census.looks), ("link", census.names))
    for channel, (name, pool) in enumerate(channels):
        zones = _zones(in_force, phases, channel)
        if not zones:
            continue
        n_classes = pool.shape[1]
        people = np.array([pool[zone].sum(axis=0) for zone in zones])
        hits = np.array([last.hits[channel][zone, :n_classes].sum(axis=0) for zone in zones])
        gaps = hazard_gaps(hits, people, last_days, window)
        acts = act_shares(np.array([last.hit_acts[channel][zone].sum(axis=0) for zone in zones]))
        for number, zone in enumerate(zones):
            tables[f"{name}_gaps"][zone, :, :window] = gaps[number]
            tables[f"{name}_acts"][zone] = acts[number]
            tables["has_wrong_names"][zone] |= int((gaps[number, ..., 0] > 0).any())
    for zone in _zones(in_force, phases, FIRM_LINK):
        hits, firms = last.hits[FIRM_LINK][zone, :1].sum(), census.firms[zone].sum()
        tables["firm_gaps"][zone, :window] = hazard_gaps(np.array([hits]), np.array([firms]), last_days, window)[0]
        tables["firm_acts"][zone] = act_shares(last.hit_acts[FIRM_LINK][zone, :N_FIRM_ACTS].sum(axis=0)[None])[0]
