"""Random binary trees: many at once as arrays, how they grow, and which are kept from training."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from interpflow.rng import generator

Order = Literal["mixed", "random", "bottom_up"]
Kind = Literal["training", "plain", "forked"]
Ints = NDArray[np.int64]

# Where there is no node: the parent of the root.
NOTHING = -1


class Trees:
    """Many trees: `edges` (example, edge, 2) as listed, `parent` (example, node), `goal` (example,)."""

    def __init__(self, edges: Ints, parent: Ints, goal: Ints):
        self.edges, self.parent, self.goal = edges, parent, goal
        self.nodes = parent.shape[1]

    # Worked out when first asked for: most trees that are drawn are thrown away or put in order first.
    @cached_property
    def ancestor(self) -> Ints:
        """The nodes from the goal up to the root (example, distance), then -1."""
        way = [self.goal]
        for _ in range(self.nodes - 1):
            way.append(above(self.parent, way[-1]))
        return np.stack(way, axis=1)

    @cached_property
    def path_length(self) -> Ints:
        """Edges from the root to the goal (example,)."""
        return (self.ancestor >= 0).sum(1) - 1

    @classmethod
    def join(cls, parts: list[Trees]) -> Trees:
        """All trees of `parts`, one part after the other."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts])
                     for name in ("edges", "parent", "goal")))  # fmt: skip

    def take(self, chosen: np.ndarray) -> Trees:
        """The trees at `chosen`, in that order."""
        return Trees(self.edges[chosen], self.parent[chosen], self.goal[chosen])

    def of_all_leaves(self) -> tuple[Trees, Ints]:
        """Every tree once for each of its leaves as the goal, the edges as they stand; and which tree it is."""
        tree, goal = np.nonzero(self.leaf())
        return Trees(self.edges[tree], self.parent[tree], goal), tree

    def leaf(self) -> NDArray[np.bool_]:
        """Whether a node has no children (example, node)."""
        found = np.ones_like(self.parent, dtype=bool)
        rows, nodes = np.nonzero(self.parent >= 0)
        found[rows, self.parent[rows, nodes]] = False
        return found

    @cached_property
    def path(self) -> Ints:
        """The nodes from root to goal (example, step), then -1."""
        step = np.arange(self.nodes)
        distance = self.path_length[:, None] - step
        found = np.take_along_axis(self.ancestor, distance.clip(0), axis=1)
        return np.where(distance >= 0, found, NOTHING)

    def turns(self) -> Ints:
        """By how many edges the subtree that the path takes is deeper than the other (example, step).

        0 where there is no other.
        """
        path, height = self.path, _heights(self.parent)
        onward = np.concatenate([path[:, 1:], np.full_like(path[:, :1], NOTHING)], axis=1)
        children = self.parent[:, None, :] == path[:, :, None]  # (example, step, node)
        beside = children & (path >= 0)[:, :, None] & (onward[:, :, None] != np.arange(self.nodes))
        other = np.where(beside, height[:, None, :], NOTHING).max(axis=2)
        own = np.take_along_axis(height, onward.clip(0), axis=1)
        return np.where((onward >= 0) & (other >= 0), own - other, 0)

    def is_bottom_up(self) -> NDArray[np.bool_]:
        """Whether no edge stands before one that goes on from its target."""
        place = np.empty_like(self.parent)
        np.put_along_axis(place, self.edges[:, :, 1], np.arange(self.nodes - 1)[None], axis=1)
        np.put_along_axis(place, self.path[:, :1], self.nodes, axis=1)  # the root has no edge above
        return (place < np.take_along_axis(place, self.parent.clip(0), axis=1)).sum(
            1
        ) >= self.nodes - 1


