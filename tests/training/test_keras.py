"""Into Keras, on the backend that ``KERAS_BACKEND`` names: small models, real training."""

from pathlib import Path

import keras
import numpy as np
import pytest
from models import (
    TABLE,
    W,
    X,
    Y,
    assert_same_weights,
    csv_of,
    dataset,
    model,
    recording_model,
)

from csvfeed import CsvDataset, generate_arrays_from_file

# Keras says so of every generator.
pytestmark = pytest.mark.filterwarnings("ignore:.shuffle=True. was passed .* a generator")

several_steps = pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="Keras takes one step at a time on PyTorch"
)


@pytest.fixture
def path(write):
    return write(csv_of(TABLE))


# fit


@pytest.mark.parametrize("remainder", ["keep", "drop"])
@pytest.mark.parametrize("weighted", [False, True])
def test_fit_gives_the_same_model_as_arrays_in_memory(path, remainder, weighted):
    rows = 103 if remainder == "keep" else 100
    arrays = (X[:rows], Y[:rows], W[:rows] if weighted else None)
    expected = model()
    history = expected.fit(
        *arrays[:2], sample_weight=arrays[2], batch_size=10, epochs=4, shuffle=False, verbose=0
    )
    found = model()
    ds = dataset(path, remainder=remainder, weight="w" if weighted else None)
    same = found.fit(ds.to_keras(), epochs=4, verbose=0)
    np.testing.assert_allclose(same.history["loss"], history.history["loss"], rtol=1e-5)
    assert_same_weights(found, expected)
    assert same.history["loss"][-1] < same.history["loss"][0]


def test_weights_make_a_difference(path):
    plain, weighted = model(), model()
    plain.fit(dataset(path).to_keras(), verbose=0)
    weighted.fit(dataset(path, weight="w").to_keras(), verbose=0)
    assert not np.allclose(plain.get_weights()[0], weighted.get_weights()[0])


@pytest.mark.parametrize("shuffle", [True, False])
def test_each_epoch_sees_each_row_once_in_the_order_of_the_file(path, shuffle):
    built, recorder = recording_model()
    built.fit(dataset(path).to_keras(), epochs=3, shuffle=shuffle, verbose=0)
    np.testing.assert_array_equal(np.array(recorder.rows, np.float32), np.concatenate([X, X, X]))


def test_a_second_fit_starts_from_the_first_row(path):
    built, recorder = recording_model()
    data = dataset(path).to_keras()
    for _ in range(2):
        built.fit(data, verbose=0)
    np.testing.assert_array_equal(np.array(recorder.rows, np.float32), np.concatenate([X, X]))


def test_several_targets(path):
    expected, found = model(outputs=2), model(outputs=2)
    expected.fit(X, TABLE[:, 3:5], batch_size=10, epochs=2, shuffle=False, verbose=0)
    found.fit(dataset(path, target=["y", "w"]).to_keras(), epochs=2, verbose=0)
    assert_same_weights(found, expected)


@pytest.mark.parametrize(("steps", "epochs"), [(11, 3), (1, 5), (4, 2), (3, 4), (22, 2)])
def test_steps_per_epoch_is_honoured_as_it_is_for_arrays(path, steps, epochs):
    # Where the steps do not divide the batches of a pass, Keras cuts an epoch short at its end.
    expected, found = model(), model()
    options = {"steps_per_epoch": steps, "epochs": epochs, "verbose": 0}
    loss = expected.fit(X, Y, batch_size=10, shuffle=False, **options).history["loss"]
    np.testing.assert_allclose(
        found.fit(dataset(path).to_keras(), **options).history["loss"], loss, rtol=1e-5
    )
    assert int(found.optimizer.iterations) == int(expected.optimizer.iterations)
    if steps in (11, 1, 4):
        assert int(found.optimizer.iterations) == steps * epochs


def test_without_steps_each_epoch_has_all_steps(path, recwarn):
    built = model()
    built.fit(dataset(path).to_keras(), epochs=3, verbose=0)
    assert int(built.optimizer.iterations) == 33
    assert not [w for w in recwarn if "ran out" in str(w.message)]


@several_steps
@pytest.mark.parametrize("remainder", ["keep", "drop"])
def test_several_steps_per_execution_give_the_same_model(path, remainder):
    expected, found = model(), model(steps_per_execution=4)
    for built in (expected, found):
        built.fit(dataset(path, remainder=remainder).to_keras(), epochs=2, verbose=0)
    assert int(found.optimizer.iterations) == (22 if remainder == "keep" else 20)
    assert_same_weights(found, expected)


def test_bytes_train_as_files_do(path):
    built, other = model(), model()
    built.fit(dataset(path).to_keras(), verbose=0)
    other.fit(dataset(Path(path).read_bytes()).to_keras(), verbose=0)
    np.testing.assert_array_equal(built.get_weights()[0], other.get_weights()[0])


# Validation


