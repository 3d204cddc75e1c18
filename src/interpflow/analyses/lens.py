"""Logit lens and tuned lens: the prediction read off each layer, and its distance from the model's prediction.

The lenses are in `methods.lenses`.  The tuned lens is fitted on examples that the model answers right.
Measurements are taken on every example of `split`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import xarray as xr
from pydantic import PositiveFloat, PositiveInt

from interpflow.errors import InterpflowError
from interpflow.methods.grouping import of_positions
from interpflow.methods.shown import Shown
from interpflow.methods.traced import Traced, no_output, says_a_state, traced_outputs
from interpflow.section import EachOnce, Some
from interpflow.selection import Examples, ExamplesAt, OneState, SomePositions, Split
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.known import Foreseen, Known, Refused
    from interpflow.methods.lenses import Translators, Unembedding
    from interpflow.model.packing import Weights
    from interpflow.runs import Runs


class Options(ExamplesAt):
    """Which predictions are read, and how the tuned lens is trained."""

    lenses: Annotated[list[Literal["logit", "tuned"]], Some, EachOnce] = ["logit", "tuned"]
    positions: SomePositions = ["scored"]  # where predictions are read
    by: OneState | None = None  # variable of examples or of positions to tell groups apart by
    traced: Traced | None = None
    shown: Shown | None = None  # examples whose predictions are kept whole
    fit_split: Split = "train"
    fit_examples: PositiveInt = 4096  # drawn at random, at `scored`; those answered right count
    steps: PositiveInt = 500  # of training; four times as many came no nearer
    batch_size: PositiveInt = 512  # positions
    learning_rate: PositiveFloat = 0.01  # of Adam, falling to 0 along a line


_BY_GROUP = ("seed", "lens", "layer", "group")
VARIABLES = {
    "accuracy": Variable(_BY_GROUP, "1", "share of positions where the lens predicts the target"),
    "kl": Variable(_BY_GROUP, "nat", "divergence of the lens from the model's prediction"),
    "count": Variable(("seed", "group"), "position", "positions of the group"),
    "traced": Variable((*_BY_GROUP, "place"), "1", "mean probability of the traced state"),
    "probability": Variable(
        ("seed", "lens", "layer", "shown_example", "position", "output"),
        "1",
        "probability of the next token",
    ),
}

ONE_ANSWER = True
NEEDS = "runs"
RESIDUAL = True


def refuse(known: Known, options: Options) -> Iterator[Refused]:
    """What cannot work: which of the options, and why."""
    if known.loss != "cross_entropy":
        yield ("method",), f"takes models trained with cross_entropy; the loss is {known.loss}"
    if options.traced is not None and not says_a_state(known.data, options.traced.output):
        yield ("traced", "output"), no_output(known.data, options.traced.output)


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    traced = options.traced
    return {
        "lens": options.lenses,
        "layer": range(known.model.layers + 1),
        "group": known.groups(options.by),
        "place": [] if traced is None else known.data[traced.along].values.tolist(),
        "shown_example": options.shown and options.shown.labels(known),
    }


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Apply the lenses to all seeds.  Raises InterpflowError for a task with several labels a position."""
    import torch

    from interpflow.methods.lenses import Unembedding

    if runs.loss != "cross_entropy":
        raise InterpflowError("lens: the task has no single prediction at a position")
    weights = runs.weights(options.checkpoint)
    unembed = Unembedding(weights)
    translate: dict[str, Callable[[Tensor], Tensor]] = {"logit": lambda states: states}
    if "tuned" in options.lenses:
        translate["tuned"] = _fit(runs, weights, unembed, options)

    def look(states: Tensor) -> Tensor:
        """Log-probabilities (seed, lens, layer, n, output)."""
        return torch.stack([unembed(translate[name](states)) for name in options.lenses], dim=1)

    found = _measured(runs, weights, look, options)
    if options.shown is not None:
        found = xr.merge([found, _whole(runs, weights, look, options.shown, options.positions)])
    layers = np.arange(runs.model.options.layers + 1)
    return found.assign_coords(seed=runs.seeds, lens=options.lenses, layer=layers)


