"""How a string of brackets is drawn: each at its depth, with a line to the one that it opens or closes."""

from __future__ import annotations

import xarray as xr

from interpflow.drawing import Drawing, Node


def drawing(example: xr.Dataset) -> Drawing:
    """The brackets of one example from left to right, the deeper the lower.

    A closing bracket closes the last one open of its own type, whatever is open between them; such pairs, that
    no nesting allows, are marked.
    """
    tokens = [int(token) for token in example["tokens"].values[: int(example["length"])]]
    depth: list[int] = []
    lines: list[tuple[int, int]] = []
    crossed: set[int] = set()
    open_: list[int] = []
    for at, token in enumerate(tokens):
        if token % 2:
            pair = max(place for place in open_ if tokens[place] == token - 1)
            lines.append((pair, at))
            if pair != open_[-1]:
                crossed |= {pair, at}
            open_.remove(pair)
        depth.append(len(open_))
        if not token % 2:
            open_.append(at)
    words = example["token"].values[tokens]
    nodes = [
        Node(str(word), at, depth[at], (at,), marked=at in crossed) for at, word in enumerate(words)
    ]
    return Drawing(nodes, lines)
