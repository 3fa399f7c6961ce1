"""The first rows of a dataset as a table that people read."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from csvfeed.typeset import cut, line, shortened, terminal_width, widths_of

Value: TypeAlias = float | str

WIDEST = 32
"""Width of a value in a printed table, at most."""

MOST_COLUMNS = 20
"""Columns of a table in a notebook, at most."""


@dataclass(frozen=True, repr=False)
class Head:
    r"""The first rows of a dataset, with the names of their values.

    It prints as a table, and shows as one in notebooks. Wide tables leave columns out.

    Attributes
    ----------
    columns : list of str
        Names of the features, the targets, and the weight.
    rows : list of tuple
        The values of each row, in the order of ``columns``: a float, or a str for a category that
        the vocabulary knows. NaN is a missing value, or a category that is missing or unknown.
    roles : list of {"feature", "target", "weight"}
        What each value is for.

    Examples
    --------
    >>> import csvfeed
    >>> data = b"carrier,miles,delay\nUA,7.5,1\nAA,,2\n"
    >>> head = csvfeed.CsvDataset(data, categories={"carrier": "auto"}).head()
    >>> head
    carrier  miles  delay
    UA         7.5      1
    AA         NaN      2
    >>> head["carrier"], head.rows[0]
    (['UA', 'AA'], ('UA', 7.5, 1.0))
    """

    columns: list[str]
    rows: list[tuple[Value, ...]]
    roles: list[str]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[Value, ...]]:
        """Iterate over the rows."""
        return iter(self.rows)

    def __getitem__(self, name: str) -> list[Value]:
        """Return the values of a column.

        Raises
        ------
        KeyError
            If no column has the name, or several have it.
        """
        if self.columns.count(name) != 1:
            known = ", ".join(map(repr, self.columns))
            many = "several columns are" if name in self.columns else "no column is"
            raise KeyError(f"{many} called {name!r}: the columns are {known}")
        at = self.columns.index(name)
        return [row[at] for row in self.rows]

    def __repr__(self) -> str:
        """Return a table as wide as the terminal."""
        width = terminal_width()
        cells = [[cut(text, WIDEST) for text in row] for row in self._texts()]
        right = [_are_numbers(values) for values in self._values()]
        cells, right, left_out = shortened(cells, right, width)
        widths = widths_of(cells)
        lines = [line(row, widths, right) for row in cells]
        if left_out:
            lines.append(f"... {left_out:,} more columns")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return a table for notebooks. The header names targets and the weight."""
        shown = [*range(len(self.columns))]
        dots = len(shown) > MOST_COLUMNS
        if dots:
            half = MOST_COLUMNS // 2
            shown = [*shown[:half], *shown[-half:]]
        numbers = [_are_numbers(values) for values in self._values()]

        def row(cells: Sequence[str], tag: str) -> str:
            row = []
            for place, at in enumerate(shown):
                if dots and place == MOST_COLUMNS // 2:
                    row.append(f"<{tag}>&hellip;</{tag}>")
                side = "right" if numbers[at] else "left"
                row.append(f'<{tag} style="text-align: {side}">{cells[at]}</{tag}>')
            return f"<tr>{''.join(row)}</tr>"

        def title(name: str, role: str) -> str:
            return _escaped(name) + (f"<br><small>{role}</small>" if role != "feature" else "")

        _, *texts = self._texts()
        lines = [
            '<table class="dataframe">',
            f"<thead>{row([*map(title, self.columns, self.roles)], 'th')}</thead>",
            "<tbody>",
            *(row([*map(_escaped, cells)], "td") for cells in texts),
            "</tbody>",
            "</table>",
        ]
        if dots:
            lines.append(f"<p>{len(self.columns) - MOST_COLUMNS:,} more columns</p>")
        return "\n".join(lines)

    def _values(self) -> list[list[Value]]:
        """Return the values of each column."""
        return [[row[at] for row in self.rows] for at in range(len(self.columns))]

    def _texts(self) -> list[list[str]]:
        """Return the names and the rows as text."""
        return [self.columns, *([*map(_text, row)] for row in self.rows)]


def _are_numbers(values: list[Value]) -> bool:
    return not any(isinstance(value, str) for value in values)


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    return "NaN" if value != value else repr(value).removesuffix(".0")


def _escaped(text: str) -> str:
    return html.escape(cut(text, WIDEST))
