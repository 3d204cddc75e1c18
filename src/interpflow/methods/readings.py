"""Probes of states with classes, and of states with several labels that can hold at once.

The labels of a state are an array (label, n): one row of class ids, or a row of 0 and 1 for each of several
labels; -1 where the state has no value (`selection.labels`).
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
    """What is to be read from the hidden states of one model, by a probe for each of `labels` (label, n).

    classes                  how many classes a probe tells apart, whether or not all are among its labels
    source                   which of several sets of hidden states it is read from
    target, condition, seed  what is read, under which condition, of which model: the probes start from numbers
                             drawn at these names, so that no reading feels which others there are
    """

    source: int
    target: str
    condition: str
    seed: int
    labels: Labels
    classes: int


def class_count(labels: Labels) -> int:
    """How many classes there are, or labels where there are several."""
    return int(labels.max()) + 1 if len(labels) == 1 else len(labels)


def alike(targets: Mapping[str, Labels]) -> Iterator[tuple[NDArray[np.bool_], dict[str, Labels]]]:
    """Where some of `targets` have values (n,), and these: all that have theirs at just the same places."""
    groups: dict[bytes, dict[str, Labels]] = {}
    for name, labels in targets.items():
        groups.setdefault((labels >= 0).all(0).tobytes(), {})[name] = labels
    for known, together in groups.items():
        yield np.frombuffer(known, dtype=bool), together


def predict(
    place: str, features: Tensor, readings: Sequence[Reading], train: np.ndarray, test: np.ndarray,
    fit: ProbeFit,
) -> list[Labels]:  # fmt: skip
    """What the probes of each reading predict from features (source, n, d): (label, test).

    `train` and `test` are indices into n.  `place` is one of the
    names at which the numbers are drawn that probes start from.
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
    """F1 and accuracy of predicted (label, n) for true (label, n).

    Of classes F1 is the mean over them (macro).  Of several labels it is that of all taken together (micro),
    and a position is right where all its labels are.
    """
    right = float((true == predicted).all(0).mean())
    if len(true) == 1:
        return float(macro_f1(true[0], predicted[0])), right
    return float(micro_f1(true, predicted)), right
