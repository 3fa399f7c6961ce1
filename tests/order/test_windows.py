"""``windows``: samples of several rows, never across a border, in any order and on any worker."""

import json
import pickle
import warnings

import numpy as np
import pytest
from conftest import SMALL
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

import csvfeed
from csvfeed import _core

pytestmark = [
    pytest.mark.filterwarnings("ignore:.* left out. ds.rejects tells which:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:rows of one key do not stand together:RuntimeWarning"),
]

NAMES = ["machine", "a", "b", "y", "w"]
HEADER = ",".join(NAMES) + "\n"
OPTIONS = {"features": ["a", "b"], "target": "y", "weight": "w"}


class Row:
    """A row of a file: its number, key, target and weight; or a wrong one."""

    def __init__(self, number, key, kind):
        self.number, self.key, self.kind = number, key, kind

    @property
    def line(self):
        y = "" if self.kind == "missing" else self.number + 0.5
        a = "x" if self.kind == "wrong" else self.number
        more = ",1" if self.kind == "long" else ""
        blank = "\n" if self.number % 7 == 0 else ""
        return f'"k{self.key}",{a},-{self.number},{y},{self.number % 5}{more}\n{blank}'


def kinds(rnd, on_error, missing_target):
    kinds = ["right"] * 12
    if on_error == "skip":
        kinds += ["wrong", "long"]
    if missing_target == "skip":
        kinds.append("missing")
    return rnd.choice(kinds)


def windows_of(runs, length, stride, horizon):
    """Return X, y and w of all windows, row by row."""
    found = [
        (run[at : at + length], run[at + length - 1 + horizon])
        for run in runs
        for at in range(0, max(0, len(run) - length - horizon + 1), stride)
    ]
    X = [[[row.number, -row.number] for row in rows] for rows, _ in found]
    X = np.array(X, np.float32).reshape(-1, length, 2)
    y = np.array([row.number + 0.5 for _, row in found], np.float32)
    w = np.array([row.number % 5 for _, row in found], np.float32)
    return X, y, w


def runs_of(files, chosen, by):
    """Return the rows that follow one another."""
    runs = []
    for rows in files:
        last = None
        for row in rows:
            if not chosen(row):
                last = None
                continue
            if last is None or (by and last.key != row.key):
                runs.append([])
            runs[-1].append(row)
            last = row
    return runs


def read(dataset):
    """Return the arrays of an epoch, and check their kind."""
    batches = list(dataset) if dataset.num_rows else []
    for arrays in batches:
        assert all(one.flags.c_contiguous and one.dtype == np.float32 for one in arrays)
    assert [len(batch[0]) for batch in batches[:-1]] == [dataset.batch_size] * (len(batches) - 1)
    assert len(batches) == len(dataset)
    if not batches:
        return None
    return tuple(np.concatenate(arrays) for arrays in zip(*batches, strict=True))


def same(found, expected):
    if not len(expected[0]):
        assert found is None
        return
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def in_order(found):
    """Return the windows in the order of their first rows."""
    if found is None:
        return None
    order = np.argsort(found[0][:, 0, 0], kind="stable")
    return tuple(array[order] for array in found)


