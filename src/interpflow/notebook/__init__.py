"""A study's results in hand, for notebooks and scripts: what `interpflow.study` gives."""
