"""Ids beside the rows: of every row the right ones, in any order, and predictions with them."""

import gzip
import itertools
import pickle
from pathlib import Path

import numpy as np
import pytest
from conftest import SMALL
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import csvfeed

NAMES = ["Ann", "Bob, Jr.", 'say "hi"', "two\nlines", "", "é", "0042", "NA", "x" * 90]


def name_of(number):
    return f"{NAMES[number % len(NAMES)]}|{number}" if number % 5 else NAMES[number % len(NAMES)]


def order_of(number):
    return 9_007_199_254_740_993 - 3 * number


def table(count):
    """Return a file whose rows say their number, with a name and an order as ids."""
    quoted = (name_of(number).replace('"', '""') for number in range(count))
    rows = (
        f'{number},"{name}",{-number},{order_of(number)},{number % 7}\n'
        for number, name in enumerate(quoted)
    )
    return ("a,name,y,order,key\n" + "".join(rows)).encode()


def dataset(source, **options):
    given = {"target": "y", "features": ["a"], "ids": {"name": str, "order": int}}
    return csvfeed.CsvDataset(source, **{**given, **options})


def check(batches):
    """Return the numbers of the rows, whose ids must be right."""
    found = []
    for ids, X, *_ in batches:
        assert list(ids) == ["name", "order"]
        numbers = X.reshape(len(X), -1)[:, -1].astype(int).tolist()
        assert ids["name"].dtype == object
        assert ids["order"].dtype == np.int64
        assert ids["name"].tolist() == [name_of(number) for number in numbers]
        assert ids["order"].tolist() == [order_of(number) for number in numbers]
        found += numbers
    return found


def numbers_of(ds):
    return [int(row[-1]) for X, *_ in ds for row in X.reshape(len(X), -1)]


def test_ids_are_text_that_iteration_does_not_yield():
    ds = csvfeed.CsvDataset(b'id,a,y\n007,1,0\n" A ""b""",2,1\n, 3,0\n', ids=["id"], batch_size=2)
    assert ds.feature_names == ["a"]
    assert [len(batch) for batch in ds] == [2, 2]
    (ids, X, y), (last, *_) = ds.with_ids()
    assert (ids["id"].tolist(), X.tolist(), y.tolist()) == (["007", 'A "b"'], [[1], [2]], [0, 1])
    assert last["id"].tolist() == [""]


def test_a_single_column_and_an_index_name_ids_too():
    content = b"k,a,k,y\n1,2,3,4\n"
    ((ids, X, _),) = csvfeed.CsvDataset(content, ids=[2, 0]).with_ids()
    assert ({key: one.tolist() for key, one in ids.items()}, X.tolist()) == (
        {2: ["3"], 0: ["1"]},
        [[2.0]],
    )
    ((ids, *_),) = csvfeed.CsvDataset(b"k,a,y\n1,2,3\n", ids="k").with_ids()
    assert ids["k"].tolist() == ["1"]


def test_a_column_may_be_an_id_and_a_feature_if_both_name_it():
    ds = csvfeed.CsvDataset(
        b"when,a\n2024-05-01,1\n2024-06-30,2\n",
        target=None,
        features=["when", "a"],
        dates={"when": "month"},
        ids=["when"],
    )
    ((ids, X),) = ds.with_ids()
    assert ids["when"].tolist() == ["2024-05-01", "2024-06-30"]
    assert X.tolist() == [[5, 1], [6, 2]]


