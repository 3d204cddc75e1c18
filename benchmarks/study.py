"""The studies that the numerical benchmarks take their models, data and options from."""

from __future__ import annotations

import importlib
from typing import Any

import xarray as xr

from benchmarks.project import PROJECT
from interpflow.spec.load import load_spec, resolve
from interpflow.spec.study import Study

_FEW_OTHERS = {"bins": (), "validation_size": 32}


def counter_languages(scale: str = "paper") -> Study:
    """The study with the paper's options, or as it runs at another scale."""
    return resolve(load_spec(PROJECT / "specs" / "counter_languages.yaml"), scale)


def list_sorting() -> Study:
    """The study as its shipped weights were trained."""
    return resolve(load_spec(PROJECT / "specs" / "list_sorting.yaml"), "retrain")


def tree_pathfinding() -> Study:
    """The study as it runs on a laptop."""
    return resolve(load_spec(PROJECT / "specs" / "tree_pathfinding.yaml"), "laptop")


def data(task: dict[str, Any]) -> xr.Dataset:
    """The training examples of `task`, and a few others: validation is no part of the comparison."""
    options = {name: value for name, value in task.items() if name != "name"}
    options |= {name: value for name, value in _FEW_OTHERS.items() if name in options}
    module = importlib.import_module(f"interpflow.tasks.{task['name']}")
    return module.generate(module.Options(**options))  # type: ignore[no-any-return]
