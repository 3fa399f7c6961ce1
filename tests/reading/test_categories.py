"""``categories``: text columns as codes."""

import copy
import json
import pickle
import threading
import warnings

import numpy as np
import pytest
from categorical import file_of
from conftest import SMALL
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import csvfeed

FLIGHTS = (
    b"carrier,dep,origin,y\n"
    b"UA,1,JFK,1\nAA,2,LGA,2\n,3,EWR,3\nB6,4, JFK ,4\n"
    b'"UA",5,NA,5\n" AA ",6,JFK,6\nua,7,\xc3\xa9t\xc3\xa9,7\n'
)
AUTO = {"carrier": "auto", "origin": "auto"}


def equal(found, expected):
    np.testing.assert_array_equal(np.array(found, np.float32), np.array(expected, np.float32))


# codes


@pytest.mark.parametrize("memory", [None, SMALL])
def test_codes_are_places_in_the_sorted_vocabulary(memory):
    ds = csvfeed.CsvDataset(FLIGHTS, categories=AUTO, memory=memory)
    assert ds.vocabulary == {
        "carrier": ["AA", "B6", "UA", "ua"],
        "origin": ["EWR", "JFK", "LGA", "été"],
    }
    ((X, y),) = ds
    equal(X[:, 0], [3, 1, 0, 2, 3, 1, 4])
    equal(X[:, 1], [1, 2, 3, 4, 5, 6, 7])
    equal(X[:, 2], [2, 3, 1, 2, 0, 2, 4])
    equal(y, [1, 2, 3, 4, 5, 6, 7])


def test_a_list_gives_the_codes_in_its_order(read):
    X, _ = read(FLIGHTS, features=["carrier"], categories={"carrier": ["UA", "AA"]})
    equal(X[:, 0], [1, 2, 0, 0, 1, 2, 0])


def test_numbers_in_a_list_stand_for_their_text(read):
    text = b"a,y\n1,1\n2.0,2\n2,3\n10,4\n01,5\n"
    X, _ = read(text, categories={"a": [10, np.int64(1), 2.0]})
    equal(X[:, 0], [2, 3, 0, 1, 0])
    assert csvfeed.CsvDataset(text, categories={"a": "auto"}).vocabulary == {
        "a": ["01", "1", "10", "2", "2.0"]
    }


def test_hash_buckets_are_the_same_for_good(read):
    # By xxhash.xxh3_64_intdigest, the reference implementation.
    words = {
        "UA": 0x97A28631D1785EE8,
        "x": 0xEAF06C6480B2CD11,
        "a longer name than eight bytes": 0xFF7F7FC23477192F,
        "é": 0xF7940A006CF10CB3,
        "17": 0xA24B1D542CEDE2DB,
    }
    text = "word,y\n" + "".join(f'"{word}",1\n' for word in words)
    for buckets in (7, 1000, 2**24):
        X, _ = read(text.encode(), categories={"word": buckets})
        equal(X[:, 0], [1 + number % buckets for number in words.values()])


def test_a_hash_bucket_of_0_is_missing(read):
    X, _ = read(b'a,y\n,1\nNA,2\n" ",3\nx,4\n" x",5\n', categories={"a": 1})
    equal(X[:, 0], [0, 0, 0, 1, 1])


def test_quotes_within_a_category_count_once(read):
    text = b'a,y\n"a""b",1\n"a""""b",2\na""b,3\n"x,\ny",4\n'
    ds = csvfeed.CsvDataset(text, categories={"a": "auto"})
    assert ds.vocabulary == {"a": ['a""b', 'a"b', "x,\ny"]}
    X, _ = read(text, categories={"a": ['a"b', 'a""b', "x,\ny"]})
    equal(X[:, 0], [1, 2, 2, 3])


WORDS = st.text(st.sampled_from("abc é\"'\n, "), max_size=12)


