"""A table of scores: a row for each value of a swept option, such as a language, a column for each setting.

Beside the scores stand facts that are no scores, such as attributes of the language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Block:
    """Columns side by side: the words of each, by label; their scores (seed, row, column), None of facts."""

    heading: str
    words: Mapping[str, Sequence[str]]
    scores: xr.DataArray | None = None

    @property
    def width(self) -> float:
        """The room that it needs, inches; its columns are equally wide."""
        words = [word for label, each in self.words.items() for word in (_broken(label), *each)]
        return len(self.words) * max(0.3, widest(words) + 0.1)

    @property
    def lines(self) -> int:
        """The most lines of a cell."""
        return max(word.count("\n") + 1 for each in self.words.values() for word in each)


GAP = 0.12  # between blocks, inches
_NOTHING = "\N{EN DASH}"


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Means over seeds in percent, and in brackets the number of a claim of equality on the cell."""
    found = {
        heading: _curves(data, options, lines, f"columns.{heading}")
        for heading, lines in options.columns.items()
    }
    found = {heading: columns for heading, columns in found.items() if columns}
    if not found:
        return style.nothing("Nothing of what these columns select is in the data.")
    first, *_ = columns = [each for block in found.values() for each in block.values()]
    rows = _rows(options, columns)
    blocks = [_scores(*each, rows, options, claims) for each in found.items()]
    if facts := _curves(data, options, options.facts, "facts"):
        blocks.insert(0, _facts(facts, rows, options))
    figure, image = _drawn(
        blocks, [options.labels.get(str(row), style.readable(str(row))) for row in rows]
    )
    label = options.value_label or style.axis_label(first.dataset[first.line.variable])
    cells = [
        word
        for block in blocks
        if block.scores is not None
        for each in block.words.values()
        for word in each
    ]
    reported = any("(" in word for word in cells)
    style.colour_key(figure, image, label + ", in brackets: reported" * reported)
    return figure


def _curves(
    data: Mapping[str, xr.Dataset], options: Options, lines: Mapping[str, Line], option: str
) -> dict[str, Curve]:
    """The columns that have a value, by label.  Raises InterpflowError where a cell has several."""
    panel = Panel(experiment=options.experiment, seed=options.seed, select=options.select)
    found: dict[str, Curve] = {}
    for label, line in lines.items():
        column = curve(data, line, panel, options.rows, f"{option}.{label}")
        if column is None:
            continue
        if options.rows not in column.values.dims:
            raise InterpflowError(
                f"{option}.{label}: {line.variable} does not run along {options.rows!r}"
            )
        values = column.values[options.rows].values.tolist()
        for value in values:
            if values.count(value) > 1:
                several = column.values["experiment"].values[np.array(values) == value]
                raise InterpflowError(
                    f"{option}.{label}: several values for {options.rows} {value}, of experiments "
                    f"{listed(several.tolist())}; select one by what they sweep"
                )
        found[label] = column
    return found


def _rows(options: Options, columns: Sequence[Curve]) -> list[Any]:
    """The values of the rows, those that have words first."""
    every = (value for each in columns for value in each.values[options.rows].values.tolist())
    order = [*options.labels]
    return sorted(
        dict.fromkeys(every),
        key=lambda row: order.index(str(row)) if str(row) in order else len(order),
    )


def _scores(
    heading: str,
    columns: Mapping[str, Curve],
    rows: Sequence[Any],
    options: Options,
    claims: Sequence[Claim],
) -> Block:
    seeds = max((each.values["seed"].values.tolist() for each in columns.values()), key=len)
    tables = []
    for column in columns.values():
        table = _at(column, rows, options)
        if "seed" not in table.coords:  # the same for every seed
            table = table.isel(seed=0).expand_dims(seed=seeds)
        tables.append(table)
    scores = xr.concat(tables, xr.Variable("column", [*columns]), join="outer")
    scores = scores.transpose("seed", options.rows, "column")
    words = {}
    for (label, column), values in zip(columns.items(), mean(scores).values.T, strict=True):
        reported = _reported(column, options, claims)
        words[label] = [
            _number(value) + (f"\n({', '.join(reported[row])})" if row in reported else "")
            for row, value in zip(rows, values.tolist(), strict=True)
        ]
    return Block(heading, words, scores)


