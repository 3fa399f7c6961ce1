"""Whole datasets of files that are elsewhere."""

import gzip
import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest
from conftest import wait_until
from web_server import serve

import csvfeed
from csvfeed.remote import RemoteFile, handle, retries

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")

ROWS = 50_000
TABLE = "a,b,y\n" + "".join(f"{n},{n / 8},{n % 7}\n" for n in range(ROWS))
VALUES = np.array([(n, n / 8, n % 7) for n in range(ROWS)], np.float32)


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(retries, "GROWTH", 1.0)
    monkeypatch.setattr(handle, "RANGE", 1 << 17)
    with serve() as web:
        web.files["/x.csv"] = TABLE.encode()
        web.files["/x.csv.gz"] = gzip.compress(TABLE.encode())
        yield web


def rows(dataset):
    batches = [np.column_stack([X, y]) for X, y in dataset]
    return np.concatenate(batches)


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
@pytest.mark.parametrize("ranges", [True, False])
def test_every_way_of_reading_gives_the_rows_of_the_file(web, name, ranges):
    web.ranges = ranges
    url = f"{web.url}/{name}"
    ds = csvfeed.CsvDataset(url, batch_size=999)
    for _ in range(2):
        np.testing.assert_array_equal(rows(ds), VALUES)
    assert ds.num_rows == ROWS
    assert ds.stats()["a"].max == ROWS - 1
    shuffled = rows(ds.shuffle(seed=0))
    assert not np.array_equal(shuffled, VALUES)
    np.testing.assert_array_equal(shuffled[shuffled[:, 0].argsort()], VALUES)
    train, held_out = ds.split(0.25, seed=1)
    both = np.concatenate([rows(train), rows(held_out)])
    np.testing.assert_array_equal(both[both[:, 0].argsort()], VALUES)


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
@pytest.mark.parametrize("counts_first", [False, True])
def test_the_length_and_categories_take_one_pass(web, name, counts_first):
    ds = csvfeed.CsvDataset(f"{web.url}/{name}", target="y", categories={"y": "auto"})
    web.requests.clear()
    asks = [lambda: len(ds), lambda: ds.classes]
    found = [ask() for ask in (asks if counts_first else asks[::-1])]
    assert len(ds) in found
    assert ds.classes == [str(n) for n in range(7)]
    ranges = [range_.removeprefix("bytes=").split("-") for _, range_ in web.requests]
    asked = sum(int(last) + 1 - int(first) for first, last in ranges)
    assert asked < 1.5 * len(web.files[f"/{name}"]) + (1 << 17)


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
def test_a_run_goes_on_in_another_process(web, name):
    ds = csvfeed.CsvDataset(f"{web.url}/{name}", batch_size=1000).shuffle(seed=3)
    batches = iter(ds)
    seen = [next(batches) for _ in range(20)]
    again = pickle.loads(pickle.dumps(ds))
    again.load_state_dict(ds.state_dict())
    seen += list(again)
    whole = list(csvfeed.CsvDataset(f"{web.url}/{name}", batch_size=1000).shuffle(seed=3))
    assert len(seen) == len(whole)
    for (X, y), (same_X, same_y) in zip(seen, whole, strict=True):
        np.testing.assert_array_equal(X, same_X)
        np.testing.assert_array_equal(y, same_y)


def test_a_dataset_is_made_of_the_head_alone(web):
    ds = csvfeed.CsvDataset(f"{web.url}/x.csv")
    assert ds.columns == ["a", "b", "y"]
    assert len(web.requests) <= 2
    assert {range_ for _, range_ in web.requests} == {"bytes=0-65535"}


def test_many_files_are_one_table(web):
    system = fsspec.filesystem("memory")
    for n in range(5):
        system.pipe(f"/parts/{n}.csv", f"x,y\n{n},1\n".encode())
    system.pipe("/parts/5.csv.gz", gzip.compress(b"y,x\n1,5\n"))
    web.files["/six.csv"] = b"x,y\n6,1\n"
    try:
        ds = csvfeed.CsvDataset(["memory://parts/*", f"{web.url}/six.csv"], batch_size=10)
        ((X, y),) = ds
        assert X.ravel().tolist() == [0, 1, 2, 3, 4, 5, 6]
        assert y.tolist() == [1] * 7
    finally:
        system.rm("/parts", recursive=True)


