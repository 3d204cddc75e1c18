"""How an example of a task is drawn: its tokens and, where the task says one, the structure behind them.

A task may say so in a file beside its own, `tasks/_<task>_drawing.py`, apart from it so that an edit of the
drawing makes no data anew:

    def drawing(example: xr.Dataset) -> Drawing        of one example: the task's variables without `example`
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Node:
    """A node: its word, its place (right and down, neighbours 1 apart), and the positions that speak of it.

    A `marked` node has a thick edge.
    """

    word: str
    right: float
    down: float
    positions: tuple[int, ...] = ()
    marked: bool = False


@dataclass(frozen=True)
class Drawing:
    """Nodes, and lines between two of them, each by number."""

    nodes: list[Node] = field(default_factory=list)
    lines: list[tuple[int, int]] = field(default_factory=list)
