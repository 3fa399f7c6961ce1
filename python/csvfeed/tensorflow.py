"""Batches to ``tf.data``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    from csvfeed.dataset import Batch, CsvDataset

GROUP_BATCHES = 64
"""Batches that cross from Python to TensorFlow together: a crossing costs as much as a small batch is worth."""

GROUP_BYTES = 4 << 20
"""Bytes that a group may have; larger batches cross alone."""


def to_tf(dataset: CsvDataset) -> tf.data.Dataset:
    """Return a ``tf.data.Dataset`` of the batches of ``dataset``, of known cardinality."""
    cardinality = len(dataset)
    if cardinality == 0:
        raise ValueError(
            f"not a single batch: {dataset!r} has {dataset.num_rows} rows and remainder='drop'"
        )
    batch_size = dataset.batch_size
    rows_per_batch = None if dataset.num_rows % batch_size and not dataset._drop_remainder else batch_size
    signature = tuple(
        tf.TensorSpec((None, rows_per_batch, *width), tf.float32) for width in _widths(dataset)
    )
    row_bytes = 4 * sum(width[0] if width else 1 for width in _widths(dataset))
    group = max(1, min(GROUP_BATCHES, GROUP_BYTES // (row_bytes * batch_size)))

    def groups() -> Iterator[tuple[Any, ...]]:
        for arrays in dataset._batches(batch_size * group):
            yield from _cut(arrays, batch_size, keep=not dataset._drop_remainder)

    data = tf.data.Dataset.from_generator(groups, output_signature=signature)
    data = data.prefetch(2).unbatch()
    return data.apply(tf.data.experimental.assert_cardinality(cardinality)).prefetch(tf.data.AUTOTUNE)


def _widths(dataset: CsvDataset) -> list[tuple[int, ...]]:
    """Shape of one row in each array of a batch."""
    targets = len(dataset.target_names)
    widths: list[tuple[int, ...]] = [(len(dataset.feature_names),)]
    if targets:
        widths.append(() if targets == 1 else (targets,))
    if dataset._options["weight"] is not None:
        widths.append(())
    return widths


def _cut(arrays: Batch, batch_size: int, *, keep: bool) -> Iterator[tuple[Any, ...]]:
    """Cut the rows of a group into whole batches and, if ``keep``, one shorter batch."""
    rows = len(arrays[0])
    batches, rest = divmod(rows, batch_size)
    if batches:
        whole = rows - rest
        yield tuple(a[:whole].reshape(batches, batch_size, *a.shape[1:]) for a in arrays)
    if rest and keep:
        yield tuple(a[rows - rest :][None] for a in arrays)
