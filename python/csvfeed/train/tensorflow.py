"""Batches for ``tf.data``."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from csvfeed.outputs import Arrays
from csvfeed.train.dtype import name_of
from csvfeed.train.extras import extra
from csvfeed.train.feed import Feed
from csvfeed.train.grouping import count_batches, group_size, partial_batch_size, stacks
from csvfeed.train.structure import Row, Structure, map_values

with extra():
    import tensorflow as tf

    from csvfeed.train.at_exit import Stream, expect_exit


def to_tf(dataset: Feed, *, as_dict: bool = False, dtype: Any = "float32") -> tf.data.Dataset:
    """Return a ``tf.data.Dataset`` of the batches of ``dataset``, of known cardinality."""
    dtype = name_of(dtype)
    cardinality = count_batches(dataset)
    structure = Structure(dataset, as_dict=as_dict, dtype=dtype)
    rows = group_size(dataset, structure.bytes) * dataset.epochs.batch_rows
    epochs = itertools.count(dataset.epochs.position.next[0])
    return (
        from_groups(dataset, structure, lambda: dataset.epochs.open(next(epochs), 0, rows))
        .apply(tf.data.experimental.assert_cardinality(cardinality))
        .prefetch(tf.data.AUTOTUNE)
    )


def from_groups(
    dataset: Feed,
    structure: Structure,
    groups: Callable[[], Iterable[Arrays]],
) -> tf.data.Dataset:
    """Return a ``tf.data.Dataset`` of batches that cross into TensorFlow many at a time.

    Parameters
    ----------
    dataset : Feed
        Tells the batch size, and what happens to a remainder.
    structure : Structure
        The structure of a batch.
    groups : callable
        Returns the rows of one iteration, in groups of whole batches.
    """
    expect_exit()
    batch_size = dataset.epochs.batch_rows
    keep = dataset.epochs.remainder != "drop"
    # A shorter last batch makes the batch size unknown.
    static = None if partial_batch_size(dataset) else batch_size

    def spec(row: Row) -> tf.TensorSpec:
        return tf.TensorSpec((None, static, *row.shape), tf.as_dtype(row.dtype))

    def cut() -> Iterator[tuple[Any, ...]]:
        whole = stacks(groups(), batch_size, keep=keep)
        return Stream(whole if structure.is_plain else map(structure.cut, whole))

    signature = tuple(map_values(spec, part) for part in structure.rows)
    return tf.data.Dataset.from_generator(cut, output_signature=signature).prefetch(2).unbatch()
