"""One life in words: what happened, what the file says of it, and the rule behind each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from underheaven.show.report import _TEMPLATES, _environment, _policy, _put
from underheaven.study.words import label, plural, whole

if TYPE_CHECKING:
    from underheaven.engine.relive import Life
    from underheaven.life.reference import Step

#: Steps of everyday life, which a short telling leaves out unless they touch the file.
EVERYDAY = frozenset({"visit", "perk", "rated"})


def sentence(step: Step) -> str:
    """Say one step in a sentence without its subject, as in "was refused rail travel"."""
    return _WORDS[step.kind](label(step.what), step.told)


def _act(what: str, told: Mapping[str, Any]) -> str:
    why = " for the points" if told.get("for the points") else ""
    if not told["seen"]:
        return f"{what}{why}, unseen"
    return f"{what}{why}, seen" + ("" if told["named"] else ", and laid to nobody or to somebody else")


def _both(told: Mapping[str, Any]) -> str:
    if told["filed"] and told["true"]:
        return ""
    return ", in the file only: she did not do it" if told["filed"] else ", in truth only: the file missed it"


def _both_of(told: Mapping[str, Any]) -> str:
    if told["filed"] and told["true"]:
        return ""
    return ", in the file only" if told["filed"] else ", in truth only"


def _wrongly(told: Mapping[str, Any]) -> str:
    return ", which the truth would not call for" if told["wrongly"] else ""


_NEWS = {
    "start": "before it began for her",
    "press": "by the press",
    "friends": "from a friend",
    "sanction": "by what was done to her",
    "perk": "by a perk",
    "fine": "by a fine",
}

_WORDS: dict[str, Callable[[str, Mapping[str, Any]], str]] = {
    "act": _act,
    "silenced": lambda what, _: f"{what}: kept from it by fear of the file",
    "wrong-name": lambda what, told: f"{told['by']} lays {what} of somebody else to her",
    "denounced": lambda what, told: f"{told['by']} lays {what} to her, which she did not do",
    "report-dropped": lambda what, told: f"{told['by']} lies about her, and whoever looks at it throws it out",
    "unheard": lambda what, told: f"her account is closed: {what} reaches nobody, not {whole(told['people'])} people",
    "pursued": lambda what, _: f"insiders begin to retaliate for {what}",
    "points": lambda what, told: f"{told['points']:+d} points for {what}{_both(told)}",
    "fine": lambda what, _: f"fined for {what}",
    "listed": lambda what, told: f"on the list {what} until day {told['until']}{_both(told)}",
    "released": lambda what, _: f"off the list {what}",
    "stale": lambda what, _: f"should be off the list {what}; the entry stays behind",
    "tier": lambda what, told: f"from {label(told['before'])} to {what}",
    "flagged": lambda what, told: f"flagged by the risk score{_wrongly(told)}",
    "cleared": lambda what, _: "no longer flagged by the risk score",
    "sanctioned": lambda what, told: f"a sanction starts: {what}{_wrongly(told)}",
    "sanction-over": lambda what, _: "no sanction any more",
    "notice": lambda what, _: "is told of the sanction",
    "learns": lambda what, _: "learns of the sanction, and grows careful",
    "appeals": lambda what, told: (
        f"appeals; to be decided from day {told['decided_from']} on"
        if told["decided_from"] < 65_535
        else "appeals; nobody will ever decide"
    ),
    "appeal-won": lambda what, _: "wins the appeal",
    "appeal-lost": lambda what, _: "loses the appeal",
    "appeal-moot": lambda what, _: "the appeal lapses with the sanction",
    "corrected": lambda what, _: "has the file corrected",
    "repaired": lambda what, _: "completes a repair",
    "expired": lambda what, _: "the oldest records leave the score",
    "friends": lambda what, _: f"hears of {what} sanctioned friends" if what != "1" else "hears of a sanctioned friend",
    "answers-for-firm": lambda what, told: (
        f"{told['points']:+d} points, because her firm ({what}) was listed{_both_of(told)}"
    ),
    "firm-charged": lambda _, told: f"her firm: {told['points']:+d} points for her sanction{_both_of(told)}",
    "firm-act": lambda what, told: (
        f"her firm: {what}, seen" + ("" if told["named"] else ", and laid to no firm or to another one")
    ),
    "firm-wrong-name": lambda what, _: f"her firm: a register lays {what} of another firm to it",
    "firm-listed": lambda what, told: f"her firm: on the list {what} until day {told['until']}{_both_of(told)}",
    "firm-released": lambda what, _: f"her firm: off the list {what}",
    "firm-refused": lambda what, told: f"her firm is refused: {what}{_wrongly(told)}",
    "rated": lambda _, told: (
        f"is rated {told['stars']:.2f} stars by {plural(told['by'], 'person', 'people')}; "
        f"conduct alone would have earned {told['earned']:.2f}"
    ),
    "aware": lambda what, _: f"learns that there is such a system, {_NEWS[what]}",
    "hears-repression": lambda what, _: f"hears what the system represses, {_NEWS[what]}",
    "refused": lambda what, told: f"is refused: {what}{_wrongly(told)}",
    "refused-for-kin": lambda what, told: (
        f"is refused for the sake of somebody in her household: {what}{_wrongly(told)}"
    ),
    "echo": lambda _, told: "stands in a lower grade for the company of her friends",
    "perk": lambda what, _: f"has the perk of {what}",
    "visit": lambda what, told: (
        f"{what}: waits {told['minutes']} minutes" + (f", served {told['rank']}" if told["rank"] != "normal" else "")
    ),
}


def standing(side: Mapping[str, Any]) -> str:
    """Say a standing, as in "score 985 · B · travel ban"."""
    scores = side["score"]
    parts = [f"{name + ' ' if len(scores) > 1 else ''}{score:g}" for name, score in scores.items()]
    parts += [side["tier"]] if side["tier"] else []
    return " · ".join([*parts, *(label(name) for name in side["lists"])]) or "no entry"


def told(life: Life, *, everything: bool = False, parting: int | None = None) -> list[Step]:
    """Return the steps to tell: all, or those that touch the file or follow from it, and where two lives part."""
    return [step for at, step in enumerate(life.steps) if everything or _matters(step) or at == parting]


def _matters(step: Step) -> bool:
    if step.kind in EVERYDAY:
        return False
    return step.kind != "act" or bool(step.told["seen"])


@dataclass(frozen=True)
class Beside:
    """One row of two lives side by side; None where nothing like it happened in the other one.

    Parameters
    ----------
    day : int
    one, other : the step in each life
    parts : here the two lives part
    """

    day: int
    one: Step | None
    other: Step | None
    parts: bool

    @property
    def differs(self) -> bool:
        """Tell whether the two are not the same."""
        return self.one is None or self.other is None or _key(self.one) != _key(self.other)


def _key(step: Step) -> tuple[object, ...]:
    return (step.kind, step.what, repr(step.told), repr(step.filed), repr(step.true))


def side_by_side(lives: Sequence[Life], parting: int | None, *, everything: bool = False) -> list[Beside]:
    """Return the steps of two lives beside each other: day by day, and within a day what is of the same kind.

    Parameters
    ----------
    lives : two, of the same citizen
    parting : place of the first step in which they differ; None if they never do
    everything : tell the everyday, too
    """
    one, other = (told(life, everything=everything, parting=parting) for life in lives)
    first = {id(life.steps[parting]) for life in lives if parting is not None and parting < len(life.steps)}
    rows: list[Beside] = []
    for day in sorted({step.day for step in (*one, *other)}):
        mine, theirs = ([step for step in steps if step.day == day] for steps in (one, other))
        same = SequenceMatcher(
            None, [(s.kind, s.what) for s in mine], [(s.kind, s.what) for s in theirs], autojunk=False
        )
        for _, a, b, c, d in same.get_opcodes():
            for left, right in zip_longest(mine[a:b], theirs[c:d]):
                parts = bool({id(left), id(right)} & first)
                first -= first if parts else set()  # told once
                rows.append(Beside(day, left, right, parts))
    return rows


def who(life: Life) -> str:
    """Describe a citizen by her traits, in a line."""
    t = life.traits
    return (
        f"{t['sex']}, {label(t['age'])}, {t['urban']}, {label(t['education'])} schooling, income tenth {t['income']} "
        f"of 10, {label(t['group'])}, {label(t['occupation'])}, name {label(t['name'])}"
    )


def sums(life: Life) -> str:
    """Say in a sentence what the whole time came to."""
    counts = life.person.counts
    days, wrong = counts["sanction_days"], counts["wrongful_sanction_days"]
    refused = sum(n for name, n in counts.items() if name.startswith("refused/"))
    silenced = sum(n for name, n in counts.items() if name.startswith("silenced/"))
    false = sum(n for name, n in counts.items() if name.startswith("false_records/"))
    return (
        f"{whole(days)} days under sanction, {whole(wrong)} of them wrongly; {plural(false, 'false record')}; "
        f"{plural(refused, 'refusal')}; {plural(silenced, 'act')} not done for fear."
    )


def sources(models: Iterable[Any]) -> Callable[[str], str]:
    """Return a function from a rule's path to where its numbers come from, as in "scmp-2019, text".

    Parameters
    ----------
    models : the regime and the world; paths of the world start with ``world.``
    """
    from underheaven.reading import cited

    regime, world = models
    known = {number.path: number for number in cited(regime)}
    known |= {f"world.{number.path}": number for number in cited(world)}

    def source(rule: str) -> str:
        found = [number for path, number in known.items() if rule and (path == rule or path.startswith(f"{rule}."))]
        if not found:
            return ""
        bases = sorted({number.basis for number in found})
        keys = sorted({number.source for number in found if number.source})
        return ", ".join([*keys, *bases])

    return source


def as_json(lives: Sequence[Life], source: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return lives as plain data: who, every step with both sides of the file, and her counts."""
    return [
        {
            "citizen": life.citizen,
            "county": life.county,
            "traits": life.traits,
            "steps": [
                {
                    "day": step.day,
                    "kind": step.kind,
                    "what": step.what,
                    "rule": step.rule,
                    "source": source(step.rule),
                    **{"told": step.told, "file": step.filed, "truth": step.true, "text": sentence(step)},
                }
                for step in life.steps
            ],
            "counts": {name: n for name, n in sorted(life.person.counts.items()) if n},
        }
        for life in lives
    ]


