"""``take`` and ``skip``: the first rows, and all but those, in whatever order they are read."""

import pickle

import numpy as np
import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered import MIXED, NUMBERED, joined, numbered, numbers_of

import csvfeed

ROWS = 3000
DATA = numbered(ROWS)
ALL = list(range(ROWS))


def dataset(source=DATA, **options):
    return csvfeed.CsvDataset(source, **{**NUMBERED, **options})


@settings(max_examples=examples(100))
@given(
    rows=st.integers(1, 400),
    calls=st.lists(st.tuples(st.sampled_from(["take", "skip"]), st.integers(0, 450)), max_size=4),
    batch_size=st.integers(1, 40),
    memory=st.sampled_from([None, 1, MIXED]),
    threads=st.integers(1, 4),
)
def test_the_rows_are_those_of_a_slice(rows, calls, batch_size, memory, threads):
    ds = dataset(numbered(rows), batch_size=batch_size, memory=memory, threads=threads)
    expected = list(range(rows))
    for method, count in calls:
        ds = getattr(ds, method)(count)
        expected = expected[:count] if method == "take" else expected[count:]
    assert ds.num_rows == len(expected)
    assert len(ds) == -(-len(expected) // batch_size)
    if not expected:
        for empty in (ds, ds.shuffle(seed=0)):
            with pytest.raises(csvfeed.CsvError, match="no row is left"):
                iter(empty)
        return
    assert numbers_of(ds) == expected
    assert sorted(numbers_of(ds.shuffle(seed=1))) == expected


def test_both_together_have_each_row_once():
    for count in (0, 1, 1234, ROWS - 1, ROWS, ROWS + 1):
        ds = dataset(memory=MIXED)
        assert ds.take(count).num_rows + ds.skip(count).num_rows == ROWS
    assert numbers_of(ds.take(1234)) + numbers_of(ds.skip(1234)) == ALL


def test_each_step_chooses_among_the_rows_that_the_one_before_it_left():
    ds = dataset(memory=MIXED)
    first = ds.skip(500).take(1000)
    assert numbers_of(first) == ALL[500:1500]
    for by in (None, "key"):
        parts = first.split(0.3, seed=2, by=by)
        assert sorted(joined(map(numbers_of, parts))) == ALL[500:1500]
        kept = ds.split(0.3, seed=2, by=by)[0]
        assert numbers_of(kept.skip(10).take(20)) == numbers_of(kept)[10:30]
    shares = [numbers_of(first.shard(index, 3)) for index in range(3)]
    assert len({*joined(shares)}) == len(joined(shares)) >= 998
    assert {*joined(shares)} <= {*ALL[500:1500]}


def test_a_seed_draws_the_same_keys_of_fewer_rows():
    keys = [
        {n * n % 97 for n in numbers_of(ds.split(0.3, seed=5, by="key")[1])}
        for ds in (dataset(), dataset().take(2000))
    ]
    assert keys[1] <= keys[0]


@pytest.mark.parametrize("memory", [None, MIXED])
def test_they_go_with_all_else(memory, tmp_path):
    ds = dataset(memory=memory, batch_size=10, remainder="drop")
    some = ds.skip(100).take(2001)
    rows = ALL[100:2101]
    assert (some.num_rows, len(some)) == (2001, 200)
    assert numbers_of(some) == rows[:2000]
    assert some.rows(3, 6)[1].tolist() == rows[3:6]
    assert some.head(2).rows == [(100.0, 100.0), (101.0, 101.0)]
    stats = some.stats()["x"]
    assert (stats.count, stats.min, stats.max) == (2001, 100, 2100)
    for _ in range(2):
        assert numbers_of(some.cache(tmp_path)) == rows[:2000]
    assert numbers_of(ds.cache(tmp_path).skip(100).take(2001)) == rows[:2000]
    halves = [some.distribute(index, 2) for index in range(2)]
    assert sorted(joined(map(numbers_of, halves))) == [*rows[:1000], *rows[1001:2001]]
    (X, _), *_ = some.windows(4)
    assert X[0, :, 0].tolist() == rows[:4]
    assert some.windows(4).num_rows == 1998
    # The order before and after a shuffle is one.
    assert numbers_of(ds.shuffle(seed=3).skip(100).take(2001)) == numbers_of(some.shuffle(seed=3))


def test_they_resume_pickle_and_say_what_they_are():
    ds = dataset(batch_size=10).skip(3).take(95).shuffle(seed=0)
    assert repr(ds).endswith(".skip(3).take(95).shuffle(seed=0)")
    batches = iter(ds)
    next(batches)
    state = ds.state_dict()
    rest = numbers_of(batches)
    copy = pickle.loads(pickle.dumps(ds))
    assert repr(copy) == repr(ds)
    copy.load_state_dict(state)
    assert numbers_of(copy) == rest
    with pytest.raises(ValueError, match="other rows"):
        dataset(batch_size=10).take(95).shuffle(seed=0).load_state_dict(state)


def test_rows_that_are_left_out_do_not_count():
    lines = [f"{n},k,t,{'' if n % 3 == 0 else n}\n" for n in range(300)]
    data = ("x,key,text,y\n" + "".join(lines)).encode()
    expected = [n for n in range(300) if n % 3]
    for options in ({"missing_target": "skip"}, {"on_error": "skip"}):
        ds = dataset(data, **options)
        ds.rejects  # noqa: B018 - so that no warning says it later
        with pytest.warns() if options.get("on_error") else np.errstate():
            assert numbers_of(ds.skip(5).take(50)) == expected[5:55]


def test_a_wrong_row_is_an_error_only_in_the_rows_that_are_read():
    data = DATA.replace(b"\n1233,", b"\noops,", 1)
    ds = dataset(data, memory=MIXED)
    assert numbers_of(ds.take(1233)) == ALL[:1233]
    assert numbers_of(ds.skip(1234)) == ALL[1234:]
    with pytest.raises(csvfeed.NumberError) as caught:
        numbers_of(ds.take(1234))
    assert (caught.value.line, caught.value.text) == (1235, "oops")


@pytest.mark.parametrize("method", ["take", "skip"])
def test_a_number_of_rows_is_a_whole_number(method):
    for wrong in (-1, 1.5, "3", True, None, 2**62):
        with pytest.raises(ValueError, match="n is a whole number of at least 0, not"):
            getattr(dataset(), method)(wrong)
    assert getattr(dataset(), method)(np.int64(7)).num_rows in (7, ROWS - 7)
    with pytest.raises(TypeError, match="csvfeed calls it n="):
        getattr(dataset(), method)(count=3)


@pytest.mark.parametrize("method", ["take", "skip"])
def test_rows_are_counted_before_they_are_dealt_out(method):
    ds = dataset(remainder="drop")
    for other, made in {
        "shard": ds.shard(0, 2),
        "distribute": ds.distribute(0, 2),
        "windows": ds.windows(3),
    }.items():
        with pytest.raises(ValueError, match=rf"before {other}\(\): write ds.{method}\(n\)"):
            getattr(made, method)(3)
