"""``remainder="pad"``: batches of one shape, whatever the number of rows."""

import pickle

import numpy as np
import pytest
from conftest import SMALL
from hypothesis import given
from hypothesis import strategies as st

import csvfeed

TABLE = b"a,b,y,w\n" + b"".join(b"%d,%d,%d,%d\n" % (n, n + 100, -n, n % 3) for n in range(1, 11))


def parts(ds):
    return [np.concatenate(part) for part in zip(*ds, strict=True)]


@pytest.mark.parametrize("memory", [None, SMALL])
def test_the_last_batch_is_filled_up_with_rows_of_weight_zero(memory):
    ds = csvfeed.CsvDataset(TABLE, target="y", batch_size=4, remainder="pad", memory=memory)
    batches = list(ds)
    assert [[part.shape for part in batch] for batch in batches] == [[(4, 3), (4,), (4,)]] * 3
    X, y, w = batches[-1]
    assert X.tolist() == [[9, 109, 0], [10, 110, 1], [0, 0, 0], [0, 0, 0]]
    assert y.tolist() == [-9, -10, 0, 0]
    assert w.tolist() == [1, 1, 0, 0]
    assert all((w == 1).all() for _, _, w in batches[:-1])
    assert (len(ds), ds.num_rows) == (3, 10)


def test_a_column_of_weights_is_padded_with_zeros():
    ds = csvfeed.CsvDataset(TABLE, target="y", weight="w", batch_size=6, remainder="pad")
    X, _, w = parts(ds)
    assert w.tolist() == [n % 3 for n in range(1, 11)] + [0, 0]
    assert X.shape == (12, 2)


def test_several_targets_are_padded():
    ds = csvfeed.CsvDataset(TABLE, target=["y", "w"], batch_size=6, remainder="pad")
    X, y, w = parts(ds)
    assert (X.shape, y.shape, w.tolist()) == ((12, 2), (12, 2), [1] * 10 + [0, 0])
    assert not y[10:].any()


def test_without_a_target_there_are_no_weights():
    ds = csvfeed.CsvDataset(TABLE, target=None, batch_size=6, remainder="pad")
    batches = list(ds)
    assert [[part.shape for part in batch] for batch in batches] == [[(6, 4)]] * 2
    assert batches[1][0].tolist()[3:] == [[10, 110, -10, 1], [0] * 4, [0] * 4]


@pytest.mark.parametrize("batch_size", [1, 2, 5, 10])
def test_there_is_no_padding_where_the_rows_fill_the_batches(batch_size):
    ds = csvfeed.CsvDataset(TABLE, batch_size=batch_size, remainder="pad")
    X, _, w = parts(ds)
    assert (len(ds), X.shape, w.tolist()) == (10 // batch_size, (10, 3), [1] * 10)


@given(
    rows=st.integers(1, 200),
    batch_size=st.integers(1, 120),
    memory=st.sampled_from([SMALL, 1 << 13, None]),
    threads=st.integers(1, 3),
)
def test_padding_adds_to_what_is_read_without_it(rows, batch_size, memory, threads):
    text = b"".join(b"%d,%s,%d\n" % (n, b"%d" % n if n % 5 else b"", -n) for n in range(rows))
    options = {"batch_size": batch_size, "memory": memory, "threads": threads, "fill": 7}
    kept = csvfeed.CsvDataset(text, **options)
    padded = csvfeed.CsvDataset(text, remainder="pad", **options)
    batches = list(padded)
    assert len(padded) == len(batches) == len(kept) == -(-rows // batch_size)
    assert {tuple(part.shape for part in batch) for batch in batches} == {
        ((batch_size, 2), (batch_size,), (batch_size,))
    }
    X, y, w = parts(batches)
    for found, expected in zip((X, y), parts(kept), strict=True):
        np.testing.assert_array_equal(found[:rows], expected)
        assert not found[rows:].any()
    assert w.tolist() == [1] * rows + [0] * (len(w) - rows)


def test_rows_that_are_left_out_get_no_weight():
    text = b"x,y\n" + b"1,2\n3,\n" * 5
    ds = csvfeed.CsvDataset(text, missing_target="skip", batch_size=3, remainder="pad")
    X, _, w = parts(ds)
    assert (X.ravel().tolist(), w.tolist()) == ([1] * 5 + [0], [1] * 5 + [0])


def test_padding_is_in_memory_of_its_own():
    ds = csvfeed.CsvDataset(TABLE, target="y", batch_size=7, remainder="pad")
    first = list(ds)
    for part in first[-1]:
        assert part.flags.c_contiguous
        assert part.flags.writeable
        assert part.ctypes.data % 64 == 0
        part[:] = 5
    X, y, w = list(ds)[-1]
    assert (X[3:].any(), y[3:].any(), w.tolist()) == (False, False, [1] * 3 + [0] * 4)
    assert (first[-1][0] == 5).all()


def test_a_wrong_row_leaves_no_padded_batch():
    batches = iter(csvfeed.CsvDataset(TABLE + b"1,2,x,4\n", batch_size=4, remainder="pad"))
    for _ in range(2):
        assert len(next(batches)[0]) == 4
    with pytest.raises(csvfeed.NumberError):
        next(batches)
    assert list(batches) == []


@pytest.mark.parametrize("batch_size", [2**56, 2**61])
def test_a_batch_that_memory_cannot_hold_is_an_error(batch_size):
    with pytest.raises(MemoryError, match="batch_size"):
        list(iter(csvfeed.CsvDataset(TABLE, batch_size=batch_size, remainder="pad")))


def test_a_padded_dataset_pickles():
    ds = csvfeed.CsvDataset(TABLE, batch_size=4, remainder="pad")
    assert parts(pickle.loads(pickle.dumps(ds)))[2].tolist() == [1] * 10 + [0, 0]
