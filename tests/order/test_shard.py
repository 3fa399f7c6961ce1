"""``shard``: shares of the rows, disjoint, complete, and of equally many batches."""

import pickle
from pathlib import Path

import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered import MIXED, NUMBERED, joined, numbered, numbers_of
from processes import python

import csvfeed

ROWS = 3000
DATA = numbered(ROWS)


def dataset(source=DATA, **options):
    return csvfeed.CsvDataset(source, **{**NUMBERED, **options})


@pytest.mark.parametrize("memory", [None, MIXED])
@pytest.mark.parametrize("remainder", ["keep", "drop", "pad"])
@pytest.mark.parametrize("batch_size", [1, 10, 32, 250])
@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_union_is_the_whole_and_the_steps_are_equal(count, batch_size, remainder, memory):
    ds = dataset(batch_size=batch_size, remainder=remainder, memory=memory)
    shards = [ds.shard(index, count) for index in range(count)]
    batches = [list(shard) for shard in shards]
    assert {len(own) for own in batches} == {len(shards[0])}
    found = [numbers_of(own) for own in batches]
    assert all(rows == sorted(rows) for rows in found)
    union = sorted(joined(found))
    assert len(set(union)) == len(union)
    if remainder == "drop":
        assert len(union) == ROWS // (count * batch_size) * count * batch_size
    else:
        assert [shard.num_rows for shard in shards] == [len(rows) for rows in found]
        left_out = set(range(ROWS)) - set(union)
        # Only where one row more would be a batch of its own.
        assert len(left_out) == (ROWS % count if ROWS // count % batch_size == 0 else 0)


@settings(max_examples=examples(100))
@given(
    rows=st.integers(1, 400),
    count=st.integers(1, 12),
    batch_size=st.integers(1, 40),
    remainder=st.sampled_from(["keep", "drop", "pad"]),
    memory=st.sampled_from([None, 1, MIXED]),
    threads=st.integers(1, 4),
)
def test_shards_of_any_rows_have_equal_steps(rows, count, batch_size, remainder, memory, threads):
    options = {"batch_size": batch_size, "remainder": remainder}
    data = numbered(rows)
    ds = dataset(data, memory=memory, threads=threads, **options)
    plain = dataset(data, **options)
    union = []
    for index in range(count):
        shard = ds.shard(index, count)
        assert len(shard) == len(ds.shard(0, count))
        if shard.num_rows == 0:
            with pytest.raises(csvfeed.CsvError, match="no row is left"):
                iter(shard)
            continue
        batches = list(shard)
        assert len(batches) == len(shard)
        union += numbers_of(batches)
        assert numbers_of(plain.shard(index, count)) == numbers_of(batches)
    assert len(set(union)) == len(union)
    if remainder != "drop":
        assert len(union) > rows - count


@pytest.mark.parametrize("count", [2, 7])
def test_shards_do_not_depend_on_threads_or_memory(write, count):
    path = write(DATA)
    expected = [numbers_of(dataset().shard(index, count)) for index in range(count)]
    for options in ({"threads": 1}, {"threads": 9, "memory": MIXED}, {"memory": 1}):
        ds = dataset(path, **options)
        assert [numbers_of(ds.shard(index, count)) for index in range(count)] == expected


def test_shards_are_the_same_in_another_process(write):
    code = """
        import sys, csvfeed
        ds = csvfeed.CsvDataset(sys.argv[1], features=["x"], target="y").shard(2, 5)
        print(*[int(n) for X, y in ds for n in y])
    """
    found = [*map(int, python(code, write(DATA)).split())]
    assert found == numbers_of(dataset().shard(2, 5))


def test_a_shard_has_rows_from_all_over_the_file():
    for index in range(3):
        rows = numbers_of(dataset().shard(index, 3))
        assert min(rows) < ROWS / 10
        assert max(rows) > ROWS * 0.9


@pytest.mark.skipif(csvfeed._core.SMALL_BUFFERS, reason="slices of some bytes, too many of them")
def test_a_shard_reads_little_more_than_its_share(write):
    path = write(numbered(700_000))
    code = """
        import sys, csvfeed
        from pathlib import Path
        read = lambda: int(Path("/proc/self/io").read_text().split()[1])
        ds = csvfeed.CsvDataset(sys.argv[1], features=["x"], target="y", batch_size=1000)
        shard = ds.shard(1, 4)
        shard.num_rows
        before = read()
        rows = sum(len(y) for X, y in shard)
        print(rows, read() - before)
    """
    rows, bytes_read = map(int, python(code, path).split())
    size = Path(path).stat().st_size
    Path(path).unlink()
    assert rows == 175_000
    assert bytes_read < 0.5 * size


@pytest.mark.parametrize("outer", [2, 3])
@pytest.mark.parametrize("inner", [2, 3])
def test_shards_of_shards_are_shards_of_the_whole(outer, inner):
    ds = dataset(batch_size=16)
    shards = [ds.shard(i, outer).shard(j, inner) for i in range(outer) for j in range(inner)]
    found = sorted(joined(map(numbers_of, shards)))
    assert len(set(found)) == len(found) > ROWS - outer * inner
    assert len({len(shard) for shard in shards}) == 1
    whole = [numbers_of(ds.shard(index, outer * inner)) for index in range(outer * inner)]
    assert sorted(map(numbers_of, shards)) == sorted(whole)


def test_the_only_shard_is_the_whole():
    assert numbers_of(dataset().shard(0, 1)) == list(range(ROWS))


def test_shards_leave_out_rows_without_a_target_before_they_are_dealt():
    lines = [f"{n},k,t,{n if n % 3 else ''}\n" for n in range(900)]
    data = ("x,key,text,y\n" + "".join(lines)).encode()
    for memory in (None, MIXED):
        ds = dataset(data, missing_target="skip", batch_size=7, memory=memory)
        found = [numbers_of(ds.shard(index, 4)) for index in range(4)]
        assert sorted(joined(found)) == [n for n in range(900) if n % 3]


@pytest.mark.parametrize("memory", [None, MIXED])
def test_a_shuffle_mixes_within_the_shard(memory):
    ds = dataset(memory=memory, batch_size=10)
    for index in range(3):
        expected = numbers_of(ds.shard(index, 3))
        for shuffled in (ds.shard(index, 3).shuffle(seed=1), ds.shuffle(seed=1).shard(index, 3)):
            epochs = [numbers_of(shuffled) for _ in range(2)]
            assert [sorted(epoch) for epoch in epochs] == [expected, expected]
            assert epochs[0] != epochs[1]


@pytest.mark.parametrize(
    ("index", "count", "message"),
    [
        (3, 3, "index is a whole number from 0 to 2"),
        (-1, 3, "index is a whole number from 0 to 2"),
        (0.5, 3, "index is a whole number from 0 to 2"),
        (0, 0, "count is a whole number of at least 1"),
        (0, True, "count is a whole number of at least 1"),
    ],
)
def test_a_shard_is_one_of_those_that_there_are(index, count, message):
    with pytest.raises(ValueError, match=message):
        dataset().shard(index, count)


def test_very_many_shards_of_few_rows_say_that_they_are_empty():
    shard = dataset(numbered(5)).shard(0, 2**40)
    assert (shard.num_rows, len(shard)) == (0, 0)
    with pytest.raises(csvfeed.CsvError, match="no row is left"):
        next(iter(shard))
    with pytest.raises(csvfeed.CsvError, match="no row is left"):
        next(iter(dataset(numbered(5)).shard(2**61, 2**62 - 1)))


def test_shards_pickle_and_say_what_they_are():
    shard = dataset().shard(2, 5)
    copy = pickle.loads(pickle.dumps(shard))
    assert repr(copy) == repr(shard)
    assert repr(shard).endswith(".shard(2, 5)")
    assert numbers_of(copy) == numbers_of(shard)