def grow(
    nodes: int, random: np.random.Generator, lengths: Ints, kind: Kind, second_chain: int | None
) -> Trees:
    """Random trees and goals, the edges in the order in which they grew.

    A chain of `lengths` (example,) edges leads from the root to the goal, through random nodes.  Then, where
    nodes are left, a second chain of random nodes hangs from the root: in trees of kind `training` of random
    length; in those of kind `forked` of `second_chain` nodes, or none where fewer are left.  The nodes left
    after that, the lowest number first, each hang from a random one with fewer than two children, never from
    the goal.
    """
    size = len(lengths)
    left = nodes - 1 - lengths
    second = np.zeros_like(lengths)
    if kind == "training":
        second = np.where(left > 0, random.integers(1, np.maximum(left, 1) + 1), 0)
    elif second_chain is not None:
        second = np.where(left >= second_chain, second_chain, 0)
    every = np.arange(size)
    # Nodes are numbered as they grow: the root 0, the goal `lengths`.
    grown = np.arange(nodes)
    chained = grown <= (lengths + second)[:, None]
    parent = np.full((size, nodes), NOTHING)
    room = np.zeros((size, nodes), dtype=np.int8)  # children that a node can still have
    room[:, 0] = 2
    for node in range(1, nodes):
        free = room > 0
        free[every, lengths] = False
        # The place of the chosen one among the free, at random.
        rank = np.floor(random.random(size) * free.sum(1)).astype(np.int64)
        below = (free.cumsum(1, dtype=np.int16) > rank[:, None]).argmax(1)
        along = np.where(node == lengths + 1, 0, node - 1)
        below = np.where(chained[:, node], along, below)
        parent[:, node] = below
        room[every, below] -= 1
        room[:, node] = 2
    name = random.permuted(np.tile(grown, (size, 1)), axis=1)
    in_turn = np.where(chained, grown, nodes + name).argsort(axis=1)
    name = np.take_along_axis(name, in_turn, axis=1)
    source = np.take_along_axis(name, parent[:, 1:], axis=1)
    edges = np.stack([source, name[:, 1:]], axis=2)
    named = np.full_like(parent, NOTHING)
    np.put_along_axis(named, name[:, 1:], source, axis=1)
    return Trees(edges, named, name[every, lengths])


def ordered(trees: Trees, random: np.random.Generator, order: Order) -> Trees:
    """The edges shuffled, or bottom up: as their targets stand level by level, the last one first."""
    key = random.random(trees.edges.shape[:2])
    share = {"random": 0.0, "mixed": 0.5, "bottom_up": 1.0}[order]
    up = random.random(len(key)) < share
    key[up] = -np.take_along_axis(by_level(trees.parent[up]), trees.edges[up, :, 1], axis=1)
    place = key.argsort(axis=1)
    return Trees(np.take_along_axis(trees.edges, place[:, :, None], 1), trees.parent, trees.goal)


def by_level(parent: Ints) -> Ints:
    """The place of each node (example, node) level by level: after its parent's level, as parents stand there.

    Children of one parent stand in the order of their numbers, as networkx sorts a tree topologically.
    """
    nodes, up = parent.shape[1], parent
    place = depths(parent) * nodes + np.arange(nodes)
    while (on := up != NOTHING).any():
        # `place` compares the last few nodes on the way from the root: each round twice as many.
        above = np.where(on, np.take_along_axis(place, up.clip(0), axis=1), NOTHING)
        place = ((above + 1) * nodes**2 + place).argsort(axis=1).argsort(axis=1)
        up = np.where(on, np.take_along_axis(up, up.clip(0), axis=1), NOTHING)
    return place


def depths(parent: Ints) -> Ints:
    """Edges above each node (example, node); -1 for nodes that do not hang on a root."""
    depth, up = (parent != NOTHING).astype(int), parent
    for _ in range(parent.shape[1].bit_length()):
        # `up` lies `depth` edges above: each round goes as far again.
        on = up != NOTHING
        depth = depth + np.where(on, np.take_along_axis(depth, up.clip(0), axis=1), 0)
        up = np.where(on, np.take_along_axis(up, up.clip(0), axis=1), NOTHING)
    return np.where(up == NOTHING, depth, -1)


def _heights(parent: Ints) -> Ints:
    """Edges between each node and the deepest leaf below it (example, node)."""
    height = np.zeros_like(parent)
    rows, nodes = np.nonzero(parent >= 0)
    for _ in range(parent.shape[1] - 1):
        np.maximum.at(height, (rows, parent[rows, nodes]), height[rows, nodes] + 1)
    return height


def above(parent: Ints, node: Ints) -> Ints:
    """The parents of `node` (example,), -1 above the root and above -1."""
    return np.where(node >= 0, parent[np.arange(len(node)), node.clip(0)], NOTHING)


def is_held_out(parent: Ints, share: float) -> NDArray[np.bool_]:
    """Whether trees are kept from training: a hash of who is whose parent, the same for ever."""
    nodes = parent.shape[1]
    table = generator("tree_pathfinding", "hash").integers(
        0, 2**63, (nodes, nodes + 1), dtype=np.uint64
    )
    mixed = np.zeros(len(parent), dtype=np.uint64)
    for node in range(nodes):
        mixed ^= table[node, parent[:, node] + 1]  # tabulation hashing, Zobrist 1970
    return mixed < np.uint64(share * 2**63)
