"""What a trainer asks of a dataset, and the batches it gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, TypeAlias, TypeGuard

from csvfeed.columns import Codes
from csvfeed.epochs import Epochs
from csvfeed.outputs import Batch

ByClass: TypeAlias = Mapping[int, float] | Mapping[str, float]
ClassWeight: TypeAlias = ByClass | Mapping[str, ByClass]
"""Weights by class; if ``target`` is a dict, by output and class."""


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

    def classes_of(self, target: int) -> list[str]:
        """Return the names of the classes of a target, given by its place."""

    def count_classes(self, target: int) -> int | None:
        """Return how many classes a target has; None if it is not one of ``categories``."""

    def codes_by_name(self) -> Codes:
        """Return what says which codes the features have that are categories."""

    def target_codes_by_name(self) -> Codes:
        """Return what says which classes the targets have that are categories."""

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
