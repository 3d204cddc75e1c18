"""Findings of many experiments become one dataset, of which a part is in memory at a time."""
