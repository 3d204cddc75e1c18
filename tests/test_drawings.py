"""What tasks draw behind their examples: nodes that can be told apart, of positions that there are."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from interpflow import tasks
from interpflow.drawing import Drawing
from interpflow.spec import plugins
from interpflow.tasks.base import make_dataset

# Small examples of every task that says how it is drawn.
TASKS: dict[str, list[dict[str, Any]]] = {
    "addition": [{"digits": 4, "train_size": 30, "validation_size": 5, "test_size": 5, "graded_size": 5}],
    "automaton": [
        {"language": name, "max_length": 12, "train_size": 20, "validation_size": 5}
        for name in ("parity", "tomita_5", "dyck_1", "shuffle_2")
    ],
    "bracket_language": [
        {"pairs": 2, "strings": strings, "max_length": 14, "train_size": 30, "validation_size": 5}
        for strings in ("nested", "shuffled")
    ],
    "fact_recall": [
        {"subjects": 3, "relations": 2, "noise": 4, "length": 8, "train_size": 20, "validation_size": 5}
    ],
    "list_sorting": [{"length": 5, "vocabulary": 12, "train_size": 20, "validation_size": 5}],
    "tree_pathfinding": [{"nodes": 6, "train_size": 20, "validation_size": 5, "test_size": 2}],
}  # fmt: skip
CASES = [(task, at) for task, options in TASKS.items() for at in range(len(options))]


@functools.cache
def drawn(task: str, at: int = 0) -> list[tuple[xr.Dataset, Drawing]]:
    """Each training example of a small dataset, and its drawing."""
    module = plugins.load(plugins.TASK, task)
    data = make_dataset(module, module.Options(**TASKS[task][at]))
    drawing = importlib.import_module(f"interpflow.tasks._{task}_drawing").drawing
    rows = [data.isel(example=row) for row in range(20)]
    return [(row, drawing(row)) for row in rows]


def words(example: xr.Dataset) -> list[str]:
    return [*map(str, example["token"].values[example["tokens"].values])]


def test_every_task_that_has_a_drawing_is_drawn_here():
    files = Path(tasks.__path__[-1]).glob("_*_drawing.py")
    assert {file.stem.removeprefix("_").removesuffix("_drawing") for file in files} == {*TASKS}


@pytest.mark.parametrize(("task", "at"), CASES)
def test_nodes_stand_apart_and_speak_of_positions_of_the_example(task, at):
    for example, drawing in drawn(task, at):
        places = [(node.right, node.down) for node in drawing.nodes]
        assert len({*places}) == len(places) > 1
        assert min(min(place) for place in places) >= 0
        named = [position for node in drawing.nodes for position in node.positions]
        assert {*named} <= {*range(int(example["length"]))}
        assert len({*named}) == len(named) > 0
        assert all(node.word for node in drawing.nodes)
        ends = [end for line in drawing.lines for end in line]
        assert {*ends} <= {*range(len(drawing.nodes))}
        assert len({*map(frozenset, drawing.lines)}) == len(drawing.lines) > 0


@pytest.mark.parametrize("at", [0, 1])
def test_a_bracket_is_joined_with_its_own_and_marked_where_none_could_nest(at):
    for example, drawing in drawn("bracket_language", at):
        assert sorted(end for line in drawing.lines for end in line) == [*range(len(drawing.nodes))]
        pairs = {drawing.nodes[one].word + drawing.nodes[two].word for one, two in drawing.lines}
        assert pairs <= {"()", "[]"}
        assert any(node.marked for node in drawing.nodes) == (not bool(example["nested"]))


def test_the_columns_of_an_addition_add_up():
    for example, drawing in drawn("addition"):
        columns: dict[float, dict[float, int]] = {}
        for node in drawing.nodes:
            columns.setdefault(node.right, {})[node.down] = int(node.word)
        carry = 0
        for right in sorted(columns, reverse=True):
            rows = columns[right]
            assert rows.get(0, 0) == carry
            carry, digit = divmod(carry + rows.get(1, 0) + rows.get(2, 0), 10)
            assert rows[3] == digit
        assert carry == 0
        asked = [
            position for node in drawing.nodes if node.down == 3 for position in node.positions
        ]
        assert sorted(asked) == [at for at, scored in enumerate(example["scored"].values) if scored]


def test_a_fact_is_drawn_with_its_answer():
    for example, drawing in drawn("fact_recall"):
        marked = {node.word for node in drawing.nodes if node.marked}
        relation, number = int(example["relation"]), int(example["number"])
        assert marked == {f"s{int(example['subject'])}", f"r{relation}", f"a{relation}.{number}"}


def test_a_list_is_drawn_sorted_below_itself():
    for example, drawing in drawn("list_sorting"):
        above, below = ([int(n.word) for n in drawing.nodes if n.down == row] for row in (0, 3))
        assert below == sorted(above) == sorted(map(int, words(example)[:5]))
        assert all(drawing.nodes[one].word == drawing.nodes[two].word for one, two in drawing.lines)


def test_a_string_steps_through_the_states_of_its_automaton():
    for example, drawing in drawn("automaton"):  # parity
        letters = words(example)[: int(example["length"])]
        assert [node.word for node in drawing.nodes] == letters
        ones = [letters[: at + 1].count("1") % 2 for at in range(len(letters))]
        levels = [node.down for node in drawing.nodes]
        assert levels in (ones, [1 - one for one in ones])
        assert len({node.down for node in drawing.nodes if node.marked}) <= 1
