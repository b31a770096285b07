"""A run: laws on implementations, side by side, to verdicts by clause and a report."""
