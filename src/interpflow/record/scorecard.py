"""The scorecard: numbers of the paper, and our measurements of them.

One row a claim:

    claim, source     which number, and where the paper states it
    relation, paper   `equals`, `at least`, `at most`, and the paper's number; or `below`, `above`, and 0
    ours, sd          mean over seeds, and their standard deviation (n - 1; none for one seed)
    seeds, missing    how many seeds of the experiment have a value and how many have none; empty for what has
                      no seeds
    holding           how many of these seeds hold by themselves
    diverged          which of these left the finite numbers in training, and at which step
    tolerance         how far from `equals` ours may lie
    verdict           `holds` or `differs`, by the mean; where no seed has a value `diverged` or `not measured`
    because           the spec's sentence on why ours differs, in rows that do not hold, at the default scale

A value is what the claim's variable has at one place, or the first step at which a curve is beyond a number;
of a claim about two places it is the difference or ratio of theirs, seed by seed.  A seed whose curve is never
beyond the number, or whose ratio is to 0, has no value.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.files import reading, rebuild_command
from interpflow.nearest import listed, way_out
from interpflow.record import divergence
from interpflow.spec.problems import describe
from interpflow.spec.study import STEP, Claim

VERDICTS = HOLDS, DIFFERS, DIVERGED, NOT_MEASURED = (
    "holds", "differs", "diverged", "not measured",
)  # fmt: skip

COLUMNS = (
    "claim", "source", "relation", "paper", "ours", "sd", "seeds", "missing", "holding", "diverged",
    "tolerance", "verdict", "because",
)  # fmt: skip
_COUNTS = dict.fromkeys(("seeds", "missing", "holding"), "Int64")
_TEXTS = dict.fromkeys(
    ("claim", "source", "relation", "diverged", "verdict", "because"), "str"
)  # a source may be "3.10", a reason "1e5"
# What two decimal fractions can be apart that are the same on paper: 0.35 - 0.3 is above 0.05.
_ROUNDING = 1e-9


def score(claims: Sequence[Claim], datasets: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """One row for each of `claims`, held against the collected findings of its analysis.

    Raises InterpflowError where a claim picks no value, or several for one seed.
    """
    rows = [_row(claim, datasets[claim.data]) for claim in claims]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(_COUNTS)


def read(path: Path | str) -> pd.DataFrame:
    """The scorecard that `score` gave, from its file; an empty cell is missing.

    Raises InterpflowError where there is none, and where the file is something else.
    """
    try:
        with reading(path):
            return parsed(Path(path).read_bytes())
    except ValueError as error:
        raise InterpflowError(
            f"{path}: not a scorecard ({error}); make it with: {rebuild_command(path)}"
        ) from error


def parsed(text: bytes) -> pd.DataFrame:
    """The scorecard in the bytes of its file; raises ValueError where they are something else."""
    # Text stays text: a claim may be named "nan".
    kinds = {**_COUNTS, **_TEXTS}
    table = pd.read_csv(io.BytesIO(text), keep_default_na=False, na_values=[""], dtype=kinds)
    return table.reindex(columns=list(COLUMNS))


def _row(claim: Claim, dataset: xr.Dataset) -> dict[str, Any]:
    measured = measure(claim, dataset)
    values = measured.values[~np.isnan(measured.values)]
    ours = values.mean() if values.size else np.nan
    relation, paper = _bound(claim)
    tolerance = claim.tolerance or 0.0
    diverged = _seeds(claim, dataset)[1]
    if claim.compared is not None:
        diverged |= _seeds(replace(claim, select=claim.other or {}), dataset)[1]
    verdict = _verdict(ours, relation, paper, tolerance)
    if verdict == NOT_MEASURED and diverged:
        verdict = DIVERGED
    held = [_verdict(value, relation, paper, tolerance) == HOLDS for value in values]
    per_seed = measured.ndim > 0
    return {
        "claim": claim.name,
        "source": claim.source,
        "relation": relation,
        "paper": paper,
        "ours": ours,
        "sd": values.std(ddof=1) if values.size > 1 else np.nan,
        "seeds": values.size if per_seed else None,
        "missing": measured.size - values.size if per_seed else None,
        "holding": sum(held) if per_seed else None,
        "diverged": divergence.of_seeds(diverged),
        "tolerance": np.nan if claim.tolerance is None else claim.tolerance,
        "verdict": verdict,
        "because": "" if verdict == HOLDS else claim.because or "",
    }


def _bound(claim: Claim) -> tuple[str, float]:
    """The relation of the claim's value to a number, and the number."""
    if claim.compared in ("below", "above"):
        return claim.compared, 0.0
    return next(
        (relation, number)
        for relation, number in (
            ("equals", claim.expected),
            ("at least", claim.at_least),
            ("at most", claim.at_most),
        )
        if number is not None
    )


def _verdict(ours: float, relation: str, paper: float, tolerance: float) -> str:
    if np.isnan(ours):
        return NOT_MEASURED
    held = {
        "equals": abs(ours - paper) <= tolerance + _ROUNDING,
        "at least": ours >= paper - _ROUNDING,
        "at most": ours <= paper + _ROUNDING,
        "below": ours < paper,
        "above": ours > paper,
    }
    return HOLDS if held[relation] else DIFFERS


