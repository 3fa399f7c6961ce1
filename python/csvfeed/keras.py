"""For Keras: the adapter that ``fit`` takes, a backup of a training run, and normalization."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from csvfeed.train.dtype import name_of
from csvfeed.train.extras import extra
from csvfeed.train.feed import ClassWeight, Feed

with extra():
    import keras

    from csvfeed.train.backup import BackupAndRestore
    from csvfeed.train.keras_internals import DIFFERENCE

__all__ = ["BackupAndRestore", "normalization", "to_keras"]

LARGEST = float(np.finfo(np.float32).max)


def to_keras(
    dataset: Feed,
    *,
    class_weight: ClassWeight | None = None,
    as_dict: bool = False,
    dtype: Any = "float32",
) -> Any:
    """Return what Keras takes; see ``CsvDataset.to_keras``."""
    name = name_of(dtype)
    if DIFFERENCE is not None:
        from csvfeed.train.public_way import public_data

        return public_data(dataset, class_weight, as_dict=as_dict, dtype=name)
    from csvfeed.train.adapter import CsvDatasetAdapter

    return CsvDatasetAdapter(dataset, class_weight, as_dict=as_dict, dtype=name)


def normalization(dataset: Feed) -> keras.layers.Normalization:
    """Return a layer that normalizes the features; see ``CsvDataset.normalization``."""
    features = len(dataset.feature_names)
    columns = dataset.epochs.stats.columns[:features]
    # The code of a category is not an amount.
    scales = [
        (0.0, 1.0) if kind in ("category", "multi_hot") else (column.mean, column.std**2)
        for kind, column in zip(dataset.feature_types, columns, strict=True)
    ]
    for name, column, scale in zip(dataset.feature_names, columns, scales, strict=True):
        # The layer stores float32, and an infinite variance would make every value 0.
        if not all(math.isfinite(number) and abs(number) < LARGEST for number in scale):
            raise ValueError(
                f"feature {name!r} cannot be normalized: its mean is {column.mean} and its "
                f"standard deviation {column.std}; leave it out with features=, or repair the file"
            )
    layer = keras.layers.Normalization(
        axis=-1,
        mean=[mean for mean, _ in scales],
        variance=[variance for _, variance in scales],
        # Under mixed_float16 a feature above 65,504 would be infinite before it is scaled.
        dtype="float32",
    )
    # Otherwise Keras would build it in the first step of a model without an Input, and fail.
    layer.build((None, features))
    return layer
