"""The way out of a misspelling."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(found: str, allowed: Iterable[str]) -> str:
    """`"; did you mean 'circuits'?"`, or nothing where no allowed word resembles `found`."""
    by_lower = {word.lower(): word for word in allowed}
    close = difflib.get_close_matches(found.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean '{by_lower[close[0]]}'?" if close else ""


def listed(names: Iterable[str], most: int = 24) -> str:
    """`names`, separated by commas, the first `most` of them."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return (", ".join(every[:most]) or "none") + more


def way_out(found: str, allowed: Iterable[str]) -> str:
    """`"learning_rate, loss; did you mean 'loss'?"`: what is allowed, and the nearest to what was found."""
    names = list(allowed)
    return listed(names) + did_you_mean(found, names)
