"""What a run made, written down for `verify`."""

from __future__ import annotations

from interpflow.progress import Log
from interpflow.record import manifest
from interpflow.workflow.job import Job


def run(job: Job, log: Log) -> None:
    """Write the manifest of one study: every file, with what it was made from."""
    heading = {
        "study": job.study,
        "title": job.slice["title"],
        "scale": job.scale,
        "recipe_sha256": job.sha,
        # Its inputs stand below, file by file.
        "recipe": {key: value for key, value in job.recipe.items() if key != "inputs"},
    }
    files = {source.path: list(source.job.inputs.values()) for source in job.sources.values()}
    manifest.write(job.outputs["manifest"], heading, files)
    log.line(f"{len(files)} files")
