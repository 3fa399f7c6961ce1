import atexit
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from processes import Watchdog, give_children_default_signals

import csvfeed

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

# The tests compile the same small models again and again: on JAX, once for all processes.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="csvfeed-jax-")
    atexit.register(shutil.rmtree, os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

# A run finds what the last one found, unless it is to explore: see "make explore".
settings.register_profile("repeat", derandomize=True, deadline=None, max_examples=50)
settings.register_profile("explore", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))

if csvfeed._core.DEBUG:
    # Child processes need not say so.
    os.environ["PYTHONWARNINGS"] = "ignore:this csvfeed is a debug build"

SMALL_BUFFERS = os.environ.get("CSVFEED_BUFFERS") == "small"
assert csvfeed._core.SMALL_BUFFERS == SMALL_BUFFERS, "a debug build alone has small buffers"

give_children_default_signals()
WATCHDOG = Watchdog()

SMALL = 1024
"""As ``memory=`` this gives blocks of 64 bytes, so that blocks and rows straddle everywhere."""

LONGEST = [
    "test_backup.py",
    "test_cli.py",
    "test_training_docs.py",
    "test_exits.py",
    "test_keras.py",
    "test_iterators.py",
    "test_flights.py",
    "test_keras_epochs.py",
    "test_tutorial_docs.py",
    "test_together.py",
]
"""The files that take longest, though some have few tests; they begin first."""


def pytest_configure(config):
    """Keep pytest-xdist from beginning with the files that have most tests."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    """Let no worker begin with a long file when the others are about to end."""
    rank = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    """Let every wait of a test end, and leave no process of a test file behind."""
    WATCHDOG.begin()
    try:
        return (yield)
    finally:
        WATCHDOG.end(is_last=nextitem is None or nextitem.path != item.path)


def pytest_runtest_setup(item):
    """Skip a test that needs another backend of Keras, or more patience, than this run has."""
    for marker in item.iter_markers("backend"):
        if os.environ["KERAS_BACKEND"] not in marker.args:
            pytest.skip(f"runs with KERAS_BACKEND={marker.args[0]}")
    if item.get_closest_marker("distributed") and "CSVFEED_TEST_DISTRIBUTED" not in os.environ:
        pytest.skip("runs in make test-distributed")


def wait_until(condition):
    """Wait for what is bound to happen; a test that would wait for ever fails."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never happened")


def bytes_read():
    """Return how many bytes this process has read from files so far."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])


def equal(found, expected):
    """Compare as arrays of float32."""
    np.testing.assert_array_equal(np.array(found, np.float32), np.array(expected, np.float32))


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path as a str."""

    def write(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


@pytest.fixture
def read():
    """Return all rows of all parts: a list of arrays, one a part, over one epoch."""

    def read(source, **options):
        batches = list(csvfeed.CsvDataset(source, **options))
        return [np.concatenate(parts) for parts in zip(*batches, strict=True)]

    return read


@pytest.fixture
def features():
    """Return the rows of a file without a target, as lists."""

    def features(source, **options):
        batches = csvfeed.CsvDataset(source, target=None, **options)
        return [row for (X,) in batches for row in X.tolist()]

    return features


@pytest.fixture
def reading_threads():
    """Wait until as many threads of csvfeed run as are given, besides those from before the test.

    A thread names itself when it first runs, and stands in the list a moment longer than it runs.
    """

    def name(task):
        try:
            return (task / "comm").read_text()
        except OSError:
            return ""  # It ended meanwhile.

    def running():
        return {task for task in Path("/proc/self/task").iterdir() if name(task)[:8] == "csvfeed-"}

    before = running()
    return lambda count: wait_until(lambda: len(running() - before) == count)
