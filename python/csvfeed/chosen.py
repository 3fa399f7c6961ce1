"""Rows that are chosen: those that meet conditions, the first ones, or all but those."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from csvfeed import arguments, other_names
from csvfeed import conditions as checked
from csvfeed.conditions import Presence
from csvfeed.order import Run, WithOrder

if TYPE_CHECKING:
    # Part of typing since Python 3.11; type checkers bring it for 3.10.
    from typing_extensions import Self

Day: TypeAlias = str | datetime.date
Value: TypeAlias = float | Day | bool
Range: TypeAlias = tuple[float | None, float | None] | tuple[Day | None, Day | None]


class Chosen(WithOrder):
    """The part of ``CsvDataset`` that chooses rows by their fields and by their place."""

    @other_names.explain(
        other_names.WHERE,
        'where({"amount": (0, None)}) has the rows whose amount is 0 or more',
        by_position="where takes one dict, whose conditions must all hold: "
        'where({{"amount": (0, None), "country": ["NL", "BE"]}})',
    )
    def where(self, conditions: Mapping[Any, Value | Iterable[Value] | Range | Presence]) -> Self:
        r"""Return a dataset with the rows that meet conditions.

        csvfeed decides as it parses a row, before it reads the other columns: a wrong value in a
        row that is not chosen is no error, except for a target with ``missing_target="skip"``,
        which is read to count the rows. A column of a condition may be a feature, a target, or one
        that is not read. Its first use reads the columns of the conditions in a pass over the
        source, which counts the rows. Parts of the file without such rows are not read again.

        Parameters
        ----------
        conditions : dict of column to condition
            By name or index. All must hold. Calling ``where`` again adds conditions. A condition is

            - a range ``(low, high)`` of numbers or dates, both included, None for no bound;
            - a value, or a list of values: numbers, texts, dates, True or False;
            - ``csvfeed.PRESENT`` or ``csvfeed.ABSENT``: whether the field has a value.

            A missing field meets only ``csvfeed.ABSENT``.

        Returns
        -------
        CsvDataset
            The rows that meet all conditions. ``split``, ``take`` and all others choose among them.

        Raises
        ------
        CsvError
            If a column does not exist, or its values do not go with the condition. From the first
            use: if a field cannot be compared, as a word with numbers, and no other condition rules
            its row out. With ``on_error="skip"`` that row is a reject.
        TypeError, ValueError
            If a condition makes no sense.

        Notes
        -----
        A number is compared as it is read: the float32 that the row yields, in the forms of
        ``numbers``, with a bound that is rounded likewise. So a field 0.1 meets a bound of 0.1. A
        column that is not read is compared in float64. A date is compared as a moment, in UTC if it
        has no offset; a bound is a date of Python, or text in the format of the column or in ISO
        8601, and a day without a time stands for the whole day. Durations are numbers, in the unit
        of the column. Categories, and texts in columns that are not read, are compared without
        quotes and the spaces around them.

        Examples
        --------
        >>> import csvfeed
        >>> data = b"country,amount,y\nNL,5,0\nDE,7,1\nBE,,1\nBE,-1,0\n"
        >>> ds = csvfeed.CsvDataset(data, features=["amount"])
        >>> ds.where({"country": ["NL", "BE"], "amount": (0, None)}).rows()[0].tolist()
        [[5.0]]
        >>> ds.where({"amount": csvfeed.ABSENT}).num_rows
        1
        """
        return self._ordered(self._order.with_part(checked.where(conditions)))

    @other_names.explain(
        other_names.TAKE,
        "take(1000) has the first thousand rows",
        by_position="take takes the number of rows, as in take(1000); skip(100).take(1000) has "
        "those after the first hundred",
    )
    def take(self, n: int) -> Self:
        r"""Return a dataset with the first ``n`` rows of this one.

        They are the first ones in the order of the file, whether or not the dataset is shuffled: a
        shuffle mixes the rows that are taken. Its first use counts the rows of the whole source in
        a pass, as ``split`` does.

        Parameters
        ----------
        n : int
            How many rows, at least 0. A dataset with fewer has all of them.

        Returns
        -------
        CsvDataset
            The first rows. ``split``, ``take`` and all others choose among them.

        Raises
        ------
        ValueError
            If ``n`` is not a whole number of at least 0, or the dataset is a shard, is distributed,
            or has windows: call ``take`` before those.

        Examples
        --------
        >>> import csvfeed
        >>> ds = csvfeed.CsvDataset(b"a,y\n1,0\n2,0\n3,1\n4,1\n")
        >>> ds.take(3).num_rows, ds.skip(1).take(2).rows()[0].tolist()
        (3, [[2.0], [3.0]])
        """
        return self._run("take", Run(0, arguments.count(n, "n")))

    @other_names.explain(
        other_names.SKIP,
        "skip(1000) leaves out the first thousand rows",
        by_position="skip takes the number of rows, as in skip(1000); skip(1000).take(500) has the "
        "500 rows after those",
    )
    def skip(self, n: int) -> Self:
        r"""Return a dataset with all rows of this one but the first ``n``.

        ``skip`` goes by the order of the file, as ``take`` does. ``ds.take(n)`` and ``ds.skip(n)``
        together have each row once.

        Parameters
        ----------
        n : int
            How many rows to leave out, at least 0. If there are no more, no row is left, and
            iteration raises a CsvError.

        Returns
        -------
        CsvDataset
            The other rows.

        Raises
        ------
        ValueError
            As ``take`` does.

        Examples
        --------
        >>> import csvfeed
        >>> ds = csvfeed.CsvDataset(b"a,y\n1,0\n2,0\n3,1\n4,1\n")
        >>> ds.skip(3).rows()[0].tolist()
        [[4.0]]
        """
        return self._run("skip", Run(arguments.count(n, "n"), None))

    def _run(self, method: str, run: Run) -> Self:
        """Return a dataset with a run of the rows, which must be those of all workers."""
        order = self._order
        others = {
            "shard": order.share is not None,
            "distribute": order.lanes is not None,
            "windows": order.windows is not None,
        }
        for other, is_called in others.items():
            if is_called:
                raise ValueError(
                    f"{method}() counts the rows of the whole dataset in the order of the file, so "
                    f"it comes before {other}(): write ds.{method}(n).{other}(...)"
                )
        return self._ordered(order.with_part(run))
