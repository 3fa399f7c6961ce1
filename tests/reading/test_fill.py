"""``fill``: what a missing feature becomes."""

import pickle
from fractions import Fraction

import numpy as np
import oracle
import pytest
from conftest import SMALL
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import csvfeed

NAN = float("nan")

HOLES = b'a,b,c,y\n,2,3,4\n5,NA,7,8\n9,10,"",12\nnan,?, ,16\n'


def equal(found, expected):
    np.testing.assert_array_equal(np.array(found, np.float32), np.array(expected, np.float32))


@pytest.mark.parametrize("memory", [None, SMALL])
@pytest.mark.parametrize("number", [0, -1.5, np.float32(0.1), np.int64(7), Fraction(1, 3), 1e-50])
def test_a_number_takes_the_place_of_each_missing_feature(read, number, memory):
    n = float(number)
    X, y = read(HOLES, fill=number, memory=memory)
    equal(X, [[n, 2, 3], [5, n, 7], [9, 10, n], [n, n, n]])
    equal(y, [4, 8, 12, 16])


def test_a_dict_fills_the_columns_that_it_names(read):
    X, _ = read(HOLES, fill={"b": -1, 2: -2})
    equal(X, [[NAN, 2, 3], [5, -1, 7], [9, 10, -2], [NAN, -1, -2]])
    X, _ = read(HOLES, features=["c", "a"], fill={"a": -1})
    equal(X, [[3, -1], [7, 5], [NAN, 9], [NAN, -1]])
    X, _ = read(HOLES, fill={})
    equal(X[-1], [NAN, NAN, NAN])


def test_a_nan_that_is_a_number_stays(read):
    X, _ = read(b"a,b,y\nnan,NA,1\n-nan,,2\n", missing=["NA"], fill=0)
    equal(X, [[NAN, 0], [NAN, 0]])


def test_a_token_that_is_no_string_is_told_how_to_be_one():
    with pytest.raises(TypeError, match=r'strings, not \[-999\]: .*"-999", "-999.0"'):
        csvfeed.CsvDataset(b"a,y\n1,2\n", missing=[-999])


def test_a_token_that_is_a_number_is_filled(read):
    with pytest.warns(RuntimeWarning, match='"-999.0" in <bytes> has the value of a missing token'):
        X, _ = read(b"a,b,y\n-999,1,1\n2,-999.0,2\n", missing=["-999"], fill=0)
    equal(X, [[0, 1], [2, -999]])


@pytest.mark.parametrize("memory", [None, SMALL])
def test_a_missing_target_or_weight_is_not_filled(read, memory):
    text = b"x,y,w\n" + b"1,,3\n,5,\n" * 50
    options = {"target": "y", "weight": "w", "fill": 0, "memory": memory}
    with pytest.raises(csvfeed.NumberError, match="target is missing"):
        read(text, **options)
    X, y, w = read(text, missing_target="keep", **options)
    equal(X, [[1], [0]] * 50)
    equal(y, [NAN, 5] * 50)
    equal(w, [3, NAN] * 50)


def test_a_column_that_is_also_a_target_is_filled_as_a_feature_only(read):
    options = {"features": ["a", "b"], "target": ["b"], "missing_target": "keep"}
    X, y = read(b"a,b\n1,\n,2\n", fill=-1, **options, allow_target_as_feature=True)
    equal(X, [[1, -1], [-1, 2]])
    equal(y, [NAN, 2])


@pytest.mark.parametrize("memory", [None, SMALL])
@given(data=st.data())
@settings(max_examples=examples(60))
def test_filling_is_what_it_is_field_by_field(memory, data):
    field = st.sampled_from(["1", "-2.5", "1e5", "NA", "", '""', " ", "?", "nan", "inf", '"7"'])
    rows = data.draw(st.lists(st.tuples(field, field, field), min_size=1, max_size=40))
    text = "a,b,c\n" + "".join(",".join(row) + "\n" for row in rows)
    fill = data.draw(st.dictionaries(st.sampled_from("abc"), st.floats(-9, 9, width=32)))
    missing = data.draw(st.sampled_from([oracle.MISSING, ["NA", "?"]]))
    table = oracle.read(text.encode(), missing=missing)
    expected = table.array([0, 1, 2])
    for row, fields in enumerate(table.rows):
        for column, name in enumerate("abc"):
            if name in fill and table.is_missing(fields, column):
                expected[row, column] = fill[name]
    ds = csvfeed.CsvDataset(
        text.encode(), target=None, fill=fill, missing=missing, memory=memory, threads=2
    )
    assert oracle.same_floats(np.concatenate([X for (X,) in ds]), expected)


# The mean


@pytest.mark.parametrize("memory", [None, SMALL])
def test_a_mean_is_that_of_the_values_of_its_column(read, memory):
    X, y = read(HOLES, fill="mean", memory=memory)
    equal(X, [[7, 2, 3], [5, 6, 7], [9, 10, 5], [7, 6, 5]])
    equal(y, [4, 8, 12, 16])
    X, _ = read(HOLES, features=["c", "a"], fill={"a": "mean", "c": -1}, memory=memory)
    equal(X, [[3, 7], [7, 5], [-1, 9], [-1, 7]])
    X, _ = read(HOLES, fill={1: "mean"}, memory=memory)
    equal(X[-1], [NAN, 6, NAN])


