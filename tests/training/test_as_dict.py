"""``as_dict=True``: features by name, for models with an input for each."""

import keras
import numpy as np
import pytest
from models import seeded

from csvfeed import CsvDataset

CARRIERS = ["AA", "B6", "UA"]
COUNT = 205


def rows():
    random = np.random.default_rng(3)
    carrier = random.integers(0, 3, COUNT)
    number = random.normal(size=COUNT).round(3)
    hour = random.integers(0, 24, COUNT)
    return carrier, number, hour, (carrier * 2 - hour / 12 + number).round(3)


@pytest.fixture
def path(write):
    lines = [
        f"{CARRIERS[c] if at % 10 else ''},{n},2013-01-31 {h:02}:00,{y},{at % 3}"
        for at, (c, n, h, y) in enumerate(zip(*rows(), strict=True))
    ]
    return write("\n".join(["carrier,number,when,y,w", *lines]) + "\n")


def dataset(path, **options):
    options = {
        "target": "y",
        "features": ["carrier", "number", "when"],
        "categories": {"carrier": "auto"},
        "dates": {"when": ["hour"]},
        "batch_size": 16,
        **options,
    }
    return CsvDataset(path, **options)


def model(ds):
    """Return a functional model with an input for each feature."""
    carrier = keras.Input((1,), name="carrier", dtype="int32")
    number = keras.Input((1,), name="number")
    hour = keras.Input((1,), name="when.hour")
    classes = len(ds.vocabulary["carrier"]) + 1
    uniform = keras.initializers.RandomUniform(seed=1)
    embedded = keras.layers.Flatten()(keras.layers.Embedding(classes, 3, uniform)(carrier))
    one_hot = keras.layers.CategoryEncoding(classes, output_mode="one_hot")(carrier)
    x = keras.layers.Concatenate()([embedded, one_hot, number, hour])
    built = keras.Model(
        [carrier, number, hour], keras.layers.Dense(1, kernel_initializer=seeded())(x)
    )
    built.compile(keras.optimizers.SGD(1e-3), "mse", weighted_metrics=["mae"])
    return built


def arrays_of(ds):
    """Return all rows of an epoch: a dict of features, then the rest."""
    X, *rest = (np.concatenate(part) for part in zip(*ds, strict=True))
    named = {
        name: X[:, at : at + 1].astype(np.int32 if name == "carrier" else np.float32)
        for at, name in enumerate(ds.feature_names)
    }
    return named, *rest


def same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_fit_gives_the_same_model_as_arrays_in_memory(path, weighted):
    ds = dataset(path, weight="w" if weighted else None)
    features, y, *weight = arrays_of(ds)
    expected = model(ds)
    expected.fit(
        features, y, sample_weight=weight[0] if weighted else None, batch_size=16, epochs=2,
        shuffle=False, verbose=0,
    )  # fmt: skip
    found = model(ds)
    data = dataset(path, weight="w" if weighted else None).to_keras(as_dict=True)
    history = found.fit(data, epochs=2, validation_data=data, verbose=0)
    same(found.get_weights(), expected.get_weights())
    same(found.evaluate(data, verbose=0), expected.evaluate(
        features, y, sample_weight=weight[0] if weighted else None, verbose=0
    ))  # fmt: skip
    assert "val_loss" in history.history
    alone = dataset(path, target=None).to_keras(as_dict=True)
    same(found.predict(alone, verbose=0), expected.predict(features, verbose=0))


def test_class_weight_and_shuffle_go_with_it(path):
    ds = dataset(path, target="carrier", features=["number", "when"], missing_target="skip")
    data = ds.shuffle(seed=0).to_keras(as_dict=True, class_weight={1: 2.0, 2: 0.5})
    named, y, w = (
        np.concatenate(part) if at else part
        for at, part in enumerate(zip(*data.get_numpy_iterator(), strict=True))
    )
    assert set(named[0]) == {"number", "when.hour"}
    np.testing.assert_array_equal(w, np.choose(y.astype(int), [1, 2, 0.5]))
    assert len(y) == ds.num_rows


@pytest.mark.parametrize("remainder", ["keep", "drop", "pad"])
def test_batches_are_those_of_iteration(path, remainder):
    ds = dataset(path, remainder=remainder)
    batches = list(ds.to_keras(as_dict=True).get_numpy_iterator())
    for (named, *rest), (X, *others) in zip(
        batches, dataset(path, remainder=remainder), strict=True
    ):
        assert list(named) == ["carrier", "number", "when.hour"]
        assert [array.dtype for array in named.values()] == [np.int32, np.float32, np.float32]
        assert all(
            array.shape == (len(X), 1) and array.flags.c_contiguous for array in named.values()
        )
        np.testing.assert_array_equal(np.hstack(list(named.values())), X)
        for one, other in zip(rest, others, strict=True):
            np.testing.assert_array_equal(one, other)
    assert len(batches) == len(ds)


@pytest.mark.backend("tensorflow")
@pytest.mark.parametrize("remainder", ["keep", "drop", "pad"])
@pytest.mark.parametrize("target", ["y", None])
def test_to_tf_gives_the_same(path, remainder, target):
    tf = pytest.importorskip("tensorflow")
    ds = dataset(path, remainder=remainder, target=target)
    data = ds.to_tf(as_dict=True)
    assert data.cardinality().numpy() == len(ds)
    static = None if remainder == "keep" else 16
    assert data.element_spec[0]["carrier"] == tf.TensorSpec((static, 1), tf.int32)
    assert data.element_spec[0]["number"] == tf.TensorSpec((static, 1), tf.float32)
    for (named, *rest), (X, *others) in zip(data.as_numpy_iterator(), ds, strict=True):
        np.testing.assert_array_equal(np.hstack([named[name] for name in ds.feature_names]), X)
        for one, other in zip(rest, others, strict=True):
            np.testing.assert_array_equal(one, other)


def test_features_of_one_name_are_refused():
    ds = CsvDataset(b"a,a,y\n1,2,3\n")
    with pytest.raises(ValueError, match=r"several are called 'a'"):
        ds.to_keras(as_dict=True)


@pytest.mark.backend("tensorflow")
def test_features_of_one_name_are_refused_by_to_tf_too():
    ds = CsvDataset(b"a,a,y\n1,2,3\n")
    with pytest.raises(ValueError, match=r"several are called 'a'"):
        ds.to_tf(as_dict=True)


def test_normalization_leaves_categories_as_they_are(path):
    ds = dataset(path)
    X = np.concatenate([X for X, _ in ds])
    found = keras.ops.convert_to_numpy(ds.normalization()(X))
    np.testing.assert_array_equal(found[:, 0], X[:, 0])
    scaled = (X[:, 1:] - X[:, 1:].mean(0)) / X[:, 1:].std(0)
    np.testing.assert_allclose(found[:, 1:], scaled, rtol=1e-3, atol=1e-4)
