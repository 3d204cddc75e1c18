"""How a study and its figures show themselves in a notebook, and on a terminal."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from interpflow.errors import InterpflowError
from interpflow.record.scorecard import VERDICTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from interpflow.notebook.study import Results


def text(results: Results) -> str:
    """The study in a few lines."""
    lines = [
        results.spec.title,
        results.state,
        *(f"{key}: {what}" for key, what in _parts(results)),
    ]
    return "\n".join(lines)


def html(results: Results) -> str:
    """The same as HTML."""
    return (
        f"<h4>{escape(results.spec.title)}</h4><p>{escape(results.state)}</p>"
        f"{table(dict(_parts(results)), ('', ''))}"
    )


def table(rows: Mapping[str, str], head: Sequence[str]) -> str:
    """A table of two columns as HTML."""
    heading = f"<thead>{_row('th', head)}</thead>" if any(head) else ""
    body = "".join(_row("td", row) for row in rows.items())
    return f"<table>{heading}<tbody>{body}</tbody></table>"


def shown(figure: Figure) -> Figure:
    """`figure`, which a notebook then shows without pyplot."""
    figure._repr_png_ = functools.partial(_png, figure)  # type: ignore[attr-defined]
    return figure


def _png(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    image = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(image, format="png", bbox_inches="tight")
    return image.getvalue()


def _row(cell: str, values: Sequence[str]) -> str:
    cells = "".join(
        f'<{cell} style="text-align: left">{escape(value)}</{cell}>' for value in values
    )
    return f"<tr>{cells}</tr>"


def _parts(results: Results) -> Iterator[tuple[str, str]]:
    """What there is to ask for, and what the scorecard says."""
    spec = results.spec
    if spec.claims:
        try:
            verdicts = results.claims["verdict"].tolist()
            counts = ((verdicts.count(verdict), verdict) for verdict in VERDICTS)
            yield "claims", ", ".join(f"{number} {verdict}" for number, verdict in counts if number)
        except InterpflowError:
            yield "claims", "not made yet"
    yield "runs", ", ".join(spec.looked_at)
    yield "findings", ", ".join(spec.analyses)
    yield "figures", ", ".join(spec.figures)