def check(rnd, directory):
    on_error = rnd.choice(["raise", "raise", "skip"])
    missing_target = rnd.choice(["raise", "skip"])
    stay = rnd.choice([0.5, 0.9, 0.99])
    files, number, key = [], 0, 0
    for _ in range(rnd.choice([1, 1, 2, 4])):
        rows = []
        for _ in range(rnd.choice([1, 5, 60, 300])):
            key = key if rnd.random() < stay else rnd.randint(0, 3)
            rows.append(Row(number, key, kinds(rnd, on_error, missing_target)))
            number += 1
        files.append(rows)
    paths = []
    for place, rows in enumerate(files):
        paths.append(directory / f"{place}.csv")
        paths[-1].write_text(HEADER + "".join(row.line for row in rows))
    options = {**OPTIONS, "on_error": on_error, "missing_target": missing_target}
    batch_size = rnd.choice([1, 3, 16, 200])
    memory = rnd.choice([None, None, SMALL, 5000])
    ds = csvfeed.CsvDataset(
        paths, **options, batch_size=batch_size, memory=memory, threads=rnd.randint(1, 3)
    )
    length, stride = rnd.choice([1, 2, 3, 10, 50]), rnd.choice([1, 1, 2, 7, 60])
    horizon = rnd.choice([0, 0, 1, 5])
    by = rnd.choice([None, "machine", ["machine", "machine"]])
    made = ds.windows(length, stride=stride, horizon=horizon, by=by)
    right = [row for rows in files for row in rows if row.kind == "right"]
    expected = windows_of(
        runs_of(files, lambda row: row.kind == "right", by), length, stride, horizon
    )
    assert made.num_rows == len(expected[0])
    assert len(made) == -(-len(expected[0]) // batch_size)
    if not len(expected[0]):
        with pytest.raises(csvfeed.CsvError, match=r"no window fits|no row is left"):
            next(iter(made))
        return
    same(read(made), expected)
    same(read(pickle.loads(pickle.dumps(made))), expected)
    assert made.stats() == ds.stats()
    shuffled = made.shuffle(seed=rnd.randint(0, 9))
    epochs = [read(shuffled) for _ in range(3)]
    for epoch in epochs:
        same(in_order(epoch), expected)
    again = csvfeed.CsvDataset(paths, **options, batch_size=7, memory=memory, threads=2)
    again = again.shuffle(seed=shuffled._order.seed).windows(
        length, stride=stride, horizon=horizon, by=by
    )
    for epoch in epochs[:2]:
        same(read(again), epoch)
    check_split(ds, files, right, by, (length, stride, horizon))
    shares = [made.shard(index, 3) for index in range(3)]
    check_shares(shares, expected, batch_size)
    check_shares([share.shuffle(seed=1) for share in shares], expected, batch_size)
    check_shares([share.cache(directory / "shares") for share in shares] * 2, expected, batch_size)
    cached = ds.cache(directory / "cache").windows(length, stride=stride, horizon=horizon, by=by)
    order = rnd.choice([lambda ds: ds, lambda ds: ds.shuffle(seed=2)])
    for _ in range(2):
        same(in_order(read(order(cached))), expected)
    check_lanes(paths, options, memory, expected, (length, stride, horizon, by), directory)
    for one in (made, shuffled, shares[0]):
        check_resumed(rnd, one)


def check_split(ds, files, right, by, shape):
    length, stride, horizon = shape
    halves = ds.split(0.5, seed=1, by="machine")
    rows_of = [
        {int(number) for X, *_ in half for number in X[:, 0]} if half.num_rows else set()
        for half in halves
    ]
    assert sorted(rows_of[0] | rows_of[1]) == [row.number for row in right]
    for half, rows in zip(halves, rows_of, strict=True):
        runs = runs_of(files, lambda row, rows=rows: row.number in rows, by)
        expected = windows_of(runs, length, stride, horizon)
        same(read(half.windows(length, stride=stride, horizon=horizon, by=by)), expected)
    made = ds.windows(length, stride=stride, horizon=horizon, by=by)
    for early, late in zip(halves, made.split(0.5, seed=1, by="machine"), strict=True):
        early = early.windows(length, stride=stride, horizon=horizon, by=by)
        assert early.state_dict() == late.state_dict()


def check_shares(shares, expected, batch_size):
    """Check that each window is in one share, and that the shares make the same steps."""
    found = [read(share) for share in shares]
    assert len({len(share) for share in shares}) == 1
    for place in range(3, len(found)):
        same(in_order(found[place]), in_order(found[place - 3]) or [[]])
    starts = [int(one) for part in found[:3] if part for one in part[0][:, 0, 0]]
    known = {int(X[0, 0]): at for at, X in enumerate(expected[0])}
    assert len(set(starts)) == len(starts)
    left_out = len(known) - len(starts)
    assert left_out <= (2 if len(known) // 3 % batch_size == 0 else 0)
    for part in found:
        if part:
            at = [known[int(one)] for one in part[0][:, 0, 0]]
            same(part, [array[at] for array in expected])


def check_lanes(paths, options, memory, expected, shape, directory):
    """Check that the processes read each window once, in the same global batches."""
    length, stride, horizon, by = shape

    def parts(count, seed, cache):
        ds = csvfeed.CsvDataset(paths, **options, batch_size=8, remainder="pad", memory=memory)
        ds = ds.windows(length, stride=stride, horizon=horizon, by=by)
        if seed is not None:
            ds = ds.shuffle(seed=seed)
        if cache:
            ds = ds.cache(directory / "lanes")
        own = [list(ds.distribute(index, count, lanes=4)) for index in range(count)]
        assert {len(one) for one in own} == {len(ds)}
        joined = [
            tuple(np.concatenate(arrays) for arrays in zip(*batch, strict=True))
            for batch in zip(*own, strict=True)
        ]
        return tuple(np.concatenate(arrays) for arrays in zip(*joined, strict=True))

    for seed in (None, 3):
        found = parts(1, seed, cache=False)
        same(parts(2, seed, cache=True), found)
        same(parts(4, seed, cache=True), found)
        known = {int(X[0, 0]): at for at, X in enumerate(expected[0])}
        # A padded window is all zeros; the first one may be, too.
        is_real = (found[0] != 0).any(axis=(1, 2)) | (found[1] != 0)
        at = [known[int(X[0, 0])] for X in found[0][is_real]]
        assert sorted(at) == list(range(len(known)))
        same([array[is_real] for array in found], [array[at] for array in expected])


def check_resumed(rnd, dataset):
    if not dataset.num_rows:
        return
    whole = pickle.loads(pickle.dumps(dataset))
    passed = rnd.randint(0, len(whole) - 1)
    batches = iter(whole)
    for _ in range(passed):
        next(batches)
    state = json.loads(json.dumps(whole.state_dict()))
    rest = [np.concatenate(arrays) for arrays in zip(*batches, strict=True)]
    following = read(whole)
    resumed = pickle.loads(pickle.dumps(dataset))
    resumed.load_state_dict(state)
    same([np.concatenate(arrays) for arrays in zip(*resumed, strict=True)], rest)
    same(read(resumed), following)


# Small buffers take twenty times as long.
@settings(max_examples=examples(30 if _core.SMALL_BUFFERS else 150))
@given(st.randoms(use_true_random=True))
def test_windows_are_those_of_the_rows_that_follow_one_another(tmp_path_factory, rnd):
    check(rnd, tmp_path_factory.mktemp("windows"))


def dataset(rows=100, keys=1, **options):
    lines = [f"k{number * keys // rows},{number},0,{number},1\n" for number in range(rows)]
    content = (HEADER + "".join(lines)).encode()
    return csvfeed.CsvDataset(content, **{**OPTIONS, "weight": None, **options})


def starts(dataset):
    return [int(one) for X, _ in dataset for one in X[:, 0, 0]]


@pytest.mark.parametrize("memory", [None, SMALL])
@pytest.mark.parametrize("wrong", [0, 3, 57, 95, 99])
def test_a_wrong_row_ends_the_windows_before_it(wrong, memory):
    lines = [f"k,{number},0,{number},1\n" for number in range(100)]
    lines[wrong] = "k,1,x,1,1\n"
    content = (HEADER + "".join(lines)).encode()
    ds = csvfeed.CsvDataset(content, **OPTIONS, batch_size=4, memory=memory)
    # With this stride no window has the last five rows; they are read all the same.
    windows = ds.windows(5, stride=10)
    found = []
    with pytest.raises(csvfeed.NumberError) as raised:
        found.extend(X[:, 0, 0] for X, *_ in windows)
    assert raised.value.line == wrong + 2
    before = min(len([start for start in range(0, 100, 10) if start + 5 <= wrong]), 9)
    assert len(found) == before // 4
    # A shuffle may leave out a piece of the file in which no window begins.
    if wrong % 10 < 5:
        with pytest.raises(csvfeed.NumberError) as raised:
            list(windows.shuffle(seed=0))
        assert raised.value.line == wrong + 2


def test_a_window_of_one_row_is_that_row():
    ds = dataset(50)
    windows = ds.windows(1)
    for (X, y), (rows, targets) in zip(windows, ds, strict=True):
        np.testing.assert_array_equal(X, rows[:, None])
        np.testing.assert_array_equal(y, targets)


def test_several_targets_none_and_the_remainder():
    ds = dataset(20, features=["a"], target=["y", "b"], batch_size=8)
    (_, y), *_ = ds.windows(3, horizon=2)
    np.testing.assert_array_equal(y, [[number, 0] for number in range(4, 12)])
    ((X,),) = dataset(20, target=None, batch_size=100).windows(3)
    np.testing.assert_array_equal(
        X[:, :, 0], sliding_window_view(np.arange(20, dtype=np.float32), 3)
    )
    assert [len(X) for X, _ in dataset(20, batch_size=8, remainder="drop").windows(3)] == [8, 8]
    *_, (X, y, w) = dataset(20, batch_size=8, remainder="pad").windows(3)
    assert w.tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
    assert not X[2:].any()
    assert not y[2:].any()


def test_a_target_may_be_a_feature_of_the_windows_before_it():
    ds = dataset(10, features=["a", "y"], allow_target_as_feature=True)
    ((X, y),) = ds.windows(3, horizon=1)
    np.testing.assert_array_equal(X[1:, -1, 1], y[:-1])


def test_codes_and_means_are_those_of_the_rows():
    content = b"m,c,a,y\n" + b"".join(
        b"m,%s,%s,1\n" % (c, a) for c, a in [*[(b"u", b"1")] * 5, (b"v", b""), (b"u", b"7")]
    )
    ds = csvfeed.CsvDataset(content, features=["c", "a"], categories={"c": "auto"}, fill="mean")
    ((X, _),) = ds.windows(7)
    assert X[0].tolist() == [[1, 1]] * 5 + [[2, 2], [1, 7]]


def test_a_split_needs_a_key():
    ds = dataset(keys=4)
    for make in (lambda: ds.split(0.5)[0].windows(5), lambda: ds.windows(5).split(0.5)):
        with pytest.raises(ValueError, match=r"no neighbours.*split\(\.\.\., by=\.\.\.\)"):
            make()
    parts = [starts(part) for part in ds.windows(5, by="machine").split(0.5, by="machine")]
    assert sorted(parts[0] + parts[1]) == starts(ds.windows(5, by="machine"))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"length": 0}, "length is a whole number of at least 1"),
        ({"length": 2.5}, "length is a whole number"),
        ({"length": 3, "stride": 0}, "stride is a whole number of at least 1"),
        ({"length": 3, "horizon": -1}, "horizon is a whole number of at least 0"),
        ({"length": 3, "by": 1.5}, "by names columns"),
        ({"sequence_length": 3}, "csvfeed calls it length="),
        ({"length": 3, "sampling_rate": 2}, "every k-th"),
    ],
)
def test_wrong_arguments_are_refused(arguments, problem):
    with pytest.raises((TypeError, ValueError), match=problem):
        dataset().windows(**arguments)


