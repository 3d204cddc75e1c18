"""Two runs, scales, revisions or specs of a study beside each other."""
