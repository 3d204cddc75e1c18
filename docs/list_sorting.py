# %% [markdown]
# # list_sorting in hand
#
# A walk through the study after `snakemake --cores all list_sorting`.  The cells run in the order in which they
# stand, at any scale: `INTERPFLOW_SCALE=smoke python docs/list_sorting.py` prints them in seconds.

# %%
import os

import numpy as np

import interpflow
from interpflow.selection import Examples

study = interpflow.study("list_sorting", scale=os.environ.get("INTERPFLOW_SCALE", "laptop"))
print(study)

# %% [markdown]
# ## What the paper says and what came out

# %%
claims = study.claims
print(claims[["claim", "relation", "paper", "ours", "verdict"]].to_string(index=False))

# %% [markdown]
# ## How much the heads share
#
# The overlap is the share of copied numbers that more than one head copies, seed by seed.

# %%
modes = study.findings["modes"]
last = modes.sel(checkpoint="last") if "checkpoint" in modes.dims else modes
print(last["overlap"].sel(experiment="baseline").values.ravel())

# %% [markdown]
# ## The answers of a model
#
# Which numbers does the model put behind the separator of the first list, and which belong there?  The answers
# are read off the last site, by the weights of the unembedding.

# %%
runs = study.runs("baseline")
data, examples = runs.select(Examples(split="validation"))
weights = runs.weights("last")
answers = runs.mask_of_all(data, ["scored"])
of_first = np.flatnonzero(answers[0])
at = (np.zeros_like(of_first), of_first)
stream = runs.activations(weights, examples, "ln_final.hook_normalized", at)
gain, shift, bias = (weights[name][:, None] for name in ("ln_final_w", "ln_final_b", "b_U"))
logits = (stream * gain + shift) @ weights["W_U"] + bias  # (seed, n, output)
outputs = data["output"].values
print("asked:  ", *outputs[data["targets"].values[at]])
print("seed 0: ", *outputs[logits.argmax(-1)[0].numpy()])

# %% [markdown]
# ## Without a head
#
# How many lists are right if one head writes nothing?

# %%
heads = runs.model.options.heads
print("intact:", runs.evaluate(weights, examples).accuracy)
for head in range(heads):

    def silence(result, head=head):  # (seed, batch, pos, head, d_model)
        result = result.clone()
        result[..., head, :] = 0.0
        return result

    ablated = runs.evaluate(weights, examples, {"blocks.0.attn.hook_result": silence})
    print(f"without head {head}:", ablated.accuracy)

# %% [markdown]
# ## A figure with other options

# %%
study.figure("modes", labels={"baseline": "L2 in the gradient"})
