"""What a job sets in its process before it computes.  Each test has a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

_START = """
import torch
from interpflow.training import devices
devices.use({"device": "cpu", "threads": 4})
"""


def printed(script: str) -> str:
    """What Python prints that runs `script` after a job's start."""
    done = subprocess.run(
        [sys.executable, "-c", _START + script], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_no_thread_makes_subnormal_numbers_neither_forward_nor_backward() -> None:
    script = """
x = torch.full((4_000_000,), 1e-30, requires_grad=True)
product = x * 1e-12
(gradient,) = torch.autograd.grad(product, x, torch.full_like(x, 1e-30))
print(torch.get_num_threads(), int(product.count_nonzero()), int(gradient.count_nonzero()))
"""
    assert printed(script) == "4 0 0"


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's memory")
def test_memory_that_a_step_frees_is_there_for_the_next() -> None:
    script = """
import resource

def fresh_pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.empty(10_000_000).fill_(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

fresh_pages()
print(fresh_pages() * resource.getpagesize())
"""
    assert int(printed(script)) < 40_000_000  # one tensor's, of twenty
