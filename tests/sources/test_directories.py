"""Directories as Spark and Hive write them, and files whose columns differ."""

import gzip
import itertools
import json
import pickle

import numpy as np
import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import csvfeed
from csvfeed.directories import data_files, keys_of


def write(directory, files):
    """Write files by path and return the directory as text."""
    for path, content in files.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return str(directory)


def rows(ds):
    """Return the rows of an epoch, each with all of its values."""
    return [row for batch in ds for row in np.column_stack(batch).tolist()]


SPARK = {
    "_SUCCESS": b"",
    ".part-00000.csv.crc": b"\x00crc",
    ".DS_Store": b"x",
    "_committed_42": b"{}",
    "_temporary/0/part-00009.csv": b"half a fi",
    "part-00000.csv": b"a,y\n1,2\n",
    "part-00001.csv": b"",
    "part-00002.csv": b"a,y\n",
    "part-00003.csv": b"\n\r\n\n",
    "part-00004.csv": b"y,a\n4,3",
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("suffix", [".csv", ""])
def test_a_directory_of_spark_is_read(tmp_path, packed, suffix):
    pack, end = (gzip.compress, ".gz") if packed else (bytes, "")
    files = {
        path.replace(".csv", suffix) + (end if path.startswith("part") else ""): pack(content)
        for path, content in SPARK.items()
    }
    source = write(tmp_path, files)
    ds = csvfeed.CsvDataset(source, target="y")
    assert (ds.columns, ds.num_rows) == (["a", "y"], 2)
    assert rows(ds) == [[1, 2], [3, 4]]
    assert sorted(rows(ds.shuffle(seed=1))) == [[1, 2], [3, 4]]
    assert rows(ds.cache(tmp_path / "cache")) == [[1, 2], [3, 4]]
    assert rows(pickle.loads(pickle.dumps(ds))) == [[1, 2], [3, 4]]


def test_files_of_hive_have_no_suffix(tmp_path):
    files = {"000000_0": b"1,2\n", "000001_0_copy_1": b"3,4\n", "README": b"of this table"}
    ds = csvfeed.CsvDataset(write(tmp_path, files))
    assert rows(ds) == [[1, 2], [3, 4]]


def test_files_with_and_without_a_suffix_in_one_directory_are_a_question(tmp_path):
    source = write(tmp_path, {"a.csv": b"1,2\n", "part-00000": b"3,4\n"})
    with pytest.raises(ValueError, match=r"'a\.csv', and others such as 'part-00000'"):
        csvfeed.CsvDataset(source)


def test_a_directory_without_data_is_an_error(tmp_path):
    source = write(tmp_path, {"_SUCCESS": b"", "README": b"nothing", "x.parquet": b"PAR1"})
    with pytest.raises(FileNotFoundError, match="or part-00000"):
        csvfeed.CsvDataset(source)


HEADS = [b"", b"\n", b"\xef\xbb\xbf", b"\r\n\n", gzip.compress(b""), gzip.compress(b"\n\n")]


@settings(max_examples=examples(150))
@given(
    st.lists(st.sampled_from([*HEADS, "rows", "rows", "header"]), min_size=1, max_size=40),
    st.booleans(),
    st.sampled_from(["raise", "skip"]),
)
def test_parts_without_rows_say_nothing_wherever_they_are(parts, has_header, on_error):
    content, expected = [], []
    for at, part in enumerate(parts):
        if part == "rows":
            expected.append([at, at + 0.5])
            part = (b"a,y\n" if has_header else b"") + f"{at},{at + 0.5}\n".encode()
        elif part == "header":
            part = b"a,y\n" if has_header else b""
        content.append(part)
    options = {"target": -1, "on_error": on_error, "memory": 2000}
    if not expected:
        with pytest.raises(csvfeed.CsvError, match=r"empty|blank lines|no rows"):
            csvfeed.CsvDataset(content, **options)
        return
    ds = csvfeed.CsvDataset(content, **options)
    assert rows(ds) == expected
    assert sorted(rows(ds.shuffle(seed=0))) == expected
    assert ds.num_rows == len(expected)


def test_parts_that_skip_rows_leaves_empty_are_skipped():
    report = b"A report\nof 2026\n"
    ds = csvfeed.CsvDataset([report, report + b"a,y\n1,2\n", b"A report"], skip_rows=2)
    assert rows(ds) == [[1, 2]]


def test_an_error_names_the_line_in_its_own_part():
    ds = csvfeed.CsvDataset([b"", b"a,y\n1,2\n", b"\n", b"a,y\n\nx,4\n"])
    with pytest.raises(csvfeed.NumberError) as raised:
        list(ds)
    assert (raised.value.line, raised.value.byte_offset) == (3, 5)


# Parts with more, fewer or other columns.

FIRST, SECOND = b"a,b,y\n1,2,3\n", b"y,c,a\n6,5,4\n"


def test_columns_that_are_not_asked_for_may_differ():
    ds = csvfeed.CsvDataset([FIRST, SECOND], features=["a"], target="y")
    assert ds.columns == ["a", "b", "y"]
    assert sorted(rows(ds.shuffle(seed=0))) == [[1, 3], [4, 6]]
    assert rows(ds) == [[1, 3], [4, 6]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "y"}, 'it lacks "b", and it has also "c". columns="union" .* features='),
        (
            {"features": ["b"], "target": "y"},
            'it lacks "b", which .* is asked for: columns="union"',
        ),
        ({"features": ["a"], "target": "b"}, 'it lacks "b", which .* is asked for'),
        ({"features": ["a"], "target": "y", "weight": "b"}, 'it lacks "b", which'),
        ({"features": ["a"], "target": "c"}, 'asks for column "c", but the columns are'),
    ],
)
def test_columns_that_are_asked_for_are_in_every_file(options, message):
    with pytest.raises(csvfeed.CsvError, match=message):
        csvfeed.CsvDataset([FIRST, SECOND], **options)


