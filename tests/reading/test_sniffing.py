"""What `sniff` makes of files: what they are, how they are written, or a question."""

import csv
import gzip
import io
import re
import zipfile

import numpy as np
import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import csvfeed
from csvfeed.dialect import ranked, sniff

# Other things than tables

NAMED = {
    b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n": "git lfs pull",
    b"1 1:0.5 3:2\n-1 2:1 7:3\n": "load_svmlight_file",
    b"+1 3:1 11:1 14:1 19:1\n-1 3:1 6:1\n": "load_svmlight_file",
    b"@RELATION iris\n\n@ATTRIBUTE x NUMERIC\n": "ARFF",
    b"<!DOCTYPE html>\n<html>\n": "HTML",
    b'{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n': "JSON",
    b"PAR1\x15\x04": "read_parquet",
    b"\x93NUMPY\x01\0": "numpy.load",
    b"\x80\x04\x95\x1e\0": "read_pickle",
    b"RDX3\nX\n\0\0\0\x03": "write.csv",
    b"Obj\x01\x04": "Avro",
    "a,b\n1,2\n".encode("utf-32"): "UTF-32",
    "a,b\n1,2\n".encode("utf-32-le"): "UTF-32LE",
    "名前,数\n東京,1\n大阪,2\n".encode("shift_jis"): "Shift_JIS",
    "имя,число\nМосква,1\nКазань,2\n".encode("cp1251"): "iconv",  # noqa: RUF001
    "nazwa,n\nŁódź,1\nKraków i Wrocław,2\nMałopolska,3\n".encode("cp1250"): "iconv",
}


@pytest.mark.parametrize("content", NAMED, ids=NAMED.values())
def test_what_is_no_table_is_named(content):
    with pytest.raises(csvfeed.EncodingError, match=NAMED[content]):
        sniff(content)
    for delimiter in (",", "auto"):
        if b"Krak" not in content:  # Whose first row is ASCII: only its names are decoded.
            with pytest.raises(csvfeed.EncodingError, match=NAMED[content]):
                csvfeed.CsvDataset(content, delimiter=delimiter)


def test_a_spreadsheet_is_named(tmp_path):
    path = tmp_path / "book.csv"
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/workbook.xml", "<workbook/>")
    for read in (sniff, csvfeed.CsvDataset):
        with pytest.raises(csvfeed.EncodingError, match="read_excel"):
            read(path)


def test_times_of_day_are_no_libsvm():
    ds = csvfeed.CsvDataset(b"1 10:30 11:45\n2 10:30 12:45\n", header=False, target=None)
    assert ds.columns == ["column_0"]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_western_text_is_known(encoding):
    text = "straße;größe\nMüllerstraße \u2013 Köln;1\nÉté à Besançon, informações;2\n"
    text = text.replace("\u2013", "·") if encoding == "latin-1" else text
    assert sniff(text.encode(encoding)).encoding == encoding


# The sample


def test_the_middle_and_the_end_of_a_file_count(tmp_path):
    path = tmp_path / "late.csv"
    path.write_text("x;y\n" + "1;2\n" * 40_000 + "1,5;2\n" * 80_000)
    found = sniff(path)
    assert (found.delimiter, found.decimal) == (";", ",")
    assert sniff(path.read_bytes()).decimal == ","
    packed = gzip.compress(path.read_bytes())
    assert sniff(packed).decimal == "."  # Only its beginning is looked at.


def test_what_is_known_is_not_guessed():
    content = b"a;b\n1,234;x\n5,678;y\n"
    with pytest.raises(csvfeed.DialectError) as caught:
        sniff(content)
    assert {choice.dialect.decimal for choice in caught.value.choices} == {",", "."}
    assert sniff(content, decimal=",").decimal == ","
    assert sniff(content, thousands=",").thousands == ","
    assert sniff(b"a b;c d,e f\ng h;i j,k l\n", delimiter=";").delimiter == ";"
    assert sniff(b"5,1\n6,2\n", header=True).header
    with pytest.raises(TypeError, match="colour"):
        sniff(content, colour="red")
    with pytest.raises(ValueError, match="delimiter is one ASCII character"):
        sniff(content, delimiter="::")


