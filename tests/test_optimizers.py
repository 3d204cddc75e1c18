"""Steps are those of torch's optimizers, bit by bit."""

from __future__ import annotations

import pytest
import torch

from interpflow.rng import generator
from interpflow.training.optimizers import make_optimizer
from interpflow.training.options import TrainingOptions

SHAPES = {"W": (7, 11)}
RATE, DECAY = 0.01, 0.1


def options(**those) -> TrainingOptions:
    return TrainingOptions(
        steps=4, batch_size=1, learning_rate=RATE, weight_decay=DECAY, loss="mse", **those
    )


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"optimizer": "adamw", "betas": [0.8, 0.9]},
         lambda theta: torch.optim.AdamW([theta], RATE, (0.8, 0.9), weight_decay=DECAY, fused=True)),
        ({"optimizer": "adam"},
         lambda theta: torch.optim.Adam([theta], RATE, weight_decay=DECAY, fused=True)),
        ({"optimizer": "rmsprop"}, lambda theta: torch.optim.RMSprop([theta], RATE, weight_decay=DECAY)),
        ({"optimizer": "rmsprop", "momentum": 0.9},
         lambda theta: torch.optim.RMSprop([theta], RATE, weight_decay=DECAY, momentum=0.9)),
        ({"optimizer": "sgd"}, lambda theta: torch.optim.SGD([theta], RATE, weight_decay=DECAY)),
        ({"optimizer": "sgd", "momentum": 0.9},
         lambda theta: torch.optim.SGD([theta], RATE, momentum=0.9, weight_decay=DECAY)),
    ],
    ids=["adamw", "adam", "rmsprop", "rmsprop with momentum", "sgd", "sgd with momentum"],
)  # fmt: skip
def test_steps_are_those_of_torch_also_after_a_break(ours, theirs, resumed):
    random = generator("test optimizers")
    start, *gradients = [torch.from_numpy(random.normal(size=(2, 77))).float() for _ in range(5)]
    theta, expected = start.clone().requires_grad_(), start.clone().requires_grad_()
    optimizer, reference = make_optimizer(theta, SHAPES, options(**ours)), theirs(expected)
    for gradient in gradients:
        if resumed:
            state, optimizer = optimizer.state, make_optimizer(theta, SHAPES, options(**ours))
            optimizer.state = {name: value.clone() for name, value in state.items()}
        optimizer.step(theta, gradient.clone(), RATE)
        expected.grad = gradient.clone()
        reference.step()
        assert torch.equal(theta, expected)
