"""Weights of rows by their class."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from csvfeed.train.feed import Batch, Feed

# How many names of classes an error lists.
_SHOWN = 20


class ClassWeights:
    """A weight for each class; 1.0 for classes without one.

    Parameters
    ----------
    dataset : Feed
        Where the rows come from. It needs a target.
    class_weight : mapping of int or str to float
        Weights of at least 0, by number of the class. By name, too, for a target of categories.

    Raises
    ------
    ValueError
        If the dataset has no target, a weight is not valid, or a class does not exist.
    """

    def __init__(self, dataset: Feed, class_weight: Mapping[Any, float]) -> None:
        if not dataset.target_names:
            raise ValueError("class_weight goes by the target, and the dataset has target=None")
        if not isinstance(class_weight, Mapping) or not class_weight:
            raise ValueError(
                f"class_weight maps classes to weights, as in {{0: 1.0, 1: 5.0}}, "
                f"not {class_weight!r}"
            )
        weights: dict[int, float] = {}
        numbers = _numbers(dataset, list(class_weight))
        for number, (label, value) in zip(numbers, class_weight.items(), strict=True):
            if number in weights:
                raise ValueError(f"class_weight has two weights for class {number}")
            weights[number] = _weight(label, value)
        self._labels = np.array(sorted(weights), np.float64)
        self._weights = np.array([weights[label] for label in sorted(weights)], np.float32)

    def add_to(self, arrays: Batch) -> Batch:
        """Return ``(X, y, w)``, with w of shape (B,). An existing w is multiplied."""
        X, y, *weight = arrays
        # The rule of Keras for class_weight= with arrays.
        classes = np.rint(y) if y.ndim == 1 else y.argmax(axis=1)
        at = np.minimum(np.searchsorted(self._labels, classes), len(self._labels) - 1)
        w = np.where(self._labels[at] == classes, self._weights[at], np.float32(1))
        return (X, y, w * weight[0] if weight else w)


def _numbers(dataset: Feed, labels: list[Any]) -> list[int]:
    """Return the numbers of classes given by number or by name."""
    names: list[str] = []
    if any(isinstance(label, str) for label in labels):
        names = _names(dataset)
    count = dataset.num_classes if dataset.has_classes and len(dataset.target_names) == 1 else None
    numbers = []
    for label in labels:
        if isinstance(label, str) and label not in names:
            shown = ", ".join(map(repr, names[:_SHOWN])) + (", ..." if names[_SHOWN:] else "")
            raise ValueError(f"class_weight names the class {label!r}, but the classes are {shown}")
        number = names.index(label) if isinstance(label, str) else _whole(label)
        if isinstance(count, int) and not 0 <= number < count:
            raise ValueError(
                f"class_weight names class {number}, but there are {count}, numbered from 0"
            )
        numbers.append(number)
    return numbers


def _names(dataset: Feed) -> list[str]:
    """Return the names of the classes of the only target."""
    if len(dataset.target_names) > 1:
        raise ValueError(
            "class_weight by the names of classes needs a single target, and the dataset has "
            f"{len(dataset.target_names)}: give the positions of the targets"
        )
    # Raises if the classes of the target have no names.
    classes = dataset.classes
    return classes if isinstance(classes, list) else []


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
