"""A run that has nothing to do: all studies, at the scale of tests."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from benchmarks.project import copy_to, snakemake
from benchmarks.timing import Way, compare

REPEATS = 3
SMOKE = ("--config", "scale=smoke")


def main() -> None:
    """Print the time of a second run, beside that of Snakemake's own start."""
    with tempfile.TemporaryDirectory() as folder:
        copy_to(Path(folder))
        empty = Path(folder, "empty")
        empty.mkdir()
        (empty / "Snakefile").write_text("rule all:\n    input: []\n")
        snakemake(Path(folder), "--cores", "2", *SMOKE)
        compare(
            "a run with nothing to do, at scale smoke",
            [
                Way("interpflow", partial(snakemake, Path(folder), "--cores", "2", *SMOKE)),
                Way("a Snakefile without jobs", partial(snakemake, empty, "--cores", "2")),
            ],
            REPEATS,
        )
