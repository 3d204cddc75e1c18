"""What a paper in LaTeX takes from a study: numbers, tables, captions and figures."""
