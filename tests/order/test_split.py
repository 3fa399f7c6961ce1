"""``split``: two parts of the rows, disjoint, complete and the same in every run."""

import pickle
from fractions import Fraction

import numpy as np
import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered import MIXED, NUMBERED, joined, numbered, numbers_of
from processes import python

import csvfeed

ROWS = 3000
DATA = numbered(ROWS)
ALL = list(range(ROWS))


def dataset(source=DATA, **options):
    return csvfeed.CsvDataset(source, **{**NUMBERED, **options})


def parts_of(ds, *arguments, **options):
    return [numbers_of(part) for part in ds.split(*arguments, **options)]


@pytest.mark.parametrize("memory", [None, MIXED, 1])
@pytest.mark.parametrize("by", [None, "key"])
def test_parts_are_disjoint_and_complete_in_file_order(memory, by):
    train, held_out = dataset(memory=memory).split(0.2, seed=4, by=by)
    found = [numbers_of(train), numbers_of(held_out)]
    assert sorted(found[0] + found[1]) == ALL
    assert all(part == sorted(part) for part in found)
    assert [train.num_rows, held_out.num_rows] == [len(part) for part in found]
    assert [len(train), len(held_out)] == [len(list(train)), len(list(held_out))]
    if by is None:
        assert len(found[1]) == 600


@settings(max_examples=examples(150))
@given(
    rows=st.integers(2, 2500),
    fraction=st.floats(0.0, 1.0, exclude_min=True, exclude_max=True),
    seed=st.integers(0, 2**63 - 1),
)
def test_the_nearest_number_of_rows_is_held_out(rows, fraction, seed):
    ds = csvfeed.CsvDataset(b"1\n" * rows, target=None)
    train, held_out = ds.split(fraction, seed=seed)
    assert train.num_rows + held_out.num_rows == rows
    exact = rows * Fraction(fraction)
    nearest = {int(exact), int(exact) + 1}
    assert held_out.num_rows in {min(max(n, 1), rows - 1) for n in nearest}
    # The share of rows is worked out in float64.
    margin = Fraction(1, 2) + Fraction(1, 10**9)
    assert abs(held_out.num_rows - exact) <= margin or held_out.num_rows in (1, rows - 1)


@pytest.mark.parametrize("fraction", [5e-324, 1e-9, 1 - 2**-53, 0.5])
@pytest.mark.parametrize("rows", [2, 3, 1023, 1024, 1025])
def test_either_part_has_a_row(rows, fraction):
    data = numbered(rows)
    kept, held = parts_of(dataset(data), fraction)
    assert kept
    assert held
    assert sorted(kept + held) == list(range(rows))


def test_a_file_of_one_row_has_one_part_and_the_other_says_that_it_is_empty():
    train, held_out = dataset(numbered(1)).split(0.1)
    assert numbers_of(train) == [0]
    assert (held_out.num_rows, len(held_out)) == (0, 0)
    for empty in (held_out, held_out.shuffle(seed=0)):
        with pytest.raises(csvfeed.CsvError, match="no row is left"):
            iter(empty)


def test_parts_do_not_depend_on_options_of_reading(write):
    path = write(DATA)
    for by in (None, "key", -3):
        expected = parts_of(dataset(), 0.3, seed=9, by=by)
        for options in (
            {"threads": 1},
            {"threads": 7, "batch_size": 1000},
            {"memory": 1},
            {"memory": MIXED, "threads": 5},
            {"remainder": "pad"},
            {"fill": 3},
        ):
            assert parts_of(dataset(path, **options), 0.3, seed=9, by=by) == expected, options


def test_parts_are_the_same_in_every_run(write):
    code = """
        import sys, csvfeed
        ds = csvfeed.CsvDataset(sys.argv[1], features=["x"], target="y")
        for by in (None, "key"):
            for part in ds.split(0.1, by=by):
                print(*[int(n) for X, y in part for n in y])
    """
    found = [[*map(int, line.split())] for line in python(code, write(DATA)).splitlines()]
    assert found == parts_of(dataset(), 0.1) + parts_of(dataset(), 0.1, by="key")
    # What was held out once is held out in every version: a model was selected by it.
    assert parts_of(dataset(numbered(40)), 0.25)[1] == [3, 7, 8, 10, 11, 15, 16, 17, 20, 32]
    assert parts_of(dataset(numbered(40)), 0.25, by="key")[1] == [
        5,
        10,
        11,
        15,
        21,
        22,
        23,
        26,
        27,
        30,
        31,
        32,
        34,
    ]


