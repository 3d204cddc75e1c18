"""Weights that were trained before and are part of the project, in place of a training run.

The file holds the weights and the history of a training run at its last step, in one dataset.  The weights
before training need no file: they follow from the seed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.model.options import ModelOptions
from interpflow.model.packing import unpack
from interpflow.model.transformer import Transformer, build_model
from interpflow.store import sha256
from interpflow.variables import HISTORY, WEIGHTS


def join(weights: xr.Dataset, history: xr.Dataset) -> xr.Dataset:
    """What `read` takes: the last step of both, in one dataset."""
    return xr.merge([part.isel(step=[-1]).drop_attrs(deep=False) for part in (weights, history)])


def read(data: xr.Dataset, recipe: Mapping[str, Any]) -> tuple[xr.Dataset, xr.Dataset]:
    """The weights and the history that `training.weights` of `recipe` names, dims (step, seed, …).

    Steps are 0 and the last.  Raises InterpflowError where the file is missing or another than the one that
    the spec means, and where its weights, or the model that they were trained in, do not fit the recipe's model
    and seeds.
    """
    named = recipe["training"]["weights"]
    path = Path(named["file"])
    if not path.is_file():
        raise InterpflowError(
            f"{path}: no such file; it holds trained weights and is part of the project: "
            "get it back, or set training.weights to null to train them again"
        )
    found = sha256(path)
    if found != named["sha256"]:
        raise InterpflowError(
            f"{path}: not the file that the spec means: its sha256 is {found}, the spec has {named['sha256']}"
        )
    stored = store.read(path)
    model = build_model(recipe["model"], data)
    _check(stored, model, recipe["seeds"], path)
    trained = stored.sel(seed=list(recipe["seeds"]))
    start = unpack(model.init(recipe["seeds"]), model.options.heads)
    before = {name: (WEIGHTS[name].dims[1:], start[name].numpy()) for name in model.shapes}
    weights = xr.concat(
        [xr.Dataset(before, {"seed": list(recipe["seeds"])}).expand_dims(step=[0]),
         trained[list(model.shapes)].drop_attrs()],
        "step",
    )  # fmt: skip
    history = trained[list(HISTORY)].drop_attrs().reindex(step=weights["step"].values)
    return weights, history


def _check_options(stored: xr.Dataset, wanted: ModelOptions, path: Path) -> None:
    """What no shape shows: that the model computes with its weights what it was trained to compute."""
    try:
        trained = ModelOptions(**json.loads(stored.attrs["recipe"])["model"])
    except (KeyError, ValueError) as error:
        raise InterpflowError(
            f"{path}: does not say in which model it was trained; `ship` writes that"
        ) from error
    for name in ("activation", "scale_embedding"):
        was, is_now = getattr(trained, name), getattr(wanted, name)
        if was != is_now:
            raise InterpflowError(
                f"{path}: was trained with {name} {was}; the spec's model has {is_now}"
            )


def _check(stored: xr.Dataset, model: Transformer, seeds: list[int], path: Path) -> None:
    """Raise InterpflowError where `stored` is not one step of weights of `model` for `seeds`."""
    if stored.sizes.get("step") != 1:
        raise InterpflowError(
            f"{path}: holds {stored.sizes.get('step', 0)} steps; it takes the last alone"
        )
    held = {*map(str, stored.data_vars)}
    if missing := sorted({*model.shapes, *HISTORY} - held):
        raise InterpflowError(f"{path}: has no {', '.join(missing)}; the spec's model has")
    if besides := sorted((held & {*WEIGHTS}) - {*model.shapes}):
        raise InterpflowError(f"{path}: has {', '.join(besides)}; the spec's model has not")
    _check_options(stored, model.options, path)
    for name, shape in model.shapes.items():
        if stored[name].shape[2:] != shape:
            raise InterpflowError(
                f"{path}: {name} has shape {stored[name].shape[2:]}; the spec's model has {shape}"
            )
        if not np.isfinite(stored[name].values).all():
            raise InterpflowError(f"{path}: {name} holds values that are not finite")
    lacking = sorted({*seeds} - {*stored["seed"].values.tolist()})
    if lacking:
        known = stored["seed"].values.tolist()
        raise InterpflowError(
            f"{path}: has no seed {lacking}; it has {known}; ask for these in the spec"
        )
