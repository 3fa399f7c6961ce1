"""``booleans``: words for true and false."""

import itertools
import json
import pickle

import numpy as np
import pytest
from conftest import SMALL

import csvfeed

TRUE = ["true", "yes", "t", "y", "on", "1"]
FALSE = ["false", "no", "f", "n", "off", "0"]
NAN = float("nan")


def cases(word):
    return {
        "".join(letters)
        for letters in itertools.product(*zip(word.lower(), word.upper(), strict=True))
    }


@pytest.mark.parametrize("memory", [None, SMALL])
def test_words_in_any_case_are_1_and_0(features, memory):
    words = [(word, 1.0) for true in TRUE for word in sorted(cases(true))]
    words += [(word, 0.0) for false in FALSE for word in sorted(cases(false))]
    dressed = ["{}", " {}", "{}\t", '"{}"', '" {} "']
    rows = [(style.format(word), number) for word, number in words for style in dressed]
    text = "n,flag\n" + "".join(f"{at},{field}\n" for at, (field, _) in enumerate(rows))
    found = features(text.encode(), booleans=["flag"], memory=memory)
    assert found == [[at, number] for at, (_, number) in enumerate(rows)]


def test_a_missing_one_is_nan_or_filled(read):
    text = b'flag,y\ntrue,1\n,2\nNA,3\n"",4\nno,5\nyes,6\n'
    for fill, expected in ((None, NAN), (0.5, 0.5), ("mean", 2 / 3), ({"flag": 1}, 1)):
        X, _ = read(text, booleans=["flag"], fill=fill)
        np.testing.assert_array_equal(X[:, 0], np.float32([1, *[expected] * 3, 0, 1]))
    stats = csvfeed.CsvDataset(text, booleans=["flag"]).stats()["flag"]
    assert (stats.count, stats.missing, stats.min, stats.max) == (3, 3, 0, 1)


def test_a_missing_token_comes_first(read):
    X, _ = read(b"flag,y\n1,1\n0,2\nn,3\n", booleans=["flag"], missing=["n", "0"])
    np.testing.assert_array_equal(X[:, 0], [1, NAN, NAN])


@pytest.mark.parametrize("value", ["2", "maybe", "truth", "yes no", "1.0", "\N{KELVIN SIGN}"])
def test_another_word_is_an_error_that_says_what_is_understood(features, value):
    text = f"n,flag\n1,true\n2,{value}\n".encode()
    with pytest.raises(csvfeed.NumberError, match=r"not a boolean.*true/false, yes/no") as caught:
        features(text, booleans=["flag"])
    assert (caught.value.line, caught.value.column_name, caught.value.text) == (3, "flag", value)
    assert "missing=" in str(caught.value)


def test_a_target_and_a_weight_may_be_booleans(read):
    text = b"x,w,y\n1,yes,true\n2,no,false\n3,,true\n4,on,\n"
    options = {"weight": "w", "booleans": ["y", "w"]}
    X, y, w = read(text, missing_target="skip", **options)
    assert (X.tolist(), y.tolist(), w.tolist()) == ([[1], [2]], [1, 0], [1, 0])
    with pytest.raises(csvfeed.NumberError, match=r"line 4.*the weight is missing"):
        read(text, **options)
    _, y, w = read(text, missing_target="keep", **options)
    np.testing.assert_array_equal([y, w], [[1, 0, 1, NAN], [1, 0, NAN, 1]])


def test_orders_and_states_hold_booleans(write, tmp_path):
    rows = [f"{at},{TRUE[at % 6] if at % 5 else FALSE[at % 6]},{at}" for at in range(1000)]
    path = write("\n".join(["n,flag,y", *rows]) + "\n")
    ds = csvfeed.CsvDataset(path, booleans=["flag"], batch_size=8, memory=SMALL)
    orders = [
        ds,
        ds.shuffle(seed=1),
        ds.cache(tmp_path),
        pickle.loads(pickle.dumps(ds.shuffle(seed=2))),
    ]
    for order in [*orders, *ds.split(0.3), *(ds.shard(at, 3) for at in range(3))]:
        for X, y in order:
            np.testing.assert_array_equal(X[:, 1], y % 5 != 0)
    state = json.loads(json.dumps(ds.shuffle(seed=1).state_dict()))
    with pytest.raises(ValueError, match="other rows"):
        csvfeed.CsvDataset(path, features=["n"], batch_size=8, memory=SMALL).shuffle(
            seed=1
        ).load_state_dict(state)


def test_columns_that_are_not_there_are_refused():
    with pytest.raises(csvfeed.CsvError, match='booleans= asks for column "flags"'):
        csvfeed.CsvDataset(b"flag,y\n1,2\n", booleans=["flags"])
    with pytest.raises(csvfeed.CsvError, match=r"booleans= names column .* twice"):
        csvfeed.CsvDataset(b"flag,y\n1,2\n", booleans=["flag", 0])
    with pytest.raises(TypeError, match="booleans"):
        csvfeed.CsvDataset(b"flag,y\n1,2\n", booleans=[None])
