"""What the tests of training share: a table, small models, and a look at what they are given."""

import contextlib

import keras
import numpy as np

from csvfeed import CsvDataset

TABLE = np.round(np.random.default_rng(5).normal(size=(103, 5)), 4).astype(np.float32)
TABLE[:, 4] = np.abs(TABLE[:, 4])  # A column that can be a weight.
NAMES = ["a", "b", "c", "y", "w"]
X, Y, W = TABLE[:, :3], TABLE[:, 3], TABLE[:, 4]


def csv_of(table):
    return "\n".join([",".join(NAMES), *(",".join(map(str, row)) for row in table)]) + "\n"


def dataset(path, cls=CsvDataset, **options):
    options = {"target": "y", "features": ["a", "b", "c"], "batch_size": 10, **options}
    return cls(path, **options)


class Noted(CsvDataset):
    """A dataset that notes what was read of it."""

    def __init__(self, *args, **options):
        self.opened = []
        super().__init__(*args, **options)

    def epoch(self, number):
        return [np.concatenate(part) for part in zip(*self._open(number), strict=True)]

    def _follow(self, order):
        super()._follow(order)
        self._open = self.epochs.open
        self.epochs.open = self._note

    def _note(self, epoch, first_batch=0, batch_size=None):
        self.opened.append((epoch, first_batch))
        return self._open(epoch, first_batch, batch_size)


def shuffled(path, **options):
    """Return a dataset that has another order in each epoch."""
    return dataset(path, Noted, **options).shuffle(seed=7)


def seeded(seed=0):
    """Return an initializer that always gives the same weights.

    ``keras.utils.set_random_seed`` would do, but it imports TensorFlow on every backend.
    """
    return keras.initializers.GlorotUniform(seed)


def model(outputs=1, inputs=3, rate=0.05, **options):
    hidden = keras.layers.Dense(4, "tanh", kernel_initializer=seeded(1))
    last = keras.layers.Dense(outputs, kernel_initializer=seeded(2))
    built = keras.Sequential([keras.Input((inputs,)), hidden, last])
    built.compile(keras.optimizers.SGD(rate), "mse", **options)
    return built


class Recorder(keras.layers.Layer):
    """Notes each row that a model sees; for models that run eagerly."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def call(self, inputs):
        # A model is built from symbols, which have no rows.
        with contextlib.suppress(AttributeError, NotImplementedError, TypeError, ValueError):
            self.rows += keras.ops.convert_to_numpy(inputs).tolist()
        return inputs


def recording_model(inputs=3, build=True):
    recorder = Recorder()
    built = keras.Sequential([recorder, keras.layers.Dense(1)])
    if build:
        built.build((None, inputs))
    built.compile("sgd", "mse", run_eagerly=True)
    recorder.rows.clear()
    return built, recorder


def assert_same_weights(left, right, **tolerance):
    for one, other in zip(left.get_weights(), right.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, **{"rtol": 1e-5, "atol": 1e-7, **tolerance})
