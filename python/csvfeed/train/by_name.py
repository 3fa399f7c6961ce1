"""Features by name, for models with an input for each feature."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from csvfeed.train.feed import Batch, Feed

Named: TypeAlias = dict[str, NDArray[Any]]


class NamedFeatures:
    """Turns X into a dict of the features: categories as int32, all others as float32.

    Parameters
    ----------
    dataset : Feed
        Names the features.

    Raises
    ------
    ValueError
        If two features have the same name.
    """

    def __init__(self, dataset: Feed) -> None:
        names = dataset.feature_names
        twice = [name for name, uses in Counter(names).items() if uses > 1]
        if twice:
            raise ValueError(
                f"as_dict=True needs a name of its own for each feature, and several are called "
                f"{twice[0]!r}: name the columns with header=[...], or leave some out with "
                "features="
            )
        self.dtypes: dict[str, type[np.int32 | np.float32]] = {
            name: np.int32 if kind == "category" else np.float32
            for name, kind in zip(names, dataset.feature_types, strict=True)
        }

    def cut(self, arrays: Batch) -> tuple[Any, ...]:
        """Return ``({name: (..., 1)}, ...)`` of ``(X, ...)``, X of shape (..., F)."""
        X, *rest = arrays
        # Contiguous for each feature.
        columns = np.ascontiguousarray(np.moveaxis(X, -1, 0))[..., None]
        named = {
            name: column.astype(dtype, copy=False)
            for (name, dtype), column in zip(self.dtypes.items(), columns, strict=True)
        }
        return (named, *rest)

    def batches(self, stack: Batch) -> Iterator[tuple[Any, ...]]:
        """Yield each batch of a stack."""
        named, *rest = self.cut(stack)
        for at in range(len(stack[0])):
            batch = {name: column[at] for name, column in named.items()}
            yield (batch, *(array[at] for array in rest))


def cut_stacks(stacks: Iterable[Batch], named: NamedFeatures | None) -> Iterator[tuple[Any, ...]]:
    """Yield each batch of some stacks, with features by name if ``named`` is given."""
    for stack in stacks:
        yield from zip(*stack, strict=True) if named is None else named.batches(stack)


def super_batches(
    stacks: Iterable[Batch],
    size: int,
    named: NamedFeatures | None,
    as_list: Callable[[Iterable[Any]], list[Any]],
) -> Iterator[Any]:
    """Yield stacks of ``size`` batches. Each input stack except the last is a multiple of that.

    The rest at the end of an epoch is one smaller stack, or a list of batches if the last batch is
    shorter.
    """
    rest: Batch | None = None
    for stack in stacks:
        if rest is not None:
            yield as_list(cut_stacks([rest, stack], named))
            return
        for at in range(0, len(stack[0]), size):
            part = tuple(array[at : at + size] for array in stack)
            if len(part[0]) < size:
                rest = part
            else:
                yield part if named is None else named.cut(part)
    if rest is not None:
        yield rest if named is None else named.cut(rest)
