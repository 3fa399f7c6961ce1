"""``dtype=``: features of half the size for mixed precision, on every way to a trainer."""

import pickle
import sys

import keras
import numpy as np
import pytest

import csvfeed

ml_dtypes = pytest.importorskip("ml_dtypes")

# Ties, values on both sides of one, the ends of the ranges, and what lies beyond them.
VALUES = [
    "0",
    "1",
    "-2.5",
    "0.1",
    "2049",
    "2051",
    "65504",
    "65519",
    "65520",
    "-1e6",
    "1e-8",
    "3.3e38",
]
VALUES += ["257", "258.5", "1e-41", "nan", "inf", "3.4e38"]
DTYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


@pytest.fixture
def path(write):
    rows = (f"{value},{number % 3},{number}\n" for number, value in enumerate(VALUES))
    return write("x,c,y\n" + "".join(rows))


def dataset(path, **options):
    return csvfeed.CsvDataset(path, target="y", batch_size=5, missing=[], **options)


def rounded(values, name):
    """Round float32 to the nearest of another dtype, ties to even, by counting units."""
    bits = {"float16": 11, "bfloat16": 8}[name]
    least, most = {"float16": (-24, 65504), "bfloat16": (-133, 2.0**127 * (2 - 2**-7))}[name]
    found = []
    for value in map(float, values):
        if not np.isfinite(value) or value == 0:
            found.append(value)
            continue
        _, exponent = np.frexp(value)
        unit = 2.0 ** max(int(exponent) - bits, least)
        near = round(value / unit) * unit
        found.append(near if abs(near) <= most else np.copysign(np.inf, value))
    return np.array(found)


def same(found, expected):
    np.testing.assert_array_equal(np.asarray(found).astype(np.float64), expected)


def check(batches, path, name):
    """Check the batches against those of iteration."""
    count = 0
    for (X, *rest), (plain, *others) in zip(batches, dataset(path), strict=True):
        count += 1
        same(X, rounded(plain.ravel(), name).reshape(plain.shape))
        for one, other in zip(rest, others, strict=True):
            assert "float32" in str(one.dtype)
            same(one, other)
    assert count == 4


@pytest.mark.parametrize("name", DTYPES)
def test_keras_gets_features_of_the_dtype(path, name):
    adapter = dataset(path).to_keras(dtype=name)
    for one in (adapter, pickle.loads(pickle.dumps(adapter))):
        found = list(one.get_numpy_iterator())
        assert all(X.dtype == DTYPES[name] for X, _ in found)
        check(found, path, name)
    assert f"to_keras(dtype={name!r})" in repr(adapter)


@pytest.mark.parametrize("name", DTYPES)
def test_tensorflow_gets_features_of_the_dtype(path, name):
    tf = pytest.importorskip("tensorflow")
    found = dataset(path).to_tf(dtype=getattr(tf, name))
    assert found.element_spec[0].dtype == name
    assert found.element_spec[1].dtype == "float32"
    check(found.as_numpy_iterator(), path, name)


@pytest.mark.parametrize("name", DTYPES)
def test_pytorch_gets_features_of_the_dtype(path, name):
    torch = pytest.importorskip("torch")
    from csvfeed.train.torch import loader

    def arrays(batches):
        for X, y in batches:
            assert X.dtype == getattr(torch, name)
            yield X.float().numpy(), y.numpy()

    check(arrays(dataset(path).to_torch(dtype=getattr(torch, name))), path, name)
    adapter = dataset(path).to_keras(dtype=name)
    check(arrays(loader(adapter.get_numpy_iterator, lambda tensor: tensor)), path, name)


@pytest.mark.parametrize("name", DTYPES)
def test_grain_gets_features_of_the_dtype(path, name):
    pytest.importorskip("grain")
    found = dataset(path).to_grain(dtype=name)
    check(found, path, name)
    assert f"to_grain(dtype={name!r})" in str(found)


def test_codes_by_name_stay_integers(path):
    ds = dataset(path, categories={"c": "auto"})
    found = ds.to_keras(as_dict=True, dtype="float16")
    for (X, _), (plain, _) in zip(found.get_numpy_iterator(), ds, strict=True):
        assert (X["x"].dtype, X["c"].dtype) == (np.float16, np.int32)
        same(X["x"], rounded(plain[:, 0], "float16")[:, None])
        assert X["c"].ravel().tolist() == plain[:, 1].tolist()


@pytest.mark.parametrize("name", DTYPES)
def test_a_model_trains_on_them(write, name):
    path = write("x,y\n" + "".join(f"{n / 64},{n / 32}\n" for n in range(64)))
    ds = csvfeed.CsvDataset(path, batch_size=16).shuffle(seed=0)
    model = keras.Sequential(
        [keras.Input((1,), dtype=name), keras.layers.Dense(1, kernel_initializer="zeros")]
    )
    model.compile(keras.optimizers.SGD(0.3), "mse")
    history = model.fit(ds.to_keras(dtype=name), epochs=8, verbose=0).history["loss"]
    assert history[-1] < history[0] / 20


def test_other_dtypes_are_refused(path):
    ds = dataset(path)
    with pytest.raises(
        ValueError, match="rounds each number of the file once, to the nearest float32"
    ):
        ds.to_keras(dtype="float64")
    for dtype in ("int32", np.float64, "half", None):
        with pytest.raises(
            ValueError, match="dtype is one of 'float32', 'float16', 'bfloat16', not"
        ):
            ds.to_keras(dtype=dtype)
    for dtype in (np.float16, np.dtype("float16"), "float16"):
        assert next(iter(ds.to_keras(dtype=dtype).get_numpy_iterator()))[0].dtype == np.float16


def test_bfloat16_says_what_it_needs(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(ModuleNotFoundError, match="pip install ml_dtypes"):
        dataset(path).to_keras(dtype="bfloat16")
