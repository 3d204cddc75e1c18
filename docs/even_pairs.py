# %% [markdown]
# # even_pairs in hand
#
# A walk through the study after `snakemake --cores all even_pairs`.  The cells run in their order,
# at any scale: `INTERPFLOW_SCALE=smoke python docs/even_pairs.py` prints them in seconds.

# %%
import os

import interpflow
from interpflow.selection import Examples

study = interpflow.study("even_pairs", scale=os.environ.get("INTERPFLOW_SCALE", "laptop"))
print(study)

# %% [markdown]
# ## Growth of the weights
#
# Norms of the read-out and of attention at some checkpoints.

# %%
weights = study.findings["weights"].sel(experiment="even_pairs").mean("seed")
table = weights["norm"].sel(part=["W_U", "W_Q"]).dropna("step").to_pandas()
print(table.iloc[:: max(1, len(table) // 8)].round(2).to_string())

# %% [markdown]
# ## One model, taken by hand
#
# Without positions and residual stream the logit of a string is a mean of one score a token, weighed by
# attention.

# %%
runs = study.runs("even_pairs")
data, examples = runs.select(Examples(split="train"))
last = runs.weights("last")
print("strings right:", runs.evaluate(last, examples).accuracy)
matrices = runs.labelled.isel(step=-1, seed=0, layer=0, head=0)
value = matrices["W_V"].values @ matrices["W_O"].values  # (d_model, d_model)
scores = matrices["W_E"].values @ value @ matrices["W_U"].values[:, 0]
for word, score in zip(data["token"].values, scores, strict=True):
    print(word, round(float(score), 3))

# %% [markdown]
# ## A figure of the study

# %%
study.figure("phases")
