"""``head`` and what notebooks show: the first rows with names, for people."""

import io
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import SMALL, bytes_read

import csvfeed

CITIES = b"""city,size,open,when,kind,w
Bern,0.1,yes,2024-03-01,big,1
,,no,2024-12-31,small,2
Graz,1e30,,,big,3
Oslo,-7,yes,2025-01-01,big,16777216
"""
OPTIONS = {
    "target": "kind",
    "weight": "w",
    "categories": {"city": ["Graz", "Bern"], "kind": "auto"},
    "booleans": ["open"],
    "dates": {"when": ["month"]},
}


def test_a_head_prints_names_and_values():
    ds = csvfeed.CsvDataset(CITIES, **OPTIONS)
    lines = [
        "city   size  open  when.month  kind          w",
        "Bern    0.1     1           3  big           1",
        "NaN     NaN     0          12  small         2",
        "Graz  1e+30   NaN         NaN  big           3",
        "NaN      -7     1           1  big    16777216",
    ]
    assert repr(ds.head()).splitlines() == lines
    assert str(ds.shuffle(seed=0).head(2)).splitlines()[1:] == [
        "Bern   0.1     1           3  big    1",
        "NaN    NaN     0          12  small  2",
    ]


def test_a_head_has_rows_and_columns():
    head = csvfeed.CsvDataset(CITIES, **OPTIONS).head(3)
    assert head.columns == ["city", "size", "open", "when.month", "kind", "w"]
    assert head.roles == ["feature"] * 4 + ["target", "weight"]
    assert head.rows[0] == ("Bern", 0.1, 1.0, 3.0, "big", 1.0)
    assert [*head] == head.rows
    assert (len(head), head["kind"]) == (3, ["big", "small", "big"])
    with pytest.raises(KeyError, match="no column is called 'town': the columns are 'city', "):
        head["town"]
    twice = csvfeed.CsvDataset(b"a,a,y\n1,2,3\n").head()
    with pytest.raises(KeyError, match="several columns are called 'a'"):
        twice["a"]
    assert twice["y"] == [3.0]


def test_codes_without_a_name_are_numbers():
    data = b"a,b,y\nx,p,1\n,q,2\n"
    ds = csvfeed.CsvDataset(data, categories={"a": ["x"], "b": 7}, fill={"a": 5})
    codes = next(iter(ds))[0]
    assert ds.head()["a"] == ["x", 5.0]
    assert ds.head()["b"] == codes[:, 1].tolist()


