"""A ready normalization layer."""

import keras
import numpy as np
import pytest
from models import TABLE, X, csv_of, dataset

from csvfeed import CsvDataset


def test_it_does_what_an_adapted_layer_does(write):
    layer = dataset(write(csv_of(TABLE))).normalization()
    adapted = keras.layers.Normalization()
    adapted.adapt(X)
    found = keras.ops.convert_to_numpy(layer(X))
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(adapted(X)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=0), 1, rtol=1e-4)


def test_missing_values_are_left_out_and_stay_missing():
    ds = CsvDataset(b"a,b,y\n1,5,0\n,5,0\n3,5,0\n", target="y")
    found = keras.ops.convert_to_numpy(ds.normalization()(next(ds.epochs.open(0))[0]))
    np.testing.assert_allclose(found, [[-1, 0], [np.nan, 0], [1, 0]])


def test_it_is_saved_with_the_model(write, tmp_path):
    ds = dataset(write(csv_of(TABLE)))
    built = keras.Sequential([keras.Input((3,)), ds.normalization(), keras.layers.Dense(1)])
    built.compile("sgd", "mse")
    built.fit(ds.to_keras(), verbose=0)
    built.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), built.predict(X, verbose=0))


@pytest.fixture
def mixed_float16():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


class Subclassed(keras.Model):
    def __init__(self, layers):
        super().__init__(autocast=False)
        self.steps = layers

    def call(self, inputs):
        for layer in self.steps:
            inputs = layer(inputs)
        return inputs


def functional(layers):
    inputs = outputs = keras.Input((2,))
    for layer in layers:
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)


MODELS = {
    "sequential": lambda layers: keras.Sequential([keras.Input((2,)), *layers]),
    "sequential, built by fit": keras.Sequential,
    "functional": functional,
    "subclass": Subclassed,
}


@pytest.mark.usefixtures("mixed_float16")
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
def test_features_beyond_float16_are_normalized_in_float32(make):
    amounts = 1e6 + 1e5 * np.random.default_rng(2).normal(size=60).astype(np.float32)
    rows = "".join(f"{amount},{n % 7},{n % 2}\n" for n, amount in enumerate(amounts))
    ds = CsvDataset(f"amount,b,y\n{rows}".encode(), batch_size=10)
    built = make([ds.normalization(), keras.layers.Dense(1)])
    built.compile("sgd", "mse")
    assert np.isfinite(built.fit(ds.to_keras(), epochs=2, verbose=0).history["loss"]).all()
    assert np.isfinite(built.predict(ds.to_keras(), verbose=0)).all()
    assert built.layers[-1].compute_dtype == "float16"
    found = keras.ops.convert_to_numpy(
        ds.normalization()(next(ds.epochs.open(0, batch_size=60))[0])
    )
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.std(axis=0), 1, rtol=1e-3)


def test_a_variance_beyond_float32_is_named():
    ds = CsvDataset(b"a,b,y\n1e25,1,0\n2e25,2,0\n", target="y")
    with pytest.raises(ValueError, match="'a' cannot be normalized"):
        ds.normalization()


@pytest.mark.parametrize("column", ["", "inf"])
def test_a_feature_without_a_mean_is_named(column):
    ds = CsvDataset(f"a,b,y\n1,{column},0\n2,{column},0\n".encode(), target="y")
    with pytest.raises(ValueError, match="'b' cannot be normalized"):
        ds.normalization()
