"""One pass finds where rows are and which categories columns have, whoever asks first."""

import csv
import gzip
import io
import itertools
import pickle

import pytest
from conftest import SMALL
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import csvfeed

ROWS = 50_000
TEXT = "name,x,y\n" + "".join(f"k{n % 97},{n},{n % 3}\n" for n in range(ROWS))
NAMES = sorted(f"k{n}" for n in range(97))
AUTO = {"categories": {"name": "auto"}}
numbers = itertools.count()


class Counted(io.BytesIO):
    """A file that counts the bytes that are read.

    Its text is that of no other, so that nothing is remembered of it. csvfeed reads it once to know
    it again.
    """

    def __init__(self, text, pack=bytes):
        own = f"\nk0,0,{next(numbers)}\n"
        super().__init__(pack(text.replace("\nk0,0,0\n", own, 1).encode()))
        self.size = len(self.getvalue())
        self.count = 0

    def read(self, size=-1):
        found = super().read(size)
        self.count += len(found)
        return found

    def readinto(self, buffer):
        size = super().readinto(buffer)
        self.count += size
        return size


def read_by(files, call):
    """Return what a call returns, and how often it reads the files."""
    before = sum(file.count for file in files)
    found = call()
    return found, (sum(file.count for file in files) - before) / sum(file.size for file in files)


ASKS = {
    "vocabulary": lambda ds: ds.vocabulary,
    "len": len,
    "rejects": lambda ds: ds.rejects.count,
    "num_codes": lambda ds: ds.num_codes,
}


