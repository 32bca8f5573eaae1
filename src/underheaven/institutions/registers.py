"""Registers: linking a record to a person by name and birth date, with missed and false links."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from underheaven.life.tables import N_LOOKS, N_NAMES, Int64
from underheaven.rng import ONE


@dataclass(frozen=True)
class Registers:
    """How records of several registers are brought together.

    Parameters
    ----------
    is_national : wrong links fall on namesakes anywhere, else on those of the county
    missed : [look] chance that a record finds nobody
    false : [name] chance that it is laid to a namesake
    """

    is_national: bool
    missed: tuple[float, ...]
    false: tuple[float, ...]

    def tables(self) -> tuple[Int64, Int64]:
        """Return `link_right` and `link_other`, int64[look, name] thresholds."""
        right = np.zeros((N_LOOKS, N_NAMES), np.int64)
        other = np.zeros((N_LOOKS, N_NAMES), np.int64)
        for look in range(N_LOOKS):
            for name in range(N_NAMES):
                false = min(1.0, self.false[name])
                missed = min(1.0 - false, self.missed[look])
                other[look, name] = int(false * ONE + 0.5)
                right[look, name] = ONE - other[look, name] - int(missed * ONE + 0.5)
        return np.maximum(right, 0), other


#: Without cross-checking each register keeps to itself, and knows its own people.
NO_LINKING = Registers(True, (0.0,) * N_LOOKS, (0.0,) * N_NAMES)
