"""One way to draw a tree in every figure: the root on top, the path thick, the goal ringed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import xarray as xr

from interpflow import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DIAMETER = 0.84  # of a node, as a share of the distance to the next
MARGIN = 0.06  # beside the number in a node, inches
PATH = style.Look("path from the root to the goal", style.BLACK)
GOAL = style.Look("goal", style.VERMILLION, "o", line="", fill="white", size=6.5)

Point = tuple[float, float]


@dataclass(frozen=True)
class Tree:
    """A tree, and the node to which its path leads."""

    parent: Mapping[int, int]  # of every node but the root
    goal: int

    @classmethod
    def of(cls, states: xr.Dataset) -> Tree:
        """The tree of one example, from its `parent` (node,) and its `goal`.

        A parent is NaN for a node that only other experiments have.
        """
        parents = states["parent"].dropna("node")
        pairs = zip(parents["node"].values.tolist(), parents.values.tolist(), strict=True)
        above = {int(node): int(parent) for node, parent in pairs if parent >= 0}
        return cls(above, int(states["goal"]))

    @cached_property
    def path(self) -> list[int]:
        """The nodes from the root to the goal."""
        path = [self.goal]
        while path[-1] in self.parent:
            path.append(self.parent[path[-1]])
        return path[::-1]

    @cached_property
    def places(self) -> dict[int, Point]:
        """The place of each node: x from 0 to the right, y from 0 downwards.

        Neighbours on a level are at least 1 apart.  A parent stands over the middle of its children, and
        subtrees move together until they touch (Reingold & Tilford 1981).
        """
        children: dict[int, list[int]] = {}
        for node, parent in sorted(self.parent.items()):
            children.setdefault(parent, []).append(node)
        x: dict[int, float] = {}  # of a node, from its parent

        def edges(node: int) -> tuple[list[float], list[float]]:
            """The ends to the left and to the right of each level of a subtree, from its root."""
            below = [edges(child) for child in children.get(node, [])]
            if not below:
                return [0.0], [0.0]
            (left, right), *others = below
            at = [0.0]
            for near, far in others:
                at.append(max(r - n for r, n in zip(right, near, strict=False)) + 1)
                near, far = ([end + at[-1] for end in ends] for ends in (near, far))
                left, right = left + near[len(left) :], far + right[len(far) :]
            middle = (at[0] + at[-1]) / 2
            x.update({child: here - middle for child, here in zip(children[node], at, strict=True)})
            return [0.0, *(end - middle for end in left)], [0.0, *(end - middle for end in right)]

        root = self.path[0]
        leftmost = min(edges(root)[0])
        places = {root: (-leftmost, 0.0)}
        waiting = [root]
        while waiting:
            node = waiting.pop()
            for child in children.get(node, []):
                places[child] = (places[node][0] + x[child], places[node][1] - 1)
                waiting.append(child)
        return places

    @property
    def size(self) -> tuple[float, int]:
        """The width, in distances between neighbours, and the number of levels."""
        across, down = zip(*self.places.values(), strict=True)
        return max(across) + 1, round(1 - min(down))


def unit_of_labels(trees: Iterable[Tree], pitch: float) -> float:
    """The distance between neighbours at which their numbers fit, as a multiple of `pitch` (inches)."""
    words = {str(node) for tree in trees for node in tree.places}
    widest = max(map(style.text_width, words)) + MARGIN
    return max(1.0, widest / (DIAMETER * pitch))


def draw(
    figure: Figure,
    tree: Tree,
    column: tuple[float, float, float],
    pitch: float,
    unit: float = 1.0,
    fills: Mapping[int, str] | None = None,
    labels: bool = True,
) -> Axes:
    """Draw `tree` in the middle of a panel of its own; nodes without a fill in `fills` ("#rrggbb") are white.

    `column` is the left, the top and the width of the panel, in inches from the top left of the figure.  Levels
    are `pitch` inches apart, and neighbours on a level `unit` times as much.
    """
    from matplotlib.collections import EllipseCollection, LineCollection

    axes = _panel(figure, tree, column, pitch, unit)
    at = {node: (x * unit, y) for node, (x, y) in tree.places.items()}
    on_path = {node: node in tree.path for node in at}
    colors = {node: PATH.color if on else style.GREY for node, on in on_path.items()}
    lines = LineCollection(
        [[at[node], at[parent]] for node, parent in tree.parent.items()],
        colors=[colors[node] for node in tree.parent],
        linewidths=[1.8 if on_path[node] else 0.7 for node in tree.parent],
    )
    shades = [(fills or {}).get(node, "#ffffff") for node in at]
    nodes = EllipseCollection(
        *([size] * len(at) for size in (DIAMETER * unit, DIAMETER * min(1.0, unit), 0.0)),
        units="xy",
        offsets=list(at.values()),
        offset_transform=axes.transData,
        facecolors=shades,
        edgecolors=[GOAL.color if node == tree.goal else colors[node] for node in at],
        linewidths=[1.8 if node == tree.goal else 1.2 if on_path[node] else 0.7 for node in at],
        zorder=2,
    )
    axes.add_collection(lines, autolim=False)
    axes.add_collection(nodes, autolim=False)
    if labels:
        for (node, place), shade in zip(at.items(), shades, strict=True):
            axes.text(*place, str(node), ha="center", va="center_baseline", color=style.ink(shade))
    return axes


def _panel(
    figure: Figure, tree: Tree, column: tuple[float, float, float], pitch: float, unit: float
) -> Axes:
    """A panel without axes in which levels are one apart."""
    (left, top, width), (page_width, page_height) = column, figure.get_size_inches()
    across, levels = tree.size
    bottom, height = 1 - (top + levels * pitch) / page_height, levels * pitch / page_height
    axes = figure.add_axes((left / page_width, bottom, width / page_width, height))
    middle, half = (across - 1) / 2 * unit, width / pitch / 2
    axes.set(xlim=(middle - half, middle + half), ylim=(0.5 - levels, 0.5))
    axes.set_axis_off()
    return axes
