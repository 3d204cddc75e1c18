"""The explorers that the last run left in figures/: their size, and the time until their first view is drawn.

In a headless Chromium without a network, from the start of loading to the frame behind the view; on the clock.
"""

from __future__ import annotations

from pathlib import Path

from tests import browser

REPEATS = 5
_DRAWN = """
    while (document.getElementById('view').dataset.drawn === undefined)
        await new Promise(resolve => setTimeout(resolve, 5));
    await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    return performance.now() / 1000;
"""


def main() -> None:
    """Print size and time of each; the middle one of several times."""
    pages = sorted(Path("figures").glob("*/*/explorer/index.html"))
    if lacking := browser.missing() or ("" if pages else "no explorers in figures/; run a study"):
        print(f"  {lacking}")
        return
    for page in pages:
        seconds = []
        for _ in range(REPEATS):
            with browser.browser() as window:  # a new one has nothing of the page yet
                window.open(page.resolve().as_uri())
                seconds.append(window.run(_DRAWN))
        middle = sorted(seconds)[REPEATS // 2]
        size = page.stat().st_size / 1e6
        print(f"  {page.parts[1]}/{page.parts[2]:<24}{size:8.2f} MB{middle:8.2f} s", flush=True)
    print("  goal: 10 MB and 2 s")
