"""Causal scrubbing by resample ablation: what may be swapped between examples without harm to the prediction?

Of one layer, the attention output at a query is put together anew (Chan et al. 2022):

    sum over keys in C of A_k v_k W_O  +  sum over other keys of A'_k v'_k W_O  +  b_O

with the patterns A and values v of the intact run and A', v' of the intact run on a donor, an example of
another split.  A hypothesis says which keys are `clean` (C, each run's own positions of those names), and the
donor has the same state as the example, if `matched`: what the hypothesis takes the layer to compute.  All else
at the query follows from that; other positions run as they did.

recovered = 100 (L_scrubbed - L_uniform) / (L_clean - L_uniform), worked out for each example and then averaged.
L is minus the logarithm of the probability that the query gives to the answer of its own intact run, right or
wrong, and L_uniform the logarithm of the number of outputs.  100% is no harm, 0% as good as no answer, below
that is misled.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field, PositiveInt, model_validator

from interpflow import selection
from interpflow.errors import InterpflowError
from interpflow.methods import pairing
from interpflow.methods.grouping import Grouping
from interpflow.section import Section
from interpflow.selection import Examples, ExamplesAt
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.known import Foreseen, Known, Refused
    from interpflow.methods.queries import Queries
    from interpflow.model.sites import Edit
    from interpflow.runs import Runs


class Hypothesis(Section):
    """What is swapped: the attention to all keys but `clean` ones, with an example of the same state."""

    clean: selection.Positions = []  # names of key positions, or findings such as a.is_register
    matched: bool = True  # false: with any example, the control


class Options(ExamplesAt):
    """Where is scrubbed, and what has to be the same."""

    query: selection.Position  # name of the position, one an example
    donors: selection.Split  # the split whose examples are put in
    # Of each layer, what an example and its donor have in common: the next state, further ones left over.
    # Where an example has no such state, the last one before it that it has.
    match: list[selection.State]
    hypotheses: Annotated[dict[str, Hypothesis], Field(min_length=1)]
    by: selection.OfExamples | None = None  # a variable with one value an example: its groups
    samples: PositiveInt = 150  # examples of each group

    @model_validator(mode="after")
    def _donors_are_others(self) -> Self:
        if self.donors == self.split:
            raise ValueError(
                f"donors: {self.donors} is the split that is scrubbed; give one of other examples"
            )
        return self


_BY_CELL = ("seed", "hypothesis", "layer", "group")
VARIABLES = {
    "recovered": Variable(_BY_CELL, "%", "loss recovered"),
    "loss": Variable(_BY_CELL, "nat", "mean loss of the query's own answer, scrubbed"),
    "clean_loss": Variable(("seed", "layer", "group"), "nat", "mean loss of the same, intact"),
    "uniform_loss": Variable((), "nat", "loss of the uniform prediction"),
    "donors": Variable(("layer", "group"), "1", "number of examples that had a donor"),
}

ONE_ANSWER = True
NEEDS = "runs_and_findings"
CAUSAL = True


def refuse(known: Known, options: Options) -> Iterator[Refused]:
    """What cannot work: which of the options, and why."""
    depth = known.model.layers
    every = selection.each(known.data, {str(at): each for at, each in enumerate(options.match)})
    if len(every) < depth:
        yield ("match",), f"has {len(every)} states; the model has {depth} layers"
    data = selection.select(known.data, Examples(split=options.split))
    if (selection.mask(data, [options.query])[0].sum(1) != 1).any():
        yield ("query",), f"'{options.query}' is not one position of each example"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"hypothesis": list(options.hypotheses), "group": known.groups(options.by)}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Every hypothesis at every layer, one at a time.  Examples without a donor are left out of their layer.

    Raises InterpflowError for a task with several labels a position, for a query that is not one position of
    each example, and for fewer states to match than layers.
    """
    data = sample(selection.select(runs.data, options), options)
    pool = selection.select(runs.data, Examples(split=options.donors))
    depth = runs.model.options.layers
    grouping = Grouping(data, options.by)
    matched, anyone = (donors(data, pool, options, depth, kind) for kind in (True, False))
    chosen = [matched if each.matched else anyone for each in options.hypotheses.values()]

    clean, scrubbed = _losses(runs, data, pool, options, np.stack(chosen))
    in_group = grouping.index == np.arange(len(grouping))[:, None, None]
    there = in_group & (matched >= 0)  # (group, layer, example)
    count = there.sum(-1).T
    uniform = np.log(data.sizes["output"])
    recovered = 100 * (scrubbed - uniform) / (clean - uniform)[:, None, None]

    with np.errstate(invalid="ignore"):  # a cell without donors has no mean: NaN
        clean_loss = np.einsum("sn,gln->slg", clean, there) / count
        loss, recovered = (
            np.einsum("shln,gln->shlg", each, there) / count for each in (scrubbed, recovered)
        )
    found = {
        "recovered": recovered,
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


def donors(
    data: xr.Dataset, pool: xr.Dataset, options: Options, depth: int, matched: bool
) -> NDArray[np.int64]:
    """An example of `pool` for each (layer, example) of `data`, if `matched` of the same state, else any.

    -1 where there is none.
    """
    wanted, offered = (_states(each, options, depth) for each in (data, pool))
    found = []
    for layer in range(depth):
        if layer:
            wanted[layer] = np.where(wanted[layer] < 0, wanted[layer - 1], wanted[layer])
        states = (wanted[layer], offered[layer])
        asked, given = states if matched else (0 * each for each in states)
        found.append(pairing.donors(asked, given, "scrubbing", matched, layer))
    return np.stack(found)


def _states(data: xr.Dataset, options: Options, depth: int) -> NDArray[np.int64]:
    """What is matched in each layer, at the query (layer, example)."""
    example, position = np.nonzero(selection.mask(data, [options.query])[0])
    if not np.array_equal(example, np.arange(data.sizes["example"])):
        raise InterpflowError(f"query: '{options.query}' is not one position of each example")
    every = selection.each(data, {str(at): wanted for at, wanted in enumerate(options.match)})
    if len(every) < depth:
        raise InterpflowError(f"match has {len(every)} states; the model has {depth} layers")
    states = list(every.values())[:depth]
    return np.stack([selection.state(data, wanted)[example, position] for wanted in states])


def _losses(
    runs: Runs, data: xr.Dataset, pool: xr.Dataset, options: Options, chosen: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Losses of the intact answers: intact (seed, example), and scrubbed (seed, hypothesis, layer, example).

    `chosen` are the donors (hypothesis, layer, example), of `pool`.
    """
    import torch

    from interpflow.methods.queries import asked, passes
    from interpflow.training.examples import Examples

    weights = runs.weights(options.checkpoint)
    hypotheses, layers = chosen.shape[:2]

    def parts(of: xr.Dataset, split: str) -> Iterator[tuple[np.ndarray, Queries, list[Tensor]]]:
        """A few examples after the other, what the query does there, and where each hypothesis is clean."""
        at, _ = asked(of, [options.query])
        clean = [runs.mask(of, each.clean) for each in options.hypotheses.values()]
        for here, queries in passes(runs.model, weights, Examples(of, split, runs.device), at):
            keys = queries.own.shape[1]
            yield here, queries, [torch.from_numpy(mask[:, here, :keys]).to(runs.device)
                                  for mask in clean]  # fmt: skip

    def readings(queries: Queries, keys: list[Tensor]) -> Tensor:
        """What the query reads from `keys` of each hypothesis (seed, query, variant, head, d_head)."""
        each = [queries.reading(layer, mask) for mask in keys for layer in range(layers)]
        return torch.stack(each, 2)

    # What every donor would give; a variant is a hypothesis in a layer.
    given = torch.cat([readings(queries, [~mask for mask in clean])
                       for _, queries, clean in parts(pool, options.donors)], 1)  # fmt: skip
    intact = np.zeros((len(runs.seeds), data.sizes["example"]))
    scrubbed = np.zeros((len(runs.seeds), hypotheses, layers, data.sizes["example"]))
    variant = torch.arange(hypotheses * layers, device=given.device)
    for here, queries, clean in parts(data, options.split):
        donor = torch.from_numpy(chosen[..., here].reshape(len(variant), -1).T).to(given.device)
        put = readings(queries, clean) + given[:, donor, variant]

        def edit(layer: int, put: Tensor = put) -> Edit:
            def swap(z: Tensor) -> Tensor:
                z = z.clone()  # (seed, query, variant, head, d_head)
                z[:, :, layer::layers] = put[:, :, layer::layers]
                return z

            return swap

        edits = {f"blocks.{layer}.attn.hook_z": edit(layer) for layer in range(layers)}
        logits = queries.again(len(variant), edits)
        own = queries.logits.argmax(-1, keepdim=True)
        before = -queries.logits.log_softmax(-1).gather(-1, own)[..., 0]
        after = -logits.log_softmax(-1).take_along_dim(own[:, :, None], -1)[..., 0]
        intact[:, here] = before.cpu().numpy()
        each = after.unflatten(2, (hypotheses, layers)).permute(0, 2, 3, 1)
        scrubbed[..., here] = each.cpu().numpy()
        runs.report(int(here[-1]) + 1, data.sizes["example"])
    return intact, scrubbed
