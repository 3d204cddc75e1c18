"""A copy of the project to run Snakemake in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
COPIED = (
    "Snakefile", "environment.yml", "rules", "profiles", "src", "specs", "weights", "findings",
)  # fmt: skip


def copy_to(folder: Path) -> None:
    """Copy what a run needs, and none of its results."""
    for name in COPIED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)


def snakemake(folder: Path, *arguments: str) -> None:
    """Run `snakemake` in `folder`; what it says is dropped."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "snakemake", *arguments]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
