"""Probes of states at named sites and positions, by depth of the probe, beside controls.

A state with classes has one probe, which says the class.  A state of several labels that can hold at once (the
children of a node, say) has one probe for each label, which says whether the label holds.

Accuracy alone says little: a probe can learn its task instead of reading it, and a frequent label is easy.
Each probe is therefore compared with the most frequent class and with controls: labels drawn at random, a
control task per word type (Hewitt & Liang 2019, arXiv:1909.03368), and the untrained model.

F1 is the mean over the classes of a state (macro); of several labels it is that of all taken together (micro).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, model_validator

from interpflow.errors import InterpflowError
from interpflow.rng import generator
from interpflow.section import EachOnce, Section, Some
from interpflow.selection import ExamplesAt, Labelled, Site, SomePositions, each, labels
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.known import Foreseen, Known
    from interpflow.methods.readings import Reading
    from interpflow.runs import Edits, Runs
    from interpflow.training.examples import Examples

Control = Literal["random_labels", "word_type", "untrained_model"]
Labels = NDArray[np.int64]
At = tuple[NDArray[np.int64], NDArray[np.int64]]  # examples and positions, each (n,)


def _one_of_each_depth(hidden: list[list[int]]) -> list[list[int]]:
    depths = [len(widths) for widths in hidden]
    if len({*depths}) < len(depths):
        raise ValueError(f"has several probes of one depth: {hidden}")
    return hidden


Hidden = Annotated[list[list[PositiveInt]], Some, AfterValidator(_one_of_each_depth)]


class Read(Section):
    """A place in the model."""

    site: Site  # TransformerLens name
    positions: SomePositions  # by the names that the task gives them


class Options(ExamplesAt):
    """Every target is read at every place; positions where a target has no value (-1) are left out."""

    reads: Annotated[dict[str, Read], Field(min_length=1)]
    # A variable of 0 and 1 with one further dim that `select` leaves, a label each, has several labels.
    targets: Annotated[dict[str, Labelled], Some]
    hidden: Hidden = [[]]  # widths of the ReLU layers of each probe; []: linear
    positions_per_read: PositiveInt | None = None  # how many are drawn at random; all if not given
    hold_out: Literal["example", "position"] = "example"  # the unit that is in train or in test
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.2  # held out
    epochs: PositiveInt = 20
    batch_size: PositiveInt = 256
    learning_rate: PositiveFloat = 3e-3  # of Adam
    schedule: Literal["constant", "linear"] = "constant"  # linear: down to 0 over all steps
    seeds: PositiveInt | None = None  # how many model seeds are probed; all if not given
    controls: Annotated[list[Control], EachOnce] = []
    control_seeds: PositiveInt | None = None  # how many of them have controls; all if not given
    # Which of `hidden` have controls; all if not given.
    control_hidden: Hidden | None = None

    @model_validator(mode="after")
    def _controls_of_probes_that_exist(self) -> Self:
        strange = [widths for widths in self.control_hidden or [] if widths not in self.hidden]
        if strange:
            raise ValueError(f"control_hidden has {strange}, which hidden has not: {self.hidden}")
        return self


_READ, _DEPTH = ("seed", "read", "target"), "hidden_layers"
_BY_PROBE = (*_READ, "control", _DEPTH)
VARIABLES = {
    "f1": Variable(_BY_PROBE, "1", "F1 on held-out positions"),
    "accuracy": Variable(
        _BY_PROBE, "1", "share of held-out positions right; of several labels, all of them"
    ),
    "selectivity": Variable(
        (*_READ, _DEPTH), "1", "accuracy minus that on the word-type control task"
    ),
    "confusion": Variable(
        (*_READ, _DEPTH, "true_class", "predicted_class"),
        "position",
        "held-out positions by true and predicted class; none of several labels",
    ),
    "majority_f1": Variable(
        ("read", "target"), "1", "F1 of always predicting the most frequent class"
    ),
    "majority_accuracy": Variable(
        ("read", "target"), "1", "accuracy of always predicting the most frequent class"
    ),
    "classes": Variable(
        ("read", "target"), "1", "number of classes there are; of several labels that of labels"
    ),
    "padding_share": Variable(("read",), "1", "share of positions after the sequence's end"),
}

NEEDS = "runs"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {
        "seed": known.seeds[: options.seeds],
        "read": list(options.reads),
        "target": list(each(known.data, options.targets)),
        "control": ["none", *options.controls],
        "hidden_layers": [len(widths) for widths in options.hidden],
    }


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Train probes of each read, target and depth on some positions, and measure them on the others."""
    return measure(runs.only(runs.seeds[: options.seeds]), options, lambda indices: {})


