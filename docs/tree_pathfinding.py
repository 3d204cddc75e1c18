# %% [markdown]
# # tree_pathfinding in hand
#
# A walk through the study after `snakemake --cores all tree_pathfinding`.  The cells run in their order,
# at any scale: `INTERPFLOW_SCALE=smoke python docs/tree_pathfinding.py` prints them in seconds.

# %%
import os

import numpy as np
import torch

import interpflow
from interpflow.selection import Examples

study = interpflow.study("tree_pathfinding", scale=os.environ.get("INTERPFLOW_SCALE", "laptop"))
print(study)

# %% [markdown]
# ## A tree as the model reads it, and the path that it writes
#
# The edges, the goal and the root stand before the path; the model goes on from its own predictions.

# %%
runs = study.runs("nodes8")
data, examples = runs.select(Examples(split="test"))
weights = runs.weights("last")
words, outputs = data["token"].values, data["output"].values
asked = runs.mask_of_all(data, ["scored"])[0].nonzero()[0]
tokens = examples.take(np.array([0])).tokens  # (1, position)
print("given:", *words[tokens[0, : asked[0] + 1].numpy()])
print("asked:", *outputs[data["targets"].values[0, asked]])
with torch.no_grad():
    said = runs.model(weights, tokens)[0, 0, asked].argmax(-1)
print("said: ", *outputs[said.numpy()])

# %% [markdown]
# ## Backward or forward?
#
# Attention of root and path in the second layer, seed by seed: to the edge of the goal and those above
# it, and to the edges that lead on from where they are.

# %%
for name in ("climb", "descent"):
    found = study.findings[name].sel(experiment="nodes8", head=0)
    found = found.sel(step=int(runs.labelled["step"][-1]))
    for pair in found["pair"].values[:3]:
        print(f"{pair}:", *found["attention"].sel(pair=pair, layer=1).values.round(2))

# %% [markdown]
# ## Without the token of the goal
#
# What is left if its embedding is the mean over the goals of all trees?

# %%
(place,) = {*runs.mask_of_all(data, ["goal"]).nonzero()[1]}  # the same in every tree


def hide(embedded):  # (seed, batch, pos, d_model)
    embedded = embedded.clone()
    embedded[..., place, :] = embedded[..., place, :].mean(1, keepdim=True)
    return embedded


_, few = runs.select(Examples(split="few"))
print("intact:", runs.evaluate(weights, few).accuracy)
print("hidden:", runs.evaluate(weights, few, {"hook_embed": hide}).accuracy)

# %% [markdown]
# ## A figure of the study

# %%
study.figure("accuracy")
