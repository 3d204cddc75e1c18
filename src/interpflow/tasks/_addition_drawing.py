"""How an addition is drawn: as on paper, the carries above the two numbers and the sum below them."""

from __future__ import annotations

import xarray as xr

from interpflow.drawing import Drawing, Node


def drawing(example: xr.Dataset) -> Drawing:
    """The columns of one example, the highest on the left, each with a line through its digits.

    A digit of the sum stands for the position that asks for it.  Marked are carries, and the digits of the
    column that it comes from, to which a line leads.
    """
    column, asked = (example[name].values.tolist() for name in ("column", "digit"))
    words = example["token"].values[example["tokens"].values]
    highest = max(asked)
    into = {k: int(example["carry_in"][at]) for at, k in enumerate(asked) if k >= 0}
    nodes: list[Node] = []
    lines: list[tuple[int, int]] = []
    above: dict[int, int] = {}  # by column: the last node so far

    def add(k: int, down: int, word: str, positions: tuple[int, ...], marked: bool) -> None:
        if k in above:
            lines.append((above[k], len(nodes)))
        above[k] = len(nodes)
        nodes.append(Node(word, highest - k, down, positions, marked))

    for k, carry in sorted(into.items()):
        if carry:
            add(k, 0, "1", (), True)
    carries = dict(above)
    rows = dict.fromkeys(range(highest), 0)
    for at, k in enumerate(column):
        if k >= 0:
            rows[k] += 1
            add(k, rows[k], str(words[at]), (at,), bool(into.get(k + 1)))
    lines += [(above[k - 1], carry) for k, carry in carries.items()]
    for at, k in enumerate(asked):
        if k >= 0:
            add(k, 3, str(example["output"].values[int(example["targets"][at])]), (at,), False)
    return Drawing(nodes, lines)
