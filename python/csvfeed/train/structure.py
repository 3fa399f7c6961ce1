"""The structure of a batch for a trainer: features and outputs by name, weights by class."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from csvfeed.outputs import Arrays, Batch
from csvfeed.train.class_weight import ClassWeights
from csvfeed.train.dtype import cast, numpy_dtype
from csvfeed.train.feed import Feed

INT32, FLOAT32 = np.dtype(np.int32), np.dtype(np.float32)


class Row(NamedTuple):
    """A row of an array of a batch."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any] = FLOAT32


class Structure:
    """Gives the arrays that the core has read the structure that a trainer takes.

    Parameters
    ----------
    dataset : Feed
        Names the features and the outputs.
    as_dict : bool, default False
        Whether the features become a dict: categories as int32, all others as ``dtype``.
    class_weight : mapping, optional
        Weights of rows by their class; see ``CsvDataset.to_keras``.
    dtype : str, default "float32"
        The dtype of the features that are no codes; see ``csvfeed.train.dtype``.

    Attributes
    ----------
    is_plain : bool
        Whether the arrays stay as they are.
    names_features : bool
        Whether the features become a dict.
    rows : tuple of Row, or of dict of str to Row
        A row of each array.

    Raises
    ------
    ValueError
        If two features have the same name, or ``class_weight`` is not valid.
    """

    def __init__(
        self,
        dataset: Feed,
        *,
        as_dict: bool = False,
        class_weight: Mapping[Any, Any] | None = None,
        dtype: str = "float32",
    ) -> None:
        self._outputs = dataset.epochs.outputs
        self._dtype = numpy_dtype(dtype)
        self.names_features = as_dict
        self._features = _features(dataset, self._dtype) if as_dict else None
        self._classes = None if class_weight is None else ClassWeights(dataset, class_weight)
        changes = (self._outputs, self._features, self._classes)
        self.is_plain = self._dtype == FLOAT32 and all(change is None for change in changes)
        self.rows = self._rows(dataset)

    def _rows(self, dataset: Feed) -> tuple[Any, ...]:
        X, *rest = map(Row, dataset.epochs.row_shapes)
        rows: list[Any] = [X._replace(dtype=self._dtype)]
        if self._features is not None:
            # Of a window, those of each of its rows.
            rows = [
                {
                    name: Row((*X.shape[:-1], place.stop - place.start), dtype)
                    for name, (place, dtype) in self._features.items()
                }
            ]
        if not rest:
            return tuple(rows)
        outputs = self._outputs
        y = rest[0] if outputs is None else map_values(Row, outputs.target_shapes)
        rows.append(y)
        if rest[1:] or self._classes is not None:
            rows.append(Row(()) if outputs is None else map_values(Row, outputs.weight_shapes))
        return tuple(rows)

    @property
    def bytes(self) -> int:
        """Bytes of a row in all arrays."""
        shapes = [row.shape for part in self.rows for row in values_of(part)]
        return 4 * sum(map(math.prod, shapes))

    def cut(self, arrays: Arrays) -> Batch:
        """Return ``(X, y, w)`` in this structure, of arrays with any number of leading axes."""
        X, *rest = arrays
        features = cast(X, self._dtype) if self._features is None else self._named(X)
        if not rest:
            return (features,)
        y = rest[0]
        outputs = self._outputs
        parts = [y if outputs is None else outputs.targets(y)]
        if rest[1:]:
            parts.append(rest[1] if outputs is None else outputs.weights(rest[1]))
        if self._classes is not None:
            parts[1:] = [self._classes.of(y, *parts[1:])]
        return (features, *parts)

    def _named(self, X: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Return ``{name: (..., 1)}`` of X of shape (..., F), and (..., L) for lists."""
        assert self._features is not None
        return {
            name: np.ascontiguousarray(cast(X[..., place], dtype))
            for name, (place, dtype) in self._features.items()
        }

    def batches(self, stack: Arrays) -> Iterator[Batch]:
        """Return an iterator over the batches of a stack."""
        return zip(*map(_each, self.cut(stack)), strict=True)


def _features(dataset: Feed, dtype: np.dtype[Any]) -> dict[str, tuple[slice, np.dtype[Any]]]:
    """Return the place in X and the dtype of each feature by name."""
    types = dataset.feature_types
    return {
        name: (place, INT32 if types[place.start] == "category" else dtype)
        for name, place in dataset.epochs.inputs.items()
    }


def _each(part: Any) -> Iterable[Any]:
    """Return the arrays in a stack of them, or dicts of arrays in a dict of stacks."""
    if not isinstance(part, dict):
        return part  # type: ignore[no-any-return]
    rows = zip(*part.values(), strict=True)
    return (dict(zip(part, arrays, strict=True)) for arrays in rows)


def map_values(change: Callable[[Any], Any], part: Any) -> Any:
    """Apply ``change`` to an array of a batch, or to each of those in a dict."""
    if isinstance(part, dict):
        return {name: change(value) for name, value in part.items()}
    return change(part)


def values_of(part: Any) -> list[Any]:
    """Return an array of a batch, or those in a dict, as a list."""
    return list(part.values()) if isinstance(part, dict) else [part]


def cut_stacks(stacks: Iterable[Arrays], structure: Structure) -> Iterator[Batch]:
    """Yield each batch of some stacks."""
    for stack in stacks:
        yield from zip(*stack, strict=True) if structure.is_plain else structure.batches(stack)


def super_batches(
    stacks: Iterable[Arrays],
    size: int,
    structure: Structure,
    as_list: Callable[[Iterable[Any]], list[Any]],
) -> Iterator[Any]:
    """Yield stacks of ``size`` batches. Each input stack except the last is a multiple of that.

    The rest at the end of an epoch is one smaller stack, or a list of batches if the last batch is
    shorter.
    """
    rest: Arrays | None = None
    for stack in stacks:
        if rest is not None:
            yield as_list(cut_stacks([rest, stack], structure))
            return
        for at in range(0, len(stack[0]), size):
            part = tuple(array[at : at + size] for array in stack)
            if len(part[0]) < size:
                rest = part
            else:
                yield structure.cut(part)
    if rest is not None:
        yield structure.cut(rest)
