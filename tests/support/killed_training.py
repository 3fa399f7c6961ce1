"""Training runs that kill themselves; ``test_backup.py`` starts this.

``python killed_training.py '[[{"options": "as JSON"}, ...], ...]'`` takes chains of runs. Each run
trains on a file in a process of its own, with a backup if the run names a directory for it. A run
that comes to its end writes its weights and its history. The runs of a chain follow one another,
and chains run side by side. This prints the exit codes of the runs as JSON.

This imports Keras once and forks, since a run takes less time than the import.
"""

import json
import os
import signal
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras
import numpy as np
from models import seeded, shuffled

from csvfeed.keras import BackupAndRestore

# At the level of the module: once for all runs.
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    import csvfeed.train.tensorflow  # noqa: F401


class Kill(keras.callbacks.Callback):
    """Ends the process without a word, after so many executions or in the middle of validation."""

    def __init__(self, after, where):
        super().__init__()
        self.left = after
        self.where = where

    def count(self, where):
        if where == self.where:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002 - the names are Keras's
        self.count("training")

    def on_test_batch_end(self, batch, logs=None):  # noqa: ARG002 - the names are Keras's
        self.count("validation")


def model_of(steps):
    """Return a compiled model without variables; its layers have fixed seeds."""
    model = keras.Sequential(
        [
            keras.layers.Dense(8, "tanh", kernel_initializer=seeded(1)),
            keras.layers.Dropout(0.3, seed=2),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1, kernel_initializer=seeded(3)),
        ]
    )
    metric = keras.metrics.MeanAbsoluteError("mae")
    model.compile("adam", "mse", metrics=[metric], steps_per_execution=steps)
    return model


def train(path, result, backup=None, save_freq=3, kill=0, where="training", steps=1, **options):
    if keras.backend.backend() == "tensorflow":
        tf.config.experimental.enable_op_determinism()
    ds = shuffled(path, weight="w")
    data = ds.to_keras(class_weight={0: 1.5})
    model = model_of(steps)
    if backup is None or not Path(backup).exists():
        # Otherwise TensorFlow traces the first step twice; resumed runs build by themselves.
        model.build((None, 3))
        model.optimizer.build(model.trainable_variables)
    callbacks = [Kill(kill, where)]
    if backup is not None:
        callbacks.insert(0, BackupAndRestore(backup, ds, save_freq=save_freq))
    history = model.fit(
        data, validation_data=data, epochs=4, callbacks=callbacks, verbose=0, **options
    )
    variables = [*model.variables, *model.optimizer.variables]
    arrays = [keras.ops.convert_to_numpy(variable.value) for variable in variables]
    np.savez(result, *arrays)
    logs = {name: [float(value) for value in values] for name, values in history.history.items()}
    told = {"epochs": history.epoch, "logs": logs, "position": ds.epochs.position.next}
    Path(result).with_suffix(".json").write_text(json.dumps(told))


def run(options):
    """Train in a process of its own; return its exit code."""
    pid = os.fork()
    if pid == 0:
        try:
            train(**options)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def run_chain(chain):
    return [run(options) for options in chain]


if __name__ == "__main__":
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("fork")) as pool:
        print(json.dumps(list(pool.map(run_chain, json.loads(sys.argv[1])))))