@settings(max_examples=examples(150))
@given(
    rows=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=60),
    memory=st.sampled_from([None, SMALL]),
    threads=st.sampled_from([1, 3]),
)
def test_any_text_is_found_in_its_vocabulary(rows, memory, threads):
    quoted = [[word.replace('"', '""') for word in row] for row in rows]
    text = "a,b\n" + "".join(f'"{a}","{b}"\n' for a, b in quoted)
    ds = csvfeed.CsvDataset(
        text.encode(),
        target=None,
        categories={"a": "auto", "b": "auto"},
        batch_size=7,
        memory=memory,
        threads=threads,
    )
    columns = [[word.strip(" \t") for word in column] for column in zip(*rows, strict=True)]
    expected = [sorted(set(column) - {""}) for column in columns]
    assert list(ds.vocabulary.values()) == expected
    codes = [
        [known.index(word) + 1 if word else 0 for word in column]
        for column, known in zip(columns, expected, strict=True)
    ]
    equal(np.concatenate([X for (X,) in ds]).T, codes)


# what goes with it


@pytest.fixture
def path(write):
    return write(file_of(3000)[0])


def options(path, **more):
    return {"source": path, "categories": {"name": "auto"}, "batch_size": 16, **more}


def rows_of(ds):
    return np.concatenate([np.column_stack([X, y]) for X, y in ds])


def expected_rows():
    _, names = file_of(3000)
    codes = {name: code for code, name in enumerate(sorted(set(names)), 1)}
    return np.array([[at, codes[name], at % 7] for at, name in enumerate(names)], np.float32)


@pytest.mark.parametrize("memory", [None, SMALL])
@pytest.mark.parametrize("threads", [1, 4])
def test_all_orders_have_the_same_codes(path, tmp_path, memory, threads):
    expected = expected_rows()
    ds = csvfeed.CsvDataset(**options(path, memory=memory, threads=threads))
    equal(rows_of(ds), expected)
    shuffled = rows_of(ds.shuffle(seed=3))
    equal(shuffled[np.argsort(shuffled[:, 0])], expected)
    parts = np.concatenate([rows_of(part) for part in ds.split(0.2, seed=1)])
    equal(parts[np.argsort(parts[:, 0])], expected)
    by_name = ds.split(0.3, seed=1, by="name")
    assert not set(rows_of(by_name[0])[:, 1]) & set(rows_of(by_name[1])[:, 1])
    for share in (ds.shard(0, 2), ds.shard(1, 2)):
        rows = rows_of(share)
        equal(rows, expected[rows[:, 0].astype(int)])
        assert share.vocabulary == ds.vocabulary
    cached = ds.cache(tmp_path / "cache")
    for _ in range(2):
        equal(rows_of(cached), expected)


def test_a_cache_is_that_of_its_vocabulary(path, tmp_path):
    _, names = file_of(3000)
    known = sorted(set(names))
    for vocabulary in (known, known[::-1], known[:3]):
        ds = csvfeed.CsvDataset(**options(path, categories={"name": vocabulary}))
        cached = ds.cache(tmp_path / "cache")
        expected = rows_of(ds)
        equal(rows_of(cached), expected)
        equal(rows_of(cached), expected)
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_a_cache_is_the_same_whatever_is_asked_for_first(path, tmp_path):
    for ask in (len, lambda ds: ds.stats(), lambda ds: ds.vocabulary, list):
        ds = csvfeed.CsvDataset(**options(path)).split(0.5)[0].cache(tmp_path / "cache")
        ask(ds)
        list(ds)
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_len_reads_no_vocabulary(write):
    # Its second category is not UTF-8, which only the pass for the vocabulary finds.
    ds = csvfeed.CsvDataset(write(b"a,y\nx,1\n\xff,2\n"), categories={"a": "auto"})
    assert len(ds) == 1
    with pytest.raises(csvfeed.EncodingError, match=r"line 3, column 'a' .*not UTF-8"):
        next(iter(ds))


