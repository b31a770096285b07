"""Finds out what this machine has, its cores and interpreters, and runs processes side by side on it."""
