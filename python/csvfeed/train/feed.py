"""What a trainer asks of a dataset, and the batches it gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray

from csvfeed.epochs import Epochs

Batch: TypeAlias = tuple[NDArray[np.float32], ...]
"""``(X,)``, ``(X, y)`` or ``(X, y, w)``: X of shape (B, F), y (B,) or (B, T), w (B,).

The X of windows is of shape (B, length, F).
"""


class Feed(Protocol):
    """A dataset as trainers see it. `CsvDataset` is one.

    Everything a trainer uses has a name here. `epochs` opens an epoch at any batch and knows the
    position; the other members are those of `CsvDataset` that users know.
    """

    epochs: Epochs

    @property
    def batch_size(self) -> int:
        """Rows in a batch."""

    @property
    def num_rows(self) -> int:
        """Rows in an epoch."""

    @property
    def feature_names(self) -> list[str]:
        """Names of the columns of X."""

    @property
    def feature_types(self) -> list[str]:
        """How each feature is read; "category" marks codes."""

    @property
    def target_names(self) -> list[str]:
        """Names of the columns of y."""

    @property
    def has_classes(self) -> bool:
        """Whether a target is a column of ``categories``."""

    @property
    def classes(self) -> list[str] | dict[str | int, list[str]]:
        """Names of the classes of the targets."""

    @property
    def num_classes(self) -> int | dict[str | int, int]:
        """How many classes the targets have."""

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""

    def __iter__(self) -> Iterator[Batch]:
        """Iterate over the next epoch."""

    def part_of_worker(self, worker: int, workers: int) -> Feed:
        """Return the rows of one worker of a loader."""

    def distribute(self, index: int | None = None, count: int | None = None) -> Feed:
        """Return this process's part of every global batch."""

    def state_dict(self) -> dict[str, Any]:
        """Return the position, with what identifies the dataset."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Move to a position that ``state_dict`` returned."""


def is_feed(value: object) -> TypeGuard[Feed]:
    """Whether a value is a dataset of csvfeed."""
    return isinstance(getattr(value, "epochs", None), Epochs)
