"""Paths in trees: the edges of a labelled binary tree, a goal, and the path from the root to it.

    2 >0 , 0 >3 , 2 >1 | 3 : 2 >0 >3 ,

An edge is its source and its target.  The goal is named once, then the root, and then the model writes the
path and a comma that ends it.  It is asked at the root and at every node of the path.

Trees are those of the generator of Brinkmann et al. 2024 (arXiv:2402.11917).  A main path of random length
leads from the root to the goal.  In trees of the kind `training` a second chain of random length hangs from
the root, where nodes are left, so that the goal alone says which way to go.  In trees of the kind `forked` the
second chain has a given length, and is left out where nodes do not suffice; trees of the kind `plain` have
none.  The nodes still left, the lowest number first, each hang from a random node with fewer than two children,
never from the goal.  So a node of low number has more often than others something below it.

An example has 4 tokens a node.  The authors' have one more to read and to predict, a comma that follows a
comma, wherever the path ends.

No tree of `train` is in any other split, whatever its goal and the order of its edges, nor is one of the new
examples of a training step: a hash of the tree says on which side it belongs.  Trees written out in a spec are
taken as they are.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Annotated, Literal

import numpy as np
import xarray as xr
from pydantic import AfterValidator, Field, PositiveInt, model_validator

from interpflow.errors import InterpflowError
from interpflow.model import branches
from interpflow.rng import generator
from interpflow.section import Section, Size
from interpflow.tasks._tree_states import ROLES, states_of
from interpflow.tasks._tree_text import read
from interpflow.tasks._tree_tokens import lengths_of, scored_in, targets_of, tokens_of, words
from interpflow.tasks._trees import Kind, Order, Trees, grow, is_held_out, ordered
from interpflow.variables import Variable

Lengths = Annotated[list[PositiveInt], Field(min_length=1)]


def _rising(steps: list[int]) -> list[int]:
    if sorted(set(steps)) != steps:
        raise ValueError(f"{steps} are steps of training; give them in ascending order, each once")
    return steps


Rising = Annotated[list[PositiveInt], AfterValidator(_rising)]

_MOST_ROUNDS = (
    100  # of drawing what the hold-out threw away; one or two are enough where there are trees
)


class Split(Section):
    """Trees for an analysis; each of `texts` is one, or they are drawn."""

    size: Size = 1000  # trees; of each length with path_length: each
    kind: Kind = "training"  # forked: with a second chain from the root; plain: without one
    second_chain: PositiveInt | None = None  # nodes of the second chain of forked trees
    order: Order = "mixed"  # of the edges; mixed: bottom up in half of the trees, at random
    # Edges from the root to the goal, or one of several at random.  each: of every length that leaves a node.
    # If not given any, and of plain trees those below two thirds of the nodes, as the authors draw them.
    path_length: PositiveInt | Lengths | Literal["each"] | None = None
    all_leaves: bool = (
        False  # every leaf of a tree is its goal once, whatever the main path leads to
    )
    texts: list[str] = []  # trees written out, "2 >0 , 0 >3 , 2 >1 | 3 : 2 >0 >3", and nothing else

    @model_validator(mode="after")
    def _texts_stand_alone(self) -> Split:
        # A resolved spec says every option, so what is refused is another value than the default.
        others = {name for name, field in Split.model_fields.items()
                  if name != "texts" and getattr(self, name) != field.default}  # fmt: skip
        if self.texts and others:
            raise ValueError(f"texts are taken as they are; leave out {', '.join(sorted(others))}")
        return self

    @model_validator(mode="after")
    def _a_second_chain_is_of_forked_trees(self) -> Split:
        if (self.kind == "forked") != (self.second_chain is not None):
            raise ValueError(
                f"kind {self.kind} and second_chain {self.second_chain}: forked trees say how many nodes "
                "their second chain has, and no others do"
            )
        return self

    def lengths(self, nodes: int) -> list[int]:
        """Edges that the main path can have in trees of `nodes` nodes."""
        if self.path_length == "each":
            return list(range(1, nodes - 1))
        if self.path_length is None:
            return list(range(1, nodes // 3 * 2 if self.kind == "plain" else nodes))
        return self.path_length if isinstance(self.path_length, list) else [self.path_length]


class Fresh(Section):
    """New trees of a training step, of the kind `training`."""

    # all: every leaf is a goal, at random as many as fit in 6 tokens a node, and the edges are computed once.
    # The path to a leaf is shorter than the main path in the mean.
    goals: Literal["one", "all"] = "one"
    path_length: Lengths | None = None  # of the main path, one of these at random; any if not given
    # A curriculum: at first main paths have one edge or two, from each of these steps on one edge more, and
    # from the last on any number.
    longer_at: Rising = []

    @model_validator(mode="after")
    def _one_way_to_say_how_long(self) -> Fresh:
        if self.path_length is not None and self.longer_at:
            raise ValueError("path_length and longer_at both say how long main paths are; give one")
        return self


class Options(Section):
    """Binary trees of `nodes` nodes.  2 >0 , 0 >3 , 2 >1 | 3 : 2 >0 >3 ,"""

    nodes: Annotated[int, Field(ge=4, le=100)] = 16
    order: Order = "mixed"  # of the edges, in train, validation and test
    train_size: Size = 135_000  # with validation the paper's 150,000
    validation_size: Size = 15_000
    test_size: Size = 15_000
    held_out: Annotated[float, Field(ge=0.001, le=0.999)] = (
        0.1  # share of all trees kept from training
    )
    padding: bool = False  # whether the commas after a path count in the training loss, too
    fresh: Fresh = Fresh()  # of training that draws new examples
    splits: dict[str, Split] = {}  # further ones, by name

    @model_validator(mode="after")
    def _padding_is_there(self) -> Options:
        if self.padding and self.fresh.goals == "all":
            raise ValueError(
                "padding: with fresh.goals all the next goal stands behind a path; give false"
            )
        return self

    @model_validator(mode="after")
    def _trees_can_be_drawn(self) -> Options:
        _check_lengths(self.fresh.path_length or [], self.nodes, "fresh")
        for name, split in self.splits.items():
            if name in ("train", "validation", "test"):
                raise ValueError(
                    f"splits has {name}, which is there by its size; give another name"
                )
            lengths = split.lengths(self.nodes)
            _check_lengths(lengths, self.nodes, f"splits {name}")
            if split.second_chain is not None and min(lengths) + split.second_chain >= self.nodes:
                raise ValueError(
                    f"splits {name}: a second_chain of {split.second_chain} beside a path of "
                    f"{min(lengths)} needs more than {self.nodes} nodes"
                )
            for text in split.texts:
                try:
                    read(text, self.nodes)
                except ValueError as error:
                    raise ValueError(f"splits {name}: {error}") from None
        return self


def _check_lengths(lengths: list[int], nodes: int, where: str) -> None:
    if lengths and max(lengths) >= nodes:
        raise ValueError(
            f"{where}: path_length {max(lengths)} needs more than {nodes} nodes; the longest here is "
            f"{nodes - 1}"
        )


VARIABLES = {
    "targets": Variable(("example", "position"), "1", "the next token of the path"),
    "role": Variable(("example", "position"), "1", "what stands at the position, see `role_name`"),
    "parent": Variable(("example", "node"), "1", "parent of the node, -1 for the root"),
    "depth": Variable(("example", "node"), "edge", "edges between the root and the node"),
    "goal": Variable(("example",), "1", "node that the path leads to"),
    "path_length": Variable(("example",), "edge", "edges between the root and the goal"),
    "ancestor": Variable(
        ("example", "distance"), "1", "node so many edges above the goal, -1 above the root"
    ),
    "below_root": Variable(
        ("example", "distance"), "1", "node so many edges above the goal, -1 from the root on"
    ),
    "edge_source": Variable(("example", "position"), "1", "source of the edge, -1 where none is"),
    "edge_target": Variable(("example", "position"), "1", "target of the edge, -1 where none is"),
    "at_node": Variable(("example", "position"), "1", "node that the path has come to, else -1"),
    "to_goal": Variable(("example", "position"), "edge", "edges left to the goal, -1 off the path"),
    "children": Variable(
        ("example", "position", "child"), "1", "whether it is a child of where the path has come to"
    ),
    "inner_children": Variable(
        ("example", "position", "child"), "1", "whether it is such a child and no leaf"
    ),
    "to_deeper": Variable(
        ("example", "position"), "1", "whether the path goes on to the deeper of two subtrees"
    ),
    "to_shallower": Variable(
        ("example", "position"), "1", "whether the path goes on to the shallower of two subtrees"
    ),
    "leaf": Variable(("example", "node"), "1", "whether the node has no children"),
    "root_forks": Variable(("example",), "1", "whether the root has two children"),
    "bottom_up": Variable(("example",), "1", "whether every edge stands after those below it"),
}


def values(options: Options) -> dict[str, range]:
    """The values that lengths of paths can have."""
    return {"path_length": range(1, options.nodes), "to_goal": range(options.nodes)}


def generate(options: Options) -> xr.Dataset:
    """`train`, `validation`, `test` and the further splits."""
    splits = {
        name: Split(size=getattr(options, f"{name}_size"), order=options.order)
        for name in ("train", "validation", "test")
    } | options.splits
    parts = [_of_split(options, name, split) for name, split in splits.items()]
    trees = Trees.join(parts)
    split = np.repeat(list(splits), [len(part.goal) for part in parts])
    padded = options.padding & (split == "train")
    example, position = ("example",), ("example", "position")
    facts, tokens = states_of(trees), tokens_of(trees)
    return xr.Dataset(
        {
            **{name: (VARIABLES[name].dims, values) for name, values in facts.items()},
            "tokens": (position, tokens),
            "targets": (position, targets_of(tokens)),
            "scored": (position, scored_in(trees, padded)),
            "length": (example, np.where(padded, tokens.shape[1], lengths_of(trees))),
            "split": (example, split),
        },
        {
            "token": words(options.nodes),
            "output": words(options.nodes),
            "role_name": list(ROLES),
            "node": np.arange(options.nodes),
            "child": np.arange(options.nodes),
            "distance": np.arange(options.nodes),
        },
    )


def validation(options: Options) -> xr.Dataset:
    """The split `validation`, without the facts about its trees."""
    split = Split(size=options.validation_size, order=options.order)
    trees = _of_split(options, "validation", split)
    tokens, position = tokens_of(trees), ("example", "position")
    padded = np.zeros(len(tokens), dtype=bool)
    return xr.Dataset(
        {
            "tokens": (position, tokens),
            "targets": (position, targets_of(tokens)),
            "scored": (position, scored_in(trees, padded)),
            "length": ("example", lengths_of(trees)),
        },
        {"token": words(options.nodes), "output": words(options.nodes)},
    )


def sample(
    options: Options, random: np.random.Generator, size: int, step: int
) -> dict[str, np.ndarray]:
    """`size` trees that training may see at `step`, as tokens, targets and scored (example, position).

    With all goals an example is a tree with several, and has `branch`, see `interpflow.model.branches`.
    """
    fresh = options.fresh
    wanted = Split(order=options.order, path_length=fresh.path_length or _lengths_at(options, step))
    trees = _draw(options, random, size, wanted, held_out=False)
    if fresh.goals == "one":
        return _examples(trees, options.padding)
    trees, tree = trees.of_all_leaves()
    # Whether a goal fits is not to depend on its name.
    order = np.lexsort((random.random(len(tree)), tree))
    trees, tree = trees.take(order), tree[order]
    # The comma that ends a path is nobody's input.
    return branches.join(
        _examples(trees, options.padding),
        lengths_of(trees) - 1,
        tree,
        3 * (options.nodes - 1),
        6 * options.nodes,
    )


def _lengths_at(options: Options, step: int) -> list[int] | None:
    """The lengths of main paths that training sees at `step`; None for all."""
    later = options.fresh.longer_at
    passed = bisect_right(later, step)
    longest = min(2 + passed, options.nodes - 1)
    return None if passed == len(later) else list(range(1, longest + 1))


def _examples(trees: Trees, padding: bool) -> dict[str, np.ndarray]:
    tokens = tokens_of(trees)
    padded = np.full(len(tokens), padding)
    return {"tokens": tokens, "targets": targets_of(tokens), "scored": scored_in(trees, padded)}


def _of_split(options: Options, name: str, split: Split) -> Trees:
    if split.texts:
        edges, parent, goal = zip(*(read(text, options.nodes) for text in split.texts), strict=True)
        return Trees(np.stack(edges), np.stack(parent), np.array(goal))
    random = generator("tree_pathfinding", name)
    return _draw(options, random, split.size, split, held_out=name != "train")


def _draw(
    options: Options, random: np.random.Generator, size: int, split: Split, held_out: bool
) -> Trees:
    """`size` trees (of each length) on one side of the hold-out."""
    lengths, each = split.lengths(options.nodes), split.path_length == "each"
    kinds = len(lengths) if each else 1
    share = options.held_out if held_out else 1 - options.held_out
    parts: list[Trees] = []
    missing = np.full(kinds, size)
    for _ in range(_MOST_ROUNDS):
        # A little more than is likely to be left over.
        count = np.ceil(missing / share * 1.1).astype(int) + 8 * (missing > 0)
        wanted = np.repeat(lengths, count) if each else random.choice(lengths, count[0])
        trees = grow(options.nodes, random, wanted, split.kind, split.second_chain)
        kept = np.flatnonzero(is_held_out(trees.parent, options.held_out) == held_out)
        kind = np.repeat(np.arange(len(missing)), count)[kept]
        rank = np.arange(len(kept)) - np.searchsorted(kind, kind)  # kinds come in order
        chosen = rank < missing[kind]
        parts.append(trees.take(kept[chosen]))
        missing = missing - np.bincount(kind[chosen], minlength=len(missing))
        if not missing.any():
            break
    else:
        side = "held out" if held_out else "left for training"
        raise InterpflowError(
            f"no tree of {options.nodes} nodes is {side} with held_out {options.held_out}, at least of some "
            "path length; take more nodes or another share"
        )
    found = Trees.join(parts)
    if each:
        found = found.take(np.argsort(found.path_length, kind="stable"))
    assert len(found.goal) == size * kinds
    found = ordered(found, random, split.order)
    if split.all_leaves:  # the edges keep their order, so that nothing but the goal differs
        found, _ = found.of_all_leaves()
    return found
