"""Concept erasure: a state is erased from named positions of a site, and the task is measured again.

LEACE (`methods.erasure.leace`) changes hidden states by the least that leaves no linear reader of the state.
The control erases random labels from the same positions: drawn labels of as many classes, or, for a state with
several labels, the labels of other positions.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, PositiveInt

from interpflow.errors import InterpflowError
from interpflow.rng import generator
from interpflow.section import Section
from interpflow.selection import (
    Examples,
    ExamplesAt,
    Labelled,
    OfExamples,
    Site,
    SomePositions,
    Split,
    labels,
)
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.known import Foreseen, Known
    from interpflow.methods.erasure import Eraser
    from interpflow.runs import Runs

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Erasure(Section):
    """What is erased, and where: at the named positions that have a value of the state."""

    site: Site  # in the form (batch, position, d); TransformerLens name
    positions: SomePositions  # by the names that the task gives them
    state: Labelled  # of classes, or with several labels as for `probe`


class Options(ExamplesAt):
    """Erasures one at a time, and the examples on which the task is measured then."""

    fit_split: Split = "train"  # on whose hidden states erasers and probes are fitted
    by: OfExamples  # a variable with one value an example, whose values are the groups
    erasures: Annotated[dict[str, Erasure], Field(min_length=1)]
    examples: PositiveInt = 2000  # at most so many, drawn at random, to fit on, and to read from
    epochs: PositiveInt = 10  # these three of the linear probes before and after erasure
    batch_size: PositiveInt = 256
    learning_rate: PositiveFloat = 3e-3  # of Adam


_ERASED = ("seed", "erasure", "control")
VARIABLES = {
    "accuracy": Variable(
        (*_ERASED, "group"), "1", "share of sequences right at every position after erasure"
    ),
    "loss": Variable((*_ERASED, "group"), "1", "mean loss over sequences after erasure"),
    "overall_accuracy": Variable(_ERASED, "1", "share of all sequences right after erasure"),
    "fall": Variable(_ERASED, "1", "by how much erasure lowers the share of all sequences right"),
    "intact_accuracy": Variable(
        ("seed", "group"), "1", "share of sequences right at every position, nothing erased"
    ),
    "intact_loss": Variable(("seed", "group"), "1", "mean loss over sequences, nothing erased"),
    "intact_overall_accuracy": Variable(
        ("seed",), "1", "share of all sequences right, nothing erased"
    ),
    "count": Variable(("group",), "1", "number of sequences"),
    "readable": Variable(
        ("seed", "erasure", "when"),
        "1",
        "accuracy of a linear probe on positions held out; of several labels, all of them",
    ),
    "majority": Variable(
        ("erasure",),
        "1",
        "accuracy of always naming the most frequent class; of several labels, of each",
    ),
    "classes": Variable(("erasure",), "1", "number of classes; of several labels that of labels"),
}

NEEDS = "runs"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {
        "erasure": list(options.erasures),
        "control": ["none", "random_labels"],
        "group": known.groups(options.by),
        "when": ["before", "after"],
    }


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Measure every seed intact, and with each state erased."""
    import torch

    from interpflow.methods.erasure import leace
    from interpflow.methods.grouping import Grouping
    from interpflow.methods.outcomes import Outcomes, outcomes
    from interpflow.methods.probing import ProbeFit
    from interpflow.methods.readings import Reading, class_count, predict, scores
    from interpflow.model.sites import Sites

    weights = runs.weights(options.checkpoint)
    fit = ProbeFit((), options.epochs, options.batch_size, options.learning_rate)
    known, to_fit = runs.select(Examples(split=options.fit_split))
    data, examples = runs.select(options)
    groups = Grouping(data, options.by)

    def without(eraser: Eraser, site: str, where: Bools) -> Outcomes:
        """With `eraser` in place at the positions `where` (example, position) of `site`."""

        def sites(indices: np.ndarray) -> Sites:
            def edit(hidden: Tensor) -> Tensor:
                here = torch.from_numpy(where[indices, : hidden.shape[2]]).to(hidden.device)
                return torch.where(here[..., None], eraser(hidden), hidden)

            return Sites(edits={site: edit})

        return outcomes(runs.model, weights, examples, runs.loss, sites)

    intact = outcomes(runs.model, weights, examples, runs.loss)
    erased: list[list[Outcomes]] = []
    readable, majority, classes = [], [], []
    for name, erasure in options.erasures.items():
        places = {}
        for use, part in (("fit", known), ("read", data)):
            values = labels(part, erasure.state)
            where = runs.mask_of_all(part, erasure.positions) & (values >= 0).all(0)
            places[use] = where, *_draw(where, values, (name, use), options.examples)
        _, at, fitted = places["fit"]
        where, held, told = places["read"]
        hidden = runs.activations(weights, to_fit, erasure.site, at)
        erasers = [
            leace(hidden, torch.from_numpy(hide).to(hidden.device))
            for hide in (_columns(fitted), _at_random(fitted, name))
        ]
        erased.append([without(eraser, erasure.site, where) for eraser in erasers])
        fresh = runs.activations(weights, examples, erasure.site, held)
        states = torch.cat([hidden, fresh], 1)
        every = np.concatenate([fitted, told], axis=1)
        features = torch.cat([states, erasers[0](states)]).cpu()
        train, test = np.split(np.arange(every.shape[1]), [fitted.shape[1]])
        readings = [
            Reading(source, name, when, seed, every, max(2, int(every.max()) + 1))
            for source, (when, seed) in enumerate(product(("before", "after"), runs.seeds))
        ]
        predicted = predict(name, features, readings, train, test, fit)
        right = [scores(told, each)[1] for each in predicted]
        readable.append(np.reshape(right, (2, len(runs.seeds))))
        frequent = [[np.bincount(row).argmax()] for row in fitted]
        majority.append((told == frequent).all(0).mean())
        classes.append(class_count(fitted))
        runs.report(len(erased), len(options.erasures), accuracy=erased[-1][0].right.mean())

    def table(variable: str) -> np.ndarray:
        """(seed, erasure, control, example)."""
        each = [[getattr(one, variable) for one in row] for row in erased]
        return np.moveaxis(np.array(each), 2, 0)

    overall, intact_overall = table("right").mean(-1), intact.right.mean(-1)
    return xr.Dataset(
        {
            "accuracy": ((*_ERASED, "group"), groups.mean(table("right"))),
            "loss": ((*_ERASED, "group"), groups.mean(table("loss"))),
            "overall_accuracy": (_ERASED, overall),
            "fall": (_ERASED, intact_overall[:, None, None] - overall),
            "intact_accuracy": (("seed", "group"), groups.mean(intact.right)),
            "intact_loss": (("seed", "group"), groups.mean(intact.loss)),
            "intact_overall_accuracy": ("seed", intact_overall),
            "count": ("group", groups.count),
            "readable": (("seed", "erasure", "when"), np.stack(readable).transpose(2, 0, 1)),
            "majority": ("erasure", majority),
            "classes": ("erasure", classes),
        },
        {
            "seed": runs.seeds,
            "erasure": list(options.erasures),
            "control": ["none", "random_labels"],
            "group": groups.coordinate,
            "when": ["before", "after"],
        },
    )


def _draw(
    where: Bools, values: Ints, address: tuple[str, str], most: int
) -> tuple[tuple[Ints, Ints], Ints]:
    """Positions `where` of up to `most` examples, as (example, position), and their states (label, n)."""
    there = np.flatnonzero(where.any(1))
    if not len(there):
        name, use = address
        raise InterpflowError(
            f"erasures: the state of '{name}' has no value at its positions in the data to {use}"
        )
    chosen = generator("concept erasure", *address).permutation(there)[:most]
    example, position = np.nonzero(where & np.isin(np.arange(len(where)), chosen)[:, None])
    return (example, position), values[:, example, position]


def _columns(labels: Ints) -> Ints:
    """What is to be hidden of labels (label, n): several as they are, classes one by one, (n, column)."""
    if len(labels) > 1:
        return labels.T
    return np.equal.outer(labels[0], np.arange(labels.max() + 1)).astype(np.int64)


def _at_random(labels: Ints, name: str) -> Ints:
    """Columns that are independent of the states: the control."""
    random = generator("concept erasure", name)
    if len(labels) > 1:
        return random.permutation(labels.T)
    return _columns(random.integers(labels.max() + 1, size=(1, labels.shape[1])))
