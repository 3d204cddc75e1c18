"""Weights of a file in place of a training run: weights trained here before, or somebody else's.

The file holds the weights of some checkpoints, the last among them; of a training run of ours also the history.
The weights before this run need no file: they follow from the seed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.files import require_digest
from interpflow.model.options import ModelOptions, unlike
from interpflow.model.shapes import Shapes
from interpflow.selection import Steps, kept
from interpflow.store import sha256
from interpflow.training.options import Start
from interpflow.variables import HISTORY, WEIGHTS

if TYPE_CHECKING:
    from interpflow.model.transformer import Transformer

SHIPPED, IMPORTED = "ship", "import"  # the attribute `stage` of a file: the command that wrote it


def join(weights: xr.Dataset, history: xr.Dataset, steps: Steps = "last") -> xr.Dataset:
    """The content of a file that `read` takes: `steps` of `weights` and `history`, in one dataset."""
    wanted = kept(weights["step"].values.tolist(), steps)
    return xr.merge([part.sel(step=wanted).drop_attrs(deep=False) for part in (weights, history)])


def in_a_spec(path: Path) -> str:
    """The entry under `training` with which a spec takes the weights in `path`."""
    return f"start: {{file: {path}, sha256: {sha256(path)}}}"


@dataclass(frozen=True)
class Described:
    """The file at `path`, as its attributes and coordinates describe it."""

    path: Path
    model: ModelOptions
    seeds: list[int]
    steps: list[int]  # the checkpoints that it holds, ascending
    shapes: Shapes  # of its weights at one step, of one seed
    has_history: bool
    drawn: bool  # whether its training started from the seed

    def check(self, model: ModelOptions, seeds: Sequence[int]) -> None:
        """Raise InterpflowError if the file has no weights of `model` for `seeds`."""
        for name, theirs, ours in unlike(self.model, model):
            raise InterpflowError(
                f"{self.path}: was trained with {name} {theirs}; the spec's model has {ours}"
            )
        if lacking := sorted({*seeds} - {*self.seeds}):
            raise InterpflowError(
                f"{self.path}: has no seed {lacking}; it has {self.seeds}; ask for these in the spec"
            )

    def check_shapes(self, wanted: Shapes) -> None:
        """Raise InterpflowError where the file has other weights than those `wanted`, or of other shapes.

        Positions that no sequence of the data reaches may stand behind the others.
        """
        if missing := sorted({*wanted} - {*self.shapes}):
            raise InterpflowError(f"{self.path}: has no {', '.join(missing)}; the spec's model has")
        if besides := sorted({*self.shapes} - {*wanted}):
            raise InterpflowError(
                f"{self.path}: has {', '.join(besides)}; the spec's model has not"
            )
        for name, shape in wanted.items():
            held = self.shapes[name]
            reached = (min(held[0], shape[0]), *held[1:]) if name == "W_pos" else held
            if reached != shape:
                raise InterpflowError(
                    f"{self.path}: {name} has shape {held}; with the task's data it is {shape}"
                )

    def checkpoints(self, model: ModelOptions) -> list[int]:
        """The steps whose weights `read` returns for `model`: the steps of the file, and 0 if it is known."""
        return [0, *self.steps] if self.steps[0] > 0 and self._began_as(model) else self.steps

    def _began_as(self, model: ModelOptions) -> bool:
        """Whether its weights before training are those that `model` draws from the seed."""
        alike = (self.model.init, self.model.init_range) == (model.init, model.init_range)
        return self.drawn and alike


def describe(start: Start) -> Described:
    """The file of `start`, described.

    Raises InterpflowError if the file is missing, has another sha256 than the spec, or is no file of weights.
    """
    path = Path(str(start.file))
    require_digest(path, str(start.sha256), "weights", "set training.start to null to train")
    held = store.read_coordinates(path)
    if held.attrs.get("stage") not in (SHIPPED, IMPORTED):
        raise InterpflowError(
            f"{path}: was written neither by `ship` nor by `import`; weights of a run of ours are shipped by "
            f"`interpflow ship {path} --output weights/NAME.nc`"
        )
    try:
        recipe = json.loads(held.attrs["recipe"])
        model = ModelOptions(**recipe["model"])
    except (KeyError, TypeError, ValueError) as error:
        raise InterpflowError(
            f"{path}: does not say in which model it was trained; `ship` and `import` write that"
        ) from error
    shipped = held.attrs.get("stage") == SHIPPED
    drawn = shipped and not recipe.get("training", {}).get("start")
    seeds, steps = (held[name].values.tolist() for name in ("seed", "step"))
    shapes = {name: shape[2:] for name, shape in store.read_shapes(path).items() if name in WEIGHTS}
    return Described(path, model, seeds, steps, shapes, shipped, drawn)


def read(data: xr.Dataset, recipe: Mapping[str, Any]) -> tuple[xr.Dataset, xr.Dataset]:
    """The weights and the history that `training.start` of `recipe` names, dims (step, seed, …).

    The steps are the steps of the file, and before them 0 if the weights before training are known.  A value
    of the history that was not measured is NaN.  Raises InterpflowError as `describe` and `Described.check` do,
    and if the weights do not fit `data`.
    """
    from interpflow.model.transformer import build_model

    described, seeds = describe(Start(**recipe["training"]["start"])), list(recipe["seeds"])
    model = build_model(recipe["model"], data)
    described.check(model.options, seeds)
    described.check_shapes(model.shapes)
    stored = store.read(described.path).sel(seed=seeds).drop_attrs()
    weights = _weights(stored, model, described.path)
    if len(described.checkpoints(model.options)) > len(described.steps):
        weights = xr.concat([_drawn(model, seeds), weights], "step")
    empty = xr.DataArray(np.nan, {"step": weights["step"], "seed": seeds}, ("step", "seed"))
    history = {name: stored.get(name, empty) for name in HISTORY}
    return weights, xr.Dataset(history).reindex(step=weights["step"].values)


def _drawn(model: Transformer, seeds: list[int]) -> xr.Dataset:
    """The weights that `model` draws, at step 0."""
    from interpflow.model.packing import unpack

    start = unpack(model.init(seeds), model.options.heads)
    before = {name: (WEIGHTS[name].dims[1:], start[name].numpy()) for name in model.shapes}
    return xr.Dataset(before, {"seed": seeds}).expand_dims(step=[0])


def _weights(stored: xr.Dataset, model: Transformer, path: Path) -> xr.Dataset:
    """The weights of `model` in `stored`; positions that no sequence of the data reaches are left out."""
    weights = stored[list(model.shapes)].isel(n_ctx=slice(model.n_ctx), missing_dims="ignore")
    for name in model.shapes:
        if not np.isfinite(weights[name].values).all():
            raise InterpflowError(f"{path}: {name} holds values that are not finite")
    return weights
