"""Where the files of a study lie, and what each stage of the workflow writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SPECS = Path("specs")
VARIANTS = Path("variants")
RULES = Path(__file__).parent / "rules"  # what the Snakefile of a project includes

_STUDY = "results/{scale}/{study}"
_EXPERIMENT = f"{_STUDY}/experiments/{{experiment}}"
_FIGURE = "figures/{scale}/{study}/{figure}"


@dataclass(frozen=True)
class Stage:
    """The names that tell its jobs apart (the wildcards of the rule), and the pattern of each file of a job."""

    names: tuple[str, ...]
    outputs: Mapping[str, str]


STAGES = {
    # Experiments with the same task share one file, called by the first of them.
    "data": Stage(("experiment",), {"data": f"{_STUDY}/data/{{experiment}}.nc"}),
    "train": Stage(
        ("experiment", "chunk"),  # a chunk of seeds is called by its first
        {
            "weights": f"{_EXPERIMENT}/weights_{{chunk}}.nc",
            "history": f"{_EXPERIMENT}/history_{{chunk}}.nc",
        },
    ),
    "analyse": Stage(
        ("analysis", "experiment"),
        {"findings": f"{_STUDY}/analyses/{{analysis}}/{{experiment}}.nc"},
    ),
    "collect": Stage(("analysis",), {"findings": f"{_STUDY}/analyses/{{analysis}}.nc"}),
    "figure": Stage(("figure",), {kind: f"{_FIGURE}.{kind}" for kind in ("svg", "png", "json")}),
    "claims": Stage((), {kind: f"{_STUDY}/claims.{kind}" for kind in ("csv", "json")}),
    # A folder, since `explorer` may be the name of a figure.
    "explorer": Stage(
        (),
        {
            "page": "figures/{scale}/{study}/explorer/index.html",
            "account": "figures/{scale}/{study}/explorer/index.json",
        },
    ),
    "manifest": Stage((), {"manifest": f"{_STUDY}/manifest.json"}),
}


def log_pattern(stage: str) -> str:
    """The pattern of a job's log."""
    name = ".".join(f"{{{name}}}" for name in STAGES[stage].names) or stage
    return f"logs/{{scale}}/{{study}}/{stage}/{name}.log"