def measure(
    runs: Runs, options: Options, edits: Callable[[NDArray[np.int64]], Edits]
) -> xr.Dataset:
    """The same for all seeds of `runs`, with `edits` in place, those of some examples (batch,) at a time."""
    from interpflow.methods.probe_scores import ProbeScores
    from interpflow.methods.probing import ProbeFit
    from interpflow.methods.readings import alike, predict

    data, examples = runs.select(options)
    targets = {name: labels(data, state) for name, state in each(data, options.targets).items()}
    conditions, depths = ["none", *options.controls], [len(widths) for widths in options.hidden]
    found = ProbeScores(runs.seeds, list(options.reads), targets, conditions, depths)
    fits = [
        ProbeFit(
            tuple(widths),
            options.epochs,
            options.batch_size,
            options.learning_rate,
            options.schedule,
        )
        for widths in options.hidden
    ]
    for done, (name, hidden, at) in enumerate(
        _hidden_states(runs, data, examples, targets, options, edits)
    ):
        here = {target: values[:, *at] for target, values in targets.items()}
        tokens, held = data["tokens"].values[at], _held_out(at, len(examples), options)
        found.place(name, here, at[1] >= examples.lengths[at[0]])
        for known, together in alike(here):
            train, test = np.flatnonzero(known & ~held), np.flatnonzero(known & held)
            if not len(train) or not len(test):
                continue
            found.majority(name, together, train, test)
            for depth, fit in enumerate(fits):
                readings = _readings(together, tokens, runs.seeds, options.hidden[depth], options)
                predicted = predict(name, hidden, readings, train, test, fit)
                for reading, answers in zip(readings, predicted, strict=True):
                    found.probe(name, depth, reading, test, answers)
                parts = done * len(fits) + depth + 1, len(options.reads) * len(fits)
                runs.report(*parts, f1=np.nanmean(found.of_read(name)[..., 0, depth]))
    tables = {name: (VARIABLES[name].dims, values) for name, values in found.tables().items()}
    return xr.Dataset(tables, found.coords())


def _hidden_states(
    runs: Runs, data: xr.Dataset, examples: Examples, targets: Mapping[str, Labels], options: Options,
    edits: Callable[[NDArray[np.int64]], Edits],
) -> Iterator[tuple[str, Tensor, At]]:  # fmt: skip
    """The name of each read, its hidden states (source, n, d), and their examples and positions (n,).

    Sources are the seeds, then those of the untrained model where a control asks for it.  Reads at positions
    of the same names have the same positions, and share passes of the model.
    """
    import torch

    models = [runs.weights(options.checkpoint)]
    if "untrained_model" in options.controls:
        models.append(runs.weights("first"))
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, read in options.reads.items():
        groups.setdefault(tuple(read.positions), []).append(name)
    for positions, names in groups.items():
        at = _draw(runs.mask_of_all(data, positions), targets, positions, options)
        sites = [options.reads[name].site for name in names]
        found = [
            runs.activations_of_sites(weights, examples, sites, at, edits) for weights in models
        ]
        for name, site in zip(names, sites, strict=True):
            yield name, torch.cat([values[site] for values in found]).cpu(), at


def _draw(
    mask: NDArray[np.bool_], targets: Mapping[str, Labels], positions: Sequence[str], options: Options
) -> At:  # fmt: skip
    """Examples and positions (n,): those of `mask`, called `positions`, where some target has a value."""
    known = np.any([(values >= 0).all(0) for values in targets.values()], axis=0)
    example, position = np.nonzero(mask & known)
    if not len(example):
        raise InterpflowError(f"reads: no target has a value at {', '.join(positions)}")
    random = generator("readout positions", options.split, *positions)
    chosen = np.sort(random.permutation(len(example))[: options.positions_per_read])
    return example[chosen], position[chosen]


def _held_out(at: At, examples: int, options: Options) -> NDArray[np.bool_]:
    """Which positions (n,) are held out, by themselves or with their example."""
    number = len(at[0]) if options.hold_out == "position" else examples
    order = generator("readout hold-out", options.split).permutation(number)
    held = order < max(1, round(options.test_share * number))
    return held if options.hold_out == "position" else held[at[0]]


def _readings(
    targets: Mapping[str, Labels], tokens: NDArray[np.int64], seeds: list[int],
    widths: list[int], options: Options,
) -> list[Reading]:  # fmt: skip
    """What probes of these widths are to read of `targets`, under each condition that they have."""
    from interpflow.methods.readings import Reading

    controlled = options.control_hidden is None or widths in options.control_hidden
    asked = [("none", seed) for seed in seeds]
    for control in options.controls if controlled else ():
        asked += [(control, seed) for seed in seeds[: options.control_seeds]]
    return [
        Reading(
            source=seeds.index(seed) + len(seeds) * (condition == "untrained_model"),
            target=target,
            condition=condition,
            seed=seed,
            labels=_told(condition, seed, target, values, tokens),
            classes=max(2, int(values.max()) + 1),
        )
        for target, values in targets.items()
        for condition, seed in asked
    ]


def _told(
    condition: str, seed: int, target: str, values: Labels, tokens: NDArray[np.int64]
) -> Labels:
    """The labels (label, n) that probes are trained on in place of `values`, and tested on."""
    classes = int(values.max()) + 1
    if condition == "random_labels":
        return generator("random labels", seed, target).integers(classes, size=values.shape)
    if condition == "word_type":
        words = (len(values), int(tokens.max()) + 1)
        return generator("word types", seed, target).integers(classes, size=words)[:, tokens]
    return values
