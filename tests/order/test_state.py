"""``state_dict``, ``load_state_dict``: a run that is killed at any batch goes on where it was."""

import json
import os
import pickle
import random
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered import MIXED, NUMBERED, joined, numbered, numbers_of
from processes import python

import csvfeed

ROWS = 700
DATA = numbered(ROWS)
HOLES = b"\n".join(
    line.rsplit(b",", 1)[0] + b"," if at % 4 == 1 else line
    for at, line in enumerate(DATA.splitlines())
)

KINDS = {
    "plain": lambda ds: ds,
    "shuffled": lambda ds: ds.shuffle(seed=4),
    "split": lambda ds: ds.split(0.4)[0],
    "split by key": lambda ds: ds.split(0.4, by="key")[0],
    "sharded": lambda ds: ds.shard(1, 3),
    "all": lambda ds: ds.split(0.2)[0].shuffle(seed=1).shard(0, 2),
    "cached": lambda ds: ds.cache(ds.directory),
    "cached and shuffled": lambda ds: ds.cache(ds.directory).shuffle(seed=2),
}
OPTIONS = {
    "keep": {},
    "drop": {"remainder": "drop"},
    "pad": {"remainder": "pad"},
    "skip": {"missing_target": "skip"},
    "windows": {"memory": MIXED},
    "threads": {"threads": 5, "memory": 4000},
}


def make(kind="plain", directory=None, *, source=None, **options):
    if source is None:
        source = HOLES if options.get("missing_target") == "skip" else DATA
    ds = csvfeed.CsvDataset(source, **{**NUMBERED, "batch_size": 30, **options})
    ds.directory = directory
    return KINDS[kind](ds)


