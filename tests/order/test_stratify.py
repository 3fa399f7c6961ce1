"""``split(stratify=...)``: of each class, the same part is held out, to the row."""

import pickle

import numpy as np
import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import counts_of, drawn, labelled, rounded
from numbered import MIXED, NUMBERED, joined, numbers_of
from processes import python

import csvfeed

ROWS = 3000
LABELS = drawn(np.random.default_rng(0), ROWS, yes=0.02, no=0.8, maybe=0.18)
DATA = labelled(LABELS)
ALL = list(range(ROWS))
SIZES = counts_of(LABELS, ALL)


def dataset(source=DATA, **options):
    return csvfeed.CsvDataset(source, **{**NUMBERED, **options})


def parts_of(ds, *arguments, **options):
    return [numbers_of(part) for part in ds.split(*arguments, **options)]


@pytest.mark.parametrize("memory", [None, MIXED, 1])
@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.97])
def test_of_each_class_the_nearest_number_of_rows_is_held_out(memory, fraction):
    train, held_out = dataset(memory=memory).split(fraction, seed=3, stratify="label")
    found = [numbers_of(train), numbers_of(held_out)]
    assert sorted(found[0] + found[1]) == ALL
    assert all(part == sorted(part) for part in found)
    assert [train.num_rows, held_out.num_rows] == [len(part) for part in found]
    assert counts_of(LABELS, found[1]) == {
        label: rounded(fraction * size) for label, size in SIZES.items()
    }


@settings(max_examples=examples(60))
@given(
    labels=st.lists(st.sampled_from(["a", "b", "c", "", "0"]), min_size=1, max_size=300),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**63 - 1),
)
def test_any_classes_are_parted_to_the_row(labels, fraction, seed):
    train, held_out = dataset(labelled(labels)).split(fraction, seed=seed, stratify=1)
    found = [numbers_of(part) if part.num_rows else [] for part in (train, held_out)]
    assert sorted(found[0] + found[1]) == list(range(len(labels)))
    held = counts_of(labels, found[1])
    for label, size in counts_of(labels, range(len(labels))).items():
        assert held.get(label, 0) == rounded(fraction * size)


def test_parts_do_not_depend_on_how_the_file_is_read(write):
    path = write(DATA)
    expected = parts_of(dataset(), 0.3, seed=9, stratify="label")
    for options in ({"threads": 1}, {"threads": 5, "batch_size": 999}, {"memory": 1}):
        assert parts_of(dataset(path, **options), 0.3, seed=9, stratify="label") == expected
    shuffled = dataset(path).shuffle(seed=1).split(0.3, seed=9, stratify="label")
    assert [sorted(numbers_of(part)) for part in shuffled] == expected
    code = """
        import sys, csvfeed
        ds = csvfeed.CsvDataset(sys.argv[1], features=["x"], target="y")
        print(*[int(n) for X, y in ds.split(0.3, seed=9, stratify="label")[1] for n in y])
    """
    assert [*map(int, python(code, path).split())] == expected[1]
    # What was held out once is held out in every version: a model was selected by it.
    few = labelled("ab" * 20)
    assert parts_of(dataset(few), 0.25, stratify="label")[1] == HELD_OUT


HELD_OUT = [0, 9, 11, 15, 17, 20, 24, 30, 36, 39]


def test_rows_are_drawn_by_the_seed_and_each_as_often_as_any_other():
    times = np.zeros(60)
    labels = "abc" * 20
    data = labelled(labels)
    for seed in range(200):
        times[parts_of(dataset(data), 0.5, seed=seed, stratify="label")[1]] += 1
    # Each is held out 100 times on average, with a standard deviation of 7.
    assert 65 < times.min() < times.max() < 135


def test_a_class_is_a_text_without_quotes_and_spaces_and_a_missing_one_is_one_of_its_own():
    written = ['"a"', " a", "a ", "", "NA", '""', "1", "1.0"]
    labels = [written[n % 8] for n in range(800)]
    classes = ["aaa---1x"[n % 8] for n in range(800)]
    for options in ({}, {"on_error": "skip"}, {"missing_target": "skip"}):
        held = parts_of(dataset(labelled(labels), **options), 0.2, stratify="label")[1]
        assert counts_of(classes, held) == {"a": 60, "-": 60, "1": 20, "x": 20}


def test_a_token_for_no_value_that_begins_with_the_escape_is_a_missing_class():
    # As MySQL writes it; unescaped it would be the class N.
    labels = [("\\N", "N", "")[n % 3] for n in range(300)]
    ds = dataset(labelled(labels), escape="\\")
    held = parts_of(ds, 0.1, stratify="label")[1]
    assert counts_of("-N-" * 100, held) == {"-": 20, "N": 10}


