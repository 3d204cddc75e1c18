"""What joined findings are, known before their values are read, and each experiment's place in them.

They are joined along a new first dim `experiment`.  Where experiments differ along another dim (more seeds,
more layers), what one lacks is missing: NaN, or "" where the values are text.  True and false and whole numbers
are floating-point numbers where some are missing, and their attribute `values` says what they are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from interpflow import gaps
from interpflow.errors import InterpflowError
from interpflow.spec.study import coordinate_names

DIM = "experiment"


def outline(part: xr.Dataset) -> xr.Dataset:
    """The findings on one experiment without their values: one, which takes no memory, stands for all.

    It is missing where one is, of true and false and whole numbers.  Coordinates and attributes are kept.
    """
    return part.assign({name: _outline(part[name].variable) for name in part.data_vars})


def _outline(array: xr.Variable) -> xr.Variable:
    one = np.full(
        (), np.nan if _lacks(array) else "" if array.dtype.kind in "OU" else 0, array.dtype
    )
    return xr.Variable(array.dims, np.broadcast_to(one, array.shape), array.attrs)


@dataclass(frozen=True)
class _Joined:
    """One variable of the joined findings.

    dims     those of each experiment
    held     the type of its values in each experiment, where none is missing
    dtype    its own
    missing  whether values are missing that are no floating-point numbers
    attrs    its attributes
    """

    dims: tuple[str, ...]
    held: list[np.dtype[Any]]
    dtype: np.dtype[Any]
    missing: bool
    attrs: dict[Any, Any]


class Frame:
    """What the findings of several experiments are once they are joined.

    coords   their coordinates: those of all experiments along the dims of the findings; along `experiment` its
             names and swept options, missing where an experiment has none, under the names of
             `coordinate_names`: nothing is written over
    names    what their variables are called
    """

    def __init__(
        self, outlines: Mapping[str, xr.Dataset], swept: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Of the outlines of the experiments; `swept` says which options each has, {option: value}.

        Raises InterpflowError where experiments differ in what a name stands for, or in the values of a
        coordinate.
        """
        _check_alike(outlines)
        parts = list(outlines.values())
        joined = _coordinates(outlines)
        names = dict.fromkeys(name for part in parts for name in part.data_vars)
        self._joined = {str(name): _join(name, parts, joined) for name in names}
        self.names = list(self._joined)
        self._sizes = {str(dim): size for part in parts for dim, size in part.sizes.items()}
        self._sizes |= {str(dim): size for dim, size in joined.sizes.items()}
        options = dict.fromkeys(option for name in outlines for option in swept[name])
        called = coordinate_names(
            options, {*map(str, joined.variables), *self._joined, *self._sizes}
        )
        self.coords = joined.assign_coords(
            {called[option]: _swept(option, [swept[name].get(option) for name in outlines])
             for option in options}
        ).coords  # fmt: skip

    def joined(self, parts: Iterable[xr.Dataset], most: float = np.inf) -> Iterator[xr.Dataset]:
        """The findings of the experiments `parts`, in the order of the outlines, as joined datasets.

        A dataset has the next experiments, as many as go into `most` bytes, and one at least.
        """
        rows: list[dict[str, xr.Variable]] = []
        first = size = 0
        for part in parts:
            row = self._row(part)
            del part
            more = sum(array.nbytes for array in row.values())
            if rows and size + more > most:
                yield self._dataset(first, rows)
                first, rows, size = first + len(rows), [], 0
            rows.append(row)
            size += more
        yield self._dataset(first, rows)

    def _dataset(self, first: int, rows: Sequence[Mapping[str, xr.Variable]]) -> xr.Dataset:
        """The experiments from `first` on, one for each of `rows`."""
        coords = self.coords.to_dataset().isel({DIM: slice(first, first + len(rows))})
        return xr.Dataset(
            {name: xr.Variable.concat([row[name] for row in rows], DIM) for name in self._joined},
            coords.coords,
        )

    def _row(self, part: xr.Dataset) -> dict[str, xr.Variable]:
        """The joined variables in one experiment, each with `experiment` as a first dim of size 1."""
        labels = {dim: self.coords[dim] for dim in part.dims if dim in self.coords}
        there = part.reindex(labels, copy=False)
        return {name: self._in_one(name, joined, there) for name, joined in self._joined.items()}

    def _in_one(self, name: str, joined: _Joined, there: xr.Dataset) -> xr.Variable:
        dims = (DIM, *joined.dims)
        if name in there:
            array = there[name].variable.set_dims(dims)
        else:
            shape = (1, *(self._sizes[dim] for dim in joined.dims))
            nothing = "" if joined.dtype.kind == "U" else np.nan
            array = xr.Variable(dims, np.full(shape, nothing, joined.dtype))
        if not joined.missing:
            array = gaps.kept(name, array, joined.held)
        elif (
            array.notnull().any()
        ):  # some are missing here, or elsewhere, as in the place that is added
            array = gaps.kept(name, array.pad({DIM: (0, 1)}), joined.held)[:1]
        return xr.Variable(dims, array.values.astype(joined.dtype, copy=False), joined.attrs)


def collect(parts: Mapping[str, xr.Dataset], coords: Mapping[str, Mapping[str, Any]]) -> xr.Dataset:
    """Findings of several experiments in memory, joined along a new first dim `experiment`.

    `coords` says which swept options each experiment has with which value, {option: value}.
    Raises InterpflowError as `Frame` does.
    """
    frame = Frame({name: outline(part) for name, part in parts.items()}, coords)
    return next(frame.joined(parts.values()))


