"""Fields that hold lists of numbers."""

import json
import pickle

import numpy as np
import pytest
from conftest import SMALL, equal
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import csvfeed
from csvfeed import CsvDataset, List, MultiHot


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def table(lists, separator=" ", form="{}"):
    """Return a file with a number, a list and a target in each row."""
    rows = (
        f"{at},{quoted(form.format(separator.join(map(str, values))))},{-at}\n"
        for at, values in enumerate(lists)
    )
    return ("n,v,y\n" + "".join(rows)).encode()


def read(content, **options):
    """Return X, y and the like of all rows."""
    return [np.concatenate(part) for part in zip(*CsvDataset(content, **options), strict=True)]


numbers = st.one_of(
    st.integers(0, 255),
    st.integers(-(10**9), 10**9),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
)
separators = st.sampled_from([" ", "   ", ",", ", ", ";", " ; ", "|", "\t"])
forms = st.sampled_from(["{}", "[{}]", "({})", " [ {} ] ", "[{}\n]"])


@settings(max_examples=examples(150))
@given(
    st.integers(1, 40).flatmap(
        lambda n: st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=1, max_size=30)
    ),
    separators,
    forms,
    st.sampled_from([None, SMALL]),
    st.integers(1, 3),
)
def test_lists_are_read_as_numpy_reads_them(lists, separator, form, memory, threads):
    count = len(lists[0])
    content = table(lists, separator, form)
    given = List(count, separator.strip(" ") or " ")
    X, y = read(content, lists={"v": given}, memory=memory, threads=threads)
    expected = np.array([[np.float32(str(one)) for one in values] for values in lists])
    assert X.dtype == np.float32
    equal(X, np.column_stack([np.arange(len(lists)), expected]))
    equal(y, -np.arange(len(lists)))


def test_arrays_of_numpy_are_read_as_they_are_printed():
    rows = np.random.default_rng(0).normal(size=(50, 30)).astype(np.float32)
    printed = [np.array2string(row, floatmode="unique") for row in rows]
    assert "\n" in printed[0]
    content = "v\n" + "".join(f"{quoted(text)}\n" for text in printed)
    (X,) = read(content.encode(), target=None, lists={"v": List(30)})
    equal(X, rows)
    content = "v\n" + "".join(f"{quoted(str(row.tolist()))}\n" for row in rows)
    (X,) = read(content.encode(), target=None, lists={"v": List(30, ",")})
    equal(X, rows)


def test_lists_need_no_quotes():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 64))
    content = "label,pixels,use\n" + "".join(
        f"{at % 7},{' '.join(map(str, row))},train\n" for at, row in enumerate(pixels)
    )
    ds = CsvDataset(
        content.encode(), features=["pixels"], target="label", lists={"pixels": List(64)}
    )
    assert ds.feature_names == [f"pixels[{at}]" for at in range(64)]
    assert ds.feature_types == ["list"] * 64
    X, y = (np.concatenate(part) for part in zip(*ds, strict=True))
    equal(X, pixels)
    equal(y, np.arange(40) % 7)


def test_features_are_in_their_order():
    content = b"a,v,b,w,y\n1,2 3,4,5;6,7\n"
    ds = CsvDataset(
        content, features=["w", "b", "v", "a"], lists={"v": List(2), 3: List(2, separator=";")}
    )
    assert ds.feature_names == ["w[0]", "w[1]", "b", "v[0]", "v[1]", "a"]
    X, y = next(iter(ds))
    assert X.tolist() == [[5, 6, 4, 2, 3, 1]]
    assert y.tolist() == [7]


def test_a_list_may_be_the_target():
    content = b"a,v,b\n1,2 3,4\n5,6 7,8\n"
    ds = CsvDataset(content, target="v", lists={"v": List(2)})
    X, y = next(iter(ds))
    assert X.tolist() == [[1, 4], [5, 8]]
    assert y.tolist() == [[2, 3], [6, 7]]
    assert ds.target_names == ["v[0]", "v[1]"]
    ds = CsvDataset(content, target=["v", "b"], lists={"v": List(2)})
    assert next(iter(ds))[1].tolist() == [[2, 3, 4], [6, 7, 8]]


def test_a_list_of_one_value_has_an_axis_as_a_target():
    content = b"a,v\n1,[2]\n5,6\n"
    ds = CsvDataset(content, lists={"v": List(1)})
    X, y = next(iter(ds))
    assert (X.shape, y.tolist()) == ((2, 1), [[2], [6]])
    assert list(ds.to_pandas()) == ["a", "v[0]"]


