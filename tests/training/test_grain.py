"""Into Grain; ``make test-distributed`` runs this."""

import numpy as np
import pytest
from models import TABLE, csv_of, dataset

pytest.importorskip("grain")

import csvfeed


@pytest.fixture
def ds(write):
    return dataset(write(csv_of(TABLE)), batch_size=8, remainder="drop").shuffle(seed=0)


def targets(batches):
    return [y.tolist() for _, y in batches]


def epoch(ds, number):
    return targets(ds.epochs.open(number))


def test_each_iteration_is_an_epoch(ds):
    data = ds.to_grain()
    assert [targets(data) for _ in range(2)] == [epoch(ds, 0), epoch(ds, 1)]


def test_transformations_apply(ds):
    data = ds.to_grain().map(lambda batch: batch[1] * 2).batch(2, drop_remainder=True)
    np.testing.assert_array_equal(np.concatenate(list(data)), np.array(epoch(ds, 0)) * 2)


def test_outputs_are_dicts(write):
    ds = dataset(
        write(csv_of(TABLE)), features=["a"], target={"one": "y", "two": ["w"]}, weight={"two": "c"}
    )
    for found, (_, y, w) in zip(ds.to_grain(), list(ds), strict=True):
        for part, expected in ((found[1], y), (found[2], w)):
            assert list(part) == ["one", "two"]
            for name, array in expected.items():
                np.testing.assert_array_equal(part[name], array)
    data = ds.to_grain().map(lambda batch: batch[1]["two"] * 2)
    np.testing.assert_array_equal(np.concatenate(list(data))[:, 0], TABLE[:, 4] * 2)


@pytest.mark.parametrize("taken", [0, 5, 12])
def test_an_iterator_goes_on_from_its_state(ds, taken):
    iterator = iter(ds.to_grain())
    for _ in range(taken):
        next(iterator)
    other = iter(ds.to_grain())
    other.set_state(iterator.get_state())
    undisturbed = [*epoch(ds, 0), *epoch(ds, 1)]
    assert targets(other) == undisturbed[taken : 12 if taken < 12 else None]


def test_a_worker_reads_its_share(ds):
    parts = [ds.to_grain() for _ in range(2)]
    for worker, part in enumerate(parts):
        part.set_slice(slice(worker, None, 2))
    assert [targets(part) for part in parts] == [epoch(ds.shard(at, 2), 0) for at in range(2)]


def test_a_process_of_several_reads_its_part(ds):
    parts = [targets(ds.distribute(index, 2, lanes=4).to_grain()) for index in range(2)]
    whole = targets(ds.distribute(0, 1, lanes=4))
    assert [a + b for a, b in zip(*parts, strict=True)] == whole


def rows_of(batches):
    return [np.column_stack([X.reshape(len(X), -1), y]).tolist() for X, y in batches]


ROWS = "".join(f"{n},{n} {n % 5},{'a|b' if n % 3 else 'b'},{n % 4 == 0:d}\n" for n in range(200))
CHOICES = {
    "lists": lambda ds: ds,
    "where": lambda ds: ds.where({"y": 0}),
    "fold": lambda ds: ds.folds(3, stratify="y")[0][0],
    "balanced": lambda ds: ds.balance("y", method="oversample"),
    "windows": lambda ds: ds.windows(4),
}


@pytest.mark.parametrize("choice", CHOICES)
def test_processes_share_whatever_rows_are_chosen(choice):
    ds = csvfeed.CsvDataset(
        f"x,v,tags,y\n{ROWS}".encode(),
        lists={"v": csvfeed.List(2), "tags": csvfeed.MultiHot()},
        batch_size=8,
        remainder="drop",
    )
    ds = CHOICES[choice](ds).shuffle(seed=1)
    parts = [rows_of(ds.distribute(index, 2, lanes=4).to_grain()) for index in range(2)]
    whole = rows_of(ds.distribute(0, 1, lanes=4))
    assert len(whole) > 5
    assert [a + b for a, b in zip(*parts, strict=True)] == whole


def test_workers_and_states_of_a_mix(ds):
    mixed = csvfeed.mix([ds, ds], seed=1)
    part = mixed.to_grain()
    part.set_slice(slice(1, None, 2))
    shards = csvfeed.mix([ds.shard(1, 2), ds.shard(1, 2)], seed=1)
    assert targets(part) == targets(shards)
    iterator = iter(mixed.to_grain())
    for _ in range(3):
        next(iterator)
    other = iter(mixed.to_grain())
    other.set_state(iterator.get_state())
    assert targets(other) == targets(csvfeed.mix([ds, ds], seed=1))[3:]
