"""Bad input ends in a named error with the place, and nothing wrong is ever yielded."""

import copy
import os
import pickle
import re
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from bad_files import BAD_FILES, FILES_IN_ANOTHER_ENCODING, FILES_WITHOUT_ROWS, GOOD_ROWS, SAMPLE
from conftest import SMALL
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import csvfeed

WAYS = {
    "the dataset": lambda path: list(iter(csvfeed.CsvDataset(path))),
    "the drop-in": lambda path: next(csvfeed.generate_arrays_from_file(path, 1)),
}


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def read_by(request):
    """Read a file in each way there is."""
    return request.param


def caught_while_reading(source, **options):
    """Return the batches before the error, and the error."""
    batches = []
    with pytest.raises(csvfeed.CsvError) as caught:
        batches.extend(iter(csvfeed.CsvDataset(source, **options)))
    return batches, caught.value


# A row that is wrong


@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad.name)
def test_a_wrong_row_is_named_with_its_place(write, bad):
    path = write(bad.content)
    _, error = caught_while_reading(path, target="y")
    assert type(error) is getattr(csvfeed, bad.error)
    assert isinstance(error, ValueError)
    assert error.path == path
    assert (error.line, error.byte_offset, error.text) == (bad.line, bad.byte_offset, bad.text)
    if not bad.quote:
        assert (error.column, error.column_name) == (bad.column, bad.column_name)
    message = str(error)
    for part in (path, f"line {bad.line}", f"byte {bad.byte_offset}", *bad.says):
        assert part in message


