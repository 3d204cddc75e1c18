"""A scorecard says what was measured: no more seeds than there are, and no number that was not asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.record.scorecard import read, score
from interpflow.spec.study import Claim

NAN = float("nan")


def findings(*accuracy: float) -> xr.Dataset:
    """Findings on the experiments one and two; `accuracy` of each seed for one, layer 0."""
    values = np.full((2, len(accuracy), 3), -1.0)
    values[0, :, 0] = accuracy
    return xr.Dataset(
        {
            "accuracy": (("experiment", "seed", "layer"), values),
            "majority": ("experiment", [0.25, 0.5]),
            "width": (("experiment", "layer"), [[8.0, 16.0, 32.0], [8.0, 16.0, NAN]]),
            "counts": (("experiment", "seed", "layer"), np.ones_like(values, dtype=np.int32)),
        },
        {
            "experiment": ["one", "two"],
            "seed": range(len(accuracy)),
            "layer": [0, 1, 2],
            "rate": ("experiment", [0.005, 0.1]),
            "wide": ("experiment", [True, False]),
        },
    )


HERE = {"experiment": "one", "layer": 0}


def claim(select=HERE, variable="accuracy", because=None, **bound) -> Claim:
    number = {"expected": None, "at_least": None, "at_most": None, "tolerance": None}
    number |= bound or {"expected": 0.0, "tolerance": 0.0}  # or two places, or the first step
    return Claim(
        name="probe", data="probes", variable=variable, select=dict(select),
        source="a table", because=because, **number,
    )  # fmt: skip


def row(claim: Claim, dataset: xr.Dataset) -> pd.Series:
    return score([claim], {"probes": dataset}).iloc[0]


def test_ours_is_the_mean_over_seeds_with_their_sample_standard_deviation():
    found = row(claim(), findings(0.5, 0.7, 0.9))
    assert found["ours"] == pytest.approx(0.7)
    assert found["sd"] == pytest.approx(0.2)
    assert (found["seeds"], found["missing"]) == (3, 0)


@pytest.mark.parametrize("text", ["3.10", "1e5", "007", "true", "nan", "n/a", "1,5\n2"])
def test_text_in_a_scorecard_stays_text(tmp_path, text):
    card = score([replace(claim(because=text), source=text)], {"probes": findings(0.5, 0.7)})
    card.to_csv(tmp_path / "claims.csv", index=False)
    (back,) = read(tmp_path / "claims.csv").to_dict("records")
    assert (back["source"], back["because"]) == (text, text)
    assert (back["seeds"], back["ours"]) == (2, pytest.approx(0.6))


def test_one_seed_has_no_spread():
    assert np.isnan(row(claim(), findings(0.5))["sd"])


@pytest.mark.parametrize(
    ("ours", "bound", "verdict"),
    [
        (0.75, {"expected": 0.8, "tolerance": 0.05}, "holds"),
        (0.85, {"expected": 0.8, "tolerance": 0.05}, "holds"),
        (0.35, {"expected": 0.3, "tolerance": 0.05}, "holds"),
        (0.351, {"expected": 0.3, "tolerance": 0.05}, "differs"),
        (0.74, {"expected": 0.8, "tolerance": 0.05}, "differs"),
        (1.0, {"expected": 1.0, "tolerance": 0.0}, "holds"),
        (0.9, {"at_least": 0.9}, "holds"),
        (0.899, {"at_least": 0.9}, "differs"),
        (1.5, {"at_least": 0.9}, "holds"),
        (0.0, {"at_most": 0.0}, "holds"),
        (0.06, {"at_most": 0.05}, "differs"),
        (float("inf"), {"expected": 0.5, "tolerance": 1.0}, "differs"),
    ],
)
def test_verdict(ours, bound, verdict):
    found = row(claim(**bound), findings(ours))
    assert found["verdict"] == verdict
    assert found["paper"] == next(iter(bound.values()))
    assert found["relation"] == next(iter(bound)).replace("_", " ").replace("expected", "equals")


def test_seeds_without_a_value_are_counted_and_do_not_pull_the_mean():
    found = row(claim(), findings(0.5, NAN, 0.7, NAN))
    assert found["ours"] == pytest.approx(0.6)
    assert (found["seeds"], found["missing"]) == (2, 2)


def test_what_no_seed_has_is_not_measured_rather_than_right_or_wrong():
    found = row(claim(at_most=1.0), findings(NAN, NAN))
    assert found["verdict"] == "not measured"
    assert np.isnan(found["ours"])
    assert (found["seeds"], found["missing"]) == (0, 2)


def test_a_variable_without_seeds_is_one_value():
    found = row(claim({"experiment": "two"}, "majority"), findings(0.1, 0.2))
    assert found["ours"] == 0.5
    assert found["seeds"] is pd.NA
    assert found["missing"] is pd.NA


def test_integers_are_claimed_as_numbers():
    assert row(claim(variable="counts", at_least=1), findings(0.1))["verdict"] == "holds"


@pytest.mark.parametrize(
    "select",
    [
        {"rate": 0.005, "layer": 0},
        {"wide": True, "layer": 0},
        {"experiment": "one", "width": 8},
        {"wide": True, "rate": 0.005, "layer": 0, "experiment": "one"},
    ],
)
def test_select_takes_coordinates_and_variables_along_the_same_dims(select):
    assert row(claim(select), findings(0.5, 0.7))["ours"] == pytest.approx(0.6)


def test_a_claim_can_be_on_one_seed():
    found = row(claim({**HERE, "seed": 1}), findings(0.5, 0.7))
    assert found["ours"] == 0.7
    assert (found["seeds"], found["missing"]) == (1, 0)


@pytest.mark.parametrize(
    ("select", "variable", "message"),
    [
        (
            HERE, "acuracy",
            "claims.probe.variable: no variable 'acuracy'; analysis 'probes' has: accuracy, majority, "
            "width, counts; did you mean 'accuracy'?",
        ),
        (
            {"experiment": "tow", "layer": 0}, "accuracy",
            "claims.probe.select.experiment: found 'tow'; analysis 'probes' has: one, two; "
            "did you mean 'two'?",
        ),
        (
            {"experiment": "one", "layer": 3}, "accuracy",
            "claims.probe.select.layer: found 3; analysis 'probes' has: 0, 1, 2",
        ),
        (
            {"experiment": "one", "layr": 0}, "accuracy",
            "claims.probe.select.layr: 'accuracy' runs along no coordinate 'layr'; analysis 'probes' "
            "has: majority, width, counts, experiment, seed, layer, rate, wide; did you mean 'layer'?",
        ),
        (
            {"experiment": "one", "layer": 0}, "majority",
            "claims.probe.select.layer: 'majority' runs along no coordinate 'layer'; analysis 'probes' "
            "has: experiment, rate, wide",
        ),
        (
            {"experiment": "one", "layer": "0"}, "accuracy",
            "claims.probe.select.layer: found '0'; analysis 'probes' has: 0, 1, 2; did you mean '0'?",
        ),
        (
            {"experiment": "one"}, "accuracy",
            "claims.probe.select: picks 3 values along 'layer': 0, 1, 2; add `layer: <one of them>`",
        ),
        (
            {}, "majority",
            "claims.probe.select: picks 2 values along 'experiment': one, two; "
            "add `experiment: <one of them>`",
        ),
        (
            {"experiment": "two", "rate": 0.005, "layer": 0}, "accuracy",
            "claims.probe.select: no value has all of experiment: two, rate: 0.005, layer: 0 together",
        ),
    ],
)  # fmt: skip
def test_a_claim_that_picks_nothing_or_several_values_is_refused(select, variable, message):
    with pytest.raises(InterpflowError) as refused:
        score([claim(select, variable)], {"probes": findings(0.1, 0.2)})
    assert str(refused.value) == message


def test_the_reason_stands_in_the_rows_that_do_not_hold_and_in_no_other():
    rows = score(
        [claim(because="so", at_least=1), claim(because="so", at_least=0), claim(at_least=1)],
        {"probes": findings(0.5)},
    )
    assert list(rows["because"]) == ["so", "", ""]


def test_a_table_has_a_row_for_each_claim_in_the_order_of_the_spec():
    stated = [claim(at_least=bound) for bound in (0.3, 0.1, 0.2)]
    assert list(score(stated, {"probes": findings(0.5)})["paper"]) == [0.3, 0.1, 0.2]
    assert list(score([], {}).columns) == list(score(stated, {"probes": findings(0.5)}).columns)


def test_a_verdict_is_by_the_mean_and_says_in_how_many_seeds_it_holds():
    found = row(claim(at_least=0.9), findings(1.0, 0.7, 1.0, NAN))
    assert found["verdict"] == "holds"
    assert (found["holding"], found["seeds"], found["missing"]) == (2, 3, 1)


def test_the_seeds_of_a_claim_can_all_differ_where_their_mean_holds():
    found = row(claim(expected=0.5, tolerance=0.1), findings(0.0, 1.0))
    assert (found["verdict"], found["holding"]) == ("holds", 0)


def test_what_has_no_seeds_counts_none():
    assert (
        row(claim({"experiment": "two"}, "majority", at_most=1), findings(0.1))["holding"] is pd.NA
    )


def two_places(first, second) -> xr.Dataset:
    """Findings with these values in each seed at layers 0 and 1 of the experiment one."""
    dataset = findings(*first)
    dataset["accuracy"][0, :, 1] = second
    return dataset


THERE = {"experiment": "one", "layer": 1}


@pytest.mark.parametrize(
    ("first", "compared", "verdict", "holding"),
    [
        ([0.1, 0.9], "below", "holds", 1),
        ([0.9, 0.9], "below", "differs", 0),
        ([0.9, 0.9], "above", "holds", 2),
        ([0.6, 0.5], "below", "differs", 0),
        ([0.7, 0.5], "above", "holds", 1),
    ],
)
def test_one_place_is_below_or_above_another(first, compared, verdict, holding):
    dataset = two_places(first, [0.6, 0.5])
    found = row(claim(compared=compared, other=THERE, tolerance=None), dataset)
    assert (found["relation"], found["paper"]) == (compared, 0.0)
    assert found["ours"] == pytest.approx(np.mean(first) - 0.55)
    assert (found["verdict"], found["holding"]) == (verdict, holding)


def test_the_ratio_of_two_places_is_taken_seed_by_seed():
    stated = claim(compared="ratio_to", other=THERE, at_least=2.0)
    found = row(stated, two_places([0.6, 0.2, 0.5, 0.5], [0.2, 0.2, 0.0, NAN]))
    assert found["ours"] == pytest.approx((3 + 1) / 2)
    assert (found["verdict"], found["holding"], found["seeds"]) == ("holds", 1, 2)
    assert found["missing"] == 2  # nothing is over 0, nor over what was not measured


def test_the_difference_of_two_places_has_a_number():
    stated = claim(compared="difference_from", other=THERE, expected=0.2, tolerance=0.05)
    found = row(stated, two_places([0.6, 0.4], [0.4, 0.2]))
    assert found["ours"] == pytest.approx(0.2)
    assert (found["relation"], found["verdict"], found["holding"]) == ("equals", "holds", 2)


def test_the_other_place_is_named_where_it_is_wrong():
    with pytest.raises(InterpflowError, match=r"claims\.probe\.below\.layer: found 7; .* 0, 1, 2"):
        row(claim(compared="below", other={**HERE, "layer": 7}, at_most=None), findings(0.1))


def curves(*values) -> xr.Dataset:
    """Findings with one curve (step,) for each seed."""
    steps = [0, 10, 20, 40]
    return xr.Dataset(
        {"share": (("seed", "step"), list(values))}, {"seed": range(len(values)), "step": steps}
    )


def test_the_first_step_at_which_a_curve_passes_a_value():
    dataset = curves(
        [0.1, 0.6, 0.2, 0.9], [0.1, 0.1, 0.5, 0.6], [0.1, 0.2, 0.3, 0.4], [NAN, NAN, 0.7, NAN]
    )
    found = row(claim({}, "share", first_step={"above": 0.5}, at_most=20), dataset)
    assert found["ours"] == pytest.approx((10 + 40 + 20) / 3)
    assert (found["seeds"], found["missing"], found["holding"]) == (3, 1, 2)


def test_the_first_step_at_which_a_curve_is_below_a_value():
    dataset = curves([3.0, 2.0, 0.5, 0.1])
    assert row(claim({}, "share", first_step={"below": 1.0}, at_most=20), dataset)["ours"] == 20


def test_one_curve_passes_a_value_before_another():
    both = xr.concat(
        [curves([0, 1, 1, 1], [0, 0, 1, 1]), curves([0, 0, 1, 1], [0, 1, 1, 1])],
        pd.Index(["a", "b"], name="head"),
    )
    stated = claim(
        {"head": "a"},
        "share",
        first_step={"above": 0.5},
        compared="below",
        other={"head": "b"},
        at_most=None,
    )
    found = row(stated, both)
    assert (found["ours"], found["verdict"], found["holding"]) == (0.0, "differs", 1)
