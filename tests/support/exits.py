"""Processes that end in the middle of their work; ``test_exits.py`` starts this.

``python exits.py --times 200 [NAME ...]`` runs each form so often, in processes that it forks after
it has imported Keras, and prints what became of them as JSON: how many ended as they should, and
what else happened. It exits with 1 if anything else did. ``KERAS_BACKEND`` names the backend.
"""

import argparse
import gc
import json
import os
import shutil
import signal
import sys
import tempfile
import textwrap
import time
from collections import Counter
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras

START = """
    import os, signal, sys, threading, time
    import csvfeed, keras

    def dataset(rows, wrong=None):
        lines = [f"{n},{n},{n}" for n in range(rows)]
        if wrong is not None:
            lines[wrong] = "1,x,2"
        with open("table.csv", "w") as file:
            file.write("a,b,y\\n" + "\\n".join(lines))
        return csvfeed.CsvDataset("table.csv", batch_size=100)

    def fit(data, do=None, **options):
        model = keras.Sequential([keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        end = lambda batch, logs: do() if do and batch == 5 else None
        callback = keras.callbacks.LambdaCallback(on_train_batch_end=end)
        model.fit(data, verbose=0, callbacks=[callback], **options)
"""

# What a script does last, and its exit code.
FIT = {
    "error": ("try: fit(dataset(3000, wrong=1500).{to})\nexcept Exception: print('failed')", 0),
    "steps": ("fit(dataset(100_000).{to}, steps_per_epoch=7)", 0),
    "ctrl-c": ("fit(dataset(100_000).{to}, lambda: os.kill(os.getpid(), signal.SIGINT))", -2),
    "sys.exit": ("fit(dataset(100_000).{to}, lambda: sys.exit(3))", 3),
}
ITERATE = {
    "forgotten": ("it = iter({data}); next(it)", 0),
    "never asked": ("it = iter({data})", 0),
    "caught": (
        "it = iter({wrong})\ntry:\n    for _ in it: pass\nexcept Exception: print('failed')",
        0,
    ),
    "daemon": (
        "def read():\n"
        "    while True:\n"
        "        for _ in {data}: pass\n"
        "threading.Thread(target=read, daemon=True).start(); time.sleep(0.1)",
        0,
    ),
}


def forms():
    """Return the code, and the exit code, of each form that the backend has."""
    found = {}
    backend = keras.backend.backend()
    ways = ["to_keras()", "to_tf()"] if backend == "tensorflow" else ["to_keras()"]
    for way in ways:
        for name, (code, exit_code) in FIT.items():
            found[f"{name}, {way}"] = code.format(to=way), exit_code
    ways = {"iter(ds)": "{}"}
    if backend == "tensorflow":
        ways["to_tf()"] = "{}.to_tf()"
        ways["to_tf(), transformed"] = "{}.to_tf().repeat().shuffle(9).prefetch(3)"
    elif backend == "torch":
        ways["to_torch()"] = "{}.to_torch()"
    for way, text in ways.items():
        data = text.format("dataset(100_000)")
        wrong = text.format("dataset(3000, wrong=1500)")
        for name, (code, exit_code) in ITERATE.items():
            found[f"{name}, {way}"] = code.format(data=data, wrong=wrong), exit_code
    return found


def plain():
    """Return a form without csvfeed: what TensorFlow does by itself."""
    code = """
        import numpy as np, tensorflow as tf
        def groups():
            while True:
                time.sleep(0.01)
                yield np.zeros((64, 100, 2), np.float32)
        data = tf.data.Dataset.from_generator(groups, output_signature=tf.TensorSpec((64, 100, 2)))
        it = iter(data.prefetch(2).unbatch().prefetch(2)); next(it)
    """
    return {"plain": (textwrap.dedent(code), 0)}


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)) + 1)
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument(
        "--freeze",
        action="store_true",
        help="do not collect what was imported before the fork, which takes most of the time",
    )
    parser.add_argument("--plain", action="store_true", help="TensorFlow without csvfeed as well")
    parser.add_argument("names", nargs="*", help="beginnings of names of forms")
    return parser.parse_args()


def begin(folder):
    """Become a process of its own that writes into a folder."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    output = os.open("output", os.O_CREAT | os.O_WRONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)


def judge(code, expected, output):
    """Say what became of a process."""
    if code != expected:
        return f"exit code {code}: {output[-300:]}"
    for trouble in ("Fatal Python error", "terminate called", "panicked"):
        if trouble in output:
            return output[-300:]
    return "ended"


def run(options):
    """Return the code of a form in each child; in this process, run all forms and exit."""
    every = {**forms(), **(plain() if options.plain else {})}
    chosen = {
        name: form
        for name, form in every.items()
        if not options.names or name.startswith(tuple(options.names))
    }
    results = {name: Counter() for name in chosen}
    left = [name for _ in range(options.times) for name in chosen]
    live = {}
    if options.freeze:
        gc.freeze()
    while left or live:
        if left and len(live) < options.jobs:
            name = left.pop(0)
            folder = tempfile.mkdtemp(prefix="exits-")
            pid = os.fork()
            if pid == 0:
                begin(folder)
                return chosen[name][0]
            live[pid] = name, folder, time.monotonic() + options.timeout
            continue
        time.sleep(0.01)
        for pid, (name, folder, deadline) in list(live.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended and time.monotonic() < deadline:
                continue
            if ended:
                output = Path(folder, "output").read_text(errors="replace")
                code = os.waitstatus_to_exitcode(status)
                results[name][judge(code, chosen[name][1], output)] += 1
            else:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                results[name]["never ended"] += 1
            shutil.rmtree(folder)
            del live[pid]
    print(json.dumps(results, indent=1))
    ended = all(set(result) == {"ended"} for name, result in results.items() if name != "plain")
    sys.exit(not ended)


# At the level of the module, so that a form ends as the last line of a script does.
if keras.backend.backend() == "tensorflow":
    import csvfeed.train.tensorflow  # noqa: F401 - once for all children

if __name__ == "__main__":
    form = run(parse())
    exec(textwrap.dedent(START))
    exec(form)
