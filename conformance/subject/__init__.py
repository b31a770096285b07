"""Finds an implementation by its name and opens it, in this process or behind a worker."""
