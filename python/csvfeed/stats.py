"""What the columns of a file hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from csvfeed import _core


@dataclass(frozen=True)
class ColumnStats:
    """What a column holds.

    Attributes
    ----------
    count : int
        Values that are not missing.
    missing : int
        Values that are missing.
    mean : float
        Mean of the values; NaN if there is none, infinite or NaN if one of them is.
    std : float
        Standard deviation of the values as a whole population (divided by ``count``, as numpy and
        Keras do); NaN if there is none, or if one is infinite or NaN.
    min, max : float
        The least and the greatest value; NaN if there is none, or if one is NaN.
    """

    count: int
    missing: int
    mean: float
    std: float
    min: float
    max: float


Memory: TypeAlias = tuple[str | None, list[ColumnStats]]


class RowStats:
    """What the columns that are read hold, over some rows: found at first need, then remembered.

    Parameters
    ----------
    reader : _core.Reader
        Whose columns they are.
    plan : _core.Plan
        Whose rows they are.
    """

    def __init__(self, reader: _core.Reader, plan: _core.Plan) -> None:
        self._reader = reader
        self._plan = plan
        self._columns: list[ColumnStats] | None = None

    @property
    def columns(self) -> list[ColumnStats]:
        """One for each feature, each target, and the weight."""
        if self._columns is None:
            self._columns = [ColumnStats(**column) for column in self._plan.stats()]
        return self._columns

    @property
    def memory(self) -> Memory | None:
        """What was found so far and in which file, for pickling."""
        return None if self._columns is None else (self._reader.identity, self._columns)

    def recall(self, memory: Memory) -> None:
        """Take over what another one found, if the file is still the same."""
        identity, columns = memory
        if identity == self._reader.identity:
            self._columns = columns
