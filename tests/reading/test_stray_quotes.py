"""A stray quote opens a field that swallows rows up to the next quote."""

import random

import pytest

import csvfeed

HEAD = "id,name,v,y\n"


def rows_of(count, start=0):
    return [f"{n},n{n % 7},{n / 4},{n % 2}\n" for n in range(start, start + count)]


def stray(count, before=40, after=40):
    """Return a file with a stray quote in line 42, which another closes `count` lines later."""
    rows = rows_of(before + count + after)
    rows[before] = f'{before},"n,1,0\n'
    rows[before + count] = f'{before + count},x",1,0\n'
    return HEAD + "".join(rows)


OPTIONS = {"target": "y", "features": ["id", "v"]}


@pytest.mark.parametrize("count", [12, 100, 2000])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"on_error": "skip"},
        {"features": ["v", "name"], "categories": {"name": ["n1"]}},
        {"features": ["id", "name"], "categories": {"name": "auto"}},
        {"features": ["id", "name"], "categories": {"name": 10}},
    ],
    ids=str,
)
@pytest.mark.parametrize("is_shuffled", [False, True], ids=["in order", "shuffled"])
def test_rows_in_a_quoted_field_are_an_error(count, options, is_shuffled):
    ds = csvfeed.CsvDataset(stray(count).encode(), **{**OPTIONS, **options})
    with pytest.raises(
        csvfeed.QuoteError, match=rf"column 'name' .*spans {count + 1} lines, .*quote=None"
    ) as caught:
        list(ds.shuffle(seed=1) if is_shuffled else ds)
    assert (caught.value.line, caught.value.column) == (42, 1)


def test_rows_before_it_are_yielded():
    batches = iter(csvfeed.CsvDataset(stray(500).encode(), batch_size=10, **OPTIONS))
    assert sum(len(next(batches)[0]) for _ in range(4)) == 40
    with pytest.raises(csvfeed.QuoteError):
        next(batches)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "closing", ['{n},x",1\n', '{n},x"" y",1,0,5,6\n', '{n},"x",1,0\n'], ids=["few", "many", "text"]
)
def test_skipping_wrong_rows_leaves_out_no_right_ones(line_end, closing):
    rows = rows_of(100)
    rows[20], rows[60] = '20,"n,1,0\n', closing.format(n=60)
    content = (HEAD + "".join(rows)).replace("\n", line_end)
    with pytest.raises(csvfeed.QuoteError, match='on_error="skip"') as caught:
        list(csvfeed.CsvDataset(content.encode(), on_error="skip", **OPTIONS))
    assert caught.value.line == 22


def test_a_file_without_numbers_takes_more_rows():
    def read(count):
        rows = [f"{'abcd'[n % 4]},{'efg'[n % 3]},{'hi'[n % 2]}\n" for n in range(200)]
        rows[20], rows[20 + count] = 'a,"e,h\n', 'a,e",h\n'
        kinds = dict.fromkeys("xyz", 5)
        return len(
            csvfeed.CsvDataset(
                ("x,y,z\n" + "".join(rows)).encode(), target="z", categories=kinds
            ).rows()[0]
        )

    assert read(20) == 180
    with pytest.raises(csvfeed.QuoteError):
        read(100)


LEGAL = {
    "prose": "The room was clean, and quiet.\nWe had, in all, three nights,\nand liked it.\n" * 9,
    "one comma each": "1 cup, sifted\n2 eggs, beaten\n1 lemon, peeled\n" * 9,
    "three commas each": "milk, eggs, flour, salt\n" * 60,
    "no commas": "12\n" * 60,
    "other numbers": "1,2\n3,4\n" * 60,
    "blank lines": "\n" * 60,
    "few rows": "1,a,2,3\n" * 8,
    "doubled quotes": 'He said, ""no"", and left, again.\n' * 20,
}


@pytest.mark.parametrize("text", LEGAL.values(), ids=LEGAL)
@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_legal_texts_of_many_lines_are_read(text, on_error, line_end):
    rows = rows_of(60)
    for at in (0, 7, 8, 59):
        rows[at] = f'{at},"{text}",1,0\n'
    content = (HEAD + "".join(rows)).replace("\n", line_end)
    ds = csvfeed.CsvDataset(content.encode(), on_error=on_error, **OPTIONS)
    assert sum(len(X) for X, _ in ds) == 60


@pytest.mark.parametrize("columns", [2, 3, 4])
def test_made_up_reviews_are_read(columns):
    random.seed(columns)
    words = ["good", "bad", "room,", "1", "2,", "it", "was", "3.5,", "\n", "very,\n", "5\n"]
    head = ",".join(f"c{n}" for n in range(columns)) + "\n"
    rows = []
    for n in range(400):
        text = " ".join(random.choices(words, k=random.randint(1, 300)))
        rows.append(f'{n},"{text}"' + ",1" * (columns - 2) + "\n")
    ds = csvfeed.CsvDataset((head + "".join(rows)).encode(), features=["c0"], target=None)
    assert sum(len(X) for (X,) in ds) == 400