def test_a_pickle_carries_the_vocabulary(path):
    ds = csvfeed.CsvDataset(**options(path))
    assert pickle.loads(pickle.dumps(ds))._reader.found_vocabularies() is None
    vocabulary = ds.vocabulary
    other = pickle.loads(pickle.dumps(ds.shuffle(seed=1).split(0.1)[0]))
    assert dict(other._reader.found_vocabularies()) == {1: vocabulary["name"]}
    assert other.vocabulary == vocabulary
    equal(rows_of(copy.deepcopy(ds)), expected_rows())


def test_a_saved_vocabulary_gives_another_file_the_same_codes(path, write):
    ds = csvfeed.CsvDataset(**options(path))
    saved = json.loads(json.dumps(ds.vocabulary))
    other = csvfeed.CsvDataset(write("name,y\nc1,0\nnew,0\nc2,0\n", "new.csv"), categories=saved)
    ((X, _),) = other
    equal(X[:, 0], [saved["name"].index("c1") + 1, 0, saved["name"].index("c2") + 1])
    assert other.vocabulary == saved


def test_a_state_is_that_of_its_vocabulary(path):
    ds = csvfeed.CsvDataset(**options(path))
    expected = list(ds)
    batches = iter(ds)
    for _ in range(5):
        next(batches)
    state = json.loads(json.dumps(ds.state_dict()))
    known = ds.vocabulary["name"]
    for categories in ({"name": "auto"}, {"name": known}):
        again = csvfeed.CsvDataset(**options(path, categories=categories))
        again.load_state_dict(state)
        for (X, y), (Z, z) in zip(again, expected[5:], strict=True):
            equal(X, Z)
            equal(y, z)
    for categories in ({"name": known[::-1]}, {"name": [*known, "x"]}, {"name": 5}, {"name": 6}):
        other = csvfeed.CsvDataset(**options(path, categories=categories))
        with pytest.raises(ValueError, match="other rows"):
            other.load_state_dict(state)