def test_outputs_by_name_have_lists():
    content = b"a,v,b,w\n1,2 3,4,5\n5,6 7,8,9\n"
    target = {"one": "v", "two": "b", "both": ["b", "v"]}
    ds = CsvDataset(content, target=target, features=["a"], weight="w", lists={"v": List(2)})
    X, y, _ = next(iter(ds))
    assert X.tolist() == [[1], [5]]
    assert {name: part.tolist() for name, part in y.items()} == {
        "one": [[2, 3], [6, 7]],
        "two": [4, 8],
        "both": [[4, 2, 3], [8, 6, 7]],
    }


def test_a_list_may_be_feature_and_target():
    content = b"v\n1 2\n3 4\n"
    ds = CsvDataset(
        content,
        target="v",
        features=["v"],
        allow_target_as_feature=True,
        lists={"v": List(2)},
    )
    X, y = next(iter(ds))
    assert X.tolist() == y.tolist() == [[1, 2], [3, 4]]


def test_missing_values_of_lists():
    content = b'v,y\n1 NA 3,1\n,2\nNA,3\n"[4 5 6]",4\n7 8 nan,5\n'
    (X, _) = read(content, lists={"v": List(3)})
    nan = np.nan
    equal(X, [[1, nan, 3], [nan] * 3, [nan] * 3, [4, 5, 6], [7, 8, nan]])
    (X, _) = read(content, lists={"v": List(3)}, fill={"v": 0})
    equal(X, [[1, 0, 3], [0] * 3, [0] * 3, [4, 5, 6], [7, 8, 0]])
    (X, _) = read(content, lists={"v": List(3)}, fill="mean")
    equal(X, [[1, 6.5, 3], [4, 6.5, 4.5], [4, 6.5, 4.5], [4, 5, 6], [7, 8, 4.5]])
    (X, _) = read(content, lists={"v": List(3)}, fill={"v[1]": -1})
    equal(X[:, 1], [-1, -1, -1, 5, 8])
    # Nothing between two separators is a missing value, unless a run of them is one.
    (X, _) = read(b"v,y\n1;;3,1\n;;,2\n", lists={"v": List(3, ";")})
    equal(X, [[1, nan, 3], [nan] * 3])
    (X, _) = read(b"v,y\n1 -999 3,1\n-999.0 2 3,2\n", lists={"v": List(3)}, missing=["-999"])
    equal(X, [[1, nan, 3], [-999, 2, 3]])


def test_missing_values_of_a_target_list():
    content = b"a,v\n1,1 2\n2,NA\n3,3 NA\n4,5 6\n"
    options = {"lists": {"v": List(2)}}
    X, y = read(content, missing_target="skip", **options)
    assert (X.tolist(), y.tolist()) == ([[1], [4]], [[1, 2], [5, 6]])
    X, y = read(content, missing_target="keep", **options)
    equal(y, [[1, 2], [np.nan, np.nan], [3, np.nan], [5, 6]])
    with pytest.raises(csvfeed.NumberError, match="the target is missing") as caught:
        read(content, **options)
    assert (caught.value.line, caught.value.column_name) == (3, "v")


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("1 2", "the list has 2 values where lists= says 3"),
        ("1", "the list has 1 value where lists= says 3"),
        ("1 2 3 4", "the list has 4 values where lists= says 3"),
        ("[]", "the list has 0 values where lists= says 3"),
        ("1;2;3", r"the list has 1 value .*: lists=\{\"v\": csvfeed.List\(3, separator=\";\"\)\}"),
        ("1 x 3", 'value 1 of the list, counted from 0, is "x", which is not a number'),
        ("[1 2 3", r"value 0 of the list, counted from 0, is \"\[1\", which"),
        ('"[1, 2, 3]"', 'value 0 .* is "1,", .* If that separates the values, separator=","'),
    ],
)
def test_a_wrong_list_is_an_error_with_its_place(write, field, message):
    path = write(f"n,v,y\n1,7 8 9,2\n3,{field},4\n")
    ds = CsvDataset(path, lists={"v": List(3)})
    with pytest.raises(csvfeed.NumberError, match=message) as caught:
        list(ds)
    error = caught.value
    assert (error.path, error.line, error.column, error.column_name) == (path, 3, 1, "v")
    assert error.text == field
    assert error.byte_offset == len("n,v,y\n1,7 8 9,2\n3,")
    skipping = CsvDataset(path, lists={"v": List(3)}, on_error="skip")
    with pytest.warns(RuntimeWarning, match="1 row"):
        (batch,) = skipping
    assert batch[0].tolist() == [[1, 7, 8, 9]]
    reason = "wrong number of values" if "the list has" in message else "not a number"
    assert skipping.rejects.by_kind == {reason: 1}


