"""A warning if each of several processes gets all rows."""

from __future__ import annotations

from csvfeed.errors import warn
from csvfeed.processes import running
from csvfeed.train.feed import Feed


def warn_if_each_gets_all(dataset: Feed, also: str = "") -> None:
    """Warn if an engine runs several processes, and no one has said what each of them reads.

    Parameters
    ----------
    dataset : Feed
        What the trainer reads.
    also : str
        Another way to say it.
    """
    if not dataset.epochs.is_whole:
        return
    try:
        processes = running()
    except ValueError:
        # The engines do not know each other's processes.
        return
    if processes is None or processes.count == 1:
        return
    warn(
        f"each of the {processes.count} processes reads all rows of {dataset!r}: ds.distribute() "
        f"gives each its part of every batch{also}. ds.distribute(0, 1) says that each is to read "
        "all rows"
    )
