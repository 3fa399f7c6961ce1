"""Processes that get too few threads, open files, bytes of memory or bytes of disk."""

import os
import subprocess
import sys
import textwrap

import pytest

ROWS = 2000
FILES = 60

BEGIN = """
    import glob, os, resource, sys, threading, warnings, csvfeed

    many = sorted(glob.glob("*.csv"))
    one = many[0]

    def rows(ds):
        return sum(len(X) for X, _ in ds)

    def limit(what, most):
        resource.setrlimit(what, (most, most))

    def kind(read):
        try:
            return read()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
"""


@pytest.fixture
def run(tmp_path):
    """Run Python in a directory of files; return the lines that it prints."""
    import gzip

    for number in range(FILES):
        rows = "".join(f"{number},{row}\n" for row in range(ROWS))
        (tmp_path / f"{number:02}.csv").write_text("x,y\n" + rows)
    (tmp_path / "0.gz").write_bytes(gzip.compress((tmp_path / "00.csv").read_bytes(), 1))

    def run(code):
        process = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(BEGIN + code)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert process.returncode == 0, process.stderr
        assert process.stderr == ""
        return process.stdout.splitlines()

    return run


def test_without_threads_the_consumer_reads_alone(run):
    # A stack that no process can have, since a limit of processes does not bind root.
    code = """
    options = {"threads": 8, "memory": 1 << 20}
    kept = csvfeed.CsvDataset(one, **options)
    os.environ["RUST_MIN_STACK"] = str(1 << 46)
    print(rows(kept), kept.num_rows, rows(kept.shuffle(seed=1)))
    print(rows(csvfeed.CsvDataset(many, **options)), csvfeed.CsvDataset(many, **options).num_rows)
    print(rows(csvfeed.CsvDataset(many, **options).shuffle(seed=1)))
    print(csvfeed.CsvDataset(many, **options).stats()["y"].count)
    print(kind(lambda: rows(csvfeed.CsvDataset("0.gz", **options))))
    print(kind(lambda: rows(csvfeed.CsvDataset("0.gz", **options).shuffle(seed=1))))
    """
    *numbers, stream, spool = run(code)
    every = str(ROWS * FILES)
    assert numbers == [f"{ROWS} {ROWS} {ROWS}", f"{every} {every}", every, every]
    assert stream.startswith("RuntimeError: no thread can be started")
    assert spool.startswith("RuntimeError: no thread can be started")


@pytest.mark.skipif(not hasattr(os, "setuid") or os.getuid() != 0, reason="needs another user")
def test_a_user_without_a_process_to_spare_reads_alone(run, tmp_path):
    for directory in [tmp_path, *tmp_path.parents]:
        if not directory.stat().st_mode & 1:
            pytest.skip("others may not enter the directory of the test")
    code = """
    import _thread
    csvfeed.CsvDataset(many, threads=4).num_rows
    limit(resource.RLIMIT_NPROC, 0)
    os.setgid(65534)
    os.setuid(65534)
    print(kind(lambda: _thread.start_new_thread(int, ())))
    print(rows(csvfeed.CsvDataset(many, threads=8)), rows(csvfeed.CsvDataset(one, threads=8)))
    print(kind(lambda: rows(csvfeed.CsvDataset(open(one, "rb")))))
    """
    python, both, file = run(code)
    assert python == "RuntimeError: can't start new thread"
    assert both == f"{ROWS * FILES} {ROWS}"
    assert file.startswith("RuntimeError: no thread can be started")


def test_more_files_than_may_be_open_are_read_with_few(run):
    code = """
    limit(resource.RLIMIT_NOFILE, 20)
    for threads in (1, 4):
        ds = csvfeed.CsvDataset(many, threads=threads, memory=1 << 16)
        print(rows(ds), ds.num_rows, rows(ds.shuffle(seed=1)))
    iterators = [iter(ds.shuffle(seed=seed)) for seed in range(3)]
    for iterator in iterators:
        next(iterator)
    open(one).close()
    print(sum(map(rows, iterators)))
    held = []
    while len(os.listdir("/proc/self/fd")) < 19:
        held.append(open(one))
    print(rows(ds))
    """
    every = ROWS * FILES
    *lines, three, last = run(code)
    assert lines == [f"{every} {every} {every}"] * 2
    assert int(three) == 3 * every - 3 * 32
    assert int(last) == every


def test_memory_that_is_not_there_is_a_memory_error(run):
    code = """
    with open("wide.txt", "w") as file:
        file.write(",".join(f"c{n}" for n in range(100)) + "\\n")
        file.writelines([",".join("1" * 100) + "\\n"] * 300_000)
    # Python without the GIL takes a gigabyte of addresses for itself.
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    limit(resource.RLIMIT_AS, (int(status["VmSize"].split()[0]) << 10) + (100 << 20))
    options = {"threads": 2, "batch_size": 100}
    large = csvfeed.CsvDataset("wide.txt", memory=1 << 30, **options)
    print(kind(lambda: rows(large.shuffle(seed=1))))
    print(kind(lambda: rows(csvfeed.CsvDataset("wide.txt", threads=2, batch_size=300_000))))
    small = csvfeed.CsvDataset("wide.txt", memory=1 << 24, **options)
    print(rows(small), rows(small.shuffle(seed=1)))
    """
    shuffle, batch, small = run(code)
    assert shuffle.startswith("MemoryError: ")
    assert "memory=" in shuffle
    assert batch.startswith("MemoryError: a batch of 300000 rows")
    assert small == "300000 300000"


def test_a_disk_that_is_full_ends_a_spool_and_no_epoch_of_a_cache(run):
    # Python ignores the signal that goes with this limit.
    code = """
    limit(resource.RLIMIT_FSIZE, 5000)
    ds = csvfeed.CsvDataset(one).cache("cache")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        print(rows(ds), rows(ds), [str(one.message)[:30] for one in caught])
    print(os.listdir("cache"))
    print(kind(lambda: rows(csvfeed.CsvDataset("0.gz").shuffle(seed=1))))
    print(rows(csvfeed.CsvDataset("0.gz")))
    """
    cached, left, spool, plain = run(code)
    assert cached == f"{ROWS} {ROWS} ['the cache could not be written']"
    assert left == "[]"
    assert spool.startswith("OSError: [Errno 27]")
    assert "TMPDIR=" in spool
    assert plain == str(ROWS)
