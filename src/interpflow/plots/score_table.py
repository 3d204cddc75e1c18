"""A table of scores: a row for each value of a swept option, such as a language, a column for each setting.

Beside the scores stand facts that are no scores, such as attributes of the language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import xarray as xr
from pydantic import Field

from interpflow import style
from interpflow.errors import InterpflowError
from interpflow.nearest import listed
from interpflow.plots._cells import HEIGHT, LINE, Scale, draw, filled, mean, widest
from interpflow.plots._curves import Curve, curve
from interpflow.plots._panels import Line, Panel, Shown
from interpflow.section import Names
from interpflow.selection import Coordinate
from interpflow.spec.study import Claim
from interpflow.style.marks import EXPECTED, marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage


class Fact(Line):
    """A variable whose value is written as it is."""

    words: dict[str, str] = {}  # a value: words for it, {"1": "yes"}


class Options(Shown):
    """The rows, the columns under their headings, and the facts."""

    rows: Coordinate  # a swept option, or a coordinate of the variables
    # heading: {label: column}; a column selects among the experiments too, by what they sweep
    columns: Annotated[dict[str, dict[str, Line]], Field(min_length=1)]
    facts: dict[str, Fact] = {}  # by label
    # A value of the rows: words for it.  Values that have words come first, in the order of the spec.
    labels: dict[Annotated[str, Names("label")], str] = {}
    value_label: str | None = None  # the name of the first column's variable if not given


GAP = 0.12  # between blocks of columns, inches


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Means over seeds in percent, and in brackets the number of a claim of equality on the cell."""
    blocks = {
        heading: _curves(data, options, lines, f"columns.{heading}")
        for heading, lines in options.columns.items()
    }
    blocks = {heading: block for heading, block in blocks.items() if block}
    if not blocks:
        return style.nothing("Nothing of what these columns select is in the data.")
    facts = _curves(data, options, options.facts, "facts")
    rows = _rows(options, [each for block in blocks.values() for each in block.values()])
    tables = {heading: _table(block, rows, options) for heading, block in blocks.items()}
    written = {
        heading: _written(block, tables[heading], rows, options, claims)
        for heading, block in blocks.items()
    }
    told = _facts(facts, rows, options)
    widths = [_widths(told)] if told else []
    widths += [_widths(words, at_least=0.3) for words in written.values()]
    left = widest(_label(row, options) for row in rows) + 0.2
    needed = left + sum(map(sum, widths)) + GAP * len(widths)
    page = style.sizes().single if needed <= style.sizes().single else style.sizes().double
    scale = (page - left - GAP * len(widths)) / sum(map(sum, widths))
    titles = [
        filled(heading, scale * sum(_widths(words, at_least=0.3)))
        for heading, words in written.items()
    ]
    lines = max(title.count("\n") for title in titles)
    figure, ((*axes,),) = style.grid(
        [HEIGHT * len(rows) + 0.3 + LINE * lines],
        len(widths),
        page,
        widths=[sum(each) for each in widths],
    )
    if told:
        _draw_facts(axes[0], told, len(rows))
    image: AxesImage | None = None
    for panel, title, table, words in zip(
        axes[bool(told) :], titles, tables.values(), written.values(), strict=True
    ):
        room = scale * sum(_widths(words, at_least=0.3)) / len(words), HEIGHT
        image = draw(panel, table, Scale(1), room, numbers=False)
        _write(panel, image, table, words)
        panel.set_xticks(range(len(words)), [label.replace(" ", "\n") for label in words])
        panel.set_title(title)
    for at, panel in enumerate(axes):
        names = [_label(row, options) for row in rows]
        panel.set_yticks(range(len(rows)), names if not at else [])
    first = next(iter(next(iter(blocks.values())).values()))
    label = options.value_label or style.axis_label(first.dataset[first.line.variable])
    bracketed = any(
        "(" in word for words in written.values() for each in words.values() for word in each
    )
    assert image is not None
    style.colour_key(figure, image, label + ", in brackets: reported" * bracketed)
    return figure


def _curves(
    data: Mapping[str, xr.Dataset], options: Options, lines: Mapping[str, Line], option: str
) -> dict[str, Curve]:
    """The columns that have a value, by label.  Raises InterpflowError where a cell has several."""
    panel = Panel(experiment=options.experiment, seed=options.seed, select=options.select)
    found = {
        label: curve(data, line, panel, options.rows, f"{option}.{label}")
        for label, line in lines.items()
    }
    there = {label: each for label, each in found.items() if each is not None}
    for label, each in there.items():
        if options.rows not in each.values.dims:
            raise InterpflowError(
                f"{option}.{label}: {each.line.variable} does not run along {options.rows!r}"
            )
        values = each.values[options.rows].values.tolist()
        if twice := [value for at, value in enumerate(values) if value in values[:at]]:
            names = (
                each.values["experiment"].values.tolist()
                if "experiment" in each.values.coords
                else []
            )
            several = [
                name for name, value in zip(names, values, strict=False) if value == twice[0]
            ]
            raise InterpflowError(
                f"{option}.{label}: several values for {options.rows} {twice[0]}, of experiments "
                f"{listed(several)}; select one by what they sweep"
            )
    return there


