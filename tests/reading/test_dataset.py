"""CsvDataset: what its arguments mean and what it yields."""

import copy
import operator
import pickle
from pathlib import Path

import numpy as np
import pytest
from conftest import SMALL

import csvfeed

TABLE = b"a,b,c,y,w\n" + b"".join(
    b"%d,%d,%d,%d,%d\n" % (n, n + 100, n + 200, -n, n % 3) for n in range(10)
)


def values(ds):
    return [np.concatenate(parts).tolist() for parts in zip(*ds, strict=True)]


# Shapes


@pytest.mark.parametrize(
    ("options", "shapes"),
    [
        ({"target": None}, [(4, 5)]),
        ({"target": []}, [(4, 5)]),
        ({"target": "y"}, [(4, 4), (4,)]),
        ({"target": ["y"]}, [(4, 4), (4,)]),
        ({"target": ("y", "w")}, [(4, 3), (4, 2)]),
        ({"target": "y", "weight": "w"}, [(4, 3), (4,), (4,)]),
        ({"target": ["y", "c"], "weight": "w"}, [(4, 2), (4, 2), (4,)]),
        ({"target": "y", "features": ["a"]}, [(4, 1), (4,)]),
        ({"target": None, "features": ["c", "a"]}, [(4, 2)]),
    ],
)
@pytest.mark.parametrize("memory", [None, SMALL])
def test_batches_are_tuples_of_contiguous_float32(options, shapes, memory):
    for batch in list(csvfeed.CsvDataset(TABLE, batch_size=4, memory=memory, **options))[:2]:
        assert type(batch) is tuple
        assert [part.shape for part in batch] == shapes
        for part in batch:
            assert type(part) is np.ndarray
            assert part.dtype == np.float32
            assert part.flags.c_contiguous
            assert part.flags.writeable
            assert part.flags.aligned


def test_the_last_batch_has_what_is_left():
    shapes = [(X.shape, y.shape) for X, y in csvfeed.CsvDataset(TABLE, batch_size=4)]
    assert shapes == [((4, 4), (4,)), ((4, 4), (4,)), ((2, 4), (2,))]


def test_remainder_drop_leaves_the_last_rows_out():
    ds = csvfeed.CsvDataset(TABLE, batch_size=4, remainder="drop")
    assert [len(X) for X, _ in ds] == [4, 4]
    assert (len(ds), ds.num_rows) == (2, 10)


@pytest.mark.parametrize(
    ("batch_size", "keep", "drop"), [(1, 10, 10), (3, 4, 3), (5, 2, 2), (10, 1, 1), (11, 1, 0)]
)
@pytest.mark.parametrize("memory", [None, SMALL])
def test_len_is_the_number_of_batches(batch_size, keep, drop, memory):
    for remainder, expected in [("keep", keep), ("drop", drop)]:
        ds = csvfeed.CsvDataset(TABLE, batch_size=batch_size, remainder=remainder, memory=memory)
        length = len(ds)
        assert type(length) is int
        assert length == len(list(ds)) == expected


@pytest.mark.parametrize("batch_size", [10**6, 2**40, 2**61])
def test_a_batch_size_beyond_the_file_gives_one_batch(batch_size):
    ((X, y),) = csvfeed.CsvDataset(TABLE, batch_size=batch_size)
    assert (X.shape, y.shape) == ((10, 4), (10,))
    assert list(csvfeed.CsvDataset(TABLE, batch_size=batch_size, remainder="drop")) == []


def test_batches_of_many_sizes_hold_the_same_rows():
    text = b"".join(b"%d,%d\n" % (n, 2 * n) for n in range(1000))
    for batch_size in [1, 2, 31, 64, 65, 999, 1000]:
        for memory in [None, SMALL, 1 << 13]:
            batches = list(iter(csvfeed.CsvDataset(text, batch_size=batch_size, memory=memory)))
            assert {len(X) for X, _ in batches[:-1]} <= {batch_size}
            np.testing.assert_array_equal(
                np.concatenate([X[:, 0] for X, _ in batches]), np.arange(1000)
            )
            np.testing.assert_array_equal(
                np.concatenate([y for _, y in batches]), 2 * np.arange(1000)
            )


