"""A command imports what it needs and nothing heavy beside: that is most of the time of a short job."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import interpflow

RUN_EACH = """
import sys
from interpflow.__main__ import main
for command in sys.argv[2:]:
    assert main(command.split()) == 0, command
print(*sorted(set(sys.argv[1].split(",")) & set(sys.modules)))
"""
COMPUTING = ("torch",)
COMPILING = ("torch._dynamo", "torch._inductor")
DRAWING = ("matplotlib", "PIL")
# pyplot looks for a screen, and seaborn imports pyplot.
NEVER = ("matplotlib.pyplot", "seaborn", "snakemake", "scipy", "sklearn")


@pytest.mark.parametrize(
    ("commands", "spared"),
    [
        (["check", "list tasks", "list analyses", "list plots", "list methods", "list studies"],
         (*COMPUTING, *DRAWING, "netCDF4")),
        (
            ["data small plain", "analyse small strings plain", "collect small lengths",
             "claims small", "manifest small", "show results/laptop/small/analyses/lengths.nc",
             "status small", "why small"],
            (*COMPUTING, *DRAWING),
        ),
        (["figure small bins", "report", "verify"], COMPUTING),
        (["analyse small lengths plain"], (*COMPILING, *DRAWING)),
        (["train small plain 0"], (*COMPILING, *DRAWING)),
    ],
    ids=lambda value: value[0],
)  # fmt: skip
def test_a_command_does_not_import(built: Path, commands: list[str], spared: tuple[str, ...]):
    done = subprocess.run(
        [sys.executable, "-c", RUN_EACH, ",".join((*spared, *NEVER)), *commands],
        env={**os.environ, "PYTHONPATH": str(Path(interpflow.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "", "imported"
