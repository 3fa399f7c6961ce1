"""``python -m csvfeed``: the same as the ``csvfeed`` command."""

import sys

from csvfeed.cli import main

if __name__ == "__main__":
    sys.exit(main())
