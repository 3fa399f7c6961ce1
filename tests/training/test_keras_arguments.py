"""Arguments that Keras drops beside an adapter are refused, and adapters are copied."""

import copy
import pickle

import keras
import numpy as np
import pytest
from models import TABLE, X, Y, assert_same_weights, csv_of, dataset, model


@pytest.fixture
def path(write):
    return write(csv_of(TABLE))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"batch_size": 32}, r"batch_size=32 .* 10 rows.*leave it out of fit.*CsvDataset\(.*=32"),
        ({"validation_split": 0.2}, r"train, held_out = ds\.split\(0\.2.*validation_data=held_out"),
        ({"shuffle": "batch"}, r"shuffle='batch' .*ds\.shuffle\(\)\.to_keras"),
        ({"shuffle": 1000}, r"shuffle=1000 .*ds\.shuffle\(\)\.to_keras"),
    ],
)
def test_what_fit_would_ignore_is_refused_before_the_first_step(path, given, says):
    built = model()
    with pytest.raises(ValueError, match=says):
        built.fit(dataset(path).to_keras(), **given, verbose=0)
    assert int(built.optimizer.iterations) == 0


def test_another_size_of_batches_is_refused_of_validation_evaluation_and_prediction(path):
    data = dataset(path).to_keras()
    with pytest.raises(ValueError, match=r"validation_batch_size=5 .* 10 rows"):
        model().fit(data, validation_data=data, validation_batch_size=5, verbose=0)
    with pytest.raises(ValueError, match="leave it out of evaluate"):
        model().evaluate(data, batch_size=5, verbose=0)
    with pytest.raises(ValueError, match="leave it out of predict"):
        model().predict(data, batch_size=5, verbose=0)


def test_what_changes_nothing_is_taken(path):
    data = dataset(path).to_keras()
    options = {"batch_size": 10, "validation_data": data, "validation_batch_size": 10}
    model().fit(data, **options, validation_split=0.2, shuffle=False, verbose=0)
    # The batch_size is that of the arrays.
    history = model(rate=0.0).fit(X, Y, batch_size=50, validation_data=data, verbose=0).history
    np.testing.assert_allclose(history["val_loss"], history["loss"], rtol=1e-5)


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("options", [{}, {"class_weight": {1: 3.0}}], ids=["plain", "weighted"])
def test_a_copy_trains_as_the_adapter_does(path, trained, options):
    data = dataset(path).shuffle(seed=3).to_keras(**options)
    expected = model()
    expected.fit(dataset(path).shuffle(seed=3).to_keras(**options), verbose=0)
    if trained:
        other = model()
        other.fit(data, validation_data=data, verbose=0)
        other.predict(data, verbose=0)
    for copied in (copy.deepcopy(data), copy.copy(data), pickle.loads(pickle.dumps(data))):
        assert copied is not data
        assert repr(copied) == repr(data)
    for copied in (copy.deepcopy(data), pickle.loads(pickle.dumps(data))):
        assert copied.dataset is not data.dataset
        found = model()
        found.fit(copied, verbose=0)
        assert_same_weights(found, expected)


def test_a_copy_keeps_the_names_of_the_features(path):
    data = pickle.loads(pickle.dumps(dataset(path).to_keras(as_dict=True)))
    named, _ = next(data.get_numpy_iterator())
    assert list(named) == ["a", "b", "c"]
    inputs = {name: keras.Input((1,), name=name) for name in named}
    built = keras.Model(
        inputs, keras.layers.Dense(1)(keras.layers.Concatenate()([*inputs.values()]))
    )
    built.compile("sgd", "mse")
    built.fit(data, verbose=0)
    assert int(built.optimizer.iterations) == 11
