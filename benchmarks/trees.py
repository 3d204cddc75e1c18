"""Examples of tree_pathfinding a second, against the paper's recipe written down with networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np

from benchmarks import study
from benchmarks.timing import Way, compare
from interpflow.rng import generator
from interpflow.tasks import tree_pathfinding as task
from interpflow.tasks._tree_tokens import words

EXAMPLES, REPEATS = 20_000, 3
PLAIN = 500  # of the slow one, which takes as long for each


def plain_tree(
    nodes: int,
    random: np.random.Generator,
    length: int | None = None,
    kind: str = "training",
    second: int = 0,
) -> tuple[nx.DiGraph, int]:
    """One tree and its goal after the authors' recipe, as one would write it down.

    `second` nodes hang from the root in the second chain of a tree of the kind `forked`, if so many are left.
    """
    left = list(range(nodes))

    def some(count: int) -> list[int]:
        return [left.pop(int(random.integers(len(left)))) for _ in range(count)]

    if length is None:
        length = int(random.integers(1, nodes // 3 * 2 if kind == "plain" else nodes))
    path = some(length + 1)
    if kind == "training" and left:
        second = int(random.integers(1, len(left) + 1))
    tree = nx.DiGraph()
    nx.add_path(tree, path)
    nx.add_path(tree, path[:1] + some(second if second <= len(left) else 0))
    for node in left:
        free = [other for other in tree if tree.out_degree[other] < 2 and other != path[-1]]
        tree.add_edge(int(random.choice(free)), node)
    return tree, path[-1]


def plain_order(tree: nx.DiGraph) -> list[tuple[int, int]]:
    """The edges bottom up."""
    # networkx takes children in the order in which it was told of them; the authors name the lowest first.
    again = nx.DiGraph(sorted(tree.edges))
    order = list(nx.topological_sort(again))
    return [edge for node in reversed(order) for edge in again.in_edges(node)]


def plain_text(nodes: int, random: np.random.Generator) -> list[int]:
    """The tokens of one example."""
    tree, goal = plain_tree(nodes, random)
    edges = plain_order(tree)
    path = nx.shortest_path(tree, edges[-1][0], goal)
    if random.random() < 0.5:
        random.shuffle(edges)
    listed = " , ".join(f"{above} >{below}" for above, below in edges)
    text = f"{listed} | {goal} : " + " >".join(map(str, path)) + " ,"
    place = {word: at for at, word in enumerate(words(nodes))}
    return [place[word] for word in text.split()]


def main() -> None:
    """Trees of 16 nodes."""
    experiment = study.tree_pathfinding().experiments["nodes16"]
    given = {name: value for name, value in experiment.task.items() if name != "name"}
    # The recipe written down above asks each tree for one goal.
    options = task.Options(**given | {"fresh": {"goals": "one"}})
    random = np.random.default_rng(0)
    compare(
        "an example of 16 nodes",
        [
            Way("ours", lambda: task.sample(options, generator("bench"), EXAMPLES, 0), EXAMPLES),
            Way(
                "networkx, one at a time",
                lambda: [plain_text(16, random) for _ in range(PLAIN)],
                PLAIN,
            ),
        ],
        REPEATS,
    )
