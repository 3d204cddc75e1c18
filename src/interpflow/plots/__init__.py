"""Plots: one file each, named as specs name it.  `base` is the contract."""
