"""On a cluster a study gives the bytes of a local run, whatever ends its jobs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from cluster.away import Away, wait_until
from workflow.project_copy import SPEC, TRAINED, Copy, make_copy

pytestmark = pytest.mark.cluster

# The tiny study with one experiment that trains for about half a minute, beside which others take seconds.
_SLOW = "slow: {training: {epochs: 4000}}"


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The bytes of the tiny study after a local run."""
    return _made_here(make_copy(tmp_path_factory.mktemp("local") / "copy"))


def test_a_study_goes_away_as_one_job_and_comes_back_with_the_bytes_of_a_local_run(
    away: Away, local
):
    said = away.run()
    kept = away.cluster.ask("scontrol", "show", "config").count("accounting_storage/slurmdbd")
    told = "keeps accounts: sacct tells" if kept else "keeps no accounts: squeue tells"
    assert said.count(told) == 1
    assert away.copy.digests() == local
    # All jobs of this study take seconds.
    assert len(away.jobs()) == 1
    assert away.run().count("Nothing to be done") == 1


def _made_here(copy: Copy) -> dict[str, str]:
    copy.snakemake("--cores", "2")
    return copy.digests()
