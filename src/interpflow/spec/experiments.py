"""The experiments of a spec at one scale: layers merged, sweeps expanded, every default filled in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from interpflow.model.options import ModelOptions
from interpflow.nearest import listed, way_out
from interpflow.spec.checker import Checker
from interpflow.spec.document import Changes, Defaults, Document, Scale
from interpflow.spec.merging import Layer, merge, origin
from interpflow.spec.plugins import TASK, available
from interpflow.spec.problems import KeyPath, describe
from interpflow.spec.study import Experiment
from interpflow.spec.sweeps import Axis, Point, count, points, sweepable
from interpflow.training.options import TakenOptions, TrainingOptions

_MOST_POINTS = 10_000  # of one sweep
_LONGEST_POINT = 128  # characters of the name of a sweep's point

Layers = Mapping[str, list[Layer]]  # by section: task, model, training


def families(
    written: Document, scale: Scale, at: KeyPath, checker: Checker
) -> tuple[dict[str, list[Experiment]], dict[str, Sequence[Layer]]]:
    """The experiments that each entry of `written` stands for, and the layers of each experiment's training.

    An entry stands for itself, or for the points of its sweep, of which the scale may change one by its name.
    `scale` stands at `at` in the spec.  Problems go to `checker`; an experiment with problems lacks options.
    """
    found: dict[str, list[Experiment]] = {}
    of_training: dict[str, Sequence[Layer]] = {}
    most = scale.seeds or written.seeds
    taken: set[str] = set()
    for name, own in written.experiments.items():
        over = scale.experiments.get(name, Changes())
        layers = {
            section: [
                _layer(written.defaults, ("defaults",), section),
                _layer(own, ("experiments", name), section),
                _layer(scale, at, section),
                _layer(over, (*at, "experiments", name), section),
            ]
            for section in ("task", "model", "training")
        }
        layers["task"] = _of_one_task(layers["task"])
        # An option that no layer gives is missing in the defaults, if the defaults have the section at all.
        homes: dict[str, KeyPath] = {
            section: ("defaults", section) if below[0].values else ("experiments", name, section)
            for section, below in layers.items()
        }
        sweep = {
            **dict(_axes(own, ("experiments", name))),
            **dict(_axes(over, (*at, "experiments", name))),
        }
        axes = _usable(sweep, layers["task"], checker)
        of_spec = min(most, own.seeds or most)
        for here, asked in ((("experiments", name), own), ((*at, "experiments", name), over)):
            _known_seeds(asked, here, written, checker)
        found[name] = []
        for point in points(name, axes):
            place: KeyPath = ("experiments", name, *(["sweep"] if axes else []))
            if len(point.name) > _LONGEST_POINT:
                checker.add(place, f"'{point.name}' is longer than {_LONGEST_POINT} characters")
            if point.name in taken:
                checker.add(place, f"makes a second experiment of the name '{point.name}'")
                continue
            taken.add(point.name)
            there = (*at, "experiments", point.name)
            entry = scale.experiments.get(point.name, Changes()) if axes else Changes()
            _known_seeds(entry, there, written, checker)
            if entry.sweep:
                message = (
                    f"'{point.name}' is one point of the sweep of '{name}', and has none itself"
                )
                checker.add((*there, "sweep"), message)
            own_layers = {
                section: [*below, *point.layers.get(section, []), _layer(entry, there, section)]
                for section, below in layers.items()
            }
            own_layers["task"] = _of_one_task(own_layers["task"])
            # What a scale says of one experiment comes before what it says of all.
            seeds = list(range(entry.seeds or over.seeds or of_spec))
            of_training[point.name] = own_layers["training"]
            found[name].append(_experiment(point, seeds, axes, own_layers, homes, checker))
    return found, of_training


def _known_seeds(asked: Changes, at: KeyPath, written: Document, checker: Checker) -> None:
    """Note where more seeds are `asked` for than the study has."""
    if asked.seeds and asked.seeds > written.seeds:
        message = f"found {asked.seeds}; the study has {written.seeds} seeds"
        checker.add((*at, "seeds"), message)


def _layer(written: Defaults | Scale, at: KeyPath, section: str) -> Layer:
    """One section of what is `written` at `at`."""
    return Layer((*at, section), getattr(written, section))


def _experiment(
    point: Point,
    seeds: list[int],
    axes: Sequence[Axis],
    layers: Layers,
    homes: Mapping[str, KeyPath],
    checker: Checker,
) -> Experiment:
    resolved = {
        "task": _task(layers["task"], homes["task"], checker),
        "model": checker.options(ModelOptions, layers["model"], homes["model"]),
        "training": _training(layers["training"], homes["training"], checker),
    }
    _check_fresh(resolved, layers["training"], homes["training"], checker)
    coords = {".".join(axis.key): _value_at(resolved, axis.key) for axis in axes}
    return Experiment(point.name, seeds=seeds, coords=coords, **resolved)


def _training(layers: Sequence[Layer], home: KeyPath, checker: Checker) -> dict[str, Any]:
    """The options of training; of those that say how, none is read where weights come from a file."""
    start = merge(layers).get("start")
    if not isinstance(start, dict) or start.get("file") is None:
        return checker.options(TrainingOptions, layers, home)
    unread = TrainingOptions.model_fields.keys() - TakenOptions.model_fields.keys()
    return checker.options(TakenOptions, _without(layers, unread), home)


def _check_fresh(
    resolved: Mapping[str, Any], layers: Sequence[Layer], home: KeyPath, checker: Checker
) -> None:
    """Note where fresh examples are wanted of a task that cannot draw them."""
    name = resolved["task"].get("name")
    if not resolved["training"].get("fresh") or name is None:
        return
    place = origin(layers, ("fresh",))
    key = place[1] if place else (*home, "fresh")
    module = checker.plugin(TASK, name, key)
    if module is not None and not hasattr(module, "sample"):
        checker.add(key, f"task '{name}' draws no fresh examples: its file defines no `sample`")
    if resolved["model"].get("attention") == "full":
        message = "fresh examples do not say what is padding, which full attention must not see"
        checker.add(key, message)


def _task(layers: Sequence[Layer], home: KeyPath, checker: Checker) -> dict[str, Any]:
    """The options of the task that the layers name, with the name; {} where one has a problem."""
    name, place = merge(layers).get("name"), origin(layers, ("name",))
    key = place[1] if place else (*home, "name")
    if not isinstance(name, str):
        found = f"found {describe(name)}" if place else "not given"
        checker.add(key, f"{found}; the tasks are: {listed(available(TASK))}")
        return {}
    module = checker.plugin(TASK, name, key)
    if module is None:
        return {}
    options = checker.options(module.Options, _without(layers, {"name"}), home)
    if not options and module.Options.model_fields:
        return {}
    return {"name": name, **options}


def _of_one_task(layers: Sequence[Layer]) -> list[Layer]:
    """`layers` from the last one that changes the task: one task's options mean nothing to another."""
    first, task = 0, None
    for index, layer in enumerate(layers):
        name = layer.values.get("name", task)
        if name != task:
            first, task = index, name
    return list(layers[first:])


