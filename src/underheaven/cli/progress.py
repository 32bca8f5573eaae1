"""What is said on stderr while a run is lived: a bar on a terminal, else a line every ten seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SECONDS_BETWEEN_LINES = 10.0


def amount(number: float) -> str:
    """Return a number with three digits and a unit of thousands: 740k, 1.41G."""
    for unit in ("", "k", "M", "G"):
        if abs(number) < 999.5:
            return f"{number:.3g}{unit}"
        number /= 1000
    return f"{number:,.0f}T"


def duration(seconds: float) -> str:
    """Return a time as people say it: 8 s, 2 min 5 s, 3 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Narrator:
    """Tell how far a run is; a context manager, and called by the run after each window.

    Parameters
    ----------
    is_quiet : say nothing
    head : what is said once the run begins, where there is no bar
    """

    def __init__(self, is_quiet: bool, head: str = "") -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._is_quiet, self._head = is_quiet, head
        self.is_live = not is_quiet and self._console.is_terminal and not self._console.is_dumb_terminal
        self._has_begun = False
        self._from: tuple[int, int, float] | None = None  # day, citizen-days and seconds after the first window
        self._task: TaskID
        self._said_at = time.monotonic()
        self._bar = self._new_bar() if self.is_live else None

    def _new_bar(self) -> Progress:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        return Progress(
            SpinnerColumn(),
            TextColumn("day {task.completed:.0f} of {task.total:.0f}"),
            BarColumn(),
            TextColumn("{task.description}"),
            console=self._console,
            transient=True,
        )

    def __enter__(self) -> Narrator:
        """Show the bar."""
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away, whatever happened."""
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, day: int, days: int, citizen_days: int, seconds: float, note: str) -> None:
        """Take the state of the run after a window."""
        if self._is_quiet:
            return
        if not self._has_begun:
            self._has_begun = True
            if self._head and self._bar is None:
                self.say(self._head)
            if self._bar is not None:
                self._task = self._bar.add_task(note or "starting", total=days, completed=day)
            elif note:
                self.say(note)
            return
        if self._from is None:
            # The first window may hold the time of compiling; speed is measured from its end.
            self._from = day, citizen_days, seconds
            text = "measuring the speed"
        else:
            since_day, since_citizen_days, since_seconds = self._from
            spent = max(seconds - since_seconds, 1e-9)
            rate = (citizen_days - since_citizen_days) / spent
            text = f"{amount(rate)} citizen-days/s, {duration(spent / max(1, day - since_day) * (days - day))} left"
        if self._bar is not None:
            self._bar.update(self._task, completed=day, description=text)
        elif time.monotonic() - self._said_at >= SECONDS_BETWEEN_LINES:
            self.say(f"day {day} of {days}, {text}")

    def say(self, text: str) -> None:
        """Print a line, above the bar if there is one."""
        if self._is_quiet:
            return
        self._said_at = time.monotonic()
        if self._bar is not None:
            self._console.print(text, markup=False)
        else:
            print(text, file=sys.stderr, flush=True)
