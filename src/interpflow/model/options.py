"""What a spec may say about the model."""

from __future__ import annotations

from typing import Literal, Self

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
    norm: Literal["pre", "post", "none"] = (
        "pre"  # LayerNorm before each block, after it, or nowhere
    )
    positions: Literal["learned", "sinusoidal", "rotary", "none"] = "learned"
    rotary_base: PositiveFloat = 10000.0  # longest wavelength of rotary over 2 pi, nearly
    attention: Literal["causal", "full"] = "causal"  # full: a position sees later ones too
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
        d_head = self.d_head or self.d_model // self.heads
        if self.positions == "rotary" and d_head % 2:
            raise ValueError(
                f"positions: rotary turns pairs of numbers; d_head is {d_head}, which is odd"
            )
        return self
