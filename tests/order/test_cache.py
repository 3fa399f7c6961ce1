"""``cache``: parsed rows in a file, which serves as long as nothing that they depend on changes."""

import os
import pickle
import subprocess
import sys
import textwrap
import time
import warnings
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from conftest import bytes_read
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered import MIXED, NUMBERED, numbered, numbers_of
from processes import python

import csvfeed

ROWS = 2000
DATA = numbered(ROWS)
ALL = list(range(ROWS))


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def path(write):
    path = write(DATA)
    # A file that was just written is compared once with what was read of it.
    time.sleep(0.02)
    return path


def dataset(path, directory, **options):
    return csvfeed.CsvDataset(path, **{**NUMBERED, **options}).cache(directory)


def files(directory):
    return sorted(Path(directory).iterdir()) if Path(directory).exists() else []


@contextmanager
def reading_less_than(share):
    """Fail if more is read than this share of the source, which is long beside its cache."""
    before = bytes_read()
    yield
    assert bytes_read() - before < share * len(DATA)


@pytest.mark.parametrize("memory", [None, MIXED])
def test_later_epochs_and_later_runs_read_the_cache(path, directory, memory):
    ds = dataset(path, directory, memory=memory)
    assert numbers_of(ds) == ALL
    assert len(files(directory)) == 1
    with reading_less_than(0.5):
        assert numbers_of(ds) == ALL
    later = dataset(path, directory, memory=memory)
    with reading_less_than(0.5):
        assert (later.num_rows, len(later)) == (ROWS, 63)
        assert numbers_of(later) == ALL
    code = """
        import sys, csvfeed
        ds = csvfeed.CsvDataset(sys.argv[1], features=["x"], target="y", memory=eval(sys.argv[3]))
        print(*[int(n) for X, y in ds.cache(sys.argv[2]) for n in y])
    """
    assert [*map(int, python(code, path, directory, memory).split())] == ALL
    assert len(files(directory)) == 1


@pytest.mark.parametrize("memory", [None, MIXED])
def test_a_shuffled_first_epoch_writes_the_cache_too(path, directory, memory):
    expected = csvfeed.CsvDataset(path, **NUMBERED, memory=memory).shuffle(seed=3)
    expected = [numbers_of(expected) for _ in range(3)]
    ds = dataset(path, directory, memory=memory).shuffle(seed=3)
    assert numbers_of(ds) == expected[0]
    assert len(files(directory)) == 1
    with reading_less_than(1):
        assert [numbers_of(ds) for _ in range(2)] == expected[1:]
    later = dataset(path, directory, memory=memory)
    with reading_less_than(0.5):
        assert numbers_of(later.shuffle(seed=3)) == expected[0]
    # And without a shuffle, or with it before, it is the same file.
    with reading_less_than(0.5):
        assert numbers_of(later) == ALL
    before = csvfeed.CsvDataset(path, **NUMBERED, memory=memory).shuffle(seed=3).cache(directory)
    with reading_less_than(0.5):
        assert numbers_of(before) == expected[0]
    assert len(files(directory)) == 1


def test_an_epoch_that_is_resumed_within_writes_the_cache_when_it_is_shuffled(path, directory):
    ds = dataset(path, directory).shuffle(seed=1)
    ds.epochs.position.move(0, 10)
    first = numbers_of(ds)
    assert len(first) == ROWS - 320
    assert len(files(directory)) == 1
    plain = dataset(path, directory / "plain")
    plain.epochs.position.move(0, 10)
    assert numbers_of(plain) == ALL[320:]
    assert files(directory / "plain") == []
    assert numbers_of(plain) == ALL
    assert len(files(directory / "plain")) == 1


def test_an_epoch_that_is_broken_off_leaves_no_file(path, directory):
    for ds in (dataset(path, directory), dataset(path, directory, memory=MIXED).shuffle(seed=1)):
        iterator = iter(ds)
        next(iterator)
        del iterator
        assert numbers_of(islice(ds, 3)) != []
        assert all(file.suffix == ".csvfeed" for file in files(directory))
        assert sorted(numbers_of(ds)) == ALL
        assert [file.suffix for file in files(directory)] == [".csvfeed"]
        files(directory)[0].unlink()


