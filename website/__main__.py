"""`python -m website`: make the site in `site/`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from interpflow.errors import InterpflowError
from interpflow.spec.study import DEFAULT_SCALE
from website.build import build

parser = argparse.ArgumentParser(
    prog="python -m website", description="Make the site of this project."
)
parser.add_argument("--scale", default=DEFAULT_SCALE, help="whose figures are shown")
parser.add_argument("--to", type=Path, default=Path("site"), metavar="FOLDER")
arguments = parser.parse_args()
try:
    build(arguments.scale, arguments.to)
except InterpflowError as error:
    sys.exit(str(error))
print(arguments.to / "index.html")
