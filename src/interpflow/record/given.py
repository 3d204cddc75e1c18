"""Findings of an analysis from a file, in place of the runs that would make them.

`interpflow ship` writes such a file from the findings of a scale that is too dear to be run by everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.files import require_digest
from interpflow.nearest import way_out
from interpflow.record import divergence

SHIPPED = "ship findings"  # the attribute `stage` of a file
_SAYS = ("seeds", divergence.ATTRIBUTE)  # what a file says of its content, beside its recipe


def in_a_spec(path: Path, analysis: str) -> str:
    """The entry under a scale with which a spec takes the findings in `path`."""
    return f"given: {{{analysis}: {{file: {path}, sha256: {store.sha256(path)}}}}}"


def check(
    given: Mapping[str, str], experiments: Sequence[str], dims: Mapping[str, Sequence[str]]
) -> None:
    """Raise InterpflowError unless the file of `given` {file, sha256} is the one that the spec means.

    It has findings on all `experiments`, and the variables that the analysis finds today, of these `dims`.
    """
    path = Path(given["file"])
    require_digest(path, given["sha256"], "findings", "leave it out of `given` to compute them")
    held, there = store.read_coordinates(path), store.read_dims(path)
    if held.attrs.get("stage") != SHIPPED:
        raise InterpflowError(
            f"{path}: was not written by `ship`; findings of a run of ours are shipped by "
            f"`interpflow ship {path} --output findings/NAME.nc`"
        )
    known = held["experiment"].values.tolist()
    for name in experiments:
        if name not in known:
            raise InterpflowError(
                f"{path}: has no experiment '{name}'; there are: {way_out(name, known)}"
            )
    for name, wanted in dims.items():
        if {*there.get(name, ())} != {"experiment", *wanted}:
            raise InterpflowError(
                f"{path}: {_along(name, there)}, and the analysis finds {_along(name, {name: wanted})}; "
                "compute it anew, and ship that"
            )


def _along(name: str, dims: Mapping[str, Sequence[str]]) -> str:
    return f"'{name}' along {', '.join(dims[name])}" if name in dims else f"no '{name}'"


def read(given: Mapping[str, str], experiments: Sequence[str]) -> tuple[xr.Dataset, dict[str, Any]]:
    """The findings on `experiments` in the file of `given`, and the attributes that say what they lack."""
    check(given, experiments, {})
    found = store.read(Path(given["file"]))
    says = {name: found.attrs[name] for name in _SAYS if name in found.attrs}
    says["given_by_recipe"] = found.attrs["recipe"]
    return found.sel(experiment=list(experiments)).drop_attrs(deep=False), says
