"""What Keras gets of a dataset, however it asks for the batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from csvfeed.errors import warn
from csvfeed.outputs import Arrays
from csvfeed.train.feed import ClassWeight, Feed
from csvfeed.train.grouping import count_batches, group_size, stacks
from csvfeed.train.structure import Structure


class ForKeras:
    """A dataset with the form of its batches: the part that all inputs of Keras share.

    Parameters
    ----------
    dataset : Feed
        Where the batches come from.
    class_weight : mapping of int or str to float, or of str to such mappings, optional
        Weights of rows by their class, or by output and class.
    as_dict : bool, default False
        Whether to yield features by name.
    dtype : str, default "float32"
        The dtype of the features.

    Raises
    ------
    CsvError, OSError
        As a pass over the source does.
    ValueError
        If the dataset has no batch, or ``class_weight`` does not go with its targets.
    """

    def __init__(
        self,
        dataset: Feed,
        class_weight: ClassWeight | None = None,
        *,
        as_dict: bool = False,
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        self.dataset = dataset
        self._count = count_batches(dataset)
        # Keras does not ask for more after the last batch, where the dataset would warn.
        dataset.epochs.warn_of_rejects()
        self.structure = Structure(dataset, as_dict=as_dict, class_weight=class_weight, dtype=dtype)
        self._group_rows = group_size(dataset, self.structure.bytes) * dataset.epochs.batch_rows
        self._dtype = dtype
        self._class_weight = None if class_weight is None else dict(class_weight)
        self._has_warned_of_order = False

    def __repr__(self) -> str:
        given = ["as_dict=True"] if self.structure.names_features else []
        given += [] if self._dtype == "float32" else [f"dtype={self._dtype!r}"]
        return f"{self.dataset!r}.to_keras({', '.join(given)})"

    def __reduce__(self) -> tuple[Any, ...]:
        make = partial(type(self), as_dict=self.structure.names_features, dtype=self._dtype)
        return make, (self.dataset, self._class_weight)

    def _warn_of_order(self) -> None:
        """Warn once if ``predict`` would return predictions in an order that nobody knows."""
        if self.dataset.epochs.keeps_order or self._has_warned_of_order:
            return
        self._has_warned_of_order = True
        warn(
            f"predict returns predictions in the order of {self.dataset!r}, which is not that of "
            "the file: predict from the dataset as it was before shuffle(), or take "
            "ds.predictions(model), which yields the ids of the rows as well"
        )

    def _stacks(self, groups: Iterable[Arrays]) -> Iterator[Arrays]:
        """Yield the rows of each group as a stack of batches."""
        keep = self.dataset.epochs.remainder != "drop"
        batches = 0
        for stack in stacks(groups, self.dataset.epochs.batch_rows, keep=keep):
            batches += len(stack[0])
            if batches == self._count:
                # Here, too, Keras asks for no more.
                self.dataset.epochs.warn_of_values()
            yield stack
