"""Examples as they are, for figures that show some of them: their words and chosen variables of the task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.methods.shown import Shown, words
from interpflow.nearest import way_out
from interpflow.section import EachOnce
from interpflow.selection import Quantity
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known


class Options(Shown):
    """Which examples, and what of them."""

    variables: Annotated[
        list[Quantity], EachOnce
    ] = []  # of the task, handed on under their own names


VARIABLES = {
    "word": Variable(("shown_example", "position"), "1", "token, empty after the end"),
    "role_word": Variable(("shown_example", "position"), "1", "what stands at the position"),
}

NEEDS = "data"


def variables(data: xr.Dataset, options: Options) -> dict[str, Variable]:
    """What the task says of the variables handed on, whose example is one of those shown.

    Raises InterpflowError for a variable that the data does not have or that is not one of examples.
    """
    found = {}
    for name in options.variables:
        fit = [str(known) for known in data if data[known].dims[:1] == ("example",)]
        if name not in fit:
            raise InterpflowError(
                f"variables: no '{name}' of examples; there are {way_out(name, fit)}"
            )
        array = data[name]
        dims = ("shown_example", *map(str, array.dims[1:]))
        found[name] = Variable(dims, array.attrs["units"], array.attrs["long_name"])
    return found


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"shown_example": options.labels(known)}


def analyse(data: xr.Dataset, options: Options) -> xr.Dataset:
    """The examples in order, without the positions after the longest."""
    handed_on = variables(data, options)
    chosen, names = options.of(data)
    chosen = chosen.isel(position=slice(int(chosen["length"].max())))
    found = {name: (each.dims, chosen[name].values) for name, each in handed_on.items()}
    found["word"] = VARIABLES["word"].dims, words(chosen)
    if "role_name" in chosen.coords:
        roles = chosen["role_name"].values[chosen["role"].values]
        found["role_word"] = VARIABLES["role_word"].dims, roles
    kept = {dim for dims, _ in found.values() for dim in dims} & {*map(str, chosen.coords)}
    coords = {dim: chosen[dim].values for dim in sorted(kept)}
    coords["position"] = np.arange(chosen.sizes["position"])
    return xr.Dataset(found, {**coords, "shown_example": names})
