"""``folds``: each row is held out once, and the folds are of equal size."""

import numpy as np
import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import counts_of, drawn, labelled
from numbered import MIXED, NUMBERED, joined, numbered, numbers_of

import csvfeed

ROWS = 2000
LABELS = drawn(np.random.default_rng(1), ROWS, a=0.7, b=0.25, c=0.05)
DATA = labelled(LABELS)


def dataset(source=DATA, **options):
    return csvfeed.CsvDataset(source, **{**NUMBERED, **options})


def held_out_of(pairs, rows):
    """Return the rows of each fold, after a look at the rows to train on."""
    folds = []
    for train, held_out in pairs:
        folds.append(numbers_of(held_out) if held_out.num_rows else [])
        assert folds[-1] == sorted(folds[-1])
        rest = numbers_of(train) if train.num_rows else []
        assert rest == [n for n in range(rows) if n not in set(folds[-1])]
        assert [train.num_rows, held_out.num_rows] == [len(rest), len(folds[-1])]
    assert sorted(n for fold in folds for n in fold) == list(range(rows))
    return folds


def differ_by_one(numbers):
    return max(numbers) - min(numbers) <= 1


@pytest.mark.parametrize("memory", [None, MIXED, 1])
@pytest.mark.parametrize("count", [2, 5, 7])
def test_folds_are_disjoint_and_complete_and_of_equal_size(memory, count):
    folds = held_out_of(dataset(memory=memory).folds(count, seed=4), ROWS)
    assert len(folds) == count
    assert differ_by_one([len(fold) for fold in folds])
    for fold in folds:
        # From all over the file.
        assert np.histogram(fold, bins=4, range=(0, ROWS))[0].min() > 0.8 * ROWS / count / 4


@pytest.mark.parametrize("memory", [None, MIXED])
def test_stratified_folds_are_of_equal_size_in_each_class_and_in_all(memory):
    folds = held_out_of(dataset(memory=memory).folds(5, seed=4, stratify="label"), ROWS)
    assert differ_by_one([len(fold) for fold in folds])
    for label in "abc":
        assert differ_by_one([counts_of(LABELS, fold)[label] for fold in folds])


@settings(max_examples=examples(25))
@given(
    labels=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=80),
    count=st.integers(2, 9),
    seed=st.integers(0, 2**63 - 1),
    stratify=st.sampled_from([None, "label"]),
)
def test_any_rows_are_dealt_evenly(labels, count, seed, stratify):
    pairs = dataset(labelled(labels)).folds(count, seed=seed, stratify=stratify)
    folds = held_out_of(pairs, len(labels))
    assert differ_by_one([len(fold) for fold in folds])
    for label in set(labels) if stratify else ():
        assert differ_by_one([counts_of(labels, fold).get(label, 0) for fold in folds])


@pytest.mark.parametrize("memory", [None, MIXED])
def test_rows_with_the_same_key_are_in_the_same_fold(memory):
    ds = dataset(numbered(ROWS), memory=memory)
    folds = held_out_of(ds.folds(4, seed=1, by="key"), ROWS)
    keys = [{n * n % 97 for n in fold} for fold in folds]
    assert sum(map(len, keys)) == len(set().union(*keys)) == 49
    assert min(map(len, keys)) > 3


def test_folds_are_the_same_however_the_file_is_read(write):
    data = numbered(ROWS)
    path = write(data)
    for options in ({}, {"by": "key"}, {"stratify": "key"}):
        expected = held_out_of(dataset(data).folds(3, seed=2, **options), ROWS)
        other = dataset(path, threads=1, batch_size=7, memory=1).shuffle(seed=1)
        found = [sorted(numbers_of(held)) for _, held in other.folds(3, seed=2, **options)]
        assert found == expected
        others = held_out_of(dataset(data).folds(3, seed=3, **options), ROWS)
        assert others != expected
    # They are the same in every version: models were compared by them.
    assert [numbers_of(held) for _, held in dataset(numbered(12)).folds(3)] == FOLDS


FOLDS = [[3, 7, 9, 10], [1, 2, 6, 8], [0, 4, 5, 11]]


def test_folds_go_with_splits_shards_shuffles_and_states():
    ds = dataset(batch_size=10, memory=MIXED)
    rest, test = ds.split(0.2, stratify="label")
    folds = [numbers_of(held) for _, held in rest.folds(4, stratify="label")]
    assert sorted(n for fold in folds for n in fold) == numbers_of(rest)
    within = [numbers_of(part) for part in rest.folds(4)[2][0].split(0.5)]
    assert sorted(within[0] + within[1]) == numbers_of(rest.folds(4)[2][0])
    inner = [numbers_of(held) for _, held in ds.folds(3)[0][0].folds(3)]
    assert sorted(n for fold in inner for n in fold) == numbers_of(ds.folds(3)[0][0])
    assert not set(numbers_of(test)) & {n for fold in folds for n in fold}
    train = ds.folds(5, stratify="label")[1][0].shuffle(seed=1)
    assert repr(train).endswith(".folds(5, seed=0, stratify='label')[1][0].shuffle(seed=1)")
    batches = iter(train)
    numbers_of([next(batches) for _ in range(5)])
    again = dataset(batch_size=10, memory=MIXED).folds(5, stratify="label")[1][0].shuffle(seed=1)
    again.load_state_dict(train.state_dict())
    assert numbers_of(again) == numbers_of(batches)
    other = ds.folds(5, stratify="label")[2][0].shuffle(seed=1)
    with pytest.raises(ValueError, match="other rows"):
        other.load_state_dict(train.state_dict())
    shares = [numbers_of(ds.folds(5)[0][0].shard(index, 3)) for index in range(3)]
    assert len(set(joined(shares))) == sum(map(len, shares)) > 0.8 * ROWS - 3


def test_folds_by_key_go_with_windows():
    ds = dataset(numbered(300)).windows(1)
    assert sum(held.num_rows for _, held in ds.folds(3, by="key")) == 300
    with pytest.raises(ValueError, match="windows would have gaps"):
        ds.folds(3)


def test_what_makes_no_folds_is_told():
    for count in (0, 1, -3, 2.5, "5"):
        with pytest.raises(ValueError, match=r"folds are at least 2|count is a whole number"):
            dataset().folds(count)
    with pytest.raises(ValueError, match="give one of them"):
        dataset().folds(3, by="x", stratify="label")
    with pytest.raises(TypeError, match="csvfeed calls it count="):
        dataset().folds(n_splits=3)
    with pytest.raises(TypeError, match=r"folds\(5, seed=3\)"):
        dataset().folds(5, 3)
    with pytest.raises(csvfeed.CsvError, match='by= asks for column "user"'):
        dataset().folds(3, by="user")
