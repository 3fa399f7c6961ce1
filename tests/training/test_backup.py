"""A training run that is killed and resumed ends as one that was left alone."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from models import TABLE, csv_of, model, recording_model, seeded, shuffled

from csvfeed.keras import BackupAndRestore

HERE = Path(__file__).parents[1] / "support"
FILE = "csvfeed-backup.npz"


@pytest.fixture
def path(write):
    return write(csv_of(TABLE))


@pytest.fixture
def ds(path):
    return shuffled(path)


# How it is trained, and after how many executions each process but the last is killed. An epoch has
# 11 steps, unless the case says otherwise.
CASES = {
    # Within the first epoch, in the validation after the second, and in the last.
    "every 3": ({}, [5, ("validation", 14), 20]),
    # On the last batch of an epoch, and in one just begun.
    "every batch": ({"save_freq": 1}, [11, 1]),
    "epochs": ({"save_freq": "epoch"}, [15]),
    "steps_per_epoch": ({"steps_per_epoch": 4, "save_freq": 2}, [6]),
    "steps_per_execution": ({"steps": 4, "save_freq": 4}, [4]),
}
# When to save does not depend on the backend, so each takes some cases; what is saved does. PyTorch
# takes one step at a time.
LEFT_OUT = {
    "tensorflow": ["every batch"],
    "jax": ["epochs", "steps_per_epoch"],
    "torch": ["steps_per_execution"],
}
for name in LEFT_OUT[keras.backend.backend()]:
    del CASES[name]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Train each case twice: left alone, and killed and resumed. Return the folder of the results.

    Cases that differ only in their backups are left alone once.
    """
    folder = tmp_path_factory.mktemp("results")
    path = folder / "table.csv"
    path.write_text(csv_of(TABLE))
    begun = {"path": str(path)}
    alone = {str(result_alone(folder, options)): steps_of(options) for options, _ in CASES.values()}
    chains = [[{**begun, **steps, "result": result}] for result, steps in alone.items()]
    expected = [[0] for _ in chains]
    for name, (options, kills) in CASES.items():
        result = str(result_resumed(folder, name))
        options = {**begun, **options, "result": result, "backup": str(folder / name)}
        chains.append([{**options, **kill_after(kill)} for kill in kills] + [options])
        expected.append([-signal.SIGKILL] * len(kills) + [0])
    done = subprocess.run(
        [sys.executable, HERE / "killed_training.py", json.dumps(chains)],
        capture_output=True,
        text=True,
        env=os.environ | {"KERAS_BACKEND": keras.backend.backend()},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == expected, done.stderr
    return folder


def kill_after(kill):
    where, count = kill if isinstance(kill, tuple) else ("training", kill)
    return {"where": where, "kill": count}


def steps_of(options):
    return {key: options[key] for key in ("steps", "steps_per_epoch") if key in options}


def result_alone(folder, options):
    names = [f"{key} {value}" for key, value in steps_of(options).items()]
    return folder / f"{' '.join(['alone', *names])}.npz"


def result_resumed(folder, case):
    return folder / f"resumed {case}.npz"


def ended_with(result):
    """Return the weights that a training ended with, and what it told of its epochs."""
    with np.load(result) as file:
        weights = [file[name] for name in file.files]
    return weights, json.loads(result.with_suffix(".json").read_text())


@pytest.mark.parametrize("case", CASES)
def test_killed_and_resumed_it_ends_with_the_same_weights(case, results):
    weights, told = ended_with(result_alone(results, CASES[case][0]))
    resumed_weights, resumed = ended_with(result_resumed(results, case))
    assert not (results / case).exists()
    assert len(weights) == len(resumed_weights) > 20
    for one, other in zip(weights, resumed_weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert resumed["position"] == told["position"]
    # What is told of the epochs that were left is the same too, of the resumed one included.
    count = len(resumed["epochs"])
    assert resumed["epochs"] == told["epochs"][-count:]
    assert resumed["logs"] == {name: values[-count:] for name, values in told["logs"].items()}


class Stop(keras.callbacks.Callback):
    """Interrupts training after a batch of an epoch."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.at = (epoch, batch)

    def on_epoch_begin(self, epoch, logs=None):  # noqa: ARG002 - the names are Keras's
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002 - the names are Keras's
        if (self.epoch, batch) == self.at:
            raise KeyboardInterrupt


def interrupt(ds, directory, built):
    backup = BackupAndRestore(directory, ds, save_freq=2)
    with pytest.raises(KeyboardInterrupt):
        built.fit(ds.to_keras(), epochs=3, callbacks=[backup, Stop(1, 5)], verbose=0)


@pytest.fixture(scope="module")
def backup_of_table(tmp_path_factory):
    """Return the backup of an interrupted training on ``TABLE``, as bytes."""
    folder = tmp_path_factory.mktemp("interrupted")
    path = folder / "table.csv"
    path.write_text(csv_of(TABLE))
    interrupt(shuffled(path), folder, model())
    return (folder / FILE).read_bytes()


@pytest.fixture
def interrupted(tmp_path, backup_of_table):
    """Return a directory with a backup of a training on the dataset of the test."""
    (tmp_path / FILE).write_bytes(backup_of_table)
    return tmp_path


def test_it_goes_on_in_the_same_process_and_then_is_done(ds, tmp_path):
    expected, found = model(), model()
    expected.fit(shuffled(ds._options.source).to_keras(), epochs=3, verbose=0)
    interrupt(ds, tmp_path, found)
    ds.opened.clear()
    backup = BackupAndRestore(tmp_path, ds, save_freq=2)
    history = found.fit(ds.to_keras(), epochs=3, callbacks=[backup], verbose=0)
    assert history.epoch == [1, 2]
    assert [at for at in ds.opened if at != (0, 0)] == [(1, 6), (2, 0)]
    for one, other in zip(expected.get_weights(), found.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    # The next fit is a new one, and the epochs go on.
    history = found.fit(ds.to_keras(), epochs=2, callbacks=[backup], verbose=0)
    assert history.epoch == [0, 1]
    assert ds.epochs.position.next == (5, 0)


def test_the_backup_may_be_kept(ds, tmp_path):
    found = model()
    backup = BackupAndRestore(tmp_path / "a" / "b", ds, delete_checkpoint=False)
    found.fit(ds.to_keras(), epochs=2, callbacks=[backup], verbose=0)
    assert [file.name for file in (tmp_path / "a" / "b").iterdir()] == [FILE]
    other = model(rate=0.5)
    history = other.fit(ds.to_keras(), epochs=3, callbacks=[backup], verbose=0)
    assert history.epoch == [2]


def test_what_else_is_in_the_directory_stays(ds, tmp_path):
    (tmp_path / "notes").write_text("mine")
    model().fit(ds.to_keras(), callbacks=[BackupAndRestore(tmp_path, ds)], verbose=0)
    assert [file.name for file in tmp_path.iterdir() if file.suffix != ".csv"] == ["notes"]


def test_a_save_that_fails_leaves_the_last_one(ds, interrupted, monkeypatch):
    before = (interrupted / FILE).read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    backup = BackupAndRestore(interrupted, ds, save_freq=1)
    with pytest.raises(OSError, match="No space"):
        model().fit(ds.to_keras(), epochs=3, callbacks=[backup], verbose=0)
    assert (interrupted / FILE).read_bytes() == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"batch_size": 20}, "of another dataset: .*batch_size=10, where this dataset has 20"),
        ({"features": ["a", "c", "b"]}, "of another dataset: .* other rows"),
        ({"target": "c", "features": ["a", "b", "y"]}, "of another dataset"),
        ({"remainder": "drop"}, "of another dataset: .* other rows"),
    ],
)
def test_another_dataset_is_an_error(path, interrupted, options, says):
    other = shuffled(path, **options)
    with pytest.raises(ValueError, match=says):
        model().fit(other.to_keras(), callbacks=[BackupAndRestore(interrupted, other)], verbose=0)


@pytest.mark.parametrize("rows", [TABLE[:50], TABLE[::-1]])
def test_another_file_is_an_error(write, interrupted, rows):
    other = shuffled(write(csv_of(rows)))
    with pytest.raises(ValueError, match=r"of another dataset: .* another file"):
        model().fit(other.to_keras(), callbacks=[BackupAndRestore(interrupted, other)], verbose=0)


def test_another_model_is_an_error(ds, interrupted):
    backup = BackupAndRestore(interrupted, ds)
    with pytest.raises(ValueError, match="of another model: its model has"):
        recording_model()[0].fit(ds.to_keras(), callbacks=[backup], verbose=0)
    other = model()
    other.compile("adam", "mse")
    with pytest.raises(ValueError, match="of another model: its optimizer has"):
        other.fit(ds.to_keras(), callbacks=[backup], verbose=0)


def test_training_on_something_else_is_an_error(path, ds, tmp_path):
    other = shuffled(path)
    with pytest.raises(ValueError, match="does not train on the dataset of BackupAndRestore"):
        model().fit(other.to_keras(), callbacks=[BackupAndRestore(tmp_path, ds)], verbose=0)


@pytest.mark.parametrize("content", [b"", b"torn", b"PK\x03\x04" + bytes(100)])
def test_a_file_that_is_no_backup_is_an_error(ds, tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ValueError, match="no backup that can be read"):
        model().fit(ds.to_keras(), callbacks=[BackupAndRestore(tmp_path, ds)], verbose=0)


@pytest.mark.parametrize("save_freq", [0, -1, 1.5, "batch", None, True])
def test_a_frequency_that_makes_no_sense_is_named(ds, tmp_path, save_freq):
    with pytest.raises(ValueError, match="save_freq"):
        BackupAndRestore(tmp_path, ds, save_freq=save_freq)


def test_a_dataset_is_needed(tmp_path):
    with pytest.raises(TypeError, match="CsvDataset, not list"):
        BackupAndRestore(tmp_path, [])


def test_what_fit_takes_will_do(ds, tmp_path):
    data = ds.to_keras()
    backup = BackupAndRestore(tmp_path, data, delete_checkpoint=False)
    model().fit(data, callbacks=[backup], verbose=0)
    assert (tmp_path / FILE).exists()


def test_a_model_that_takes_features_by_name_goes_on(ds, tmp_path):
    def by_name():
        inputs = {name: keras.Input((1,), name=name) for name in "abc"}
        joined = keras.layers.Concatenate()(list(inputs.values()))
        built = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer=seeded())(joined))
        built.compile("sgd", "mse")
        return built

    expected = by_name()
    expected.fit(shuffled(ds._options.source).to_keras(as_dict=True), epochs=2, verbose=0)
    for epochs in (1, 2):
        found = by_name()
        backup = BackupAndRestore(tmp_path, ds, delete_checkpoint=False)
        history = found.fit(ds.to_keras(as_dict=True), epochs=epochs, callbacks=[backup], verbose=0)
        assert history.epoch == [epochs - 1]
    for one, other in zip(expected.get_weights(), found.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_low_precision_is_kept_bit_for_bit(ds, tmp_path):
    def built():
        policy = keras.dtype_policies.DTypePolicy("bfloat16")
        last = keras.layers.Dense(1, dtype=policy, kernel_initializer=seeded())
        half = keras.Sequential([keras.Input((3,)), last])
        half.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
        return half

    trained, fresh = built(), built()
    backup = BackupAndRestore(tmp_path, ds, delete_checkpoint=False)
    trained.fit(ds.to_keras(), callbacks=[backup], verbose=0)
    fresh.fit(ds.to_keras(), epochs=1, callbacks=[backup], verbose=0)
    for one, other in zip(trained.variables, fresh.variables, strict=True):
        one, other = (keras.ops.convert_to_numpy(v.value) for v in (one, other))
        np.testing.assert_array_equal(one, other)
