"""Shuffled in a twentieth of its size, a file trains a model as well as arrays in memory do."""

import numpy as np
import pytest

import csvfeed

# This test does not use Keras, so one backend is enough.
pytestmark = pytest.mark.backend("tensorflow")

ROWS = 400_000
FEATURES = 4
BATCH_SIZE = 250
ROW_BYTES = 4 * (FEATURES + 1)


def sorted_by_label(path):
    """Write a file of which all rows of label 0 come first, and return its content."""
    rng = np.random.default_rng(0)
    X = rng.integers(-400, 400, size=(ROWS, FEATURES)) / np.float32(200)
    y = (X @ np.array([1, -2, 0.5, 1]) + rng.logistic(size=ROWS) > 0).astype(np.float32)
    order = np.argsort(y, kind="stable")
    X, y = X[order], y[order]
    row = ",".join(["%.3f"] * FEATURES) + ",%d\n"
    path.write_text(row * ROWS % tuple(np.column_stack([X, y]).ravel().tolist()))
    return X, y


def trained_loss(epochs, X, y):
    """Return the mean loss over all rows of a logistic regression, trained on batches by SGD."""
    weights, bias = np.zeros(FEATURES), 0.0
    for batches in epochs:
        for features, labels in batches:
            error = 1 / (1 + np.exp(-(features @ weights + bias))) - labels
            weights -= 0.1 * (error @ features) / len(labels)
            bias -= 0.1 * error.mean()
    # Not that of the batches, which is low on a run of rows of one label.
    return np.logaddexp(0, np.where(y > 0, -1, 1) * (X @ weights + bias)).mean()


def permuted(X, y, epoch):
    order = np.random.default_rng(epoch).permutation(ROWS)
    for start in range(0, ROWS, BATCH_SIZE):
        rows = order[start : start + BATCH_SIZE]
        yield X[rows], y[rows]


def test_the_loss_is_that_of_a_full_shuffle_on_a_sorted_file_twenty_times_the_memory(tmp_path):
    path = tmp_path / "sorted.csv"
    X, y = sorted_by_label(path)
    memory = ROWS * ROW_BYTES // 20
    ds = csvfeed.CsvDataset(path, header=False, batch_size=BATCH_SIZE, memory=memory)
    shuffled = ds.shuffle(seed=0)
    full = trained_loss((permuted(X, y, epoch) for epoch in range(2)), X, y)
    ours = trained_loss((shuffled for _ in range(2)), X, y)
    unshuffled = trained_loss((ds for _ in range(2)), X, y)
    assert abs(ours / full - 1) < 0.02
    assert unshuffled > 1.1 * full