def test_parts_are_drawn_by_the_seed_and_evenly_over_the_file():
    held = [set(parts_of(dataset(), 0.5, seed=seed)[1]) for seed in range(4)]
    for seed, one in enumerate(held):
        counts = np.histogram(list(one), bins=6, range=(0, ROWS))[0]
        assert counts.min() > 200
        for other in held[:seed]:
            assert 650 < len(one & other) < 850


def test_which_rows_are_held_out_does_not_follow_their_number():
    # Of two parts with the same seed, the smaller is no part of the larger.
    small, large = (set(parts_of(dataset(), fraction)[1]) for fraction in (0.1, 0.5))
    assert len(small) == 300
    assert len(large) == 1500


# By a column


def key_of(number):
    return number * number % 97


@pytest.mark.parametrize("memory", [None, MIXED])
def test_rows_with_the_same_key_stay_together(memory):
    kept, held = parts_of(dataset(memory=memory), 0.3, by="key")
    keys = [{key_of(n) for n in part} for part in (kept, held)]
    assert not keys[0] & keys[1]
    assert 5 < len(keys[1]) < 25
    assert sorted(kept + held) == ALL


def test_a_key_is_compared_without_quotes_and_spaces_around_it():
    lines = []
    for n in range(600):
        key = f"user {n % 20}"
        lines.append(f"{n},{[key, f'{chr(34)}{key}{chr(34)}', f'  {key}'][n % 3]},t,{n}\n")
    data = ("x,key,text,y\n" + "".join(lines)).encode()
    plain = "x,key,text,y\n" + "".join(f"{n},user {n % 20},t,{n}\n" for n in range(600))
    assert parts_of(dataset(data), 0.4, by="key") == parts_of(
        dataset(plain.encode()), 0.4, by="key"
    )
    kept, held = parts_of(dataset(data), 0.4, by="key")
    assert held
    assert not {n % 20 for n in kept} & {n % 20 for n in held}


def test_a_key_may_hold_delimiters_line_ends_and_quotes():
    keys = ['"a,b"', '"a\nb"', '"a""b"', "", "é", " a ", "c"]
    lines = [f"{n},{keys[n % 7]},t,{n}\n" for n in range(700)]
    data = ("x,key,text,y\n" + "".join(lines)).encode()
    for seed in range(5):
        kept, held = parts_of(dataset(data, memory=MIXED), 0.5, seed=seed, by="key")
        assert not {n % 7 for n in kept} & {n % 7 for n in held}
        assert sorted(kept + held) == list(range(700))


@pytest.mark.parametrize("by", ["x", "y", 0, -1])
def test_a_key_may_be_a_number_a_feature_or_the_target(by):
    kept, held = parts_of(dataset(), 0.2, by=by)
    assert sorted(kept + held) == ALL
    assert 480 < len(held) < 720


def test_a_key_may_be_missing_and_its_row_left_out():
    lines = [f"{n},{'' if n % 5 == 0 else n % 9},t,{'' if n % 2 else n}\n" for n in range(900)]
    data = ("x,key,text,y\n" + "".join(lines)).encode()
    for memory in (None, MIXED):
        ds = dataset(data, missing_target="skip", memory=memory)
        kept, held = parts_of(ds, 0.5, seed=1, by="key")
        assert sorted(kept + held) == list(range(0, 900, 2))
        keys = [{-1 if n % 5 == 0 else n % 9 for n in part} for part in (kept, held)]
        assert not keys[0] & keys[1]


def test_keys_are_held_out_as_often_as_asked_for():
    data = ("x,key,text,y\n" + "".join(f"{n},u{n},t,{n}\n" for n in range(4000))).encode()
    for fraction in (0.02, 0.5, 0.97):
        held = dataset(data).split(fraction, by="key")[1].num_rows
        assert abs(held - 4000 * fraction) < 4 * (4000 * fraction * (1 - fraction)) ** 0.5


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(csvfeed.CsvError, match='by= asks for column "user"'):
        dataset().split(0.1, by="user")
    with pytest.raises(csvfeed.CsvError, match="by= asks for column 4, but the file has 4"):
        dataset().split(0.1, by=4)
    with pytest.raises(TypeError, match="by names columns"):
        dataset().split(0.1, by=1.5)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan"), float("inf")])
def test_a_fraction_is_between_0_and_1(fraction):
    with pytest.raises(ValueError, match="fraction is a number between 0 and 1"):
        dataset().split(fraction)
    with pytest.raises(TypeError, match="fraction is a number between 0 and 1"):
        dataset().split("0.1")


# With each other and the rest


