"""`export`: weights for TransformerLens, a study for a paper; `import`: weights of TransformerLens."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.model.options import ModelOptions
from interpflow.spec.load import DEFAULT_SCALE
from interpflow.variables import WEIGHTS, describe
from interpflow.workflow.recipe import canonical


def register(subparsers: Any) -> None:
    """Add both commands."""
    exports = subparsers.add_parser(
        "export", help="write trained weights for TransformerLens, or a study for a paper in LaTeX"
    ).add_subparsers(metavar="WHAT", required=True)
    _register_paper(exports.add_parser("paper", help="numbers, tables, captions and figures"))
    parser = exports.add_parser("weights", help="one seed's weights at one checkpoint")
    parser.add_argument("weights", type=Path, help="results/…/weights_<chunk>.nc")
    parser.add_argument("--seed", type=int, help="default: the first of the file")
    parser.add_argument(
        "--checkpoint", default="last", metavar="STEP", help="first, last or a step (default: last)"
    )
    parser.add_argument(
        "--context",
        type=int,
        default=1024,
        metavar="N",
        help="longest sequence, where positions are not learned (default: 1024)",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.npz")
    parser.set_defaults(command=run_weights)

    parser = subparsers.add_parser("import", help="read weights of a TransformerLens model")
    parser.add_argument(
        "file",
        type=Path,
        help="what `export` writes; interpflow's model/transformer_lens.py says how else",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="WEIGHTS.nc")
    parser.set_defaults(command=run_import)


def _register_paper(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", metavar="STUDY")
    parser.add_argument("--scale", default=DEFAULT_SCALE)
    parser.add_argument(
        "--to", type=Path, metavar="FOLDER", help="where to write it (default: paper/STUDY)"
    )
    parser.set_defaults(command=run_paper)


def run_paper(arguments: argparse.Namespace) -> None:
    """Write what a paper takes of a study."""
    from interpflow.paper.folder import write
    from interpflow.workflow.specs_folder import plan_all

    study = arguments.study
    planned = plan_all(arguments.scale, [study])[study]
    for path in write(planned, arguments.to or Path("paper") / study):
        print(path)


def run_weights(arguments: argparse.Namespace) -> None:
    """Write one seed's weights at one checkpoint as a state dict."""
    from interpflow.model.transformer_lens import to_transformer_lens

    weights = store.read(arguments.weights)
    if "W_E" not in weights:
        raise InterpflowError(
            f"{arguments.weights}: no weights in it; they are in weights_<chunk>.nc"
        )
    options = ModelOptions(**json.loads(weights.attrs["recipe"])["model"])
    steps, seeds = weights["step"].values.tolist(), weights["seed"].values.tolist()
    named = {"first": str(steps[0]), "last": str(steps[-1])}
    step = named.get(arguments.checkpoint, arguments.checkpoint)
    seed = str(seeds[0] if arguments.seed is None else arguments.seed)
    for what, wanted, there in (("checkpoint", step, steps), ("seed", seed, seeds)):
        if wanted not in map(str, there):
            known = ", ".join(map(str, there))
            raise InterpflowError(f"{arguments.weights}: no {what} {wanted}; it has {known}")
    chosen = weights.sel(step=int(step), seed=int(seed))
    to_transformer_lens(chosen, options, arguments.context).write(arguments.output)
    print(f"{arguments.output}: seed {seed} at step {step}")


def run_import(arguments: argparse.Namespace) -> None:
    """Write the weights of a TransformerLens model as a dataset."""
    from interpflow.model.transformer_lens import from_transformer_lens, read
    from interpflow.training.weights_file import IMPORTED, in_a_spec

    options, weights = from_transformer_lens(read(arguments.file))
    recipe = {"stage": IMPORTED, "model": options.model_dump()}
    store.write(
        describe(weights, WEIGHTS, "variables.py"),
        arguments.output,
        {"stage": IMPORTED, "recipe": canonical(recipe)},
    )
    said = options.model_dump(exclude_defaults=True)
    print(
        f"seeds: 1\nmodel: {json.dumps(said)}\ntraining: {{{in_a_spec(arguments.output)}, loss: …}}"
    )
