"""A dot for each experiment and seed."""

from __future__ import annotations

from matplotlib.figure import Figure
from pydantic import PositiveFloat

from interpflow.section import Section


class Options(Section):
    """How dots look."""

    size: PositiveFloat = 4.0


def plot(data, options, claims):
    """Norm against experiment."""
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    for name, findings in data.items():
        for norm in findings["norm"].transpose("seed", "experiment"):
            axes.plot(findings["experiment"], norm, "o", markersize=options.size, label=name)
    for claim in claims:
        axes.axhline(claim.at_least)
    axes.legend()
    return figure
