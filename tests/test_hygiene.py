"""The house rules that a test can hold: one direction of imports, no hosts, no pickle, and the scope."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import underheaven

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "underheaven"


def modules() -> dict[str, Path]:
    """Return every module of the package by its dotted name without `underheaven.`."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports(path: Path) -> Iterator[str]:
    """Yield what a module imports when it runs, in functions too; what is only for types is left out."""
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if is_for_types(node):
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(path: Path) -> set[str]:
    """Return the modules of ours that a module imports, without `underheaven.`."""
    known = modules()
    found = {name.removeprefix("underheaven.") for name in imports(path) if name.startswith("underheaven.")}
    return {name for name in found if name in known}


def room(name: str) -> str:
    return name.split(".")[0]


# Imports


#: What a room may not import. The way of the data goes from the files to the report.
FORBIDDEN = {
    "errors": {"*"},
    "compiled": {"*"},
    "rng": {"*"},
    "reading": {"regime", "world", "life", "institutions", "engine", "store", "study", "show", "cli"},
    "regime": {"engine", "store", "study", "show", "cli"},
    "world": {"institutions", "engine", "store", "study", "show", "cli"},
    "life": {"regime", "institutions", "engine", "store", "study", "show", "cli", "reading"},
    "institutions": {"engine", "store", "study", "show", "cli"},
    "engine": {"show", "cli"},
    "store": {"engine", "study", "show", "cli", "life", "institutions"},
    "study": {"engine", "show", "cli"},
    "show": {"engine", "cli"},
}
ALLOWED = {"rng": {"compiled"}, "errors": set(), "compiled": set()}


@pytest.mark.parametrize("name", [name for name in modules() if room(name) in FORBIDDEN])
def test_imports_go_one_way(name: str) -> None:
    """Errors and draws import nothing of ours, life never a regime, study and show no engine, nobody the cli."""
    if name.startswith("life.reference"):
        return  # the oracle works out everything anew from the files, and nothing but tests and re-living uses it
    forbidden = FORBIDDEN[room(name)]
    for other in ours(modules()[name]):
        if forbidden == {"*"}:
            assert room(other) in ALLOWED[room(name)], f"{name} imports {other}"
        else:
            assert room(other) not in forbidden, f"{name} imports {other}"


def test_nobody_imports_the_cli() -> None:
    """But itself and `python -m underheaven`."""
    for name, path in modules().items():
        if room(name) not in ("cli", "__main__"):
            assert not [other for other in ours(path) if room(other) == "cli"], name


def test_the_walk_sees_a_forbidden_import(tmp_path: Path) -> None:
    """The guard trips: in a function, by either form, and not for types."""
    bad = tmp_path / "bad.py"
    bad.write_text("def f():\n    from underheaven.regime import schema\nimport underheaven.cli\n")
    assert {"regime.schema", "cli"} <= ours(bad)
    bad.write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from underheaven.regime import schema\n")
    assert ours(bad) == set()