def _without(layers: Sequence[Layer], keys: Collection[str]) -> list[Layer]:
    return [
        replace(layer, values={key: layer.values[key] for key in layer.values if key not in keys})
        for layer in layers
    ]


def _axes(experiment: Changes, at: KeyPath) -> Iterator[tuple[str, Axis]]:
    """The sweep of an experiment that stands at `at`."""
    for dotted, values in experiment.sweep.items():
        yield dotted, Axis(tuple(dotted.split(".")), values, (*at, "sweep", dotted))


def _usable(sweep: Mapping[str, Axis], task: Sequence[Layer], checker: Checker) -> list[Axis]:
    """The axes that can be run."""
    axes: dict[str, Axis] = {}
    sections: dict[str, Any] = {"model": ModelOptions, "training": TrainingOptions}
    name, place = merge(task).get("name"), origin(task, ("name",))
    if (
        sweep
        and place
        and isinstance(name, str)
        and (module := checker.plugin(TASK, name, place[1]))
    ):
        sections["task"] = module.Options
    for dotted, axis in sweep.items():
        if axis.key[0] == "task" and "task" not in sections:
            continue  # the task is unknown, which is a problem already
        options = list(sweepable(sections))
        if dotted not in options:
            near = [option for option in options if option.startswith(f"{axis.key[0]}.")] or options
            checker.add(axis.at, f"no such option; allowed: {way_out(dotted, near)}")
        elif axis.coordinate in (*axes, "experiment", "seed"):
            message = f"the coordinate '{axis.coordinate}' is taken; a swept option needs its own"
            checker.add(axis.at, message)
        else:
            axes[axis.coordinate] = axis
    if count(list(axes.values())) > _MOST_POINTS:
        checker.add(axis.at[:-1], f"has more than {_MOST_POINTS} points")
        return []
    return list(axes.values())


def _value_at(resolved: Any, key: Sequence[str]) -> Any:
    """The value of an option; None where its section has problems."""
    return reduce(lambda value, part: value.get(part) if value else None, key, resolved)