def test_other_notations_of_numbers():
    content = b"v;y\n1,5 -2,25 1.000;1\n[0,5 2 1.234,5];2\n"
    X, _ = read(content, delimiter=";", decimal=",", thousands=".", lists={"v": List(3)})
    equal(X, [[1.5, -2.25, 1000], [0.5, 2, 1234.5]])
    X, _ = read(b"v,y\n1\\,2,1\n", escape="\\", lists={"v": List(2, ",")})
    equal(X, [[1, 2]])
    X, _ = read(b"v y\n1,2 1\n3,4 2\n", delimiter=" ", lists={"v": List(2, ",")})
    equal(X, [[1, 2], [3, 4]])
    X, _ = read("v,y,é\n1 2,1,é\n".encode("latin-1"), encoding="latin-1", features=["v"],
                target="y", lists={"v": List(2)})  # fmt: skip
    equal(X, [[1, 2]])


def test_lists_are_missing_where_a_file_lacks_them():
    parts = [b"v,n,y\n1 2,3,4\n", b"n,y\n5,6\n"]
    ds = CsvDataset(parts, columns="union", target="y", features=["v", "n"], lists={"v": List(2)})
    equal(np.concatenate([X for X, _ in ds]), [[1, 2, 3], [np.nan, np.nan, 5]])


def test_a_directory_may_give_a_list(tmp_path):
    directory = tmp_path / "v=1 2"
    directory.mkdir()
    (directory / "a.csv").write_text("n,y\n3,4\n")
    ds = CsvDataset(tmp_path, partitions=True, target="y", lists={"v": List(2)})
    assert next(iter(ds))[0].tolist() == [[3, 1, 2]]
    with pytest.raises(csvfeed.NumberError, match="the list has 2 values where lists= says 3"):
        CsvDataset(tmp_path, partitions=True, target="y", lists={"v": List(3)})


def test_statistics_are_those_of_each_value():
    stats = CsvDataset(b"v,y\n1 2,1\n3 NA,2\n", lists={"v": List(2)}).stats()
    assert list(stats) == ["v[0]", "v[1]", "y"]
    assert (stats["v[0]"].mean, stats["v[1]"].missing) == (2, 1)
    lists = {0: List(2), 1: List(2)}
    stats = CsvDataset(b"v,v\n1 2,1 3\n", target=None, lists=lists, header=True).stats()
    assert list(stats) == ["0[0]", "0[1]", "1[0]", "1[1]"]


def test_lists_go_with_everything_else(tmp_path, write):
    rows = np.random.default_rng(0).integers(0, 256, (200, 6))
    lines = (f"{n},{a} {b} {c} {d},w{n % 3},{y}\n" for n, (a, b, c, d, _, y) in enumerate(rows))
    path = write("n,v,c,y\n" + "".join(lines))
    options = {"lists": {"v": List(4)}, "categories": {"c": "auto"}, "batch_size": 16}
    ds = CsvDataset(path, **options, memory=SMALL)
    expected = np.column_stack([np.arange(200), rows[:, :4], np.arange(200) % 3 + 1, rows[:, 5]])

    def rows_of(dataset):
        return np.concatenate([np.column_stack(batch) for batch in dataset])

    equal(rows_of(ds), expected)
    shuffled = rows_of(ds.shuffle(seed=1))
    equal(shuffled[np.argsort(shuffled[:, 0])], expected)
    parts = [rows_of(part) for part in ds.split(0.3, seed=0)]
    together = np.concatenate(parts)
    equal(together[np.argsort(together[:, 0])], expected)
    cached = ds.cache(tmp_path / "cache")
    for _ in range(2):
        equal(rows_of(cached), expected)
    windows = ds.windows(3)
    X, _ = next(iter(windows))
    assert X.shape == (16, 3, 6)
    equal(X[0], expected[:3, :6])
    equal(rows_of(pickle.loads(pickle.dumps(CsvDataset(path, **options)))), expected)
    state = json.dumps(ds.shuffle(seed=1).state_dict())
    ds.shuffle(seed=1).load_state_dict(json.loads(state))
    assert ds.head(2)["v[3]"] == rows[:2, 3].tolist()
    assert list(ds.to_pandas(2)) == ["n", "v[0]", "v[1]", "v[2]", "v[3]", "c", "y"]


