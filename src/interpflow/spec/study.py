"""A study as it runs: one spec at one scale, every default filled in, nothing left to decide.

Plain values only: each dict can be written as JSON.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

Scalar = str | int | float | bool
DEFAULT_SCALE = "laptop"
STEP = "step"  # the dim of what is measured along training, and its coordinate


@dataclass(frozen=True)
class Experiment:
    """One data set, one model and its training with each of `seeds`.

    `coords` is the point's place in its sweep, by option in full (`model.heads`), {} without one.
    """

    name: str
    task: dict[str, Any]  # the options of the task and its `name`
    model: dict[str, Any]
    training: dict[str, Any]
    seeds: list[int]
    coords: dict[str, Scalar]

    @property
    def whole(self) -> bool:
        """Whether all of its options are known: none has a problem."""
        return bool(self.task and self.model and self.training)

    @property
    def start(self) -> dict[str, Any]:
        """Where its weights come from; {} where from the seed."""
        return self.training.get("start") or {}

    @property
    def from_file(self) -> bool:
        """Whether its weights are taken from a file, so that nothing is trained."""
        return self.start.get("file") is not None

    @property
    def goes_on_from(self) -> str | None:
        """The experiment whose last checkpoint its training starts from."""
        return self.start.get("experiment")


def coordinate_names(swept: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """The name of the coordinate of each of the `swept` options, in a dataset that has the names `taken`.

    It is the last word of the option, or the option in full if the word is taken or ends two options:

    >>> coordinate_names(["model.heads", "training.loss"], {"loss"})
    {'model.heads': 'heads', 'training.loss': 'training.loss'}
    """
    words = {option: option.rpartition(".")[2] for option in swept}
    count = Counter([*words.values(), *taken, "experiment", "seed"])
    return {option: option if count[word] > 1 else word for option, word in words.items()}


@dataclass(frozen=True)
class Analysis:
    """One method over experiments: `options` maps each experiment to the method's options for it.

    `data` are the analyses whose findings it goes on from; none for a method of models or data.
    `given` is the file {file, sha256} that its findings come from; {} where they are computed.
    """

    name: str
    method: str
    options: dict[str, dict[str, Any]]
    data: list[str]
    given: dict[str, str]


@dataclass(frozen=True)
class Figure:
    """One plot of the datasets of the analyses `data`; `panel` is the paper's figure that it reproduces."""

    name: str
    plot: str
    data: tuple[str, ...]
    caption: str
    panel: str | None
    options: dict[str, Any]


@dataclass(frozen=True)
class Claim:
    """One reported number.

    `select` picks one value per seed of `variable` in the analysis `data`.  With `first_step` it picks one
    curve per seed; {above: 0.9} takes the first training step at which the curve is above 0.9.

    With `compared`, `other` picks a second value.  The claim is that the first value is `below` or `above` the
    second, or its number is of their difference or ratio.  Unless `compared` is below or above, exactly one of
    `expected` (with `tolerance`), `at_least` and `at_most` is a number.
    `source` says where the paper states the number, `because` why ours differs.
    """

    name: str
    data: str
    variable: str
    select: dict[str, Scalar]
    expected: float | None
    at_least: float | None
    at_most: float | None
    tolerance: float | None
    source: str
    because: str | None
    first_step: dict[str, float] | None = None
    compared: str | None = None  # below, above, difference_from or ratio_to
    other: dict[str, Scalar] | None = None

    @property
    def of_a_value(self) -> bool:
        """Whether its number is one of the values of the variable."""
        return self.first_step is None and self.compared is None


@dataclass(frozen=True)
class Study:
    """A spec at one scale."""

    name: str
    title: str
    reference: dict[str, Any]  # {} or arxiv, year
    scale: str
    seeds: tuple[int, ...]
    compute: dict[str, Any]
    experiments: dict[str, Experiment]
    analyses: dict[str, Analysis]
    figures: dict[str, Figure]
    claims: tuple[Claim, ...]
    style: dict[str, Any]  # {} or venue

    @property
    def looked_at(self) -> dict[str, Experiment]:
        """The experiments that are made: all but those that are known by findings in files alone."""
        analyses = self.analyses.values()
        asked = {name for each in analyses if not each.given for name in each.options}
        given = {name for each in analyses if each.given for name in each.options} - asked
        made = [name for name in self.experiments if name not in given]
        for name in made:  # which grows: weights that another goes on from are made too
            other = self.experiments[name].goes_on_from
            made += [other] if other and other not in made else []
        return {name: one for name, one in self.experiments.items() if name in made}