@pytest.mark.parametrize("memory", [None, SMALL, 1 << 16])
def test_five_thousand_columns(memory):
    matrix = np.arange(40 * 5000).reshape(40, 5000)
    text = "\n".join(",".join(map(str, row)) for row in matrix).encode()
    ds = csvfeed.CsvDataset(text, batch_size=16, memory=memory)
    assert (len(ds.columns), ds.columns[-1]) == (5000, "column_4999")
    X, y = (np.concatenate(parts) for parts in zip(*ds, strict=True))
    np.testing.assert_array_equal(X, matrix[:, :-1].astype(np.float32))
    np.testing.assert_array_equal(y, matrix[:, -1].astype(np.float32))


def test_rows_longer_than_a_block_with_all_threads():
    text = b"".join(b"%d," % n + b" " * 3000 + b",%d\n" % -n for n in range(100))
    for threads in range(1, 5):
        ds = csvfeed.CsvDataset(text, threads=threads, memory=SMALL, batch_size=9)
        X, y = (np.concatenate(parts) for parts in zip(*ds, strict=True))
        np.testing.assert_array_equal(X[:, 0], np.arange(100))
        np.testing.assert_array_equal(y, -np.arange(100))


# Columns


def test_by_default_the_last_column_is_the_target():
    ds = csvfeed.CsvDataset(TABLE)
    assert ds.columns == ["a", "b", "c", "y", "w"]
    assert ds.feature_names == ["a", "b", "c", "y"]
    assert ds.target_names == ["w"]
    assert ds.batch_size == 32


BOTH = {"allow_target_as_feature": True}


@pytest.mark.parametrize(
    ("options", "features", "targets"),
    [
        ({"target": "y"}, ["a", "b", "c", "w"], ["y"]),
        ({"target": 0}, ["b", "c", "y", "w"], ["a"]),
        ({"target": -2}, ["a", "b", "c", "w"], ["y"]),
        ({"target": -5}, ["b", "c", "y", "w"], ["a"]),
        ({"target": ["w", 0]}, ["b", "c", "y"], ["w", "a"]),
        ({"target": np.int64(1)}, ["a", "c", "y", "w"], ["b"]),
        ({"target": np.array([3, 0])}, ["b", "c", "w"], ["y", "a"]),
        ({"target": None}, ["a", "b", "c", "y", "w"], []),
        ({"target": "y", "weight": "w"}, ["a", "b", "c"], ["y"]),
        ({"target": "y", "weight": -1}, ["a", "b", "c"], ["y"]),
        ({"target": "y", "features": ["c", 0, -4]}, ["c", "a", "b"], ["y"]),
        ({"target": "y", "features": ("b",)}, ["b"], ["y"]),
        ({"target": "y", "features": ["y", "a"], **BOTH}, ["y", "a"], ["y"]),
        ({"target": "y", "features": ["w"], "weight": "w", **BOTH}, ["w"], ["y"]),
        ({"target": "y", "features": range(2)}, ["a", "b"], ["y"]),
    ],
)
def test_columns_are_chosen_by_name_or_index(options, features, targets):
    ds = csvfeed.CsvDataset(TABLE, **options)
    assert (ds.feature_names, ds.target_names) == (features, targets)
    column = {name: [float(n + 100 * at) for n in range(10)] for at, name in enumerate("abc")}
    column |= {"y": [-float(n) for n in range(10)], "w": [float(n % 3) for n in range(10)]}
    X, *rest = values(ds)
    assert [list(row) for row in zip(*(column[name] for name in features), strict=True)] == X
    if len(targets) == 1:
        assert rest[0] == column[targets[0]]
    elif targets:
        assert rest[0] == [
            list(row) for row in zip(*(column[name] for name in targets), strict=True)
        ]
    if "weight" in options:
        assert rest[1] == column["w"]


def test_the_lists_of_names_are_the_callers_own():
    ds = csvfeed.CsvDataset(TABLE)
    for names in (ds.columns, ds.feature_names, ds.target_names):
        names.clear()
    assert (len(ds.columns), len(ds.feature_names), len(ds.target_names)) == (5, 4, 1)


# Sources


def test_a_source_is_a_path_or_bytes(write, tmp_path):
    path = write(TABLE)
    expected = values(csvfeed.CsvDataset(TABLE))
    for source in [path, Path(path), bytearray(TABLE), memoryview(TABLE)]:
        assert values(csvfeed.CsvDataset(source)) == expected
    odd = tmp_path / "näme with \udcff"
    odd.write_bytes(TABLE)
    assert values(csvfeed.CsvDataset(odd)) == expected
    assert values(csvfeed.CsvDataset(str(odd))) == expected


