"""Curves over training that another analysis found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.section import Names, Section
from interpflow.selection import Analysis, FoundVariable, Label


class Curve(Section):
    """One curve over training: a variable of one of the analyses."""

    data: Analysis
    variable: FoundVariable
    select: Annotated[
        dict[str, Label], Names("labels")
    ] = {}  # coordinate: value, for every further dim
    log: bool = False  # whether the curve is seen on a log scale


def read_curve(findings: Mapping[str, xr.Dataset], name: str, curve: Curve) -> xr.DataArray:
    """The curve (seed, step).  Raises InterpflowError where the findings do not have it."""
    if curve.data not in findings:
        raise InterpflowError(
            f"curves.{name}.data: no analysis '{curve.data}' among {', '.join(findings)}"
        )
    dataset = findings[curve.data]
    if curve.variable not in dataset:
        raise InterpflowError(
            f"curves.{name}.variable: no '{curve.variable}' in {curve.data}; "
            f"it has {', '.join(map(str, dataset.data_vars))}"
        )
    array = dataset[curve.variable].astype(float)
    try:
        array = array.sel(curve.select)
    except KeyError as error:
        raise InterpflowError(f"curves.{name}.select: {curve.data} has no {error}") from error
    array = array.drop_vars([key for key in array.coords if key not in ("seed", "step")])
    if set(array.dims) != {"seed", "step"}:
        raise InterpflowError(
            f"curves.{name}: {curve.variable} runs along {', '.join(map(str, array.dims))}; "
            "select one value of every dim but seed and step"
        )
    return xr.apply_ufunc(np.log, array.clip(1e-12)) if curve.log else array
