"""Powers of t have their slopes, logarithms have theirs, and other curves those of a line fitted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from interpflow.analyses import slopes
from interpflow.errors import InterpflowError

STEPS = np.unique([0, *np.logspace(0, 4, 41).astype(int)])
T = np.maximum(STEPS, 1)


def found(log: bool, *seeds: np.ndarray, **options) -> xr.Dataset:
    made = xr.Dataset(
        {"made": (("seed", "step"), np.stack(seeds))}, {"seed": range(len(seeds)), "step": STEPS}
    )
    curves = {"one": {"data": "from", "variable": "made", "log": log}}
    return slopes.analyse({"from": made}, slopes.Options(curves=curves, **options)).sel(curve="one")


@pytest.mark.parametrize("power", [-1.0, -0.5, 2.0])
def test_a_power_of_the_step_has_its_exponent_as_slope_everywhere(power):
    result = found(True, 3.0 * T**power)
    assert result["slope"].item() == pytest.approx(power)
    np.testing.assert_allclose(result["local_slope"], power)
    assert result["correlation"].item() == pytest.approx(np.sign(power))
    np.testing.assert_allclose(result["curve_value"][0], 3.0 * result["step"].values ** power)


def test_a_logarithm_gains_as_much_for_every_factor_of_e():
    result = found(False, 5.0 + 2.0 * np.log(T))
    assert result["slope"].item() == pytest.approx(2.0)
    np.testing.assert_allclose(result["local_slope"], 2.0)


def test_only_the_steps_asked_for_count():
    bent = np.where(T < 100, 1.0, 100.0 / T)
    result = found(True, bent, since=100, until=5000)
    assert (result["step"].values.min(), result["step"].values.max()) == (100, 3981)
    assert result["slope"].item() == pytest.approx(-1.0)
    assert found(True, bent)["slope"].item() > -0.9


def test_the_slope_of_a_noisy_curve_is_that_of_the_fitted_line():
    noisy = np.random.default_rng(0).normal(size=(2, len(STEPS)))
    result, x = found(False, *noisy, since=1), np.log(STEPS[1:])
    for seed in range(2):
        slope, _ = np.polyfit(x, noisy[seed, 1:], 1)
        assert result["slope"].values[seed] == pytest.approx(slope)
        expected = np.corrcoef(x, noisy[seed, 1:])[0, 1]
        assert result["correlation"].values[seed] == pytest.approx(expected)


def test_lines_begin_on_the_curve_and_have_the_slopes_asked_for():
    result = found(True, 1.0 / T**2, 7.0 / T, since=10, powers=[-1.0, -0.5])
    for seed, start in enumerate((1.0 / 100, 0.7)):
        for power in (-1.0, -0.5):
            line = result["line"].sel(seed=seed, power=power)
            np.testing.assert_allclose(line, start * (result["step"] / 10.0) ** power)


def test_a_slope_of_two_checkpoints_is_refused():
    with pytest.raises(InterpflowError, match="since: 2 checkpoints from step 7000 on"):
        found(False, 1.0 * T, since=7000)
