"""Removal of a probe's directions from the hidden state, and the task's accuracy without them.

A linear probe reads standardised hidden states through the span of its class weights.  The leading directions
of that span are removed, rank by rank.  Controls are as many random directions, and LEACE, which removes the
least that leaves no linear probe.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from pydantic import Field, PositiveFloat, PositiveInt

from interpflow.rng import generator
from interpflow.section import EachOnce, Some
from interpflow.selection import Examples, ExamplesAt, Site, Split, State, each, mask, select, state
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known, Refused
    from interpflow.methods.erasure import Eraser
    from interpflow.runs import Runs


class Options(ExamplesAt):
    """A linear probe on one site, what is removed there, and the examples where the task is measured then."""

    site: Site  # TransformerLens name
    targets: Annotated[dict[str, State], Field(min_length=1)]
    fit_split: Split = "train"  # on whose hidden states the probe is trained
    positions: PositiveInt  # real positions on which the probe is trained
    epochs: PositiveInt = 10
    batch_size: PositiveInt = 256
    learning_rate: PositiveFloat = 1e-3  # of Adam
    ranks: Annotated[list[PositiveInt], Some, EachOnce] = [
        1
    ]  # how many leading directions are removed
    random_draws: PositiveInt = 5  # sets of random directions for each rank


VARIABLES = {
    "accuracy": Variable(
        ("seed", "target", "rank"), "1", "share of sequences right without the probe's directions"
    ),
    "random_accuracy": Variable(
        ("seed", "rank"), "1", "share of sequences right without random directions, mean of draws"
    ),
    "subspace_accuracy": Variable(
        ("seed", "target"), "1", "share of sequences right without all that the probe reads"
    ),
    "random_subspace_accuracy": Variable(
        ("seed", "target"), "1", "share of sequences right without as many random directions"
    ),
    "leace_accuracy": Variable(
        ("seed", "target"), "1", "share of sequences right after LEACE erasure of the target"
    ),
    "intact_accuracy": Variable(("seed",), "1", "share of sequences right with nothing removed"),
    "probe_rank": Variable(("target",), "1", "number of directions the probe reads"),
}

NEEDS = "runs"


def refuse(known: Known, options: Options) -> Iterator[Refused]:
    """What cannot work: which of the options, and why."""
    data = select(known.data, Examples(split=options.fit_split))
    real = mask(data, ["real"])[0]
    for name, one in each(data, options.targets).items():
        if (state(data, one)[real] < 0).any():
            at = ("targets", name) if name in options.targets else ("targets",)
            yield (
                at,
                f"'{name}' has no value (-1) at some positions; it takes a state of all of them",
            )


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"target": list(each(known.data, options.targets)), "rank": options.ranks}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Exact-match accuracy of every seed with directions removed at `site` in every position."""
    import torch

    from interpflow.methods.erasure import leace, project_out
    from interpflow.methods.probing import ProbeFit, ProbeGrid

    weights = runs.weights(options.checkpoint)
    known, examples = runs.select(Examples(split=options.fit_split))
    states = {name: state(known, one) for name, one in each(known, options.targets).items()}
    example, position = np.nonzero(np.arange(examples.lengths.max()) < examples.lengths[:, None])
    random = generator("removal positions", options.fit_split)
    chosen = np.sort(random.permutation(len(example))[: options.positions])
    example, position = example[chosen], position[chosen]
    hidden = runs.activations(weights, examples, options.site, (example, position))
    mean, deviation = hidden.mean(1), hidden.std(1, correction=0).clamp_min(1e-12)
    _, test = runs.select(options)

    def accuracy_without(eraser: Eraser) -> np.ndarray:
        return runs.evaluate(weights, test, {options.site: eraser}).accuracy

    seeds, d = runs.seeds, hidden.shape[-1]
    drawn = [
        # QR of a Gaussian matrix: orthonormal directions with no preference.
        np.linalg.qr([generator("removal", seed, draw).normal(size=(d, d)) for seed in seeds]).Q
        for draw in range(options.random_draws)
    ]

    def without(basis: torch.Tensor, rank: int) -> np.ndarray:
        return accuracy_without(project_out(mean, deviation, basis[..., :rank].to(hidden)))

    def without_random(rank: int) -> np.ndarray:
        return np.mean([without(torch.from_numpy(basis), rank) for basis in drawn], axis=0)

    ranks = [rank for rank in options.ranks if rank < d]
    at_random = {rank: without_random(rank) for rank in ranks}
    found: dict[str, list[np.ndarray]] = {
        name: [] for name in ("accuracy", "subspace", "random_subspace", "leace")
    }
    probe_rank = []
    for name, values in states.items():
        labels = torch.from_numpy(values[example, position])
        classes = int(labels.max()) + 1
        grid = ProbeGrid(
            features=hidden.cpu(),
            source=range(len(seeds)),
            labels=labels.expand(len(seeds), -1),
            classes=[classes] * len(seeds),
            address=[(seed, name) for seed in seeds],
            train=np.arange(len(example)),
            test=np.arange(0),
        )
        fit = ProbeFit((), options.epochs, options.batch_size, options.learning_rate)
        read = grid.fit(fit).directions()
        # What moves all classes alike changes no prediction, so it is not part of what the probe reads.
        read = read - read.mean(-1, keepdim=True)
        basis = torch.linalg.svd(read, full_matrices=False).U  # (seed, d, rank), leading first
        reach = min(classes - 1, d)
        probe_rank.append(reach)
        beyond = np.full(len(seeds), np.nan)
        found["accuracy"].append(
            np.stack([without(basis, rank) if rank <= reach else beyond for rank in ranks])
        )
        found["subspace"].append(without(basis, reach))
        found["random_subspace"].append(without_random(reach))
        one_hot = torch.nn.functional.one_hot(labels, classes)
        found["leace"].append(accuracy_without(leace(hidden, one_hot.to(hidden.device))))

    by_seed = {name: np.moveaxis(np.array(values), -1, 0) for name, values in found.items()}
    return xr.Dataset(
        {
            "accuracy": (("seed", "target", "rank"), by_seed["accuracy"]),
            "random_accuracy": (("seed", "rank"), np.array(list(at_random.values())).T),
            "subspace_accuracy": (("seed", "target"), by_seed["subspace"]),
            "random_subspace_accuracy": (("seed", "target"), by_seed["random_subspace"]),
            "leace_accuracy": (("seed", "target"), by_seed["leace"]),
            "intact_accuracy": ("seed", runs.evaluate(weights, test).accuracy),
            "probe_rank": ("target", probe_rank),
        },
        {"seed": seeds, "target": list(states), "rank": ranks},
    )