@settings(max_examples=examples(60))
@given(
    count=st.integers(1, 150),
    batch_size=st.integers(1, 40),
    memory=st.sampled_from([None, SMALL, 5000]),
    threads=st.integers(1, 3),
    remainder=st.sampled_from(["keep", "drop", "pad"]),
    packed=st.booleans(),
    seed=st.integers(0, 3),
)
def test_ids_follow_their_rows(count, batch_size, memory, threads, remainder, packed, seed):
    content = gzip.compress(table(count)) if packed else table(count)
    options = {"batch_size": batch_size, "memory": memory, "threads": threads}
    ds = dataset(content, remainder=remainder, **options)
    plain = dataset(content, remainder="drop" if remainder == "drop" else "keep", **options)
    held_out = plain.split(0.4, seed=seed)[1]
    by_key = plain.split(0.4, seed=seed, by="key")[0]
    pairs = [
        (ds, plain),
        (ds.shuffle(seed=seed), plain.shuffle(seed=seed)),
        (ds.split(0.4, seed=seed)[1], held_out),
        (ds.split(0.4, seed=seed)[1].shuffle(seed=1), held_out.shuffle(seed=1)),
        (ds.split(0.4, seed=seed, by="key")[0], by_key),
        (ds.shard(0, 2), plain.shard(0, 2)),
    ]
    for made, expected in pairs:
        if expected.num_rows:
            # The rows of the next epoch, again and again.
            rows = check(made.with_ids())
            assert check(made.with_ids()) == rows
            assert rows == numbers_of(expected)
    windows = ds.windows(3)
    if windows.num_rows:
        assert check(windows.with_ids()) == numbers_of(plain.windows(3))
        shuffled = windows.shuffle(seed=seed)
        assert check(shuffled.with_ids()) == numbers_of(plain.windows(3).shuffle(seed=seed))


@pytest.mark.parametrize("memory", [None, SMALL])
def test_rows_that_are_left_out_have_no_ids(memory):
    content = table(60).replace(b",-7,", b",,").replace(b"\n8,", b"\noops,")
    content = content.replace(str(order_of(11)).encode(), b"1.5")
    options = {"missing_target": "skip", "on_error": "skip", "batch_size": 4, "memory": memory}
    ds = dataset(content, **options)
    kept = [number for number in range(60) if number not in (7, 8, 11)]
    assert ds.num_rows == len(kept)
    with pytest.warns(RuntimeWarning, match="2 rows of <bytes> were left out"):
        assert check(ds.with_ids()) == kept
    # Iteration leaves the same rows out.
    assert numbers_of(ds) == kept
    assert ds.rejects.by_kind == {"not a number": 1, "not an integer id": 1}
    assert sorted(check(ds.shuffle(seed=1).with_ids())) == kept
    assert ds.stats()["a"].count == len(kept)


def test_a_wrong_id_is_an_error_only_for_who_reads_it(write):
    content = "a,order,b,y\n1,5,1,0\n2,x,oops,0\n"
    ds = csvfeed.CsvDataset(content.encode(), features=["a"], ids={"order": int}, batch_size=1)
    assert [len(X) for X, _ in ds] == [1, 1]
    found = ds.with_ids()
    assert next(found)[0]["order"].tolist() == [5]
    with pytest.raises(
        csvfeed.NumberError, match=r"line 3, column 'order' .*: 'x': not an integer"
    ):
        next(found)
    # Of two wrong fields of a row the first in the file counts.
    for features, column in ((["a", "b"], "order"), (["b"], "order")):
        ds = csvfeed.CsvDataset(write(content), features=features, ids={"order": int})
        with pytest.raises(csvfeed.NumberError, match=f"column '{column}'"):
            list(ds.with_ids())
    ds = csvfeed.CsvDataset(b"a,b,order,y\n2,oops,x,0\n", ids={"order": int})
    with pytest.raises(csvfeed.NumberError, match="column 'b'"):
        list(ds.with_ids())


def test_ids_have_the_encoding_of_the_file():
    content = "id,a,y\né,1,2\n"
    for encoding in ("latin-1", "utf-16", "utf-8"):
        ds = csvfeed.CsvDataset(content.encode(encoding), encoding=encoding, ids=["id"])
        assert next(ds.with_ids())[0]["id"].tolist() == ["é"]
    wrong = csvfeed.CsvDataset(content.encode("latin-1"), ids=["id"])
    assert len(list(wrong)) == 1
    with pytest.raises(csvfeed.EncodingError, match=r"line 2, column 'id' .*an id is not UTF-8"):
        next(wrong.with_ids())


