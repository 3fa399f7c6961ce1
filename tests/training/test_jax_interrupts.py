"""Ctrl-C on JAX: the model keeps its weights, whenever the interrupt comes."""

import json

import pytest
from processes import python

pytestmark = pytest.mark.backend("jax")

INTERRUPTED = """
    import json, os, signal, threading
    import keras, numpy as np
    import csvfeed

    rows = "".join(f"{n % 97},{n % 13},{n % 7}\\n" for n in range(20_000))
    ds = csvfeed.CsvDataset(f"a,b,y\\n{rows}".encode(), target="y", batch_size=100)
    data = ds.to_keras()

    def work(model, method):
        if method == "fit":
            model.fit(data, epochs=200, verbose=0)
        else:
            for _ in range(200):
                model.evaluate(data, verbose=0)

    def interrupt(method, steps_per_execution):
        model = keras.Sequential(
            [keras.Input((2,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)]
        )
        model.compile("adam", "mse", steps_per_execution=steps_per_execution)
        model.fit(data, verbose=0)
        model.evaluate(data, verbose=0)
        for number in range(4):
            after = 0.05 + 0.037 * number
            threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                work(model, method)
                yield "swallowed"
                continue
            except KeyboardInterrupt:
                pass
            weights = [np.asarray(weight) for weight in model.get_weights()]
            model.fit(data, verbose=0)
            yield "kept" if all(np.isfinite(w).all() for w in weights) else "lost"
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    ways = {"fit": ("fit", 1), "several steps": ("fit", 8), "evaluate": ("evaluate", 1)}
    print(json.dumps({name: list(interrupt(*way)) for name, way in ways.items()}))
"""


def test_the_model_keeps_its_weights():
    found = json.loads(python(INTERRUPTED, timeout=300).splitlines()[-1])
    assert found == dict.fromkeys(("fit", "several steps", "evaluate"), ["kept"] * 4)


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


def test_an_interrupt_that_keras_would_catch_is_raised():
    # Keras catches whatever is raised while it reads the values of metrics.
    code = """
        import os, signal
        import keras
        import csvfeed

        class Interrupts:
            def __float__(self):
                os.kill(os.getpid(), signal.SIGINT)
                return 0.0

        class Metric(keras.metrics.MeanSquaredError):
            def result(self):
                return Interrupts() if os.environ.get("INTERRUPTS") else super().result()

        ds = csvfeed.CsvDataset(b"a,y\\n" + b"1,2\\n" * 1000, target="y", batch_size=100)
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", metrics=[Metric()])
        data = ds.to_keras()
        model.evaluate(data, verbose=0)
        os.environ["INTERRUPTS"] = "1"
        try:
            model.evaluate(data, verbose=0)
        except KeyboardInterrupt:
            print("interrupted")
        del os.environ["INTERRUPTS"]
        model.fit(data, verbose=0)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    """
    assert python(code).split() == ["interrupted"]


def test_an_interrupt_leaves_no_lock_of_callbacks_held():
    # A thread of Keras runs callbacks. If it waited for a lock for ever, so would the process.
    code = """
        import concurrent.futures, os, signal, threading
        import keras
        import csvfeed

        lock = threading.Lock()

        class Interrupts(concurrent.futures.ThreadPoolExecutor):
            def submit(self, *arguments):
                lock.acquire()
                os.kill(os.getpid(), signal.SIGINT)
                lock.release()
                return super().submit(*arguments)

        ds = csvfeed.CsvDataset(b"a,y\\n" + b"1,2\\n" * 1000, target="y", batch_size=100)
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        concurrent.futures.ThreadPoolExecutor = Interrupts
        for method in (model.fit, model.evaluate, model.predict):
            try:
                method(ds.to_keras(), verbose=0)
            except KeyboardInterrupt:
                print("held" if lock.locked() else "free")
                lock = threading.Lock()
    """
    assert python(code).split() == ["free"] * 3
