"""Ctrl-C on JAX: the model keeps its weights, whenever the interrupt comes."""

import json

import pytest
from numbered import python

pytestmark = pytest.mark.backend("jax")

INTERRUPTED = """
    import json, os, signal, sys, threading, time, warnings
    import keras, numpy as np
    import csvfeed

    method, per_execution = sys.argv[1], int(sys.argv[2])
    rows = "".join(f"{n % 97},{n % 13},{n % 7}\\n" for n in range(40_000))
    ds = csvfeed.CsvDataset(f"a,b,y\\n{rows}".encode(), target="y", batch_size=100)
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)]
    )
    model.compile("adam", "mse", steps_per_execution=per_execution)
    data = ds.to_keras()
    model.fit(data, epochs=1, verbose=0)
    model.evaluate(data, verbose=0)

    def work():
        if method == "fit":
            return model.fit(data, epochs=100, verbose=0)
        for _ in range(100):
            model.evaluate(data, verbose=0)

    found = []
    for number in range(6):
        threading.Timer(0.05 + 0.037 * number, os.kill, (os.getpid(), signal.SIGINT)).start()
        began = time.monotonic()
        try:
            work()
            found.append("swallowed")
            continue
        except KeyboardInterrupt:
            pass
        weights = [np.asarray(weight) for weight in model.get_weights()]
        model.fit(data, epochs=1, verbose=0)
        found.append("kept" if all(np.isfinite(w).all() for w in weights) else "lost")
    found.append(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    print(json.dumps(found))
"""


@pytest.mark.parametrize(("method", "per_execution"), [("fit", 1), ("fit", 8), ("evaluate", 1)])
def test_the_model_keeps_its_weights(method, per_execution):
    found = json.loads(python(INTERRUPTED, method, per_execution).splitlines()[-1])
    assert found == ["kept"] * 6 + [True]


def test_a_second_interrupt_strikes_at_once():
    code = """
        import os, signal, threading, time
        import keras, numpy as np
        import csvfeed

        ds = csvfeed.CsvDataset(b"a,y\\n" + b"1,2\\n" * 1000, target="y", batch_size=100)
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        class Sleeps(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                # As in the middle of a step.
                self.model._jax_state = None
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(60)
        began = time.monotonic()
        try:
            model.fit(ds.to_keras(), verbose=0, callbacks=[Sleeps()])
        except KeyboardInterrupt:
            print(time.monotonic() - began < 50)
    """
    assert python(code).split()[-1] == "True"