def test_several_threads_may_ask_at_once(path):
    ds = csvfeed.CsvDataset(**options(path))
    found = []
    asking = [
        threading.Thread(target=lambda: found.append(rows_of(ds.shard(0, 1)))) for _ in "1234"
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert len(found) == 4
    for rows in found:
        equal(rows, expected_rows()[: len(rows)])


LISTS = {"categories": {"city": ["NL", "BE"]}, "lists": {"tags": csvfeed.MultiHot(["a"], "|")}}


@pytest.mark.parametrize("way", [lambda ds: ds, lambda ds: ds.shuffle(seed=0)])
def test_a_list_that_no_value_is_among_is_a_warning(way):
    rows = "".join(f"{('nl', 'be', '')[n % 3]},A|b,{n}\n" for n in range(100))
    ds = way(csvfeed.CsvDataset(f"city,tags,y\n{rows}".encode(), batch_size=7, **LISTS))
    with pytest.warns(RuntimeWarning) as warned:
        list(ds)
    city, tags = (str(warning.message) for warning in warned)
    assert city.startswith(
        'no value of column "city" in <bytes> is among its categories, "NL", "BE"'
    )
    assert tags.startswith('no value of column "tags" in <bytes> is among its categories, "a"')
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(ds)


def test_one_value_that_is_known_is_enough():
    rows = "nl,A,1\n" * 99 + "BE,b|a,1\n"
    ds = csvfeed.CsvDataset(f"city,tags,y\n{rows}".encode(), batch_size=7, **LISTS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(ds)


def test_stats_count_what_is_missing_and_what_is_unknown():
    ds = csvfeed.CsvDataset(FLIGHTS, categories={"carrier": ["AA", "UA"], "origin": 50})
    carrier = ds.stats()["carrier"]
    assert (carrier.count, carrier.missing, carrier.min, carrier.max) == (6, 1, 0, 2)
    origin = ds.stats()["origin"]
    assert (origin.count, origin.missing) == (6, 1)


@pytest.mark.parametrize("fill", [None, 9.5, "mean", {"dep": 9.5}, {"carrier": 7}])
def test_fill_leaves_categories_alone_unless_they_are_named(read, fill):
    text = FLIGHTS.replace(b",2,LGA", b",,LGA")
    X, _ = read(text, categories=AUTO, fill=fill)
    equal(X[:, 0], [3, 1, 7 if fill == {"carrier": 7} else 0, 2, 3, 1, 4])
    equal(X[:, 2], [2, 3, 1, 2, 0, 2, 4])
    mean = np.float32(26 / 6)
    filled = mean if fill == "mean" else np.nan if fill in (None, {"carrier": 7}) else 9.5
    np.testing.assert_array_equal(X[1, 1], np.float32(filled))


@pytest.mark.parametrize("value", ["mean", 1.5, -1])
def test_fill_gives_a_category_nothing_but_codes(value):
    with pytest.raises(csvfeed.CsvError, match=r"fill= of column 'carrier' .* one of categories"):
        csvfeed.CsvDataset(FLIGHTS, categories=AUTO, fill={"carrier": value})


def test_the_remainder_is_padded_with_no_category():
    batches = list(csvfeed.CsvDataset(FLIGHTS, categories=AUTO, batch_size=4, remainder="pad"))
    assert batches[-1][0][-1].tolist() == [0, 0, 0]


# targets


KINDS = b'x,kind\n1,dog\n2," cat"\n3,"d""og"\n4, dog \n5,a longer kind of cat\n'
KIND_ROWS = ["dog", "cat", 'd"og', "dog", "a longer kind of cat"]
KIND_NAMES = ["a longer kind of cat", "cat", 'd"og', "dog"]
AS_BOTH = {"features": ["x", "kind"], "allow_target_as_feature": True}


@pytest.mark.parametrize("memory", [None, SMALL])
@pytest.mark.parametrize("as_both", [{}, AS_BOTH])
def test_a_category_as_target_is_a_class_from_0(memory, as_both):
    options = {"memory": memory, **as_both}
    for listed, names in (("auto", KIND_NAMES), (KIND_NAMES[::-1], KIND_NAMES[::-1])):
        ds = csvfeed.CsvDataset(KINDS, categories={"kind": listed}, **options)
        expected = np.array([names.index(name) for name in KIND_ROWS])
        ((X, y),) = ds
        equal(y, expected)
        if as_both:
            equal(X[:, 1], expected + 1)
        assert ds.classes == ds.vocabulary["kind"] == names
        assert ds.num_classes == 4
        assert ds.num_codes == ({"kind": 5} if as_both else {})
        # Of a column that is both they are those of the target.
        stats = ds.stats()["kind"]
        assert (stats.count, stats.min, stats.max) == (5, 0, 3)
        assert stats.mean == pytest.approx(expected.mean())


def test_hash_buckets_of_a_target_are_classes_from_0():
    buckets = 5
    ds = csvfeed.CsvDataset(KINDS, categories={"kind": buckets}, **AS_BOTH)
    ((X, y),) = ds
    equal(y, X[:, 1] - 1)
    assert 0 <= y.min() <= y.max() < ds.num_classes == buckets
    with pytest.raises(
        csvfeed.CsvError, match=r"column 'kind' .*no names.*ds.num_classes"
    ) as caught:
        _ = ds.classes
    assert caught.value.column == 1


def test_classes_of_several_targets_stand_by_name():
    text = b"x,kind,y,size,kind\n1,cat,7,big,a\n2,dog,8,small,b\n3,cat,9,big,c\n"
    options = {"features": ["x"], "target": [1, "y", "size", 4]}
    ds = csvfeed.CsvDataset(
        text, **options, categories={1: "auto", "size": ["small", "big"], 4: "auto"}
    )
    assert ds.classes == {1: ["cat", "dog"], "size": ["small", "big"], 4: ["a", "b", "c"]}
    assert ds.num_classes == {1: 2, "size": 2, 4: 3}
    ((_, y),) = ds
    equal(y, [[0, 7, 1, 0], [1, 8, 0, 1], [0, 9, 1, 2]])
    hashed = csvfeed.CsvDataset(text, features=["x"], target=["y", "size"], categories={"size": 4})
    assert hashed.num_classes == {"size": 4}
    with pytest.raises(csvfeed.CsvError, match=r"column 'size' .*no names"):
        _ = hashed.classes


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("n", "column 'n' .*the target holds numbers.*categories={'n': \"auto\"}"),
        ("b", "column 'b' .*the target holds booleans"),
        ("d", "column 'd' .*the target holds dates"),
        (None, "the dataset has none: name it with target="),
    ],
)
def test_a_target_without_classes_is_told_so(target, says):
    text = b"x,kind,n,b,d\n1,cat,1,yes,2020-01-01\n"
    names = {"categories": {"kind": "auto"}, "booleans": ["b"], "dates": {"d": "days"}}
    ds = csvfeed.CsvDataset(text, target=target, features=[*{*"xnbd", "kind"} - {target}], **names)
    for asked in ("classes", "num_classes"):
        with pytest.raises(csvfeed.CsvError, match=says) as caught:
            getattr(ds, asked)
        assert asked in str(caught.value)


