"""Courts and review boards: appeals wait for a reviewer, and the backlog is carried on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from underheaven.life.tables import Int64

#: A capacity is counted in thousandths of a case per million people and day, a backlog in billionths of a case.
THOUSANDTHS = 1_000
CASE = 1_000_000 * THOUSANDTHS
NO_DECISION = 65_535  # days; without a reviewer none is ever made


@dataclass(frozen=True)
class Appeals:
    """The capacity that appeals meet.

    Parameters
    ----------
    decision_days : shortest time to a decision
    capacity : cases decided per million people and day, in thousandths (reviewers x cases a reviewer and day)
    """

    decision_days: int
    capacity: int

    def step(self, backlog: Int64, filed: Int64, people: Int64, days: int) -> tuple[Int64, Int64]:
        """Carry the backlog over a window and say how long a new appeal takes.

        Parameters
        ----------
        backlog : int64[county], in billionths of a case
        filed : int64[county], appeals filed in the window
        people : int64[county]
        days : int, days of the window that has passed

        Returns
        -------
        (int64[county], int64[county]) : new backlog; days until a decision, 1 .. 65,535
        """
        capacity = people * self.capacity  # billionths of a case a day
        backlog = np.maximum(0, backlog + filed * CASE - capacity * days)
        queue_days = -(-backlog // np.maximum(1, capacity))
        wait = np.where(capacity > 0, self.decision_days + queue_days, NO_DECISION)
        return backlog, np.clip(wait, 1, NO_DECISION)
