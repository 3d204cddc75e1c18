"""The contract of a task, and the checks that a generated dataset keeps it.

A task is a file in this folder with

    class Options(Section): ...                        what a spec may say about it
    VARIABLES: dict[str, Variable]                     what it adds to `variables.TOKENS`
    def generate(options: Options) -> xr.Dataset       the examples

and, where training may draw new examples at every step (`training: {fresh: true}`),

    def sample(options, random, size, step) -> dict    `size` examples of one length: NumPy arrays tokens,
                                                       targets and scored, and branch where one holds
                                                       several, see `interpflow.model.branches`; they are drawn
                                                       from `random` alone, and may be others at a later
                                                       `step`, where training goes from easy to hard;
                                                       an option `fresh` is for it alone, not for `generate`
    def validation(options) -> xr.Dataset              if need be: `generate`'s validation split as training
                                                       reads it: tokens, length, scored, targets and the
                                                       coordinates; training then rests on these two functions
                                                       and the options that they read, not on other splits or
                                                       on states

and, where they are whole numbers within bounds,

    def values(options) -> dict[str, Iterable]         the values that a variable can have: `check` knows by
                                                       them what a spec can name

How an example is drawn on the page to look through a study is said beside the task, in
`tasks/_<task>_drawing.py`, since an edit of the task's own file makes its data anew:

    def drawing(example) -> Drawing            of one example, the task's variables without the dim
                                               `example`; see `interpflow.drawing`

A number of examples is of the type `section.Size`: for what `check` has to know, a few are made.

Its dataset holds

    tokens    (example, position)           token ids, below the length of the coordinate `token`
    length    (example)                     how many tokens are not padding
    split     (example)                     "train", "validation", and what else the task names
    scored    (example, position)           whether the position counts in loss and accuracy
    targets   (example, position)           class ids, below the length of the coordinate `output`,
           or (example, position, output)   0 and 1

with the words of the coordinates `token` and `output`, and the true states behind the examples as
further variables.  A spec names positions by the words of a coordinate `role_name`, to which a variable
`role` (example, position) points, and by variables (example, position) of true and false.

All randomness comes from `interpflow.rng.generator` at addresses that begin with the task's name and
its seed and hold the split: a change of one split leaves the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.section import Section
from interpflow.variables import TOKENS, Variable, describe


class Task(Protocol):
    """What a module in this folder offers."""

    __name__: str

    @property
    def Options(self) -> type[Section]:
        """What a spec may say about the task."""

    @property
    def VARIABLES(self) -> Mapping[str, Variable]:
        """The variables it adds to `variables.TOKENS`."""

    def generate(self, options: Any, /) -> xr.Dataset:
        """The examples, drawn as `options` say."""


def options_that(task: Task, given: Mapping[str, Any], read: Collection[str] | None) -> Any:
    """The options `given` of `task`, of which no others than those named in `read`, if it is given, can be had.

    An AttributeError is better than a recipe that leaves out what decides the bytes.
    """
    options = task.Options(**{name: value for name, value in given.items() if name != "name"})
    for name in set(vars(options)).difference(vars(options) if read is None else read):
        del vars(options)[name]
    return options


def make_dataset(task: Task, options: Section) -> xr.Dataset:
    """The examples of `task`, held against the contract, with units and long names.

    Raises InterpflowError, naming the file and the first breach, where the contract is broken.
    """
    file = f"tasks/{task.__name__.rpartition('.')[2]}.py"
    dataset = describe(task.generate(options), {**TOKENS, **task.VARIABLES}, file)
    check(dataset, file)
    return dataset


def check(dataset: xr.Dataset, file: str) -> None:
    """Raise InterpflowError, beginning with `file`, where `dataset` breaks the contract."""

    def require(kept: Any, otherwise: str) -> None:
        if not kept:
            raise InterpflowError(f"{file}: {otherwise}")

    for name in (*TOKENS, "targets"):
        require(name in dataset, f"the dataset has no variable '{name}'; every task gives one")
    for name in ("token", "output"):
        require(name in dataset.coords, f"the dataset has no coordinate '{name}' with its words")
    for name, kinds, wanted in (
        ("tokens", "iu", "whole numbers"),
        ("length", "iu", "whole numbers"),
        ("targets", "iu", "whole numbers"),
        ("scored", "b", "true or false"),
    ):
        dtype = dataset[name].dtype
        require(dtype.kind in kinds, f"'{name}' holds {dtype}; it takes {wanted}")

    tokens, length = dataset["tokens"], dataset["length"]
    scored, targets = dataset["scored"], dataset["targets"]
    words, positions = dataset.sizes["token"], dataset.sizes["position"]
    classes = 2 if "output" in targets.dims else dataset.sizes["output"]
    for array, least, most in (
        (tokens, 0, words - 1),
        (length, 1, positions),
        (targets.where(scored, 0), 0, classes - 1),
    ):
        low, high = int(array.min()), int(array.max())
        require(
            least <= low and high <= most,
            f"'{array.name}' runs from {low} to {high}; it takes {least} to {most}",
        )
    padding = xr.DataArray(range(positions), dims="position") >= length
    require(not (scored & padding).any(), "padding is scored; only positions below 'length' can be")
    require(scored.any("position").all(), "an example has no scored position; it teaches nothing")

    splits = set(dataset["split"].values.tolist())
    for name in ("train", "validation"):
        require(name in splits, f"no example is in split '{name}'; there are {sorted(splits)}")