def test_changing_a_bytearray_later_changes_nothing():
    source = bytearray(TABLE)
    ds = csvfeed.CsvDataset(source)
    expected = values(ds)
    source[:] = b"x" * len(source)
    assert values(ds) == expected
    assert values(pickle.loads(pickle.dumps(ds))) == expected


# Iterating


def test_each_iteration_gives_the_same_rows(write):
    ds = csvfeed.CsvDataset(write(TABLE), batch_size=3)
    first = values(ds)
    assert values(ds) == first
    assert ds.num_rows == 10
    assert values(ds) == first


def test_an_iterator_is_its_own_iterator_and_ends_for_good():
    iterator = iter(csvfeed.CsvDataset(TABLE))
    assert iter(iterator) is iterator
    assert len(list(iterator)) == 1
    for _ in range(3):
        with pytest.raises(StopIteration):
            next(iterator)


def test_batches_outlive_iterator_and_dataset_and_each_other(write):
    def batches():
        text = b"".join(b"%d,%d\n" % (n, -n) for n in range(2000))
        return list(iter(csvfeed.CsvDataset(write(text), batch_size=7, memory=SMALL)))

    kept = batches()[::3]
    for _ in range(3):
        batches()
    for at, (X, y) in enumerate(kept):
        rows = np.arange(21 * at, min(21 * at + 7, 2000))
        np.testing.assert_array_equal(X[:, 0], rows)
        np.testing.assert_array_equal(y, -rows)


@pytest.mark.parametrize("memory", [None, SMALL])
def test_writing_into_a_batch_changes_no_other(memory):
    text = b"".join(b"%d,%d,%d\n" % (n, n, -n) for n in range(1000))
    seen = []
    for at, (X, y) in enumerate(csvfeed.CsvDataset(text, batch_size=13, memory=memory)):
        rows = np.arange(13 * at, min(13 * at + 13, 1000))
        np.testing.assert_array_equal(X, np.stack([rows, rows], axis=1))
        np.testing.assert_array_equal(y, -rows)
        X[:] = at
        y[:] = at
        seen.append((X, y))
    for at, (X, y) in enumerate(seen):
        assert np.all(at == X)
        assert np.all(y == at)
        assert not any(np.shares_memory(X, other) for other, _ in seen[:at])


# Pickling and copying


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda ds: pickle.loads(pickle.dumps(ds))]
)
def test_a_copy_is_the_same_dataset(write, duplicate):
    options = {
        "target": ["y", 0],
        "features": ("c", -4),
        "weight": "w",
        "batch_size": 3,
        "remainder": "drop",
        "missing": {"NA"},
        "missing_target": "skip",
        "threads": 2,
        "memory": SMALL,
    }
    path = Path(write(TABLE + b"1,2,3,,1\n"))
    for source in (path, str(path), TABLE):
        ds = csvfeed.CsvDataset(source, **options)
        for _ in range(2):
            twin = duplicate(ds)
            assert twin is not ds
            assert repr(twin) == repr(ds)
            assert (twin.columns, twin.feature_names, twin.target_names) == (
                ds.columns,
                ds.feature_names,
                ds.target_names,
            )
            assert values(twin) == values(ds)
            assert (len(twin), twin.num_rows) == (3, 10)
            assert ds.num_rows == 10  # From now on it is known.


@pytest.mark.parametrize(
    "iterable", [{"missing": iter(["NA"])}, {"features": iter(["a"])}, {"header": iter("abcyw")}]
)
def test_arguments_that_are_read_once_survive_pickling(iterable):
    ds = csvfeed.CsvDataset(TABLE.partition(b"\n")[2], **{"header": list("abcyw"), **iterable})
    assert values(pickle.loads(pickle.dumps(ds))) == values(ds)


def test_a_list_that_was_given_may_change_later():
    features, target, header = ["a"], ["y"], list("abcyw")
    ds = csvfeed.CsvDataset(
        TABLE.partition(b"\n")[2], features=features, target=target, header=header
    )
    features.append("b")
    target[0] = "w"
    header.clear()
    twin = pickle.loads(pickle.dumps(ds))
    assert (twin.feature_names, twin.target_names, twin.columns) == (["a"], ["y"], list("abcyw"))


def test_a_pickle_does_not_remember_the_rows_of_another_file(write):
    path = write(b"a,b\n1,2\n3,4\n")
    ds = csvfeed.CsvDataset(path)
    assert ds.num_rows == 2
    pickled = pickle.dumps(ds)
    write(b"a,b\n1,2\n3,4\n5,6\n")
    try:
        twin = pickle.loads(pickled)
        assert twin.num_rows == sum(len(X) for X, _ in twin)
    except csvfeed.SourceChangedError:
        pass  # To refuse is as good.


