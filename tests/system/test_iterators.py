"""Iterators: several at once, shared between threads, dropped half-way, and interrupted."""

import gc
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, zip_longest
from pathlib import Path

import numpy as np
import pytest
from conftest import SMALL
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import csvfeed


def numbers(rows):
    return b"".join(b"%d,%d\n" % (n, n) for n in range(rows))


def rows_of(batches):
    return [int(value) for _, y in batches for value in y]


# Several at once


def test_iterators_of_one_dataset_do_not_disturb_each_other():
    ds = csvfeed.CsvDataset(numbers(500), batch_size=7, memory=SMALL)
    first, second, third = iter(ds), iter(ds), islice(ds, 3, None)
    found = [[], [], []]
    for batches in zip_longest(first, second, third):
        for rows, batch in zip(found, batches, strict=True):
            rows.extend(rows_of([batch] if batch else []))
    assert found == [list(range(500)), list(range(500)), list(range(21, 500))]


@pytest.mark.parametrize("memory", [None, SMALL])
def test_threads_may_iterate_one_dataset_each_with_its_own_iterator(write, memory):
    ds = csvfeed.CsvDataset(write(numbers(3000)), batch_size=11, memory=memory, threads=2)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: (rows_of(iter(ds)), len(ds), ds.num_rows), range(16)))
    assert found == [(list(range(3000)), 273, 3000)] * 16


@pytest.mark.parametrize("memory", [None, SMALL])
@pytest.mark.parametrize("batch_size", [1, 10, 700])
def test_threads_may_share_an_iterator_and_each_batch_goes_to_one(memory, batch_size):
    ds = csvfeed.CsvDataset(numbers(3000), batch_size=batch_size, memory=memory, threads=2)
    iterator = iter(ds)
    with ThreadPoolExecutor(8) as pool:
        shares = list(pool.map(lambda _: list(iterator), range(8)))
    for share in shares:
        rows = rows_of(share)
        assert rows == sorted(rows)
        for X, y in share:
            np.testing.assert_array_equal(X[:, 0], y)
            assert len(y) in (batch_size, 3000 % batch_size)
            assert y[0] % batch_size == 0
    assert sorted(row for share in shares for row in rows_of(share)) == list(range(3000))


def test_an_error_reaches_one_of_the_threads_that_share_an_iterator():
    iterator = iter(csvfeed.CsvDataset(numbers(1000) + b"1,x\n" + numbers(1000), memory=SMALL))

    def drain(_):
        rows = []
        try:
            for batch in iterator:
                rows += rows_of([batch])
        except csvfeed.NumberError:
            return rows, 1
        return rows, 0

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(drain, range(4)))
    assert sum(errors for _, errors in found) == 1
    assert sorted(row for rows, _ in found for row in rows) == list(range(992))


def test_pickles_made_in_threads_while_it_is_iterated_are_whole(write):
    ds = csvfeed.CsvDataset(write(numbers(1000)), memory=SMALL, batch_size=10)
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda _: rows_of(iter(pickle.loads(pickle.dumps(ds)))), range(8))
        assert all(rows == list(range(1000)) for rows in found)


# Threads end


@pytest.fixture
def long_file(write):
    return write(b"x,y\n" + b"1,2\n" * 1_000_000)


def test_as_many_threads_read_as_were_asked_for(long_file, reading_threads):
    iterator = iter(csvfeed.CsvDataset(long_file, threads=3, memory=1 << 16))
    next(iterator)
    # The one that asks is the third.
    reading_threads(2)
    del iterator
    reading_threads(0)


def test_an_iterator_that_is_dropped_half_way_ends_its_threads(long_file, reading_threads):
    ds = csvfeed.CsvDataset(long_file, threads=2, memory=1 << 16)
    iterators = [iter(ds) for _ in range(5)]
    for iterator in iterators:
        next(iterator)
    reading_threads(5)
    del iterators[1:], iterator
    reading_threads(1)
    iterators.clear()
    reading_threads(0)


def test_an_iterator_that_was_never_asked_ends_its_threads(long_file, reading_threads):
    iterator = iter(csvfeed.CsvDataset(long_file, threads=2))
    del iterator
    reading_threads(0)


def test_a_loop_that_is_left_ends_its_threads(long_file, reading_threads):
    for _ in csvfeed.CsvDataset(long_file, threads=2, memory=1 << 16):
        reading_threads(1)
        break
    gc.collect()
    reading_threads(0)


@pytest.mark.parametrize("end", [b"", b"x,1\n", b"1\n", b'"1,2\n'])
def test_the_end_and_an_error_end_the_threads_though_the_iterator_is_kept(end, reading_threads):
    iterator = iter(csvfeed.CsvDataset(numbers(2000) + end, threads=3, memory=SMALL))
    rows = 0
    try:
        for _, y in iterator:
            rows += len(y)
    except csvfeed.CsvError:
        assert end
    assert rows == 2000 if not end else rows == 1984
    del y
    reading_threads(0)
    assert next(iterator, None) is None


