"""What modes are worth: effects of ablating the heads of one mode, and the loss of the models of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import xarray as xr

from interpflow.analyses.ablation import MEASURES
from interpflow.analyses.head_modes import HEAD_MODES, MODES
from interpflow.errors import InterpflowError
from interpflow.section import Section
from interpflow.selection import Layer
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known


class Options(Section):
    """The spec's `data` names one `head_modes` and one `ablation` of the same layer."""

    layer: Layer = 0


_DIMS = ("seed", "ablation", "head_mode")
VARIABLES = {
    "heads": Variable(("seed", "head_mode"), "1", "number of heads of this mode"),
    **{
        f"{name}_change": Variable(_DIMS, unit, f"change of {words}, mean over heads of the mode")
        for name, (unit, words) in MEASURES.items()
    },
    "models": Variable(("model_mode",), "1", "number of seeds whose model has this mode"),
    "model_loss": Variable(
        ("model_mode",), "1", "mean loss over sequences and over the models of this mode, intact"
    ),
}

NEEDS = "findings"
METHODS = ("head_modes", "ablation")


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"head_mode": HEAD_MODES, "model_mode": MODES}


def analyse(findings: Mapping[str, xr.Dataset], options: Options) -> xr.Dataset:
    """Changes against the intact model, and losses of intact ones.

    A seed without a head of the mode is NaN, and so is the loss of a mode that no seed has.
    """
    found_modes = _with(findings, "head_mode", "head_modes").isel(step=-1)
    modes = found_modes["head_mode"]
    effects = _with(findings, "intact_loss", "ablation").isel(layer=options.layer, drop=True)
    of = (modes == xr.DataArray(list(HEAD_MODES), dims="head_mode")).transpose("seed", "head", ...)
    if of.sizes["head"] != effects.sizes["head"]:
        raise InterpflowError("mode_effects: the two analyses are of different heads")
    found = {"heads": of.sum("head")}
    for name in MEASURES:
        change = effects[name] - effects[f"intact_{name}"]
        found[f"{name}_change"] = change.where(of).mean("head").transpose(*_DIMS)
    is_mode = found_modes["is_mode"] == 1
    found["models"] = is_mode.sum("seed")
    found["model_loss"] = effects["intact_loss"].where(is_mode).mean("seed")
    dataset = xr.Dataset(found).assign_coords(head_mode=list(HEAD_MODES))
    return dataset.drop_vars(["step", "checkpoint"], errors="ignore").drop_attrs()


def _with(findings: Mapping[str, xr.Dataset], variable: str, method: str) -> xr.Dataset:
    for dataset in findings.values():
        if variable in dataset:
            return dataset
    raise InterpflowError(f"mode_effects: data names no analysis by the method {method}")
