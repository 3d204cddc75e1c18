"""What a spec may say about the model."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from interpflow.section import Section


class ModelOptions(Section):
    """A transformer."""

    layers: PositiveInt = 1
    looped: bool = False  # one block's weights in every layer (Dehghani et al. 2019)
    heads: PositiveInt = 1
    d_model: PositiveInt = 32  # width of the residual stream
    d_head: PositiveInt | None = None  # width of one head; d_model / heads if not given
    d_mlp: NonNegativeInt = 0  # width of the MLP's hidden layer; 0: attention only
    # LayerNorm before each block, after it, or nowhere.
    norm: Literal["pre", "post", "none"] = "pre"
    positions: Literal["learned", "sinusoidal", "alternating", "rotary", "none"] = "learned"
    rotary_base: PositiveFloat = 10000.0  # longest wavelength of rotary over 2 pi, nearly
    attention: Literal["causal", "full"] = "causal"  # full: a position sees later ones too
    attention_scale: PositiveFloat | None = None  # divides the scores; sqrt(d_head) if not given
    residual: bool = True  # false: what a block writes takes the place of what it read
    biases: bool = True
    activation: Literal["relu", "gelu"] = "relu"  # of the MLP
    scale_embedding: bool = False  # multiply token embeddings by sqrt(d_model)
    init: Literal["torch", "normal"] = "normal"  # torch: as torch.nn.TransformerEncoderLayer starts
    init_range: PositiveFloat = 0.02  # sd of every matrix (normal), or ± of the embeddings (torch)

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.d_head is None and self.d_model % self.heads:
            divisors = [n for n in range(1, min(self.d_model, 64) + 1) if self.d_model % n == 0]
            raise ValueError(
                f"heads {self.heads} does not divide d_model {self.d_model}; "
                f"allowed: {', '.join(map(str, divisors))}, or give d_head"
            )
        return self

    @model_validator(mode="after")
    def _rotary_turns_pairs(self) -> Self:
        if self.positions == "rotary" and self.head_width % 2:
            raise ValueError(
                f"positions: rotary turns pairs of numbers; d_head is {self.head_width}, which is odd"
            )
        return self

    @property
    def head_width(self) -> int:
        """`d_head`, given or not."""
        return self.d_head or self.d_model // self.heads

    @property
    def score_divisor(self) -> float:
        """What attention scores are divided by."""
        return self.attention_scale or math.sqrt(self.head_width)

    @property
    def blocks(self) -> int:
        """The number of layers that have weights of their own."""
        return 1 if self.looped else self.layers


# Options of initial weights, which do not change the computation.
_OF_THE_BEGINNING = {"init", "init_range"}


def unlike(one: ModelOptions, other: ModelOptions) -> Iterator[tuple[str, Any, Any]]:
    """The options, with both values, that set two models apart.

    An option does if the models have weights of other shapes, or compute another function of the same weights.
    """

    def meant(options: ModelOptions) -> dict[str, Any]:
        without_effect = {
            *_OF_THE_BEGINNING,
            *(["rotary_base"] if options.positions != "rotary" else []),
            *(["activation"] if not options.d_mlp else []),
        }
        return {**options.model_dump(exclude=without_effect), "d_head": options.head_width}

    ours, theirs = meant(one), meant(other)
    for name in ours:
        if name in theirs and ours[name] != theirs[name]:
            yield name, ours[name], theirs[name]
