"""``shuffle``: a new order each epoch, which depends on seed and epoch alone."""

import gc
import itertools
import os
import pickle
import random
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered import MIXED, NUMBERED, joined, numbered, numbers_of
from processes import python

import csvfeed

ROWS = 3000
DATA = numbered(ROWS)


def shuffled(source=DATA, seed=1, **options):
    return csvfeed.CsvDataset(source, **NUMBERED, **options).shuffle(seed=seed)


@pytest.mark.parametrize("memory", [None, MIXED, 1 << 16, 1])
def test_each_epoch_has_all_rows_in_a_new_order(memory):
    ds = shuffled(memory=memory, batch_size=7)
    epochs = [numbers_of(ds) for _ in range(4)]
    assert all(sorted(epoch) == list(range(ROWS)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in [list(range(ROWS)), *epochs]}) == 5
    other = numbers_of(shuffled(seed=2, memory=memory))
    assert sorted(other) == list(range(ROWS))
    assert other not in epochs


@pytest.mark.parametrize("memory", [None, MIXED, 100_000])
def test_an_order_does_not_depend_on_threads_batches_or_what_was_read_before(memory):
    ds = shuffled(memory=memory, threads=1)
    epochs = [numbers_of(ds) for _ in range(3)]
    for threads, batch_size in [(2, 1), (3, 100), (9, 5000)]:
        twin = shuffled(memory=memory, threads=threads, batch_size=batch_size)
        assert [numbers_of(twin) for _ in range(3)] == epochs
    copy = pickle.loads(pickle.dumps(ds))
    assert numbers_of(copy) == epochs[0]


@pytest.mark.parametrize("memory", [MIXED, None])
@pytest.mark.parametrize("threads", [1, 4, 13])
def test_an_order_is_the_same_in_another_process(write, memory, threads):
    code = """
        import sys, csvfeed
        path, memory, threads = sys.argv[1], eval(sys.argv[2]), int(sys.argv[3])
        ds = csvfeed.CsvDataset(
            path, features=["x"], target="y", memory=memory, threads=threads
        ).shuffle(seed=3)
        for _ in range(2):
            print(*[int(n) for X, y in ds for n in y])
    """
    found = python(code, write(DATA), memory, threads).splitlines()
    ds = shuffled(memory=memory, seed=3, threads=2)
    assert [[*map(int, line.split())] for line in found] == [numbers_of(ds), numbers_of(ds)]


def test_an_order_is_the_same_for_the_same_rows_in_another_file(write):
    paths = [write(DATA, name) for name in ("a.csv", "b.csv")]
    orders = [numbers_of(shuffled(source, memory=MIXED)) for source in (*paths, DATA)]
    assert orders[0] == orders[1] == orders[2]


def test_an_order_is_the_same_in_every_version():
    # A training that is resumed after an update goes on where it was.
    ds = shuffled(numbered(20), seed=0)
    assert numbers_of(ds) == [18, 8, 12, 0, 14, 3, 15, 13, 7, 11, 4, 10, 16, 2, 6, 1, 5, 17, 9, 19]


@pytest.mark.parametrize("rows", [3, 4])
def test_each_order_of_few_rows_is_as_likely_as_any_other(rows):
    data = numbered(rows)
    orders = list(itertools.permutations(range(rows)))
    tries = 60 * len(orders)
    per_seed = tries // 6
    by_epoch = Counter(
        tuple(epoch)
        for seed in range(6)
        for ds in [shuffled(data, seed, threads=1)]
        for epoch in (numbers_of(ds) for _ in range(per_seed))
    )
    by_seed = Counter(tuple(numbers_of(shuffled(data, seed, threads=1))) for seed in range(tries))
    for counts in (by_epoch, by_seed):
        square = sum((counts[order] - 60) ** 2 / 60 for order in orders)
        freedom = len(orders) - 1
        assert abs(square - freedom) < 4 * (2 * freedom) ** 0.5, counts


def test_places_before_and_after_have_nothing_to_do_with_each_other():
    for ds in (shuffled(), shuffled(memory=100_000)):
        order = np.array(numbers_of(ds))
        # Its standard deviation is 0.018 for independent places.
        assert abs(np.corrcoef(order, np.arange(ROWS))[0, 1]) < 0.08
        assert np.count_nonzero(np.diff(order) == 1) < 10


def test_rows_of_a_window_come_from_all_over_the_file():
    rows = 30_000
    order = np.array(numbers_of(shuffled(numbered(rows), memory=1 << 17)))
    # Windows of some thousands of rows, of slices of 60 rows in a release build.
    first = order[:2000]
    counts = np.histogram(first, bins=6, range=(0, rows))[0]
    assert counts.min() > 100
    assert np.count_nonzero(np.diff(order) == 1) < 600


