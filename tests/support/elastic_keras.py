"""A training of Keras on several JAX processes; ``test_elastic.py`` starts this.

``python elastic_keras.py path order folder stop port rank count`` trains with a backup in the
folder, and prints the weights as JSON. Among them is the ledger: the rows of each step, in the
order in which the step had them. If ``stop`` is a number of steps, the last process stops after
these steps, and makes the file ``stopped`` in the folder. The others then wait for it in the middle
of a step.
"""

import json
import signal
import sys
from pathlib import Path

import jax
import keras
from models import seeded
from numbered import MIXED, NUMBERED

import csvfeed
from csvfeed.keras import BackupAndRestore

path, order, folder, stop, port, rank, count = sys.argv[1:]
rank, count, stop = int(rank), int(count), int(stop)
if count > 1:
    jax.distributed.initialize(f"127.0.0.1:{port}", count, rank)
EPOCHS = 3
BATCH = 16


class Ledger(keras.layers.Layer):
    """Notes the rows of each step, over all processes, in the weights of the model."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def build(self, shape):  # noqa: ARG002 - the name is Keras's
        form = {"trainable": False, "initializer": "zeros"}
        self.rows = self.add_weight(shape=(self.steps, BATCH), name="rows", **form)
        self.step = self.add_weight(shape=(), dtype="int32", name="step", **form)

    def call(self, x, training=False):
        if training:
            rows, here = self.rows.value, [self.step.value, 0]
            self.rows.assign(keras.ops.slice_update(rows, here, keras.ops.transpose(x)))
            self.step.assign_add(1)
        return x / 1000


class Stop(keras.callbacks.Callback):
    """Stops this process after some steps of the run."""

    def __init__(self, left):
        super().__init__()
        self.left = left

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002 - the names are Keras's
        self.left -= 1
        if self.left == 0:
            (Path(folder) / "stopped").touch()
            signal.pause()


if count > 1:
    keras.distribution.set_distribution(keras.distribution.DataParallel())
ds = csvfeed.CsvDataset(path, batch_size=BATCH, remainder="drop", memory=MIXED, **NUMBERED)
if order == "shuffled":
    ds = ds.shuffle(seed=1)
own = ds.distribute(lanes=4) if count > 1 else ds.distribute(0, 1, lanes=4)
ledger = Ledger(EPOCHS * len(own))
model = keras.Sequential(
    [keras.Input((1,)), ledger, keras.layers.Dense(1, kernel_initializer=seeded())]
)
model.compile(keras.optimizers.SGD(0.01), "mse")
callbacks = [BackupAndRestore(folder, own, save_freq=3, delete_checkpoint=False)]
if stop and rank == count - 1:
    callbacks.append(Stop(stop))
model.fit(own.to_keras(), epochs=EPOCHS, verbose=0, callbacks=callbacks)
weights = [value.tolist() for value in model.layers[-1].get_weights()]
rows = keras.ops.convert_to_numpy(ledger.rows).astype(int).tolist()
print(json.dumps({"rows": rows, "weights": weights, "steps": int(ledger.step)}))
