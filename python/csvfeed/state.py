"""The position of a dataset in its epochs, and states that carry it to another process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from csvfeed.turns import Turns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION = 2
# What a state and a dataset must have in common, and how an error says that they differ.
MUST_AGREE = {
    "batch_size": "batch_size={theirs}, where this dataset has {ours}",
    "source": "another file, or with this one before it changed",
    "rows": "other rows: the columns, options, split, shard or lanes differ",
}


class Progress(Protocol):
    """How far an iterator has got."""

    @property
    def yielded(self) -> int:
        """How many batches it has yielded."""

    @property
    def ended(self) -> bool:
        """Whether it has raised StopIteration."""


class Tracked(Protocol):
    """An iterator over batches that knows how far it has got."""

    @property
    def progress(self) -> Progress:
        """How far it has got. It outlives the iterator."""

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], ...]]: ...

    def __next__(self) -> tuple[NDArray[np.float32], ...]: ...


class Position:
    """How far the iterations of a dataset have got.

    Attributes
    ----------
    next : tuple of int
        Epoch and batch at which the next iteration begins.
    """

    def __init__(self) -> None:
        self.next = 0, 0
        self._last: tuple[int, int, Progress] | None = None
        self._turns = Turns()

    def begin(self, start: Callable[[int, int], Tracked]) -> Tracked:
        """Start an iteration with ``start(epoch, batch)``, and make the epoch after it the next."""
        with self._turns.mine():
            epoch, first_batch = self.next
            self.next = epoch + 1, 0
        try:
            batches = start(epoch, first_batch)
        except BaseException:
            with self._turns.mine():
                # The epoch has not begun, so it stays the next, unless another iteration moved on.
                if self.next == (epoch + 1, 0):
                    self.next = epoch, first_batch
            raise
        with self._turns.mine():
            # Of threads that begin at the same time, the one with the later epoch began last.
            if self._last is None or self._last[:2] <= (epoch, first_batch):
                self._last = epoch, first_batch, batches.progress
        return batches

    def reached(self) -> tuple[int, int]:
        """Return the epoch and the batch that the iteration which began last has reached."""
        last = self._last  # Read once: another thread may move the dataset.
        if last is not None:
            epoch, first_batch, progress = last
            if not progress.ended:
                return epoch, first_batch + progress.yielded
        return self.next

    def move(self, epoch: int, batch: int) -> None:
        """Make the next iteration begin at a batch of an epoch."""
        with self._turns.mine():
            self.next = epoch, batch
            self._last = None


def describe(description: Mapping[str, Any]) -> str:
    """Return a short hash of a description that JSON can express."""
    text = json.dumps(description, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def check(state: Any, own: Mapping[str, Any]) -> tuple[int, int]:
    """Return the epoch and the batch of a state.

    Parameters
    ----------
    state : Any
        What the user gave.
    own : mapping
        A state of the dataset that it should fit.

    Raises
    ------
    ValueError
        If ``state`` is not a state of such a dataset.
    """
    if not isinstance(state, Mapping) or not own.keys() - {"samples"} <= state.keys():
        raise ValueError(f"not a state of a csvfeed dataset: {state!r}")
    if state["version"] != VERSION:
        why = ""
        if state["version"] == 1:
            why = ", since the classes of a target of categories now begin with 0"
        raise ValueError(
            f"the state is of version {state['version']!r}, and this csvfeed reads version "
            f"{VERSION}{why}: begin the run anew, or go on with the csvfeed that wrote the state"
        )
    # Checked first, because the description of shuffled rows has more in it.
    if (state["seed"] is None) != (own["seed"] is None):
        was, now = ("in file order", "is") if state["seed"] is None else ("shuffled", "is not")
        raise ValueError(f"the state is that of a dataset {was}, and this one {now} shuffled")
    for key, difference in MUST_AGREE.items():
        if state[key] != own[key]:
            what = difference.format(theirs=state[key], ours=own[key])
            raise ValueError(f"the state is that of a dataset with {what}")
    # Remote files have no samples, and neither have states of earlier versions.
    if None not in (theirs := state.get("samples"), own["samples"]) and theirs != own["samples"]:
        raise ValueError(f"the state is that of a dataset with {MUST_AGREE['source']}")
    for key in ("epoch", "batch", "seed"):
        number = state[key]
        is_whole = isinstance(number, int) and not isinstance(number, bool)
        if not (key == "seed" and number is None) and not (is_whole and 0 <= number < 2**63):
            raise ValueError(f"the {key} of a state is a whole number, not {number!r}")
    return state["epoch"], state["batch"]
