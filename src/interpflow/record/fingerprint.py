"""Fingerprints of values, with which other values can be compared without the file.

A digest tells whether all values are the same.  Floating-point values differ a little from machine to machine;
eight sums with random signs tell by how much.  On average over signs, the mean square of the differences of the
sums is the sum of the squared differences of the values (Achlioptas 2003).
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from interpflow.rng import generator

Fingerprint = Mapping[str, Any]  # plain values, as JSON holds them

_SUMS = 8  # the bits of a byte
_BLOCK = 1 << 16  # values at a time
_DIGITS = 12  # significant digits that are kept; sums in another order differ in the last ones


def fingerprint(variable: xr.Variable) -> Fingerprint:
    """The fingerprint of `variable`.

    dims, shape, dtype    as they are
    sha256                of the values
    nan, infinite         how many values are so; they are left out of what follows
    min, max, mean        of numbers; null where there are none
    rms, sums             of floating-point numbers: root mean square, and the sums with random signs
    """
    values = np.asarray(variable.values)
    found: dict[str, Any] = {"dims": list(variable.dims), "shape": list(values.shape)}
    if values.dtype.kind not in "biuf":
        texts = [str(value) for value in values.ravel()]
        return found | {"dtype": "text", "sha256": _sha256(json.dumps(texts).encode())}
    little_endian = values.astype(values.dtype.newbyteorder("<"), copy=False)
    found |= {"dtype": str(values.dtype), "sha256": _sha256(little_endian.tobytes())}
    if values.dtype.kind != "f":
        return found | _range(values)
    numbers = values.ravel().astype(np.float64)
    finite = np.where(np.isfinite(numbers), numbers, 0.0)
    return found | {
        "nan": int(np.isnan(numbers).sum()),
        "infinite": int(np.isinf(numbers).sum()),
        **_range(numbers[np.isfinite(numbers)]),
        "rms": _rounded(math.sqrt(np.square(finite).mean())) if finite.size else None,
        "sums": [_rounded(one) for one in _signed_sums(finite)],
    }


def distance(one: Fingerprint, other: Fingerprint) -> float:
    """The root-mean-square difference of two floating-point variables, as a share of their root mean square.

    Estimated: within about a factor of two.  Both are of one shape.
    """
    squares = [(a - b) ** 2 for a, b in zip(one["sums"], other["sums"], strict=True)]
    apart = math.sqrt(sum(squares) / _SUMS / math.prod(one["shape"]))
    return apart and apart / max(one["rms"], other["rms"])


def _signed_sums(numbers: np.ndarray) -> np.ndarray:
    """Eight sums of `numbers` (n,), each with its own signs; a value's signs are those of its place."""
    sums = np.zeros(_SUMS)
    for start in range(0, numbers.size, _BLOCK):
        block = numbers[start : start + _BLOCK]
        # A sign for the block times one for the place in it: any two values still have independent signs.
        sums += _signs(1, start)[0] * (block @ _signs(_BLOCK, 0)[: len(block)])
    return sums


@functools.cache
def _signs(count: int, start: int) -> np.ndarray:
    """Random 1 and -1: (count, sums)."""
    random = generator("fingerprint", count, start).bytes(count)
    return 1.0 - 2.0 * np.unpackbits(np.frombuffer(random, np.uint8)).reshape(count, _SUMS)


def _range(numbers: np.ndarray) -> dict[str, float | None]:
    if not numbers.size:
        return {"min": None, "max": None, "mean": None}
    return {
        "min": _rounded(float(numbers.min())),
        "max": _rounded(float(numbers.max())),
        "mean": _rounded(float(numbers.mean())),
    }


def _rounded(number: float) -> float:
    return float(f"{number:.{_DIGITS - 1}e}")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
