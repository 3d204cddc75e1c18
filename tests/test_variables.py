"""What a task or an analysis declares is what its dataset holds, under names that are free."""

from __future__ import annotations

import pytest
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.variables import Variable, describe

TABLE = {"heads": Variable(("mode",), "head", "number of heads")}


def test_a_declared_variable_gets_its_unit_and_its_meaning() -> None:
    found = describe(xr.Dataset({"heads": ("mode", [1, 2])}), TABLE, "x.py")
    assert found["heads"].attrs == {"units": "head", "long_name": "number of heads"}


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        (xr.Dataset({"more": ("mode", [1])}), "'more' is not declared"),
        (xr.Dataset({"heads": ("other", [1])}), "has dims"),
        (xr.Dataset({"heads": ("heads", [1])}), "'heads' is a coordinate of the dataset"),
        (xr.Dataset({"heads": ("mode", [1])}).set_coords("heads"), "'heads' is a coordinate"),
        (xr.Dataset({"heads": ("mode", [1]), "experiment": 1}), "'experiment' is the dim"),
        (xr.Dataset({"heads": ("experiment", [1])}), "'experiment' is the dim"),
    ],
)
def test_a_name_that_stands_for_something_else_is_refused(dataset: xr.Dataset, said: str) -> None:
    with pytest.raises(InterpflowError, match=said):
        describe(dataset, TABLE, "x.py")