def test_all_orders_have_the_same_classes(path, tmp_path):
    ds = csvfeed.CsvDataset(path, target="name", categories={"name": "auto"}, batch_size=16)
    expected = expected_rows()
    expected = np.column_stack([expected[:, 0], expected[:, 2], expected[:, 1] - 1])
    cached = ds.cache(tmp_path / "cache")
    for made in (ds, ds.shuffle(seed=1), cached, cached, pickle.loads(pickle.dumps(ds))):
        rows = rows_of(made)
        equal(rows[np.argsort(rows[:, 0])], expected)
        assert made.classes == ds.classes
    assert pickle.loads(pickle.dumps(ds))._reader.found_vocabularies() is not None
    # The same column as a feature has a cache of its own.
    feature = csvfeed.CsvDataset(path, categories={"name": "auto"}).cache(tmp_path / "cache")
    equal(rows_of(feature), expected_rows())


UNKNOWN = b"x,kind\n" + b'1,cat\n2,dog\n3,cow\n4,"cow"\n' * 30


def test_an_unknown_class_is_an_error_that_names_it_and_those_that_are_known(read):
    with pytest.raises(csvfeed.NumberError) as caught:
        read(UNKNOWN, categories={"kind": ["cat", "dog"]})
    error = caught.value
    assert (error.line, error.column_name, error.text) == (4, "kind", "cow")
    for says in ('classes of the target, "cat", "dog": ', "categories=", 'missing_target="skip"'):
        assert says in str(error)
    many = [f"c{number}" for number in range(1000)]
    with pytest.raises(csvfeed.NumberError, match=r'"c9", … \(1000 in all\)'):
        read(UNKNOWN, categories={"kind": many})


