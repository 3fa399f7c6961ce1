"""Weights by class, and the arguments of ``fit`` that Keras would drop."""

import numpy as np
import pytest
from models import X, Y, assert_same_weights, model

from csvfeed import CsvDataset

LABELS = (np.arange(103) % 3).astype(np.float32)
WEIGHTS = {0: 0.5, 2: 4.0}
EXPECTED = np.array([0.5, 1.0, 4.0], np.float32)[LABELS.astype(int)]
ONE_HOT = np.eye(3, dtype=np.float32)[LABELS.astype(int)]
W = np.abs(Y)


@pytest.fixture
def path(write):
    table = np.column_stack([X, LABELS, ONE_HOT, W])
    lines = [",".join(map(str, row)) for row in table]
    return write("\n".join(["a,b,c,label,is0,is1,is2,w", *lines]) + "\n")


def dataset(path, **options):
    return CsvDataset(
        path, **{"target": "label", "features": ["a", "b", "c"], "batch_size": 10, **options}
    )


def rows_of(data):
    return [np.concatenate(part) for part in zip(*data.get_numpy_iterator(), strict=True)]


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("target", ["label", ["is0", "is1", "is2"]])
def test_fit_gives_the_model_of_arrays_with_these_weights(path, weight, target):
    expected, found = (model(outputs=1 if target == "label" else 3) for _ in range(2))
    weights = EXPECTED if weight is None else EXPECTED * W
    y = LABELS if target == "label" else ONE_HOT
    expected.fit(X, y, sample_weight=weights, batch_size=10, epochs=2, shuffle=False, verbose=0)
    data = dataset(path, target=target, weight=weight).to_keras(class_weight=WEIGHTS)
    found.fit(data, epochs=2, verbose=0)
    assert_same_weights(found, expected)


def test_it_is_what_keras_does_with_arrays(path):
    expected, found = model(), model()
    options = {"batch_size": 10, "epochs": 2, "shuffle": False, "verbose": 0}
    expected.fit(X, LABELS, class_weight=WEIGHTS, **options)
    found.fit(dataset(path).to_keras(class_weight=WEIGHTS), epochs=2, verbose=0)
    assert_same_weights(found, expected)


def test_a_weight_of_a_class_that_no_row_has_is_a_warning(path):
    data = dataset(path).to_keras(class_weight={0: 2.0, 2: 3.0, 7: 9.0})
    with pytest.warns(RuntimeWarning, match="a weight for 7, and no row has this in 'label'"):
        rows_of(data)


@pytest.mark.filterwarnings("ignore:class_weight has a weight for 8")
def test_weights_of_rows_are_those_of_their_class():
    text = b"x,y\n1,-1\n2,0.4\n3,0.6\n4,7\n5,\n"
    ds = CsvDataset(text, missing_target="keep")
    *_, weights = rows_of(ds.to_keras(class_weight={-1: 2, 0: 3.5, 1.0: 0, 8: 9}))
    assert weights.dtype == np.float32
    assert weights.tolist() == [2, 3.5, 0, 1, 1]


@pytest.mark.parametrize(
    "class_weight",
    [
        {},
        {None: 1.0},
        {0.5: 1.0},
        {True: 1.0},
        {0: -1.0},
        {0: float("nan")},
        {0: "x"},
        {0: None},
        [1],
    ],
)
def test_class_weights_that_make_no_sense_are_named(path, class_weight):
    with pytest.raises(ValueError, match="class_weight"):
        dataset(path).to_keras(class_weight=class_weight)


TEXT = b"x,kind\n1,cat\n2,dog\n3,cow\n4,dog\n"


def test_classes_of_categories_have_names(path):
    ds = CsvDataset(TEXT, categories={"kind": "auto"})
    by_name = ds.to_keras(class_weight={"dog": 3.0, "cat": 0.5})
    assert rows_of(by_name)[2].tolist() == [0.5, 3, 1, 3]
    by_number = ds.to_keras(class_weight={0: 0.5, 2: 3.0})
    for one, other in zip(rows_of(by_name), rows_of(by_number), strict=True):
        np.testing.assert_array_equal(one, other)
    for class_weight, says in (
        ({"horse": 1.0}, "class 'horse', but the classes are 'cat', 'cow', 'dog'"),
        ({"dog": 1.0, 2: 2.0}, "two weights for class 2"),
        ({3: 2.0}, "class 3, but there are 3, numbered from 0"),
    ):
        with pytest.raises(ValueError, match=says):
            ds.to_keras(class_weight=class_weight)
    with pytest.raises(ValueError, match="the target holds numbers"):
        dataset(path).to_keras(class_weight={"cat": 1.0})
    with pytest.raises(ValueError, match="needs a single target"):
        dataset(path, target=["is0", "is1"]).to_keras(class_weight={"is0": 1.0})


def test_class_weights_need_a_target(path):
    with pytest.raises(ValueError, match="target=None"):
        dataset(path, target=None).to_keras(class_weight=WEIGHTS)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"class_weight": WEIGHTS}, r"to_keras\(class_weight="),
        ({"y": Y}, "target="),
        ({"sample_weight": W}, "weight="),
    ],
)
def test_what_keras_would_ignore_is_refused(path, given, says):
    with pytest.raises(ValueError, match=says):
        model().fit(dataset(path).to_keras(), **given, verbose=0)
    if "class_weight" not in given:
        with pytest.raises(ValueError, match=says):
            model().evaluate(dataset(path).to_keras(), **given, verbose=0)