def test_a_split_goes_by_a_column_that_all_files_have():
    ds = csvfeed.CsvDataset([FIRST, SECOND], features=["a"], target="y")
    with pytest.raises(csvfeed.CsvError, match='by= names column "b", which <bytes> lacks'):
        len(ds.split(0.5, by="b")[0])
    union = csvfeed.CsvDataset([FIRST, SECOND], features=["a"], target="y", columns="union")
    halves = [rows(half) for half in union.split(0.5, by="b") if half.num_rows]
    assert sorted(itertools.chain(*halves)) == [[1, 3], [4, 6]]


def test_a_union_has_the_columns_of_all_files():
    ds = csvfeed.CsvDataset([FIRST, SECOND], columns="union", target="y", fill=0)
    assert (ds.columns, ds.feature_names) == (["a", "b", "y", "c"], ["a", "b", "c"])
    assert rows(ds) == [[1, 2, 0, 3], [4, 0, 5, 6]]
    stats = ds.stats()
    assert [stats[name].missing for name in "abcy"] == [0, 1, 1, 0]
    mean = csvfeed.CsvDataset([FIRST, SECOND], columns="union", target="y", fill="mean")
    assert rows(mean) == [[1, 2, 5, 3], [4, 2, 5, 6]]


def test_a_column_counted_from_the_last_of_a_union_is_a_question():
    with pytest.raises(csvfeed.CsvError, match=r'target=-1 counts from the last .*"union" adds'):
        csvfeed.CsvDataset([FIRST, SECOND], columns="union")
    same = csvfeed.CsvDataset([FIRST, b"y,b,a\n3,2,1\n"], columns="union")
    assert rows(same) == [[1, 2, 3], [1, 2, 3]]
    with pytest.raises(csvfeed.CsvError, match="fill=-1"):
        csvfeed.CsvDataset([FIRST, SECOND], columns="union", target="y", fill={-1: 0})