def test_values_are_those_of_batches():
    ds = csvfeed.CsvDataset(b"a,y\n1,0\n,1\n3,1\n", fill="mean")
    assert ds.head()["a"] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_wide_table_leaves_columns_out(monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    names = [f"column{n}" for n in range(300)]
    row = ",".join(map(str, range(300)))
    head = csvfeed.CsvDataset(f"{','.join(names)}\n{row}\n".encode()).head()
    header, values, rest = repr(head).splitlines()
    assert max(len(header), len(values)) <= width
    shown = header.split()
    assert (shown[0], shown[-2:], values.split()[-1]) == ("column0", ["...", "column299"], "299")
    assert rest == f"... {300 - len(shown) + 1} more columns"
    assert head._repr_html_().count("<th") == 1 + 20 + 1
    assert "280 more columns" in head._repr_html_()


def test_a_table_keeps_its_lines_whatever_the_text():
    data = 'c,"x<b>",y\n"a\nb\x1b[1m",1,2\n日本,3,4\n'.encode()
    text = "word" * 99
    ds = csvfeed.CsvDataset(data + f"{text},5,6\n".encode(), categories={"c": "auto"})
    lines = repr(ds.head()).splitlines()
    assert len(lines) == 4
    assert lines[1].startswith("a\\nb\\x1b[1m")
    assert all("\x1b" not in line and len(line) < 50 for line in lines)
    assert lines[2].endswith(" 3  4")
    assert ds.head()["c"][2] == text


def test_notebooks_show_tables_with_nothing_of_the_file_as_html():
    data = b'c,"<b>x</b>",y\n"<script>alert(1)</script>",1,2\n'
    ds = csvfeed.CsvDataset(data, categories={"c": ["<script>alert(1)</script>"]})
    for shown in (ds.head()._repr_html_(), ds._repr_html_()):
        assert "<script" not in shown
        assert "<b>x" not in shown
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
        assert "&lt;b&gt;x&lt;/b&gt;" in shown
        root = ElementTree.fromstring(f"<html>{shown.replace('<br>', '')}</html>")
        assert "".join(root.find(".//thead").itertext()) == "c<b>x</b>ytarget"


def test_a_notebook_shows_facts_and_rows(write):
    ds = csvfeed.CsvDataset(write(CITIES), **OPTIONS, batch_size=2)
    assert "ds.head()" in ds._repr_html_()  # A pass must find the categories first.
    assert "not counted yet" in ds._repr_html_()
    assert len(ds) == 2
    assert ds.vocabulary["kind"] == ["big", "small"]
    shown = ds._repr_html_()
    for fact in ("table.csv", ">4<", ">2<", "when.month", "kind", "<small>weight</small>", "Graz"):
        assert fact in shown
    held_out = ds.split(0.5, seed=0)[1]
    assert "<thead>" not in held_out._repr_html_()
    assert held_out.num_rows == 2
    assert "<thead>" in held_out._repr_html_()


@pytest.mark.parametrize(
    "options", [{"fill": "mean"}, {"categories": {"a": "auto"}}, {"target": "y"}]
)
def test_a_notebook_starts_no_pass_over_the_file(write, options):
    path = write("a,y\n" + "1,2\n" * 100_000)
    ds = csvfeed.CsvDataset(path, **options, memory=SMALL)
    before = bytes_read()
    for shown in (ds, ds.shuffle(seed=0), ds.split(0.1)[0], ds.split(0.1, by="a")[1]):
        assert "CsvDataset" in shown._repr_html_()
    assert bytes_read() - before < 200_000


def test_a_notebook_reads_no_stream():
    stream = io.BytesIO(b"a,y\n1,2\n")
    ds = csvfeed.CsvDataset(stream)
    at = stream.tell()
    assert "<thead>" not in ds._repr_html_()
    assert stream.tell() == at


def test_a_notebook_shows_the_error_in_place_of_rows(write):
    path = write("a,y\n<one>,2\n")
    ds = csvfeed.CsvDataset(path)
    assert "NumberError" in ds._repr_html_()
    assert "&lt;one&gt;" in ds._repr_html_()
    Path(path).unlink()
    assert "FileNotFoundError" in ds._repr_html_()


def test_an_empty_table_has_no_head():
    with pytest.raises(csvfeed.CsvError):
        csvfeed.CsvDataset(b"a,y\n").head()


def test_outputs_and_one_hot_classes_show_each_column_once():
    target = {"kind": "kind", "again": "kind", "size": ["size"]}
    weight = {"kind": "w", "size": "w"}
    ds = csvfeed.CsvDataset(
        CITIES,
        features=["open"],
        target=target,
        weight=weight,
        categories={"kind": ["big", "small"]},
        booleans=["open"],
        missing_target="keep",
        one_hot=["kind"],
    )
    head = ds.head(1)
    assert head.columns == ["open", "kind", "size", "w"]
    assert head.roles == ["feature", "target", "target", "weight"]
    assert head.rows == [(1.0, "big", 0.1, 1.0)]
    X, y, w = ds.rows(0, 2)
    assert y["kind"].tolist() == y["again"].tolist() == [[1, 0], [0, 1]]
    assert w["size"].tolist() == [1, 2]
    assert w["again"].tolist() == [1, 1]
    assert X.shape == (2, 1)
