"""How a CSV file is written: `Dialect`, and `sniff`, which detects it."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from typing import Any

from csvfeed import _core
from csvfeed.dialect_options import DialectOptions

# Detected in the file; not an option of a dataset.
_FOUND = ("line_end", "trailing_delimiter")


@dataclass(frozen=True)
class Dialect:
    r"""How a CSV file is written.

    Attributes
    ----------
    delimiter : str
        The character between fields.
    quote : str or None
        The character around fields that hold delimiters or line ends.
    escape : str or None
        The character that makes the next one literal.
    comment : str or None
        The character at the beginning of comment lines.
    decimal : str
        The decimal sign, ``"."`` or ``","``.
    thousands : str or None
        The character between groups of three digits.
    encoding : str
        The encoding of text beyond ASCII.
    header : bool
        Whether the first row names the columns.
    skip_rows : int
        Lines to skip before the header.
    skip_initial_space, skip_final_space : bool
        Whether to skip spaces before opening quotes, and after closing quotes.
    skip_rows_after_header, skip_footer : int
        Lines to skip after the header, and at the end.
    short_rows : str
        What happens to rows with too few fields: ``"raise"`` or ``"fill"``.
    line_end : str
        The end of the first row: ``"\n"`` or ``"\r\n"``, and other rows may end with either; or
        ``"\r"``, and all rows end with it.
    trailing_delimiter : bool
        Whether each row ends with a delimiter that begins no column. csvfeed detects this in the
        first rows.

    Examples
    --------
    >>> import csvfeed
    >>> ds = csvfeed.CsvDataset(b"a;y\n1,5;0\n", delimiter="auto", decimal=",")
    >>> print(ds.dialect)
    delimiter=';', decimal=',', header=True
    """

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    comment: str | None = None
    decimal: str = "."
    thousands: str | None = None
    encoding: str = "utf-8"
    header: bool = True
    skip_rows: int = 0
    line_end: str = "\n"
    skip_initial_space: bool = False
    skip_final_space: bool = False
    skip_rows_after_header: int = 0
    skip_footer: int = 0
    short_rows: str = "raise"
    trailing_delimiter: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of a CsvDataset for such files, without those that equal the default."""
        plain = Dialect()
        kept = {name: getattr(self, name) for name in (field.name for field in fields(self))}
        for found in _FOUND:
            del kept[found]
        return {
            name: value
            for name, value in kept.items()
            if name == "header" or value != getattr(plain, name)
        }

    def __str__(self) -> str:
        """Return `options` as the text of a call."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items())


@dataclass(frozen=True)
class Choice:
    """A way of reading a file.

    Attributes
    ----------
    dialect : Dialect
        How the file would be written.
    score : float
        How much the file then looks like a table, from 0 to 1.
    names : list of str or None
        The names in the header, or None without a header.
    rows : list of list of str
        The text of the fields of the first rows.
    """

    dialect: Dialect
    score: float
    names: list[str] | None
    rows: list[list[str]]

    @classmethod
    def of(cls, choice: Any) -> Choice:
        """Return the choice that the core describes."""
        return cls(**{**choice, "dialect": Dialect(**choice["dialect"])})


def sniff(source: str | os.PathLike[str] | bytes, *, whole: bool = True, **known: Any) -> Dialect:
    r"""Detect how a file is written.

    csvfeed reads a sample of rows in each possible way and scores it: how many rows have the same
    number of fields, and how uniform each column is. The sample has rows from the beginning, the
    middle and the end of a file, but only from the beginning of a compressed or remote file. If two
    ways score about the same and give different values, the error shows both.

    csvfeed detects the delimiter, the quote, backslashes as escapes, comment lines, lines before
    the table, the decimal sign, the thousands separator, the encoding (UTF-8, latin-1 or cp1252),
    spaces beside quotes (``skip_initial_space``, ``skip_final_space``), a header, and a delimiter
    at the end of each row.

    Parameters
    ----------
    source : str, os.PathLike or bytes
        Path of the file, or its content.
    whole : bool, default True
        Give False if ``source`` is only the beginning of the content.
    **known
        Arguments of a CsvDataset that you know: ``delimiter``, ``quote``, ``escape``,
        ``comment``, ``skip_rows``, ``decimal``, ``thousands``, ``encoding``,
        ``skip_initial_space``, ``skip_final_space`` and ``header``. csvfeed does not detect
        ``skip_rows_after_header``, ``skip_footer`` and ``short_rows``; the result has them as
        given.

    Returns
    -------
    Dialect
        ``CsvDataset(source, **dialect.options)`` reads the file that way.

    Raises
    ------
    DialectError
        If several ways give different values, or the file does not look like a table.
    EncodingError
        If the file is not text, or is in an encoding that csvfeed does not read.
    CsvError
        If the file is empty.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> import csvfeed.dialect
    >>> csvfeed.dialect.sniff(b"name;price\nA;1.234,50\nB;2,50\n").options
    {'delimiter': ';', 'decimal': ',', 'thousands': '.', 'header': True}
    """
    return ranked(source, whole=whole, **known)[0].dialect


def ranked(
    source: str | os.PathLike[str] | bytes, *, whole: bool = True, **known: Any
) -> list[Choice]:
    """Return the ways of reading a file that `sniff` considers, the best first.

    It takes the parameters of `sniff` and raises the same errors.

    Returns
    -------
    list of Choice
        At most four.
    """
    given = _checked(known)
    if isinstance(source, bytes):
        part: str | bytes = source
        if not whole:
            # A truncated last row would mislead.
            part = source[: source.rfind(b"\n") + 1] or source
    else:
        part = os.fsdecode(source)
    dialect, choices = _core.sniff(part, given)
    first, *others = (Choice.of(choice) for choice in choices)
    kept = ("skip_rows_after_header", "skip_footer", "short_rows")
    said = {name: given[name] for name in kept if name in given}
    return [replace(first, dialect=replace(Dialect(**dialect), **said)), *others]


def _checked(known: dict[str, Any]) -> dict[str, Any]:
    """Return the known options as the core takes them."""
    usual = {field.name: field.default for field in fields(Dialect)}
    unknown = known.keys() - usual.keys() | known.keys() & set(_FOUND)
    if unknown:
        raise TypeError(f"sniff() takes no argument {min(unknown)!r}")
    plain = {name: usual[name] for name in usual if name not in ("header", *_FOUND)}
    if known.get("thousands") == ".":
        # The other sign is found, not the usual one.
        plain["decimal"] = ","
    said = {name: value for name, value in known.items() if name != "header"}
    checked = DialectOptions.of(**{**plain, **said})
    given = {name: getattr(checked, name) for name in said}
    if given.get("delimiter") == "auto":
        del given["delimiter"]
    if isinstance(known.get("header"), bool):
        given["header"] = known["header"]
    return given
