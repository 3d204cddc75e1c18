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

    fits: Annotated[dict[str, Fit], Some]  # by label


_BY_FIT, _BY_POINT = ("seed", "fit"), ("seed", "fit", "over")
VARIABLES = {
    "exponent": Variable(_BY_FIT, "1", "slope of the line through the logarithms"),
    "factor": Variable(_BY_FIT, "1", "value of the power law where the abscissa is 1"),
    "correlation": Variable(_BY_FIT, "1", "correlation of the logarithms"),
    "points": Variable(("fit",), "1", "points that every seed has"),
    "largest": Variable(_BY_POINT, "1", "largest value of the experiments with an abscissa"),
    "line": Variable(_BY_POINT, "1", "the power law at the abscissa"),
}

NEEDS = "findings"
EVERY_EXPERIMENT = True


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
    logs: xr.DataArray = xr.apply_ufunc(np.log, largest.where(largest > 0))
    x: xr.DataArray = (
        xr.apply_ufunc(np.log, largest["over"]).broadcast_like(logs).where(logs.notnull())
    )
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
            "correlation": products / ((spread * height) ** 0.5).where(enough & (height > 0)),
            "points": logs.notnull().all("seed").sum("over"),
            "largest": largest,
            "line": np.exp(at_one + exponent * x),
        }
    )  # fmt: skip


def _points(findings: Mapping[str, xr.Dataset], name: str, fit: Fit) -> xr.DataArray:
    """The largest value (seed, over) at each abscissa."""
    found = [_point(findings, f"fits.{name}", each, fit) for each in findings if _is_of(each, fit)]
    if not found:
        raise InterpflowError(
            f"fits.{name}.experiment: {fit.data} is of no experiment '{fit.experiment}'"
        )
    return xr.concat(found, "over", join="outer").groupby("over").max().transpose("seed", "over")


def _is_of(key: str, fit: Fit) -> bool:
    analysis, _, experiment = key.partition("/")
    return analysis == fit.data and fnmatchcase(experiment, fit.experiment)


def _point(findings: Mapping[str, xr.Dataset], here: str, key: str, fit: Fit) -> xr.DataArray:
    """The value (seed,) that was found on an experiment, with its abscissa as the scalar `over`."""
    values = found_variable(findings, here, key, fit.variable)
    over = found_variable(findings, f"{here}.over", key, fit.over)
    if over.dims:
        raise InterpflowError(
            f"{here}.over: {fit.over} runs along {', '.join(map(str, over.dims))}; it takes one number"
        )
    try:
        values = values.sel(fit.select)
    except KeyError as error:
        raise InterpflowError(f"{here}.select: {fit.data} has no {error}") from error
    if values.dims != ("seed",):
        raise InterpflowError(
            f"{here}: {fit.variable} runs along {', '.join(map(str, values.dims)) or 'nothing'}; "
            "select one value of every dim but seed"
        )
    values = values.drop_vars([each for each in values.coords if each != "seed"])
    return values.assign_coords(over=float(over))
