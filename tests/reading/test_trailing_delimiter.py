"""Files whose rows end with a delimiter, after which no column begins."""

import gzip
import json
import subprocess
import sys

import pytest
from conftest import SMALL

import csvfeed
from csvfeed import dialect

ROWS = [[float(n), float(-n)] for n in range(400)]


def written(*, header="a,b,", end=",", line_end="\n", rows=ROWS):
    """Return the text of a file with two columns."""
    lines = [f"{a:g},{b:g}{end}" for a, b in rows]
    return "".join(line + line_end for line in [*header.split("\n"), *lines] if line).encode()


def read(source, **options):
    """Return a dataset and its rows, which must be the same in each order of reading."""
    ds = csvfeed.CsvDataset(source, **{"target": None, "threads": 2, **options})
    found = [row for (batch,) in ds for row in batch.tolist()]
    shuffled = [row for (batch,) in ds.shuffle(seed=3) for row in batch.tolist()]
    assert ds.num_rows == len(found)
    assert sorted(map(str, shuffled)) == sorted(map(str, found))
    return ds, found


@pytest.mark.parametrize("memory", [None, SMALL])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("header", "end", "options"),
    [
        ("a,b,", ",", {}),
        ("a,b", ",", {}),
        ("a,b", ", ", {}),
        ('"a","b",""', ',""', {}),
        ("# c\na,b,", ",", {"comment": "#"}),
        ("", ",", {"header": ["a", "b"]}),
        ("x,y,", ",", {"header": ["a", "b"], "skip_rows": 1}),
        ("a,b", ",", {"on_error": "skip"}),
        ("a,b", ",", {"short_rows": "fill"}),
        ("", ",", {"header": ["a", "b"], "on_error": "skip"}),
        ("", ",", {"header": ["a", "b"], "short_rows": "fill"}),
    ],
)
def test_a_delimiter_at_the_end_of_each_row_begins_no_column(
    header, end, options, line_end, pack, memory
):
    text = pack(written(header=header, end=end, line_end=line_end))
    ds, found = read(text, memory=memory, **options)
    assert (found, ds.columns, ds.feature_names) == (ROWS, ["a", "b"], ["a", "b"])
    assert ds.dialect.trailing_delimiter
    again = {**ds.dialect.options, **({"header": ["a", "b"]} if not ds.dialect.header else {})}
    assert read(text, **again)[1] == ROWS
    assert csvfeed.CsvDataset(text, **options).target_names == ["b"]


@pytest.mark.parametrize("options", [{}, {"header": False}, {"on_error": "skip"}])
def test_without_a_header_an_empty_last_field_is_no_column(options):
    ds, found = read(written(header=""), **options)
    assert (found, ds.columns) == (ROWS, ["column_0", "column_1"])
    assert ds.dialect.trailing_delimiter
    assert not ds.dialect.header


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (b"a,b,\n1,2,3\n4,5,\n", ["a", "b", "column_2"]),
        (b"a,b,\n1,2,\n4,5,6\n", ["a", "b", "column_2"]),
        (b"a,b,c\n1,2,\n3,4,\n", ["a", "b", "c"]),
        (b"1,2,\n4,5,6\n", ["column_0", "column_1", "column_2"]),
        (b"a,b,\n1,2,NA\n4,5,\n", ["a", "b", "column_2"]),
        (b"a\n1\n\n2\n", ["a"]),
    ],
)
def test_a_last_column_with_a_name_or_a_value_is_a_column(text, columns):
    ds = csvfeed.CsvDataset(text, target=None)
    assert ds.columns == columns
    assert not ds.dialect.trailing_delimiter
    assert sum(len(batch) for (batch,) in ds) == 2


def test_names_for_all_fields_make_the_last_one_a_column():
    ds, found = read(b"1,2,\n3,4,\n", header=["a", "b", "c"], fill=0)
    assert (found, ds.columns) == ([[1, 2, 0], [3, 4, 0]], ["a", "b", "c"])
    assert not ds.dialect.trailing_delimiter


def test_an_index_of_r_is_a_column_and_a_delimiter_after_the_rows_is_none():
    r = b'"a","b"\n"r1",1,2\n"r2",3,4\n'
    ds = csvfeed.CsvDataset(r, features=["a"], target="b")
    assert ds.columns == ["column_0", "a", "b"]
    assert not ds.dialect.trailing_delimiter
    assert read(r, features=["a", "b"])[1] == [[1, 2], [3, 4]]
    ends = b'"a","b",\n"r1",1,2,\n"r2",3,4,\n'
    ds, found = read(ends, features=["a", "b"])
    assert (found, ds.columns) == ([[1, 2], [3, 4]], ["column_0", "a", "b"])
    assert ds.dialect.trailing_delimiter
    # The last column is missing in all rows, by a word: which of the two it is is not known.
    with pytest.raises(csvfeed.RowLengthError):
        read(b"a,b\nr1,1,NA\nr2,2,NA\n", features=["b"])


