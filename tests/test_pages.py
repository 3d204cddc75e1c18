"""Numbers of pages are those of the reference scorecards."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from interpflow.errors import InterpflowError
from interpflow.record.pages import keep, pages, refreshed

CARD = pd.DataFrame(
    {
        "claim": ["modes.splitting", "loss", "gone", "climb[1 above]"],
        "ours": [0.6, -1234.5678, None, 0.9],
        "sd": [0.5477, 0.0, None, 0.25],
        "seeds": [5, 3, 0, 1],
        "missing": [0, 0, 3, 0],
        "holding": [3, 3, 0, 1],
    }
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0.1<!--modes.splitting-->", "0.6<!--modes.splitting-->"),
        ("0.111<!--modes.splitting-->", "0.600<!--modes.splitting-->"),
        ("7%<!--modes.splitting-->", "60%<!--modes.splitting-->"),
        ("1.1%<!--modes.splitting sd-->", "54.8%<!--modes.splitting sd-->"),
        ("1<!--modes.splitting holding--> of 1<!--modes.splitting seeds-->",
         "3<!--modes.splitting holding--> of 5<!--modes.splitting seeds-->"),
        ("0.1<!--climb[1 above]-->, 0.1<!--climb[1 above] sd-->",
         "0.9<!--climb[1 above]-->, 0.2<!--climb[1 above] sd-->"),
        ("1.0<!--loss-->", "-1,234.6<!--loss-->"),
        ("-0.00<!--loss sd-->", "0.00<!--loss sd-->"),
        ("0.5<!--gone-->", "not measured<!--gone-->"),
        ("not measured<!--modes.splitting-->", "0.60<!--modes.splitting-->"),
        ("10 lists of 51, 0.3 <!--a comment-->", "10 lists of 51, 0.3 <!--a comment-->"),
    ],
)  # fmt: skip
def test_a_number_takes_the_value_of_its_row_in_the_form_in_which_it_is_written(before, after):
    assert refreshed(before, CARD) == after
    assert refreshed(after, CARD) == after


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1<!--modes.spliting-->", "no claim 'modes.spliting'; .* did you mean 'modes.splitting'"),
        ("1<!--loss sdd-->", "loss: no column 'sdd'; .* did you mean 'sd'"),
    ],
)
def test_a_row_or_column_that_is_not_there_is_named(text, message):
    with pytest.raises(InterpflowError, match=message):
        refreshed(text, CARD)


def test_a_kept_scorecard_gives_its_page_the_numbers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("docs").mkdir()
    Path("docs/tiny.md").write_text("Loss 0.0<!--loss-->.")
    CARD.to_csv("claims.csv", index=False)
    assert [str(path) for path in keep("tiny", Path("claims.csv"))] == [
        "reference/tiny.csv",
        "docs/tiny.md",
    ]
    assert Path("docs/tiny.md").read_text() == "Loss -1,234.6<!--loss-->."


def test_the_pages_of_this_project_have_the_numbers_of_its_references(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[1])
    for page, scorecard in pages():
        text = page.read_text(encoding="utf-8")
        assert text == refreshed(text, scorecard), (
            f"{page}: run `interpflow verify --write-reference`"
        )
