"""Many files as one table, and what else may be read: patterns, directories, objects, pipes."""

import errno
import io
import itertools
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import SMALL
from generated import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numbered import NUMBERED, joined, numbered, numbers_of
from processes import python

import csvfeed

ORDERS = {
    "in order": lambda ds: ds,
    "shuffled": lambda ds: ds.shuffle(seed=3),
    "split": lambda ds: ds.split(0.3, seed=1)[0],
    "split by key": lambda ds: ds.split(0.3, by="key")[1],
    "a shard": lambda ds: ds.shard(1, 3),
}


def in_pieces(text, cuts):
    """Return a file cut into several between rows, each with the header."""
    header, *rows = text.decode().splitlines(keepends=True)
    cuts = [0, *sorted(cut % (len(rows) + 1) for cut in cuts), len(rows)]
    pieces = [rows[start:end] for start, end in itertools.pairwise(cuts)]
    return [(header + "".join(piece)).encode() for piece in pieces]


def permuted(text, order):
    """Return the same columns in another order; no field of the file may be quoted."""
    rows = [line.split(",") for line in text.decode().splitlines()]
    return "".join(",".join(row[at] for at in order) + "\n" for row in rows).encode()


# Many files


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
@given(
    cuts=st.lists(st.integers(0, 400), max_size=6),
    orders=st.lists(st.permutations(range(4)), min_size=8, max_size=8),
    last_newlines=st.lists(st.booleans(), min_size=8, max_size=8),
    way=st.sampled_from(sorted(ORDERS)),
    threads=st.integers(1, 4),
    memory=st.sampled_from([None, SMALL, 8192]),
)
def test_parts_are_read_as_one_file(cuts, orders, last_newlines, way, threads, memory):
    whole = numbered(300)
    parts = [
        permuted(piece, order) if number else piece
        for number, (piece, order) in enumerate(zip(in_pieces(whole, cuts), orders, strict=False))
    ]
    parts = [
        part if newline or part.count(b"\n") == 1 else part.removesuffix(b"\n")
        for part, newline in zip(parts, last_newlines, strict=False)
    ]
    options = {**NUMBERED, "batch_size": 7, "threads": threads, "memory": memory}
    one, many = (csvfeed.CsvDataset(source, **options) for source in (whole, parts))
    assert many.num_rows == one.num_rows == 300
    assert many.columns == ["x", "key", "text", "y"]
    found, expected = (numbers_of(ORDERS[way](ds)) for ds in (many, one))
    if (way == "shuffled" and memory is not None) or way == "a shard":
        # What is mixed, or dealt, goes by where the rows are in the files.
        assert len(found) == len(expected)
        assert len(set(found)) == len(found)
    else:
        assert found == expected
    shards = [numbers_of(many.shard(index, 3)) for index in range(3)]
    assert len(set(joined(shards))) == len(joined(shards)) > 300 - 3


def test_parts_agree_in_stats_cache_and_state(tmp_path):
    pieces = in_pieces(numbered(500), [100, 101, 350])
    parts = [pieces[0], *(permuted(piece, [2, 3, 0, 1]) for piece in pieces[1:])]
    options = {**NUMBERED, "batch_size": 8, "memory": 4096}
    one = csvfeed.CsvDataset(numbered(500), **options)
    many = csvfeed.CsvDataset(parts, **options)
    assert many.stats() == one.stats()
    cached = many.cache(tmp_path)
    for _ in range(2):
        assert numbers_of(cached) == list(range(500))
    for ds in (many, many.shuffle(seed=5), many.shuffle(seed=5).cache(tmp_path)):
        iterator = iter(ds)
        before = [next(iterator) for _ in range(20)]
        state = ds.state_dict()
        after = list(iterator)
        twin = csvfeed.CsvDataset(parts, **options)
        twin = twin.shuffle(seed=5) if ds is not many else twin
        twin.load_state_dict(state)
        assert numbers_of(twin) == numbers_of(after)
        assert sorted(numbers_of(before + after)) == list(range(500))


def test_a_row_that_is_cut_off_does_not_go_on_in_the_next_file():
    with pytest.raises(csvfeed.RowLengthError) as caught:
        list(csvfeed.CsvDataset([b"a,b\n1,2\n3", b"a,b\n4,5\n"]))
    assert (caught.value.line, caught.value.byte_offset) == (3, 8)


