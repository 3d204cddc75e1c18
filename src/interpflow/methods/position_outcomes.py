"""Loss and accuracy of each scored position, and their means over groups of positions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from interpflow.errors import InterpflowError
from interpflow.methods.grouping import of_positions
from interpflow.model.packing import Weights
from interpflow.model.sites import Sites
from interpflow.model.transformer import Transformer
from interpflow.training.examples import Batch, Examples
from interpflow.training.losses import loss, right


@dataclass(frozen=True)
class PositionOutcomes:
    """Outcomes of positions, each (seed, example, position) up to the end of the longest example.

    loss    NaN where a position is not scored
    right   1 where it is right, 0 where not, and NaN where it is not scored
    """

    loss: NDArray[np.float64]
    right: NDArray[np.float64]


class PositionGroups:
    """Groups of the scored positions of `data` that `asked` (example, position) names, by the state `by`.

    coordinate  the value of each group (group,), ascending, with the unit and the name of `by`
    index       the group of each position (example, position), -1 for none
    count       number of positions (group,)

    Positions without a value of `by` are in no group; if `by` is None, all are in one group "all".
    Raises InterpflowError where no position is left.
    """

    def __init__(self, data: xr.Dataset, by: str | None, asked: NDArray[np.bool_]):
        asked = asked & data["scored"].values
        index, self.coordinate = of_positions(data, by, asked)
        self.index = np.where(asked, index, -1)[:, : int(data["length"].max())]
        self.count = np.array([(self.index == at).sum() for at in range(len(self.coordinate))])
        if not self.count.sum():
            raise InterpflowError(f"no scored position of these examples has a value of '{by}'")

    def __len__(self) -> int:
        return len(self.count)

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean of `values` (…, example, position) over each group, (…, group)."""
        groups = [values[..., self.index == at].mean(-1) for at in range(len(self))]
        return np.stack(groups, axis=-1)


def _untouched(indices: np.ndarray) -> None:
    """No edits."""


@torch.no_grad()
def position_outcomes(
    model: Transformer,
    weights: Weights,
    examples: Examples,
    loss_kind: str,
    sites: Callable[[np.ndarray], Sites | None] = _untouched,
) -> PositionOutcomes:
    """Run `weights` over `examples`; `sites` makes the edits for the examples (batch,) of each pass."""
    shape = (len(weights["W_E"]), len(examples), int(examples.lengths.max()))
    found = PositionOutcomes(np.full(shape, np.nan), np.full(shape, np.nan))
    for indices, batch in examples.in_order_of_length():
        logits = model(weights, batch.tokens, sites(indices)).float()
        places, scored = logits.shape[:3], batch.scored.cpu().numpy()
        alone = _each_position(batch, len(logits))
        each = logits.flatten(0, 2)[:, None]
        here = loss(loss_kind, each, alone).view(places).cpu().numpy()
        hit = right(loss_kind, each, alone).view(places).cpu().numpy()
        for table, values in ((found.loss, here), (found.right, hit)):
            table[:, indices, : places[2]] = np.where(scored, values, np.nan)
    return found


def _each_position(batch: Batch, seeds: int) -> Batch:
    """Every position of every seed as an example of a seed of its own (seed x batch x pos, 1[, output])."""

    def alone(part: Tensor) -> Tensor:
        return part.expand(seeds, *part.shape).flatten(0, 2)[:, None]

    return Batch(alone(batch.tokens), alone(batch.targets), alone(batch.scored))