def test_a_file_without_the_target_follows_missing_target():
    options = {"columns": "union", "features": ["a"], "target": "b"}
    with pytest.raises(csvfeed.CsvError, match='it has no column "b", which is the target'):
        csvfeed.CsvDataset([FIRST, SECOND], **options)
    skip = csvfeed.CsvDataset([FIRST, SECOND], **options, missing_target="skip")
    assert (skip.num_rows, rows(skip), rows(skip.shuffle(seed=0))) == (1, [[1, 2]], [[1, 2]])
    keep = csvfeed.CsvDataset([FIRST, SECOND], **options, missing_target="keep")
    np.testing.assert_array_equal(rows(keep), [[1, 2], [4, np.nan]])


def test_a_name_that_a_file_has_twice_is_two_columns_of_a_union():
    ds = csvfeed.CsvDataset([b"a,y\n1,2\n", b"a,a,y\n3,4,5\n"], columns="union", target="y", fill=0)
    assert (ds.columns, rows(ds)) == (["a", "y", "a"], [[1, 0, 2], [3, 4, 5]])


def test_rows_of_other_files_have_as_many_fields_as_their_own_header():
    ds = csvfeed.CsvDataset(
        [FIRST, b"a,y\n1,2\n1,2,3\n"], columns="union", target="y", on_error="skip", batch_size=1
    )
    with pytest.warns(RuntimeWarning, match="1 row"):
        assert len(rows(ds)) == 2
    (reject,) = ds.rejects.first
    assert "the row has 3 fields where the header has 2" in str(reject)


def test_files_without_a_header_have_the_same_number_of_fields():
    for columns in ("same", "union"):
        with pytest.raises(csvfeed.CsvError, match=r"the first row has 1 field.* where that of"):
            csvfeed.CsvDataset([b"1,2\n", b"3\n"], columns=columns)


@settings(max_examples=examples(200))
@given(
    st.lists(
        st.tuples(st.permutations("abcdy"), st.integers(1, 5), st.integers(0, 4)),
        min_size=1,
        max_size=6,
    ),
    st.sets(st.sampled_from("abcd"), min_size=1),
    st.sampled_from([None, 1000]),
)
def test_a_union_is_what_a_naive_reader_makes_of_it(parts, features, memory):
    content, expected, columns = [], [], []
    features = sorted(features)
    value = itertools.count(1)
    for order, width, count in parts:
        names = [name for name in order[:width] if name != "y"] + ["y"]
        columns += [name for name in names if name not in columns]
        table = [[next(value) for _ in names] for _ in range(count)]
        content.append(
            "\n".join([",".join(names), *(",".join(map(str, row)) for row in table), ""])
        )
        for row in table:
            cells = dict(zip(names, row, strict=True))
            expected.append([cells.get(name, np.nan) for name in [*features, "y"]])
    options = {"features": features, "target": "y", "memory": memory, "batch_size": 3}
    content = [text.encode() for text in content]
    if not expected:
        return
    if not set(features) <= set(columns):
        with pytest.raises(csvfeed.CsvError, match="features= asks for column"):
            csvfeed.CsvDataset(content, columns="union", **options)
        return
    ds = csvfeed.CsvDataset(content, columns="union", **options)
    assert ds.columns == columns
    np.testing.assert_array_equal(rows(ds), expected)
    shuffled = sorted(rows(ds.shuffle(seed=3)), key=lambda row: row[-1])
    np.testing.assert_array_equal(shuffled, expected)
    # The strict rule reads the same as long as every file has what is asked for.
    needed = {*features, "y"}
    if all(needed <= {*order[:width], "y"} for order, width, _ in parts):
        np.testing.assert_array_equal(rows(csvfeed.CsvDataset(content, **options)), expected)


# Directories that are called key=value.

KEYED = {
    "country=FR/year=2020/part-0.csv": b"a,y\n1,2\n",
    "country=DE/year=2021/part-0.csv": b"y,a\n4,3\n",
    "country=A%20B/year=2021/part-0.csv.gz": gzip.compress(b"a,y\n5,6\n"),
    "country=__HIVE_DEFAULT_PARTITION__/year=2022/part-0.csv": b"a,y\n7,8\n",
    "country=FR/year=2020/part-1.csv": b"",
    "country=FR/year=2020/_SUCCESS": b"",
    "notes/part-0.csv": b"no,such,columns\n",
}
CODES = {"categories": {"country": "auto"}, "target": "y"}


