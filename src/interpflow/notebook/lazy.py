"""Datasets whose values are read when they are looked at, from a file that is open only then.

A file may be made anew while somebody looks at it; one that is held open would be in the way of that, or give
values of two makings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from interpflow import store
from interpflow.errors import InterpflowError


def read(path: Path | str) -> xr.Dataset:
    """The dataset at `path` with its coordinates in memory, and its variables read when they are looked at.

    Raises InterpflowError as `store.read` does, and at the look where the file was made anew meanwhile.
    """
    path = Path(path).absolute()
    with store.opened(path) as dataset:
        lazy = {
            name: xr.Variable(
                array.dims,
                indexing.LazilyIndexedArray(_Values(path, str(name), array, _maker(dataset))),
                array.attrs,
            )
            for name, array in dataset.variables.items()
            if name in dataset.data_vars
        }
        return dataset.drop_vars(list(lazy)).load().assign(lazy)


def _maker(dataset: xr.Dataset) -> str:
    return str(dataset.attrs.get("recipe_sha256", ""))


class _Values(BackendArray):
    """The values of one variable of a file."""

    def __init__(self, path: Path, name: str, array: xr.Variable, maker: str) -> None:
        self.path, self.name, self.maker = path, name, maker
        self.shape, self.dtype = array.shape, array.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.OUTER, self._read
        )

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        with store.opened(self.path) as dataset:
            if _maker(dataset) != self.maker:
                raise InterpflowError(f"{self.path}: made anew since it was opened; open it again")
            return dataset.variables[self.name][key].values
