"""What goes on inside the model in a few examples: attention, logit lens, contributions, queries and keys.

The logit lens (nostalgebraist 2020) reads the residual stream after some layers as if no layer followed.
Queries and keys of a head lie in one plane (`methods.query_key_plane`), as in AttentionViz (Yeh et al. 2023,
arXiv:2305.03210).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import xarray as xr

from interpflow.analyses import example_states
from interpflow.methods.shown import Shown, words
from interpflow.section import EachOnce
from interpflow.selection import Quantity, Steps
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.known import Foreseen, Known
    from interpflow.model.packing import Weights
    from interpflow.runs import Runs
    from interpflow.training.examples import Batch


class Options(Shown):
    """Which examples, and at which checkpoints; without `by`, examples from all over the split."""

    steps: Steps = 5
    # Of the task, handed on under their own names; `role` as words.
    variables: Annotated[list[Quantity], EachOnce] = []

    def labels(self, known: Known) -> Foreseen:
        """The names that examples can have."""
        return known.numbered(self.split)

    def of(self, data: xr.Dataset) -> tuple[xr.Dataset, list[str]]:
        """The data of the examples, and the name of each: its split and its number in the split."""
        if self.by is not None:
            return super().of(data)
        every, names = Shown.of(self.model_copy(update={"count": data.sizes["example"]}), data)
        # The first of a split are often the shortest.
        chosen = {int((place + 0.5) * len(names) / self.count) for place in range(self.count)}
        return every.isel(example=sorted(chosen)), [names[place] for place in sorted(chosen)]


_AT = ("seed", "step", "shown_example")
_LENS = (*_AT, "lens_layer", "position")
_HEAD = (*_AT, "layer", "head")
RANKS = 5  # outputs that are kept at a position
AXES = ["across", "up"]
VARIABLES = {
    "word": Variable(("shown_example", "position"), "1", "token, empty after the end"),
    "answer": Variable(
        ("shown_example", "position", "output"), "1", "whether the output is right, if scored"
    ),
    "attention": Variable((*_HEAD, "query", "key"), "1", "attention"),
    "right": Variable(_LENS, "1", "probability of the right answer"),
    "top": Variable((*_LENS, "rank"), "1", "probability of the most probable outputs"),
    "top_output": Variable((*_LENS, "rank"), "1", "number of the most probable outputs"),
    "contribution": Variable(
        (*_AT, "part", "position"), "logit", "direct contribution to the right output's logit"
    ),
    "query_place": Variable((*_HEAD, "position", "axis"), "1", "query, in the plane of the head"),
    "key_place": Variable((*_HEAD, "position", "axis"), "1", "key, in the plane of the head"),
    "plane_share": Variable(
        ("seed", "step", "layer", "head"), "1", "share of queries and keys in the plane"
    ),
}

NEEDS = "runs"


def variables(source: Runs | xr.Dataset, options: Options) -> dict[str, Variable]:
    """What the task says of the variables handed on.  Raises InterpflowError for one that it does not have."""
    data = source if isinstance(source, xr.Dataset) else source.data
    return example_states.variables(data, example_states.Options(variables=options.variables))


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {
        "shown_example": options.labels(known),
        "step": known.checkpoints(options.steps),
        "lens_layer": range(known.model.layers + 1),
        "query": int,
        "key": int,
        "rank": range(RANKS),
        "axis": AXES,
        "part": None,
    }


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """All of it at every seed and checkpoint; NaN after the end of an example.

    `right` and `contribution` are of scored positions; a right answer of several labels has all of them right.
    `lens_layer` 0 is the residual stream before the first layer, and l after l layers; a model without residual
    stream has the last alone.  `contribution` is of models of one answer whose heads add to the logits.
    """
    from interpflow.training.examples import Examples

    data, names = options.of(runs.data)
    batch = Examples(data, options.split, runs.device).take(np.arange(len(names)))
    length = batch.tokens.shape[-1]
    data = data.isel(position=slice(length))
    steps = runs.kept(options.steps)
    found = [_at_step(runs, runs.weights_at(step), batch) for step in steps]
    arrays: dict[str, Any] = {}
    for name in found[0]:
        dims = tuple(dim for dim in VARIABLES[name].dims if dim != "step")
        along = xr.concat([xr.DataArray(each[name], dims=dims) for each in found], "step")
        arrays[name] = along.transpose(*VARIABLES[name].dims)
    there = xr.DataArray(
        np.arange(length) < data["length"].values[:, None], dims=("shown_example", "position")
    )
    scored = xr.DataArray(data["scored"].values, dims=there.dims)
    for name, values in arrays.items():
        within = scored if name in ("right", "contribution") else there
        if name == "attention":
            query, key = (there.rename(position=dim) for dim in ("query", "key"))
            values = values.where(query).where(key)
        elif "position" in values.dims:
            values = values.where(within)
        arrays[name] = values.transpose(*VARIABLES[name].dims).astype(np.float32)
    arrays["word"] = VARIABLES["word"].dims, words(data)
    arrays["answer"] = VARIABLES["answer"].dims, _answers(data)
    for name, said in variables(runs, options).items():
        values = data[name].values
        arrays[name] = said.dims, data["role_name"].values[values] if name == "role" else values
    shape, first = runs.model.options, found[0]["right"].shape[2]
    return xr.Dataset(
        arrays,
        {
            "seed": runs.seeds,
            "step": steps,
            "shown_example": names,
            "layer": np.arange(shape.layers),
            "head": np.arange(shape.heads),
            "lens_layer": np.arange(shape.layers + 1)[-first:],
            "query": np.arange(length),
            "key": np.arange(length),
            "position": np.arange(length),
            "output": data["output"].values,
            "rank": np.arange(arrays["top"].sizes["rank"]),
            "axis": AXES,
            **({"part": part_names(shape)} if "contribution" in arrays else {}),
            **{dim: data[dim].values for dim in _further(data, options) if dim in data.coords},
        },
    )


def _further(data: xr.Dataset, options: Options) -> set[str]:
    """The dims of the variables handed on beside those of examples and positions."""
    dims = {str(dim) for name in options.variables for dim in data[name].dims}
    return dims - {"example", "position", "output"}


def part_names(shape: Any) -> list[str]:
    """The names of the parts that add to the residual stream, in their order."""
    names = ["embedding"]
    for layer in range(shape.layers):
        names += [f"L{layer}H{head}" for head in range(shape.heads)]
        names += [f"MLP {layer}"] if shape.d_mlp else []
    return names


def _answers(data: xr.Dataset) -> np.ndarray:
    """Whether an output is right (example, position, output), of scored positions."""
    targets = data["targets"].values
    if targets.ndim == 2:
        targets = targets[..., None] == np.arange(data.sizes["output"])
    return targets.astype(bool) & data["scored"].values[..., None]


def _at_step(runs: Runs, weights: Weights, batch: Batch) -> dict[str, np.ndarray]:
    """The variables of one checkpoint, without the dim `step`."""
    import torch

    from interpflow.methods.direct import contributions_of_parts, has_direct_parts
    from interpflow.methods.query_key_plane import planes
    from interpflow.model.positions import key_site
    from interpflow.model.sites import Sites

    shape = runs.model.options
    layers = range(shape.layers)
    last = f"blocks.{shape.layers - 1}.hook_resid_post"
    stream = [f"blocks.{layer}.hook_resid_post" for layer in layers]
    if shape.residual:
        stream = ["blocks.0.hook_resid_pre", *stream]
    key = key_site(shape)
    sites = {
        what: [f"blocks.{layer}.{name}" for layer in layers]
        for what, name in (
            ("pattern", "attn.hook_pattern"), ("query", key[:-1] + "q"), ("key", key)
        )
    }  # fmt: skip
    read = Sites(read=[*stream, *(name for names in sites.values() for name in names)])
    with torch.no_grad():
        runs.model(weights, batch.tokens, read)
        states = stream if shape.residual else stream[-1:]
        logits = torch.stack(
            [_replaced(runs, weights, batch, last, read.values[name]) for name in states], 2
        )  # (seed, example, lens_layer, position, output)
    patterns = torch.stack([read.values[name] for name in sites["pattern"]], 2)
    real = (batch.tokens >= 0).cpu().numpy()
    queries, keys = (
        np.stack([read.values[name].cpu().double().numpy() for name in sites[what]], 2)
        for what in ("query", "key")
    )  # (seed, example, layer, position, head, d_head)
    query_place, key_place, share = planes(queries, keys, real)
    found = _predictions(runs.loss, logits, batch)
    found |= {"attention": patterns.cpu().numpy()}
    found |= {"query_place": query_place, "key_place": key_place, "plane_share": share}
    if runs.loss == "cross_entropy" and has_direct_parts(shape):
        with torch.no_grad():
            found["contribution"] = contributions_of_parts(runs.model, weights, batch)
    return found


def _replaced(runs: Runs, weights: Weights, batch: Batch, last: str, state: Tensor) -> Tensor:
    """Logits (seed, example, position, output) of the model with `state` after its last layer."""
    from interpflow.model.sites import Sites

    return runs.model(weights, batch.tokens, Sites(edits={last: lambda _: state}))


def _predictions(loss: str, logits: Tensor, batch: Batch) -> dict[str, np.ndarray]:
    """Probabilities of the right answer and of the most probable outputs, from `logits`, see `_at_step`."""
    targets = batch.targets[:, None]  # (example, 1, position[, output])
    if loss == "cross_entropy":
        p = logits.softmax(-1)
        wanted = targets.long().clamp(min=0).expand(p.shape[:-1])[..., None]
        right = p.gather(-1, wanted)[..., 0]
    else:
        p = logits.sigmoid()
        right = p.where(targets.bool(), 1 - p).prod(-1)
    top = p.topk(min(RANKS, p.shape[-1]), dim=-1)
    return {
        "right": right.cpu().numpy(),
        "top": top.values.cpu().numpy(),
        "top_output": top.indices.cpu().numpy(),
    }