VALUE = "a value stands after the last delimiter"


@pytest.mark.parametrize("memory", [None, SMALL])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("header", ["a,b,", "a,b", ""])
@pytest.mark.parametrize("bad", [b"7,8,9", b'"7",8,9', b"7,8,x "])
def test_a_later_value_after_the_last_delimiter_is_an_error_with_its_place(
    bad, header, pack, memory
):
    text = written(header=header) + b"\n" + bad + b"\r\n" + written(header="")
    with pytest.raises(csvfeed.RowLengthError, match=VALUE) as caught:
        read(pack(text), memory=memory)
    line = 402 + bool(header)
    assert (caught.value.line, caught.value.text) == (line, bad.decode())
    assert ("skip_rows=1" in str(caught.value)) == bool(header)
    ds, found = read(pack(text), memory=memory, on_error="skip", threads=1)
    assert found == ROWS + ROWS
    assert ds.rejects.count == 1
    assert ds.rejects.first[0].line == line
    names = ["a", "b", "c"]
    whole = {"header": names, "skip_rows": int(bool(header)), "features": names[:2]}
    assert len(read(pack(text), **whole)[1]) == 801


def test_values_may_follow_in_several_blocks_and_with_other_wrong_rows():
    lines = [b"a,b,"]
    lines += [b"%d,%d,%s" % (n, -n, b"5" if n > 300 and n % 7 == 0 else b"") for n in range(1000)]
    lines[500:500] = [b"1", b"1,2,3,4", b"8,9"]
    ds, found = read(b"\n".join(lines), on_error="skip", memory=SMALL)
    assert found == [[n, -n] for n in range(1000) if n <= 300 or n % 7]
    expected = [
        at + 1
        for at, line in enumerate(lines)
        if at and (line.count(b",") != 2 or not line.endswith(b","))
    ]
    assert ds.rejects.count == len(expected)
    assert [error.line for error in ds.rejects.first] == expected[:100]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b"5,6", "the row does not end with a delimiter as the first rows do"),
        (b"5", "the row has 1 field where the header has 2: is the delimiter another"),
        (b"5,", "the row has 1 field where the header has 2"),
        (b"5,6,7,", "the row has 3 fields where the header has 2"),
        (b"5,6,7,8", "the row has 4 fields where the header has 2"),
    ],
)
@pytest.mark.parametrize("header", [b"a,b", b"a,b,"])
def test_a_row_of_another_length_is_an_error_that_counts_the_columns(header, row, message):
    with pytest.raises(csvfeed.RowLengthError, match=message) as caught:
        read(header + b"\n" + b"1,2,\n" * 300 + row + b"\n")
    assert caught.value.line == 302


@pytest.mark.parametrize("header", [b"a,b", b"a,b,"])
def test_short_rows_are_filled_with_and_without_the_delimiter(header):
    ds, found = read(header + b"\n1,2,\n3,4\n5,\n6\n", short_rows="fill", fill=0)
    assert found == [[1, 2], [3, 4], [5, 0], [6, 0]]
    assert ds.columns == ["a", "b"]


def test_where_only_some_rows_end_so_the_error_says_so():
    with pytest.raises(csvfeed.RowLengthError, match="not all rows end so") as caught:
        read(b"a,b\n1,2\n3,4,\n")
    assert caught.value.line == 3
    ds, found = read(b"a,b\n1,2\n3,4,\n5,6\n", on_error="skip")
    assert found == [[1, 2], [5, 6]]
    for few in (b"1,2,\n", b'1,2,\n3,"4"5\n', b"1,2,\n3,4,\n" + b"x\n" * 300):
        ds, found = read(b"a,b\n" + few + b"5,6\n" * 9, on_error="skip")
        assert (found, ds.columns) == ([[5, 6]] * 9, ["a", "b"])
    ds, found = read(b'1,2,\n3,"4"5\n' + b"5,6,7\n" * 9, on_error="skip", fill=0)
    assert found == [[1, 2, 0]] + [[5, 6, 7]] * 9
    ds, found = read(b"a,b\n" + b"1,2,\n" * 9 + b"x\n3,4\n5,6,\n", on_error="skip")
    assert (found, ds.rejects.count) == ([[1, 2]] * 9 + [[5, 6]], 2)


