"""Examples of tree_pathfinding a second, against the paper's recipe written down with networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np

from benchmarks import study
from benchmarks.timing import Way, compare
from interpflow.rng import generator
from interpflow.tasks import tree_pathfinding as task

EXAMPLES, REPEATS = 20_000, 3
PLAIN = 500  # of the slow one, which takes as long for each


def plain_tree(
    nodes: int, random: np.random.Generator, length: int | None = None, least_second: int | None = 1
) -> tuple[nx.DiGraph, int]:
    """One tree and its goal after the paper's recipe, as one would write it down.

    At least `least_second` nodes hang from the root in a second chain where nodes are left; None: no chain.
    """
    tree = nx.DiGraph()
    length = length or int(random.integers(1, nodes))
    nx.add_path(tree, range(length + 1))
    if length < nodes - 1 and least_second is not None:
        second = int(random.integers(least_second, nodes - length))
        nx.add_path(tree, [0, *range(length + 1, length + 1 + second)])
    for node in range(len(tree), nodes):
        free = [other for other in tree if tree.out_degree[other] < 2 and other != length]
        tree.add_edge(int(random.choice(free)), node)
    names = random.permutation(nodes).tolist()
    return nx.relabel_nodes(tree, dict(enumerate(names))), names[length]


def plain_text(nodes: int, random: np.random.Generator) -> list[int]:
    """The tokens of one example."""
    tree, goal = plain_tree(nodes, random)
    order = list(nx.topological_sort(tree))
    edges = [(above, node) for node in reversed(order) for above in tree.predecessors(node)]
    if random.random() < 0.5:
        random.shuffle(edges)
    path = nx.shortest_path(tree, order[0], goal)
    listed = " , ".join(f"{above} >{below}" for above, below in edges)
    text = f"{listed} | {goal} : " + " >".join(map(str, path)) + " ,"
    place = {word: at for at, word in enumerate(task.words(nodes))}
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
