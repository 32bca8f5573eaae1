"""What one part of a regime file demands of another.

Each check yields findings: where, and a sentence that says what is wrong and what to write instead.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from underheaven.reading import Finding, Findings, did_you_mean
from underheaven.regime.sections import association, awareness, peers, risk
from underheaven.regime.sections.abuse import check_abuse

if TYPE_CHECKING:
    from underheaven.reading import Duration
    from underheaven.regime import schema
    from underheaven.regime.sections.firms import Firms

MAX_TIERS = 8
MAX_LISTS = 2
MAX_EXPIRY_YEARS = 10  # each year of record is a column of the state
FARTHEST_POINTS = 3_000  # scores are stored as tenths of a point in 16 bits
MAX_YEAR_POINTS = 1_638  # so are the points of a year, which repairs can double
LONGEST_DAYS = 50 * 365  # days are stored in 16 bits; this leaves room for a century of simulation


def score(found: schema.Score) -> Findings:
    """Check that floor <= start <= cap, that there is room between the two ends, and that a column holds it."""
    low, start, high = found.floor.value, found.start.value, found.cap.value
    for key, end in (("floor", low), ("cap", high)):
        if abs(end) > FARTHEST_POINTS:
            limit = f"-{FARTHEST_POINTS} .. {FARTHEST_POINTS}"
            yield Finding((key, "value"), f"{end} is too far out; scale the points so that scores stay within {limit}")
    if low >= high:
        yield Finding(("cap",), f"the cap of {high} is not above the floor of {low}; write a larger number")
    elif not low <= start <= high:
        yield Finding(("start",), f"the start of {start} is outside {low} .. {high}; write a number within them")


def _length(at: tuple[str | int, ...], duration: Duration) -> Findings:
    if duration.days < 1:
        yield Finding(at, "this is less than a day; write at least `1 day`")
    elif duration.days > LONGEST_DAYS:
        yield Finding(at, f"{duration.value} is longer than 50 years; write `50 years` or less")


def term(found: schema.Term) -> Findings:
    """Check that a term has the numbers of its law, and no others."""
    wanted = ("short", "long", "short_share") if found.law == "mixture" else ("mean",)
    for key in ("mean", "short", "long", "short_share"):
        value = getattr(found, key)
        if key in wanted and value is None:
            example = "{value: 0.8, per: listing, ...}" if key == "short_share" else "{value: 1 year, ...}"
            yield Finding((), f"a term of law `{found.law}` needs `{key}`; write `{key}: {example}`")
        elif key not in wanted and value is not None:
            yield Finding((key,), f"a term of law `{found.law}` has no `{key}`; take it out (it has {_and(wanted)})")
        elif value is not None and key != "short_share":
            yield from _length((key,), value)
    if found.short is not None and found.long is not None and found.short.days >= found.long.days:
        yield Finding(("long",), "the long term is not longer than the short one; exchange the two")


def cameras(found: schema.Cameras) -> Findings:
    """Check that the density is written in one way, not in two or none."""
    pair = (found.number is not None, found.people is not None)
    if found.per_1000 is not None and any(pair):
        yield Finding(("per_1000",), "the density is written twice; keep `per_1000` or `number` with `people`")
    elif found.per_1000 is None and not all(pair):
        yield Finding((), "the density is missing; write `number` and `people`, or `per_1000`")
    if found.half_view.exact == 0:
        yield Finding(("half_view", "value"), "no density sees half of everything at 0; write a number above 0")
    if found.people is not None and found.people.value == 0:
        yield Finding(("people", "value"), "nobody to divide the cameras by; write the number of people")


def recognition(found: schema.Recognition) -> Findings:
    """Check that the error model is complete and that every rate stays a chance for every look."""
    independent = found.law == "independent"
    wanted, spare = ("false_match", "fpir") if independent else ("fpir", "false_match")
    unit = "comparison" if independent else "probe"
    if getattr(found, wanted) is None:
        text = f"law `{found.law}` needs `{wanted}`; write `{wanted}: {{value: ..., per: {unit}, ...}}`"
        yield Finding((), text)
    if getattr(found, spare) is not None:
        other = "constant" if independent else "independent"
        yield Finding((spare,), f"law `{found.law}` does not use `{spare}`; take it out or write `law: {other}`")
    if independent and found.gallery == "nation" and found.fixed_gallery is None:
        yield Finding(("gallery",), "a gallery of the nation needs its size; write `nation: {value: ...}`")
    for key in ("nation", "size"):
        count = getattr(found, key)
        if count is not None and count.value == 0:
            yield Finding((key, "value"), "an empty gallery names nobody; write 1 or more, or take recognition out")
    for key, ratio in (
        ("miss", "miss_ratio"),
        ("false_match", "false_match_ratio"),
        ("fpir", "false_match_ratio"),
    ):
        chance = getattr(found, key)
        if chance is not None:
            yield from _stays_a_chance((ratio,), key, chance.exact * getattr(found, ratio).most)


def _stays_a_chance(at: tuple[str | int, ...], what: str, most: Fraction) -> Findings:
    if most > 1:
        text = f"`{what}` times its largest factors is {float(most):.4g}, above 1; write smaller factors"
        yield Finding(at, text)


def registers(found: schema.Registers) -> Findings:
    """Check that missed and false links together stay a chance for everybody, and that stale has its time."""
    missed = found.missed_link.exact * found.missed_link_ratio.most
    false = found.false_link.exact * found.false_link_ratio.most
    yield from _stays_a_chance(("missed_link_ratio",), "missed_link", missed)
    yield from _stays_a_chance(("false_link_ratio",), "false_link", false)
    if missed <= 1 and false <= 1 and missed + false > 1:
        text = (
            f"missed and false links together are {float(missed + false):.4g} of the records of some; "
            "write smaller chances or factors, so that they stay within 1"
        )
        yield Finding((), text)
    if (found.stale is None) != (found.stale_time is None):
        here, there = ("stale", "stale_time") if found.stale_time is None else ("stale_time", "stale")
        example = "{value: 0.1, per: removal, ...}" if there == "stale" else "{value: 180 days, ...}"
        yield Finding((here,), f"`{here}` needs `{there}`; write `{there}: {example}`")
    if found.stale_time is not None:
        yield from _length(("stale_time",), found.stale_time)


def remedies(found: schema.Remedies) -> Findings:
    """Check that people can learn of what they may contest, and that terms have the right size."""
    appeal = found.appeal
    if appeal is not None:
        told = found.notice is not None and found.notice.exact > 0
        if appeal.learns == "notice" and not told:
            yield Finding(
                ("appeal",),
                "nobody is told of a sanction, so nobody can appeal; write `notice: {value: 1, per: sanction, "
                "...}`, or `learns: refusal` here if people learn of it when a service refuses them",
            )
        for key in ("deadline", "decision"):
            yield from _length(("appeal", key), getattr(appeal, key))
    if found.repair is not None and found.repair.points.value <= 0:
        yield Finding(("repair", "points", "value"), "a repair gives points back; write a number above 0")
    if found.expiry is not None:
        days, limit = found.expiry.days, MAX_EXPIRY_YEARS * 365
        if days == 0 or days % 365:
            yield Finding(("expiry", "value"), "records expire in whole years; write `1 year`, `2 years`, ...")
        elif days > limit:
            text = f"records are kept for at most {MAX_EXPIRY_YEARS} years; write `{MAX_EXPIRY_YEARS} years` "
            yield Finding(("expiry", "value"), text + "or less, or take `expiry` out if they never leave")


def regime(found: schema.Regime) -> Findings:
    """Check the whole file: what needs a score, what refers to tiers and lists, and the cases."""
    yield from _needs_score(found)
    yield from tiers(found)
    yield from _points(found)
    yield from _expiry(found)
    yield from _lists(found)
    yield from _treatment(found)
    yield from peers.fits(found)
    yield from risk.check_in_regime(found)
    yield from association.fits(found)
    yield from _unique("demands", tuple(demand.name for demand in found.demands))
    if found.recognition is not None and found.cameras is None:
        text = "recognition needs cameras to see with; write `cameras:` with `per_1000` and `half_view`"
        yield Finding(("recognition",), text)
    if found.registers is not None and found.registers.stale is not None and not found.lists:
        text = "only entries of a list can go stale, and there is no list; take `stale` and `stale_time` out"
        yield Finding(("registers", "stale"), text)
    yield from awareness.check(found)
    yield from check_abuse(found)
    if found.firms is not None:
        yield from found.firms.within(found)
    for number, case in enumerate(found.cases):
        yield from _case(found, case, ("cases", number))


def _needs_score(found: schema.Regime) -> Findings:
    if found.score is not None:
        if not found.tiers:
            text = "a score without tiers decides nothing; write 1 to 8 `tiers`, the last one from the floor"
            yield Finding(("score",), text)
        return
    mend = "write `score:` with start, floor and cap, or take this out"
    given = {
        ("tiers",): (bool(found.tiers), "tiers cut a score into grades"),
        ("points",): (bool(found.points), "points move a score"),
        ("context_wall",): (found.context_wall, "a context wall splits a score into ledgers"),
        ("remedies", "repair"): (found.remedies.repair is not None, "a repair gives points back"),
        ("remedies", "expiry"): (found.remedies.expiry is not None, "records expire out of a score"),
    }
    for at, (is_there, why) in given.items():
        if is_there:
            yield Finding(at, f"{why}, and there is no score; {mend}")


def tiers(found: schema.Regime | Firms) -> Findings:
    """Check that tiers fall from the best, within the score, and have names of their own."""
    rows = found.tiers
    if len(rows) > MAX_TIERS:
        yield Finding(("tiers", MAX_TIERS), f"{len(rows)} tiers are too many; write at most {MAX_TIERS}")
    yield from _unique("tiers", found.tier_names)
    if found.score is None:
        return
    floor, cap = found.score.floor.value, found.score.cap.value
    above: schema.Tier | None = None
    for number, tier in enumerate(rows):
        at = ("tiers", number, "from")
        is_last = number == len(rows) - 1
        if tier.from_ is None:
            if not is_last:
                yield Finding(("tiers", number), f"tier '{tier.name}' does not say where it starts; write `from:`")
            continue
        low = tier.from_.value
        if is_last and low != floor:
            text = f"the last tier starts at {low}, but scores fall to {floor}; write {floor}, or no `from`"
            yield Finding(at, text)
        elif low > cap:
            yield Finding(at, f"no score reaches {low}, because the cap is {cap}; write {cap} or less")
        elif above is not None and above.from_ is not None and low >= above.from_.value:
            text = f"tiers fall from the best, but {low} is not below the {above.from_.value} of '{above.name}'"
            yield Finding(at, text + "; write a smaller number or change the order")
        above = tier


def _unique(key: str, names: tuple[str, ...]) -> Findings:
    for number, name in enumerate(names):
        if name in names[:number]:
            yield Finding((key, number, "name"), f"there is already one called '{name}'; write another name")


def _points(found: schema.Regime) -> Findings:
    if found.score is None:
        return
    room = found.score.cap.value - found.score.floor.value
    sizes: dict[tuple[str | int, ...], int] = {}
    for act, points in found.points.items():
        sizes["points", act] = abs(points.value)
    if found.remedies.repair is not None:
        sizes["remedies", "repair", "points"] = found.remedies.repair.points.value
    for at, size in sizes.items():
        if size > room:
            yield Finding(at, f"{size} points are more than the whole scale of {room}; write at most {room}")


def _expiry(found: schema.Regime) -> Findings:
    """Check that a year's points, of which expiry keeps the sum, fit into their column."""
    if found.score is None or found.remedies.expiry is None:
        return
    room = found.score.cap.value - found.score.floor.value
    if room > MAX_YEAR_POINTS:
        text = (
            f"records that expire need a scale of at most {MAX_YEAR_POINTS} points, and this one has {room}; "
            "scale the points down, or take `expiry` out"
        )
        yield Finding(("remedies", "expiry"), text)


