"""Values of all seeds as marks in a panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from interpflow.style.look import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def present(array: xr.DataArray, *dims: str) -> list[tuple[Any, ...]]:
    """The coordinates along `dims` where `array` has a value, in its order."""
    values = array.transpose(*dims, ...).notnull()
    some = values.any([dim for dim in array.dims if dim not in dims]).values
    labels = [array[dim].values.tolist() for dim in dims]
    return [tuple(map(list.__getitem__, labels, at)) for at in np.argwhere(some).tolist()]


def mean_and_sd(array: xr.DataArray) -> tuple[np.ndarray, np.ndarray | None]:
    """Mean and standard deviation (n - 1) over the seeds that have a value, along the other dim.

    NaN where too few seeds have one; the deviation is None where nothing has two.  A single number
    counts as a dim of length one.
    """
    values = np.atleast_2d(array.transpose(..., "seed").values)
    count = np.isfinite(values).sum(-1)
    mean = np.where(count > 0, np.nansum(values, -1) / np.maximum(count, 1), np.nan)
    squares = np.nansum((values - mean[:, None]) ** 2, -1)
    sd = np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)
    return mean, sd if (count > 1).any() else None


def series(axes: Axes, x: Any, array: xr.DataArray, look: Look) -> None:
    """One line: means over seeds at `x`, where there are any, with standard deviations as bars."""
    mean, sd = mean_and_sd(array)
    there = np.isfinite(mean)
    if there.any():
        errorbar(
            axes,
            np.broadcast_to(x, mean.shape)[there],
            mean[there],
            look,
            yerr=None if sd is None else sd[there],
        )


def errorbar(axes: Axes, x: Any, y: Any, look: Look, **errors: Any) -> None:
    """Points with bars.  A point on the edge of the panel is whole, a bar ends there."""
    drawn = axes.errorbar(x, y, **errors, **look.drawn, capsize=1.5, elinewidth=0.8, capthick=0.8)
    drawn.lines[0].set_clip_on(False)


def level(axes: Axes, y: xr.DataArray, look: Look) -> None:
    """A line across the panel at the one value of `y`, none where that is missing."""
    if y.notnull():
        axes.axhline(float(y), color=look.color, linestyle=look.line, linewidth=1, zorder=1)
