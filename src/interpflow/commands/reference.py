"""`reference`: print what a spec may say."""

from __future__ import annotations

import argparse
from typing import Any

from interpflow.spec.field_reference import reference


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "reference", help="print the field reference of specs (specs/README.md)"
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the reference as Markdown."""
    print(reference(), end="")
