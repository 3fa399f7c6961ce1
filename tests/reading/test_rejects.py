"""Rows that are wrong are left out as if the file did not have them, and each is told of."""

import csv
import gc
import os
import pickle
import time
import warnings
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from conftest import SMALL, bytes_read
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import csvfeed

LEFT_OUT = "ignore:.* left out. ds.rejects tells which:RuntimeWarning"
pytestmark = pytest.mark.filterwarnings(LEFT_OUT)

HEAD = b"a,t,b,y\n"
OPTIONS = {"features": ["a", "b"], "on_error": "skip"}


@dataclass
class Row:
    """A row of text, and what is wrong with it."""

    text: bytes
    error: str = ""
    at: int = 0
    column: int | None = None
    shown: str = ""


def word(n, end):
    return Row(b"%d,t,two,%d" % (n, n) + end, "NumberError", len(b"%d,t," % n), 2, "two")


def nul(n, end):
    return Row(b"\0,t,%d,%d" % (n, n) + end, "NumberError", 0, 0, "\0")


def no_target(n, end):
    return Row(b"%d,t,, " % n + end, "NumberError", len(b"%d,t,," % n), 3, " ")


def too_few(n, end):
    return Row(b"%d,t" % n + end, "RowLengthError", 0, None, f"{n},t")


def too_many(n, end):
    # A word as well, which does not matter: the row is counted once.
    return Row(b"x,t,%d,%d," % (n, n) + end, "RowLengthError", 0, None, f"x,t,{n},{n},")


def after_quote(n, end):
    # In a column that nobody asked for, with a line end inside the quotes, and a quote after them.
    text = b'%d,"q\n""r"z"z,x,%d' % (n, n)
    return Row(text + end, "QuoteError", len(b"%d," % n), None, '"q')


BAD = [word, nul, no_target, too_few, too_many, after_quote]
good = st.builds(
    lambda n, t, end: Row(b"%d,%s,%s,%d" % (n, t, b"" if n % 5 == 0 else b"%d.5" % n, -n) + end),
    st.integers(0, 999),
    st.sampled_from([b"", b"word", b'"a,\n""b"', b'"x"']),
    st.sampled_from([b"\n", b"\r\n", b"\n\n"]),
)
bad = st.builds(
    lambda make, n, end: make(n, end),
    st.sampled_from(BAD),
    st.integers(0, 999),
    st.sampled_from([b"\n", b"\n\r\n"]),
)


def are_mostly_right(rows):
    """Tell whether the rows do not seem to end with a delimiter, all or nearly all."""
    ended = sum(row.text.startswith(b"x,t,") for row in rows)
    return ended == 0 or (any(not row.error for row in rows) and ended <= 8)


tables = st.lists(st.one_of(good, good, bad), max_size=60).filter(are_mostly_right)
ways = st.fixed_dictionaries(
    {"threads": st.integers(1, 4), "memory": st.sampled_from([1, SMALL, 5000, None])}
)


def content(rows):
    return HEAD + b"".join(row.text for row in rows)


def apart(rows):
    """Return the rows that are right, and those that are wrong with their byte offset."""
    offset, right, wrong = len(HEAD), [], []
    for row in rows:
        if row.error:
            wrong.append((offset, row))
        else:
            right.append(row)
        offset += len(row.text)
    return right, wrong


def stacked(dataset):
    """Return the rows of an epoch, as one array each."""
    batches = list(dataset)
    return [np.concatenate(part) for part in zip(*batches, strict=True)]


def same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def rows_of(dataset):
    """Yield the rows of an epoch as tuples, with -1 for what is missing."""
    if len(dataset):
        for arrays in dataset:
            yield from map(tuple, np.nan_to_num(np.column_stack(arrays), nan=-1).tolist())