def test_an_error_names_the_url_and_the_line(web):
    web.files["/bad.csv"] = b"x,y\n1,2\n3,oops\n"
    with pytest.raises(csvfeed.NumberError) as caught:
        list(csvfeed.CsvDataset(f"{web.url}/bad.csv?token=secret"))
    assert caught.value.line == 3
    assert caught.value.path == f"{web.url}/bad.csv?token=***"
    assert "secret" not in str(caught.value)


def test_what_a_server_says_reaches_the_caller(web):
    with pytest.raises(FileNotFoundError, match="404 Not Found"):
        csvfeed.CsvDataset(f"{web.url}/nothing.csv")
    ds = csvfeed.CsvDataset(f"{web.url}/x.csv")
    web.trouble = lambda request: request.say(403) or True
    with pytest.raises(PermissionError, match="403 Forbidden"):
        list(ds)


def test_trouble_in_the_middle_does_not_change_the_rows(web):
    def trouble(request):
        return request.number % 3 == 1 and (request.give(cut=7777) or True)

    web.trouble = trouble
    np.testing.assert_array_equal(rows(csvfeed.CsvDataset(f"{web.url}/x.csv")), VALUES)


def test_a_file_that_changes_between_epochs(web):
    ds = csvfeed.CsvDataset(f"{web.url}/x.csv")
    list(ds)
    web.files["/x.csv"] = TABLE.replace("1", "2").encode()
    with pytest.raises(csvfeed.SourceChangedError, match=f"{web.url}/x.csv"):
        list(ds)


def test_a_file_that_changes_within_an_epoch(web):
    ds = csvfeed.CsvDataset(f"{web.url}/x.csv", batch_size=10)

    def trouble(request):
        if request.headers["Range"] == f"bytes={3 << 17}-{(4 << 17) - 1}":
            web.files["/x.csv"] = TABLE.replace("1", "2").encode()

    web.trouble = trouble
    seen = []
    with pytest.raises(csvfeed.SourceChangedError, match="changed while it was read"):
        seen.extend(np.column_stack([X, y]) for X, y in ds)
    got = np.concatenate([VALUES[:0], *seen])
    np.testing.assert_array_equal(got, VALUES[: len(got)])


def test_options_and_repr(web):
    seen = []
    web.trouble = lambda request: seen.append(request.headers["X-Token"])
    ds = csvfeed.CsvDataset(RemoteFile(f"{web.url}/x.csv", headers={"X-Token": "abcdef"}))
    assert next(iter(ds))[0].shape == (32, 2)
    assert set(seen) == {"abcdef"}
    assert "abcdef" not in repr(ds)
    assert "abcdef" not in str(ds.state_dict())


def test_an_iterator_that_is_dropped_while_the_server_hangs_ends(web, reading_threads):
    web.files["/x.csv"] = ("a,b,y\n" + 10 * TABLE.partition("\n")[2]).encode()
    hanging = []

    def trouble(request):
        start = int(request.headers["Range"].removeprefix("bytes=").split("-")[0])
        return start >= 1_200_000 and (hanging.append(start) or request.hang() or True)

    web.trouble = trouble
    batches = iter(csvfeed.CsvDataset(f"{web.url}/x.csv", threads=2))
    next(batches)
    wait_until(lambda: hanging)
    del batches
    reading_threads(0)


@pytest.mark.parametrize("first", [0, 1, 2])
def test_ctrl_c_while_the_server_hangs(web, first):
    """When it opens the file, reads it, and when it opens it again."""
    web.trouble = lambda request: request.number >= first and (request.hang() or True)
    code = (
        "import csvfeed\n"
        f"ds = csvfeed.CsvDataset('{web.url}/x.csv')\n"
        "print('made', flush=True)\n"
        "for _ in ds: pass\n"
        "for _ in ds: pass"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ),
    )
    wait_until(lambda: len(web.requests) > first)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert b"KeyboardInterrupt" in stderr


@pytest.mark.parametrize("url", ["file://{}", "file://localhost{}", "local://{}"])
def test_a_url_of_this_machine_is_a_path(write, url):
    path = write("x,y\n1,2\n", "with space.csv")
    url = url.format(path if "local:" in url else path.replace(" ", "%20"))
    ((X, _),) = csvfeed.CsvDataset(url)
    assert X.tolist() == [[1]]


def test_a_url_of_another_machine_is_refused():
    with pytest.raises(ValueError, match="elsewhere"):
        csvfeed.CsvDataset("file://elsewhere/x.csv")
