"""From a spec to a study: read, check, merge defaults, sweeps and scales.

`load_spec` works the spec out at its base and at each of its scales at once, so that a mistake in the scale
`paper` is refused while `laptop` runs; `resolve` only hands out the study of one scale.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.spec.checker import Checker
from interpflow.spec.document import Document
from interpflow.spec.foresight import Foresight
from interpflow.spec.problems import Problems, describe
from interpflow.spec.resolver import Resolver
from interpflow.spec.sharing import spelt_out
from interpflow.spec.study import DEFAULT_SCALE, Analysis, Claim, Experiment, Figure, Study
from interpflow.spec.validation import complaints
from interpflow.spec.variants import Point, changed
from interpflow.spec.yaml_text import read_spec_text

__all__ = [
    "DEFAULT_SCALE", "Analysis", "Claim", "Experiment", "Figure", "Spec", "Study",
    "declares", "load_spec", "load_specs", "require_scale", "resolve",
]  # fmt: skip


@dataclass(frozen=True)
class Spec:
    """A checked spec: its study at the base and at every scale that it declares, and what it asks."""

    path: Path
    base: Study
    scales: Mapping[str, Study]
    question: str = ""

    @property
    def name(self) -> str:
        """The study's name."""
        return self.base.name


def load_spec(
    path: Path | str, foresight: Foresight | None = None, point: Point | None = None
) -> Spec:
    """Read and check the spec at `path`; with `foresight` every name in it too, which asks tasks for examples.

    With `point` it has the values of that point of a variant.
    Raises InterpflowError with one line a problem: file, line, key, what was found, what is allowed.
    """
    try:
        return _load(Path(path), foresight, point)
    except InterpflowError as error:
        if point is None:
            raise
        raise InterpflowError(f"{point.name}, with {point.said}:\n{error}") from error


def _load(path: Path, foresight: Foresight | None, point: Point | None) -> Spec:
    problems = Problems(path)
    text = read_spec_text(path)
    if point is not None:
        text = dataclasses.replace(text, content=changed(text.content, point.changes))
    source = spelt_out(text, problems)
    problems.raise_if_any()  # what is wrong in one entry would be told again of all that are like it
    checker = Checker(source, problems)
    try:
        written = Document.model_validate(source.content)
    except ValidationError as error:
        for complaint in complaints(error, Document, source.content):
            given = (key for key in complaint.about if source.place(key) in source.lines)
            checker.add(next(given, complaint.key), complaint.message)
        problems.raise_if_any()
        raise  # not reached: pydantic raises with at least one error
    if written.study != path.stem:
        checker.add(
            ("study",),
            f"found '{written.study}' in a file called {path.name}; the study has the name of its file",
        )
    resolver = Resolver(written, checker, foresight)
    base = resolver.study(None)
    problems.raise_if_any()  # what is wrong in the base is wrong at every scale
    scales = {name: resolver.study(name) for name in written.scales}
    resolver.finish()
    problems.raise_if_any()
    return Spec(path, base, scales, written.question or "")


def load_specs(paths: Iterable[Path | str], foresight: Foresight | None = None) -> dict[str, Spec]:
    """The specs at `paths` by name.  Raises InterpflowError with the problems of all of them."""
    specs, errors = [], []
    for path in paths:
        try:
            specs.append(load_spec(path, foresight))
        except InterpflowError as error:
            errors.append(str(error))
    if errors:
        raise InterpflowError("\n".join(errors))
    return {spec.name: spec for spec in specs}


def declares(spec: Spec, scale: str) -> bool:
    """Whether `spec` has `scale`; the default scale needs no declaration."""
    return scale == DEFAULT_SCALE or scale in spec.scales


def resolve(spec: Spec, scale: str) -> Study:
    """The study of `spec` at `scale`; a spec that does not declare the scale runs as its base stands."""
    return spec.scales.get(scale) or dataclasses.replace(spec.base, scale=scale)


def require_scale(specs: Iterable[Spec], scale: str) -> None:
    """Raise InterpflowError if none of `specs` declares `scale`; the default scale needs no declaration."""
    declared = {DEFAULT_SCALE}.union(*(spec.scales for spec in specs))
    if scale not in declared:
        raise InterpflowError(
            f"no spec declares the scale {describe(scale)}; declared are: "
            f"{way_out(scale, sorted(declared))}"
        )
