"""A drop-in replacement for the generator in the Keras documentation."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from csvfeed.dataset import CsvDataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def generate_arrays_from_file(
    path: str | os.PathLike[str], batchsize: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Yield batches of a CSV file without end.

    Rows left over at the end of the file begin the next batch, so that all batches have the same
    size. csvfeed detects and skips a header. The last column is the target.

    Use it as ``model.fit(generator, steps_per_epoch=n)``, where n for one pass is
    ``len(csvfeed.CsvDataset(path, batch_size=batchsize))``. For validation data use
    ``CsvDataset(path).to_keras()``, because Keras begins each validation of a generator with the
    first two batches it saw.

    A generator is for one thread at a time: threads that share the batches share an iterator of a
    ``CsvDataset`` instead.

    Parameters
    ----------
    path : str or os.PathLike
        A file with at least two columns.
    batchsize : int
        Rows in a batch, at least 1.

    Yields
    ------
    X : numpy.ndarray
        float32 of shape (batchsize,) if the file has two columns, else (batchsize, columns - 1).
    y : numpy.ndarray
        The last column: float32 of shape (batchsize,).

    Raises
    ------
    CsvError
        If a row is bad, or the file has no rows; see ``CsvDataset``.
    OSError
        If the file cannot be opened.
    """
    dataset = CsvDataset(path, batch_size=batchsize)
    flat = len(dataset.columns) == 2
    for X, y in dataset.epochs.endless():
        yield (X.reshape(-1) if flat else X), y
