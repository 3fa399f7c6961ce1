"""Models with several outputs: ``target`` as a dict."""

import copy
import pickle

import keras
import numpy as np
import pytest
from models import TABLE, W, X, Y, assert_same_weights, model, seeded

import csvfeed
from csvfeed import CsvDataset
from csvfeed.keras import BackupAndRestore

KINDS = ["cat", "cow", "dog"]
CODES = np.arange(len(X)) % 3
SOLD = np.round(np.random.default_rng(1).normal(size=(len(X), 2)), 3).astype(np.float32)
TARGET = {"price": "y", "sold": ["s1", "s2"], "kind": "kind"}
YS = {"price": Y, "sold": SOLD, "kind": CODES.astype(np.float32)}
OTHER_W = np.abs(SOLD[:, 0])
ONES = np.ones(len(X), np.float32)
LOSSES = {"price": "mse", "sold": "mse", "kind": "sparse_categorical_crossentropy"}


@pytest.fixture
def path(write):
    rows = zip(TABLE.tolist(), SOLD.tolist(), OTHER_W.tolist(), CODES, strict=True)
    lines = [",".join(map(str, [*a, *b, c, KINDS[d]])) for a, b, c, d in rows]
    return write("\n".join(["a,b,c,y,w,s1,s2,w2,kind", *lines]) + "\n")


def dataset(path, **options):
    options = {
        "target": TARGET,
        "features": ["a", "b", "c"],
        "categories": {"kind": "auto"},
        "batch_size": 10,
        **options,
    }
    return CsvDataset(path, **options)


def branches(x):
    hidden = keras.layers.Dense(4, "tanh", kernel_initializer=seeded(1))(x)
    dense = keras.layers.Dense
    return {
        "price": dense(1, name="price", kernel_initializer=seeded(2))(hidden),
        "sold": dense(2, name="sold", kernel_initializer=seeded(3))(hidden),
        "kind": dense(3, "softmax", name="kind", kernel_initializer=seeded(4))(hidden),
    }


def compiled(built):
    built.compile(
        keras.optimizers.SGD(0.05), LOSSES, metrics={"price": ["mae"]},
        weighted_metrics={"kind": ["accuracy"]},
    )  # fmt: skip
    return built


def uncompiled(as_list=False):
    """Return a model with three outputs: a dict of them, or a list in another order."""
    inputs = keras.Input((3,))
    outputs = branches(inputs)
    return keras.Model(inputs, [*outputs.values()][::-1] if as_list else outputs)


def forked(as_list=False):
    return compiled(uncompiled(as_list))


def rows_of(batches):
    """Return all rows of some batches."""
    (*parts,) = zip(*batches, strict=True)
    return [
        {name: np.concatenate([one[name] for one in part]) for name in part[0]}
        if isinstance(part[0], dict)
        else np.concatenate(part)
        for part in parts
    ]


