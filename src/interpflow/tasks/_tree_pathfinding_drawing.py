"""How a tree is drawn: leaves side by side, a parent over the middle of its children, the path marked."""

from __future__ import annotations

import numpy as np
import xarray as xr

from interpflow.drawing import Drawing, Node


def drawing(example: xr.Dataset) -> Drawing:
    """The tree of one example, by its `parent` (node,) and its `goal`."""
    parent = {
        int(node): int(above)
        for node, above in zip(example["node"].values, example["parent"].values, strict=True)
        if above >= 0
    }
    path = [int(example["goal"])]
    while path[-1] in parent:
        path.append(parent[path[-1]])
    order = [path[-1]]
    depth = {path[-1]: 0}
    for node in order:
        for child in sorted(child for child, above in parent.items() if above == node):
            depth[child] = depth[node] + 1
            order.append(child)
    across = _across(path[-1], parent)
    positions = _positions(example)
    nodes = [
        Node(str(node), across[node], depth[node], positions.get(node, ()), node in path)
        for node in order
    ]
    at = {node: place for place, node in enumerate(order)}
    return Drawing(nodes, [(at[parent[node]], at[node]) for node in order[1:]])


def _across(root: int, parent: dict[int, int]) -> dict[int, float]:
    found: dict[int, float] = {}
    leaves = iter(range(len(parent) + 1))

    def place(node: int) -> float:
        below = [place(child) for child, above in sorted(parent.items()) if above == node]
        found[node] = float(np.mean(below)) if below else float(next(leaves))
        return found[node]

    place(root)
    return found


def _positions(example: xr.Dataset) -> dict[int, tuple[int, ...]]:
    """The positions whose token names each node."""
    words = example["token"].values[example["tokens"].values][: int(example["length"])]
    found: dict[int, list[int]] = {}
    for position, word in enumerate(words):
        if (number := word.removeprefix(">")).isdecimal():
            found.setdefault(int(number), []).append(position)
    return {node: tuple(places) for node, places in found.items()}
