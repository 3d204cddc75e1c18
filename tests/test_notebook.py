"""`interpflow.study` puts a study's results in hand, and says in a line what is stale or missing."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from built_study import SPEC
from matplotlib.figure import Figure

import interpflow
from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.selection import Examples
from interpflow.style import save

RESULTS = "results/laptop/small"


def edit(old: str, new: str) -> None:
    assert SPEC.count(old) == 1
    Path("specs/small.yaml").write_text(SPEC.replace(old, new))


def titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, interpflow; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(Path(interpflow.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = {"torch", "xarray", "numpy", "pandas", "pydantic", "matplotlib", "snakemake"}
    assert not heavy & {*done.stdout.split()}
    assert "interpflow.notebook" not in done.stdout


def test_the_package_has_no_other_attribute_of_this_kind():
    with pytest.raises(AttributeError, match="has no attribute 'studie'"):
        _ = interpflow.studie


def test_findings_are_the_datasets_of_the_files_and_read_when_looked_at(built):
    findings = interpflow.study("small").findings
    assert list(findings) == ["lengths", "strings"]
    for name, found in findings.items():
        assert not any(found[each].variable._in_memory for each in found.data_vars)
        xr.testing.assert_identical(found.load(), store.read(f"{RESULTS}/analyses/{name}.nc"))


def test_values_are_read_as_the_file_was_when_it_was_opened_or_not_at_all(built):
    found = interpflow.study("small").findings["lengths"]
    path = f"{RESULTS}/analyses/lengths.nc"
    part = found["accuracy"].isel(seed=1, group=[0])  # read in part
    store.write(store.read(path), path, {"recipe_sha256": "f" * 64})
    with pytest.raises(InterpflowError, match=r"lengths\.nc: made anew since it was opened"):
        part.load()


def test_findings_are_one_tree(built):
    results = interpflow.study("small")
    tree = results.findings.tree
    assert {*tree.children} == {"lengths", "strings"}
    xr.testing.assert_equal(tree["lengths"].to_dataset(), results.findings["lengths"])


def test_claims_are_the_rows_of_the_scorecard(built):
    claims = interpflow.study("small").claims
    assert claims["claim"].tolist() == ["learns", "long"]
    assert claims["verdict"].tolist() == ["differs", "holds"]
    assert claims.loc[0, "seeds"] == 2
    written = pd.read_csv(f"{RESULTS}/claims.csv")
    np.testing.assert_array_equal(claims["ours"], written["ours"])


def test_runs_have_the_weights_of_a_checkpoint(built):
    runs = interpflow.study("small").runs("plain")
    written = store.read(f"{RESULTS}/experiments/plain/weights_1.nc")
    assert runs.seeds == [0, 1]
    np.testing.assert_array_equal(
        runs.weights("last")["W_E"][1], written["W_E"].isel(step=-1, seed=0)
    )
    assert repr(runs).startswith("Runs of seeds 0, 1; ")
    assert "train 60, validation 20" in repr(runs)


def test_activations_at_a_site_take_three_lines(built):
    runs = interpflow.study("small").runs("plain")
    data, examples = runs.select(Examples(split="validation"))
    at = runs.mask_of_all(data, ["scored"]).nonzero()
    stream = runs.activations(runs.weights("last"), examples, "blocks.0.hook_resid_post", at)
    assert stream.shape == (2, len(at[0]), 8)


def test_evaluation_with_an_edit_is_that_of_a_model_without_the_part(built):
    runs = interpflow.study("small").runs("plain")
    weights, examples = runs.weights("last"), runs.examples("validation")
    silenced = dict(weights)
    for name in weights:
        if name.endswith((".W_O", ".b_O")):
            silenced[name] = torch.zeros_like(weights[name])
    edited = runs.evaluate(weights, examples, {"blocks.0.hook_attn_out": torch.zeros_like})
    np.testing.assert_allclose(edited.loss, runs.evaluate(silenced, examples).loss, rtol=1e-6)


def test_data_of_an_experiment_are_the_examples_with_their_states_whoever_shares_them(built):
    data = interpflow.study("small").data("wide")
    xr.testing.assert_identical(data.load(), store.read(f"{RESULTS}/data/plain.nc"))


def test_a_figure_is_drawn_as_the_workflow_draws_it(built, tmp_path):
    results = interpflow.study("small")
    paths = {kind: tmp_path / f"bins.{kind}" for kind in ("svg", "png")}
    with save.style():
        save.save(results.figure("bins"), paths)
    for kind, path in paths.items():
        assert path.read_bytes() == Path(f"figures/laptop/small/bins.{kind}").read_bytes()


def test_a_figure_takes_other_options_of_its_plot(built):
    results = interpflow.study("small")
    assert titles(results.figure("bins")) == ["Plain", "Wide"]
    panels = {"Wide alone": {"wide": {"experiment": "wide"}}}
    assert titles(results.figure("bins", panels=panels)) == ["Wide alone"]


def test_a_figure_shows_itself_in_a_notebook(built):
    figure = interpflow.study("small").figure("bins")
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda s: s.figure("bin"), r"no figure 'bin' at scale laptop; .* did you mean 'bins'"),
        (lambda s: s.figure("bins", panel={}), "did you mean 'panels'"),
        (lambda s: s.findings["length"], "no analysis 'length'; .* did you mean 'lengths'"),
        (lambda s: s.runs("wid"), "no experiment 'wid' .* did you mean 'wide'"),
        (lambda s: s.data("wid"), "no experiment 'wid' .* did you mean 'wide'"),
    ],
)
def test_a_name_that_there_is_not_is_refused_with_the_nearest(built, ask, said):
    results = interpflow.study("small")
    with pytest.raises(InterpflowError, match=said):
        ask(results)


def test_a_study_or_a_scale_that_there_is_not_is_refused_with_the_nearest(built):
    with pytest.raises(InterpflowError, match="did you mean 'small'"):
        interpflow.study("smal")
    with pytest.raises(InterpflowError, match="did you mean 'smoke'"):
        interpflow.study("small", scale="smok")


def test_everything_done_is_said_in_a_line(built):
    state = interpflow.study("small").state
    assert state.startswith("small at scale laptop: all ")
    assert state.endswith(" jobs done")


def test_what_is_missing_is_said_in_a_line_with_the_command_that_makes_it(built):
    results = interpflow.study("small", scale="smoke")
    assert "missing" in results.state
    assert results.state.endswith(
        "make them with: snakemake --cores all --config scale=smoke small"
    )
    path = "results/smoke/small/analyses/lengths.nc"
    with pytest.raises(InterpflowError) as refused:
        _ = results.findings["lengths"]
    assert str(refused.value).endswith(
        f"{path}: not made yet; make it with: snakemake --cores all --config scale=smoke {path}"
    )
    with pytest.warns(UserWarning, match="not in the tree, since not made: lengths, strings"):
        assert not results.findings.tree.children


def test_what_is_stale_is_given_with_a_warning_of_one_line(built):
    edit("variables: [length]", "variables: [length, split]")
    results = interpflow.study("small")
    with pytest.warns(
        UserWarning, match=r"strings\.nc: made from another spec .* make it anew"
    ) as told:
        assert "maximum" in results.findings["strings"]
    assert len(told) == 1 and "\n" not in str(told[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _ = results.findings["lengths"]
    assert "5 stale, of" in results.state
    assert results.findings.states == {"lengths": "made", "strings": "stale"}


def test_a_study_is_found_from_a_folder_below_its_project_and_from_anywhere_by_folder(
    built, tmp_path, monkeypatch
):
    before = interpflow.study("small").claims
    (built / "notebooks/deep").mkdir(parents=True)
    monkeypatch.chdir(built / "notebooks/deep")
    results = interpflow.study("small")
    pd.testing.assert_frame_equal(results.claims, before)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with pytest.raises(InterpflowError, match=r"no folder specs/ in .* folder="):
        interpflow.study("small")
    results = interpflow.study("small", folder=built)
    assert results.findings["lengths"].load().sizes["experiment"] == 2
    assert results.runs("plain").seeds == [0, 1]
    assert Path.cwd() == elsewhere


def test_a_study_shows_itself_as_text_and_as_html_that_escapes_what_the_spec_says(built):
    results = interpflow.study("small")
    text = repr(results).splitlines()
    assert text[0] == 'A <small> study & its "report"'
    assert "claims: 1 holds, 1 differs" in text
    assert "figures: bins, wide_bins" in text
    for markup in (results._repr_html_(), results.findings._repr_html_()):
        ElementTree.fromstring(f"<div>{markup}</div>")
    assert "A &lt;small&gt; study" in results._repr_html_()
    assert "made" in repr(results.findings)
