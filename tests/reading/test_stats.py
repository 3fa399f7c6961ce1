"""``stats()``: what the columns of a file hold."""

import dataclasses
import math
import os
import pickle
from fractions import Fraction

import numpy as np
import pytest
from conftest import SMALL
from hypothesis import given
from hypothesis import strategies as st

import csvfeed
from csvfeed import ColumnStats

NAN, INF = float("nan"), float("inf")

TABLE = b"a,b,y,w\n1,10,0,1\n,30,1,2\n4,-20,1,3\n7,NA,0,4\n"


def same(found, expected):
    """Tell whether each number is the same, NaN being equal to NaN."""
    pairs = zip(dataclasses.astuple(found), dataclasses.astuple(expected), strict=True)
    return all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in pairs)


def of_column(fields, **options):
    text = "x,y\n" + "".join(f"{field},0\n" for field in fields)
    return csvfeed.CsvDataset(text.encode(), **options).stats()["x"]


@pytest.mark.parametrize("memory", [None, SMALL])
def test_each_column_that_is_read_has_its_stats(memory):
    ds = csvfeed.CsvDataset(TABLE, features=["b", "a"], target="y", weight="w", memory=memory)
    stats = ds.stats()
    assert list(stats) == ["b", "a", "y", "w"]
    assert stats["a"] == ColumnStats(3, 1, 4.0, pytest.approx(6**0.5, rel=1e-14), 1.0, 7.0)
    assert stats["b"].min == -20
    assert stats["b"].missing == 1
    assert stats["y"] == ColumnStats(4, 0, 0.5, 0.5, 0.0, 1.0)
    assert stats["w"].mean == 2.5
    assert list(csvfeed.CsvDataset(TABLE, features=["a"], target=None).stats()) == ["a"]


def test_the_numbers_are_those_of_python():
    for column in csvfeed.CsvDataset(TABLE).stats().values():
        assert [type(value) for value in dataclasses.astuple(column)] == [int] * 2 + [float] * 4
        with pytest.raises(dataclasses.FrozenInstanceError):
            column.mean = 0.0


@given(
    columns=st.lists(
        st.one_of(
            st.lists(st.one_of(st.none(), st.floats(-9, 9, width=32)), min_size=30, max_size=30),
            st.lists(
                st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=30, max_size=30
            ),
            # Numbers that differ in their last digits alone.
            st.lists(st.integers(10**7, 10**7 + 3), min_size=30, max_size=30),
        ),
        min_size=1,
        max_size=5,
    ),
    repeats=st.integers(1, 6),
    memory=st.sampled_from([SMALL, 1 << 13, None]),
    threads=st.integers(1, 4),
)
def test_stats_are_near_those_of_exact_numbers(columns, repeats, memory, threads):
    columns = [column * repeats for column in columns]
    fields = [["" if value is None else str(value) for value in column] for column in columns]
    rows = [",".join(row) + ",0\n" for row in zip(*fields, strict=True)]
    text = ",".join(f"c{at}" for at in range(len(columns))) + ",y\n" + "".join(rows)
    found = csvfeed.CsvDataset(text.encode(), memory=memory, threads=threads).stats()
    for at, column in enumerate(columns):
        numbers = [value for value in column if value is not None]
        stats = found[f"c{at}"]
        assert (stats.count, stats.missing) == (len(numbers), len(column) - len(numbers))
        if not numbers:
            assert same(stats, ColumnStats(0, len(column), NAN, NAN, NAN, NAN))
            continue
        exact = [Fraction(value) for value in numbers]
        mean = sum(exact) / len(exact)
        variance = sum((value - mean) ** 2 for value in exact) / len(exact)
        size = float(sum(map(abs, exact)) / len(exact))
        assert abs(stats.mean - float(mean)) <= 1e-14 * size
        assert stats.std == pytest.approx(float(variance) ** 0.5, rel=1e-8, abs=0)
        assert (stats.min, stats.max) == (min(numbers), max(numbers))


def test_many_rows_agree_with_numpy():
    table = np.random.default_rng(0).normal(1e4, 1, size=(200_000, 5)).astype(np.float32)
    text = "\n".join(",".join(map(str, row)) for row in table.tolist()).encode()
    for column, stats in csvfeed.CsvDataset(text, target=None).stats().items():
        exact = table[:, int(column.removeprefix("column_"))].astype(np.float64)
        assert stats.count == 200_000
        assert stats.mean == pytest.approx(exact.mean(), rel=1e-12)
        assert stats.std == pytest.approx(exact.std(), rel=1e-10)
        assert (stats.min, stats.max) == (exact.min(), exact.max())


