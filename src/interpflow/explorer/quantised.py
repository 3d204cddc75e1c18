"""Arrays as a page holds them: few bytes a value, and a step that says how exact they are."""

from __future__ import annotations

from typing import Any

import numpy as np

_SINGLE, _TWO_BYTES = 1 << 13, 1 << 17  # up to so many values are kept as float32, and in two bytes
_CODES = {"u1": 255, "u2": 65535}  # the last code is no value: NaN


def encoded(values: np.ndarray) -> tuple[dict[str, Any], bytes]:
    """How `values` are spelt, and their bytes, in order and little-endian.

    kind   f4: floating-point numbers; u1, u2: a value is low + step * code, and the last code is NaN;
           text: a value is words[code], of the codes in `width`
    off    what a value may be off by: half a step; 0 for whole numbers, and for float32 but for its rounding
    """
    if values.dtype.kind in "US":
        words, codes = np.unique(values, return_inverse=True)
        width = "u1" if len(words) <= _CODES["u1"] else "u2"
        said = {"kind": "text", "width": width, "words": words.astype(str).tolist()}
        return said, codes.astype(f"<{width}").tobytes()
    numbers = values.astype(np.float64).ravel()
    there = np.isfinite(numbers)
    low, high = (numbers[there].min(), numbers[there].max()) if there.any() else (0.0, 0.0)
    whole = bool((numbers[there] == np.rint(numbers[there])).all())
    if whole and high - low < _CODES["u2"]:
        kind = "u1" if high - low < _CODES["u1"] else "u2"
        return {"kind": kind, "low": float(low), "step": 1.0, "off": 0.0}, _codes(
            numbers, there, low, 1.0, kind
        )
    if numbers.size <= _SINGLE:
        said = {"kind": "f4", "off": 0.0}
        return said, np.where(there, numbers, np.nan).astype("<f4").tobytes()
    kind = "u2" if numbers.size <= _TWO_BYTES else "u1"
    step = (high - low) / (_CODES[kind] - 1) or 1.0
    said = {"kind": kind, "low": float(low), "step": float(step), "off": float(step / 2)}
    return said, _codes(numbers, there, low, step, kind)


def _codes(numbers: np.ndarray, there: np.ndarray, low: float, step: float, kind: str) -> bytes:
    codes = np.full(numbers.shape, _CODES[kind], dtype=f"<{kind}")
    codes[there] = np.rint((numbers[there] - low) / step)
    return codes.tobytes()
