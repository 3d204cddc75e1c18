"""Stages of training, found in several curves at once.

Within a stage every curve is about a straight line over log steps.  Curves are scaled to their range.  The
boundaries minimise the squared distance from the lines, exactly, by dynamic programming.  Their number
minimises the Bayesian information criterion.  Each seed has boundaries of its own.  The first stage is the
first in which a curve moves: the plateau before learning is no stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from pydantic import Field, PositiveFloat, PositiveInt

from interpflow.methods.curves import Curve, read_curve
from interpflow.section import Section
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known


class Options(Section):
    """Which curves, and how finely they are cut."""

    curves: dict[str, Curve] = Field(min_length=1)
    most: PositiveInt = 5  # stages
    shortest: PositiveInt = 3  # checkpoints in a stage
    flat: PositiveFloat = 0.15  # of a curve's range: what changes less over a stage is flat


VARIABLES = {
    "plateau": Variable(
        ("seed",), "step", "training step at which the plateau before learning ends"
    ),
    "boundary": Variable(("seed", "stage"), "step", "training step at which the stage begins"),
    "end": Variable(("seed", "stage"), "step", "training step at which the stage ends"),
    "stages": Variable(("seed",), "1", "number of stages; NaN without curves to find them in"),
    "change": Variable(
        ("seed", "stage", "curve"),
        "1",
        "change from the stage's begin to its end as a share of the curve's range",
    ),
    "trend": Variable(("seed", "stage", "curve"), "1", "rises, falls or is flat over the stage"),
    "curve_value": Variable(("seed", "step", "curve"), "1", "the curve, scaled to its range"),
}

NEEDS = "findings"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {
        "curve": list(options.curves),
        "stage": range(1, options.most + 1),
        "trend": ["", "rises", "falls", "flat"],
    }


def analyse(findings: Mapping[str, xr.Dataset], options: Options) -> xr.Dataset:
    """Find the stages of every seed that all curves have."""
    curves = {name: read_curve(findings, name, curve) for name, curve in options.curves.items()}
    aligned = xr.align(*curves.values(), join="inner")
    joined = xr.concat(aligned, xr.Variable("curve", list(curves)))
    joined = joined.transpose("seed", "step", "curve")
    steps = joined["step"].values
    values = joined.values
    low, high = (end.reduce(values, axis=1, keepdims=True) for end in (np.fmin, np.fmax))
    scaled = (values - low) / np.where(high > low, high - low, 1.0)

    shape = (len(scaled), options.most)
    boundary, end = np.full(shape, np.nan), np.full(shape, np.nan)
    change = np.full((*shape, len(curves)), np.nan)
    stages = np.full(len(scaled), np.nan)
    plateau = np.full(len(scaled), np.nan)
    x = np.log(np.maximum(steps, 1))
    for seed, rows in enumerate(scaled):
        # A curve with a gap (an estimate that failed) is left out at that checkpoint, for all curves.
        there = np.isfinite(rows).all(axis=1)
        if there.sum() < options.shortest:
            continue
        starts = cut(x[there], rows[there], options.most, options.shortest)
        kept, ends = steps[there], [*starts[1:], int(there.sum())]
        lines = [
            _line(x[there][first:after], rows[there][first:after])
            for first, after in zip(starts, ends, strict=True)
        ]
        still = _leading_still(lines, options.flat)
        # A stage lasts until the next begins, so a step between two lines is part of the first.
        levels = [*(first for first, _ in lines), lines[-1][1]]
        stages[seed] = len(starts) - still
        plateau[seed] = kept[starts[still]]
        for place, at in enumerate(range(still, len(starts))):
            boundary[seed, place] = kept[starts[at]]
            end[seed, place] = kept[min(ends[at], len(kept) - 1)]
            change[seed, place] = levels[at + 1] - levels[at]
    trend = np.select(
        [np.isnan(change), change > options.flat, change < -options.flat],
        ["", "rises", "falls"],
        "flat",
    )
    return xr.Dataset(
        {
            "plateau": ("seed", plateau),
            "boundary": (("seed", "stage"), boundary),
            "end": (("seed", "stage"), end),
            "stages": ("seed", stages),
            "change": (("seed", "stage", "curve"), change),
            "trend": (("seed", "stage", "curve"), trend),
            "curve_value": (("seed", "step", "curve"), scaled),
        },
        {
            "seed": joined["seed"].values,
            "step": steps,
            "curve": list(curves),
            "stage": np.arange(1, options.most + 1),
        },
    )


def _line(x: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best line through each of `rows` (n, curve) over `x` (n,): its first and last value (curve,)."""
    slope, offset = np.polyfit(x, rows, 1)
    return slope * x[0] + offset, slope * x[-1] + offset


def _leading_still(lines: list[tuple[np.ndarray, np.ndarray]], flat: float) -> int:
    """How many stages pass before any curve moves; none where no curve ever moves."""
    moving = [at for at, (first, last) in enumerate(lines) if (abs(last - first) > flat).any()]
    return moving[0] if moving else 0


def cut(x: np.ndarray, rows: np.ndarray, most: int, shortest: int) -> list[int]:
    """Where stages start: indices into `x` (n,), ascending from 0, for curves `rows` (n, curve)."""
    n, curves = rows.shape
    cost = _line_costs(x, rows, shortest)
    most = min(most, n // shortest)
    best = np.full((most + 1, n + 1), np.inf)
    came = np.zeros((most + 1, n + 1), dtype=int)
    best[0, 0] = 0.0
    for stages in range(1, most + 1):
        for stop in range(1, n + 1):
            total = best[stages - 1, :stop] + cost[:stop, stop]
            came[stages, stop] = int(total.argmin())
            best[stages, stop] = total.min()
    # Two numbers for each line, one for each boundary; a residual that is nothing counts as rounding.
    floor = 1e-6 * rows.size
    criterion = [
        rows.size * np.log((best[k, n] + floor) / rows.size)
        + (2 * k * curves + k - 1) * np.log(rows.size)
        for k in range(1, most + 1)
    ]
    stages, stop = int(np.argmin(criterion)) + 1, n
    starts: list[int] = []
    for k in range(stages, 0, -1):
        stop = int(came[k, stop])
        starts.insert(0, stop)
    return starts


def _line_costs(x: np.ndarray, rows: np.ndarray, shortest: int) -> np.ndarray:
    """Squared distance of `rows` from their best lines between every start and stop, (n, n + 1)."""
    n = len(x)
    cost = np.full((n, n + 1), np.inf)
    for start in range(n):
        for stop in range(start + shortest, n + 1):
            _, residual, rank, *_ = np.polyfit(x[start:stop], rows[start:stop], 1, full=True)
            cost[start, stop] = residual.sum() if rank == 2 and len(residual) else 0.0
    return cost
