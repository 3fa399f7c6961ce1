"""The table of docs/errors.md: bad input, and what is said about it.

Each case is really read when the table is checked (``test_errors_docs.py``) or written anew:

    python tests/support/error_table.py
"""

from __future__ import annotations

import gzip
import io
import os
import re
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import csvfeed

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
NAME = "data.csv"
A_DIRECTORY = "a directory"


def read(ds: csvfeed.CsvDataset) -> None:
    """Read an epoch."""
    for _ in ds:
        pass


@dataclass
class Case:
    """A kind of bad input.

    Attributes
    ----------
    what : str
        What is wrong, which is unique.
    content : bytes or None
        What the file holds; None if there is no file.
    do : str
        What to do about it.
    options : dict
        Arguments of ``CsvDataset``.
    then : callable
        What is done with the dataset.
    call : str
        The same in short, if it is not to read it.
    shown : str, optional
        The file in short; its content by default.
    """

    what: str
    content: bytes | None
    do: str
    options: dict[str, Any] = field(default_factory=dict)
    then: Callable[[csvfeed.CsvDataset], object] = read
    call: str = ""
    shown: str | None = None

    def caught(self) -> Exception:
        """Return what is raised for it, in the current directory."""
        if self.content is not None:
            Path(NAME).write_bytes(self.content)
        elif self.what == A_DIRECTORY:
            os.mkdir(NAME)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self.then(csvfeed.CsvDataset(NAME, **self.options))
            except Exception as error:
                return error
        raise AssertionError(f"nothing is raised for {self.what}")

    def row(self) -> str:
        """Return its row of the table."""
        error = self.caught()
        text = (self.content or b"").decode("utf-8", "backslashreplace")
        text = text.replace("\r", "␍").replace("\n", "⏎").replace("\0", "\\0")
        shown = text if self.shown is None else self.shown
        options = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        options = re.sub(r"<class '(\w+)'>", r"\1", options)
        options = ", ".join(code(part) for part in (options, self.call) if part)
        cells = [
            ": ".join([self.what, *([code(shown)] if shown else [])])
            + (f" with {options}" if options else ""),
            code(type(error).__name__),
            code(str(error)),
            self.do,
        ]
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def code(text: str) -> str:
    """Return a text as code, whatever it holds."""
    fence = "``" if "`" in text else "`"
    space = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{space}{text}{space}{fence}"