@pytest.mark.parametrize("memory", [None, SMALL])
def test_an_open_quote_ends_with_its_file(write, memory):
    first = write('a,b\n1,2\n3,"4\n' + "5,6\n" * 100, "1.csv")
    second = write('a,b\n7,8"\n' + "9,10\n" * 100, "2.csv")
    ds = csvfeed.CsvDataset([first, second], memory=memory, batch_size=1)
    for read in (lambda: list(ds), lambda: ds.num_rows):
        with pytest.raises(csvfeed.QuoteError) as caught:
            read()
        assert (caught.value.path, caught.value.line, caught.value.byte_offset) == (first, 3, 10)


@pytest.mark.parametrize(
    "order", [iter, lambda ds: ds.shuffle(seed=1), lambda ds: ds.split(0.01)[0]]
)
def test_an_error_is_told_with_the_place_in_its_own_file(write, order):
    good = write(numbered(50), "1.csv")
    bad = permuted(numbered(50, start=50), [3, 1, 0, 2]).replace(b"\n70,", b"\nseventy,")
    bad = write(bad, "2.csv")
    ds = csvfeed.CsvDataset([good, bad, good], **NUMBERED, memory=SMALL)
    with pytest.raises(csvfeed.NumberError) as caught:
        list(order(ds))
    error = caught.value
    assert (error.path, error.line, error.text) == (bad, 22, "seventy")
    assert (error.column, error.column_name) == (3, "y")
    assert Path(bad).read_bytes()[error.byte_offset :].startswith(b"seventy")


def test_columns_that_differ_are_shown(write):
    first = write("a,b,c\n1,2,3\n", "1.csv")
    second = write("a,c,d,e\n1,2,3,4\n", "2.csv")
    with pytest.raises(csvfeed.CsvError) as caught:
        csvfeed.CsvDataset([first, second])
    assert (caught.value.path, caught.value.line) == (second, 1)
    for part in (f"not those of {first}", 'lacks "b"', 'also "d", "e"'):
        assert part in str(caught.value)
    with pytest.raises(csvfeed.CsvError, match="3 fields where that of <bytes> has 2"):
        csvfeed.CsvDataset([b"1,2\n", b"3,4,5\n"])


def test_a_name_that_is_there_twice_is_found_in_its_order(features):
    assert features([b"a,a,b\n1,2,3\n", b"b,a,a\n6,4,5\n"]) == [[1, 2, 3], [4, 5, 6]]


def test_the_first_part_says_whether_there_is_a_header(features):
    assert features([b"1,2\n", b"3,4\n"]) == [[1, 2], [3, 4]]
    assert features([b"a,b\n1,2\n", b"b,a\n4,3\n"]) == [[1, 2], [3, 4]]
    assert features([b"1,2\n3,4\n", b"5,6\n"], header=["a", "b"]) == [[1, 2], [3, 4], [5, 6]]
    with pytest.raises(csvfeed.NumberError) as caught:
        features([b"1,2\n", b"a,b\n3,4\n"])
    assert caught.value.line == 1


def test_a_part_may_have_no_rows_but_not_all(features):
    assert features([b"a,b\n", b"a,b\n1,2\n", b"a,b\n\n\n", b"b,a\n", b"a,b\n3,4"]) == [
        [1, 2],
        [3, 4],
    ]
    with pytest.raises(csvfeed.CsvError, match="no rows"):
        features([b"a,b\n", b"a,b\n"])


def test_an_empty_file_among_others_is_skipped_until_it_changes(write):
    ds = csvfeed.CsvDataset([write("a,b\n1,2\n", "1.csv"), write("", "2.csv")])
    assert ds.num_rows == 1
    write("a,b\n3,4\n", "2.csv")
    with pytest.raises(csvfeed.SourceChangedError) as caught:
        list(ds)
    assert caught.value.path.endswith("2.csv")


def test_byte_order_marks_and_blank_lines_belong_to_their_files(features):
    parts = [b"\xef\xbb\xbfa,b\r\n1,2\r\n\r\n", b"\xef\xbb\xbf\nb,a\n4,3\r"]
    assert features(parts) == [[1, 2], [3, 4]]


