"""A file that grows by datasets that follow each other, of which one is in memory at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import netCDF4
import xarray as xr

from interpflow import store

# How the values of a variable are kept in a file, as `store.write` says.
_FILTERS = ("zlib", "complevel", "shuffle", "fletcher32")


def write(
    datasets: Iterable[xr.Dataset], dim: str, size: int, path: Path, attrs: Mapping[str, str]
) -> None:
    """Write `datasets`, which follow each other along `dim` up to its `size`, to `path` as one, atomically.

    They differ in nothing but the values along `dim`, the first dim of all variables that have it.  One that is
    the whole is written as `store.write` does.  Raises InterpflowError as `store.write` does.
    """
    following = iter(datasets)
    dataset = next(following)
    if dataset.sizes[dim] == size:
        store.write(dataset, path, attrs)
        return
    with (
        store.replacing(path) as temporary,
        netCDF4.Dataset(temporary, "w", format="NETCDF4") as whole,
    ):
        _define(whole, dataset, attrs, dim, size)
        at = 0
        while at < size:
            if at:
                dataset = next(following)
            _fill(whole, dataset, dim, at)
            at += dataset.sizes[dim]
            del dataset  # before the next is made


def _define(
    whole: netCDF4.Dataset, first: xr.Dataset, attrs: Mapping[str, str], dim: str, size: int
) -> None:
    """Give `whole` all but the values of a file of `first`, with `size` places along `dim`."""
    with tempfile.TemporaryDirectory() as folder:
        store.write(first, path := Path(folder, "first.nc"), attrs)
        with netCDF4.Dataset(path) as held:
            _define_as(whole, held, dim, size)


def _define_as(whole: netCDF4.Dataset, held: netCDF4.Dataset, dim: str, size: int) -> None:
    """Give `whole` the dims, attributes and variables of `held`, with `size` places along `dim`."""
    whole.set_auto_maskandscale(False)
    whole.setncatts(held.__dict__)
    for name, along in held.dimensions.items():
        whole.createDimension(name, size if name == dim else along.size)
    for name, there in held.variables.items():
        attrs, chunks = dict(there.__dict__), there.chunking()
        filters: dict[str, Any] = {
            key: value for key, value in there.filters().items() if key in _FILTERS
        }
        if chunks != "contiguous":
            filters["chunksizes"] = chunks
        filled = attrs.pop("_FillValue", None)
        variable = whole.createVariable(
            name, there.dtype, there.dimensions, fill_value=filled, **filters
        )
        variable.setncatts(attrs)


def _fill(whole: netCDF4.Dataset, dataset: xr.Dataset, dim: str, at: int) -> None:
    """Write the values of `dataset` into `whole`: along `dim` from the place `at` on."""
    for name, array in dataset.variables.items():
        values = xr.conventions.encode_cf_variable(array).values
        if dim in array.dims:
            whole[str(name)][at : at + len(values)] = values
        elif not at:
            whole[str(name)][...] = values
