"""The form of y: a dict by output of a model, and classes one-hot."""

import pickle

import numpy as np
import pytest

import csvfeed
from csvfeed import CsvDataset

DATA = b"x,a,b,kind,w\n0,1,2,cat,3\n0,4,5,dog,6\n0,7,8,cow,9\n"
KINDS = {"categories": {"kind": "auto"}}


def rows(**options):
    """Return y, and the weights if there are any, as lists."""
    ((_, *rest),) = CsvDataset(DATA, **options)
    return [
        {name: one.tolist() for name, one in part.items()}
        if isinstance(part, dict)
        else part.tolist()
        for part in rest
    ]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"one": "a"}, {"one": [1, 4, 7]}),
        ({"one": ["a"]}, {"one": [[1], [4], [7]]}),
        ({"one": -1, "two": ("b", "a")}, {"one": [3, 6, 9], "two": [[2, 1], [5, 4], [8, 7]]}),
        ({"two": [1, 2], "one": "a"}, {"two": [[1, 2], [4, 5], [7, 8]], "one": [1, 4, 7]}),
    ],
)
def test_a_dict_gives_each_output_its_columns(target, expected):
    (found,) = rows(target=target, **KINDS)
    assert found == expected
    assert list(found) == list(expected)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        ("w", {"one": [3, 6, 9], "two": [3, 6, 9]}),
        ({"two": "w"}, {"one": [1, 1, 1], "two": [3, 6, 9]}),
        ({"two": "w", "one": "b"}, {"one": [2, 5, 8], "two": [3, 6, 9]}),
        ({"two": "w", "one": -1}, {"one": [3, 6, 9], "two": [3, 6, 9]}),
        ({"two": "w", "one": None}, {"one": [1, 1, 1], "two": [3, 6, 9]}),
        ({"two": "a"}, {"one": [1, 1, 1], "two": [1, 4, 7]}),
    ],
)
def test_weights_go_by_output(weight, expected):
    _, found = rows(target={"one": "a", "two": "kind"}, weight=weight, **KINDS)
    assert found == expected
    padded = CsvDataset(
        DATA, target={"one": "a", "two": "kind"}, weight=weight, batch_size=2, remainder="pad",
        **KINDS,
    )  # fmt: skip
    for name, values in expected.items():
        found = np.concatenate([w[name] for _, _, w in padded])
        assert found.tolist() == [*values, 0]


def test_what_is_not_asked_for_by_any_output_is_a_feature():
    ds = CsvDataset(DATA, target={"one": "kind", "two": "b"}, weight={"two": "w"}, **KINDS)
    assert ds.feature_names == ["x", "a"]
    assert ds.target_names == ["kind", "b"]
    assert list(ds.stats()) == ["x", "a", "kind", "b", "w"]
    assert ds.classes == {"kind": ["cat", "cow", "dog"]}
    assert ds.num_classes == {"kind": 3}
    alone = CsvDataset(DATA, target={"one": "kind"}, **KINDS)
    assert alone.classes == {"kind": ["cat", "cow", "dog"]}
    assert pickle.loads(pickle.dumps(ds)).stats() == ds.stats()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"target": {}}, "target={} names no output"),
        ({"target": {"one": []}}, "output 'one' names no column"),
        ({"target": {"one": None}}, "output 'one' .* not by None"),
        ({"target": {"one": {"two": "a"}}}, "output 'one' is a column or a list of columns"),
        ({"target": {"one": {"a", "b"}}}, "output 'one' is a list"),
        ({"target": {1: "a"}}, "names of outputs .* not by 1"),
        ({"target": {"one": "z"}}, 'asks for column "z"'),
        ({"target": {"one": ["a", 1]}}, 'names column "a" .* twice'),
        ({"target": {"one": "a"}, "weight": {}}, "weight={} names no output"),
        ({"target": {"one": "a"}, "weight": {"two": "w"}}, "output 'two', but .* are 'one'"),
        ({"target": {"one": "a"}, "weight": {"one": ["w"]}}, "weight= of the output 'one'"),
        ({"target": "a", "weight": {"a": "w"}}, "goes by the outputs of target="),
        ({"target": {"one": "a"}, "weight": {"one": "a"}}, "name the same column"),
        ({"target": {"one": "a", "two": "b"}, "weight": "b"}, "name the same column"),
        ({"target": {"one": "a"}, "features": ["a"]}, 'names column "a" .* which is the target'),
        (
            {"target": {"one": "a"}, "weight": {"one": "w"}, "features": ["w"]},
            'names column "w" .* which is the weight',
        ),
    ],
)
def test_what_makes_no_sense_is_refused(options, says):
    with pytest.raises((TypeError, ValueError), match=says):
        CsvDataset(DATA, **options)