def test_the_target_and_a_column_of_categories_may_be_the_class():
    options = {"features": ["x"], "target": "label", "categories": {"label": "auto"}}
    train, held_out = csvfeed.CsvDataset(DATA, **options).split(0.1, stratify="label")
    names = train.classes
    for part, share in ((train, 0.9), (held_out, 0.1)):
        found = np.bincount(np.concatenate([y for _, y in part]).astype(int))
        for name, size in SIZES.items():
            assert abs(found[names.index(name)] - share * size) <= 0.5


def test_rows_that_are_left_out_are_of_no_class():
    lines = DATA.splitlines(keepends=True)
    wrong = set(range(5, ROWS, 7))
    for n in wrong:
        lines[n + 1] = lines[n + 1].replace(f"{n},".encode(), b"oops,", 1)
    kept = [n for n in ALL if n not in wrong]
    ds = dataset(b"".join(lines), on_error="skip", memory=MIXED)
    with pytest.warns(RuntimeWarning, match="left out"):
        found = parts_of(ds, 0.3, stratify="label")
    assert sorted(found[0] + found[1]) == kept
    held = counts_of(LABELS, found[1])
    for label, size in counts_of(LABELS, kept).items():
        assert held[label] == rounded(0.3 * size)


def test_it_goes_with_other_parts_shards_shuffles_caches_and_states(tmp_path):
    train, rest = dataset(batch_size=10, memory=MIXED).split(0.4, stratify="label")
    first, second = rest.split(0.5, stratify="label")
    parts = [numbers_of(part) for part in (train, first, second)]
    assert sorted(joined(parts)) == ALL
    sizes = counts_of(LABELS, numbers_of(rest))
    assert counts_of(LABELS, parts[2]) == {k: rounded(size / 2) for k, size in sizes.items()}
    by_key = [part for one in dataset().split(0.4) for part in one.split(0.5, stratify="label")]
    assert sorted(n for part in by_key for n in numbers_of(part)) == ALL
    shards = [numbers_of(first.shard(index, 3)) for index in range(3)]
    assert set(joined(shards)) <= set(parts[1])
    assert sum(map(len, shards)) > len(parts[1]) - 3
    lanes = dataset(batch_size=12, remainder="drop").split(0.4, stratify="label")[0]
    rows = [n for index in range(2) for n in numbers_of(lanes.distribute(index, 2))]
    assert len(set(rows)) == len(rows) == len(parts[0]) // 12 * 12
    for _ in range(2):
        cached = dataset(memory=MIXED).split(0.4, stratify="label")[1].cache(tmp_path)
        assert numbers_of(cached) == numbers_of(rest)
        assert numbers_of(cached) == numbers_of(rest)
    copy = pickle.loads(pickle.dumps(rest.shuffle(seed=2)))
    assert repr(copy).endswith(".split(0.4, seed=0, stratify='label')[1].shuffle(seed=2)")
    shuffled = rest.shuffle(seed=2)
    batches = iter(shuffled)
    numbers_of([next(batches) for _ in range(7)])
    copy.load_state_dict(shuffled.state_dict())
    assert numbers_of(copy) == numbers_of(batches)
    with pytest.raises(ValueError, match="other rows"):
        dataset(batch_size=10, memory=MIXED).split(0.4, by="label")[1].shuffle(
            seed=2
        ).load_state_dict(shuffled.state_dict())


def test_a_class_of_few_rows_may_be_in_one_part_alone():
    train, held_out = dataset(labelled("a" * 9 + "b")).split(0.4, stratify="label")
    assert (9 in numbers_of(train), held_out.num_rows) == (True, 4)
    none = dataset(labelled("abcde")).split(0.2, stratify="label")[1]
    assert none.num_rows == 0
    with pytest.raises(csvfeed.CsvError, match="no row is left"):
        iter(none)


def test_what_cannot_be_stratified_is_told():
    with pytest.raises(ValueError, match="give one of them"):
        dataset().split(0.1, by="label", stratify="label")
    with pytest.raises(csvfeed.CsvError, match='stratify= asks for column "class"'):
        dataset().split(0.1, stratify="class")
    with pytest.raises(ValueError, match="windows would have gaps"):
        dataset().windows(3).split(0.1, stratify="label")
    many = csvfeed.CsvDataset(b"x,y\n" + b"".join(b"%d,1\n" % n for n in range(10_001)))
    with pytest.raises(csvfeed.CsvError, match="more than 10000 different values") as caught:
        iter(many.split(0.1, stratify="x")[0])
    assert (caught.value.column, caught.value.column_name) == (0, "x")


def test_a_file_that_changed_is_an_error(write):
    path = write(DATA)
    part, _ = dataset(path).split(0.5, stratify="label")
    numbers_of(part)
    write(DATA + b"1,k,t,1\n")
    with pytest.raises(csvfeed.SourceChangedError):
        iter(part)