def test_a_state_tells_lists_apart():
    content = b"v,y\n1 2,1\n3 4,2\n"
    state = CsvDataset(content, lists={"v": List(2)}).state_dict()
    CsvDataset(content, lists={"v": List(2)}).load_state_dict(state)
    with pytest.raises(ValueError, match="state"):
        CsvDataset(b"v,y\n1 2,1\n3 4,2\n", features=["y"], target=None).load_state_dict(state)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"lists": {"z": List(2)}}, csvfeed.CsvError, 'lists= asks for column "z"'),
        ({"lists": {"w": List(2)}, "weight": "w"}, csvfeed.CsvError, "which is the weight"),
        ({"lists": {"v": List(2)}, "features": ["w"]}, csvfeed.CsvError, "which is not read"),
        (
            {"lists": {"v": List(2)}, "categories": {"v": "auto"}},
            csvfeed.CsvError,
            "categories= and lists= both name",
        ),
        ({"lists": {"v": 2}}, TypeError, r"lists of a column are csvfeed.List\(length\)"),
        (
            {"lists": List(2)},
            TypeError,
            r'lists is a dict by column, as in {"column": csvfeed.List',
        ),
        (
            {"lists": {"v": List(2, ",")}, "decimal": ",", "delimiter": ";"},
            ValueError,
            "the separator of the lists of column 'v' is ',', and so is decimal=",
        ),
        ({"lists": {"v": List(2, "'")}, "quote": "'"}, ValueError, "and so is quote="),
    ],
)
def test_wrong_arguments_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        CsvDataset(b"v,w,y\n1 2,3,4\n", **options)


@pytest.mark.parametrize(
    "arguments", [(0,), (2.5,), (2**40,), (2, ""), (2, "::"), (2, "1"), (2, "-"), (2, "é")]
)
def test_a_list_has_a_length_and_a_separator(arguments):
    with pytest.raises(ValueError, match=r"the (length|separator) of a list"):
        List(*arguments)


def test_a_name_that_a_column_has_is_refused():
    with pytest.raises(csvfeed.CsvError, match=r'lists= makes a feature "v\[0\]", which is the'):
        CsvDataset(b"v,v[0],y\n1 2,3,4\n", lists={"v": List(2)})


def test_the_first_row_is_not_taken_for_names():
    with pytest.raises(csvfeed.CsvError, match="cannot tell whether the first row"):
        CsvDataset(b"1 2,3\n4 5,6\n", lists={0: List(2)})
    ds = CsvDataset(b"1 2,3\n4 5,6\n", lists={0: List(2)}, header=False)
    assert next(iter(ds))[0].tolist() == [[1, 2], [4, 5]]


GENRES = ["a|b", "b", "", "c | a", "[]", "NA", "a||", "['a', 'c']"]


def test_lists_of_categories_become_a_feature_for_each():
    content = "n,genres,y\n" + "".join(f"{at},{one},{-at}\n" for at, one in enumerate(GENRES[:-1]))
    ds = CsvDataset(content.encode(), lists={"genres": MultiHot()})
    assert ds.feature_names == ["n", "genres.a", "genres.b", "genres.c"]
    assert ds.feature_types == ["number", *["multi_hot"] * 3]
    assert ds.vocabulary == {"genres": ["a", "b", "c"]}
    assert ds.num_codes == {}
    X, _ = next(iter(ds))
    hot = [[1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 0, 1], [0, 0, 0], [0, 0, 0], [1, 0, 0]]
    assert X[:, 1:].tolist() == hot
    given = CsvDataset(content.encode(), lists={"genres": MultiHot(["c", "a"])})
    assert given.feature_names == ["n", "genres.c", "genres.a"]
    assert next(iter(given))[0][:, 1:].tolist() == [[row[2], row[0]] for row in hot]


names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)


