"""The rows of a file that are wrong and were left out."""

from __future__ import annotations

from dataclasses import dataclass, field

from csvfeed import _core
from csvfeed.errors import CsvError


@dataclass(frozen=True)
class Rejects:
    r"""The rows that ``on_error="skip"`` leaves out of a file.

    Attributes
    ----------
    path : str
        The file, as it was named; ``"<bytes>"`` for bytes in memory.
    count : int
        How many rows there are.
    by_kind : dict of str to int
        How many there are for each reason, in the order in which the reasons came up.
    first : list of CsvError
        Up to 100 of them, in the order of the file: for each the error that ``on_error="raise"``
        would raise there, with line, column, byte offset and text.

    Examples
    --------
    >>> import csvfeed
    >>> ds = csvfeed.CsvDataset(b"a,y\n1,0\ntwo,1\n3\n4,1\n", on_error="skip")
    >>> ds.num_rows, ds.rejects.count
    (2, 2)
    >>> print(ds.rejects)
    2 rows of <bytes> were left out:
    1 not a number, as in line 3, column 'a': 'two'
    1 wrong number of fields, as in line 4: '3'
    """

    path: str
    count: int
    by_kind: dict[str, int]
    first: list[CsvError] = field(repr=False)
    _examples: dict[str, CsvError] = field(repr=False)

    @classmethod
    def of(cls, reader: _core.Reader) -> Rejects:
        """Return those of a source, which is read for it unless that was done before."""
        kinds, first = reader.rejects()
        return cls(
            path=reader.name,
            count=sum(count for _, count in kinds),
            by_kind=dict(kinds),
            first=[error for _, error in first],
            _examples=dict(reversed(first)),
        )

    def example(self, kind: str) -> CsvError | None:
        """Return the first for one of the reasons in ``by_kind``, if it is among the first 100."""
        return self._examples.get(kind)

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return self.count > 0

    def __str__(self) -> str:
        """Return how many there are, and for each reason how many and the first of them."""
        if not self:
            return f"no row of {self.path} was left out"
        rows = "1 row of {} was" if self.count == 1 else f"{self.count:,} rows of {{}} were"
        lines = [f"{rows.format(self.path)} left out:"]
        for kind, count in self.by_kind.items():
            example = self._examples.get(kind)
            lines.append(f"{count:,} {kind}{self._place(example) if example else ''}")
        return "\n".join(lines)

    def _place(self, error: CsvError) -> str:
        # Of several files, each has lines of its own.
        path = "" if error.path == self.path else f"{error.path}, "
        column = "" if error.column_name is None else f", column {error.column_name!r}"
        return f", as in {path}line {error.line}{column}: {error.text!r}"
