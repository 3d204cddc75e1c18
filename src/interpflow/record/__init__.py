"""What came out: the scorecard, fingerprints of files, where they came from."""
