"""Predictions of a lens at one position, layer by layer, drawn on trees: a row for each example.

The first of the figure's data has the examples (`example_states` with `parent`, `goal` and `path_length`).  The
second has the lens (`lens` with the same examples shown).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import xarray as xr

from interpflow import style
from interpflow.errors import InterpflowError
from interpflow.plots._panels import Panel, Shown, find, first, within
from interpflow.plots._tree_drawing import GOAL, PATH, Tree, draw, unit_of_labels
from interpflow.plots.base import choose
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


DRAWS = ("probability", "output")


class Options(Shown):
    """Which model is shown; `select` names the lens, the position, examples (`shown_example`) and layers.

    If not given, the first lens and position, and all examples and layers.  Layer 0 is before the first layer.
    """

    word: str = ">{}"  # the output that says a node


LABELS, GAP = 0.42, 0.12  # before the rows, and between columns, inches
KEY, HEADS, BETWEEN = 0.32, 0.34, 0.16  # over the rows, and from row to row
PITCH, TALLEST = 0.24, 8.9  # from level to level, at most, and the figure
CLOSEST = 0.13  # from level to level, for numbers that can be read


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """The tree with its numbers, then, for each layer, the tree shaded by the probability of each node.

    Raises InterpflowError for more examples than a page holds.
    """
    from matplotlib.figure import Figure

    shown, lens = data
    along = ("shown_example", "layer")
    found = find(data, within(Panel(data=lens), options), "probability", along=along)
    states = find(data, Panel(data=shown, experiment=options.experiment), "parent", along=along)
    if states is None or found is None:
        return style.nothing("No lens of this experiment is in the data.")
    found = first(found, "seed", "lens", "position")
    layers = found["layer"].values.tolist()
    names = found["shown_example"].values.tolist()
    lengths = [int(choose(states, shown_example=name)["path_length"]) for name in names]
    trees = [Tree.of(choose(states, shown_example=name)) for name in names]

    widest = max(tree.size[0] for tree in trees)
    levels = sum(tree.size[1] for tree in trees)
    pitch = min(PITCH, (TALLEST - KEY - HEADS - BETWEEN * len(trees)) / levels)
    if pitch < CLOSEST:
        raise InterpflowError(f"{len(names)} examples do not fit on a page; name fewer: examples")
    wide = unit_of_labels(trees, pitch)
    named = pitch * widest * wide + GAP
    column = (style.sizes().double - LABELS - named) / len(layers)
    unit = min(1.0, (column - GAP) / (pitch * widest))
    height = KEY + HEADS + pitch * levels + BETWEEN * len(trees)
    figure = Figure(figsize=(style.sizes().double, height))
    shade = _key(figure, style.axis_label(found["probability"]))

    def write(words: str, left: float, top: float) -> None:
        """Words in the middle of a place, inches."""
        figure.text(left / style.sizes().double, 1 - top / height, words, ha="center", va="center")

    write("Path\nlength", LABELS / 2, KEY + HEADS / 2)
    write("Tree", LABELS + named / 2, KEY + HEADS / 2)
    starts = [LABELS + named + place * column for place in range(len(layers))]
    for layer, start in zip(layers, starts, strict=True):
        words = f"After\nlayer {layer - 1}" if layer else "Embed-\ndings"
        write(words, start + column / 2, KEY + HEADS / 2)
    top = KEY + HEADS
    for name, length, tree in zip(names, lengths, trees, strict=True):
        write(str(length), LABELS / 2, top + tree.size[1] * pitch / 2)
        draw(figure, tree, (LABELS, top, named), pitch, wide)
        outputs = [options.word.format(node) for node in tree.places]
        for layer, start in zip(layers, starts, strict=True):
            here = choose(found, shown_example=name, layer=layer)
            shades = [
                shade(float(choose(here, output=output)["probability"])) for output in outputs
            ]
            fills = dict(zip(tree.places, shades, strict=True))
            draw(figure, tree, (start, top, column), pitch, unit, fills, labels=False)
        top += tree.size[1] * pitch + BETWEEN
    return figure


def _key(figure: Figure, words: str) -> Callable[[float], str]:
    """Draw the key of shades and lines above the rows; return the shade of a probability."""
    import matplotlib as mpl
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize, to_hex
    from matplotlib.lines import Line2D

    width, height = figure.get_size_inches()
    shades = mpl.colormaps[style.SHADES]
    bar = figure.add_axes((0.1 / width, 1 - 0.13 / height, 0.8 / width, 0.09 / height))
    style.colour_bar(bar, ScalarMappable(Normalize(0, 1), shades), words)
    figure.legend(
        handles=[Line2D([], [], label=look.label, **look.drawn) for look in (PATH, GOAL)],
        loc="upper right",
        ncols=2,
        borderaxespad=0,
    )
    return lambda value: to_hex(shades(value))
