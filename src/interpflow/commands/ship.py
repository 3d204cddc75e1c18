"""`ship`: trained weights as a file of the project, so that others need not train."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from interpflow import store
from interpflow.errors import InterpflowError


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "ship", help="keep trained weights in weights/, for a spec to name"
    )
    parser.add_argument("weights", type=Path, help="results/…/weights_<chunk>.nc")
    parser.add_argument("--output", type=Path, required=True, metavar="weights/NAME.nc")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the last step of the weights with its history, and print what a spec says of the file."""
    from interpflow.training.weights_file import SHIPPED, in_a_spec, join

    weights = store.read(arguments.weights)
    if "W_E" not in weights:
        raise InterpflowError(
            f"{arguments.weights}: no weights in it; they are in weights_<chunk>.nc"
        )
    history = arguments.weights.with_name(arguments.weights.name.replace("weights_", "history_"))
    together = join(weights, store.read(history))
    kept = {name: str(weights.attrs.get(name, "")) for name in ("study", "experiment", "recipe")}
    store.write(together, arguments.output, {**kept, "stage": SHIPPED})
    print(in_a_spec(arguments.output))
