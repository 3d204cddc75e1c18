"""Direct logit attribution: the logits that attended positions raise, through OV circuits of the last layers.

A head's output at a query is a sum over keys: pattern times value times W_O.  Each summand's contribution to
the logits passes the final LayerNorm, whose scale is fixed at its value in that pass, and W_U.  Contributions
are centred over outputs, since logits matter only by their differences.

A relation (`relations`) names the keys of a query and the outputs whose contributions are averaged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from pydantic import PositiveInt

from interpflow.methods.matching import Matches
from interpflow.methods.relations import Named, Relation
from interpflow.methods.traced import Says, no_output, outputs_of, says_a_state
from interpflow.selection import ExamplesAt, Positions
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known, Refused
    from interpflow.runs import Runs


class Options(ExamplesAt):
    """Every head of the last layers, for every relation."""

    queries: Positions = ["scored"]  # positions whose predictions are attributed
    relations: dict[str, Relation]
    output: Says = "{}"  # that says a state: ">{}" says the state 3 as ">3"
    last: PositiveInt = 2  # so many of the last layers


_PLACE = ("seed", "layer", "head", "relation")
_IT = "contribution to the logits of the outputs of a relation"
VARIABLES = {
    "contribution": Variable(_PLACE, "logit", f"{_IT}, mean over queries"),
    "deviation": Variable(_PLACE, "logit", f"{_IT}, standard deviation over queries"),
    "others": Variable(
        _PLACE, "logit", "contribution of the same keys to other outputs, mean over queries"
    ),
    "above_others": Variable(
        _PLACE, "1", "share of queries where a contribution is above that to other outputs"
    ),
    "positions": Variable(("seed", "relation"), "1", "queries that have the relation"),
}

NEEDS = "runs"
RESIDUAL = True
CAUSAL = True


def refuse(known: Known, options: Options) -> Iterator[Refused]:
    """What cannot work: which of the options, and why."""
    if known.model.norm == "post":
        yield (
            ("method",),
            "contributions to logits are direct: they take a model with norm pre or none",
        )
    if not says_a_state(known.data, options.output):
        yield ("output",), no_output(known.data, options.output)
    for name, relation in options.relations.items():
        if relation.match and relation.match.query.along:
            yield ("relations", name, "match", "query", "along"), "takes one state here"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    depth = known.model.layers
    return {
        "relation": list(options.relations),
        "layer": range(max(0, depth - options.last), depth),
    }


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Measure the contributions in every seed.  A relation that no query has is NaN.

    Per query the contributions of a relation's keys to an output are summed, and the mean is taken over the
    relation's outputs.  "Others" are outputs that say some other state.  Raises InterpflowError for a model
    with post-norms, and where a relation names what there is not.
    """
    import torch

    from interpflow.methods.contributions import contributions

    data, examples = runs.select(options)
    outputs = outputs_of(data, options.output)
    queries = runs.mask(data, options.queries)
    relations = list(options.relations.values())
    matches = Matches(
        data, queries, [(runs.mask(data, each.keys), each.match) for each in relations]
    )
    named = [Named(data, each, len(outputs)) for each in relations]
    weights, shape = runs.weights(options.checkpoint), runs.model.options
    layers = range(max(0, shape.layers - options.last), shape.layers)
    # Sums of contributions, their squares, those to others, and how often the first is above the last.
    sums = np.zeros((4, len(runs.seeds), len(layers), shape.heads, len(relations)))
    count = np.zeros((len(runs.seeds), len(relations)), dtype=np.int64)
    for indices, batch in examples.in_order_of_length():
        row, at = matches.asked(indices)
        if not len(row):
            continue
        length = int(at.max()) + 1  # attention is causal: what follows the last query is idle
        found = contributions(
            runs.model, weights, batch.tokens[:, :length], layers, (row, at), outputs
        )
        keys = matches.keys(indices[row], at, length)
        for index, each in enumerate(named):
            chosen = keys[:, index, ..., None] & each.of(indices[row], at, length)
            there = np.asarray(chosen.any((2, 3)))  # (seed, query)
            mean, others = (
                torch.einsum("slhqko,sqko->slhq", found, torch.from_numpy(weight).to(found))
                .double().cpu().numpy()
                for weight in _weights(chosen)
            )  # fmt: skip
            present = there[:, None, None]
            parts = (mean, mean**2, others, mean > others)
            sums[..., index] += [np.where(present, part, 0.0).sum(-1) for part in parts]
            count[:, index] += there.sum(-1)
    number = count[:, None, None]
    with np.errstate(invalid="ignore", divide="ignore"):  # nothing has no mean: NaN
        mean, _, others, above = sums / number
        spread = np.sqrt((sums[1] - number * mean**2).clip(0) / (number - 1))
    return xr.Dataset(
        {
            "contribution": (_PLACE, mean),
            "deviation": (_PLACE, spread),
            "others": (_PLACE, others),
            "above_others": (_PLACE, above),
            "positions": (("seed", "relation"), count),
        },
        {
            "seed": runs.seeds,
            "layer": list(layers),
            "head": np.arange(shape.heads),
            "relation": list(options.relations),
        },
    )


def _weights(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What to multiply contributions (…, query, key, state) with and sum, for the mean over the `chosen`
    outputs of a query, and for what the same keys add to an output that is not chosen for them."""
    number = np.maximum(chosen.any(2).sum(-1), 1)[..., None, None]
    of_key = chosen.sum(-1, keepdims=True)
    # Where all are chosen there are no others: NaN.
    left = np.where(of_key < chosen.shape[-1], chosen.shape[-1] - of_key, np.nan)
    return chosen / number, ~chosen * of_key / left / number
