"""``distribute``: the global batches of several processes are those of one."""

import gzip
import json
import pickle
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import bytes_read
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered import MIXED, NUMBERED, numbered, numbers_of
from processes import python

import csvfeed

ROWS = 1003
DATA = numbered(ROWS)


def dataset(source=DATA, **options):
    return csvfeed.CsvDataset(source, **{**NUMBERED, "remainder": "drop", **options})


def at_once(count, call):
    """Return what each process gets, of calls that wait for each other."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def joined(parts):
    """Return the global batches of which each process has a part."""
    for batches in zip(*parts, strict=True):
        yield tuple(map(np.concatenate, zip(*batches, strict=True)))


def same(batches, others):
    batches, others = list(batches), list(others)
    assert len(batches) == len(others)
    for ours, theirs in zip(batches, others, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", ["plain", "cached", "split"])
@pytest.mark.parametrize("remainder", ["drop", "pad"])
@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("memory", [None, MIXED])
def test_global_batches_do_not_depend_on_the_processes(shuffled, remainder, kind, memory, tmp_path):
    """Three epochs of 1, 2 and 4 processes, step by step."""

    def part(index, count):
        ds = dataset(batch_size=24, remainder=remainder, memory=memory)
        if kind == "split":
            ds, _ = ds.split(0.3, seed=1)
        if shuffled:
            ds = ds.shuffle(seed=3)
        own = ds.distribute(index, count, lanes=4)
        return own.cache(tmp_path / str(count)) if kind == "cached" else own

    alone = part(0, 1)
    epochs = [list(alone) for _ in range(3)]
    rows = alone.num_rows
    assert len(epochs[0]) == len(alone) == (-(-rows // 24) if remainder == "pad" else rows // 24)
    for count in (2, 4):
        parts = [part(index, count) for index in range(count)]
        for epoch in epochs:
            same(joined([list(one) for one in parts]), epoch)
        assert {len(one) for one in parts} == {len(alone)}
        assert {one.num_rows for one in parts} == {rows}
    once = sorted(numbers_of(epochs[0]))
    assert len(set(once)) == len(once) == (rows if remainder == "pad" else rows // 24 * 24)
    assert shuffled == (numbers_of(epochs[0]) != numbers_of(epochs[1]))


@settings(max_examples=examples(60))
@given(
    rows=st.integers(1, 300),
    count=st.integers(1, 4),
    own=st.integers(1, 3),
    share=st.integers(1, 9),
    remainder=st.sampled_from(["drop", "pad"]),
    seed=st.none() | st.integers(0, 3),
    memory=st.sampled_from([None, 1024, MIXED]),
    threads=st.integers(1, 3),
)
def test_any_rows_in_any_lanes(rows, count, own, share, remainder, seed, memory, threads):
    lanes = count * own
    options = {"batch_size": lanes * share, "remainder": remainder, "memory": memory}
    data = numbered(rows)
    ds = dataset(data, threads=threads, **options)
    alone = dataset(data, **options)
    if seed is not None:
        ds, alone = ds.shuffle(seed=seed), alone.shuffle(seed=seed)
    alone = alone.distribute(0, 1, lanes=lanes)
    parts = [list(ds.distribute(index, count, lanes=lanes)) for index in range(count)]
    batches = list(alone)
    same(joined(parts), batches)
    assert len(batches) == len(alone)
    found = numbers_of(batches)
    if remainder == "pad":
        assert sorted(found) == list(range(rows))
    if seed is None and batches:
        # In order, the first rows of a batch are those of the first lane.
        first = [int(X[0, 0]) for X, *_ in batches]
        assert first == list(range(0, len(first) * share, share))


@pytest.mark.parametrize("kind", ["plain", "gzip", "rejects", "quoted", "categories"])
def test_processes_count_together(kind, tmp_path):
    """They exchange what each has counted and get the rows that one process counts alone."""
    path = tmp_path / "data.csv"
    options = {"batch_size": 12, "remainder": "drop", **NUMBERED}
    if kind == "quoted":
        rows = (f'{n},"k\n{n % 5}\n","{"text " * 10}\n""x""",{n}\n' for n in range(ROWS))
        path.write_text("x,key,text,y\n" + "".join(rows))
    elif kind == "gzip":
        path = tmp_path / "data.csv.gz"
        path.write_bytes(gzip.compress(DATA))
    elif kind == "rejects":
        path.write_bytes(DATA.replace(b"\n500,", b"\nwrong,").replace(b"\n777,", b"\n,,"))
        options |= {"on_error": "skip"}
    elif kind == "categories":
        # Most processes do not see the quotes that are open where their share begins.
        rows = (f'{n},"a\n{n // 97}",k{n % 13},{n}\n' for n in range(ROWS))
        path.write_text("x,name,key,y\n" + "".join(rows))
        auto = {"name": "auto", "key": "auto"}
        options |= {"features": ["x", "name", "key"], "target": "y", "categories": auto}
    else:
        path.write_bytes(DATA)
    ds = csvfeed.CsvDataset(path, **options)
    parts = at_once(
        3,
        lambda index: csvfeed.CsvDataset(path, **options).distribute(
            index, 3, directory=tmp_path / "shared"
        ),
    )
    same(joined([list(one) for one in parts]), list(ds.distribute(0, 1, lanes=3)))
    assert {one.num_rows for one in parts} == {ds.num_rows}
    for one in parts:
        assert one.vocabulary == ds.vocabulary
    # A copy knows what was counted.
    same(list(pickle.loads(pickle.dumps(parts[1]))), list(parts[1]))


