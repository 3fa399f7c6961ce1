"""Weights of rows by their class."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from csvfeed.errors import warn
from csvfeed.outputs import Array
from csvfeed.train.feed import Feed

# How many names of classes an error lists.
_SHOWN = 20


class ClassWeights:
    """A weight for each class; 1.0 for classes without one.

    Parameters
    ----------
    dataset : Feed
        Where the rows come from. It needs a target.
    class_weight : mapping of int or str to float
        Weights of at least 0, by number of the class. By name, too, for a target of categories. If
        y is a dict, a dict of such mappings by output.

    Raises
    ------
    ValueError
        If the dataset has no target, a weight is not valid, or a class or an output does not exist.
    """

    def __init__(self, dataset: Feed, class_weight: Mapping[Any, Any]) -> None:
        if not dataset.target_names:
            raise ValueError("class_weight goes by the target, and the dataset has target=None")
        if not isinstance(class_weight, Mapping) or not class_weight:
            raise ValueError(
                f"class_weight maps classes to weights, as in {{0: 1.0, 1: 5.0}}, "
                f"not {class_weight!r}"
            )
        self._is_single = len(dataset.target_names) == 1
        # Rows until the end of the first epoch.
        self._rows_left = dataset.num_rows
        outputs = dataset.epochs.outputs
        self._names = None if outputs is None else outputs.names
        if outputs is None or self._names is None:
            self._whole = _Weights(dataset, class_weight, range(len(dataset.target_names)))
            self._all = [self._whole]
            return
        self._by_output = {}
        for name, weights in class_weight.items():
            if name not in self._names or not isinstance(weights, Mapping):
                raise ValueError(
                    f"class_weight goes by the outputs of target=, which are "
                    f"{', '.join(map(repr, self._names))}, as in "
                    f"class_weight={{{self._names[-1]!r}: {{0: 1.0, 1: 5.0}}}}, "
                    f"not {class_weight!r}"
                )
            columns = outputs.columns_of(self._names.index(name))
            self._by_output[name] = _Weights(dataset, weights, columns)
        self._all = [*self._by_output.values()]

    def of(self, y: Array, weights: Any = None) -> Any:
        """Return the weights of rows by their class, for targets as the core read them.

        Parameters
        ----------
        y : numpy.ndarray
            All targets, of shape (..., T), or (...,) if there is one.
        weights : numpy.ndarray or dict, optional
            The other weights of the rows, as a batch has them. They are multiplied.
        """
        targets = y[..., None] if self._is_single else y
        if self._rows_left > 0:
            self._look(targets)
        if self._names is None:
            of_class = self._whole.of(targets)
            return of_class if weights is None else of_class * weights
        if weights is None:
            # Keras wants weights for each output.
            weights = dict.fromkeys(self._names, np.ones(targets.shape[:-1], np.float32))
        own = {name: by_class.of(targets) for name, by_class in self._by_output.items()}
        return {name: own[name] * w if name in own else w for name, w in weights.items()}

    def _look(self, targets: Array) -> None:
        """Warn if an epoch has no row of a class that has a weight."""
        self._rows_left -= targets[..., 0].size
        for weights in self._all:
            weights.look(targets)
        if self._rows_left <= 0:
            for weights in self._all:
                weights.warn()


class _Weights:
    """The weights of the classes of one output.

    Parameters
    ----------
    dataset : Feed
        Knows the classes.
    class_weight : mapping of int or str to float
        The weights.
    places : range
        The places of the output's columns among the targets.
    """

    def __init__(self, dataset: Feed, class_weight: Mapping[Any, Any], places: range) -> None:
        if any(isinstance(value, Mapping) for value in class_weight.values()):
            raise ValueError(
                f"class_weight={class_weight!r} goes by outputs, and target= names none: "
                'target={"output": "column"} does'
            )
        self._places = places
        weights: dict[int, float] = {}
        numbers = _numbers(dataset, list(class_weight), places)
        for number, (label, value) in zip(numbers, class_weight.items(), strict=True):
            if number in weights:
                raise ValueError(f"class_weight has two weights for class {number}")
            weights[number] = _weight(label, value)
        self._labels = np.array(sorted(weights), np.float64)
        self._is_seen = np.zeros(len(weights), bool)
        self._targets = [dataset.target_names[place] for place in places]
        self._weights = np.array([weights[label] for label in sorted(weights)], np.float32)

    def of(self, targets: Array) -> Array:
        """Return the weights of rows, of shape (...,), for targets of shape (..., T)."""
        at, has_weight = self._find(targets)
        return np.where(has_weight, self._weights[at], np.float32(1))

    def _find(self, targets: Array) -> tuple[Any, Any]:
        """Return the place among the labels of each row, and whether that is its class."""
        own = targets[..., self._places.start : self._places.stop]
        # The rule of Keras for class_weight= with arrays.
        classes = np.rint(own[..., 0]) if len(self._places) == 1 else own.argmax(axis=-1)
        at = np.minimum(np.searchsorted(self._labels, classes), len(self._labels) - 1)
        return at, self._labels[at] == classes

    def look(self, targets: Array) -> None:
        """Note which labels rows have, until each was seen."""
        if not self._is_seen.all():
            at, has_weight = self._find(targets)
            self._is_seen[at[has_weight]] = True

    def warn(self) -> None:
        """Warn if no row that was looked at has one of the labels."""
        if not self._is_seen.all():
            unseen = ", ".join(f"{label:g}" for label in self._labels[~self._is_seen])
            targets = ", ".join(map(repr, self._targets))
            warn(
                f"class_weight has a weight for {unseen}, and no row has this in {targets}: the "
                "weight is not used. Rows of classes without a weight have the weight 1"
            )


def _numbers(dataset: Feed, labels: list[Any], places: range) -> list[int]:
    """Return the numbers of classes given by number or by name."""
    names: list[str] = []
    if any(isinstance(label, str) for label in labels):
        if len(places) > 1:
            raise ValueError(
                "class_weight by the names of classes needs a single target, and the dataset has "
                f"{len(places)}: give the positions of the targets"
            )
        # Raises if the classes of the target have no names.
        names = dataset.classes_of(places.start)
    count = dataset.count_classes(places.start) if len(places) == 1 else None
    numbers = []
    for label in labels:
        if isinstance(label, str) and label not in names:
            shown = ", ".join(map(repr, names[:_SHOWN])) + (", ..." if names[_SHOWN:] else "")
            raise ValueError(f"class_weight names the class {label!r}, but the classes are {shown}")
        number = names.index(label) if isinstance(label, str) else _whole(label)
        if count is not None and not 0 <= number < count:
            raise ValueError(
                f"class_weight names class {number}, but there are {count}, numbered from 0"
            )
        numbers.append(number)
    return numbers


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
