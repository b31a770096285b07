"""Lists the commands by name, each with its help and the class that holds its options and does its work."""

COMMANDS = {
    "run": ("run:Run", "run the suite on implementations and write the report"),
    "replay": ("replay:Replay", "one counterexample again, expected and got side by side"),
    "clauses": ("clauses:Clauses", "the clauses, or some of them whole"),
    "mutants": ("mutants:Mutants", "the suite's own proof: which planted defects it catches, by clause"),
    "vectors": ("vectors:Vectors", "the outcomes recorded from TensorFlow 1.4.1"),
    "differential": ("differential:Differential", "two implementations on thousands of generated cases"),
    "gradients": ("differential:Gradients", "the gradients of two implementations on generated cases"),
    "schedules": ("differential:Schedules", "cases heavy with concurrency, each under many schedules"),
    "device": ("device:Device", "the suite in stages with time limits, as one JSON file of evidence"),
    "validate": ("validate:Validate", "see whether a report is whole and agrees with itself"),
}
"""For each command the frozen dataclass of its options, whose ``perform()`` gives the exit status, and its help."""
