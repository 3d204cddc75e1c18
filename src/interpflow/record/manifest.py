"""The manifest of a run: for every file its digest, its inputs, and a fingerprint of its values.

`made_with` lists the machines that made the datasets, in words.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.files import reading
from interpflow.record import divergence
from interpflow.record.fingerprint import fingerprint
from interpflow.record.machine import made_with
from interpflow.store import sha256

_FORMAT = "interpflow manifest 2"

# Manifests of studies at the default scale that are kept with the project, to hold other machines against.
REFERENCE = "reference/{study}.json"


def write(path: Path | str, heading: Mapping[str, Any], files: Mapping[str, Sequence[str]]) -> None:
    """Write the manifest of `files`, each with the paths of its inputs, under `heading`."""
    entries: dict[str, Any] = {}
    machines: set[str] = set()
    diverged: divergence.Diverged = {}
    for file, inputs in files.items():
        entries[file] = {"sha256": sha256(file), "inputs": sorted(inputs)}
        if holds_values(file):
            entries[file] |= account(file)
            machines.add(entries[file].pop("made_with") or made_with())
            for experiment, steps in entries[file].pop("diverged").items():
                diverged.setdefault(experiment, {}).update(steps)
    said = {"diverged": diverged} if diverged else {}
    made = sorted(machines or {made_with()})
    save(path, {**heading, **said, "made_with": made, "files": entries})


def save(path: Path | str, content: Mapping[str, Any]) -> None:
    """Write the manifest `content`, as `read` gives it: a line a file."""
    heading = {key: value for key, value in content.items() if key != "files"} | {"format": _FORMAT}
    lines = [f"{json.dumps(key)}: {json.dumps(heading[key])}" for key in sorted(heading)]
    files = [
        f" {json.dumps(file)}: {json.dumps(entry, sort_keys=True, separators=(',', ':'))}"
        for file, entry in sorted(content["files"].items())
    ]
    lines.append('"files": {\n' + ",\n".join(files) + "\n}")
    with store.replacing(Path(path)) as temporary:
        temporary.write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")


def read(path: Path | str) -> dict[str, Any]:
    """The manifest at `path`: its heading, and `files` by path.

    Raises InterpflowError where there is none, and where the file is something else.
    """
    path = Path(path)
    rebuild = f"write it with: {store.rebuild_command(path)}"
    if not os.path.lexists(path):
        raise InterpflowError(f"{path}: no such manifest; {rebuild}")
    with reading(path):
        text = path.read_bytes()
    try:
        content = json.loads(text)
        known = content["format"] == _FORMAT
    except (ValueError, TypeError, KeyError):
        known = False
    if not known:
        raise InterpflowError(f"{path}: not a manifest of interpflow, or damaged; {rebuild}")
    return dict(content)


def recipe(path: Path | str) -> dict[str, Any]:
    """The recipe that made the manifest at `path`, with "" for an input that does not say its own.

    Raises InterpflowError as `read` does, and for a manifest that does not say it.
    """
    content = read(path)
    if "recipe" not in content:
        raise InterpflowError(
            f"{path}: does not say which recipe made it; write it with: {store.rebuild_command(path)}"
        )
    inputs = {file: entry.get("recipe_sha256", "") for file, entry in content["files"].items()}
    return {**content["recipe"], "inputs": inputs}


def holds_values(path: Path | str) -> bool:
    """Whether the file is a table or dataset, which can be compared value by value."""
    return Path(path).suffix in (".nc", ".csv")


def account(path: Path | str) -> dict[str, Any]:
    """The entry of a table or dataset in a manifest, beside the digest of its bytes.

    variables      the fingerprint of every variable and coordinate
    attributes     the SHA-256 of all that is said of them, but for what the file was made with
    recipe_sha256, made_with    of a dataset, "" where it does not say
    diverged       the seeds of each experiment that left the finite numbers, and at which step
    Raises InterpflowError for a damaged file.
    """
    dataset = _table(Path(path)) if Path(path).suffix == ".csv" else store.read(path)
    attrs = dict(dataset.attrs)
    machine = attrs.pop("made_with", "")
    said = [attrs, {str(name): found.attrs for name, found in dataset.variables.items()}]
    return {
        "variables": {str(name): fingerprint(found) for name, found in dataset.variables.items()},
        "attributes": hashlib.sha256(
            json.dumps(said, sort_keys=True, default=str).encode()
        ).hexdigest(),
        "recipe_sha256": attrs.get("recipe_sha256", ""),
        "made_with": machine,
        "diverged": divergence.read(attrs),
    }


def _table(path: Path) -> xr.Dataset:
    try:
        with reading(path):
            # Text stays text: a claim may be named "nan".
            table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    except ValueError as error:
        raise InterpflowError(
            f"{path}: not a table ({error}); rebuild it with: {store.rebuild_command(path)}"
        ) from error
    texts = table.select_dtypes(exclude="number").columns
    table[texts] = table[texts].fillna("")
    return xr.Dataset({name: ("row", table[name].to_numpy()) for name in table})
