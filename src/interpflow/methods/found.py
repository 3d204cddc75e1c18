"""Variables that analyses found, read by the analyses that go on from them."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from interpflow.errors import InterpflowError


def found_variable(
    findings: Mapping[str, xr.Dataset], option: str, analysis: str, variable: str
) -> xr.DataArray:
    """The `variable` of an `analysis`, as floats; InterpflowError, naming the `option`, where there is none."""
    if analysis not in findings:
        raise InterpflowError(
            f"{option}.data: no analysis '{analysis}' among {', '.join(findings)}"
        )
    dataset = findings[analysis]
    if variable not in dataset:
        raise InterpflowError(
            f"{option}.variable: no '{variable}' in {analysis}; "
            f"it has {', '.join(map(str, dataset.data_vars))}"
        )
    return dataset[variable].astype(float)
