"""What a run asks SLURM itself: whether it keeps accounts, and what of earlier runs is in its queue."""

from __future__ import annotations

import subprocess
from pathlib import Path

from interpflow.errors import InterpflowError

JOB_NAMES = "interpflow"  # the jobs of all runs are called so, by the profile


# Snakemake's executor looks every three minutes at least, and a job that it never saw end it waits for.
_SECONDS_BETWEEN_LOOKS = 180


def keeps_accounts() -> bool:
    """Whether the cluster keeps accounts of jobs that ended, so that `sacct` knows them.

    Raises InterpflowError where there is no cluster to ask.
    """
    return not _setting("AccountingStorageType").endswith(("none", "(null)"))


def teller(accounts: bool) -> tuple[str, str]:
    """The command that tells the states of jobs, where `accounts` are kept or not; what it misses, or "".

    Squeue as long as it knows jobs that ended when they are looked at.  Of jobs that somebody cancelled sacct
    says by whom, and Snakemake's executor takes them for running.
    Raises InterpflowError where there is no cluster to ask.
    """
    number = _setting("MinJobAge").partition(" ")[0]
    if not number.isdecimal() or int(number) > _SECONDS_BETWEEN_LOOKS:
        return "squeue", ""
    forgets = (
        f"SLURM forgets a job {number} seconds after its end (MinJobAge), and the run looks every "
        f"{_SECONDS_BETWEEN_LOOKS}"
    )
    if accounts:
        return "sacct", f"{forgets}: it waits for jobs that scancel ended; have MinJobAge raised"
    return (
        "squeue",
        f"{forgets}: it may wait for a job that ended; have MinJobAge raised, or accounts kept",
    )


def _setting(name: str) -> str:
    """The value of a setting of the cluster; "" where it has none."""
    pairs = (line.partition("=") for line in _said("scontrol", "show", "config").splitlines())
    return next((value.strip() for key, _, value in pairs if key.strip() == name), "")


def left(folder: Path) -> list[str]:
    """The ids of the jobs of earlier runs in `folder` that still wait or run, of this user.

    Raises InterpflowError where there is no cluster to ask.
    """
    rows = (row.split("|") for row in _said("squeue", "--me", "-h", "-o", "%i|%j|%Z").splitlines())
    return [
        job for job, name, place in rows
        if name.startswith(JOB_NAMES) and Path(place).resolve() == folder.resolve()
    ]  # fmt: skip


def cancel(jobs: list[str]) -> None:
    """Take jobs out of the queue, and end those that run; raises InterpflowError where that fails."""
    _said("scancel", *jobs)


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InterpflowError(
            f"{command[0]}: {error}; a run on SLURM is started where its commands answer: on a login node"
        ) from error
    if done.returncode:
        raise InterpflowError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
