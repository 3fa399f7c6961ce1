"""Versions of Keras: one that is too old, and newer ones that csvfeed does not know."""

import importlib
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
from models import TABLE, csv_of, dataset, model, seeded

from csvfeed.keras import BackupAndRestore
from csvfeed.train.keras_internals import DIFFERENCE

TESTS = Path(__file__).parents[1]


def test_this_one_is_known():
    assert DIFFERENCE is None


@pytest.fixture
def import_anew(monkeypatch):
    def import_anew():
        for name in ("train.keras_internals", "train.adapter", "train.backup", "keras"):
            monkeypatch.delitem(sys.modules, f"csvfeed.{name}", raising=False)
        importlib.import_module("csvfeed.keras")

    return import_anew


@pytest.mark.parametrize("version", ["3.0.5", "3.5.0", "3.6.0", "2.15.0"])
def test_an_older_one_is_told_which_is_needed(monkeypatch, import_anew, version):
    monkeypatch.setattr(keras, "__version__", version)
    with pytest.raises(ImportError, match=rf"Keras {version} .* 3\.7 or newer.*to_tf"):
        import_anew()


def test_it_does_without_tensorflow_and_pytorch(monkeypatch, import_anew):
    monkeypatch.setitem(sys.modules, "csvfeed.train.tensorflow", None)
    monkeypatch.setitem(sys.modules, "csvfeed.train.torch", None)
    import_anew()


def trained(folder):
    """Train in several ways, and return what comes of it."""
    text = csv_of(TABLE).encode()
    ds = dataset(text, weight="w").shuffle(seed=7)
    held_out = dataset(text, batch_size=20)
    data = ds.to_keras(class_weight={0: 1.0, 1: 3.0})
    # Not built, so that Keras looks at a batch before it trains.
    built = keras.Sequential([keras.layers.Dense(1, kernel_initializer=seeded(2))])
    built.compile(keras.optimizers.SGD(0.05), "mse")
    validation = {"validation_data": held_out.to_keras()}
    history = built.fit(data, epochs=2, **validation, verbose=0).history
    evaluated = built.evaluate(data, verbose=0)
    predicted = built.predict(held_out.to_keras(), verbose=0)
    again = built.fit(ds.to_keras(), verbose=0).history
    done = {"history": history, "again": again, "evaluated": evaluated}
    done |= {"predicted": predicted.tolist(), "position": ds.epochs.position.next}
    for epochs in (1, 3):
        ds = dataset(text).shuffle(seed=7)
        resumed = model()
        backup = BackupAndRestore(folder, ds, delete_checkpoint=False)
        resumed.fit(ds.to_keras(), epochs=epochs, callbacks=[backup], verbose=0)
    named = dataset(text).to_keras(as_dict=True)
    inputs = {name: keras.Input((1,), name=name) for name in "abc"}
    joined = keras.layers.Concatenate()(list(inputs.values()))
    by_name = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer=seeded(2))(joined))
    by_name.compile(keras.optimizers.SGD(0.05), "mse")
    by_name.fit(named, verbose=0)
    weights = [one.tolist() for one in resumed.get_weights() + by_name.get_weights()]
    return {**done, "weights": weights}


UNKNOWN = """
    import importlib, json, os, sys, warnings
    sys.path[:0] = json.loads(os.environ["TEST_PATHS"])
    import keras, renamed_keras

    renamed_keras.rename("_current_iterator", "_running_iterator")
    renamed_keras.rename("_symbolic_build", "_build_from_symbols")
    from test_keras_versions import model, trained
    from models import TABLE, csv_of, dataset
    from csvfeed.train import keras_internals

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = trained(sys.argv[1])
    found["warnings"] = [str(one.message) for one in caught if "does not know" in str(one.message)]

    def error_of(call):
        try:
            call()
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    ds = dataset(csv_of(TABLE).encode())
    found["itself"] = error_of(lambda: model().fit(ds, verbose=0))
    steps = error_of(lambda: model().fit(ds.to_keras(), steps_per_epoch=3, verbose=0))
    found["steps_per_epoch"] = steps
    ds.load_state_dict({**ds.state_dict(), "batch": 4})
    found["middle"] = error_of(lambda: model().fit(ds.to_keras(), verbose=0))
    built = model()
    built.fit(dataset(csv_of(TABLE).encode()).to_keras(), verbose=0)
    other = dataset(csv_of(TABLE).encode(), features=["a", "c", "b"]).to_keras()
    found["other features"] = error_of(lambda: built.evaluate(other, verbose=0))
    from csvfeed.keras import BackupAndRestore

    found["save_freq"] = error_of(lambda: BackupAndRestore(sys.argv[1], ds, save_freq=3))

    def difference():
        return importlib.reload(keras_internals).DIFFERENCE

    found["differences"] = [difference()]
    renamed_keras.let_adapters_have("get_jax_iterator", "sharding")
    found["differences"].append(difference())
    renamed_keras.let_adapters_have("get_arrow_stream")
    found["differences"].append(difference())
    sys.modules["keras.src.trainers.data_adapters.data_adapter"] = None
    found["differences"].append(difference())
    print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def unknown(tmp_path_factory):
    """Return what comes of training with a Keras that has renamed what csvfeed relies on."""
    paths = [str(TESTS / folder) for folder in ("training", "support", "")]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(UNKNOWN), tmp_path_factory.mktemp("backup")],
        capture_output=True,
        text=True,
        env=os.environ | {"TEST_PATHS": json.dumps(paths)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_newer_one_trains_as_one_that_is_known(unknown, tmp_path):
    expected = trained(tmp_path)
    for name, value in expected.items():
        if isinstance(value, dict):
            assert unknown[name].keys() == value.keys()
            for metric, numbers in value.items():
                np.testing.assert_allclose(unknown[name][metric], numbers, rtol=1e-5)
        elif name == "weights":
            for one, other in zip(unknown[name], value, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
        else:
            np.testing.assert_allclose(unknown[name], value, rtol=1e-4, atol=1e-6)


def test_a_newer_one_is_warned_of_once(unknown):
    (warning,) = unknown["warnings"]
    assert f"Keras {keras.__version__}" in warning
    assert "_current_iterator" in warning


def test_what_a_newer_one_changes_is_named(unknown):
    names = ["_current_iterator", "parameter sharding", "get_arrow_stream", "data_adapter"]
    for name, difference in zip(names, unknown["differences"], strict=True):
        assert name in difference


def test_what_cannot_be_made_right_is_refused(unknown):
    assert unknown["itself"].startswith("ValueError")
    assert "leave out save_freq" in unknown["save_freq"]
    assert "begin with a whole epoch" in unknown["middle"]
    assert "trained on the features 'a', 'b', 'c'" in unknown["other features"]
    if keras.backend.backend() != "tensorflow":
        assert "leave out steps_per_epoch" in unknown["steps_per_epoch"]
