"""The page of a scale: figures, scorecards and what they rest on."""
