"""Forked processes, file objects that do not come back, and the end of the interpreter."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
from contextlib import contextmanager

import pytest
from conftest import wait_until

import csvfeed

ROUNDS = int(os.environ.get("CSVFEED_TEST_ROUNDS", "1"))
"""How often each process is started; 40 shows what a single round may miss."""

ROWS = 60_000
LIMIT = 120

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def table():
    return b"x,y\n" + b"".join(b"%06d,1\n" % row for row in range(ROWS))


@contextmanager
def started(code, *arguments):
    """Start Python with the signals of a terminal, and end it with this block."""
    restore = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", restore + textwrap.dedent(code)]
        + [str(argument) for argument in arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def run(code, *arguments):
    """Return what Python prints, which must end by itself and well."""
    with started(code, *arguments) as process:
        stdout, stderr = process.communicate(timeout=LIMIT)
        assert process.returncode == 0, stderr
        return stdout, stderr


# What a child begins with

FORK = """
    import os, sys, csvfeed

    def in_child(work):
        child = os.fork()
        if child == 0:
            try:
                code = 0 if work() else 1
            except BaseException as error:
                print(repr(error), file=sys.stderr)
                code = 2
            os._exit(code)
        return child

    def join(child):
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    def refuses(read, what):
        try:
            read()
        except csvfeed.CsvError as error:
            return what in str(error)
        return False
"""


def test_a_file_object_is_refused_in_a_child_and_the_parent_reads_on(write):
    code = (
        FORK
        + """
    for _ in range(int(sys.argv[2])):
        with open(sys.argv[1], "rb") as file:
            ds = csvfeed.CsvDataset(file, batch_size=100, memory=1 << 17, threads=2)
            iterator = iter(ds)
            total = float(next(iterator)[1].sum())
            def work():
                passes = [
                    lambda: next(iter(ds)), lambda: ds.num_rows, lambda: ds.stats(),
                    lambda: next(iter(ds.shuffle(seed=1))), lambda: list(ds.split(0.5)[0]),
                ]
                return all(refuses(read, "path") for read in passes) and refuses(
                    lambda: next(iterator), "forked"
                )
            child = in_child(work)
            total += sum(float(y.sum()) for _, y in iterator)
            join(child)
            print(total)
    """
    )
    stdout, stderr = run(code, write(table()), ROUNDS)
    assert (stdout.split(), stderr) == ([f"{ROWS:.1f}"] * ROUNDS, "")


def test_a_dataset_of_a_path_is_read_in_a_child_whatever_other_threads_do(write, tmp_path):
    code = (
        FORK
        + """
    import signal, threading
    path, cache, rounds = sys.argv[1:]
    ds = csvfeed.CsvDataset(path, batch_size=100, memory=1 << 15, threads=2)
    cached = ds.cache(cache)
    kept = iter(ds)
    shared = [iter(ds)]
    next(kept)
    stopped = threading.Event()

    def again(read):
        while not stopped.is_set():
            read()

    def count(rows):
        return sum(len(X) for X, _ in rows)

    def share():
        for _ in shared[0]:
            pass
        shared[0] = iter(ds)

    works = [
        lambda: csvfeed.CsvDataset(path, memory=1 << 15, header=True).num_rows,
        lambda: count(ds), lambda: count(cached), lambda: count(ds.shuffle(seed=1)),
        share, share,
    ]
    threads = [threading.Thread(target=again, args=[work]) for work in works]
    for thread in threads:
        thread.start()

    def work():
        signal.alarm(100)
        every = [*map(count, (ds, cached, ds.shuffle(seed=2), *ds.split(0.5))), ds.num_rows]
        return every == [60_000] * 3 + [30_000] * 2 + [60_000] and all(
            refuses(lambda: next(one), "forked") for one in (kept, shared[0])
        )

    try:
        for _ in range(int(rounds)):
            join(in_child(work))
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    print("done")
    """
    )
    stdout, stderr = run(code, write(table()), tmp_path / "cache", 2 * ROUNDS)
    assert (stdout, stderr) == ("done\n", "")


def rows_of(ds):
    return sum(len(X) for X, _ in ds)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_the_processes_of_multiprocessing_read_a_dataset(write, method):
    ds = csvfeed.CsvDataset(write(table()), memory=1 << 16)
    iterator = iter(ds)
    next(iterator)
    shards = [ds.shard(index, 2) for index in range(2)]
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.map_async(rows_of, [*shards, ds, ds.shuffle(seed=1)]).get(timeout=LIMIT)
    assert found == [*map(rows_of, shards), ROWS, ROWS]


# File objects that do not come back

STUCK = """
    import io, sys, threading, time, csvfeed

    class Stuck(io.BytesIO):
        reads = 0
        def read(self, *arguments):
            self.reads += 1
            if self.reads > 6:
                print("stuck", flush=True)
                threading.Event().wait()
            return super().read(*arguments)

    ds = csvfeed.CsvDataset(
        Stuck(b"x,y\\n" + b"1,1\\n" * 200_000), batch_size=100, memory=1 << 15, threads=2
    )
    iterator = iter({order})
