"""Into PyTorch; ``make test-torch`` runs this."""

import numpy as np
import pytest
from models import TABLE, W, X, Y, csv_of, dataset

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402 - not without torch

pytestmark = pytest.mark.backend("torch")


@pytest.fixture
def path(write):
    return write(csv_of(TABLE))


def rows_of(batches):
    return [torch.cat(part).numpy() for part in zip(*batches, strict=True)]


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({}, [X, Y]),
        ({"weight": "w"}, [X, Y, W]),
        ({"target": None}, [X]),
        ({"target": ["y", "w"]}, [X, TABLE[:, 3:]]),
    ],
)
def test_the_elements_are_the_batches_of_the_dataset(path, options, parts):
    data = dataset(path, **options).to_torch()
    assert isinstance(data, torch.utils.data.IterableDataset)
    assert len(data) == len(DataLoader(data, batch_size=None)) == 11
    for batches in (list(data), list(DataLoader(data, batch_size=None))):
        assert [len(batch[0]) for batch in batches] == [10] * 10 + [3]
        assert all(part.dtype == torch.float32 for part in batches[0])
        for found, part in zip(rows_of(batches), parts, strict=True):
            np.testing.assert_array_equal(found, part)


def test_a_tensor_shares_the_memory_of_the_array(path, monkeypatch):
    ds = dataset(path)
    arrays = list(ds)
    monkeypatch.setattr(type(ds), "__iter__", lambda _: iter(arrays))
    for tensors, batch in zip(ds.to_torch(), arrays, strict=True):
        for tensor, array in zip(tensors, batch, strict=True):
            assert tensor.data_ptr() == array.ctypes.data


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
@pytest.mark.parametrize("persistent", [False, True])
def test_workers_share_the_rows(path, workers, persistent):
    ds = dataset(path, batch_size=7)
    loader = DataLoader(
        ds.to_torch(),
        batch_size=None,
        num_workers=workers,
        persistent_workers=persistent and workers > 0,
    )
    for _ in range(3):
        X_found, y_found = rows_of(loader)
        order = np.argsort(y_found)
        shares = [
            np.concatenate([y for _, y in ds.shard(at, workers).epochs.open(0)])
            for at in range(workers)
        ]
        expected = np.sort(np.concatenate(shares) if shares else Y)
        np.testing.assert_array_equal(y_found[order], expected)
        assert len(np.unique(y_found)) == len(np.unique(expected))
        rows = {tuple(row) for row in np.column_stack([X, Y]).tolist()}
        assert {(*x, y) for x, y in zip(X_found.tolist(), y_found.tolist(), strict=True)} <= rows


@pytest.mark.parametrize("persistent", [False, True])
def test_workers_read_one_epoch_after_the_other(path, persistent):
    ds = dataset(path, batch_size=7).shuffle(seed=0)
    options = {"batch_size": None, "num_workers": 2, "persistent_workers": persistent}
    loader = DataLoader(ds.to_torch(), **options)
    for epoch in range(3):
        found = [y.tolist() for _, y in loader]
        for worker in range(2):
            own = [y.tolist() for _, y in ds.shard(worker, 2).epochs.open(epoch)]
            assert found[worker::2] == own


@pytest.mark.parametrize("remainder", ["drop", "pad"])
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_workers_of_a_distributed_dataset_take_lanes(path, workers, remainder):
    ds = dataset(path, batch_size=8, remainder=remainder).shuffle(seed=0)
    parts = [ds.distribute(index, 2, lanes=4) for index in range(2)]
    loaders = [DataLoader(one.to_torch(), batch_size=None, num_workers=workers) for one in parts]
    for _ in range(2):
        epochs = [[tensors[1] for tensors in loader] for loader in loaders]
        assert len({len(batches) for batches in epochs}) == 1
        assert {len(y) for batches in epochs for y in batches} == {4}
        found = [y for batches in epochs for y in torch.cat(batches).tolist()]
        steps = 103 // (8 * max(1, workers)) * max(1, workers)
        if remainder == "drop":
            assert len(set(found)) == len(found) == 8 * steps
        else:
            assert set(Y.tolist()) <= set(found)


@pytest.mark.parametrize(
    "change",
    [
        lambda ds: ds.where({"a": (0, None)}),
        lambda ds: ds.skip(3).take(90),
        lambda ds: ds.folds(3, seed=1)[0][0],
        lambda ds: ds.windows(3),
    ],
)
def test_workers_share_whatever_rows_are_chosen(path, change):
    ds = change(dataset(path, batch_size=8, remainder="pad")).shuffle(seed=0)
    parts = [ds.distribute(index, 2, lanes=4) for index in range(2)]
    loaders = [DataLoader(one.to_torch(), batch_size=None, num_workers=2) for one in parts]
    found = [[y[w > 0] for _, y, w in loader] for loader in loaders]
    assert len({len(batches) for batches in found}) == 1
    everything = sorted(y for batches in found for y in torch.cat(batches).tolist())
    assert everything == sorted(y for _, Y, w in ds for y in Y[w > 0].tolist())


def test_lanes_that_workers_cannot_share_are_refused(path):
    ds = dataset(path, batch_size=8, remainder="drop").distribute(0, 2)
    with pytest.raises(ValueError, match=r"distribute\(\.\.\., lanes=6\), or num_workers=0"):
        ds.part_of_worker(0, 3)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stateful_loader_resumes_at_once(path, workers):
    stateful = pytest.importorskip("torchdata.stateful_dataloader").StatefulDataLoader

    def loader():
        ds = dataset(path, batch_size=4).shuffle(seed=0)
        return stateful(ds.to_torch(), batch_size=None, num_workers=workers)

    whole = loader()
    undisturbed = [[y.tolist() for _, y in whole] for _ in range(2)]
    first = loader()
    iterator = iter(first)
    for _ in range(9):
        next(iterator)
    state = first.state_dict()
    second = loader()
    second.load_state_dict(state)
    rest = [[y.tolist() for _, y in second] for _ in range(2)]
    assert rest == [undisturbed[0][9:], undisturbed[1]]


def test_no_batch_is_an_error(path):
    with pytest.raises(ValueError, match=r"no batch.*103 rows"):
        dataset(path, batch_size=104, remainder="drop").to_torch()


def test_a_model_of_plain_pytorch_learns(path):
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(layer.parameters(), 0.05)
    data, losses = dataset(path).to_torch(), []
    for _ in range(5):
        total = 0.0
        for x, y in data:
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(layer(x)[:, 0], y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total)
    assert losses[-1] < losses[0]
