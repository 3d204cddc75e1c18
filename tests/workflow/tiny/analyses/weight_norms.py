"""How large the embedding of each seed is."""

from __future__ import annotations

from pydantic import PositiveInt

from interpflow.section import Section
from interpflow.variables import Variable


class Options(Section):
    """The norm's power."""

    power: PositiveInt = 2


VARIABLES = {"norm": Variable(("seed",), "1", "norm of the embedding")}
NEEDS = "runs"


def analyse(runs, options):
    """The mean absolute weight to `power`, after training."""
    last = abs(runs.labelled["W_E"].isel(step=-1)) ** options.power
    return last.mean(("d_vocab", "d_model")).to_dataset(name="norm")
