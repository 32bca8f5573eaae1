"""The guard at the file border: text in, a tree of nodes with their places out, or an error that says where.

Only the events of the YAML parser are used, never its loaders: those crash, hang or guess on hostile text.  Size,
depth and number of parts are capped before anything is built, and scalars are typed by the patterns below.
"""

from __future__ import annotations

import codecs
import difflib
import re
import stat
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import yaml

from underheaven.errors import FileFormError, Where

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_EVENTS = 50_000
MAX_DIGITS = 30
MAX_EXPONENT = 30

#: The C parser streams its events and is fast; where it was not built, the Python one streams them too.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# What a file may hold: no control characters, no second kind of line break, nothing that is unseen or turns
# the direction of writing.
_FORBIDDEN = re.compile(
    "[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    "|[\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:_[0-9]{3})+)")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:_[0-9]{3})+)(?:\.[0-9]+)?(?:[eE]([-+]?[0-9]+))?")
_YAML_MENDS = {
    "mapping values are not allowed": "put a text that holds a colon and a space in quotes; indent with equal steps",
    "did not find expected key": "start this line in the same column as the keys beside it, and close all quotes",
    "did not find expected '-'": "start this line in the same column as the items beside it",
    "did not find expected ',' or": "close the bracket, or put a text that holds a comma or bracket in quotes",
    "cannot start any token": "indent with spaces, not tabs, and put a text that starts with @, % or ` in quotes",
    "unexpected end of stream": "close the quotes",
    "could not find expected ':'": "write a colon and a space after the key",
    "block sequence entries are not allowed": "start the list on a line of its own",
    "incompatible yaml document": "take the line that starts with %YAML out",
}

Scalar = str | int | bool | Decimal | None


@dataclass(frozen=True)
class Origin:
    """The text that nodes come from: the file's name and its lines."""

    name: str
    lines: tuple[str, ...] = ()

    def where(self, line: int, column: int, path: str = "") -> Where:
        """Return a place in this text; line and column count from 1."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return Where(self.name, line, column, path, text)


@dataclass(eq=False, slots=True)
class Node:
    """A scalar, a mapping or a list of a file, with its place; never changed once it is read.

    Parameters
    ----------
    value : a scalar, a dict of nodes by key, or a list of nodes
    origin : the text that it comes from
    line, column : where it starts, from 1
    key : line and column of its key; None for the root and for items of a list
    """

    value: Scalar | dict[str, Node] | list[Node]
    origin: Origin
    line: int = 1
    column: int = 1
    key: tuple[int, int] | None = None

    @property
    def mapping(self) -> dict[str, Node]:
        """The children by key; empty if this is no mapping."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        """The items; empty if this is no list."""
        return self.value if isinstance(self.value, list) else []

    @property
    def is_scalar(self) -> bool:
        """Whether this is neither a mapping nor a list."""
        return not isinstance(self.value, (dict, list))

    @property
    def is_quantity(self) -> bool:
        """Whether this mapping holds a number or a table of numbers with its citation."""
        return "value" in self.mapping or "values" in self.mapping

    def where(self, path: str = "", *, at_key: bool = False) -> Where:
        """Return the place of the value; of the key if it is wanted or if the value is more than a scalar."""
        if self.key is not None and (at_key or not self.is_scalar):
            return self.origin.where(*self.key, path)
        return self.origin.where(self.line, self.column, path)

    def child(self, part: str | int) -> Node | None:
        """Return the child of this key; of a list the item of this index, or whose `name` it is."""
        if isinstance(self.value, dict):
            return self.value.get(str(part))
        if isinstance(self.value, list):
            index = item_index(self, part)
            return None if index is None else self.value[index]
        return None

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it."""
        yield self
        for child in (*self.mapping.values(), *self.items):
            yield from child.walk()

    def plain(self) -> Any:
        """Return dicts, lists and scalars, as a model validates them."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value


def item_name(item: Node) -> str | None:
    """Return the `name` of an item of a list, if it has one."""
    name = item.mapping.get("name")
    return name.value if name is not None and isinstance(name.value, str) else None


def item_index(node: Node, part: str | int) -> int | None:
    """Return the index of the item that a part of a path means, by its name or by number; None if there is none."""
    if isinstance(part, str):
        for index, item in enumerate(node.items):
            if item_name(item) == part:
                return index
        if not part.isascii() or not part.isdigit() or len(part) > 6:
            return None
    index = int(part)
    return index if 0 <= index < len(node.items) else None


def did_you_mean(name: str, names: Collection[str]) -> str | None:
    """Return the name that is most like this one, or None if none is near."""
    if len(name) > 80 or len(names) > 1000:
        return None
    by_form = {_form(known): known for known in sorted(names, reverse=True)}
    near = difflib.get_close_matches(_form(name), by_form, n=1, cutoff=0.6)
    return by_form[near[0]] if near else None


def _form(name: str) -> str:
    return name.lower().replace("_", "-").strip()


def one_of(names: Collection[str], limit: int = 24) -> str:
    """Return `a, b or c`, cut after `limit` names."""
    listed = list(names)
    if len(listed) > limit:
        return ", ".join(listed[:limit]) + f", ... ({len(listed)} in all)"
    return ", ".join(listed[:-1]) + " or " + listed[-1] if len(listed) > 1 else "".join(listed)


def shown(value: object) -> str:
    """Return a few words for what was found: `'maybe'`, 20, nothing, a list."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return number_text(value)
    text = " ".join(str(value).split())
    return f"'{text[:60]}...'" if len(text) > 60 else f"'{text}'"


