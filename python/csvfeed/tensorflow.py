"""Batches to ``tf.data``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    from csvfeed.dataset import Batch, CsvDataset

# Batches cross from Python to TensorFlow in groups, since a crossing costs as much as a training
# step on a small batch. Large batches cross alone.
GROUP_BATCHES = 64
GROUP_BYTES = 4 << 20


def to_tf(dataset: CsvDataset) -> tf.data.Dataset:
    """Return a ``tf.data.Dataset`` of the batches of ``dataset``, of known cardinality."""
    cardinality = len(dataset)
    rows, batch_size = dataset.num_rows, dataset.batch_size
    if cardinality == 0:
        why = f"its {rows} rows are dropped as a remainder" if rows else "every row is left out"
        raise ValueError(f"{dataset!r} has no batch: {why}")
    # Means that are to be found first are found here, where Ctrl-C and errors arrive as they are.
    dataset._fill.values()
    keep = not dataset._drop_remainder
    shapes = dataset._row_shapes()
    batch_bytes = 4 * batch_size * sum(math.prod(shape) for shape in shapes)
    group = max(1, min(GROUP_BATCHES, GROUP_BYTES // batch_bytes))
    # The last batch makes the batch size unknown only where it is shorter.
    is_short = keep and not dataset._is_padded and rows % batch_size
    static = None if is_short else batch_size

    def groups() -> Iterator[tuple[Any, ...]]:
        for arrays in dataset._open(0, 0, batch_size * group):
            yield from _cut(arrays, batch_size, keep=keep)

    return (
        tf.data.Dataset.from_generator(
            groups,
            output_signature=tuple(
                tf.TensorSpec((None, static, *shape), tf.float32) for shape in shapes
            ),
        )
        .prefetch(2)
        .unbatch()
        .apply(tf.data.experimental.assert_cardinality(cardinality))
        .prefetch(tf.data.AUTOTUNE)
    )


def _cut(arrays: Batch, batch_size: int, *, keep: bool) -> Iterator[tuple[Any, ...]]:
    """Cut the rows of a group into whole batches and, if ``keep``, one shorter batch."""
    rows = len(arrays[0])
    batches, rest = divmod(rows, batch_size)
    whole = rows - rest
    if batches:
        yield tuple(a[:whole].reshape(batches, batch_size, *a.shape[1:]) for a in arrays)
    if rest and keep:
        yield tuple(a[None, whole:] for a in arrays)
