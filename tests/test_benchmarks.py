"""Every benchmark runs, here on little: what it says of speed is for `make bench`."""

from __future__ import annotations

import importlib

import pytest

from benchmarks import BENCHMARKS
from benchmarks.project import PROJECT

LITTLE = {
    "training": {"STEPS": 1, "REPEATS": 1, "LISTS": 1024},
    "probes": {"POSITIONS": 256, "REPEATS": 1},
    "llc": {"DRAWS": 2, "REPEATS": 1, "LISTS": 64},
    "trees": {"EXAMPLES": 20, "PLAIN": 2, "REPEATS": 1},
    "goals": {"TREES": 2, "STEPS": 1, "REPEATS": 1},
    "transformer": {"BATCH": 2, "STEPS": 1, "REPEATS": 1},
    "scrubbing": {"EXAMPLES": 1},
    "collecting": {"EXPERIMENTS": (2, 3), "_SHAPE": {"seed": 2, "layer": 2, "position": 5}},
    "explorers": {"REPEATS": 1},
}
# These start Snakemake, some of them with all studies.
WORKFLOWS = {
    "dry_run": {"EXPERIMENTS": 3, "REPEATS": 1},
    "no_op": {"REPEATS": 1},
    "thousand": {"EXPERIMENTS": 3, "RUN": 2},
}


def test_every_benchmark_is_run_here():
    assert {*LITTLE, *WORKFLOWS} == set(BENCHMARKS)


@pytest.mark.parametrize(
    "name", [*LITTLE, *(pytest.param(name, marks=pytest.mark.nightly) for name in WORKFLOWS)]
)
def test_a_benchmark_runs_to_its_end(name: str, monkeypatch, capfd):
    module = importlib.import_module(f"benchmarks.{name}")
    for constant, value in (LITTLE | WORKFLOWS)[name].items():
        monkeypatch.setattr(module, constant, value)
    monkeypatch.chdir(PROJECT)
    module.main()
    assert capfd.readouterr().out
