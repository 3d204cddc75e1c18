"""Where tensors live, and with how many threads they are computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from interpflow.errors import InterpflowError


def use(compute: Mapping[str, Any]) -> str:
    """Set this process up as the spec's `compute` says, and return the device's name.

    The number of threads comes from the spec and not from the machine, because sums change with it.
    Raises InterpflowError where a GPU is wanted and none is there.
    """
    torch.set_num_threads(compute["threads"])
    # Sharp attention is full of subnormal numbers, which make a step many times slower.
    torch.set_flush_denormal(True)
    device = compute["device"]
    if device == "cuda":
        if not torch.cuda.is_available():
            raise InterpflowError(
                "compute.device: cuda, but torch sees no GPU on this machine; "
                "set compute.device: cpu in the spec, or run where there is a GPU"
            )
        torch.use_deterministic_algorithms(True)
    return str(device)