def test_kept_batches_keep_no_threads(long_file, reading_threads):
    iterator = iter(csvfeed.CsvDataset(long_file, threads=2, memory=1 << 16))
    kept = [next(iterator) for _ in range(10)]
    del iterator
    reading_threads(0)
    assert all(np.all(y == 2) for _, y in kept)


def test_counting_leaves_no_threads(long_file, reading_threads):
    assert len(csvfeed.CsvDataset(long_file, batch_size=1000)) == 1000
    reading_threads(0)


def test_stats_leave_no_threads(long_file, reading_threads):
    csvfeed.CsvDataset(long_file).stats()
    reading_threads(0)


@settings(max_examples=examples(60))
@given(
    threads=st.integers(1, 5),
    memory=st.sampled_from([1, SMALL, 4000, None]),
    batch_size=st.sampled_from([1, 5, 64, 100, 4000]),
    taken=st.integers(0, 60),
    repeat=st.booleans(),
)
def test_an_iterator_may_be_dropped_at_any_time(threads, memory, batch_size, taken, repeat):
    ds = csvfeed.CsvDataset(numbers(2000), threads=threads, memory=memory, batch_size=batch_size)
    iterator = ds.epochs.endless() if repeat else iter(ds)
    rows = rows_of(islice(iterator, taken))
    del iterator
    assert rows == [n % 2000 for n in range(len(rows))]


def test_the_threads_run_only_a_little_ahead_of_the_consumer(write):
    def bytes_read():
        return int(Path("/proc/self/io").read_text().split()[1])

    path = write(b"x,y\n" + b"123456,123456\n" * 3_000_000)
    before = bytes_read()
    iterator = iter(csvfeed.CsvDataset(path, threads=2))
    next(iterator)
    # They are waiting once the count stands still.
    last = -1
    while bytes_read() > last + 10_000:
        last = bytes_read()
        time.sleep(0.2)
    assert bytes_read() - before < 5 << 20
    assert len(next(iterator)[0]) == 32
    Path(path).unlink()


# Signals and the end of the process


def run(code, *arguments):
    code = textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "work",
    {
        "the dataset": """
            ds = csvfeed.CsvDataset(path, batch_size=100, memory=1 << 16)
            while True:
                for X, y in ds:
                    pass
        """,
        "the drop-in": """
            for X, y in csvfeed.generate_arrays_from_file(path, 100):
                pass
        """,
        "counting": """
            while True:
                csvfeed.CsvDataset(path).num_rows
        """,
        "stats": """
            while True:
                csvfeed.CsvDataset(path).stats()
        """,
    }.items(),
    ids=lambda work: work[0],
)
def test_ctrl_c_ends_a_process_that_reads(long_file, work):
    code = "import sys, csvfeed\npath = sys.argv[1]\nprint('ready', flush=True)\n"
    with run(code + textwrap.dedent(work[1]), long_file) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT, stderr
    assert stderr.splitlines()[-1] == "KeyboardInterrupt"
    assert "panicked" not in stderr