def test_what_cannot_be_is_said():
    with pytest.raises(csvfeed.CsvError, match="nothing"):
        len(dataset().windows(3, by="nothing"))
    with pytest.raises(ValueError, match="has windows already"):
        dataset().windows(3).windows(2)
    with pytest.raises(ValueError, match="no target"):
        dataset(target=None).windows(3, horizon=1)
    with pytest.raises(TypeError, match=r"windows\(3, stride=2\)"):
        dataset().windows(3, 2)
    short = dataset(100, keys=4).windows(30, by="machine")
    assert (len(short), short.num_rows) == (0, 0)
    with pytest.raises(csvfeed.CsvError, match="it takes 30 rows, and 25 is the most"):
        next(iter(short))
    # A log in the order of time, where the machines alternate, is the usual reason.
    advice = "sort the file by {}, then by time$"
    with pytest.raises(csvfeed.CsvError, match=advice.format('"machine"')):
        next(iter(short))
    with pytest.raises(csvfeed.CsvError, match=advice.format('"machine", "a"')):
        next(iter(dataset(100, keys=4).windows(30, by=["machine", 1])))
    with pytest.raises(
        ValueError, match="no batch: no window fits .*" + advice.format("'machine'")
    ):
        short.to_keras()
    with pytest.raises(csvfeed.CsvError, match=r"no row left out$"):
        next(iter(dataset(5).windows(9)))
    huge = dataset().windows(2**61, horizon=2**61)
    with pytest.raises(csvfeed.CsvError, match="no window fits"):
        next(iter(huge))


