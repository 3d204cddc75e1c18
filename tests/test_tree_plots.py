"""Figures of trees and of attention say what the data says, and can be read in print."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from drawing import draw, labels, legible, words
from matplotlib.colors import to_hex

from interpflow import style
from interpflow.analyses import attention_rows, example_states, lens
from interpflow.collecting.frame import collect
from interpflow.errors import InterpflowError
from interpflow.methods.shown import words as words_of
from interpflow.plots import attention_climb, tree_lens, tree_task
from interpflow.plots._tree_drawing import Tree
from interpflow.tasks import tree_pathfinding
from interpflow.tasks.base import make_dataset
from interpflow.variables import describe

pytestmark = pytest.mark.filterwarnings("error")

NODES = {"eight": 8, "sixteen": 16}
TASKS = {
    name: make_dataset(
        tree_pathfinding,
        tree_pathfinding.Options(
            nodes=nodes, train_size=1, validation_size=1, test_size=1,
            splits={
                "lengths": tree_pathfinding.Split(size=4, path_length="each"),
                "chains": tree_pathfinding.Split(size=2, path_length=nodes - 1, order="bottom_up"),
            },
        ),
    )
    for name, nodes in NODES.items()
}  # fmt: skip
SHOWN = {
    "split": "lengths",
    "by": "path_length",
    "where": {"path_length": [2, 4, 5, 6]},
    "count": 1,
}
CHAINS = {"split": "chains", "count": 2}


def states(shown: dict[str, Any], *names: str) -> xr.Dataset:
    """As `analyses.example_states` returns them, of several experiments."""
    parts = {}
    for name in names:
        options = example_states.Options(**shown, variables=["parent", "goal", "path_length"])
        table = example_states.VARIABLES | example_states.variables(TASKS[name], options)
        parts[name] = describe(example_states.analyse(TASKS[name], options), table, "states")
    return collect(parts, {name: {} for name in names})


def lenses(*names: str, seeds: int = 1, layers: int = 6) -> xr.Dataset:
    """As `analyses.lens` returns them: layer l gives all to the node l edges above the goal, or the last."""
    parts = {}
    for name in names:
        chosen, labels = lens.Shown(**SHOWN).of(TASKS[name])
        outputs = chosen["output"].values.tolist()
        shape = (seeds, 1, layers + 1, len(labels), 1, len(outputs))
        p = np.zeros(shape, dtype=np.float32)
        for row, (ancestor, length) in enumerate(
            zip(chosen["ancestor"].values, chosen["path_length"].values, strict=True)
        ):
            for layer in range(layers + 1):
                node = ancestor[min(layer, length - 1)]
                p[:, :, layer, row, 0, outputs.index(f">{node}")] = 1
        found = xr.Dataset(
            {"probability": (lens.VARIABLES["probability"].dims, p)},
            {
                "seed": range(seeds), "lens": ["tuned"], "layer": range(layers + 1),
                "shown_example": labels, "position": [3 * NODES[name] - 1], "output": outputs,
            },
        )  # fmt: skip
        parts[name] = describe(found, lens.VARIABLES, "lens")
    return collect(parts, {name: {} for name in names})


def attention(*names: str, heads: int = 1, layers: int = 6) -> xr.Dataset:
    """As `analyses.attention_rows` returns them: layer l attends to the l-th edge from the left."""
    parts = {}
    for name in names:
        chosen, labels = attention_rows.Shown(**CHAINS).of(TASKS[name])
        root = 3 * NODES[name] - 1
        rows = np.full((1, 2, layers, heads, 2, chosen.sizes["position"]), 0.2, dtype=np.float32)
        for layer in range(layers):
            rows[:, :, layer, 0, 0, 3 * layer + 1] = 0.7
        found = xr.Dataset(
            {
                "attention": (attention_rows.VARIABLES["attention"].dims, rows),
                "word": (("shown_example", "key"), words_of(chosen)),
            },
            {
                "seed": [3], "shown_example": labels, "layer": range(layers), "head": range(heads),
                "query": [root, root + 1], "key": range(rows.shape[-1]),
            },
        )  # fmt: skip
        parts[name] = describe(found, attention_rows.VARIABLES, "attention_rows")
    return collect(parts, {name: {} for name in names})


# The layout.


def trees(name: str) -> list[Tree]:
    found = states(SHOWN | {"count": 4}, name).isel(experiment=0)
    return [Tree.of(found.isel(shown_example=at)) for at in range(found.sizes["shown_example"])]


@pytest.mark.parametrize("tree", [tree for name in NODES for tree in trees(name)])
def test_nodes_of_a_level_stand_apart_and_parents_over_the_middle_of_their_children(tree):
    assert len(tree.places) == len(tree.parent) + 1
    levels: dict[float, list[float]] = {}
    for x, y in tree.places.values():
        levels.setdefault(y, []).append(x)
    for places in levels.values():
        assert (np.diff(sorted(places)) > 1 - 1e-9).all()
    for parent in set(tree.parent.values()):
        children = [tree.places[child] for child, above in tree.parent.items() if above == parent]
        assert tree.places[parent][0] == pytest.approx(np.mean([x for x, _ in children]))
        assert {y for _, y in children} == {tree.places[parent][1] - 1}
    assert min(x for x, _ in tree.places.values()) == pytest.approx(0)


def test_subtrees_move_together_until_they_touch():
    tree = Tree({1: 0, 2: 0, 3: 1, 4: 3, 5: 3, 6: 2}, goal=4)
    #        0
    #      1   2        3 and 6 are neighbours on their level, and 5 hangs under the space between
    #      3   6
    #     4 5
    assert tree.size == (2.5, 4)
    assert tree.places[0] == (1.0, 0.0)
    assert tree.places[5] == (1.0, -3.0)
    assert tree.path == [0, 1, 3, 4]


# The task.


@pytest.mark.parametrize("example", range(4))
@pytest.mark.parametrize("name", NODES)
def test_the_task_is_legible_and_says_every_token(name, example):
    found = states(SHOWN, "eight", "sixteen")
    label = states(SHOWN, name)["shown_example"].values[example]
    figure = draw(tree_task, found, experiment=name, select={"shown_example": label})
    legible(figure)
    here = found.sel(experiment=name, shown_example=label)
    tokens = [word for word in here["word"].values.tolist() if word]
    strip = figure.axes[-1]
    written = [text.get_text() for text in strip.texts]
    assert [word for word in written if " " not in word and word not in ("goal", "root")] == tokens
    nodes = [text.get_text() for text in figure.axes[0].texts]
    assert sorted(map(int, nodes)) == list(range(NODES[name]))


def test_the_goal_has_one_colour_in_tree_and_tokens():
    found = states(SHOWN, "eight")
    figure = draw(tree_task, found)
    goal = int(found["goal"].isel(experiment=0, shown_example=0))
    tree, strip = figure.axes
    fills = [to_hex(color) for color in tree.collections[1].get_facecolor()]
    assert tree.texts[fills.index(style.VERMILLION.lower())].get_text() == str(goal)
    assert fills.count(style.VERMILLION.lower()) == 1
    tokens = [to_hex(bar.get_facecolor()[0]) for bar in strip.collections]
    assert tokens.count(style.VERMILLION.lower()) == 1


# The lens.


def test_the_lens_is_legible_for_every_size_of_tree():
    found, read = states(SHOWN, "eight", "sixteen"), lenses("eight", "sixteen")
    legible(draw(tree_lens, found, read, experiment="sixteen"))
    few = states(SHOWN, "eight")["shown_example"].values[:1].tolist()
    legible(draw(tree_lens, found, read, select={"shown_example": few, "layer": [0, 1]}))


def test_a_node_is_as_dark_as_the_lens_thinks_it_likely():
    found, read = states(SHOWN, "eight", "sixteen"), lenses("eight", "sixteen", seeds=2)
    label = str(found["shown_example"].values[-1])
    chosen = found.sel(experiment="sixteen", shown_example=label)
    read["probability"].loc[{"seed": 0}] = 0.0
    figure = draw(
        tree_lens,
        found,
        read,
        experiment="sixteen",
        seed=1,
        select={"shown_example": [label], "layer": [0, 2]},
    )
    tree = Tree.of(chosen)
    *_, goal_layer, later_layer = figure.axes
    for axes, node in ((goal_layer, tree.goal), (later_layer, tree.path[-3])):
        fills = axes.collections[1].get_facecolor()[:, :3].sum(1)
        assert list(tree.places)[int(np.argmin(fills))] == node
        assert sorted(fills)[1] > 2.5
    assert "Embed" in words(figure) and "layer 1" in words(figure)


def test_examples_that_are_not_there_or_do_not_fit_are_errors():
    found, read = states(SHOWN, "eight"), lenses("eight")
    with pytest.raises(InterpflowError, match="shown_example: no 'lengths 1' in the data"):
        draw(tree_lens, found, read, select={"shown_example": ["lengths 1"]})
    with pytest.raises(InterpflowError, match="layer: no 9"):
        draw(tree_lens, found, read, select={"layer": [9]})
    many = read["shown_example"].values.tolist() * 5
    with pytest.raises(InterpflowError, match="20 examples do not fit"):
        draw(tree_lens, found, read, select={"shown_example": many})
    assert "No lens" in words(draw(tree_lens, found, read, experiment="elsewhere"))
    assert "No example" in words(draw(tree_task, found, experiment="elsewhere"))


# Attention.


def test_attention_is_legible():
    found = attention("eight", "sixteen", heads=2)
    legible(
        draw(
            attention_climb,
            found,
            experiment="sixteen",
            select={"shown_example": ["chains 1", "chains 0"]},
        )
    )
    legible(draw(attention_climb, attention("eight")))


def test_layers_go_up_and_tokens_are_called_by_their_words():
    found = attention("eight", "sixteen", layers=4)
    figure = draw(attention_climb, found, experiment="eight")
    (panel,) = [axes for axes in figure.axes if axes.images]
    root = 3 * 8 - 1
    text = found["word"].sel(experiment="eight", shown_example="chains 0").values
    assert labels(panel, "x") == text[: root + 1].tolist()
    assert labels(panel, "y") == list("0123")
    assert figure.get_supylabel() == "Layer"
    assert panel.get_ylim()[0] < panel.get_ylim()[1]
    (line,) = panel.lines
    assert line.get_xdata().tolist() == [1, 4, 7, 10]
    assert line.get_ydata().tolist() == [0, 1, 2, 3]
    later = draw(attention_climb, found, experiment="eight", select={"query": root + 1})
    assert not len(later.axes[0].lines[0].get_xdata())  # nothing has half of the attention
    with pytest.raises(InterpflowError, match="query: no 5"):
        draw(attention_climb, found, select={"query": 5})
