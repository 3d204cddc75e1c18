"""Times of several ways to do the same, taken in turn."""

from __future__ import annotations

import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """One way to do something; `run` does it `amount` times over."""

    name: str
    run: Callable[[], object]
    amount: int = 1


def compare(what: str, ways: Sequence[Way], repeats: int) -> list[float]:
    """Run all `ways` in turn, `repeats` times; print and return the shortest seconds for one of `what`.

    The first way is ours; each of the others says how many times as long it takes.
    """
    seconds = {way.name: float("inf") for way in ways}
    for _ in range(repeats):
        for way in ways:
            started = _seconds_used()
            way.run()
            taken = (_seconds_used() - started) / way.amount
            seconds[way.name] = min(taken, seconds[way.name])
    ours = seconds[ways[0].name]
    print(what)
    for name, best in seconds.items():
        print(f"  {name:<52}{1000 * best:11.2f} ms{best / ours:8.2f} x", flush=True)
    return list(seconds.values())


def _seconds_used() -> float:
    """Processor time of this process and of those it started and waited for.

    All ways run on one thread, so on a quiet machine this is what a clock shows; on a busy one it is steadier.
    """
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))
