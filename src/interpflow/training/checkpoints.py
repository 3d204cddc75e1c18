"""At which training steps weights are kept: known without torch and before there are any."""

from __future__ import annotations

from interpflow.training.options import TrainingOptions


def checkpoint_steps(options: TrainingOptions, total: int) -> list[int]:
    """The steps whose weights are kept, ascending, from 0 (untrained) to `total`."""
    linear, log = options.checkpoints.linear, options.checkpoints.log
    steps = {0, total}
    steps |= {round(total * (i + 1) / linear) for i in range(linear)}
    steps |= {round(total ** ((i + 1) / log)) for i in range(log)}
    return sorted(steps)
