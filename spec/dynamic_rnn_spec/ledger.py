"""`python -m dynamic_rnn_spec.ledger PAGE`: compares a copy of the page with the ledger of its sentences."""

import sys

from dynamic_rnn_spec.page.ledger import main

if __name__ == "__main__":
    sys.exit(main())
