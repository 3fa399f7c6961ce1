"""Into Keras, on the TensorFlow backend: small models, real training."""

import gc
import os
import resource
from itertools import islice
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from bad_files import BAD_FILES, FILES_IN_ANOTHER_ENCODING, FILES_WITHOUT_ROWS, GOOD_ROWS
from conftest import SMALL

import csvfeed
from csvfeed import CsvDataset, generate_arrays_from_file

# Keras says so of every tf.data.Dataset and of every generator.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.shuffle=True. was passed"),
    pytest.mark.filterwarnings("ignore:Your input ran out of data"),
]

TABLE = np.round(np.random.default_rng(5).normal(size=(103, 5)), 4).astype(np.float32)
TABLE[:, 4] = np.abs(TABLE[:, 4])  # A column that can be a weight.
NAMES = ["a", "b", "c", "y", "w"]
X, Y, W = TABLE[:, :3], TABLE[:, 3], TABLE[:, 4]


@pytest.fixture
def path(write):
    return write(csv_of(TABLE))


def csv_of(table):
    return "\n".join([",".join(NAMES), *(",".join(map(str, row)) for row in table)]) + "\n"


def dataset(path, **options):
    options = {"target": "y", "features": ["a", "b", "c"], "batch_size": 10, **options}
    return CsvDataset(path, **options)


