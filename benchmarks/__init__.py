"""What `make bench` runs: how much faster than the plain way, as ratios.

`python -m benchmarks` runs all, `python -m benchmarks training` one.  Every contender of a comparison runs a
few times in turn, so that a busy machine is busy for all of them; the shortest time of each counts.
"""

BENCHMARKS = (
    "training",
    "probes",
    "llc",
    "trees",
    "goals",
    "transformer",
    "scrubbing",
    "dry_run",
    "no_op",
    "thousand",
    "collecting",
    "explorers",
)
