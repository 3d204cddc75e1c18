"""A ring for each experiment and seed."""

from __future__ import annotations

from matplotlib.figure import Figure
from pydantic import PositiveFloat

from interpflow.section import Section


class Options(Section):
    """How rings look."""

    size: PositiveFloat = 4.0


def plot(data, options, claims):
    """Norm against experiment."""
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    for name, findings in data.items():
        for norm in findings["norm"].transpose("seed", "experiment"):
            axes.plot(
                findings["experiment"],
                norm,
                "o",
                markersize=options.size,
                fillstyle="none",
                label=name,
            )
    for claim in claims:
        axes.axhline(claim.at_least)
    axes.legend()
    return figure
