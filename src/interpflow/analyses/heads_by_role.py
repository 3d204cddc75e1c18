"""Heads matched by what they do: what analyses found of heads, by their role in place of their number.

The number of a head says nothing across seeds.  A role is a score of heads that another analysis found, such as
attention to one kind of key.  Each role gets a head of its own, so that the scores are largest in sum; what is
known of these heads can then be averaged over seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.methods.assignment import assign
from interpflow.methods.found import found_variable
from interpflow.section import Names, Section, Some
from interpflow.selection import Analysis, FoundVariable, Label
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known


class OfHeads(Section):
    """A variable of heads (seed, layer, head) of one of the analyses; of training steps the last, or all."""

    data: Analysis
    variable: FoundVariable
    # coordinate: value, for every further dim
    select: Annotated[dict[str, Label], Names("labels")] = {}


class Options(Section):
    """What makes a role, and what is wanted of its head."""

    roles: Annotated[dict[str, OfHeads], Some]  # the scores by which heads are chosen
    quantities: dict[str, OfHeads] = {}
    curves: dict[str, OfHeads] = {}  # the same of every training step


_BY_ROLE = ("seed", "role")
VARIABLES = {
    "role_layer": Variable(_BY_ROLE, "1", "layer of the head of a role"),
    "role_head": Variable(_BY_ROLE, "1", "number of the head of a role"),
    "score": Variable(_BY_ROLE, "1", "score of the head of a role"),
    "other_score": Variable(_BY_ROLE, "1", "highest score for the role of any other head"),
    "lowest_score": Variable(("seed",), "1", "score of the role with the lowest score"),
    "quantity_value": Variable((*_BY_ROLE, "quantity"), "1", "a quantity of the head of a role"),
    "curve_value": Variable(
        ("seed", "step", "role", "curve"), "1", "a quantity of the head of a role over training"
    ),
}

NEEDS = "findings"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {
        "role": list(options.roles),
        "quantity": list(options.quantities),
        "curve": list(options.curves),
    }


def analyse(findings: Mapping[str, xr.Dataset], options: Options) -> xr.Dataset:
    """Choose the heads of every seed by their scores after training.

    A seed without a score is NaN.  Raises InterpflowError where the findings lack what is named, and where
    there are fewer heads than roles.
    """

    def table(kind: str, wanted: Mapping[str, OfHeads], *dims: str) -> xr.DataArray:
        each = [
            _of_heads(findings, f"{kind}.{name}", place, dims) for name, place in wanted.items()
        ]
        aligned = xr.align(*each, join="inner")
        return xr.concat(aligned, "entry").transpose("seed", *dims, "entry", "at")

    scores = table("roles", options.roles)
    roles, heads = scores.sizes["entry"], scores.sizes["at"]
    if heads < roles:
        raise InterpflowError(f"roles: {roles} roles take as many heads; the model has {heads}")
    sound = np.isfinite(scores.values).all((1, 2))
    chosen = np.array(
        [assign(each) if fine else [0] * roles for each, fine in zip(scores.values, sound, strict=True)]
    )  # fmt: skip
    own = np.arange(heads) == chosen[..., None]  # (seed, role, head)

    def of_role(values: np.ndarray) -> np.ndarray:
        """Of `values` (seed, …, head) those of the head of each role, (seed, …, role)."""
        extra = (1,) * (values.ndim - 2)
        index = chosen.reshape(len(chosen), *extra, roles)
        picked = np.take_along_axis(values, np.broadcast_to(index, (*values.shape[:-1], roles)), -1)
        return np.where(sound.reshape(-1, *extra, 1), picked, np.nan)

    score = np.where(sound[:, None], (scores.values * own).sum(-1), np.nan)
    others = np.where(own | ~sound[:, None, None], -np.inf, scores.values).max(-1)
    found: dict[str, tuple[tuple[str, ...], np.ndarray]] = {
        "score": (_BY_ROLE, score),
        "other_score": (_BY_ROLE, np.where(np.isfinite(others), others, np.nan)),
        "lowest_score": (("seed",), score.min(1)),
    }
    for name in ("layer", "head"):
        number = scores[name].values.astype(float)
        found[f"role_{name}"] = (_BY_ROLE, np.where(sound[:, None], number[chosen], np.nan))
    coords: dict[str, object] = {"seed": scores["seed"].values, "role": list(options.roles)}
    if options.quantities:
        values = table("quantities", options.quantities)
        picked = of_role(values.values)  # (seed, quantity, role)
        found["quantity_value"] = VARIABLES["quantity_value"].dims, picked.swapaxes(1, 2)
        coords["quantity"] = list(options.quantities)
    if options.curves:
        values = table("curves", options.curves, "step")
        picked = of_role(values.values)  # (seed, step, curve, role)
        found["curve_value"] = VARIABLES["curve_value"].dims, picked.swapaxes(2, 3)
        coords |= {"step": values["step"].values, "curve": list(options.curves)}
    return xr.Dataset(found, coords)


def _of_heads(
    findings: Mapping[str, xr.Dataset], option: str, place: OfHeads, dims: tuple[str, ...]
) -> xr.DataArray:
    """What the findings say of each head: (seed, at) with the further `dims`, of steps the last if not among
    these.  Raises InterpflowError where they do not have it."""
    array = found_variable(findings, option, place.data, place.variable)
    if "step" in array.dims and "step" not in (*dims, *place.select):
        array = array.isel(step=-1)
    try:
        array = array.sel(place.select)
    except KeyError as error:
        raise InterpflowError(f"{option}.select: {place.data} has no {error}") from error
    kept = ("seed", "layer", "head", *dims)
    array = array.drop_vars([name for name in array.coords if name not in kept])
    if {*array.dims} != {*kept}:
        raise InterpflowError(
            f"{option}: {place.variable} runs along {', '.join(map(str, array.dims))}; select one value "
            f"of every dim but {', '.join(kept)}"
        )
    return array.stack(at=("layer", "head"), create_index=False)
