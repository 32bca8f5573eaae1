"""Every error that a user can meet: one tree, one code each, with place, cause and mend.

    UnderheavenError
    ├── FileFormError    UH1xx  a regime, world or study file says something that cannot be used      exit 2
    ├── CommandError     UH8xx  a command or a Python call asks for something that cannot be done     exit 2
    ├── StoreError       UH7xx  a run folder cannot be read, written or continued                     exit 1, or 2 *
    ├── RunError         UH9xx  a run has broken one of its own promises; a fault of ours             exit 1
    └── Interrupted      UH990  somebody asked the run to stop; it can be resumed                     exit 130

* 2 where another command would have done: the folder is taken, there is no run, it is another run (`ASKED_WRONGLY`).

A message says what was found, where, and what to write instead.  No user's mistake shows a traceback.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: What each code means.  Append only; a code is never used again for something else.
CODES = {
    "UH101": "the file cannot be read, or is not text in UTF-8",
    "UH102": "the file is too large, too deep or has too many parts",
    "UH103": "anchors, aliases, tags and merge keys are not allowed",
    "UH104": "the text is not YAML",
    "UH105": "a key stands twice",
    "UH106": "the file holds more than one document, or none",
    "UH107": "a value is of no allowed form",
    "UH110": "an unknown key",
    "UH111": "a missing key",
    "UH112": "a value of the wrong kind",
    "UH113": "a number out of range",
    "UH114": "a unit is missing or wrong",
    "UH115": "a number without a source or a basis",
    "UH116": "an unknown source",
    "UH120": "two parts of the file do not fit together",
    "UH121": "regime and world do not fit together",
    "UH122": "no such entry in the catalogue",
    "UH130": "a table about persons; only aggregates may enter",
    "UH131": "--set names no place in the file, or a value that cannot stand there",
    "UH701": "the folder exists and is not ours to replace",
    "UH702": "there is no run, or it is not complete",
    "UH703": "a stored file is damaged",
    "UH704": "the checkpoint belongs to another run",
    "UH705": "the disk refused",
    "UH706": "another process is writing this run",
    "UH801": "an unknown command or option",
    "UH802": "a value out of range",
    "UH803": "a value of the wrong form",
    "UH804": "nothing of the kind is there",
    "UH901": "an invariant does not hold",
    "UH902": "not enough memory",
    "UH911": "a run of a version with other results",
    "UH912": "a run that its files do not lead to",
    "UH913": "a life that does not come out as it was",
    "UH990": "interrupted",
}

#: Codes of the store that name no fault of the disk or of ours: another command would have done.
ASKED_WRONGLY = frozenset({"UH701", "UH702", "UH704", "UH706"})

#: How wide a message is where nobody knows the width of the terminal.
WIDTH = 80


def printable(text: str) -> str:
    """Return a text in which everything that a terminal would obey is a dot."""
    return "".join(c if c.isprintable() else "." for c in text)


@dataclass(frozen=True)
class Where:
    """A place: a file with line and column (both from 1), a path inside it, and the line itself.

    An option of the command line stands for a file, and is named by its path: ``--set points.jaywalking``.
    """

    file: str
    line: int | None = None
    column: int | None = None
    path: str = ""
    text: str = ""

    @property
    def is_option(self) -> bool:
        """Whether the place is on the command line."""
        return self.file.startswith("--")

    def __str__(self) -> str:
        """Return ``file:line:column: path``."""
        if self.is_option:
            return f"{self.file} {self.path}".rstrip()
        at = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{at}: {self.path}" if self.path else at

    def excerpt(self, width: int = WIDTH) -> str:
        """Return the line with a caret below the column, no wider than `width`; empty if the line is not known."""
        if self.line is None or self.column is None or not self.text:
            return ""
        number = "" if self.is_option else f"{self.line} "
        room = max(10, width - len(number) - 4)
        # A long line is cut around the column, and what a terminal would obey is shown as a dot.
        start = max(0, min(self.column - 1 - room // 2, len(self.text) - room))
        shown = printable(self.text[start : start + room])
        return f"  {number}| {shown}\n  {' ' * len(number)}| {' ' * (self.column - 1 - start)}^"


@dataclass(frozen=True)
class Finding:
    """One fault: its code, its place and a sentence that says what is wrong and what to write instead."""

    code: str
    where: Where | None
    text: str

    def __str__(self) -> str:
        """Return place, cause and mend, with the line and a caret where it is known."""
        head = f"{self.where}: {self.text} [{self.code}]" if self.where else f"{self.text} [{self.code}]"
        excerpt = self.where.excerpt() if self.where else ""
        return f"{head}\n{excerpt}" if excerpt else head

    def fitted(self, width: int, head: str = "") -> str:
        """Return the same in lines no wider than `width`, behind a head; only a longer word or path stays whole."""
        text = printable(f"{self.where}: {self.text}" if self.where else self.text)
        lines = textwrap.wrap(  # dots hold the room of the head, so that no break comes behind it
            f"{'.' * len(head)}{text} [{self.code}]",
            width,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines[0] = head + lines[0][len(head) :]
        excerpt = self.where.excerpt(width) if self.where else ""
        return "\n".join([*lines, excerpt] if excerpt else lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the finding for JSON."""
        where = self.where
        place = {"file": where.file, "line": where.line, "column": where.column, "path": where.path} if where else None
        return {"code": self.code, "where": place, "text": self.text}


