"""Keras on several JAX processes: what one process would have trained."""

import json
import textwrap

import numpy as np
import pytest
from launched import free_port, launch, outputs

pytestmark = pytest.mark.backend("jax")

TRAIN = """
    import json, sys
    import jax
    rank, count, port, path, ways = sys.argv[1:]
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

    def fit(way, layer, rate, epochs, loss="mse"):
        if count > 1:
            keras.distribution.distribution().auto_shard_dataset = way == "auto"
        ds = csvfeed.CsvDataset(path, target="y", batch_size=16, remainder="pad", memory=8192)
        parts = ds.shuffle(seed=1).split(0.25)
        if way == "whole":
            try:
                parts[0].to_keras()
            except ValueError as error:
                return str(error)
        if count == 1:
            parts = [part.distribute(0, 1, lanes=2) for part in parts]
        elif way != "auto":
            parts = [part.distribute() for part in parts]
        train, held_out = [part.to_keras() for part in parts]
        keras.utils.set_random_seed(0)
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
        layers = [keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1)]
        return keras.Sequential(layers)

    def exact():
        return keras.layers.Dense(1, kernel_initializer="zeros", use_bias=False)

    found = {}
    for way in ways.split():
        found[way] = fit(way, real, 0.01, 3)
        if way != "whole":
            # A loss whose gradients are sixteenths of integers, which float32 adds in any order.
            of_exact = fit(way, exact, 2.0**-4, 1, loss=lambda y, found: -y * found)
            found[way] = [found[way], of_exact]
    print(json.dumps(found))
"""


def trained(count, path, ways):
    given = free_port(), path, ways
    code = textwrap.dedent(TRAIN)
    # JAX prints a line of its own.
    found = outputs(launch(count, lambda rank: ["-c", code, rank, count, *given]))
    return [json.loads(output.splitlines()[-1]) for output in found]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("processes") / "data.csv"
    rows = np.random.default_rng(0).integers(-4, 5, (410, 2))
    path.write_text("a,b,y\n" + "".join(f"{a},{b},{a + 2 * b + 1}\n" for a, b in rows))
    return path


@pytest.fixture(scope="module")
def alone(data):
    (found,) = trained(1, data, "manual")
    return found["manual"]


def agrees(parts, alone):
    """Check that the processes have trained the same model, and the one of a single process."""
    for part in parts[1:]:
        assert part == parts[0], "the replicas are equal bit for bit, and report the same"
    (real, exact), (real_alone, exact_alone) = parts[0], alone
    assert exact["weights"] == exact_alone["weights"]
    np.testing.assert_allclose(real["weights"], real_alone["weights"], rtol=1e-6, atol=1e-7)
    for key, losses in real["history"].items():
        np.testing.assert_allclose(losses, real_alone["history"][key], rtol=1e-5)
    assert real["steps"] == real_alone["steps"]


def test_the_model_is_that_of_one_process(data, alone):
    """Whether the user shares the rows among the processes, or Keras does."""
    found = trained(2, data, "whole manual auto")
    agrees([part["manual"] for part in found], alone)
    agrees([part["auto"] for part in found], alone)
    for part in found:
        assert "would train on all rows: call ds.distribute()" in part["whole"]
