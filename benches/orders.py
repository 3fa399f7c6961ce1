"""The orders in which different shuffles hand out the rows of a file, and how random these are.

A file's label says little about an order, its row numbers say all: each way of shuffling gives the
number of the row that comes at each place. The buffers of tf.data and of Hugging Face's datasets
are given as many rows as would fit into ``memory`` if a row took no more than its float32 values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from files import DATA, format_rows, write

import csvfeed

FEATURES = 10
BATCH_SIZE = 250
# float32 holds whole numbers up to 2**24 exactly.
MOST_ROWS = 1 << 24
CHUNK_ROWS = 10_000
ROW_BYTES = 4 * (1 + FEATURES + 1)


@dataclass(frozen=True)
class SortedFile:
    """A file sorted by its label, and its content.

    Attributes
    ----------
    path : pathlib.Path
        The columns are the number of the row, the features and the label.
    X : numpy.ndarray
        The features, float32 of shape (rows, FEATURES).
    y : numpy.ndarray
        The label, 0 or 1, float32 of shape (rows,).
    """

    path: Path
    X: np.ndarray
    y: np.ndarray

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.y)

    def dataset(self, memory: int | None = None) -> csvfeed.CsvDataset:
        """Return the dataset of all columns."""
        return csvfeed.CsvDataset(self.path, target="label", batch_size=BATCH_SIZE, memory=memory)


def sorted_file(rows: int) -> SortedFile:
    """Return the file of so many rows, written unless it is there.

    Half of the labels are 1. They depend on the features in a bent way, with noise.
    """
    if rows > MOST_ROWS:
        raise ValueError(f"row numbers above {MOST_ROWS:,} have no float32 of their own")
    path = DATA / f"sorted-{rows}.csv"
    rng = np.random.default_rng(4)
    X = rng.normal(size=(rows, FEATURES)).round(6).astype(np.float32)
    bent = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + X[:, 3:6].sum(axis=1)
    score = bent + rng.logistic(size=rows)
    y = (score > np.median(score)).astype(np.float32)
    order = np.argsort(y, kind="stable")
    X, y = X[order], y[order]
    if not path.exists():

        def text() -> Iterator[bytes]:
            names = ["row", *(f"f{number}" for number in range(1, FEATURES + 1)), "label"]
            yield (",".join(names) + "\n").encode()
            for start in range(0, rows, CHUNK_ROWS):
                stop = min(start + CHUNK_ROWS, rows)
                table = np.column_stack([np.arange(start, stop), X[start:stop], y[start:stop]])
                yield format_rows(["%d", *["%.6f"] * FEATURES, "%d"], table)

        write(path, text())
    return SortedFile(path, X, y)


Order = Callable[[int], np.ndarray]


def orders(file: SortedFile, memory: int, seed: int) -> dict[str, Order]:
    """Return the ways of shuffling: functions from the number of an epoch to its order.

    Returns
    -------
    dict of callables
        By the keys of `LABELS`.
    """
    rows = file.rows
    buffer = memory // ROW_BYTES
    dataset = file.dataset(memory).shuffle(seed=seed)

    def full(epoch: int) -> np.ndarray:
        return np.random.default_rng([seed, epoch]).permutation(rows)

    def ours(_epoch: int) -> np.ndarray:
        # Each iteration is the next epoch.
        return np.concatenate([X[:, 0] for X, _ in dataset]).astype(np.int64)

    def tf_buffer(epoch: int) -> np.ndarray:
        import tensorflow as tf

        numbers = tf.data.Dataset.range(rows).shuffle(buffer, seed=1000 * seed + epoch)
        return np.concatenate(list(numbers.batch(CHUNK_ROWS).as_numpy_iterator()))

    def hf_buffer(epoch: int) -> np.ndarray:
        from datasets import IterableDataset

        # One CSV file is one shard, so that there is no order of shards to shuffle.
        numbers = IterableDataset.from_generator(lambda: ({"row": row} for row in range(rows)))
        shuffled = numbers.shuffle(seed=1000 * seed + epoch, buffer_size=buffer)
        return np.fromiter((example["row"] for example in shuffled), np.int64, rows)

    def unshuffled(_epoch: int) -> np.ndarray:
        return np.arange(rows)

    return dict(zip(LABELS, (full, ours, tf_buffer, hf_buffer, unshuffled), strict=True))


LABELS = {
    "full": "full permutation in memory",
    "csvfeed": "csvfeed shuffle",
    "tf.data": "tf.data shuffle buffer",
    "datasets": "Hugging Face shuffle buffer",
    "unshuffled": "unshuffled",
}


def randomness(order: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Say how random an order is.

    Returns
    -------
    dict of float
        ``correlation`` of the position of a row before and after; ``neighbours``, the share of
        rows i and i + 1 that come within one batch of each other; ``reach``, how far over the file
        the rows of a batch are spread (the mean of their standard deviations), 1 being as far as
        in a full permutation; ``label_spread``, the standard deviation from batch to batch of the
        share of rows of label 1.
    """
    if not np.array_equal(np.sort(order), np.arange(len(order))):
        raise ValueError("an order has each row once")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    batches = order[: len(order) // BATCH_SIZE * BATCH_SIZE].reshape(-1, BATCH_SIZE)
    uniform = len(order) / np.sqrt(12)
    return {
        "correlation": float(np.corrcoef(np.arange(len(order)), place)[0, 1]),
        "neighbours": float(np.mean(np.abs(np.diff(place)) < BATCH_SIZE)),
        "reach": float(batches.std(axis=1, ddof=1).mean() / uniform),
        "label_spread": float(y[batches].mean(axis=1).std()),
    }