def _facts(facts: Mapping[str, Curve], rows: Sequence[Any], options: Options) -> Block:
    """The facts, a dash where a row has none."""
    words = {}
    for label, fact in facts.items():
        said = options.facts[label].words
        words[label] = [
            said.get(f"{value:g}", style.number(value)) if np.isfinite(value) else _NOTHING
            for value in mean(_at(fact, rows, options)).values.tolist()
        ]
    return Block("", words)


def _at(column: Curve, rows: Sequence[Any], options: Options) -> xr.DataArray:
    """The values (seed, row) of a column, and of nothing else; NaN in rows that it lacks."""
    # What is not the row's own goes: beside a swept option, the names of its experiments.
    return column.values.reset_coords(drop=True).reindex({options.rows: rows}).rename(None)


def _reported(column: Curve, options: Options, claims: Sequence[Claim]) -> dict[Any, list[str]]:
    """The numbers of claims of equality on the cells of a column, by row; a paper may report several."""
    dim = options.rows if options.rows in column.dataset.dims else "experiment"
    places, rows = (column.values[name].values.tolist() for name in (dim, options.rows))
    row = dict(zip(places, rows, strict=True))
    reported: dict[Any, list[str]] = {}
    found = marks(claims, column.analysis, column.dataset, column.line.variable, **column.place)
    for mark in found:
        if mark.look == EXPECTED and mark.place[dim] in row:
            reported.setdefault(row[mark.place[dim]], []).append(_number(mark.value))
    return reported


def _number(value: float) -> str:
    return f"{100 * value:.0f}" if np.isfinite(value) else _NOTHING


def _broken(label: str) -> str:
    return label.replace(" ", "\n")


def _drawn(blocks: Sequence[Block], rows: Sequence[str]) -> tuple[Figure, AxesImage]:
    """The figure of `blocks` with the names of the `rows`, and an image with the shades of the scores."""
    needed = sum(block.width for block in blocks)
    beside = widest(rows) + 0.2 + GAP * len(blocks)
    single, double = style.sizes().single, style.sizes().double
    page = single if needed + beside <= single else double
    stretch = (page - beside) / needed
    titles = [filled(block.heading, stretch * block.width) for block in blocks]
    row = HEIGHT + LINE * (max(block.lines for block in blocks) - 1)
    height = row * len(rows) + 0.3 + LINE * max(title.count("\n") for title in titles)
    figure, (axes,) = style.grid(
        [height], len(blocks), page, widths=[block.width for block in blocks]
    )
    for panel, block, title in zip(axes, blocks, titles, strict=True):
        if block.scores is None:
            _write_facts(panel, block, len(rows))
        else:
            room = stretch * block.width / len(block.words), row
            image = draw(panel, block.scores, Scale(1), room, numbers=False, seeds_of_row=True)
            _write_scores(panel, image, block)
        panel.set_xticks(range(len(block.words)), [_broken(label) for label in block.words])
        panel.set_yticks(range(len(rows)), rows if panel is axes[0] else [])
        panel.set_title(title)
    return figure, image


def _write_scores(panel: Axes, image: AxesImage, block: Block) -> None:
    from matplotlib.colors import to_hex

    assert block.scores is not None
    shades = mean(block.scores).values
    for column, words in enumerate(block.words.values()):
        for row, word in enumerate(words):
            missing = not np.isfinite(shades[row, column])
            back = style.PALE if missing else to_hex(tuple(image.to_rgba(shades[row, column])))
            color = style.GREY if missing else style.ink(back)
            panel.text(column, row, word, color=color, ha="center", va="center_baseline")


def _write_facts(panel: Axes, block: Block, rows: int) -> None:
    """The facts as text, in cells without shades."""
    panel.imshow(np.zeros((rows, len(block.words))), cmap="Greys", vmin=0, vmax=1, aspect="auto")
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0)
    for column, words in enumerate(block.words.values()):
        for row, word in enumerate(words):
            panel.text(column, row, word, ha="center", va="center_baseline")
