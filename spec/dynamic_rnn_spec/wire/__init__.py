"""Describes cases and outcomes as data, and answers a case with its outcome, in this process or behind a pipe."""
