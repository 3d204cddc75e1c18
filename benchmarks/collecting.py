"""Collecting findings of 1 MB on 100 and on 1,000 experiments: processor time and peak memory."""

from __future__ import annotations

import io
import multiprocessing
import resource
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import xarray as xr

from interpflow import store
from interpflow.progress import Log
from interpflow.stages import collect
from interpflow.workflow.job import Job

EXPERIMENTS = (100, 1000)
_SHAPE = {"seed": 5, "layer": 5, "position": 5000}


def main() -> None:
    """Print what each takes, in a process of its own; memory is beside that of the process before."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"e{number:04}.nc") for number in range(max(EXPERIMENTS))]
        random = np.random.default_rng(0)
        for path in paths:
            values = random.random(tuple(_SHAPE.values()))
            store.write(xr.Dataset({"score": (tuple(_SHAPE), values)}), path)
        for number in EXPERIMENTS:
            process = multiprocessing.get_context("spawn").Process(
                target=_collect, args=(paths[:number], Path(folder, "all.nc"))
            )
            process.start()
            process.join()


def _collect(paths: list[Path], to: Path) -> None:
    inputs: dict[str, Any] = {path.stem: str(path) for path in paths}
    job = SimpleNamespace(
        inputs=inputs,
        outputs={"findings": str(to)},
        slice={"coords": {name: {} for name in inputs}},
        attrs=dict,
    )
    before = _used()
    with Log(to.with_suffix(".log"), "all", io.StringIO()) as log:
        collect.run(cast(Job, job), log)
    after = _used()
    print(
        f"  {len(paths):5} experiments{after.ru_utime + after.ru_stime:9.1f} s processor"
        f"{(after.ru_maxrss - before.ru_maxrss) / 1e3:8.0f} MB, in a file of {to.stat().st_size / 1e6:.0f} MB",
        flush=True,
    )


def _used() -> resource.struct_rusage:
    return resource.getrusage(resource.RUSAGE_SELF)
