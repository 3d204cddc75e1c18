"""Which of the weights that training kept an analysis looks at; apart from torch, for specs to read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

# Before training; with the highest validation accuracy; at the end.
Checkpoint = Literal["first", "best", "last"]

# The last; all; or so many of them, evenly among those kept, the first and the last included.
Steps = Literal["last", "all"] | Annotated[int, Field(ge=2)]