def archive(files: dict[str, bytes]) -> bytes:
    """Return a zip archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as zipped:
        for name, text in files.items():
            # Always the same, so that the table is.
            zipped.writestr(zipfile.ZipInfo(name), text)
    return content.getvalue()


def append(ds: csvfeed.CsvDataset) -> None:
    """Read the file after a row was appended to it."""
    with open(NAME, "ab") as file:
        file.write(b"5,6\n")
    read(ds)


def resume(ds: csvfeed.CsvDataset) -> None:
    """Go on from the state of another dataset."""
    ds.load_state_dict(csvfeed.CsvDataset(b"a,y\n7,8\n").state_dict())


def partitioned(key: str, **options: Any) -> Callable[[csvfeed.CsvDataset], object]:
    """Return what reads the file from below a directory of that name."""

    def make(_: csvfeed.CsvDataset) -> object:
        os.renames(NAME, f"t/{key}/{NAME}")
        return csvfeed.CsvDataset("t", **options)

    return make


SKIP = {"on_error": "skip"}

FIELDS = [
    Case(
        "a word in a number",
        b"a,y\n1,2\ntwo,3\n",
        'Mend the row, leave it out with `on_error="skip"`, or do as the message says.',
    ),
    Case(
        "a text column that was not left out",
        b"name,a,y\nAnn,1,2\n",
        "Do as the message says: columns that are not named may hold anything.",
    ),
    Case(
        "a column of free text",
        b"review,y\nnot a bad film at all,1\n",
        "Name the other columns in `features=`.",
    ),
    Case(
        "a token for no value that is not known",
        b"a,y\n1,2\n-,3\n",
        'Add it: `missing=[*csvfeed.MISSING, "-"]`.',
    ),
    Case(
        "a decimal comma",
        b"a;y\n1,5;2\n",
        'Say `decimal=","`.',
        {"delimiter": ";"},
    ),
    Case("a comma between thousands", b'a,y\n"1,500",2\n', 'Say `thousands=","`.'),
    Case("a unit", b"a,y\n5 kg,2\n", "Write the number alone."),
    Case("a currency", b"a,y\n$5,2\n", 'Say `numbers={"a": "currency"}`.'),
    Case("a percentage", b"a,y\n12.5%,2\n", 'Say `numbers={"a": "percent"}`.'),
    Case("an exponent of Fortran", b"a,y\n1.5D+03,2\n", 'Say `numbers={"a": "fortran"}`.'),
    Case("a hexadecimal number", b"a,y\n0x1F,2\n", 'Say `numbers={"a": "hex"}`.'),
    Case(
        "infinity as old C libraries print it", b"a,y\n1.#INF,2\n", 'Say `numbers={"a": "msvc"}`.'
    ),
    Case("a duration", b"a,y\n125:03:07,2\n", "Do as the message says."),
    Case("a date", b"a,y\n2024-05-01,2\n", "Do as the message says."),
    Case("a truth value", b"a,y\ntrue,2\n", "Do as the message says."),
    Case(
        "a header in the middle, as where files were joined",
        b"a,y\n1,2\na,y\n3,4\n",
        'Remove it, or leave it out with `on_error="skip"`.',
    ),
    Case("a NUL byte", b"a,y\n1\x00,2\n", "The file is damaged: get it anew."),
    Case(
        "bytes that are no text",
        b"a,y\n\xff\xfe,2\n",
        "The file is damaged, or not CSV.",
    ),
    Case(
        "a row without a target",
        b"a,y\n1,2\n3,\n",
        'Choose `missing_target="skip"` or `"keep"`.',
    ),
    Case(
        "a row without a weight",
        b"a,y,w\n1,2,\n",
        'Choose `missing_target="skip"` or `"keep"`.',
        {"target": "y", "weight": "w"},
    ),
]

ROWS = [
    Case("a row that is too short", b"a,b,y\n1,2,3\n4,5\n6,7,8\n", "Mend the row, or skip it."),
    Case("a file that was cut off", b"a,b,y\n1,2,3\n4", "Get the file anew."),
    Case(
        "a row that is too long", b"a,y\n1,2,3\n", "Put quotes around the field, or skip the row."
    ),
    Case(
        "a delimiter at the end of some rows",
        b"a,y\n1,2\n3,4,\n",
        'Mend the row, or name the columns: `header=["a", "y", "nothing"], skip_rows=1`.',
    ),
    Case(
        "a value after the delimiter that ends the rows",
        b"a,y\n" + b"1,2,\n" * 300 + b"3,4,5\n",
        'Name the columns: `header=["a", "y", "more"], skip_rows=1`.',
        shown="a,y⏎1,2,⏎…3,4,5⏎",
    ),
    Case(
        "a row without the delimiter that ends the others",
        b"a,y\n" + b"1,2,\n" * 300 + b"3,4\n",
        'Mend the row, or say `short_rows="fill"`.',
        shown="a,y⏎1,2,⏎…3,4⏎",
    ),
    Case("a row with another delimiter", b"a,y\n1,2\n3;4\n", "Mend the row, or skip it."),
    Case(
        "a stray quote that another one closes many rows later",
        b'a,y\n1,"2\n' + b"3,4\n" * 20 + b'5,6"\n',
        "Close it, double it, or say `quote=None`.",
        shown='a,y⏎1,"2⏎3,4⏎…3,4⏎5,6"⏎',
    ),
    Case("a quote that is never closed", b'a,y\n1,"2\n3,4\n', "Close it, or say `quote=None`."),
    Case(
        "the same where wrong rows are skipped",
        b'a,y\n1,"2\n3,4\n',
        "Close it, or say `quote=None`.",
        SKIP,
    ),
    Case("text after a closing quote", b'a,y\n"1"x,2\n', "Mend the row, or skip it."),
    Case("a space after a closing quote", b'a,y\n"1" ,2\n', "Say `skip_final_space=True`."),
    Case("a space before a quote", b'a,y\n1, "2"\n', "Say `skip_initial_space=True`."),
    Case(
        "a space before a quoted delimiter",
        b'a,b,y\n1, "Paris, TX", 0\n',
        "Say `skip_initial_space=True`.",
        {"features": ["a"]},
    ),
    Case(
        "a row beyond the limit",
        b"a,t,y\n1," + b"x" * (2 << 20) + b",2\n",
        "Give more `memory=`, if there are such rows.",
        {"features": ["a"], "memory": 1 << 20},
        shown="a,t,y⏎1,xxx…,2⏎",
    ),
]

CODES = [
    Case(
        "a sign of windows-1252 in text read as latin-1",
        "a;y\n5 €;1\n".encode("cp1252"),
        'Say `encoding="windows-1252"`.',
        {"delimiter": ";", "encoding": "latin-1", "numbers": "currency"},
        shown="a;y⏎5 \\x80;1⏎",
    ),
    Case(
        "a year of two digits",
        b"a,y\n31.12.24,1\n",
        "Say `%y`.",
        {"dates": {"a": csvfeed.Date("day", format="%d.%m.%Y")}},
    ),
    Case(
        "a word that is no boolean",
        b"a,y\nmaybe,1\n",
        "Mend it, or say what means no value.",
        {"booleans": ["a"]},
    ),
    Case(
        "a date in another format",
        b"a,y\n31.12.2024,1\n",
        'Say `dates={"a": csvfeed.Date("hour", format="%d.%m.%Y")}`.',
        {"dates": {"a": "hour"}},
    ),
    Case(
        "a day that does not exist",
        b"a,y\n2023-02-29,1\n",
        "Mend it, or say what means no value.",
        {"dates": {"a": "day"}},
    ),
    Case(
        "a day in the place of the month",
        b"a,y\n13/11/2024,1\n",
        "Take the other format, if all dates are written so.",
        {"dates": {"a": csvfeed.Date("day", format="%m/%d/%Y")}},
    ),
    Case(
        "a time zone that is not known",
        b"a,y\n2024-05-01 10:00 CET,1\n",
        "Write offsets, or convert the column to UTC.",
        {"dates": {"a": "hour"}},
    ),
    Case(
        "a duration that may be hours or minutes",
        b"a,y\n12:30,1\n",
        'Say `csvfeed.Duration(format="%H:%M")` or `"%M:%S"`.',
        {"dates": {"a": csvfeed.Duration()}},
    ),
    Case(
        "a number without a sign among percentages",
        b"a,y\n5%,1\n0.5,2\n",
        'Say `["percent", "plain"]`, or write the sign.',
        {"numbers": {"a": "percent"}},
    ),
    Case(
        "a word in a column of currencies",
        b"a,y\n$5,1\nfive,2\n",
        "Mend the row, or say what means no value.",
        {"numbers": {"a": "currency"}},
    ),
    Case(
        "a list of another length",
        b"a,y\n1 2 3,1\n4 5,2\n",
        "Mend the row, or say the length and the separator of the lists.",
        {"lists": {"a": csvfeed.List(3)}},
    ),
    Case(
        "a list with another separator",
        b"a,y\n1;2;3,1\n",
        "Do as the message says.",
        {"lists": {"a": csvfeed.List(3)}},
    ),
    Case(
        "a word in a list",
        b"a,y\n1 two,1\n",
        "Mend the row, or say what means no value.",
        {"lists": {"a": csvfeed.List(2)}},
    ),
    Case(
        "an unknown category in a list that is the target",
        b"a,y\n1,red|blue\n",
        "Do as the message says.",
        {"lists": {"y": csvfeed.MultiHot(["red", "green"])}},
    ),
    Case(
        "lists without a category",
        b"a,b,y\n1,[],2\n",
        "Leave the column out.",
        {"lists": {"b": csvfeed.MultiHot()}},
    ),
    Case(
        "a form of numbers that is not known",
        b"a,y\n5%,1\n",
        "Name one of those.",
        {"numbers": {"a": "percentage"}},
    ),
    Case(
        "a part of a date that is not known",
        b"a,y\n2024-01-01,1\n",
        "Name one of those.",
        {"dates": {"a": "week"}},
    ),
    Case(
        "a target that is not in the list",
        b"a,y\n1,blue\n",
        "Do as the message says.",
        {"categories": {"y": ["red", "green"]}},
    ),
    Case(
        "an id that is no integer, where ids says so",
        b"order,a,y\nA-1,1,2\n",
        'Say `ids={"order": str}`.',
        {"ids": {"order": int}},
        lambda ds: list(ds.with_ids()),
        "ds.with_ids()",
    ),
    Case(
        "an id that is not UTF-8",
        b"name,a,y\nJos\xe9,1,2\n",
        'Say `encoding="latin-1"`, or what it is.',
        {"ids": ["name"]},
        lambda ds: list(ds.with_ids()),
        "ds.with_ids()",
    ),
    Case(
        "a category that is not UTF-8",
        b"city,a,y\nK\xf6ln,1,2\n",
        'Say `encoding="latin-1"`, or what it is.',
        {"categories": {"city": ["Köln"]}},
    ),
    Case(
        "the classes of a target of numbers",
        b"a,y\n1,2\n",
        "Say which classes there are.",
        then=lambda ds: ds.classes,
        call="ds.classes",
    ),
    Case(
        "a row of classes for a target of numbers",
        b"a,y\n1,2\n",
        "Say which classes there are, or leave `one_hot=` out.",
        {"one_hot": ["y"]},
    ),
    Case(
        "a row of classes for one of several targets",
        b"a,y,z\n1,red,2\n",
        "Do as the message says.",
        {"target": ["y", "z"], "categories": {"y": "auto"}, "one_hot": True},
    ),
    Case(
        "a row of classes for a feature",
        b"a,y\nred,2\n",
        "Leave `one_hot=` out.",
        {"categories": {"a": "auto"}, "one_hot": ["a"]},
    ),
    Case(
        "a category that is listed twice",
        b"a,y\nred,1\n",
        "List it once.",
        {"categories": {"a": ["red", "red"]}},
    ),
    Case(
        "a category that means no value",
        b"a,y\nNA,1\n",
        "Take it out of the list, or out of `missing=`.",
        {"categories": {"a": ["NA"]}},
    ),
]

DIALECTS = [
    Case(
        "a thousands separator in the wrong place",
        b"a;y\n1.2345;2\n",
        "Mend the number, or say what it means.",
        {"delimiter": ";", "decimal": ",", "thousands": "."},
    ),
    Case(
        "a first line that names another delimiter",
        b"sep=;\na;y\n1;2\n",
        'Say `delimiter=";"`, or `"auto"`.',
    ),
    Case(
        "an escape with nothing after it",
        b"a,y\n1,2\n3,4\\",
        "Mend the row, or say what escapes.",
        {"escape": "\\"},
    ),
    Case(
        "nothing after the lines to skip",
        b"a,y\n1,2\n",
        "Skip fewer.",
        {"skip_rows": 5},
    ),
    Case(
        "lines after a header that is none",
        b"1,2\n3,4\n",
        "Say `header=True`, or `skip_rows=`.",
        {"skip_rows_after_header": 1},
    ),
    Case(
        "a footer that is the whole table",
        b"a,y\n1,2\n",
        "Skip fewer.",
        {"skip_footer": 1},
    ),
    Case("an encoding that is not read", b"a,y\n1,2\n", "Convert it.", {"encoding": "koi8-r"}),
]

SKIPPED = [
    Case(
        "more wrong rows than may be",
        b"a,y\n1,2\nx,3\n4,5\n6\n",
        "`print(ds.rejects)`; mend them, or raise `max_rejects=`.",
        {**SKIP, "max_rejects": 1},
    ),
    Case(
        "wrong rows and no other",
        b"a,y\nx,1\ny,2\n",
        "`print(ds.rejects)`: a column of text among the features, or another delimiter.",
        SKIP,
    ),
    Case(
        "a limit to what is not skipped",
        b"a,y\n1,2\n",
        'Say `on_error="skip"` too.',
        {"max_rejects": 3},
    ),
    Case(
        "rejects to be written over the file",
        b"a,y\n1,2\nx,3\n",
        "Name another file.",
        SKIP,
        lambda ds: ds.write_rejects(NAME),
        "ds.write_rejects('data.csv')",
    ),
]

FILES = [
    Case("no file", None, "Look at the path."),
    Case(A_DIRECTORY, None, "Name a file in it."),
    Case("an empty file", b"", "Was it written?", shown=""),
    Case("blank lines alone", b"\n\n", "Was it written?"),
    Case("a header alone", b"a,y\n", "Was it written to the end?"),
    Case(
        "UTF-16 with a mark",
        "\ufeffa,y\n1,2\n".encode("utf-16-le"),
        'Say `encoding="utf-16"`.',
        shown="\\xff\\xfea\\0,\\0y\\0…",
    ),
    Case(
        "UTF-16 without a mark",
        "a,y\n1,2\n".encode("utf-16-le"),
        'Say `encoding="utf-16-le"`.',
        shown="a\\0,\\0y\\0…",
    ),
    Case(
        "UTF-32",
        "\ufeffa,y\n1,2\n".encode("utf-32-le"),
        "Convert it once.",
        shown="\\xff\\xfe\\0\\0a\\0\\0\\0…",
    ),
    Case(
        "line ends of CR, and then of LF",
        b"a,y\r" + b"1,2\r" * 20000 + b"3,4\n",
        "Convert them once.",
        shown="a,y␍1,2␍…3,4⏎",
    ),
    Case("line ends of CR and of LF in the header", b"a,y\r1,2\n3,4\n", "Convert them once."),
    Case("a line end of CR among others", b"a,y\n1,2\r3,4\n", "Convert them once."),
    Case(
        "a gzip file that is cut off",
        gzip.compress(b"a,y\n1,2\n")[:-9],
        "Get the file anew.",
        shown="\\x1f\\x8b…",
    ),
    Case(
        "a gzip file that is damaged",
        gzip.compress(b"a,y\n1,2\n")[:-8] + bytes(8),
        "Get the file anew.",
        shown="\\x1f\\x8b…",
    ),
    Case(
        "an archive of several files",
        archive({"one.csv": b"a,y\n1,2\n", "two.csv": b"a,y\n3,4\n"}),
        "Unpack it: `CsvDataset` takes a list or a directory.",
        shown="PK\\x03\\x04…",
    ),
    Case(
        "a spreadsheet",
        archive({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}),
        "Export it as CSV.",
        shown="PK\\x03\\x04…",
    ),
    Case(
        "text in an encoding that is not the one said",
        "\ufeffa,y\n1,2\n".encode("utf-16-le") + b"\x00\xd8",
        "Look at `encoding=`, or get the file anew.",
        {"encoding": "utf-16"},
        shown="\\xff\\xfea\\0,\\0y\\0…",
    ),
    Case("a Parquet file", b"PAR1\x15\x04", "Export it as CSV.", shown="PAR1…"),
    Case("an array of numpy", b"\x93NUMPY\x01\0", "Load it with numpy.", shown="\\x93NUMPY…"),
    Case(
        "a Git LFS pointer",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        "Fetch the file.",
    ),
    Case("libsvm", b"1 1:0.5 3:2\n-1 2:1 7:3\n", "Load it with scikit-learn."),
    Case(
        "text in Shift_JIS",
        b"\x96\xbc\x91O,\x90\x94\n\x93\x8c\x8b\x9e,1\n",
        "Convert it to UTF-8.",
        shown="\\x96\\xbc\\x91O,…",
    ),
    Case("an image", b"\x89PNG\r\n\x1a\n", "Name the table.", shown="\\x89PNG…"),
    Case("other binary data", b"\1\0\0a\n", "Name the table.", shown="\\x01\\0\\0a…"),
    Case("JSON", b'{"a": 1, "y": "2"}\n', "Export it as CSV."),
    Case("a web page", b"<!DOCTYPE html>\n", "Look at the address."),
    Case(
        "a file that grew after the dataset was made",
        b"a,y\n1,2\n3,4\n",
        "Make the dataset once the file is complete.",
        then=append,
    ),
]

COLUMNS = [
    Case("a name that is not UTF-8", b"a\xe9,y\n1,2\n", "Convert the file, or name the columns."),
    Case(
        "more names than columns",
        b"1,2\n3,4\n",
        "Name each column.",
        {"header": ["a", "b", "y"]},
    ),
    Case("a column that is not there", b"a,y\n1,2\n", "Look at the names.", {"target": "z"}),
    Case(
        "another delimiter than the file's",
        b"a;y\n1;2\n",
        "Say `delimiter=`.",
    ),
    Case(
        "another delimiter than the file's, without a target",
        b"a;y\n1;2\n",
        "Say `delimiter=`.",
        {"target": None},
    ),
    Case("a name that two columns have", b"a,a,y\n1,2,3\n", "Use the index.", {"features": ["a"]}),
    Case("an index beyond the last", b"a,y\n1,2\n", "Count from 0, or from -1.", {"target": 5}),
    Case("a column named twice", b"a,y\n1,2\n", "Name it once.", {"features": ["a", 0]}),
    Case(
        "a weight without a target",
        b"a,w\n1,2\n",
        "Name the target.",
        {"target": None, "weight": "w"},
    ),
    Case(
        "a weight that is the target",
        b"a,y\n1,2\n",
        "Name the two columns.",
        {"target": "y", "weight": "y"},
    ),
    Case(
        "a feature that is the target",
        b"a,y\n1,2\n",
        "Take it out of `features=`.",
        {"target": "y", "features": ["a", "y"]},
    ),
    Case(
        "a feature that is the target, which is not named",
        b"a,b\n1,2\n",
        "Say `target=None`, or name the target.",
        {"features": ["a", "b"]},
    ),
    Case(
        "an id that is the target",
        b"order,a,y\n1,2,3\n",
        "Name another target, or `target=None`.",
        {"ids": ["y"]},
    ),
    Case(
        "ids and no feature",
        b"order,y\n1,2\n",
        "Name the features in `features=`.",
        {"ids": ["order"]},
    ),
    Case(
        "ids of a dataset that has none",
        b"a,y\n1,2\n",
        "Name them: `ids=[...]`.",
        then=lambda ds: ds.with_ids(),
        call="ds.with_ids()",
    ),
    Case("no feature", b"y\n1\n", "Say `target=None`, or `delimiter=`."),
    Case(
        "a key that is not there",
        b"a,y\n1,2\n",
        "Look at the names.",
        then=lambda ds: ds.split(0.1, by="user"),
        call="ds.split(0.1, by='user')",
    ),
]

VALUES = [
    Case(
        "a fill for a column that is no feature",
        b"a,y\n1,2\n",
        "Name a feature.",
        {"fill": {"y": 0}},
    ),
    Case(
        "the mean of a column without a value",
        b"a,y\n,2\n,3\n",
        "Fill it with a number, or leave it out.",
        {"fill": "mean"},
    ),
    Case(
        "targets that are all missing",
        b"a,y\n1,\n2,\n",
        "Look at `target=`.",
        {"missing_target": "skip"},
    ),
    Case(
        "a delimiter of two characters",
        b"a,y\n1,2\n",
        "Name one ASCII character.",
        {"delimiter": "::"},
    ),
    Case(
        "a quote that is the delimiter",
        b"a,y\n1,2\n",
        "Name another, or None.",
        {"quote": ","},
    ),
    Case(
        "the buffer size of another shuffle",
        b"a,y\n1,2\n",
        "Leave it out, or say `seed=`.",
        then=lambda ds: ds.shuffle(10_000),
        call="ds.shuffle(10_000)",
    ),
    Case(
        "an option of pandas",
        b"a,y\n1,2\n",
        "Do as the message says.",
        {"sep": ";"},
    ),
    Case(
        "a word that is compared with numbers",
        b"a,b,y\n1,2,3\n4,x,5\n",
        "Correct it, or do as the message says.",
        {"features": ["a"]},
        then=lambda ds: ds.where({"b": (0, None)}).num_rows,
        call="ds.where({'b': (0, None)})",
    ),
    Case(
        "a condition on a column that is not there",
        b"amount,y\n1,2\n",
        "Correct the name.",
        then=lambda ds: ds.where({"amonut": (0, None)}),
        call="ds.where({'amonut': (0, None)})",
    ),
    Case(
        "a text for a column of numbers",
        b"a,y\n1,2\n",
        "Give numbers.",
        then=lambda ds: ds.where({"a": "1"}),
        call="ds.where({'a': '1'})",
    ),
    Case(
        "a value that is read as missing",
        b"a,b,y\n1,NA,3\n",
        "Say `csvfeed.ABSENT`.",
        {"features": ["a"]},
        then=lambda ds: ds.where({"b": ["NA", "x"]}),
        call="ds.where({'b': ['NA', 'x']})",
    ),
    Case(
        "a range without a number in it",
        b"a,y\n1,2\n",
        "Put the lower bound first.",
        then=lambda ds: ds.where({"a": (5, 1)}),
        call="ds.where({'a': (5, 1)})",
    ),
    Case(
        "conditions that no row meets",
        b"a,y\n1,2\n",
        "Look at the conditions.",
        then=lambda ds: read(ds.where({"a": 5})),
        call="ds.where({'a': 5})",
    ),
    Case(
        "the first rows of a shard",
        b"a,y\n1,2\n",
        "Do as the message says.",
        then=lambda ds: ds.shard(0, 2).take(5),
        call="ds.shard(0, 2).take(5)",
    ),
    Case(
        "a separator that numbers have",
        b"a;y\n1,5 2,5;1\n",
        "Name the one that stands between values.",
        {"delimiter": ";", "decimal": ",", "lists": {"a": csvfeed.List(2, ",")}},
    ),
    Case("no batch size", b"a,y\n1,2\n", "Name one.", {"batch_size": 0}),
    Case(
        "classes that are balanced without a method",
        b"a,y\n1,no\n2,yes\n",
        "Choose a method.",
        {"target": None, "features": ["a"]},
        then=lambda ds: ds.balance("y"),  # type: ignore[call-arg]
        call="ds.balance('y')",
    ),
    Case(
        "a class without a number in the ratio",
        b"a,y\n1,no\n2,yes\n",
        "Give each class a number.",
        {"features": ["a"], "target": None},
        then=lambda ds: len(ds.balance("y", method="undersample", ratio={"no": 2})),
        call="ds.balance('y', method='undersample', ratio={'no': 2})",
    ),
    Case(
        "a class of the ratio that no row has",
        b"a,y\n1,0.0\n2,1.0\n",
        "Name the classes as the file writes them.",
        {"features": ["a"], "target": None},
        then=lambda ds: len(
            ds.balance("y", method="undersample", ratio={"0.0": 1, "1.0": 1, "2": 1})
        ),
        call="ds.balance('y', method='undersample', ratio={'0.0': 1, '1.0': 1, '2': 1})",
    ),
    Case(
        "a class that is too rare to be repeated",
        b"a,y\n" + b"1,no\n" * 1500 + b"2,yes\n",
        "Undersample, or ask for another ratio.",
        {"features": ["a"], "target": None},
        then=lambda ds: len(ds.balance("y", method="oversample")),
        call="ds.balance('y', method='oversample')",
        shown="",
    ),
    Case(
        "classes of a column that holds numbers",
        b"a,y\n" + b"".join(b"%d,1\n" % n for n in range(10_001)),
        "Name the column of the class, or do as the message says.",
        then=lambda ds: len(ds.split(0.1, stratify="a")[0]),
        call="ds.split(0.1, stratify='a')",
        shown="",
    ),
    Case(
        "a split of rows that are repeated",
        b"a,y\n1,2\n",
        "Split first.",
        then=lambda ds: ds.balance("y", method="oversample").split(0.1),
        call="ds.balance('y', method='oversample').split(0.1)",
    ),
    Case(
        "windows over rows that are drawn",
        b"a,y\n1,2\n",
        "Do as the message says.",
        then=lambda ds: ds.balance("y", method="undersample").windows(2),
        call="ds.balance('y', method='undersample').windows(2)",
    ),
    Case(
        "windows over a log in the order of time",
        b"a,y\n1,2\n2,2\n1,3\n2,3\n",
        "Do as the message says.",
        then=lambda ds: read(ds.windows(2, by="a")),
        call="ds.windows(2, by='a')",
    ),
    Case(
        "a mix of datasets with other columns",
        b"a,y\n1,2\n",
        "Name the same columns in both.",
        then=lambda ds: csvfeed.mix([ds, csvfeed.CsvDataset(OTHER)]),
        call="csvfeed.mix([ds, CsvDataset(b'b,y\\n3,4\\n')])",
    ),
    Case(
        "a mix of datasets that fill missing values with other numbers",
        b"a,y\n1,2\n",
        "Give both the same `fill=`.",
        then=lambda ds: csvfeed.mix([ds, csvfeed.CsvDataset(NAME, fill=0)]),
        call="csvfeed.mix([ds, CsvDataset('data.csv', fill=0)])",
    ),
    Case(
        "a mix of datasets with batches of two sizes",
        b"a,y\n1,2\n",
        "Say `batch_size=`.",
        then=lambda ds: csvfeed.mix([ds, csvfeed.CsvDataset(NAME, batch_size=8)]),
        call="csvfeed.mix([ds, CsvDataset('data.csv', batch_size=8)])",
    ),
    Case(
        "the state of another dataset",
        b"a,y\n1,2\n",
        "Make the dataset as it was then.",
        then=resume,
        call="ds.load_state_dict(state)",
    ),
]

OTHER = b"b,y\n3,4\n"
BOTH = "['data.csv', b'b,y\\n3,4\\n']"
PARTS = [
    Case(
        "files whose columns differ",
        b"a,y\n1,2\n",
        "Do as the message says.",
        then=lambda _: csvfeed.CsvDataset([NAME, OTHER]),
        call=f"CsvDataset({BOTH})",
    ),
    Case(
        "a file that lacks a column that is asked for",
        b"a,y\n1,2\n",
        'Say `columns="union"`, or leave the file out.',
        then=lambda _: csvfeed.CsvDataset([NAME, OTHER], features=["a"], target="y"),
        call=f"CsvDataset({BOTH}, features=['a'], target='y')",
    ),
    Case(
        "a file that lacks the target",
        b"a,y\n1,2\n",
        'Choose `missing_target="skip"` or `"keep"`.',
        then=lambda _: csvfeed.CsvDataset([NAME, OTHER], columns="union", target="a"),
        call=f"CsvDataset({BOTH}, columns='union', target='a')",
    ),
    Case(
        "a column counted from the last, where files have others",
        b"a,y\n1,2\n",
        "Name the column.",
        then=lambda _: csvfeed.CsvDataset([NAME, OTHER], columns="union"),
        call=f"CsvDataset({BOTH}, columns='union')",
    ),
    Case(
        "files without a header that have different numbers of fields",
        b"1,2\n",
        "Name the columns in each file.",
        then=lambda _: csvfeed.CsvDataset([NAME, b"1,2,3\n"]),
        call="CsvDataset(['data.csv', b'1,2,3\\n'])",
    ),
    Case(
        "directories that are called `key=value`",
        b"a,y\n1,2\n",
        "Choose `partitions=True` or `False`.",
        then=partitioned("year=2020"),
        call="CsvDataset('t')",
    ),
    Case(
        "a value of such a directory that is no number",
        b"a,y\n1,2\n",
        "Do as the message says.",
        then=partitioned("country=FR", partitions=True, target="y"),
        call="CsvDataset('t', partitions=True, target='y')",
    ),
    Case(
        "a key that is a column of the file, too",
        b"a,y\n1,2\n",
        "Say `partitions=False`, or call the directory something else.",
        then=partitioned("a=1", partitions=True, target="y"),
        call="CsvDataset('t', partitions=True, target='y')",
    ),
    Case(
        "a column counted from the last, where there are keys",
        b"a,y\n1,2\n",
        "Name the column.",
        then=partitioned("year=2020", partitions=True),
        call="CsvDataset('t', partitions=True)",
    ),
    Case(
        "partitions=True without directories called key=value",
        b"a,y\n1,2\n",
        "Leave `partitions` out.",
        {"partitions": True},
    ),
    Case(
        "a directory with files of two kinds",
        b"a,y\n1,2\n",
        "Name the files, or use a pattern.",
        then=lambda _: (
            (os.makedirs("t"), os.link(NAME, "t/a.csv"), os.link(NAME, "t/part-0"))
            and csvfeed.CsvDataset("t")
        ),
        call="CsvDataset('t')",
    ),
]

SECTIONS = {
    "A field": FIELDS,
    "A field that is no number": CODES,
    "A row": ROWS,
    "How the file is written": DIALECTS,
    'Rows that are skipped, with `on_error="skip"`': SKIPPED,
    "A file": FILES,
    "Several files": PARTS,
    "Columns": COLUMNS,
    "Arguments and values": VALUES,
}


@contextmanager
def at(directory: str) -> Iterator[None]:
    """Go to a directory, and back."""
    before = os.getcwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


def case_rows() -> dict[str, str]:
    """Return the row of each case, read in a directory of its own."""
    rows = {}
    for case in (case for cases in SECTIONS.values() for case in cases):
        with tempfile.TemporaryDirectory() as directory, at(directory):
            rows[case.what] = case.row()
    return rows


def page(text: str) -> str:
    """Return the page with its tables anew."""
    rows = case_rows()
    head = "| input | error | message | what to do |\n|---|---|---|---|\n"
    tables = [
        f"## {title}\n\n{head}" + "".join(f"{rows[case.what]}\n" for case in cases)
        for title, cases in SECTIONS.items()
    ]
    start, end = "<!-- tables -->\n", "<!-- end of tables -->\n"
    return re.sub(
        f"(?s){start}.*{end}", lambda _: f"{start}\n" + "\n".join(tables) + f"\n{end}", text
    )


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