def test_processes_that_find_no_categories_together_fail_together(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(b"x,key,y\n" + b"".join(b"%d,k,1\n" % n for n in range(3000)) + b"1,\xff,1\n")
    options = {"batch_size": 12, "remainder": "drop", "categories": {"key": "auto"}}

    def distribute(index):
        ds = csvfeed.CsvDataset(path, **options)
        with pytest.raises(csvfeed.CsvError, match="UTF-8") as caught:
            ds.distribute(index, 3, directory=tmp_path / "shared")
        return caught.value.line

    assert at_once(3, distribute) == [3002] * 3


@pytest.mark.skipif(csvfeed._core.SMALL_BUFFERS, reason="small slices make large messages")
@pytest.mark.parametrize("options", [{}, {"categories": {"text": "auto"}}])
def test_a_process_reads_its_share_alone(options, tmp_path):
    """Counting reads a quarter of the file, and so does each epoch of a quarter of the lanes."""
    path = tmp_path / "data.csv"
    # Comparing the file with that of the other processes takes a megabyte, whatever its size.
    wide = "t" * 1000
    path.write_text("x,text,y\n" + "".join(f"{n},{wide},{n}\n" for n in range(100_000)))
    size = path.stat().st_size
    code = """
        import json, sys
        import numpy, csvfeed
        def read():
            lines = open("/proc/self/io").read().splitlines()
            return int(dict(line.split(": ") for line in lines)["rchar"])
        path, directory, index = sys.argv[1], sys.argv[2], int(sys.argv[3])
        options = {"batch_size": 400, "remainder": "drop", **json.loads(sys.argv[4])}
        features = ["x", *options.get("categories", ())]
        ds = csvfeed.CsvDataset(path, features=features, target="y", **options)
        next(iter(csvfeed.CsvDataset(b"x,y\\n1,2\\n")))
        before = read()
        own = ds.distribute(index, 4, directory=directory)
        counted = read() - before
        rows = sum(len(y) for X, y in own)
        print(json.dumps([counted, read() - before - counted, rows, len(own)]))
    """
    shared, given = tmp_path / "shared", json.dumps(options)
    found = at_once(4, lambda i: json.loads(python(code, path, shared, i, given)))
    for counted, epoch, rows, steps in found:
        assert counted < 1.1 * size / 4
        assert epoch < 1.1 * size / 4
        assert (rows, steps) == (25_000, 250)


@pytest.mark.skipif(csvfeed._core.SMALL_BUFFERS, reason="small buffers hold little anyway")
def test_a_process_reads_ahead_within_the_share_of_its_lanes(tmp_path):
    """All processes give the memory that their lanes share, which may be more than one has."""
    path = tmp_path / "data.csv"
    wide = "t" * 1000
    path.write_text("x,text,y\n" + "".join(f"{n},{wide},{n}\n" for n in range(80_000)))
    options = {"batch_size": 80, "remainder": "drop", "memory": 32 << 20, "threads": 2}
    own = csvfeed.CsvDataset(path, features=["x"], target="y", **options).distribute(0, 8)
    len(own)
    before = read = bytes_read()
    batches = iter(own)
    next(batches)
    # To ask for it is to read some bytes as well.
    while bytes_read() - read > 10_000:
        read = bytes_read()
        time.sleep(0.5)
    share = path.stat().st_size / 8
    assert read - before < share / 2
    assert sum(len(y) for _, y in batches) == 10_000 - 10
    assert bytes_read() - before < 1.1 * share


@pytest.mark.parametrize("remainder", ["drop", "pad"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_another_number_of_processes_goes_on(shuffled, remainder):
    ds = dataset(batch_size=20, remainder=remainder, memory=MIXED)
    if shuffled:
        ds = ds.shuffle(seed=1)
    whole = ds.distribute(0, 1, lanes=4)
    undisturbed = [*whole, *whole]
    parts = [ds.distribute(index, 4) for index in range(4)]
    iterators = [iter(one) for one in parts]
    for _ in range(17):
        for iterator in iterators:
            next(iterator)
    state = json.loads(json.dumps(parts[2].state_dict()))
    assert state["batch"] == 17
    for count in (1, 2):
        parts = [ds.distribute(index, count, lanes=4) for index in range(count)]
        for part in parts:
            part.load_state_dict(state)
        rest = [[*part, *part] for part in parts]
        same(joined(rest), undisturbed[17:])


def test_fill_and_categories_are_those_of_all_rows():
    rows = "".join(f"{'' if n % 3 == 0 else n},k{n % 7},{n}\n" for n in range(300))
    options = {"target": "y", "categories": {"k": "auto"}, "fill": {"x": "mean"}}
    ds = csvfeed.CsvDataset(f"x,k,y\n{rows}".encode(), batch_size=30, remainder="drop", **options)
    parts = [list(ds.distribute(index, 3)) for index in range(3)]
    by_row = {int(y): tuple(x) for X, Y in ds for x, y in zip(X, Y, strict=True)}
    for X, Y in joined(parts):
        for x, y in zip(X, Y, strict=True):
            assert by_row[int(y)] == tuple(x)


def refused(kind, words, call):
    with pytest.raises(kind) as caught:
        call()
    assert words in str(caught.value)


def test_what_cannot_be_distributed_is_refused():
    keep = dataset(remainder="keep")
    refused(ValueError, "fills it with rows of weight 0", lambda: keep.distribute(0, 2))
    refused(ValueError, "no engine runs", lambda: dataset().distribute())
    ds = dataset(batch_size=10)
    refused(ValueError, "the nearest that can be are 9 and 12", lambda: ds.distribute(0, 3))
    refused(ValueError, "a multiple of 2", lambda: ds.distribute(0, 2, lanes=5))
    refused(ValueError, "index", lambda: ds.distribute(2, 2))
    refused(ValueError, "an index and a count", lambda: ds.distribute(1))
    refused(ValueError, "a shard", lambda: ds.shard(0, 2).distribute(0, 2))
    own = ds.distribute(0, 2)
    refused(ValueError, "distributed already", lambda: own.distribute(0, 2))
    refused(ValueError, "do not wait", lambda: own.shard(0, 2))
    refused(ValueError, "different seeds", own.shuffle)
    refused(TypeError, "count=", lambda: ds.distribute(0, world_size=2))


def test_a_launcher_without_a_process_group_is_named(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    refused(ValueError, "no process group runs", lambda: dataset().distribute())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 8}, "has batch_size="),
        ({"remainder": "pad"}, "has remainder="),
        ({"memory": 5000}, "has memory="),
        ({"features": ["y"], "target": "x"}, "reads other rows"),
        ({"source": numbered(ROWS).replace(b"\n900,", b"\n901,")}, "reads another file"),
    ],
)
def test_processes_that_disagree_end(options, words, tmp_path):
    def part(index):
        given = {"batch_size": 6, **(options if index == 1 else {})}
        with pytest.raises(ValueError, match="process") as caught:
            dataset(**given).distribute(index, 2, directory=tmp_path / "shared")
        return str(caught.value)

    assert all(words in message for message in at_once(2, part))


