"""Runs laws on implementations side by side, and makes verdicts by clause and a report of the results."""
