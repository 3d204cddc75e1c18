"""Groups of sequences as rows: all that looks from position to position knows where they begin and end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from interpflow import branches


class Rows:
    """The rows of `groups` of tokens, each (seed, batch, pos): sequence after sequence, group after group.

    With `branch`, of the same shapes, a sequence holds several, see `interpflow.branches`.  `hidden` is what
    to add to attention scores: for each group minus infinity where a query does not see a key, (query, key) or
    with branches (seed batch head, query, key), in the dtype of `like`.
    """

    def __init__(
        self, groups: Sequence[Tensor], branch: Sequence[Tensor] | None, heads: int, like: Tensor
    ):
        self.groups = [(group.shape[1], group.shape[2]) for group in groups]
        self.longest = max(length for _, length in self.groups)
        self._sizes = [batch * length for batch, length in self.groups]
        self._positions: Tensor | None = None
        if branch is None:
            blank = (like.new_full((length, length), -torch.inf) for _, length in self.groups)
            self.hidden = [scores.triu_(1) for scores in blank]
            return
        at = [branches.positions(group).flatten(1) for group in branch]
        self._positions = torch.cat(at, dim=1)
        unseen = [
            ~branches.seen(group.flatten(0, 1)).repeat_interleave(heads, 0) for group in branch
        ]
        self.hidden = [like.new_zeros(u.shape).masked_fill_(u, -torch.inf) for u in unseen]

    def of(self, *rows: Tensor) -> Iterator[list[Tensor]]:
        """Each group of `rows` (seed, row, …) in the form (seed, batch, pos, …)."""
        for parts, group in zip(zip(*(r.split(self._sizes, 1) for r in rows), strict=True),
                                self.groups, strict=True):  # fmt: skip
            yield [part.unflatten(1, group) for part in parts]

    def tile(self, by_position: Tensor) -> Tensor:
        """`by_position` (seed, pos, d) for every token of every sequence, (seed, row, d)."""
        if self._positions is not None:
            # A product with one-hot rows, as for token embeddings.
            return F.one_hot(self._positions, by_position.shape[1]).to(by_position) @ by_position
        return torch.cat(
            [
                by_position[:, None, :length].expand(-1, batch, -1, -1).flatten(1, 2)
                for batch, length in self.groups
            ],
            dim=1,
        )
