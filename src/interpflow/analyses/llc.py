"""The local learning coefficient: how degenerate the loss is around a checkpoint.

λ = nβ (mean loss over draws of SGLD - loss at the checkpoint), Lau et al. 2023 (arXiv:2308.12108).  Restricted
to a group of weights, with all others fixed, it is the refined LLC of Wang et al. 2024 (arXiv:2410.02984).

An estimate is sound if all its chains are.  A chain is unsound in three ways.  It `diverged` if a loss is NaN
or infinite; then there is no estimate.  It is `drifting` if its loss moved by more than `drift_above` of its
scatter from its first to its last third.  It is `below_start` if its mean loss is below the checkpoint's loss:
the checkpoint is no minimum, or the step size is too large.  Drifting chains and chains below the start are
counted beside the estimate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import xarray as xr
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from interpflow.model.parts import parts
from interpflow.model.shapes import weight_shapes
from interpflow.section import EachOnce, Some
from interpflow.selection import Examples, Split, Steps
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known, Refused
    from interpflow.runs import Runs


class Options(Examples):
    """SGLD around checkpoints, on the loss of the examples; see `sgld` for the update."""

    split: Split = "train"
    steps: Steps = "last"
    # `all` weights; the weights of one `head`, for each; those of the token and position `embedding`s; those of
    # the `unembedding`.
    groups: Annotated[list[Literal["all", "heads", "embedding", "unembedding"]], Some, EachOnce] = [
        "all"
    ]
    step_size: PositiveFloat  # ε
    localization: NonNegativeFloat  # γ
    nbeta: PositiveFloat | None = None  # n / log n of the batch size n if not given
    chains: PositiveInt = 4
    draws: PositiveInt = 200
    burn_in: NonNegativeInt = 0
    batch_size: Annotated[int, Field(ge=2)] = 64  # at most the examples that there are
    drift_above: PositiveFloat = 1.0  # of a chain's scatter: beyond this it had not settled
    seeds: PositiveInt | None = None  # how many model seeds; all if not given


_PLACE = ("seed", "step", "group")
VARIABLES = {
    "llc": Variable(_PLACE, "1", "local learning coefficient"),
    "fall": Variable(
        ("seed", "group"), "1", "how far the last estimate lies below the highest, as a share of it"
    ),
    "llc_sd": Variable(_PLACE, "1", "standard deviation over chains"),
    "llc_chain": Variable((*_PLACE, "chain"), "1", "local learning coefficient of one chain"),
    "loss": Variable((*_PLACE, "chain", "draw"), "1", "loss of a draw"),
    "start_loss": Variable(("seed", "step"), "1", "loss at the checkpoint"),
    "diverged": Variable((*_PLACE, "chain"), "1", "whether the chain left for NaN or infinity"),
    "drifting": Variable((*_PLACE, "chain"), "1", "whether the chain had not settled"),
    "below_start": Variable((*_PLACE, "chain"), "1", "whether the mean draw is below the start"),
    "sound_chains": Variable(_PLACE, "1", "number of chains without any of these"),
    "r_hat": Variable(_PLACE, "1", "potential scale reduction over chains (Gelman & Rubin 1992)"),
    "parameters": Variable(("group",), "1", "number of weights that move"),
    "nbeta": Variable((), "1", "inverse temperature times number of examples"),
    "checkpoint": Variable(("step",), "1", "first, last, or in between"),
}

NEEDS = "runs"


def refuse(known: Known, options: Options) -> Iterator[Refused]:
    """What cannot work: which of the options, and why."""
    there = known.has(options.split, options.batch_size)
    if there < options.batch_size and not options.where:
        yield (
            ("batch_size",),
            f"found {options.batch_size}; split '{options.split}' has {there} examples",
        )


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    shapes = weight_shapes(known.model, 1, 1, 1)
    every = [name for name in parts(shapes) if name.startswith("head ")]
    groups = [each for group in options.groups for each in (every if group == "heads" else [group])]
    return {
        "seed": known.seeds[: options.seeds],
        "group": groups,
        "chain": range(options.chains),
        "draw": range(options.draws),
    }


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Estimate λ for every seed, checkpoint and group of weights; the chains' losses are returned with it."""
    import torch

    from interpflow.methods.llc_chains import Chains
    from interpflow.methods.sgld import Sgld, sample

    steps = runs.kept(options.steps)
    seeds = runs.seeds[: options.seeds]
    nbeta = options.nbeta or options.batch_size / float(np.log(options.batch_size))
    settings = Sgld(options.step_size, options.localization, nbeta, options.draws, options.burn_in)
    chains = Chains(runs, seeds, options.chains, options.batch_size, options)
    groups = chains.groups(options.groups)
    traces = np.empty((len(seeds), len(steps), len(groups), options.chains, options.draws))
    start_loss = np.empty((len(seeds), len(steps)))
    for at, step in enumerate(steps):
        start = chains.start(step)
        start_loss[:, at] = chains.loss_at(start)
        for place, moving in enumerate(groups.values()):
            trace = sample(start, chains.losses, chains.noise(start), settings, moving)
            traces[:, at, place] = trace.unflatten(0, (len(seeds), -1)).double().cpu().numpy()
            done = at * len(groups) + place + 1
            runs.report(done, len(steps) * len(groups), loss=traces[:, at, place].mean())
    moving_counts = [int(torch.count_nonzero(moving)) for moving in groups.values()]
    found = judge(traces, start_loss, nbeta, options.drift_above)
    peak = np.nanmax(found["llc"], axis=1, initial=-np.inf)
    return xr.Dataset(
        {
            **{name: (VARIABLES[name].dims, values) for name, values in found.items()},
            "loss": (VARIABLES["loss"].dims, traces.astype(np.float32)),
            "fall": (("seed", "group"), 1 - found["llc"][:, -1] / peak),
            "start_loss": (("seed", "step"), start_loss),
            "parameters": ("group", moving_counts),
            "nbeta": ((), nbeta),
            "checkpoint": ("step", runs.names(steps)),
        },
        {
            "seed": seeds,
            "step": steps,
            "group": list(groups),
            "chain": np.arange(options.chains),
            "draw": np.arange(options.draws),
        },
    )