@pytest.mark.parametrize("first", ASKS)
@pytest.mark.parametrize(
    ("pack", "options"),
    [
        ("plain", {}),
        ("plain", {"on_error": "skip"}),
        ("plain", {"missing_target": "skip"}),
        ("plain", {"threads": 1, "memory": SMALL}),
        ("gzip", {}),
        ("gzip", {"on_error": "skip"}),
        ("parts", {}),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:.*left out")
def test_whoever_asks_first_reads_the_file_for_all(first, pack, options):
    if first == "rejects" and "on_error" not in options:
        pytest.skip("no row is left out")
    text = TEXT
    if "on_error" in options:
        text = text.replace("\nk1,98,", "\nwrong,x98,").replace("\nk2,99,", "\nwrong,99,9,")
    if pack == "parts":
        half = text.index("\n", len(text) // 2) + 1
        files = [Counted(text[:half]), Counted("name,x,y\n" + text[half:])]
    else:
        files = [Counted(text, gzip.compress if pack == "gzip" else bytes)]
    ds = csvfeed.CsvDataset(files if pack == "parts" else files[0], **AUTO, **options)
    _, passes = read_by(files, lambda: ASKS[first](ds))
    # The line numbers of rejects take the text before them.
    assert 1.99 < passes < 2.8
    for name, ask in ASKS.items():
        _, passes = read_by(files, lambda ask=ask: ask(ds))
        assert passes == 0 or (name == "rejects" and passes < 0.8)
    rejected = 2 if "on_error" in options else 0
    assert ds.vocabulary == {"name": NAMES}
    assert (ds.num_rows, ds.rejects.count) == (ROWS - rejected, rejected)


@pytest.mark.parametrize("first", [None, "len", "vocabulary"])
def test_a_shuffled_epoch_reads_the_file_twice(first):
    file = Counted(TEXT)
    ds = csvfeed.CsvDataset(file, **AUTO, batch_size=ROWS).shuffle(seed=1)

    def epoch():
        if first is not None:
            ASKS[first](ds)
        return next(iter(ds))

    (X, _), passes = read_by([file], epoch)
    assert 2.99 < passes < 3.3
    found = sorted((int(x), NAMES[int(code) - 1]) for code, x in X)
    assert found == [(n, f"k{n % 97}") for n in range(ROWS)]


def test_parts_and_shards_and_copies_know_what_was_found(tmp_path):
    file = Counted(TEXT)
    ds = csvfeed.CsvDataset(file, **AUTO)
    assert ds.num_rows == ROWS
    for part in (*ds.split(0.1, seed=0), ds.shard(0, 2)):
        assert read_by([file], lambda part=part: (len(part), part.vocabulary))[1] == 0
    # What counting finds goes along to other processes.
    path = tmp_path / "data.csv"
    path.write_text(TEXT)
    ds = csvfeed.CsvDataset(path, **AUTO)
    len(ds)
    assert pickle.loads(pickle.dumps(ds))._reader.found_vocabularies() == [(0, NAMES)]


def refused(call):
    with pytest.raises(csvfeed.CsvError) as caught:
        call()
    error = caught.value
    return type(error), str(error), error.line, error.column, error.byte_offset, error.text


def fresh(text, **options):
    """Return a dataset whose text no other has, so that nothing is remembered of it."""
    text = text.replace(b"a,1,", b"a,%07d," % next(numbers), 1)
    return csvfeed.CsvDataset(io.BytesIO(text), **AUTO, **options)


BAD = b"name,x,y\n" + b"a,1,2\n" * 50
ONLY_THE_VOCABULARY = {
    "not UTF-8": BAD + b"\xff,1,2\n",
    "fields": BAD + b"b,1\n",
    "space before a quote": BAD + b' "b",1,2\n',
}


@pytest.mark.parametrize("rest", [b"", b"a,1,2\n" * 5000], ids=["last", "first"])
@pytest.mark.parametrize("what", ONLY_THE_VOCABULARY)
def test_what_counting_does_not_mind_is_an_error_for_the_vocabulary_alone(what, rest):
    text = ONLY_THE_VOCABULARY[what] + rest
    rows = text.count(b"\n") - 1
    one, other = fresh(text), fresh(text)
    alone = refused(lambda: one.vocabulary)
    assert one.num_rows == rows
    assert other.num_rows == rows
    for ds in (one, other):
        for call in (lambda ds=ds: ds.vocabulary, lambda ds=ds: list(ds.shuffle(seed=1))):
            assert refused(call) == alone
    assert alone[2] == 52
    assert not other._reader.found_vocabularies()


@pytest.mark.parametrize(
    ("options", "row", "words"),
    [
        ({"missing_target": "skip"}, b"b,1,x\n", "not a number"),
        ({"on_error": "skip", "max_rejects": 0}, b"b,1,x\n", "not a number"),
    ],
)
def test_what_the_vocabulary_does_not_mind_is_an_error_for_counting_alone(options, row, words):
    text = BAD + row + b"c,1,2\n" * 5000
    one, other = fresh(text, **options), fresh(text, **options)
    names = ["a", "c"] if "on_error" in options else ["a", "b", "c"]
    alone = refused(lambda: len(one))
    assert words in alone[1]
    assert one.vocabulary == {"name": names}
    assert other.vocabulary == {"name": names}
    for ds in (one, other):
        assert refused(lambda ds=ds: len(ds)) == alone


def test_an_unclosed_quote_is_an_error_for_both():
    text = BAD + b'"a,1,2\n' + b"a,1,2\n" * 5000
    one, other = fresh(text), fresh(text)
    assert refused(lambda: one.vocabulary) == refused(lambda: len(one))
    assert refused(lambda: len(other)) == refused(lambda: other.vocabulary)


field = st.sampled_from(["a", "b", " c ", "", "NA", '"d"', '"e,\n"', '"f""g"', "h" * 20])
number = st.sampled_from(["1", "2.5", "", '"3"', "x", "1,1"])


@given(
    rows=st.lists(st.tuples(field, number, st.sampled_from(["\n", "\r\n", "\n\n"])), max_size=60),
    counts_first=st.booleans(),
    threads=st.integers(1, 3),
    memory=st.sampled_from([None, SMALL]),
    shuffled=st.booleans(),
)
@settings(max_examples=examples(100))
@pytest.mark.filterwarnings("ignore:.*left out")
def test_categories_and_rows_are_those_that_python_finds(
    rows, counts_first, threads, memory, shuffled
):
    text = "name,x,y\na,1,1\n" + "".join(f"{name},{x},1{end}" for name, x, end in rows)
    options = {"target": None, "on_error": "skip", "threads": threads, "memory": memory}
    ds = fresh(text.encode(), **options)
    kept = []
    for name, x, _, *more in filter(None, csv.reader(io.StringIO(text, newline=""))):
        if not more and x not in ("x", "name"):
            kept.append(name.strip(" "))
    names = sorted({*kept} - {"", "NA"})
    if counts_first:
        assert ds.num_rows == len(kept)
    assert ds.vocabulary == {"name": names}
    assert ds.num_rows == len(kept)
    codes = {name: code for code, name in enumerate(names, 1)}
    found = [int(code) for (X,) in (ds.shuffle(seed=1) if shuffled else ds) for code, *_ in X]
    expected = [codes.get(name, 0) for name in kept]
    assert sorted(found) == sorted(expected)
    assert shuffled or found == expected