@settings(max_examples=examples(150))
@given(
    rows=tables.filter(lambda rows: any(not row.error for row in rows)), ways=ways, data=st.data()
)
def test_a_table_with_wrong_rows_is_the_table_without_them(rows, ways, data, tmp_path_factory):
    right, wrong = apart(rows)
    batch_size = data.draw(st.integers(1, 20), "batch_size")
    remainder = data.draw(st.sampled_from(["keep", "drop", "pad"]), "remainder")
    options = {**OPTIONS, "batch_size": batch_size, "remainder": remainder}
    ds = csvfeed.CsvDataset(content(rows), **options, **ways)
    plain = csvfeed.CsvDataset(content(right), **{**options, "on_error": "raise"})
    assert (len(ds), ds.num_rows) == (len(plain), plain.num_rows)
    whole = len(plain) > 0
    if whole:
        same(stacked(ds), stacked(plain))
        cached = ds.cache(tmp_path_factory.mktemp("cache"))
        for _ in range(2):
            same(stacked(cached), stacked(plain))
        shuffled = Counter(rows_of(ds.shuffle(seed=1)))
        if remainder == "drop":
            # In another memory the order is another, so that other rows come last and are dropped.
            assert shuffled.total() == len(plain) * batch_size
            assert shuffled <= Counter(rows_of(csvfeed.CsvDataset(content(right), **OPTIONS)))
        else:
            assert shuffled == Counter(rows_of(plain.shuffle(seed=1)))
        if ways["memory"] is None:
            same(stacked(ds.shuffle(seed=1)), stacked(plain.shuffle(seed=1)))
        passed = data.draw(st.integers(0, len(plain) - 1), "passed")
        iterator = iter(ds)
        for _ in range(passed):
            next(iterator)
        resumed = csvfeed.CsvDataset(content(rows), **options)
        resumed.load_state_dict(ds.state_dict())
        same(stacked(resumed), [part[passed * batch_size :] for part in stacked(plain)])
    for found, expected in zip(ds.stats().values(), plain.stats().values(), strict=True):
        counts = (found.count, found.missing)
        assert counts == (expected.count, expected.missing)
        same([found.min, found.max], [expected.min, expected.max])
        np.testing.assert_allclose([found.mean, found.std], [expected.mean, expected.std])
    by = data.draw(st.sampled_from([None, "t"]), "by")
    for part, other in zip(ds.split(0.3, by=by), plain.split(0.3, by=by), strict=True):
        assert part.num_rows == other.num_rows
        if len(part):
            same(stacked(part), stacked(other))
    if remainder == "keep":
        shares = [ds.shard(which, 2) for which in range(2)]
        assert [len(share) for share in shares] == [len(plain.shard(0, 2))] * 2
        # Stripes are cut by bytes, so that other rows may be dealt; each at most once.
        dealt = sum((Counter(rows_of(share)) for share in shares), Counter())
        assert dealt <= Counter(rows_of(plain))
    assert ds.rejects.count == len(wrong)


@settings(max_examples=examples(150))
@given(rows=tables.filter(lambda rows: any(not row.error for row in rows)), ways=ways)
def test_rejects_are_the_wrong_rows_in_the_order_of_the_file(rows, ways, tmp_path_factory):
    _, wrong = apart(rows)
    text = content(rows)
    ds = csvfeed.CsvDataset(text, **OPTIONS, **ways)
    assert not ds.dialect.trailing_delimiter
    assert ds.rejects.count == sum(ds.rejects.by_kind.values()) == len(wrong)
    path = tmp_path_factory.mktemp("rejects") / "rejects.csv"
    assert ds.write_rejects(path) == len(wrong)
    with open(path, newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(line.replace("\0", "␀") for line in file))
    for error, (offset, row), line in zip(ds.rejects.first, wrong, written, strict=True):
        assert type(error) is getattr(csvfeed, row.error)
        assert (error.path, error.byte_offset) == ("<bytes>", offset + row.at)
        assert error.line == 1 + text[: offset + row.at].count(b"\n")
        assert (error.column, error.text) == (row.column, row.shown)
        assert line["line"] == str(error.line)
        assert line["byte_offset"] == str(error.byte_offset)
        assert line["column"] == (error.column_name or "")
        assert line["reason"] in ds.rejects.by_kind
        assert line["row"] == row.text.decode().rstrip("\r\n").replace("\0", "␀")
    strict = csvfeed.CsvDataset(text, features=["a", "b"], **ways)
    # Here the rows before the first wrong one say whether rows end with a delimiter.
    if wrong and not strict.dialect.trailing_delimiter:
        # The error is the one that it would have been.
        with pytest.raises(getattr(csvfeed, wrong[0][1].error)) as raised:
            list(iter(strict))
        assert vars(raised.value) == vars(ds.rejects.first[0])


