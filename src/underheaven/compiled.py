"""Compile plain functions over whole numbers, and keep what was compiled between runs.

Numba's own cache looks only at the file of the decorated function, so an edit in a *called* function of
another file would go unseen.  The cache folder is therefore named by a hash of every source that can be
compiled into the kernel: change one and the folder is a new one.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import config

_PACKAGE = Path(__file__).parent
_SOURCES = ("compiled.py", "rng.py", "world/people.py", "world/ties.py", "life/*.py", "study/observe.py")

F = TypeVar("F", bound=Callable[..., Any])


@cache
def cache_folder() -> Path:
    """Return the folder for compiled code of exactly these sources, made if need be.

    Returns
    -------
    Path : below ``UNDERHEAVEN_CACHE``, else the user's cache folder, else a temporary folder
    """
    # Numba keys what it keeps by the path of the source, so another checkout has a folder of its own.
    digest = hashlib.sha256(f"{numba.__version__} {_PACKAGE}".encode())
    for pattern in _SOURCES:
        for source in sorted(set(_PACKAGE.glob(pattern)) - set(_PACKAGE.glob("life/reference*.py"))):
            digest.update(source.read_bytes())
    name = f"kernel-{digest.hexdigest()[:16]}"
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "underheaven"
    for root in (os.environ.get("UNDERHEAVEN_CACHE"), home, Path(tempfile.gettempdir()) / "underheaven"):
        if root is None:
            continue
        folder = Path(root) / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="underheaven-"))


def _compile(function: F, **options: bool) -> F:
    before = config.CACHE_DIR
    config.CACHE_DIR = str(cache_folder())
    try:
        # Without Numba's runtime nothing can be allocated inside, and no array is counted in and out.
        result: F = numba.njit(nogil=True, cache=True, error_model="numpy", _nrt=False, **options)(function)
    finally:
        config.CACHE_DIR = before
    return result


def compiled(function: F) -> F:
    """Compile `function` on first use with Numba: no Python objects, no lock held, cached on disk.

    The plain function stays reachable as ``.py_func`` (the readable form, used by tests).
    """
    return _compile(function)


def inlined(function: F) -> F:
    """Compile a stage of the day so that it melts into its caller."""
    return _compile(function, forceinline=True)


def was_compiled_before() -> bool:
    """Tell whether an earlier process left compiled code for these sources (else the first run compiles)."""
    return any(cache_folder().rglob("*.nbc"))