@pytest.mark.parametrize("memory", [None, SMALL])
def test_an_unknown_class_follows_missing_target(read, memory):
    options = {"categories": {"kind": ["dog", "cat"]}, "memory": memory}
    X, y = read(UNKNOWN, missing_target="skip", **options)
    equal(X[:, 0], [1, 2] * 30)
    equal(y, [1, 0] * 30)
    X, y = read(UNKNOWN, missing_target="keep", **options)
    equal(y, [1, 0, np.nan, np.nan] * 30)
    ds = csvfeed.CsvDataset(UNKNOWN, missing_target="skip", **options)
    assert ds.num_rows == 60
    assert len(rows_of(ds.shuffle(seed=0))) == 60
    kept = csvfeed.CsvDataset(UNKNOWN, missing_target="keep", **options)
    stats = kept.stats()["kind"]
    assert (stats.count, stats.missing, stats.min, stats.max) == (60, 60, 0, 1)
    rejecting = csvfeed.CsvDataset(UNKNOWN, on_error="skip", **options)
    with pytest.warns(RuntimeWarning, match="60 rows"):
        rows = rows_of(rejecting)
    equal(rows, np.column_stack([[1, 2] * 30, [1, 0] * 30]))
    assert rejecting.rejects.by_kind == {"not one of the classes": 60}
    # A feature of the same list has a code for it.
    X, _ = read(UNKNOWN, target=0, categories={"kind": ["dog", "cat"]})
    equal(X[:, 0], [2, 1, 0, 0] * 30)


@pytest.mark.parametrize("categories", ["auto", ["cat", "dog"], 5])
def test_a_missing_target_follows_missing_target(read, categories):
    text = b"x,kind\n" + b"1,cat\n2,\n3,NA\n4,dog\n" * 40
    options = {"categories": {"kind": categories}, "batch_size": 7}
    with pytest.raises(csvfeed.NumberError, match="target is missing"):
        read(text, **options)
    X, y = read(text, missing_target="skip", **options)
    equal(X[:, 0], [1, 4] * 40)
    assert not np.isnan(y).any()
    ds = csvfeed.CsvDataset(text, missing_target="skip", **options)
    assert ds.num_rows == 80
    assert sum(len(y) for _, y in ds.shuffle(seed=0)) == 80
    X, y = read(text, missing_target="keep", **options)
    assert np.isnan(y.reshape(40, 4)[:, 1:3]).all()


# what is refused


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_a_category_that_is_a_missing_token_is_refused_in_any_encoding(encoding):
    text = "c,y\nä,1\n±,2\n".encode(encoding)
    options = {"missing": ["±"], "encoding": encoding}
    with pytest.raises(csvfeed.CsvError, match="missing= reads as no value"):
        csvfeed.CsvDataset(text, categories={"c": ["ä", "±"]}, **options)
    ds = csvfeed.CsvDataset(text, categories={"c": "auto"}, **options)
    assert ds.vocabulary == {"c": ["ä"]}


@pytest.mark.parametrize(
    ("categories", "says"),
    [
        ({"carrier": []}, "the list is empty"),
        ({"carrier": ["UA", "AA", " UA"]}, 'holds " UA" twice'),
        ({"carrier": ["UA", ""]}, "empty text"),
        ({"carrier": ["UA", "NA"]}, "missing= reads as no value"),
        ({"carrier": 2**24 + 1}, "float32"),
        ({"where": "auto"}, 'asks for column "where"'),
        ({"carrier": "auto", 0: "auto"}, "twice"),
        ({"y": "auto"}, "not read"),
    ],
)
def test_categories_that_cannot_be(categories, says):
    with pytest.raises(csvfeed.CsvError, match=says):
        csvfeed.CsvDataset(FLIGHTS, target=None, features=["carrier"], categories=categories)


@pytest.mark.parametrize(
    "categories",
    [
        ["carrier"],
        "auto",
        {"carrier": {"UA", "AA"}},
        {"carrier": None},
        {"carrier": 1.5},
        {"carrier": [None]},
        {"carrier": {"UA": 1}},
        {1.5: "auto"},
    ],
)
def test_categories_of_a_wrong_type(categories):
    with pytest.raises(TypeError, match="categor"):
        csvfeed.CsvDataset(FLIGHTS, categories=categories)


@pytest.mark.parametrize("categories", [{"carrier": 0}, {"carrier": -5}, {"carrier": "all"}])
def test_categories_of_a_wrong_value(categories):
    with pytest.raises(ValueError, match="hash buckets"):
        csvfeed.CsvDataset(FLIGHTS, categories=categories)


