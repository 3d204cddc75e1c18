"""What a spec may say about training and the machine."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from interpflow.section import Section
from interpflow.training.named_values import NamedValue

Loss = Literal["cross_entropy", "mse", "binary_cross_entropy"]
Beta = Annotated[float, Field(ge=0, lt=1)]


class Checkpoints(Section):
    """Which steps keep their weights, beside step 0 and the last."""

    linear: NonNegativeInt = 0  # this many, evenly spaced
    log: NonNegativeInt = 0  # this many, evenly spaced on a log scale


class Start(Section):
    """Where weights come from: a file, without training; or the weights that training starts from, which are
    drawn from the seed if they are not given here."""

    # weights/name.nc, which `ship` or `import` wrote: the last checkpoint of a training run.
    file: str | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None  # of the file
    experiment: str | None = None  # of the study: training goes on from its last checkpoint
    parts: list[str] = []  # which parts of it, named as in `frozen`; all if not given
    # As a control: the entries of each layer's weights in a random order.
    shuffled: bool = False
    values: dict[str, NamedValue] = {}  # these weights instead: {W_K: identity, W_V: zeros}

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.file is not None and self.sha256 is None:
            raise ValueError("file is given without its sha256")
        if self.sha256 is not None and self.file is None:
            raise ValueError("sha256 is given without its file")
        for name in ("experiment", "values"):
            if self.file is not None and getattr(self, name):
                raise ValueError(
                    f"file and {name} are both given; weights of a file are taken as they are: "
                    "train further, or change some, in an experiment that starts from this one"
                )
        for name in ("parts", "shuffled"):
            if self.experiment is None and getattr(self, name):
                raise ValueError(f"{name} has no effect without experiment")
        return self


class RateScale(Section):
    """Parts of a model that learn at a multiple of the learning rate."""

    # {W_Q: 2.0}; parts are named as in `frozen`, and of a weight in two of them both numbers count.
    parts: Annotated[dict[str, PositiveFloat], Field(min_length=1)]
    until: PositiveInt | None = None  # this many steps; all if not given


class TrainingOptions(Section):
    """One optimizer, one schedule, one loss."""

    epochs: PositiveInt | None = None  # passes over the training split; either epochs or steps
    steps: PositiveInt | None = None  # batches
    batch_size: PositiveInt
    fresh: bool = False  # new examples at every step, instead of the training split again and again
    optimizer: Literal["adamw", "adam", "rmsprop", "sgd", "muon"]
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat = 0.0
    betas: tuple[Beta, Beta] = (0.9, 0.999)  # adamw, adam, and the adamw in muon
    momentum: Beta = 0.0  # rmsprop, sgd and muon
    schedule: Literal["constant", "cosine", "linear"] = "constant"
    warmup_steps: NonNegativeInt = 0  # linear, from 0
    decay_steps: PositiveInt | None = None  # last steps, of cosine and linear; all if not given
    schedule_every: PositiveInt = 1  # steps between changes of cosine and linear
    final_learning_rate: NonNegativeFloat = 0.0  # where cosine and linear end
    loss: Loss
    dtype: Literal["float32", "bfloat16"] = "float32"
    checkpoints: Checkpoints = Checkpoints()
    start: Start | None = None  # where weights come from; from the seed if not given
    # Parts that stay as they start: `embedding`, `unembedding`, `layer 0`, `head 0.1`, or a weight: W_Q.
    frozen: list[str] = []
    # Parts with a learning rate of their own: {parts: {W_Q: 2.0}, until: 100} is twice the rate for 100 steps.
    rate_scale: RateScale | None = None
    # Each training sequence begins at a random position, so that those beyond its length are trained too.
    position_offsets: bool = False

    @model_validator(mode="after")
    def _epochs_or_steps(self) -> Self:
        if self.epochs is None and self.steps is None:
            raise ValueError("neither epochs nor steps is given; give exactly one")
        if self.epochs is not None and self.steps is not None:
            raise ValueError(
                f"epochs {self.epochs} and steps {self.steps} are both given; give one "
                "and set an inherited other to null"
            )
        return self

    @model_validator(mode="after")
    def _fresh_examples_have_no_epochs(self) -> Self:
        if self.fresh and self.epochs is not None:
            raise ValueError(
                f"epochs {self.epochs} counts passes over the training split, which fresh examples are not; "
                "give steps"
            )
        return self

    @model_validator(mode="after")
    def _no_option_without_effect(self) -> Self:
        if self.momentum and self.optimizer in ("adamw", "adam"):
            raise ValueError(
                f"momentum {self.momentum} has no effect on optimizer {self.optimizer}; use betas"
            )
        if not self.momentum and self.optimizer == "muon":
            raise ValueError(
                "momentum 0: optimizer muon orthogonalises the momentum; 0.95 is usual"
            )
        for part in self.rate_scale.parts if self.rate_scale else {}:
            if part in self.frozen:
                raise ValueError(f"rate_scale names '{part}', which is frozen")
        for name in ("final_learning_rate", "decay_steps", "schedule_every"):
            given = getattr(self, name) != type(self).model_fields[name].default
            if given and self.schedule == "constant":
                raise ValueError(
                    f"{name} {getattr(self, name)} has no effect on schedule constant; "
                    "allowed schedules: cosine, linear"
                )
        return self


class TakenOptions(Section):
    """Weights of a file: nothing is trained."""

    start: Start
    loss: Loss


class ComputeOptions(Section):
    """Where and in what portions a study is computed; seeds_per_job does not change a result."""

    device: Literal["cpu", "cuda"] = "cpu"
    threads: PositiveInt = 1  # of torch, per job
    seeds_per_job: PositiveInt = 5  # seeds trained together as one ensemble
