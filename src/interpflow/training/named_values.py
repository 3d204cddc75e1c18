"""Weights that a spec gives by a word instead of drawing them."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from interpflow.errors import InterpflowError

NamedValue = Literal["zeros", "ones", "identity"]


def named_value(value: NamedValue, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The weight `name` of `shape` with this value; `identity` is that of each layer and head.

    Raises InterpflowError where there is no identity: of a vector, and of a matrix that is not square.
    """
    if value == "zeros":
        return np.zeros(shape, np.float32)
    if value == "ones":
        return np.ones(shape, np.float32)
    if not name.startswith("W_"):
        raise InterpflowError(f"{name} is no matrix; identity takes square ones")
    rows, columns = shape[-2:]
    if rows != columns:
        raise InterpflowError(f"{name} is {rows} by {columns}; identity takes square matrices")
    return np.array(np.broadcast_to(np.eye(rows, dtype=np.float32), shape))
