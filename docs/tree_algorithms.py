# %% [markdown]
# # tree_algorithms in hand
#
# A walk through the study after `snakemake --cores all tree_algorithms`.  The cells run in their order,
# at any scale: `INTERPFLOW_SCALE=smoke python docs/tree_algorithms.py` prints them in seconds.

# %%
import os

import interpflow

study = interpflow.study("tree_algorithms", scale=os.environ.get("INTERPFLOW_SCALE", "laptop"))
print(study)

# %% [markdown]
# ## Paths right, seed by seed
#
# At the last step, for each way of training.

# %%
paths = study.findings["paths"]["overall_accuracy"].isel(step=-1)
print(paths.to_pandas().round(2).to_string())

# %% [markdown]
# ## Who climbs
#
# Attention of the root (5), of the goal's token (3) and of the path (6) to the edge to the goal, to the one
# above it, and to the edges that lead on.

# %%
climb = study.findings["climb"]["group_best_attention"].isel(step=-1).mean("seed")
for pair in climb["pair"].values:
    print(pair)
    print(climb.sel(pair=pair).to_pandas().dropna(axis="columns", how="all").round(2).to_string())

# %% [markdown]
# ## A figure of the study

# %%
study.figure("algorithms")
