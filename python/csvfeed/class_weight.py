"""Weights of rows by the class that they belong to."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from csvfeed.dataset import Batch, CsvDataset


class ClassWeights:
    """A weight for each class, 1.0 for those that are not named.

    Parameters
    ----------
    dataset : CsvDataset
        Where the rows are from; it needs a target.
    class_weight : mapping of int to float
        Weights of at least 0.

    Raises
    ------
    ValueError
        If the dataset has no target, a class is no whole number or a weight is not one.
    """

    def __init__(self, dataset: CsvDataset, class_weight: Mapping[int, float]) -> None:
        if not dataset.target_names:
            raise ValueError("class_weight goes by the target, and the dataset has target=None")
        if not isinstance(class_weight, Mapping) or not class_weight:
            raise ValueError(
                f"class_weight maps classes to weights, as in {{0: 1.0, 1: 5.0}}, "
                f"not {class_weight!r}"
            )
        weights = {_whole(label): _weight(label, value) for label, value in class_weight.items()}
        self._labels = np.array(sorted(weights), np.float64)
        self._weights = np.array([weights[label] for label in sorted(weights)], np.float32)

    def add_to(self, arrays: Batch) -> Batch:
        """Return ``(X, y, w)``: w, of shape (B,), is multiplied if it is there."""
        X, y, *weight = arrays
        # The classes that Keras takes for class_weight= beside arrays.
        classes = np.rint(y) if y.ndim == 1 else y.argmax(axis=1)
        at = np.minimum(np.searchsorted(self._labels, classes), len(self._labels) - 1)
        w = np.where(self._labels[at] == classes, self._weights[at], np.float32(1))
        return (X, y, w * weight[0] if weight else w)


def _whole(label: object) -> int:
    try:
        number = operator.index(label)  # type: ignore[arg-type]
    except TypeError:
        number = int(label) if isinstance(label, float) and label.is_integer() else None  # type: ignore[assignment]
    if number is None or isinstance(label, bool):
        raise ValueError(f"a class of class_weight is a whole number, not {label!r}")
    return number


def _weight(label: object, value: object) -> float:
    try:
        weight = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        weight = math.nan
    if not 0 <= weight < math.inf:
        raise ValueError(f"class_weight of {label!r} is a number of at least 0, not {value!r}")
    return weight
