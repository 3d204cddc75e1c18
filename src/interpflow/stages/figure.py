"""From findings to one figure, and beside it the account of what it shows."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

from interpflow import store
from interpflow.progress import Log
from interpflow.spec.study import Claim
from interpflow.style import save
from interpflow.workflow.job import Job


def run(job: Job, log: Log) -> None:
    """Draw one figure."""
    spec = job.slice
    plot = importlib.import_module(f"interpflow.plots.{spec['plot']}")
    data = {name: store.read(path) for name, path in job.inputs.items()}
    marks = [Claim(**claim) for claim in spec["claims"]]
    images = {kind: Path(path) for kind, path in job.outputs.items() if kind != "json"}
    with save.style():
        save.save(plot.plot(data, plot.Options(**spec["options"]), marks), images)
    account = {
        "study": job.study,
        "figure": spec["figure"],
        "scale": job.scale,
        "caption": spec["caption"],
        "panel": spec["panel"],
        "recipe": job.recipe,
        "recipe_sha256": job.sha,
        "chain": job.chain(),
    }
    with store.replacing(Path(job.outputs["json"])) as temporary:
        temporary.write_text(json.dumps(account, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    log.line(f"{spec['plot']} of {', '.join(data)}")
