"""F1 of predictions: over classes (macro), and over labels of which several can hold at once (micro)."""

from __future__ import annotations

import numpy as np


def macro_f1(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """The mean over classes of F1 (…,), for class ids `true` (n,) and `predicted` (…, n).

    The mean is over the classes that occur in `true` or `predicted`.
    """
    classes = np.arange(max(true.max(), predicted.max()) + 1)[:, None]
    is_true, is_predicted = true == classes, predicted[..., None, :] == classes
    both = (is_true & is_predicted).sum(-1)
    either = is_true.sum(-1) + is_predicted.sum(-1)
    with np.errstate(invalid="ignore"):
        return np.nanmean(2 * both / either, axis=-1)


def micro_f1(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """F1 of all labels together (…,), for `true` (label, n) and `predicted` (…, label, n) of 0 and 1.

    NaN where no label is true and none is predicted.
    """
    both = (true * predicted).sum((-2, -1))
    with np.errstate(invalid="ignore"):
        return 2 * both / (true.sum() + predicted.sum((-2, -1)))
