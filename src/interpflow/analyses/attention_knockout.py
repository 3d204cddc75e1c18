"""Attention knockout: the earlier positions on which a prediction depends, late in the model.

Attention from a query to one key is cut in a few layers: the score becomes minus infinity, and the other keys
share the attention.  The prediction at the query is compared with the intact prediction.  Every earlier
position is cut in turn, or every position of some names.  Other queries of the sequence keep their attention.

A position is a *register* if its cut changes the prediction whatever token stands there.  The effect of a cut
is therefore a mean over examples, without the examples (`unless`) in which the query needs the token itself.
Positions with a name in `exclude` are no registers.  In the end all registers are cut together; the control
cuts as many other positions, drawn at random.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, PositiveInt

from interpflow import selection
from interpflow.errors import InterpflowError
from interpflow.methods.grouping import of_positions
from interpflow.rng import generator
from interpflow.section import EachOnce, Some
from interpflow.selection import ExamplesAt
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.known import Foreseen, Known
    from interpflow.methods.queries import At
    from interpflow.runs import Runs
    from interpflow.training.examples import Examples


Measured = NDArray[np.float64] | NDArray[np.bool_]
Means = NDArray[np.float64]


class Options(ExamplesAt):
    """Whose attention is cut where, and what makes a register."""

    judged: selection.Where = {}  # the examples of these that `kl`, `wrong` and registers rest on
    unless: selection.Held | None = (
        None  # and at each position not those where it holds such a state
    )
    queries: selection.Positions = ["scored"]  # names of the positions whose attention is cut
    keys: selection.Positions = ["real"]  # and of those that it is cut from
    layers: Annotated[list[selection.AnyLayer], Some, EachOnce] = [
        -2,
        -1,
    ]  # negative: from the last
    by: selection.OneState | None = None  # a state of the query or the example: its groups
    exclude: selection.Positions = []  # names of positions that are no registers whatever they do
    least_kl: NonNegativeFloat = 0.05  # nat; a register has this effect,
    least_wrong: Annotated[float, Field(ge=0, le=1)] = 0.02  # or this one
    draws: PositiveInt = 10  # random sets of positions that the registers are held against


_BY_POSITION, _BY_GROUP = ("seed", "position"), ("seed", "group")
_BOTH = ("seed", "group", "position")
VARIABLES = {
    "kl": Variable(_BY_POSITION, "nat", "mean KL divergence of the cut prediction from the intact"),
    "wrong": Variable(_BY_POSITION, "1", "share of right predictions that the cut makes wrong"),
    "kl_by": Variable(_BOTH, "nat", "mean KL divergence by group, over all examples"),
    "wrong_by": Variable(_BOTH, "1", "share made wrong by group, over all examples"),
    "is_register": Variable(_BY_POSITION, "1", "whether the position is a register"),
    "place": Variable(("position",), "1", "what the position is called in most examples"),
    "registers": Variable(("seed",), "1", "number of registers"),
    "intact_accuracy": Variable(_BY_GROUP, "1", "share of queries right, nothing cut"),
    "joint_accuracy": Variable(_BY_GROUP, "1", "share of queries right, registers cut"),
    "random_accuracy": Variable(_BY_GROUP, "1", "share of queries right, random positions cut"),
    "joint_wrong": Variable(_BY_GROUP, "1", "share made wrong by cutting all registers"),
}

ONE_ANSWER = True
NEEDS = "runs"
CAUSAL = True


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {
        "group": known.groups(options.by),
        "place": known.data["role_name"].values.tolist()
        if "role_name" in known.data.coords
        else [""],
    }


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Cut every earlier position for itself, then all registers together.

    Raises InterpflowError for a task with several labels a position.
    """
    from interpflow.methods.queries import asked

    data, examples = runs.select(options)
    at, answers = asked(data, options.queries)
    example, position = at
    keys = int(position.max())  # those that some query comes after
    group, groups = of_positions(data, options.by, selection.mask(data, options.queries)[0])
    of_group = [group[at] == i for i in range(len(groups))]  # each (query,)

    named = selection.mask(data, options.keys)[0, :, :keys]
    tried = np.flatnonzero(named.any(0))
    if not len(tried):
        raise InterpflowError(f"keys: no position before the queries is called {options.keys}")
    alone = np.eye(keys, keys + 1, dtype=bool)[None, tried]
    intact, felt, answer = _cut(runs, options, examples, at, alone)
    right = intact == answers  # (seed, query)
    kl, wrong = np.zeros((2, *right.shape, keys))  # those of keys that are not tried count nowhere
    kl[:, :, tried] = felt
    wrong[:, :, tried] = right[:, :, None] & (answer != answers[:, None])
    before = (np.arange(keys) < position[:, None]) & named[example]
    told = before & _judged(data, options)[example, :keys]

    def effects(chosen: NDArray[np.bool_]) -> tuple[Means, Means]:
        """Means (seed, key) over the queries `chosen` (query, key)."""
        return _mean(kl, chosen), _mean(wrong, chosen & right[:, :, None])

    def by_group(each: Measured, among: NDArray[np.bool_]) -> Means:
        return np.stack([_mean(each, among & here) for here in of_group], 1)

    mean_kl, mean_wrong = effects(told)
    fit = ~selection.mask(data, options.exclude)[0].any(0)[:keys]
    registers = fit & ((mean_kl >= options.least_kl) | (mean_wrong >= options.least_wrong))
    sets = np.stack([_sets(registers[i], fit, seed, options) for i, seed in enumerate(runs.seeds)])
    _, _, top = _cut(runs, options, examples, at, sets)
    still = top == answers[:, None]  # (seed, query, set)

    of_groups = [effects(before & here[:, None]) for here in of_group]
    every = np.ones_like(right)
    found = {
        "kl": _padded(mean_kl, data),
        "wrong": _padded(mean_wrong, data),
        "kl_by": _padded(np.stack([kl for kl, _ in of_groups], 1), data),
        "wrong_by": _padded(np.stack([wrong for _, wrong in of_groups], 1), data),
        # Numbers, because truth values beside missing ones would be joined as text.
        "is_register": (_padded(registers, data) == 1).astype(np.int8),
        "place": selection.names(data),
        "registers": registers.sum(1),
        "intact_accuracy": by_group(right, every),
        "joint_accuracy": by_group(still[:, :, 0], every),
        "random_accuracy": by_group(still[:, :, 1:].mean(2), every),
        "joint_wrong": by_group(~still[:, :, 0], right),
    }
    return xr.Dataset(
        {name: (VARIABLES[name].dims, values) for name, values in found.items()},
        {
            "seed": runs.seeds,
            "group": groups,
            "position": np.arange(data.sizes["position"]),
        },
    )