def write_page(
    path: Path,
    title: str,
    lives: Sequence[Life],
    heads: Sequence[str],
    source: Callable[[str], str],
    everything: bool,
    parting: int | None = None,
    is_pair: bool = False,
) -> Path:
    """Write one life, or two, as an HTML page of one file.

    Parameters
    ----------
    path, title : of the page
    lives, heads : the lives and their headings
    source : of a rule's path (see `sources`)
    everything : tell the everyday, too
    parting : place of the first step in which two lives differ, to be marked
    is_pair : the two are of the same citizen under two regimes, and stand side by side; else below each other

    Raises
    ------
    StoreError : the file cannot be written
    """
    beside = side_by_side(lives, parting, everything=everything) if is_pair else []
    style = "".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "life.css"))
    rows = []
    for life, head in zip(lives, heads, strict=True):
        steps, before = [], None
        for step in told(life, everything=everything, parting=parting):
            steps.append(
                {
                    "day": "" if step.day == before else step.day,
                    "text": sentence(step),
                    "file": standing(step.filed),
                    "truth": standing(step.true),
                    "rule": step.rule,
                    "source": source(step.rule),
                    "parts": parting is not None and parting < len(life.steps) and step is life.steps[parting],
                }
            )
            before = step.day
        rows.append({"head": head, "who": who(life), "sums": sums(life), "steps": steps})
    page = (
        _environment()
        .get_template("life.html.j2")
        .render(title=title, lives=rows, beside=_shown(beside), style=style, policy=_policy([], style))
    )
    return _put(path, page)


def _shown(rows: Sequence[Beside]) -> list[dict[str, Any]]:
    """Return rows of two lives side by side as the page writes them."""
    found, before = [], None
    for row in rows:
        sides = [None if step is None else {"text": sentence(step), **_stand(step)} for step in (row.one, row.other)]
        found.append(
            {
                "day": "" if row.day == before else row.day,
                "sides": sides,
                "differs": row.differs,
                "parts": row.parts,
            }
        )
        before = row.day
    return found


def _stand(step: Step) -> dict[str, str]:
    """Return what the file says after a step, what is true, and the rule."""
    return {"file": standing(step.filed), "truth": standing(step.true), "rule": step.rule}