def _fit(runs: Runs, weights: Weights, unembed: Unembedding, options: Options) -> Translators:
    """The translators of the tuned lens."""
    import torch

    from interpflow.methods.lenses import Fit, passes, tune
    from interpflow.rng import generator

    data, examples = runs.select(Examples(split=options.fit_split))
    drawn = generator("lens", options.fit_split).permutation(len(examples))[: options.fit_examples]
    states, kept = [], []
    for at in passes(runs, weights, data.isel(example=np.sort(drawn)), ["scored"]):
        states.append(at.states.half())  # in full, those of a model of six layers are gigabytes
        kept.append(at.asked & at.right)
    fit = Fit(options.steps, options.batch_size, options.learning_rate)
    return tune(torch.cat(states, dim=2), torch.cat(kept, dim=1), unembed, fit)


def _measured(
    runs: Runs, weights: Weights, look: Callable[[Tensor], Tensor], options: Options
) -> xr.Dataset:
    """Means over the positions of each group."""
    import torch

    from interpflow.methods.lenses import kl, passes

    data, _ = runs.select(options)
    asked = np.asarray(runs.mask(data, options.positions).any(0))
    group_of, groups = of_positions(data, options.by, asked)
    outputs, places = traced_outputs(data, options.traced)
    totals: dict[str, Tensor] = {}

    def add(name: str, total: Tensor) -> None:
        totals[name] = totals.get(name, 0) + total.double().cpu()

    for at in passes(runs, weights, data, options.positions):
        log_p = look(at.states)
        device = log_p.device
        of = group_of[at.example, at.position]
        belongs = torch.from_numpy(of[:, None] == np.arange(len(groups))).to(device)
        belongs = (belongs & at.asked[..., None]).float()  # (seed, n, group)
        right = (log_p.argmax(-1) == at.target).float()
        add("accuracy", torch.einsum("stln,sng->stlg", right, belongs))
        # The last layer is the same through every lens: the model's prediction.
        divergence = kl(log_p[:, :1, -1:], log_p)
        add("kl", torch.einsum("stln,sng->stlg", divergence, belongs))
        add("count", belongs.sum(1))
        output = torch.from_numpy(outputs[at.example, at.position]).long().to(device)  # (n, place)
        there = (output >= 0).float()
        wanted = output.clamp(min=0).expand(*log_p.shape[:3], *output.shape)
        traced = log_p.gather(-1, wanted).exp() * there
        add("traced", torch.einsum("stlnp,sng->stlgp", traced, belongs))
        add("traced_count", torch.einsum("np,sng->sgp", there, belongs))

    sums = {name: total.numpy() for name, total in totals.items()}
    found = {"count": sums["count"].astype(np.int64)}
    coords: dict[str, xr.Variable | np.ndarray] = {"group": groups}
    with np.errstate(invalid="ignore"):  # no position of a group, or none with a state: NaN
        for name in ("accuracy", "kl"):
            found[name] = sums[name] / sums["count"][:, None, None]
        if options.traced is not None:
            found["traced"] = sums["traced"] / sums["traced_count"][:, None, None]
            coords["place"] = places
    return xr.Dataset(
        {name: (VARIABLES[name].dims, array) for name, array in found.items()}, coords
    )


def _whole(
    runs: Runs,
    weights: Weights,
    look: Callable[[Tensor], Tensor],
    shown: Shown,
    positions: list[str],
) -> xr.Dataset:
    """Every probability at `positions` of the examples shown."""
    from interpflow.methods.lenses import passes

    data, names = shown.of(runs.data)
    there = np.flatnonzero(runs.mask(data, positions).any((0, 1)))
    found: np.ndarray | None = None
    for at in passes(runs, weights, data, positions):
        p = look(at.states).exp().cpu().numpy()
        if found is None:
            shape = (*p.shape[:3], len(names), len(there), p.shape[-1])
            found = np.full(shape, np.nan, dtype=np.float32)
        asked = at.asked.cpu().numpy()[:, None, None, :, None]
        place = np.searchsorted(there, at.position)
        found[:, :, :, at.example, place] = np.where(asked, p, np.nan)
    coords = {"shown_example": names, "position": there, "output": data["output"].values}
    return xr.Dataset({"probability": (VARIABLES["probability"].dims, found)}, coords)
