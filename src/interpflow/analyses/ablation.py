"""Ablation of heads: accuracy, loss and confidence of a model with one head's output replaced.

Zero ablation sets the head's output `z` to zero.  Mean ablation sets `z` to its mean over examples, position by
position.  Resample ablation takes `z` from another example, at the same position.

With `by`, loss and accuracy of single positions are found too, for each group of positions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import xarray as xr
from pydantic import PositiveInt

from interpflow.rng import generator
from interpflow.section import EachOnce, Some
from interpflow.selection import ExamplesAt, OneState, Positions
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.known import Foreseen, Known
    from interpflow.model.packing import Weights
    from interpflow.model.sites import Sites
    from interpflow.runs import Runs
    from interpflow.training.examples import Examples

    SitesOf = Callable[[np.ndarray], Sites]  # edits of the examples (batch,) of a pass
    Ablate = Callable[[int, int], SitesOf]  # of a layer and a head


class Options(ExamplesAt):
    """Every head of every layer, one at a time."""

    ablations: Annotated[list[Literal["zero", "mean", "resample"]], Some, EachOnce] = [
        "zero",
        "mean",
        "resample",
    ]
    bins: PositiveInt = 10  # of confidence, in the reliability table
    by: OneState | None = None  # a state of the position or the example: groups of positions
    positions: Positions = [
        "scored"
    ]  # that the groups are of; those that are not scored are left out


_BY_HEAD = ("seed", "ablation", "layer", "head")
MEASURES = {
    "accuracy": ("1", "share of sequences right at every position"),
    "prediction_accuracy": ("1", "share of predictions right"),
    "loss": ("1", "mean loss over sequences"),
    "entropy": ("nat", "mean entropy of predictions"),
    "confidence": ("1", "mean probability of what is predicted"),
    "calibration_error": ("1", "expected calibration error"),
}
_TABLE = {
    "count": ("1", "number of predictions by confidence"),
    "mean_confidence": ("1", "mean confidence of the predictions in a bin"),
    "share_right": ("1", "share of predictions right in a bin"),
}
_GROUPED = {
    "accuracy": "share of the group's positions right",
    "loss": "mean loss over the group's positions",
}
VARIABLES = {
    **{name: Variable(_BY_HEAD, *words) for name, words in MEASURES.items()},
    **{
        f"intact_{name}": Variable(("seed",), unit, f"{words}, nothing ablated")
        for name, (unit, words) in MEASURES.items()
    },
    **{name: Variable((*_BY_HEAD, "bin"), *words) for name, words in _TABLE.items()},
    **{
        f"intact_{name}": Variable(("seed", "bin"), unit, f"{words}, nothing ablated")
        for name, (unit, words) in _TABLE.items()
    },
    **{
        f"group_{name}": Variable((*_BY_HEAD, "group"), "1", words)
        for name, words in _GROUPED.items()
    },
    **{
        f"intact_group_{name}": Variable(("seed", "group"), "1", f"{words}, nothing ablated")
        for name, words in _GROUPED.items()
    },
    "group_count": Variable(("group",), "position", "number of positions"),
}

NEEDS = "runs"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {
        "ablation": options.ablations,
        "bin": range(options.bins),
        "group": known.groups(options.by),
    }


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Measure each seed intact, and with each head ablated in each way."""
    from interpflow.methods.position_outcomes import PositionGroups, position_outcomes
    from interpflow.methods.predictions import sureness
    from interpflow.model.sites import Sites

    weights = runs.weights(options.checkpoint)
    data, examples = runs.select(options)
    shape = runs.model.options
    groups = None
    if options.by is not None:
        groups = PositionGroups(data, options.by, runs.mask_of_all(data, options.positions))

    def measure(sites: SitesOf) -> dict[str, np.ndarray]:
        found = sureness(runs.model, weights, examples, runs.loss, sites, bins=options.bins)
        with np.errstate(invalid="ignore"):  # a bin without predictions has no mean: NaN
            table = {
                "count": found.count,
                "mean_confidence": found.confidence_sum / found.count,
                "share_right": found.right_count / found.count,
            }
        each = {name: getattr(found, name) for name in MEASURES} | table
        if groups is not None:
            alone = position_outcomes(runs.model, weights, examples, runs.loss, sites)
            each["group_accuracy"] = groups.mean(alone.right)
            each["group_loss"] = groups.mean(alone.loss)
        return each

    intact = measure(lambda indices: Sites())
    replace = {name: _REPLACEMENTS[name](runs, weights, examples) for name in options.ablations}
    dims = (len(options.ablations), shape.layers, shape.heads)
    found = [measure(replace[options.ablations[kind]](layer, head))
             for kind, layer, head in np.ndindex(dims)]  # fmt: skip
    tables = {}
    for name in intact:
        each = np.stack([one[name] for one in found]).reshape(*dims, *intact[name].shape)
        tables[name] = (VARIABLES[name].dims, np.moveaxis(each, 3, 0))
        tables[f"intact_{name}"] = (VARIABLES[f"intact_{name}"].dims, intact[name])
    coords = {
        "seed": runs.seeds,
        "ablation": options.ablations,
        "layer": np.arange(shape.layers),
        "head": np.arange(shape.heads),
        "bin": np.arange(options.bins),
    }
    if groups is not None:
        tables["group_count"] = (("group",), groups.count)
        coords["group"] = groups.coordinate
    return xr.Dataset(tables, coords)


