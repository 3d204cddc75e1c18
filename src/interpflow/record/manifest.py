"""What a run made: for every file its digest, what it was made from, and a fingerprint of its values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.record.fingerprint import Fingerprint, fingerprint
from interpflow.store import sha256

_FORMAT = "interpflow manifest 1"


def write(path: Path | str, heading: Mapping[str, str], files: Mapping[str, Sequence[str]]) -> None:
    """Write the manifest of `files`, each with the paths of what it was made from, under `heading`."""
    entries = {
        file: {
            "sha256": sha256(file),
            "inputs": sorted(inputs),
            **({"variables": fingerprints(file)} if holds_values(file) else {}),
        }
        for file, inputs in files.items()
    }
    content = {**heading, "format": _FORMAT, "files": entries}
    with store.replacing(Path(path)) as temporary:
        temporary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read(path: Path | str) -> dict[str, Any]:
    """The manifest at `path`: its heading, and `files` by path.

    Raises InterpflowError where there is none, and where the file is something else.
    """
    path = Path(path)
    rebuild = f"write it with: {store.rebuild_command(path)}"
    if not path.exists():
        raise InterpflowError(f"{path}: no such manifest; {rebuild}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        known = content["format"] == _FORMAT
    except (ValueError, TypeError, KeyError):
        known = False
    if not known:
        raise InterpflowError(f"{path}: not a manifest of interpflow, or damaged; {rebuild}")
    return dict(content)


def holds_values(path: Path | str) -> bool:
    """Whether the file is a table or dataset, which can be compared value by value."""
    return Path(path).suffix in (".nc", ".csv")


def fingerprints(path: Path | str) -> dict[str, Fingerprint]:
    """The fingerprint of every variable and coordinate.  Raises InterpflowError for a damaged file."""
    dataset = _table(Path(path)) if Path(path).suffix == ".csv" else store.read(path)
    return {str(name): fingerprint(found) for name, found in dataset.variables.items()}


def _table(path: Path) -> xr.Dataset:
    try:
        table = pd.read_csv(path)
    except (ValueError, OSError) as error:
        raise InterpflowError(
            f"{path}: not a table ({error}); rebuild it with: {store.rebuild_command(path)}"
        ) from error
    return xr.Dataset({name: ("row", table[name].to_numpy()) for name in table})
