"""The device and the threads of a process."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping
from typing import Any

import torch

from interpflow.errors import InterpflowError

# From glibc's malloc.h; the last is more bytes than any tensor of ours has.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _MANY = -1, -3, 2**31 - 1


def use(compute: Mapping[str, Any]) -> str:
    """Set this process up as the spec's `compute` says, and return the device's name.

    The number of threads comes from the spec and not from the machine, because sums change with it.
    Raises InterpflowError if the spec asks for a GPU and torch sees none.
    """
    # Sharp attention is full of subnormal numbers, which make a step many times slower.  A thread takes the
    # setting over from the thread that starts it, so it comes before the first sum on several threads.
    torch.set_flush_denormal(True)
    torch.set_num_threads(compute["threads"])
    _keep_freed_memory()
    device = compute["device"]
    if device == "cuda":
        if not torch.cuda.is_available():
            raise InterpflowError(
                "compute.device: cuda, but torch sees no GPU on this machine; "
                "set compute.device: cpu in the spec, or run where there is a GPU"
            )
        torch.use_deterministic_algorithms(True)
    return str(device)


def _keep_freed_memory() -> None:
    """Let glibc keep freed memory for the next step, instead of giving it back to the system at once.

    A step with a batch of hundreds takes a fifth less time, because its pages are not cleared anew.  Other C
    libraries have no such function and stay as they are.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _MANY)
        libc.mallopt(_M_TRIM_THRESHOLD, _MANY)
