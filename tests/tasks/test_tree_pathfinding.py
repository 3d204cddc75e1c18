"""Trees are trees, paths lead to their goals, lengths are as wanted, and no test tree is in train."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import permutations

import networkx as nx
import numpy as np
import pytest
import xarray as xr
from pydantic import ValidationError

from benchmarks.trees import plain_order, plain_tree
from interpflow.errors import InterpflowError
from interpflow.rng import generator
from interpflow.tasks import _tree_text, _trees
from interpflow.tasks import tree_pathfinding as task
from interpflow.tasks._tree_pathfinding_drawing import drawing
from interpflow.tasks.base import make_dataset
from interpflow.training.examples import Examples

SMALL = {"train_size": 400, "validation_size": 100, "test_size": 100}
TREE = "2 >0 , 0 >3 , 2 >1 | 3"


def data(**options) -> xr.Dataset:
    return make_dataset(task, task.Options(**{**SMALL, **options}))


@pytest.fixture(scope="module", params=[4, 8, 16])
def trees(request) -> xr.Dataset:
    return data(nodes=request.param)


def first(trees: xr.Dataset, count: int) -> Iterator[xr.Dataset]:
    return (trees.isel(example=at) for at in range(count))


def edges(tree: xr.Dataset) -> list[tuple[int, int]]:
    """The edges of one example, read off its words as a person would."""
    words = [str(tree["token"].values[token]) for token in tree["tokens"].values]
    listed = " ".join(words[: words.index("|")]).split(" , ")
    return [(int(a), int(b[1:])) for a, b in (edge.split() for edge in listed)]


def test_every_example_is_a_binary_tree_with_the_goal_at_a_leaf(trees):
    for one in first(trees, 60):
        graph = nx.DiGraph(edges(one))
        assert nx.is_arborescence(graph)
        assert len(graph) == trees.sizes["node"]
        assert max(degree for _, degree in graph.out_degree) <= 2
        assert graph.out_degree[int(one["goal"])] == 0


def test_the_path_is_the_one_from_the_root_to_the_goal(trees):
    for one in first(trees, 60):
        graph = nx.DiGraph(edges(one))
        (root,) = (node for node, degree in graph.in_degree if degree == 0)
        path = nx.shortest_path(graph, root, int(one["goal"]))
        words = [str(one["token"].values[token]) for token in one["tokens"].values]
        colon = words.index(":")
        written = " >".join(map(str, path)).split()
        assert words[colon + 1 : colon + 2 + len(path)] == [*written, ","]
        assert words[colon - 1] == str(int(one["goal"]))
        asked = np.flatnonzero(one["scored"].values)
        assert asked.tolist() == list(range(colon + 1, colon + 1 + len(path)))
        answers = [str(one["output"].values[target]) for target in one["targets"].values[asked]]
        assert answers == [*written[1:], ","]


def test_positions_stand_where_the_paper_has_them():
    """Sixteen nodes: the goal at 45, the colon at 46, the root at 47."""
    one = data(nodes=16).isel(example=0)
    names = [str(one["role_name"].values[role]) for role in one["role"].values]
    assert names[:4] == ["edge_source", "edge_target", "edge_end", "edge_source"]
    assert names[45:48] == ["goal", "colon", "root"]
    assert names.count("path") == int(one["path_length"])


def test_states_are_those_of_the_tree(trees):
    for one in first(trees, 50):
        graph = nx.DiGraph(edges(one))
        (root,) = (node for node, degree in graph.in_degree if degree == 0)
        goal = int(one["goal"])
        path = nx.shortest_path(graph, root, goal)
        assert one["root_forks"] == (graph.out_degree[root] == 2)
        assert one["depth"].values.tolist() == [
            nx.shortest_path_length(graph, root, node) for node in sorted(graph)
        ]
        above = path[::-1]
        assert one["ancestor"].values.tolist() == above + [-1] * (len(graph) - len(above))
        assert one["leaf"].values.tolist() == [not graph[node] for node in sorted(graph)]
        for place, node in enumerate(path, start=3 * len(graph) - 1):
            assert one["at_node"].values[place] == node
            assert one["to_goal"].values[place] == len(path) - 1 - path.index(node)
            children = np.flatnonzero(one["children"].values[place])
            assert set(children) == set(graph[node])
            inner = np.flatnonzero(one["inner_children"].values[place])
            assert set(inner) == {child for child in graph[node] if graph[child]}
            below = {child: len(nx.dag_longest_path(graph.subgraph(
                {child} | nx.descendants(graph, child)))) for child in children}  # fmt: skip
            own = below.pop(path[path.index(node) + 1]) if node != goal else 0
            other = max(below.values(), default=0)
            assert one["to_deeper"].values[place] == (0 < other < own)
            assert one["to_shallower"].values[place] == (0 < own < other)
        off_path = one["at_node"] < 0
        assert not (one["to_deeper"] | one["to_shallower"])[off_path].any()
        for place, (source, target) in enumerate(edges(one)):
            for name, node in (("edge_source", source), ("edge_target", target)):
                assert one[name].values[3 * place : 3 * place + 3].tolist() == [node, node, node]


def test_no_tree_of_training_is_in_a_test_whatever_its_goal_and_order(trees):
    parents = {
        split: {tuple(row) for row in part["parent"].values}
        for split, part in trees.groupby("split")
    }
    fresh = task.sample(task.Options(nodes=trees.sizes["node"]), generator("test"), 2000, 0)
    seen = parents["train"] | {
        tuple(
            _tree_text.read(
                _tree_text.write(row, trees.sizes["node"]).rstrip(" ,"), trees.sizes["node"]
            )[1]
        )
        for row in fresh["tokens"]
    }
    assert not seen & (parents["validation"] | parents["test"])


def test_a_new_example_can_have_every_leaf_as_its_goal(trees):
    nodes = trees.sizes["node"]
    given = {"random": generator("test"), "size": 40, "step": 0}
    one = task.sample(task.Options(nodes=nodes), **given)
    every = task.sample(
        task.Options(nodes=nodes, fresh={"goals": "all"}), **given | {"random": generator("test")}
    )
    edge_tokens = 3 * (nodes - 1)
    beginning = list(range(edge_tokens))
    complete = 0
    for tokens, branch, scored, targets, plain in zip(
        *(every[name] for name in ("tokens", "branch", "scored", "targets")),
        one["tokens"],
        strict=True,
    ):
        assert tokens[:edge_tokens].tolist() == plain[:edge_tokens].tolist()
        goals = []
        for each in range(branch.max() + 1):
            at = [*beginning, *np.flatnonzero(branch == each)]
            # What is read is a tree with the right path, or `read` raises.
            _, parent, goal = _tree_text.read(_tree_text.write(tokens[at], nodes), nodes)
            goals.append(goal)
            asked = [place for place in at if scored[place]]
            assert asked == at[edge_tokens + 2 :]
            assert targets[asked].tolist() == [*tokens[asked[1:]], 0]
        leaves = set(range(nodes)) - set(parent.tolist())
        assert len(set(goals)) == len(goals) and set(goals) <= leaves
        complete += set(goals) == leaves
    assert complete > 30


def test_whether_a_goal_fits_does_not_depend_on_its_name():
    options = task.Options(nodes=30, fresh={"goals": "all", "path_length": [15]})
    found = task.sample(options, generator("test"), 600, 0)
    goals = found["tokens"][(found["branch"] >= 0) & (found["tokens"] >= 3 + 30)]
    # The first and the last half of the names are goals alike, though one in six does not fit.
    named = np.bincount(goals - 3 - 30, minlength=30)
    assert named[:15].sum() == pytest.approx(named[15:].sum(), rel=0.15)


def test_new_trees_have_a_path_length_of_those_wanted():
    options = task.Options(nodes=8, fresh={"path_length": [2, 5, 5]})
    tokens = task.sample(options, generator("test"), 3000, 0)["tokens"]
    length = (tokens[:, 3 * 8 :] != 0).sum(1)
    assert set(length) == {2, 5}
    assert abs((length == 5).mean() - 2 / 3) < 5 * np.sqrt(2 / 9 / 3000)


@pytest.mark.parametrize(("step", "longest"), [(0, 2), (9, 2), (10, 3), (19, 3), (20, 7), (500, 7)])
def test_longer_main_paths_are_learned_later(step, longest):
    options = task.Options(nodes=8, fresh={"longer_at": [10, 20]})
    found = task.sample(options, generator("test"), 400, step)
    count = np.bincount(found["scored"].sum(1) - 1, minlength=8)
    assert not count[longest + 1 :].any()
    assert abs(count[1 : longest + 1] - 400 / longest).max() < 5 * np.sqrt(400 / longest)


def test_padding_counts_in_the_loss_of_new_examples_where_it_is_wanted():
    given = {"size": 30, "step": 0}
    plain = task.sample(task.Options(nodes=8), generator("test"), **given)
    padded = task.sample(task.Options(nodes=8, padding=True), generator("test"), **given)
    np.testing.assert_equal(plain["tokens"], padded["tokens"])
    np.testing.assert_equal(plain["targets"], padded["targets"])
    root_at = 3 * 7 + 2
    assert padded["scored"][:, root_at:].all() and not padded["scored"][:, :root_at].any()
    more = padded["scored"] & ~plain["scored"]
    assert more.any() and (padded["targets"][more] == 0).all()  # commas


def test_padding_counts_in_the_loss_of_stored_examples_and_in_no_score_of_other_splits():
    plain, padded = data(nodes=8), data(nodes=8, padding=True)
    trained = (padded["split"] == "train").values
    scored = padded["scored"].values[trained]
    assert scored[:, 3 * 7 + 2 :].all() and not scored[:, : 3 * 7 + 2].any()
    more = scored & ~plain["scored"].values[trained]
    assert more.any() and (padded["targets"].values[trained][more] == 0).all()
    # What the loss is of, a batch must hold.
    batch = Examples(padded, "train").take(np.arange(5))
    assert batch.tokens.shape[1] == 4 * 8 and (batch.tokens >= 0).all()
    rest = {"scored": plain["scored"], "length": plain["length"]}
    xr.testing.assert_identical(padded.assign(rest), plain)
    xr.testing.assert_identical(padded.isel(example=~trained), plain.isel(example=~trained))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding": True, "fresh": {"goals": "all"}}, "padding: with fresh.goals all"),
        ({"fresh": {"longer_at": [5], "path_length": [2]}}, "path_length and longer_at"),
    ],
)
def test_options_of_fresh_trees_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        task.Options(**options)


def test_options_of_drawn_trees_beside_written_ones_are_refused():
    with pytest.raises(ValidationError, match="texts are taken as they are; leave out order, size"):
        task.Split(texts=[TREE], size=7, order="bottom_up")
    written = task.Split(texts=[TREE])
    assert task.Split(**written.model_dump()) == written  # as a job gets it from a resolved spec


def test_steps_of_a_curriculum_that_go_back_are_refused():
    with pytest.raises(ValidationError, match=r"longer_at[\s\S]*\[20, 10\].*ascending"):
        task.Options(fresh={"longer_at": [20, 10]})


def test_path_lengths_are_uniform():
    lengths = data(nodes=8, train_size=7000)["path_length"].values[:7000]
    count = np.bincount(lengths, minlength=8)[1:]
    # The hold-out is blind to length: 1000 of each within five standard deviations.
    assert abs(count - 1000).max() < 5 * np.sqrt(1000)


def every_tree(nodes: int, length: int, second: int) -> Counter[tuple[int, ...]]:
    """The chance of each tree with a path of `length` and `second` nodes in the second chain.

    A tree is the parent of each node, -1 for the root, and its goal.
    """
    chance: Counter[tuple[int, ...]] = Counter()

    def hang(parent: dict[int, int], goal: int, left: list[int], so_far: float) -> None:
        if not left:
            chance[*(parent[node] for node in range(nodes)), goal] += so_far
            return
        children = Counter(parent.values())
        free = [node for node in parent if children[node] < 2 and node != goal]
        for above in free:
            hang({**parent, left[0]: above}, goal, left[1:], so_far / len(free))

    chains = list(permutations(range(nodes), length + 1 + second))
    for chain in chains:
        above = [-1, *chain[:length], chain[0], *chain[length + 1 :]]
        left = [node for node in range(nodes) if node not in chain]
        hang(dict(zip(chain, above, strict=False)), chain[length], left, 1 / len(chains))
    return chance


# The lengths of paths and, for each, the lengths that the second chain has equally often.
RECIPES = {
    "training": ("training", None, {1: [1, 2, 3], 2: [1, 2], 3: [1], 4: [0]}),
    "plain": ("plain", None, {1: [0], 2: [0], 3: [0]}),
    "forked": ("forked", 2, {1: [2], 2: [2], 3: [0], 4: [0]}),
}


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_tree_of_five_nodes_comes_as_often_as_the_recipe_says(recipe):
    size, (kind, second_chain, chains) = 60_000, RECIPES[recipe]
    chance: Counter[tuple[int, ...]] = Counter()
    for length, seconds in chains.items():
        for second in seconds:
            for tree, share in every_tree(5, length, second).items():
                chance[tree] += share / len(seconds) / len(chains)
    assert sum(chance.values()) == pytest.approx(1)

    lengths = np.resize(list(chains), size)
    drawn = _trees.grow(5, generator("test", recipe), lengths, kind, second_chain)
    rows, counts = np.unique(
        np.column_stack([drawn.parent, drawn.goal]), axis=0, return_counts=True
    )
    count = Counter(dict(zip(map(tuple, rows.tolist()), counts.tolist(), strict=True)))
    assert set(count) <= set(chance)
    expected = np.array([*chance.values()]) * size
    assert expected.min() > 5
    chi_square = ((np.array([count[tree] for tree in chance]) - expected) ** 2 / expected).sum()
    free = len(chance) - 1
    assert abs(chi_square - free) < 5 * np.sqrt(2 * free)


KINDS = {
    "training": {},
    "training, paths of 3": {"length": 3},
    "plain": {"kind": "plain"},
    "plain, paths of 2": {"kind": "plain", "length": 2},
    "forked": {"kind": "forked", "second": 3, "length": 2},
    "forked, where nodes suffice": {"kind": "forked", "second": 3},
}
# What a split calls it.
AS_OPTION = {"kind": "kind", "length": "path_length", "second": "second_chain"}


@pytest.mark.parametrize("kind", KINDS)
def test_trees_are_shaped_as_the_recipe_written_down_node_by_node_shapes_them(kind):
    """How deep trees are, where they fork and where the goal lies, against the plain generator."""
    size, plain = 4000, KINDS[kind]
    split = {AS_OPTION[name]: value for name, value in plain.items()}
    expected = []
    for seed in range(size):
        graph, goal = plain_tree(8, np.random.default_rng(seed), **plain)
        root = next(node for node, degree in graph.in_degree if degree == 0)
        depth = nx.shortest_path_length(graph, root)
        onward = nx.shortest_path(graph, root, goal)[1]
        beside = [child for child in graph[root] if child != onward]
        expected.append((
            max(depth.values()),
            sum(degree == 0 for _, degree in graph.out_degree),
            depth[goal],
            len(nx.descendants(graph, beside[0])) + 1 if beside else 0,
            max((depth[node] for node in nx.descendants(graph, beside[0])), default=1) if beside else 0,
        ))  # fmt: skip
    ours = data(nodes=8, splits={"asked": {"size": size, **split}})
    ours = ours.isel(example=ours["split"].values == "asked")
    found = []
    names = ("parent", "depth", "path_length", "ancestor", "leaf")
    for parent, depth, length, ancestor, leaf in zip(*(ours[n].values for n in names), strict=True):
        (root,) = np.flatnonzero(parent == -1)
        onward = ancestor[length - 1]
        beside = [child for child in np.flatnonzero(parent == root) if child != onward]
        below = set(beside)
        for _ in range(8):
            below |= {node for node in range(8) if parent[node] in below}
        found.append((
            depth.max(), leaf.sum(), length, len(below),
            max((depth[node] for node in below), default=0),
        ))  # fmt: skip
    for a, b in zip(np.array(expected).T, np.array(found).T, strict=True):
        shares = [np.bincount(each, minlength=9) / size for each in (a, b)]
        assert abs(shares[0] - shares[1]).max() < 5 * np.sqrt(0.5 / size)


def test_the_root_of_a_training_tree_forks_unless_it_is_a_chain():
    trees = data(nodes=16, train_size=2000)
    assert (trees["root_forks"] == (trees["path_length"] < 15)).all()


def test_a_second_chain_is_as_long_as_a_split_asks_with_every_leaf_as_goal():
    split = {"kind": "forked", "second_chain": 6, "path_length": 9, "all_leaves": True, "size": 40}
    found = data(nodes=16, splits={"deep": {**split, "order": "random"}})
    deep = found.isel(example=found["split"].values == "deep")
    # 16 nodes are the root and the two chains, so every tree has two goals.
    assert deep["path_length"].values.tolist().count(9) == 40
    assert deep["path_length"].values.tolist().count(6) == 40
    assert deep["root_forks"].all()


def test_a_second_chain_is_left_out_where_nodes_do_not_suffice():
    split = {"kind": "forked", "second_chain": 3, "path_length": "each", "size": 300}
    found = data(nodes=8, splits={"forked": split})
    forked = found.isel(example=found["split"].values == "forked")
    forks = forked["root_forks"].groupby(forked["path_length"]).mean()
    assert (forks.sel(path_length=slice(1, 4)) == 1).all()
    assert (forks.sel(path_length=slice(5, 6)) < 0.8).all()


@pytest.mark.parametrize("nodes", [5, 8, 16])
def test_bottom_up_is_the_reverse_of_networkx_s_topological_order(nodes):
    up = data(nodes=nodes, order="bottom_up")
    for one in first(up, 60):
        listed = edges(one)
        assert listed == plain_order(nx.DiGraph(listed))
    assert up["bottom_up"].all()


def test_half_of_the_trees_are_bottom_up_where_the_order_is_mixed():
    assert data(nodes=16, order="random")["bottom_up"].mean() < 0.05
    assert 0.4 < data(nodes=16)["bottom_up"].mean() < 0.6


def test_all_names_and_places_of_goals_and_roots_are_alike():
    trees = data(nodes=8, train_size=8000, order="random").isel(example=slice(0, 8000))
    goal, root = trees["goal"].values, (trees["parent"] == -1).values.argmax(1)
    place = (trees["edge_target"].values[:, 1:21:3] == goal[:, None]).argmax(1)
    for drawn, kinds in ((goal, 8), (root, 8), (place, 7)):
        count = np.bincount(drawn, minlength=kinds)
        assert len(count) == kinds
        assert abs(count - 8000 / kinds).max() < 5 * np.sqrt(8000 / kinds)


@pytest.mark.parametrize(("nodes", "longest"), [(8, 3), (16, 9)])
def test_plain_trees_that_ask_for_no_length_have_paths_as_long_as_the_authors_draw(nodes, longest):
    found = data(nodes=nodes, splits={"plain": {"kind": "plain", "size": 1800}})
    lengths = found["path_length"].values[found["split"].values == "plain"]
    count = np.bincount(lengths)[1:]
    assert len(count) == longest
    assert abs(count - 1800 / longest).max() < 5 * np.sqrt(1800 / longest)


def test_a_split_has_the_paths_that_it_asks_for():
    splits = {
        "each": {"size": 7, "path_length": "each"},
        "five": {"size": 9, "path_length": 5, "order": "bottom_up"},
        "leaves": {"size": 10, "all_leaves": True},
        "written": {"texts": [TREE + " : 2", TREE + " : 2 >0 >3"]},
    }
    with pytest.raises(ValidationError, match="3 edges do not join 8 nodes"):
        task.Options(nodes=8, splits=splits)
    trees = data(nodes=4, splits={"written": splits["written"]})
    written = trees.isel(example=trees["split"] == "written")
    assert [_tree_text.write(row, 4) for row in written["tokens"].values] == [
        TREE + " : 2 >0 >3 , ,"
    ] * 2
    del splits["written"]
    trees = data(nodes=8, splits=splits)
    by_split = dict(iter(trees.groupby("split")))
    assert by_split["each"]["path_length"].values.tolist() == np.repeat(range(1, 7), 7).tolist()
    assert (by_split["five"]["path_length"] == 5).all()
    assert by_split["five"]["bottom_up"].all()
    leaves = by_split["leaves"]
    of_first = (leaves["parent"] == leaves["parent"][0]).all("node")
    goals = leaves["goal"].values[of_first.values]
    assert sorted(goals) == np.flatnonzero(leaves["leaf"].values[0]).tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2 >0 , 0 >3 , 2 >1 : 3", "is no tree: it takes edges, '|', a goal, ':' and the root"),
        ("2 >0 , 0 >3 | 3 : 2", "2 edges do not join 4 nodes"),
        ("2 >0 , 0 >3 , 0 >3 | 3 : 2", "node 3 has two parents"),
        ("0 >1 , 0 >2 , 0 >3 | 3 : 0", "node 0 has more than two children"),
        ("0 >1 , 1 >0 , 2 >3 | 3 : 2", "node 0 does not hang on the root"),
        (TREE.replace("| 3", "| 0") + " : 2", "goal 0 has children"),
        (TREE.replace("| 3", "| 4") + " : 2", "node 4 is not below 4"),
        (TREE + " : 2 >1 >3", "the path to 3 is 2 >0 >3, not 2 >1 >3"),
        (TREE + " : 2 >0", "the path to 3 is 2 >0 >3, not 2 >0"),
        (TREE + " : 2 >0 >3 >1", "the path to 3 is 2 >0 >3, not 2 >0 >3 >1"),
        ("2 >0 , 0 >3 , 2 >1 , 3 >1 | 1 : 2", "4 edges do not join 4 nodes"),
        ("2 0 , 0 >3 , 2 >1 | 3 : 2", "'0' stands where '>' and a node's number belong"),
        ("2 >0 , >3 , 2 >1 | 3 : 2", "'>3' is no edge such as '2 >0'"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_tree_is_refused_with_the_reason(text, message):
    with pytest.raises(ValidationError) as refused:
        task.Options(nodes=4, splits={"written": {"texts": [text]}})
    assert message in str(refused.value)
    assert "splits written" in str(refused.value)


def test_a_tree_read_and_written_is_the_same():
    parents, goal = _tree_text.read(TREE + " : 2", 4)[1:]
    assert parents.tolist() == [2, 2, -1, 0]
    assert goal == 3


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"test": {}}, "splits has test, which is there by its size"),
        ({"far": {"path_length": 8}}, "path_length 8 needs more than 8 nodes"),
        ({"far": {"kind": "forked"}}, "kind forked and second_chain None"),
        ({"far": {"kind": "plain", "second_chain": 2}}, "kind plain and second_chain 2"),
        (
            {"far": {"kind": "forked", "second_chain": 7}},
            "a second_chain of 7 beside a path of 1 needs more than 8 nodes",
        ),
        (
            {"far": {"kind": "forked", "second_chain": 3, "path_length": 5}},
            "a second_chain of 3 beside a path of 5 needs more than 8 nodes",
        ),
    ],
)
def test_a_split_that_cannot_be_drawn_is_refused(splits, message):
    with pytest.raises(ValidationError, match=message):
        task.Options(nodes=8, splits=splits)


def test_a_hold_out_without_trees_is_refused_instead_of_searched_for_ever():
    with pytest.raises(
        InterpflowError, match=r"no tree of 4 nodes is held out with held_out 0.001"
    ):
        data(nodes=4, held_out=0.001)


def test_a_further_split_leaves_the_others_as_they_are():
    alone, beside = data(nodes=8), data(nodes=8, splits={"more": {"size": 5}})
    xr.testing.assert_identical(beside.isel(example=slice(0, 600)), alone)


def test_a_tree_is_drawn_with_its_path_marked_and_the_positions_of_its_nodes():
    options = task.Options(
        nodes=4, train_size=20, validation_size=5, test_size=1,
        splits={"written": task.Split(texts=["2 >0 , 0 >3 , 2 >1 | 3 : 2 >0 >3"])},
    )  # fmt: skip
    data = make_dataset(task, options)
    example = data.isel(example=int(np.flatnonzero(data["split"].values == "written")[0]))
    drawn = drawing(example)
    nodes = {node.word: node for node in drawn.nodes}
    named = {(drawn.nodes[a].word, drawn.nodes[b].word) for a, b in drawn.lines}
    assert named == {("2", "0"), ("0", "3"), ("2", "1")}
    assert {word for word, node in nodes.items() if node.marked} == {"2", "0", "3"}
    assert [nodes[word].down for word in "2013"] == [0, 1, 1, 2]
    assert nodes["2"].right == (nodes["0"].right + nodes["1"].right) / 2
    assert nodes["3"].positions == (4, 9, 13)
