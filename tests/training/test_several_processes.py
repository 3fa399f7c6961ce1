"""Keras on several JAX processes: what one process would have trained."""

import json
import textwrap

import numpy as np
import pytest
from launched import free_port, launch, need, outputs

pytestmark = pytest.mark.backend("jax")

TRAIN = """
    import json, sys
    import jax
    rank, count, port, path = sys.argv[1:]
    count = int(count)
    if count > 1:
        jax.distributed.initialize(f"127.0.0.1:{port}", count, int(rank))
    import csvfeed, keras, numpy as np

    if count > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel())

    class Weights(keras.callbacks.Callback):
        def __init__(self):
            self.found = []
        def on_epoch_end(self, epoch, logs=None):
            flat = [np.asarray(value).ravel() for value in self.model.get_weights()]
            self.found.append(np.concatenate(flat).tolist())

    def fit(by_itself, layer, rate, epochs, loss="mse"):
        ds = csvfeed.CsvDataset(path, target="y", batch_size=16, remainder="pad", memory=8192)
        parts = ds.shuffle(seed=1).split(0.25)
        if count == 1:
            parts = [part.distribute(0, 1, lanes=2) for part in parts]
        elif not by_itself:
            parts = [part.distribute() for part in parts]
        train, held_out = [part.to_keras() for part in parts]
        model = keras.Sequential([keras.Input((2,)), layer()])
        model.compile(keras.optimizers.SGD(rate), loss, steps_per_execution=3)
        weights = Weights()
        history = model.fit(
            train, validation_data=held_out, epochs=epochs, verbose=0, callbacks=[weights]
        )
        return {
            "weights": weights.found,
            "history": history.history,
            "evaluated": model.evaluate(held_out, verbose=0),
            "steps": train.num_batches,
        }

    def real():
        # Not keras.utils.set_random_seed, which imports TensorFlow.
        sizes = (8, "tanh"), (1, None)
        drawn = keras.initializers.GlorotUniform
        return keras.Sequential(
            [keras.layers.Dense(n, name, kernel_initializer=drawn(seed=n)) for n, name in sizes]
        )

    def exact():
        return keras.layers.Dense(1, kernel_initializer="zeros", use_bias=False)

    # to_keras() distributes the rows by itself, or the user does. The second loss has gradients
    # that are sixteenths of integers, which float32 adds in any order.
    of_real = fit(True, real, 0.01, 3)
    of_exact = fit(False, exact, 2.0**-4, 1, loss=lambda y, found: -y * found)
    print(json.dumps([of_real, of_exact]))
"""


def trained(count, path):
    given, code = (free_port(), path), textwrap.dedent(TRAIN)
    # JAX prints a line of its own.
    found = outputs(launch(count, lambda rank: ["-c", code, rank, count, *given]))
    return [json.loads(output.splitlines()[-1]) for output in found]


def test_the_model_is_that_of_one_process(tmp_path):
    need("jax")
    path = tmp_path / "data.csv"
    rows = np.random.default_rng(0).integers(-4, 5, (410, 2))
    path.write_text("a,b,y\n" + "".join(f"{a},{b},{a + 2 * b + 1}\n" for a, b in rows))
    first, second = trained(2, path)
    assert second == first, "the replicas are equal bit for bit, and report the same"
    (real, exact), [(real_alone, exact_alone)] = first, trained(1, path)
    assert exact["weights"] == exact_alone["weights"]
    np.testing.assert_allclose(real["weights"], real_alone["weights"], rtol=1e-6, atol=1e-7)
    for key, losses in real["history"].items():
        np.testing.assert_allclose(losses, real_alone["history"][key], rtol=1e-5)
    assert real["steps"] == real_alone["steps"]
