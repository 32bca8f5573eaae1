"""The shipped files: regimes and worlds with their sources, by name."""

from __future__ import annotations

import os
from pathlib import Path

from underheaven.errors import CommandError, FileFormError
from underheaven.reading import did_you_mean, shown

_HERE = Path(__file__).parent


def names(kind: str) -> list[str]:
    """Return the names of all entries of a kind, such as `regimes` or `worlds`, in alphabetical order."""
    return sorted(entry.stem for entry in (_HERE / kind).glob("*.yaml"))


def path(kind: str, name: str) -> Path:
    """Return the file of an entry.

    Raises
    ------
    FileFormError : UH122, with the name that was perhaps meant and all names
    """
    known = names(kind)
    if name in known:
        return _HERE / kind / f"{name}.yaml"
    guess = did_you_mean(name, known)
    mend = hint(kind, name) or (f"did you mean '{guess}'?" if guess else "")
    listed = f"there are {', '.join(known)}; a file of yours is written ./NAME.yaml"
    mend = f"{mend} T{listed[1:]}" if mend else listed
    raise FileFormError.of("UH122", f"there is no entry {shown(name)} under {kind}; {mend}")


def hint(kind: str, name: str) -> str:
    """Return what is to be written where a name is that of another kind or of a file here; else an empty text."""
    if kind == "regimes" and name in names("worlds"):
        return f"it is a world: write --world {name}, and a regime before it."
    if kind == "worlds" and (name in names("regimes") or name in names("rollouts")):
        return f"it is a regime: write it first, as in `run {name} --world town`."
    for file in (name, f"{name}.yaml", f"{name}.yml"):
        if len(file) < 200 and "\0" not in file and name not in ("", ".", "..") and Path(file).is_file():
            return f"there is a file of that name here: write ./{file}."
    return ""


def find(kind: str, name_or_path: str | Path) -> Path:
    """Return the file that a name of the catalogue or a path means.

    A text is a path if it ends in .yaml, .yml or .json or holds a slash.
    """
    try:
        os.fspath(name_or_path)
    except TypeError:
        text = f"{name_or_path!r:.60} is no name under {kind}; write a name of the catalogue or a path"
        raise CommandError.of("UH803", text) from None
    if isinstance(name_or_path, Path):
        return name_or_path
    is_path = name_or_path.endswith((".yaml", ".yml", ".json")) or "/" in name_or_path or "\\" in name_or_path
    return Path(name_or_path) if is_path else path(kind, name_or_path)
