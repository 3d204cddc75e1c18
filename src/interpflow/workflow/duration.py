"""How long something takes, for people."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """In words: `3 hours`."""
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    whole = max(round(seconds), 1)
    return f"{whole} second{'' if whole == 1 else 's'}"