def judge(
    traces: np.ndarray, start_loss: np.ndarray, nbeta: float, drift_above: float
) -> dict[str, np.ndarray]:
    """λ and the soundness of chains from `traces` (seed, step, group, chain, draw), by names of VARIABLES."""
    diverged = ~np.isfinite(traces).all(axis=-1)
    # Whatever a diverged chain gave last is no number to compute with.
    clean = np.where(diverged[..., None], np.nan, traces)
    by_chain = nbeta * (clean.mean(axis=-1) - start_loss[:, :, None, None])
    third = max(1, traces.shape[-1] // 3)
    first, last = clean[..., :third], clean[..., -third:]
    with np.errstate(invalid="ignore"):
        moved = np.abs(last.mean(axis=-1) - first.mean(axis=-1))
        drifting = moved > drift_above * clean[..., third:].std(axis=-1) + 1e-12
        below = by_chain < 0
    drifting, below = drifting & ~diverged, below & ~diverged
    draws = traces.shape[-1]
    within = clean.var(axis=-1, ddof=1).mean(axis=-1) if draws > 1 else np.nan
    between = clean.mean(axis=-1).var(axis=-1, ddof=1) if traces.shape[3] > 1 else np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        r_hat = np.sqrt((draws - 1) / draws + between / within)
    some = traces.shape[3] > 1
    return {
        "llc": by_chain.mean(axis=-1),  # NaN if any chain diverged
        "llc_sd": by_chain.std(axis=-1, ddof=1) if some else np.full(by_chain.shape[:-1], np.nan),
        "llc_chain": by_chain,
        "diverged": diverged.astype(np.int8),
        "drifting": drifting.astype(np.int8),
        "below_start": below.astype(np.int8),
        "sound_chains": (~(diverged | drifting | below)).sum(axis=-1),
        "r_hat": np.broadcast_to(r_hat, by_chain.shape[:-1]),
    }
