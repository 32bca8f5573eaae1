"""Employers and lenders that screen: how many ask for a person's file before they take her on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from underheaven.life.tables import N_SERVICES, UNIT, Int64


@dataclass(frozen=True)
class Employers:
    """The firms that ask for a person's file.

    Parameters
    ----------
    services : numbers of the services at which only they ask
    share : of firms that ask anyway, 16 binary places
    at_first : of the others, those that ask before the first exchange, 16 binary places
    """

    services: tuple[int, ...]
    share: int
    at_first: int

    def table(self, screening_days: Int64 | None, firms: Int64, days: int) -> Int64:
        """Return what share of refusals is left, as not everybody asks.

        Parameters
        ----------
        screening_days : int64[county], days of the last window on which firms asked for the points; None: before any
        firms : int64[county]
        days : int, days of that window

        Returns
        -------
        int64[county, service] : 16 binary places; one for services at which everybody asks

        Notes
        -----
        A county without firms of its own is served by those of the nation.  Whole numbers only.
        """
        found = np.full((len(firms), N_SERVICES), UNIT, np.int64)
        paid = np.full(len(firms), self.at_first, np.int64)
        if screening_days is not None:
            nation = int(screening_days.sum()) * UNIT // max(1, int(firms.sum()) * days)
            paid = np.where(firms > 0, screening_days * UNIT // np.maximum(1, firms * days), nation)
        asking = self.share + ((UNIT - self.share) * paid >> 16)
        for service in self.services:
            found[:, service] = asking
        return found
