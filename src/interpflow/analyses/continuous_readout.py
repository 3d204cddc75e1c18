"""Numbers that hidden states hold: how far one coordinate, or a line through all, follows a state of the task.

A state is taken as a number, or as its ratio to another: depth over letters read, say.  A coordinate is chosen
on one half of the examples, by the largest correlation there, and measured on the other; so is the best linear
map of all coordinates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field

from interpflow import selection
from interpflow.analyses.probe import Read
from interpflow.errors import InterpflowError
from interpflow.methods.shown import Shown, words
from interpflow.rng import generator
from interpflow.section import Section, Some
from interpflow.selection import ExamplesAt, SingleState
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known
    from interpflow.model.packing import Weights
    from interpflow.runs import Runs
    from interpflow.training.examples import Examples

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


class Number(Section):
    """A state as a number, or over another one; where either is -1, and where the other is 0, there is none."""

    value: SingleState
    over: SingleState | None = None


class Options(ExamplesAt):
    """Every target is read at every place."""

    reads: Annotated[dict[str, Read], Field(min_length=1)]
    targets: Annotated[dict[str, Number], Some]
    shown: Shown = Shown(count=1)  # examples along which values and readings are kept


_BY_READ = ("seed", "read", "target")
_SHOWN = ("shown_example", "position")
VARIABLES = {
    "correlation": Variable(
        _BY_READ, "1", "absolute Pearson correlation of the best coordinate, held out"
    ),
    "chosen_coordinate": Variable(_BY_READ, "1", "number of that coordinate"),
    "r2": Variable(_BY_READ, "1", "share of the variance that a linear map explains, held out"),
    "count": Variable(("read", "target"), "position", "number of positions"),
    "value": Variable(("target", *_SHOWN), "1", "the number itself"),
    "of_coordinate": Variable((*_BY_READ, *_SHOWN), "1", "best coordinate, scaled and shifted"),
    "of_map": Variable((*_BY_READ, *_SHOWN), "1", "linear map of all coordinates"),
    "word": Variable(_SHOWN, "1", "token, empty after the end"),
}

_MEASURES = ("correlation", "chosen_coordinate", "r2")

NEEDS = "runs"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {
        "read": list(options.reads),
        "target": list(options.targets),
        "shown_example": options.shown.labels(known),
    }


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Fit on one half of the examples and measure on the other; shown examples may be of either."""
    from interpflow.training.examples import Examples as AsTensors

    data, examples = runs.select(options)
    chosen, names = options.shown.of(runs.data)
    shown = AsTensors(chosen, options.shown.split, runs.device)
    weights = runs.weights(options.checkpoint)
    order = generator("continuous readout", options.split).permutation(len(examples))
    fitted = order < len(order) / 2
    sizes = len(runs.seeds), len(options.reads), len(options.targets)
    traces = np.full((2, *sizes, len(names), chosen.sizes["position"]), np.nan)
    measures, count = np.full((3, *sizes), np.nan), np.zeros(sizes[1:], dtype=np.int64)
    for row, read in enumerate(options.reads.values()):
        asked = runs.mask_of_all(data, read.positions)
        there, where = np.nonzero(runs.mask_of_all(chosen, read.positions))
        along = _states(runs, weights, shown, read, (there, where))
        for column, (name, target) in enumerate(options.targets.items()):
            values = _number(data, target)
            example, position = np.nonzero(asked & np.isfinite(values))
            y, train = values[example, position], fitted[example]
            count[row, column] = len(y)
            if min(train.sum(), (~train).sum()) < 2:
                raise InterpflowError(f"targets.{name}: has a value at {len(y)} of these positions")
            for seed, x in enumerate(_states(runs, weights, examples, read, (example, position))):
                measures[:, seed, row, column], maps = _measured(x, y, train)
                for kind, line in enumerate(maps):
                    traces[kind, seed, row, column, there, where] = _applied(line, along[seed])
    return xr.Dataset(
        {
            **{name: (_BY_READ, values) for name, values in zip(_MEASURES, measures, strict=True)},
            "count": (("read", "target"), count),
            "value": (
                ("target", *_SHOWN),
                np.stack([_number(chosen, target) for target in options.targets.values()]),
            ),
            "of_coordinate": ((*_BY_READ, *_SHOWN), traces[0]),
            "of_map": ((*_BY_READ, *_SHOWN), traces[1]),
            "word": (_SHOWN, words(chosen)),
        },
        {
            "seed": runs.seeds,
            "read": list(options.reads),
            "target": list(options.targets),
            "shown_example": names,
            "position": np.arange(chosen.sizes["position"]),
        },
    )


def _states(
    runs: Runs, weights: Weights, examples: Examples, read: Read, at: tuple[Places, Places]
) -> Floats:
    """The hidden states (seed, n, d) of a read at examples and positions `at`, each (n,)."""
    return runs.activations(weights, examples, read.site, at).cpu().numpy().astype(np.float64)


def _measured(x: Floats, y: Floats, train: NDArray[np.bool_]) -> tuple[list[float], list[Floats]]:
    """The measures of hidden states `x` (n, d) that are to follow `y` (n,), and two maps fitted in `train`.

    The maps are of the best coordinate alone, and of all.
    """
    own = np.abs(_correlations(x[train], y[train]))
    best = int(np.nanargmax(own)) if np.isfinite(own).any() else 0
    held = float(_correlations(x[~train][:, [best]], y[~train])[0])
    alone = _fit(np.where(np.arange(x.shape[1]) == best, x[train], 0.0), y[train])
    whole = _fit(x[train], y[train])
    left = y[~train] - _applied(whole, x[~train])
    r2 = 1 - float((left**2).mean() / y[~train].var()) if y[~train].var() else np.nan
    return [abs(held), best, r2], [alone, whole]


def _number(data: xr.Dataset, target: Number) -> Floats:
    """The number at each position (example, position), NaN where there is none."""
    value = selection.state(data, target.value).astype(float)
    value[value < 0] = np.nan
    if target.over is None:
        return value
    over = selection.state(data, target.over).astype(float)
    return value / np.where(over > 0, over, np.nan)


def _correlations(x: Floats, y: Floats) -> Floats:
    """Pearson correlation with `y` (n,) of each column of `x` (n, d): (d,), NaN where either does not vary."""
    across, along = x - x.mean(0), y - y.mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(across.T @ along / np.sqrt((across**2).sum(0) * (along**2).sum()))


def _fit(x: Floats, y: Floats) -> Floats:
    """The best linear map of `x` (n, d) to `y` (n,): weights of the columns, and behind them a constant.

    Directions in which `x`, computed in float32, varies by no more than it is rounded have no part in it.
    """
    with_constant = np.column_stack([x, np.ones(len(x))])
    rounding = float(np.finfo(np.float32).eps)
    return np.asarray(np.linalg.lstsq(with_constant, y, rcond=rounding)[0], dtype=np.float64)


def _applied(line: Floats, x: Floats) -> Floats:
    return x @ line[:-1] + line[-1]
