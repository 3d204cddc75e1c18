"""The schema that editors read says what the code says, as far as one place of a spec can be judged alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from test_grammar import BOTH_WAYS, EACH, WRONG, lenses
from toys import BASE, add_toys, changed

from interpflow.spec.schema import schema, written
from interpflow.spec.yaml_text import read_spec_text

SPECS = Path(__file__).parents[1] / "specs"


def validator() -> Draft202012Validator:
    found = schema()
    Draft202012Validator.check_schema(found)
    return Draft202012Validator(found)


@pytest.fixture(scope="module")
def with_toys() -> Any:
    """What holds specs of toys against the schema."""
    with pytest.MonkeyPatch.context() as patch:
        add_toys(patch)
        yield validator()


def parsed(folder: Path, content: str) -> Any:
    path = folder / "toy.yaml"
    path.write_text(content)
    return read_spec_text(path).content


def test_the_schema_in_the_repository_is_up_to_date() -> None:
    in_file = (SPECS / "schema.json").read_text()
    assert in_file == written(), "run: interpflow schema > specs/schema.json"


def test_every_spec_names_the_schema_and_is_as_it_says() -> None:
    judge = validator()
    specs = list(SPECS.glob("*.yaml"))
    assert specs
    for spec in specs:
        assert spec.read_text().startswith("# yaml-language-server: $schema=schema.json\n"), spec
        assert not [error.message for error in judge.iter_errors(read_spec_text(spec).content)], (
            spec
        )


@pytest.mark.parametrize("spelling", [way for ways in BOTH_WAYS.values() for way in ways])
def test_both_spellings_are_fine(with_toys, tmp_path: Path, spelling: str) -> None:
    assert not list(with_toys.iter_errors(parsed(tmp_path, spelling)))


def test_an_entry_of_each_layer_is_fine(with_toys, tmp_path: Path) -> None:
    assert not list(with_toys.iter_errors(parsed(tmp_path, lenses(EACH))))


UNDERLINED = {
    "a section": changed("experiments:\n  plain", "experimints:\n  plain"),
    "no seeds": changed("seeds: 3\n", ""),
    "a key of the model": changed("{d_model: 32}", "{d_modl: 32}"),
    "a value of the model": changed("{d_model: 32}", "{d_model: wide}"),
    "a value of training": changed("optimizer: adam", "optimizer: adm"),
    "a key of a task": changed("length: 10", "lenth: 10"),
    "a task": changed("name: toy_task", "name: toy_tusk"),
    "an analysis": changed("    method: toy_probe", "    method: toy_prube"),
    "no method": changed("    method: toy_probe\n", ""),
    "an option of an analysis": changed("    depths: [0, 1]", "    depth: [0, 1]"),
    "an option of one experiment": changed("{width: 4}", "{width: -4}"),
    "an option of a figure": changed("data: probes, caption", "mark: true, data: probes, caption"),
    "a key of a claim": changed("    variable:", "    varable:"),
    "a key of a scale": changed("laptop: {seeds: 2}", "laptop: {seed: 2}"),
    "an option of a scale": changed(
        "laptop: {seeds: 2}", "laptop: {analyses: {heads: {width: no}}}"
    ),
} | {
    name: WRONG[name][0]
    for name in (
        "what an entry says itself",
        "a figure like another",
        "an experiment like another",
        "a key in of",
        "of without rows",
        "a key beside rows",
        "rows in a list",
        "all misspelt",
        "a key within an entry of each layer",
        "a value within an entry of each layer",
    )
}


@pytest.mark.parametrize("content", UNDERLINED.values(), ids=list(UNDERLINED))
def test_a_wrong_key_or_value_is_underlined(with_toys, tmp_path: Path, content: str) -> None:
    assert not list(with_toys.iter_errors(parsed(tmp_path, BASE)))
    assert list(with_toys.iter_errors(parsed(tmp_path, content)))


def test_an_editor_can_show_what_a_key_means() -> None:
    training = schema()["$defs"]["TrainingOptions"]["properties"]
    assert training["warmup_steps"]["description"] == "linear, from 0"
