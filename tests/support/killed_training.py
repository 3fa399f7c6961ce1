"""A training run that kills itself; ``test_backup.py`` starts it.

``python killed_training.py '{"options": "as JSON"}'`` trains on a file, with a backup if there is
a directory for it, and writes the weights and the history when it comes to the end.
"""

import json
import os
import signal
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras
import numpy as np
from models import shuffled

from csvfeed.keras import BackupAndRestore


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


def main(path, result, backup=None, save_freq=3, kill=0, where="training", steps=1, **options):
    keras.utils.set_random_seed(3)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    ds = shuffled(path, weight="w")
    data = ds.to_keras(class_weight={0: 1.5})
    model = keras.Sequential(
        [
            keras.layers.Dense(8, "tanh"),
            keras.layers.Dropout(0.3),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"], steps_per_execution=steps)
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
    print(json.dumps({"epochs": history.epoch, "logs": logs, "position": ds.epochs.position.next}))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
