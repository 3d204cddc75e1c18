"""States that outputs say, and that a prediction may go through on its way, such as the nodes above a goal."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field

from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.section import Names, Section
from interpflow.selection import Quantity, State, each, state

# The output that says a state: ">{}" says the state 3 as ">3".
Says = Annotated[str, Field(pattern=r"\{\}")]


class Traced(Section):
    """States of the task's data, and the output that says each."""

    variable: Quantity
    # The dim of the variable that tells the states of one example or position apart.
    along: Annotated[str, Names("further dim")]
    output: Says = "{}"  # that says a state: ">{}" says the state 3 as ">3"; the state -1 is none


def says_a_state(data: xr.Dataset, says: str) -> bool:
    """Whether some output says a state."""
    return says.replace("{}", "0") in data["output"].values


def no_output(data: xr.Dataset, says: str) -> str:
    """The message of an error: no output says a state."""
    word = says.replace("{}", "0")
    return f"no output '{word}'; there are {way_out(word, data['output'].values.tolist())}"


def outputs_of(data: xr.Dataset, says: str) -> list[int]:
    """The indices of the outputs that say the states 0, 1, and so on.

    Raises InterpflowError if no output says the state 0.
    """
    index = {str(word): at for at, word in enumerate(data["output"].values)}
    found: list[int] = []
    while (word := says.replace("{}", str(len(found)))) in index:
        found.append(index[word])
    if not found:
        raise InterpflowError(f"output: {no_output(data, says)}")
    return found


def traced_outputs(
    data: xr.Dataset, traced: Traced | None
) -> tuple[NDArray[np.int16], NDArray[np.generic]]:
    """The index of the output that says each state (example, position, place), -1 for none, and the places.

    The places are the labels of `along`.  Raises InterpflowError if the data lacks a state, or a state an
    output.
    """
    if traced is None:
        return np.zeros((*data["tokens"].shape, 0), dtype=np.int16), np.arange(0)
    every = each(data, {"": State(variable=traced.variable, along=traced.along)})
    states = np.stack([state(data, one) for one in every.values()], axis=-1)
    outputs = outputs_of(data, traced.output)
    if states.max() >= len(outputs):
        word = traced.output.replace("{}", str(len(outputs)))
        known = way_out(word, data["output"].values.tolist())
        raise InterpflowError(f"traced: no output says '{word}'; there are {known}")
    return np.array([*outputs, -1], dtype=np.int16)[states], data[traced.along].values