def test_a_part_that_changes_is_an_error(write):
    paths = [write(numbered(500, start=500 * n), f"{n}.csv") for n in range(4)]
    for path in paths:
        os.utime(path, (10**9, 10**9))
    ds = csvfeed.CsvDataset(paths, **NUMBERED, memory=SMALL, threads=1)
    iterator = iter(ds)
    next(iterator)
    with Path(paths[3]).open("ab") as file:
        file.write(b"1,k1,t,1\n")
    with pytest.raises(csvfeed.SourceChangedError) as caught:
        list(iterator)
    assert caught.value.path == paths[3]
    for read in (lambda: list(ds), lambda: ds.num_rows, lambda: list(ds.shuffle(seed=1))):
        with pytest.raises(csvfeed.SourceChangedError) as caught:
            read()
        assert caught.value.path == paths[3]


def test_more_files_than_a_process_may_open(tmp_path):
    for number in range(1200):
        (tmp_path / f"{number:05}.csv").write_bytes(numbered(3, start=3 * number))
    code = """
        import resource, sys, csvfeed
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
        ds = csvfeed.CsvDataset(sys.argv[1], features=["x"], target="y", threads=4, memory=1 << 20)
        rows = [int(n) for _, y in ds for n in y]
        print(rows == list(range(3600)), ds.num_rows)
        print(sorted(int(n) for _, y in ds.shuffle(seed=1) for n in y) == rows)
    """
    assert python(code, tmp_path) == "True 3600\nTrue\n"


# Patterns and directories


def test_a_pattern_stands_for_its_files_in_order(tmp_path, features):
    for number, name in enumerate(
        ["b.csv", "a.csv", "c.txt", "sub/d.csv", "sub/deep/e.csv", ".h.csv"]
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"a\n{number}\n")
    assert features(f"{tmp_path}/*.csv") == [[1], [0]]
    assert features(f"{tmp_path}/[ac].*") == [[1], [2]]
    assert features(f"{tmp_path}/**/*.csv") == [[1], [0], [3], [4]]
    assert features([tmp_path / "sub" / "d.csv", f"{tmp_path}/a*"]) == [[3], [1]]
    # Subfolders, hidden files and others are left out.
    assert features(tmp_path) == [[1], [0]]


def test_a_file_whose_name_has_brackets_is_itself(tmp_path, features):
    (tmp_path / "a[1].csv").write_text("a\n1\n")
    (tmp_path / "a1.csv").write_text("a\n2\n")
    assert features(tmp_path / "a[1].csv") == [[1]]
    assert features(f"{tmp_path}/a[12].csv") == [[2]]


def test_what_holds_no_file_is_not_found(tmp_path):
    for source in (f"{tmp_path}/*.csv", tmp_path):
        with pytest.raises(FileNotFoundError) as caught:
            csvfeed.CsvDataset(source)
        assert caught.value.errno == errno.ENOENT
        assert caught.value.filename == str(source)
    with pytest.raises(ValueError, match="empty list"):
        csvfeed.CsvDataset([])


