"""How long something takes, for people."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """In words: `3 hours`."""
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 1):.0f} seconds"
