"""How a string of a formal language is drawn: letters from left to right, each at the state that follows it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from interpflow.drawing import Drawing, Node


def drawing(example: xr.Dataset) -> Drawing:
    """One example: a step down for each state, or where there is one state for each count of the counters.

    The letters at which the string so far is a member are marked.
    """
    length = int(example["length"])
    words = example["token"].values[example["tokens"].values[:length]]
    levels = example["state"].values[:length]
    if len(np.unique(levels)) < 2 and "count" in example:
        levels = example["count"].sum("counter").values[:length]
    member = example["member"].values[:length] == 1
    nodes = [
        Node(str(word), at, int(level), (at,), bool(is_member))
        for at, (word, level, is_member) in enumerate(zip(words, levels, member, strict=True))
    ]
    return Drawing(nodes, [(at, at + 1) for at in range(length - 1)])