@settings(max_examples=examples(150))
@given(rows=tables, allowed=st.integers(0, 12), ways=ways, batch_size=st.integers(1, 9))
def test_one_reject_too_many_is_an_error_in_its_place(rows, allowed, ways, batch_size):
    right, wrong = apart(rows)
    text = content(rows)
    if not rows:
        return
    ds = csvfeed.CsvDataset(text, **OPTIONS, **ways, batch_size=batch_size, max_rejects=allowed)
    assert not ds.dialect.trailing_delimiter
    if len(wrong) <= allowed:
        if right:
            assert sum(len(X) for X, _ in ds) == len(right)
            assert ds.num_rows == len(right)
        return
    offset, row = wrong[allowed]
    before = sum(len(HEAD) <= at < offset for at in starts(rows, right=True))
    batches = []
    with pytest.raises(csvfeed.CsvError) as caught:
        batches.extend(iter(ds))
    assert [len(X) for X, _ in batches] == [batch_size] * (before // batch_size)
    error = caught.value
    assert type(error) is csvfeed.CsvError
    assert (error.byte_offset, error.text) == (offset + row.at, row.shown)
    assert (error.column, error.line) == (row.column, 1 + text[: offset + row.at].count(b"\n"))
    assert f"wrong row number {allowed + 1}, where max_rejects={allowed}" in str(error)
    for other in (ds.shuffle(seed=0), ds.split(0.5)[0], ds.shard(0, 2)):
        for ask in (lambda other=other: other.num_rows, lambda other=other: next(iter(other))):
            with pytest.raises(csvfeed.CsvError) as again:
                ask()
            assert str(again.value) == str(error)
    with pytest.raises(csvfeed.CsvError) as again:
        ds.stats()
    assert str(again.value) == str(error)
    # All of them are told of nevertheless, and then the limit is known without a pass.
    assert ds.rejects.count == len(wrong)
    with pytest.raises(csvfeed.CsvError) as again:
        len(ds)
    assert str(again.value) == str(error)


def starts(rows, *, right):
    offset = len(HEAD)
    for row in rows:
        if right != bool(row.error):
            yield offset
        offset += len(row.text)


def test_a_quote_that_is_never_closed_is_still_an_error_that_says_why():
    text = b'a,y\n1,2\nx,2\n3,"4\n5,6\n'
    ds = csvfeed.CsvDataset(text, on_error="skip", batch_size=1)
    for ask in (lambda: list(ds), lambda: len(ds), lambda: ds.rejects):
        with pytest.raises(csvfeed.QuoteError, match="where the next row begins") as caught:
            ask()
        assert (caught.value.line, caught.value.byte_offset) == (4, text.index(b'"'))
    with pytest.raises(csvfeed.QuoteError) as caught:
        list(csvfeed.CsvDataset(b'a,y\n3,"4\n5,6\n'))
    assert "next row" not in str(caught.value)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("memory", [1, SMALL, None])
def test_the_limit_comes_before_an_error_after_it(threads, memory):
    text = b"a,y\n" + b"x,1\n" * 3 + b'"'
    options = {"on_error": "skip", "threads": threads, "memory": memory}
    for allowed in range(3):
        ds = csvfeed.CsvDataset(text, max_rejects=allowed, **options)
        for ask in (lambda ds=ds: list(ds), lambda ds=ds: len(ds)):
            with pytest.raises(csvfeed.CsvError, match=f"wrong row number {allowed + 1}"):
                ask()
    with pytest.raises(csvfeed.QuoteError):
        list(csvfeed.CsvDataset(text, max_rejects=3, **options))


def test_a_row_beyond_the_limit_is_still_an_error():
    text = b"a,y\n1,2\n" + b"3" * (2 << 20) + b",4\n5,6\n"
    with pytest.raises(csvfeed.RowLengthError, match="longer than"):
        list(csvfeed.CsvDataset(text, on_error="skip", memory=SMALL))


def test_a_first_row_that_is_wrong_is_left_out_where_the_names_are_given():
    for first in (b"1\n", b"1,2,3\n", b'"1"x,2\n', b"x,2\n"):
        ds = csvfeed.CsvDataset(first + b"3,4\n", header=["a", "y"], on_error="skip")
        ((X, y),) = ds
        assert (X.tolist(), y.tolist()) == ([[3]], [4])
        assert [error.line for error in ds.rejects.first] == [1]


def test_a_header_that_is_wrong_is_an_error():
    with pytest.raises(csvfeed.QuoteError):
        csvfeed.CsvDataset(b'"a"x,y\n1,2\n', on_error="skip")


def test_a_row_without_a_target_is_no_reject_where_such_rows_are_left_out():
    text = b"a,y,w\n1,,1\n2,2,\n3,3,3\nx,,1\n"
    ds = csvfeed.CsvDataset(text, weight="w", target="y", missing_target="skip", on_error="skip")
    ((X, _, _),) = ds
    assert X.tolist() == [[3]]
    assert [error.line for error in ds.rejects.first] == [5]
    # And one in which everything is wrong is one, for its first field.
    ds = csvfeed.CsvDataset(b"a,y,w\nx,,\n1,1,1\n", target="y", weight="w", on_error="skip")
    assert [(error.line, error.column_name) for error in ds.rejects.first] == [(2, "a")]


def test_columns_that_are_not_read_may_hold_anything():
    ds = csvfeed.CsvDataset(b"a,b,y\n1,x,2\ny,3,4\n", features=["a"], on_error="skip")
    assert (ds.num_rows, ds.rejects.count) == (1, 1)
    assert csvfeed.CsvDataset(b"a,b,y\n1,x,2\ny,3,4\n", on_error="skip").num_rows == 0


@pytest.mark.parametrize("memory", [1, None])
def test_a_file_of_wrong_rows_alone_says_so(memory):
    ds = csvfeed.CsvDataset(b"a,y\n" + b"x,1\n" * 500, on_error="skip", memory=memory)
    assert (len(ds), ds.num_rows, ds.rejects.count, len(ds.rejects.first)) == (0, 0, 500, 100)
    for dataset in (ds, ds.shuffle(seed=0), ds.split(0.5)[0]):
        with pytest.raises(csvfeed.CsvError, match=r"ds\.rejects tells"):
            next(iter(dataset))


def test_means_are_those_of_the_rows_that_are_right():
    text = b"a,b,y\n1,1,0\n100,x,0\n,1,0\n3,1,0\n100,1\n"
    ds = csvfeed.CsvDataset(text, fill="mean", on_error="skip")
    ((X, _),) = ds
    assert X[:, 0].tolist() == [1, 2, 3]
    assert ds.stats()["a"].count == 2


def test_nothing_is_left_out_unless_asked(tmp_path):
    ds = csvfeed.CsvDataset(b"a,y\n1,2\n")
    assert not ds.rejects
    assert (ds.rejects.count, ds.rejects.first, ds.rejects.by_kind) == (0, [], {})
    assert str(ds.rejects) == "no row of <bytes> was left out"
    assert ds.write_rejects(tmp_path / "none.csv") == 0
    assert (tmp_path / "none.csv").read_text() == "path,line,byte_offset,column,reason,row\n"


def test_a_summary_reads_well(write):
    path = write(b"a,y\n1,2\ntwo,2\nthree,4\n3\n5,6\n")
    rejects = csvfeed.CsvDataset(path, on_error="skip").rejects
    assert str(rejects) == (
        f"3 rows of {path} were left out:\n"
        "2 not a number, as in line 3, column 'a': 'two'\n"
        "1 wrong number of fields, as in line 5: '3'"
    )
    assert repr(rejects) == (
        f"Rejects(path={path!r}, count=3, "
        "by_kind={'not a number': 2, 'wrong number of fields': 1})"
    )
    assert str(pickle.loads(pickle.dumps(rejects))) == str(rejects)


def test_one_warning_says_that_rows_were_left_out(write):
    path = write(b"a,y\n" + b"1,2\n" * 9 + b"x,2\n")
    ds = csvfeed.CsvDataset(path, on_error="skip", batch_size=4)
    message = rf"^1 row of {path} was left out: ds\.rejects tells which$"
    iterator = iter(ds)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [len(next(iterator)[0]) for _ in range(3)] == [4, 4, 1]
    with pytest.warns(RuntimeWarning, match=message) as caught:
        assert next(iterator, None) is None
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(ds)
        list(ds.shuffle(seed=0))
    for order in (
        lambda ds: ds.shuffle(seed=0),
        lambda ds: ds.split(0.5)[1],
        lambda ds: ds.shard(0, 2),
    ):
        fresh = csvfeed.CsvDataset(path, on_error="skip")
        with pytest.warns(RuntimeWarning, match=message):
            list(order(fresh))


def test_a_cache_from_another_run_still_says_that_rows_were_left_out(write, tmp_path):
    path = write(b"a,y\n" + b"1,2\n" * 9 + b"x,2\n" * 2)

    def read(**options):
        ds = csvfeed.CsvDataset(path, **options).cache(tmp_path / "cache")
        return sum(len(X) for X, _ in ds)

    for _ in range(2):
        with pytest.warns(RuntimeWarning, match="^2 rows of .* were left out"):
            assert read(on_error="skip") == 9
    with pytest.raises(csvfeed.CsvError, match="max_rejects=1"):
        read(on_error="skip", max_rejects=1)
    with pytest.raises(csvfeed.NumberError):
        read()


def test_rejects_are_found_with_the_count_of_rows(write):
    rows = 100_000
    path = write(b"a,y\nx,2\n" + b"1,2\n" * rows)
    # A file that was just written is compared once with what was read of it.
    time.sleep(0.02)
    ds = csvfeed.CsvDataset(path, on_error="skip")
    assert ds.num_rows == rows
    before = bytes_read()
    assert ds.rejects.count == 1
    assert ds.rejects.first[0].text == "x"
    assert ds.split(0.5)[0].num_rows + ds.split(0.5)[1].num_rows == rows
    # They were not looked for again.
    assert bytes_read() - before < rows


def test_a_file_that_changed_is_an_error(write, tmp_path):
    path = write(b"a,y\n1,2\nx,2\n")
    ds = csvfeed.CsvDataset(path, on_error="skip")
    with open(path, "ab") as file:
        file.write(b"1,2\n")
    for ask in (lambda: ds.rejects, lambda: ds.write_rejects(tmp_path / "rejects.csv")):
        with pytest.raises(csvfeed.SourceChangedError):
            ask()


def test_rejects_are_never_written_over_the_file_itself(write, tmp_path):
    path = write(b"a,y\n1,2\nx,2\n")
    ds = csvfeed.CsvDataset(path, on_error="skip")
    os.symlink(path, tmp_path / "link.csv")
    for target in (path, tmp_path / "link.csv"):
        with pytest.raises(ValueError, match="a file that is read"):
            ds.write_rejects(target)
    assert ds.num_rows == 1
    with pytest.raises(FileNotFoundError) as caught:
        ds.write_rejects(tmp_path / "nowhere" / "rejects.csv")
    assert caught.value.filename == str(tmp_path / "nowhere" / "rejects.csv")


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="on_error is one of 'raise', 'skip', not 'ignore'"):
        csvfeed.CsvDataset(b"a,y\n1,2\n", on_error="ignore")
    with pytest.raises(ValueError, match='goes with on_error="skip"'):
        csvfeed.CsvDataset(b"a,y\n1,2\n", max_rejects=3)
    for value in (-1, 1.5, True, "3"):
        with pytest.raises(ValueError, match="max_rejects is a whole number"):
            csvfeed.CsvDataset(b"a,y\n1,2\n", on_error="skip", max_rejects=value)


