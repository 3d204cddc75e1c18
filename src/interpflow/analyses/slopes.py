"""Slopes of curves against the logarithm of the training step.

Of a curve on a log scale the slope is the power of its growth: a loss that falls as 1/t has slope -1, and one
that falls as 1/sqrt t slope -1/2.  Of another curve it is what the curve gains while the step grows e-fold: a
norm that grows as log t has a slope that stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from pydantic import PositiveInt

from interpflow.errors import InterpflowError
from interpflow.methods.curves import Curve, read_curve
from interpflow.section import EachOnce, Section, Some
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known


class Options(Section):
    """Which curves, and between which training steps."""

    curves: Annotated[dict[str, Curve], Some]
    since: PositiveInt = 1
    until: PositiveInt | None = None  # the end of training if not given
    powers: Annotated[list[float], EachOnce] = []  # slopes of lines that are drawn beside a curve


_BY_STEP, _BY_CURVE = ("seed", "step", "curve"), ("seed", "curve")
VARIABLES = {
    "slope": Variable(_BY_CURVE, "1", "slope of the best line over log steps"),
    "correlation": Variable(_BY_CURVE, "1", "correlation of the curve with the log step"),
    "local_slope": Variable(_BY_STEP, "1", "slope over log steps between neighbouring checkpoints"),
    "curve_value": Variable(_BY_STEP, "1", "the curve, as it was found"),
    "line": Variable(
        (*_BY_STEP, "power"), "1", "line of one slope through the curve where the steps begin"
    ),
}

NEEDS = "findings"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"curve": list(options.curves), "power": options.powers}


def analyse(findings: Mapping[str, xr.Dataset], options: Options) -> xr.Dataset:
    """Measure every seed, at the steps from `since` to `until` that all curves have.

    A local slope is the mean of those to both sides, weighted as a parabola through three checkpoints has it.
    A seed with a missing value is NaN.  Raises InterpflowError where fewer than three checkpoints are left.
    """
    curves = [read_curve(findings, name, curve) for name, curve in options.curves.items()]
    joined = xr.concat(xr.align(*curves, join="inner"), xr.Variable("curve", list(options.curves)))
    joined = joined.transpose(*_BY_STEP)
    joined = joined.sel(step=slice(options.since, options.until))
    steps, values = joined["step"].values, joined.values
    if len(steps) < 3:
        raise InterpflowError(
            f"since: {len(steps)} checkpoints from step {options.since} on; a slope takes three"
        )
    log_step = np.log(steps)
    x = (log_step - log_step.mean())[:, None]
    y = values - values.mean(1, keepdims=True)
    products, spread = (x * y).sum(1), (x**2).sum()
    with np.errstate(invalid="ignore"):  # a curve that does not move
        correlation = products / np.sqrt(spread * (y**2).sum(1))
    log = np.array([curve.log for curve in options.curves.values()])[:, None]
    rise = values[:, :1, :, None] + np.multiply.outer(x - x[0], options.powers)
    return xr.Dataset(
        {
            "slope": (_BY_CURVE, products / spread),
            "correlation": (_BY_CURVE, correlation),
            "local_slope": (_BY_STEP, np.gradient(values, log_step, axis=1)),
            "curve_value": (_BY_STEP, np.where(log[:, 0], np.exp(values), values)),
            "line": (VARIABLES["line"].dims, np.where(log, np.exp(rise), rise)),
        },
        {
            "seed": joined["seed"].values,
            "step": steps,
            "curve": list(options.curves),
            "power": options.powers,
        },
    )
