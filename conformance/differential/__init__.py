"""Compares two implementations on the same generated cases, with or without gradients, and under many schedules."""
