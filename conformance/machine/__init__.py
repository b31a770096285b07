"""What this machine has: cores, interpreters, and processes that run side by side."""
