"""`python -m benchmarks [NAME …]`: the modules beside this one are the benchmarks."""

from __future__ import annotations

import argparse
import importlib
import os

from benchmarks import BENCHMARKS

# Read when NumPy and torch are first imported: one thread for everybody.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Speed, as ratios.")
parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
names = parser.parse_args().names
if unknown := set(names) - set(BENCHMARKS):
    parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
for name in names or BENCHMARKS:
    print(f"== {name}   (repeat with: python -m benchmarks {name})", flush=True)
    importlib.import_module(f"benchmarks.{name}").main()
