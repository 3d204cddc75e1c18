"""The scorecard: what the paper reports, and what we measure.

One row a claim:

    claim, source     which number, and where the paper states it
    relation, paper   `equals`, `at least` or `at most`, and the paper's number
    ours, sd          mean over seeds, and their standard deviation (n - 1; none for one seed)
    seeds, missing    how many seeds have a value and how many have none; empty for what has no seeds
    tolerance         how far from `equals` ours may lie
    verdict           `holds`, `differs`, or `not measured` where no seed has a value
    because           the spec's sentence on why ours differs, in rows that do not hold, at the default scale
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.nearest import listed, way_out
from interpflow.spec.problems import describe
from interpflow.spec.study import Claim

VERDICTS = HOLDS, DIFFERS, NOT_MEASURED = ("holds", "differs", "not measured")

_COLUMNS = (
    "claim", "source", "relation", "paper", "ours", "sd", "seeds", "missing", "tolerance",
    "verdict", "because",
)  # fmt: skip
# What two decimal fractions can be apart that are the same on paper: 0.35 - 0.3 is above 0.05.
_ROUNDING = 1e-9


def score(claims: Sequence[Claim], datasets: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """One row for each of `claims`, held against the collected findings of its analysis.

    Raises InterpflowError where a claim picks no value, or several for one seed.
    """
    rows = [_row(claim, datasets[claim.data]) for claim in claims]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"seeds": "Int64", "missing": "Int64"})


def _row(claim: Claim, dataset: xr.Dataset) -> dict[str, Any]:
    picked = pick(claim, dataset)
    values = picked.values[~np.isnan(picked.values)]
    ours = values.mean() if values.size else np.nan
    relation, paper = next(
        (relation, number)
        for relation, number in (
            ("equals", claim.expected),
            ("at least", claim.at_least),
            ("at most", claim.at_most),
        )
        if number is not None
    )
    verdict = _verdict(ours, relation, paper, claim.tolerance or 0.0)
    per_seed = picked.ndim > 0
    return {
        "claim": claim.name,
        "source": claim.source,
        "relation": relation,
        "paper": paper,
        "ours": ours,
        "sd": values.std(ddof=1) if values.size > 1 else np.nan,
        "seeds": values.size if per_seed else None,
        "missing": picked.size - values.size if per_seed else None,
        "tolerance": np.nan if claim.tolerance is None else claim.tolerance,
        "verdict": verdict,
        "because": "" if verdict == HOLDS else claim.because or "",
    }


def _verdict(ours: float, relation: str, paper: float, tolerance: float) -> str:
    if np.isnan(ours):
        return NOT_MEASURED
    held = {
        "equals": abs(ours - paper) <= tolerance + _ROUNDING,
        "at least": ours >= paper - _ROUNDING,
        "at most": ours <= paper + _ROUNDING,
    }
    return HOLDS if held[relation] else DIFFERS


def pick(claim: Claim, dataset: xr.Dataset) -> xr.DataArray:
    """The claim's values, float64: (seed,), or () where the variable has no seeds.

    `select` may name any coordinate or variable that runs along dims of the claim's variable.
    Raises InterpflowError, with what there is, where that is not exactly one value for each seed.
    """
    if claim.variable not in dataset.data_vars:
        has = way_out(claim.variable, map(str, dataset.data_vars))
        raise _refusal(claim, "variable", f"no variable {describe(claim.variable)}", has)
    array = dataset[claim.variable]
    wanted = xr.ones_like(array, dtype=bool)
    for key, value in claim.select.items():
        wanted &= _matches(claim, key, value, dataset, array)

    per_seed = ("seed",) if "seed" in array.dims else ()
    rest = [dim for dim in array.dims if dim not in per_seed]
    count = wanted.sum(rest)
    if not wanted.any():
        chosen = listed(f"{key}: {value}" for key, value in claim.select.items())
        raise InterpflowError(f"claims.{claim.name}.select: no value has all of {chosen} together")
    if (count > 1).any():
        raise InterpflowError(f"claims.{claim.name}.select: {_too_many(wanted, array, rest)}")
    # One value at most is wanted in each sum, and 0 is added to it: exact.
    values = array.astype(np.float64).where(wanted, 0.0).sum(rest, skipna=False)
    return values[(count > 0).values] if per_seed else values


def _matches(
    claim: Claim, key: str, value: Any, dataset: xr.Dataset, array: xr.DataArray
) -> xr.DataArray:
    """Where the coordinate or variable `key` is `value`: dims among those of `array`."""
    labels = [
        str(name)
        for name, label in dataset.variables.items()
        if set(label.dims) <= set(array.dims) and name != array.name
    ]
    if key not in labels:
        message = f"'{claim.variable}' runs along no coordinate {describe(key)}"
        raise _refusal(claim, f"select.{key}", message, way_out(key, labels))
    label = dataset[key]
    matches: xr.DataArray = label == value
    if not matches.any():
        words = dict.fromkeys(str(known) for known in label.values.ravel().tolist())
        has = way_out(str(value), words)
        raise _refusal(claim, f"select.{key}", f"found {describe(value)}", has)
    return matches


def _refusal(claim: Claim, key: str, message: str, has: str) -> InterpflowError:
    return InterpflowError(
        f"claims.{claim.name}.{key}: {message}; analysis '{claim.data}' has: {has}"
    )


def _too_many(wanted: xr.DataArray, array: xr.DataArray, rest: Sequence[Any]) -> str:
    """Along which dim several values are left, and what would choose among them."""
    for dim in rest:
        left = wanted.any([other for other in array.dims if other != dim]).values
        if left.sum() > 1:
            break
    labels = map(str, array[dim].values[left].tolist())
    return f"picks {left.sum()} values along '{dim}': {listed(labels)}; add `{dim}: <one of them>`"