def _lists(found: schema.Regime) -> Findings:
    if len(found.lists) > MAX_LISTS:
        yield Finding(("lists", MAX_LISTS), f"{len(found.lists)} lists are too many; write at most {MAX_LISTS}")
    yield from _unique("lists", found.list_names)
    for number, entry in enumerate(found.lists):
        at = ("lists", number)
        if not entry.on and entry.below is None:
            text = "nothing leads to this list; write `on:` with acts, or `below:` with a tier"
            yield Finding(at, text)
        if entry.below is not None:
            yield from _known((*at, "below"), "tier", entry.below, found.tier_names)
            if found.tier_names and entry.below == found.tier_names[0]:
                text = f"everybody is in tier '{entry.below}' or lower; write a lower tier, or take `below` out"
                yield Finding((*at, "below"), text)


def _known(at: tuple[str | int, ...], what: str, name: str, names: tuple[str, ...]) -> Findings:
    if name in names:
        return
    if not names:
        yield Finding(at, f"'{name}' is no {what}, because none is declared; write `{what}s:` first or take it out")
        return
    guess = did_you_mean(name, names)
    mend = f"did you mean '{guess}'?" if guess else f"write one of {_or(names)}"
    yield Finding(at, f"'{name}' is no {what} of this regime; {mend}")


