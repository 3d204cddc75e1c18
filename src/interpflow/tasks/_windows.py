"""Lengths of sequences: those of training, and bins of longer ones."""

from __future__ import annotations

from collections.abc import Iterable


def require_in_order(shortest: int, longest: int, bins: Iterable[tuple[int, int]]) -> None:
    """Raise ValueError, naming the option, unless training lengths go up and every bin begins above them."""
    if shortest > longest:
        raise ValueError(f"min_length is {shortest}, above max_length {longest}")
    for low, high in bins:
        if not longest < low <= high:
            raise ValueError(
                f"bins has [{low}, {high}]; a bin is [low, high] with "
                f"max_length {longest} < low <= high"
            )