def _zero(runs: Runs, weights: Weights, examples: Examples) -> Ablate:
    from interpflow.model.sites import Sites

    def ablate(layer: int, head: int) -> SitesOf:
        def edit(z: Tensor) -> Tensor:
            return _with_head(z, head, z.new_zeros(()))

        return lambda indices: Sites(edits={_site(layer): edit})

    return ablate


def _mean(runs: Runs, weights: Weights, examples: Examples) -> Ablate:
    import torch

    from interpflow.model.sites import Sites

    sites = [_site(layer) for layer in range(runs.model.options.layers)]
    longest = int(examples.lengths.max())
    sums: dict[str, Tensor] = {}
    count = torch.zeros(longest)
    with torch.no_grad():
        for indices, batch in examples.in_order_of_length():
            read = Sites(read=sites)
            runs.model(weights, batch.tokens, read)
            length = batch.tokens.shape[-1]
            there = torch.from_numpy(np.arange(length) < examples.lengths[indices][:, None])
            there = there.to(batch.tokens.device)
            count[:length] += there.sum(0).cpu()
            for site, z in read.values.items():  # (seed, batch, pos, head, d_head)
                summed = (z * there[:, :, None, None]).sum(1)
                total = sums.setdefault(site, summed.new_zeros(len(z), longest, *z.shape[3:]))
                total[:, :length] += summed

    def ablate(layer: int, head: int) -> SitesOf:
        total = sums[_site(layer)]
        mean = total[:, :, head] / count.to(total)[:, None]

        def edit(z: Tensor) -> Tensor:
            return _with_head(z, head, mean[:, None, : z.shape[2]])

        return lambda indices: Sites(edits={_site(layer): edit})

    return ablate


def _resample(runs: Runs, weights: Weights, examples: Examples) -> Ablate:
    import torch

    from interpflow.model.sites import Sites

    # Every example has another one of the same pass, which is of like length, as its stand-in.
    def ablate(layer: int, head: int) -> SitesOf:
        def sites(indices: np.ndarray) -> Sites:
            other = np.roll(np.arange(len(indices)), 1)
            order = generator("resample", int(indices[0])).permutation(len(indices))
            stand_in = np.empty_like(other)
            stand_in[order] = order[other]

            def edit(z: Tensor) -> Tensor:
                return _with_head(z, head, z[:, torch.from_numpy(stand_in).to(z.device), :, head])

            return Sites(edits={_site(layer): edit})

        return sites

    return ablate


_REPLACEMENTS = {"zero": _zero, "mean": _mean, "resample": _resample}


def _site(layer: int) -> str:
    return f"blocks.{layer}.attn.hook_z"


def _with_head(z: Tensor, head: int, value: Tensor) -> Tensor:
    z = z.clone()
    z[:, :, :, head] = value
    return z
