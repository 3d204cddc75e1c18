"""Power laws through experiments: how what an analysis found grows with what else it found.

Each experiment is a point, and a line is fitted through the logarithms: its slope is the exponent.  Of
experiments with the same abscissa the largest value counts.  So where models of one size are asked for more and
more, the point is the most that a model of this size gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.methods.found import found_variable
from interpflow.section import Names, Section, Some
from interpflow.selection import Analysis, Experiment, FoundVariable, Label
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known


class Fit(Section):
    """One power law: a variable of one of the analyses, over another one of it."""

    data: Analysis
    variable: FoundVariable
    over: FoundVariable  # the abscissa, one number for each experiment
    experiment: Experiment = "*"  # which experiments, such as frozen_*
    select: Annotated[
        dict[str, Label], Names("labels")
    ] = {}  # coordinate: value, for every further dim


class Options(Section):
    """Which power laws."""

    fits: Annotated[dict[str, Fit], Some]


_BY_FIT, _BY_POINT = ("seed", "fit"), ("seed", "fit", "over")
VARIABLES = {
    "exponent": Variable(_BY_FIT, "1", "slope of the line through the logarithms"),
    "factor": Variable(_BY_FIT, "1", "value of the power law where the abscissa is 1"),
    "correlation": Variable(_BY_FIT, "1", "correlation of the logarithms"),
    "points": Variable(("fit",), "1", "points that every seed has"),
    "largest": Variable(_BY_POINT, "1", "largest value of the experiments with an abscissa"),
    "line": Variable(_BY_POINT, "1", "the power law at the abscissa"),
}

NEEDS = "joined_findings"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"fit": list(options.fits), "over": float}


def analyse(findings: Mapping[str, xr.Dataset], options: Options) -> xr.Dataset:
    """Fit each power law to every seed by least squares.

    Values that are not positive have no logarithm and are left out.  A seed with fewer than two points is NaN.
    """
    points = [_points(findings, name, fit) for name, fit in options.fits.items()]
    largest = xr.concat(
        xr.align(*points, join="outer"), xr.Variable("fit", list(options.fits))
    ).transpose(*_BY_POINT)
    logs = np.log(largest.where(largest > 0))
    x = np.log(largest["over"]).broadcast_like(logs).where(logs.notnull())
    enough = logs.count("over") > 1
    dx, dy = x - x.mean("over"), logs - logs.mean("over")
    products, spread, height = (
        (one * two).sum("over") for one, two in ((dx, dy), (dx, dx), (dy, dy))
    )
    exponent = (products / spread.where(spread > 0)).where(enough)
    at_one = logs.mean("over") - exponent * x.mean("over")
    return xr.Dataset(
        {
            "exponent": exponent,
            "factor": np.exp(at_one),
            "correlation": (products / np.sqrt(spread * height).where(height > 0)).where(enough),
            "points": logs.notnull().all("seed").sum("over"),
            "largest": largest,
            "line": np.exp(at_one + exponent * x),
        }
    )  # fmt: skip


def _points(findings: Mapping[str, xr.Dataset], name: str, fit: Fit) -> xr.DataArray:
    """The largest value (seed, over) at each abscissa."""
    here = f"fits.{name}"
    values = found_variable(findings, here, fit.data, fit.variable)
    over = found_variable(findings, here, fit.data, fit.over)
    chosen = [
        each for each in values["experiment"].values.tolist() if fnmatchcase(each, fit.experiment)
    ]
    if over.dims != ("experiment",):
        dims = ", ".join(map(str, over.dims))
        raise InterpflowError(f"{here}.over: {fit.over} runs along {dims}, not along experiments")
    try:
        values = values.sel(experiment=chosen).sel(fit.select)
    except KeyError as error:
        raise InterpflowError(f"{here}.select: {fit.data} has no {error}") from error
    values = values.drop_vars([key for key in values.coords if key not in values.dims])
    if {*values.dims} != {"seed", "experiment"}:
        raise InterpflowError(
            f"{here}: {fit.variable} runs along {', '.join(map(str, values.dims))}; "
            "select one value of every dim but seed and experiment"
        )
    abscissa = over.sel(experiment=chosen).values
    values = values.assign_coords(over=("experiment", abscissa))
    return values.groupby("over").max("experiment").transpose("seed", "over")
