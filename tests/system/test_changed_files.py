"""Files that change while they are read, or seem to."""

import gzip
import mmap
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import csvfeed

ROUNDS = int(os.environ.get("CSVFEED_TEST_ROUNDS", "1"))
"""How often each file is rewritten; 40 shows what a single round may miss."""

ROWS = 60_000
OLD, NEW = 1, 2
OPTIONS = {"features": ["x"], "target": "y", "batch_size": 500, "memory": 1 << 17, "threads": 2}


def table(value, rows=ROWS):
    """Return rows of equal length whose target is ``value``, each with another feature."""
    return b"x,name,y\n" + b"".join(b"%06d,k%d,%d\n" % (row, row % 9, value) for row in range(rows))


def stored(text):
    """Compress to a length that depends on the length of the text alone."""
    return gzip.compress(text, 0, mtime=0)


def write_in_place(path, content):
    with open(path, "r+b") as file:
        file.write(content)


def map_in_place(path, content):
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[:] = content


WAYS = {"written": write_in_place, "mapped": map_in_place}


def rewrite(path, content, way=write_in_place):
    """Put another content of the same length into a file, and its times back."""
    before = os.stat(path)
    way(path, content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = os.stat(path)
    assert [after.st_size, after.st_mtime_ns] == [before.st_size, before.st_mtime_ns]
    assert after.st_ino == before.st_ino


def plain(ds, _directory):
    return ds


def split(ds, _directory):
    return ds.split(0.5, seed=0)[0]


def shuffled(ds, _directory):
    return ds.shuffle(seed=0)


def cached(ds, directory):
    return ds.cache(directory)


ORDERS = {"plain": plain, "split": split, "shuffled": shuffled, "cached": cached}


def read_to_the_end(iterator, batch):
    """Return the targets of a batch and all that come after it, and the error that ended them."""
    found = set(np.unique(batch[1]))
    try:
        for _, y in iterator:
            found.update(np.unique(y))
    except csvfeed.SourceChangedError as error:
        return found, error
    return found, None


@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.parametrize("packed", [False, True], ids=["text", "gzip"])
@pytest.mark.parametrize("order", sorted(ORDERS))
def test_a_file_rewritten_in_place_is_never_mixed(write, tmp_path, order, packed, way):
    pack = stored if packed else bytes
    old, new = pack(table(OLD)), pack(table(NEW))
    for _ in range(ROUNDS):
        path = write(old)
        ds = ORDERS[order](csvfeed.CsvDataset(path, **OPTIONS), tmp_path / "cache")
        iterator = iter(ds)
        batch = next(iterator)
        rewrite(path, new, WAYS[way])
        found, error = read_to_the_end(iterator, batch)
        assert found == {OLD}
        # What is compressed and read in another order was copied before the first batch.
        if not packed or order == "plain":
            assert error is not None
            assert error.path == path
        with pytest.raises(csvfeed.SourceChangedError):
            list(ds)
        again = ORDERS[order](csvfeed.CsvDataset(path, **OPTIONS), tmp_path / "cache")
        assert set(np.concatenate([y for _, y in again])) == {NEW}


def test_one_of_many_files_rewritten_in_place_is_an_error(write):
    paths = [write(table(OLD, 20_000), f"{n}.csv") for n in range(3)]
    ds = csvfeed.CsvDataset(paths, **OPTIONS)
    iterator = iter(ds)
    batch = next(iterator)
    rewrite(paths[1], table(NEW, 20_000))
    found, error = read_to_the_end(iterator, batch)
    # That file was not read before, but for its beginning: this is in both versions.
    assert error is not None
    assert error.path == paths[1]
    assert found == {OLD}


def chmod(path):
    Path(path).chmod(0o640)


def link(path):
    os.link(path, path + ".link")


def touch_of_the_access_time(path):
    os.utime(path, ns=(0, os.stat(path).st_mtime_ns))


def rename(path):
    os.rename(path, path + ".moved")


def unlink(path):
    Path(path).unlink()


@pytest.mark.parametrize("packed", [False, True], ids=["text", "gzip"])
@pytest.mark.parametrize("order", sorted(ORDERS))
@pytest.mark.parametrize("change", [chmod, link, touch_of_the_access_time, rename, unlink])
def test_what_leaves_the_content_alone_does_not_stop_a_training(
    write, tmp_path, order, packed, change
):
    path = write((stored if packed else bytes)(table(OLD)))
    ds = ORDERS[order](csvfeed.CsvDataset(path, **OPTIONS), tmp_path / "cache")
    iterator = iter(ds)
    batches = [next(iterator)]
    before = os.stat(path).st_ctime_ns
    with open(path, "rb") as file:
        change(path)
        assert os.fstat(file.fileno()).st_ctime_ns != before
    batches += iterator
    rows = np.concatenate([X for X, _ in batches])
    assert len(np.unique(rows)) == len(rows) == (ROWS // 2 if order == "split" else ROWS)
    if change not in (rename, unlink):
        assert sum(len(X) for X, _ in ds) == len(rows)


def test_a_file_rewritten_after_it_was_counted_is_an_error(write):
    path = write(table(OLD))
    ds, other = (csvfeed.CsvDataset(path, **OPTIONS) for _ in range(2))
    assert ds.num_rows == ROWS
    rewrite(path, table(NEW))
    for read in (lambda: next(iter(ds)), lambda: list(other.shuffle()), lambda: other.num_rows):
        with pytest.raises(csvfeed.SourceChangedError):
            read()


def test_a_file_rewritten_after_its_vocabulary_was_found_is_an_error(write):
    path = write(table(OLD))
    options = {**OPTIONS, "features": None, "categories": {"name": "auto"}}
    ds = csvfeed.CsvDataset(path, **options)
    assert len(ds.vocabulary["name"]) == 9
    rewrite(path, table(OLD).replace(b"k8", b"j8"))
    with pytest.raises(csvfeed.SourceChangedError):
        list(ds)
    again = csvfeed.CsvDataset(path, **options)
    assert again.vocabulary["name"][0] == "j8"


def test_what_is_remembered_of_a_file_is_not_that_of_another_content(write, tmp_path):
    path = write(b"a,y\n" + b"1,2\n" * 1000)
    found = []
    for _ in range(2):
        ds = csvfeed.CsvDataset(path).cache(tmp_path / "cache")
        found.append((ds.num_rows, sum(float(y.sum()) for _, y in ds), ds.stats()["y"].max))
        rewrite(path, b"a,y\n" + b"1,34567\n" * 500)
    assert found == [(1000, 2000, 2), (500, 500 * 34567, 34567)]


@pytest.mark.parametrize("packed", [False, True], ids=["text", "gzip"])
def test_a_state_is_not_taken_by_a_file_whose_middle_is_another(write, tmp_path, packed):
    pack = stored if packed else bytes
    old = table(OLD, 30_000)
    path = write(pack(old))
    ds = csvfeed.CsvDataset(path, **OPTIONS).shuffle(seed=0)
    next(iter(ds))
    state = ds.state_dict()
    copied = str(tmp_path / "copied.csv")
    shutil.copyfile(path, copied)
    csvfeed.CsvDataset(copied, **OPTIONS).shuffle(seed=0).load_state_dict(state)
    third = len(old) // 3
    middle = old[third:-third].replace(b",1\n", b",2\n")
    rewrite(path, pack(old[:third] + middle + old[-third:]))
    again = csvfeed.CsvDataset(path, **OPTIONS).shuffle(seed=0)
    with pytest.raises(ValueError, match="another file"):
        again.load_state_dict(state)
    if not packed:
        # One that an earlier version saved has the ends of the file alone.
        del state["samples"]
        again.load_state_dict(state)
