"""An epoch with a state, for loaders that save how far their iterators have got."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from csvfeed.outputs import Batch
from csvfeed.train.feed import Feed


class Resumable(Iterator[Batch]):
    """The next epoch of a dataset, which begins when its first batch is asked for.

    Parameters
    ----------
    dataset : Feed
        Where the batches come from.
    begun : callable, optional
        Called with the number of the epoch when it begins.
    """

    def __init__(self, dataset: Feed, begun: Callable[[int], None] | None = None) -> None:
        self._dataset = dataset
        self._begun = begun
        self._batches: Iterator[Batch] | None = None
        self._reached = 0, 0

    def __next__(self) -> Batch:
        if self._batches is None:
            self._reached = self._dataset.epochs.position.next
            if self._begun is not None:
                self._begun(self._reached[0])
            self._batches = iter(self._dataset)
        batch = next(self._batches)
        epoch, number = self._reached
        ended = number + 1 == len(self._dataset)
        self._reached = (epoch + 1, 0) if ended else (epoch, number + 1)
        return batch

    def state_dict(self) -> dict[str, Any]:
        """Return the position after the batches so far."""
        begun = self._batches is not None
        epoch, batch = self._reached if begun else self._dataset.epochs.position.next
        return {**self._dataset.state_dict(), "epoch": epoch, "batch": batch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on at a position that ``state_dict`` returned."""
        self._dataset.load_state_dict(state)
        self._batches = None