@pytest.mark.parametrize("memory", [None, SMALL])
@given(
    rows=st.lists(
        st.tuples(*[st.one_of(st.none(), st.floats(-1e6, 1e6, width=32))] * 2),
        min_size=1,
        max_size=60,
    ),
    threads=st.integers(1, 3),
)
def test_a_mean_is_the_float32_nearest_to_that_of_numpy(rows, memory, threads):
    table = np.array([[NAN if v is None else v for v in row] for row in rows])
    text = "".join(f"{','.join('' if v is None else repr(v) for v in row)},0\n" for row in rows)
    ds = csvfeed.CsvDataset(
        text.encode(), header=["a", "b", "y"], fill="mean", memory=memory, threads=threads
    )
    if np.isnan(table).all(axis=0).any():
        with pytest.raises(csvfeed.CsvError, match="all its values are missing"):
            list(iter(ds))
        return
    X = np.concatenate([X for X, _ in ds])
    expected = np.where(np.isnan(table), np.nanmean(table, axis=0), table)
    np.testing.assert_allclose(X, expected, rtol=1e-6, atol=1e-5)


def test_rows_that_are_left_out_do_not_count(read):
    text = b"x,y\n1,1\n100,\n,3\n3,4\n"
    X, _ = read(text, fill="mean", missing_target="skip")
    equal(X, [[1], [2], [3]])
    X, _ = read(text, fill="mean", missing_target="keep")
    equal(X[2], [np.float32(104 / 3)])


def test_the_means_are_found_once_and_only_for_batches(write):
    path = write(HOLES)
    ds = csvfeed.CsvDataset(path, fill="mean")
    assert (len(ds), ds.num_rows) == (1, 4)
    assert ds._source_stats.memory is None
    first = [X.tolist() for X, _ in ds]
    memory = ds._source_stats.memory
    assert memory is not None
    assert [X.tolist() for X, _ in ds] == first
    assert ds._source_stats.memory[1] is memory[1]
    assert ds.stats()["a"].mean == 7
    twin = pickle.loads(pickle.dumps(ds))
    assert twin._source_stats.memory == memory
    assert [X.tolist() for X, _ in twin] == first


def test_numbers_alone_need_no_means(read):
    X, _ = read(b"x,y\n1,2\n,3\n", fill={"x": 0})
    equal(X, [[1], [0]])
    ds = csvfeed.CsvDataset(HOLES, fill=0)
    next(iter(ds))
    assert ds._source_stats.memory is None


def test_a_pickle_does_not_fill_with_the_means_of_another_file(write):
    path = write(b"x,y\n1,1\n,2\n")
    ds = csvfeed.CsvDataset(path, fill="mean")
    assert len(list(ds)) == 1
    pickled = pickle.dumps(ds)
    write(b"x,y\n5,1\n,2\n,3\n")
    ((X, _),) = pickle.loads(pickled)
    equal(X, [[5], [5], [5]])


@pytest.mark.parametrize(
    ("column", "options", "message"),
    [
        (["", "NA", ""], {}, "all its values are missing"),
        (["1", "inf", ""], {}, "not all its values are finite"),
        (["1", "nan", ""], {"missing": []}, "not all its values are finite"),
    ],
)
def test_a_mean_that_there_is_not_is_an_error_that_names_the_column(column, options, message):
    text = ("a,b,y\n" + "".join(f"1,{field},0\n" for field in column)).encode()
    ds = csvfeed.CsvDataset(text, fill="mean", **options)
    assert ds.num_rows == 3
    with pytest.raises(csvfeed.CsvError, match=message) as caught:
        iter(ds)
    assert (caught.value.column, caught.value.column_name, caught.value.line) == (1, "b", None)
    assert "fill={column: 0}" in str(caught.value)
    assert len(list(csvfeed.CsvDataset(text, fill={"a": "mean", "b": 0}, **options))) == 1


@pytest.mark.parametrize("value", ["inf", "nan"])
def test_a_mean_that_is_not_needed_need_not_be_there(read, value):
    X, _ = read(f"a,b,y\n1,{value},0\n,2,0\n".encode(), missing=[], fill="mean")
    equal(X, [[1, float(value)], [1, 2]])


def test_a_wrong_row_is_an_error_before_the_first_batch():
    with pytest.raises(csvfeed.NumberError, match="oops"):
        iter(csvfeed.CsvDataset(HOLES + b"oops,1,1,1\n", fill="mean", batch_size=1))


def test_a_dataset_pickles_with_its_fill():
    ds = csvfeed.CsvDataset(HOLES, fill={"a": 1, -2: 2})
    for twin in (ds, pickle.loads(pickle.dumps(ds))):
        ((X, _),) = twin
        equal(X[-1], [1, NAN, 2])


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        ({"nowhere": 0}, 'fill= asks for column "nowhere"'),
        ({9: 0}, "fill= asks for column 9"),
        ({"y": 0}, 'fill= names column "y" .index 3., which is no feature'),
        ({"a": 0, 0: 1}, 'fill= names column "a" .index 0. twice'),
        ({"a": None}, r"fill of column 'a' is a number"),
        ({"a": "0"}, r"fill of column 'a' is a number or .mean., not '0'"),
        ({1.5: 0}, "fill names columns by name or index"),
        ("median", r"fill is a number, .mean., or a dict .* not 'median'"),
        (True, "fill is a number"),
        ([0, 0, 0], "fill is a number"),
        (NAN, "finite"),
        (float("inf"), "finite"),
        (1e39, "finite"),
        (10**400, "finite"),
    ],
)
def test_a_fill_that_makes_no_sense_is_an_error_at_once(fill, message):
    with pytest.raises((TypeError, ValueError), match=message):
        csvfeed.CsvDataset(HOLES, fill=fill)
