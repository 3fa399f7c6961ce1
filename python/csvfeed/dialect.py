"""How a CSV file is written, as far as it differs from one file to the next."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Any

from csvfeed import _core


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
        The character before one that stands for itself.
    comment : str or None
        The character with which lines begin that are left out.
    decimal : str
        The decimal sign, ``"."`` or ``","``.
    thousands : str or None
        The character between groups of three digits.
    encoding : str
        How characters beyond ASCII are written.
    header : bool
        Whether the first row names the columns.
    skip_rows : int
        Lines before it that are left out.
    skip_initial_space, skip_final_space : bool
        Whether spaces beside quotes are left out, before opening and after closing ones.
    skip_rows_after_header, skip_footer : int
        Lines after the header, and at the end, that are left out.
    short_rows : str
        What becomes of rows with too few fields, ``"raise"`` or ``"fill"``.
    line_end : str
        What the first row ends with: ``"\n"`` or ``"\r\n"``, and other rows may end with either; or
        ``"\r"``, and all rows end so.

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

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of a CsvDataset for such files, as far as they are not the usual ones."""
        plain = Dialect()
        kept = {name: getattr(self, name) for name in (field.name for field in fields(self))}
        del kept["line_end"]
        return {
            name: value
            for name, value in kept.items()
            if name == "header" or value != getattr(plain, name)
        }

    def __str__(self) -> str:
        """Return the same as the text of a call."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items())


def sniff(source: str | os.PathLike[str] | bytes, *, whole: bool = True) -> Dialect:
    r"""Return how a file seems to be written, from its first 64 KiB.

    Found are the delimiter, a single quote in place of a double one, lines of comments at the top
    that begin with "#", other lines before the table, backslashes that escape, the decimal sign,
    what stands between groups of three digits, and whether there is a header and the text is UTF-8
    at all. It is a guess: look at it before you use it.

    Parameters
    ----------
    source : str, os.PathLike or bytes
        Path of the file, or its content.
    whole : bool, default True
        False if ``source`` is only the beginning of the content.

    Returns
    -------
    Dialect
        ``CsvDataset(source, **dialect.options)`` reads the file so.

    Raises
    ------
    CsvError
        If the file is empty, is no text, or can be read in several ways.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> import csvfeed.dialect
    >>> csvfeed.dialect.sniff(b"name;price\nA;1.234,50\nB;2,50\n").options
    {'delimiter': ';', 'decimal': ',', 'thousands': '.', 'header': True}
    """
    if isinstance(source, bytes):
        name, content = "<bytes>", source
    else:
        name = os.fsdecode(source)
        with open(source, "rb") as file:
            content = file.read(_core.SAMPLE + 1)
    is_whole = whole and len(content) <= _core.SAMPLE
    return Dialect(*_core.sniff(content[: _core.SAMPLE], is_whole, name))
