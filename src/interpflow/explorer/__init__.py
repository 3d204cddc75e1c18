"""The page to look through a study: its findings, and what goes on inside its models on a few examples."""