def _join(name: Hashable, parts: Sequence[xr.Dataset], coords: xr.Dataset) -> _Joined:
    """A variable of the outlines `parts`, which are joined along `coords`."""
    having = [part for part in parts if name in part]
    arrays = [part[name].variable for part in having]
    held = [gaps.held_as(array) for array in arrays]
    wider = [
        any(part.sizes[dim] < coords.sizes.get(dim, 0) for dim in part[name].dims)
        for part in having
    ]
    dtype = np.result_type(
        *(
            _with_gaps(array.dtype) if gap else array.dtype
            for array, gap in zip(arrays, wider, strict=True)
        )
    )
    whole = np.result_type(*held)
    dims, attrs = tuple(map(str, arrays[0].dims)), dict(arrays[0].attrs)
    if whole.kind in "UOS":
        return _Joined(dims, held, np.dtype(str), False, attrs)
    if len(having) < len(parts):
        dtype = _with_gaps(dtype)
    if whole.kind not in "biu":
        return _Joined(dims, held, dtype, False, attrs)
    if len(having) < len(parts) or any(wider) or any(_lacks(array) for array in arrays):
        return _Joined(dims, held, dtype, True, attrs | {"values": gaps.KINDS[whole.kind]})
    return _Joined(dims, held, whole, False, attrs)


def _with_gaps(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type that xarray gives to values of `dtype` where some are missing."""
    return xr.DataArray(np.zeros(1, dtype), {"at": [0]}).reindex(at=[0, 1]).dtype


def _lacks(array: xr.Variable) -> bool:
    """Whether values are missing that are no floating-point numbers."""
    return "values" in array.attrs and bool(array.isnull().any())


def _coordinates(outlines: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """The coordinates of all `outlines`, joined, and the names of the experiments along `experiment`."""
    parts = [part.drop_vars(list(part.data_vars)) for part in outlines.values()]
    try:
        joined = xr.concat(
            [part.drop_attrs(deep=False) for part in parts],
            dim=xr.Variable(DIM, list(outlines)),
            data_vars="all",
            coords="minimal",
            compat="no_conflicts",
            join="outer",
            combine_attrs="override",
        )
    except xr.MergeError as error:
        raise InterpflowError(
            f"experiments differ in a coordinate, which should then be a variable: {error}"
        ) from error
    except ValueError as error:
        raise InterpflowError(f"experiments cannot be joined: {error}") from error
    joined = _in_order(joined, parts)
    for name in joined.variables:
        array = joined[name].variable
        held = [gaps.held_as(part[name].variable) for part in parts if name in part.variables]
        kept = gaps.kept(str(name), array, held)
        if kept is not array:
            joined[name] = kept
    return joined


def _in_order(joined: xr.Dataset, parts: Iterable[xr.Dataset]) -> xr.Dataset:
    """`joined` with labels in the order in which the parts have them; joining sorts 10 before 2."""
    appeared: dict[str, dict[str, None]] = {}
    for part in parts:
        for name, labels in part.coords.items():
            if labels.dims == (name,) and labels.dtype.kind in "OU":
                appeared.setdefault(str(name), {}).update(dict.fromkeys(labels.values.tolist()))
    other = {
        name: list(labels)
        for name, labels in appeared.items()
        if joined[name].values.tolist() != list(labels)
    }
    return joined.sel(other) if other else joined  # selecting copies everything


def _check_alike(parts: Mapping[str, xr.Dataset]) -> None:
    """Raise InterpflowError where a name stands for one thing here and for another there."""
    stands_for: dict[str, tuple[str, str]] = {}
    sizes: dict[str, tuple[int, str]] = {}
    for experiment, part in parts.items():
        if DIM in {*part.variables, *part.dims}:
            raise InterpflowError(
                f"the findings on '{experiment}' have a variable or dim '{DIM}', which is the name of the dim "
                "along which findings are joined; the analysis should call it otherwise"
            )
        for name, array in part.variables.items():
            held = gaps.held_as(array).kind
            kind = "numbers" if held in "iu" else gaps.KINDS[held]
            place = "a coordinate" if name in part.coords else "a variable"
            what = f"{place} ({', '.join(map(str, array.dims))}) of {kind}"
            before, first = stands_for.setdefault(str(name), (what, experiment))
            if before != what:
                raise InterpflowError(
                    f"'{name}' is {before} in '{first}' and {what} in '{experiment}': not to be joined; "
                    "let the analysis give it alike, or make two analyses of it"
                )
        for dim, size in part.sizes.items():
            if dim not in part.coords:
                there, first = sizes.setdefault(str(dim), (size, experiment))
                if there != size:
                    raise InterpflowError(
                        f"dim '{dim}' has {there} places in '{first}' and {size} in '{experiment}', and no "
                        "coordinate that says which are the same; the analysis should give it one"
                    )


def _swept(option: str, values: list[Any]) -> xr.Variable:
    """The values of a swept option along `experiment`, None where an experiment has none."""
    there = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in there):
        return xr.Variable(DIM, ["" if v is None else str(v) for v in values], {"option": option})
    array = xr.Variable(DIM, [np.nan if v is None else v for v in values], {"option": option})
    return gaps.kept(option, array, [np.asarray(there).dtype] if there else [])
