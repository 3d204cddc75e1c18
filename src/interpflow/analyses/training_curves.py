"""Loss and accuracy over training, as they were measured on the way."""

from __future__ import annotations

import xarray as xr

from interpflow.section import Section
from interpflow.variables import HISTORY, Variable


class Options(Section):
    """Nothing to choose: all that was measured, at every checkpoint kept."""


VARIABLES = {
    name: Variable(("seed", "step"), measured.units, measured.long_name)
    for name, measured in HISTORY.items()
}

NEEDS = "runs"


def analyse(runs, options: Options) -> xr.Dataset:  # type: ignore[no-untyped-def]
    """The history of every seed."""
    return runs.history.drop_attrs().transpose("seed", "step")
