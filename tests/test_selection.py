"""Examples, positions and states are found by the names that a task gives them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from pydantic import ValidationError
from small import brackets
from trees import NODES, found, trees

from interpflow.errors import InterpflowError
from interpflow.selection import Examples, Held, State, each, held, labels, mask, select, state

ROOT = 3 * NODES - 1


def test_examples_are_those_of_the_split_that_have_the_values():
    lengths = select(trees(), Examples(split="lengths", where={"path_length": [2, 4]}))
    assert set(lengths["split"].values) == {"lengths"}
    assert sorted(set(lengths["path_length"].values.tolist())) == [2, 4]
    up = select(trees(), Examples(split="lengths", where={"path_length": 2, "bottom_up": True}))
    assert up["bottom_up"].all()
    assert 0 < up.sizes["example"] < lengths.sizes["example"]


@pytest.mark.parametrize(
    ("split", "where", "message"),
    [
        ("lenghts", {}, "no split 'lenghts' in the data.*mean 'lengths'"),
        ("lengths", {"path_lenth": 2}, "no variable 'path_lenth' of examples.*mean 'path_length'"),
        ("lengths", {"parent": 2}, "where: no variable 'parent' of examples"),
        ("lengths", {"path_length": 40}, "no example of split 'lengths' has"),
    ],
)
def test_examples_that_are_not_there_are_an_error(split, where, message):
    with pytest.raises(InterpflowError, match=message):
        select(trees(), Examples(split=split, where=where))


def test_positions_have_the_names_of_the_task_and_of_every_task():
    data = select(trees(), Examples(split="lengths"))
    assert mask(data, ["root"])[0].nonzero()[1].tolist() == [ROOT] * data.sizes["example"]
    both = mask(data, ["root", "path"])[0]
    np.testing.assert_array_equal(both, data["scored"].values)
    np.testing.assert_array_equal(mask(data, ["scored"])[0], data["scored"].values)
    np.testing.assert_array_equal(mask(data, ["real"])[0].sum(1), data["length"].values)
    forks = mask(data, ["to_deeper", "to_shallower"])[0]
    np.testing.assert_array_equal(forks, (data["to_deeper"] | data["to_shallower"]).values)
    assert 0 < forks.sum() < both.sum()
    assert mask(brackets(), ["real"]).shape[0] == 1
    of_some = select(brackets(), Examples(split="validation"))
    padded = mask(of_some, ["padded"])[0]
    assert (padded.sum(1) == of_some["length"].values.max()).all()


def test_what_an_analysis_found_is_a_name_of_positions_seed_by_seed():
    of = xr.concat([found(3, seeds=1), found(5, seeds=1).assign_coords(seed=[1])], "seed")
    there = mask(trees(), ["registers.is_register", "goal"], [1, 0], {"registers": of})
    assert np.flatnonzero(there[0, 0]).tolist() == [5, ROOT - 2]
    assert np.flatnonzero(there[1, 0]).tolist() == [3, ROOT - 2]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("rot", "no position is called 'rot'.*mean 'root'"),
        ("to_deper", "no position is called 'to_deper'.*mean 'to_deeper'"),
        ("bottom_up", "no position is called 'bottom_up'"),  # of examples
        ("edge_sources", "no position is called"),
        ("registrs.is_register", "no findings of 'registrs'.*mean 'registers'"),
        ("registers.is_registr", "registers has no positions 'is_registr'.*mean 'is_register'"),
    ],
)
def test_positions_that_are_not_there_are_an_error(place, message):
    with pytest.raises(InterpflowError, match=message):
        mask(trees(), [place], [0], {"registers": found(3)})


def test_a_state_of_the_example_is_that_of_all_its_positions():
    data = trees()
    goal = state(data, State(variable="goal"))
    assert goal.shape == data["tokens"].shape
    assert (goal == data["goal"].values[:, None]).all()


def test_a_state_with_a_further_dim_takes_the_value_that_is_selected():
    data = trees()
    above = state(data, State(variable="ancestor", select={"distance": 1}))
    np.testing.assert_array_equal(above[:, 0], data["ancestor"].values[:, 1])


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (State(variable="gaol"), "no variable 'gaol' in the data.*mean 'goal'"),
        (State(variable="ancestor"), "select says one value of each further one"),
        (State(variable="ancestor", select={"distance": 99}), "no distance 99"),
        (
            State(variable="ancestor", select={"depth": 1}),
            "ancestor has no further dim depth; there is: distance",
        ),
    ],
)
def test_a_state_that_is_not_there_is_an_error(wanted, message):
    with pytest.raises(InterpflowError, match=message):
        state(trees(), wanted)


UP = {"variable": "ancestor", "along": "distance"}


def test_a_state_along_a_dim_stands_for_one_of_each_of_its_values_by_words():
    data = trees()
    words = State(**UP, select={"distance": [0, 1, 3]}, words=["goal", "{} above"])
    found = each(data, {"up": words, "here": State(variable="at_node")})
    assert [*found] == ["goal", "1 above", "3 above", "here"]
    assert found["3 above"] == State(variable="ancestor", select={"distance": 3})
    assert [*each(data, {"up": State(**UP)})] == [*map(str, range(NODES))]


def test_several_labels_are_a_row_each():
    data = trees()
    children = labels(data, State(variable="children"))
    one = labels(data, State(variable="children", select={"child": 2}))
    assert children.shape == (NODES, *data["tokens"].shape)
    np.testing.assert_array_equal(children[2], one[0])


def test_a_position_holds_a_state_that_is_among_those_of_its_example():
    data = trees()
    found = held(data, Held(state=State(variable="edge_target"), among="ancestor"))
    target, above = data["edge_target"].values, data["ancestor"].values
    for example in range(3):
        expected = [node >= 0 and node in above[example] for node in target[example]]
        assert found[example].tolist() == expected


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({**UP, "along": "distanc"}, "ancestor has no further dim distanc.*mean 'distance'"),
        ({**UP, "select": {"distance": [0, 99]}}, "ancestor: no distance 99"),
        ({**UP, "words": ["above"]}, "two states are called 'above'"),
    ],
)
def test_states_that_are_not_there_are_an_error(wanted, message):
    with pytest.raises(InterpflowError, match=message):
        each(trees(), {"up": State(**wanted)})


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"variable": "goal", "words": ["{}"]}, "along says which"),
        ({**UP, "select": {"distance": 1}}, "along: select takes a list of values of distance"),
        (
            {"variable": "ancestor", "select": {"distance": [1]}},
            "select takes one value of distance",
        ),
    ],
)
def test_along_goes_with_lists_and_words(wanted, message):
    with pytest.raises(ValidationError, match=message):
        State(**wanted)
