"""Windows over rows in Keras: the batches and the training of ``timeseries_dataset_from_array``."""

import keras
import numpy as np
import pytest
from models import seeded

from csvfeed import CsvDataset

ROWS, LENGTH = 300, 8
VALUES = np.random.default_rng(0).normal(size=(ROWS, 4)).astype(np.float32)
TEXT = "a,b,c,y\n" + "".join(",".join(map(repr, row)) + "\n" for row in VALUES.tolist())


def dataset(**options):
    return CsvDataset(TEXT.encode(), **{"target": "y", "batch_size": 16, **options})


def model():
    built = keras.Sequential(
        [
            keras.Input((LENGTH, 3)),
            keras.layers.Conv1D(4, 3, kernel_initializer=seeded()),
            keras.layers.Flatten(),
            keras.layers.Dense(1, kernel_initializer=seeded()),
        ]
    )
    built.compile(keras.optimizers.SGD(1e-2), "mse", weighted_metrics=["mae"])
    return built


@pytest.mark.parametrize(
    ("length", "stride", "horizon"),
    [(1, 1, 0), (8, 1, 0), (8, 1, 1), (8, 3, 5), (20, 20, 0), (20, 50, 0), (290, 1, 10)],
)
def test_the_batches_are_those_of_timeseries_dataset_from_array(length, stride, horizon):
    pytest.importorskip("tensorflow")
    theirs = keras.utils.timeseries_dataset_from_array(
        VALUES[:, :3],
        VALUES[length - 1 + horizon :, 3],
        sequence_length=length,
        sequence_stride=stride,
        batch_size=16,
    )
    ours = dataset().windows(length, stride=stride, horizon=horizon)
    assert len(ours) == len(theirs)
    for (X, y), (X_theirs, y_theirs) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(X, X_theirs)
        np.testing.assert_array_equal(y, y_theirs)


def test_fit_trains_as_with_arrays():
    ds = dataset().windows(LENGTH, horizon=1)
    arrays = [np.concatenate(one) for one in zip(*ds, strict=True)]
    ours, theirs = model(), model()
    found = ours.fit(ds, epochs=2, verbose=0, validation_data=ds.to_keras())
    expected = theirs.fit(
        *arrays, epochs=2, verbose=0, batch_size=16, shuffle=False, validation_data=arrays
    )
    for name, values in expected.history.items():
        np.testing.assert_allclose(found.history[name], values, rtol=2e-4)
    np.testing.assert_allclose(
        ours.predict(ds, verbose=0), theirs.predict(arrays[0], verbose=0), rtol=1e-3, atol=1e-4
    )


def test_windows_are_normalized_by_the_statistics_of_the_rows():
    ds = dataset().windows(LENGTH)
    X = next(iter(ds))[0]
    rows = VALUES[:, :3].astype(np.float64)
    expected = (X - rows.mean(0)) / rows.std(0)
    np.testing.assert_allclose(ds.normalization()(X), expected, rtol=1e-4, atol=1e-5)
    built = keras.Sequential([ds.normalization(), keras.layers.LSTM(2), keras.layers.Dense(1)])
    built.compile("sgd", "mse")
    built.fit(ds, verbose=0)


def test_features_by_name_are_windows_each():
    ds = dataset().windows(LENGTH)
    inputs = {name: keras.Input((LENGTH, 1), name=name) for name in ("a", "b", "c")}
    x = keras.layers.Concatenate()(list(inputs.values()))
    x = keras.layers.Dense(1, kernel_initializer=seeded())(keras.layers.Flatten()(x))
    built = keras.Model(inputs, x)
    built.compile("sgd", "mse")
    whole = keras.Sequential([keras.layers.Flatten(), built.layers[-1]])
    X = np.concatenate([X for X, _ in ds])
    expected = built.predict(
        {name: X[..., at : at + 1] for at, name in enumerate("abc")}, verbose=0
    )
    np.testing.assert_allclose(
        built.predict(ds.to_keras(as_dict=True), verbose=0), expected, rtol=1e-5
    )
    np.testing.assert_allclose(whole.predict(X, verbose=0), expected, rtol=1e-4, atol=1e-5)
    built.fit(ds.to_keras(as_dict=True), verbose=0)


@pytest.mark.backend("tensorflow")
def test_to_tf_tells_the_shapes():
    ds = dataset(remainder="drop").windows(LENGTH)
    X, y = ds.to_tf().element_spec
    assert (X.shape.as_list(), y.shape.as_list()) == ([16, LENGTH, 3], [16])
    named = ds.to_tf(as_dict=True).element_spec[0]
    assert {name: spec.shape.as_list() for name, spec in named.items()} == {
        name: [16, LENGTH, 1] for name in "abc"
    }
    assert sum(1 for _ in ds.to_tf()) == len(ds)


def test_classes_are_weighted_by_the_target_of_the_window():
    text = "a,y\n" + "".join(f"{row},{row % 2}\n" for row in range(100))
    ds = CsvDataset(text.encode(), batch_size=10).windows(3)
    arrays = [np.concatenate(one) for one in zip(*ds, strict=True)]
    built = keras.Sequential([keras.Input((3, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    built.compile(keras.optimizers.SGD(0.0), "mse")
    weight = {0: 1.0, 1: 5.0}
    found = built.fit(ds.to_keras(class_weight=weight), verbose=0).history["loss"]
    expected = built.fit(
        *arrays, class_weight=weight, batch_size=10, shuffle=False, verbose=0
    ).history["loss"]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
