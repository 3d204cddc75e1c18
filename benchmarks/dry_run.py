"""`snakemake --dry-run` on a spec of 1,000 experiments, against a bare Snakefile with the same jobs."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from benchmarks import generated
from benchmarks.project import snakemake
from benchmarks.timing import Way, compare

EXPERIMENTS, REPEATS = 1000, 3


def main() -> None:
    """Print the time of a dry run of all jobs."""
    with tempfile.TemporaryDirectory() as folder:
        ours, bare = generated.beside_bare(Path(folder), EXPERIMENTS)
        compare(
            f"snakemake --dry-run of {EXPERIMENTS} experiments",
            [
                Way("interpflow", partial(snakemake, ours, "--dry-run")),
                Way("a bare Snakefile with the same jobs", partial(snakemake, bare, "--dry-run")),
            ],
            REPEATS,
        )
        print("  goal: 0.67 x (interpflow at most 1.5 times as long)")
