"""Mixes of datasets as what models train on."""

import keras
import numpy as np
import pytest
from numbered import NUMBERED, numbered, numbers_of

import csvfeed
from csvfeed.keras import BackupAndRestore

APART = 10_000


def sources(*counts, **options):
    return [
        csvfeed.CsvDataset(
            numbered(rows, start=APART * place), **{**NUMBERED, "batch_size": 10, **options}
        )
        for place, rows in enumerate(counts)
    ]


def test_keras_trains_on_a_mix_and_validates_on_one():
    mixed = csvfeed.mix([ds.shuffle(seed=1) for ds in sources(700, 500)], batch_size=50, seed=1)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((1,)), mixed.normalization(), keras.layers.Dense(1)])
    model.compile(loss="mean_absolute_error", optimizer="adam")
    seen = []

    class Steps(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002
            seen.append(batch)

    history = model.fit(
        mixed.to_keras(), validation_data=mixed.to_keras(), epochs=2, callbacks=[Steps()], verbose=0
    )
    assert len(seen) == 2 * len(mixed)
    assert np.isfinite(history.history["val_loss"]).all()
    # The weights of the same training on the same batches as arrays.
    keras.utils.set_random_seed(0)
    other = keras.Sequential([keras.Input((1,)), mixed.normalization(), keras.layers.Dense(1)])
    other.compile(loss="mean_absolute_error", optimizer="adam")
    again = csvfeed.mix([ds.shuffle(seed=1) for ds in sources(700, 500)], batch_size=50, seed=1)
    for _ in range(2):
        for X, y in again:
            other.train_on_batch(X, y)
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-4)


def test_a_killed_training_on_a_mix_goes_on(tmp_path):
    class Kill(keras.callbacks.Callback):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002
            self.steps += 1
            if self.steps == 11:
                raise KeyboardInterrupt

    def trained(*callbacks):
        """Train on a mix; if callbacks are given, with a backup."""
        one, other = (ds.shuffle(seed=1) for ds in sources(100, 60))
        mixed = csvfeed.mix([one.balance("key", method="oversample"), other], stop="repeat")
        keras.utils.set_random_seed(0)
        scale = keras.layers.Rescaling(1e-4)
        model = keras.Sequential([keras.Input((1,)), scale, keras.layers.Dense(1)])
        model.compile(loss="mean_absolute_error", optimizer="adam")
        backup = [BackupAndRestore(tmp_path, mixed, save_freq=3)] if callbacks else []
        model.fit(mixed, epochs=2, callbacks=[*backup, *callbacks], verbose=0)
        return model.get_weights()

    expected = trained()
    with pytest.raises(KeyboardInterrupt):
        trained(Kill())
    found = trained(keras.callbacks.Callback())
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_normalization_has_the_moments_of_the_rows_that_come():
    mixed = csvfeed.mix(sources(400, 200), weights=[2, 1])
    values = np.concatenate([X for X, _ in mixed])[:, 0].astype(float)
    layer = mixed.normalization()
    assert float(layer.mean[0, 0]) == pytest.approx(values.mean(), rel=1e-5)
    assert float(layer.variance[0, 0]) == pytest.approx(values.var(), rel=1e-5)


@pytest.mark.backend("tensorflow")
def test_tensorflow_gets_the_batches():
    tf = pytest.importorskip("tensorflow")
    mixed = csvfeed.mix(sources(300, 300), seed=1)
    dataset = mixed.to_tf()
    assert int(dataset.cardinality()) == len(mixed)
    assert isinstance(dataset, tf.data.Dataset)
    for _ in range(2):
        assert numbers_of((X.numpy(), y.numpy()) for X, y in dataset) == numbers_of(mixed)


@pytest.mark.backend("torch")
@pytest.mark.parametrize("workers", [0, 2])
def test_torch_gets_the_batches(workers):
    torch = pytest.importorskip("torch")

    def mixed(index=0, count=1):
        return csvfeed.mix([ds.shard(index, count) for ds in sources(300, 300)], seed=1)

    data = csvfeed.mix(sources(300, 300), seed=1).to_torch()
    loader = torch.utils.data.DataLoader(data, batch_size=None, num_workers=workers)
    parts = [mixed(at, max(1, workers)) for at in range(max(1, workers))]
    for _ in range(2):
        found = [(X.numpy(), y.numpy()) for X, y in loader]
        for at, part in enumerate(parts):
            assert numbers_of(found[at :: len(parts)]) == numbers_of(part)


@pytest.mark.backend("torch")
def test_a_stateful_loader_resumes_a_mix():
    stateful = pytest.importorskip("torchdata.stateful_dataloader").StatefulDataLoader

    def loader():
        members = [ds.shuffle(seed=2) for ds in sources(100, 60)]
        return stateful(csvfeed.mix(members, seed=1).to_torch(), batch_size=None)

    undisturbed = [y.tolist() for _, y in loader()]
    first = loader()
    batches = iter(first)
    for _ in range(3):
        next(batches)
    second = loader()
    second.load_state_dict(first.state_dict())
    assert [y.tolist() for _, y in second] == undisturbed[3:]


def test_windows_of_two_files_are_mixed_for_a_model():
    members = [ds.windows(5, horizon=1).shuffle(seed=3) for ds in sources(200, 100)]
    mixed = csvfeed.mix(members, weights=[2, 1], seed=1)
    X, y = next(iter(mixed))
    assert X.shape == (10, 5, 1)
    np.testing.assert_array_equal(X[:, -1, 0] + 1, y)
    model = keras.Sequential(
        [keras.Input((5, 1)), mixed.normalization(), keras.layers.LSTM(2), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mae")
    history = model.fit(mixed, validation_data=mixed.to_keras(), epochs=2, verbose=0).history
    assert np.isfinite(history["val_loss"]).all()


def test_features_of_a_mix_go_by_name():
    rows = "".join(f"{n},{n} {n % 5},{'uv'[n % 2]},{n}\n" for n in range(60))
    ds = csvfeed.CsvDataset(
        f"x,v,c,y\n{rows}".encode(),
        lists={"v": csvfeed.List(2)},
        categories={"c": ["u", "v"]},
        batch_size=8,
    )
    mixed = csvfeed.mix([ds, ds], seed=1)
    expected = list(csvfeed.mix([ds, ds], seed=1))
    found = mixed.to_keras(as_dict=True).get_numpy_iterator()
    for (named, y), (X, Y) in zip(found, expected, strict=True):
        assert {name: part.shape[1] for name, part in named.items()} == {"x": 1, "v": 2, "c": 1}
        np.testing.assert_array_equal(np.hstack(list(named.values())), X)
        np.testing.assert_array_equal(y, Y)
    inputs = {
        name: keras.Input((size,), name=name) for name, size in (("x", 1), ("v", 2), ("c", 1))
    }
    joined = keras.layers.Concatenate()([keras.ops.cast(one, "float32") for one in inputs.values()])
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Rescaling(1 / 60)(joined)))
    model.compile("sgd", "mae")
    history = model.fit(mixed.to_keras(as_dict=True), epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
