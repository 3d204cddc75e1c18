"""Plans of a copy of the project, in this process, as its specs and code stand from one edit to the next."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass

import edits
import pytest
from workflow.project_copy import TINY, Copy

from interpflow.workflow.plan import Plan
from interpflow.workflow.specs_folder import plan_study


@dataclass(frozen=True)
class Planned(Copy):
    """A copy of which one study, at one scale, is planned."""

    study: str = "tiny"
    scale: str = "laptop"

    def plan(self) -> Plan:
        """The plan of the study now."""
        edits.forget_code()
        return plan_study(self.study, self.scale, self.folder / "specs")

    def recipes(self) -> dict[str, str]:
        """The recipe of each job now."""
        return edits.recipes(self.plan())

    def stale(self, before: dict[str, str]) -> set[str]:
        """The jobs that would run now where everything had run when the recipes were those `before`."""
        return edits.stale(before, self.plan())

    def following(self, made: Iterable[str]) -> set[str]:
        """The jobs that make the files `made` and all that rests on them."""
        return edits.following(self.plan(), made)

    def append(self, path: str, line: str) -> None:
        """Add a line to a file."""
        with (self.folder / path).open("a") as file:
            file.write(f"\n{line}\n")


def count_code_of(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let recipes count the code of `copy`, and its specs name the plugins of the tiny study."""
    for kind in ("analyses", "plots"):
        package = importlib.import_module(f"interpflow.{kind}")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(TINY / kind)])
    edits.read_code_in(copy.folder / "src", monkeypatch)
