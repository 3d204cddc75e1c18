"""Causal scrubbing by resample ablation: what may be swapped between examples without harm to the prediction?

Of one layer, the attention output at a query is put together anew (Chan et al. 2022):

    sum over keys in C of A_k v_k W_O  +  sum over other keys of A'_k v'_k W_O  +  b_O

with the patterns A and values v of the intact run and A', v' of the intact run on a donor, another example.
A hypothesis says which keys are `clean` (C, each run's own positions of those names), and the donor has the
same state as the example, if `matched`: what the hypothesis takes the layer to compute.  All else at the
query follows from that; other positions run as they did.

recovered = 100 (L_scrubbed - L_uniform) / (L_clean - L_uniform), of mean cross entropies at the query, where
L_uniform is the logarithm of the number of outputs.  100% is no harm, 0% as good as no answer, below that is
misled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field, PositiveInt

from interpflow import selection
from interpflow.errors import InterpflowError
from interpflow.methods.grouping import Grouping
from interpflow.methods.pairing import partners
from interpflow.section import Section
from interpflow.selection import ExamplesAt
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.methods.queries import Queries
    from interpflow.model.sites import Edit
    from interpflow.runs import Runs


class Hypothesis(Section):
    """What is swapped: the attention to all keys but `clean` ones, with an example of the same state."""

    clean: list[str] = []  # names of key positions, or findings such as a.is_register
    matched: bool = True  # false: with any example, the control


class Options(ExamplesAt):
    """Where is scrubbed, and what has to be the same."""

    query: str  # name of the position, one an example
    # Of each layer, what examples that are swapped have in common: the next state, further ones left over.
    match: list[selection.State]
    hypotheses: Annotated[dict[str, Hypothesis], Field(min_length=1)]
    by: str | None = None  # a variable with one value an example: its groups
    samples: PositiveInt = 150  # examples of each group; donors are among these, of any group


_BY_CELL = ("seed", "hypothesis", "layer", "group")
VARIABLES = {
    "recovered": Variable(_BY_CELL, "%", "loss recovered"),
    "loss": Variable(_BY_CELL, "nat", "mean loss at the query, scrubbed"),
    "clean_loss": Variable(("seed", "layer", "group"), "nat", "mean loss of the same, intact"),
    "uniform_loss": Variable((), "nat", "loss of the uniform prediction"),
    "donors": Variable(("layer", "group"), "1", "number of examples that had a donor"),
}

NEEDS = "runs_and_findings"
CAUSAL = True


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Every hypothesis at every layer, one at a time.  Examples without a donor are left out of their layer.

    Raises InterpflowError for a task with several labels a position, for a query that is not one position of
    each example, and for fewer states to match than layers.
    """
    data = sample(selection.select(runs.data, options), options)
    depth = runs.model.options.layers
    grouping = Grouping(data, options.by)
    matched, anyone = (donors(data, options, depth, kind) for kind in (True, False))
    chosen = [matched if each.matched else anyone for each in options.hypotheses.values()]

    clean, scrubbed = _losses(runs, data, options, np.stack(chosen))
    in_group = grouping.index == np.arange(len(grouping))[:, None, None]
    there = in_group & (matched >= 0)  # (group, layer, example)
    count = there.sum(-1).T
    with np.errstate(invalid="ignore"):  # a cell without donors has no mean: NaN
        clean_loss = np.einsum("sn,gln->slg", clean, there) / count
        loss = np.einsum("shln,gln->shlg", scrubbed, there) / count
    uniform = np.log(data.sizes["output"])
    found = {
        "recovered": 100 * (loss - uniform) / (clean_loss - uniform)[:, None],
        "loss": loss,
        "clean_loss": clean_loss,
        "uniform_loss": uniform,
        "donors": count,
    }
    return xr.Dataset(
        {name: (VARIABLES[name].dims, values) for name, values in found.items()},
        {
            "seed": runs.seeds,
            "hypothesis": list(options.hypotheses),
            "layer": np.arange(depth),
            "group": grouping.coordinate,
        },
    )


def sample(data: xr.Dataset, options: Options) -> xr.Dataset:
    """The first `samples` examples of each group."""
    grouping = Grouping(data, options.by)
    first = [np.flatnonzero(grouping.index == i)[: options.samples] for i in range(len(grouping))]
    return data.isel(example=np.sort(np.concatenate(first)))


def donors(data: xr.Dataset, options: Options, depth: int, matched: bool) -> NDArray[np.int64]:
    """Another example for each (layer, example), if `matched` of the same state at the query, else any.

    -1 where there is none.  To have no state is a state like others.
    """
    example, position = np.nonzero(selection.mask(data, [options.query])[0])
    if not np.array_equal(example, np.arange(data.sizes["example"])):
        raise InterpflowError(f"query: '{options.query}' is not one position of each example")
    every = selection.each(data, {str(at): wanted for at, wanted in enumerate(options.match)})
    states = [*every.values()]
    if len(states) < depth:
        raise InterpflowError(f"match has {len(states)} states; the model has {depth} layers")
    found = []
    for layer, wanted in enumerate(states[:depth]):
        state = selection.state(data, wanted)[example, position]
        found.append(partners(state if matched else 0 * state, "scrubbing", matched, layer))
    return np.stack(found)


def _losses(
    runs: Runs, data: xr.Dataset, options: Options, chosen: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Losses at the query: intact (seed, example), and scrubbed (seed, hypothesis, layer, example).

    `chosen` are the donors (hypothesis, layer, example).
    """
    import torch

    from interpflow.methods.queries import asked, passes
    from interpflow.training.examples import Examples

    at, answers = asked(data, [options.query])
    weights, examples = runs.weights(options.checkpoint), Examples(data, options.split, runs.device)
    parts = list(passes(runs.model, weights, examples, at))
    hypotheses, layers = chosen.shape[:2]
    keys = parts[0][1].own.shape[1]
    clean = [torch.from_numpy(runs.mask(data, each.clean)[:, :, :keys]).to(runs.device)
             for each in options.hypotheses.values()]  # fmt: skip
    # What every example would give as a donor.
    given = [[torch.cat([queries.reading(layer, ~mask[:, here]) for here, queries in parts], 1)
              for layer in range(layers)] for mask in clean]  # fmt: skip
    intact = np.zeros((len(runs.seeds), len(answers)))
    scrubbed = np.zeros((len(runs.seeds), hypotheses, layers, len(answers)))
    for here, queries in parts:

        def edit(layer: int, here: np.ndarray = here, queries: Queries = queries) -> Edit:
            def swap(z: Tensor) -> Tensor:
                z = z.clone()  # (seed, query, hypothesis and layer, head, d_head)
                for i, mask in enumerate(clean):
                    kept = queries.reading(layer, mask[:, here])
                    z[:, :, i * layers + layer] = kept + given[i][layer][:, chosen[i, layer, here]]
                return z

            return swap

        edits = {f"blocks.{layer}.attn.hook_z": edit(layer) for layer in range(layers)}
        logits = queries.again(hypotheses * layers, edits)
        right = torch.from_numpy(answers[here]).to(runs.device)

        def loss(logits: Tensor, right: Tensor = right) -> Tensor:
            chances = logits.log_softmax(-1)
            return -chances.take_along_dim(right.view(1, -1, *[1] * (logits.dim() - 2)), -1)[..., 0]

        intact[:, here] = loss(queries.logits).cpu().numpy()
        each = loss(logits).unflatten(2, (hypotheses, layers)).permute(0, 2, 3, 1)
        scrubbed[..., here] = each.cpu().numpy()
        runs.report(int(here[-1]) + 1, len(answers))
    return intact, scrubbed
