"""Where the numbers of a scorecard stand among our findings: reference marks for figures.

A number is reported; a bound is the claim that a spec makes of a statement, the paper's or its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import xarray as xr

from interpflow import style
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EXPECTED = style.Look("reported", style.BLACK, "x", line="", size=5.5)
# A bar at the bound, and from it an arrow to the side that keeps it.
_ARROW = ((-0.7, 0), (0.7, 0), (0, 0), (0, 1), (-0.35, 0.65), (0, 1), (0.35, 0.65))
AT_LEAST = style.Look("claim: at least", style.BLACK, _ARROW, line="", fill="none", size=10)
AT_MOST = replace(AT_LEAST, label="claim: at most", marker=tuple((x, -y) for x, y in _ARROW))


@dataclass(frozen=True)
class Mark:
    """A number of the scorecard, how it is drawn, and its place: a value of each dim but `seed`.

    A dim along which seeds differ, as the best checkpoints do along `step`, has none.
    """

    value: float
    look: style.Look
    place: dict[str, Any]

    def draw(
        self, axes: Axes, at: float, along: Literal["x", "y"] = "y", color: str = style.BLACK
    ) -> None:
        """Put it at its value `along` one axis and `at` a point of the other.

        A bound stands to the right of that point, which it would cover wherever it is kept.
        """
        from matplotlib.transforms import ScaledTranslation

        where = (at, self.value) if along == "y" else (self.value, at)
        drawn = {**replace(self.look, color=color).drawn, "clip_on": False}
        if self.look is not EXPECTED:
            figure = axes.get_figure(root=True)
            assert figure is not None
            drawn["transform"] = axes.transData + ScaledTranslation(0.13, 0, figure.dpi_scale_trans)
        axes.plot(*where, **drawn, zorder=5)


def marks(
    claims: Iterable[Claim], data: str, dataset: xr.Dataset, variable: str, **place: Any
) -> list[Mark]:
    """The claims on `variable` of the analysis `data`, those on values of `dataset` at `place`.

    `place` holds coordinates of dims of the variable: {"experiment": "wide"}.
    """
    return [
        mark
        for claim in claims
        if (claim.data, claim.variable) == (data, variable) and claim.of_a_value
        for mark in _marks(claim, dataset)
        if all(mark.place.get(dim, value) == value for dim, value in place.items())
    ]


def looks(found: Iterable[Mark]) -> list[style.Look]:
    """The entries that explain the marks, each once."""
    return list(dict.fromkeys(mark.look for mark in found))


def _marks(claim: Claim, dataset: xr.Dataset) -> Iterator[Mark]:
    """One mark, or none where `dataset` lacks what the claim selects: a scale may measure less."""
    there = dataset[claim.variable].notnull()
    dims = [str(dim) for dim in there.dims if dim != "seed"]
    by_seed: set[Hashable] = set()
    for label, value in claim.select.items():
        if label not in dataset.variables:
            return
        there = there & (dataset[label] == value)
        by_seed |= {*dataset[label].dims} if "seed" in dataset[label].dims else set()
    shown = there.where(there)
    dims = [dim for dim in dims if dim not in by_seed or len(style.present(shown, dim)) == 1]
    places = style.present(shown, *dims)
    if len(places) != 1:
        return
    for number, look in (
        (claim.expected, EXPECTED),
        (claim.at_least, AT_LEAST),
        (claim.at_most, AT_MOST),
    ):
        if number is not None:
            yield Mark(number, look, dict(zip(dims, places[0], strict=True)))