def test_nothing_is_pickled() -> None:
    """Neither by us nor through NumPy; a pickle can run anything when it is read."""
    for name, path in modules().items():
        assert not {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal"} & {room(i) for i in imports(path)}, name
        assert re.search(r"allow_pickle\s*=\s*True", path.read_text()) is None, name


# Public face


def test_the_public_verbs() -> None:
    """`__all__` is what there is, and everything in it can be had."""
    own = {
        name
        for name, value in vars(underheaven).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == "underheaven"
    }
    assert own == {"compare", "regimes", "run", "worlds"}
    assert underheaven.__all__ == sorted(underheaven.__all__)
    assert set(underheaven.__all__) == own | {
        "Comparison",
        "Reliving",
        "Run",
        "Survey",
        "__version__",
        "errors",
        "load_regime",
        "load_world",
        "open_run",
        "survey",
    }
    for name in underheaven.__all__:
        assert getattr(underheaven, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'score_person'"):
        _ = underheaven.score_person  # type: ignore[attr-defined]


def test_one_version() -> None:
    """The package, its build file and the citation say the same."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert build["project"]["version"] == underheaven.__version__
    assert f"\nversion: {underheaven.__version__}\n" in (ROOT / "CITATION.cff").read_text()


# Scope (no real person enters, nothing is served)


PERSONAL = re.compile(r"person|citizens?_data|rows|records|names?$|frame|csv|image|photo|face|dossier|roster", re.I)
SERVING = re.compile(r"serve|endpoint|webhook|lookup|predict|decide|score_of|rank_people", re.I)


def public_functions() -> Iterator[tuple[str, inspect.Signature]]:
    for name in underheaven.__all__:
        value = getattr(underheaven, name)
        if inspect.isfunction(value):
            yield name, inspect.signature(value)
        elif inspect.isclass(value):
            for method, function in inspect.getmembers(value, inspect.isfunction):
                if not method.startswith("_"):
                    yield f"{name}.{method}", inspect.signature(function)


def test_no_function_takes_rows_about_people() -> None:
    """Scope 1: citizens are a pure function of seed and number; no parameter takes a person."""
    allowed = {("Run.table", "name"), ("Run.frame", "name")}
    found = {
        (name, parameter)
        for name, signature in public_functions()
        for parameter in signature.parameters
        if PERSONAL.search(parameter)
    }
    assert found <= allowed


def test_no_command_takes_rows_about_people() -> None:
    """Scope 1 on the command line: no option reads a table."""
    from underheaven.cli.commands import app

    for command in (name for name in app if not name.startswith("-")):
        for argument in app[command].assemble_argument_collection():
            for name in argument.names:
                assert not PERSONAL.search(name.strip("-")) or name == "NAME", f"{command} {name}"


def test_nothing_serves_scores() -> None:
    """Scope 4: no interface hands a score to another system, and nothing here listens on a network."""
    for name, _ in public_functions():
        assert not SERVING.search(name)
    servers = {"http", "socketserver", "flask", "fastapi", "aiohttp", "uvicorn", "socket", "xmlrpc"}
    for name, path in modules().items():
        if room(name) != "show":
            assert not servers & {room(i) for i in imports(path)}, name


# Tracked files


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


# Built from parts, so that this file is not found by itself.
HOSTS = ["files.python" + "hosted.org", "pypi" + ".org/simple", "pypi.python" + ".org", "arti" + "factory"]
PATHS = ["/work" + "/", "/ho" + "me/", "/Us" + "ers/", "/ro" + "ot/", "/o" + "pt/"]
LOCK_LINES = ["--index" + "-url", "--extra-index" + "-url", "--find" + "-links", "--trusted" + "-host", "file" + "://"]


def found_in(text: str, patterns: list[str]) -> list[str]:
    return [pattern for pattern in patterns if pattern in text]


def test_no_host_and_no_machine_path_is_tracked() -> None:
    """A registry or a folder of whoever wrote a file has no place in it."""
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        assert found_in(text, HOSTS + PATHS) == [], path.relative_to(ROOT)
        if path.suffix == ".lock":
            assert found_in(text, [*LOCK_LINES, "://"]) == [], path.relative_to(ROOT)


def test_the_guard_against_hosts_trips() -> None:
    """A check that cannot fail is a defect."""
    assert found_in("url = https://files.python" + "hosted.org/x", HOSTS)
    assert found_in("--index" + "-url x", LOCK_LINES)
    assert found_in("see /ho" + "me/me/x", PATHS)


def test_every_requirement_is_pinned_by_hash() -> None:
    """Nothing in a lock is left to the registry."""
    for path in sorted((ROOT / "requirements").glob("*.lock")):
        entries = re.split(r"\n(?=[a-z0-9])", path.read_text())
        pinned = [entry for entry in entries if not entry.startswith("#")]
        assert pinned, path
        for entry in pinned:
            assert re.match(r"[a-z0-9.\-]+==", entry), entry[:80]
            assert "--hash=sha256:" in entry, entry[:80]


def test_no_other_lock_is_tracked() -> None:
    """Both record hosts of registries."""
    assert not [path for path in tracked() if path.name in ("uv.lock", "pylock.toml", "poetry.lock")]