def test_several_iterators_at_once_write_one_file(path, directory):
    ds = dataset(path, directory)
    for batches in zip(*[iter(ds) for _ in range(3)], strict=True):
        assert len({tuple(numbers_of([batch])) for batch in batches}) == 1
    assert len(files(directory)) == 1


OTHER = {
    "target": {"target": "x", "allow_target_as_feature": True},
    "features": {"features": ["y"], "allow_target_as_feature": True},
    "weight": {"weight": "x", "allow_target_as_feature": True},
    "header": {"header": ["x", "b", "c", "y"], "missing_target": "skip", "missing": ["x", "y"]},
    "missing": {"missing": ["5"], "missing_target": "skip"},
    "missing_target": {"missing_target": "keep"},
    "other missing": {"missing": ["6"], "missing_target": "skip"},
    "fill with a number": {"fill": 0},
    "fill with another number": {"fill": 1},
    "fill with the mean": {"fill": "mean"},
    "padding has weights": {"remainder": "pad"},
    "quote": {"quote": None},
}
SAME = {
    "batch_size": {"batch_size": 7},
    "threads": {"threads": 5},
    "remainder": {"remainder": "drop"},
}


def test_the_file_belongs_to_every_option_that_rows_depend_on(path, directory):
    def count(**options):
        for _ in dataset(path, directory, **options):
            pass
        return len(files(directory))

    assert count() == 1
    for options in SAME.values():
        assert count(**options) == 1, options
    for number, options in enumerate(OTHER.values(), 2):
        assert count(**options) == number, options
    for options in (*SAME.values(), *OTHER.values()):
        assert count(**options) == len(OTHER) + 1, options


def test_each_part_and_each_shard_has_a_file_of_its_own(path, directory):
    ds = dataset(path, directory)
    plain = csvfeed.CsvDataset(path, **NUMBERED)

    def derived(ds):
        shards = [ds.shard(index, 3) for index in range(3)]
        return [*ds.split(0.2), *ds.split(0.2, by="key"), *ds.split(0.2, seed=1), *shards]

    expected = [numbers_of(one) for one in derived(plain)]
    for number, one in enumerate(derived(ds), 1):
        numbers_of(one)
        assert len(files(directory)) == number
    with reading_less_than(len(expected) / 2):
        assert [numbers_of(one) for one in derived(ds)] == expected
    later = dataset(path, directory)
    with reading_less_than(len(expected) / 2):
        later = derived(later)
        assert [one.num_rows for one in later] == [len(rows) for rows in expected]
        assert [numbers_of(one) for one in later] == expected


def test_a_changed_source_gets_a_new_file(path, directory, write):
    ds = dataset(path, directory)
    numbers_of(ds)
    write(numbered(ROWS, start=ROWS))
    with pytest.raises(csvfeed.SourceChangedError):
        iter(ds)
    changed = dataset(path, directory)
    assert numbers_of(changed) == [n + ROWS for n in ALL]
    assert len(files(directory)) == 2


def test_bytes_are_cached_by_what_they_hold(directory):
    for data, count in ((DATA, 1), (bytearray(DATA), 1), (DATA.replace(b"7", b"8"), 2)):
        expected = numbers_of(csvfeed.CsvDataset(data, **NUMBERED))
        assert [numbers_of(dataset(data, directory)) for _ in range(2)] == [expected] * 2
        assert len(files(directory)) == count


def test_every_bit_of_every_part_is_kept(directory):
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, (700, 5), np.uint32)
    values = bits.view(np.float32)
    values[~np.isfinite(values)] = 0.0
    lines = [",".join(repr(float(value)) for value in row) for row in values]
    lines[5] = ",2,inf,-inf,-0.0"
    text = "a,b,c,d,e\n" + "\n".join(lines)
    options = {"features": ["c", "a"], "target": ["b", "e"], "weight": "d", "memory": MIXED}
    plain = list(csvfeed.CsvDataset(text.encode(), **options))
    for _ in range(2):
        cached = list(csvfeed.CsvDataset(text.encode(), **options).cache(directory))
        for batch, expected in zip(cached, plain, strict=True):
            for part, other in zip(batch, expected, strict=True):
                assert part.shape == other.shape
                assert part.tobytes() == other.tobytes()
    (X,) = next(iter(csvfeed.CsvDataset(text.encode(), target=None).cache(directory)))
    assert X.shape == (32, 5)


