"""`python -m dynamic_rnn_spec.clauses [--markdown]`: counts the clauses, or prints their table."""

import sys

from dynamic_rnn_spec.page.table import main

if __name__ == "__main__":
    sys.exit(main())