def test_a_column_is_one_thing():
    with pytest.raises(csvfeed.CsvError, match='booleans= both name column "carrier"'):
        csvfeed.CsvDataset(FLIGHTS, categories=AUTO, booleans=["carrier"])
    with pytest.raises(csvfeed.CsvError, match="which is the weight"):
        csvfeed.CsvDataset(FLIGHTS, categories={"dep": "auto"}, weight="dep")


@pytest.mark.skipif(csvfeed._core.SMALL_BUFFERS, reason="a million rows in blocks of a few")
def test_too_many_categories_are_an_error_that_names_hash_buckets(write):
    path = write("id,y\n" + "".join(f"{number},1\n" for number in range(1_000_001)))
    ds = csvfeed.CsvDataset(path, categories={"id": "auto"})
    says = r"column 'id' .* more than 1000000 different values.* categories=\{\"id\": 100000\}"
    with pytest.raises(csvfeed.CsvError, match=says):
        next(iter(ds))
    with pytest.raises(csvfeed.CsvError, match=says):
        ds.vocabulary  # noqa: B018


def test_a_header_that_may_be_data_is_not_guessed_at():
    data = b"UA,1\nAA,2\n"
    with pytest.raises(csvfeed.CsvError, match="header=True or header=False"):
        csvfeed.CsvDataset(data, categories={0: "auto"})
    ds = csvfeed.CsvDataset(data, header=False, categories={0: "auto"})
    assert ds.num_rows == 2
    assert csvfeed.CsvDataset(data, header=True, categories={0: "auto"}).num_rows == 1
    assert csvfeed.CsvDataset(b"name,y\nUA,1\n", categories={0: "auto"}).num_rows == 1


def test_a_header_whose_text_is_not_read_is_not_guessed_at():
    data = b"7,UA,2024-01-01,1\n8,AA,2024-01-02,2\n"
    for options in ({"target": -1, "features": [0]}, {"features": [0, 1], "categories": {1: 8}}):
        with pytest.raises(csvfeed.CsvError, match="header=True or header=False"):
            csvfeed.CsvDataset(data, **options)
        assert csvfeed.CsvDataset(data, header=False, **options).num_rows == 2
    named = b"a,carrier,day,y\n" + data
    assert csvfeed.CsvDataset(named, target=-1, features=[0]).num_rows == 2


# text that nobody mapped


@pytest.mark.parametrize(
    ("value", "other", "says"),
    [
        (b"UA", b"x", ['categories={"carrier": "auto"}', "features=", "missing=", '"UA"']),
        (b"Yes", b"x", ['booleans=["carrier"]', "features=", "missing="]),
        (b"2013-01-31 05:00", b"x", ['dates={"carrier": ', "features=", "missing="]),
        (b"UA", b"carrier", ['categories={1: "auto"}']),
    ],
)
def test_text_among_numbers_names_the_ways_out(value, other, says):
    ds = csvfeed.CsvDataset(other + b",carrier,y\n1," + value + b",3\n")
    with pytest.raises(csvfeed.NumberError) as caught:
        next(iter(ds))
    message = str(caught.value)
    assert "line 2, column 'carrier' (index 1)" in message
    assert all(part in message for part in says), message
    assert "\n" not in message


def test_num_codes_is_that_of_each_feature_of_categories():
    data = b"a,b,c,d,y\nu,u,u,1,u\nv,u,v,2,v\n"
    given = {"a": "auto", "b": 10, "c": ["u", "v", "w"], "y": 5}
    ds = csvfeed.CsvDataset(data, features=["c", "d", "b", "a"], categories=given)
    assert ds.num_codes == {"c": 4, "b": 11, "a": 3}
    assert list(ds.num_codes) == ["c", "b", "a"]
    assert csvfeed.CsvDataset(data, target=None, features=["d"]).num_codes == {}
