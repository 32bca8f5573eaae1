"""Measure speed and memory: ``make bench``.

Machines are shared and noisy, so what counts are the ratios within one run, not the seconds.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench import numpy_model

HERE = Path(__file__).parent


def seconds(call: Callable[[], object], times: int) -> float:
    """Return the least of several wall times; whatever else the machine does only adds to it."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return min(found)


def start_times() -> list[tuple[str, str]]:
    """Measure how long the program takes to say anything, beside Python itself."""

    def run(*arguments: str) -> None:
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)

    bare = seconds(lambda: run("-c", "pass"), 5)
    help_ = seconds(lambda: run("-m", "underheaven", "--help"), 5)
    return [
        ("start: python -c pass", f"{bare:.3f} s"),
        ("start: underheaven --help", f"{help_:.3f} s"),
        ("ratio", f"{help_ / bare:.1f}"),
    ]


def common_model(people: int, days: int) -> list[tuple[str, str]]:
    """Live the common model in the engine and in plain NumPy, by turns."""
    from underheaven.engine.run import simulate
    from underheaven.regime.reader import load_regime
    from underheaven.world.reader import load_world

    regime = load_regime(str(HERE / "common-regime.yaml"))
    world = load_world(str(HERE / "common-world.yaml"), people=people)

    def engine(threads: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            run = simulate(regime, world, days=days, threads=threads, out=Path(folder) / "run")
            return float(run.manifest["timings"]["life_seconds"])

    engine(1)  # compiles, if need be
    ours, both, numpy = [], [], []
    for _ in range(3):
        start = time.perf_counter()
        numpy_model.live(people, days, 1)
        numpy.append(time.perf_counter() - start)
        ours.append(engine(1))
        both.append(engine(2))
    rate = people * days / 1e6
    return [
        (f"common model, {people:,} people x {days} days: NumPy", f"{rate / min(numpy):.1f} M citizen-days/s"),
        ("the same, engine, 1 thread", f"{rate / min(ours):.1f} M citizen-days/s"),
        ("the same, engine, 2 threads", f"{rate / min(both):.1f} M citizen-days/s"),
        ("ratio, 1 thread to NumPy", f"{statistics.median(numpy) / statistics.median(ours):.1f}"),
        ("ratio, 2 threads to NumPy", f"{statistics.median(numpy) / statistics.median(both):.1f}"),
    ]


def city_year(people: int | None, days: int) -> list[tuple[str, str]]:
    """Live press-2018 in the city for a year."""
    from underheaven.engine.run import simulate
    from underheaven.regime.reader import load_regime
    from underheaven.world.reader import load_world

    regime, world = load_regime("press-2018"), load_world("city", people=people)
    rows, rates = [], {}
    for threads in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            manifest = simulate(regime, world, days=days, threads=threads, out=Path(folder) / "run").manifest
            whole = time.perf_counter() - start
        rates[threads] = manifest["timings"]["citizen_days_per_second"]
        rows += [
            (f"press-2018, {manifest['people']:,} people x {days} days, {threads} thread(s): life loop",
             f"{manifest['timings']['life_seconds']:.2f} s"),
            ("the same, all but the report", f"{whole:.2f} s"),
            ("the same, citizen-days per second", f"{rates[threads] / 1e6:.1f} M"),
        ]  # fmt: skip
    rows += [
        ("ratio, 2 threads to 1", f"{rates[2] / rates[1]:.2f}"),
        ("bytes of state a citizen", str(manifest["bytes_per_citizen"])),
        ("peak memory of this process", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"),
    ]
    return rows


def mechanisms(people: int | None, days: int) -> list[tuple[str, str]]:
    """Live press-2018 without any single mechanism, as it is, and with every mechanism at once, by turns."""
    from underheaven.engine.run import simulate
    from underheaven.life.state import bytes_per_citizen
    from underheaven.regime.reform import load_reformed
    from underheaven.regime.tables import compile_tables
    from underheaven.world.reader import load_world

    world = load_world("city", people=people)
    names = {
        "without any single mechanism": f"press-2018 + {HERE / 'first-issue.yaml'}",
        "as it is": "press-2018",
        "every mechanism at once": f"press-2018 + {HERE / 'all-mechanisms.yaml'}",
    }
    regimes = {what: load_reformed(name) for what, name in names.items()}
    taken: dict[str, list[float]] = {what: [] for what in regimes}
    for _ in range(3):
        for what, regime in regimes.items():
            with tempfile.TemporaryDirectory() as folder:
                manifest = simulate(regime, world, days=days, out=Path(folder) / "run").manifest
            taken[what].append(manifest["timings"]["life_seconds"])
    least = {what: min(times) for what, times in taken.items()}
    bare = least["without any single mechanism"]
    rows = [(f"press-2018, {world.people:,} people x {days} days, {what}: life loop", f"{least[what]:.2f} s")
            for what in regimes]  # fmt: skip
    rows += [(f"ratio, {what}, to without", f"{least[what] / bare:.2f}") for what in list(regimes)[1:]]
    size = {what: bytes_per_citizen(compile_tables(regime, world).rules) for what, regime in regimes.items()}
    return [*rows, *((f"bytes of state a citizen, {what}", str(n)) for what, n in size.items())]


def single_lives(people: int | None, days: int) -> list[tuple[str, str]]:
    """Live single citizens of a stored run again: in a city, and in a run of a tenth of it."""
    from underheaven.engine.relive import Reliving
    from underheaven.engine.run import simulate
    from underheaven.regime.reader import load_regime
    from underheaven.world.reader import load_world

    found, rows = [], []
    whole = load_world("city", people=people).people
    for size in (whole, whole // 10):
        with tempfile.TemporaryDirectory() as folder:
            world = load_world("city", people=size)
            lives = Reliving(simulate(load_regime("press-2018"), world, days=days, out=Path(folder) / "run"))
            lives.life(0)
            times = []
            for citizen in range(1, size, size // 20):
                start = time.perf_counter()
                lives.life(citizen)
                times.append(time.perf_counter() - start)
        found.append(statistics.median(times))
        rows.append((f"one life of {size:,} x {days} days, lived again and told, median", f"{1e3 * found[-1]:.0f} ms"))
    return [*rows, ("ratio, of the larger run to the smaller", f"{found[0] / found[1]:.2f}")]


def twins(people: int | None, days: int, seeds: int) -> list[tuple[str, str]]:
    """Estimate a small effect, what notice does to jaywalking, by twin lives and by independent seeds at equal cost."""
    from underheaven.engine.run import simulate
    from underheaven.regime.reader import load_regime
    from underheaven.world.reader import load_world

    world = load_world("city", people=people)
    regimes = load_regime("press-2018"), load_regime("press-2018", ["remedies.notice=1"])

    def acts(regime: int, seed: int) -> int:
        with tempfile.TemporaryDirectory() as folder:
            run = simulate(regimes[regime], world, days=days, seed=seed, out=Path(folder) / "run")
            table = run.table("counts_stratum").to_pylist()
        return sum(row["amount"] for row in table if row["counter"] == "done/jaywalking")

    one = [acts(0, seed) for seed in range(1, seeds + 1)]
    other = [acts(1, seed) for seed in range(1, seeds + 1)]
    paired = statistics.stdev(b - a for a, b in zip(one, other, strict=True))
    # Each run of one regime beside a run of the other with another seed: as many runs, no pair.
    apart = statistics.stdev(other[at] - one[at - 1] for at in range(seeds))
    what = f"effect of notice on jaywalking, {world.people:,} people x {days} days, {seeds} seeds"
    return [
        (f"{what}: mean", f"{statistics.mean(other) - statistics.mean(one):,.0f} acts"),
        ("deviation by twin lives", f"{paired:,.0f}"),
        ("deviation by independent seeds, as many runs", f"{apart:,.0f}"),
        ("ratio, independent to twin", f"{apart / paired:.0f}"),
    ]


def main() -> None:
    """Print the figures, and add them to the record if asked to."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smaller city and fewer days, to try the bench itself")
    parser.add_argument("--record", action="store_true", help="add the figures to bench/RECORD.md")
    options = parser.parse_args()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = [f"{datetime.now(UTC):%Y-%m-%d}, {machine}"]
    parts: list[Callable[[], list[tuple[str, str]]]] = [
        start_times,
        lambda: common_model(100_000 if options.quick else 1_000_000, 28 if options.quick else 56),
        lambda: city_year(50_000 if options.quick else None, 56 if options.quick else 365),
        lambda: mechanisms(50_000 if options.quick else 200_000, 56 if options.quick else 182),
        lambda: twins(20_000, 56, 4) if options.quick else twins(50_000, 182, 12),
        lambda: single_lives(50_000 if options.quick else None, 56 if options.quick else 365),
    ]
    print(lines[0])
    for part in parts:
        for what, figure in part():
            lines.append(f"| {what} | {figure} |")
            print(f"{what:<78} {figure:>24}", flush=True)
    if options.record:
        with (HERE / "RECORD.md").open("a", encoding="utf-8") as record:
            record.write("\n".join(["", f"## {lines[0]}", "", "| what | figure |", "|---|---|", *lines[1:], ""]))


if __name__ == "__main__":
    main()
