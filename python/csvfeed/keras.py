"""For Keras: what ``fit`` takes, a backup that knows its place in the file, normalization."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import keras

from csvfeed.adapter import CsvDatasetAdapter
from csvfeed.backup import BackupAndRestore

if TYPE_CHECKING:
    from csvfeed.dataset import CsvDataset

__all__ = ["BackupAndRestore", "normalization", "to_keras"]


def to_keras(
    dataset: CsvDataset, *, class_weight: Mapping[int, float] | None = None
) -> CsvDatasetAdapter:
    """Return what ``fit``, ``evaluate`` and ``predict`` take; see ``CsvDataset.to_keras``."""
    return CsvDatasetAdapter(dataset, class_weight)


def normalization(dataset: CsvDataset) -> keras.layers.Normalization:
    """Return a layer that normalizes the features; see ``CsvDataset.normalization``."""
    stats = dataset.stats()
    columns = [stats[name] for name in dataset.feature_names]
    for name, column in zip(dataset.feature_names, columns, strict=True):
        if not math.isfinite(column.mean) or not math.isfinite(column.std):
            raise ValueError(
                f"feature {name!r} cannot be normalized: its mean is {column.mean} and its "
                f"standard deviation {column.std}; leave it out with features=, or repair the file"
            )
    return keras.layers.Normalization(
        axis=-1,
        mean=[column.mean for column in columns],
        variance=[column.std**2 for column in columns],
    )
