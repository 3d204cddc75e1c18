"""Named places in the forward pass, to read and to edit.

Names are those of TransformerLens: `hook_embed`, `blocks.0.attn.hook_pattern`, `blocks.0.hook_resid_post`.
Shapes are theirs with a leading seed dim: the residual stream is (seed, batch, pos, d_model), queries are
(seed, batch, pos, head, d_head), attention patterns (seed, batch, head, query, key).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from torch import Tensor

from interpflow.errors import InterpflowError

Edit = Callable[[Tensor], Tensor]


class Sites:
    """The sites that one forward pass keeps (`read`) and changes (`edits`, applied before a value is kept).

    After the pass `values` holds the sites of `read`.
    """

    def __init__(self, read: Iterable[str] = (), edits: Mapping[str, Edit] | None = None):
        self.read = frozenset(read)
        self.edits = dict(edits or {})
        self.values: dict[str, Tensor] = {}
        self._seen: set[str] = set()

    def wants(self, name: str) -> bool:
        """Whether `name` is read or edited, for values that cost something to form."""
        return name in self.read or name in self.edits

    def __call__(self, name: str, value: Tensor) -> Tensor:
        self._seen.add(name)
        if name in self.edits:
            value = self.edits[name](value)
        if name in self.read:
            self.values[name] = value
        return value

    def check(self) -> None:
        """Raise InterpflowError for a site of `read` or `edits` that the model of the pass lacks."""
        missing = (self.read | self.edits.keys()) - self._seen
        if missing:
            raise InterpflowError(
                f"no site {sorted(missing)} in this model; it has {', '.join(sorted(self._seen))}"
            )
