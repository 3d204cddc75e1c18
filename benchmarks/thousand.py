"""A study of 1,000 experiments: what planning, looking, running 200 of them and doing nothing take.

Against a bare Snakefile of the same jobs, which touch their files.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import generated

EXPERIMENTS, RUN = 1000, 200


def main() -> None:
    """Print processor time, time on the clock and peak memory of each."""
    with tempfile.TemporaryDirectory() as folder:
        ours, bare = generated.beside_bare(Path(folder), EXPERIMENTS)
        _measure("plan and dry run", ours, "--dry-run")
        _measure("dry run, the plan kept", ours, "--dry-run")
        _measure("dry run of a bare Snakefile", bare, "--dry-run")
        generated.beside_bare(Path(folder), RUN)
        _measure(f"run of {RUN}, the processes of jobs too", ours, "--cores", "2")
        _measure("the same of a bare Snakefile", bare, "--cores", "2")
        _measure("nothing to do", ours, "--cores", "2")
        _measure("the same of a bare Snakefile", bare, "--cores", "2")


def _measure(what: str, folder: Path, *arguments: str) -> None:
    """Run `snakemake` in `folder` and print what it took; memory is that of its main process."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments],
        cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    cpu, clock, memory = map(float, done.stdout.split()[-3:])
    print(f"  {what:<44}{cpu:9.1f} s processor{clock:9.1f} s clock{memory:8.0f} MB", flush=True)


# Snakemake's main process says itself what it took.
_PROGRAM = """
import resource, sys, time
from snakemake.cli import main
began = time.monotonic()
sys.argv = ["snakemake", *sys.argv[1:]]
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
own, children = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
cpu = sum(used.ru_utime + used.ru_stime for used in (own, children))
print(cpu, time.monotonic() - began, own.ru_maxrss / 1e3)
"""