def test_the_ways_are_ranked():
    first, *others = ranked(b"x;y\n1,5;2\n2,5;3\n")
    assert first.dialect.options == {"delimiter": ";", "decimal": ",", "header": True}
    assert (first.names, first.rows) == (["x", "y"], [["1,5", "2"], ["2,5", "3"]])
    assert all(other.score < 0.8 * first.score for other in others)


# An index without a name


@pytest.mark.parametrize("header", ["auto", True])
def test_an_index_without_a_name_is_a_column(header):
    ds = csvfeed.CsvDataset(
        b"x,y,z\na,1,2,3\nb,4,5,6\n", features=["x", "y"], target="z", header=header
    )
    assert ds.columns == ["column_0", "x", "y", "z"]
    ((X, y),) = ds
    assert (X.tolist(), y.tolist()) == ([[1, 2], [4, 5]], [3, 6])


def test_rows_that_are_too_long_are_no_index():
    for content in (
        b"x,y\n1,2,3\n",  # One row may be wrong.
        b"x,y\n1,2,3\n4,5\n",
        b"x,y\n1,2,3\n1,5,6\n",  # No name comes twice.
    ):
        with pytest.raises(csvfeed.RowLengthError):
            list(csvfeed.CsvDataset(content, target=None))
    rows = b"".join(b"r%d,1,2\n" % n for n in range(200))
    with pytest.raises(csvfeed.RowLengthError, match="index before it has 3") as caught:
        list(csvfeed.CsvDataset(b"x,y\n" + rows + b"1,2\n", target=None, features=["x"]))
    assert caught.value.line == 202


# What a table is written as


@st.composite
def tables(draw):
    """Return text of a table, its delimiter and arguments, and its rows as they should be read."""
    delimiter = draw(st.sampled_from(",;\t| \x01"))
    decimal = draw(st.sampled_from(".," if delimiter != "," else "."))
    quote = draw(st.sampled_from("\"'")) if delimiter != " " else '"'
    words = st.sampled_from(["red", "dark blue", "it's", "a, b", "x; y", "5|6", "é", "A-1", "q"])
    whole = st.integers(-999, 99999).map(str)
    places = draw(st.integers(1, 4))
    real = st.integers(-(10**6), 10**6).map(lambda n: f"{n / 10**places:.{places}f}")
    day = st.dates().map(str)
    kinds = draw(st.lists(st.sampled_from([whole, real, words, day]), min_size=1, max_size=5))
    rows = draw(st.lists(st.tuples(*kinds), min_size=1, max_size=12))
    names = [f"name{at}" for at in range(len(kinds))]
    header = draw(st.booleans())

    def written(kind, value):
        return value.replace(".", decimal) if kind is real else value

    text = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    writer = csv.writer(
        text, delimiter=delimiter, quotechar=quote, quoting=quoting, lineterminator="\n"
    )
    if header:
        writer.writerow(names)
    for row in rows:
        writer.writerow([written(kind, one) for kind, one in zip(kinds, row, strict=True)])
    numbers = [at for at, kind in enumerate(kinds) if kind in (whole, real)]
    return text.getvalue(), header, numbers, [[float(row[at]) for at in numbers] for row in rows]


@given(tables())
@settings(max_examples=examples(300))
def test_numbers_come_back_or_a_question_is_asked(table):
    text, header, numbers, expected = table
    if not numbers or (not header and re.fullmatch(r"([-\d]+,\d+\n)+", text)):
        return  # What could be one column of decimals is two of whole numbers to everybody.
    try:
        found = sniff(text.encode())
    except csvfeed.DialectError:
        return
    # Where one row cannot tell, the rule for headers holds.
    options = {**found.options, "header": header}
    try:
        ds = csvfeed.CsvDataset(
            text.encode(), target=None, features=numbers, missing=[], batch_size=99, **options
        )
        ((X,),) = ds
    except csvfeed.CsvError:
        return  # It is not read, which is no wrong value.
    expected = np.array(expected, np.float32)
    assert X.shape == expected.shape, found
    assert np.array_equal(X, expected), found


@given(
    st.binary(max_size=300) | st.text("ab1,;\t |\"'\\\n\r#.:\x01é", max_size=300).map(str.encode)
)
@settings(max_examples=examples(300))
def test_any_bytes_are_taken_for_something_or_refused(content):
    try:
        found = sniff(content)
    except csvfeed.CsvError:
        return
    assert eval(f"dict({found})") == found.options
