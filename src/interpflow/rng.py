"""Randomness by address.

A generator is named, not passed along: the same address gives the same numbers in any process, on any
number of cores, after any resume.  Nothing in the package consumes a shared stream.
"""

from __future__ import annotations

import hashlib

import numpy as np


def generator(*address: str | int) -> np.random.Generator:
    """The counter-based generator (NumPy Philox) that belongs to `address`.

    >>> generator("init", 0, "W_E").integers(10) == generator("init", 0, "W_E").integers(10)
    True
    """
    if not address:
        raise ValueError("a generator needs an address, such as ('init', seed, 'W_E')")
    # repr keeps 1 and "1" apart, and the separator keeps ("ab",) and ("a", "b") apart.
    name = "/".join(repr(part if isinstance(part, str) else int(part)) for part in address)
    key = np.frombuffer(hashlib.sha256(name.encode()).digest()[:16], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))
