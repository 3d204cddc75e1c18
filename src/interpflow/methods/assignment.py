"""One head for each role: the choice of different heads that together score highest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def assign(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """A column for each row of `scores` (role, head), all different, with the largest sum of scores.

    Heads are gone through in turn, with the best choice so far for every set of roles that have a head.
    Raises ValueError where there are fewer heads than roles.
    """
    roles, heads = scores.shape
    if heads < roles:
        raise ValueError(f"{roles} roles take as many heads; there are {heads}")
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, (-1,) * roles)}
    for head in range(heads):
        for taken, (score, chosen) in list(best.items()):
            for role in range(roles):
                if taken & 1 << role:
                    continue
                key, total = taken | 1 << role, score + float(scores[role, head])
                if key not in best or total > best[key][0]:
                    best[key] = total, (*chosen[:role], head, *chosen[role + 1 :])
    return np.array(best[2**roles - 1][1])
