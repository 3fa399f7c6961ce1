"""Batches for Grain, which feeds JAX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csvfeed.outputs import Batch
from csvfeed.train.all_rows import warn_if_each_gets_all
from csvfeed.train.dtype import cast, name_of, numpy_dtype
from csvfeed.train.extras import extra
from csvfeed.train.feed import Feed
from csvfeed.train.grouping import count_batches
from csvfeed.train.resumable import Resumable

with extra():
    import grain


def to_grain(dataset: Feed, *, dtype: Any = "float32") -> grain.IterDataset[Batch]:
    """Return a Grain dataset of batches; see ``CsvDataset.to_grain``."""
    name = name_of(dtype)
    warn_if_each_gets_all(dataset)
    return GrainBatches(dataset, name)


class GrainBatches(grain.IterDataset):  # type: ignore[misc]  # Without grain, unknown.
    """The batches of a dataset; made by ``CsvDataset.to_grain``."""

    def __init__(self, dataset: Feed, dtype: str) -> None:
        super().__init__()
        self._dataset = dataset
        self._dtype = dtype
        numpy_dtype(dtype)
        count_batches(dataset)

    def __str__(self) -> str:
        dtype = "" if self._dtype == "float32" else f"dtype={self._dtype!r}"
        return f"{self._dataset!r}.to_grain({dtype})"

    def __iter__(self) -> GrainIterator:
        return GrainIterator(self._dataset, self._dtype)

    def set_slice(self, sl: slice, sequential_slice: bool = False) -> None:  # noqa: ARG002
        """Keep the rows of one worker, as Grain asks in each of its processes."""
        if sl.step and sl.step > 1:
            self._dataset = self._dataset.part_of_worker(sl.start or 0, sl.step)


class GrainIterator(grain.DatasetIterator):  # type: ignore[misc]
    """One epoch as tuples of arrays."""

    def __init__(self, dataset: Feed, dtype: str) -> None:
        super().__init__()
        self._batches = Resumable(dataset)
        self._dtype = numpy_dtype(dtype)

    def __next__(self) -> Batch:
        X, *rest = next(self._batches)
        return cast(X, self._dtype), *rest

    def get_state(self) -> dict[str, Any]:
        """Return the position after the batches so far."""
        return self._batches.state_dict()

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on at a position that ``get_state`` returned."""
        self._batches.load_state_dict(state)
