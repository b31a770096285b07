"""Names the exit statuses that every command shares."""

HOLDS, BROKEN, FAILED = 0, 1, 2
"""What was asked for holds, or does not; or the command itself failed, and nothing is known."""
