"""Curves over training that another analysis found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.methods.found import found_variable
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
    array = found_variable(findings, f"curves.{name}", curve.data, curve.variable)
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
