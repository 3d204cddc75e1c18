"""The only writer of figures: the same figure gives the same bytes."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from interpflow.store import replacing
from interpflow.style.look import RC, TEXTS
from interpflow.style.sizes import Venue, sizes_of

_CANVAS = {"svg": FigureCanvasSVG, "png": FigureCanvasAgg, "pdf": FigureCanvasPdf}
# All formats stamp the file with what changes from run to run, or from version to version.
_METADATA: dict[str, dict[str, None]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
}
_STYLE: Any = {
    **RC,
    "svg.hashsalt": "interpflow",  # ids of clip paths; random without it
    "svg.fonttype": "none",  # text stays text: small, searchable, and the reader's own font
    "pdf.fonttype": 42,  # TrueType: venues refuse Type 3, matplotlib's own
    "savefig.dpi": 150,
}


@contextlib.contextmanager
def style(venue: Venue | None = None) -> Iterator[None]:
    """Draw and save within this, in the sizes of `venue`: our settings, whatever a matplotlibrc says."""
    with mpl.rc_context(), sizes_of(venue) as sizes:
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        texts: Any = dict.fromkeys(TEXTS, sizes.text)
        mpl.rcParams.update(texts)
        yield


def empty() -> Figure:
    """A figure of nothing."""
    return Figure(figsize=(4.0, 0.5))


def with_note(figure: Figure, note: str) -> Figure:
    """`figure` with `note`, if there is one, below it."""
    if note:
        lines = textwrap.fill(note, max(20, round(14 * figure.get_figwidth())))
        figure.text(0.0, -0.02, lines, va="top", fontsize="small")
    return figure


def save(figure: Figure, paths: Mapping[str, Path]) -> None:
    """Write `figure` to each of `paths` (by format: svg, png, pdf), each whole or not at all."""
    _settle(figure)
    for kind, path in paths.items():
        with replacing(path) as temporary:
            _CANVAS[kind](figure).print_figure(
                temporary, format=kind, metadata=_METADATA[kind], bbox_inches="tight"
            )


def _settle(figure: Figure) -> None:
    """Lay `figure` out for good.

    The solver behind the layout numbers its variables through the life of a process, and the last bits of what
    it finds depend on the figures before.
    """
    figure.draw_without_rendering()
    for panel in figure.axes:
        bounds = panel.get_position(original=True).bounds
        left, low, width, height = (round(value, 9) for value in bounds)
        panel.set_position((left, low, width, height))
    figure.set_layout_engine("none")
