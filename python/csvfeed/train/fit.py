"""How far a call of ``fit`` has got, for the adapter that feeds it and the backup that saves it."""

from __future__ import annotations

import weakref
from typing import Any

from csvfeed.train.feed import Feed
from csvfeed.train.keras_internals import expect_batches, forget_batches


class Training:
    """What the adapter and the backup of one process tell each other about each dataset.

    Keras calls the two apart: a backup sees callbacks, an adapter sees iterators. They share no
    object but the dataset.
    """

    def __init__(self) -> None:
        self._fed: weakref.WeakSet[Feed] = weakref.WeakSet()
        self._steps_done: weakref.WeakKeyDictionary[Feed, int] = weakref.WeakKeyDictionary()

    def reset(self, dataset: Feed) -> None:
        """Forget a dataset, because a new ``fit`` begins."""
        self._fed.discard(dataset)
        self._steps_done.pop(dataset, None)

    def resume(self, dataset: Feed, steps_done: int) -> None:
        """Let the next epoch begin after steps that an earlier run has done."""
        self._steps_done[dataset] = steps_done

    def begin_epoch(self, dataset: Feed) -> int:
        """Note that ``fit`` reads a dataset. Return the steps of this epoch that are done."""
        self._fed.add(dataset)
        return self._steps_done.pop(dataset, 0)

    def reads(self, dataset: Feed) -> bool:
        """Whether the current ``fit`` reads a dataset."""
        return dataset in self._fed


TRAINING = Training()


class Fit:
    """How far one call of ``fit`` has got.

    Parameters
    ----------
    dataset : Feed
        What it trains on.
    batches : int
        Batches in an epoch of the dataset.

    Attributes
    ----------
    position : tuple of int
        Epoch of the dataset, and batch in it, at which the current epoch of ``fit`` began.
    """

    def __init__(self, dataset: Feed, batches: int) -> None:
        epoch, batch = dataset.epochs.position.next
        self.position = (epoch, batch) if batch < batches else (epoch + 1, 0)
        self._dataset = dataset
        self._batches = batches
        # At which batch of the dataset's epoch the iterator of Keras began.
        self._first_batch = self.position[1]
        self._in_epoch = False
        self._steps_per_epoch: int | None = None

    def begin_epoch(self, iterator: Any) -> None:
        """Note that Keras begins an epoch, and tell it how many steps are left in that epoch."""
        steps_done = TRAINING.begin_epoch(self._dataset)
        self._in_epoch = True
        self._steps_per_epoch = iterator.steps_per_epoch
        # Keras reads both right after this call. It expects whole epochs, and would otherwise warn
        # at the end of a resumed one that the data ran out.
        expect_batches(iterator, self._batches - self._first_batch)
        if self._steps_per_epoch:
            iterator.steps_per_epoch = max(1, self._steps_per_epoch - steps_done)

    def end_epoch(self, iterator: Any) -> None:
        """Note that Keras has trained on all steps of an epoch, and move the dataset on."""
        if not self._in_epoch:
            return
        self._in_epoch = False
        epoch, batch = self.position
        # The last execution of several steps may go beyond the steps asked for.
        steps = iterator.steps_per_epoch or self._batches
        executions = -(-steps // iterator.steps_per_execution)
        batch += executions * iterator.steps_per_execution
        if batch >= self._batches:
            epoch, batch, self._first_batch = epoch + 1, 0, 0
            # Keras has made the next iterator already, and it may have begun to read where this
            # epoch began. Without it, Keras makes another.
            forget_batches(iterator)
        self.position = epoch, batch
        iterator.steps_per_epoch = self._steps_per_epoch
        self._dataset.epochs.position.move(epoch, batch)
