"""Clusters that tests share: one that keeps accounts and one that does not."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster.away import Away
from cluster.throwaway import Cluster, cluster, missing
from workflow.project_copy import make_copy


@pytest.fixture(scope="session", params=[False, True], ids=["no accounts", "accounts"])
def slurm(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster of two nodes."""
    accounting = request.param
    if lacking := missing(accounting):
        pytest.skip(f"not installed: {', '.join(lacking)} (tests/cluster/throwaway.py says how)")
    if not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        pytest.skip("not installed: snakemake-executor-plugin-slurm")
    with cluster(accounting, nodes=2, cores=max(2, os.cpu_count() or 2)) as up:
        yield up


@pytest.fixture
def away(slurm: Cluster, tmp_path: Path) -> Away:
    """A copy of the project in which nothing has run, beside the cluster."""
    return Away(make_copy(tmp_path / "away"), slurm)
