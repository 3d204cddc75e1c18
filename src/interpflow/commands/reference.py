"""`reference`: print what a spec may say."""

from __future__ import annotations

import argparse
from typing import Any

from interpflow.spec.field_reference import reference, reference_of


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "reference", help="print the field reference of specs (specs/README.md)"
    )
    parser.add_argument(
        "name", nargs="?", metavar="METHOD", help="of one task, analysis or plot; all if not given"
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the reference as Markdown."""
    print(reference_of(arguments.name) if arguments.name else reference(), end="")
