"""A pollster visits places of a stored run: the people there are lived again, asked, and held against the truth."""

from __future__ import annotations

from collections.abc import Callable

from underheaven import rng
from underheaven.engine.relive import Block, Reliving
from underheaven.engine.run import ranges_under
from underheaven.errors import CommandError
from underheaven.life import state as flag
from underheaven.life.opinion import APPROVES
from underheaven.life.reference_awareness import approval
from underheaven.regime.rollout import Rollout
from underheaven.regime.schema import Regime
from underheaven.rng import draw4
from underheaven.store import Run
from underheaven.study import survey as rules
from underheaven.study.survey import FEWEST, PER_PLACE, Respondent, Survey
from underheaven.world.schema import TRAITS

Progress = Callable[[int, int], None]


def survey(
    run: Run, respondents: int = 1_000, *, told: bool = False, wave: int = 0, progress: Progress | None = None
) -> Survey:
    """Ask some people of a stored run what they think of being scored, directly and by a list experiment.

    Parameters
    ----------
    run : complete, of a regime with `awareness` in a world with `opinion`
    respondents : about so many are asked, at the end of the run, twenty at a place
    told : everybody is told first what the system represses
    wave : another number asks another sample; the same number asks the same people
    progress : called after each block with (blocks lived again, blocks)

    Returns
    -------
    Survey : estimates with standard errors, and the truth

    Raises
    ------
    CommandError : nobody can be asked in this run, or not so many
    RunError : the run cannot be lived again
    """
    for name, number in (("respondents", respondents), ("wave", wave)):
        if isinstance(number, bool) or not isinstance(number, int):
            raise CommandError.of("UH803", f"{name} is {number!r:.60}; write a whole number, as 1000")
    if wave < 0 or wave > rng.MASK32:
        raise CommandError.out_of_range("wave", wave, f"0 to {rng.MASK32}")
    lives = Reliving(run)
    opinion = lives.world.opinion
    frame = _frame(lives)
    if opinion is None or not frame:
        what = "world does not say what people think (`opinion`)" if opinion is None else (
            "regime does not say who knows of it (`awareness`)")  # fmt: skip
        raise CommandError.of("UH804", f"nobody can be asked: the {what}; run one that does, as press-2018 in a town")
    sizes = [int(lives.people.block_first[block + 1] - lives.people.block_first[block]) for block, _ in frame]
    most = sum(sizes) // 2
    if not FEWEST <= respondents <= most:
        raise CommandError.out_of_range("respondents", respondents, f"{FEWEST} to {most}, half of those under it")
    n_places = -(-respondents // PER_PLACE)
    visits = rules.visits(sizes, n_places, lives.seed, wave)
    asked: list[Respondent] = []
    place, lived, to_live = 0, 0, sum(n > 0 for n in visits)
    for (number, regime), size, n_visits in zip(frame, sizes, visits, strict=True):
        if n_visits == 0:
            continue
        block = lives.block(number)
        for citizens in rules.chosen(block.first, size, n_visits, PER_PLACE, lives.seed, wave):
            asked += _ask(lives, regime, block, citizens, place, told, wave)
            place += 1
        lived += 1
        if progress is not None:
            progress(lived, to_live)
    return rules.summed_up(asked, opinion, wave, told, _true_in_population(run, told))


def _frame(lives: Reliving) -> list[tuple[int, Regime]]:
    """Return the blocks whose people can be asked, with the regime that they live under at the end."""
    regimes = lives.regime.regimes if isinstance(lives.regime, Rollout) else (lives.regime,)
    found: list[tuple[int, Regime]] = []
    for regime, first, end in ranges_under(lives.compiled, lives.places, lives.window, lives.days):
        if regimes[regime].awareness is not None:
            found += [(number, regimes[regime]) for number in range(lives.block_of(first), lives.block_of(end - 1) + 1)]
    return found


def _ask(
    lives: Reliving, regime: Regime, block: Block, citizens: list[int], place: int, told: bool, wave: int
) -> list[Respondent]:
    """Ask the people of one place."""
    world, state, found = lives.world, block.state, []
    assert world.opinion is not None
    starts = draw4(lives.seed, rng.SURVEY, citizens[0], wave, 1)[1] if citizens else 0
    for number, citizen in enumerate(citizens):
        local = citizen - block.first
        flags, packed = int(state.flags[local]), int(block.traits[local])
        traits = {name: (packed >> shift) & ((1 << bits) - 1) for name, (shift, bits, _) in TRAITS.items()}
        knows = flags | (flag.AWARE | flag.HEARD_REPRESSION if told else 0)
        points = approval(regime, world, lives.seed, citizen, traits, knows, bool(state.refused[local]))
        approves, is_long = points >= APPROVES, rules.has_long_list(number, starts)
        word = draw4(lives.seed, rng.SURVEY, citizen, wave, 1)[2]
        says = rules.answers(world.opinion, approves, int(state.caution[local]), bool(flags & flag.KNOWS), word)
        items = rules.agreed(world.opinion, citizen, lives.seed, wave) + int(is_long and approves)
        standing = "sanctioned" if flags & flag.WAS_SANCTIONED else "perk" if flags & flag.HAD_PERK else "neither"
        found.append(Respondent(place, citizen, approves, says, is_long, items, standing))
    return found


def _true_in_population(run: Run, told: bool) -> float | None:
    """Return which share of all people approves at the end, as the run counted it."""
    if "opinion" not in run.names():
        return None
    rows = [row for row in run.table("opinion").to_pylist() if row["trait"] == "sex"]
    last = max((row["day"] for row in rows), default=0)
    key = "approving_if_told" if told else "approving"
    people = sum(row["people"] for row in rows if row["day"] == last)
    return sum(row[key] for row in rows if row["day"] == last) / people if people else None
