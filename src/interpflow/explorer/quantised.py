"""Arrays as a page holds them: few bytes a value, and a step that says how exact they are."""

from __future__ import annotations

from typing import Any

import numpy as np

_SINGLE, _TWO_BYTES = 1 << 13, 1 << 15  # up to so many values are kept as float32, and in two bytes
_NOTHING = 1e-3  # of a step
_CODES = {"u1": 255, "u2": 65535}  # the last code is no value: NaN


def encoded(values: np.ndarray) -> tuple[dict[str, Any], bytes]:
    """How `values` are spelt, and their bytes, in order and little-endian.

    kind   f4: floating-point numbers; u1, u2: a value is low + step * code, and the last code is NaN
    maps   of u1 and u2: how many maps along the last two dims have a low and a step of their own, 1 where all
           have the same; these stand before the codes as float64, first all that are low, then all steps
    words  of text alone: a value is words[low + step * code]
    off    what a value may be off by at most: half a step; 0 for whole numbers, and for f4 but for its rounding
    """
    if values.dtype.kind in "US":
        words, codes = np.unique(values, return_inverse=True)
        said, content = encoded(codes.reshape(values.shape))
        return said | {"words": words.astype(str).tolist()}, content
    numbers = values.astype(np.float64).reshape(1, -1)
    there = np.isfinite(numbers)
    low, high = _ends(numbers, there)
    spread = float(high[0, 0] - low[0, 0])
    whole = bool((numbers[there] == np.rint(numbers[there])).all())
    if whole and spread < _CODES["u2"]:
        kind = "u1" if spread < _CODES["u1"] else "u2"
        return _scaled(kind, numbers, there, low, np.ones_like(low), off=0.0)
    if numbers.size <= _SINGLE:
        said = {"kind": "f4", "off": 0.0}
        return said, np.where(there, numbers, np.nan).astype("<f4").tobytes()
    if numbers.size <= _TWO_BYTES:
        step = (high - low) / (_CODES["u2"] - 1)
        return _scaled("u2", numbers, there, low, step)
    if values.ndim > 2:
        numbers = numbers.reshape(-1, values.shape[-2] * values.shape[-1])
        there = np.isfinite(numbers)
        low, high = _ends(numbers, there)
    # Of few digits, these take less room once they are packed; they are rounded before codes rest on them.
    low = low.astype("<f4").astype(float)
    step = np.maximum((high - low) / (_CODES["u1"] - 1), 0.0).astype("<f4").astype(float)
    # A share of 1e-8 is 0 here: it would look exact.
    low = np.where(np.abs(low) < _NOTHING * step, 0.0, low)
    return _scaled("u1", numbers, there, low, step)


def _ends(numbers: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest value of each map (map, 1), 0 where it has none."""
    if not numbers.size:
        return np.zeros((1, 1)), np.zeros((1, 1))
    low = np.where(there, numbers, np.inf).min(1, keepdims=True)
    high = np.where(there, numbers, -np.inf).max(1, keepdims=True)
    return np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)


def _scaled(
    kind: str,
    numbers: np.ndarray,
    there: np.ndarray,
    low: np.ndarray,
    step: np.ndarray,
    off: float | None = None,
) -> tuple[dict[str, Any], bytes]:
    codes = np.full(numbers.shape, _CODES[kind], dtype=f"<{kind}")
    shares = (numbers - low) / np.where(step > 0, step, 1.0)
    codes[there] = np.clip(np.rint(shares[there]), 0, _CODES[kind] - 1)
    off = float(step.max() / 2) if off is None else off
    scales = b"".join(part.astype("<f8").tobytes() for part in (low, step))
    return {"kind": kind, "maps": len(low), "off": off}, scales + codes.tobytes()
