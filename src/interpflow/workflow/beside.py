"""Code of the project itself: its tasks, analyses and plots, and the modules that these import.

It stands in the current folder, beside specs/: `tasks/parity.py` is the module `interpflow.tasks.parity`, and
`helpers.py` is `helpers`.
"""

from __future__ import annotations

from pathlib import Path

FOLDERS = ("tasks", "analyses", "plots")  # as in the package


def place_of(module: str) -> Path | None:
    """Where the project's code of `module` would stand, without its ending; None where it has no place."""
    top, *parts = module.split(".")
    if top != __name__.partition(".")[0]:
        return Path(top, *parts)
    return Path(*parts) if len(parts) > 1 and parts[0] in FOLDERS else None