def _treatment(found: schema.Regime) -> Findings:
    for service, rule in found.treatment.items():
        for tier in rule.tiers:
            yield from _known(("treatment", service, "tiers", tier), "tier", tier, found.tier_names)
        for name, treatment in rule.lists.items():
            at = ("treatment", service, "lists", name)
            yield from _known(at, "list", name, found.list_names)
            if treatment in ("perk", "first"):
                text = f"a list only makes treatment worse, not `{treatment}`; write last or refuse, or use tiers"
                yield Finding(at, text)


def _case(found: schema.Regime, case: schema.Case, at: tuple[str | int, ...]) -> Findings:
    given, then = case.given, case.then
    if found.score is None:
        claims = {("given", "start"): given.start, ("then", "score"): then.score, ("then", "tier"): then.tier}
        for where, claim in claims.items():
            if claim is not None:
                yield Finding((*at, *where), "there is no score in this regime; take this out of the case")
    else:
        low, high = found.score.floor.value, found.score.cap.value
        for where, points in ((("given", "start"), given.start), (("then", "score"), then.score)):
            if points is not None and not low <= points <= high:
                yield Finding((*at, *where), f"{points} is outside {low} .. {high}; write a score within them")
        if then.tier is not None:
            yield from _known((*at, "then", "tier"), "tier", then.tier, found.tier_names)
    for number, name in enumerate(given.lists):
        yield from _known((*at, "given", "lists", number), "list", name, found.list_names)
    for number, name in enumerate(then.listed or ()):
        yield from _known((*at, "then", "listed", number), "list", name, found.list_names)
    for number, name in enumerate(then.refused or ()):
        if name not in found.treatment:
            guess = did_you_mean(name, found.service_names)
            mend = f"did you mean '{guess}'?" if guess else "write a service that stands under `treatment`"
            text = f"'{name}' has no rule under `treatment`, so it cannot refuse; {mend}"
            yield Finding((*at, "then", "refused", number), text)


def _and(words: tuple[str, ...]) -> str:
    quoted = [f"`{word}`" for word in words]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def _or(words: tuple[str, ...]) -> str:
    return ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else words[0]
