"""Keras takes a dataset as it is."""

import pickle
import sys

import numpy as np
import pytest
from models import TABLE, X, Y, assert_same_weights, csv_of, dataset, model

import csvfeed
from csvfeed import CsvDataset


@pytest.fixture
def path(write):
    return write(csv_of(TABLE))


def test_fit_evaluate_and_predict_take_a_dataset_as_they_take_to_keras(path):
    found, expected = model(metrics=["mae"]), model(metrics=["mae"])
    ds, data = dataset(path).shuffle(seed=1), dataset(path).shuffle(seed=1).to_keras()
    held_out = dataset(path)
    same = found.fit(ds, validation_data=held_out, epochs=3, verbose=0)
    history = expected.fit(data, validation_data=held_out.to_keras(), epochs=3, verbose=0).history
    for name, values in history.items():
        np.testing.assert_allclose(same.history[name], values, rtol=1e-5)
    assert_same_weights(found, expected)
    assert ds.epochs.position.next == (3, 0)
    np.testing.assert_allclose(
        found.evaluate(held_out, verbose=0), expected.evaluate(X, Y, verbose=0), rtol=1e-5
    )
    np.testing.assert_allclose(
        found.predict(held_out, verbose=0), expected.predict(X, verbose=0), rtol=1e-4, atol=1e-6
    )


def test_a_dataset_that_was_fed_is_one_still(path):
    ds = dataset(path)
    built = model()
    built.fit(ds, validation_data=ds, verbose=0)
    assert isinstance(ds, CsvDataset)
    assert type(ds) is CsvDataset
    # Other rows are fed by an adapter of their own.
    for rows in (*ds.split(0.5), pickle.loads(pickle.dumps(ds))):
        assert len(built.predict(rows, verbose=0)) == rows.num_rows
        assert rows.num_batches == len(rows)
    assert isinstance(ds.shuffle(seed=0), CsvDataset)
    with pytest.raises(AttributeError, match="no attribute 'shape'"):
        ds.shape  # noqa: B018


def test_what_keras_ignores_is_refused_beside_a_dataset_too(path):
    ds = dataset(path)
    for given, says in (
        ({"batch_size": 32}, "batch_size=32"),
        ({"class_weight": {0: 1.0}}, "class_weight"),
        ({"y": Y}, "target="),
        ({"validation_split": 0.2}, "validation_split"),
        ({"validation_data": ds, "validation_batch_size": 5}, "validation_batch_size=5"),
    ):
        with pytest.raises(ValueError, match=says):
            model().fit(ds, **given, verbose=0)


def test_a_wrong_row_ends_fit_of_a_dataset(write):
    path = write("a,y\n1,2\nx,3\n")
    ds = CsvDataset(path)
    for use in (
        lambda: model(inputs=1).fit(ds, verbose=0),
        lambda: model(inputs=1).evaluate(ds, verbose=0),
    ):
        with pytest.raises(csvfeed.NumberError) as caught:
            use()
        assert (caught.value.line, caught.value.column_name) == (3, "a")


def test_without_an_adapter_keras_refuses_a_dataset(path, monkeypatch):
    # As it is where Keras is too old: nothing is guessed.
    class Unlike(CsvDataset):
        pass

    monkeypatch.setitem(sys.modules, "csvfeed.train.keras_internals", None)
    with pytest.raises(ValueError, match="Unrecognized data type"):
        model().fit(dataset(path, Unlike), verbose=0)
