"""Probes of states with classes, and of states with several labels that can hold at once.

The labels of a state are an array (label, n), -1 where the state has no value (`selection.labels`).  A state
with classes has one row of class ids; a state with several labels has a row of 0 and 1 for each label.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from interpflow.methods.probing import ProbeFit, ProbeGrid
from interpflow.methods.scores import macro_f1, micro_f1

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Reading:
    """A state that is read from the hidden states of one model, by a probe for each row of `labels` (label, n).

    classes                  number of classes of a probe, whether or not all are among its labels
    source                   index of the set of hidden states that the probes read
    target, condition, seed  names of the state, of the condition and of the model: a part of the address of the
                             initial weights, so a reading does not depend on the other readings of a grid
    """

    source: int
    target: str
    condition: str
    seed: int
    labels: Labels
    classes: int


def class_count(labels: Labels) -> int:
    """The number of classes, or of labels where there are several."""
    return int(labels.max()) + 1 if len(labels) == 1 else len(labels)


def alike(targets: Mapping[str, Labels]) -> Iterator[tuple[NDArray[np.bool_], dict[str, Labels]]]:
    """The targets in groups that have values at the same n: a mask of the values (n,), and the targets."""
    groups: dict[bytes, dict[str, Labels]] = {}
    for name, labels in targets.items():
        groups.setdefault((labels >= 0).all(0).tobytes(), {})[name] = labels
    for known, together in groups.items():
        yield np.frombuffer(known, dtype=bool), together


def predict(
    place: str, features: Tensor, readings: Sequence[Reading], train: np.ndarray, test: np.ndarray,
    fit: ProbeFit,
) -> list[Labels]:  # fmt: skip
    """The predictions (label, test) of the probes of each reading, from `features` (source, n, d).

    `train` and `test` are indices into n.  `place` is a part of the address of the initial weights.
    """
    cells = [(each, label) for each in readings for label in range(len(each.labels))]
    grid = ProbeGrid(
        features=features,
        source=[each.source for each, _ in cells],
        labels=torch.from_numpy(np.stack([each.labels[label] for each, label in cells])),
        classes=[each.classes for each, _ in cells],
        address=[
            ("reading", place, each.condition, each.seed, each.target, label)
            for each, label in cells
        ],
        train=train,
        test=test,
    )
    rows = iter(grid.fit(fit).predict(test))
    return [np.stack([next(rows) for _ in each.labels]) for each in readings]


def scores(true: Labels, predicted: Labels) -> tuple[float, float]:
    """F1 and accuracy of the labels `predicted` (label, n), where `true` (label, n) are right.

    F1 of a state with classes is the mean over classes (macro).  F1 of several labels is the F1 of all labels
    together (micro), and a position is right if all its labels are.
    """
    right = float((true == predicted).all(0).mean())
    if len(true) == 1:
        return float(macro_f1(true[0], predicted[0])), right
    return float(micro_f1(true, predicted)), right
