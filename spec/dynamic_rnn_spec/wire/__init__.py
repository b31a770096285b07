"""Cases and outcomes as data, and what runs a case and answers with its outcome, in this process or behind a pipe."""
