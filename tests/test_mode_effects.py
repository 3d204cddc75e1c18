"""Effects of ablations are sorted by what the ablated heads are."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from interpflow.analyses import mode_effects
from interpflow.analyses.ablation import MEASURES
from interpflow.analyses.head_modes import MODES
from interpflow.errors import InterpflowError


def findings() -> dict[str, xr.Dataset]:
    """Seed 0: a whole and a suppressing head; seed 1: two whole ones."""
    modes = xr.Dataset(
        {
            "head_mode": (
                ("seed", "step", "head"),
                [[["whole", "suppressing"]], [["whole", "whole"]]],
            ),
            "is_mode": (
                ("seed", "step", "model_mode"),
                [
                    [[mode == "copy_suppression" for mode in MODES]],
                    [[mode == "overlapping" for mode in MODES]],
                ],
            ),
        },
        {"seed": [0, 1], "step": [10], "model_mode": list(MODES)},
    )
    dims = ("seed", "ablation", "layer", "head")
    loss = np.array([[2.0, 1.1], [3.0, 5.0]]).reshape(2, 1, 1, 2)
    ablation = xr.Dataset(
        {
            **dict.fromkeys(MEASURES, (dims, loss)),
            **{f"intact_{name}": ("seed", [1.0, 1.0]) for name in MEASURES},
        },
        {"seed": [0, 1], "ablation": ["zero"]},
    )
    return {"modes": modes, "ablation": ablation}


def test_changes_are_means_over_the_heads_of_a_mode():
    found = mode_effects.analyse(findings(), mode_effects.Options())
    change = found["loss_change"].sel(ablation="zero")
    assert change.sel(head_mode="whole").values == pytest.approx([1.0, 3.0])
    assert change.sel(head_mode="suppressing", seed=0) == pytest.approx(0.1)
    assert change.sel(head_mode="suppressing", seed=1).isnull()
    assert found["heads"].sel(head_mode="whole").values.tolist() == [1, 2]


def test_the_loss_of_a_mode_is_that_of_the_models_that_have_it():
    given = findings()
    given["ablation"]["intact_loss"][:] = [0.3, 0.5]
    found = mode_effects.analyse(given, mode_effects.Options())
    assert found["model_loss"].sel(model_mode="copy_suppression") == 0.3
    assert found["model_loss"].sel(model_mode="overlapping") == 0.5
    assert found["model_loss"].sel(model_mode="single").isnull()
    assert found["models"].sel(model_mode=["overlapping", "single"]).values.tolist() == [1, 0]


def test_findings_that_lack_one_of_the_two_are_refused():
    with pytest.raises(InterpflowError, match="no analysis by the method ablation"):
        mode_effects.analyse({"modes": findings()["modes"]}, mode_effects.Options())
