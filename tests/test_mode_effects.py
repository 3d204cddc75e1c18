"""Effects of ablations are sorted by what the ablated heads are."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from interpflow.analyses import mode_effects
from interpflow.analyses.ablation import MEASURES
from interpflow.errors import InterpflowError


def findings() -> dict[str, xr.Dataset]:
    """Seed 0: a whole and a suppressing head; seed 1: two whole ones."""
    modes = xr.Dataset(
        {
            "head_mode": (
                ("seed", "step", "head"),
                [[["whole", "suppressing"]], [["whole", "whole"]]],
            )
        },
        {"seed": [0, 1], "step": [10]},
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


def test_findings_that_lack_one_of_the_two_are_refused():
    with pytest.raises(InterpflowError, match="no analysis by the method ablation"):
        mode_effects.analyse({"modes": findings()["modes"]}, mode_effects.Options())
