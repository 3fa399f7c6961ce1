"""``rows``, ``head`` and ``to_pandas``: rows by their place, whatever the order of the dataset."""

import sys

import numpy as np
import pytest
from conftest import SMALL
from hypothesis import given
from hypothesis import strategies as st
from numbered import MIXED, NUMBERED, numbered, numbers_of

import csvfeed

ROWS = 3000
DATA = numbered(ROWS)


def dataset(**options):
    return csvfeed.CsvDataset(DATA, **{**NUMBERED, **options})


@pytest.fixture(scope="module")
def orders(tmp_path_factory):
    """Datasets with the numbers of their rows in the order of the file."""
    cache = tmp_path_factory.mktemp("cache")
    ds, small = dataset(memory=MIXED), dataset(memory=SMALL)
    train, held_out = ds.split(0.3, seed=1)
    cached = held_out.cache(cache)
    list(cached)
    everything = list(range(ROWS))
    held = numbers_of(held_out)
    return [
        (ds, everything),
        (small, everything),
        (ds.shuffle(seed=2), everything),
        (ds.cache(cache / "never written"), everything),
        (dataset(remainder="pad").distribute(1, 2), everything),
        (train.shuffle(seed=2), [n for n in everything if n not in held]),
        (cached, held),
        (cached.shuffle(seed=3), held),
        (ds.shard(1, 3).shuffle(seed=4), numbers_of(ds.shard(1, 3))),
        (dataset(remainder="pad", batch_size=37).shuffle(seed=0), everything),
        (dataset(remainder="drop", batch_size=37), everything),
    ]


@given(data=st.data())
def test_rows_are_those_of_the_file_as_in_a_slice(orders, data):
    ds, expected = data.draw(st.sampled_from(orders))
    start = data.draw(st.integers(0, len(expected) + 5))
    stop = data.draw(st.none() | st.integers(0, len(expected) + 500))
    X, y = ds.rows(start, stop)
    assert (X.dtype, y.dtype, X.flags.c_contiguous) == (np.float32, np.float32, True)
    assert X.shape == (len(y), 1)
    assert y.tolist() == X[:, 0].tolist() == expected[start:stop]


def test_rows_have_the_arrays_of_a_batch():
    data = b"a,b,y,z,w\n1,2,3,4,5\n6,7,8,9,10\n"
    several = csvfeed.CsvDataset(data, target=["y", "z"], weight="w")
    assert [array.tolist() for array in several.rows(1)] == [[[6, 7]], [[8, 9]], [10]]
    assert [array.shape for array in several.rows(9)] == [(0, 2), (0, 2), (0,)]
    (X,) = csvfeed.CsvDataset(data, target=None).rows()
    assert X.shape == (2, 5)
    padded = csvfeed.CsvDataset(data, remainder="pad", batch_size=5)
    assert [array.tolist() for array in padded.rows()] == [[[1, 2, 3, 4], [6, 7, 8, 9]], [5, 10]]


def test_looking_does_not_move_the_dataset():
    ds = dataset(batch_size=100).shuffle(seed=0)
    expected = [numbers_of(ds) for _ in range(2)]
    again = dataset(batch_size=100).shuffle(seed=0)
    batches = iter(again)
    found = numbers_of([next(batches)])
    state = again.state_dict()
    again.head()
    again.rows(10, 20)
    again.to_pandas(3)
    assert again.state_dict() == state
    found += numbers_of(batches)
    assert [found, numbers_of(again)] == expected


def test_a_head_needs_no_pass_and_no_good_rows_behind_it(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"x,y\n" + b"1,2\n" * 100_000 + b"one,2\n")
    ds = csvfeed.CsvDataset(path, memory=SMALL).shuffle().cache(tmp_path / "cache")
    assert ds.head(2).rows == [(1.0, 2.0)] * 2
    assert not (tmp_path / "cache").exists()
    with pytest.raises(csvfeed.NumberError, match="line 100002, column 'x'"):
        ds.rows()


def test_rows_read_a_complete_cache_and_not_the_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(DATA)
    ds = csvfeed.CsvDataset(path, **NUMBERED).cache(tmp_path / "cache")
    list(ds)
    (cache,) = (tmp_path / "cache").iterdir()
    assert ds.rows(7, 8)[1].tolist() == [7]
    # Who reads a damaged cache removes it.
    content = cache.read_bytes()
    place = content.rindex(np.float32(7).tobytes())
    cache.write_bytes(content[:place] + b"\1" + content[place + 1 :])
    assert ds.rows(7, 8)[1].tolist() == [7]
    assert not cache.exists()


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda ds: ds.rows(-1), ValueError, "start is a whole number of at least 0, not -1"),
        (lambda ds: ds.rows(0, 2.5), ValueError, "stop is a whole number of at least 0, not 2.5"),
        (lambda ds: ds.head(0), ValueError, "n is a whole number of at least 1, not 0"),
        (lambda ds: ds.head(rows=3), TypeError, "csvfeed calls it n="),
        (lambda ds: ds.to_pandas(0), ValueError, "n is a whole number of at least 1, not 0"),
    ],
)
def test_a_wrong_place_is_refused(call, error, said):
    with pytest.raises(error, match=said):
        call(dataset())


def test_a_data_frame_has_the_names_and_float32():
    pd = pytest.importorskip("pandas")
    data = b"a,a,when,kind,w\n1.5,,2024-03-01,no,2\n3,4,2024-12-31,yes,3\n5,6,,no,4\n"
    options = {"target": "kind", "weight": "w", "dates": {"when": ["month", "day"]}}
    ds = csvfeed.CsvDataset(data, categories={"kind": "auto"}, **options)
    found = ds.shuffle(seed=0).to_pandas()
    expected = {
        "a": [1.5, 3, 5],
        "a.1": [np.nan, 4, 6],
        "when.month": [3, 12, np.nan],
        "when.day": [1, 31, np.nan],
        "kind": [0, 1, 0],
        "w": [2, 3, 4],
    }
    pd.testing.assert_frame_equal(found, pd.DataFrame(expected, dtype=np.float32))
    pd.testing.assert_frame_equal(ds.to_pandas(2), found[:2])
    pd.testing.assert_frame_equal(ds.to_pandas(99), found)


@pytest.mark.filterwarnings("ignore:.* left out:RuntimeWarning")
def test_a_data_frame_of_no_rows_has_the_names():
    pytest.importorskip("pandas")
    nobody = csvfeed.CsvDataset(b"a,b,y\n1,x,3\n", on_error="skip", header=True)
    frame = nobody.to_pandas()
    assert (frame.shape, [*frame.columns]) == ((0, 3), ["a", "b", "y"])


def test_without_pandas_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="needs pandas: pip install pandas"):
        dataset().to_pandas()
