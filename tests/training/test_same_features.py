"""A model gets the features that it was trained on, in their order, with their codes."""

import keras
import numpy as np
import pytest

import csvfeed


def table(header, **options):
    rows = "".join(f"{n},{-n},{2 * n}\n" for n in range(20))
    return csvfeed.CsvDataset(f"{header}\n{rows}".encode(), target="y", **options)


def compiled(features=2):
    model = keras.Sequential([keras.Input((features,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_validation_with_the_features_in_another_order_is_refused():
    train, other = table("a,b,y"), table("b,a,y")
    with pytest.raises(ValueError, match=r"trained on the features 'a', 'b'.*'b', 'a'.*features="):
        compiled().fit(train.to_keras(), validation_data=other.to_keras(), verbose=0)
    same = table("b,a,y", features=["a", "b"])
    compiled().fit(train.to_keras(), validation_data=same.to_keras(), verbose=0)


@pytest.mark.parametrize("method", ["evaluate", "predict"])
def test_so_is_a_later_call(method):
    model = compiled()
    model.fit(table("a,b,y").to_keras(), verbose=0)
    getattr(model, method)(table("a,b,y").to_keras(), verbose=0)
    with pytest.raises(ValueError, match=r"trained on the features"):
        getattr(model, method)(table("b,a,y").to_keras(), verbose=0)
    with pytest.raises(ValueError, match=r"trained on the features 'a', 'b'.* has 'a', 'c'"):
        getattr(model, method)(table("a,c,y").to_keras(), verbose=0)


def test_predictions_are_refused_too():
    model = compiled()
    model.fit(table("a,b,y").to_keras(), verbose=0)
    list(table("a,b,y").predictions(model))
    with pytest.raises(ValueError, match=r"trained on the features"):
        list(table("b,a,y").predictions(model))


def classes_of(names, **options):
    rows = "".join(f"{n % len(names)},{names[n % len(names)]}\n" for n in range(30))
    options = {"categories": {"y": "auto"}, **options}
    return csvfeed.CsvDataset(f"a,y\n{rows}".encode(), target="y", **options)


def test_validation_with_other_classes_is_refused():
    train, other = classes_of(["cat", "dog", "eel"]), classes_of(["dog", "eel"])
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=r"the classes of 'y' differ.*train\.vocabulary\['y'\]"):
        model.fit(train.to_keras(), validation_data=other.to_keras(), verbose=0)
    in_another_order = classes_of(["cat", "dog"], categories={"y": ["eel", "dog", "cat"]})
    with pytest.raises(ValueError, match="or have another order"):
        model.evaluate(in_another_order.to_keras(), verbose=0)
    same = classes_of(["dog", "eel"], categories={"y": train.vocabulary["y"]})
    model.fit(train.to_keras(), validation_data=same.to_keras(), verbose=0)
    # What predicts takes no classes.
    model.predict(other.to_keras(), verbose=0)


def test_a_model_may_train_on_other_features_next():
    model = compiled()
    for header in ("a,b,y", "b,a,y"):
        model.fit(table(header).to_keras(), verbose=0)
        model.evaluate(table(header).to_keras(), verbose=0)


def test_a_file_without_a_header_may_have_the_same_features():
    rows = b"1,2,3\n4,5,6\n"
    model = compiled()
    model.fit(table("a,b,y").to_keras(), verbose=0)
    model.evaluate(csvfeed.CsvDataset(rows, header=False).to_keras(), verbose=0)


def test_features_by_name_may_come_in_any_order():
    inputs = {name: keras.Input((1,), name=name) for name in ("a", "b")}
    outputs = keras.layers.Dense(1)(keras.layers.Concatenate()(list(inputs.values())))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")
    train, other = table("a,b,y"), table("b,a,y")
    model.fit(train.to_keras(as_dict=True), verbose=0)
    model.evaluate(other.to_keras(as_dict=True), verbose=0)


def test_other_codes_are_refused():
    def dataset(categories, colors=("red", "blue")):
        rows = "".join(f"1,{color},2\n" for color in colors)
        text = f"a,c,y\n{rows}".encode()
        return csvfeed.CsvDataset(text, target="y", categories=categories)

    train, other = dataset({"c": "auto"}), dataset({"c": "auto"}, ["red"])
    with pytest.raises(
        ValueError, match=r"codes of 'c' differ.*categories={'c': train.vocabulary\['c'\]"
    ):
        compiled().fit(train.to_keras(), validation_data=other.to_keras(), verbose=0)
    same = dataset(train.vocabulary, ["red"])
    compiled().fit(train.to_keras(), validation_data=same.to_keras(), verbose=0)
    buckets = dataset({"c": 4})
    compiled().fit(buckets.to_keras(), validation_data=buckets.to_keras(), verbose=0)
    with pytest.raises(ValueError, match=r"codes of 'c' differ"):
        compiled().fit(buckets.to_keras(), validation_data=dataset({"c": 8}).to_keras(), verbose=0)


def test_a_mix_is_compared_as_its_datasets_are():
    train = csvfeed.mix([table("a,b,y"), table("a,b,y")])
    with pytest.raises(ValueError, match=r"trained on the features"):
        compiled().fit(train.to_keras(), validation_data=table("b,a,y").to_keras(), verbose=0)


@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_a_loss_needs_a_target(method):
    ds = csvfeed.CsvDataset(b"a,b\n1,2\n", target=None)
    with pytest.raises(ValueError, match=r"has no target.*target="):
        getattr(compiled(), method)(ds.to_keras(), verbose=0)
    with pytest.raises(ValueError, match=r"has no target.*target="):
        compiled().fit(table("a,b,y").to_keras(), validation_data=ds.to_keras(), verbose=0)
    assert np.isfinite(compiled().predict(ds.to_keras(), verbose=0)).all()
