"""A power of the abscissa has its exponent, of models of one size the best counts, and gaps stay gaps."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from interpflow.analyses import power_law
from interpflow.errors import InterpflowError

SIZES = {"small 1": 8, "small 2": 8, "middle": 32, "large": 128, "other": 5}


def found(values: np.ndarray, **fit) -> xr.Dataset:
    """Fits of `values` (seed, experiment), for the experiments of SIZES."""
    findings = {
        f"capacity/{name}": xr.Dataset(
            {"held": ("seed", values[:, at]), "size": size, "by_part": ("part", np.ones(2))},
            {"seed": range(len(values)), "part": ["a", "b"]},
        )
        for at, (name, size) in enumerate(SIZES.items())
    }
    findings["beside/large"] = findings["capacity/large"] * 7
    given = {"data": "capacity", "variable": "held", "over": "size", **fit}
    return power_law.analyse(findings, power_law.Options(fits={"one": given})).sel(fit="one")


@pytest.mark.parametrize("power", [-0.5, 1.0, 2.0])
def test_a_power_has_its_exponent_and_its_factor(power):
    sizes = np.array([*SIZES.values()], dtype=float)
    result = found(np.stack([3 * sizes**power, 7 * sizes**power]))
    np.testing.assert_allclose(result["exponent"], power)
    np.testing.assert_allclose(result["factor"], [3, 7])
    np.testing.assert_allclose(result["correlation"], np.sign(power))
    np.testing.assert_allclose(result["line"], result["largest"])
    assert result["points"] == 4


def test_of_models_of_one_size_the_largest_value_counts_and_other_experiments_do_not():
    result = found(np.array([[1.0, 2.0, 8.0, 32.0, 999.0], [2.0, 1.0, 8.0, 32.0, 999.0]]))
    assert result["largest"].sel(over=8).values.tolist() == [2, 2]
    assert found(np.array([[2.0, 1, 8, 32, 999]]), experiment="*l*")["points"] == 3
    least = np.array([[2.0, 1.0, 8.0, 32.0, 999.0]])
    one, fewer = found(least), found(least, experiment="[sml]*")
    assert fewer["exponent"].item() == pytest.approx(1) != one["exponent"].item()


def test_the_line_is_that_of_least_squares_through_logarithms():
    values = np.random.default_rng(0).uniform(1, 9, size=(2, 5))
    values[:, 1] = 0.0  # is not the largest of its size
    result, x = found(values), np.log([5.0, 8.0, 32.0, 128.0])
    for seed in range(2):
        slope, constant = np.polyfit(x, np.log(values[seed, [4, 0, 2, 3]]), 1)
        assert result["exponent"][seed].item() == pytest.approx(slope)
        np.testing.assert_allclose(np.log(result["line"][seed]), constant + slope * x)


def test_a_seed_that_lacks_values_or_has_none_above_zero_is_fitted_to_what_is_left():
    values = np.array([[1.0, 1, 4, 16, 5], [1.0, 1, np.nan, 16, 5], [0.0, 0, 4, np.nan, 0]])
    result = found(values, experiment="[sml]*")
    np.testing.assert_allclose(result["exponent"], [1.0, 1.0, np.nan])
    assert result["points"] == 0 and np.isnan(result["line"][2]).all()


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        ({"variable": "by_part"}, r"fits\.one: by_part runs along part"),
        ({"over": "by_part"}, r"fits\.one\.over: by_part runs along part; it takes one number"),
        ({"variable": "hold"}, r"fits\.one\.variable: no 'hold' in capacity/small 1"),
        ({"variable": "by_part", "select": {"part": "c"}}, r"fits\.one\.select: capacity has no"),
        ({"experiment": "huge*"}, r"fits\.one\.experiment: capacity is of no experiment 'huge\*'"),
    ],
)
def test_what_is_no_number_of_an_experiment_is_refused(fit, message):
    with pytest.raises(InterpflowError, match=message):
        found(np.ones((1, 5)), **fit)