@pytest.mark.parametrize("remainder", ["keep", "drop", "pad"])
def test_remainders_are_what_they_are_without_a_cache(path, directory, remainder):
    plain = list(csvfeed.CsvDataset(path, **NUMBERED, remainder=remainder))
    for _ in range(2):
        cached = list(dataset(path, directory, remainder=remainder))
        for batch, expected in zip(cached, plain, strict=True):
            assert all(map(np.array_equal, batch, expected))


def test_means_are_kept_with_the_rows(write, directory):
    path = write("x,y\n" + "".join(f"{n if n % 3 else ''},{n}\n" for n in range(300)))
    ds = csvfeed.CsvDataset(path, fill="mean").cache(directory)
    rows = [X.tolist() for X, _ in ds]
    assert rows == [X.tolist() for X, _ in csvfeed.CsvDataset(path, fill="mean")]
    later = csvfeed.CsvDataset(path, fill="mean").cache(directory)
    assert [X.tolist() for X, _ in later] == rows
    assert later._source_stats.memory is None


def test_rows_without_a_target_stay_out(write, directory):
    path = write("x,y\n" + "".join(f"{n},{n if n % 3 else ''}\n" for n in range(600)))
    for _ in range(2):
        ds = csvfeed.CsvDataset(path, missing_target="skip", memory=MIXED).cache(directory)
        assert (numbers_of(ds), ds.num_rows) == ([n for n in range(600) if n % 3], 400)


def test_a_wrong_row_is_an_error_each_time_and_leaves_no_file(write, directory):
    path = write(DATA + b"oops,k,t,1\n")
    ds = dataset(path, directory)
    for _ in range(2):
        with pytest.raises(csvfeed.NumberError, match=f"line {ROWS + 2}"):
            numbers_of(ds)
    assert files(directory) == []


# Files that are not what they should be


