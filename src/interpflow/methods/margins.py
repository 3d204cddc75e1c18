"""The hard-margin separator through the origin, found exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDING = 1e-14


def hard_margin(points: Floats) -> Floats | None:
    """The shortest w (d,) with w · point >= 1 for all `points` (n, d); None if there is none.

    A point is the features of an example times its label, 1 or -1.  The direction of w has the largest margin
    of all, 1 / |w|.  It is found from a problem of non-negative least squares: Lawson and Hanson 1974, "Solving
    Least Squares Problems", chapter 23, problem LDP.
    """
    count, width = points.shape
    matrix = np.concatenate([points.T, np.ones((1, count))])
    wanted = np.append(np.zeros(width), 1.0)
    residual = matrix @ nonnegative_least_squares(matrix, wanted) - wanted
    # The last residual is about minus the squared margin, and rounding alone where nothing separates.
    w = -residual[:-1] / min(residual[-1], -_ROUNDING)
    return w if (points @ w).min() > 1 - 1e-6 else None


def nonnegative_least_squares(matrix: Floats, wanted: Floats) -> Floats:
    """The x >= 0 (n,) that makes |matrix x - wanted| least, by the active sets of Lawson and Hanson."""
    number = matrix.shape[1]
    x, used = np.zeros(number), np.zeros(number, dtype=bool)
    for _ in range(10 * number):  # it ends far sooner, but for rounding
        gain = matrix.T @ (wanted - matrix @ x)
        gain[used] = -np.inf
        best = int(gain.argmax())
        if gain[best] <= _ROUNDING:
            break
        used[best] = True
        while True:
            free = np.zeros(number)
            free[used] = np.linalg.lstsq(matrix[:, used], wanted, rcond=None)[0]
            below = used & (free <= 0)
            if not below.any():
                break
            # Go towards the free solution until the first entry is 0, which is then no longer used.
            step = (x[below] / (x[below] - free[below]).clip(_ROUNDING**2)).min()
            x += step * (free - x)
            used &= x > _ROUNDING**2
            x[~used] = 0.0
        x = free
    return x
