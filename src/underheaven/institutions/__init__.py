"""What happens between exchanges: institutions read the counts of a window and hand tables to the next.

They run on the host, one thread, with + - x / and Python's `math` only (NumPy's exp, log and pow give other
bits on other processors), and what they hand over is stored with the run.
"""

from __future__ import annotations

from dataclasses import dataclass

from underheaven.institutions.cameras import Cameras, Recognition
from underheaven.institutions.courts import Appeals
from underheaven.institutions.demands import Demand
from underheaven.institutions.employers import Employers
from underheaven.institutions.hospitals import Hospitals
from underheaven.institutions.patrols import Patrols
from underheaven.institutions.press import Press
from underheaven.institutions.risk_model import RiskModel


@dataclass(frozen=True)
class Institutions:
    """The institutions of a run; None where the regime has none."""

    cameras: Cameras | None
    recognition: Recognition | None
    links_are_national: bool
    report_seen: int  # threshold: an act of channel `report` is written down
    appeals: Appeals | None
    hospitals: Hospitals
    window_days: int
    patrols: Patrols | None = None  # None: cameras stay where they are
    demands: tuple[Demand, ...] = ()
    risk_model: RiskModel | None = None
    companion_seen: int = 0  # threshold: an act that only companions see is reported by them
    press: Press | None = None  # None: the wrongdoing of officials does not move

    has_registers: bool = True
    has_firms: bool = False
    firm_links_are_national: bool = True
    employers: Employers | None = None

    @property
    def has_channel(self) -> tuple[bool, bool, bool]:
        """Whether the regime gives names to faces, to records and to those of firms (FACE, LINK, FIRM_LINK)."""
        return self.recognition is not None, self.has_registers, self.has_firms

    @property
    def is_national(self) -> tuple[bool, bool, bool]:
        """Whether a wrong name can fall on anybody (FACE, LINK, FIRM_LINK), not only on those of the county."""
        faces = self.recognition is None or self.recognition.is_national
        return faces, self.links_are_national, self.firm_links_are_national