@pytest.mark.parametrize("names", [{}, {"header": ["a", "b"], "skip_rows": 1}])
def test_some_parts_may_end_so(names):
    parts = [
        written(header="a,b", end=""),
        written(),
        written(header="a,b"),
        gzip.compress(written()),
    ]
    for order in (parts, parts[::-1]):
        ds, found = read(order, **names)
        assert (found, ds.columns) == (ROWS * 4, ["a", "b"])
        assert ds.dialect.trailing_delimiter == (order is not parts)
    # By name, in another order, and with a column more.
    ds, found = read([parts[0], b"b,c,a,\n1,2,3,\n"], columns="union", fill=0)
    assert found[-1] == [3, 1, 2]
    with pytest.raises(csvfeed.RowLengthError, match=VALUE):
        read([parts[0], written() + b"1,2,3\n"])


def test_parts_without_names_keep_an_empty_column_that_the_first_has():
    ds, found = read([b"1,2,3\n", b"4,5,\n6,7,\n"], fill=0)
    assert found == [[1, 2, 3], [4, 5, 0], [6, 7, 0]]
    assert ds.columns == ["column_0", "column_1", "column_2"]
    ds, found = read([b"a,b,\n1,2,3\n", b"a,b,\n4,5,\n"], fill=0)
    assert found == [[1, 2, 3], [4, 5, 0]]
    ds, found = read([b"1,2,\n", b"3,4\n", b"5,\n"], fill=0)
    assert found == [[1, 2], [3, 4], [5, 0]]
    with pytest.raises(csvfeed.CsvError, match="fields where that of"):
        read([b"1,2,\n", b"3,4,5\n"])


def test_other_ways_of_choosing_rows_see_the_same_rows(tmp_path):
    text = written()
    plain = written(header="a,b", end="")

    def seen(source, name):
        ds = csvfeed.CsvDataset(source, batch_size=7, threads=2)
        train, test = ds.split(0.25)
        cached = ds.cache(tmp_path / name)
        views = [train, test, ds.shard(1, 3), cached, cached, ds.shuffle(seed=1)]
        rows = [sorted(row for batch in view for row in batch[0].tolist()) for view in views]
        return rows, ds.stats()["a"].mean

    for number, source in enumerate([text, gzip.compress(text)]):
        found, mean = seen(source, f"ends-{number}")
        expected, plain_mean = seen(plain, f"plain-{number}")
        assert found[3:] == expected[3:]
        assert sorted(found[0] + found[1]) == expected[5]
        assert len(found[2]) == len(expected[2])
        assert mean == plain_mean


def test_categories_are_found_without_the_empty_column():
    ds = csvfeed.CsvDataset(b"a,y\nu,0,\nv,1,\nu,1,\n", categories={"a": "auto"})
    assert ds.vocabulary == {"a": ["u", "v"]}
    assert [batch[0].tolist() for batch in ds] == [[[1], [2], [1]]]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        (b"a,b,\n1,2,\n3,4,\n", True),
        (b"a,b\n1,2,\n3,4,\n", True),
        (b"a;b\n1;2;\n3;4;\n", True),
        (b"1,2,\n3,4,\n", True),
        (b"a,b\n1,2\n3,4\n", False),
        (b"a,b,c\n1,2,\n3,4,\n", False),
        (b"a,b,\n1,2,5\n3,4,\n", False),
    ],
)
def test_sniffing_agrees(text, ends):
    found = dialect.sniff(text)
    assert found.trailing_delimiter == ends
    assert "trailing_delimiter" not in found.options
    ds = csvfeed.CsvDataset(text, target=None, **found.options)
    assert ds.dialect.trailing_delimiter == ends
    (choice, *_) = dialect.ranked(text)
    assert choice.names is None or choice.names == [c.replace("column_2", "") for c in ds.columns]
    assert {len(row) for row in choice.rows} == {len(ds.columns)}
    assert csvfeed.CsvDataset(text, target=None, delimiter="auto").columns == ds.columns


def test_it_is_found_out_and_no_argument():
    with pytest.raises(TypeError, match="trailing_delimiter"):
        dialect.sniff(b"a,b\n1,2\n", trailing_delimiter=True)


def test_the_commands_show_the_columns_that_are_read(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(written(header="a,b") + b"7,8,9\n")

    def run(*arguments):
        command = [sys.executable, "-m", "csvfeed", *arguments, str(path)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    shown = run("head")
    assert shown.returncode == 0, shown.stderr
    assert "nothing" not in shown.stdout
    found = run("inspect", "--json")
    assert found.returncode == 3, found.stderr
    report = json.loads(found.stdout)
    assert report["dialect"]["trailing_delimiter"] is True
    assert [column["name"] for column in report["columns"]] == ["a", "b"]


def test_rows_that_only_now_and_then_end_with_a_delimiter_are_not_guessed_at():
    with pytest.raises(csvfeed.RowLengthError, match="3 fields where the header has 2"):
        list(csvfeed.CsvDataset(b"a,b\n1,2,\n3,4,5\n", target=None))
