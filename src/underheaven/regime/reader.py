"""Read a regime: a name of the catalogue or a file, with what `--set` changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from underheaven import catalogue
from underheaven.errors import FileFormError
from underheaven.reading import load, of_kind, override, read_tree, resolve
from underheaven.regime.cases import not_borne_out
from underheaven.regime.schema import FORMAT, Regime


def load_regime(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Regime:
    """Read and validate a regime.

    Parameters
    ----------
    name_or_path : `press-2018`, or a path to a .yaml file
    overrides : texts ``path=value``, applied in their order; see `underheaven.reading.override`

    Raises
    ------
    FileFormError : with every fault that was found, its place and its mend
    """
    tree = resolve(read_tree(catalogue.find("regimes", name_or_path)))
    of_kind(tree, FORMAT)
    regime = load(Regime, override(tree, overrides, Regime))
    # Cases are claims about the file as it stands; a rule that --set changes is not held against them.
    wrong = [] if overrides else list(not_borne_out(regime))
    if wrong:
        raise FileFormError(wrong)
    return regime