def test_a_seed_that_is_not_given_is_drawn_from_random():
    ds = csvfeed.CsvDataset(DATA, **NUMBERED)
    random.seed(7)
    first = [numbers_of(ds.shuffle()) for _ in range(2)]
    random.seed(7)
    assert [numbers_of(ds.shuffle()) for _ in range(2)] == first
    assert first[0] != first[1]
    drawn = ds.shuffle()
    copy = pickle.loads(pickle.dumps(drawn))
    assert repr(copy) == repr(drawn)
    assert numbers_of(copy) == numbers_of(drawn)


def test_a_second_shuffle_takes_the_place_of_the_first():
    ds = shuffled(seed=5)
    assert numbers_of(ds.shuffle(seed=1)) == numbers_of(shuffled())


def test_the_dataset_that_was_shuffled_stays_as_it_was():
    ds = csvfeed.CsvDataset(DATA, **NUMBERED)
    other = ds.shuffle(seed=0)
    assert numbers_of(ds) == list(range(ROWS))
    assert numbers_of(other) != list(range(ROWS))
    assert numbers_of(ds) == list(range(ROWS))
    assert (len(other), other.num_rows) == (len(ds), ds.num_rows)


@pytest.mark.parametrize("seed", [-1, 2**63, True])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="seed is a whole number"):
        csvfeed.CsvDataset(DATA).shuffle(seed=seed)
    with pytest.raises(TypeError, match="seed is a whole number"):
        csvfeed.CsvDataset(DATA).shuffle(seed=0.5)


@pytest.mark.parametrize("memory", [None, MIXED])
@pytest.mark.parametrize("remainder", ["keep", "drop", "pad"])
def test_batches_have_the_sizes_that_they_have_in_file_order(memory, remainder):
    options = {"batch_size": 64, "remainder": remainder, "memory": memory}
    plain = csvfeed.CsvDataset(DATA, **NUMBERED, **options)
    sizes = [[part.shape for part in batch] for batch in plain]
    ds = plain.shuffle(seed=0)
    for _ in range(3):
        batches = list(ds)
        assert [[part.shape for part in batch] for batch in batches] == sizes
        assert len(batches) == len(ds)
        found = numbers_of(batches)
        assert len(set(found)) == len(found) == (ROWS // 64 * 64 if remainder == "drop" else ROWS)


@pytest.mark.parametrize("memory", [None, MIXED])
def test_rows_left_out_are_left_out_of_every_epoch(memory):
    lines = DATA.decode().splitlines()
    for at in range(1, len(lines), 3):
        lines[at] = lines[at].rsplit(",", 1)[0] + ","
    kept = [n for n in range(ROWS) if n % 3]
    ds = shuffled("\n".join(lines).encode(), missing_target="skip", memory=memory)
    assert ds.num_rows == len(kept)
    for _ in range(3):
        assert sorted(numbers_of(ds)) == kept


def test_weights_and_several_targets_stay_with_their_rows():
    text = b"a,b,c,d,w\n" + b"".join(b"%d,%d,%d,%d,%d\n" % ((n,) * 5) for n in range(500))
    options = {"features": ["b", "a"], "target": ["d", "c"], "weight": "w", "memory": 4000}
    ds = csvfeed.CsvDataset(text, **options).shuffle(seed=0)
    for X, y, w in ds:
        assert (w == X.T).all()
        assert (w == y.T).all()
    (X,) = zip(*csvfeed.CsvDataset(text, target=None, memory=4000).shuffle(seed=0), strict=True)
    assert sorted(np.concatenate(X)[:, 2].tolist()) == list(range(500))


# Iterators


@pytest.mark.parametrize("memory", [None, MIXED])
@pytest.mark.parametrize("taken", [0, 1, 50, 93, 94])
def test_an_epoch_that_is_broken_off_does_not_change_the_next(memory, taken):
    ds = shuffled(memory=memory)
    epochs = [numbers_of(ds) for _ in range(3)]
    ds = shuffled(memory=memory)
    assert numbers_of(islice(ds, taken)) == epochs[0][: taken * 32]
    assert numbers_of(ds) == epochs[1]
    assert numbers_of(islice(ds, taken)) == epochs[2][: taken * 32]


@pytest.mark.parametrize("memory", [None, MIXED])
def test_each_iterator_has_an_epoch_of_its_own(memory):
    ds = shuffled(memory=memory)
    epochs = [numbers_of(ds) for _ in range(6)]
    ds = shuffled(memory=memory)
    assert numbers_of(ds) == epochs[0]
    found = [[], []]
    for batches in zip(*[iter(ds), iter(ds)], strict=True):
        for rows, batch in zip(found, batches, strict=True):
            rows += numbers_of([batch])
    assert found == epochs[1:3]
    # Ended in another order than begun.
    third, fourth = iter(ds), iter(ds)
    assert numbers_of(fourth) == epochs[4]
    assert numbers_of(third) == epochs[3]
    assert numbers_of(ds) == epochs[5]


@pytest.mark.parametrize("memory", [None, MIXED])
def test_threads_may_iterate_at_once(memory):
    ds = shuffled(memory=memory)
    epochs = [numbers_of(ds) for _ in range(12)]
    ds = shuffled(memory=memory, threads=3)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: numbers_of(ds), range(12)))
    assert sorted(found) == sorted(epochs)


