"""For Keras: what ``fit`` takes, a backup that knows its place in the file, normalization."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from csvfeed.extras import extra

with extra():
    import keras

    from csvfeed.adapter import CsvDatasetAdapter
    from csvfeed.backup import BackupAndRestore

if TYPE_CHECKING:
    from csvfeed.dataset import CsvDataset

__all__ = ["BackupAndRestore", "normalization", "to_keras"]


def to_keras(
    dataset: CsvDataset,
    *,
    class_weight: Mapping[int, float] | Mapping[str, float] | None = None,
    as_dict: bool = False,
) -> CsvDatasetAdapter:
    """Return what ``fit``, ``evaluate`` and ``predict`` take; see ``CsvDataset.to_keras``."""
    return CsvDatasetAdapter(dataset, class_weight, as_dict=as_dict)


def normalization(dataset: CsvDataset) -> keras.layers.Normalization:
    """Return a layer that normalizes the features; see ``CsvDataset.normalization``."""
    features = len(dataset.feature_names)
    columns = dataset._stats.columns[:features]
    # The code of a category is no amount.
    kinds = dataset._reader.kinds[:features]
    scales = [
        (0.0, 1.0) if kind == "category" else (column.mean, column.std**2)
        for kind, column in zip(kinds, columns, strict=True)
    ]
    for name, column, scale in zip(dataset.feature_names, columns, scales, strict=True):
        if not all(map(math.isfinite, scale)):
            raise ValueError(
                f"feature {name!r} cannot be normalized: its mean is {column.mean} and its "
                f"standard deviation {column.std}; leave it out with features=, or repair the file"
            )
    return keras.layers.Normalization(
        axis=-1,
        mean=[mean for mean, _ in scales],
        variance=[variance for _, variance in scales],
    )
