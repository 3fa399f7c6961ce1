"""The bad rows that a dataset left out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from csvfeed import _core
from csvfeed.errors import CsvError
from csvfeed.options import Options
from csvfeed.progress import Passes
from csvfeed.source import is_among


@dataclass(frozen=True)
class Rejects:
    r"""The bad rows that ``on_error="skip"`` leaves out.

    Attributes
    ----------
    path : str
        Name of the file, as given; ``"<bytes>"`` for bytes in memory.
    count : int
        Number of rows left out.
    by_kind : dict of str to int
        Number of rows for each reason, in the order in which the reasons first occurred.
    first : list of CsvError
        The first 100 at most, in file order. Each is the error that ``on_error="raise"`` would
        raise, with line, column, byte offset and text.

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
    def of(cls, reader: _core.Reader, passes: Passes, plan: _core.Plan | None = None) -> Rejects:
        """Return the rejects of a source. Reads the source unless that is already done.

        With ``plan``, they include rows that its conditions cannot compare.
        """
        with passes.shown("finding bad rows of"):
            kinds, first = reader.rejects() if plan is None else plan.rejects()
        return cls(
            path=reader.name,
            count=sum(count for _, count in kinds),
            by_kind=dict(kinds),
            first=[error for _, error in first],
            _examples=dict(reversed(first)),
        )

    def example(self, kind: str) -> CsvError | None:
        """Return the first error for a reason in ``by_kind``, or None if not in the first 100."""
        return self._examples.get(kind)

    def __bool__(self) -> bool:
        """Return whether any row was left out."""
        return self.count > 0

    def __str__(self) -> str:
        """Return the number of rows, and for each reason its number and its first row."""
        if not self:
            return f"no row of {self.path} was left out"
        rows = "1 row of {} was" if self.count == 1 else f"{self.count:,} rows of {{}} were"
        lines = [f"{rows.format(self.path)} left out:"]
        for kind, count in self.by_kind.items():
            example = self._examples.get(kind)
            lines.append(f"{count:,} {kind}{self._place(example) if example else ''}")
        return "\n".join(lines)

    def _place(self, error: CsvError) -> str:
        # Each of several files counts its own lines.
        path = "" if error.path == self.path else f"{error.path}, "
        column = "" if error.column_name is None else f", column {error.column_name!r}"
        return f", as in {path}line {error.line}{column}: {error.text!r}"


class Rejecting:
    """The part of ``CsvDataset`` that tells which bad rows it leaves out."""

    _reader: _core.Reader
    _options: Options
    _passes: Passes
    _conditions_plan: _core.Plan | None

    @property
    def rejects(self) -> Rejects:
        """The rows of the whole source that ``on_error="skip"`` leaves out.

        The first use reads the source, in the pass that also counts the rows. ``max_rejects`` does
        not limit them: after iteration has raised because of too many, this reports all. After
        ``where``, they include the rows whose fields it cannot compare.
        """
        return Rejects.of(self._reader, self._passes, self._conditions_plan)

    def write_rejects(self, path: str | os.PathLike[str]) -> int:
        """Write the rows that ``on_error="skip"`` leaves out to a file, in a pass over the source.

        Parameters
        ----------
        path : str or os.PathLike
            A CSV file to write or overwrite. It has the columns ``path``, ``line``, ``byte_offset``
            and ``column`` of the error, a short ``reason``, and ``row``: the text of the whole row
            as a quoted field, without its line end. The file is UTF-8, decoded from the
            ``encoding`` of the dataset. Rows of a UTF-8 source keep their bytes, valid or not.

        Returns
        -------
        int
            Number of rows written.

        Raises
        ------
        ValueError
            If the dataset reads that file.
        CsvError, OSError
            As iteration does, except for too many rejects; or if the file cannot be written.
        """
        target = os.fsdecode(path)
        if is_among(self._options.source, target):
            raise ValueError(f"{target!r} is a file that is read: name another one")
        with self._passes.shown("writing bad rows of"):
            return (self._conditions_plan or self._reader).write_rejects(target)