def test_a_pickled_dataset_leaves_the_same_rows_out():
    ds = csvfeed.CsvDataset(b"a,y\n1,2\nx,2\n", on_error="skip", max_rejects=1)
    again = pickle.loads(pickle.dumps(ds))
    assert (again.num_rows, again.rejects.count) == (1, 1)
    # How many may be left out does not change which rows there are.
    state = csvfeed.CsvDataset(b"a,y\n1,2\nx,2\n", on_error="skip").state_dict()
    again.load_state_dict(state)
    with pytest.raises(ValueError, match="other rows"):
        csvfeed.CsvDataset(b"a,y\n1,2\nx,2\n").load_state_dict(state)


def test_wrong_rows_take_no_memory_to_pass_over(tmp_path):
    path = tmp_path / "wrong.csv"
    path.write_bytes(b"a,y\n" + b"1,2\n" * 1000 + b"word,2,3\n" * 400_000)
    ds = csvfeed.CsvDataset(path, on_error="skip", threads=1)
    gc.collect()
    assert ds.rejects.count == 400_000
    assert len(ds.rejects.first) == 100
    assert ds.write_rejects(tmp_path / "rejects.csv") == 400_000
    with open(tmp_path / "rejects.csv", "rb") as file:
        lines = file.readlines()
    last = f'"{path}",401001,{path.stat().st_size - 9},,wrong number of fields,"word,2,3"\n'
    assert lines[-1] == last.encode()
    limited = csvfeed.CsvDataset(path, on_error="skip", max_rejects=300_000)
    with pytest.raises(csvfeed.CsvError, match="wrong row number 300001"):
        list(limited)