def _cut(
    runs: Runs, options: Options, examples: Examples, at: At, cuts: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """What is predicted intact (seed, query), and with each of the sets `cuts` (seed or 1, set, key) cut.

    The latter as KL divergence from intact and as what is predicted, both (seed, query, set).
    """
    import torch

    from interpflow.methods.queries import passes

    weights, depth = runs.weights(options.checkpoint), runs.model.options.layers
    beyond = [layer for layer in options.layers if not -depth <= layer < depth]
    if beyond:
        raise InterpflowError(f"layers: no layer {beyond[0]} in a model of {depth} layers")
    sets = torch.from_numpy(cuts).to(runs.device)[
        :, None, None
    ]  # (seed or 1, query, head, set, key)
    shape = (len(runs.seeds), len(at[0]))
    intact, kl = np.zeros(shape, dtype=np.int64), np.zeros((*shape, cuts.shape[1]))
    top = np.zeros(kl.shape, dtype=np.int64)
    for here, queries in passes(runs.model, weights, examples, at):
        hidden = sets & ~queries.own[:, None, None]  # a query keeps what it has from itself

        def edit(scores: Tensor, hidden: Tensor = hidden) -> Tensor:
            return scores.masked_fill(hidden, -torch.inf)

        names = {f"blocks.{range(depth)[layer]}.attn.hook_attn_scores" for layer in options.layers}
        log_q = queries.again(cuts.shape[1], dict.fromkeys(names, edit)).log_softmax(-1)
        log_p = queries.logits.log_softmax(-1)[:, :, None]
        intact[:, here] = log_p[:, :, 0].argmax(-1).cpu().numpy()
        kl[:, here] = (log_p.exp() * (log_p - log_q)).sum(-1).cpu().numpy()
        top[:, here] = log_q.argmax(-1).cpu().numpy()
        runs.report(int(here[-1]) + 1, shape[1])
    return intact, kl, top


def _judged(data: xr.Dataset, options: Options) -> NDArray[np.bool_]:
    """Whether an example speaks for a position (example, position)."""
    judged = np.ones(data["tokens"].shape, dtype=bool)
    for name, wanted in options.judged.items():
        judged &= np.isin(selection.of_example(data, name, "judged"), wanted)[:, None]
    if options.unless is not None:
        judged &= ~selection.held(data, options.unless)
    return judged


def _sets(
    registers: NDArray[np.bool_], fit: NDArray[np.bool_], seed: int, options: Options
) -> NDArray[np.bool_]:
    """The registers (key,) of a seed, then draws of as many others or of all there are (set, key + 1)."""
    sets = np.zeros((1 + options.draws, len(fit) + 1), dtype=bool)
    sets[0, :-1] = registers
    for draw in range(options.draws):
        others = np.flatnonzero(fit & ~registers)
        drawn = generator("attention_knockout", seed, draw).permutation(others)
        sets[1 + draw, drawn[: registers.sum()]] = True
    return sets


def _mean(each: Measured, among: NDArray[np.bool_]) -> Means:
    """The mean over queries (seed, query, ...) of those `among` all, NaN where there are none."""
    weight = np.broadcast_to(among, each.shape)
    with np.errstate(invalid="ignore"):
        return (each * weight).sum(1) / weight.sum(1)


def _padded(by_key: Measured, data: xr.Dataset) -> Means:
    """Values of the keys that some query comes after as values of all positions, NaN at the others."""
    found = np.full((*by_key.shape[:-1], data.sizes["position"]), np.nan)
    found[..., : by_key.shape[-1]] = by_key
    return found
