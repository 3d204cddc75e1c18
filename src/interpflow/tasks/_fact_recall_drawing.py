"""How a fact is drawn: its subject and its relation, with lines to the answer, over the noise words."""

from __future__ import annotations

import numpy as np
import xarray as xr

from interpflow.drawing import Drawing, Node


def drawing(example: xr.Dataset) -> Drawing:
    """The fact of one example, which is marked; the answer stands for the position that asks for it."""
    words = example["token"].values[example["tokens"].values]
    places = {
        role: np.flatnonzero(example["role_name"].values[example["role"].values] == role).tolist()
        for role in ("subject", "relation", "noise")
    }
    end = int(np.flatnonzero(example["scored"].values)[-1])
    answer = str(example["output"].values[int(example["targets"][end])])
    (subject,), (relation,) = places["subject"], places["relation"]
    middle = (len(places["noise"]) - 1) / 2
    fact = [
        Node(str(words[subject]), middle - 1.5, 0, (subject,), True),
        Node(str(words[relation]), middle + 1.5, 0, (relation,), True),
        Node(answer, middle, 1.5, (end,), True),
    ]
    noise = [Node(str(words[at]), place, 3, (at,)) for place, at in enumerate(places["noise"])]
    return Drawing([*fact, *noise], [(0, 2), (1, 2)])
