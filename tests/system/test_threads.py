"""Threads that share a dataset or an iterator, with the GIL and without it."""

import gzip
import sys
import sysconfig
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import SMALL
from numbered import NUMBERED, numbered
from processes import python

import csvfeed

ROWS = 1500
DATA = numbered(ROWS)
THREADS = 6


def dataset(**options):
    return csvfeed.CsvDataset(DATA, **{**NUMBERED, "batch_size": 7, **options})


def together(work):
    """Let threads do something at the same time, and return what each of them has found."""
    ready = threading.Barrier(THREADS)

    def run(number):
        ready.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


@pytest.fixture(autouse=True)
def switching():
    """Let threads that have a GIL pass it on as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python always has the GIL"
)
def test_the_gil_stays_off():
    # Python would warn, too.
    code = """
        import sys, csvfeed
        assert not sys._is_gil_enabled()
        ds = csvfeed.CsvDataset(b"x,y\\n1,2\\n3,4\\n")
        print([X.tolist() for X, y in ds], len(list(ds.shuffle())), ds.stats()["x"].mean)
        assert not sys._is_gil_enabled()
    """
    assert python(code) == "[[[1.0], [3.0]]] 1 2.0\n"


# One iterator


def plain():
    return iter(dataset())


def with_small_blocks():
    return iter(dataset(memory=SMALL, threads=3))


def shuffled():
    return iter(dataset().shuffle(seed=1))


def mixed():
    halves = [dataset(), csvfeed.CsvDataset(numbered(ROWS, start=ROWS), **NUMBERED, batch_size=7)]
    return iter(csvfeed.mix(halves, seed=1))


def compressed():
    return iter(csvfeed.CsvDataset(gzip.compress(DATA), **NUMBERED, batch_size=7))


def of_several_outputs():
    return iter(dataset(target={"one": "y", "other": "x"}, allow_target_as_feature=True))


def distributed():
    return iter(dataset(batch_size=6, remainder="drop").distribute(0, 1, lanes=3))


SOURCES = [plain, with_small_blocks, shuffled, mixed, compressed, of_several_outputs, distributed]


@pytest.mark.parametrize("start", SOURCES, ids=lambda start: start.__name__)
def test_each_batch_of_a_shared_iterator_goes_to_one_thread(start):
    expected = [X[:, 0].tolist() for X, *_ in start()]
    iterator = start()
    found = together(lambda _: list(iterator))
    for X, y, *_ in (batch for share in found for batch in share):
        np.testing.assert_array_equal(X[:, 0], y["one"] if isinstance(y, dict) else y)
    shares = [[X[:, 0].tolist() for X, *_ in share] for share in found]
    assert sorted(batch for share in shares for batch in share) == sorted(expected)
    # A thread gets its batches in their order.
    place = {tuple(batch): at for at, batch in enumerate(expected)}
    for share in shares:
        places = [place[tuple(batch)] for batch in share]
        assert places == sorted(places)
    assert next(iterator, None) is None


def test_each_batch_goes_to_one_thread_with_its_ids():
    iterator = dataset(ids=["key"]).with_ids()
    found = together(lambda _: list(iterator))
    rows = []
    for ids, X, _y in (batch for share in found for batch in share):
        assert ids["key"].tolist() == [f"k{int(n) ** 2 % 97}" for n in X[:, 0]]
        rows += X[:, 0].tolist()
    assert sorted(rows) == list(range(ROWS))


def test_a_model_predicts_in_one_thread_at_a_time():
    running = threading.Lock()

    class Model:
        def predict_on_batch(self, X):
            assert running.acquire(blocking=False)
            try:
                return X[:, 0]
            finally:
                running.release()

    predictions = dataset(ids=["key"]).predictions(Model())
    found = together(lambda _: list(predictions))
    values = np.concatenate([values for share in found for _, values in share])
    assert sorted(values.tolist()) == list(range(ROWS))


# One dataset


@pytest.mark.parametrize("memory", [None, SMALL])
def test_threads_that_begin_epochs_at_the_same_time_get_one_each(memory):
    def epoch(ds):
        return [int(n) for X, _ in ds for n in X[:, 0]]

    alone = dataset(memory=memory).shuffle(seed=2)
    expected = [epoch(alone) for _ in range(THREADS)]
    ds = dataset(memory=memory).shuffle(seed=2)
    assert sorted(together(lambda _: epoch(ds))) == sorted(expected)
    assert ds.state_dict()["epoch"] == THREADS


def test_what_is_found_once_is_the_same_for_all_threads_that_ask_first():
    text = b"x,word,y\n" + b"".join(
        b"%d,w%d,%s\n" % (n, n % 50, b"1" if n % 9 else b"?") for n in range(2000)
    )
    ds = csvfeed.CsvDataset(
        text, categories={"word": "auto"}, on_error="skip", fill="mean", memory=1 << 14
    )
    half, _ = ds.split(0.5, seed=0)
    asked = {
        "vocabulary": lambda: ds.vocabulary,
        "rows": lambda: (ds.num_rows, half.num_rows),
        "stats": lambda: ds.stats()["x"],
        "rejects": lambda: ds.rejects.by_kind,
        "state": lambda: half.shuffle(seed=3).state_dict(),
        "order": lambda: [row for X, _ in half.shuffle(seed=3) for row in X.tolist()],
    }

    def ask(number):
        """Each thread begins with another question."""
        names = [*asked][number:] + [*asked][:number]
        return {name: asked[name]() for name in names}

    with pytest.warns(RuntimeWarning, match="223 rows of <bytes> were left out"):
        first, *others = together(ask)
    assert all(one == first for one in others)
    assert (len(first["vocabulary"]["word"]), first["rows"][0]) == (50, 1777)


def test_a_state_is_whole_whatever_other_threads_do():
    ds = dataset().shuffle(seed=4)
    states = [
        {**ds.state_dict(), "epoch": epoch, "batch": batch} for epoch in (3, 5) for batch in (0, 2)
    ]

    def work(number):
        found = []
        for turn in range(60):
            if number % 3 == 0:
                ds.load_state_dict(states[turn % 4])
            elif number % 3 == 1:
                next(iter(ds))
            else:
                found.append(ds.state_dict())
        return found

    for state in (state for found in together(work) for state in found):
        assert {**state, "epoch": 3, "batch": 0} == states[0]
        assert state["epoch"] < 100
        assert state["batch"] < 10


# Signals


def test_a_signal_handler_may_ask_the_iterator_that_it_interrupts():
    code = """
        import os, signal, sys, threading, time, csvfeed
        class Slow:
            def __init__(self, data):
                self.data, self.at, self.reads = data, 0, 0
            def seekable(self): return True
            def tell(self): return self.at
            def seek(self, offset, whence=0):
                self.at = offset + (len(self.data) if whence == 2 else 0)
                return self.at
            def read(self, size=-1):
                self.reads += 1
                if self.reads == 8:
                    waiting.set()
                    asked.wait(60)
                found = self.data[self.at : self.at + size]
                self.at += len(found)
                return found
        waiting, asked = threading.Event(), threading.Event()
        found = []
        def handler(*_):
            asked.set()
            found.append(next(iterator))
        signal.signal(signal.SIGUSR1, handler)
        def ring():
            waiting.wait(60)
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGUSR1)
        threading.Thread(target=ring, daemon=True).start()
        data = b"".join(b"%06d,1\\n" % row for row in range(100_000))
        iterator = iter(csvfeed.CsvDataset(Slow(data), batch_size=1000, memory=1 << 15, threads=2))
        for batch in iterator:
            found.append(batch)
        assert asked.is_set()
        rows = sorted(int(n) for X, y in found for n in X[:, 0])
        assert rows == list(range(100_000)), (len(rows), len(set(rows)))
        print("all", flush=True)
        os._exit(0)
    """
    assert python(code) == "all\n"


WAITING = {
    "a batch": "next(iterator)",
    "a count": "ds.num_rows",
}


@pytest.mark.parametrize("work", WAITING)
def test_ctrl_c_is_obeyed_while_another_thread_has_the_turn(work):
    code = f"""
        import os, signal, sys, threading, time, csvfeed
        signal.signal(signal.SIGINT, signal.default_int_handler)
        class Stuck:
            def __init__(self, data):
                self.data, self.at, self.reads = data, 0, 0
            def seekable(self): return True
            def tell(self): return self.at
            def seek(self, offset, whence=0):
                self.at = offset + (len(self.data) if whence == 2 else 0)
                return self.at
            def read(self, size=-1):
                if started.is_set():
                    stuck.set()
                    threading.Event().wait()
                found = self.data[self.at : self.at + size]
                self.at += len(found)
                return found
        started, stuck = threading.Event(), threading.Event()
        ds = csvfeed.CsvDataset(
            Stuck(b"x,y\\n" + b"1,1\\n" * 200_000), batch_size=1000, memory=1 << 15, threads=2
        )
        started.set()
        iterator = iter(ds)
        def other():
            while True:
                {WAITING[work]}
        threading.Thread(target=other, daemon=True).start()
        stuck.wait(60)
        def ring():
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=ring, daemon=True).start()
        try:
            while True:
                {WAITING[work]}
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """
    assert python(code, timeout=60) == "interrupted\n"