def test_keys_of_directories_are_columns(tmp_path):
    ds = csvfeed.CsvDataset(write(tmp_path / "t", KEYED), partitions=True, **CODES)
    assert ds.columns == ["a", "y", "country", "year"]
    assert ds.vocabulary == {"country": ["A B", "DE", "FR"]}
    expected = [[5, 1, 2021, 6], [3, 2, 2021, 4], [1, 3, 2020, 2], [7, 0, 2022, 8]]
    assert rows(ds) == expected
    assert sorted(rows(ds.shuffle(seed=0))) == sorted(expected)
    assert ds.stats()["country"].missing == 1
    assert rows(ds.cache(tmp_path / "cache")) == expected
    assert rows(pickle.loads(pickle.dumps(ds))) == expected
    fr, others = ds.split(0.5, by="year")
    assert sorted(rows(fr) + rows(others)) == sorted(expected)
    assert not {row[2] for row in rows(fr)} & {row[2] for row in rows(others)}


def test_a_key_may_be_the_target_or_a_date(tmp_path):
    source = write(tmp_path, {"day=2024-02-29/0.csv": b"a\n1\n", "day=2024-03-01/0.csv": b"a\n2\n"})
    ds = csvfeed.CsvDataset(source, partitions=True, target="a", dates={"day": ["month", "day"]})
    assert rows(ds) == [[2, 29, 1], [3, 1, 2]]
    ds = csvfeed.CsvDataset(source, partitions=True, target="day", dates={"day": "dayofyear"})
    assert rows(ds) == [[1, 60], [2, 61]]
    only = csvfeed.CsvDataset(
        source, partitions=True, features=["day"], target=None, dates={"day": "day"}
    )
    assert rows(only) == [[29], [1]]
    assert sorted(rows(only.shuffle(seed=0))) == [[1], [29]]


def test_nobody_loses_columns_without_a_word(tmp_path):
    source = write(tmp_path, KEYED)
    pattern, listed = f"{source}/*/*/*.csv*", [f"{source}/{path}" for path in list(KEYED)[:2]]
    for every in (source, pattern, listed):
        with pytest.raises(ValueError, match="partitions=True makes columns"):
            csvfeed.CsvDataset(every)
        ds = csvfeed.CsvDataset(every, partitions=False)
        assert ds.columns == ["a", "y"]
        ds = csvfeed.CsvDataset(every, partitions=True, **CODES)
        assert ds.columns == ["a", "y", "country", "year"]
    alone = write(tmp_path / "alone", {"year=2020/0.csv": b"a,y\n1,2\n"})
    with pytest.raises(ValueError, match="'year=2020' and the like"):
        csvfeed.CsvDataset(alone)
    # One file by its name is what was asked for.
    assert rows(csvfeed.CsvDataset(f"{alone}/year=2020/0.csv")) == [[1, 2]]
    assert rows(csvfeed.CsvDataset(f"{alone}/year=2020")) == [[1, 2]]


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({"k=x/0.csv": b"a,y\n1,2\n"}, {"target": "y"}, "column 'k' .*: 'x': not a number.*{\"k\""),
        ({"k=1/0.csv": b"a,k\n1,2\n"}, {"target": "a"}, 'a column "k" .* partitions=False reads'),
        (
            {"k=1/0.csv": b"a,y\n1,2\n"},
            {},
            "target=-1 counts from the last .* partitions=True adds",
        ),
        ({"k=1/k=2/0.csv": b"a,y\n1,2\n"}, {}, "two directories that are called k="),
        (
            {"k=1/0.csv": b"a,y\n1,2\n", "0.csv": b"a,y\n3,4\n"},
            {"target": "y"},
            'it has also "k"',
        ),
        ({"0.csv": b"a,y\n1,2\n"}, {}, "the source has none"),
        (
            {"k=1/0.csv": b"a\n1\n", "k=/0.csv": b"a\n2\n"},
            {"features": ["a"], "target": "k"},
            "the target is missing",
        ),
    ],
)
def test_what_is_wrong_with_a_key_is_said_at_once(tmp_path, files, options, message):
    with pytest.raises(ValueError, match=message):
        csvfeed.CsvDataset(write(tmp_path, files), partitions=True, **options)


