"""An example of paths in trees: a tree, and below it its tokens: edges, goal, root and path.

The figure's data are examples (`example_states` with `parent` and `goal`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import xarray as xr

from interpflow import style
from interpflow.plots._panels import Shown, find, first
from interpflow.plots._tree_drawing import Tree, draw, unit_of_labels
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Run(NamedTuple):
    """Tokens of one part that stand side by side; the part of other tokens is ""."""

    part: str
    words: list[str]
    ends_line: bool
    named: bool  # the name of the part stands under its last run


DRAWS = ("parent", "goal")


class Options(Shown):
    """Which example is shown: `select` names it (`shown_example`), the first if not given."""


PITCH, TALLEST = 0.3, 6.0  # from level to level at most, and the height of the tree at most, inches
SIDE, CELL, APART = 0.1, 0.255, 0.12  # beside the tokens, of a token, between two parts, inches
LINE, HIGH = 0.5, 0.19  # from line to line of tokens, and of a token, inches
PER_LINE = 24  # tokens of one part: whole edges
SEPARATORS = (",", "|")
# The name of each part, and its colour in the tokens and in the tree.  Roles of a part begin with its key.
PARTS = {
    "edge": ("edges, each from a node to its child", style.PALE),
    "goal": ("goal", style.VERMILLION),
    "root": ("root", style.GREEN),
    "path": ("path, which the model writes", style.SKY),
}


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """The tree, and its tokens in lines."""
    from matplotlib.figure import Figure

    found = find(data, options, "parent")
    if found is None:
        return style.nothing("No example of this experiment is in the data.")
    example = first(found, "shown_example")
    tree, runs = Tree.of(example), _runs(example)
    pitch = min(PITCH, TALLEST / tree.size[1])
    unit = unit_of_labels([tree], pitch)
    below = LINE + sum(_line(run) for run in runs if run.ends_line)
    above = tree.size[1] * pitch + 2 * SIDE
    figure = Figure(figsize=(style.sizes().double, above + below))
    colors = dict.fromkeys(tree.path, PARTS["path"][1])
    colors |= {tree.path[0]: PARTS["root"][1], tree.goal: PARTS["goal"][1]}
    draw(figure, tree, (0, SIDE, style.sizes().double), pitch, unit, colors)
    strip = figure.add_axes((0, 0, 1, below / (above + below)))  # in inches, downwards
    strip.set(xlim=(0, style.sizes().double), ylim=(below, 0))
    strip.set_axis_off()
    left, top = SIDE, 0.0
    for run in runs:
        _write(strip, run, left, top)
        left += CELL * len(run.words) + APART
        if run.ends_line:
            left, top = SIDE, top + _line(run)
    return figure


def _runs(example: xr.Dataset) -> list[Run]:
    """The tokens of an example, in runs of one part that fit on a line; edges have lines of their own."""
    words, roles = (example[name].values.tolist() for name in ("word", "role_word"))
    parts = [next((part for part in PARTS if role.startswith(part)), "") for role in roles]
    runs = []
    for part, group in groupby(zip(parts, words, strict=True), key=lambda pair: pair[0]):
        left = [word for _, word in group if word]
        while left:
            here, left = left[:PER_LINE], left[PER_LINE:]
            runs.append(Run(part, here, ends_line=bool(left) or part == "edge", named=not left))
    return runs


def _line(run: Run) -> float:
    """The distance from the line that a run ends to the next line, inches."""
    return LINE if run.named else HIGH + 0.08


def _write(strip: Axes, run: Run, left: float, top: float) -> None:
    """Write one run, and the name of its part under it."""
    name, color = PARTS.get(run.part, ("", "#ffffff"))
    for place, word in enumerate(run.words):
        x = left + place * CELL
        back = "#ffffff" if word in SEPARATORS else color
        strip.broken_barh([(x, CELL)], (top, HIGH), color=back, linewidth=0)
        middle = x + CELL / 2, top + HIGH / 2
        strip.text(*middle, word, ha="center", va="center_baseline", color=style.ink(back))
    if name and run.named:
        strip.text(left, top + HIGH + 0.04, name, va="top")
