"""A spec as it is written: its keys, before defaults, sweeps and scales are worked out."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    model_validator,
)

from interpflow.section import EachOnce, Section
from interpflow.spec.problems import shorten
from interpflow.style.sizes import Venue

# `snakemake <study>` builds a study, so no study can be called as a rule of the workflow.
RULES = ("all", "analyse", "claims", "collect", "data", "explorer", "figure", "manifest", "train")
LONGEST_NAME = 64  # characters; several names make one path, and file names end at 255


def checked_name(text: str) -> str:
    """`text`, if it can be a name.  Raises ValueError, with the nearest name, if not."""
    if _is_name(text):
        return text
    nearest = "_".join(re.findall("[a-z0-9]+", text.lower())) if text.isascii() else ""
    raise ValueError(
        f"found {shorten(ascii(text))}; a name is [a-z][a-z0-9_]*, up to {LONGEST_NAME} characters, "
        "since it becomes a path" + (f"; did you mean '{nearest}'?" if _is_name(nearest) else "")
    )


def _is_name(text: str) -> bool:
    return re.fullmatch("[a-z][a-z0-9_]*", text) is not None and len(text) <= LONGEST_NAME


def checked_claim(text: str) -> str:
    """`text`, if it can be the name of a claim: a name, or that of a claim and of one of its rows."""
    for part in text.split(".", 1):
        checked_name(part)
    return text


def _no_rule(study: str) -> str:
    if study in RULES:
        raise ValueError(
            f"found '{study}', a rule of the workflow; the rules are: {', '.join(RULES)}"
        )
    return study


def _nothing_is_empty(value: Any) -> Any:
    # `dyck1:` with nothing after it is null in YAML and an experiment without options to its author.
    return {} if value is None else value


Name = Annotated[str, AfterValidator(checked_name)]
ClaimName = Annotated[str, AfterValidator(checked_claim)]
Text = Annotated[str, Field(min_length=1)]
Scalar = str | int | float | bool
OrNothing = BeforeValidator(_nothing_is_empty)
Options = Annotated[dict[str, Any], OrNothing]  # checked once merged, against who takes them
SeedCount = Annotated[int, Field(ge=1, le=10_000)]
Values = Annotated[list[Scalar], Field(min_length=1), EachOnce]


class Reference(Section):
    """The paper."""

    arxiv: Text  # in quotes: "2502.01432"
    year: int


class Defaults(Section):
    """What every experiment starts from."""

    task: Options = {}  # `name` (a file in tasks/) and that task's options
    model: Options = {}  # see below
    training: Options = {}  # see below


class Changes(Defaults):
    """One data set, one model and one training, where they differ from what holds without these."""

    seeds: SeedCount | None = None  # how many of the study's; all if not given
    sweep: Annotated[
        dict[str, Values], OrNothing
    ] = {}  # "model.heads": [1, 2]: one experiment for each


class Experiment(Changes):
    """One data set, one model and one training, where they differ from the defaults."""

    like: str | None = None  # an experiment: this one is the same, but for what stands here


class Analysis(Section):
    """One method over some experiments; further keys are the method's options."""

    model_config = ConfigDict(extra="allow")

    method: str  # a file in analyses/
    experiments: list[str] | dict[str, Options]  # names, or name: {options for it alone}
    data: str | list[str] = []  # analyses that stand above, for a method that goes on from findings
    like: str | None = None  # an analysis: this one is the same, but for what stands here


class Figure(Section):
    """One plot; further keys are the plot's options."""

    model_config = ConfigDict(extra="allow")

    plot: str  # a file in plots/
    data: str | Annotated[list[str], Field(min_length=1)]  # analyses
    caption: Text
    panel: Text | None = None  # the figure of the paper that this one reproduces
    like: str | None = None  # a figure: this one is the same, but for what stands here


class FirstStep(Section):
    """The first training step at which a curve is above or below a number."""

    above: float | None = None  # either above or below
    below: float | None = None

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("a first step has exactly one of above, below")
        return self


Elsewhere = Annotated[dict[str, Scalar | None], Field(min_length=1)]
NUMBERS = ("expected", "at_least", "at_most")
BOUNDS = (*NUMBERS, "below", "above")
PLACES = ("below", "above", "difference_from", "ratio_to")


class Style(Section):
    """How the figures of the study look."""

    venue: Venue | None = (
        None  # widths and text of a conference's pages; interpflow's own if not given
    )


