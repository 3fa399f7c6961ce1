"""``csvfeed.mix``: rows of several datasets in given proportions and a random order."""

import itertools
import json
import pickle

import numpy as np
import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered import MIXED, NUMBERED, joined, numbered, numbers_of

import csvfeed

APART = 10_000
"""The rows of each dataset are numbered from another multiple of this on."""


def source(place, rows, **options):
    return csvfeed.CsvDataset(
        numbered(rows, start=APART * place), **{**NUMBERED, "batch_size": 10, **options}
    )


def sources(*counts, **options):
    return [source(place, rows, **options) for place, rows in enumerate(counts)]


def split(order, count):
    """Return the rows of each dataset, each in their order."""
    return [[n % APART for n in order if n // APART == place] for place in range(count)]


def counts_of(weights, rows):
    """Return how many of the first rows are of each dataset, worked out as the page says."""
    found, left = [], sum(map(int, weights))
    for weight in map(int, weights):
        found.append(rows * weight // left)
        rows, left = rows - found[-1], left - weight
    return found


@pytest.mark.parametrize("memory", [None, MIXED])
def test_rows_come_in_the_proportions_of_the_weights(memory):
    mixed = csvfeed.mix(sources(9000, 3000, memory=memory), weights=[3, 1], seed=1)
    order = numbers_of(mixed)
    assert (mixed.num_rows, len(mixed)) == (len(order), -(-len(order) // 10))
    assert len(order) == 12_000
    for part, rows in zip(split(order, 2), (9000, 3000), strict=True):
        assert part == list(range(rows))
    for start in range(0, 12_000, 1000):
        # The number in 1,000 rows is random within 4,096; its standard deviation is 12.
        share = sum(n >= APART for n in order[start : start + 1000])
        assert 190 < share < 310
    firsts = [n >= APART for n in order]
    runs = [len(list(run)) for _, run in itertools.groupby(firsts)]
    assert max(runs) < 60


def test_each_epoch_and_seed_has_an_order_of_its_own():
    mixed = csvfeed.mix(sources(500, 500), seed=3)
    orders = [numbers_of(mixed) for _ in range(3)]
    orders.append(numbers_of(csvfeed.mix(sources(500, 500), seed=4)))
    assert len({tuple(order) for order in orders}) == 4
    assert {tuple(sorted(order)) for order in orders} == {tuple(sorted(orders[0]))}
    again = csvfeed.mix(sources(500, 500, threads=1, batch_size=7), seed=3)
    assert [numbers_of(again) for _ in range(3)] == orders[:3]


@settings(max_examples=examples(40))
@given(
    counts=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    numbers=st.lists(st.integers(1, 9), min_size=4, max_size=4),
    stop=st.sampled_from(["first", "repeat"]),
    batch_size=st.integers(1, 30),
    seed=st.integers(0, 5),
    shuffled=st.booleans(),
    data=st.data(),
)
def test_an_epoch_has_the_rows_that_are_due(
    counts, numbers, stop, batch_size, seed, shuffled, data
):
    weights = numbers[: len(counts)]
    members = sources(*counts)
    if shuffled:
        members = [member.shuffle(seed=9) for member in members]

    def make():
        return csvfeed.mix(members, weights=weights, seed=seed, stop=stop, batch_size=batch_size)

    mixed = make()
    rows = 0
    if stop == "first":
        while all(n <= c for n, c in zip(counts_of(weights, rows + 1), counts, strict=True)):
            rows += 1
    else:
        while any(n < c for n, c in zip(counts_of(weights, rows), counts, strict=True)):
            rows += 1
    assert (mixed.num_rows, len(mixed)) == (rows, -(-rows // batch_size))
    if not rows:
        return
    epochs = [[numbers_of([batch]) for batch in mixed] for _ in range(2)]
    wholes = [joined(epoch) for epoch in epochs]
    for epoch, whole in enumerate(wholes):
        assert [len(batch) for batch in epochs[epoch][:-1]] == [batch_size] * (len(mixed) - 1)
        due = counts_of(weights, rows)
        for place, (part, count) in enumerate(zip(split(whole, len(counts)), counts, strict=True)):
            assert len(part) == due[place]
            passes = max(1, -(-due[place] // count))
            first = epoch * passes
            expected = joined(
                [
                    n % APART
                    for batch in members[place].epochs.open(one)
                    for n in batch[1].astype(int)
                ]
                for one in range(first, first + passes)
            )
            assert part == expected[: len(part)]
    # Go on in the middle.
    passed = data.draw(st.integers(0, len(mixed)))
    mixed = make()
    batches = iter(mixed)
    for _ in range(passed):
        next(batches)
    state = json.loads(json.dumps(mixed.state_dict()))
    resumed = pickle.loads(pickle.dumps(make()))
    resumed.load_state_dict(state)
    if passed < len(mixed):
        assert numbers_of(resumed) == joined(epochs[0][passed:])
        assert numbers_of(resumed) == wholes[1]


def test_a_mix_ends_with_the_first_or_repeats_the_shorter():
    parts = split(numbers_of(csvfeed.mix(sources(1000, 200), seed=0)), 2)
    assert [len(part) for part in parts] == [200, 200]
    repeated = csvfeed.mix(sources(1000, 200), seed=0, stop="repeat")
    parts = split(numbers_of(repeated), 2)
    assert parts[0] == list(range(1000))
    assert parts[1][:1000] == list(range(200)) * 5
    shuffled = [member.shuffle(seed=1) for member in sources(1000, 200)]
    parts = split(numbers_of(csvfeed.mix(shuffled, stop="repeat")), 2)
    passes = [parts[1][at : at + 200] for at in range(0, 1000, 200)]
    assert all(sorted(one) == list(range(200)) for one in passes)
    assert len({tuple(one) for one in passes}) == 5


@pytest.mark.parametrize("remainder", ["keep", "drop", "pad"])
def test_the_last_batch_is_kept_dropped_or_filled(remainder):
    members = sources(130, 130, remainder=remainder)
    mixed = csvfeed.mix([member.shuffle(seed=1) for member in members], batch_size=100)
    batches = list(mixed)
    assert [len(batch[0]) for batch in batches] == {
        "keep": [100, 100, 60],
        "drop": [100, 100],
        "pad": [100, 100, 100],
    }[remainder]
    assert len(mixed) == len(batches)
    assert len(numbers_of(batches)) == (200 if remainder == "drop" else 260)
    if remainder == "pad":
        weights = batches[2][2]
        assert weights.tolist() == [1] * 60 + [0] * 40
        assert not batches[2][0][60:].any()


def test_arrays_are_the_callers_own_and_have_the_usual_forms():
    data = b"a,b,y,z,w\n" + b"1,2,3,4,5\n" * 40
    for options, form in (
        ({"target": None}, [(8, 5)]),
        ({"target": ["y", "z"], "weight": "w"}, [(8, 2), (8, 2), (8,)]),
        ({"target": "y"}, [(8, 4), (8,)]),
    ):
        ds = csvfeed.CsvDataset(data, batch_size=8, **options)
        batches = list(csvfeed.mix([ds, ds]))
        for batch in batches[:-1]:
            assert [array.shape for array in batch] == form
            assert all(array.dtype == np.float32 and array.flags.c_contiguous for array in batch)
            batch[0][:] = -1
        assert (batches[-1][0] == next(iter(ds))[0][0]).all()
    ds = csvfeed.CsvDataset(data, target={"one": "y", "two": ["z"]}, weight={"two": "w"})
    _, y, w = next(iter(csvfeed.mix([ds, ds])))
    assert (y["one"].shape, y["two"].shape, w["one"][0], w["two"][0]) == ((32,), (32, 1), 1, 5)
    windows = csvfeed.CsvDataset(data, target="y", batch_size=8).windows(3)
    mixed = csvfeed.mix([windows, windows])
    assert (mixed.num_rows, next(iter(mixed))[0].shape) == (76, (8, 3, 4))


def test_it_goes_with_parts_shards_balances_and_caches(tmp_path):
    one, other = sources(1000, 600)
    train, held_out = one.split(0.5, stratify="key")
    mixed = csvfeed.mix([train.shuffle(seed=1).cache(tmp_path), other.shard(0, 2)], seed=1)
    for _ in range(2):
        parts = split(numbers_of(mixed), 2)
        assert not set(parts[0]) & set(numbers_of(held_out))
        assert {n + APART for n in parts[1]} <= set(numbers_of(other.shard(0, 2)))
    assert mixed.part_of_worker(0, 2).num_rows in range(mixed.num_rows // 2 - 9, mixed.num_rows)
    assert next(iter(train))[1].tolist() == next(iter(train.epochs.open(0)))[1].tolist()


def test_a_dataset_is_not_moved_by_a_mix():
    ds = source(0, 100).shuffle(seed=1)
    first = numbers_of(source(0, 100).shuffle(seed=1))
    list(csvfeed.mix([ds, ds]))
    assert numbers_of(ds) == first


def test_a_wrong_row_ends_the_epoch_where_it_is():
    lines = numbered(3000).splitlines(keepends=True)
    lines[1001] = lines[1001].replace(b"1000,", b"oops,", 1)
    bad = csvfeed.CsvDataset(b"".join(lines), **NUMBERED, batch_size=10)
    good, other = sources(3000, 3000)
    expected = numbers_of(csvfeed.mix([good, other], seed=2))
    found = []
    with pytest.raises(csvfeed.NumberError) as caught:
        found.extend(numbers_of([batch]) for batch in csvfeed.mix([bad, other], seed=2))
    found = joined(found)
    assert (caught.value.line, caught.value.text) == (1002, "oops")
    at = expected.index(1000)
    assert found == expected[: at - at % 10]


def test_states_are_those_of_an_equal_mix():
    mixed = csvfeed.mix([member.shuffle() for member in sources(50, 50)], seed=1)
    batches = iter(mixed)
    next(batches)
    state = json.loads(json.dumps(mixed.state_dict()))
    rest = numbers_of(batches)
    # A seed that was drawn is that of the state.
    again = csvfeed.mix([member.shuffle() for member in sources(50, 50)], seed=1)
    again.load_state_dict(state)
    assert numbers_of(again) == rest
    for other in (
        csvfeed.mix([member.shuffle() for member in sources(50, 50)], seed=2),
        csvfeed.mix([member.shuffle(seed=1) for member in sources(50, 50)], seed=1),
        csvfeed.mix([member.shuffle() for member in sources(50, 50)], seed=1, weights=[2, 1]),
        csvfeed.mix([member.shuffle() for member in sources(50, 50)], seed=1, batch_size=11),
        csvfeed.mix([member.shuffle() for member in sources(50, 49)], seed=1),
        csvfeed.mix(sources(50, 50), seed=1),
        source(0, 50).shuffle(),
    ):
        with pytest.raises(ValueError, match=r"the state (has|is)"):
            other.load_state_dict(state)


def test_datasets_that_differ_are_told_apart():
    data = b"a,b,y,w\n1,2,3,4\n"
    alike = {"features": ["a", "b"], "target": "y"}
    ds = csvfeed.CsvDataset(data, **alike)
    for options, message in (
        ({"features": ["b", "a"]}, r"features= \['b', 'a'\], where dataset 0 has \['a', 'b'\]"),
        ({"target": "b", "features": ["a", "y"]}, "features="),
        ({"target": "w"}, "target="),
        ({"booleans": ["a"]}, "kinds"),
        ({"remainder": "pad"}, "remainder="),
        ({"target": {"one": "y"}}, "outputs"),
        ({"weight": "w"}, "shapes"),
    ):
        with pytest.raises(ValueError, match=f"dataset 1 has .*{message}"):
            csvfeed.mix([ds, csvfeed.CsvDataset(data, **{**alike, **options})])
    words = [
        csvfeed.CsvDataset(b"a,y\n%s,1\n" % text, categories={"a": given})
        for text, given in ((b"u", "auto"), (b"v", "auto"), (b"u", ["u"]), (b"u", 7), (b"u", 8))
    ]
    csvfeed.mix([words[0], words[2]])
    for one, other in ((0, 1), (2, 3), (3, 4)):
        with pytest.raises(ValueError, match="the codes of 'a' differ"):
            csvfeed.mix([words[one], words[other]])
    with pytest.raises(ValueError, match="shapes"):
        csvfeed.mix([source(0, 9).windows(2), source(0, 9).windows(3)])


def test_numbers_that_stand_for_other_things_are_told_apart():
    """One column in seconds and in hours would train as if they were the same."""
    text = b"a,t,d,l,y\n%s,1:00:00,2013-01-31,1 2,3\n"
    duration, date, lists = csvfeed.Duration, csvfeed.Date, {"l": csvfeed.List(2)}

    def made(a=b"1", **options):
        dates = {"t": duration(), "d": date("days"), **options.pop("dates", {})}
        return csvfeed.CsvDataset(text % a, **{"lists": lists, **options}, dates=dates)

    for one, other, message in (
        ({"dates": {"t": duration("hours")}}, {}, "the unit of 't' .*, 'hours' and 'seconds': .*"),
        ({}, {"dates": {"t": duration("days")}}, "the unit of 't' .*, 'seconds' and 'days': give"),
        (
            {},
            {"dates": {"d": date("days", since="2000-01-01")}},
            "the date from which 'd' counts .*, '1970-01-01' and '2000-01-01': give .*since=",
        ),
        ({"fill": {"a": 0}}, {"fill": {"a": 99}}, "the fill of 'a' .*, 0.0 and 99.0: give both"),
        ({}, {"fill": {"a": 99}}, r"the fill of 'a' .*, None and 99.0: .*fill={'a': 99.0}"),
        ({"fill": "mean"}, {"fill": 0}, "the fill of 'a' .*, 'mean' and 0.0"),
        ({"fill": {"l": 1}}, {"fill": {"l": 2}}, "the fill of 'l' "),
        (
            {},
            {"a": b"5%", "numbers": {"a": "percent"}},
            r"numbers of 'a' .*, \['plain'\] and \['percent'\]: .*\['percent', 'plain'\]",
        ),
        (
            {"a": b"5%", "numbers": {0: ["percent", "currency"]}},
            {"numbers": "currency"},
            r"numbers of 'a' .*, \['currency', 'percent'\] and \['currency'\]",
        ),
    ):
        with pytest.raises(ValueError, match=message) as raised:
            csvfeed.mix([made(**one), made(**one), made(**other)])
        assert "between dataset 0 and dataset 2, " in str(raised.value)
    target = {"target": "t", "features": ["a", "d"], "lists": None}
    with pytest.raises(ValueError, match="the unit of 't'"):
        csvfeed.mix([made(**target), made(**target, dates={"t": duration("hours")})])
    with pytest.raises(ValueError, match=r"\['a', 't', 'd.seconds', "):
        csvfeed.mix([made(), made(dates={"d": date("seconds")})])


def test_the_same_values_may_be_written_in_other_ways():
    date, duration = csvfeed.Date, csvfeed.Duration
    plain = csvfeed.CsvDataset(
        b"a,t,d,c,l,y\n1.5,1:00:00,2013-01-31,u,1 2,3\n",
        dates={"t": duration("hours"), "d": date("days", since="2000-01-01")},
        categories={"c": ["u"]},
        fill={"a": 0},
        lists={"l": csvfeed.List(2)},
    )
    other = csvfeed.CsvDataset(
        b"l;y;a;t;d;c\n1|2;3;1,5;1:00;31.01.2013;u\n",
        features=["a", "t", "d", "c", "l"],
        target="y",
        delimiter=";",
        decimal=",",
        missing=["?"],
        dates={
            3: duration("hours", format="%H:%M"),
            "d": date("days", format="%d.%m.%Y", since="2000-01-01T00:00:00+00:00"),
        },
        numbers={"a": ["percent", "plain"]},
        categories={"c": ["u"]},
        fill={"a": 0.0, "c": 0},
        lists={"l": csvfeed.List(2, separator="|")},
    )
    batches = list(csvfeed.mix([plain, other], batch_size=2))
    assert batches[0][0][0].tolist() == batches[0][0][1].tolist()
    # "plain" says what a number without a sign is.
    text = b"a,y\n%s,1\n"
    forms = ["percent", ["percent", "plain"]]
    csvfeed.mix([csvfeed.CsvDataset(text % b"5%", numbers=form) for form in forms])
    # The hour has no beginning to count from.
    made = [date("hour"), date("hour", since="2000-01-01")]
    csvfeed.mix([csvfeed.CsvDataset(text % b"2013-01-31", dates={"a": one}) for one in made])


def test_what_cannot_be_mixed_is_told():
    one, other = sources(50, 50)
    for wrong in (one, 5, [one, "x"], [one, csvfeed.mix([one])]):
        with pytest.raises(TypeError, match="mix takes a list"):
            csvfeed.mix(wrong)
    with pytest.raises(ValueError, match="from 1 to 256 datasets"):
        csvfeed.mix([])
    with pytest.raises(ValueError, match="batches of 10, 20 rows"):
        csvfeed.mix([one, source(0, 9, batch_size=20)])
    with pytest.raises(ValueError, match="1 numbers for 2 datasets"):
        csvfeed.mix([one, other], weights=[1])
    for weight in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="a number above 0"):
            csvfeed.mix([one, other], weights=[1, weight])
    for weights in (0.5, "ab", [1, "x"], [1, True]):
        with pytest.raises(TypeError, match="weight"):
            csvfeed.mix([one, other], weights=weights)
    with pytest.raises(ValueError, match="stop is one of 'first', 'repeat'"):
        csvfeed.mix([one, other], stop="last")
    with pytest.raises(TypeError, match="csvfeed calls it weights="):
        csvfeed.mix([one, other], probabilities=[1, 1])
    with pytest.raises(ValueError, match="would never end"):
        len(csvfeed.mix([one, other], weights=[1, 1e-300], stop="repeat"))
    lanes = source(0, 50, remainder="drop").distribute(0, 2)
    with pytest.raises(ValueError, match="is distributed"):
        csvfeed.mix([lanes])
    mixed = csvfeed.mix([one, other])
    for name in ("shuffle", "where", "take", "windows", "with_ids", "predictions", "vocabulary"):
        with pytest.raises(AttributeError, match=r"call it before csvfeed.mix\(\)"):
            getattr(mixed, name)
    for call in (mixed.to_ray, mixed.distribute):
        with pytest.raises(ValueError, match="mix"):
            call()
    empty = one.split(0.5, stratify="x")[1].split(0.4, stratify="x")[1]
    with pytest.raises(csvfeed.CsvError, match="no row"):
        list(csvfeed.mix([one, empty]))
    with pytest.raises(csvfeed.CsvError, match="no row"):
        list(csvfeed.mix([csvfeed.CsvDataset(b"x,y\n", header=True)]))
