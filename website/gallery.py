"""The gallery: every plot that a spec can name, with a figure, its YAML and the study that it is from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from interpflow.commands.list import summary
from interpflow.spec.plugins import PLOT, files
from website.blocks import MOST, Block, block
from website.studies import Drawn, StudyHere, picture

_OPENING = f"""\
# Gallery

Every plot that `plot:` in a spec can name, with a figure of a study and the block of YAML that draws it, in at
most {MOST} lines. A caption that is longer than fits has its first sentence in the block.
"""


def chosen(plot: str, figures: Iterable[Drawn]) -> tuple[Drawn, Block] | None:
    """The figure that shows `plot`, and its block; None where no study draws one.

    A block that is whole comes before one that is cut, and a figure that is there before one that is not; of
    the others the first.
    """
    of_plot = [(each, block(each.options)) for each in figures if each.plot == plot]
    return min(of_plot, key=lambda pair: (pair[1].cut, pair[0].file is None), default=None)


def gallery(studies: Mapping[str, StudyHere], reference: str) -> str:
    """The page as Markdown; `reference` is the text of specs/README.md, where the options of plots are told."""
    figures = [each for study in studies.values() for each in study.figures.values()]
    parts = [_OPENING]
    for plot, file in files(PLOT).items():
        parts.append(f"## `{plot}`\n\n{summary(file)}\n")
        options = f"[options](specs/README.md#{anchor(reference, plot)})"
        found = chosen(plot, figures)
        if found is None:
            parts.append(f"No study draws one; {options}.\n")
            continue
        drawn, said = found
        source = f"From [{drawn.study}](docs/{drawn.study}.md), figure `{drawn.name}`; {options}."
        if said.cut:
            source += (
                f" The block is cut: {said.cut} more lines are in [specs/{drawn.study}.yaml]"
                f"(specs/{drawn.study}.md)."
            )
        parts.append(
            f"{picture(drawn, '')}\n{source}\n\n```yaml\n{said.text('figures', drawn.name)}```\n"
        )
    return "\n".join(parts)


def anchor(reference: str, plot: str) -> str:
    """Where in the reference the options of a plot are told: a task or an analysis may have its name too."""
    before, heading, after = reference.partition("\n## In plots\n")
    same = f"\n### `{plot}`\n"
    assert heading and same in after, f"specs/README.md does not tell of the plot {plot}"
    return plot + (f"-{before.count(same)}" if same in before else "")