# repr


def test_repr_says_what_is_read(write):
    path = write(TABLE)
    assert repr(csvfeed.CsvDataset(path, target="y", features=["b", "a"], batch_size=5)) == (
        f"CsvDataset({path!r}, features=['b', 'a'], target=['y'], batch_size=5)"
    )


@pytest.mark.parametrize("source", [TABLE, bytearray(TABLE), memoryview(TABLE)])
def test_repr_of_bytes_is_short(source):
    assert repr(csvfeed.CsvDataset(source)).startswith(f"CsvDataset(<{len(TABLE)} bytes>, ")


def test_repr_of_many_columns_is_short():
    text = ",".join(f"name{n}" for n in range(1000)) + "\n" + ",".join("1" * 1000)
    assert len(repr(csvfeed.CsvDataset(text.encode()))) < 200


# Arguments that make no sense


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("source", 5),
        ("source", None),
        ("source", [b"a\n1\n", 5]),
        ("source", object()),
        ("target", 1.5),
        ("target", True),
        ("target", b"y"),
        ("target", ["y", None]),
        ("target", {"y": 1.5}.values()),
        ("target", 5),
        ("target", -6),
        ("target", 10**30),
        ("target", "nowhere"),
        ("target", ["y", "y"]),
        ("target", ["y", 3]),
        ("target", ""),
        ("features", "a"),
        ("features", 0),
        ("features", [1.5]),
        ("features", [None]),
        ("features", ["nowhere"]),
        ("features", [99]),
        ("features", ["a", 0]),
        ("features", []),
        ("weight", 1.5),
        ("weight", ["w"]),
        ("weight", "nowhere"),
        ("weight", 5),
        ("batch_size", 0),
        ("batch_size", -1),
        ("batch_size", 2.0),
        ("batch_size", "32"),
        ("batch_size", None),
        ("batch_size", True),
        ("batch_size", 2**70),
        ("remainder", "fill"),
        ("remainder", None),
        ("remainder", True),
        ("header", "yes"),
        ("header", []),
        ("header", [1, 2, 3, 4, 5]),
        ("header", None),
        ("header", 1),
        ("header", b"abcyw"),
        ("delimiter", ""),
        ("delimiter", ",,"),
        ("delimiter", "\n"),
        ("delimiter", "\r"),
        ("delimiter", "1"),
        ("delimiter", "-"),
        ("delimiter", "."),
        ("delimiter", "e"),
        ("delimiter", "é"),
        ("delimiter", '"'),
        ("delimiter", None),
        ("delimiter", b","),
        ("quote", ""),
        ("quote", '""'),
        ("quote", ","),
        ("quote", "\n"),
        ("quote", "e"),
        ("quote", "“"),
        ("quote", 5),
        ("missing", "NA"),
        ("missing", ["NA", 5]),
        ("missing", 5),
        ("missing", None),
        ("missing", b"NA"),
        ("missing_target", "ignore"),
        ("missing_target", None),
        ("threads", 0),
        ("threads", -1),
        ("threads", 1.5),
        ("threads", "2"),
        ("memory", 0),
        ("memory", -1),
        ("memory", 1e6),
        ("memory", "1GB"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(name, value):
    options = {"source": TABLE, name: value}
    with pytest.raises((TypeError, ValueError)) as caught:
        csvfeed.CsvDataset(**options)
    message = str(caught.value)
    assert name.removesuffix("s") in message, message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", "x"),
        ("remainder", "fill"),
        ("delimiter", "::"),
        ("quote", "''"),
        ("header", "no"),
    ],
)
def test_the_message_shows_the_value(name, value):
    with pytest.raises((TypeError, ValueError)) as caught:
        csvfeed.CsvDataset(TABLE, **{name: value})
    assert repr(value) in str(caught.value)


def test_options_are_named():
    with pytest.raises(TypeError):
        csvfeed.CsvDataset(TABLE, "y")
    with pytest.raises(TypeError, match="targets"):
        csvfeed.CsvDataset(TABLE, targets="y")


def test_a_weight_needs_a_target():
    with pytest.raises(csvfeed.CsvError, match="weight"):
        csvfeed.CsvDataset(TABLE, target=None, weight="w")


