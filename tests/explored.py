"""What tests ask of an explorer: to show an address, and the blocks of a spec that draw what is shown."""

from __future__ import annotations

import re

from browser import Browser

VIEWS = ("findings", "training", "attention", "residual", "circuits", "plane", "structure")
_SHOW = """
    location.hash = a[0];
    while (document.getElementById('view').dataset.drawn !== location.hash)
        await new Promise(resolve => setTimeout(resolve, 10));
    await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
"""


def show(window: Browser, address: str) -> None:
    """Show what stands behind # in an address, until it is drawn."""
    window.run(_SHOW, address)


def problem(window: Browser) -> str | None:
    """What the page says that it cannot show."""
    return window.run("return document.querySelector('.problem')?.textContent")


def as_figures(window: Browser) -> list[str]:
    """The blocks of a spec that the page shows."""
    return window.run(
        "return Array.from(document.querySelectorAll('details.figure pre'), pre => pre.textContent)"
    )


def pasted(spec: str, block: str) -> str:
    """The spec with the entries of each section of a block in the section of that name, each once."""
    for section, entries in re.findall(r"^(\w+):\n((?:  .*\n)+)", block, re.MULTILINE):
        for entry in re.findall(r"^  \w+:\n(?:    .*\n)+", entries, re.MULTILINE):
            if entry not in spec:
                spec = spec.replace(f"\n{section}:\n", f"\n{section}:\n{entry}")
    return spec
