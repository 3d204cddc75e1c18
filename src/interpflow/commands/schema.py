"""`schema`: print the JSON schema of specs."""

from __future__ import annotations

import argparse
from typing import Any


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "schema", help="print the JSON schema of specs, for editors (specs/schema.json)"
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the schema as JSON."""
    from interpflow.spec.schema import written

    print(written(), end="")
