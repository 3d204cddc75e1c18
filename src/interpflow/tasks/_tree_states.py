"""The true states behind an example: facts about its tree, and about each position."""

from __future__ import annotations

import numpy as np

from interpflow.tasks._tree_tokens import root_position
from interpflow.tasks._trees import NOTHING, Trees, depths

ROLES = ("edge_source", "edge_target", "edge_end", "goal", "colon", "root", "path", "padding")


def states_of(trees: Trees) -> dict[str, np.ndarray]:
    """The states of the examples, by the names in `VARIABLES` of the task."""
    root_at = root_position(trees.nodes)
    shape = (len(trees.goal), 4 * trees.nodes)
    role = np.full(shape, ROLES.index("padding"), dtype=np.int8)
    role[:, : root_at - 2] = np.arange(root_at - 2) % 3
    role[:, root_at - 2 : root_at + 1] = [ROLES.index(r) for r in ("goal", "colon", "root")]
    role[:, root_at + 1 : -1][trees.path[:, 1:] >= 0] = ROLES.index("path")
    ends = np.full((2, *shape), NOTHING, dtype=np.int8)
    ends[:, :, : root_at - 2] = np.repeat(trees.edges.transpose(2, 0, 1), 3, axis=2)[
        ..., : root_at - 2
    ]
    at_node = np.full(shape, NOTHING, dtype=np.int8)
    at_node[:, root_at:-1] = trees.path
    steps = trees.path_length[:, None] - np.arange(trees.nodes)
    below = np.arange(trees.nodes) < trees.path_length[:, None]  # by edges above the goal
    to_goal = np.full(shape, NOTHING, dtype=np.int8)
    to_goal[:, root_at:-1] = np.where(steps >= 0, steps, NOTHING)
    is_child = trees.parent[:, None, :] == np.arange(trees.nodes)[:, None]  # (example, node, child)
    leaf = trees.leaf()
    child = np.zeros((*shape, trees.nodes), dtype=np.int8)
    here = trees.path
    rows = np.take_along_axis(is_child, here.clip(0)[:, :, None], axis=1)
    child[:, root_at:-1] = rows & (here >= 0)[:, :, None]
    to_deeper, to_shallower = np.zeros((2, *shape), dtype=bool)
    deeper_by = trees.turns()
    to_deeper[:, root_at:-1], to_shallower[:, root_at:-1] = deeper_by > 0, deeper_by < 0
    depth = depths(trees.parent)
    return {
        "role": role,
        "parent": trees.parent.astype(np.int8),
        "depth": depth.astype(np.int8),
        "goal": trees.goal.astype(np.int8),
        "path_length": trees.path_length.astype(np.int8),
        "ancestor": trees.ancestor.astype(np.int8),
        "below_root": np.where(below, trees.ancestor, NOTHING).astype(np.int8),
        "edge_source": ends[0],
        "edge_target": ends[1],
        "at_node": at_node,
        "to_goal": to_goal,
        "children": child,
        "inner_children": child * ~leaf[:, None, :],
        "to_deeper": to_deeper,
        "to_shallower": to_shallower,
        "leaf": leaf,
        "root_forks": is_child[np.arange(len(depth)), trees.path[:, 0]].sum(1) == 2,
        "bottom_up": trees.is_bottom_up(),
    }
