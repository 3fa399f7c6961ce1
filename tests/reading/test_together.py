"""Everything at once: tables at random, in any dialect, over several files, read in any way.

Each kind of option has tests of its own; here they meet.
"""

import csv
import json
import pickle
from collections import Counter
from contextlib import suppress
from functools import cache
from pathlib import Path

import fsspec
import numpy as np
import pytest
from conftest import SMALL
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import rounded
from random_tables import COMPRESSIONS, LENGTH, Reading, Table, Use

import csvfeed
from csvfeed import _core

pytestmark = pytest.mark.filterwarnings("ignore:.* left out. ds.rejects tells which:RuntimeWarning")


@cache
def bucket(word, count):
    """Return the bucket of a word, as that of the same word in a plain file."""
    quoted = '"' + word.replace('"', '""') + '"'
    content = f"c,y\n{quoted},0\n".encode()
    ds = csvfeed.CsvDataset(content, categories={"c": count}, missing=[])
    code = next(iter(ds))[0].item()
    assert 1 <= code <= count
    return code


def way(rnd):
    """Return what must not matter."""
    return {"threads": rnd.randint(1, 3), "memory": rnd.choice([None, None, SMALL, 5000])}


def uploaded(paths, directory):
    """Return the URLs of copies of files in a store."""
    store = fsspec.filesystem("memory")
    urls = [f"memory://store/{Path(path).relative_to(directory)}" for path in paths]
    for path, url in zip(paths, urls, strict=True):
        store.pipe(url, Path(path).read_bytes())
    return urls


def plain(dataset, batch):
    """Return a batch as one array: features, each target once, and the weight."""
    X, *rest = batch
    # The datasets of a mix are alike.
    dataset = getattr(dataset, "_members", [dataset])[0]
    # Those of a window, row by row.
    X = X.reshape(len(X), -1)
    asked = dataset._options.targets
    if not rest:
        return X
    if asked.names is None:
        y = numbers(rest[0], dataset) if asked.one_hot else rest[0]
        return np.column_stack([X, y, *rest[1:]])
    targets = {}
    assert list(rest[0]) == asked.names
    for name, columns, is_vector in zip(asked.names, asked.outputs, asked.are_vectors, strict=True):
        y = rest[0][name]
        assert y.flags.c_contiguous
        lengths = [width_of(dataset, column) for column in columns]
        if asked.one_hot and columns == ["c"]:
            y = numbers(y, dataset)
        else:
            is_vector = is_vector and columns not in (["l"], ["g"])
            assert y.shape == ((len(X),) if is_vector else (len(X), sum(lengths)))
        parts = np.split(y.reshape(len(X), -1), np.cumsum(lengths)[:-1], axis=1)
        for column, values in zip(columns, parts, strict=True):
            same(targets.setdefault(column, values), values)
    weights = []
    if rest[1:]:
        assert list(rest[1]) == asked.names
        given = asked.weights if len(asked.weights) > 1 else asked.weights * len(asked.names)
        known = [rest[1][name] for name, one in zip(asked.names, given, strict=False) if one]
        others = [one for one in rest[1].values() if not any(one is other for other in known)]
        weights = (known or others)[:1]
        for one in known:
            same(one, weights[0])
        for one in others if known else []:
            # Padding has no weight in any output.
            assert set(one.tolist()) <= {0, 1}
            assert (weights[0][one == 0] == 0).all()
    return np.column_stack([X, *targets.values(), *weights])


def width_of(dataset, column):
    """Return how many values a column becomes."""
    return {"l": LENGTH, "g": len(dataset.vocabulary.get("g", ()))}.get(column, 1)


def numbers(rows, dataset):
    """Return the numbers of classes that are one-hot."""
    count = dataset.num_classes
    assert rows.shape[1:] == (count["c"] if isinstance(count, dict) else count,)
    lacks = np.isnan(rows).any(axis=1)
    assert np.isnan(rows[lacks]).all()
    same(np.sort(rows[~lacks])[:, -1:], 1)
    same(rows[~lacks].sum(axis=1), 1)
    return np.where(lacks, np.nan, rows.argmax(axis=1)).astype(np.float32)


def stacked(dataset, width):
    """Return the rows, or windows, of an epoch, each as one array of all its values."""
    batches = [plain(dataset, batch) for batch in dataset] if dataset.num_rows else []
    return np.concatenate([np.empty((0, width), np.float32), *batches])


