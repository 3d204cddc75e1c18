"""`show`: what is in this file, where does it come from, and what rebuilds it?"""

from __future__ import annotations

import argparse
import csv
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpflow.errors import InterpflowError
from interpflow.nearest import listed

if TYPE_CHECKING:
    import xarray as xr

    from interpflow.record.provenance import Link

_MOST_VALUES = 12  # of a coordinate


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("show", help="say what is in a file and where it comes from")
    parser.add_argument(
        "file", metavar="FILE", type=Path, help="a dataset (.nc), a figure or a scorecard"
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Print what a dataset or figure holds, its chain back to the data, and the command to rebuild it."""
    from interpflow import store
    from interpflow.record import provenance
    from interpflow.workflow.specs_folder import job_of

    path: Path = arguments.file
    if not os.path.lexists(path):
        job_of(str(path))  # a name that no job makes is told with the nearest
    if brought := provenance.brought_in(path):
        print(path)
        _print_dataset(store.read(path))
        print(
            f"\nNo job of the workflow made this file.  What it says of its making\n{_indented(brought)}"
        )
        return
    links = provenance.chain(path)  # also refuses what is no file of ours
    print(path)
    if path.suffix == ".nc":
        _print_dataset(store.read(path))
    elif path.suffix == ".csv":
        print("\n".join(_claims(path)))
    else:
        print(_wrapped(provenance.figure_account(path)["caption"], "  "))
    print("\nFrom here back to the data")
    for link in links:
        print("\n".join(_lines(link)))
    print(f"\nRebuild it with\n  {store.rebuild_command(path)}")


def _claims(path: Path) -> Iterator[str]:
    """A line for each claim of the scorecard: its verdict, the paper's value, ours, and how many seeds hold."""
    from interpflow.files import reading, rebuild_command

    try:
        with reading(path), path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        widths = [max(len(row[key]) for row in rows) for key in ("verdict", "claim")]
        for row in rows:
            relation = "" if row["relation"] == "equals" else f"{row['relation']} "
            ours = f"{float(row['ours']):.4g}" if row["ours"] else "none"
            seeds = f", in {row['holding']} of {row['seeds']} seeds" if row["holding"] else ""
            verdict, claim = f"{row['verdict']:{widths[0]}}", f"{row['claim']:{widths[1]}}"
            yield f"  {verdict}  {claim}  {relation}{float(row['paper']):.4g}; ours {ours}{seeds}"
    except (ValueError, KeyError, TypeError) as error:
        raise InterpflowError(
            f"{path}: not a scorecard, or damaged; rebuild it with: {rebuild_command(path)}"
        ) from error


def _print_dataset(dataset: xr.Dataset) -> None:
    from interpflow.record import divergence

    print("  " + ", ".join(f"{dim} {size}" for dim, size in dataset.sizes.items()))
    for heading, arrays in (("Coordinates", dataset.coords), ("Variables", dataset.data_vars)):
        if arrays:
            print(f"\n{heading}")
        for name, array in arrays.items():
            print(f"  {name} ({', '.join(map(str, array.dims))}) {array.dtype}")
            if "long_name" in array.attrs:
                units = array.attrs.get("units", "1")
                print(f"    {array.attrs['long_name']}{'' if units == '1' else f' [{units}]'}")
            print(_wrapped(_values(array), "    "))
    if diverged := divergence.words(divergence.read(dataset.attrs)):
        print(f"\nDiverged in training\n  {diverged}")
    if made_with := dataset.attrs.get("made_with"):
        print(f"\nMade with\n  {made_with}")


def _values(array: xr.DataArray) -> str:
    """The values of a small array, the range of a large one, and how many are missing."""
    values = array.values.ravel()
    if values.size <= _MOST_VALUES and values.dtype.kind in "iuf":
        return ", ".join(f"{value:.6g}" for value in values)
    if values.dtype.kind not in "iuf":
        return listed(dict.fromkeys(map(str, values)), _MOST_VALUES)
    missing = int(array.isnull().sum())
    words = f"{array.min().item():.6g} to {array.max().item():.6g}, mean {array.mean().item():.6g}"
    return words + (f"; {missing} of {values.size} missing" if missing else "")


def _lines(link: Link) -> Iterator[str]:
    """What one job made, by which recipe, and what it read of the spec."""
    if link.origin is None:
        yield f"  {link.paths[0]}: {link.problem}"
        return
    yield f"  {link.origin.stage} {link.origin.label}, recipe {link.sha[:16]}"
    yield from (f"    {path}" for path in link.paths)
    yield _indented(link.origin.slice)


def _indented(text: str) -> str:
    return textwrap.indent(text.rstrip(), "      ")


def _wrapped(text: str, indent: str) -> str:
    return textwrap.fill(text, 100, initial_indent=indent, subsequent_indent=indent)
