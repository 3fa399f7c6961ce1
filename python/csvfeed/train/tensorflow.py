"""Batches for ``tf.data``."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from csvfeed.train.by_name import NamedFeatures
from csvfeed.train.extras import extra
from csvfeed.train.feed import Batch, Feed
from csvfeed.train.grouping import count_batches, group_size, partial_batch_size, stacks

with extra():
    import tensorflow as tf

    from csvfeed.train.at_exit import Stream


def to_tf(dataset: Feed, *, as_dict: bool = False) -> tf.data.Dataset:
    """Return a ``tf.data.Dataset`` of the batches of ``dataset``, of known cardinality."""
    named = NamedFeatures(dataset) if as_dict else None
    cardinality = count_batches(dataset)
    shapes = dataset.epochs.row_shapes
    rows = group_size(dataset, shapes) * dataset.epochs.batch_rows
    epochs = itertools.count(dataset.epochs.position.next[0])
    return (
        from_groups(dataset, shapes, lambda: dataset.epochs.open(next(epochs), 0, rows), named)
        .apply(tf.data.experimental.assert_cardinality(cardinality))
        .prefetch(tf.data.AUTOTUNE)
    )


def from_groups(
    dataset: Feed,
    shapes: list[tuple[int, ...]],
    groups: Callable[[], Iterable[Batch]],
    named: NamedFeatures | None = None,
) -> tf.data.Dataset:
    """Return a ``tf.data.Dataset`` of batches that cross into TensorFlow many at a time.

    Parameters
    ----------
    dataset : Feed
        Tells the batch size, and what happens to a remainder.
    shapes : list of tuple
        Shape of one row in each array.
    groups : callable
        Returns the rows of one iteration, in groups of whole batches.
    named : NamedFeatures, optional
        Turns the features into a dict.
    """
    batch_size = dataset.epochs.batch_rows
    keep = dataset.epochs.remainder != "drop"
    # A shorter last batch makes the batch size unknown.
    static = None if partial_batch_size(dataset) else batch_size
    spec = [tf.TensorSpec((None, static, *shape), tf.float32) for shape in shapes]

    def cut() -> Iterator[tuple[Any, ...]]:
        whole = stacks(groups(), batch_size, keep=keep)
        return Stream(whole if named is None else map(named.cut, whole))

    if named is not None:
        spec[0] = {
            name: tf.TensorSpec((None, static, *shapes[0][:-1], 1), tf.as_dtype(dtype))
            for name, dtype in named.dtypes.items()
        }
    return tf.data.Dataset.from_generator(cut, output_signature=tuple(spec)).prefetch(2).unbatch()
