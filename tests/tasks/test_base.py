"""A task that breaks the contract is told where."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.section import Section
from interpflow.tasks.base import make_dataset
from interpflow.variables import Variable

PLANE, LINE = ("example", "position"), ("example",)


def good() -> xr.Dataset:
    """Two examples of at most three tokens, classes as targets."""
    scored = np.array([[False, True, True], [False, True, False]])
    return xr.Dataset(
        {
            "tokens": (PLANE, np.array([[0, 1, 1], [1, 0, 2]])),
            "length": (LINE, np.array([3, 2])),
            "split": (LINE, np.array(["train", "validation"])),
            "scored": (PLANE, scored),
            "targets": (PLANE, np.where(scored, 1, -1)),
        },
        coords={"token": ["a", "b", "<pad>"], "output": ["a", "b"]},
    )


def made(dataset: xr.Dataset) -> xr.Dataset:
    task = SimpleNamespace(
        __name__="interpflow.tasks.echo",
        Options=Section,
        VARIABLES={"targets": Variable(PLANE, "1", "next token")},
        generate=lambda options: dataset,
    )
    return make_dataset(task, Section())


def test_a_dataset_that_keeps_the_contract_gains_units_and_names_and_nothing_else() -> None:
    data = made(good())
    assert data["length"].attrs == {"units": "token", "long_name": "sequence length"}
    assert data["targets"].attrs["long_name"] == "next token"
    xr.testing.assert_equal(data, good())


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (good().drop_vars("scored"), "no variable 'scored'"),
        (good().drop_vars("output"), "no coordinate 'output'"),
        (good().assign(depth=(LINE, [0, 1])), "'depth' is not declared"),
        (good().transpose("position", "example", ...), "has dims"),
        (good().assign(tokens=good().tokens * 1.0), "'tokens' holds float64; it takes whole"),
        (good().assign(scored=good().scored.astype(int)), "'scored' holds int64; it takes true"),
        (good().assign(tokens=good().tokens + 1), "'tokens' runs from 1 to 3; it takes 0 to 2"),
        (good().assign(length=good().length - 2), "'length' runs from 0 to 1; it takes 1 to 3"),
        (good().assign(targets=good().targets + 1), "'targets' runs from 0 to 2; it takes 0 to 1"),
        (good().assign(length=(LINE, np.array([2, 2]))), "padding is scored"),
        (good().assign(scored=good().scored & (good().length > 2)), "no scored position"),
        (good().assign(split=(LINE, ["train", "test"])), "split 'validation'; .*'test', 'train'"),
    ],
)
def test_a_broken_contract_is_named_with_the_file(broken: xr.Dataset, says: str) -> None:
    with pytest.raises(InterpflowError, match=rf"^tasks/echo\.py: .*{says}"):
        made(broken)


def test_targets_by_output_are_zero_or_one() -> None:
    by_output = (
        good().drop_vars("targets").assign(targets=((*PLANE, "output"), np.full((2, 3, 2), 2)))
    )
    task = SimpleNamespace(
        __name__="interpflow.tasks.echo",
        Options=Section,
        VARIABLES={"targets": Variable((*PLANE, "output"), "1", "may come next")},
        generate=lambda options: by_output,
    )
    with pytest.raises(InterpflowError, match="'targets' runs from 0 to 2; it takes 0 to 1"):
        make_dataset(task, Section())
