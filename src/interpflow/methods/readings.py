"""Probes of states with classes, and of states with several labels that can hold at once.

The labels of a state are an array (label, n): one row of class ids, or a row of 0 and 1 for each of several
labels; -1 where the state has no value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from interpflow.errors import InterpflowError
from interpflow.methods.probing import ProbeFit, ProbeGrid
from interpflow.methods.scores import macro_f1, micro_f1
from interpflow.selection import State, state


def labels_of(data: xr.Dataset, wanted: State) -> np.ndarray:
    """The state of every position (1, example, position), or all its labels (label, example, position).

    It has several labels where its variable has one further dim that `select` leaves.
    """
    dims = data[wanted.variable].dims if wanted.variable in data else ()
    further = [str(dim) for dim in dims if dim not in ("example", "position", *wanted.select)]
    if len(further) != 1:
        return state(data, wanted)[None]
    (dim,) = further
    each = [
        State(variable=wanted.variable, select={**wanted.select, dim: value})
        for value in data[dim].values.tolist()
    ]
    found = np.stack([state(data, label) for label in each])
    if found.max() > 1:
        raise InterpflowError(
            f"{wanted.variable} has values other than 0 and 1, so these are no labels by {dim}; "
            f"select says one value of {dim}"
        )
    return found


def class_count(labels: np.ndarray) -> int:
    """How many classes there are, or labels where there are several."""
    return int(labels.max()) + 1 if len(labels) == 1 else len(labels)


def alike(targets: Mapping[str, np.ndarray]) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Where some of `targets` have values (n,), and these: all that have theirs at just the same places."""
    groups: dict[bytes, dict[str, np.ndarray]] = {}
    for name, labels in targets.items():
        groups.setdefault((labels >= 0).all(0).tobytes(), {})[name] = labels
    for known, together in groups.items():
        yield np.frombuffer(known, dtype=bool), together


def predict(
    features: Tensor, targets: Mapping[str, np.ndarray], train: np.ndarray, test: np.ndarray,
    fit: ProbeFit, address: str, models: Sequence[tuple[str, int]],
) -> dict[str, np.ndarray]:  # fmt: skip
    """What probes of features (model, n, d) predict for each of `targets`: (model, label, test).

    There is one probe for each model and label; of several labels each has two classes.  `train` and `test`
    are indices into n.  Probes start from numbers drawn at `address` and the model's own in `models`, so that
    no model feels which others there are.
    """
    cells = [
        (model, name, label)
        for name, labels in targets.items()
        for model in range(len(features))
        for label in range(len(labels))
    ]
    classes = {name: max(2, int(labels.max()) + 1) for name, labels in targets.items()}
    grid = ProbeGrid(
        features=features,
        source=[model for model, _, _ in cells],
        labels=torch.from_numpy(np.stack([targets[name][label] for _, name, label in cells])),
        classes=[classes[name] for _, name, _ in cells],
        address=[("reading", address, *models[model], name, label) for model, name, label in cells],
        train=train,
        test=test,
    )
    rows = iter(np.concatenate([trained.predict(test) for trained in grid.fit(fit)]))
    return {
        name: np.stack([[next(rows) for _ in labels] for _ in features])
        for name, labels in targets.items()
    }


def scores(true: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """F1 and accuracy (…,) of predicted (…, label, n) for true (label, n).

    Of classes F1 is the mean over them (macro).  Of several labels it is that of all taken together (micro),
    and a position is right where all its labels are.
    """
    right = (true == predicted).all(-2).mean(-1)
    if len(true) == 1:
        return macro_f1(true[0], predicted[..., 0, :]), right
    return micro_f1(true, predicted), right
