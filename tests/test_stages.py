"""Boundaries are found where curves that were built bend, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from interpflow.analyses import stages
from interpflow.errors import InterpflowError

STEPS = np.unique(np.logspace(0, 4, 41).astype(int))


def bent(*corners: tuple[float, float], noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """A curve over STEPS through `corners` (step, value), straight over log steps between them."""
    at, values = np.log([step for step, _ in corners]), [value for _, value in corners]
    curve = np.interp(np.log(STEPS), at, values)
    return curve + noise * np.random.default_rng(seed).normal(size=len(STEPS))


def findings(**curves: np.ndarray) -> dict[str, xr.Dataset]:
    return {
        "made": xr.Dataset(
            {name: (("seed", "step"), curve[None]) for name, curve in curves.items()},
            {"seed": [0], "step": STEPS},
        )
    }


def options(*curves: str, **others) -> stages.Options:
    named = {name: {"data": "made", "variable": name} for name in curves}
    return stages.Options(curves=named, **others)


def begins(found: xr.Dataset) -> list[float]:
    return found["boundary"].isel(seed=0).dropna("stage").values.tolist()


LOSS = ((1, 4.0), (100, 0.5), (1000, 0.4), (10000, 0.3))
LLC = ((1, 0.0), (100, 20.0), (1000, 20.0), (10000, 8.0))


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_two_curves_that_bend_at_two_places_have_three_stages(noise):
    made = findings(loss=bent(*LOSS, noise=noise), llc=bent(*LLC, noise=5 * noise, seed=1))
    found = stages.analyse(made, options("loss", "llc"))
    assert found["stages"] == 3
    assert begins(found)[1:] == pytest.approx([100, 1000], rel=0.35)
    trend = found["trend"].sel(curve="llc").isel(seed=0).values.tolist()
    assert trend == ["rises", "flat", "falls", "", ""]


def test_a_straight_line_is_one_stage():
    found = stages.analyse(findings(loss=bent((1, 4.0), (10000, 1.0), noise=0.01)), options("loss"))
    assert found["stages"] == 1
    assert begins(found) == [1]
    assert found["change"].sel(stage=1, curve="loss").item() == pytest.approx(-1, abs=0.05)


def test_noise_alone_is_one_stage():
    flat = findings(loss=bent((1, 1.0), (10000, 1.0), noise=0.1))
    assert stages.analyse(flat, options("loss"))["stages"] == 1


def test_the_plateau_before_learning_is_no_stage():
    loss, llc = ((1, 4.0), (30, 4.0), *LOSS[1:]), ((1, 0.0), (30, 0.0), *LLC[1:])
    found = stages.analyse(findings(loss=bent(*loss), llc=bent(*llc)), options("loss", "llc"))
    assert found["stages"] == 3
    assert found["plateau"].item() == begins(found)[0] == pytest.approx(30, rel=0.1)
    assert begins(found)[1:] == pytest.approx([100, 1000], rel=0.1)
    first = found["change"].sel(stage=1).isel(seed=0)
    assert first.sel(curve="loss") < -0.7
    assert first.sel(curve="llc") > 0.7


def test_what_learns_at_once_has_no_plateau():
    found = stages.analyse(findings(loss=bent(*LOSS), llc=bent(*LLC)), options("loss", "llc"))
    assert found["plateau"].item() == STEPS[0]


def test_a_checkpoint_whose_estimate_failed_is_left_out():
    llc = bent(*LLC)
    llc[20] = np.nan
    found = stages.analyse(findings(loss=bent(*LOSS), llc=llc), options("loss", "llc"))
    assert found["stages"] == 3


@pytest.mark.parametrize("every", [1, 2, 4])
def test_what_changes_between_two_checkpoints_belongs_to_the_stage_before(every):
    """However few checkpoints there are, stages together change by what the curve changes."""
    fall = ((1, 1.0), (80, 1.0), (100, 0.0), (10000, 0.0))
    climb = ((1, 0.0), (100, 1.0), (10000, 1.0))
    made = {
        name: each.isel(step=slice(None, None, every))
        for name, each in findings(loss=bent(*fall), accuracy=bent(*climb)).items()
    }
    found = stages.analyse(made, options("loss", "accuracy"))
    total = found["change"].sum("stage").isel(seed=0)
    assert total.sel(curve="loss").item() == pytest.approx(-1, abs=0.1)
    assert total.sel(curve="accuracy").item() == pytest.approx(1, abs=0.1)
    assert found["change"].isel(seed=0, stage=0).sel(curve="loss") < -0.8


@pytest.mark.parametrize("lacking", ["loss", "llc", "both"])
def test_a_seed_without_an_estimate_has_no_number_of_stages(lacking):
    one = findings(loss=bent(*LOSS), llc=bent(*LLC))["made"]
    empty = one.assign_coords(seed=[1])
    for name in ("loss", "llc") if lacking == "both" else (lacking,):
        empty[name] = empty[name] * np.nan
    found = stages.analyse({"made": xr.concat([one, empty], "seed")}, options("loss", "llc"))
    assert found["stages"].values.tolist() == [3, pytest.approx(np.nan, nan_ok=True)]


def test_curves_of_different_checkpoints_meet_where_both_have_one():
    made = findings(loss=bent(*LOSS))
    rare = findings(llc=bent(*LLC))["made"].isel(step=slice(None, None, 2))
    curves = {
        "loss": {"data": "made", "variable": "loss"},
        "llc": {"data": "rare", "variable": "llc"},
    }
    found = stages.analyse(made | {"rare": rare}, stages.Options(curves=curves))
    assert found["step"].values.tolist() == rare["step"].values.tolist()


@pytest.mark.parametrize(
    ("curve", "message"),
    [
        ({"data": "mode", "variable": "loss"}, "no analysis 'mode' among made"),
        ({"data": "made", "variable": "lost"}, "no 'lost' in made; it has loss"),
        ({"data": "made", "variable": "loss", "select": {"group": "all"}}, "select: made has no"),
    ],
)
def test_a_curve_that_is_not_there_is_named(curve, message):
    with pytest.raises(InterpflowError, match=message):
        stages.analyse(findings(loss=bent(*LOSS)), stages.Options(curves={"loss": curve}))