def test_an_index_that_two_processes_have_ends_both(tmp_path):
    def part(_):
        with pytest.raises(ValueError, match="two processes have the index 0"):
            dataset(batch_size=6).distribute(0, 3, directory=tmp_path / "shared")

    at_once(2, part)


def test_an_argument_that_is_wrong_in_one_process_ends_all(tmp_path):
    def part(index):
        with pytest.raises(ValueError, match="the nearest that can be are 8 and 10") as caught:
            dataset(batch_size=9 + index).distribute(index, 2, directory=tmp_path / "shared")
        return str(caught.value)

    assert [message.startswith("process 0 of 2 stops: ") for message in at_once(2, part)] == [
        False,
        True,
    ]


def test_counts_that_differ_end(tmp_path):
    def part(index):
        count = 2 + index
        with pytest.raises(ValueError, match=r"says that there are \d processes"):
            dataset(batch_size=6).distribute(index, count, directory=tmp_path / "shared")

    at_once(2, part)


def test_a_wrong_row_is_an_error_on_all_processes(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(DATA.replace(b"\n700,", b'\n"a"x,'))

    def part(index):
        with pytest.raises(csvfeed.CsvError) as caught:
            dataset(path, batch_size=6).distribute(index, 3, directory=tmp_path / "shared")
        return str(caught.value)

    found = at_once(3, part)
    assert all("line 702" in message for message in found), found
    assert sum("stops: " in message for message in found) == 2


def test_a_process_that_never_comes_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("csvfeed.processes.PATIENCE", 0.5)
    call = dataset(batch_size=6).distribute
    refused(TimeoutError, "the processes 0, 2 of 3", lambda: call(1, 3, directory=tmp_path / "s"))