@pytest.mark.parametrize("one_hot", [True, ["kind"], [3], [-2]])
@pytest.mark.parametrize("target", ["kind", ["kind"], {"one": "kind"}, {"one": ["kind"], "b": "b"}])
def test_classes_become_columns(one_hot, target):
    (found,) = rows(target=target, one_hot=one_hot, **KINDS)
    rows_of_kind = found["one"] if isinstance(target, dict) else found
    assert rows_of_kind == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]


@pytest.mark.parametrize(
    ("categories", "count", "numbers"),
    [
        (["dog", "cow", "cat", "emu"], 4, [2, 0, 1]),
        (7, 7, None),
    ],
)
def test_the_columns_are_those_of_classes(categories, count, numbers):
    options = {"target": "kind", "categories": {"kind": categories}}
    (plain,), (found,) = rows(**options), rows(**options, one_hot=True)
    np.testing.assert_array_equal(found, np.eye(count)[np.array(plain, int)])
    assert numbers is None or plain == numbers
    ((_, y),) = CsvDataset(DATA, **options, one_hot=True)
    assert (y.dtype, y.shape, y.flags.c_contiguous) == (np.float32, (3, count), True)


def test_numbers_are_classes_of_a_list():
    ds = CsvDataset(b"x,digit\n1,3\n2,0\n3,2\n", categories={"digit": range(4)}, one_hot=["digit"])
    ((_, y),) = ds
    assert y.tolist() == np.eye(4)[[3, 0, 2]].tolist()
    assert ds.classes == ["0", "1", "2", "3"]


def test_an_unknown_class_is_an_error_or_left_out_or_nan():
    options = {"target": "kind", "categories": {"kind": ["cat", "cow"]}, "one_hot": True}
    with pytest.raises(csvfeed.CsvError, match="'dog'"):
        list(CsvDataset(DATA, **options))
    (found,) = rows(**options, missing_target="skip")
    assert found == [[1, 0], [0, 1]]
    (found,) = rows(**options, missing_target="keep")
    np.testing.assert_array_equal(found, [[1, 0], [np.nan, np.nan], [0, 1]])


def test_padding_has_class_0_and_no_weight():
    ds = CsvDataset(DATA, target="kind", one_hot=True, batch_size=5, remainder="pad", **KINDS)
    ((_, y, w),) = ds
    assert y.argmax(axis=1).tolist() == [0, 2, 1, 0, 0]
    assert w.tolist() == [1, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"target": ["kind", "b"], "one_hot": True}, "column 'kind' .* an output of its own"),
        ({"target": {"x": ["b", "kind"]}, "one_hot": ["kind"]}, "an output of its own"),
        ({"target": "b", "one_hot": True}, "no target is a column of categories="),
        ({"target": None, "one_hot": True}, "no target is a column of categories="),
        ({"target": "b", "one_hot": ["kind"]}, "column 'kind' .* is no target"),
        ({"target": "b", "one_hot": ["b"]}, "column 'b' .* holds numbers"),
        ({"target": "kind", "one_hot": ["z"]}, 'one_hot= asks for column "z"'),
        ({"target": "kind", "one_hot": "kind"}, "one_hot is a list"),
        ({"target": "kind", "one_hot": None}, "one_hot is a list"),
    ],
)
def test_what_has_no_classes_is_not_one_hot(options, says):
    with pytest.raises((TypeError, ValueError), match=says):
        CsvDataset(DATA, **options, **KINDS)


def test_a_state_does_not_depend_on_the_form_of_y():
    plain = CsvDataset(DATA, target=["kind", "b"], batch_size=2, **KINDS)
    next(iter(plain))
    formed = CsvDataset(DATA, target={"x": "kind", "y": ["b"]}, batch_size=2, one_hot=True, **KINDS)
    formed.load_state_dict(plain.state_dict())
    ((_, y),) = formed
    assert y["x"].tolist() == [[0, 1, 0]]
    assert y["y"].tolist() == [[8]]
