"""What replaces a missing feature."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

from csvfeed import _core
from csvfeed.errors import CsvError
from csvfeed.stats import RowStats

Value: TypeAlias = float | Literal["mean"]


class Fill:
    """What replaces the missing values of each feature.

    Parameters
    ----------
    fill : float, "mean", dict of column to one of these, or None
        As in ``CsvDataset``.
    reader : _core.Reader
        Reads the features.
    stats : RowStats
        The source of the means.

    Raises
    ------
    CsvError
        If ``fill`` names a column that is not a feature, or gives a column of categories a value
        that is not a code.
    """

    def __init__(
        self, fill: Value | dict[int | str, Value] | None, reader: _core.Reader, stats: RowStats
    ) -> None:
        self._reader = reader
        self._stats = stats
        self._each: list[Value] | None = None
        kinds = reader.kinds[: len(reader.feature_names)]
        # A missing category has a code of its own, and a list that is missing has none.
        codes = [kind in ("category", "multi_hot") for kind in kinds]
        usual: list[Value] = [0.0 if is_code else math.nan for is_code in codes]
        self._usual = usual
        if isinstance(fill, dict):
            self._each = [*usual]
            places = reader.feature_places(list(fill), "fill")
            for (column, value), its in zip(fill.items(), places, strict=True):
                for place in its:
                    if codes[place] and not _is_code(value):
                        raise CsvError(
                            f"fill= of column {column!r} is {value!r}, but the column is one of "
                            "categories, whose missing values are 0 unless fill= has another code",
                            path=reader.name,
                        )
                    self._each[place] = value
        elif fill is not None:
            self._each = [
                code if is_code else fill for code, is_code in zip(usual, codes, strict=True)
            ]

    @property
    def asked(self) -> list[Value]:
        """What each missing feature becomes, as asked for: NaN if nothing was."""
        return self._usual if self._each is None else self._each

    @property
    def is_known(self) -> bool:
        """Whether ``values`` can tell without reading the source."""
        return self._stats.memory is not None or "mean" not in (self._each or ())

    def values(self) -> list[float] | None:
        """Return a number for each feature, or None if csvfeed fills nothing.

        The first call that needs a mean reads the source.

        Raises
        ------
        CsvError
            If a column has no finite mean, or reading the source fails.
        """
        if self._each is None:
            return None
        return [
            self._mean(place) if value == "mean" else value
            for place, value in enumerate(self._each)
        ]

    def _mean(self, place: int) -> float:
        stats = self._stats.columns[place]
        if stats.missing == 0 or math.isfinite(stats.mean):
            return stats.mean
        why = "all its values are missing" if stats.count == 0 else "not all its values are finite"
        column = self._reader.columns_read[place]
        raise CsvError(
            f"fill= asks for the mean of this column, but {why}: fill it with a number, as in "
            "fill={column: 0}, or leave it out with features=",
            path=self._reader.name,
            column=column,
            column_name=self._reader.columns[column],
        )


def _is_code(value: Value) -> bool:
    return not isinstance(value, str) and 0 <= value <= 2**24 and value % 1 == 0
