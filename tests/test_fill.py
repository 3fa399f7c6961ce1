"""``fill``: what a missing feature becomes."""

import pickle
from fractions import Fraction

import numpy as np
import oracle
import pytest
from conftest import SMALL
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


def test_a_token_that_is_a_number_is_filled(read):
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
    X, y = read(b"a,b\n1,\n,2\n", fill=-1, **options)
    equal(X, [[1, -1], [-1, 2]])
    equal(y, [NAN, 2])


@pytest.mark.parametrize("memory", [None, SMALL])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
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
        ({"a": None}, "fill is a number"),
        ({"a": "0"}, "fill is a number"),
        ({1.5: 0}, "fill names columns by name or index"),
        ("0", "fill is a number"),
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