def test_a_category_of_a_wrong_row_is_not_what_is_wrong_with_it():
    options = {"categories": {"c": "auto"}, "target": ["c", "y"], "features": [2]}
    text = b"c,y,n\nA,1,1\nB,x,1\n"
    ds = csvfeed.CsvDataset(text, **options, on_error="skip", max_rejects=0)
    assert ds.vocabulary == {"c": ["A"]}
    for ask in (lambda: list(iter(ds)), lambda: len(ds), ds.stats):
        with pytest.raises(csvfeed.CsvError, match="not a number") as caught:
            ask()
        assert (caught.value.column_name, caught.value.text) == ("y", "x")


def test_the_text_of_a_wrong_quote_has_no_line_end():
    with pytest.raises(csvfeed.QuoteError) as caught:
        list(iter(csvfeed.CsvDataset(b'a,y\r\n1,2\r\n"1"2,3\r\n')))
    assert caught.value.text == '"1"2,3'


def test_the_first_row_of_a_part_may_be_wrong_where_the_first_part_tells_the_columns(write):
    first = write("1,2\n3,4\n", "1.csv")
    for text, kind in {"5\n6,7\n": "RowLengthError", '"5"5,1\n6,7\n': "QuoteError"}.items():
        second = write(text, "2.csv")
        for header in ("auto", False, ["a", "b"]):
            ds = csvfeed.CsvDataset([first, second], header=header, on_error="skip")
            assert stacked(ds)[1].tolist() == [2, 4, 7]
            (error,) = ds.rejects.first
            assert (type(error).__name__, error.path, error.line) == (kind, second, 1)
            assert f"as in {second}, line 1: " in str(ds.rejects)
            with pytest.raises(csvfeed.CsvError):
                list(iter(csvfeed.CsvDataset([first, second], header=header)))


