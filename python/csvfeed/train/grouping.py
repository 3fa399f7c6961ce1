"""Batches in groups, for trainers to which one crossing costs as much as a training step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from csvfeed.outputs import Arrays
from csvfeed.train.feed import Feed

# A crossing into TensorFlow costs as much as a training step on a small batch; large batches cross
# alone.
GROUP_BATCHES = 64
GROUP_BYTES = 4 << 20


def count_batches(dataset: Feed) -> int:
    """Return the number of batches in an epoch.

    It also finds the means to fill with, because from here an error or Ctrl-C reaches the user
    unchanged.

    Raises
    ------
    ValueError
        If the dataset has no batch.
    """
    count = len(dataset)
    dataset.epochs.find_means()
    if count == 0:
        rows = dataset.num_rows
        windows = dataset.epochs.order.windows
        is_of_rows = windows is None
        why = (
            "every row is left out"
            if windows is None
            else f"no window fits into rows that are neighbours{windows.advice}"
        )
        if rows:
            what = "rows" if is_of_rows else "windows"
            why = f"its {rows} {what} are dropped as a remainder"
        raise ValueError(f"{dataset!r} has no batch: {why}")
    return count


def partial_batch_size(dataset: Feed) -> int:
    """Return the number of rows in a shorter last batch, or 0."""
    return dataset.num_rows % dataset.batch_size if dataset.epochs.remainder == "keep" else 0


def group_size(dataset: Feed, row_bytes: int) -> int:
    """Return how many batches form a group, given the bytes of a row in all arrays."""
    return max(1, min(GROUP_BATCHES, GROUP_BYTES // (dataset.epochs.batch_rows * row_bytes)))


def stacks(groups: Iterable[Arrays], batch_size: int, *, keep: bool) -> Iterator[Arrays]:
    """Give the rows of each group a leading axis of whole batches.

    Rows left over at the end are a stack of one shorter batch if ``keep``, and dropped otherwise.
    """
    for arrays in groups:
        rows = len(arrays[0])
        batches, rest = divmod(rows, batch_size)
        whole = rows - rest
        if batches:
            yield tuple(a[:whole].reshape(batches, batch_size, *a.shape[1:]) for a in arrays)
        if rest and keep:
            yield tuple(a[None, whole:] for a in arrays)
