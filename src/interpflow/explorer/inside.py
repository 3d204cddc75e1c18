"""What a page holds of one experiment: a few examples, history, activations, circuits."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from interpflow.analyses import activations, circuits
from interpflow.explorer.held import Dataset
from interpflow.methods.shown import words
from interpflow.record import divergence
from interpflow.runs import Runs

_MOST = 1 << 26  # values of one variable while it is computed; what the page holds is less


def modest(runs: Runs, options: activations.Options) -> activations.Options:
    """`options` with fewer checkpoints and examples, where the attention of all would take much memory."""
    shape, longest = runs.model.options, int(runs.data["length"].max())
    one = len(runs.seeds) * shape.layers * shape.heads * longest**2
    for steps, count in ((5, 4), (3, 2), (2, 1)):
        if one * steps * count <= _MOST:
            break
    return options.model_copy(update={"steps": steps, "count": count})


def datasets(name: str, runs: Runs, options: activations.Options) -> Iterator[Dataset]:
    """Those of the experiment `name`; of its seeds the sound ones, and nothing of a model without any.

    Circuits are of models with a direct path from a head to the logits, and of vocabularies that are not large.
    """
    yield Dataset(f"examples of {name}", "examples", name, "", _examples(runs.data, options))
    lost = {seed for steps in divergence.read(runs.labelled.attrs).values() for seed in steps}
    sound = [seed for seed in runs.seeds if seed not in lost]
    if not sound:
        return
    runs = runs.only(sound) if lost else runs
    history = runs.history.drop_attrs(deep=False).transpose("seed", "step", ...)
    yield Dataset(f"history of {name}", "history", name, "", history)
    found: list[tuple[Any, xr.Dataset]] = [(activations, activations.analyse(runs, options))]
    shape = runs.model.options
    direct = shape.residual or (shape.layers == 1 and not shape.d_mlp)
    steps, tokens = len(runs.kept(options.steps)), runs.data.sizes["token"]
    if direct and len(runs.seeds) * steps * shape.layers * shape.heads * tokens**2 <= _MOST:
        found.append((circuits, _circuits(runs, options)))
    for method, findings in found:
        kind = method.__name__.rpartition(".")[2]
        described = _described(findings, method)
        yield Dataset(f"{kind} of {name}", kind, name, kind, described)


def _circuits(runs: Runs, options: activations.Options) -> xr.Dataset:
    """The OV and QK circuits of every layer, (seed, step, layer, head, …)."""
    layers = range(runs.model.options.layers)
    each = [
        circuits.analyse(runs, circuits.Options(layer=layer, steps=options.steps))
        for layer in layers
    ]
    joined = xr.concat(each, "layer").assign_coords(layer=np.arange(len(layers)))
    return joined.transpose("seed", "step", "layer", "head", ...)


def _described(findings: xr.Dataset, method: Any) -> xr.Dataset:
    """`findings` with units and long names; those of all layers have one dim more than the method says."""
    described = findings.copy()
    for name in described.data_vars:
        said = method.VARIABLES[str(name)]
        described[name].attrs = {"units": said.units, "long_name": said.long_name}
    return described


def _examples(data: xr.Dataset, options: activations.Options) -> xr.Dataset:
    """What the task says of the examples shown: words, roles, and every state without a further dim."""
    chosen, names = options.of(data)
    chosen = chosen.isel(position=slice(int(chosen["length"].max())))
    found: dict[str, Any] = {
        str(name): (("shown_example", *map(str, values.dims[1:])), values.values, values.attrs)
        for name, values in chosen.data_vars.items()
        if values.dims in (("example",), ("example", "position"))
    }
    at = ("shown_example", "position")
    found["word"] = at, words(chosen), {"long_name": "token"}
    if "role_name" in chosen.coords:
        roles = chosen["role_name"].values[chosen["role"].values]
        found["role_word"] = at, roles, {"long_name": "what stands at the position"}
    return xr.Dataset(found, {"shown_example": names})


def drawings(module: str, data: xr.Dataset, options: activations.Options) -> list[dict[str, Any]]:
    """The drawing of each example shown, as JSON takes it, by the `drawing` of the module."""
    chosen, _ = options.of(data)
    draw = importlib.import_module(module).drawing
    return [asdict(draw(chosen.isel(example=at))) for at in range(chosen.sizes["example"])]
