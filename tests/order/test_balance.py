"""``balance``: classes are as frequent as asked for, to the row."""

import itertools
import json
import pickle

import numpy as np
import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import counts_of, drawn, labelled, rounded
from numbered import MIXED, NUMBERED, joined, numbers_of

import csvfeed

ROWS = 2000
LABELS = drawn(np.random.default_rng(2), ROWS, a=0.85, b=0.13, c=0.02)
DATA = labelled(LABELS)
SIZES = counts_of(LABELS, range(ROWS))
LOW, HIGH = min(SIZES.values()), max(SIZES.values())


def dataset(source=DATA, **options):
    return csvfeed.CsvDataset(source, **{**NUMBERED, **options})


def check(labels, rows, method, wanted):
    """Check the numbers of each class, and that rows come equally often, or once more."""
    assert rows == sorted(rows)
    assert counts_of(labels, rows) == wanted
    numbers, times = np.unique(rows, return_counts=True)
    if method == "undersample":
        assert times.max() == 1
        return
    assert len(numbers) == len(labels)
    for label in wanted:
        own = times[[labels[n] == label for n in numbers]]
        assert own.max() - own.min() <= 1


@pytest.mark.parametrize("memory", [None, MIXED, 1])
def test_by_default_the_classes_are_equally_frequent(memory):
    for method, size in (("undersample", LOW), ("oversample", HIGH)):
        ds = dataset(memory=memory).balance("label", method=method)
        rows = numbers_of(ds)
        check(LABELS, rows, method, dict.fromkeys("abc", size))
        assert (ds.num_rows, len(ds)) == (3 * size, -(-3 * size // 32))
        assert len(list(ds)) == len(ds)
        # The same ones in the next epoch.
        assert numbers_of(ds) == rows


def expected(sizes, ratio, method):
    """Return how many rows of each class are wanted."""
    if isinstance(ratio, float):
        low, high = min(sizes.values()), max(sizes.values())
        if method == "undersample":
            return {name: min(size, rounded(low / ratio)) for name, size in sizes.items()}
        return {name: max(size, rounded(high * ratio)) for name, size in sizes.items()}
    pick = min if method == "undersample" else max
    scale = pick(size / ratio[name] for name, size in sizes.items())
    wanted = {name: rounded(scale * ratio[name]) for name in sizes}
    if method == "undersample":
        return {name: min(max(wanted[name], 1), size) for name, size in sizes.items()}
    return {name: max(wanted[name], size) for name, size in sizes.items()}


@pytest.mark.parametrize("method", ["undersample", "oversample"])
@pytest.mark.parametrize(
    "ratio", [0.5, 0.123, {"a": 2, "b": 1, "c": 1}, {"a": 5, "c": 1.5, "b": 3}]
)
def test_the_ratio_says_how_frequent_classes_are(method, ratio):
    ds = dataset().balance(by="label", method=method, ratio=ratio, seed=7)
    check(LABELS, numbers_of(ds), method, expected(SIZES, ratio, method))


@settings(max_examples=examples(50))
@given(
    labels=st.lists(st.sampled_from("aaaabbc"), min_size=1, max_size=120),
    ratio=st.floats(0.05, 1.0),
    method=st.sampled_from(["undersample", "oversample"]),
    seed=st.integers(0, 2**63 - 1),
    options=st.sampled_from([{}, {"on_error": "skip"}, {"missing_target": "skip"}]),
)
def test_any_classes_are_balanced_to_the_row(labels, ratio, method, seed, options):
    ds = dataset(labelled(labels), **options)
    ds = ds.balance("label", method=method, ratio=ratio, seed=seed)
    wanted = expected(counts_of(labels, range(len(labels))), ratio, method)
    check(labels, numbers_of(ds), method, wanted)


def test_values_of_repeated_rows_are_those_of_the_file():
    lines = ["x,when,kind,label,y,w"]
    for n in range(300):
        target = "" if n % 7 == 3 else f"{n}"
        lines.append(f"{n}.5,2024-01-{n % 28 + 1:02},{'uv'[n % 2]},{n % 10 == 0},{target},{n % 3}")
    options = {
        "features": ["x", "when", "kind"],
        "target": "y",
        "weight": "w",
        "dates": {"when": "day"},
        "categories": {"kind": ["u", "v"]},
        "missing_target": "skip",
    }
    ds = csvfeed.CsvDataset("\n".join(lines).encode(), memory=MIXED, **options)
    plain = {row[0]: row for row in np.column_stack(ds.rows())}
    rows = np.column_stack(ds.balance("label", method="oversample").rows())
    assert len(rows) > 1.7 * len(plain)
    assert {*rows[:, 0]} == {*plain}
    np.testing.assert_array_equal(rows, np.stack([plain[x] for x in rows[:, 0]]))


@pytest.mark.parametrize("memory", [None, MIXED])
def test_a_shuffle_mixes_the_copies(memory):
    labels = ["rare" if n % 50 == 0 else "usual" for n in range(ROWS)]
    ds = dataset(labelled(labels), memory=memory).balance("label", method="oversample")
    in_order = numbers_of(ds)
    assert sum(one == other for one, other in itertools.pairwise(in_order)) > 1800
    shuffled = ds.shuffle(seed=1)
    orders = [numbers_of(shuffled) for _ in range(2)]
    assert orders[0] != orders[1]
    for order in orders:
        assert sorted(order) == in_order
        side_by_side = sum(one == other for one, other in itertools.pairwise(order))
        # At random about 24 where all rows are mixed, and 500 where 200 rows are mixed at once.
        assert side_by_side < (60 if memory is None else 700)


def test_it_does_not_depend_on_how_the_file_is_read(write):
    path = write(DATA)
    for method in ("undersample", "oversample"):
        found = numbers_of(dataset().balance("label", method=method, seed=3))
        for options in ({"threads": 1}, {"threads": 5, "batch_size": 999}, {"memory": 1}):
            again = dataset(path, **options).balance("label", method=method, seed=3)
            assert numbers_of(again) == found
        assert numbers_of(dataset().balance("label", method=method, seed=4)) != found


def test_an_epoch_is_resumed_in_the_middle():
    for method in ("undersample", "oversample"):

        def make(method=method):
            ds = dataset(memory=MIXED, batch_size=10)
            return ds.balance("label", method=method).shuffle(seed=5)

        ds = make()
        batches = iter(ds)
        numbers_of([next(batches) for _ in range(9)])
        state = json.loads(json.dumps(ds.state_dict()))
        rest, following = numbers_of(batches), numbers_of(ds)
        resumed = make()
        resumed.load_state_dict(state)
        assert (numbers_of(resumed), numbers_of(resumed)) == (rest, following)
        with pytest.raises(ValueError, match="other rows"):
            dataset(memory=MIXED, batch_size=10).balance("label", method=method, seed=1).shuffle(
                seed=5
            ).load_state_dict(state)


def test_it_goes_with_splits_shards_processes_caches_and_looks(tmp_path):
    train, held_out = dataset(batch_size=12, memory=MIXED).split(0.25, stratify="label")
    ds = train.balance("label", method="oversample")
    rows = numbers_of(ds)
    high = counts_of(LABELS, numbers_of(train))["a"]
    assert counts_of(LABELS, rows) == dict.fromkeys("abc", high)
    assert not set(rows) & set(numbers_of(held_out))
    shards = [numbers_of(ds.shard(index, 3)) for index in range(3)]
    assert len(rows) - 3 < sum(map(len, shards)) <= len(rows)
    assert len({-(-len(shard) // 12) for shard in shards}) == 1
    dropping = dataset(batch_size=12, remainder="drop", memory=MIXED)
    dropping = dropping.split(0.25, stratify="label")[0].balance("label", method="oversample")
    dealt = sorted(n for index in (0, 1) for n in numbers_of(dropping.distribute(index, 2)))
    assert len(dealt) == len(rows) // 12 * 12
    assert set(dealt) <= set(rows)
    for cached in (ds.cache(tmp_path), ds.cache(tmp_path)):
        assert numbers_of(cached) == rows
        assert numbers_of(cached) == rows
        assert sorted(numbers_of(cached.shuffle(seed=1))) == rows
    copy = pickle.loads(pickle.dumps(ds.shuffle(seed=1)))
    assert repr(copy).endswith(
        ".split(0.25, seed=0, stratify='label')[0].balance('label', method='oversample', seed=0)"
        ".shuffle(seed=1)"
    )
    assert numbers_of(copy) == numbers_of(ds.shuffle(seed=1))
    assert ds.rows(5, 9)[1].tolist() == rows[5:9]
    stats = ds.stats()["x"]
    assert stats.count == len(rows)
    assert stats.mean == pytest.approx(np.mean(rows))
    low = dataset().balance("label", method="undersample")
    parts = [numbers_of(part) for part in low.split(0.5, stratify="label")]
    assert sorted(parts[0] + parts[1]) == numbers_of(low)


def test_a_wrong_row_ends_a_balanced_epoch_where_it_is():
    lines = DATA.splitlines(keepends=True)
    lines[1234] = lines[1234].replace(b"1233,", b"oops,", 1)
    ds = dataset(b"".join(lines), batch_size=10).balance("label", method="oversample")
    good = numbers_of(dataset(batch_size=10).balance("label", method="oversample"))
    found = []
    with pytest.raises(csvfeed.NumberError) as caught:
        found.extend(numbers_of([batch]) for batch in ds)
    found = joined(found)
    assert (caught.value.line, caught.value.text) == (1235, "oops")
    before = good.index(1233)
    assert found == good[: before - before % 10]


def test_missing_classes_are_a_class():
    labels = ["a"] * 50 + [""] * 10 + ["NA"] * 5
    ds = dataset(labelled(labels))
    rows = numbers_of(ds.balance("label", method="undersample"))
    assert (len(rows), sum(n < 50 for n in rows)) == (30, 15)
    rows = numbers_of(ds.balance("label", method="undersample", ratio={"a": 2, None: 1}))
    assert (len(rows), sum(n < 50 for n in rows)) == (45, 30)


def test_what_cannot_be_balanced_is_told():
    ds = dataset()
    over = ds.balance("label", method="oversample")
    for again in (
        lambda: over.split(0.1),
        lambda: over.folds(3),
        lambda: over.balance("label", method="undersample"),
    ):
        with pytest.raises(ValueError, match=r"repeats rows.*call split\(\), folds\(\)"):
            again()
    with pytest.raises(ValueError, match="windows would have gaps"):
        over.windows(3)
    with pytest.raises(ValueError, match="method is one of 'undersample', 'oversample'"):
        ds.balance("label", method="smote")
    with pytest.raises(
        ValueError, match=r"method=.*undersample.* leaves out .*oversample.* repeats"
    ):
        ds.balance("label")
    for ratio in (0, 1.5, -1, float("nan"), {}, {"a": 0}, {"a": float("inf")}, {"1": 1, 1: 2}):
        with pytest.raises(ValueError, match="ratio"):
            ds.balance("label", method="undersample", ratio=ratio)
    for ratio in ("1", True, {"a": "1"}, {1.0: 1}, {True: 1}):
        with pytest.raises(TypeError, match="ratio"):
            ds.balance("label", method="undersample", ratio=ratio)
    for ratio, message in (
        ({"a": 1, "b": 1}, 'no number for the class "c"'),
        ({"a": 1, "b": 1, "c": 1, 0: 1}, 'names the class "0", and no row has it'),
    ):
        with pytest.raises(csvfeed.CsvError, match=message):
            iter(ds.balance("label", method="undersample", ratio=ratio))
    labels = ["rare"] + ["usual"] * 1500
    with pytest.raises(csvfeed.CsvError, match="would come more than 1000 times"):
        iter(dataset(labelled(labels)).balance("label", method="oversample"))