@settings(max_examples=examples(60))
@given(
    rows=st.sampled_from([1, 2, 3, 50, 700]),
    memory=st.sampled_from([None, 1, 100, 2000, MIXED, 1 << 20]),
    threads=st.sampled_from([1, 2, 5, 200, 2**40]),
    batch_size=st.sampled_from([1, 3, 64, 2000]),
    taken=st.lists(st.integers(0, 800), max_size=4),
)
def test_any_memory_and_any_threads_will_do(rows, memory, threads, batch_size, taken):
    data = numbered(rows)
    options = {"memory": memory, "batch_size": batch_size}
    ds = shuffled(data, threads=threads, **options)
    for taking in taken:
        for _ in islice(ds, taking):
            pass
    ds.epochs.position.move(0, 0)
    expected = shuffled(data, threads=1, **options)
    for _ in range(2):
        found = numbers_of(ds)
        assert found == numbers_of(expected)
        assert sorted(found) == list(range(rows))


def test_rows_longer_than_a_window_are_shuffled_too():
    lines = [f"{n},k,{'long' * 3000},{n}\n" for n in range(60)]
    data = ("x,key,text,y\n" + "".join(lines)).encode()
    for memory in (1, 1000, 20_000):
        assert sorted(numbers_of(shuffled(data, memory=memory))) == list(range(60))


def test_quoted_line_ends_do_not_part_rows():
    rows = [f'{n},k,"a\n""b"",{n}\n",{n}\n' for n in range(2000)]
    data = ("x,key,text,y\n" + "".join(rows)).encode()
    ds = shuffled(data, memory=4000)
    assert [sorted(numbers_of(ds)) for _ in range(2)] == [list(range(2000))] * 2


def test_batches_outlive_the_epochs_they_come_from():
    ds = shuffled(memory=MIXED, batch_size=100)
    kept = [list(ds) for _ in range(3)]
    copies = [numbers_of(batches) for batches in kept]
    for _ in range(3):
        for X, y in ds:
            X[:] = -1
            y[:] = -1
    assert [numbers_of(batches) for batches in kept] == copies


@pytest.mark.parametrize("memory", [None, MIXED])
def test_writing_into_batches_changes_no_later_epoch(memory):
    ds = shuffled(memory=memory)
    expected = [numbers_of(ds) for _ in range(3)]
    ds = shuffled(memory=memory)
    for epoch in expected:
        found = []
        for X, y in ds:
            found += y.astype(int).tolist()
            X[:] = y[:] = -1
        assert found == epoch


# What is wrong


@pytest.mark.parametrize("memory", [None, MIXED])
@pytest.mark.parametrize("wrong", [b"oops", b"1,2", b'"a"b'])
def test_an_error_comes_in_place_of_the_window_that_would_hold_it(memory, wrong):
    lines = DATA.splitlines(keepends=True)
    lines[1234] = lines[1234].replace(b"1233,", wrong + b",", 1)
    data = b"".join(lines)
    for _ in range(3):
        found = []
        ds = shuffled(data, memory=memory, threads=3)
        with pytest.raises(csvfeed.CsvError) as caught:
            found.extend(numbers_of([batch]) for batch in ds)
        found = joined(found)
        error = caught.value
        assert (error.line, error.byte_offset) == (1235, len(b"".join(lines[:1234])))
        assert len(set(found)) == len(found)
        assert 1233 not in found
        # The next epoch fails as well, and does not hang.
        with pytest.raises(type(error)):
            list(ds)


def test_a_file_that_changes_between_epochs_is_an_error(write):
    path = write(DATA)
    for memory in (None, MIXED):
        ds = shuffled(path, memory=memory)
        assert len(numbers_of(ds)) == ROWS
        write(DATA + b"1,k,t,1\n")
        with pytest.raises(csvfeed.SourceChangedError, match=r"table\.csv"):
            iter(ds)
        write(DATA)
        with pytest.raises(csvfeed.SourceChangedError):
            iter(ds)


