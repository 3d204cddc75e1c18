# %% [markdown]
# # addition in hand
#
# A walk through the study after `snakemake --cores all addition`.  The cells run in their order,
# at any scale: `INTERPFLOW_SCALE=smoke python docs/addition.py` prints them in seconds.

# %%
import os

import numpy as np
import torch

import interpflow
from interpflow.selection import Examples

study = interpflow.study("addition", scale=os.environ.get("INTERPFLOW_SCALE", "laptop"))
print(study)

# %% [markdown]
# ## A question, and what each rule says
#
# The rules differ where a carry comes from further away than they look.

# %%
data = study.data("one_layer")
hard = data.isel(example=np.flatnonzero(data["cascade"].values == data["cascade"].values.max())[:1])
print(*data["token"].values[hard["tokens"].values[0]])
for rule in data["rule"].values:
    print(f"{rule:>10}", *hard["said"].sel(rule=rule).values[0, -6:])

# %% [markdown]
# ## What the models say of it
#
# One line a seed.

# %%
runs = study.runs("one_layer")
test, examples = runs.select(Examples(split="graded"))
weights = runs.weights("last")
deepest = int(test["cascade"].values.argmax())
tokens = examples.take(np.array([deepest])).tokens
with torch.no_grad():
    said = runs.model(weights, tokens)[:, 0, -6:].argmax(-1)
print(*test["token"].values[tokens[0].numpy()])
for seed, digits in zip(runs.seeds, said.numpy(), strict=True):
    print("seed", seed, *test["output"].values[digits])

# %% [markdown]
# ## Right by the hardest thing in a question

# %%
cascades = study.findings["cascades"].sel(experiment="one_layer").isel(step=-1)
print(cascades["accuracy"].mean("seed").to_series().round(3).to_string())

# %% [markdown]
# ## A figure of the study

# %%
study.figure("beyond")