def contents(batches):
    return [tuple(part.tobytes() for part in batch) for batch in batches]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_killed_at_any_batch_yields_the_batches_it_would_have(
    kind, options, tmp_path
):
    def new():
        return make(kind, tmp_path, **OPTIONS[options])

    ds = new()
    epochs = [contents(ds) for _ in range(4)]
    assert all(len(epoch) == len(ds) for epoch in epochs)
    first = new()
    for number, epoch in enumerate(epochs[:2]):
        iterator = iter(first)
        for taken in range(len(epoch) + 1):
            state = json.loads(json.dumps(first.state_dict()))
            assert (state["epoch"], state["batch"]) == (number, taken)
            resumed = new()
            resumed.load_state_dict(state)
            assert resumed.state_dict() == state
            assert contents(resumed) == epoch[taken:]
            if taken in (0, 1, len(epoch) // 2, len(epoch) - 1, len(epoch)):
                assert contents(resumed) == epochs[number + 1]
                assert contents(resumed) == epochs[number + 2]
            next(iterator, None)
        # After the end it is at the next epoch.
        state = first.state_dict()
        assert (state["epoch"], state["batch"]) == (number + 1, 0)


@pytest.mark.parametrize("kind", ["plain", "shuffled", "all"])
def test_it_is_small_and_of_the_types_of_json(kind):
    ds = make(kind)
    next(iter(ds))
    state = ds.state_dict()
    text = json.dumps(state)
    assert json.loads(text) == state
    assert len(text) < 400


@pytest.mark.skipif(csvfeed._core.SMALL_BUFFERS, reason="blocks are no matter of processes")
@pytest.mark.parametrize("memory", [None, MIXED])
def test_another_process_goes_on(write, memory):
    path = write(DATA)
    ds = make("shuffled", source=path, memory=memory)
    epochs = [numbers_of(ds) for _ in range(3)]
    code = f"""
        import json, os, signal, sys, csvfeed
        ds = csvfeed.CsvDataset(
            sys.argv[1], features=["x"], target="y", batch_size=30, memory={memory}, threads=3
        ).shuffle(seed=4)
        state = json.loads(sys.argv[2])
        if state:
            ds.load_state_dict(state)
        rows = []
        for X, y in ds:
            rows += y.astype(int).tolist()
            if len(rows) == 210:
                break
        print(json.dumps([rows, ds.state_dict()]), flush=True)
    """
    found, state = [], {}
    for _ in range(8):
        rows, state = json.loads(python(code, path, json.dumps(state)))
        found += rows
    assert found == joined(epochs)[: len(found)]
    assert len(found) == 7 * 210 - 2 * 140 + 210


def test_a_state_may_be_loaded_into_the_dataset_it_came_from():
    ds = make("shuffled")
    epochs = [numbers_of(ds) for _ in range(3)]
    ds = make("shuffled")
    assert numbers_of(islice(ds, 5)) == epochs[0][:150]
    state = ds.state_dict()
    assert numbers_of(ds) == epochs[1]
    for _ in range(2):
        ds.load_state_dict(state)
        assert numbers_of(ds) == epochs[0][150:]
        assert numbers_of(ds) == epochs[1]
    ds.load_state_dict(state)
    ds.load_state_dict(state)
    assert ds.state_dict() == state


def test_it_speaks_of_the_iterator_that_began_last():
    ds = make()
    first = iter(ds)
    next(first)
    second = iter(ds)
    assert (ds.state_dict()["epoch"], ds.state_dict()["batch"]) == (1, 0)
    next(first)
    next(second)
    next(second)
    assert (ds.state_dict()["epoch"], ds.state_dict()["batch"]) == (1, 2)
    del second
    assert (ds.state_dict()["epoch"], ds.state_dict()["batch"]) == (1, 2)
    list(first)
    assert (ds.state_dict()["epoch"], ds.state_dict()["batch"]) == (1, 2)


def test_an_iterator_from_before_a_state_was_loaded_does_not_move_it():
    ds = make()
    before = iter(ds)
    next(before)
    state = ds.state_dict()
    ds.load_state_dict({**state, "epoch": 3, "batch": 4})
    list(before)
    assert (ds.state_dict()["epoch"], ds.state_dict()["batch"]) == (3, 4)


def test_an_iteration_that_fails_to_begin_keeps_the_place(write):
    path = write(DATA)
    ds = make("shuffled", source=path)
    expected = numbers_of(ds)
    ds = make("shuffled", source=path)
    ds.epochs.position.move(0, 5)
    hidden = path + ".hidden"
    os.rename(path, hidden)
    with pytest.raises(FileNotFoundError):
        iter(ds)
    os.rename(hidden, path)
    assert numbers_of(ds) == expected[150:]


def test_an_error_leaves_the_place_at_the_batch_that_failed():
    lines = DATA.splitlines(keepends=True)
    lines[100] = b"oops" + lines[100]
    ds = make(source=b"".join(lines))
    with pytest.raises(csvfeed.NumberError):
        list(ds)
    assert (ds.state_dict()["epoch"], ds.state_dict()["batch"]) == (0, 3)


def test_a_seed_that_was_drawn_is_taken_over():
    random.seed(1)
    ds = make().shuffle()
    epochs = [numbers_of(ds) for _ in range(2)]
    ds.load_state_dict({**ds.state_dict(), "epoch": 0, "batch": 3})
    assert numbers_of(ds) == epochs[0][90:]
    state = {**ds.state_dict(), "epoch": 0, "batch": 3}
    other = make().shuffle()
    numbers_of(other)
    other.load_state_dict(state)
    assert other.state_dict() == state
    assert numbers_of(other) == epochs[0][90:]
    assert numbers_of(other) == epochs[1]
    assert pickle.loads(pickle.dumps(other)).state_dict()["seed"] == state["seed"]


def test_the_same_file_elsewhere_goes_on(write, tmp_path):
    ds = make("shuffled", source=write(DATA, "a.csv"))
    next(iter(ds))
    expected = contents(ds)
    for source in (write(DATA, "b.csv"), DATA):
        other = make("cached and shuffled", tmp_path, source=source).shuffle(seed=4)
        other.load_state_dict({**ds.state_dict(), "epoch": 1, "batch": 0})
        assert contents(other) == expected


OTHERS = {
    "batch_size=30, where this dataset has 40": {"batch_size": 40},
    "another file": {"source": numbered(ROWS + 1)},
    "other rows: .*fill": {"fill": 1},
    "other rows": {"target": "x", "allow_target_as_feature": True},
    "other rows: the columns": {"missing": ["nothing"]},
    "other rows: .*options": {"remainder": "drop"},
    "other rows: .*memory": {"memory": MIXED},
}


@pytest.mark.parametrize("message", OTHERS)
def test_a_state_of_another_dataset_is_refused_with_the_reason(message):
    ds = make("shuffled", **OTHERS[message])
    before = ds.state_dict()
    with pytest.raises(ValueError, match=message.split(":")[0]):
        ds.load_state_dict(make("shuffled").state_dict())
    assert ds.state_dict() == before


@pytest.mark.parametrize(
    ("theirs", "ours", "message"),
    [
        ("plain", "shuffled", "in file order, and this one is shuffled"),
        ("shuffled", "plain", "shuffled, and this one is not"),
        ("plain", "split", "split, shard or lanes differ"),
        ("sharded", "plain", "split, shard or lanes differ"),
        ("split", "split by key", "split, shard or lanes differ"),
        ("shuffled", "cached and shuffled", "seed=4, this dataset 2"),
    ],
)
def test_a_state_of_other_rows_or_another_order_is_refused(theirs, ours, message, tmp_path):
    ds = make(ours, tmp_path)
    with pytest.raises(ValueError, match=message):
        ds.load_state_dict(make(theirs).state_dict())


def test_a_cache_more_or_less_makes_no_difference(tmp_path):
    ds = make("shuffled")
    list(islice(ds, 7))
    cached = make("shuffled").cache(tmp_path)
    cached.load_state_dict(ds.state_dict())
    assert contents(cached) == contents(islice(make("shuffled"), 7, None))


@pytest.mark.parametrize(
    "change",
    [
        {"version": 3},
        {"version": None},
        {"epoch": -1},
        {"batch": -1},
        {"batch": 1.5},
        {"epoch": "1"},
        {"epoch": True},
        {"seed": "4"},
        {"seed": -4},
        {"seed": 4.0},
        {"batch": 2**70},
        {"epoch": 2**70},
    ],
)
def test_what_is_no_state_is_refused(change):
    ds = make().shuffle()
    state = ds.state_dict()
    with pytest.raises(ValueError, match="state"):
        ds.load_state_dict({**state, **change})
    assert ds.state_dict() == state


def test_a_state_from_before_classes_began_with_0_is_refused_with_the_reason():
    ds = make()
    with pytest.raises(
        ValueError, match=r"version 1, .*classes .* begin with 0: begin the run anew"
    ):
        ds.load_state_dict({**ds.state_dict(), "version": 1})


@pytest.mark.parametrize("kind", ["plain", "shuffled"])
@pytest.mark.parametrize("batch", [24, 25, ROWS, 2**63 - 1])
def test_a_batch_after_the_last_leaves_nothing_of_its_epoch(kind, batch):
    ds = make(kind)
    expected = contents(make(kind))
    ds.load_state_dict({**ds.state_dict(), "batch": batch})
    assert contents(ds) == []
    ds.epochs.position.move(0, 0)
    assert contents(ds) == expected


@pytest.mark.parametrize("state", [None, {}, [], "state", {"epoch": 0, "batch": 0}])
def test_what_is_no_state_at_all_is_refused(state):
    with pytest.raises(ValueError, match="not a state of a csvfeed dataset"):
        make().load_state_dict(state)


# Everything together


def in_file_order(ds):
    """Return all rows that a dataset has, those of the remainder too, whatever its order."""
    plain = ds._ordered(replace(ds._order, seed=None, seed_is_given=False, cache=None))
    return numbers_of(plain.epochs.open(0, 0, 10**6)) if plain.num_rows else []


def table(draw):
    """Draw a dataset; return it with its rows."""
    rows = draw(st.integers(1, 300), "rows")
    lines = numbered(rows).decode().splitlines()
    has_target = [True] * rows
    if draw(st.booleans(), "skip"):
        has_target = [n % 5 != 2 for n in range(rows)]
        lines[1:] = [
            line if has else line.rsplit(",", 1)[0] + ","
            for line, has in zip(lines[1:], has_target, strict=True)
        ]
    ds = csvfeed.CsvDataset(
        "\n".join(lines).encode(),
        **NUMBERED,
        missing_target="skip",
        batch_size=draw(st.sampled_from([1, 3, 32, 400]), "batch_size"),
        remainder=draw(st.sampled_from(["keep", "drop", "pad"]), "remainder"),
        memory=draw(st.sampled_from([None, 1, 1000, MIXED]), "memory"),
        threads=draw(st.integers(1, 4), "threads"),
    )
    return ds, [n for n in range(rows) if has_target[n]]


def derive(draw, ds, model, directory):
    """Draw a dataset that is made of another with those rows; return it with its rows."""
    step = draw(st.sampled_from(["split", "by", "shard", "shuffle", "cache", "pickle"]), "step")
    if step in ("split", "by"):
        parts = ds.split(0.3, by="key" if step == "by" else None)
        rows = [in_file_order(part) for part in parts]
        if ds._order.share is None:
            assert sorted(joined(rows)) == model
        which = draw(st.integers(0, 1), "part")
        return parts[which], rows[which]
    if step == "shard":
        count = draw(st.integers(1, 3), "count")
        shards = [ds.shard(index, count) for index in range(count)]
        rows = [in_file_order(shard) for shard in shards]
        assert len({len(shard) for shard in shards}) == 1
        if ds._order.share is None:
            union = sorted(joined(rows))
            assert len(set(union)) == len(union)
            assert set(union) <= set(model)
            assert len(model) - len(union) < count * ds.batch_size
        which = draw(st.integers(0, count - 1), "index")
        return shards[which], rows[which]
    if step == "shuffle":
        return ds.shuffle(seed=draw(st.integers(0, 3), "seed")), model
    if step == "cache":
        return ds.cache(directory), model
    return pickle.loads(pickle.dumps(ds)), model


@settings(max_examples=examples(80))
@given(data=st.data())
def test_any_sequence_of_calls_gives_what_a_list_of_rows_would(tmp_path_factory, data):
    draw = data.draw
    directory = tmp_path_factory.mktemp("cache")
    ds, model = table(draw)
    for _ in range(draw(st.integers(0, 4), "steps")):
        ds, model = derive(draw, ds, model, directory)
    assert in_file_order(ds) == model
    assert ds.num_rows == len(model)
    if not model:
        return
    if ds._remainder == "drop":
        model = model[: len(ds) * ds.batch_size]
    batches = -(-len(model) // ds.batch_size)
    assert len(ds) == batches
    epochs = {}
    epoch = batch = 0
    actions = st.lists(st.sampled_from(["run", "break", "save", "jump"]), max_size=6)
    for action in draw(actions, "actions"):
        if action == "jump":
            epoch, batch = draw(st.integers(0, 3)), draw(st.integers(0, batches))
            ds.load_state_dict({**ds.state_dict(), "epoch": epoch, "batch": batch})
        elif action == "save":
            state = ds.state_dict()
            ds = pickle.loads(pickle.dumps(ds))
            ds.load_state_dict(state)
            epoch, batch = state["epoch"], state["batch"]
        else:
            taken = batches - batch if action == "run" else draw(st.integers(0, batches - batch))
            iterator = iter(ds)
            found = [numbers_of([one]) for one in islice(iterator, taken)]
            assert len(found) == taken
            if action == "run":
                assert next(iterator, None) is None
            known = epochs.setdefault(epoch, [None] * batches)
            for at, one in enumerate(found, batch):
                assert known[at] in (None, one)
                known[at] = one
            if ds._order.seed is None:
                assert joined(found) == model[batch * ds.batch_size :][: len(joined(found))]
            elif None not in known:
                assert len(set(joined(known))) == len(model)
                assert set(joined(known)) <= set(in_file_order(ds))
            epoch, batch = epoch + 1, 0


def test_values_of_a_resumed_epoch_are_the_callers_own():
    ds = make("shuffled")
    ds.epochs.position.move(1, 3)
    X, y = next(iter(ds))
    X[:] = y[:] = -1
    assert np.all(X == -1)
    ds.epochs.position.move(1, 3)
    assert numbers_of(ds)[0] >= 0