def same(found, expected):
    np.testing.assert_array_equal(found, expected)


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def check_rejects(ds, reading, directory):
    rejects = ds.rejects
    assert rejects.count == len(reading.rejects) == sum(rejects.by_kind.values())
    for found, expected in zip(rejects.first, reading.rejects, strict=True):
        assert_is(found, expected, reading.table, directory)
    if reading.rejects:
        path = directory / "rejects.txt"
        assert ds.write_rejects(path) == len(reading.rejects)
        with open(path, newline="", encoding="utf-8") as file:
            written = list(csv.DictReader(line.replace("\0", "␀") for line in file))
        for found, reject, error in zip(written, reading.rejects, rejects.first, strict=True):
            assert found["path"] == error.path
            assert (found["line"], found["byte_offset"]) == (str(reject.line), str(reject.offset))
            assert found["column"] == (error.column_name or "")
            assert found["row"] == reject.row.replace("\0", "␀")


def assert_is(error, reject, table, directory):
    """Check an error against what it should tell."""
    assert type(error) is getattr(csvfeed, reject.kind)
    assert error.path == str(directory / reject.path)
    assert (error.line, error.byte_offset) == (reject.line, reject.offset)
    assert error.column == reject.column
    if reject.column is not None:
        assert error.column_name == table.columns[reject.column].name
    if reject.kind == "QuoteError":
        assert error.text.startswith(reject.text)
    else:
        assert error.text == (reject.text if len(reject.text) < 120 else reject.text[:120] + "…")


def check_error(ds, reading, directory, batch_size):
    """Check that the first wrong row ends the reading, after the batches before it."""
    first, batches = reading.rejects[0], []
    with pytest.raises(csvfeed.CsvError) as raised:
        batches.extend(len(batch[0]) for batch in ds)
    if "auto" in reading.use.categories.values() or reading.use.fill == "mean":
        return  # Something else may be wrong for the pass before the first batch.
    before = sum(row.number < first.number for row in reading.kept)
    assert sum(batches) == before // batch_size * batch_size
    assert_is(raised.value, first, reading.table, directory)


def check_stats(ds, reading, rows=None):
    stats = ds.stats()
    assert list(stats) == list(dict.fromkeys(reading.names))
    missing = reading.is_missing()
    # A column that is a feature and a target stands there as the target.
    for name, at in {name: at for at, name in enumerate(reading.names)}.items():
        found = stats[name]
        values = reading.raw[:, at] if rows is None else reading.raw[rows, at]
        lacks = missing[:, at] if rows is None else missing[rows, at]
        known = values[~lacks].astype(np.float64)
        assert (found.count, found.missing) == (len(known), lacks.sum())
        if len(known):
            close([found.min, found.max], [known.min(), known.max()])
            np.testing.assert_allclose(found.mean, known.mean(), rtol=1e-6, atol=1e-6)
            np.testing.assert_allclose(found.std, known.std(), rtol=1e-5, atol=1e-3)


