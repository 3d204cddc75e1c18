"""Seeds that diverged in training, as every file that rests on them says.

The attribute `diverged` of a dataset holds {experiment: {seed: step}} as JSON: the first step, counted from 1,
whose loss or weights were not finite.  Where no seed diverged there is no such attribute.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import xarray as xr

Diverged = dict[str, dict[int, int]]

ATTRIBUTE = "diverged"


def read(attrs: Mapping[Any, Any]) -> Diverged:
    """The diverged seeds that the attributes of a dataset name."""
    said = json.loads(attrs.get(ATTRIBUTE, "{}"))
    return {
        name: {int(seed): int(step) for seed, step in steps.items()} for name, steps in said.items()
    }


def joined(datasets: Iterable[xr.Dataset]) -> Diverged:
    """The diverged seeds that `datasets` name together."""
    found: Diverged = {}
    for dataset in datasets:
        for experiment, steps in read(dataset.attrs).items():
            found.setdefault(experiment, {}).update(steps)
    return found


def attrs(found: Diverged) -> dict[str, str]:
    """The attribute that says `found`; none where no seed diverged."""
    return {ATTRIBUTE: json.dumps(found, sort_keys=True)} if any(found.values()) else {}


def words(found: Diverged) -> str:
    """`hot: seed 0 at step 3, seed 1 at step 4; …`, or nothing."""
    return "; ".join(f"{experiment}: {of_seeds(steps)}" for experiment, steps in found.items())


def of_seeds(steps: Mapping[int, int]) -> str:
    """`seed 0 at step 3, seed 1 at step 4`."""
    return ", ".join(f"seed {seed} at step {steps[seed]}" for seed in sorted(steps))
