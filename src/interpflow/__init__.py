"""interpflow: interpretability papers about small transformers, each as one YAML spec."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interpflow.notebook.study import study as study


def __getattr__(name: str) -> Any:
    """`interpflow.study`, imported when it is asked for.

    By name, so that no job's recipe counts it: this file is a part of all of them.
    """
    if name == "study":
        return importlib.import_module("interpflow.notebook.study").study
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
