"""A variant under Snakemake: points in places of their own, killed and completed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
from pathlib import Path

import pytest
from workflow.project_copy import SPEC, Copy

TWO = ["-S", "training.learning_rate=1e-3,2e-3"]
TWENTY_SEVEN = [
    "-S", "training.learning_rate=1e-3,2e-3,3e-3", "-S", "model.d_mlp=8,12,16",
    "-S", "training.batch_size=10,20,30",
]  # fmt: skip


@pytest.mark.parametrize(
    ("axes", "points", "kills"),
    [(TWO, 2, 2), pytest.param(TWENTY_SEVEN, 27, 2, marks=pytest.mark.nightly)],
)
def test_a_sweep_killed_twice_is_completed_with_the_bytes_of_one_that_was_not(
    empty: Copy, tmp_path: Path, axes: list[str], points: int, kills: int
):
    (empty.folder / SPEC).write_text(_small(empty))
    assert empty.interpflow("run", "tiny", *axes, "--as", "lr_try", "--one-process").returncode == 0
    before = empty.digests()
    # The point that is the spec as it stands has nothing of its own.
    assert len({name.split("/")[2] for name in before if "/lr_try." in name}) == points - 1
    other = Copy(tmp_path / "other")
    subprocess.run(["cp", "-r", empty.folder, other.folder], check=True)
    for folder in ("results", "figures", "cache", ".snakemake"):
        subprocess.run(["rm", "-rf", other.folder / folder], check=True)
    moments = random.Random(27)
    for _ in range(kills):
        run = other.start("--cores", "all", "lr_try")
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(timeout=moments.uniform(6.0, 5.0 + 5.0 * points))
        if run.returncode is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    other.snakemake("--cores", "all", "lr_try")
    after = other.digests()
    assert {name: after.get(name) for name in before} == before
    assert other.would_run("lr_try") == set()
    table = other.interpflow("table", "lr_try").stdout
    assert sum("lr_try." in line for line in table.splitlines()) == points


def _small(copy: Copy) -> str:
    """The tiny study with one experiment, one seed and no figures."""
    lines = (copy.folder / SPEC).read_text().replace("seeds: 2", "seeds: 1").splitlines()
    kept = [
        line
        for line in lines
        if not line.startswith(("  wide:", "  norms:", "  both:", "  outlines:"))
    ]
    return "\n".join(kept).replace("data: norms", "data: narrow_norms") + "\n"
