"""The site of this project: its pages, a gallery of all plots, and the studies as they were last run."""
