"""An epoch of ``fit`` is an epoch of the dataset, whatever else Keras reads of it."""

import warnings

import keras
import numpy as np
import pytest
from models import TABLE, assert_same_weights, csv_of, dataset, model, recording_model, shuffled

BATCHES = 11


@pytest.fixture
def ds(write):
    return shuffled(write(csv_of(TABLE)))


def rows(ds, *epochs):
    return [row for epoch in epochs for row in ds.epoch(epoch)[0].tolist()]


@pytest.mark.parametrize("build", [True, False])
@pytest.mark.parametrize("shuffle", [True, False])
def test_fit_reads_one_epoch_after_the_other(ds, build, shuffle):
    built, recorder = recording_model(build=build)
    data = ds.to_keras()
    built.fit(data, epochs=2, shuffle=shuffle, verbose=0)
    built.fit(data, epochs=1, shuffle=shuffle, verbose=0)
    assert recorder.rows == rows(ds, 0, 1, 2)
    assert ds.epochs.position.next == (3, 0)


def test_what_is_read_besides_does_not_count(ds):
    ds.load_state_dict({**ds.state_dict(), "epoch": 0, "batch": 4})
    built, recorder = recording_model(build=False)
    data, other = ds.to_keras(), model()
    other.predict(data, verbose=0)
    other.evaluate(data, verbose=0)

    class Look(keras.callbacks.Callback):
        def look(self, *_, **__):
            other.evaluate(data, verbose=0)
            other.predict(data, verbose=0, steps=2)

        on_train_begin = on_epoch_begin = on_epoch_end = look
        on_train_batch_begin = on_train_batch_end = look

    built.fit(data, epochs=2, callbacks=[Look()], verbose=0)
    assert recorder.rows == rows(ds, 0)[40:] + rows(ds, 1)
    assert ds.epochs.position.next == (2, 0)


def test_validation_reads_the_same_rows_each_time_and_does_not_count(ds, write):
    valid = shuffled(write(csv_of(TABLE[:50]), "valid.csv"))
    data, seen = ds.to_keras(), []
    still = model(rate=0.0)
    for _ in range(2):
        history = still.fit(
            data, validation_data=valid.to_keras(), validation_steps=2, epochs=2, verbose=0
        )
        seen += history.history["val_loss"]
    assert seen == [seen[0]] * 4
    assert valid.epochs.position.next == (0, 0)
    assert ds.epochs.position.next == (4, 0)


def test_training_and_validation_may_share_one_adapter(ds):
    built, recorder = recording_model()
    data = ds.to_keras()
    built.fit(data, validation_data=data, epochs=3, verbose=0)
    trained = [recorder.rows[2 * epoch * 103 :][:103] for epoch in range(3)]
    assert trained == [rows(ds, epoch) for epoch in range(3)]
    assert len(recorder.rows) == 6 * 103
    assert ds.epochs.position.next == (3, 0)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_steps_per_epoch_goes_on_where_the_last_epoch_stopped(ds):
    built, recorder = recording_model()
    data = ds.to_keras()
    # 4, 4 and 3 steps are a pass; the next two begin another.
    built.fit(
        data, steps_per_epoch=4, epochs=5, validation_data=data, validation_steps=1, verbose=0
    )
    assert int(built.optimizer.iterations) == BATCHES + 8
    assert ds.epochs.position.next == (1, 8)
    recorder.rows.clear()
    built.fit(data, epochs=2, verbose=0)
    assert recorder.rows == rows(ds, 1)[80:] + rows(ds, 2)
    assert ds.epochs.position.next == (3, 0)


def test_an_epoch_that_is_resumed_ends_where_it_would_have(ds):
    built, recorder = recording_model()
    ds.load_state_dict({**ds.state_dict(), "epoch": 2, "batch": 7})
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Your input ran out of data")
        built.fit(ds.to_keras(), epochs=2, verbose=0)
    assert recorder.rows == rows(ds, 2)[70:] + rows(ds, 3)
    assert int(built.optimizer.iterations) == 4 + BATCHES


def test_evaluation_of_a_dataset_that_is_resumed_sees_every_row(ds):
    ds.load_state_dict({**ds.state_dict(), "epoch": 0, "batch": 7})
    built = model()
    assert built.predict(ds.to_keras(), verbose=0).shape == (103, 1)
    assert ds.epochs.position.next == (0, 7)


def test_a_fit_that_is_left_begins_its_epoch_again(ds):
    class Leave(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002 - the names are Keras's
            if batch == 3:
                raise KeyboardInterrupt

    built, recorder = recording_model()
    data = ds.to_keras()
    built.fit(data, verbose=0)
    with pytest.raises(KeyboardInterrupt):
        built.fit(data, callbacks=[Leave()], verbose=0)
    # Older versions of Keras leave a model without its weights when a fit on JAX is interrupted.
    built, recorder = recording_model()
    built.fit(data, verbose=0)
    assert recorder.rows == rows(ds, 1)


def test_two_models_may_be_trained_in_turns(ds):
    data, other = ds.to_keras(), ds.to_keras()
    found, expected = model(), model()
    for epoch in range(3):
        found.fit(data if epoch % 2 else other, verbose=0)
        X, y = ds.epoch(epoch)
        expected.fit(X, y, batch_size=10, shuffle=False, verbose=0)
    assert_same_weights(found, expected)


def test_keras_gives_no_warning(ds):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=UserWarning)
        data = ds.to_keras()
        model().fit(data, validation_data=data, epochs=2, verbose=0)


def test_what_keras_asks_of_an_adapter(write):
    path = write(csv_of(TABLE))

    def answers(**options):
        data = dataset(path, **options).to_keras()
        return data.num_batches, data.batch_size, data.has_partial_batch, data.partial_batch_size

    assert answers() == (11, 10, True, 3)
    assert answers(remainder="drop") == (10, 10, False, None)
    assert answers(batch_size=103) == (1, 103, False, None)


def test_the_batches_are_views_and_can_be_iterated_by_hand(ds):
    batches = list(ds.to_keras().get_numpy_iterator())
    assert [len(X) for X, _ in batches] == [10] * 10 + [3]
    assert all(X.flags.c_contiguous and X.dtype == np.float32 for X, _ in batches)
    np.testing.assert_array_equal(np.concatenate([X for X, _ in batches]), ds.epoch(0)[0])
