"""The scripts, the style and the template of the page."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent / "assets"

# In the order in which they stand on the page: each uses those before it.
SCRIPTS = (
    "data", "address", "words", "elements", "colours", "yaml", "heatmap", "curves", "choices",
    "inside", "findings", "training", "attention", "residual", "circuits", "plane", "structure", "main",
)  # fmt: skip


def files() -> Iterator[Path]:
    """Every file that the page is made of."""
    yield from sorted(FOLDER.glob("*.*"))


def digest() -> str:
    """The SHA-256 of all of them: they are no Python, so recipes would not count them."""
    whole = hashlib.sha256()
    for file in files():
        whole.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
    return whole.hexdigest()


def script() -> str:
    """All scripts as one."""
    return "\n".join(
        (FOLDER / f"{name}.js").read_text(encoding="utf-8").rstrip() for name in SCRIPTS
    )


def style() -> str:
    """The style."""
    return (FOLDER / "page.css").read_text(encoding="utf-8")
