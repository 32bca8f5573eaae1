"""Golden runs: small, as text and hash.  They change on purpose only, with a changelog line (`make golden`)."""

from __future__ import annotations

import pytest

from lives import live, totals

REGIMES = ["press-2018", "rongcheng-2016", "judgment-defaulters", "none", "nosedive-2016", "hot-spot-cameras"]


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("world", ["town", "city", "province", "china"])
def test_golden_run(tmp_path, golden, regime, world):
    """4,000 citizens over 63 days: the hash of the columns and every counter."""
    run = live(tmp_path / "run", regime, world, 4_000, days=63, seed=2018, threads=2)
    lines = [f"results_version {run.manifest['results_version']}", f"result_hash {run.manifest['result_hash']}"]
    lines += [f"{name} {amount}" for name, amount in sorted(totals(run).items()) if amount]
    golden(f"{regime}-{world}", "\n".join(lines) + "\n")
