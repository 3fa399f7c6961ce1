"""Lists as inputs of models."""

import keras
import numpy as np
import pytest
from models import seeded

from csvfeed import CsvDataset, List, MultiHot

COUNT = 90
RANDOM = np.random.default_rng(1)
PIXELS = RANDOM.integers(0, 256, (COUNT, 36))
AGES = RANDOM.integers(0, 90, COUNT)
TAGS = [["a"] * (n % 2) + ["b"] * (n % 3 == 0) for n in range(COUNT)]
CLASSES = PIXELS[:, 0] % 3


@pytest.fixture
def path(write):
    rows = (
        f"{age},{' '.join(map(str, pixels))},{'|'.join(tags) or '[]'},{of}\n"
        for age, pixels, tags, of in zip(AGES, PIXELS, TAGS, CLASSES, strict=True)
    )
    return write("age,pixels,tags,y\n" + "".join(rows))


def dataset(path, **options):
    lists = {"pixels": List(36), "tags": MultiHot(["b", "a"])}
    return CsvDataset(path, batch_size=16, lists=lists, **options)


def arrays():
    tags = [["b" in row, "a" in row] for row in TAGS]
    named = {"age": AGES[:, None], "pixels": PIXELS, "tags": tags}
    return {name: np.array(part, np.float32) for name, part in named.items()}


def model():
    inputs = {
        "age": keras.Input((1,), name="age"),
        "pixels": keras.Input((36,), name="pixels"),
        "tags": keras.Input((2,), name="tags"),
    }
    image = keras.layers.Reshape((6, 6, 1))(inputs["pixels"])
    image = keras.layers.Rescaling(1 / 255)(image)
    image = keras.layers.Conv2D(2, 3, kernel_initializer=seeded(1))(image)
    parts = [keras.layers.Flatten()(image), inputs["tags"]]
    parts.append(keras.layers.Rescaling(1 / 90)(inputs["age"]))
    x = keras.layers.Concatenate()(parts)
    x = keras.layers.Dense(3, "softmax", kernel_initializer=seeded(2))(x)
    built = keras.Model(inputs, x)
    built.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    return built


def test_a_list_is_an_input_by_its_name(path):
    found, expected = model(), model()
    data = dataset(path).to_keras(as_dict=True)
    found.fit(data, epochs=2, validation_data=data, verbose=0)
    expected.fit(
        arrays(), CLASSES.astype(np.float32), batch_size=16, epochs=2, shuffle=False, verbose=0
    )
    for one, other in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_batches_by_name_are_those_of_iteration(path):
    batches = list(dataset(path).to_keras(as_dict=True).get_numpy_iterator())
    for (named, _), (X, _) in zip(batches, dataset(path), strict=True):
        assert {name: part.shape[1:] for name, part in named.items()} == {
            "age": (1,),
            "pixels": (36,),
            "tags": (2,),
        }
        assert all(part.flags.c_contiguous for part in named.values())
        np.testing.assert_array_equal(np.hstack(list(named.values())), X)
    windows = dataset(path).windows(4).to_keras(as_dict=True)
    (named, _), *_ = windows.get_numpy_iterator()
    assert named["pixels"].shape == (16, 4, 36)


def test_pixels_alone_are_reshaped_by_the_model(path):
    ds = dataset(path, features=["pixels", "tags"], target="y")
    assert next(iter(ds))[0].shape == (16, 38)
    ds = CsvDataset(path, features=["pixels"], lists={"pixels": List(36)}, batch_size=16)
    layers = [
        keras.Input((36,)),
        keras.layers.Reshape((6, 6, 1)),
        keras.layers.Conv2D(2, 3),
        keras.layers.Flatten(),
        keras.layers.Dense(3, "softmax"),
    ]
    built = keras.Sequential(layers)
    built.compile("sgd", "sparse_categorical_crossentropy")
    assert len(built.fit(ds.shuffle(seed=0), epochs=2, verbose=0).history["loss"]) == 2


def test_a_list_is_a_target_of_a_model(path):
    ds = dataset(path, target={"image": "pixels", "tags": "tags"}, features=["age"])
    x = keras.Input((1,))
    built = keras.Model(
        x,
        {
            "image": keras.layers.Dense(36, name="image")(x),
            "tags": keras.layers.Dense(2, "sigmoid", name="tags")(x),
        },
    )
    built.compile("sgd", {"image": "mae", "tags": "binary_crossentropy"})
    built.fit(ds, epochs=1, verbose=0)
    _, y = next(iter(ds))
    np.testing.assert_array_equal(y["image"], PIXELS[:16])
    np.testing.assert_array_equal(y["tags"], arrays()["tags"][:16])


@pytest.mark.backend("tensorflow")
def test_to_tf_knows_the_shapes(path):
    tf = pytest.importorskip("tensorflow")
    features, _ = dataset(path).to_tf(as_dict=True).element_spec
    assert features["pixels"] == tf.TensorSpec((None, 36), tf.float32)
    assert features["tags"] == tf.TensorSpec((None, 2), tf.float32)


def test_normalization_leaves_categories_as_they_are(path):
    ds = dataset(path)
    X = np.concatenate([X for X, _ in ds])
    found = keras.ops.convert_to_numpy(ds.normalization()(X))
    np.testing.assert_array_equal(found[:, -2:], X[:, -2:])
    np.testing.assert_allclose(found[:, :-2].mean(axis=0), 0, atol=1e-4)