def check(rnd, directory):
    table = Table.at_random(rnd)
    if not table.rows or not table.parts:
        return
    use = Use.at_random(rnd, table)
    reading = Reading(table, use, bucket)
    width = len(reading.names)
    batch_size = rnd.choice([1, 3, 7, 50])
    options = {**use.options(table), "batch_size": batch_size}
    paths = table.save(directory)
    if not table.style.has_header and use.on_error == "raise" and reading.rejects:
        return  # The first row of a part may be wrong, and is told of at once.
    its_way = way(rnd)
    finds_tags = use.tags == "auto" and "g" in use.read
    if finds_tags and (not reading.tags or (use.on_error == "raise" and reading.rejects)):
        # The pass that finds the categories of lists may meet a wrong row first.
        with pytest.raises(csvfeed.CsvError) if not reading.tags else suppress(csvfeed.CsvError):
            csvfeed.CsvDataset(paths, **options, **its_way)
        return
    ds = csvfeed.CsvDataset(paths, **options, **its_way)
    assert ds.columns == [one.name for one in table.columns]
    if use.on_error == "raise" and reading.rejects:
        check_error(ds, reading, directory, batch_size)
        return
    try:
        expected = reading.filled()
    except ValueError:
        with pytest.raises(csvfeed.CsvError, match="asks for the mean"):
            next(iter(ds))
        return
    assert ds.num_rows == len(expected)
    assert len(ds) == -(-len(expected) // batch_size)
    known = {"g": reading.tags} if "g" in use.read else {}
    if isinstance(reading.vocabulary, list):
        known["c"] = reading.vocabulary
        if "c" in use.targets:
            is_alone = len(use.targets) == 1 and use.outputs is None
            assert ds.classes == (reading.vocabulary if is_alone else {"c": reading.vocabulary})
            count = len(reading.vocabulary)
            assert ds.num_classes == (count if is_alone else {"c": count})
    assert ds.vocabulary == known
    if use.on_error == "skip":
        check_rejects(ds, reading, directory)
        check_most(rnd, options, reading, paths, directory)
    check_stats(ds, reading)
    if not len(expected):
        return
    close(stacked(ds, width), expected)
    # The same rows in the same bits from now on.
    rows = stacked(ds, width)
    ids = dict(zip(rows[:, reading.names.index("id")].tolist(), range(len(rows)), strict=True))
    assert len(ids) == len(rows)

    def ids_of(dataset):
        found = stacked(dataset, width)
        at = [ids[one] for one in found[:, reading.names.index("id")].tolist()]
        same(found, rows[at])
        return at

    other = directory / "other"
    elsewhere = table.save(other, [rnd.choice([*COMPRESSIONS])])
    if rnd.random() < 0.3:
        elsewhere = uploaded(elsewhere, directory)
    its_way = way(rnd)
    if use.fill == "mean":
        # Sums are made block by block, and the last bit of a mean tells of it.
        its_way["memory"] = ds._options.memory
    twin = csvfeed.CsvDataset(elsewhere, **options, **its_way)
    same(stacked(twin, width), rows)
    same(stacked(pickle.loads(pickle.dumps(ds)), width), rows)
    shuffled = ds.shuffle(seed=rnd.randint(0, 9))
    assert sorted(ids_of(shuffled)) == list(range(len(rows)))
    by = rnd.choice([None, None, *(one.name for one in table.columns)])
    seed = rnd.randint(0, 9)
    halves = [ids_of(half) for half in ds.split(0.4, seed=seed, by=by)]
    assert sorted(at for half in halves for at in half) == list(range(len(rows)))
    assert all(half == sorted(half) for half in halves)
    assert [ids_of(half) for half in twin.split(0.4, seed=seed, by=by)] == halves
    if by is not None:
        check_keys(reading, by, halves)
    which = rnd.randint(0, 1)
    if halves[which] and rnd.random() < 0.5:
        check_stats(ds.split(0.4, seed=seed, by=by)[which], reading, halves[which])
    shares = [ids_of(ds.shard(index, 2)) for index in range(2)]
    dealt = [at for share in shares for at in share]
    assert len(set(dealt)) == len(dealt)
    assert len({-(-len(share) // batch_size) for share in shares}) == 1
    cached = ds.cache(directory / "cache")
    for _ in range(2):
        same(stacked(cached, width), rows)
    half = ds.split(0.4, seed=seed, by=by)[which]
    listed = [(ds, rows), (shuffled, rows), (cached, rows), (cached.shuffle(seed=3), rows)]
    listed += [(half.shuffle(seed=1), rows[halves[which]]), (ds.shard(1, 2), rows[shares[1]])]
    for made, its_rows in listed:
        check_rows(rnd, made, reading, its_rows)
        check_ids(made, reading, ids_of)
    check_remainder(rnd, paths, options, rows)
    check_chosen(rnd, ds, twin, reading, rows, ids_of)
    check_classes(rnd, rnd.choice([ds, twin, cached]), reading, ids_of, width)
    check_mix(rnd, [ds, shuffled, half, cached], [rows, rows, rows[halves[which]], rows])
    check_distributed(rnd, paths, options, reading, directory)
    if by is not None and rnd.random() < 0.5:
        check_windows(rnd, ds.split(0.4, seed=seed, by=by)[which], reading, rows, halves[which])
    else:
        check_windows(rnd, rnd.choice([twin, cached]), reading, rows, range(len(rows)))
    for made in (ds, shuffled, ds.split(0.4, seed=seed)[0], cached.shuffle(seed=3)):
        check_resumed(rnd, made, width)


def condition(rnd, reading):
    """Return a condition on a column, and a function that tells whether a cell meets it.

    That returns None for a cell that cannot be compared.
    """
    column = rnd.choice(reading.table.columns)
    is_read = column.name in reading.use.read
    is_list = column.kind == "list" or (column.kind == "tags" and is_read)
    if is_list or rnd.random() < 0.2:
        wanted = rnd.choice([csvfeed.PRESENT, csvfeed.ABSENT])
        return column.name, wanted, lambda cell: cell.is_missing == (wanted is csvfeed.ABSENT)
    cells = [row.cells[column.name] for row in reading.kept]
    cells = [one for one in cells if not one.is_missing and not one.is_wrong]
    if not cells:
        return column.name, csvfeed.PRESENT, lambda cell: not cell.is_missing
    kind = column.kind
    is_text = kind in ("category", "text", "tags") or (
        not is_read and (kind in ("form", "duration") or column.format is not None)
    )
    some = [rnd.choice(cells) for _ in range(rnd.randint(1, 3))]
    if is_text:
        words = [one.text for one in some]
        return column.name, words, lambda cell: not cell.is_missing and cell.text in words
    if kind == "boolean":
        value = bool(some[0].value)
        wanted, meets = rnd.choice([value, [value]]), lambda one: bool(one) == value
    else:
        read = np.float32 if is_read and kind != "date" else lambda value: value
        values = sorted(one.value for one in some)
        ends = rnd.choice([(values[0], values[-1]), (values[0], None), (None, values[-1])])

        def meets(one):
            low, high = (None if end is None else read(end) for end in ends)
            return (low is None or low <= read(one)) and (high is None or read(one) <= high)

        wanted = ends
        if rnd.random() < 0.3:
            wanted, meets = values, lambda one: read(one) in [read(value) for value in values]
    return (
        column.name,
        wanted,
        lambda cell: not cell.is_missing and (None if cell.is_wrong else bool(meets(cell.value))),
    )


def check_chosen(rnd, ds, twin, reading, rows, ids_of):
    """Check the rows that meet conditions, and runs of rows."""
    first, count = rnd.randint(0, len(rows)), rnd.randint(1, len(rows))
    run = [*range(len(rows))][first:][:count]
    assert ids_of(ds.skip(first).take(count)) == run
    given = [condition(rnd, reading) for _ in range(rnd.randint(1, 3))]
    made, other = ds, twin
    for name, wanted, _ in given:
        made, other = made.where({name: wanted}), other.where({name: wanted})
    chosen, wrong = [], []
    for at, row in enumerate(reading.kept):
        met = [(meets(row.cells[name]), name) for name, _, meets in given]
        if all(one is not False for one, _ in met):
            unfit = [reading.table.place(name) for one, name in met if one is None]
            (wrong if unfit else chosen).append((at, min(unfit, default=None)))
    chosen = [at for at, _ in chosen]
    if wrong and reading.use.on_error == "raise":
        at, column = wrong[0]
        with pytest.raises(csvfeed.NumberError) as raised:
            made.num_rows  # noqa: B018
        line, offset, _ = reading.kept[at].written[reading.table.columns[column].name]
        assert (raised.value.line, raised.value.byte_offset) == (line, offset)
        assert raised.value.column == column
        return
    assert made.num_rows == len(chosen)
    assert ids_of(made) == chosen
    assert ids_of(other) == chosen
    assert sorted(ids_of(made.shuffle(seed=1))) == chosen
    if reading.use.on_error == "skip":
        assert made.rejects.count == len(reading.rejects) + len(wrong)
    check_rows(rnd, made, reading, rows[chosen])
    if chosen:
        check_stats(made, reading, chosen)
        check_windows(rnd, made, reading, rows, chosen)
        check_resumed(rnd, made.take(count), rows.shape[1])
    # Each step chooses among the rows that the one before it left.
    assert ids_of(made.skip(first)) == chosen[first:]
    inside = [at for at in run if at in chosen]
    lost = {at for at, _ in wrong}
    if not lost & {*run} or reading.use.on_error == "skip":
        of_run = ds.skip(first).take(count)
        for name, wanted, _ in given:
            of_run = of_run.where({name: wanted})
        assert ids_of(of_run) == inside


def check_keys(reading, by, halves):
    """Check that rows of one key are never parted."""
    keys = [{reading.key_of(reading.kept[at], by) for at in half} for half in halves]
    assert not keys[0] & keys[1]


def check_classes(rnd, ds, reading, ids_of, width):
    """Check that what is drawn by class has the numbers that are due."""
    name, seed = rnd.choice([one.name for one in reading.table.columns]), rnd.randint(0, 9)
    cells = [row.cells[name] for row in reading.kept]
    labels = ["" if cell.is_missing else cell.text for cell in cells]
    sizes, every = Counter(labels), list(range(len(labels)))

    def count(rows):
        return Counter(labels[at] for at in rows)

    parts = [ids_of(part) for part in ds.split(0.4, seed=seed, stratify=name)]
    assert sorted(parts[0] + parts[1]) == every
    assert count(parts[1]) == Counter({one: rounded(0.4 * n) for one, n in sizes.items()})
    by = rnd.choice([{}, {"stratify": name}, {"by": name}])
    pairs = ds.folds(3, seed=seed, **by)
    folds = [ids_of(fold) for _, fold in pairs]
    assert sorted(at for fold in folds for at in fold) == every
    chosen = rnd.randint(0, 2)
    assert ids_of(pairs[chosen][0]) == [at for at in every if at not in folds[chosen]]
    if "by" in by:
        check_keys(reading, name, folds[:2])
    else:
        for one in (None, *(sizes if by else ())):
            dealt = [len(fold) if one is None else count(fold)[one] for fold in folds]
            assert max(dealt) - min(dealt) <= 1
    method = rnd.choice(["undersample", "oversample"])
    size = min(sizes.values()) if method == "undersample" else max(sizes.values())
    balanced = ds.balance(name, method=method, seed=seed)
    drawn = ids_of(balanced)
    assert drawn == sorted(drawn)
    assert count(drawn) == dict.fromkeys(sizes, size)
    shuffled = balanced.shuffle(seed=seed)
    assert sorted(ids_of(shuffled)) == drawn
    check_resumed(rnd, shuffled, width)
    check_ids(shuffled, reading, ids_of)
    shares = [at for index in range(2) for at in ids_of(balanced.shard(index, 2))]
    assert not Counter(shares) - Counter(drawn)
    assert len(shares) >= len(drawn) - 1
    check_mix(rnd, [ds, shuffled], [stacked(ds, width), stacked(balanced, width)])


def check_mix(rnd, members, rows):
    """Check that a mix of datasets has the rows of each."""
    if not all(map(len, rows)):
        return
    mixed = csvfeed.mix(members, weights=[len(one) for one in rows], seed=rnd.randint(0, 9))
    expected = np.concatenate(rows)
    assert mixed.num_rows == len(expected)
    assert ordered(stacked(mixed, expected.shape[1])) == ordered(expected)
    check_resumed(rnd, mixed, expected.shape[1])


def check_distributed(rnd, paths, options, reading, directory):
    """Check that the batches of two processes are those of one, whatever else is chosen."""
    lanes = rnd.choice([2, 4])
    even = {"batch_size": lanes * rnd.choice([1, 2, 5]), "remainder": rnd.choice(["drop", "pad"])}
    made = csvfeed.CsvDataset(paths, **{**options, **even}, **way(rnd))
    chosen = rnd.choice(["all", "part", "fold", "run", "rows that meet", "balanced", "windows"])
    name, seed = rnd.choice([one.name for one in reading.table.columns]), rnd.randint(0, 9)
    if chosen == "part":
        made = made.split(0.4, seed=seed, by=rnd.choice([None, name]))[rnd.randint(0, 1)]
    elif chosen == "fold":
        made = made.folds(3, seed=seed, stratify=name)[1][0]
    elif chosen == "run":
        made = made.skip(rnd.randint(0, 9)).take(30)
    elif chosen == "rows that meet":
        made = made.where({name: csvfeed.PRESENT})
    elif chosen == "balanced":
        made = made.balance(name, method=rnd.choice(["undersample", "oversample"]), seed=seed)
    elif chosen == "windows":
        horizon = has_answer(made)
        made = made.windows(rnd.choice([1, 2, 5]), stride=rnd.choice([1, 2]), horizon=horizon)
    if made.num_rows < (1 if even["remainder"] == "pad" else even["batch_size"]):
        return
    width = sum(array.shape[1] for array in [plain(made, made.rows(0, 1))])
    expected = by_place(made, width)
    if rnd.random() < 0.5:
        made = made.shuffle(seed=seed)
    alone = made.distribute(0, 1, lanes=lanes)
    parts = [made.distribute(index, 2, lanes=lanes) for index in range(2)]
    if rnd.random() < 0.3:
        parts = [part.cache(directory / f"part {at}") for at, part in enumerate(parts)]
    epochs = [[plain(alone, batch) for batch in alone] for _ in range(2)]
    for epoch in epochs:
        found = [[plain(part, batch) for batch in part] for part in parts]
        for batch, *pieces in zip(epoch, *found, strict=True):
            same(np.concatenate(pieces), batch)
            assert len(batch) == even["batch_size"]
            assert len(pieces[0]) == len(pieces[1])
    # What is all zeros may be padding.
    found = Counter(ordered(one for one in np.concatenate(epochs[0])[:, :width] if one.any()))
    wanted = Counter(ordered(one for one in expected if one.any()))
    assert not found - wanted
    if even["remainder"] == "pad":
        assert found == wanted
    # One process goes on where two were, in the third epoch.
    passed, batches = rnd.randint(1, len(alone)), iter(parts[1])
    for _ in range(passed):
        next(batches)
    resumed = made.distribute(0, 1, lanes=lanes)
    resumed.load_state_dict(json.loads(json.dumps(parts[1].state_dict())))
    third = [plain(alone, batch) for batch in alone]
    if passed < len(alone):
        for batch, other in zip(resumed, third[passed:], strict=True):
            same(plain(resumed, batch), other)


def has_answer(dataset):
    """Whether the last row of a window would hold the target of that row."""
    return int(not {*dataset.target_names}.isdisjoint(dataset.feature_names))


def check_windows(rnd, dataset, reading, rows, chosen):
    """Check the windows over some rows, in the order of the file and in that of a shuffle."""
    length, stride = rnd.choice([1, 2, 3, 8]), rnd.choice([1, 1, 2, 5])
    horizon = rnd.choice([0, 0, 1, 4]) if dataset.target_names else 0
    horizon = max(horizon, has_answer(dataset))
    by = rnd.choice([None, *(one.name for one in reading.table.columns)])
    runs, last = [], None
    for at in chosen:
        row = reading.kept[at]
        key = None if by is None else reading.key_of(row, by)
        if last != (row.path, row.number - 1, key):
            runs.append([])
        runs[-1].append(at)
        last = row.path, row.number, key
    features = len(dataset.feature_names)
    expected = [
        np.append(
            rows[run[at : at + length], :features], rows[run[at + length - 1 + horizon], features:]
        )
        for run in runs
        for at in range(0, max(0, len(run) - length - horizon + 1), stride)
    ]
    width = length * features + rows.shape[1] - features
    expected = np.array(expected, np.float32).reshape(-1, width)
    made = dataset.windows(length, stride=stride, horizon=horizon, by=by)
    assert made.num_rows == len(expected)
    same(stacked(made, width), expected)

    shuffled = made.shuffle(seed=rnd.randint(0, 9))
    assert ordered(stacked(shuffled, width)) == ordered(expected)
    shares = [made.shard(index, 2) for index in range(2)]
    assert len({len(share) for share in shares}) == 1
    dealt = ordered(np.concatenate([stacked(share, width) for share in shares]))
    assert len(dealt) >= len(expected) - 1
    assert not len(dealt) > len(expected)
    for one in (made, shuffled, shares[0]):
        check_resumed(rnd, one, width)


def ordered(rows):
    """Return rows by what they hold."""
    # Classes that were one-hot are wider numbers.
    return sorted(one.astype(np.float32).tobytes() for one in rows)


def by_place(ds, width, start=0, stop=None):
    """Return rows by their place, each as one array of all its values."""
    found = ds.rows(start, stop)
    return plain(ds, found) if len(found[0]) else np.empty((0, width), np.float32)


def check_rows(rnd, ds, reading, expected):
    """Check that rows by their place are those of the file, in any order of the dataset."""
    if not len(expected):
        return
    start = rnd.randint(0, len(expected) + 1)
    stop = rnd.choice([None, start, start + rnd.randint(0, len(expected) + 1)])
    same(by_place(ds, expected.shape[1], start, stop), expected[start:stop])
    asked = rnd.randint(1, 9)
    head = ds.head(asked)
    assert (head.columns, len(head)) == (reading.names, min(asked, len(expected)))
    for at, found in enumerate(zip(*head, strict=True)):
        # The first code of a feature is 1, the first class is 0.
        first = int(at < len(ds.feature_names))
        read = [reading.vocabulary.index(v) + first if isinstance(v, str) else v for v in found]
        wanted = expected[: len(head), at]
        # Code 0 of a feature shows as missing.
        is_unknown = np.isnan(read) & (wanted == 0)
        same(np.where(is_unknown, 0, np.array(read, np.float32)), wanted)


def check_resumed(rnd, dataset, width):
    if not dataset.num_rows:
        return
    whole = pickle.loads(pickle.dumps(dataset))
    passed = rnd.randint(0, len(whole))
    batches = iter(whole)
    first = [plain(whole, next(batches)) for _ in range(passed)]
    state = json.loads(json.dumps(whole.state_dict()))
    rest = [plain(whole, batch) for batch in batches]
    following = stacked(whole, width)
    resumed = pickle.loads(pickle.dumps(dataset))
    resumed.load_state_dict(state)
    found = [plain(resumed, batch) for batch in resumed]
    if passed < len(whole):
        same(np.concatenate(found), np.concatenate(rest))
        same(stacked(resumed, width), following)
    assert len(first) == passed


def check_ids(made, reading, ids_of):
    """Check that the ids of each row are its own, in the order of the next epoch."""
    if not made.num_rows or not reading.use.ids:
        return
    found, numbers = [], []
    for ids, *batch in made.with_ids():
        assert list(ids) == list(reading.use.ids)
        numbers += plain(made, batch)[:, reading.names.index("id")].tolist()
        found += zip(*(one.tolist() for one in ids.values()), strict=True)
    rows = [reading.kept[at] for at in ids_of(made)]
    assert numbers == [row.number for row in rows]
    assert found == [tuple(reading.id_of(row, name) for name in reading.use.ids) for row in rows]


def check_remainder(rnd, paths, options, rows):
    """Check what becomes of the last rows, in the order of the file and in that of a shuffle."""
    size, width = options["batch_size"], rows.shape[1]
    remainder = rnd.choice(["drop", "pad"])
    ds = csvfeed.CsvDataset(paths, **{**options, "remainder": remainder}, **way(rnd))
    plain = csvfeed.CsvDataset(paths, **options)
    has_weights = remainder == "pad" and bool(options["target"]) and options["weight"] is None
    pairs = [(ds, rows)]
    if ds._options.memory is None:
        pairs.append((ds.shuffle(seed=5), stacked(plain.shuffle(seed=5), width)))
    for made, expected in pairs:
        found = stacked(made, width + has_weights)
        listed = by_place(made, width)
        (close if options["fill"] == "mean" else same)(listed, rows)
        assert len(found) == len(made) * size
        whole = min(len(found), len(rows))
        # The last bit of a mean tells of ``memory``.
        (close if options["fill"] == "mean" else same)(found[:whole, :width], expected[:whole])
        if options["target"]:
            assert (found[whole:, -1] == 0).all()


def check_most(rnd, options, reading, paths, directory):
    """Check that one reject too many is an error in its place."""
    if not reading.rejects:
        return
    allowed = rnd.randint(0, len(reading.rejects))
    ds = csvfeed.CsvDataset(paths, **options, max_rejects=allowed, **way(rnd))
    if allowed == len(reading.rejects):
        assert ds.num_rows == len(reading.kept)
        return
    one = reading.rejects[allowed]
    for ask in (lambda: list(ds), lambda: ds.num_rows, ds.stats, lambda: list(ds.shuffle())):
        with pytest.raises(csvfeed.CsvError) as raised:
            ask()
        error = raised.value
        assert (error.path, error.line) == (str(directory / one.path), one.line)
        assert (error.byte_offset, error.column) == (one.offset, one.column)
    assert ds.rejects.count == len(reading.rejects)


# Small buffers take twenty times as long.
@settings(max_examples=examples(20 if _core.SMALL_BUFFERS else 100))
@given(st.randoms(use_true_random=True))
def test_whatever_is_said_of_a_table_holds_together(tmp_path_factory, rnd):
    try:
        check(rnd, tmp_path_factory.mktemp("tables"))
    finally:
        fsspec.filesystem("memory").store.clear()