def number_text(number: int | Decimal) -> str:
    """Return a number as people write it."""
    if isinstance(number, Decimal) and number == number.to_integral_value() and _exponent(number) > 0:
        return str(int(number))
    return str(number).lower().replace("e+", "e")


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def number_of(text: str) -> int | Decimal | None:
    """Return the number that a text writes, exactly; None if it is not in our form of numbers."""
    if _WHOLE.fullmatch(text):
        return int(text.replace("_", "")) if len(text) <= 2 * MAX_DIGITS else None
    found = _DECIMAL.fullmatch(text)
    if found and len(text) <= 3 * MAX_DIGITS and len(found[1] or "") <= 4:
        return Decimal(text.replace("_", ""))
    return None


#: Keys of tables about persons.  They are looked for only where a key is unknown anyway.
_PERSONAL = frozenset(
    """
    citizen person resident individual inhabitant user member patient pupil student employee debtor defaulter
    people-list person-list citizen-list names full-name first-name last-name given-name family-name
    middle-name maiden-name forename surname nickname alias username login account-name legal-name id-number
    id-no id-card identity identity-card identity-number national-id national-number personal-id person-id
    citizen-id resident-id user-id member-id ssn social-security social-security-number tax-id tax-number
    passport passport-number driving-licence driver-license photo photograph picture portrait image img selfie
    video face face-image face-id faceprint embedding fingerprint biometric iris retina voiceprint gait dna
    genome phone phone-number telephone mobile cellphone mobile-number imei email e-mail mail-address wechat
    weibo whatsapp telegram ip-address home-address street-address postal-address birth-date birthdate
    birthday date-of-birth dob birth-year licence-plate license-plate plate-number gps latitude longitude
    bank-account iban card-number people-file persons-file citizens-file microdata
    姓名 名字 身份证 身份证号 身份证号码 护照 护照号 照片 人脸 指纹 手机 手机号 电话 出生日期 住址
    """.split()  # noqa: SIM905
)
_WORDS_OF_A_LINE = re.compile(r"[,;|\t]")


def is_personal(key: str) -> bool:
    """Tell whether a key belongs to a table about persons."""
    form = re.sub(r"[^\w]+|_", "-", key.strip().lower()).strip("-")
    return form in _PERSONAL or form.removesuffix("s") in _PERSONAL


def rows_about_persons(node: Node) -> str | None:
    """Return the first key of a person's row in this node or below it; None if there is none.

    A text counts as well, if its first line reads like the head of such a table.
    """
    for found in node.walk():
        if isinstance(found.value, str):
            first = found.value.lstrip().partition("\n")[0][:1000]
            words = _WORDS_OF_A_LINE.split(first)
            word = next((w for w in words if len(words) > 1 and is_personal(w)), None)
        else:
            word = next((key for key in found.mapping if is_personal(key)), None)
        if word is not None:
            return word.strip()
    return None


def no_persons(key: str) -> str:
    """Return the sentence that refuses a table about persons."""
    return (
        f"{shown(key)} belongs to a table about persons; only aggregate tables may enter, because nobody real may be "
        "scored or followed here: write counts, shares or rates of groups instead"
    )


def read_tree(path: str | Path) -> Node:
    """Read a file through the guard.

    Parameters
    ----------
    path : a YAML (or JSON) file in UTF-8

    Returns
    -------
    Node : the root, always a mapping

    Raises
    ------
    FileFormError : UH101 to UH107, UH112 or UH130
    """
    name = str(path)
    here = Where(name if name.isprintable() else ascii(name))
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            raise FileFormError.of("UH101", "this is a folder; name a .yaml file in it", here)
        if not stat.S_ISREG(mode):  # a pipe would keep us waiting
            raise FileFormError.of("UH101", "this is a device or a pipe; name a .yaml file", here)
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise FileFormError.of("UH101", "there is no such file; check the name and the folder", here) from None
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise FileFormError.of(
            "UH101", f"the file cannot be read ({reason}); check its name and rights", here
        ) from None
    return parse(data, here.file)