@pytest.mark.parametrize("by", [None, "key"])
def test_a_part_is_split_again_by_chance_though_the_seed_is_the_same(by):
    data = ("x,key,text,y\n" + "".join(f"{n},u{n // 3},t,{n}\n" for n in range(6000))).encode()
    train, rest = dataset(data).split(0.4, by=by)
    validation, test = rest.split(0.5, by=by)
    sizes = [ds.num_rows for ds in (train, validation, test)]
    assert sum(sizes) == 6000
    assert abs(sizes[1] - 1200) < 150
    assert abs(sizes[2] - 1200) < 150
    more, less = train.split(0.5, by=by)
    assert abs(less.num_rows - 1800) < 200
    parts = [numbers_of(ds) for ds in (validation, test, more, less)]
    assert sorted(joined(parts)) == list(range(6000))
    if by:
        keys = [{n // 3 for n in part} for part in parts]
        assert sum(map(len, keys)) == 2000


def test_a_part_by_rows_may_be_split_by_keys_and_the_other_way_round():
    for first, second in ((None, "key"), ("key", None)):
        for part in dataset(memory=MIXED).split(0.5, seed=3, by=first):
            kept, held = parts_of(part, 0.5, seed=3, by=second)
            assert sorted(kept + held) == numbers_of(part)
            if second:
                assert not {key_of(n) for n in kept} & {key_of(n) for n in held}


@pytest.mark.parametrize("memory", [None, MIXED])
def test_parts_shards_and_shuffles_compose_in_any_order(memory):
    ds = dataset(memory=memory, batch_size=10)
    expected = [numbers_of(part.shard(1, 3)) for part in ds.split(0.3)]
    assert [numbers_of(part) for part in ds.shard(1, 3).split(0.3)] == expected
    for shuffled in (
        [part.shard(1, 3).shuffle(seed=5) for part in ds.split(0.3)],
        [part.shuffle(seed=5).shard(1, 3) for part in ds.split(0.3)],
        [part.shard(1, 3) for part in ds.shuffle(seed=5).split(0.3)],
        ds.shuffle(seed=5).shard(1, 3).split(0.3),
        [part.shuffle(seed=5) for part in ds.shard(1, 3).split(0.3)],
    ):
        orders = [numbers_of(part) for part in shuffled]
        assert [sorted(order) for order in orders] == expected
        assert orders != expected
    shards = [part for index in range(3) for part in ds.shard(index, 3).split(0.3)]
    everything = sorted(joined(map(numbers_of, shards)))
    assert len(set(everything)) == len(everything) > ROWS - 6


def test_parts_pickle_and_say_what_they_are():
    train, held_out = dataset(b"x,key,y\n" + b"1,2,3\n" * 50).split(0.1, seed=2, by="key")
    assert repr(train).endswith(".split(0.1, seed=2, by='key')[0]")
    again = pickle.loads(pickle.dumps(held_out.shard(0, 2).shuffle(seed=3)))
    assert repr(again).endswith(".split(0.1, seed=2, by='key')[1].shard(0, 2).shuffle(seed=3)")
    for part in dataset().split(0.25):
        copy = pickle.loads(pickle.dumps(part))
        assert (copy.num_rows, repr(copy)) == (part.num_rows, repr(part))
        assert numbers_of(copy) == numbers_of(part)


def test_stats_are_those_of_the_part():
    for part in dataset().split(0.3, by="key"):
        rows = numbers_of(part)
        stats = part.stats()["x"]
        assert (stats.count, stats.min, stats.max) == (len(rows), min(rows), max(rows))
        assert stats.mean == pytest.approx(np.mean(rows))


@pytest.mark.parametrize("by", [None, "key"])
def test_a_wrong_row_is_an_error_with_its_place_in_the_part_that_holds_it(by):
    lines = DATA.splitlines(keepends=True)
    lines[1234] = lines[1234].replace(b"1233,", b"oops,", 1)
    holder = 0 if 1233 in parts_of(dataset(), 0.5, by=by)[0] else 1
    parts = dataset(b"".join(lines)).split(0.5, by=by)
    with pytest.raises(csvfeed.NumberError) as caught:
        numbers_of(parts[holder])
    error = caught.value
    assert (error.line, error.column_name, error.text) == (1235, "x", "oops")
    assert numbers_of(parts[1 - holder]) == parts_of(dataset(), 0.5, by=by)[1 - holder]


def test_a_file_that_changed_is_an_error(write):
    path = write(DATA)
    part, _ = dataset(path).split(0.5)
    numbers_of(part)
    write(DATA + b"1,k,t,1\n")
    with pytest.raises(csvfeed.SourceChangedError):
        iter(part)


def test_a_key_decides_where_rows_without_a_target_are_left_out_and_there_is_none():
    data = numbered(100)
    whole = dataset(data, target=None).split(0.3, by="key")
    skipping = dataset(data, target=None, missing_target="skip").split(0.3, by="key")
    assert [part.num_rows for part in skipping] == [part.num_rows for part in whole]
    assert all(part.num_rows == sum(len(X) for (X,) in part) for part in skipping)
