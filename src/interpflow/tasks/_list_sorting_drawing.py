"""How a list is drawn: as it is given and, below, sorted, with a line from each number to its place."""

from __future__ import annotations

import numpy as np
import xarray as xr

from interpflow.drawing import Drawing, Node


def drawing(example: xr.Dataset) -> Drawing:
    """The list of one example; a sorted number stands for the position that asks for it."""
    asked = np.flatnonzero(example["scored"].values).tolist()
    given = example["token"].values[example["tokens"].values[: asked[0]]].tolist()
    wanted = example["output"].values[example["targets"].values[asked]].tolist()
    nodes = [Node(str(word), at, 0, (at,)) for at, word in enumerate(given)]
    nodes += [Node(str(word), at, 3, (asked[at],)) for at, word in enumerate(wanted)]
    lines = [(at, len(given) + wanted.index(word)) for at, word in enumerate(given)]
    return Drawing(nodes, lines)