def _rows(options: Options, columns: Sequence[Curve]) -> list[Any]:
    """The values of the rows, those that have words first."""
    there = list(
        dict.fromkeys(v for each in columns for v in each.values[options.rows].values.tolist())
    )
    order = [*options.labels]
    return sorted(there, key=lambda row: order.index(str(row)) if str(row) in order else len(order))


def _table(block: Mapping[str, Curve], rows: Sequence[Any], options: Options) -> xr.DataArray:
    """The scores (seed, row, column)."""
    columns = [
        each.values.drop_vars("experiment", errors="ignore").reindex({options.rows: rows})
        for each in block.values()
    ]
    bare = [each.reset_coords(drop=True).rename(None) for each in columns]
    joined = xr.concat(bare, xr.Variable("column", [*block]))
    return joined.transpose("seed", options.rows, "column")


def _written(
    block: Mapping[str, Curve], table: xr.DataArray, rows: Sequence[Any], options: Options,
    claims: Sequence[Claim],
) -> dict[str, list[str]]:  # fmt: skip
    """What is written in the cells, by column."""
    means = mean(table)
    found: dict[str, list[str]] = {}
    for label, each in block.items():
        reported = _reported(each, options, claims)
        found[label] = [
            _number(float(means.sel({options.rows: row}, drop=True).sel(column=label)))
            + (f" ({_number(reported[row])})" if row in reported else "")
            for row in rows
        ]
    return found


def _reported(column: Curve, options: Options, claims: Sequence[Claim]) -> dict[Any, float]:
    """The numbers of claims of equality on the cells of a column, by row."""
    dim = options.rows if options.rows in column.dataset.dims else "experiment"
    at = dict(
        zip(
            column.values[dim].values.tolist(),
            column.values[options.rows].values.tolist(),
            strict=True,
        )
    )
    found = marks(claims, column.analysis, column.dataset, column.line.variable, **column.place)
    return {
        at[mark.place[dim]]: mark.value
        for mark in found
        if mark.look == EXPECTED and mark.place[dim] in at
    }


def _number(value: float) -> str:
    return f"{100 * value:.0f}" if np.isfinite(value) else "\N{EN DASH}"


def _facts(
    facts: Mapping[str, Curve], rows: Sequence[Any], options: Options
) -> dict[str, list[str]]:
    """What is written of each fact, by its label; a dash where a row has none."""
    told: dict[str, list[str]] = {}
    for label, each in facts.items():
        bare = each.values.drop_vars("experiment", errors="ignore")
        values = mean(bare).reindex({options.rows: rows}).values.tolist()
        words = options.facts[label].words
        told[label] = [
            words.get(f"{value:g}", style.number(value)) if np.isfinite(value) else "\N{EN DASH}"
            for value in values
        ]
    return told


def _widths(words: Mapping[str, Sequence[str]], at_least: float = 0.0) -> list[float]:
    """How wide columns with these words are, inches."""
    return [
        max(at_least, widest(each) + 0.1, widest([label.replace(" ", "\n")]) + 0.1)
        for label, each in words.items()
    ]


def _write(
    panel: Axes, image: AxesImage, table: xr.DataArray, words: Mapping[str, Sequence[str]]
) -> None:
    from matplotlib.colors import to_hex

    shades = mean(table).values
    for column, each in enumerate(words.values()):
        for row, word in enumerate(each):
            missing = not np.isfinite(shades[row, column])
            back = style.PALE if missing else to_hex(tuple(image.to_rgba(shades[row, column])))
            color = style.GREY if missing else style.ink(back)
            panel.text(column, row, word, color=color, ha="center", va="center_baseline")


def _draw_facts(panel: Axes, told: Mapping[str, Sequence[str]], rows: int) -> None:
    """The facts as text, in cells without shades."""
    panel.imshow(
        np.zeros((rows, len(told))),
        cmap="Greys",
        vmin=0,
        vmax=1,
        aspect="auto",
        interpolation="nearest",
    )
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0)
    panel.set_xticks(range(len(told)), [label.replace(" ", "\n") for label in told])
    for column, words in enumerate(told.values()):
        for row, word in enumerate(words):
            panel.text(column, row, word, ha="center", va="center_baseline")


def _label(row: Any, options: Options) -> str:
    return options.labels.get(str(row), style.readable(str(row)))
