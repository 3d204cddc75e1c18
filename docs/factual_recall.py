# %% [markdown]
# # factual_recall in hand
#
# A walk through the study after `snakemake --cores all factual_recall`.  The cells run in their order,
# at any scale: `INTERPFLOW_SCALE=smoke python docs/factual_recall.py` prints them in seconds.

# %%
import os

import numpy as np
import torch

import interpflow
from interpflow.selection import Examples

study = interpflow.study("factual_recall", scale=os.environ.get("INTERPFLOW_SCALE", "laptop"))
print(study)

# %% [markdown]
# ## A question and its answer
#
# A subject and a relation among noise words; the answer is asked for at the end.

# %%
runs = study.runs("structured")
data, examples = runs.select(Examples(split="validation"))
words, outputs = data["token"].values, data["output"].values
asked = runs.mask_of_all(data, ["scored"])[0].nonzero()[0]
tokens = examples.take(np.array([0])).tokens
print(*words[tokens[0].numpy()], "->", *outputs[data["targets"].values[0, asked]])

# %% [markdown]
# ## What the models answer on the way
#
# The most probable answer at each checkpoint, one column a seed.

# %%
for step in runs.labelled["step"].values[::4]:
    with torch.no_grad():
        said = runs.model(runs.weights_at(int(step)), tokens)[:, 0, asked].argmax(-1)
    print(int(step), *outputs[said.numpy().ravel()])

# %% [markdown]
# ## A figure of the study

# %%
study.figure("plateau")
