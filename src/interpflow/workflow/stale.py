"""Stale files: a file names the recipe that made it, and is stale if its job has another recipe now.

Times of files do not count, nor do Snakemake's records.  So results may be copied, touched and moved between
branches, and the records may be deleted.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from interpflow.errors import InterpflowError
from interpflow.files import reading, rebuild_command, require_readable
from interpflow.workflow.job import Job

# An attribute of netCDF4 as it lies in the file: its name, a few bytes about its type, its text.
_ATTRIBUTE = re.compile(rb"recipe_sha256\0.{0,40}?([0-9a-f]{64})", re.DOTALL)
_HEAD = 1 << 16  # bytes; attributes lie before the values
OTHER_RECIPE = "made from another spec or by other code than there is now"
_SAYS_FOR_ITSELF = (".nc", ".json")


def recipe_of(path: Path | str) -> str:
    """The SHA-256 of the recipe that made the file at `path`, as the file says.

    For an image or a table the JSON file beside it says so.  Raises InterpflowError if the file is missing or
    damaged, cannot be read or does not say.
    """
    path = Path(path)
    if path.suffix == ".nc":
        return _of_dataset(path)
    with reading(path):
        os.stat(path)
    spokesman = path.with_suffix(".json")
    with reading(spokesman):
        text = spokesman.read_bytes()
    try:
        return str(json.loads(text)["recipe_sha256"])
    except (ValueError, TypeError, KeyError):
        raise InterpflowError(
            f"{spokesman}: damaged: it does not say which recipe made it; "
            f"rebuild it with: {rebuild_command(spokesman)}"
        ) from None


def _of_dataset(path: Path) -> str:
    """`recipe_of` a dataset, a hundred times as fast as opening the dataset."""
    with reading(path), path.open("rb") as file:
        head = file.read(_HEAD)
    # A run that has nothing yet needs nothing of what reads datasets, which takes half a second to import.
    from interpflow import store

    found = set(_ATTRIBUTE.findall(head))
    if len(found) == 1 and store.is_whole(path, head):
        return found.pop().decode()
    return store.read_attributes(path).get("recipe_sha256", "")


def staleness(job: Job) -> str:
    """Why the files of `job` are stale: OTHER_RECIPE, or the damage of a file; "" if they are not.

    A missing file is no reason here, nor is a file that the system does not give out, since making it anew
    might not help.
    """
    for path in map(Path, job.outputs.values()):
        if path.suffix not in _SAYS_FOR_ITSELF or not os.path.lexists(path):
            continue
        try:
            require_readable(path)
        except InterpflowError:
            continue
        try:
            if recipe_of(path) != job.sha:
                return OTHER_RECIPE
        except InterpflowError as error:
            return str(error)
    return ""


def require_planned_inputs(job: Job) -> None:
    """Raise InterpflowError, with the command that mends it, for an input of another recipe than planned."""
    for source in job.sources.values():
        if recipe_of(source.path) != source.job.sha:
            raise InterpflowError(of_other_recipe(source.path))


def of_other_recipe(path: Path | str) -> str:
    """That another recipe than the planned one made the file at `path`, with the command that mends it."""
    command = rebuild_command(path).replace(" --force", "")
    return f"{path}: {OTHER_RECIPE}; make it anew with: {command}"
