"""Where the weights of experiments come from, held against the other experiments, the models and the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from interpflow.errors import InterpflowError
from interpflow.model.options import ModelOptions, unlike
from interpflow.model.parts import parts, pieces
from interpflow.model.shapes import Shapes, weight_shapes
from interpflow.nearest import listed, way_out
from interpflow.spec.checker import Checker
from interpflow.spec.merging import Layer, origin
from interpflow.spec.problems import KeyPath, describe
from interpflow.spec.study import Experiment
from interpflow.spec.wording import field_in_words
from interpflow.training.named_values import named_value
from interpflow.training.options import Start
from interpflow.variables import WEIGHTS

if TYPE_CHECKING:
    from interpflow.spec.foresight import Foresight
    from interpflow.training.weights_file import Described

# Of these the data says how many there are.
_OF_THE_DATA = {"d_vocab", "n_ctx", "d_output"}
_UNKNOWN = (1, 1, 1)


class Starts:
    """Where the weights of a spec's experiments come from; problems go to `checker`.

    With `foresight` the sizes that the data decides (vocabulary, outputs, positions) are known too.
    """

    def __init__(self, checker: Checker, foresight: Foresight | None = None):
        self._checker = checker
        self._foresight = foresight
        self._files: dict[tuple[str | None, ...], Described | InterpflowError] = {}

    def check(
        self,
        families: Mapping[str, Sequence[Experiment]],
        layers: Mapping[str, Sequence[Layer]],
        kept: Iterable[Experiment],
    ) -> None:
        """Note problems of `start`, and of options of training that ask something of the model, in the
        experiments `kept`; `layers` gave them."""
        every = {one.name: one for family in families.values() for one in family}
        for experiment in kept:
            if not experiment.model or not experiment.training:
                continue  # which is a problem already
            at = partial(_place, layers[experiment.name])
            for names, option in (
                (experiment.training.get("frozen"), ("frozen",)),
                (experiment.start.get("parts"), ("start", "parts")),
                (
                    (experiment.training.get("rate_scale") or {}).get("parts"),
                    ("rate_scale", "parts"),
                ),
            ):
                if names:
                    self._checker.known(names, parts(self._shapes(experiment)), "part", at(*option))
            if (
                experiment.training.get("position_offsets")
                and experiment.model["positions"] == "none"
            ):
                self._checker.add(
                    at("position_offsets"), "has no effect on a model with positions: none"
                )
            if experiment.whole and experiment.training.get("fresh") and not experiment.from_file:
                self._fresh(experiment, at)
            for weight, value in experiment.start.get("values", {}).items():
                self._value(experiment, weight, value, at("start", "values", weight))
            if experiment.goes_on_from:
                self._other(experiment, every, families, at("start", "experiment"))
            if experiment.from_file:
                self._file(experiment, at("start", "file"))

    def lacking(
        self, experiment: Experiment, method: ModuleType, options: Mapping[str, Any]
    ) -> Iterator[tuple[KeyPath, str]]:
        """What the analysis `method` asks of weights from a file that the file lacks: an option, and why.

        The option is () if the whole analysis asks for it.
        """
        if not experiment.from_file or not experiment.model:
            return
        described = self._described(experiment)
        if isinstance(described, InterpflowError):
            return  # which is a problem already
        of = f"the weights of '{experiment.name}' come from {experiment.start['file']}"
        if getattr(method, "OVER_TRAINING", False) and not described.has_history:
            yield (
                (),
                f"'{method.__name__.rpartition('.')[2]}' shows training; {of}, which has no history",
            )
        checkpoints = described.checkpoints(ModelOptions(**experiment.model))
        for name, field in method.Options.model_fields.items():
            value = options.get(name)
            if "'last'" not in field_in_words(field):  # it takes no checkpoints
                continue
            if value == "best" and not described.has_history:
                yield (name,), f"'best' is told by a history; {of}, which has none"
            alone = len(checkpoints) < 2
            if (isinstance(value, int) and alone) or (
                value == "first" and (alone or checkpoints[0])
            ):
                held = "the last alone" if alone else f"steps {listed(map(str, checkpoints))}"
                yield (
                    (name,),
                    f"{describe(value)} asks for further checkpoints; {of}, which has {held}",
                )

    def _fresh(self, experiment: Experiment, at: Callable[..., KeyPath]) -> None:
        """What a new example says of options that it cannot go with."""
        if not self._foresight:
            return
        try:
            drawn = self._foresight.fresh(experiment)
        except InterpflowError as error:
            self._checker.add(at("fresh"), str(error))
            return
        if "branch" in drawn and experiment.training["position_offsets"]:
            message = "the new examples of the task share a prefix, and so all begin at position 0"
            self._checker.add(at("position_offsets"), message)

    def _value(self, experiment: Experiment, weight: str, value: Any, at: KeyPath) -> None:
        shapes = self._shapes(experiment)
        if weight not in shapes:
            self._checker.add(at, f"no weight '{weight}'; the model has: {way_out(weight, shapes)}")
        elif self._sizes(experiment) or _OF_THE_DATA.isdisjoint(WEIGHTS[weight].dims):
            try:
                named_value(value, weight, shapes[weight])
            except InterpflowError as error:
                self._checker.add(at, str(error))

    def _other(
        self,
        experiment: Experiment,
        every: Mapping[str, Experiment],
        families: Mapping[str, Sequence[Experiment]],
        at: KeyPath,
    ) -> None:
        """The experiment that this one goes on from."""
        wanted = str(experiment.goes_on_from)
        other = every.get(wanted)
        if other is None:
            known = way_out(wanted, every)
            several = [one.name for one in families.get(wanted, [])]
            message = (
                f"'{wanted}' stands for {', '.join(several)}; name one of them"
                if several
                else f"no experiment {describe(wanted)}; there are: {known}"
            )
            self._checker.add(at, message)
            return
        chain = _chain(experiment, every)
        if chain[-1] == experiment.name:
            self._checker.add(at, f"goes round in a circle: {' starts from '.join(chain)}")
        if not {*experiment.seeds} <= {*other.seeds}:
            here, there = len(experiment.seeds), len(other.seeds)
            message = f"'{wanted}' has {there} seeds, '{experiment.name}' has {here}; each goes on from its own"
            self._checker.add(at, message)
        if other.model and (misfit := self._misfit(experiment, other)):
            self._checker.add(at, misfit)

    def _file(self, experiment: Experiment, at: KeyPath) -> None:
        described = self._described(experiment)
        try:
            if isinstance(described, InterpflowError):
                raise described
            described.check(ModelOptions(**experiment.model), experiment.seeds)
            if self._sizes(experiment):
                described.check_shapes(self._shapes(experiment))
        except InterpflowError as error:
            self._checker.add(at, str(error))

    def _shapes(self, experiment: Experiment) -> Shapes:
        """The shapes of the weights; with 1 for what the data says, where that is not known."""
        model = ModelOptions(**experiment.model)
        return weight_shapes(model, *(self._sizes(experiment) or _UNKNOWN))

    def _sizes(self, experiment: Experiment) -> tuple[int, int, int] | None:
        """How many words, positions and outputs the data has, if that is known."""
        if self._foresight is None or not experiment.whole:
            return None
        return self._foresight.sizes(experiment)

    def _misfit(self, experiment: Experiment, other: Experiment) -> str | None:
        """Why the weights, or the parts asked for, of `other` do not fit into the model of `experiment`."""
        named = experiment.start["parts"]
        if not named:
            for option, theirs, ours in unlike(
                ModelOptions(**other.model), ModelOptions(**experiment.model)
            ):
                return (
                    f"'{other.name}' has {option} {theirs}, the model of '{experiment.name}' has {ours}; "
                    "parts says which of its weights to take"
                )
        sizes = [self._sizes(one) or _UNKNOWN for one in (experiment, other)]
        if _UNKNOWN in sizes:
            sizes = [_UNKNOWN, _UNKNOWN]
        ours_all, theirs_all = (
            weight_shapes(ModelOptions(**one.model), *size)
            for one, size in zip((experiment, other), sizes, strict=True)
        )
        there = [name for name in named or ours_all if name in parts(ours_all)]
        for weight, place in pieces(there, ours_all):
            ours, theirs = ours_all[weight], theirs_all.get(weight)
            inside = theirs and all(at < size for at, size in zip(place, theirs, strict=False))
            if not theirs or not inside or theirs[len(place) :] != ours[len(place) :]:
                has = f"of shape {theirs}" if theirs else "not at all"
                return (
                    f"'{other.name}' has {weight} {has}, '{experiment.name}' of shape {ours}; "
                    "parts says which of its weights to take"
                )
        return None

    def _described(self, experiment: Experiment) -> Described | InterpflowError:
        """The file, described; it is read once."""
        from interpflow.training.weights_file import describe as read_description

        start = Start(**experiment.start)
        key = (start.file, start.sha256)
        if key not in self._files:
            try:
                self._files[key] = read_description(start)
            except InterpflowError as error:
                self._files[key] = error
        return self._files[key]


def _place(layers: Sequence[Layer], *key: str) -> KeyPath:
    """Where the spec gives an option of an experiment's training."""
    place = origin(layers, key)
    return place[1] if place else ()


def _chain(experiment: Experiment, every: Mapping[str, Experiment]) -> list[str]:
    """The experiment, the experiment that it goes on from, and so on, until one comes twice."""
    chain = [experiment.name]
    while (other := every[chain[-1]].goes_on_from) is not None and other in every:
        chain.append(other)
        if chain.count(other) > 1:
            break
    return chain
