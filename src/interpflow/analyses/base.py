"""The contract of an analysis, and how its findings are checked.

An analysis is a file in this folder with

    class Options(Section)                                     its options in a spec, with their reasons
    VARIABLES: dict[str, Variable]                             every variable it returns
    def variables(source, options) -> dict[str, Variable]      if need be: those that depend on the task
    CAUSAL = True                                              if need be: it takes models with causal attention
                                                               alone, and `check` refuses it others
    RESIDUAL = True                                            if need be: it takes blocks to add to a residual
                                                               stream, and `check` refuses it models without
    OVER_TRAINING = True                                       if need be: it shows training, and `check`
                                                               refuses it weights that came without a history
    ONE_ANSWER = True                                          if need be: it takes tasks with a single answer
                                                               at a position, and `check` refuses it others
    def coordinates(known, options) -> dict[str, Foreseen]     if need be: the labels of its dims, and those of
                                                               variables such as `checkpoint`, that are known
                                                               before it runs; of the dims seed, layer, head,
                                                               position, split and the task's own they are known
    EVERY_EXPERIMENT = True                                    if need be: of findings, it looks at those on all
                                                               experiments, {analysis/experiment: findings}, and
                                                               its own stand under those that the spec names
    METHODS = ("head_modes", …)                                if need be: by which methods there have to be
                                                               analyses among those that it goes on from
    def refuse(known, options) -> Iterator[Refused]            if need be: which options cannot work, and why
    NEEDS                                                      what it looks at:
    def analyse(source, options) -> xr.Dataset                 one experiment, all its seeds

    NEEDS                 source
    "runs"                runs: Runs                           trained models
    "runs_and_findings"   runs: Runs                           and in `runs.findings` what other analyses found
    "data"                data: xr.Dataset                     the task's data alone
    "findings"            findings: Mapping[str, xr.Dataset]   {analysis: what it found on the same experiment}

It returns named dims, with `seed` first where seeds differ, draws nothing, and knows no study.  Which examples
it looks at, and at which checkpoint, are the options of `selection.Examples` and `selection.ExamplesAt`.
An option that names something is of one of the types of `selection` (`Split`, `Position`, `State`, `Site`,
`Analysis`, …): such names are checked before anything trains.  Specs
are read without torch, so it imports torch, and what imports torch, inside `analyse`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

import xarray as xr

from interpflow.section import Section
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.runs import Runs

Needs = Literal["runs", "data", "findings", "runs_and_findings"]

Needed = TypeVar("Needed", "Runs", xr.Dataset, Mapping[str, xr.Dataset], contravariant=True)
Given = TypeVar("Given", bound=Section, contravariant=True)  # the options


class Analysis(Protocol[Needed, Given]):
    """What a module in this folder offers."""

    __name__: str
    VARIABLES: Mapping[str, Variable]
    NEEDS: Needs

    @property
    def Options(self) -> type[Section]:
        """What a spec may say about the analysis."""

    def analyse(self, needed: Needed, options: Given, /) -> xr.Dataset:
        """The findings on one experiment."""
