# %% [markdown]
# # counter_languages in hand
#
# A walk through the study after `snakemake --cores all counter_languages`.  The cells run in their order,
# at any scale: `INTERPFLOW_SCALE=smoke python docs/counter_languages.py` prints them in seconds.

# %%
import os

import numpy as np

import interpflow
from interpflow.selection import Examples

study = interpflow.study("counter_languages", scale=os.environ.get("INTERPFLOW_SCALE", "laptop"))
print(study)

# %% [markdown]
# ## A string and its depths
#
# The depth of each kind of bracket after each letter is what probes are asked for.

# %%
data = study.data("shuffle2")
first = data.isel(example=0)
length = int(first["length"])
letters = data["token"].values
print(*letters[first["tokens"].values[:length]])
for kind in data["stack"].values:
    print(f"{kind:>6}", *first["stack_depth"].sel(stack=kind).values[:length])

# %% [markdown]
# ## How many strings are right
#
# One number a seed: strings with the right letters allowed next at every position.

# %%
runs = study.runs("shuffle2")
test, examples = runs.select(Examples(split="validation"))
weights = runs.weights("best")
print("strings right:", runs.evaluate(weights, examples).accuracy)

# %% [markdown]
# ## Is the depth linear in the hidden state?
#
# A least-squares fit from the state after the layer to the depth of the whole stack, on half of the
# positions, and how much of the variance of the other half it explains, before training and after.
# The probes of the study classify; this one has to count.

# %%
at = runs.mask_of_all(test, ["scored"]).nonzero()
depths = test["stack_depth"].sel(stack="total").values[at].astype(float)
half = len(depths) // 2
for step in ("first", "best"):
    states = runs.activations(runs.weights(step), examples, "blocks.0.hook_resid_post", at)
    states = np.pad(states[0].double().numpy(), ((0, 0), (0, 1)), constant_values=1.0)
    fitted, *_ = np.linalg.lstsq(states[:half], depths[:half], rcond=None)
    left = depths[half:] - states[half:] @ fitted
    print(f"explained at the {step} checkpoint:", 1 - left.var() / depths[half:].var())

# %% [markdown]
# ## A figure of the study

# %%
study.figure("length_generalisation")