@pytest.mark.parametrize("memory", [SMALL, 5000, 1 << 16, None])
def test_the_number_of_threads_changes_no_bit(memory):
    rng = np.random.default_rng(1)
    text = "".join(f"{a},{b}\n" for a, b in rng.normal(size=(3000, 2))).encode()
    found = [
        csvfeed.CsvDataset(text, threads=threads, memory=memory).stats()
        for threads in (1, 2, 3, 7, 50)
    ]
    assert all(stats == found[0] for stats in found)


def test_missing_values_are_counted_apart_and_not_filled():
    assert of_column(["1", "", "NA", "3"], fill=100) == ColumnStats(2, 2, 2.0, 1.0, 1.0, 3.0)
    assert same(of_column(["", "NA"]), ColumnStats(0, 2, NAN, NAN, NAN, NAN))


def test_a_nan_that_is_a_number_is_a_value():
    stats = of_column(["1", "nan", "", "-nan", "3"], missing=[])
    assert same(stats, ColumnStats(4, 1, NAN, NAN, NAN, NAN))


@pytest.mark.parametrize("memory", [None, SMALL])
@pytest.mark.parametrize(
    ("fields", "mean", "low", "high"),
    [
        (["inf", "1"], INF, 1.0, INF),
        (["1", "-inf", "2"], -INF, -INF, 2.0),
        (["inf", "-inf"], NAN, -INF, INF),
        (["1e39"], INF, INF, INF),
    ],
)
def test_an_infinite_value_makes_the_mean_infinite_and_the_std_nan(fields, mean, low, high, memory):
    for padding in ([], ["0"] * 500):
        stats = of_column(padding + fields + padding, memory=memory)
        expected = ColumnStats(
            len(fields + 2 * padding),
            0,
            mean,
            NAN,
            min(low, 0.0) if padding else low,
            max(high, 0.0) if padding else high,
        )
        assert same(stats, expected)


def test_a_constant_column_has_no_spread():
    for value in ("0.1", "-3e38", "16777217", "1e-45"):
        stats = of_column([value] * 5000, memory=1 << 12)
        assert (stats.mean, stats.std) == (float(np.float32(value)), 0.0)


def test_rows_without_a_target_count_as_missing_target_says():
    text = b"x,y\n1,\n3,4\n"
    with pytest.raises(csvfeed.NumberError, match="target is missing"):
        csvfeed.CsvDataset(text).stats()
    skipped = csvfeed.CsvDataset(text, missing_target="skip").stats()
    assert (skipped["x"].mean, skipped["y"].missing) == (3, 0)
    kept = csvfeed.CsvDataset(text, missing_target="keep").stats()
    assert (kept["x"].mean, kept["y"].mean, kept["y"].missing) == (2, 4, 1)


def test_a_name_that_occurs_twice_gives_way_to_the_index():
    stats = csvfeed.CsvDataset(b"a,b,a,y\n1,2,3,4\n").stats()
    assert {key: column.mean for key, column in stats.items()} == {0: 1, "b": 2, 2: 3, "y": 4}


def test_a_column_that_is_feature_and_target_stands_once():
    options = {"features": ["y", "b"], "target": ["y"], "allow_target_as_feature": True}
    assert list(csvfeed.CsvDataset(TABLE, **options).stats()) == ["y", "b"]


def test_a_wrong_row_is_an_error_with_its_place():
    with pytest.raises(csvfeed.NumberError) as caught:
        csvfeed.CsvDataset(TABLE + b"1,oops,0,1\n").stats()
    assert (caught.value.line, caught.value.column_name) == (6, "b")


def test_the_remainder_does_not_matter():
    for remainder in ("keep", "drop", "pad"):
        ds = csvfeed.CsvDataset(TABLE, remainder=remainder, batch_size=3)
        assert ds.stats()["y"].count == 4


def test_the_file_is_read_once(write):
    path = write(TABLE)
    ds = csvfeed.CsvDataset(path)
    stats = ds.stats()
    os.unlink(path)
    assert ds.stats() == stats


def test_a_pickle_remembers_the_stats_of_the_same_file(write, monkeypatch):
    path = write(TABLE)
    ds = csvfeed.CsvDataset(path)
    stats = ds.stats()
    twin = pickle.loads(pickle.dumps(ds))
    monkeypatch.setattr(twin._source_stats, "_reader", None)
    assert twin.stats() == stats
    pickled = pickle.dumps(ds)
    write(TABLE + b"1,1,1,1\n")
    assert pickle.loads(pickled).stats()["w"].count == 5


def test_a_file_that_changed_is_an_error(write):
    path = write(TABLE)
    ds = csvfeed.CsvDataset(path)
    write(TABLE + b"1,1,1,1\n")
    with pytest.raises(csvfeed.SourceChangedError):
        ds.stats()