def test_a_union_of_files_with_and_without_a_key(tmp_path):
    source = write(tmp_path, {"k=5/0.csv": b"a,y\n1,2\n", "0.csv": b"a,y\n3,4\n"})
    ds = csvfeed.CsvDataset(source, partitions=True, columns="union", target="y", fill=-1)
    assert rows(ds) == [[3, -1, 4], [1, 5, 2]]


def test_numbers_of_paths_have_a_decimal_point(tmp_path):
    source = write(tmp_path, {"k=1.5/0.csv": b"a;y\n1,25;2\n"})
    ds = csvfeed.CsvDataset(source, partitions=True, target="y", delimiter=";", decimal=",")
    assert rows(ds) == [[1.25, 1.5, 2]]


def test_a_state_is_of_the_keys_that_it_was_made_with(tmp_path):
    first = write(tmp_path / "1", {"k=1/0.csv": b"a,y\n1,2\n3,4\n"})
    other = write(tmp_path / "2", {"k=2/0.csv": b"a,y\n1,2\n3,4\n"})
    options = {"partitions": True, "target": "y", "batch_size": 1}
    ds = csvfeed.CsvDataset(first, **options)
    next(iter(ds))
    state = json.loads(json.dumps(ds.state_dict()))
    same = csvfeed.CsvDataset(first, **options)
    same.load_state_dict(state)
    assert rows(same) == [[3, 1, 4]]
    with pytest.raises(ValueError, match="another file"):
        csvfeed.CsvDataset(other, **options).load_state_dict(state)


def test_directories_and_patterns_of_a_url():
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    for path, content in KEYED.items():
        files.pipe(f"/bucket/t/{path}", content)
    expected = [[5, 1, 2021, 6], [3, 2, 2021, 4], [1, 3, 2020, 2], [7, 0, 2022, 8]]
    for url in ("memory://bucket/t/", "memory://bucket/t/*/*/part*"):
        with pytest.raises(ValueError, match="partitions=True makes columns"):
            csvfeed.CsvDataset(url)
        ds = csvfeed.CsvDataset(url, partitions=True, **CODES)
        assert rows(ds) == expected
    with pytest.raises(OSError, match="end the URL with /"):
        csvfeed.CsvDataset("memory://bucket/t")


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("a/b.csv", []),
        ("a=1/b=2/c=3.csv", [("a", "1"), ("b", "2")]),
        ("/x/a%20b=%C3%A9/0", [("a b", "é")]),
        ("a=__HIVE_DEFAULT_PARTITION__/0", [("a", "")]),
        ("a=b=c/0", [("a", "b=c")]),
        ("=1/.a=1/0", []),
        ("s3://bucket/t/a=1/0.csv", [("a", "1")]),
        ("https://example.org/t/a%3D1/b=2/0.csv?c=3/4", [("a", "1"), ("b", "2")]),
    ],
)
def test_keys_are_those_of_the_directories_of_a_path(path, keys):
    assert keys_of(path) == keys


def test_which_files_are_data():
    paths = ["a.csv", "b.CSV.GZ", ".c.csv", "d.txt", "e", "k=1/f.csv", "g/h.csv", "_i=1/j.csv"]
    found = data_files(path.split("/") for path in paths)
    assert ["/".join(path) for path in found] == ["a.csv", "b.CSV.GZ", "k=1/f.csv", "_i=1/j.csv"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"columns": "any"}, ValueError),
        ({"columns": None}, ValueError),
        ({"partitions": "yes"}, TypeError),
        ({"partitions": 1}, TypeError),
    ],
)
def test_arguments_that_make_no_sense_are_refused(options, error):
    with pytest.raises(error, match=f"{next(iter(options))} is"):
        csvfeed.CsvDataset(b"a,y\n1,2\n", **options)
