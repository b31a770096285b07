"""`python -m conformance`: hands over to the command line; it knows nothing itself."""

import sys

from conformance.cli import main

if __name__ == "__main__":
    sys.exit(main())