def test_a_file_that_changes_while_it_is_shuffled_is_an_error(write):
    path = write(numbered(20_000))
    ds = shuffled(path, memory=MIXED, threads=1)
    iterator = iter(ds)
    next(iterator)
    with open(path, "r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(b"1,k,t,1\n")
    with pytest.raises(csvfeed.SourceChangedError):
        list(iterator)


def test_no_rows_are_an_error_and_not_an_endless_loop():
    ds = shuffled(b"x,y\n1,\n2,\n", missing_target="skip")
    assert (len(ds), ds.num_rows) == (0, 0)
    with pytest.raises(csvfeed.CsvError, match="no row is left"):
        next(iter(ds))


# Threads, processes and memory


@pytest.mark.parametrize("memory", [None, MIXED])
def test_the_threads_end_with_the_dataset(memory, reading_threads):
    ds = shuffled(memory=memory, threads=2)
    iterator = iter(ds)
    next(iterator)
    reading_threads(2)
    del iterator
    reading_threads(0)
    numbers_of(ds)
    # They have begun with the next epoch.
    reading_threads(2)
    numbers_of(ds)
    reading_threads(2)
    del ds
    gc.collect()
    reading_threads(0)


@pytest.mark.parametrize("when", ["within an epoch", "between epochs"])
def test_a_forked_process_may_shuffle_what_it_was_born_with(write, when):
    code = f"""
        import os, signal, sys, warnings, csvfeed
        signal.alarm(100)
        warnings.simplefilter("ignore")  # Python 3.12 and newer warn of any fork with threads.
        make = lambda: csvfeed.CsvDataset(
            sys.argv[1], features=["x"], target="y", memory={MIXED}
        ).shuffle(seed=1)
        rows = lambda batches: [int(n) for X, y in batches for n in y]
        ds = make()
        epochs = [rows(ds) for _ in range(3)]
        ds = make()
        iterator = iter(ds)
        first = [next(iterator)]
        if {when!r} == "between epochs":
            first += iterator
        child = os.fork()
        if child == 0:
            assert rows(ds) == epochs[1]
            assert rows(ds) == epochs[2]
            del iterator, ds
            os._exit(7)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 7
        assert rows(first) + rows(iterator) == epochs[0]
        assert rows(ds) == epochs[1]
    """
    python(code, write(DATA))


def test_a_process_may_end_while_it_shuffles(write):
    code = f"""
        import sys, csvfeed
        ds = csvfeed.CsvDataset(sys.argv[1], features=["x"], target="y", memory={MIXED})
        ds = ds.shuffle(seed=1)
        for _ in ds: pass
        iterator = iter(ds)
        next(iterator)
    """
    python(code, write(DATA))


def test_ctrl_c_ends_a_process_that_shuffles(write):
    code = textwrap.dedent("""
        import sys, csvfeed
        ds = csvfeed.CsvDataset(sys.argv[1], features=["x"], target="y", memory=1 << 16)
        ds = ds.shuffle(seed=1)
        ds.num_rows
        print("ready", flush=True)
        while True:
            for X, y in ds:
                pass
    """)
    path = write(numbered(50_000))
    command = [sys.executable, "-W", "ignore", "-c", code, path]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT, stderr
    assert "panicked" not in stderr


@pytest.mark.skipif(csvfeed._core.SMALL_BUFFERS, reason="slices of some bytes, too many of them")
def test_memory_is_bounded_whatever_the_file(write):
    # Two columns: the values alone take 40 MB, and the text 20 times the memory allowed.
    rows = 5_000_000
    path = write(b"x,y\n" + b"1234567,12345678\n" * rows)
    code = r"""
        import re, sys, csvfeed
        # Of this process alone: ru_maxrss begins with that of its parent.
        status = lambda: open("/proc/self/status").read()
        peak = lambda: int(re.search(r"VmHWM:\s+(\d+)", status())[1]) // 1024
        ds = csvfeed.CsvDataset(sys.argv[1], batch_size=1000, threads=2, memory=4 << 20)
        ds = ds.shuffle(seed=1)
        ds.num_rows
        before = peak()
        for _ in range(2):
            assert sum(len(X) for X, y in ds) == ds.num_rows
        print(ds.num_rows, peak() - before)
    """
    counted, mebibytes = map(int, python(code, path, timeout=300).split())
    Path(path).unlink()
    assert counted == rows
    assert mebibytes < 12
