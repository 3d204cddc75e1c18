"""Facts about the sequences themselves, before any model sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from interpflow.section import EachOnce, Section, Some
from interpflow.selection import Quantity
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known


class Options(Section):
    """Which variables of the task's data are summed up, for each split."""

    variables: Annotated[list[Quantity], Some, EachOnce]


VARIABLES = {
    "mean": Variable(("split", "quantity"), "1", "mean over examples and real positions"),
    "maximum": Variable(("split", "quantity"), "1", "maximum over examples and real positions"),
    "overlap": Variable(("split",), "sequence", "distinct sequences that also stand in train"),
}

NEEDS = "data"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    quantities: list[str] = []
    for name in options.variables:
        values = known.data[name]
        further = [dim for dim in values.dims if dim not in ("example", "position")]
        labels = values[further[0]].values.tolist() if further else []
        quantities += [f"{name}[{label}]" for label in labels] or [name]
    return {"quantity": quantities}


def analyse(data: xr.Dataset, options: Options) -> xr.Dataset:
    """Mean and maximum of each variable by split.  A further dim of a variable counts value by value."""
    splits = list(dict.fromkeys(data["split"].values))
    quantities: dict[str, xr.DataArray] = {}
    for name in options.variables:
        further = [dim for dim in data[name].dims if dim not in ("example", "position")]
        if not further:
            quantities[name] = data[name]
        for value in data[further[0]].values if further else ():
            quantities[f"{name}[{value}]"] = data[name].sel({further[0]: value}, drop=True)

    mean, maximum = np.empty((2, len(splits), len(quantities)))
    for row, split in enumerate(splits):
        chosen = data["split"].values == split
        real = data["scored"].values[chosen]
        for column, array in enumerate(quantities.values()):
            values = array.values[chosen]
            values = values[real] if values.ndim == 2 else values
            mean[row, column], maximum[row, column] = values.mean(), values.max()

    sequences = {
        split: {row.tobytes() for row in data["tokens"].values[data["split"].values == split]}
        for split in splits
    }
    reference = sequences["train"]
    return xr.Dataset(
        {
            "mean": (("split", "quantity"), mean),
            "maximum": (("split", "quantity"), maximum),
            "overlap": ("split", [len(sequences[split] & reference) for split in splits]),
        },
        {"split": splits, "quantity": list(quantities)},
    )