def measure(claim: Claim, dataset: xr.Dataset) -> xr.DataArray:
    """The values that the claim is about, float64: (seed,), or () where the variable has no seeds.

    Raises InterpflowError as `pick` does.
    """
    here = pick(claim, dataset)
    if claim.compared is None:
        return here
    there = pick(replace(claim, select=claim.other or {}), dataset, claim.compared)
    return here / there.where(there != 0) if claim.compared == "ratio_to" else here - there


def pick(claim: Claim, dataset: xr.Dataset, key: str = "select") -> xr.DataArray:
    """The values that `select` picks, float64: (seed,), or () if the variable has no seeds.

    `select`, which stands under `key` in the spec, may name any coordinate or variable that runs along dims of
    the claim's variable.  With `first_step` it picks curves, and a value is a step, NaN if no step is beyond
    the number.  A seed of the experiment without a value is NaN; if every seed diverged, all are.
    Raises InterpflowError, with the names that there are, for an unknown name or several values of a seed.
    """
    seeds, diverged = _seeds(claim, dataset)
    there = dataset.get(claim.variable)
    if seeds and seeds == list(diverged) and (there is None or "seed" in there.dims):
        return xr.DataArray(np.full(len(seeds), np.nan), {"seed": seeds})
    if claim.variable not in dataset.data_vars:
        has = way_out(claim.variable, map(str, dataset.data_vars))
        raise _refusal(claim, "variable", f"no variable {describe(claim.variable)}", has)
    array = dataset[claim.variable]
    wanted = xr.ones_like(array, dtype=bool)
    for coordinate, value in claim.select.items():
        wanted &= _matches(claim, (key, coordinate), value, dataset, array)

    kept = [dim for dim in array.dims if dim in ("seed", *([STEP] if claim.first_step else []))]
    rest = [dim for dim in array.dims if dim not in kept]
    count = wanted.sum(rest)
    if not wanted.any():
        chosen = listed(f"{name}: {value}" for name, value in claim.select.items())
        raise InterpflowError(f"claims.{claim.name}.{key}: no value has all of {chosen} together")
    if (count > 1).any():
        raise InterpflowError(f"claims.{claim.name}.{key}: {_too_many(wanted, array, rest)}")
    # Each sum has at most one wanted value and adds 0 to it, so it is exact.
    values = array.astype(np.float64).where(wanted, 0.0).sum(rest, skipna=False)
    if claim.first_step:
        values, count = _first_step(values.where(count > 0), claim.first_step), count.max(STEP)
    if "seed" not in kept:
        return values
    found = values[(count > 0).values]
    return found.reindex(seed=seeds) if seeds else found


def _first_step(curves: xr.DataArray, beyond: Mapping[str, float]) -> xr.DataArray:
    """The first step (…) at which each curve (…, step) is `above` or `below` a number, NaN if it never is."""
    ((side, number),) = beyond.items()
    passed = curves > number if side == "above" else curves < number
    steps = curves[STEP].astype(np.float64)
    return steps.where(passed).min(STEP)


def _seeds(claim: Claim, dataset: xr.Dataset) -> tuple[list[int], dict[int, int]]:
    """The seeds of the claim's experiment that it asks about, and the step of each that diverged.

    Both are empty if the dataset names no seeds, or the claim no single experiment.
    """
    names = dataset["experiment"] if "experiment" in dataset.dims else xr.DataArray([])
    for key, value in claim.select.items():
        if key in dataset.variables and dataset[key].dims == names.dims:
            names = names[(dataset[key] == value).sel(experiment=names).values]
    if names.size != 1:
        return [], {}
    (experiment,) = names.values.tolist()
    every = json.loads(dataset.attrs.get("seeds", "{}")).get(experiment, [])
    seeds = [seed for seed in every if claim.select.get("seed", seed) == seed]
    diverged = divergence.read(dataset.attrs).get(experiment, {})
    return seeds, {seed: diverged[seed] for seed in seeds if seed in diverged}


def _matches(
    claim: Claim, place: tuple[str, str], value: Any, dataset: xr.Dataset, array: xr.DataArray
) -> xr.DataArray:
    """Where the coordinate or variable that `place` ends in is `value`: dims among those of `array`."""
    key, where = place[1], ".".join(place)
    labels = [
        str(name)
        for name, label in dataset.variables.items()
        if set(label.dims) <= set(array.dims) and name != array.name
    ]
    if key not in labels:
        message = f"'{claim.variable}' runs along no coordinate {describe(key)}"
        raise _refusal(claim, where, message, way_out(key, labels))
    label = dataset[key]
    matches: xr.DataArray = label == value
    if not matches.any():
        words = dict.fromkeys(str(known) for known in label.values.ravel().tolist())
        has = way_out(str(value), words)
        raise _refusal(claim, where, f"found {describe(value)}", has)
    return matches


def _refusal(claim: Claim, key: str, message: str, has: str) -> InterpflowError:
    return InterpflowError(
        f"claims.{claim.name}.{key}: {message}; analysis '{claim.data}' has: {has}"
    )


def _too_many(wanted: xr.DataArray, array: xr.DataArray, rest: Sequence[Any]) -> str:
    """The message that several values are left along a dim, with the labels that would choose among them."""
    for dim in rest:
        left = wanted.any([other for other in array.dims if other != dim]).values
        if left.sum() > 1:
            break
    labels = map(str, array[dim].values[left].tolist())
    return f"picks {left.sum()} values along '{dim}': {listed(labels)}; add `{dim}: <one of them>`"
