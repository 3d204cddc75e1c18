"""From the project as it is to a folder of HTML that needs no network."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from sphinx.cmd.build import build_main

from interpflow.errors import InterpflowError
from interpflow.report.page import page
from website.pages import write
from website.studies import studies

_MARK = ".interpflow-site"  # in a folder that this module made, and may replace


def build(scale: str, to: Path) -> None:
    """Make the site in the folder `to`, of what the project holds now; the report is made on the way.

    Raises InterpflowError for a link that leads nowhere, and for a folder that holds something else.
    """
    if to.is_dir() and any(to.iterdir()) and not (to / _MARK).exists():
        raise InterpflowError(
            f"{to}: holds what is no site; name another folder with --to, or empty it"
        )
    here = studies(scale)
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "source"), Path(folder, "site")
        write(source, scale, here)
        conf = Path(__file__).parent
        options = [
            "-q",
            "-W",
            "--keep-going",
            "-b",
            "html",
            "-c",
            str(conf),
            "-d",
            f"{folder}/read",
        ]
        if build_main([*options, str(source), str(made)]):
            raise InterpflowError("the site is not made: what is wrong stands above")
        report = made / "results" / scale / "report.html"
        report.parent.mkdir(parents=True)
        report.write_text(page([each.spec for each in here.values()], scale), encoding="utf-8")
        for each in here.values():
            if each.explorer:
                (made / each.explorer).parent.mkdir(parents=True)
                shutil.copyfile(each.explorer, made / each.explorer)
        shutil.rmtree(made / "_sources")
        (made / _MARK).touch()
        shutil.rmtree(to, ignore_errors=True)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, to)
