"""``predictions`` and ``with_ids`` of rows that a model of Keras predicts."""

import warnings

import keras
import numpy as np
import pytest
from models import seeded

import csvfeed

ROWS = 50
TEXT = "order,a,b,y\n" + "".join(f"A-{n},{n % 7},{n % 3}.5,{n}\n" for n in range(ROWS))


def dataset(**options):
    return csvfeed.CsvDataset(
        TEXT.encode(),
        **{"features": ["a", "b"], "target": None, "ids": ["order"], "batch_size": 8, **options},
    )


def dense(units, **options):
    return keras.layers.Dense(units, kernel_initializer=seeded(), **options)


def collected(pairs):
    """Return all ids, and the predictions of all rows by output."""
    ids, values = zip(*pairs, strict=True)
    assert all(isinstance(one, np.ndarray) for batch in values for one in outputs_of(batch))
    parts = [np.concatenate(one) for one in zip(*map(outputs_of, values), strict=True)]
    return [order for one in ids for order in one["order"]], parts


def outputs_of(values):
    if isinstance(values, dict):
        return list(values.values())
    return values if isinstance(values, list) else [values]


def flat(batch):
    ids, *rest = batch
    return ids["order"], *rest


def models():
    inputs = keras.Input((2,))
    named = {name: keras.Input((1,), name=name) for name in ("a", "b")}
    joined = keras.layers.Concatenate()(list(named.values()))
    return {
        "one": keras.Model(inputs, dense(1)(inputs)),
        "dict": keras.Model(inputs, {"p": dense(1)(inputs), "q": dense(3)(inputs)}),
        "list": keras.Model(inputs, [dense(1)(inputs), dense(3)(inputs)]),
        "by name": keras.Model(named, dense(2)(joined)),
    }


@pytest.mark.parametrize("kind", ["one", "dict", "list", "by name"])
@pytest.mark.parametrize("remainder", ["keep", "pad"])
def test_predictions_are_those_of_predict(kind, remainder):
    model, as_dict = models()[kind], kind == "by name"
    ds = dataset(remainder=remainder)
    ids, found = collected(ds.predictions(model, as_dict=as_dict))
    assert ids == [f"A-{n}" for n in range(ROWS)]
    expected = outputs_of(model.predict(dataset().to_keras(as_dict=as_dict), verbose=0))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_window_is_predicted_with_the_id_of_its_last_row():
    ds = dataset().windows(4)
    inputs = keras.Input((4, 2))
    model = keras.Model(inputs, dense(1)(keras.layers.LSTM(2)(inputs)))
    ids, (found,) = collected(ds.predictions(model))
    assert ids == [f"A-{n}" for n in range(3, ROWS)]
    np.testing.assert_allclose(found, model.predict(ds, verbose=0), rtol=1e-5, atol=1e-6)


def test_ids_stay_with_their_rows_while_a_model_trains_on_a_shuffle():
    ds = dataset(target="y").shuffle(seed=1)
    model = models()["one"]
    model.compile("sgd", "mae")
    model.fit(ds, epochs=2, verbose=0)
    ids, _, y = (np.concatenate(one) for one in zip(*map(flat, ds.with_ids()), strict=True))
    seen = [*zip(ids, y, strict=True)]
    assert seen != sorted(seen, key=lambda pair: pair[1])
    assert sorted(seen, key=lambda pair: pair[1]) == [(f"A-{n}", n) for n in range(ROWS)]


@pytest.mark.backend("torch")
def test_a_net_of_plain_pytorch_predicts():
    torch = pytest.importorskip("torch")
    net = torch.nn.Linear(2, 1)
    ids, (found,) = collected(
        dataset().predictions(lambda X: net(torch.from_numpy(X)).numpy(force=True))
    )
    assert ids == [f"A-{n}" for n in range(ROWS)]
    X = np.concatenate([X for (X,) in dataset()])
    np.testing.assert_allclose(found, net(torch.from_numpy(X)).numpy(force=True), rtol=1e-5)


def test_predictions_in_a_shuffled_order_are_warned_of_once():
    model = models()["one"]
    data = dataset().shuffle(seed=0).to_keras()
    with pytest.warns(RuntimeWarning, match="predict returns predictions in the order of"):
        model.predict(data, verbose=0)
    for quiet in (data, dataset().to_keras()):
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            model.predict(quiet, verbose=0)
