"""Balanced classes as what models train on."""

import keras
import numpy as np
import pytest
from labelled import counts_of, drawn, labelled
from models import seeded

import csvfeed

LABELS = drawn(np.random.default_rng(2), 600, a=0.85, b=0.13, c=0.02)
DATA = labelled(LABELS)


def dataset(**options):
    return csvfeed.CsvDataset(
        DATA,
        **{
            "features": ["x"],
            "target": "label",
            "categories": {"label": "auto"},
            "batch_size": 50,
            **options,
        },
    )


def model():
    built = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Rescaling(1 / len(LABELS)),
            keras.layers.Dense(3, activation="softmax", kernel_initializer=seeded()),
        ]
    )
    built.compile("sgd", "sparse_categorical_crossentropy")
    return built


@pytest.mark.parametrize("method", ["undersample", "oversample"])
def test_fit_trains_on_balanced_rows_as_on_arrays(method):
    ds = dataset().balance("label", method=method).shuffle(seed=0)
    arrays = [np.concatenate(part) for part in zip(*ds, strict=True)]
    assert len(set(np.unique(arrays[1], return_counts=True)[1])) == 1
    again = dataset().balance("label", method=method).shuffle(seed=0)
    ours, theirs = model(), model()
    ours.fit(again, validation_data=dataset().to_keras(), verbose=0)
    theirs.fit(*arrays, batch_size=50, shuffle=False, verbose=0)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.backend("torch")
@pytest.mark.parametrize("workers", [0, 2])
def test_to_torch_repeats_the_rows_of_rare_classes(workers):
    torch = pytest.importorskip("torch")
    ds = dataset().balance("label", method="oversample").shuffle(seed=0)
    loader = torch.utils.data.DataLoader(ds.to_torch(), batch_size=None, num_workers=workers)
    found = sorted(x for X, _ in loader for x in X[:, 0].int().tolist())
    most = max(counts_of(LABELS, range(len(LABELS))).values())
    counts = counts_of(LABELS, found)
    # Shards are of equal size, and leave out a row at most.
    assert 3 * most - sum(counts.values()) == (3 * most % workers if workers else 0)
    assert all(most - count <= 1 for count in counts.values())


def test_each_fold_is_held_out_once():
    seen = []
    for train, held_out in dataset(ids=["x"]).folds(3, seed=1, stratify="label"):
        built = model()
        built.fit(train.shuffle(seed=0), validation_data=held_out.to_keras(), verbose=0)
        seen += [int(one) for ids, _ in held_out.predictions(built) for one in ids["x"]]
    assert sorted(seen) == list(range(len(LABELS)))
