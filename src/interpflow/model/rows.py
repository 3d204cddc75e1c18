"""Groups of sequences as rows: all that looks from position to position knows where they begin and end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from interpflow.model import branches


class Rows:
    """The rows of `groups` of tokens, each (seed, batch, pos): sequence after sequence, group after group.

    With `branch`, of the same shapes, a sequence holds several, see `interpflow.model.branches`.  `mask` is
    what to
    add to attention scores: for each group minus infinity where a query does not see a key, (query, key), or
    with branches (seed batch head, query, key), in the dtype of `like`.
    """

    def __init__(
        self, groups: Sequence[Tensor], branch: Sequence[Tensor] | None, heads: int, like: Tensor
    ):
        self.groups = [(group.shape[1], group.shape[2]) for group in groups]
        self.longest = max(length for _, length in self.groups)
        self.causal = branch is None  # a token sees all that stands before it
        self._sizes = [batch * length for batch, length in self.groups]
        self._positions: Tensor | None = None
        if branch is None:
            blank = (like.new_full((length, length), -torch.inf) for _, length in self.groups)
            self.mask = [scores.triu_(1) for scores in blank]
            return
        visible = [branches.visible(group) for group in branch]
        self._positions = torch.cat([(seen.sum(-1) - 1).flatten(1) for seen in visible], dim=1)
        unseen = [~seen.flatten(0, 1).repeat_interleave(heads, 0) for seen in visible]
        self.mask = [like.new_zeros(u.shape).masked_fill_(u, -torch.inf) for u in unseen]

    def of(self, *rows: Tensor) -> Iterator[list[Tensor]]:
        """Each group of `rows` (seed, row, …) in the form (seed, batch, pos, …)."""
        for parts, group in zip(zip(*(r.split(self._sizes, 1) for r in rows), strict=True),
                                self.groups, strict=True):  # fmt: skip
            yield [part.unflatten(1, group) for part in parts]

    def tile(self, by_position: Tensor) -> Tensor:
        """`by_position` (seed, pos, d) for every token of every sequence, (seed, row, d)."""
        if self._positions is not None:
            return look_up(by_position, self._positions)
        return torch.cat(
            [
                by_position[:, None, :length].expand(-1, batch, -1, -1).flatten(1, 2)
                for batch, length in self.groups
            ],
            dim=1,
        )


def look_up(table: Tensor, ids: Tensor) -> Tensor:
    """The rows `ids` (seed, row) of a table (seed, id, d), as (seed, row, d).

    A product with one-hot rows: the same numbers as by indices, and a backward pass that is one matrix product
    instead of a scatter (three times faster at the sizes of these tables).
    """
    one_hot = torch.eye(table.shape[1], dtype=table.dtype, device=table.device)[ids]
    return one_hot @ table
