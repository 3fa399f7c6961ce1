"""``python -m csvfeed``: the same as the ``csvfeed`` command."""

from csvfeed.command import run

if __name__ == "__main__":
    run()
