"""The transformer: its computation, its two forms of weights, its sites."""