def test_validation_gives_the_same_value_each_time(path, write):
    valid = np.round(np.random.default_rng(6).normal(size=(77, 5)), 4).astype(np.float32)
    held_out = write(csv_of(valid), "valid.csv")
    still = model(rate=0.0, metrics=["mae"])
    expected = still.evaluate(valid[:, :3], valid[:, 3], batch_size=9, verbose=0)
    history = still.fit(
        dataset(path).to_keras(),
        validation_data=dataset(held_out, batch_size=9).to_keras(),
        epochs=3,
        verbose=0,
    ).history
    assert history["val_loss"] == [history["val_loss"][0]] * 3
    assert history["val_mae"] == [history["val_mae"][0]] * 3
    np.testing.assert_allclose([history["val_loss"][0], history["val_mae"][0]], expected, rtol=1e-5)


def test_validation_beside_arrays_and_every_second_epoch(path):
    still = model(rate=0.0)
    expected = still.evaluate(X, Y, verbose=0)
    history = still.fit(
        X, Y, validation_data=dataset(path).to_keras(), validation_freq=2, epochs=6, verbose=0
    ).history
    assert len(history["val_loss"]) == 3
    np.testing.assert_allclose(history["val_loss"], expected, rtol=1e-5)


def test_one_file_may_be_training_and_validation_at_once(path):
    still = model(rate=0.0)
    ds = dataset(path)
    data = ds.to_keras()
    history = still.fit(data, validation_data=data, epochs=3, verbose=0).history
    np.testing.assert_allclose(history["val_loss"], history["loss"], rtol=1e-5)


def test_validation_steps_are_honoured(path):
    still = model(rate=0.0)
    history = still.fit(
        dataset(path).to_keras(),
        validation_data=dataset(path).to_keras(),
        validation_steps=2,
        epochs=3,
        verbose=0,
    ).history
    expected = still.evaluate(X[:20], Y[:20], verbose=0)
    np.testing.assert_allclose(history["val_loss"], expected, rtol=1e-5)


def test_validation_beside_the_drop_in(write):
    two_columns = write("x,y\n" + "".join(f"{n / 50},{n / 100}\n" for n in range(100)), "two.csv")
    still = model(rate=0.0, inputs=1)
    history = still.fit(
        ((x[:, None], y) for x, y in generate_arrays_from_file(two_columns, 10)),
        steps_per_epoch=10,
        validation_data=CsvDataset(two_columns, batch_size=7).to_keras(),
        epochs=3,
        verbose=0,
    ).history
    np.testing.assert_allclose(history["val_loss"], history["loss"], rtol=1e-5)


# evaluate and predict


@pytest.mark.parametrize("weighted", [False, True])
def test_evaluate_gives_the_value_of_arrays_in_memory(path, weighted):
    built = model(metrics=["mae"], weighted_metrics=["mse"])
    expected = built.evaluate(X, Y, sample_weight=W if weighted else None, batch_size=10, verbose=0)
    data = dataset(path, weight="w" if weighted else None).to_keras()
    for _ in range(3):
        np.testing.assert_allclose(built.evaluate(data, verbose=0), expected, rtol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 10, 103, 500])
def test_predict_gives_a_row_for_each_row_of_the_file(path, batch_size):
    built = model()
    ds = dataset(path, target=None, batch_size=batch_size)
    data = ds.to_keras()
    for _ in range(2):
        found = built.predict(data, verbose=0)
        assert found.shape == (ds.num_rows, 1)
        np.testing.assert_allclose(found, built.predict(X, verbose=0), rtol=1e-5, atol=1e-6)


def test_predict_leaves_targets_and_weights_aside(path):
    built = model()
    expected = built.predict(X, verbose=0)
    for options in ({}, {"weight": "w"}, {"target": ["y", "w"]}):
        found = built.predict(dataset(path, **options).to_keras(), verbose=0)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


# The drop-in


def test_fit_from_the_drop_in_sees_the_rows_over_and_over(write):
    path = write("a,b,y\n" + "".join(f"{n},{-n},{n}\n" for n in range(25)))
    built, recorder = recording_model(inputs=2)
    built.fit(generate_arrays_from_file(path, 10), steps_per_epoch=4, epochs=3, verbose=0)
    seen = np.array(recorder.rows)
    np.testing.assert_array_equal(seen[:, 0], np.arange(120) % 25)
    np.testing.assert_array_equal(seen[:, 1], -(np.arange(120) % 25))


def test_fit_from_the_drop_in_gives_the_model_of_arrays_in_memory(write):
    rows = np.arange(100, dtype=np.float32) / 100
    path = write("x,y\n" + "".join(f"{x},{x}\n" for x in rows))
    expected, found = model(inputs=1), model(inputs=1)
    expected.fit(rows[:, None], rows, batch_size=10, epochs=3, shuffle=False, verbose=0)
    found.fit(generate_arrays_from_file(path, 10), steps_per_epoch=10, epochs=3, verbose=0)
    assert_same_weights(found, expected)


def test_rows_without_a_target_are_left_out_and_not_counted(write):
    text = "x,y\n" + "".join(f"{n},{n if n % 3 else ''}\n" for n in range(100))
    ds = CsvDataset(write(text), missing_target="skip", batch_size=7)
    built, recorder = recording_model(inputs=1)
    built.fit(ds.to_keras(), epochs=2, verbose=0)
    assert recorder.rows == [[n] for n in range(100) if n % 3] * 2
