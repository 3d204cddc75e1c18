"""Trees as tokens: the edges, the goal, the root and the path, and what is asked of a model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interpflow.tasks._trees import Ints, Trees


def words(nodes: int) -> list[str]:
    """The vocabulary: marks, nodes where an edge leads to, nodes where one starts."""
    return [",", ":", "|", *(f">{node}" for node in range(nodes)), *map(str, range(nodes))]


def root_position(nodes: int) -> int:
    """The position of the root: after the edges, the goal and the colon."""
    return 3 * (nodes - 1) + 2


def lengths_of(trees: Trees) -> Ints:
    """Tokens of each example: up to the comma that ends the path."""
    return root_position(trees.nodes) + 2 + trees.path_length


def tokens_of(trees: Trees) -> NDArray[np.int16]:
    """Token ids (example, position), with commas after the path."""
    path, root_at = trees.path, root_position(trees.nodes)
    found = np.zeros((len(trees.goal), 4 * trees.nodes), dtype=np.int16)
    edges = found[:, : root_at - 2].reshape(len(found), -1, 3)
    edges[:, :, 0] = 3 + trees.nodes + trees.edges[:, :, 0]
    edges[:, :, 1] = 3 + trees.edges[:, :, 1]
    found[:, root_at - 3] = 2
    found[:, root_at - 2] = 3 + trees.nodes + trees.goal
    found[:, root_at - 1] = 1
    found[:, root_at] = 3 + trees.nodes + path[:, 0]
    found[:, root_at + 1 : -1] = np.where(path[:, 1:] >= 0, 3 + path[:, 1:], 0)
    return found


def targets_of(tokens: NDArray[np.int16]) -> NDArray[np.int16]:
    """What comes next (example, position); a comma after the last."""
    return np.concatenate([tokens[:, 1:], np.zeros_like(tokens[:, :1])], axis=1)


def scored_in(trees: Trees, padded: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The root and the path, and if `padded` (example,) all that stands behind them (example, position)."""
    place = np.arange(4 * trees.nodes)
    behind = place > lengths_of(trees)[:, None] - 2
    return (place >= root_position(trees.nodes)) & (padded[:, None] | ~behind)
