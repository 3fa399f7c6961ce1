"""Statistics of columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from csvfeed import _core
from csvfeed.progress import Passes


@dataclass(frozen=True)
class ColumnStats:
    """Statistics of one column.

    Attributes
    ----------
    count : int
        Values that are not missing.
    missing : int
        Values that are missing.
    mean : float
        Mean of the values. NaN if there are none; infinite or NaN if one of them is.
    std : float
        Standard deviation of the values as a population: divided by ``count``, as NumPy and Keras
        do. NaN if there are no values, or one of them is infinite or NaN.
    min, max : float
        Smallest and largest value. NaN if there are no values, or one of them is NaN.
    """

    count: int
    missing: int
    mean: float
    std: float
    min: float
    max: float


Memory: TypeAlias = tuple[str | None, list[ColumnStats]]


class RowStats:
    """Statistics of the columns that a dataset reads, computed at first use and then kept.

    Parameters
    ----------
    reader : _core.Reader
        Reads the columns.
    plan : _core.Plan
        Chooses the rows.
    passes : Passes
        Shows how far a pass has got.
    """

    def __init__(self, reader: _core.Reader, plan: _core.Plan, passes: Passes) -> None:
        self._reader = reader
        self._plan = plan
        self._passes = passes
        self._columns: list[ColumnStats] | None = None

    @property
    def columns(self) -> list[ColumnStats]:
        """Statistics of each feature, each target, and the weight."""
        if self._columns is None:
            with self._passes.shown("statistics of"):
                self._columns = [ColumnStats(**column) for column in self._plan.stats()]
        return self._columns

    @property
    def memory(self) -> Memory | None:
        """The statistics, if known, and the identity of the source, for pickling."""
        return None if self._columns is None else (self._reader.identity, self._columns)

    def recall(self, memory: Memory) -> None:
        """Adopt the statistics of a pickle if the source has not changed."""
        identity, columns = memory
        if identity == self._reader.identity:
            self._columns = columns
