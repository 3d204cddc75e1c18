"""The page on what to see in the explorers, as a list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

PAGE = Path(__file__).parents[1] / "docs/explorer-tour.md"
_ROW = re.compile(
    r"\| .+? \| \[(.+?)\]\(\.\./figures/laptop/(\w+)/explorer/index\.html#(\S+)\) \| (.+?) \|"
)


@dataclass(frozen=True)
class Sight:
    """One thing to see: where the address leads, and the clicks behind the link to the explorer."""

    study: str
    title: str  # of the view
    shown: dict[str, str]
    clicks: list[str]


def sights() -> list[Sight]:
    """All rows of the page, in their order."""
    found = []
    for title, study, address, clicks in _ROW.findall(PAGE.read_text(encoding="utf-8")):
        shown = dict(parse_qsl(address, strict_parsing=True))
        found.append(Sight(study, title, shown, re.findall(r"\*(.+?)\*", clicks)))
    return found