"""


@pytest.mark.parametrize("order", ["ds", "ds.shuffle(seed=1)", "ds.split(0.5)[0]"])
def test_ctrl_c_is_obeyed_while_a_file_object_does_not_come_back(order):
    code = (
        STUCK.replace("iter({order})", "None")
        + f"""
    try:
        for _ in {order}:
            pass
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    """
    )
    for _ in range(ROUNDS):
        with started(code) as process:
            assert process.stdout.readline() == "stuck\n"
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=LIMIT)
            assert (process.returncode, stdout, stderr) == (0, "interrupted\n", "")


def test_ctrl_c_is_obeyed_while_the_head_of_a_file_object_does_not_come_back():
    code = STUCK.replace("self.reads > 6", "self.reads > 1").replace("    iterator", "    #")
    with started(code) as process:
        assert process.stdout.readline() == "stuck\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=LIMIT)
        assert stderr.endswith("KeyboardInterrupt\n")


@pytest.mark.parametrize("ending", ["", "del iterator", "sys.exit(0)"])
def test_a_process_ends_though_a_file_object_does_not_come_back(ending):
    code = (
        STUCK.format(order="ds")
        + f"""
    next(iterator)
    {ending}
    """
    )
    for _ in range(ROUNDS):
        stdout, stderr = run(code)
        assert (stdout.strip(), stderr) in (("", ""), ("stuck", ""))


def test_a_file_object_that_was_given_up_is_read_again_once_it_comes_back():
    import io
    import threading

    class Waits(io.BytesIO):
        is_waiting = False
        goes_on = threading.Event()

        def read(self, *arguments):
            if self.tell() > 5_000:
                self.is_waiting = True
                assert self.goes_on.wait(LIMIT)
            return super().read(*arguments)

    file = Waits(table())
    ds = csvfeed.CsvDataset(file, batch_size=100, memory=1 << 15, threads=2)
    iterator = iter(ds)
    next(iterator)
    wait_until(lambda: file.is_waiting)
    del iterator
    file.goes_on.set()
    assert sum(float(y.sum()) for _, y in ds) == ROWS
    assert ds.num_rows == ROWS


# The end of the interpreter


def test_daemon_threads_may_read_a_file_object_when_the_process_ends():
    code = """
        import io, threading, csvfeed
        data = b"x,y\\n" + b"1,1\\n" * 20_000
        ds = csvfeed.CsvDataset(io.BytesIO(data), batch_size=100, memory=1 << 15, threads=2)
        started = threading.Barrier(4)
        def read():
            next(iter(ds))
            started.wait()
            while True:
                assert sum(float(y.sum()) for _, y in ds) == 20_000
        for _ in range(3):
            threading.Thread(target=read, daemon=True).start()
        started.wait()
    """
    for _ in range(ROUNDS):
        assert run(code) == ("", "")


LATE = """
    import atexit, io, sys
    kept = []
    def late():
        import csvfeed
        data = b"x,y\\n" + b"1,1\\n" * 20_000
        ds = csvfeed.CsvDataset({source}, batch_size=100, memory=1 << 15, threads=2)
        for _ in range(4):
            iterator = iter(ds)
            next(iterator)
            kept.append(iterator)
        print(sum(float(y.sum()) for _, y in ds))
"""


def test_what_is_called_at_exit_may_read_a_file_object_and_keep_its_iterators():
    code = (
        LATE.format(source="io.BytesIO(data)")
        + """
    import csvfeed
    atexit.register(late)
    """
    )
    for _ in range(ROUNDS):
        assert run(code) == ("20000.0\n", "")


def test_what_is_called_after_csvfeed_has_ended_reads_bytes_alone():
    code = (
        LATE
        + """
    atexit.register(late)
    import csvfeed
    """
    )
    for _ in range(ROUNDS):
        assert run(code.format(source="data")) == ("20000.0\n", "")
        _, stderr = run(code.format(source="io.BytesIO(data)"))
        assert stderr.count("RuntimeError: the interpreter ends") == 1
