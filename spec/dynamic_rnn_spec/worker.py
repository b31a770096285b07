"""`python -m dynamic_rnn_spec.worker IMPLEMENTATION`: answers cases over a pipe."""

import sys

from .wire.worker import PROTOCOL, load, main, serve

__all__ = ["PROTOCOL", "load", "main", "serve"]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
