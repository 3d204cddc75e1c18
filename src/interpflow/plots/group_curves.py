"""Lines of variables against a coordinate: groups of examples, training steps, a swept option."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from interpflow import style
from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.plots._curves import Curve, curve
from interpflow.plots._panels import Line, Panel, Panels, for_each_seed, within
from interpflow.section import Names
from interpflow.selection import Coordinate
from interpflow.spec.study import Claim
from interpflow.style.marks import Mark, looks, marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Options(Panels):
    """The lines of every panel, and the coordinate along x; a panel selects of the lines that have a choice."""

    # A coordinate, or an option that experiments sweep.  The axis of `step` is logarithmic unless steps are
    # evenly spread.
    x: Coordinate = "group"
    lines: Annotated[dict[str, Line], Field(min_length=1)]  # by label
    y: Literal["share", "plain", "log"] = "share"  # share: an axis from 0 to 1
    log_x: bool = False  # a logarithmic axis of numbers; that of `step` goes by the steps
    spread: Literal["bars", "seeds"] = "bars"  # bars: one standard deviation; seeds: a line a seed
    x_label: str | None = None  # the name of the coordinate if not given
    y_label: str | None = None  # the name of the first line's variable if not given
    # A value of x: words for it.  Values that have words come first, in the order of the spec.
    labels: dict[Annotated[str, Names("label")], str] = {}


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Means over seeds and their spread; a variable without the dim x is a dashed level across the panel."""
    panels = _panels(data, options)
    every = [line for lines in panels.values() for line in lines.values()]
    along = [line.values[options.x] for line in every if options.x in line.values.dims]
    if not along:
        return style.nothing("Nothing of what these lines select is in the data.")
    figure, axes = style.panels(len(panels), height=1.6)
    words = _axis(axes, along, options)
    each, marked = style.looks(options.lines), []
    levels = {label for lines in panels.values() for label, line in lines.items()
              if options.x not in line.values.dims}  # fmt: skip
    each |= {label: replace(each[label], marker="", line="--") for label in levels}
    for panel, (title, lines) in zip(axes, panels.items(), strict=True):
        panel.set_title(title)
        for label, line in lines.items():
            if label in levels:
                style.level(panel, line.values.mean("seed"), each[label])
                continue
            at = line.values[options.x].values
            at = np.array([words.index(word) for word in at.tolist()]) if words else at
            order = np.argsort(at, kind="stable") if words else np.arange(len(at))
            shown_values = line.values.isel({options.x: order})
            _draw(panel, at[order], shown_values, each[label], options.spread)
            for mark, x in _marks(claims, line, options.x, at):
                mark.draw(panel, x, color=each[label].color)
                marked.append(mark)
    style.axis_labels(
        figure,
        options.x_label or ("Training step" if options.x == "step" else style.axis_label(along[0])),
        options.y_label or style.axis_label(every[0].dataset[every[0].line.variable]),
    )
    shown = {label for lines in panels.values() for label in lines}
    entries = [look for label, look in each.items() if label in shown]
    style.key(figure, *(entries if len(options.lines) > 1 else ()), *looks(marked))
    return figure


def _panels(data: Mapping[str, xr.Dataset], options: Options) -> dict[str, dict[str, Curve]]:
    """The panels that have a line along x, each with its lines by label."""
    known = {str(name) for found in data.values() for name in found.variables}
    named = {"x": [options.x], "select": [*options.select]}
    named |= {f"panels.{at}.select": [*panel.select] for at, panel in options.panels.items()}
    for option, names in named.items():
        for name in names:
            if name not in known:
                nearest = way_out(name, known)
                raise InterpflowError(f"{option}: no {name!r} in the data; there are: {nearest}")
    found: dict[str, dict[str, Curve]] = {}
    for title, panel in (for_each_seed(data, options.panels) or {"": Panel()}).items():
        asked = within(panel, options)
        lines = {
            label: curve(data, line, asked, options.x, f"lines.{label}")
            for label, line in options.lines.items()
        }
        there = {label: line for label, line in lines.items() if line is not None}
        if any(options.x in line.values.dims for line in there.values()):
            found[title] = there
    return found


def _axis(axes: Sequence[Axes], along: Sequence[xr.DataArray], options: Options) -> list[str]:
    """Set up the axes; return the values along x that stand there as words, none if x is of numbers."""
    for panel in axes:
        if options.y == "share":
            style.shares(panel)
        else:
            panel.grid(axis="y")
        if options.y == "log":
            # Marks are drawn whole at an edge, so one that lay infinitely far below it would stretch the page.
            panel.set_yscale("log", nonpositive="mask")
            panel.yaxis.set_major_formatter(lambda value, _: style.number(value))
            panel.yaxis.set_minor_formatter("")
    values = list(dict.fromkeys(value for x in along for value in x.values.tolist()))
    if isinstance(values[0], str | bool) or options.labels:
        order = [*options.labels]
        values.sort(
            key=lambda value: order.index(str(value)) if str(value) in order else len(order)
        )
        room = style.column_width(axes[0]) - 0.6
        said = [options.labels.get(str(value), str(value)) for value in values]
        words = [_broken(word, room / len(values)) for word in said]
        axes[0].set_xticks(range(len(values)), words)
        return values
    if options.x == "step":
        style.training_steps(axes[0], values)
    elif options.log_x:
        _logarithmic(axes[0])
    elif all(float(value).is_integer() for value in values):
        axes[0].locator_params(axis="x", integer=True, min_n_ticks=1)
    return []


def _logarithmic(panel: Axes) -> None:
    """A logarithmic x axis with numbers at 1, 2 and 5 times the powers of ten."""
    from matplotlib.ticker import LogLocator

    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.xaxis.set_major_formatter(lambda value, _: style.number(value))
    panel.xaxis.set_minor_formatter("")


def _broken(name: str, room: float) -> str:
    """`name` as words, in lines of about `room` inches."""
    words = style.readable(name)
    characters = max(1, int(len(words) * room / style.text_width(words)))
    return textwrap.fill(words, characters, break_long_words=False)


def _draw(panel: Axes, x: np.ndarray, values: xr.DataArray, look: style.Look, spread: str) -> None:
    """Draw one line (seed, x) at `x`."""
    if spread == "bars":
        style.series(panel, x, values, look)
        return
    if values.sizes["seed"] > 1:
        panel.plot(x, values.transpose(..., "seed"), color=look.color, linewidth=0.6, alpha=0.55)
    small = replace(look, size=2.5 if len(x) > 8 else look.size)
    panel.plot(x, style.mean_and_sd(values)[0], **small.drawn, clip_on=False)


def _marks(
    claims: Sequence[Claim], line: Curve, x: str, at: np.ndarray
) -> list[tuple[Mark, float]]:
    """The marks of claims on points of a line, each with its place along x."""
    # Against a swept option, claims name experiments.
    dim = x if x in line.dataset.dims else "experiment"
    labels = line.values[dim].values.tolist()
    found = marks(claims, line.analysis, line.dataset, line.line.variable, **line.place)
    return [
        (mark, float(at[labels.index(mark.place[dim])]))
        for mark in found
        if mark.place.get(dim) in labels
    ]
