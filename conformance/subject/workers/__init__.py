"""Workers that answer cases in a process and a Python of their own; nothing here is imported by the suite."""