@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad.name)
@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("memory", [SMALL, 3000, None])
@pytest.mark.parametrize("batch_size", [1, 2, 7])
def test_whole_batches_before_a_wrong_row_come_first_and_nothing_after(
    bad, threads, memory, batch_size
):
    ds = csvfeed.CsvDataset(bad.content, batch_size=batch_size, threads=threads, memory=memory)
    iterator = iter(ds)
    for batch in range(GOOD_ROWS // batch_size):
        X, y = next(iterator)
        rows = range(batch * batch_size, (batch + 1) * batch_size)
        np.testing.assert_array_equal(X, [[n, n] for n in rows])
        np.testing.assert_array_equal(y, list(rows))
    with pytest.raises(getattr(csvfeed, bad.error)) as caught:
        next(iterator)
    assert (caught.value.path, caught.value.line) == ("<bytes>", bad.line)
    for _ in range(3):
        with pytest.raises(StopIteration):
            next(iterator)


@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad.name)
def test_the_drop_in_says_the_same(write, bad):
    path = write(bad.content)
    _, expected = caught_while_reading(path)
    generator = csvfeed.generate_arrays_from_file(path, 2)
    assert [y.tolist() for _, y in islice(generator, GOOD_ROWS // 2)] == [[0, 1], [2, 3]]
    with pytest.raises(type(expected)) as caught:
        next(generator)
    assert str(caught.value) == str(expected)
    with pytest.raises(StopIteration):
        next(generator)


@settings(max_examples=examples(100))
@given(
    before=st.integers(0, 200),
    bad=st.sampled_from([b"x,1", b"1,x", b"1", b"1,2,3", b'"1,2', b'1,"2"3', b",,", b"1,\0"]),
    threads=st.integers(1, 4),
    memory=st.sampled_from([1, SMALL, 2000, 10**4, None]),
    batch_size=st.integers(1, 50),
)
def test_an_error_does_not_depend_on_blocks_or_threads(before, bad, threads, memory, batch_size):
    rows = b"".join(b"%d,%d\n" % (n, n) for n in range(before))
    content = b"a,b\n" + rows + bad + b"\n" + b"7,8\n" * 100
    _, expected = caught_while_reading(content, threads=1)
    batches, error = caught_while_reading(
        content, threads=threads, memory=memory, batch_size=batch_size
    )
    assert {**vars(error)} == vars(expected)
    assert type(error) is type(expected)
    assert expected.line == before + 2
    assert [len(X) for X, _ in batches] == [batch_size] * (before // batch_size)
    assert [y for _, ys in batches for y in ys] == list(range(before // batch_size * batch_size))


def test_the_first_of_many_errors_wins():
    content = b"a,b\n" + b"1,2\n" * 500 + b"1,x\n" + b"1\n" * 500 + b'"' + b"y,1\n" * 500
    for threads in (1, 2, 3, 4):
        for memory in (SMALL, 4000, None):
            _, error = caught_while_reading(content, threads=threads, memory=memory)
            assert (type(error), error.line, error.text) == (csvfeed.NumberError, 502, "x")


def test_lines_inside_quoted_fields_count_and_bytes_are_those_of_the_file():
    content = b'\xef\xbb\xbft,y\r\n"a\r\nb\n\nc",1\r\n\r\n"d",x\r\n'
    _, error = caught_while_reading(content, features=["y"], target=None)
    assert (error.line, error.byte_offset, error.text) == (7, content.index(b"x\r\n"), "x")
    assert (error.column, error.column_name) == (1, "y")


@pytest.mark.parametrize("memory", [SMALL, None])
def test_an_error_far_into_a_file_knows_its_line_and_byte(write, memory):
    rows = b"".join(b"%d,%d\n" % (n, n) for n in range(100_000))
    path = write(b"a,b\n" + rows + b"5,bad\n1,2\n")
    _, error = caught_while_reading(path, memory=memory, batch_size=1000)
    assert (error.line, error.byte_offset) == (100_002, 4 + len(rows) + 2)


def test_a_negative_index_is_told_as_a_position():
    _, error = caught_while_reading(b"a,b,c\n1,2,x\n", target=-1)
    assert (error.column, error.column_name) == (2, "c")


@pytest.mark.parametrize("letter", ["x", "é", "語", "🙂"])
def test_long_text_is_shortened_between_characters(letter):
    _, error = caught_while_reading(f"a,b\n{letter * 5000},1\n".encode())
    assert error.text.startswith(letter * 20)
    assert len(error.text) < 200
    assert set(error.text) == {letter, "…"}


# Rows beyond the limit


def test_an_unclosed_quote_in_a_file_larger_than_the_row_limit_is_told_as_one(write):
    content = b"a,b\n1,2\n3,4\n" + b'5,"6\n' + b"7,8\n" * 700_000
    _, error = caught_while_reading(write(content), memory=1 << 20, batch_size=2)
    assert type(error) is csvfeed.QuoteError
    assert (error.line, error.byte_offset, error.text) == (4, 14, '"6')


@pytest.mark.parametrize("first", [b'"a,b\n', b'a,"b\n'])
@pytest.mark.parametrize("header", [True, "auto", ["a", "b"]])
def test_an_unclosed_quote_in_the_first_row_is_told_as_one_however_large_the_file(first, header):
    content = first + b"7,8\n" * 1_200_000
    _, error = caught_while_reading(content, memory=SMALL, header=header)
    assert type(error) is csvfeed.QuoteError
    assert (error.line, error.byte_offset) == (1, first.index(b'"'))


def test_a_row_beyond_the_limit_is_an_error_at_its_place():
    content = b"a,t,b\n1,,2\n3," + b"x" * (3 << 20) + b",4\n"
    _, error = caught_while_reading(content, memory=SMALL, features=["a"])
    assert type(error) is csvfeed.RowLengthError
    assert (error.line, error.byte_offset) == (3, 11)
    assert "memory=" in str(error)
    ((X, y),) = csvfeed.CsvDataset(content, features=["a"], memory=8 << 20)
    assert (X.tolist(), y.tolist()) == ([[1], [3]], [2, 4])


def test_blank_lines_beyond_the_limit_are_still_blank_lines():
    with pytest.raises(csvfeed.CsvError, match="blank"):
        csvfeed.CsvDataset(b"\n" * (5 << 20), memory=SMALL)


# Files without rows, and in another encoding


@pytest.mark.parametrize("case", FILES_WITHOUT_ROWS)
def test_a_file_without_rows_is_an_error(write, read_by, case):
    content, says = FILES_WITHOUT_ROWS[case]
    path = write(content)
    with pytest.raises(csvfeed.CsvError, match=says) as caught:
        read_by(path)
    assert type(caught.value) is csvfeed.CsvError
    assert caught.value.path == path
    assert path in str(caught.value)


@pytest.mark.parametrize("case", FILES_IN_ANOTHER_ENCODING)
def test_another_encoding_is_named_with_what_to_do(write, read_by, case):
    content, encoding = FILES_IN_ANOTHER_ENCODING[case]
    path = write(content)
    with pytest.raises(csvfeed.EncodingError) as caught:
        read_by(path)
    error = caught.value
    assert (error.path, error.line) == (path, 1)
    for part in (path, f"is {encoding}:", f"iconv -f {encoding} -t UTF-8"):
        assert part in str(error)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("header", [False, ["x", "y"]])
def test_another_encoding_is_an_error_when_the_header_is_said_to_be_absent(encoding, header):
    _, error = caught_while_reading(SAMPLE.encode(encoding), header=header)
    assert error.line == 1
    assert "UTF-16" in str(error)


def test_names_that_are_not_utf8_are_an_error_unless_given():
    content = b"x,gr\xf6\xdfe\n1,2\n"
    with pytest.raises(csvfeed.EncodingError, match=r"not UTF-8.*header=") as caught:
        csvfeed.CsvDataset(content)
    error = caught.value
    assert (error.line, error.column, error.byte_offset, error.text) == (1, 1, 2, "gr\ufffd\ufffde")
    with pytest.raises(csvfeed.NumberError):
        list(csvfeed.CsvDataset(content, header=["x", "size"]))


# Files that cannot be opened


def test_a_file_that_is_not_there(tmp_path, read_by):
    path = str(tmp_path / "none.csv")
    with pytest.raises(FileNotFoundError) as caught:
        read_by(path)
    assert caught.value.filename == path
    assert path in str(caught.value)


def test_a_directory_without_a_csv_file(tmp_path, read_by):
    with pytest.raises(FileNotFoundError) as caught:
        read_by(str(tmp_path))
    assert caught.value.filename == str(tmp_path)


@contextmanager
def as_nobody():
    """Do something without the rights of the administrator."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_read(write, read_by):
    path = write(SAMPLE)
    Path(path).chmod(0)
    with as_nobody(), pytest.raises(PermissionError) as caught:
        read_by(path)
    assert caught.value.filename == path


def test_a_device_is_refused_at_once(read_by):
    for path in ("/dev/null", "/dev/zero"):
        with pytest.raises(csvfeed.CsvError, match="not a regular file") as caught:
            read_by(path)
        assert caught.value.path == path


def test_a_name_with_a_nul_byte_is_an_error(read_by):
    with pytest.raises((ValueError, OSError)):
        read_by("a\0b.csv")


# Files that change


def numbers(rows):
    return b"".join(b"%09d,%09d\n" % (n, n) for n in range(rows))


CHANGES = {
    "truncated": lambda path: os.truncate(path, 1000),
    "emptied": lambda path: os.truncate(path, 0),
    "appended to": lambda path: path.open("ab").write(b"1,2\n"),
    "written over": lambda path: path.open("r+b").write(b"x" * 100),
}


@pytest.fixture
def write_long_ago(write):
    """Write a file that was last changed so long ago that the clock tells a change from it."""

    def write_long_ago(content):
        path = write(content)
        os.utime(path, (10**9, 10**9))
        return path

    return write_long_ago


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_file_that_changes_while_it_is_read_is_an_error(write_long_ago, change, way):
    count = 100_000
    path = write_long_ago(numbers(count))
    if way == "the dataset":
        iterator = iter(csvfeed.CsvDataset(path, memory=SMALL, batch_size=100))
    else:
        iterator = csvfeed.generate_arrays_from_file(path, 100)
    batches = [next(iterator)]
    change(Path(path))
    with pytest.raises(csvfeed.SourceChangedError) as caught:
        batches.extend(islice(iterator, 100 * count))
    assert caught.value.path == path
    for part in (path, "changed", "make a new dataset"):
        assert part in str(caught.value)
    with pytest.raises(StopIteration):
        next(iterator)
    # All that came before is right.
    y = np.concatenate([y for _, y in batches])
    np.testing.assert_array_equal(y, np.arange(len(y)) % count)
    assert way == "the drop-in" or len(y) < count


@pytest.mark.parametrize(
    "change", [*CHANGES.values(), lambda path: path.write_bytes(b"a,b\n5,6\n")]
)
def test_a_file_that_changes_between_epochs_is_an_error(write_long_ago, write, change):
    path = write_long_ago(numbers(100))
    ds = csvfeed.CsvDataset(path)
    list(iter(ds))
    change(Path(path))
    for read in (lambda: list(iter(ds)), lambda: ds.num_rows, lambda: len(ds)):
        with pytest.raises(csvfeed.SourceChangedError):
            read()
    new = csvfeed.CsvDataset(write(b"a,b\n5,6\n"))
    assert [y.tolist() for _, y in new] == [[6]]


def test_a_file_that_is_replaced_between_epochs_is_an_error(write, tmp_path):
    path = write(numbers(100))
    ds = csvfeed.CsvDataset(path)
    list(ds)
    times = os.stat(path)
    other = tmp_path / "other.csv"
    other.write_bytes(numbers(100)[::-1])
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)
    with pytest.raises(csvfeed.SourceChangedError):
        list(ds)


def test_a_file_that_is_replaced_while_it_is_read_is_read_to_its_end(write, tmp_path):
    path = write(numbers(50_000))
    iterator = iter(csvfeed.CsvDataset(path, memory=SMALL, batch_size=1000))
    next(iterator)
    other = tmp_path / "other.csv"
    other.write_bytes(b"1,2\n")
    other.replace(path)
    assert sum(len(X) for X, _ in iterator) == 49_000


def test_a_file_that_is_removed_between_epochs_is_not_found(write):
    path = write(SAMPLE)
    ds = csvfeed.CsvDataset(path)
    list(ds)
    os.remove(path)
    with pytest.raises(FileNotFoundError):
        iter(ds)
    with pytest.raises(FileNotFoundError):
        pickle.loads(pickle.dumps(ds))


# The errors themselves


def test_all_errors_are_csv_errors_and_value_errors():
    found = [value for value in vars(csvfeed).values() if isinstance(value, type)]
    classes = [cls for cls in found if issubclass(cls, Exception)]
    assert {cls.__name__ for cls in classes} == {
        "CsvError",
        "DialectError",
        "EncodingError",
        "NumberError",
        "QuoteError",
        "RowLengthError",
        "SourceChangedError",
    }
    assert all(issubclass(cls, csvfeed.CsvError) and issubclass(cls, ValueError) for cls in classes)


@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad.name)
@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))]
)
def test_errors_pickle_with_their_place(bad, duplicate):
    _, error = caught_while_reading(bad.content)
    twin = duplicate(error)
    assert type(twin) is type(error)
    assert str(twin) == str(error)
    assert vars(twin) == vars(error)


def test_an_error_in_a_column_without_a_name_is_told_by_its_index():
    _, error = caught_while_reading(b"1,2\n3,x\n")
    assert str(error).startswith(
        "<bytes>, line 2, column 'column_1' (index 1), byte 6: 'x': not a number"
    )


@pytest.mark.parametrize("what", ["num_rows", "len"])
def test_counting_tells_wrong_quotes_with_their_place(write, what):
    path = write(b'x,y\n1,2\n3,"4\n5,6\n')
    ds = csvfeed.CsvDataset(path)
    with pytest.raises(csvfeed.QuoteError) as caught:
        ds.num_rows if what == "num_rows" else len(ds)
    assert (caught.value.path, caught.value.line, caught.value.byte_offset) == (path, 3, 10)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"PAR1\x15\x04\x15\x10", "Parquet"),
        (b"\x04\x22\x4d\x18\x64\x40", "lz4"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "7z"),
        (b"SQLite format 3\x00\x10\x00", "SQLite"),
        (b"\x93NUMPY\x01\x00v\x00{'descr': '<f8'", "numpy"),
        (pickle.dumps([1, 2]), "pickle"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "JPEG"),
        (b"GIF89a\x01\0", "GIF"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x7fELF\x02\x01", "program"),
        (b"\x07\0\0ab\x01\0\x05c\n1", "not text"),
        (b'{"a": 1, "b": "c"}\n{"a": 2, "b": "d"}\n', "JSON"),
        (b'[{"a": 1}, {"a": 2}]', "JSON"),
        (b'[\n  {"a": 1}\n]\n', "JSON"),
        (b"<!DOCTYPE html>\n<p>\n", "HTML"),
        (b'<?xml version="1.0"?>\n<a/>\n', "XML"),
    ],
)
def test_a_file_that_is_no_text_is_named_with_what_to_do(data, what):
    with pytest.raises(csvfeed.EncodingError, match=what) as caught:
        csvfeed.CsvDataset(data)
    assert caught.value.byte_offset == 0


@pytest.mark.parametrize("header", ["PK,a", "BZh,a", "PAR1,PAR2"])
def test_a_name_like_the_mark_of_a_format_is_a_name(header):
    assert csvfeed.CsvDataset(f"{header}\n1,2\n".encode()).columns == header.split(",")


def test_a_delimiter_that_does_not_part_the_file_is_suspected():
    for target in (-1, "y"):
        with pytest.raises(csvfeed.CsvError, match="delimiter="):
            csvfeed.CsvDataset(b"x;y\n1;2\n", target=target)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"x\ty\n1\t2\n", r'Its only column is "x\\ty": delimiter="\\t" makes 2 columns of it'),
        (b"a|b|c;\n1|2|3;\n", r'delimiter="\|" makes 3 columns of it'),
        (b"x\x01y\n1\x012\n", r'delimiter="\\x01" makes 2 columns of it'),
        (b"x y\n1\n", "if these are several, delimiter= says what separates them"),
    ],
)
def test_a_delimiter_that_makes_more_columns_is_named(content, says):
    with pytest.raises(csvfeed.CsvError, match=says):
        csvfeed.CsvDataset(content)


def test_a_weight_that_is_the_target_is_refused():
    with pytest.raises(csvfeed.CsvError, match="same column"):
        csvfeed.CsvDataset(b"a,y,w\n1,2,3\n", weight="w")


def test_a_list_of_names_must_fit_the_first_row():
    with pytest.raises(csvfeed.RowLengthError, match="header= given has 2") as caught:
        csvfeed.CsvDataset(b"1,2,3\n", header=["a", "b"])
    assert (caught.value.line, caught.value.text) == (1, "1,2,3")


# Advice


@pytest.mark.parametrize(
    "word",
    ["498,91 \u0080", "a\u200bb", "\x01", "5\x1b7", 'say "x"', "back\\slash", "5 \U000e0001"],
)
def test_the_text_of_suggested_code_is_a_literal_of_python(word):
    quoted = word.replace('"', '""')
    content = f'a,y\n"{quoted}",1\n'.encode()
    _, error = caught_while_reading(content)
    code = str(error).partition("add it with ")[2]
    assert word in eval(f"dict({code})")["missing"]
    _, error = caught_while_reading(f'"{quoted}",y\n"x",1\n'.encode())
    (key,) = eval(re.search(r"categories=({.*?})", str(error))[1])
    assert key == word


@pytest.mark.parametrize("options", [{}, {"numbers": {"a": "currency"}}])
def test_a_sign_of_windows_1252_in_latin_1_is_told(options):
    content = "a;y\n4,50 €;1\n".encode("cp1252")
    options = {"delimiter": ";", "decimal": ",", **options}
    _, error = caught_while_reading(content, encoding="latin-1", **options)
    assert 'byte 0x80 is "€" in windows-1252' in str(error)
    assert 'encoding="windows-1252"' in str(error)
    if options.get("numbers"):
        ((X, _),) = csvfeed.CsvDataset(content, encoding="windows-1252", **options)
        assert X.tolist() == [[4.5]]
    _, error = caught_while_reading(
        "a;y\n4,50 é;1\n".encode("latin-1"), encoding="latin-1", **options
    )
    assert "windows-1252" not in str(error)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.parametrize("text", ["498,91 €", "1.498,91 €", "-€ 3"])
def test_a_form_that_suffices_is_all_that_is_offered(text, encoding):
    content = f"Betrag;y\n{text};1\n".encode(encoding)
    options = {"delimiter": ";", "decimal": ",", "thousands": ".", "encoding": encoding}
    _, error = caught_while_reading(content, **options)
    advice = str(error).partition("it is one with ")[2]
    assert re.fullmatch(r'numbers={"Betrag": "currency"} \([-\d.]+\)', advice)


def test_other_words_for_booleans_are_categories():
    content = b"a,y\nja,1\nnein,0\n"
    _, error = caught_while_reading(content, booleans=["a"])
    code = 'categories={"a": ["nein", "ja"]}'
    assert code in str(error)
    ((X, _),) = csvfeed.CsvDataset(content, **eval(f"dict({code})"))
    assert X.tolist() == [[2], [1]]
    ((_, y),) = csvfeed.CsvDataset(content, features=["y"], target="a", **eval(f"dict({code})"))
    assert y.tolist() == [1, 0]


def test_a_wrong_delimiter_is_told_without_a_target_too():
    content = b"age;income;y\n79;104.67;1\n"
    _, error = caught_while_reading(content, target=None)
    assert 'delimiter=";" makes 3 columns of it' in str(error)
    assert "categories" not in str(error)
    _, error = caught_while_reading(b"a,b\n1,5\n", target=None, delimiter=";")
    assert 'delimiter="," makes 2 columns of it' in str(error)
    _, error = caught_while_reading(b"age;income\nnobody\n", target=None)
    assert "delimiter" not in str(error)


def test_a_target_that_nobody_named_is_told():
    content = b"a,b,c\n1,2,3\n"
    says = "a file without a target needs target=None"
    with pytest.raises(csvfeed.CsvError, match=says):
        csvfeed.CsvDataset(content, features=["a", "b", "c"])
    for options in ({"target": "c"}, {"target": 2}, {"target": ["b", "c"]}):
        with pytest.raises(csvfeed.CsvError) as caught:
            csvfeed.CsvDataset(content, features=["a", "b", "c"], **options)
        assert says not in str(caught.value)


@pytest.mark.parametrize(
    ("date", "given", "right"),
    [
        ("31.12.24", "%d.%m.%Y", "%d.%m.%y"),
        ("12/31/2024 10:00", "%m/%d/%y %H:%M", "%m/%d/%Y %H:%M"),
        ("31-12-24", "%d.%m.%Y", None),
    ],
)
def test_a_year_of_two_digits_is_told(date, given, right):
    content = f"a,y\n{date},1\n".encode()
    dates = {"a": csvfeed.Date("year", format=given)}
    _, error = caught_while_reading(content, dates=dates)
    assert (f'but format="{right}" reads it' in str(error)) == (right is not None)
    assert ("reads it" in str(error)) == (right is not None)
    if right:
        dates = {"a": csvfeed.Date("year", format=right)}
        assert next(iter(csvfeed.CsvDataset(content, dates=dates)))[0].tolist() == [[2024]]