SLOW_CALLS = {
    "counting": (
        """b'"1",2\\n' * size""",
        "csvfeed.CsvDataset(data, threads=threads).num_rows",
    ),
    "counting with targets left out": (
        """b"1,\\n" * size + b"1,1\\n" """,
        "csvfeed.CsvDataset(data, header=[*'xy'], threads=threads, missing_target='skip').num_rows",
    ),
    "stats": (
        """b"1.5,2\\n" * size""",
        "csvfeed.CsvDataset(data, threads=threads).stats()",
    ),
    "counting keys": (
        """b'1,2\\n' * size""",
        "csvfeed.CsvDataset(data, threads=threads).split(0.5, by=0)[0].num_rows",
    ),
    "waiting for a shuffle": (
        """b"1.5,2\\n" * size""",
        "next(iter(csvfeed.CsvDataset(data, threads=threads).shuffle(seed=0)))",
    ),
    "waiting for a row": (
        """b"1,\\n" * size + b"1,1\\n" """,
        "options = {'missing_target': 'skip', 'threads': threads}; "
        "next(iter(csvfeed.CsvDataset(data, header=[*'xy'], **options)))",
    ),
    "waiting for a large batch": (
        """b"1.5,2\\n" * size""",
        "next(iter(csvfeed.CsvDataset(data, threads=threads, batch_size=2**40)))",
    ),
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("call", SLOW_CALLS)
def test_signals_are_looked_for_during_a_long_call(call, threads):
    # The work grows until it lasts long enough for many signals; a call that looks for none of them
    # hears of all of them at once when it is over.
    data, work = SLOW_CALLS[call]
    code = f"""
        import signal, time, csvfeed
        def count(*_):
            global heard
            heard += 1
        signal.signal(signal.SIGALRM, count)
        threads = {threads}
        size = 1 << 20
        while True:
            heard = 0
            data = {data}
            signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
            began = time.monotonic()
            {work}
            took = time.monotonic() - began
            signal.setitimer(signal.ITIMER_REAL, 0)
            if took > 0.2:
                break
            size *= 2
        print(heard)
    """
    with run(code) as process:
        stdout, stderr = process.communicate(timeout=120)
    assert stderr == ""
    assert int(stdout) > 2


def test_no_batch_runs_python_in_which_ctrl_c_would_be_heard():
    code = """
        import sys, csvfeed
        iterator = iter(csvfeed.CsvDataset(b"1,2\\n"))
        called = []
        sys.setprofile(lambda frame, event, _: called.append((frame.f_code.co_name, event)))
        next(iterator)
        sys.setprofile(None)
        print([name for name, event in called if event == "call"])
    """
    with run(code) as process:
        stdout, stderr = process.communicate(timeout=60)
    assert (stdout, stderr) == ("[]\n", "")


class AlarmError(Exception):
    """A signal came."""


def take_all(batches, iterator):
    # Without an instruction of Python in between, after which a signal might be heard as well.
    batches.extend(iterator)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("end", [b"", b"1\n"])
def test_a_signal_that_raises_loses_nothing(write, threads, end):
    def ring(_, frame):
        if frame.f_code is take_all.__code__:
            raise AlarmError

    ds = csvfeed.CsvDataset(write(numbers(100_000) + end), batch_size=700, threads=threads)
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    interrupted = 0
    try:
        for _ in range(50):
            iterator, batches = iter(ds), []
            while True:
                try:
                    take_all(batches, iterator)
                except AlarmError:  # noqa: PERF203 - it is to go on
                    interrupted += 1
                except csvfeed.RowLengthError:
                    assert end
                    break
                else:
                    assert not end
                    break
            rows = 100_000 if not end else 100_000 // 700 * 700
            assert rows_of(batches) == list(range(rows))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted


@pytest.mark.parametrize("ending", ["", "sys.exit(0)", "raise SystemExit", "del csvfeed"])
def test_a_process_may_end_in_the_middle_of_reading(long_file, ending):
    code = f"""
        import sys, csvfeed
        iterators = [iter(csvfeed.CsvDataset(sys.argv[1], memory=1 << 16)) for _ in range(3)]
        generator = csvfeed.generate_arrays_from_file(sys.argv[1], 10)
        batches = [next(iterator) for iterator in [*iterators, generator]]
        {ending}
    """
    with run(code, long_file) as process:
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (0, "")


def test_daemon_threads_may_read_when_the_process_ends(long_file):
    code = """
        import sys, threading, csvfeed
        ds = csvfeed.CsvDataset(sys.argv[1], memory=1 << 16)
        started = threading.Barrier(4)
        def read():
            iterator = iter(ds)
            next(iterator)
            started.wait()
            while True:
                for _ in iterator:
                    pass
                iterator = iter(ds)
        for _ in range(3):
            threading.Thread(target=read, daemon=True).start()
        started.wait()
    """
    with run(code, long_file) as process:
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (0, "")


@pytest.mark.parametrize(
    "work",
    [
        "sum(len(X) for X, y in csvfeed.CsvDataset(sys.argv[1]))",
        "sum(len(X) for X, y in ds)",
        "next(csvfeed.generate_arrays_from_file(sys.argv[1], 7))",
        "ds.num_rows",
        "globals().pop('iterator')",
        "globals().pop('generator')",
    ],
)
def test_a_forked_process_may_read_and_drop_what_it_was_born_with(long_file, work):
    code = f"""
        import os, sys, csvfeed
        ds = csvfeed.CsvDataset(sys.argv[1], batch_size=1000, memory=1 << 16)
        generator = csvfeed.generate_arrays_from_file(sys.argv[1], 10)
        iterator = iter(ds)
        next(iterator), next(generator)
        child = os.fork()
        if child == 0:
            {work}
            os._exit(7)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 7
        assert sum(len(X) for X, y in iterator) == 999_000
    """
    quiet = "import signal, warnings; signal.alarm(60); warnings.simplefilter('ignore')\n"
    with run(quiet + textwrap.dedent(code), long_file) as process:
        _, stderr = process.communicate(timeout=120)
    assert (process.returncode, stderr) == (0, "")


# Memory


def test_a_pass_takes_little_memory_whatever_the_file(write):
    path = write(b"x,y\n" + b"123456,123456\n" * 8_000_000)
    code = r"""
        import re, sys, csvfeed
        # Of this process alone: ru_maxrss begins with that of its parent.
        status = lambda: open("/proc/self/status").read()
        peak = lambda: int(re.search(r"VmHWM:\s+(\d+)", status())[1]) // 1024
        ds = csvfeed.CsvDataset(sys.argv[1], batch_size=250, threads=2)
        before = peak()
        rows = sum(len(X) for X, y in ds)
        print(rows, ds.num_rows, len(ds), peak() - before)
    """
    with run(code, path) as process:
        stdout, stderr = process.communicate(timeout=120)
    Path(path).unlink()
    assert stderr == ""
    rows, num_rows, batches, mebibytes = map(int, stdout.split())
    assert (rows, num_rows, batches) == (8_000_000, 8_000_000, 32_000)
    assert mebibytes < 64


def test_the_same_batches_come_in_any_order_of_consumers():
    ds = csvfeed.CsvDataset(numbers(1000), batch_size=10, memory=SMALL)
    found = Counter(rows_of(batch for _ in range(4) for batch in ds))
    assert found == Counter(dict.fromkeys(range(1000), 4))