def logged(*files):
    """Return files of rows with these keys."""
    return [("machine,a\n" + "".join(f"{key},1\n" for key in keys)).encode() for keys in files]


@pytest.mark.parametrize(
    ("files", "times"),
    [
        (["AAABBBAAABBB"], "2 times"),
        (["AAABBBBAAAA"], "once"),
        (["AAABBBBCCC"], None),
        # A log of each month may begin with the same machine.
        (["AAABBB", "AAABBB", "BBBAAA"], None),
        (["AAA", "AAABBBAAA"], "once"),
    ],
)
@pytest.mark.parametrize("threads", [1, 3])
def test_keys_that_come_again_are_told_once(tmp_path, files, times, threads):
    """Windows that silently vanish would be missed by nobody but the model."""
    for number, data in enumerate(logged(*files)):
        (tmp_path / f"{number}.csv").write_bytes(data)
    ds = csvfeed.CsvDataset(
        str(tmp_path / "*.csv"), target=None, features=["a"], threads=threads, memory=SMALL
    )
    made = ds.windows(3, by="machine")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for one in (made, made, made.shuffle(seed=0), made.shard(0, 1), ds.windows(2, by=0)):
            assert len(list(one)) == len(one)
            pickle.loads(pickle.dumps(one.shard(1, 2))).num_rows  # noqa: B018
    told = [str(one.message) for one in caught if one.category is RuntimeWarning]
    assert len(told) == (times is not None)
    for message in told:
        assert f'a key in "machine" comes again after another one {times}, ' in message
        assert message.endswith('sort the file by "machine", then by time')
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = ds.windows(3, by="machine")
        assert again.num_rows == made.num_rows


