"""Stacks of batches, which Keras asks of an adapter on JAX since 3.16."""

import numpy as np
import pytest
from models import TABLE, csv_of, dataset

ROWS = len(TABLE)


@pytest.fixture
def path(write):
    return write(csv_of(TABLE))


def batches(execution):
    """Return the batches that Keras makes of what one execution of several steps is given."""
    if isinstance(execution, list):
        return execution
    return [tuple(array[at] for array in execution) for at in range(len(execution[0]))]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 10, 11, 12, 64, 100])
@pytest.mark.parametrize("remainder", ["keep", "drop", "pad"])
def test_each_execution_has_as_many_batches_and_the_rows_of_iteration(path, size, remainder):
    ds = dataset(path, remainder=remainder)
    data = ds.to_keras()
    executions = list(data.get_jax_iterator(super_batch=size))
    assert len(executions) == -(-data.num_batches // size)
    for execution in executions[:-1]:
        assert isinstance(execution, tuple)
        assert execution[0].shape == (size, 10, 3)
        assert execution[1].shape == (size, 10)
    last = batches(executions[-1])
    assert len(last) == data.num_batches - size * (len(executions) - 1)
    # A stack has the batches of one shape.
    assert isinstance(executions[-1], list) == (remainder == "keep" and len(last) > 1)
    found = [batch for execution in executions for batch in batches(execution)]
    for one, other in zip(found, ds, strict=True):
        for array, expected in zip(one, other, strict=True):
            np.testing.assert_array_equal(array, expected)


def test_groups_of_many_batches_are_cut_into_whole_stacks(path):
    # 103 batches are read 64 at a time.
    data = dataset(path, batch_size=1).to_keras()
    for size in (7, 50, 63, 64, 65):
        lengths = [len(X) for X, _ in data.get_jax_iterator(super_batch=size)]
        assert lengths == [*[size] * (ROWS // size), *([ROWS % size] if ROWS % size else [])]


def test_features_by_name_and_weights_are_stacked_too(path):
    data = dataset(path, weight="w").to_keras(as_dict=True)
    named, y, w = next(data.get_jax_iterator(super_batch=4))
    assert {name: column.shape for name, column in named.items()} == dict.fromkeys(
        "abc", (4, 10, 1)
    )
    assert y.shape == w.shape == (4, 10)
    np.testing.assert_array_equal(named["b"][3, :, 0], TABLE[30:40, 1])