@settings(max_examples=examples(100))
@given(
    st.lists(st.lists(names, max_size=5), min_size=1, max_size=40).filter(
        lambda rows: any(one for row in rows for one in row)
    ),
    st.sampled_from(["|", ";", " ", ","]),
    st.sampled_from(["{}", "[{}]", "json", "python"]),
    st.sampled_from([None, SMALL]),
)
def test_every_category_of_the_file_is_found(rows, separator, form, memory):
    if form in ("json", "python"):
        separator = ","
        texts = [
            json.dumps(row, ensure_ascii=False) if form == "json" else str(row) for row in rows
        ]
    else:
        texts = [form.format(separator.join(row)) for row in rows]
    content = "n,v\n" + "".join(f"{at},{quoted(text)}\n" for at, text in enumerate(texts))
    found = {one for row in rows for one in row if one not in csvfeed.MISSING}
    # A field that is a token for no value is missing as a whole.
    rows = [[] if text in csvfeed.MISSING else row for row, text in zip(rows, texts, strict=True)]
    if not found or any(text in csvfeed.MISSING for text in texts):
        return
    ds = CsvDataset(
        content.encode(),
        target=None,
        lists={"v": MultiHot(separator=separator)},
        memory=memory,
        batch_size=7,
    )
    assert ds.vocabulary == {"v": sorted(found)}
    X = np.concatenate([X for (X,) in ds])
    equal(X[:, 1:], [[one in row for one in sorted(found)] for row in rows])


def test_a_list_of_categories_may_be_the_target():
    content = b"a,v\n1,x|y\n2,[]\n3,z\n4,\n"
    X, y = read(content, lists={"v": MultiHot(["y", "x", "z"])}, missing_target="keep")
    equal(y, [[1, 1, 0], [0, 0, 0], [0, 0, 1], [np.nan] * 3])
    known = {"lists": {"v": MultiHot(["y", "x"])}}
    X, y = read(content, missing_target="skip", **known)
    assert (X.tolist(), y.tolist()) == ([[1], [2]], [[1, 1], [0, 0]])
    with pytest.raises(
        csvfeed.NumberError, match='the list has "z", which is not one of'
    ) as caught:
        read(content, **known)
    assert (caught.value.line, caught.value.column_name) == (4, "v")


def test_categories_of_lists_go_with_everything_else(write):
    rows = [[f"c{n % 3}", f"c{n % 5}"] for n in range(100)]
    path = write("n,v,y\n" + "".join(f"{n},{'|'.join(row)},{n}\n" for n, row in enumerate(rows)))
    ds = CsvDataset(path, lists={"v": MultiHot()}, batch_size=7, memory=SMALL)
    hot = [[n, *(f"c{at}" in row for at in range(5))] for n, row in enumerate(rows)]
    equal(np.concatenate([X for X, _ in ds]), hot)
    shuffled = np.concatenate([X for X, _ in ds.shuffle(seed=0)])
    equal(shuffled[np.argsort(shuffled[:, 0])], hot)
    equal(np.concatenate([X for X, _ in pickle.loads(pickle.dumps(ds))]), hot)
    half, _ = ds.split(0.5, seed=0)
    assert half.feature_names == ds.feature_names
    assert ds.stats()["v.c4"].mean == pytest.approx(np.mean([row[5] for row in hot]))
    state = ds.state_dict()
    CsvDataset(path, lists={"v": MultiHot()}, batch_size=7).load_state_dict(state)
    with pytest.raises(ValueError, match="state"):
        CsvDataset(path, lists={"v": MultiHot(["c1"])}, batch_size=7).load_state_dict(state)


def test_rejected_rows_have_no_categories():
    content = b"n,v,y\n1,a|b,1\nx,a|c,2\n3,b,3\n"
    ds = CsvDataset(content, lists={"v": MultiHot()}, on_error="skip")
    assert ds.vocabulary == {"v": ["a", "b"]}
    assert ds.rejects.count == 1


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            lambda: MultiHot(["a", "a"]),
            csvfeed.CsvError,
            'lists= of column "v": the list holds "a" twice',
        ),
        (
            lambda: MultiHot(["NA"]),
            csvfeed.CsvError,
            'lists= of column "v": .* which missing= reads',
        ),
        (lambda: MultiHot([]), csvfeed.CsvError, "the list is empty"),
        (lambda: MultiHot(10), TypeError, 'the categories of lists are "auto" or a list'),
        (lambda: MultiHot(separator="::"), ValueError, "the separator of a list is one ASCII"),
    ],
)
def test_wrong_categories_of_lists_are_refused(given, error, message):
    with pytest.raises(error, match=message):
        CsvDataset(b"v,y\na|b,1\n", lists={"v": given()})


def test_lists_without_a_category_are_refused():
    with pytest.raises(csvfeed.CsvError, match='lists= finds no category in column "v"'):
        CsvDataset(b"v,y\n,1\n[],2\n", lists={"v": MultiHot()})
