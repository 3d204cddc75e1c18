"""Small examples of every task that says how it is drawn."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import xarray as xr

from interpflow.drawing import Drawing
from interpflow.spec import plugins
from interpflow.tasks.base import make_dataset

TASKS: dict[str, list[dict[str, Any]]] = {
    "addition": [{"digits": 4, "train_size": 30, "validation_size": 5, "test_size": 5, "graded_size": 5}],
    "automaton": [
        {"language": name, "max_length": 12, "train_size": 20, "validation_size": 5}
        for name in ("parity", "tomita_5", "dyck_1", "shuffle_2")
    ],
    "bracket_language": [
        {"pairs": 2, "strings": strings, "max_length": 14, "train_size": 30, "validation_size": 5}
        for strings in ("nested", "shuffled")
    ],
    "fact_recall": [
        {"subjects": 3, "relations": 2, "noise": 4, "length": 8, "train_size": 20, "validation_size": 5}
    ],
    "list_sorting": [{"length": 5, "vocabulary": 12, "train_size": 20, "validation_size": 5}],
    "tree_pathfinding": [{"nodes": 6, "train_size": 20, "validation_size": 5, "test_size": 2}],
}  # fmt: skip
CASES = [(task, at) for task, options in TASKS.items() for at in range(len(options))]


@functools.cache
def drawn(task: str, at: int = 0) -> list[tuple[xr.Dataset, Drawing]]:
    """Each training example of a small dataset, and its drawing."""
    module = plugins.load(plugins.TASK, task)
    data = make_dataset(module, module.Options(**TASKS[task][at]))
    drawing = importlib.import_module(f"interpflow.tasks._{task}_drawing").drawing
    rows = [data.isel(example=row) for row in range(20)]
    return [(row, drawing(row)) for row in rows]
