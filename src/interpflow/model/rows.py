"""Groups of sequences as rows: the position of each row, and the keys that each query sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from interpflow.errors import InterpflowError
from interpflow.model import branches
from interpflow.model.options import ModelOptions


@dataclass(frozen=True)
class Past:
    """Keys and values of an earlier pass, which rows read in place of one another's.

    keys    of each layer (seed, batch, key, head, d_head), as scores read them
    values  of each layer (seed, batch, key, head, d_head)
    own     (batch, key) the key at the position of the rows of a sequence; each row reads its own key instead
    """

    keys: Sequence[Tensor]
    values: Sequence[Tensor]
    own: Tensor


@dataclass(frozen=True)
class Rows:
    """The rows of groups of sequences: sequence after sequence, group after group.

    groups     (batch, length) of each group
    masks      of each group (query, key) or (seed batch head, query, key), added to attention scores: minus
               infinity where a query does not see a key, else 0
    positions  the position of every row is below this number
    position   of each row (seed, row); None if the rows of a sequence are numbered from 0
    causal     whether each query sees itself and exactly the rows before it
    past       keys and values that the rows of a single group read; None if they read one another's
    """

    groups: Sequence[tuple[int, int]]
    masks: Sequence[Tensor]
    positions: int
    position: Tensor | None = None
    causal: bool = False
    past: Past | None = None

    def of(self, *rows: Tensor) -> Iterator[list[Tensor]]:
        """Each group of `rows` (seed, row, …) in the form (seed, batch, pos, …)."""
        sizes = [batch * length for batch, length in self.groups]
        for parts, group in zip(zip(*(r.split(sizes, 1) for r in rows), strict=True),
                                self.groups, strict=True):  # fmt: skip
            yield [part.unflatten(1, group) for part in parts]

    def tile(self, by_position: Tensor) -> Tensor:
        """`by_position` (seed, pos, d) for every token of every sequence, (seed, row, d)."""
        if self.position is not None:
            return look_up(by_position, self.position)
        return torch.cat(
            [
                by_position[:, None, :length].expand(-1, batch, -1, -1).flatten(1, 2)
                for batch, length in self.groups
            ],
            dim=1,
        )


def lay_out(
    groups: Sequence[Tensor],
    branch: Sequence[Tensor] | None,
    options: ModelOptions,
    like: Tensor,
    begins: Sequence[Tensor] | None = None,
) -> Rows:
    """The rows of `groups` of tokens, each (seed, batch, pos), with masks in the dtype of `like`.

    With `branch`, of the same shapes, a sequence holds several, see `interpflow.model.branches`.  With
    `begins`, each (seed, batch), the first token of a sequence stands at that position.  Raises InterpflowError
    for `branch` with `begins`, and with full attention, in which the prefix would see its continuations.
    """
    if branch is not None and begins is not None:
        raise InterpflowError("sequences that share a prefix all begin at position 0")
    if branch is not None and options.attention == "full":
        raise InterpflowError("attention: full takes sequences apart; they cannot share a prefix")
    seen = [
        visible(group, None if branch is None else branch[place], options)
        for place, group in enumerate(groups)
    ]
    position = None
    if branch is not None:  # the position of a token is the number of other tokens that it sees
        position = torch.cat([(each.sum(-1) - 1).flatten(1) for each in seen], dim=1)
    positions = max(group.shape[2] for group in groups)
    if begins is not None:
        places = [
            begin[..., None] + torch.arange(group.shape[2], device=begin.device)
            for begin, group in zip(begins, groups, strict=True)
        ]
        position = torch.cat([each.flatten(1) for each in places], dim=1)
        positions = max(int(each.max()) + 1 for each in places)
    return Rows(
        groups=[(group.shape[1], group.shape[2]) for group in groups],
        masks=[mask(each, options.heads, like) for each in seen],
        positions=positions,
        position=position,
        causal=branch is None and options.attention == "causal",
    )


def visible(tokens: Tensor, branch: Tensor | None, options: ModelOptions) -> Tensor:
    """Whether a query sees a key: (query, key), or (seed, batch, query or 1, key), bool."""
    if options.attention == "full":
        return (tokens >= 0)[..., None, :]
    length = tokens.shape[-1]
    before = torch.ones(length, length, dtype=torch.bool, device=tokens.device).tril()
    return before if branch is None else before & branches.together(branch)


def mask(seen: Tensor, heads: int, like: Tensor) -> Tensor:
    """A mask of `Rows.masks`, in the dtype of `like`, for `seen` as `visible` gives it."""
    if seen.dim() > 2:
        seen = seen.flatten(0, 1).repeat_interleave(heads, 0)
    return like.new_zeros(seen.shape).masked_fill_(~seen, -torch.inf)


def look_up(table: Tensor, ids: Tensor) -> Tensor:
    """The rows `ids` (seed, row) of a table (seed, id, d), as (seed, row, d).

    A product with one-hot rows gives the same numbers as indices.  Its backward pass is a matrix product
    instead of a scatter, three times as fast for tables of these sizes.
    """
    one_hot = torch.eye(table.shape[1], dtype=table.dtype, device=table.device)[ids]
    return one_hot @ table
