"""Read a world: its file, the society that it names, the table of its provinces, and what `--set` changes."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from underheaven import catalogue
from underheaven.errors import CommandError, FileFormError, Where
from underheaven.reading import (
    Node,
    compose,
    did_you_mean,
    load,
    merged,
    of_kind,
    one_of,
    override,
    read_tree,
    resolve,
    shown,
)
from underheaven.reading.guard import Origin, is_personal, no_persons, number_of
from underheaven.world.schema import FORMAT, MAX_PEOPLE, PERCENT_SLACK, World

SOCIETY_FORMAT = "underheaven-society/1"

MAX_ROWS = 5_000  # of a table; more are not provinces
MAX_TABLE_BYTES = 2 * 1024 * 1024

#: The columns that a table of provinces must have; that of the population may end in a year.
COLUMNS = ("province", "population", "urban_share", "age_0_14", "age_15_59", "age_60_plus", "age_65_plus")
_MAY_HAVE = ("household_size",)
_YEAR = re.compile(r"_[0-9]{4}$")
# Beyond what the guard of files looks for: as columns these are about persons, too.
_PERSONAL_COLUMNS = frozenset(("id", "name", "names", "person", "citizen", "birth", "sex", "gender", "age", "address"))


def load_world(name_or_path: str | Path, people: int | None = None, overrides: Sequence[str] = ()) -> World:
    """Read and validate a world.

    Parameters
    ----------
    name_or_path : `city`, or a path to a .yaml file
    people : adults to simulate; all counties are scaled in proportion.  None: as many as the file says
    overrides : texts ``path=value``, applied in their order; see `underheaven.reading.override`

    Raises
    ------
    FileFormError : with every fault that was found, its place and its mend
    CommandError : `people` is out of range
    """
    if people is not None and not 1 <= people <= MAX_PEOPLE:
        raise CommandError.out_of_range("people", people, f"1 to {MAX_PEOPLE}")
    file = catalogue.find("worlds", name_or_path)
    tree = resolve(read_tree(file))
    of_kind(tree, FORMAT)
    tree = _with_society(tree, file.parent)
    tree = override(tree, overrides, World)
    if people is not None:
        text = f"{{adults: {{value: {people}, basis: assumed, note: Chosen with --people.}}}}"
        tree = merged(tree, compose(text, "--people"))
    return load(World, _with_rows(tree, file.parent))


def _with_society(tree: Node, folder: Path) -> Node:
    """Lay the world over the society that it names; what both say the world decides."""
    named = tree.child("society")
    if named is None:
        return tree
    rest = replace(tree, value={key: child for key, child in tree.mapping.items() if key != "society"})
    where = named.where("society")
    if not isinstance(named.value, str):
        raise FileFormError.of("UH112", f"found {shown(named.value)}; write the name of a society", where)
    file = _beside(named.value, folder, where) if named.value.endswith(".yaml") else _entry(named.value, where)
    society = resolve(read_tree(file))
    form = society.child("format")
    if form is None or form.value != SOCIETY_FORMAT:
        found = "is missing" if form is None else f"is {shown(form.value)}"
        place = (form or society).where("format")
        raise FileFormError.of("UH112", f"the format of a society {found}; write `format: {SOCIETY_FORMAT}`", place)
    told = ("format", "society", "title", "summary")
    kept = replace(society, value={key: child for key, child in society.mapping.items() if key not in told})
    return merged(kept, rest)


def _entry(name: str, where: Where) -> Path:
    try:
        return catalogue.path("societies", name)
    except FileFormError as problem:
        raise FileFormError.of(problem.code, problem.findings[0].text, where) from None


def _beside(name: str, folder: Path, where: Where) -> Path:
    """Return a file in the world file's own folder; a path out of it is refused."""
    name = name.removeprefix("./")
    if Path(name).name != name or name.startswith("."):
        text = f"{shown(name)} lies elsewhere; put the file beside the world file and write its name only"
        raise FileFormError.of("UH107", text, where)
    return folder / name


def _with_rows(tree: Node, folder: Path) -> Node:
    """Put what the table says of the world's provinces into `places.rows`."""
    places = tree.child("places")
    if places is None or not isinstance(places.value, dict):
        return tree
    rows = places.child("rows")
    if rows is not None:
        text = "rows are read from a table; write `table:` with its name, or `districts:`"
        raise FileFormError.of("UH110", text, rows.where("places.rows", at_key=True))
    named = places.child("table")
    if named is None or not isinstance(named.value, str):
        return tree
    where = named.where("places.table")
    if named.value.endswith(".csv"):
        file = _beside(named.value, folder, where)
    else:
        known = sorted(path.stem for path in (Path(catalogue.__file__).parent / "tables").glob("*.csv"))
        if named.value not in known:
            guess = did_you_mean(named.value, known)
            mend = f"did you mean '{guess}'?" if guess else f"there is {one_of(known)}, or write NAME.csv for your own"
            raise FileFormError.of("UH122", f"there is no table {shown(named.value)}; {mend}", where)
        file = Path(catalogue.__file__).parent / "tables" / f"{named.value}.csv"
    table = _read_table(file, where)
    chosen = [table[name] for name in _chosen(places, table)]
    value = {**places.value, "rows": Node(chosen, named.origin, named.line, named.column)}
    return replace(tree, value={**tree.mapping, "places": replace(places, value=value)})


