"""Values that are missing here and there, and keep their type and meaning all the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from interpflow.errors import InterpflowError

KINDS = {"b": "true or false", "i": "whole numbers", "u": "whole numbers", "f": "numbers",
          "U": "text", "O": "text", "S": "text"}  # fmt: skip
_TYPES = {"true or false": bool, "whole numbers": np.int64}
_LARGEST_WHOLE = 2**53  # beyond it floating-point numbers leave some out


def with_seeds(dataset: xr.Dataset, seeds: Sequence[int]) -> xr.Dataset:
    """`dataset` with places for all of `seeds`, where those that it has not are missing."""
    wider = dataset.reindex(seed=list(seeds))
    for name, array in list(wider.variables.items()):
        held = kept(str(name), array, [held_as(dataset[name].variable)])
        if held is not array:
            wider[name] = held
    return wider


def of_seeds(dataset: xr.Dataset, seeds: Sequence[int]) -> xr.Dataset:
    """Those of `seeds` alone, with the types that the values had before others were missing."""
    if "seed" not in dataset.dims:
        return dataset
    chosen = dataset.sel(seed=list(seeds))
    for name, array in list(chosen.variables.items()):
        if "values" in array.attrs and not array.isnull().any():
            attrs = {key: value for key, value in array.attrs.items() if key != "values"}
            chosen[name] = xr.Variable(array.dims, array.values.astype(held_as(array)), attrs)
    return chosen


def held_as(array: xr.Variable) -> np.dtype[Any]:
    """The type of the values of `array` where none is missing."""
    return np.dtype(_TYPES.get(array.attrs.get("values", ""), array.dtype))


def kept(name: str, array: xr.Variable, before: list[np.dtype[Any]]) -> xr.Variable:
    """`array` with the type that its values had before they were joined, as far as none is missing.

    Raises InterpflowError for whole numbers too large for a type that can be missing.
    """
    was = np.result_type(*before) if before else array.dtype
    if was.kind in "UOS":
        there = array.fillna("") if array.dtype == object else array
        return there.astype(str) if there.dtype.kind != "U" else array
    if was.kind not in "biu" or array.dtype == was:
        return array
    if not array.isnull().any():
        return array.astype(was)
    if was.kind in "iu" and np.nanmax(np.abs(array.values)) >= _LARGEST_WHOLE:
        raise InterpflowError(
            f"'{name}' has whole numbers above {_LARGEST_WHOLE} and is missing in places: a number that "
            "can be missing cannot hold them; let the analysis give them as text"
        )
    return xr.Variable(array.dims, array.values, {**array.attrs, "values": KINDS[was.kind]})