def damages(size):
    """Return places from all regions of a file: each byte of its head, and some of the rest.

    Where blocks end is no matter of a cache, so small buffers take fewer.
    """
    head, step = (4, size // 20) if csvfeed._core.SMALL_BUFFERS else (1, size // 60)
    return [*range(0, 120, head), *range(120, size, max(1, step)), size - 1]


def test_a_bit_that_flips_anywhere_is_noticed(path, directory):
    numbers_of(dataset(path, directory))
    (file,) = files(directory)
    whole = file.read_bytes()
    for at in damages(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        file.write_bytes(damaged)
        for ds in (
            dataset(path, directory),
            dataset(path, directory, memory=MIXED).shuffle(seed=0),
        ):
            assert sorted(numbers_of(ds)) == ALL, at
        # It is whole again, unless the bit is between the parts and means nothing.
        file.unlink(missing_ok=True)


@pytest.mark.parametrize("size", [0, 1, 100, 0.3, 0.9, -1])
def test_a_file_that_was_cut_off_is_written_again(path, directory, size):
    numbers_of(dataset(path, directory))
    (file,) = files(directory)
    whole = file.read_bytes()
    length = int(size * len(whole)) if isinstance(size, float) else size % len(whole)
    file.write_bytes(whole[:length])
    assert numbers_of(dataset(path, directory)) == ALL
    assert file.read_bytes() == whole


def test_a_file_that_is_damaged_or_removed_while_it_is_read_does_no_harm(path, directory):
    ds = dataset(path, directory)
    numbers_of(ds)
    (file,) = files(directory)
    for damage in (lambda: os.truncate(file, 5000), file.unlink, lambda: file.write_bytes(b"")):
        iterator = iter(ds)
        found = numbers_of(islice(iterator, 3))
        damage()
        assert found + numbers_of(iterator) == ALL
        assert [numbers_of(ds), numbers_of(ds)] == [ALL, ALL]


@pytest.mark.parametrize(
    "foreign", [b"", b"csvfeed cache 1\n", b"csvfeed cache 1\n" + b"\xff" * 999]
)
def test_a_foreign_file_in_its_place_is_replaced(path, directory, foreign):
    numbers_of(dataset(path, directory))
    (file,) = files(directory)
    whole = file.read_bytes()
    file.write_bytes(foreign)
    assert numbers_of(dataset(path, directory)) == ALL
    assert file.read_bytes() == whole


def test_the_file_of_another_dataset_in_its_place_is_not_read(path, directory, write):
    other = write(numbered(ROWS, start=ROWS), "other.csv")
    numbers_of(dataset(path, directory))
    (file,) = files(directory)
    numbers_of(dataset(other, directory / "other"))
    (foreign,) = files(directory / "other")
    file.write_bytes(foreign.read_bytes())
    assert numbers_of(dataset(path, directory)) == ALL


# What hinders writing


def warned(ds):
    """Return what an epoch warns of, after a look at its rows."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for epoch in range(3):
            assert sorted(numbers_of(ds)) == ALL
            if epoch == 0:
                first = len(caught)
    assert len(caught) == first
    return [(warning.category, str(warning.message)) for warning in caught]


def check_warning(found, *texts):
    ((category, message),) = found
    assert category is RuntimeWarning
    assert message.startswith("the cache could not be written")
    for text in texts:
        assert text in message


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_directory_that_cannot_be_made_is_told_once_and_does_no_harm(path, tmp_path, shuffled):
    (tmp_path / "file").write_text("")
    for directory in (tmp_path / "file" / "cache", "/proc/csvfeed"):
        ds = dataset(path, directory)
        assert len(ds) == 63
        check_warning(warned(ds.shuffle(seed=1) if shuffled else ds), str(directory), "os error")


def test_a_directory_in_place_of_the_file_does_no_harm(path, directory):
    numbers_of(dataset(path, directory))
    (file,) = files(directory)
    file.unlink()
    file.mkdir()
    check_warning(warned(dataset(path, directory)), str(file))
    assert files(directory) == [file]


def test_a_warning_that_is_an_error_comes_after_the_last_batch(path, tmp_path):
    (tmp_path / "file").write_text("")
    iterator = iter(dataset(path, tmp_path / "file" / "cache"))
    found = numbers_of(islice(iterator, 63))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="could not be written"):
            next(iterator)
    assert found == ALL
    assert next(iterator, None) is None


@pytest.mark.parametrize("limit", [0, 1000, 9000])
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_file_that_may_not_grow_is_told_once_and_left_nowhere(path, directory, limit, shuffled):
    code = f"""
        import resource, sys, warnings, csvfeed
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
        ds = csvfeed.CsvDataset(sys.argv[1], features=["x"], target="y").cache(sys.argv[2])
        if {shuffled}:
            ds = ds.shuffle(seed=1)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(3):
                assert sorted(int(n) for X, y in ds for n in y) == list(range({ROWS}))
        (warning,) = caught
        assert "File too large" in str(warning.message), warning
    """
    python(code, path, directory)
    assert files(directory) == []


def test_a_full_disk_is_told_once_and_is_not_kept_full(path):
    # A small file system of its own, where the machine lets a process have one.
    code = f"""
        import os, sys, warnings, csvfeed
        disk = sys.argv[2]
        ds = csvfeed.CsvDataset(sys.argv[1], features=["x"], target="y").cache(disk)
        for ds in (ds, ds.shuffle(seed=1)):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                for _ in range(2):
                    assert sorted(int(n) for X, y in ds for n in y) == list(range({ROWS}))
            (warning,) = caught
            assert "No space left on device" in str(warning.message), warning
            assert os.listdir(disk) == []
            free = os.statvfs(disk)
            assert free.f_bfree == free.f_blocks, "what was written is still there"
    """
    mount = 'mount -t tmpfs -o size=8k csvfeed "$0" && exec "$@"'
    disk = Path(path).parent / "disk"
    disk.mkdir()
    unshare = ["unshare", "--mount", "--map-root-user", "sh", "-c", mount, str(disk)]
    try:
        possible = subprocess.run([*unshare, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        return
    if possible.returncode:
        return
    command = [*unshare, sys.executable, "-c", textwrap.dedent(code), path, str(disk)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# Processes


def test_processes_that_write_at_once_end_well(path, directory):
    code = textwrap.dedent(f"""
        import sys, csvfeed
        sys.stdin.readline()
        for _ in range(3):
            ds = csvfeed.CsvDataset(sys.argv[1], features=["x"], target="y", batch_size=1,
                                    memory={MIXED}).cache(sys.argv[2])
            for _ in range(2):
                assert [int(n) for X, y in ds for n in y] == list(range({ROWS}))
    """)
    command = [sys.executable, "-c", code, path, str(directory)]
    options = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **options) for _ in range(4)]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        _, stderr = process.communicate(timeout=100)
        assert (process.returncode, stderr) == (0, "")
    assert [file.suffix for file in files(directory)] == [".csvfeed"]


KILLED = f"""
    import os, signal, sys, csvfeed
    ds = csvfeed.CsvDataset(sys.argv[1], features=["x"], target="y", memory={MIXED}, threads=1)
    iterator = iter(ds.cache(sys.argv[2]))
    next(iterator)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_unfinished_is_removed_by_the_next(path, directory):
    command = [sys.executable, "-c", textwrap.dedent(KILLED), path, str(directory)]
    for _ in range(2):
        assert subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == -9
        # One by the process that was killed; the one before it was removed.
        assert len(files(directory)) == 1
    unrelated = directory / "letter.draft"
    unrelated.write_text("mine")
    running = iter(dataset(path, directory, memory=MIXED, threads=1))
    next(running)
    (draft,) = set(files(directory)) - {unrelated}
    # What is being written is left alone.
    other = dataset(path, directory, batch_size=100)
    assert numbers_of(other) == ALL
    assert draft in files(directory)
    del running
    assert sorted(file.suffix for file in files(directory)) == [".csvfeed", ".draft"]
    assert unrelated.read_text() == "mine"


def test_a_draft_of_a_process_of_the_same_number_is_no_hindrance(path, directory):
    # In a container each run may have the same process number.
    ds = dataset(path, directory, memory=MIXED, threads=1)
    iterator = iter(ds)
    next(iterator)
    (draft,) = files(directory)
    del iterator
    stem, number = draft.name.split(f".{os.getpid()}-")
    number, suffix = number.split(".")
    for later in range(3):
        name = f"{stem}.{os.getpid()}-{int(number) + 1 + later}.{suffix}"
        (directory / name).write_bytes(b"")
    assert numbers_of(ds) == ALL
    assert [file.suffix for file in files(directory)] == [".csvfeed"]


@settings(max_examples=examples(12))
@given(
    rows=st.integers(1, 400),
    memory=st.sampled_from([None, 1, 2000, MIXED]),
    threads=st.integers(1, 3),
    batch_size=st.sampled_from([1, 7, 500]),
    uses=st.lists(st.sampled_from(["plain", "shuffle", "part", "shard", "resume"]), max_size=6),
)
def test_a_cache_changes_nothing_but_time(
    tmp_path_factory, rows, memory, threads, batch_size, uses
):
    directory = tmp_path_factory.mktemp("cache")
    options = {**NUMBERED, "memory": memory, "threads": threads, "batch_size": batch_size}
    plain = csvfeed.CsvDataset(numbered(rows), **options)
    cached = plain.cache(directory)

    def use(ds, how):
        if how == "shuffle":
            ds = ds.shuffle(seed=1)
        elif how == "part":
            ds = ds.split(0.3)[0]
        elif how == "shard":
            ds = ds.shard(0, 1).shuffle(seed=2)
        elif how == "resume":
            ds = ds.shuffle(seed=3)
            ds.epochs.position.move(2, len(ds) // 2)
        return [numbers_of(ds) for _ in range(2)] if ds.num_rows else []

    for how in uses:
        assert use(cached, how) == use(plain, how)


# Where it is


def test_by_default_it_is_below_the_home_of_caches(path, tmp_path, monkeypatch):
    ds = csvfeed.CsvDataset(path, **NUMBERED)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    numbers_of(ds.cache())
    assert len(files(tmp_path / "xdg" / "csvfeed")) == 1
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    numbers_of(ds.cache())
    assert len(files(tmp_path / "home" / ".cache" / "csvfeed")) == 1


def test_a_cached_dataset_pickles_and_says_where(path, directory):
    ds = dataset(path, directory).shuffle(seed=1)
    copy = pickle.loads(pickle.dumps(ds))
    assert repr(copy) == repr(ds)
    assert repr(ds).endswith(f".shuffle(seed=1).cache({str(directory)!r})")
    assert numbers_of(copy) == numbers_of(ds)
    assert len(files(directory)) == 1


def test_what_cannot_be_the_directory_of_a_cache_is_refused_at_once(path):
    ds = csvfeed.CsvDataset(path, **NUMBERED)
    with pytest.raises(NotADirectoryError, match="a cache is a directory"):
        ds.cache(path)
    with pytest.raises(ValueError, match="directory"):
        ds.cache("")
