"""Into ``tf.data``."""

import gc
import os
import resource
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from conftest import SMALL
from models import TABLE, W, X, Y, csv_of, dataset

from csvfeed import CsvDataset

if os.environ["KERAS_BACKEND"] != "tensorflow":
    pytest.skip("runs with KERAS_BACKEND=tensorflow", allow_module_level=True)

import tensorflow as tf


@pytest.fixture
def path(write):
    return write(csv_of(TABLE))


def elements(data):
    return [tuple(part.numpy() for part in element) for element in data]


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({}, [X, Y]),
        ({"target": ["y", "w"]}, [X, TABLE[:, 3:5]]),
        ({"weight": "w"}, [X, Y, W]),
        ({"target": None}, [X]),
        ({"features": ["c"]}, [X[:, 2:3], Y]),
        ({"features": None}, [TABLE[:, [0, 1, 2, 4]], Y]),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 10, 103, 1000])
@pytest.mark.parametrize("remainder", ["keep", "drop"])
def test_the_elements_are_the_batches_of_the_dataset(path, options, parts, batch_size, remainder):
    rows = 103 if remainder == "keep" else 103 // batch_size * batch_size
    ds = dataset(path, batch_size=batch_size, remainder=remainder, **options)
    if rows == 0:
        with pytest.raises(ValueError, match="no batch"):
            ds.to_tf()
        return
    data = ds.to_tf()
    assert int(data.cardinality()) == len(data) == len(ds)
    found = elements(data)
    assert len(found) == len(ds)
    for at, batch in enumerate(found):
        cut = slice(at * batch_size, min((at + 1) * batch_size, rows))
        assert len(batch) == len(parts)
        for part, whole in zip(batch, parts, strict=True):
            assert part.dtype == np.float32
            np.testing.assert_array_equal(part, whole[cut])


def test_the_shape_of_a_batch_is_known_when_all_are_alike(path):
    def shapes(**options):
        return [tuple(spec.shape) for spec in dataset(path, **options).to_tf().element_spec]

    assert shapes() == [(None, 3), (None,)]
    assert shapes(remainder="drop") == [(10, 3), (10,)]
    assert shapes(batch_size=103) == [(103, 3), (103,)]
    assert shapes(target=["y", "w"], batch_size=1) == [(1, 3), (1, 2)]


@pytest.mark.parametrize("batch_size", [1, 10, 103, 1000])
@pytest.mark.parametrize("options", [{}, {"weight": "w"}, {"target": None}])
def test_padded_elements_are_the_batches_of_the_dataset(path, options, batch_size):
    ds = dataset(path, batch_size=batch_size, remainder="pad", **options)
    data = ds.to_tf()
    assert all(spec.shape[0] == batch_size for spec in data.element_spec)
    for left, right in zip(elements(data), ds, strict=True):
        for part, expected in zip(left, right, strict=True):
            np.testing.assert_array_equal(part, expected)


@pytest.mark.parametrize("rows", [1, 63 * 3, 64 * 3, 64 * 3 + 1, 64 * 3 * 5 - 1])
@pytest.mark.parametrize("memory", [SMALL, None])
def test_no_row_is_lost_where_groups_of_batches_meet(write, rows, memory):
    text = "".join(f"{n},{-n}\n" for n in range(rows))
    for remainder in ("keep", "drop"):
        ds = CsvDataset(write(text), batch_size=3, remainder=remainder, memory=memory)
        if len(ds) == 0:
            continue
        kept = rows if remainder == "keep" else rows // 3 * 3
        found = np.concatenate([y for _, y in elements(ds.to_tf())])
        np.testing.assert_array_equal(found, -np.arange(kept))


def test_batches_larger_than_a_group_cross_alone(write):
    text = "\n".join(",".join(["1"] * 1000) for _ in range(2500))
    shapes = [tuple(x.shape) for x, _ in CsvDataset(write(text), batch_size=1100).to_tf()]
    assert shapes == [(1100, 999), (1100, 999), (300, 999)]


def test_each_iteration_is_one_pass_from_the_start(path):
    data = dataset(path).to_tf()
    first = elements(data)
    assert len(list(islice(data, 3))) == 3
    for _ in range(2):
        for left, right in zip(elements(data), first, strict=True):
            np.testing.assert_array_equal(left[0], right[0])
            np.testing.assert_array_equal(left[1], right[1])


def test_drop_that_leaves_no_batch_is_an_error(path):
    for convert in (CsvDataset.to_tf, CsvDataset.to_keras):
        with pytest.raises(ValueError, match=r"no batch.*103 rows"):
            convert(dataset(path, batch_size=104, remainder="drop"))


def test_no_row_with_a_target_is_an_error_that_does_not_blame_the_remainder():
    ds = CsvDataset(b"x,y\n1,\n2,\n", missing_target="skip")
    with pytest.raises(ValueError, match=r"no batch|left out") as caught:
        ds.to_keras()
    assert "drop" not in str(caught.value)
    assert "remainder" not in str(caught.value)


# What is left behind


def resident():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def test_memory_does_not_grow_with_the_number_of_passes(path):
    data = dataset(path, batch_size=50).to_tf()
    for _ in range(30):
        elements(data)
    gc.collect()
    before = resident()
    for _ in range(200):
        elements(data)
    gc.collect()
    assert resident() - before < 20


def test_datasets_that_are_left_half_way_leave_no_threads(write, reading_threads):
    data = CsvDataset(write("1,2\n" * 500_000), batch_size=10, memory=1 << 14).to_tf()
    for _ in range(5):
        iterator = iter(data)
        next(iterator)
        del iterator
    del data
    gc.collect()
    reading_threads(0)


def test_many_datasets_may_be_read_at_once(path):
    datasets = [dataset(path, batch_size=size).to_tf() for size in range(1, 9)]
    for left, right in tf.data.Dataset.zip(datasets[3].unbatch(), datasets[6].unbatch()):
        np.testing.assert_array_equal(left[0], right[0])
    found = [np.concatenate([y for _, y in elements(data)]) for data in datasets]
    for y in found:
        np.testing.assert_array_equal(y, Y)


@pytest.mark.parametrize("argument", ["shuffle", "repeat", "map"])
def test_what_comes_after_is_ordinary_tf_data(path, argument):
    data = dataset(path).to_tf()
    if argument == "shuffle":
        rows = np.concatenate([y for _, y in elements(data.shuffle(4, seed=1))])
        np.testing.assert_array_equal(np.sort(rows), np.sort(Y))
    elif argument == "repeat":
        assert len(elements(data.repeat(3))) == 33
    else:
        (first, *_) = elements(data.map(lambda x, y: (2 * x, y)))
        np.testing.assert_array_equal(first[0], 2 * X[:10])
