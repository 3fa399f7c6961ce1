"""Batches for Grain, which feeds JAX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csvfeed.outputs import Batch
from csvfeed.train.all_rows import warn_if_each_gets_all
from csvfeed.train.extras import extra
from csvfeed.train.feed import Feed
from csvfeed.train.grouping import count_batches
from csvfeed.train.resumable import Resumable

with extra():
    import grain


def to_grain(dataset: Feed) -> grain.IterDataset[Batch]:
    """Return a Grain dataset of batches; see ``CsvDataset.to_grain``."""
    warn_if_each_gets_all(dataset)
    return GrainBatches(dataset)


class GrainBatches(grain.IterDataset):  # type: ignore[misc]  # Without grain, unknown.
    """The batches of a dataset; made by ``CsvDataset.to_grain``."""

    def __init__(self, dataset: Feed) -> None:
        super().__init__()
        self._dataset = dataset
        count_batches(dataset)

    def __str__(self) -> str:
        return f"{self._dataset!r}.to_grain()"

    def __iter__(self) -> GrainIterator:
        return GrainIterator(self._dataset)

    def set_slice(self, sl: slice, sequential_slice: bool = False) -> None:  # noqa: ARG002
        """Keep the rows of one worker, as Grain asks in each of its processes."""
        if sl.step and sl.step > 1:
            self._dataset = self._dataset.part_of_worker(sl.start or 0, sl.step)


class GrainIterator(grain.DatasetIterator):  # type: ignore[misc]
    """One epoch as tuples of arrays."""

    def __init__(self, dataset: Feed) -> None:
        super().__init__()
        self._batches = Resumable(dataset)

    def __next__(self) -> Batch:
        return next(self._batches)

    def get_state(self) -> dict[str, Any]:
        """Return the position after the batches so far."""
        return self._batches.state_dict()

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on at a position that ``get_state`` returned."""
        self._batches.load_state_dict(state)
