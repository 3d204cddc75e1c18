"""Training on all goals of a tree, whose edges are computed once, against one sequence for each goal."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks import study
from benchmarks.timing import Way, compare
from interpflow.model.packing import flatten, unflatten
from interpflow.model.transformer import Transformer, build_model
from interpflow.training.batches import Fresh
from interpflow.training.examples import Groups
from interpflow.training.losses import loss

TREES, STEPS, REPEATS = 32, 2, 5


def step(
    model: Transformer, theta: Tensor, shapes: dict[str, tuple[int, ...]], batch: Groups
) -> None:
    for _ in range(STEPS):
        weights = unflatten(theta.bfloat16(), shapes)
        logits = model.rows(weights, batch.tokens, branch=batch.branch).float()
        torch.autograd.grad(loss("cross_entropy", logits, batch).sum(), theta)


def main() -> None:
    """Forward and backward pass of the 16-node model in bfloat16, seconds a goal."""
    torch.set_num_threads(1)
    experiment = study.tree_pathfinding().experiments["nodes16"]
    task = {**experiment.task, "train_size": 1, "test_size": 1, "splits": {}}
    model = build_model(experiment.model, study.data(task))
    packed = model.init([0])
    theta = flatten(packed).requires_grad_()
    shapes = {name: tuple(weight.shape[1:]) for name, weight in packed.items()}
    together, apart = (
        Fresh({**task, "fresh": {"goals": goals}}, TREES, [0], "cpu").at(0)
        for goals in ("all", "one")
    )
    assert together.branch is not None
    # A tree has as many goals as its branches' highest number says, counted from 0.
    goals = int((together.branch[0].amax(-1) + 1).sum())
    compare(
        f"training on trees of 16 nodes, {goals} goals of {TREES} trees",
        [
            Way("all goals of a tree at once", lambda: step(model, theta, shapes, together), STEPS * goals),
            Way("one goal a tree", lambda: step(model, theta, shapes, apart), STEPS * TREES),
        ],
        REPEATS,
    )  # fmt: skip