class UnderheavenError(Exception):
    """The root of the tree: one or more findings.

    Parameters
    ----------
    findings : at least one Finding
    """

    exit_code: int = 1

    def __init__(self, findings: Sequence[Finding]) -> None:
        if not findings:
            raise ValueError("an error needs at least one finding")
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))

    @classmethod
    def of(cls, code: str, text: str, where: Where | None = None) -> UnderheavenError:
        """Make an error of one finding."""
        assert code in CODES, code
        return cls([Finding(code, where, text)])

    @property
    def code(self) -> str:
        """The code of the first finding."""
        return self.findings[0].code

    def as_dict(self) -> dict[str, Any]:
        """Return the error for JSON."""
        return {"error": type(self).__name__, "findings": [finding.as_dict() for finding in self.findings]}


class FileFormError(UnderheavenError):
    """A file that people write says something that cannot be used."""

    exit_code = 2


class CommandError(UnderheavenError):
    """A command or a call asks for something that cannot be done."""

    exit_code = 2

    @classmethod
    def out_of_range(cls, name: str, value: object, allowed: str) -> UnderheavenError:
        """Say that a number is out of range."""
        return cls.of("UH802", f"{name} is {value}; write a number within {allowed}")


class StoreError(UnderheavenError):
    """A run folder cannot be read, written or continued."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(findings)
        self.exit_code = 2 if self.code in ASKED_WRONGLY else 1

    @classmethod
    def other_run(cls, key: str, was: object, now: object) -> UnderheavenError:
        """Say that a checkpoint belongs to another run."""
        return cls.of(
            "UH704",
            f"the checkpoint was made with {key} {was}, and this run has {now}; "
            "resume with the same regime, world, seed and days, or choose another --out",
        )


class RunError(UnderheavenError):
    """A run has broken one of its own promises."""

    @classmethod
    def invariant(cls, broken: Sequence[str]) -> UnderheavenError:
        """Say which invariants do not hold."""
        return cls.of(
            "UH901",
            f"the state is not sound ({'; '.join(broken)}), so nothing was stored; this is a fault of the simulator: "
            "please report it with the regime, the world and the seed",
        )

    @classmethod
    def other_version(cls, found: int, ours: int) -> UnderheavenError:
        """Say that a run cannot be lived again by this version."""
        text = f"the run has results_version {found} and this version lives {ours}; run it again with this version"
        return cls.of("UH911", text)

    @classmethod
    def not_its_files(cls, folder: str) -> UnderheavenError:
        """Say that the files in a run folder do not lead to the tables that it was lived by."""
        text = f"{folder}: the regime or the world stored with it is not the one that was lived; run it again"
        return cls.of("UH912", text)

    @classmethod
    def not_relived(cls, block: int) -> UnderheavenError:
        """Say that a block, lived again, did not come out as it was."""
        return cls.of(
            "UH913",
            f"community block {block}, lived again, is not what it was in the run; either the run folder is damaged "
            "or this is a fault of the simulator: please report it with the regime, the world and the seed",
        )


class Interrupted(UnderheavenError):
    """A run was asked to stop and has stored a checkpoint.

    Parameters
    ----------
    partial : Path, folder of the checkpoint
    day, days : int, how far it came, and of how many days
    """

    exit_code = 130

    def __init__(self, partial: Path, *, day: int, days: int) -> None:
        self.partial, self.day, self.days = partial, day, days
        super().__init__([Finding("UH990", None, f"stopped after day {day} of {days}; go on with --resume")])
