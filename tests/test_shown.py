"""Examples that are shown: chosen alike by every analysis, and handed on as the task says them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small import recipe, runs_of

from interpflow import store
from interpflow.analyses import attention_rows, example_states
from interpflow.errors import InterpflowError
from interpflow.methods.shown import Shown
from interpflow.model.sites import Sites
from interpflow.progress import Log
from interpflow.selection import Examples
from interpflow.stages import analyse
from interpflow.tasks import list_sorting, tree_pathfinding
from interpflow.tasks.base import make_dataset
from interpflow.variables import describe
from interpflow.workflow.job import Job, Source

TEXTS = [
    "2 >0 , 0 >3 , 2 >1 | 3 : 2 >0 >3",
    "0 >1 , 1 >2 , 2 >3 | 3 : 0",
    "0 >1 , 0 >2 , 1 >3 | 2 : 0",
]


@pytest.fixture(scope="module")
def data():
    options = tree_pathfinding.Options(
        nodes=4, train_size=60, validation_size=30, test_size=1,
        splits={"told": tree_pathfinding.Split(texts=TEXTS)},
    )  # fmt: skip
    return make_dataset(tree_pathfinding, options)


@pytest.fixture(scope="module")
def runs(data):
    model = {"norm": "pre", "positions": "learned", "layers": 2, "heads": 2}
    return runs_of(data, recipe(model=model, optimizer="adam", loss="cross_entropy"))


def test_the_first_examples_are_named_by_their_split_and_number(data):
    found, names = Shown(split="told", count=2).of(data)
    assert names == ["told 0", "told 1"]
    assert found["path_length"].values.tolist() == [2, 3]
    _, names = Shown(split="told", where={"goal": 3}, count=9).of(data)
    assert names == ["told 0", "told 1"]
    _, names = Shown(split="told", where={"goal": 2}).of(data)
    assert names == ["told 2"]


def test_so_many_of_each_value_come_in_the_order_of_values(data):
    found, names = Shown(split="validation", by="path_length", count=2).of(data)
    lengths = data["path_length"].values[data["split"].values == "validation"]
    expected = [n for length in (1, 2, 3) for n in np.flatnonzero(lengths == length)[:2]]
    assert names == [f"validation {n}" for n in expected]
    assert found["path_length"].values.tolist() == lengths[expected].tolist()


def test_a_variable_that_has_no_one_value_an_example_is_an_error(data):
    with pytest.raises(InterpflowError, match="by: no variable 'parent' of examples"):
        Shown(split="told", by="parent").of(data)
    with pytest.raises(InterpflowError, match=r"no variable 'goals' of examples.*mean 'goal'"):
        Shown(split="told", by="goals").of(data)


# Their states.


def test_words_and_roles_stand_as_they_are_read(data):
    found = example_states.analyse(data, example_states.Options(split="told"))
    words = [" ".join(row).strip() for row in found["word"].values]
    assert words == ["2 >0 , 0 >3 , 2 >1 | 3 : 2 >0 >3 ,",
                     "0 >1 , 1 >2 , 2 >3 | 3 : 0 >1 >2 >3 ,",
                     "0 >1 , 0 >2 , 1 >3 | 2 : 0 >2 ,"]  # fmt: skip
    assert found["role_word"].values[0, 8:13].tolist() == [
        "edge_end",
        "goal",
        "colon",
        "root",
        "path",
    ]
    assert found.sizes["position"] == 16


def test_variables_of_the_task_are_handed_on_with_what_they_mean(data):
    options = example_states.Options(
        split="told", count=1, variables=["parent", "goal", "ancestor"]
    )
    table = example_states.VARIABLES | example_states.variables(data, options)
    found = describe(example_states.analyse(data, options), table, "example_states")
    assert found["parent"].dims == ("shown_example", "node")
    assert found["parent"].values.tolist() == [[2, 2, -1, 0]]
    assert found["parent"].attrs["long_name"] == data["parent"].attrs["long_name"]
    assert found["ancestor"].attrs["units"] == data["ancestor"].attrs["units"]
    assert found["node"].values.tolist() == [0, 1, 2, 3]
    assert found["goal"].values.tolist() == [3]
    with pytest.raises(InterpflowError, match=r"variables: no 'parents'.*mean 'parent'"):
        example_states.analyse(data, example_states.Options(split="told", variables=["parents"]))


def test_files_of_findings_say_what_the_variables_of_the_task_mean(data, tmp_path):
    paths = {name: str(tmp_path / f"{name}.nc") for name in ("data", "findings")}
    store.write(data, paths["data"])
    made = Job("data", "study", "laptop", ("trees",), {}, "", {}, {"data": paths["data"]}, "log")
    asked = {"split": "told", "variables": ["parent"]}
    job = Job(
        "analyse", "study", "laptop", ("trees", "states"),
        {"method": "example_states", "options": asked}, "",
        {"data": Source(made, "data")}, {"findings": paths["findings"]}, "log",
    )  # fmt: skip
    with Log(tmp_path / "log", job.label) as log:
        analyse.run(job, log)
    found = store.read(paths["findings"])
    assert found["parent"].attrs["long_name"] == "parent of the node, -1 for the root"
    assert found["parent"].dims == ("shown_example", "node")


def test_a_task_without_roles_has_words_alone():
    options = list_sorting.Options(length=4, vocabulary=8, train_size=8, validation_size=8)
    data = make_dataset(list_sorting, options)
    found = example_states.analyse(data, example_states.Options(split="validation"))
    assert [*found.data_vars] == ["word"]


# Their attention.


def test_rows_of_attention_are_those_of_the_example_alone(runs):
    options = attention_rows.Options(split="told", queries=["goal", "path"])
    found = describe(
        attention_rows.analyse(runs, options), attention_rows.VARIABLES, "attention_rows"
    )
    assert found["query"].values.tolist() == [9, 12, 13, 14]
    data, examples = runs.select(Examples(split="told"))
    for example, length in enumerate(data["length"].values):
        read = Sites(read=["blocks.1.attn.hook_pattern"])
        with torch.no_grad():
            tokens = examples.take(np.array([example]), int(length)).tokens
            runs.model(runs.weights("last"), tokens, read)
        pattern = read.values["blocks.1.attn.hook_pattern"][:, 0]
        for query in (9, *range(12, int(length) - 1)):
            row = found["attention"].isel(shown_example=example, layer=1).sel(query=query)
            np.testing.assert_allclose(
                row[:, :, :length], pattern[:, :, query], rtol=1e-4, atol=1e-7
            )
    asked = found["attention"].notnull().all(("seed", "layer", "head", "key"))
    assert asked.values.tolist() == [[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 0, 0]]
    assert found["word"].values[2, -3:].tolist() == [",", "", ""]


def test_queries_that_no_example_has_are_an_error(runs):
    with pytest.raises(InterpflowError, match=r"no position is called 'gaol'.*mean 'goal'"):
        attention_rows.analyse(runs, attention_rows.Options(split="told", queries=["gaol"]))
