"""Trees as text, such as `2 >0 , 0 >3 , 2 >1 | 3 : 2 >0 >3`."""

from __future__ import annotations

import numpy as np

from interpflow.tasks._tree_tokens import words
from interpflow.tasks._trees import NOTHING, Ints, depths


def read(text: str, nodes: int) -> tuple[Ints, Ints, int]:
    """A tree written out: its edges (edge, 2), its parents (node,) and its goal.

    The path may be left out.  Raises ValueError, saying what is wrong, for a text that is no binary tree of
    `nodes` nodes, a goal that is no leaf of it, and a path that does not lead there.
    """

    def number(word: str, mark: str = "") -> int:
        if not word.startswith(mark) or not word[len(mark) :].isdigit():
            raise ValueError(
                f"'{word}' stands where '{mark}' and a node's number belong, in '{text}'"
            )
        node = int(word[len(mark) :])
        if node >= nodes:
            raise ValueError(f"node {node} is not below {nodes}, in '{text}'")
        return node

    listed, bar, rest = text.partition("|")
    asked, colon, answer = rest.partition(":")
    if not bar or not colon:
        raise ValueError(f"'{text}' is no tree: it takes edges, '|', a goal, ':' and the root")
    edges = []
    for edge in listed.split(","):
        if len(edge.split()) != 2:
            raise ValueError(f"'{edge.strip()}' is no edge such as '2 >0', in '{text}'")
        above, below = edge.split()
        edges.append((number(above), number(below, ">")))
    if len(edges) != nodes - 1:
        raise ValueError(f"{len(edges)} edges do not join {nodes} nodes, in '{text}'")
    parent = np.full(nodes, NOTHING)
    for source, target in edges:
        if parent[target] != NOTHING:
            raise ValueError(f"node {target} has two parents, in '{text}'")
        parent[target] = source
    children = np.bincount(parent[parent >= 0], minlength=nodes)
    if children.max() > 2:
        raise ValueError(f"node {children.argmax()} has more than two children, in '{text}'")
    goal = number(asked.strip())
    way = [goal]
    while parent[way[-1]] != NOTHING and len(way) <= nodes:
        way.append(int(parent[way[-1]]))
    # With one parent each and n - 1 edges, nodes that do not hang on the root go round in a circle.
    reached = depths(parent[None])[0]
    if (reached < 0).any():
        raise ValueError(f"node {int(reached.argmin())} does not hang on the root, in '{text}'")
    if children[goal]:
        raise ValueError(f"goal {goal} has children; a goal is a leaf, in '{text}'")
    first, *further = answer.replace(",", " ").split() or [str(way[-1])]
    path = [number(first), *(number(word, ">") for word in further)]
    if path != way[::-1][: len(path)] or len(path) not in (1, len(way)):
        right = " >".join(map(str, way[::-1]))
        raise ValueError(
            f"the path to {goal} is {right}, not {' >'.join(map(str, path))}, in '{text}'"
        )
    return np.array(edges), parent, goal


def write(tokens: np.ndarray, nodes: int) -> str:
    """The text of one example (position,)."""
    vocabulary = words(nodes)
    return " ".join(vocabulary[token] for token in tokens)
