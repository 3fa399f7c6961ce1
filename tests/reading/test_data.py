"""Small files with a story each: see data/README.md."""

from pathlib import Path

import numpy as np
import oracle
import pytest

import csvfeed

DATA = Path(__file__).parents[1] / "data"
NAN, INF = float("nan"), float("inf")

FILES = {
    "excel.csv": (
        {"features": ["temperature", "humidity"]},
        ([[21.5, 0.43], [28, 0.7], [-3.25, 0.51], [9, NAN]], [120, 98, 77, 64]),
    ),
    "reviews.csv": (
        {"features": ["id"]},
        ([[1], [2], [3], [4], [5]], [5, 1, 3, 4, 2]),
    ),
    "sensors.csv": (
        {"missing": ["NA", "n/a", "?", "-999"], "missing_target": "skip"},
        ([[0, 1013.25, NAN], [60, -999, 3.5], [240, 1000, NAN]], [1.5, 1.25, 0.5]),
    ),
    "pandas.csv": (
        {"features": ["a", "b"], "target": "label"},
        ([[0.1, 1], [-2.5e-7, NAN], [123456789, 3]], [0, 1, 0]),
    ),
    "higgs.csv": (
        {"target": 0},
        (
            [
                [0.869293212890625, -0.6350818276405334, 0.22569026052951813],
                [0.907542109489440918, 0.3291472792625427, 0.3594118654727936],
                [0.7988347411155701, 1.4706387519836426, -1.6359747648239136],
            ],
            [1, 1, 0],
        ),
    ),
    "r.csv": (
        {"features": ["height"], "target": "weight", "missing_target": "keep"},
        ([[1.62], [NAN], [1.8]], [NAN, 71.5, 80]),
    ),
    "readings.tsv": (
        {"delimiter": "\t", "target": "c"},
        ([[1, 2], [10.5, -2], [0, 0.5]], [3, 30, -0.25]),
    ),
    "postgres.csv": (
        {"features": ["id", "score"], "missing": ["\\N"]},
        ([[1, 0.25], [2, INF], [3, NAN]], [1, 0, 1]),
    ),
    "ties.csv": (
        {"target": None},
        (
            [
                [16777216, 16777218, 16777216],
                [1, 1 + 2**-23, 1],
                [0, 2**-149, 0],
                [INF, INF, 2.0**128 - 2.0**104],
            ],
        ),
    ),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("memory", [None, 1024])
def test_a_file_is_read_as_it_is_meant(name, memory):
    options, expected = FILES[name]
    ds = csvfeed.CsvDataset(DATA / name, memory=memory, **options)
    batches = list(ds)
    assert ds.num_rows == len(expected[0])
    for part, values in zip(batches[0], expected, strict=True):
        assert oracle.same_floats(part, np.array(values, np.float32))


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_as_the_oracle_reads_it(name):
    options, _ = FILES[name]
    dialect = {key: options[key] for key in ("delimiter", "header", "missing") if key in options}
    table = oracle.read((DATA / name).read_bytes(), **dialect)
    options = {"features": None, **options, "missing_target": "keep"}
    ds = csvfeed.CsvDataset(DATA / name, **options)
    # A name that is empty in the file is one that csvfeed makes up.
    assert [(at, name) for at, name in enumerate(ds.columns) if table.columns[at]] == [
        (at, name) for at, name in enumerate(table.columns) if name
    ]
    ((X, *_),) = ds
    assert oracle.same_floats(X, table.array([ds.columns.index(name) for name in ds.feature_names]))


def test_a_commented_header_is_a_row_of_another_length():
    with pytest.raises(csvfeed.RowLengthError) as caught:
        list(iter(csvfeed.CsvDataset(DATA / "savetxt.txt", delimiter=" ", target=None)))
    assert (caught.value.line, caught.value.text) == (
        2,
        "1.000000000000000000e+00 5.000000000000000000e-01 nan",
    )
    text = (DATA / "savetxt.txt").read_bytes().partition(b"\n")[2]
    ((X,),) = csvfeed.CsvDataset(text, delimiter=" ", target=None)
    expected = [[1, 0.5, NAN], [-2, INF, 0.1]]
    assert oracle.same_floats(X, np.array(expected, np.float32))


def test_decimal_commas_are_no_numbers():
    with pytest.raises(csvfeed.NumberError) as caught:
        list(iter(csvfeed.CsvDataset(DATA / "excel_german.csv", delimiter=";", features=["preis"])))
    error = caught.value
    assert (error.line, error.column_name, error.text) == (2, "preis", "1,50")
    assert csvfeed.CsvDataset(DATA / "excel_german.csv", delimiter=";").columns == [
        "ort",
        "preis",
        "menge",
    ]


def test_a_file_that_is_cut_off_says_so():
    batches = iter(csvfeed.CsvDataset(DATA / "cut_off.csv", batch_size=2))
    assert [part.tolist() for part in next(batches)] == [[[1, 2], [4, 5]], [3, 6]]
    with pytest.raises(csvfeed.RowLengthError, match="cut off") as caught:
        next(batches)
    assert (caught.value.line, caught.value.text) == (4, "7,8")


def test_lines_may_end_with_cr_alone():
    ds = csvfeed.CsvDataset(DATA / "old_mac.csv")
    assert [part.tolist() for part in next(iter(ds))] == [[[1], [3]], [2, 4]]
    assert ds.dialect.line_end == "\r"


def test_each_file_has_its_reason_and_its_test():
    names = {path.name for path in DATA.iterdir()} - {"README.md", ".gitattributes"}
    reasons = (DATA / "README.md").read_text()
    code = "".join(path.read_text() for path in Path(__file__).parents[1].rglob("test_*.py"))
    for name in names:
        assert f"| `{name}` |" in reasons
        assert f'"{name}"' in code
    assert reasons.count("\n| `") == len(names)
