"""The probes of a study as one grid, against one probe at a time in plain torch.

The plain probe is trained as the paper trains it, and comes in two forms: with the batches taken from tensors
by index, which is the least there can be, and as it is usually written, with a DataLoader.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks import study
from benchmarks.timing import Way, compare
from interpflow.methods.probing import ProbeFit, ProbeGrid
from interpflow.rng import generator

# Shuffle-2: two stacks of five seeds, each with two controls on every seed.
SEEDS, PROBES, CLASSES, D_MODEL = 5, 2 * 5 * 3, 15, 32
POSITIONS, REPEATS = 8192, 3
FEW = 2  # of the probes, which one after the other take as long for each


def make_grid() -> ProbeGrid:
    """Hidden states and labels of the right sizes; what they are costs nothing."""
    random = generator("benchmark", "probes")
    states = random.normal(size=(2 * SEEDS, POSITIONS, D_MODEL))
    return ProbeGrid(
        features=torch.from_numpy(states).float(),
        source=[probe % (2 * SEEDS) for probe in range(PROBES)],
        labels=torch.from_numpy(random.integers(CLASSES, size=(PROBES, POSITIONS))),
        classes=[CLASSES] * PROBES,
        address=[(probe,) for probe in range(PROBES)],
        train=np.arange(POSITIONS),
        test=np.arange(0),
    )


def batches(whole: TensorDataset, size: int, usual: bool) -> Iterator[list[Tensor]]:
    """The batches of one epoch."""
    if usual:
        yield from DataLoader(whole, batch_size=size, shuffle=True)
    else:
        for chosen in torch.randperm(len(whole)).split(size):
            yield [tensor[chosen] for tensor in whole.tensors]


def one_at_a_time(grid: ProbeGrid, fit: ProbeFit, usual: bool) -> None:
    """Train `FEW` probes of `grid`, one after another."""
    for source, labels in zip(grid.source[:FEW], grid.labels, strict=False):
        states = grid.features[source]
        whole = TensorDataset((states - states.mean(0)) / states.std(0), labels)
        sizes = [D_MODEL, *fit.widths]
        layers: list[nn.Module] = []
        for fan_in, fan_out in itertools.pairwise(sizes):
            layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        probe = nn.Sequential(*layers, nn.Linear(sizes[-1], CLASSES))
        optimizer = torch.optim.Adam(probe.parameters(), fit.learning_rate)
        criterion = nn.CrossEntropyLoss()
        for _ in range(fit.epochs):
            for states, targets in batches(whole, fit.batch_size, usual):
                optimizer.zero_grad()
                criterion(probe(states), targets).backward()
                optimizer.step()


def main() -> None:
    """Print the time that all probes take, for each depth and for the whole grid."""
    torch.set_num_threads(1)
    options, of_paper = (
        study.counter_languages(scale).analyses["probes_paper"].options["shuffle2"]
        for scale in ("laptop", "paper")
    )
    grid, epoch = make_grid(), np.zeros(3)
    for widths in options["hidden"]:
        fit, plain = (
            ProbeFit(tuple(widths), 1, of["batch_size"], of["learning_rate"], of["schedule"])
            for of in (options, of_paper)
        )
        epoch += compare(
            f"a probe of {PROBES} with {len(widths)} hidden layers, an epoch of {POSITIONS} positions",
            [
                Way("one grid", partial(grid.fit, fit), PROBES),
                Way(
                    "one probe at a time, batches by index",
                    partial(one_at_a_time, grid, plain, False),
                    FEW,
                ),
                Way(
                    "one probe at a time, DataLoader",
                    partial(one_at_a_time, grid, plain, True),
                    FEW,
                ),
            ],
            REPEATS,
        )
    _, by_index, by_loader = epoch / epoch[0]
    print(f"an epoch of the whole grid: {by_index:.1f} x by index, {by_loader:.1f} x DataLoader")
    fewer = of_paper["epochs"] / options["epochs"]
    print(
        f"all {options['epochs']} epochs against {of_paper['epochs']}: {fewer * by_index:.1f} x by index, "
        f"{fewer * by_loader:.1f} x DataLoader; goal: 10 x"
    )
