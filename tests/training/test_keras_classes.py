"""Text classes, trained for real on the backend that ``KERAS_BACKEND`` names."""

import keras
import numpy as np
import pytest
from models import seeded

from csvfeed import CsvDataset

CENTRES = {"setosa": (-3, 0), "versicolor": (3, 0), "virginica": (0, 4)}


def table_of(kinds, rows=150):
    """Return a table whose classes stand far apart."""
    random = np.random.default_rng(0)
    lines = []
    for row in range(rows):
        kind = kinds[row % len(kinds)]
        x, y = np.array(CENTRES[kind]) + random.uniform(-0.5, 0.5, 2)
        lines.append(f"{x:.4f},{kind},{y:.4f}\n")
    return "petal,species,sepal\n" + "".join(lines)


def trained(ds, last, loss, **options):
    model = keras.Sequential([keras.Input((2,)), last])
    model.compile(keras.optimizers.Adam(0.2), loss, metrics=["accuracy"])
    model.fit(ds.shuffle(seed=0).to_keras(**options), epochs=30, verbose=0)
    return model


@pytest.mark.parametrize("categories", ["auto", ["virginica", "setosa", "versicolor"]])
def test_three_classes_train_with_three_outputs(write, categories):
    path = write(table_of(list(CENTRES)))
    ds = CsvDataset(path, target="species", categories={"species": categories}, batch_size=25)
    last = keras.layers.Dense(ds.num_classes, activation="softmax", kernel_initializer=seeded())
    assert last.units == 3
    model = trained(ds, last, "sparse_categorical_crossentropy")
    loss, accuracy = model.evaluate(ds.to_keras(), verbose=0)
    assert loss < 0.02
    assert accuracy == 1
    found = model.predict(np.array(list(CENTRES.values()), np.float32), verbose=0)
    assert [ds.classes[at] for at in found.argmax(axis=1)] == list(CENTRES)


def test_two_classes_train_with_one_output_and_weights_by_name(write):
    path = write(table_of(["versicolor", "setosa"]))
    ds = CsvDataset(path, target="species", categories={"species": "auto"}, batch_size=25)
    assert ds.classes == ["setosa", "versicolor"]
    last = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=seeded())
    weights = {"versicolor": 2.0}
    model = trained(ds, last, "binary_crossentropy", class_weight=weights)
    loss, accuracy = model.evaluate(ds.to_keras(), verbose=0)
    assert loss < 0.02
    assert accuracy == 1
    found = model.predict(np.array([CENTRES[name] for name in ds.classes], np.float32), verbose=0)
    assert found.ravel().round().tolist() == [0, 1]


@pytest.mark.parametrize(
    ("units", "loss", "says"),
    [
        (1, "binary_crossentropy", "has 3 classes, and binary_crossentropy takes two"),
        (1, keras.losses.BinaryCrossentropy(), r"Dense\(3, activation"),
        (2, "sparse_categorical_crossentropy", "3 classes, and the model only 2 outputs"),
    ],
)
def test_a_model_with_too_few_outputs_for_the_classes_is_refused(write, units, loss, says):
    path = write(table_of(list(CENTRES)))
    ds = CsvDataset(path, target="species", categories={"species": "auto"}, batch_size=25)
    with pytest.raises(ValueError, match=says):
        trained(ds, keras.layers.Dense(units, activation="sigmoid"), loss)
