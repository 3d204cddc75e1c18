"""Ablation of positions: which predictions change if a site is ablated at one position, in all examples.

Behind the last layer's attention nothing reads other positions: what is ablated there changes the prediction
at its own position and at no other, whatever the weights are.  A map of effects says something of a model only
beside that of an earlier site, or of the untrained model (`checkpoint: first`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from interpflow.errors import InterpflowError
from interpflow.selection import ExamplesAt, Positions, Site, SomePositions
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.known import Foreseen, Known
    from interpflow.runs import Runs


class Options(ExamplesAt):
    """What is ablated, and whose predictions are looked at."""

    site: Site  # in the form (batch, position, d); TransformerLens name
    positions: SomePositions = ["real"]  # ablated one at a time
    queries: Positions = ["scored"]
    ablation: Literal["zero", "mean"] = "mean"  # mean: over examples, of each position


_MAP = ("seed", "position", "query")
VARIABLES = {
    "kl": Variable(_MAP, "nat", "mean KL divergence of the prediction from the intact"),
    "changed": Variable(_MAP, "1", "share of predictions that change"),
    "own": Variable(("seed",), "1", "share of predictions at the ablated positions that change"),
    "elsewhere": Variable(
        ("seed",), "1", "share of predictions that change, most of any other position and query"
    ),
}

NEEDS = "runs"
ONE_ANSWER = True


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"query": int}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Ablate each position for itself; `position` and `query` are positions.

    A place on the map is NaN where no example has both.  Raises InterpflowError where no example has a query
    or a position to ablate.
    """
    import torch

    from interpflow.model.sites import Sites

    data, examples = runs.select(options)
    weights = runs.weights(options.checkpoint)
    longest = int(examples.lengths.max())
    ablated, asked = (
        runs.mask_of_all(data, names)[:, :longest] for names in (options.positions, options.queries)
    )
    places, queries = np.flatnonzero(ablated.any(0)), np.flatnonzero(asked.any(0))
    for name, there in (("positions", places), ("queries", queries)):
        if not len(there):
            raise InterpflowError(f"{name}: no example has one of {getattr(options, name)}")
    mean = _mean(runs, options, ablated) if options.ablation == "mean" else None
    kl, changed = np.zeros((2, len(runs.seeds), len(places), len(queries)))
    count = np.zeros(kl.shape[1:])
    with torch.no_grad():
        for indices, batch in examples.in_order_of_length():
            length = batch.tokens.shape[-1]
            here = queries < length
            rows = torch.from_numpy(queries[here]).to(batch.tokens.device)
            intact = runs.model(weights, batch.tokens)[:, :, rows].float().log_softmax(-1)
            for row, place in enumerate(places.tolist()):
                if place >= length:
                    continue

                def edit(value: Tensor, place: int = place) -> Tensor:
                    value = value.clone()
                    value[:, :, place] = 0.0 if mean is None else mean[:, None, place].to(value)
                    return value

                sites = Sites(edits={options.site: edit})
                other = runs.model(weights, batch.tokens, sites)[:, :, rows].float().log_softmax(-1)
                both = asked[np.ix_(indices, queries[here])] & ablated[indices, place, None]
                away = (intact.exp() * (intact - other)).sum(-1).cpu().numpy()
                moved = (intact.argmax(-1) != other.argmax(-1)).cpu().numpy()
                kl[:, row, here] += (away * both).sum(1)
                changed[:, row, here] += (moved & both).sum(1)
                count[row, here] += both.sum(0)
    with np.errstate(invalid="ignore"):  # nothing has no mean: NaN
        share = changed / count
        found = {"kl": kl / count, "changed": share}
    own = np.equal.outer(places, queries)
    return xr.Dataset(
        {
            **{name: (_MAP, values) for name, values in found.items()},
            "own": ("seed", _over(share, own, np.mean)),
            "elsewhere": ("seed", _over(share, ~own, np.max)),
        },
        {"seed": runs.seeds, "position": places, "query": queries},
    )


def _over(
    share: NDArray[np.float64], places: NDArray[np.bool_], of: Callable[..., Any]
) -> NDArray[np.float64]:
    """The mean or the maximum (seed,) `of` the `places` (position, query) of `share` that have a value."""
    here = share[:, places & np.isfinite(share).all(0)]
    return of(here, axis=1) if here.size else np.full(len(share), np.nan)


def _mean(runs: Runs, options: Options, ablated: NDArray[np.bool_]) -> Tensor:
    """The mean of the site (seed, position, d) over the examples in which the position is ablated."""
    import torch

    from interpflow.model.sites import Sites

    _, examples = runs.select(options)
    weights, total = runs.weights(options.checkpoint), None
    with torch.no_grad():
        for indices, batch in examples.in_order_of_length():
            read = Sites(read=[options.site])
            runs.model(weights, batch.tokens, read)
            value = read.values[options.site].double()  # (seed, batch, pos, d)
            if total is None:
                total = value.new_zeros(len(value), ablated.shape[1], value.shape[-1])
            here = torch.from_numpy(ablated[indices, : value.shape[2]]).to(value)
            total[:, : value.shape[2]] += (value * here[:, :, None]).sum(1)
    assert total is not None  # some example has a position
    return total / torch.from_numpy(ablated.sum(0)).to(total).clamp(min=1)[:, None]