def test_rejected_rows_are_written_with_the_spaces_around_them(tmp_path):
    rows = ["  1 x  ", " 1 2 3 ", "1  x", ' x "1"   ']
    text = "a b\n" + "\r\n".join(rows) + "\n"
    ds = csvfeed.CsvDataset(text.encode(), delimiter=" ", on_error="skip")
    assert ds.write_rejects(tmp_path / "rejects.csv") == len(rows)
    with open(tmp_path / "rejects.csv", newline="") as file:
        assert [row["row"] for row in csv.DictReader(file)] == rows


def test_a_quote_that_is_never_closed_is_found_behind_what_follows_another():
    for stray in ("", "x", "\r", "\rx"):
        text = f'a,b,y\n1,2,3\n"1"{stray},"2\n'
        with pytest.raises(csvfeed.QuoteError, match="never closed") as caught:
            list(iter(csvfeed.CsvDataset(text.encode(), on_error="skip")))
        assert (caught.value.line, caught.value.byte_offset) == (3, text.index('"2'))


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_rejects_of_any_encoding_are_written_as_utf_8(encoding, tmp_path):
    text = 'größe,y\n1,2\n"ä ""ß",3\n'
    ds = csvfeed.CsvDataset(text.encode(encoding), encoding=encoding, on_error="skip")
    path = tmp_path / "rejects.csv"
    assert ds.write_rejects(path) == 1
    with open(path, newline="", encoding="utf-8") as file:
        (reject,) = csv.DictReader(file)
    assert (reject["column"], reject["row"]) == ("größe", '"ä ""ß",3')


def test_the_warning_points_at_the_line_that_reads():
    ds = csvfeed.CsvDataset(b"a,y\n1,2\nx,3\n", on_error="skip")
    with pytest.warns(RuntimeWarning, match="left out") as caught:
        for _ in ds:
            pass
    assert caught[0].filename == __file__
