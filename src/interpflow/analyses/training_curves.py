"""Loss and accuracy over training, as they were measured on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from interpflow.section import Section
from interpflow.variables import HISTORY, Variable

if TYPE_CHECKING:
    from interpflow.runs import Runs


class Options(Section):
    """Nothing to choose: all that was measured, at every checkpoint kept."""


VARIABLES = {
    name: Variable(("seed", "step"), measured.units, measured.long_name)
    for name, measured in HISTORY.items()
}

NEEDS = "runs"
OVER_TRAINING = True


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """The history of every seed."""
    return runs.history.drop_attrs().transpose("seed", "step")