def test_ids_of_several_files_come_from_fields_and_directories(tmp_path):
    for day, text in (("1", "a,id\n1,x\n2,y\n"), ("2", "id,b,a\nz,0,3\n"), ("3", "a\n4\n")):
        directory = tmp_path / f"day={day}"
        directory.mkdir()
        (directory / "part-0.csv").write_text(text)
    options = {"target": None, "features": ["a"], "partitions": True, "columns": "union"}
    ds = csvfeed.CsvDataset(tmp_path, ids={"id": str, "day": int}, batch_size=9, **options)
    ((ids, X),) = ds.with_ids()
    assert X[:, 0].tolist() == [1, 2, 3, 4]
    assert ids["id"].tolist() == ["x", "y", "z", ""]
    assert ids["day"].tolist() == [1, 1, 2, 3]
    with pytest.raises(csvfeed.CsvError, match=r'day=3.*it has no column "id"'):
        csvfeed.CsvDataset(tmp_path, ids={"id": int}, **options)
    (tmp_path / "day=3").rename(tmp_path / "day=three")
    with pytest.raises(csvfeed.NumberError, match="'three': not an integer"):
        csvfeed.CsvDataset(tmp_path, ids={"day": int}, **options)


def test_a_cache_has_no_ids_and_the_source_does(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(table(100))
    ds = dataset(path, batch_size=7).cache(tmp_path / "cache")
    assert check(ds.with_ids()) == list(range(100))
    for _ in range(2):
        assert numbers_of(ds) == list(range(100))
    assert check(ds.with_ids()) == list(range(100))
    shuffled = ds.shuffle(seed=3)
    assert check(shuffled.with_ids()) == numbers_of(shuffled)


def test_reading_ids_does_not_move_a_dataset():
    ds = dataset(table(40), batch_size=8).shuffle(seed=0)
    first = numbers_of(ds)
    second = check(ds.with_ids())
    assert second != first
    assert list(itertools.islice(ds.predictions(len_of), 1))
    assert numbers_of(ds) == second
    state = ds.state_dict()
    without = csvfeed.CsvDataset(table(40), target="y", features=["a"], batch_size=8)
    without.shuffle(seed=0).load_state_dict(state)
    assert check(pickle.loads(pickle.dumps(ds)).with_ids()) == first


def len_of(X):
    return np.full(len(X), len(X))


class Model:
    """What predictions ask of a model of Keras."""

    def __init__(self, outputs):
        self.outputs = outputs
        self.sizes = []

    def predict_on_batch(self, X):
        self.sizes.append(len(X["a"]) if isinstance(X, dict) else len(X))
        return self.outputs(X)


@pytest.mark.parametrize(
    ("outputs", "values"),
    [
        (lambda X: X[:, 0] * 2, lambda found: found),
        (lambda X: [X[:, 0] * 2, X], lambda found: found[0]),
        (lambda X: {"p": X[:, :1] * 2, "q": X}, lambda found: found["p"][:, 0]),
        (lambda X: (X[:, 0] * 2).tolist(), np.array),
    ],
)
@pytest.mark.parametrize(
    ("remainder", "sizes"), [("keep", [8, 8, 4]), ("pad", [8] * 3), ("drop", [8, 8])]
)
def test_predictions_are_those_of_the_rows(outputs, values, remainder, sizes):
    ds = dataset(table(20), batch_size=8, remainder=remainder)
    model = Model(outputs)
    found = []
    for ids, predictions in ds.predictions(model):
        predicted = values(predictions)
        assert len(predicted) == len(ids["order"])
        found += zip(ids["order"].tolist(), predicted.tolist(), strict=True)
    count = 16 if remainder == "drop" else 20
    assert found == [(order_of(number), 2.0 * number) for number in range(count)]
    assert model.sizes == sizes


def test_predictions_need_neither_ids_nor_targets():
    ds = csvfeed.CsvDataset(b"a,b\n1,2\n3,4\n", target=None)
    assert [(ids, values.tolist()) for ids, values in ds.predictions(lambda X: X.sum(axis=1))] == [
        ({}, [3.0, 7.0])
    ]
    ds = csvfeed.CsvDataset(b"a,id\n1,x\n3,y\n", target=None, ids=["id"], remainder="pad")
    ((ids, values),) = ds.predictions(lambda X: X[:, 0])
    assert (ids["id"].tolist(), values.tolist()) == (["x", "y"], [1, 3])


def test_a_model_may_take_the_features_by_name():
    ds = csvfeed.CsvDataset(
        b"a,c,id\n1,u,x\n3,v,y\n", target=None, categories={"c": "auto"}, ids=["id"]
    )
    model = Model(dict)
    ((_, values),) = ds.predictions(model, as_dict=True)
    assert {name: (one.dtype, one.tolist()) for name, one in values.items()} == {
        "a": (np.float32, [[1], [3]]),
        "c": (np.int32, [[1], [2]]),
    }


@pytest.mark.parametrize("values", [lambda X: X[:1], lambda X: X.sum()])
def test_a_model_must_predict_each_row(values):
    ds = dataset(table(5))
    with pytest.raises(ValueError, match=r"the model returns [01] rows for the 5 rows of X"):
        next(ds.predictions(values))


def test_wrong_calls_are_explained():
    class Estimator:
        predict = len_of

    part = dataset(table(5), remainder="drop", batch_size=2).distribute(0, 2)
    for call in (part.with_ids, lambda: part.predictions(len_of)):
        with pytest.raises(ValueError, match=r"its rows with shard\(index, count\)"):
            call()
    ds = dataset(table(5))
    with pytest.raises(TypeError, match="its method predict is one"):
        ds.predictions(Estimator())
    with pytest.raises(TypeError, match="takes a model with predict_on_batch"):
        ds.predictions("model.keras")
    with pytest.raises(ValueError, match="this dataset has none"):
        csvfeed.CsvDataset(table(5), target="y", features=["a"]).with_ids()
    part = dataset(table(5), remainder="pad").distribute(0, 1)
    for ask in (part.with_ids, lambda: part.predictions(len_of)):
        with pytest.raises(ValueError, match=r"shard\(index, count\)"):
            ask()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"ids": ["y"]}, csvfeed.CsvError, 'ids= names column "y" .*, which is the target'),
        ({"ids": ["key"], "weight": "key"}, csvfeed.CsvError, "which is the weight"),
        ({"ids": ["nope"]}, csvfeed.CsvError, 'ids= asks for column "nope"'),
        ({"ids": ["name", 1]}, csvfeed.CsvError, "twice"),
        ({"ids": ["name", "name"]}, ValueError, "ids names column 'name' twice"),
        ({"ids": {"name": float}}, ValueError, "is str for any text, or int"),
        ({"ids": {"name": "int"}}, ValueError, "is str for any text, or int"),
        ({"ids": [1.5]}, TypeError, "ids names columns by name or index"),
        (
            {"ids": ["a", "name", "order", "key"], "features": None},
            csvfeed.CsvError,
            "no feature column is left: ids=",
        ),
    ],
)
def test_wrong_ids_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        dataset(table(3), **options)


def test_text_that_only_ids_have_does_not_make_a_header():
    content = b"x1,1,2\nx2,3,4\n"
    with pytest.raises(csvfeed.CsvError, match="cannot tell whether the first row"):
        csvfeed.CsvDataset(content, ids=[0])
    ((ids, X, _),) = csvfeed.CsvDataset(content, ids=[0], header=False).with_ids()
    assert (ids["column_0"].tolist(), X.tolist()) == (["x1", "x2"], [[1], [3]])


def test_a_window_has_the_ids_of_the_row_that_it_predicts():
    ds = dataset(table(9), batch_size=3).windows(3, horizon=2)
    found = [(ids["order"].tolist(), y.tolist()) for ids, _, y in ds.with_ids()]
    assert found == [
        ([order_of(n) for n in range(s, s + 3)], [-n for n in range(s, s + 3)]) for s in (4,)
    ] + [([order_of(n) for n in (7, 8)], [-7, -8])]


def test_the_standard_input_has_ids(tmp_path):
    path = Path(tmp_path) / "table.csv"
    path.write_bytes(table(50))
    with open(path, "rb") as file:
        assert check(dataset(file).with_ids()) == list(range(50))
