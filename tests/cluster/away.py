"""A copy of the project whose runs go to a throw-away cluster."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cluster.throwaway import Cluster
from workflow.project_copy import Copy, environment

# A cluster of one machine answers at once.
_SOON = ("--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "5")


@dataclass(frozen=True)
class Away:
    """A copy of the project and the cluster that it runs on."""

    copy: Copy
    cluster: Cluster

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a run; what it says goes to run.txt."""
        words = ["--profile", "profiles/slurm", *_SOON, *arguments]
        with self.log.open("wb") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "snakemake", *words],
                cwd=self.copy.folder, stdout=out, stderr=subprocess.STDOUT,
                env={**environment(), **_of_cluster(self.cluster)}, start_new_session=True,
            )  # fmt: skip

    def run(self, *arguments: str, check: bool = True) -> str:
        """Run to the end; what the run says."""
        code = self.start(*arguments).wait(timeout=1200)
        said = self.log.read_text()
        assert not check or code == 0, said
        return said

    @property
    def log(self) -> Path:
        return self.copy.folder / "run.txt"

    def jobs(self, *states: str) -> list[str]:
        """The ids of the jobs of this copy in one of these states, or in any."""
        asked = ("--states", ",".join(states)) if states else ("--states=all",)
        rows = self.cluster.ask("squeue", "-h", *asked, "-o", "%i|%Z").splitlines()
        found = [row.split("|") for row in rows]
        return [job for job, place in found if Path(place) == self.copy.folder]

    def about(self, job: str, word: str) -> str:
        """One word about a job, in the language of squeue's --Format."""
        asked = f"{word}:200"
        return self.cluster.ask("squeue", "-h", "--states=all", "-j", job, "-O", asked).strip()


def wait_until(condition: Callable[[], object], what: str, seconds: float = 300.0) -> None:
    """Fail the test where `condition` does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds:.0f} s until {what}")
        time.sleep(0.2)


def _of_cluster(cluster: Cluster) -> dict[str, str]:
    led = {name: cluster.environment[name] for name in ("PATH", "SLURM_CONF")}
    return led | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
