"""Files that are wrong in one place, and what must be said about it.

The same cases go through the dataset, the drop-in and ``model.fit``.
"""

from dataclasses import dataclass, field

GOOD_ROWS = 5


@dataclass
class BadFile:
    """A file that opens well and has a row that is wrong after ``GOOD_ROWS`` good ones."""

    name: str
    content: bytes
    error: str
    line: int
    byte_offset: int
    text: str
    says: list[str]
    column: int | None = None
    column_name: str | None = None
    quote: bool = field(default=False)


HEAD = b"x,z,y\n" + b"".join(b"%d,%d,%d\n" % (n, n, n) for n in range(GOOD_ROWS))
AFTER = b"".join(b"%d,%d,%d\n" % (n, n, n) for n in range(100))


def after_head(name, row, error, at=0, line=7, **rest):
    content = HEAD + row + AFTER
    return BadFile(name, content, error, line=line, byte_offset=len(HEAD) + at, **rest)


BAD_FILES = [
    after_head(
        "a word in a feature",
        b"1,two,3\n",
        "NumberError",
        at=2,
        text="two",
        column=1,
        column_name="z",
        says=["not a number", "missing=", "features="],
    ),
    after_head(
        "a word in the target",
        b"1,2,three\r\n",
        "NumberError",
        at=4,
        text="three",
        column=2,
        column_name="y",
        says=["not a number"],
    ),
    after_head(
        "a word in the first column after blank lines",
        b"\n\r\n\none,2,3\n",
        "NumberError",
        at=4,
        line=10,
        text="one",
        column=0,
        column_name="x",
        says=["not a number"],
    ),
    after_head(
        "a missing target",
        b"1,2,\n",
        "NumberError",
        at=4,
        text="",
        column=2,
        column_name="y",
        says=["target is missing", 'missing_target="skip"'],
    ),
    after_head(
        "too few fields",
        b"1,2\n",
        "RowLengthError",
        text="1,2",
        says=["2 fields", "header has 3"],
    ),
    after_head(
        "too many fields",
        b"1,2,3,4\r\n",
        "RowLengthError",
        text="1,2,3,4",
        says=["4 fields", "header has 3", "delimiter"],
    ),
    after_head(
        "a delimiter at the end of the line",
        b"1,2,3,\n",
        "RowLengthError",
        text="1,2,3,",
        says=["4 fields"],
    ),
    after_head(
        "a line of another delimiter",
        b"1;2;3\n",
        "RowLengthError",
        text="1;2;3",
        says=["1 field", "delimiter"],
    ),
    after_head(
        "an unclosed quote",
        b'1,"2,3\n',
        "QuoteError",
        at=2,
        text='"2,3',
        quote=True,
        says=["never closed", "quote="],
    ),
    after_head(
        "text after a closing quote",
        b'1,"2"x,3\n',
        "QuoteError",
        at=2,
        text='"2"x,3',
        quote=True,
        says=["after a closing quote", '""'],
    ),
    after_head(
        "a space after a closing quote",
        b'1,"2" ,3\n',
        "QuoteError",
        at=2,
        text='"2" ,3',
        quote=True,
        says=["after a closing quote"],
    ),
    after_head(
        "a space before an opening quote",
        b'1, "2",3\n',
        "QuoteError",
        at=2,
        text=' "2"',
        column=1,
        column_name="z",
        says=["skip_initial_space=True"],
    ),
    after_head(
        "a NUL byte",
        b"1,2\x00,3\n",
        "NumberError",
        at=2,
        text="2\x00",
        column=1,
        column_name="z",
        says=["NUL byte", "UTF-16"],
    ),
    after_head(
        "bytes that are not UTF-8",
        b"1,\xff\xfe,3\n",
        "NumberError",
        at=2,
        text="\ufffd\ufffd",
        column=1,
        column_name="z",
        says=["not a number"],
    ),
    after_head(
        "a second header",
        b"x,z,y\n",
        "NumberError",
        text="x",
        column=0,
        column_name="x",
        says=["not a number"],
    ),
    BadFile(
        "a row cut off at the end of the file",
        HEAD + b"1,2",
        "RowLengthError",
        line=7,
        byte_offset=len(HEAD),
        text="1,2",
        says=["cut off"],
    ),
    BadFile(
        "a quote left open at the end of the file",
        HEAD + b'1,2,"',
        "QuoteError",
        line=7,
        byte_offset=len(HEAD) + 4,
        text='"',
        quote=True,
        says=["never closed"],
    ),
]

FILES_WITHOUT_ROWS = {
    "an empty file": (b"", "empty"),
    "a mark of UTF-8 and nothing else": (b"\xef\xbb\xbf", "blank"),
    "blank lines": (b"\n\r\n\n", "blank"),
    "a header": (b"x,y\n", "header and no rows"),
    "a header without a line end": (b"x,y", "header and no rows"),
    "a header and blank lines": (b"x,y\n\n\r\n", "header and no rows"),
}

SAMPLE = "x,y\n1,2\n3,4\n"

FILES_IN_ANOTHER_ENCODING = {
    "UTF-16LE with a mark": (("\ufeff" + SAMPLE).encode("utf-16-le"), "UTF-16LE"),
    "UTF-16BE with a mark": (("\ufeff" + SAMPLE).encode("utf-16-be"), "UTF-16BE"),
    "UTF-32LE with a mark": (("\ufeff" + SAMPLE).encode("utf-32-le"), "UTF-32LE"),
    "UTF-32BE with a mark": (("\ufeff" + SAMPLE).encode("utf-32-be"), "UTF-32BE"),
    "UTF-16LE": (SAMPLE.encode("utf-16-le"), "UTF-16LE"),
    "UTF-16BE": (SAMPLE.encode("utf-16-be"), "UTF-16BE"),
    "UTF-32LE": (SAMPLE.encode("utf-32-le"), "UTF-32LE"),
    "UTF-32BE": (SAMPLE.encode("utf-32-be"), "UTF-32BE"),
    "UTF-16LE and no header": (b"1\0,\x002\0\n\x003\0,\x004\0\n\0", "UTF-16LE"),
    "UTF-16BE and no header": (b"\x001\0,\x002\0\n\x003\0,\x004\0\n", "UTF-16BE"),
}