def parse(data: bytes, name: str) -> Node:
    """Read bytes through the guard; as `read_tree`, for what is not (or not yet) a file."""
    if len(data) > MAX_BYTES:
        text = f"more than {MAX_BYTES // 1024} KiB; a file of rules or aggregate tables is far smaller, so split it"
        raise FileFormError.of("UH102", text, Where(name))
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FileFormError.of("UH101", "the file is in UTF-16; save it as plain text in UTF-8", Where(name))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        before = data[: problem.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        line = before.count(b"\n") + 1
        text = f"byte {data[problem.start]:#04x} is not UTF-8 text; save the file as plain text in UTF-8"
        raise FileFormError.of("UH101", text, Where(name, line, len(before) - before.rfind(b"\n"))) from None
    tree = compose(text, name)
    if not isinstance(tree.value, dict):
        if personal := rows_about_persons(tree):
            raise FileFormError.of("UH130", no_persons(personal), tree.where())
        first_line = text.lstrip().partition("\n")[0]
        rows = tree.value if isinstance(tree.value, list) else []
        if (tree.is_scalar and "," in first_line) or any(not row.is_scalar for row in rows):
            told = "this is a table of rows, and no file of rows is read here, so that none about persons can enter"
            mend = "give a regime or a world, which hold rules and shares"
            raise FileFormError.of("UH130", f"{told}; {mend}", tree.where())
        what = "a mapping of keys to values is wanted; write `format:` in the first line"
        raise FileFormError.of("UH112", f"the file is {shown(tree.value)}, and {what}", tree.where())
    return tree


def compose(text: str, name: str, origin: Origin | None = None) -> Node:
    """Parse one YAML document into nodes, within the limits.

    Parameters
    ----------
    text : at most `MAX_BYTES` characters
    name : of the file, for messages
    origin : what messages quote, if it is more than the text

    Raises
    ------
    FileFormError : UH102 to UH107
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    origin = origin or Origin(name, tuple(text.split("\n")))
    bad = _FORBIDDEN.search(text)
    if bad:
        before = text[: bad.start()]
        _refuse_character(bad[0], origin, before.count("\n") + 1, bad.start() - before.rfind("\n"))
    composer = _Composer(origin)
    try:
        for number, event in enumerate(yaml.parse(text, Loader=_LOADER)):
            if number >= MAX_EVENTS:
                composer.refuse("UH102", f"more than {MAX_EVENTS:,} parts; split the file", event)
            composer.take(event)
    except yaml.MarkedYAMLError as problem:
        raise FileFormError.of("UH104", *_not_yaml(problem, origin)) from None
    except yaml.YAMLError as problem:
        text = f"this is not YAML ({str(problem).splitlines()[0][:100]}); save it as plain text"
        raise FileFormError.of("UH104", text, Where(name)) from None
    if composer.root is None or composer.root.value is None:
        raise FileFormError.of(
            "UH106", "the file is empty; write at least `format:` and what follows", origin.where(1, 1)
        )
    return composer.root


def _refuse_character(char: str, origin: Origin, line: int, column: int) -> NoReturn:
    kind = unicodedata.name(char, "a control character").lower()
    text = f"U+{ord(char):04X} ({kind}) may not stand in a file, because it is not seen or hides what is; take it out"
    raise FileFormError.of("UH107", text, origin.where(line, column))


def _not_yaml(problem: yaml.MarkedYAMLError, origin: Origin) -> tuple[str, Where]:
    said = str(problem.problem or problem.context or "unreadable")
    mark = problem.problem_mark or problem.context_mark
    mend = next((mend for words, mend in _YAML_MENDS.items() if words in said.lower()), "check brackets and quotes")
    place = Where(origin.name)
    if mark is not None and mark.line < len(origin.lines):
        place = origin.where(mark.line + 1, mark.column + 1)
    elif mark is not None:  # the end of a text without a last line break counts as the line after it
        place = origin.where(len(origin.lines), len(origin.lines[-1]) + 1)
    return f"this is not YAML: {said}; {mend}", place


class _Composer:
    """Builds the tree from events, one at a time, and refuses what has no place in a file."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.root: Node | None = None
        self.open: list[Node] = []
        self.keys: list[tuple[str, tuple[int, int]] | None] = []  # of each open node, the key that waits for a value

    def refuse(self, code: str, text: str, event: Any) -> NoReturn:
        mark = event.start_mark
        raise FileFormError.of(code, text, self.origin.where(mark.line + 1, mark.column + 1))

    def take(self, event: Any) -> None:
        """Take the next event."""
        kind = type(event)
        if kind in (yaml.MappingStartEvent, yaml.SequenceStartEvent, yaml.ScalarEvent, yaml.AliasEvent):
            self._refuse_references(event, kind)
        if kind is yaml.ScalarEvent:
            if event.value and (bad := _FORBIDDEN.search(event.value)):
                _refuse_character(bad[0], self.origin, event.start_mark.line + 1, event.start_mark.column + 1)
            if not self._is_key_due():
                self._add(self._node(self._typed(event), event))
            else:
                self._take_key(event)
        elif kind in (yaml.MappingStartEvent, yaml.SequenceStartEvent):
            if self._is_key_due():
                self.refuse("UH107", "a key must be a word, not a mapping or a list; check the brackets", event)
            if len(self.open) >= MAX_DEPTH:
                self.refuse(
                    "UH102", f"more than {MAX_DEPTH} levels deep; no file needs that: check the brackets", event
                )
            node = self._node({} if kind is yaml.MappingStartEvent else [], event)
            self._add(node)
            self.open.append(node)
            self.keys.append(None)
        elif kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
            self.open.pop()
            self.keys.pop()
        elif kind is yaml.DocumentStartEvent:
            if self.root is not None:
                self.refuse("UH106", "a second document starts here; write one document a file, without `---`", event)
            if event.tags:
                self.refuse("UH103", "%TAG is not allowed; take the line out", event)

    def _refuse_references(self, event: Any, kind: type) -> None:
        if kind is yaml.AliasEvent:
            self.refuse("UH103", f"the alias *{event.anchor[:40]} is not allowed; write the value out", event)
        if event.anchor is not None:
            self.refuse("UH103", f"the anchor &{event.anchor[:40]} is not allowed; take it out", event)
        if event.tag is not None:
            self.refuse("UH103", f"the tag {event.tag[:60]} is not allowed; take it out", event)

    def _is_key_due(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1].value, dict) and self.keys[-1] is None

    def _take_key(self, event: Any) -> None:
        word, place = event.value, (event.start_mark.line + 1, event.start_mark.column + 1)
        if word == "<<" and event.implicit[0]:
            self.refuse("UH103", "the merge key << is not allowed; write the keys out", event)
        if not word.strip() or len(word) > 200 or "\n" in word:
            self.refuse("UH107", "a key must be a word of 1 to 200 characters on one line", event)
        if word in self.open[-1].mapping:
            first = self.open[-1].mapping[word].key
            earlier = f" first in line {first[0]}" if first else ""
            self.refuse("UH105", f"the key {shown(word)} stands twice,{earlier}; take one of the two out", event)
        self.keys[-1] = (word, place)

    def _node(self, value: Any, event: Any) -> Node:
        key = self.keys[-1] if self.keys else None
        place = (event.start_mark.line + 1, event.start_mark.column + 1)
        return Node(value, self.origin, *place, key=None if key is None else key[1])

    def _add(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        if isinstance(parent.value, list):
            parent.value.append(node)
            return
        key = self.keys[-1]
        assert isinstance(parent.value, dict) and key is not None
        parent.value[key[0]] = node
        self.keys[-1] = None

    def _typed(self, event: Any) -> Scalar:
        text: str = event.value
        if not event.implicit[0]:  # in quotes, or a block of text
            return text
        if text in ("", "~", "null"):
            return None
        if text in ("true", "false"):
            return text == "true"
        if text[0] not in "+-0123456789":
            return text
        is_whole, decimal = _WHOLE.fullmatch(text), _DECIMAL.fullmatch(text)
        if not is_whole and not decimal:
            return text
        digits = sum(c.isdigit() for c in text.lower().partition("e")[0])
        if digits > MAX_DIGITS:
            mend = "round it, or put it in quotes if it is a text"
            self.refuse("UH107", f"a number of {digits} digits; at most {MAX_DIGITS} are read, so {mend}", event)
        if is_whole:
            return int(text.replace("_", ""))
        exponent = decimal[1] if decimal else None
        if exponent and (len(exponent) > 6 or abs(int(exponent)) > MAX_EXPONENT):
            mend = "put it in quotes if it is a text"
            self.refuse("UH107", f"a power of ten beyond {MAX_EXPONENT} is not read; {mend}", event)
        number = Decimal(text.replace("_", ""))
        return int(number) if _exponent(number) >= 0 else number
