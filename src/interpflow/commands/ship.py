"""`ship`: trained weights or findings as a file of the project, so that others need not train."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.selection import Steps


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "ship", help="keep trained weights, or findings, as a file for a spec to name"
    )
    parser.add_argument(
        "weights",
        type=Path,
        nargs="+",
        help="results/…/weights_<chunk>.nc, all of one experiment, or analyses/<analysis>.nc, of which several "
        "are on experiments of their own",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER/NAME.nc")
    parser.add_argument(
        "--steps",
        type=_steps,
        default="last",
        help="which checkpoints: last, all, or so many, evenly among those kept (default: last)",
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Write checkpoints with their history, or findings, and print what a spec says of the file."""
    from interpflow.training.weights_file import SHIPPED, in_a_spec, join

    if _ship_findings(arguments.weights, arguments.output):
        return
    chunks = [store.read(path) for path in arguments.weights]
    for path, chunk in zip(arguments.weights, chunks, strict=True):
        if "W_E" not in chunk:
            raise InterpflowError(
                f"{path}: no weights in it, and no findings on experiments; they are in "
                "experiments/<experiment>/weights_<chunk>.nc and analyses/<analysis>.nc"
            )
    attrs = _of_one_experiment(arguments.weights, chunks)
    histories = [
        store.read(path.with_name(path.name.replace("weights_", "history_")))
        for path in arguments.weights
    ]
    together = join(xr.concat(chunks, "seed"), xr.concat(histories, "seed"), arguments.steps)
    store.write(together, arguments.output, {**attrs, "stage": SHIPPED})
    print(in_a_spec(arguments.output))


def _ship_findings(paths: Sequence[Path], output: Path) -> bool:
    """Write the findings at `paths` and how they were made, if all are findings on experiments."""
    from interpflow.record import given, shipped_findings

    found = [part for path in paths if (part := shipped_findings.read(path)) is not None]
    if len(found) < len(paths):
        return False
    together = shipped_findings.joined(found, paths)
    store.write(together, output, together.attrs)
    print(given.in_a_spec(output, json.loads(together.attrs["recipe"])["analysis"]))
    return True


def _of_one_experiment(paths: Sequence[Path], chunks: Sequence[xr.Dataset]) -> dict[str, str]:
    """What the file says of itself; raises InterpflowError where the chunks differ in more than their seeds."""
    first = {name: str(chunks[0].attrs.get(name, "")) for name in ("study", "experiment", "recipe")}
    recipes = [json.loads(chunk.attrs.get("recipe") or "{}") for chunk in chunks]
    seeds = [seed for recipe in recipes for seed in recipe.get("seeds", [])]
    together = {"seeds": seeds, "chunk": "all"}  # a chunk is called by its first seed
    alike = {json.dumps(recipe | together) for recipe in recipes}
    if len(alike) > 1 or len({*seeds}) < len(seeds):
        raise InterpflowError(
            f"{', '.join(map(str, paths))}: are not the seeds of one experiment, each of them once"
        )
    return first | {"recipe": alike.pop()} if len(chunks) > 1 else first


def _steps(text: str) -> Steps:
    named: dict[str, Steps] = {"last": "last", "all": "all"}
    if text in named:
        return named[text]
    if not text.isdecimal() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"found {text}; expected last, all or a number from 2 on")
    return int(text)