def test_there_must_be_a_feature():
    with pytest.raises(csvfeed.CsvError, match="no feature"):
        csvfeed.CsvDataset(b"y\n1\n")
    ds = csvfeed.CsvDataset(b"y\n1\n", target=None)
    assert values(ds) == [[[1]]]


def test_names_that_occur_twice_are_asked_for_by_index():
    text = b"a,b,a,y\n1,2,3,4\n"
    assert values(csvfeed.CsvDataset(text)) == [[[1, 2, 3]], [4]]
    assert values(csvfeed.CsvDataset(text, features=[2, 0])) == [[[3, 1]], [4]]
    with pytest.raises(csvfeed.CsvError, match=r"index 0 and again at 2.*use the index"):
        csvfeed.CsvDataset(text, features=["a"])


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(csvfeed.CsvError) as caught:
        csvfeed.CsvDataset(TABLE, target="Y")
    for name in ("target=", '"Y"', '"a"', '"y"', '"w"'):
        assert name in str(caught.value)


def test_a_wrong_count_of_header_names_is_an_error_at_the_first_row():
    with pytest.raises(csvfeed.RowLengthError) as caught:
        list(iter(csvfeed.CsvDataset(b"1,2,3\n", header=["a", "b"])))
    assert (caught.value.line, caught.value.byte_offset, caught.value.text) == (1, 0, "1,2,3")
    assert "3 fields where the header= given has 2" in str(caught.value)


@pytest.mark.parametrize("threads", [1, 5, 64, 10**4, 2**40])
@pytest.mark.parametrize("memory", [1, 1024, 10**6, 2**61, None])
def test_any_number_of_threads_and_any_memory_will_do(threads, memory):
    ds = csvfeed.CsvDataset(TABLE, threads=threads, memory=memory)
    assert values(ds)[1] == [n % 3 for n in range(10)]


def test_len_wants_whole_numbers_of_python():
    assert operator.index(len(csvfeed.CsvDataset(TABLE, batch_size=np.int32(3)))) == 4


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"target": "y", "features": ["a", "y"]}, r'"y" \(index 3\), which is the target'),
        ({"target": 3, "features": ["y"]}, r'"y" \(index 3\), which is the target'),
        ({"target": "y", "features": [0, -2]}, r'"y" \(index 3\), which is the target'),
        ({"target": ["b", "y"], "features": ["a", "b"]}, r'"b" \(index 1\), which is the target'),
        ({"features": ["w"]}, r'"w" \(index 4\), which is the target'),
        (
            {"target": "y", "weight": "w", "features": ["a", 4]},
            r'"w" \(index 4\), which is the weight',
        ),
    ],
)
def test_a_target_as_feature_is_refused_unless_that_is_allowed(options, says):
    with pytest.raises(csvfeed.CsvError, match=f"features= names column {says}") as caught:
        csvfeed.CsvDataset(TABLE, **options)
    assert "allow_target_as_feature=True" in str(caught.value)
    ds = csvfeed.CsvDataset(TABLE, **options, **BOTH)
    assert pickle.loads(pickle.dumps(ds)).feature_names == ds.feature_names
    with pytest.raises(TypeError, match="allow_target_as_feature is True or False, not 'yes'"):
        csvfeed.CsvDataset(TABLE, **options, allow_target_as_feature="yes")


@pytest.mark.parametrize(
    ("features", "target"),
    [([0], [0]), ([1], [1]), ([0], [1]), ([0, 1], [1, 2]), ([0, 1], [0, 1]), ([0, 1, 2], [2, 3])],
)
def test_a_column_may_be_feature_and_target_at_once(features, target):
    # Also where there are as many columns as roles for them.
    for columns in range(max(target) + 1, len(features) + len(target) + 2):
        rows = [[10 * row + column for column in range(columns)] for row in range(3)]
        text = "\n".join(",".join(map(str, row)) for row in rows)
        options = {"features": features, "target": target}
        ((X, y),) = csvfeed.CsvDataset(text.encode(), **options, **BOTH)
        assert X.tolist() == [[row[at] for at in features] for row in rows]
        assert y.reshape(3, -1).tolist() == [[row[at] for at in target] for row in rows]


@pytest.mark.parametrize(
    "options", [{"features": {"a", "b"}}, {"target": {"a", "y"}}, {"booleans": "a"}]
)
def test_columns_without_an_order_or_a_list_are_refused(options):
    with pytest.raises(TypeError, match="is a list of names or indices"):
        csvfeed.CsvDataset(b"a,b,y\n1,2,3\n", **options)