def test_a_dataset_of_a_pattern_stays_that_of_its_files(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.csv").write_bytes(numbered(5))
    ds = csvfeed.CsvDataset(f"{tmp_path}/*.csv", **NUMBERED)
    data = pickle.dumps(ds)
    (tmp_path / "c.csv").write_bytes(numbered(5))
    assert pickle.loads(data).num_rows == 10
    assert "a.csv', " in repr(ds)
    many = csvfeed.CsvDataset([numbered(5)] * 9, **NUMBERED)
    assert repr(many).startswith("CsvDataset([<")
    assert "6 more" in repr(many)


# Objects


class Unseekable(io.RawIOBase):
    """What can be read but once."""

    def __init__(self, data):
        self.rest = data

    def readable(self):
        return True

    def readinto(self, buffer):
        count = min(len(buffer), len(self.rest), 100)
        buffer[:count], self.rest = self.rest[:count], self.rest[count:]
        return count


@pytest.mark.parametrize("order", sorted(ORDERS))
@pytest.mark.parametrize("kind", ["BytesIO", "a file", "a raw file", "unseekable"])
def test_a_binary_file_object_is_read_from_where_it_stands(write, kind, order):
    path = write(b"a line before\n" + numbered(200))
    options = {**NUMBERED, "memory": SMALL, "threads": 3, "batch_size": 9}
    expected = numbers_of(ORDERS[order](csvfeed.CsvDataset(numbered(200), **options)))
    buffering = 0 if kind == "a raw file" else -1
    with open(path, "rb", buffering=buffering) as file:
        if kind == "BytesIO":
            file = io.BytesIO(file.read())
        elif kind == "unseekable":
            file = Unseekable(file.read())
        while file.read(1) != b"\n":
            pass
        ds = csvfeed.CsvDataset(file, **options)
        for _ in range(2):
            assert numbers_of(ORDERS[order](ds)) == expected
        assert ds.num_rows == 200
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(ds)


def test_an_iterator_over_an_object_is_dropped_at_once():
    ds = csvfeed.CsvDataset(io.BytesIO(numbered(5000)), **NUMBERED, memory=SMALL, threads=4)
    for _ in range(200):
        iterator = iter(ds)
        next(iterator)
        del iterator
        shuffled = ds.shuffle()
        next(iter(shuffled))
        del shuffled


def test_a_text_file_is_refused(write):
    with open(write("a\n1\n"), encoding="utf-8") as file, pytest.raises(TypeError, match='"rb"'):
        csvfeed.CsvDataset(file)
    with pytest.raises(TypeError, match="give it as bytes"):
        csvfeed.CsvDataset(io.StringIO("a\n1\n"))
    with pytest.raises(TypeError, match="source is a path"):
        csvfeed.CsvDataset(3)


def test_what_an_object_raises_is_raised():
    class Failing(io.BytesIO):
        def read(self, *arguments):
            if self.tell() > 50_000:
                raise TimeoutError("the line is down")
            return super().read(*arguments)

    ds = csvfeed.CsvDataset(Failing(numbered(50_000)), **NUMBERED, memory=SMALL)
    with pytest.raises(TimeoutError, match="the line is down"):
        list(ds)


class Far:
    """An `Origin` that keeps a record of what is asked of it."""

    name = "far://table.csv"

    def __init__(self, data, sized=True):
        self.data, self.sized, self.version = data, sized, "1"
        self.opened = self.closed = 0

    def open(self):
        self.opened += 1
        return FarHandle(self)


class FarHandle:
    def __init__(self, file):
        self.file, self.is_closed = file, False
        self.size = len(file.data) if file.sized else None
        self.identity = file.version

    def read(self, offset, length):
        assert not self.is_closed
        return self.file.data[offset : offset + length]

    def stream(self):
        yield self.file.data[:100]
        yield self.file.data[100:]

    def close(self):
        self.file.closed += not self.is_closed
        self.is_closed = True


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize("order", sorted(ORDERS))
def test_an_origin_is_opened_for_each_iteration(sized, order):
    file = Far(numbered(300), sized)
    options = {**NUMBERED, "memory": SMALL, "threads": 3}
    ds = csvfeed.CsvDataset(file, **options)
    assert file.closed == 1
    for _ in range(2):
        expected = numbers_of(ORDERS[order](csvfeed.CsvDataset(file.data, **options)))
        assert numbers_of(ORDERS[order](ds)) == expected
    assert file.closed > 2 if sized else file.closed == 1
    assert file.opened == file.closed or order == "shuffled"
    assert ds.num_rows == 300


def test_an_origin_tells_of_its_place_and_its_version():
    file = Far(numbered(300).replace(b"\n70,", b"\nseventy,"))
    ds = csvfeed.CsvDataset(file, **NUMBERED, memory=SMALL)
    with pytest.raises(csvfeed.NumberError) as caught:
        list(ds)
    assert (caught.value.path, caught.value.line) == (Far.name, 72)
    file.version = "2"
    with pytest.raises(csvfeed.SourceChangedError) as caught:
        list(ds)
    assert caught.value.path == Far.name


def test_an_origin_that_waits_is_closed_when_the_iterator_is_dropped():
    class Slow(FarHandle):
        def read(self, offset, length):
            while offset > 10_000 and not self.is_closed:
                time.sleep(0.01)
            return self.file.data[offset : offset + length]

    class SlowFile(Far):
        def open(self):
            return Slow(self)

    iterator = iter(
        csvfeed.CsvDataset(SlowFile(numbered(3000)), **NUMBERED, memory=SMALL, batch_size=1)
    )
    next(iterator)
    del iterator


# Pipes


def test_a_pipe_is_read_but_once(tmp_path):
    data = numbered(3000)
    code = """
        import sys, csvfeed
        source = {"-": "-", "object": sys.stdin.buffer}.get(sys.argv[1], sys.argv[1])
        ds = csvfeed.CsvDataset(source, features=["x"], target="y")
        assert [int(n) for _, y in ds for n in y] == list(range(3000))
        assert sorted(int(n) for _, y in ds.shuffle(seed=2) for n in y) == list(range(3000))
        assert ds.num_rows == 3000
    """
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for source in ("-", "object", "/dev/stdin", fifo):
        command = [sys.executable, "-c", "\n".join(line[8:] for line in code.splitlines())]
        process = subprocess.Popen([*command, str(source)], stdin=subprocess.PIPE)
        if source == fifo:
            fifo.write_bytes(data)
        process.communicate(data, timeout=60)
        assert process.returncode == 0


def test_ctrl_c_while_a_slow_pipe_is_read():
    code = "import sys, csvfeed; print('go', flush=True); csvfeed.CsvDataset('-')"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"go\n"
    process.stdin.write(b"a,b\n1,2\n")
    process.stdin.flush()
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    # Without closing its input.
    assert process.wait(20) != 0
    assert b"KeyboardInterrupt" in process.stderr.read()
    process.stdin.close()
    process.stdout.close()
    process.stderr.close()


# Text in UTF-16


@settings(max_examples=examples(40))
@given(
    rows=st.lists(
        st.tuples(
            st.integers(-99, 99),
            st.text(st.characters(codec="utf-8", exclude_characters='",\r\n\0'), max_size=9),
        ),
        min_size=1,
        max_size=60,
    ),
    encoding=st.sampled_from(["utf-16", "utf-16-le", "utf-16-be"]),
    memory=st.sampled_from([None, SMALL]),
)
def test_utf_16_is_read_as_utf_8(rows, encoding, memory):
    text = "x,naïve 🦀\n" + "".join(f'{x},"{name}"\n' for x, name in rows)
    ds = csvfeed.CsvDataset(
        text.encode(encoding), encoding=encoding, target=None, features=["x"], memory=memory
    )
    assert ds.columns == ["x", "naïve 🦀"]
    assert [x for (X,) in ds for x in X[:, 0]] == [x for x, _ in rows]
    assert sorted(x for (X,) in ds.shuffle(seed=1) for x in X[:, 0]) == sorted(x for x, _ in rows)
    assert ds.num_rows == len(rows)


@pytest.mark.parametrize(
    ("data", "encoding", "message"),
    [
        ("a\n1\n".encode("utf-16-le"), "utf-16", "no byte-order mark"),
        ("a\n1\n".encode("utf-16"), "utf-16-be", "other byte order"),
        ("a\n1\n".encode("utf-16-le")[:-1], "utf-16-le", "not valid UTF-16"),
        (b"a\0\n\0\x00\xd8\n\0", "utf-16-le", "not valid UTF-16"),
    ],
)
def test_what_is_not_utf_16_is_refused(data, encoding, message):
    with pytest.raises(csvfeed.EncodingError, match=message):
        list(csvfeed.CsvDataset(data, encoding=encoding, target=None))


def test_an_error_in_utf_16_has_its_line():
    text = "a,b\n" + "1,2\n" * 501 + "1,x\n"
    with pytest.raises(csvfeed.NumberError) as caught:
        list(csvfeed.CsvDataset(text.encode("utf-16"), encoding="utf-16", memory=SMALL))
    assert (caught.value.line, caught.value.text) == (503, "x")
    with pytest.raises(ValueError, match="encoding"):
        csvfeed.CsvDataset(b"a\n1\n", encoding="klingon")


def test_fields_are_the_same_arrays_whatever_the_parts():
    one, many = (
        csvfeed.CsvDataset(source, target=None)
        for source in (b"a,b\n1,2\n3,4\n", [b"a,b\n1,2\n", b"a,b\n3,4\n"])
    )
    for (X,), (Y,) in zip(one, many, strict=True):
        np.testing.assert_array_equal(X, Y)
        assert X.dtype == Y.dtype == np.float32


@pytest.mark.parametrize("order", ["iter(ds)", "iter(ds.shuffle(seed=1))"])
def test_an_interpreter_ends_while_an_object_is_read(order):
    code = f"""
        import io, time, csvfeed

        class Slow(io.BytesIO):
            def read(self, *arguments):
                time.sleep(0.001)
                return super().read(*arguments)

        ds = csvfeed.CsvDataset(Slow(b"a,b\\n" + b"1,2\\n" * 20_000), memory=1 << 16, batch_size=8)
        iterators = [{order} for _ in range(4)]
        for iterator in iterators:
            next(iterator)
        print("done")
    """
    assert python(code) == "done\n"
