"""The tasks: what a model is trained on.

One file each; its name is the task's name in a spec, and `base.py` says what it holds.
"""
