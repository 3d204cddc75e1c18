"""The provenance of a file: each file names the recipe and the inputs that made it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.files import reading
from interpflow.workflow.layout import STAGES
from interpflow.workflow.stale import recipe_of

# What every recipe holds, beside its slice of the spec.
_COMMON = ("stage", "study", "code", "inputs", "reference")


@dataclass(frozen=True)
class Origin:
    """The recipe that made a file, its SHA-256, and the SHA-256 of the recipe of each input, by path."""

    recipe: Mapping[str, Any]
    sha: str
    inputs: Mapping[str, str]

    @property
    def stage(self) -> str:
        """The stage of the workflow that made the file."""
        return str(self.recipe["stage"])

    @property
    def label(self) -> str:
        """Study and names of the job, as far as its recipe has them: `study/experiment/0`."""
        names = (self.recipe[name] for name in STAGES[self.stage].names if name in self.recipe)
        return "/".join((self.recipe["study"], *names))

    @property
    def read(self) -> dict[str, Any]:
        """The part of the spec that the job read."""
        apart = (*_COMMON, *STAGES[self.stage].names)
        return {key: value for key, value in self.recipe.items() if key not in apart}

    @property
    def slice(self) -> str:
        """The same as YAML."""
        return _as_yaml(self.read)


@dataclass
class Link:
    """One job in the chain behind a file: the paths of its files, and their origin.

    `problem` says why the chain ends here, before it comes to the data; `origin` is then None.
    """

    paths: list[str]
    sha: str
    origin: Origin | None
    problem: str = ""


def origin(path: Path | str) -> Origin:
    """The origin of the dataset, figure or scorecard at `path`.

    Raises InterpflowError where the file is missing, damaged, or neither.
    """
    path = Path(path)
    if path.suffix == ".nc":
        attributes = store.read_attributes(path)
        try:
            recipe, sources = json.loads(attributes["recipe"]), json.loads(attributes["inputs"])
            inputs = {source["path"]: source["recipe_sha256"] for source in sources}
            return Origin(recipe, attributes["recipe_sha256"], inputs)
        except (ValueError, KeyError) as error:
            raise InterpflowError(f"{path}: does not say which recipe made it") from error
    if path.suffix in (".svg", ".png", ".csv", ".html", ".json"):
        account = figure_account(path)
        made = {path: job["recipe_sha256"] for job in account["chain"] for path in job["outputs"]}
        inputs = {path: made[path] for path in account["chain"][-1]["inputs"]}
        return Origin(account["recipe"], account["recipe_sha256"], inputs)
    raise InterpflowError(
        f"{path}: neither a dataset (.nc) nor a figure (.svg, .png, .json) nor a scorecard (.csv) nor a "
        "page (.html)"
    )


def brought_in(path: Path) -> str:
    """The recipe, as YAML, of weights at `path` that came from outside a run; "" for any other file."""
    attributes = store.read_attributes(path) if path.suffix == ".nc" else {}
    outside = attributes.get("stage", "") not in ("", *STAGES)
    recipe = attributes.get("recipe", "") if outside else ""
    return _as_yaml(json.loads(recipe)) if recipe else ""


def _as_yaml(content: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(content), default_flow_style=None, allow_unicode=True, width=92)


def figure_account(path: Path | str) -> dict[str, Any]:
    """The content of the JSON file beside a figure or a scorecard, which has no caption.

    Raises InterpflowError where it cannot be read.
    """
    beside = Path(path).with_suffix(".json")
    rebuild = f"rebuild it with: {store.rebuild_command(beside)}"
    with reading(beside):
        text = beside.read_bytes()
    try:
        account = json.loads(text)
        wanted = {key: account[key] for key in ("chain", "recipe", "recipe_sha256")}
        return {"caption": "", "panel": None, **account, **wanted}
    except ValueError as error:
        raise InterpflowError(f"{beside}: damaged; {rebuild}") from error
    except (TypeError, KeyError) as error:
        hint = "" if beside == Path(path) else f"; {rebuild}"
        raise InterpflowError(
            f"{beside}: not the account of a figure, scorecard or page{hint}"
        ) from error


def chain(path: Path | str) -> list[Link]:
    """The jobs behind a figure or dataset, from its own back to the data.

    Raises InterpflowError where `path` itself cannot be read; what is wrong further back stands in the link.
    """
    first = origin(path)
    links = {str(path): Link([str(path)], first.sha, first)}
    waiting = dict(first.inputs)
    while waiting:
        file, sha = waiting.popitem()
        if file not in links:
            links[file] = _follow(file, sha)
            if found := links[file].origin:
                waiting |= found.inputs
    made: dict[str, Link] = {}  # the files of one job together
    for file in sorted(links):
        link = links[file]
        first_of_job = made.setdefault(link.sha if link.origin else file, link)
        if first_of_job is not link:
            first_of_job.paths.append(file)
    return sorted(made.values(), key=_distance_from_data, reverse=True)


def _distance_from_data(link: Link) -> int:
    return list(STAGES).index(link.origin.stage) if link.origin else -1


def _follow(path: str, sha: str) -> Link:
    try:
        found = origin(path)
        problem = "" if found.sha == sha else f"made anew since, by recipe {found.sha[:16]}"
    except InterpflowError as error:
        problem = str(error).removeprefix(f"{path}: ")
    if not problem:
        return Link([path], sha, found)
    return _moved(path, sha) or Link([path], sha, None, problem)


def _moved(path: str, sha: str) -> Link | None:
    """Data that lay at `path` and were moved: they are called by the first experiment that has them."""
    for other in sorted(Path(path).parent.glob("*.nc")):
        with contextlib.suppress(InterpflowError):
            if recipe_of(other) == sha and (found := origin(other)).stage == "data":
                return Link([str(other)], sha, found)
    return None
