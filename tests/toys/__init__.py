"""A small study for tests of reading specs, and the modules that it names."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

BASE = """\
study: toy
title: A toy
reference: {arxiv: "2502.01432", year: 2025}
seeds: 3
compute: {threads: 1}
defaults:
  task: {name: toy_task, length: 10}
  model: {d_model: 32}
  training: {epochs: 2, batch_size: 8, optimizer: adam, learning_rate: 1e-3, loss: mse}
experiments:
  plain: {}
  wide: {model: {d_model: 64}}
  swept: {sweep: {model.heads: [1, 2]}}
analyses:
  probes:
    method: toy_probe
    experiments: [plain, wide]
    depths: [0, 1]
  heads: {method: toy_probe, experiments: {swept: {width: 4}}}
figures:
  curve: {plot: toy_plot, data: probes, caption: "A curve"}
claims:
  linear:
    data: probes
    variable: accuracy
    select: {experiment: plain, depths: 0}
    expected: 0.8
    tolerance: 0.05
    source: "figure 1"
  deep: {data: probes, variable: accuracy, select: {experiment: wide}, along: {depths: [0, 1]}, \
at_least: [0.1, 0.2], source: "figure 2"}
scales:
  laptop: {seeds: 2}
  smoke: {seeds: 1, only: [plain], training: {epochs: 1}}
"""


def add_toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let specs name toy_task, toy_probe and toy_plot for the length of a test."""
    for folder in ("tasks", "analyses", "plots"):
        package = importlib.import_module(f"interpflow.{folder}")
        here = Path(__file__).parent / folder
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(here)])


def changed(old: str, new: str) -> str:
    """The base spec with `old`, which stands in it once, replaced by `new`."""
    assert BASE.count(old) == 1, f"{old!r} stands {BASE.count(old)} times in the base spec"
    return BASE.replace(old, new)
