"""The drop-in for the generator of the textbook."""

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
    """Yield batches of a CSV file, over and over again.

    Rows left over at the end of the file begin the next batch, so that each has the same size. A
    header is recognised and skipped; the last column is the target.

    For ``model.fit(generator, steps_per_epoch=n)``, which needs n as an int:
    ``len(csvfeed.CsvDataset(path, batch_size=batchsize))`` is one pass. For validation data use
    ``CsvDataset(path).to_keras()``: Keras begins each validation of a generator with the two
    batches it saw first.

    Parameters
    ----------
    path : str or os.PathLike
        A file of two columns or more.
    batchsize : int
        Rows in a batch, at least 1.

    Yields
    ------
    X : numpy.ndarray
        Float32 of shape (batchsize,) if the file has two columns, else (batchsize, columns - 1).
    y : numpy.ndarray
        The last column, float32 of shape (batchsize,).

    Raises
    ------
    CsvError
        When the file, or a row of it, is not as it should be; see ``CsvDataset``.
    OSError
        When the file cannot be opened.
    """
    dataset = CsvDataset(path, batch_size=batchsize)
    flat = len(dataset.columns) == 2
    for X, y in dataset.epochs.endless():
        yield (X.reshape(-1) if flat else X), y
