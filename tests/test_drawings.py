"""What tasks draw behind their examples: nodes that can be told apart, of positions that there are."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import xarray as xr
from drawn_tasks import CASES, TASKS, drawn
from guide import FILES, GUIDE, TASK

from interpflow import tasks


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


def test_the_drawing_of_the_guide_draws_the_task_of_the_guide(tmp_path, monkeypatch):
    (tmp_path / "task_of_the_guide.py").write_text(FILES[TASK])
    monkeypatch.syspath_prepend(tmp_path)
    task = importlib.import_module("task_of_the_guide")
    data = task.generate(task.Options())
    _, block = GUIDE.read_text().split("## A drawing of an example")
    drawer: dict = {}
    exec(block.split("```python\n")[1].split("```")[0], drawer)
    example = data.isel(example=3)
    drawing = drawer["drawing"](example)
    bits, parities = (
        drawing.nodes[: int(example["length"])],
        drawing.nodes[int(example["length"]) :],
    )
    assert [node.positions for node in bits] == [(at,) for at in range(len(bits))]
    for at, parity in enumerate(parities):
        ones = sum(node.word == "1" for node in bits[: at + 1])
        assert parity.word == ["even", "odd"][ones % 2]
    assert {*drawing.lines} >= {(0, len(bits)), (len(bits), len(bits) + 1)}
