"""What probes read at named sites and positions: a map of states by places.

A probe of a state with classes says which one it is.  A state of several labels that can hold at once, such as
the children of a node, is read by one probe a label, which says whether that label holds.

F1 is the mean over the classes of a state (macro); of several labels it is that of all taken together (micro).
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
import xarray as xr
from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from interpflow.errors import InterpflowError
from interpflow.rng import generator
from interpflow.section import Section
from interpflow.selection import Checkpoint, State, Where
from interpflow.variables import Variable


class Read(Section):
    """A place in the model."""

    site: str  # TransformerLens name
    positions: Annotated[list[str], Field(min_length=1)]  # by the names that the task gives them


class Options(Section):
    """Every target is read at every place; positions where a target has no value (-1) are left out."""

    split: str = "test"
    where: Where = {}  # which examples of the split, {variable: value or values}
    checkpoint: Checkpoint = "last"
    reads: Annotated[dict[str, Read], Field(min_length=1)]
    # A variable of 0 and 1 with one further dim that `select` leaves, a label each, has several labels.
    targets: Annotated[dict[str, State], Field(min_length=1)]
    hidden: list[list[PositiveInt]] = [[]]  # widths of the ReLU layers of each probe; []: linear
    epochs: PositiveInt = 20
    batch_size: PositiveInt = 256
    learning_rate: PositiveFloat = 3e-3  # of Adam
    positions_per_read: PositiveInt | None = None  # drawn at random; all if not given
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.2  # of the examples, held out
    controls: list[Literal["untrained_model"]] = []

    @model_validator(mode="after")
    def _one_probe_of_each_depth(self) -> Self:
        depths = [len(widths) for widths in self.hidden]
        if len({*depths}) < len(depths):
            raise ValueError(f"hidden has several probes of one depth: {self.hidden}")
        return self


_BY_PROBE = ("seed", "read", "target", "control", "hidden_layers")
VARIABLES = {
    "f1": Variable(_BY_PROBE, "1", "F1 on held-out positions"),
    "accuracy": Variable(
        _BY_PROBE, "1", "share of held-out positions right; of several labels, all of them"
    ),
    "majority_f1": Variable(
        ("read", "target"), "1", "F1 of always predicting the most frequent class"
    ),
    "majority_accuracy": Variable(
        ("read", "target"), "1", "accuracy of always predicting the most frequent class"
    ),
    "classes": Variable(("target",), "1", "number of classes; of several labels that of labels"),
}

NEEDS = "runs"


def analyse(runs, options: Options) -> xr.Dataset:  # type: ignore[no-untyped-def]
    """Train probes of each read, target and depth on some examples, and measure them on the others."""
    return measure(runs, options)


def measure(runs, options: Options, edits=None) -> xr.Dataset:  # type: ignore[no-untyped-def]
    """The same with edits in place: `edits(data)` gives what makes those of examples (batch,) of the data."""
    from interpflow.methods.probing import ProbeFit
    from interpflow.methods.readings import alike, class_count, labels_of, predict, scores

    data, examples = runs.select(options.split, options.where)
    targets = {name: labels_of(data, wanted) for name, wanted in options.targets.items()}
    models = {"none": runs.weights(options.checkpoint)}
    models |= {control: runs.weights("first") for control in options.controls}
    fits = [
        ProbeFit(tuple(widths), options.epochs, options.batch_size, options.learning_rate)
        for widths in options.hidden
    ]
    random = generator("readout hold-out", options.split)
    held = random.permutation(len(examples)) < max(1, round(options.test_share * len(examples)))
    reads, names = list(options.reads), list(targets)
    dims = (len(reads), len(names))
    f1, accuracy = np.full((2, len(runs.seeds), *dims, len(models), len(fits)), np.nan)
    majority = np.full((2, *dims), np.nan)

    each = [(control, seed) for control in models for seed in runs.seeds]
    given = {"edits": edits(data)} if edits else {}
    passes = _hidden_states(runs, models, data, examples, targets, options, given)
    for done, (name, hidden, at) in enumerate(passes, 1):
        at_read = reads.index(name)
        here = {target: labels[:, *at] for target, labels in targets.items()}
        for known, together in alike(here):
            train, test = np.flatnonzero(known & ~held[at[0]]), np.flatnonzero(known & held[at[0]])
            if not len(train) or not len(test):
                continue
            for depth, fit in enumerate(fits):
                predicted = predict(hidden, together, train, test, fit, name, each)
                for target, labels in together.items():
                    found = scores(labels[:, test], predicted[target])
                    cell = (slice(None), at_read, names.index(target), slice(None), depth)
                    f1[cell], accuracy[cell] = (
                        score.reshape(len(models), len(runs.seeds)).T for score in found
                    )
            for target, labels in together.items():
                frequent = [[np.bincount(row).argmax()] for row in labels[:, train]]
                true = labels[:, test]
                always = np.broadcast_to(np.array(frequent), true.shape)
                majority[:, at_read, names.index(target)] = scores(true, always)
        runs.report(done, dims[0], f1=np.nanmean(f1[:, at_read, :, 0]))

    return xr.Dataset(
        {
            "f1": (_BY_PROBE, f1),
            "accuracy": (_BY_PROBE, accuracy),
            "majority_f1": (("read", "target"), majority[0]),
            "majority_accuracy": (("read", "target"), majority[1]),
            "classes": ("target", [class_count(labels) for labels in targets.values()]),
        },
        {
            "seed": runs.seeds,
            "read": reads,
            "target": names,
            "control": list(models),
            "hidden_layers": [len(widths) for widths in options.hidden],
        },
    )


def _hidden_states(runs, models, data, examples, targets, options, given):  # type: ignore[no-untyped-def]
    """The name of each read, hidden states (model, n, d), and their examples and positions (n,).

    Reads at positions of the same names have the same positions, and share passes of the model.
    """
    import torch

    groups: dict[tuple[str, ...], list[str]] = {}
    for name, read in options.reads.items():
        groups.setdefault(tuple(read.positions), []).append(name)
    for positions, names in groups.items():
        at = _draw(runs.mask_of_all(data, positions), targets, positions, options)
        sites = [options.reads[name].site for name in names]
        found = [
            runs.activations_of_sites(each, examples, sites, at, **given)
            for each in models.values()
        ]
        for name, site in zip(names, sites, strict=True):
            yield name, torch.cat([values[site] for values in found]).cpu(), at


def _draw(mask, targets, positions, options: Options):  # type: ignore[no-untyped-def]
    """Examples and positions (n,): those of `mask`, called `positions`, where some target has a value."""
    known = np.any([(labels >= 0).all(0) for labels in targets.values()], axis=0)
    example, position = np.nonzero(mask & known)
    if not len(example):
        raise InterpflowError(f"reads: no target has a value at {', '.join(positions)}")
    random = generator("readout positions", options.split, *positions)
    chosen = np.sort(random.permutation(len(example))[: options.positions_per_read])
    return example[chosen], position[chosen]
