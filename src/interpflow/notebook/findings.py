"""What the analyses of a study found, by name."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.notebook import lazy, page
from interpflow.notebook.found import found
from interpflow.workflow.job import Job
from interpflow.workflow.states import State, state


class Findings(Mapping[str, xr.Dataset]):
    """{analysis: its findings on all experiments}, opened when asked for and read when looked at."""

    def __init__(self, jobs: Mapping[str, Job], folder: Path) -> None:
        self._jobs, self._folder = jobs, folder

    def __getitem__(self, analysis: str) -> xr.Dataset:
        if analysis not in self._jobs:
            raise InterpflowError(f"no analysis '{analysis}'; there are: {way_out(analysis, self)}")
        return lazy.read(found(self._jobs[analysis], "findings", self._folder))

    def __contains__(self, analysis: object) -> bool:
        return analysis in self._jobs

    def __iter__(self) -> Iterator[str]:
        return iter(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def states(self) -> dict[str, State]:
        """Of each analysis: made, stale, missing or damaged."""
        with contextlib.chdir(self._folder):
            return {name: state(job) for name, job in self._jobs.items()}

    @property
    def tree(self) -> xr.DataTree:
        """All findings that are made as one tree, a node an analysis; a warning names the others."""
        there = {name: here for name, here in self.states.items() if here in ("made", "stale")}
        if lacking := [name for name in self if name not in there]:
            warnings.warn(f"not in the tree, since not made: {', '.join(lacking)}", stacklevel=2)
        return xr.DataTree.from_dict({f"/{name}": self[name] for name in there})

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {here}" for name, here in self.states.items())

    def _repr_html_(self) -> str:
        return page.table(self.states, ("analysis", "findings"))

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)
