"""Adam of small fits is torch's, without what makes torch's slow to start."""

from __future__ import annotations

import subprocess
import sys

import torch

from interpflow.methods.adam import Adam


def test_steps_are_those_of_torch_to_the_bit():
    random = torch.Generator().manual_seed(0)
    ours = torch.randn(3, 50, generator=random)
    theirs = ours.clone().requires_grad_()
    mine, optimizer = Adam(ours), torch.optim.Adam([theirs], fused=True)
    for step in range(6):
        gradient = torch.randn(3, 50, generator=random)
        optimizer.param_groups[0]["lr"] = rate = 1e-2 / (1 + step)
        theirs.grad = gradient
        optimizer.step()
        mine.step(gradient, rate)
    assert torch.equal(ours, theirs.detach())


def test_torchs_compiler_is_not_loaded():
    code = (
        "import sys, torch; from interpflow.methods.adam import Adam; theta = torch.ones(2);"
        "Adam(theta).step(torch.ones(2), 0.1); sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
