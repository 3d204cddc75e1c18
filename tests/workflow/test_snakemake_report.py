"""`snakemake --report` shows the figures of each study with their captions."""

from __future__ import annotations

import json

from workflow.project_copy import SPEC, Copy

CAPTION = "Does *this* `stay` as_it_is_? |Yes|, \\ it does"


def captions(copy: Copy) -> dict[str, str]:
    """The captions of the report, as HTML, by the name of what they stand under."""
    copy.snakemake("--report", "report.html")
    page = (copy.folder / "report.html").read_text()
    _, _, rest = page.partition('<script id="results">')
    results, _ = json.JSONDecoder().raw_decode(rest[rest.index("{") :])
    return {result["labels"]["figure"]: result["caption"] for result in results.values()}


def test_captions_say_what_is_shown_and_under_which_conditions(finished: Copy):
    finished.edit(SPEC, "caption: Both,", f"caption: '{CAPTION}',")
    finished.edit(SPEC, "smoke: {}", "laptop: {training: {learning_rate: 1.0e-3}}")
    finished.edit(
        SPEC, "optimizer: adam, learning_rate: 1.0e-3", "optimizer: adam, learning_rate: 5.0e-3"
    )
    finished.snakemake("--cores", "2")
    found = captions(finished)
    assert set(found) == {"both", "one", "outlines", "scorecard"}
    conditions = (
        "At scale laptop, unlike the base of the spec: "
        "training.learning_rate 0.001 instead of 0.005."
    )
    assert found["both"] == f"<p>{CAPTION} {conditions}</p>\n"