def _chosen(places: Node, table: dict[str, Node]) -> list[str]:
    """Return the provinces that the world is made of: those of `only`, or of `tiles`, or all."""
    only, tiles = places.child("only"), places.child("tiles")
    asked = [(node.value, node.where("places.only")) for node in (only.items if only is not None else ())]
    on_map = [(key, node.where("places.tiles", at_key=True)) for key, node in (tiles.mapping if tiles else {}).items()]
    names: list[str] = []
    for name, where in (*asked, *on_map):
        if not isinstance(name, str) or name not in table:
            guess = did_you_mean(name, table) if isinstance(name, str) else None
            mend = f"did you mean '{guess}'?" if guess else f"it has {one_of(table)}"
            raise FileFormError.of("UH120", f"the table has no province {shown(name)}; {mend}", where)
    for name, where in asked:
        if name in names:
            raise FileFormError.of("UH105", f"{shown(name)} is named twice; take one out", where)
        names.append(str(name))
    return names or [str(name) for name, _ in on_map] or list(table)


def _read_table(file: Path, where: Where) -> dict[str, Node]:
    """Read a table of provinces: a node for each row, by its province.

    Raises
    ------
    FileFormError : the file cannot be read, is about persons, or does not hold what a table of provinces holds
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_TABLE_BYTES + 1)
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not text in UTF-8"
        text = f"the table {file.name} cannot be read: {reason}; check its name"
        raise FileFormError.of("UH101", text, where) from None
    lines = text.splitlines()
    # So long a file is a table about persons whatever it calls its columns; it is not looked into any further.
    if len(lines) - 1 > MAX_ROWS or len(data) > MAX_TABLE_BYTES:
        text = (
            f"the table has more than {MAX_ROWS:,} rows, so it is not about provinces; only aggregate tables may "
            "enter, because nobody real may be scored or followed here: write one row a province"
        )
        raise FileFormError.of("UH130", text, Where(str(file), 1))
    origin = Origin(str(file), tuple(lines))
    try:
        return _rows(origin)
    except csv.Error as problem:
        text = f"this is no table of comma-separated values ({problem}); write one row a line"
        raise FileFormError.of("UH107", text, Where(str(file))) from None


def _rows(origin: Origin) -> dict[str, Node]:
    reader = csv.reader(origin.lines, strict=True)
    header = [_YEAR.sub("", cell.strip()) for cell in next(reader, [])]
    _check_header(header, origin)
    found: dict[str, Node] = {}
    for cells in reader:
        line = reader.line_num
        if not cells:
            continue
        if len(cells) != len(header):
            text = f"this row has {len(cells)} cells, and the table has {len(header)} columns; mend the row"
            raise FileFormError.of("UH107", text, origin.where(line, 1))
        row = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if name in COLUMNS}
        _check_row(row, origin.where(line, 1))
        name = row.pop("province")
        if name in found:
            text = f"there is already a row for {shown(name)}; take one out"
            raise FileFormError.of("UH105", text, origin.where(line, 1))
        plain: dict[str, str | int] = {"name": name, **row, "population": int(row["population"])}
        found[name] = Node({key: Node(value, origin, line) for key, value in plain.items()}, origin, line)
    if not found:
        raise FileFormError.of("UH106", "the table has no rows; write one a province", origin.where(1, 1))
    return found


def _check_header(header: list[str], origin: Origin) -> None:
    where = origin.where(1, 1)
    for name in header:
        form = name.lower().replace("_", "-").replace(" ", "-")
        if is_personal(name) or form in _PERSONAL_COLUMNS:
            raise FileFormError.of("UH130", no_persons(name), where)
    for name in header:
        if name not in (*COLUMNS, *_MAY_HAVE) and not name.endswith("_status"):
            text = f"a table of provinces has no column {shown(name)}; it has {one_of(COLUMNS)}"
            raise FileFormError.of("UH110", text, where)
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise FileFormError.of("UH111", f"the table has no column {one_of(missing)}; write it", where)
    if len(set(header)) < len(header):
        raise FileFormError.of("UH105", "a column stands twice; take one out", where)


def _check_row(row: dict[str, str], where: Where) -> None:
    """Check that the numbers of a row are numbers, and that its age groups add up."""
    if not 1 <= len(row["province"]) <= 80 or not row["province"].isprintable():
        text = f"{shown(row['province'])} is no name of a province; write 1 to 80 letters"
        raise FileFormError.of("UH107", text, where)
    people = number_of(row["population"])
    if not isinstance(people, int) or not 1 <= people <= MAX_PEOPLE:
        text = f"{shown(row['population'])} is no population; write a whole number within 1 .. {MAX_PEOPLE:,}"
        raise FileFormError.of("UH113", text, where)
    percent: dict[str, Fraction] = {}
    for name in COLUMNS[2:]:
        number = number_of(row[name])
        if number is None or not 0 <= number <= 100:
            text = f"{shown(row[name])} is no percentage ({name}); write a number within 0 .. 100"
            raise FileFormError.of("UH113", text, where)
        percent[name] = Fraction(number)
    whole = percent["age_0_14"] + percent["age_15_59"] + percent["age_60_plus"]
    if abs(whole - 100) > PERCENT_SLACK:
        text = f"the age groups 0-14, 15-59 and 60+ add up to {float(whole):g}%; write shares that add up to 100"
        raise FileFormError.of("UH113", text, where)
    if percent["age_65_plus"] > percent["age_60_plus"]:
        raise FileFormError.of("UH113", "there are more people of 65+ than of 60+; check the two", where)