def test_rows_that_are_left_out_are_no_other_key():
    data = logged("AAACAAABBBB")[0]
    ds = csvfeed.CsvDataset(data, target=None, features=["a"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chosen = ds.where({"machine": ["A", "B"]}).windows(3, by="machine")
        assert chosen.num_rows == 4


def test_a_warning_that_is_an_error_leaves_the_dataset_usable():
    made = csvfeed.CsvDataset(logged("AABBAA")[0], target=None, features=["a"])
    made = made.windows(2, by="machine")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="do not stand together"):
            len(made)
    assert made.num_rows == 3


def test_a_dataset_shows_its_windows_and_its_states_fit_no_others():
    made = dataset().windows(5, stride=2, horizon=1, by="machine").shuffle(seed=1)
    call = ".windows(5, stride=2, horizon=1, by='machine').shuffle(seed=1)"
    assert repr(made).endswith(call)
    assert repr(made.shard(0, 2)).endswith(call.replace(".shuffle", ".shard(0, 2).shuffle"))
    for other in (dataset().shuffle(seed=1), dataset().windows(5).shuffle(seed=1)):
        with pytest.raises(ValueError, match="other rows"):
            other.load_state_dict(made.state_dict())


def test_rows_of_windows_are_windows_and_tables_refuse_them():
    ds = csvfeed.CsvDataset(b"a,y\n1,0\n2,0\n3,1\n4,1\n").windows(2)
    X, y = ds.rows(1, 3)
    assert X.tolist() == [[[2], [3]], [[3], [4]]]
    assert y.tolist() == [1, 1]
    for method in (ds.head, ds.to_pandas):
        with pytest.raises(ValueError, match=r"call it before windows\(\)"):
            method()
    assert "ds.rows(0, 5)" in ds._repr_html_()
