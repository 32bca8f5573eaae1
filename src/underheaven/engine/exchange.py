"""The exchange: what institutions make of one window's counts for the next window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from underheaven.institutions import Institutions
from underheaven.institutions.attribution import act_shares, hazard_gaps
from underheaven.life import counters as c
from underheaven.life.tables import (
    CAMERA,
    EXCHANGE,
    FACE,
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
    hits: Int64  # [channel, zone, class] wrong names to be drawn from this class
    hit_acts: Int64  # [channel, zone, act]
    firm: Int64  # [class of firms, counter from FIRMS on]


#: What institutions remember from one exchange to the next, by name; whole numbers only.  Part of a checkpoint.
Memory = dict[str, Int64]


def first_memory(institutions: Institutions, n_counties: int) -> Memory:
    """Return what the institutions remember before the first exchange.

    `backlog` : int64[county], appeals waiting, in billionths of a case.
    """
    return {"backlog": np.zeros(n_counties, np.int64)}


def zones_of(institutions: Institutions, n_counties: int) -> Int64:
    """Return the zone whose people, or firms, a wrong name is drawn from, int64[channel, county]."""
    zones = np.zeros((N_CHANNELS, n_counties), np.int64)
    for channel, national in enumerate(institutions.is_national):
        if not national:
            zones[channel] = np.arange(n_counties)
    return zones


def empty_counts(zones: Int64) -> Counts:
    """Make counts of zero."""
    n_zones = int(zones.max()) + 1
    return Counts(
        county=np.zeros((zones.shape[1], c.N_COUNTERS), np.int64),
        stratum=np.zeros((N_STRATA, c.N_COUNTERS), np.int64),
        hits=np.zeros((N_CHANNELS, n_zones, N_LOOKS), np.int64),
        hit_acts=np.zeros((N_CHANNELS, n_zones, N_ACTS), np.int64),
        firm=np.zeros((N_FIRM_CLASSES, c.N_COUNTERS - c.FIRMS), np.int64),
    )


def next_exchange(
    institutions: Institutions, census: Census, day: int, last: Counts | None, last_days: int, memory: Memory
) -> tuple[NDArray[np.void], Memory]:
    """Let the institutions read the last window and hand over the tables of the next.

    Parameters
    ----------
    institutions, census : what there is
    day : int, first day of the window to come
    last : Counts of the window before; None before day 0
    last_days : int, its length
    memory : what the institutions remember

    Returns
    -------
    (EXCHANGE[county], Memory) : the tables, and what they remember now
    """
    n_counties, window = len(census.people), institutions.window_days
    tables = np.zeros(n_counties, EXCHANGE)
    tables["seen"][:, REGISTER] = ONE
    tables["seen"][:, REPORT] = institutions.report_seen
    if institutions.cameras is not None:
        tables["seen"][:, CAMERA] = institutions.cameras.coverage(census.urban_share, census.people, day)
    _recognise(institutions, census, last, last_days, tables)
    if last is not None:
        _attribute(institutions, census, last, last_days, tables)
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
    return tables, memory


def _by_zone(counts: Int64, is_national: bool) -> Int64:
    """Return counts [zone, ...]: one zone for the nation, or one a county."""
    return counts.sum(axis=0, keepdims=True) if is_national else counts


def _recognise(
    institutions: Institutions, census: Census, last: Counts | None, last_days: int, tables: NDArray[np.void]
) -> None:
    """Fill in what a probe yields, by the size of the gallery and the time that reviewers have."""
    law, is_national = institutions.recognition, institutions.is_national[FACE]
    if law is None:
        tables["face_right"] = ONE
        return
    heads = _by_zone(census.people, is_national).tolist()
    galleries = _by_zone(census.galleries, is_national).tolist()
    looks = _by_zone(census.looks, is_national).tolist()
    probes = [0] * len(heads) if last is None else _by_zone(last.county[:, c.PROBES], is_national).tolist()
    known: dict[tuple[int, float], tuple[Int64, Int64]] = {}
    for zone, (people, gallery, searched) in enumerate(zip(heads, galleries, probes, strict=True)):
        matches = searched * law.matches_per_search(gallery, looks[zone])
        key = gallery, law.reviewed_share(matches, people, last_days)
        if key not in known:
            known[key] = law.tables(*key)
        place = slice(None) if is_national else slice(zone, zone + 1)
        tables["face_right"][place], tables["face_wrong"][place] = known[key]


def _attribute(
    institutions: Institutions, census: Census, last: Counts, last_days: int, tables: NDArray[np.void]
) -> None:
    """Turn the wrong names of the last window into hazards of the next."""
    window = institutions.window_days
    channels = (("face", census.looks), ("link", census.names))
    for channel, (name, pool) in enumerate(channels):
        is_national = institutions.is_national[channel]
        people = _by_zone(pool, is_national)
        n_zones, n_classes = people.shape
        gaps = hazard_gaps(last.hits[channel, :n_zones, :n_classes], people, last_days, window)
        acts = act_shares(last.hit_acts[channel, :n_zones])
        tables[f"{name}_gaps"][:, :, :window] = gaps
        tables[f"{name}_acts"] = acts
        tables["has_wrong_names"] |= (gaps[..., 0] > 0).any(axis=1)
    firms = _by_zone(census.firms[:, None], institutions.is_national[FIRM_LINK])
    n_zones = len(firms)
    tables["firm_gaps"][:, :window] = hazard_gaps(last.hits[FIRM_LINK, :n_zones, :1], firms, last_days, window)[:, 0]
    tables["firm_acts"] = act_shares(last.hit_acts[FIRM_LINK, :n_zones, :N_FIRM_ACTS])
