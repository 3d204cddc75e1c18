"""What a spec says: read, checked, merged and resolved to a study."""