class Claim(Section):
    """One reported number, or with `along` a row of them."""

    data: str  # an analysis
    variable: str  # of that analysis
    # coordinate: value, until one value per seed is left
    select: Annotated[dict[str, Scalar], OrNothing] = {}
    # coordinate: [one value a row]
    along: Annotated[dict[str, Values], Field(max_length=1), OrNothing] = {}
    # {above: 0.9}: of a variable along training steps, the first step at which it is above 0.9.
    first_step: FirstStep | None = None
    expected: float | list[float] | None = None  # the reported number; a list has one for each row
    tolerance: NonNegativeFloat | None = None  # of expected
    at_least: float | list[float] | None = None  # a lower bound; a list has one for each row
    at_most: float | list[float] | None = None  # an upper bound; a list has one for each row
    # Another place, as changes of `select` (null takes a coordinate out): the value here is below the other.
    below: Elsewhere | None = None
    above: Elsewhere | None = None  # another place: the value here is above the other
    # Another place: the number or bound is of the difference, the value here less the other.
    difference_from: Elsewhere | None = None
    # Another place: the number or bound is of the ratio, the value here over the other.
    ratio_to: Elsewhere | None = None
    source: Text  # where the paper states it
    because: Text | None = None  # why ours differs, at the scale laptop

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        given = [name for name in BOUNDS if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "no number"
            raise ValueError(f"found {found}; a claim has exactly one of {', '.join(BOUNDS)}")
        places = [name for name in PLACES if getattr(self, name) is not None]
        if len(places) > 1:
            raise ValueError(f"found {' and '.join(places)}; a claim is about one other place")
        if given == ["expected"] and self.tolerance is None:
            raise ValueError("expected is given without a tolerance")
        if given != ["expected"] and self.tolerance is not None:
            raise ValueError(f"tolerance belongs to expected; {given[0]} is a bound by itself")
        return self

    @model_validator(mode="after")
    def _one_number_a_row(self) -> Self:
        rows = len(next(iter(self.along.values()))) if self.along else None
        for name in NUMBERS:
            numbers = getattr(self, name)
            if isinstance(numbers, list) and rows is None:
                raise ValueError(
                    f"{name} is a list; give the coordinate it runs along, or one number"
                )
            if isinstance(numbers, list) and len(numbers) != rows:
                raise ValueError(f"{name} has {len(numbers)} numbers for {rows} values of along")
        return self

    @model_validator(mode="after")
    def _each_coordinate_once(self) -> Self:
        for coordinate in self.along:
            if coordinate in self.select:
                raise ValueError(f"along and select both choose {coordinate!r}; keep one")
        return self


class ClaimRows(Section):
    """Claims that share most of their keys: each row is a claim `<claim>.<row>`."""

    of: Options = {}  # keys of a claim that all rows share
    # row: its own keys of a claim, merged over `of` as a scale is; null takes a key of `of` back.
    rows: Annotated[dict[Name, Options], Field(min_length=1)]


class Given(Section):
    """A file of findings that `interpflow ship` wrote."""

    file: Text
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]  # of the file


class Scale(Section):
    """What differs from the base of the spec, and which experiments stay."""

    # Of each experiment at most so many, or as many as its entry in `experiments` below says.
    seeds: SeedCount | None = None
    compute: Options = {}
    # The experiments that stay; all if not given.
    only: Annotated[list[str], Field(min_length=1)] | None = None
    task: Options = {}  # over that of every experiment, as are model and training
    model: Options = {}
    training: Options = {}
    experiments: Annotated[
        dict[str, Annotated[Changes, OrNothing]], OrNothing
    ] = {}  # over one experiment
    analyses: Annotated[dict[str, Options], OrNothing] = {}  # name: {options}
    figures: Annotated[dict[str, Options], OrNothing] = {}  # name: {options}
    # Analyses whose findings come as files; an experiment that nothing else looks at is not trained.
    given: Annotated[dict[str, Given], OrNothing] = {}


class Document(Section):
    """A spec: one study."""

    study: Annotated[Name, AfterValidator(_no_rule)]  # the file's name
    title: Text
    question: Text | None = None  # what the study asks, in a sentence, for the page of all studies
    reference: Reference | None = None  # the paper
    seeds: SeedCount  # how many; they are 0, 1, ...
    compute: Options = {}  # see below
    defaults: Annotated[Defaults, OrNothing] = Defaults()
    experiments: Annotated[dict[Name, Annotated[Experiment, OrNothing]], Field(min_length=1)]
    analyses: Annotated[dict[Name, Analysis], OrNothing] = {}
    figures: Annotated[dict[Name, Figure], OrNothing] = {}
    claims: Annotated[dict[ClaimName, Claim], OrNothing] = {}
    style: Annotated[Style, OrNothing] = Style()
    scales: Annotated[dict[Name, Annotated[Scale, OrNothing]], OrNothing] = {}
