"""Keras on several JAX processes: what one process would have trained."""

import json
import socket
import subprocess
import sys
import textwrap
from contextlib import closing

import numpy as np
import pytest

pytestmark = pytest.mark.backend("jax")

TRAIN = """
    import hashlib, json, sys
    import jax
    rank, count, port, path, way, folder = sys.argv[1:]
    count = int(count)
    if count > 1:
        jax.distributed.initialize(f"127.0.0.1:{port}", count, int(rank))
    import csvfeed, keras, numpy as np
    from csvfeed.keras import BackupAndRestore

    keras.utils.set_random_seed(0)
    if count > 1:
        shards = way == "auto"
        keras.distribution.set_distribution(
            keras.distribution.DataParallel(auto_shard_dataset=shards)
        )
    ds = csvfeed.CsvDataset(path, target="y", batch_size=16, remainder="pad", memory=8192)
    train, held_out = ds.shuffle(seed=1).split(0.25)
    if way != "whole" and not (way == "auto" and count > 1):
        place = () if count > 1 else (0, 1)
        train = train.distribute(*place, lanes=2)
        held_out = held_out.distribute(*place, lanes=2)
    # Integers that float32 adds without rounding, in whatever order.
    exact = keras.layers.Dense(1, kernel_initializer="zeros", use_bias=False)
    real = keras.Sequential([keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1)])
    found = {}
    for name, layer, rate in (("exact", exact, 2.0**-14), ("real", real, 0.01)):
        model = keras.Sequential([keras.Input((2,)), layer])
        model.compile(keras.optimizers.SGD(rate), "mse", steps_per_execution=3)
        epochs = 1 if name == "exact" else 3
        weights = []
        class Weights(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                flat = [np.asarray(v).ravel() for v in self.model.get_weights()]
                weights.append(np.concatenate(flat).tolist())
        adapter = train.to_keras()
        callbacks = [Weights()]
        if name == "real" and folder:
            callbacks.append(BackupAndRestore(folder, adapter, delete_checkpoint=False))
            if way == "killed":
                class Kill(keras.callbacks.Callback):
                    def on_epoch_begin(self, epoch, logs=None):
                        if epoch == 2:
                            import os, signal
                            os.kill(os.getpid(), signal.SIGKILL)
                callbacks.append(Kill())
        history = model.fit(
            adapter, validation_data=held_out.to_keras(), epochs=epochs, verbose=0,
            callbacks=callbacks,
        )
        found[name] = {
            "weights": weights,
            "history": history.history,
            "evaluated": model.evaluate(held_out.to_keras(), verbose=0),
            "predicted": len(np.asarray(model.predict(held_out.to_keras(), verbose=0))),
            "steps": len(adapter.dataset),
        }
    print(json.dumps(found))
"""


def free_port():
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def train(count, path, way, folder=""):
    """Return what each process prints and its exit code, and the errors of all."""
    port = free_port()
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                textwrap.dedent(TRAIN),
                *map(str, (rank, count, port, path, way, folder)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]
    done = [process.communicate(timeout=240) for process in processes]
    codes = [process.returncode for process in processes]
    return [output for output, _ in done], codes, "".join(errors for _, errors in done)


def trained(count, path, way, folder=""):
    outputs, codes, errors = train(count, path, way, folder)
    assert codes == [0] * count, errors
    return [json.loads(output) for output in outputs]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("processes") / "data.csv"
    random = np.random.default_rng(0)
    rows = random.integers(-4, 5, (410, 2))
    lines = (f"{a},{b},{a + 2 * b + 1}\n" for a, b in rows)
    path.write_text("a,b,y\n" + "".join(lines))
    return path


@pytest.fixture(scope="module")
def alone(data):
    (found,) = trained(1, data, "manual")
    return found


def agrees(parts, alone):
    """Check that the processes have trained the same model, and the one of a single process."""
    first = parts[0]
    for part in parts[1:]:
        assert part == first, "the replicas are equal bit for bit, and report the same"
    assert first["exact"]["weights"] == alone["exact"]["weights"]
    np.testing.assert_allclose(first["real"]["weights"], alone["real"]["weights"], rtol=1e-6)
    for key, losses in first["real"]["history"].items():
        np.testing.assert_allclose(losses, alone["real"]["history"][key], rtol=1e-5)
    assert first["real"]["steps"] == alone["real"]["steps"]


@pytest.mark.parametrize("way", ["manual", "auto"])
def test_the_model_is_that_of_one_process(way, data, alone):
    agrees(trained(2, data, way), alone)


def test_a_dataset_that_is_not_distributed_is_refused(data):
    _, codes, errors = train(2, data, "whole")
    assert all(codes)
    assert errors.count("would train on all rows: call ds.distribute()") == 2


def test_another_number_of_processes_resumes_after_kill(data, alone, tmp_path):
    _, codes, _ = train(2, data, "killed", tmp_path)
    assert codes == [-9, -9]
    (found,) = trained(1, data, "manual", tmp_path)
    np.testing.assert_allclose(found["real"]["weights"], alone["real"]["weights"][2:], rtol=1e-6)