def same(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for name, one in expected.items():
            same(found[name], one)
    else:
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.float32


WEIGHTS = {
    None: None,
    "w": dict.fromkeys(TARGET, W),
    "some": {"price": ONES, "sold": W, "kind": OTHER_W},
}
GIVEN = {None: None, "w": "w", "some": {"kind": "w2", "sold": "w"}}


@pytest.mark.parametrize("weight", [None, "w", "some"])
def test_fit_gives_the_model_of_arrays(path, weight):
    options = {"batch_size": 10, "verbose": 0, "sample_weight": WEIGHTS[weight]}
    expected = forked()
    history = expected.fit(X, YS, epochs=2, shuffle=False, **options).history
    found = forked()
    ds = dataset(path, weight=GIVEN[weight])
    own = found.fit(ds, epochs=2, validation_data=ds.to_keras(), verbose=0).history
    assert_same_weights(found, expected)
    for name, values in history.items():
        np.testing.assert_allclose(own[name], values, rtol=1e-4)
    evaluated = found.evaluate(ds, verbose=0, return_dict=True)
    for name, value in expected.evaluate(X, YS, return_dict=True, **options).items():
        np.testing.assert_allclose(evaluated[name], value, rtol=1e-4)
        np.testing.assert_allclose(own[f"val_{name}"][-1], value, rtol=1e-4)
    predicted = found.predict(ds, verbose=0)
    assert {name: one.shape for name, one in predicted.items()} == {
        "price": (103, 1), "sold": (103, 2), "kind": (103, 3),
    }  # fmt: skip


@pytest.mark.parametrize("weight", [None, "w", "some"])
@pytest.mark.parametrize("remainder", ["keep", "drop", "pad"])
def test_batches_hold_a_dict_of_arrays(path, weight, remainder):
    ds = dataset(path, weight=GIVEN[weight], remainder=remainder)
    end = {"keep": 103, "drop": 100, "pad": 103}[remainder]
    expected = [X, YS, WEIGHTS[weight]] if weight else [X, YS]
    if remainder == "pad":
        expected = [X, YS, WEIGHTS[weight] or dict.fromkeys(TARGET, ONES)]

    def ended(part):
        if isinstance(part, dict):
            return {name: ended(one) for name, one in part.items()}
        padding = np.zeros((7 if remainder == "pad" else 0, *part.shape[1:]), np.float32)
        return np.concatenate([part[:end], padding])

    expected = [ended(part) for part in expected]
    batches = list(ds)
    assert len(batches) == len(ds)
    for found in (batches, list(ds.to_keras().get_numpy_iterator())):
        for one, other in zip(rows_of(found), expected, strict=True):
            same(one, other)
        for _, y, *w in found:
            for array in (*y.values(), *(w[0].values() if w else ())):
                assert array.flags.c_contiguous
                assert array.flags.writeable


def test_a_list_makes_a_matrix_and_a_name_a_vector(path):
    ds = dataset(path, target={"one": "y", "row": ["y"], "two": ["w", "y"]}, categories=None)
    _, y = rows_of(ds)
    same(y, {"one": Y, "row": Y[:, None], "two": np.column_stack([W, Y])})
    assert ds.target_names == ["y", "y", "w", "y"]
    alone = dataset(path, target={"price": 3}, weight={"price": "w"}, categories=None)
    for (_, y, w), (_, plain, weight) in zip(
        alone, dataset(path, target="y", weight="w", categories=None), strict=True
    ):
        same(y, {"price": plain})
        same(w, {"price": weight})


def test_the_target_of_one_output_may_weigh_another(path):
    ds = dataset(path, target={"price": "y", "w": "w"}, weight={"price": "w"}, categories=None)
    _, y, w = rows_of(ds)
    same(y, {"price": Y, "w": W})
    same(w, {"price": W, "w": ONES})


def test_rows_without_one_of_the_targets_or_weights_are_left_out():
    text = b"a,b,c,w\n1,2,3,4\n5,,6,7\n8,9,,1\n2,3,4,\n6,7,8,9\n"
    options = {"target": {"one": "b", "two": ["c"]}, "weight": {"two": "w"}}
    ds = CsvDataset(text, **options, missing_target="skip")
    X, y, w = rows_of(ds)
    same(X, np.array([[1], [6]], np.float32))
    same(y, {"one": np.array([2, 7], np.float32), "two": np.array([[3], [8]], np.float32)})
    same(w, {"one": np.ones(2, np.float32), "two": np.array([4, 9], np.float32)})
    assert ds.num_rows == 2
    for name, column, line in (("target", "b", 3), ("weight", "w", 3)):
        one = CsvDataset(text if name == "target" else b"a,b,c,w\n1,2,3,4\n5,1,6,\n", **options)
        with pytest.raises(csvfeed.CsvError, match=f"the {name} is missing") as raised:
            list(one)
        assert (raised.value.column_name, raised.value.line) == (column, line)


CLASS_WEIGHT = {"kind": {"dog": 3.0, "cat": 0.5}, "sold": {1: 2.0}}


@pytest.mark.parametrize("weight", [None, "some"])
@pytest.mark.parametrize("one_hot", [False, True])
def test_class_weights_go_by_output(path, weight, one_hot):
    ds = dataset(path, weight=GIVEN[weight], one_hot=one_hot)
    by_class = {
        "price": ONES,
        "sold": np.where(SOLD.argmax(axis=1) == 1, 2, 1).astype(np.float32),
        "kind": np.array([0.5, 1, 3], np.float32)[CODES],
    }
    others = WEIGHTS[weight] or dict.fromkeys(TARGET, ONES)
    expected = {name: one * others[name] for name, one in by_class.items()}
    data = ds.to_keras(class_weight=CLASS_WEIGHT)
    for made in (data, copy.copy(data), pickle.loads(pickle.dumps(data))):
        _, y, w = rows_of(made.get_numpy_iterator())
        assert w.keys() == y.keys()
        same(w, expected)
    if not one_hot:
        arrays, found = forked(), forked()
        arrays.fit(X, YS, sample_weight=expected, batch_size=10, shuffle=False, verbose=0)
        found.fit(data, verbose=0)
        assert_same_weights(found, arrays)


@pytest.mark.parametrize(
    ("class_weight", "says"),
    [
        ({0: 1.0, 1: 5.0}, "goes by the outputs .* 'price', 'sold', 'kind', as in"),
        ({"kind": 2.0}, "goes by the outputs"),
        ({"colour": {0: 1.0}}, "goes by the outputs"),
        ({"kind": {"horse": 1.0}}, "class 'horse', but the classes are 'cat', 'cow', 'dog'"),
        ({"kind": {3: 1.0}}, "class 3, but there are 3"),
        ({"kind": {0: -1.0}}, "at least 0"),
        ({"sold": {"dog": 1.0}}, "needs a single target"),
        ({"price": {"dog": 1.0}}, "the target holds numbers"),
    ],
)
def test_class_weights_that_fit_no_output_are_named(path, class_weight, says):
    with pytest.raises(ValueError, match=says):
        dataset(path).to_keras(class_weight=class_weight)


def test_class_weights_by_output_need_outputs(path):
    with pytest.raises(ValueError, match="target= names none"):
        dataset(path, target="y", categories=None).to_keras(class_weight={"y": {0: 1.0}})


def test_features_and_outputs_by_name_go_together(path):
    ds = dataset(path, weight=GIVEN["some"])
    named = {name: X[:, at : at + 1] for at, name in enumerate("abc")}

    def made():
        inputs = {name: keras.Input((1,), name=name) for name in "abc"}
        joined = keras.layers.Concatenate()([*inputs.values()])
        return compiled(keras.Model(inputs, branches(joined)))

    expected, found = made(), made()
    expected.fit(named, YS, sample_weight=WEIGHTS["some"], batch_size=10, shuffle=False, verbose=0)
    found.fit(ds.to_keras(as_dict=True), verbose=0)
    assert_same_weights(found, expected)
    features, y, w = rows_of(ds.to_keras(as_dict=True).get_numpy_iterator())
    same(features, named)
    same(y, YS)
    same(w, WEIGHTS["some"])


@pytest.mark.parametrize("size", [1, 4, 11])
def test_several_batches_at_once_are_stacked(path, size):
    ds = dataset(path, weight=GIVEN["some"], remainder="pad")
    data = ds.to_keras(class_weight=CLASS_WEIGHT)
    stacks = list(data.get_jax_iterator(super_batch=size))
    assert [len(X) for X, *_ in stacks] == [size] * (11 // size) + [11 % size] * (11 % size > 0)
    whole = rows_of(data.get_numpy_iterator())
    for part in (1, 2):
        for name in TARGET:
            rows = [stack[part][name].reshape(-1, *stack[part][name].shape[2:]) for stack in stacks]
            same(np.concatenate(rows), whole[part][name])


def test_a_model_whose_outputs_are_a_list_takes_a_dict(path):
    expected, found = forked(as_list=True), forked(as_list=True)
    expected.fit(X, YS, batch_size=10, shuffle=False, verbose=0)
    found.fit(dataset(path), verbose=0)
    assert_same_weights(found, expected)
    assert [one.shape for one in found.predict(dataset(path), verbose=0)] == [
        (103, 3), (103, 2), (103, 1),
    ]  # fmt: skip


def test_outputs_that_do_not_match_are_named(path):
    inputs = keras.Input((3,))
    one, other = (keras.layers.Dense(1, name=name)(inputs) for name in ("price", "colour"))
    for outputs in ([one, other], {"price": one, "colour": other}):
        built = keras.Model(inputs, outputs)
        built.compile("sgd", "mse")
        for run in (built.fit, built.evaluate):
            with pytest.raises(ValueError, match="'sold', but those of the model are 'price', 'c"):
                run(dataset(path), verbose=0)
    for built in (model(), keras.Model(inputs, one)):
        built.compile("sgd", "mse")
        with pytest.raises(ValueError, match='single output: give target="column"'):
            built.fit(dataset(path, target={"price": "y"}, categories=None), verbose=0)
    with pytest.raises(ValueError, match=r"keras.Model\(inputs, {'kind': ..., 'sold': ..."):
        forked(as_list=True).fit(dataset(path, weight="w"), verbose=0)
    with pytest.raises(ValueError, match="make it of a dict"):
        forked(as_list=True).fit(dataset(path).to_keras(class_weight=CLASS_WEIGHT), verbose=0)


def test_a_model_with_several_outputs_asks_for_a_dict(path):
    for as_list in (False, True):
        for target in ("y", ["y", "w", "s1"]):
            with pytest.raises(ValueError, match=r'target= names none: target={.*: "column"'):
                forked(as_list).fit(dataset(path, target=target, categories=None), verbose=0)
    # Unless a single one of them has a loss.
    built = uncompiled(as_list=True)
    built.compile("sgd", [None, None, "mse"])
    built.fit(dataset(path, target="y", categories=None), verbose=0)
    # An output without a loss needs no target.
    built = uncompiled()
    built.compile("sgd", {"price": "mse", "kind": "sparse_categorical_crossentropy"})
    built.fit(dataset(path, target={"kind": "kind", "price": "y"}, weight={"kind": "w"}), verbose=0)


def test_a_subclass_has_outputs_of_its_own(path):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.layer = keras.layers.Dense(1)

        def call(self, inputs):
            return {"one": self.layer(inputs), "two": 2 * self.layer(inputs)}

    built = Own()
    built.compile("sgd", {"one": "mse", "two": "mse"})
    ds = dataset(path, target={"two": "w", "one": "y"}, weight={"one": "w2"}, categories=None)
    history = built.fit(ds, epochs=2, verbose=0).history
    assert {"one_loss", "two_loss"} <= history.keys()
    assert set(built.predict(ds, verbose=0)) == {"one", "two"}


def test_outputs_go_with_shuffling_parts_and_states(path, tmp_path):
    ds = dataset(path, weight=GIVEN["some"])
    train, held_out = ds.shuffle(seed=0).split(0.3, seed=1)
    cached = train.cache(tmp_path / "cache")
    for _ in range(2):
        same(rows_of(cached)[1], rows_of(train)[1])
    parts = [rows_of(one)[1]["price"] for one in (train, held_out)]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.sort(Y))
    batches = iter(ds)
    for _ in range(4):
        next(batches)
    other = dataset(path, weight=GIVEN["some"])
    other.load_state_dict(ds.state_dict())
    for one, rest in zip(rows_of(other), rows_of(batches), strict=True):
        same(one, rest)
    whole = dataset(path, weight=GIVEN["some"], remainder="pad").distribute(0, 1, lanes=2)
    shares = [
        dataset(path, weight=GIVEN["some"], remainder="pad").distribute(at, 2) for at in range(2)
    ]
    for together, *own in zip(whole, *shares, strict=True):
        for name in TARGET:
            for part in (1, 2):
                joined = np.concatenate([batch[part][name] for batch in own])
                np.testing.assert_array_equal(together[part][name], joined)
    assert all(list(rows_of(ds.shard(at, 2))[1]) == list(TARGET) for at in range(2))


def test_a_backup_resumes_a_model_with_several_outputs(path, tmp_path):
    whole, resumed = forked(), forked()
    whole.fit(dataset(path, weight="w").shuffle(seed=3), epochs=3, verbose=0)
    for epochs in (1, 3):
        ds = dataset(path, weight="w").shuffle(seed=3)
        backup = BackupAndRestore(tmp_path, ds, delete_checkpoint=False)
        resumed = forked()
        resumed.fit(ds, epochs=epochs, callbacks=[backup], verbose=0)
    assert_same_weights(resumed, whole)


@pytest.mark.parametrize("as_dict", [False, True])
def test_one_hot_classes_train_as_their_numbers_do(path, as_dict):
    target = {"price": "y", "kind": "kind"} if as_dict else "kind"
    made = []
    for one_hot in (False, True):
        loss = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
        inputs = keras.Input((3,))
        outputs = {name: branches(inputs)[name] for name in ("price", "kind")}
        built = keras.Model(inputs, outputs if as_dict else outputs["kind"])
        built.compile(
            keras.optimizers.SGD(0.05), {"price": "mse", "kind": loss} if as_dict else loss
        )
        ds = dataset(path, target=target, one_hot=one_hot, weight="w")
        weights = {0: 3.0, 2: 0.5}
        class_weight = {"kind": weights} if as_dict else weights
        built.fit(ds.to_keras(class_weight=class_weight), epochs=2, verbose=0)
        made.append(built)
    assert_same_weights(*made)


@pytest.mark.backend("tensorflow")
@pytest.mark.parametrize("remainder", ["keep", "pad"])
def test_to_tf_gives_the_same(path, remainder):
    tf = pytest.importorskip("tensorflow")
    ds = dataset(path, weight=GIVEN["some"], remainder=remainder, one_hot=True)
    static = None if remainder == "keep" else 10
    data = ds.to_tf()
    assert data.cardinality().numpy() == len(ds)
    _, y, w = data.element_spec
    assert y == {
        "price": tf.TensorSpec((static,), tf.float32),
        "sold": tf.TensorSpec((static, 2), tf.float32),
        "kind": tf.TensorSpec((static, 3), tf.float32),
    }
    assert w == dict.fromkeys(TARGET, tf.TensorSpec((static,), tf.float32))
    expected = rows_of(dataset(path, weight=GIVEN["some"], remainder=remainder, one_hot=True))
    found = rows_of(data.as_numpy_iterator())
    assert found[1].keys() == found[2].keys() == set(TARGET)
    for part in (1, 2):
        same({name: found[part][name] for name in TARGET}, expected[part])


@pytest.mark.backend("torch")
@pytest.mark.parametrize("workers", [0, 2])
def test_to_torch_gives_tensors_by_output(path, workers):
    torch = pytest.importorskip("torch")
    ds = dataset(path, weight=GIVEN["some"], one_hot=True)
    loader = torch.utils.data.DataLoader(ds.to_torch(), batch_size=None, num_workers=workers)
    batches = [
        [
            {name: one.numpy() for name, one in part.items()}
            if isinstance(part, dict)
            else part.numpy()
            for part in batch
        ]
        for batch in loader
    ]
    shares = [rows_of(ds.shard(at, workers)) for at in range(workers)] or [rows_of(ds)]

    def sorted_by_price(y, part):
        order = np.argsort(y["price"])
        return {name: one[order] for name, one in part.items()}

    _, y, w = rows_of(batches)
    _, *expected = rows_of(shares)
    same(sorted_by_price(y, y), sorted_by_price(expected[0], expected[0]))
    same(sorted_by_price(y, w), sorted_by_price(expected[0], expected[1]))