def model(outputs=1, inputs=3, rate=0.05, **options):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((inputs,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(outputs)]
    built = keras.Sequential(layers)
    built.compile(keras.optimizers.SGD(rate), "mse", **options)
    return built


def elements(data):
    return [tuple(part.numpy() for part in element) for element in data]


class Recorder(keras.layers.Layer):
    """Notes each row that a model sees; for models that run eagerly."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def call(self, inputs):
        if hasattr(inputs, "numpy"):
            self.rows += inputs.numpy().tolist()
        return inputs


def recording_model(inputs=3):
    recorder = Recorder()
    built = keras.Sequential([keras.Input((inputs,)), recorder, keras.layers.Dense(1)])
    built.compile("sgd", "mse", run_eagerly=True)
    recorder.rows.clear()
    return built, recorder


# to_tf


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


def test_rows_without_a_target_are_left_out_and_not_counted(write):
    text = "x,y\n" + "".join(f"{n},{n if n % 3 else ''}\n" for n in range(100))
    ds = CsvDataset(write(text), missing_target="skip", batch_size=7)
    data = ds.to_keras()
    assert len(data) == 10  # 66 rows.
    seen = np.concatenate([y for _, y in elements(data)])
    np.testing.assert_array_equal(seen, [n for n in range(100) if n % 3])
    model(inputs=1).fit(data, epochs=2, verbose=0)


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
    for left, right in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-7)
    assert same.history["loss"][-1] < same.history["loss"][0]


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_of_padding_do_not_touch_the_model(path, weighted):
    def trained(remainder):
        built = model()
        loss = keras.losses.MeanSquaredError(reduction="mean_with_sample_weight")
        built.compile(keras.optimizers.SGD(0.05), loss, weighted_metrics=["mae"])
        ds = dataset(path, remainder=remainder, weight="w" if weighted else None)
        data = ds.to_keras()
        built.fit(data, epochs=3, verbose=0)
        return built.get_weights(), built.evaluate(data, verbose=0)[1]

    (kept, kept_error), (padded, padded_error) = trained("keep"), trained("pad")
    for left, right in zip(kept, padded, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-7)
    assert padded_error == pytest.approx(kept_error, rel=1e-5)


@pytest.mark.parametrize("fill", [0, "mean"])
def test_a_file_with_holes_trains_once_they_are_filled(write, fill):
    table = [[str(value) for value in row] for row in TABLE]
    for at, row in enumerate(table):
        row[at % 3] = ""
    path = write("\n".join([",".join(NAMES), *map(",".join, table)]) + "\n")
    losses = model().fit(dataset(path, fill=fill).to_keras(), epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_a_mean_that_there_is_not_is_an_error_before_fit(write):
    ds = CsvDataset(write("x,y\n,1\nNA,2\n"), fill="mean")
    with pytest.raises(csvfeed.CsvError, match="all its values are missing"):
        ds.to_keras()


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
    for left, right in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("steps", "epochs"), [(11, 3), (1, 5), (4, 2), (3, 4), (22, 2)])
def test_steps_per_epoch_is_honoured_as_it_is_for_arrays(path, steps, epochs):
    # Where the steps do not divide the batches of a pass, Keras cuts an epoch short at its end.
    expected, found = model(), model()
    arrays = tf.data.Dataset.from_tensor_slices((X, Y)).batch(10)
    options = {"steps_per_epoch": steps, "epochs": epochs, "verbose": 0}
    loss = expected.fit(arrays, **options).history["loss"]
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


def test_steps_per_execution(path):
    expected, found = model(), model(steps_per_execution=4)
    expected.fit(dataset(path).to_keras(), epochs=2, verbose=0)
    found.fit(dataset(path, remainder="drop").to_keras(), epochs=2, verbose=0)
    assert int(found.optimizer.iterations) == 20
    assert int(expected.optimizer.iterations) == 22


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
    for left, right in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-7)


# Errors inside fit

FEEDS = {
    "to_keras": lambda path: {"x": CsvDataset(path, batch_size=2).to_keras()},
    "the drop-in": lambda path: {"x": generate_arrays_from_file(path, 2), "steps_per_epoch": 50},
    "validation data": lambda path: {
        "x": np.zeros((4, 2)),
        "y": np.zeros(4),
        "validation_data": CsvDataset(path, batch_size=2).to_keras(),
    },
}


def fit(feed):
    # A model that ran before tells its own mistakes from those of the file.
    model(inputs=2).fit(**feed, epochs=2, verbose=0)


@pytest.mark.parametrize("feed", ["to_keras", "the drop-in"])
@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad.name)
def test_a_wrong_row_ends_fit_with_its_name_and_place(write, bad, feed):
    path = write(bad.content)
    with pytest.raises((csvfeed.CsvError, tf.errors.OpError)) as caught:
        fit(FEEDS[feed](path))
    message = f"{type(caught.value).__name__}: {caught.value}"
    for part in (bad.error, path, f"line {bad.line}", f"byte {bad.byte_offset}", *bad.says):
        assert part in message


def test_a_wrong_row_of_the_validation_data_ends_fit(write):
    bad = BAD_FILES[0]
    path = write(bad.content)
    with pytest.raises((csvfeed.CsvError, tf.errors.OpError), match=bad.error) as caught:
        fit(FEEDS["validation data"](path))
    for part in (path, f"line {bad.line}", *bad.says):
        assert part in str(caught.value)


def test_batches_before_a_wrong_row_are_trained_on(write):
    bad = BAD_FILES[0]
    built, recorder = recording_model(inputs=2)
    with pytest.raises((csvfeed.CsvError, tf.errors.OpError), match=bad.error):
        built.fit(CsvDataset(write(bad.content), batch_size=2).to_keras(), verbose=0)
    seen = [row[0] for row in recorder.rows]
    assert seen == list(range(len(seen)))
    assert len(seen) <= GOOD_ROWS


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("case", FILES_WITHOUT_ROWS)
def test_a_file_without_rows_ends_fit(write, case, feed):
    content, says = FILES_WITHOUT_ROWS[case]
    path = write(content)
    with pytest.raises(csvfeed.CsvError, match=says) as caught:
        fit(FEEDS[feed](path))
    assert path in str(caught.value)


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("case", ["UTF-16LE with a mark", "UTF-16BE"])
def test_another_encoding_ends_fit(write, case, feed):
    content, encoding = FILES_IN_ANOTHER_ENCODING[case]
    path = write(content)
    with pytest.raises(csvfeed.EncodingError, match=encoding) as caught:
        fit(FEEDS[feed](path))
    assert path in str(caught.value)


@pytest.mark.parametrize("feed", FEEDS)
def test_a_file_that_cannot_be_opened_ends_fit(tmp_path, feed):
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        fit(FEEDS[feed](str(tmp_path / "none.csv")))
    with pytest.raises(IsADirectoryError):
        fit(FEEDS[feed](str(tmp_path)))


class ChangeAfterFirstBatch(keras.callbacks.Callback):
    def __init__(self, change):
        super().__init__()
        self.change = change

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002 - the names are Keras's
        if batch == 0:
            self.change()


@pytest.mark.parametrize("feed", ["to_keras", "the drop-in"])
def test_a_file_truncated_while_fit_reads_it_ends_fit(write, feed):
    path = write(b"%09d,%09d\n" % (1, 1) * 200_000)
    os.utime(path, (10**9, 10**9))
    if feed == "to_keras":
        options = {"x": CsvDataset(path, batch_size=10, memory=SMALL).to_keras()}
    else:
        options = {"x": generate_arrays_from_file(path, 10_000), "steps_per_epoch": 10_000}
    truncate = ChangeAfterFirstBatch(lambda: os.truncate(path, 1000))
    with pytest.raises((csvfeed.CsvError, tf.errors.OpError)) as caught:
        model(inputs=1).fit(**options, callbacks=[truncate], verbose=0)
    message = f"{type(caught.value).__name__}: {caught.value}"
    for part in ("SourceChangedError", path, "changed"):
        assert part in message


def test_a_file_that_changes_between_epochs_ends_fit(path):
    os.utime(path, (10**9, 10**9))
    rewrite = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: Path(path).write_text(csv_of(TABLE[:50]))  # noqa: ARG005
    )
    with pytest.raises((csvfeed.CsvError, tf.errors.OpError)) as caught:
        model().fit(dataset(path).to_keras(), epochs=3, callbacks=[rewrite], verbose=0)
    message = f"{type(caught.value).__name__}: {caught.value}"
    for part in ("SourceChangedError", path, "make a new dataset"):
        assert part in message


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
    model(inputs=1).fit(data, steps_per_epoch=2, verbose=0)
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
