"""What takes minutes: many configurations, many kills, larger crowds.  ``make verify``."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lives import Columns, live, totals
from test_oracle import assert_same
from underheaven import catalogue
from underheaven.regime.reader import load_regime
from underheaven.store import open_run
from underheaven.world.reader import load_world

REGIMES = ["press-2018", "rongcheng-2016", "judgment-defaulters", "none"]


@pytest.mark.parametrize("number", range(24))
def test_one_hash_over_random_configurations(tmp_path, number):
    """Another number of threads and blocks, and checkpoints at every exchange, end in the same bytes (D1)."""
    draw = random.Random(number)
    regime, seed = draw.choice(REGIMES), draw.randrange(2**63)
    common = {"world": draw.choice(["town", "city", "province", "china"]), "people": draw.choice([3_000, 20_000]),
              "days": draw.randrange(1, 90), "seed": seed}  # fmt: skip
    plain = live(tmp_path / "plain", regime, **common)
    other = live(
        tmp_path / "other", regime, **common, threads=draw.choice([1, 2, 3]), checkpoint_seconds=0.0,
        blocks_per_task=draw.choice([1, 2, 7, 10_000]),
    )  # fmt: skip
    assert other.manifest["result_hash"] == plain.manifest["result_hash"]
    assert totals(other) == totals(plain)


def _newest(partial):
    """Return when the newest checkpoint was stored; 0 if there is none."""
    return max((path.stat().st_mtime_ns for path in partial.glob("checkpoint-*/*.json")), default=0)


def test_killed_at_any_time(tmp_path):
    """A run killed at random instants, and resumed each time, ends in the same bytes (C1)."""
    draw = random.Random(1)
    command = [
        sys.executable, "-c",
        "import sys; sys.path.insert(0, 'tests'); from lives import live;"
        "live(sys.argv[1], people=100_000, days=140, checkpoint_seconds=0.05, resume=sys.argv[2] == 'resume')",
    ]  # fmt: skip
    plain = live(tmp_path / "plain", people=100_000, days=140)
    kills, out, partial = 0, tmp_path / "run", tmp_path / "run.partial"
    deadline = time.monotonic() + 240
    while not (out / "manifest.json").exists() and time.monotonic() < deadline:
        has_checkpoint = any(partial.glob("checkpoint-*/*.json"))
        if partial.exists() and not has_checkpoint:
            subprocess.run(["rm", "-rf", str(partial)], check=True)
        process = subprocess.Popen(
            [*command, str(out), "resume" if has_checkpoint else "fresh"], stderr=subprocess.DEVNULL, env=_environment()
        )
        # However fast the machine: a moment after it has stored something new, and six times at most.
        stored = _newest(partial)
        while kills < 6 and process.poll() is None and _newest(partial) == stored:
            time.sleep(0.005)
        if kills < 6 and process.poll() is None:
            time.sleep(0.2 * draw.random())
            process.send_signal(signal.SIGKILL)
            kills += 1
        assert process.wait() in (0, -signal.SIGKILL)
    assert kills > 0
    assert open_run(out).manifest["result_hash"] == plain.manifest["result_hash"]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path("src").resolve()), str(Path("tests").resolve())])}


@pytest.mark.parametrize("settings", [{"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"},
                                      {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
                                      {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}])  # fmt: skip
def test_other_processors_and_places(tmp_path, settings):
    """With other vector instructions, a generic processor, another time zone: the same bytes (D2)."""
    plain = live(tmp_path / "plain", people=20_000, days=56)
    code = "import sys; from lives import live; live(sys.argv[1], people=20_000, days=56)"
    cache = {"UNDERHEAVEN_CACHE": str(tmp_path / "cache")}
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "other")], check=True, env=_environment() | settings | cache
    )
    assert open_run(tmp_path / "other").manifest["result_hash"] == plain.manifest["result_hash"]


@pytest.mark.parametrize("name", catalogue.names("regimes"))
def test_oracle_over_a_whole_town(tmp_path, name):
    """10,000 people for a year: every column of everybody, and every count, as the oracle has them."""
    columns = Columns()
    run = live(tmp_path / "run", name, "town", 10_000, days=365, observers=[columns])
    assert_same(load_regime(name), load_world("town", people=10_000), run, columns.by_day[365])
