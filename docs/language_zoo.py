# %% [markdown]
# # language_zoo in hand
#
# A walk through the study after `snakemake --cores all language_zoo`.  The cells run in their order,
# at any scale: `INTERPFLOW_SCALE=smoke python docs/language_zoo.py` prints them in seconds.

# %%
import os

import numpy as np

import interpflow
from interpflow.selection import Examples

study = interpflow.study("language_zoo", scale=os.environ.get("INTERPFLOW_SCALE", "laptop"))
print(study)

# %% [markdown]
# ## Strings of D_2, and what may come next
#
# Which letters may follow each letter, as the task says it.

# %%
name = "dn_language_d_2_strings_authors_begin_true_positions_none_layers_1"
data = study.data(name)
letters, outputs = data["token"].values, data["output"].values
for example in range(3):
    length = int(data["length"].values[example])
    print("".join(letters[data["tokens"].values[example, :length]]))
    allowed = data["targets"].values[example, :length] > 0
    print(*("".join(outputs[row]) or "-" for row in allowed))

# %% [markdown]
# ## How many different strings there are
#
# Of the training strings of each experiment.

# %%
for experiment in study.findings["windows"]["experiment"].values:
    strings = study.data(experiment)
    training = strings["tokens"].values[strings["split"].values == "train"]
    print(f"{experiment}: {len(np.unique(training, axis=0))} of {len(training)}")

# %% [markdown]
# ## Strings right, by length

# %%
runs = study.runs(name)
for split in np.unique(data["split"].values):
    _, examples = runs.select(Examples(split=split))
    print(split, runs.evaluate(runs.weights("last"), examples).accuracy)

# %% [markdown]
# ## A figure of the study

# %%
study.figure("windows")
