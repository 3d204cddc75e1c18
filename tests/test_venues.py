"""`style: {venue: …}` changes the sizes of figures, and makes nothing else anew."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from built_study import SPEC

from interpflow.__main__ import main
from interpflow.spec.load import load_spec
from interpflow.workflow.make import make
from interpflow.workflow.specs_folder import plan_study
from interpflow.workflow.states import to_run

# What is saved is cut to what is drawn, and the last tick label may reach over the edge a little.
REACH = 2.0  # points
WIDTH = re.compile(r'<svg [^>]*?width="([\d.]+)pt"', re.DOTALL)


def at(venue: str) -> None:
    Path("specs/small.yaml").write_text(
        SPEC.replace("scales:", f"style: {{venue: {venue}}}\nscales:")
    )


def test_a_venue_draws_the_figures_anew_in_its_sizes_and_nothing_else(built):
    image = Path("figures/laptop/small/bins.svg")
    (own,) = WIDTH.findall(image.read_text())
    assert 5.5 * 72 < float(own) <= 7.0 * 72 + REACH
    at("neurips")
    left = to_run(plan_study("small", "laptop"))
    assert {job.stage for job in left} == {"figure", "manifest"}
    for job in left:
        make(job, io.StringIO())
    (narrow,) = WIDTH.findall(image.read_text())
    assert float(narrow) <= 5.5 * 72 + REACH
    drawn = image.read_text()
    assert "7px" in drawn and "8px" not in drawn
    assert main(["export", "paper", "small", "--to", "paper"]) == 0
    pdf = Path("paper/figures/bins.pdf").read_bytes()
    (box,) = re.findall(rb"/MediaBox \[ *0 0 ([\d.]+) ", pdf)
    assert abs(float(box) - float(narrow)) < 0.01


def test_without_a_venue_the_recipes_are_those_of_a_spec_that_knows_none(built):
    Path("specs/small.yaml").write_text(SPEC.replace("scales:", "style: {}\nscales:"))
    assert to_run(plan_study("small", "laptop")) == {}
    assert "style" not in plan_study("small", "laptop").find("figure", "bins").slice


def test_a_venue_that_there_is_not_is_refused_with_its_line(built):
    at("neurps")
    line = Path("specs/small.yaml").read_text().splitlines().index("style: {venue: neurps}") + 1
    with pytest.raises(Exception, match=rf"small\.yaml:{line}: style\.venue: .*'neurips'"):
        load_spec("specs/small.yaml")
