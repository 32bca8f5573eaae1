"""The shipped files: regimes and worlds with their sources, by name."""

from __future__ import annotations

from pathlib import Path

from underheaven.errors import FileFormError
from underheaven.reading import did_you_mean, shown

_HERE = Path(__file__).parent


def names(kind: str) -> list[str]:
    """Return the names of all entries of a kind, `regimes` or `worlds`, in alphabetical order."""
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
    mend = f"did you mean '{guess}'? " if guess else ""
    listed = f"There are {', '.join(known)}; a file of yours is written ./NAME.yaml"
    raise FileFormError.of("UH122", f"there is no entry {shown(name)} under {kind}; {mend}{listed}")


def find(kind: str, name_or_path: str | Path) -> Path:
    """Return the file that a name of the catalogue or a path means.

    A text is a path if it ends in .yaml, .yml or .json or holds a slash.
    """
    if isinstance(name_or_path, Path):
        return name_or_path
    is_path = name_or_path.endswith((".yaml", ".yml", ".json")) or "/" in name_or_path or "\\" in name_or_path
    return Path(name_or_path) if is_path else path(kind, name_or_path)
