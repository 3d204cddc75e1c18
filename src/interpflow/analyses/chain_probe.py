"""Is what a chain of attention has passed readable at the position that climbed it?

A position that climbs a valid chain (see `attention_chains`) has passed some of the states that keys hold.  At
a site of that position one probe a state says whether the chain passed it.  As a control the same probes are
trained on the chains of other positions, and tested on them.

F1 is that of all states taken together (micro).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, PositiveInt

from interpflow import selection
from interpflow.analyses import attention_chains
from interpflow.analyses.probe import Hidden
from interpflow.rng import generator
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known
    from interpflow.runs import Runs

Labels = NDArray[np.int64]
At = tuple[NDArray[np.int64], NDArray[np.int64]]  # examples and positions, each (n,)

CONTROLS = ("none", "other_chains")


class Options(attention_chains.Options):
    """As those of `attention_chains`, and what is read where."""

    site: selection.Site  # TransformerLens name
    hidden: Hidden = [[]]  # widths of the ReLU layers of each probe; []: linear
    most: PositiveInt = 5000  # positions of each seed, drawn at random
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.2  # of the examples, held out
    epochs: PositiveInt = 20
    batch_size: PositiveInt = 256
    learning_rate: PositiveFloat = 3e-3  # of Adam


VARIABLES = {
    "f1": Variable(("seed", "control", "hidden_layers"), "1", "F1 on held-out positions"),
    "chains": Variable(
        ("seed",), "1", "number of valid chains that probes saw, with those held out"
    ),
    "passed": Variable(("seed",), "1", "mean number of states that these chains passed"),
}

NEEDS = "runs_and_findings"


refuse = attention_chains.refuse


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"control": CONTROLS, "hidden_layers": [len(widths) for widths in options.hidden]}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Probes of every seed at its own positions; NaN for a seed without two examples that have valid chains."""
    from interpflow.methods.probing import ProbeFit
    from interpflow.methods.readings import Reading, predict, scores

    _, examples = runs.select(options)
    weights = runs.weights(options.checkpoint)
    fits = [
        ProbeFit(tuple(widths), options.epochs, options.batch_size, options.learning_rate)
        for widths in options.hidden
    ]
    f1 = np.full((len(runs.seeds), len(CONTROLS), len(fits)), np.nan)
    number, passed = np.zeros(len(runs.seeds), dtype=int), np.full(len(runs.seeds), np.nan)
    for row, (at, labels) in enumerate(_passed(runs, options)):
        held = _held_out(at[0], options)
        number[row] = len(held)
        if not len(held) or held.all() or not held.any():
            continue
        passed[row] = labels.sum(0).mean()
        hidden = runs.activations(weights, examples, options.site, at)[row : row + 1].cpu()
        seed = runs.seeds[row]
        order = generator("other chains", seed).permutation(len(held))
        readings = [
            Reading(0, "passed", control, seed, told, 2)
            for control, told in zip(CONTROLS, (labels, labels[:, order]), strict=True)
        ]
        train, test = np.flatnonzero(~held), np.flatnonzero(held)
        for depth, fit in enumerate(fits):
            answers = predict(options.site, hidden, readings, train, test, fit)
            for control, (reading, answer) in enumerate(zip(readings, answers, strict=True)):
                f1[row, control, depth] = scores(reading.labels[:, test], answer)[0]
        runs.report(row + 1, len(runs.seeds), f1=f1[row, 0].max())
    found = {"f1": f1, "chains": number, "passed": passed}
    return xr.Dataset(
        {name: (VARIABLES[name].dims, values) for name, values in found.items()},
        {
            "seed": runs.seeds,
            "control": list(CONTROLS),
            "hidden_layers": [len(widths) for widths in options.hidden],
        },
    )


def _passed(runs: Runs, options: Options) -> list[tuple[At, Labels]]:
    """Of each seed the ends of valid chains, and whether a chain passed each state (state, n)."""
    data, examples = runs.select(options)
    wanted = runs.mask(data, options.positions)
    valid = np.zeros_like(wanted)
    links = None
    for indices, there in attention_chains.followed(runs, data, examples, options):
        here = np.arange(there["valid"].shape[-1])
        if links is None:
            links = np.full((len(there["links"]), *wanted.shape), -1)
        valid[:, indices[:, None], here] = there["valid"]
        links[:, :, indices[:, None], here] = there["links"]
    assert links is not None  # a split has an example
    states = np.arange(links.max() + 1)
    found = []
    for row, seed in enumerate(runs.seeds):
        example, position = np.nonzero(wanted[row] & valid[row])
        random = generator("chain probe", options.split, seed)
        chosen = np.sort(random.permutation(len(example))[: options.most])
        at = example[chosen], position[chosen]
        passed = (links[:, row, at[0], at[1]][None] == states[:, None, None]).any(1)
        found.append((at, passed.astype(np.int64)))
    return found


def _held_out(example: NDArray[np.int64], options: Options) -> NDArray[np.bool_]:
    """Which positions (n,) are held out, with their example."""
    every = np.unique(example)
    order = generator("chain probe hold-out", options.split).permutation(every)
    return np.isin(example, order[: max(1, round(options.test_share * len(every)))])
