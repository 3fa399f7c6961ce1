"""Text in another encoding than the dataset says is an error wherever its words count."""

import pytest

import csvfeed

CITIES = ["München", "Köln", "Bonn"]
HEAD = "n,city,y\n"
ROWS = "".join(f"{n},Bonn,{n % 2}\n" for n in range(300))
WAYS = {
    "list": {"categories": {"city": CITIES}},
    "buckets": {"categories": {"city": 100}},
    "found": {"categories": {"city": "auto"}},
    "multi-hot": {"lists": {"city": csvfeed.MultiHot(CITIES)}},
    "target": {
        "categories": {"city": CITIES},
        "target": "city",
        "features": ["n"],
        "missing_target": "skip",
    },
    "where": {"features": ["n"]},
}
#: Fields that are not UTF-8: short, long, quoted, in a list.
FIELDS = [
    "München",
    "Bad Kötzting am Weißen Regen",
    '"Bad ""Kötzting"""',
    "Bonn|Köln",
    "[Bonn|Köln]",
    "é",
]


def dataset(content, way, **options):
    ds = csvfeed.CsvDataset(content, **{"target": "y", **WAYS[way], **options})
    return ds.where({"city": ["München", "Bonn"]}) if way == "where" else ds


def values(ds):
    return [row for X, *_ in ds for row in X.tolist()]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("is_shuffled", [False, True], ids=["in order", "shuffled"])
def test_text_that_is_not_utf8_is_an_error(way, field, on_error, is_shuffled):
    content = f"{HEAD}{ROWS}1,{field},1\n{ROWS}1,{field},1\n".encode("latin-1")
    ds = dataset(content, way, on_error=on_error)
    with pytest.raises(csvfeed.EncodingError, match=r"not UTF-8: .*encoding=") as caught:
        list(ds.shuffle(seed=1) if is_shuffled else ds)
    assert caught.value.column == 1
    assert "column 'city'" in str(caught.value)
    is_any = is_shuffled and caught.value.line == 603
    assert is_any or caught.value.line == 302


@pytest.mark.parametrize("way", ["list", "buckets", "multi-hot", "target"])
def test_rows_before_the_error_are_yielded_and_a_row_wrong_otherwise_is_left_out(way):
    content = f"{HEAD}{ROWS}x,Köln,1\n{ROWS}1,Köln,1\n{ROWS}".encode("latin-1")
    batches = iter(dataset(content, way, on_error="skip", batch_size=50))
    seen = sum(len(next(batches)[0]) for _ in range(12))
    with pytest.raises(csvfeed.EncodingError) as caught:
        next(batches)
    assert (seen, caught.value.line) == (600, 603)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("way", WAYS)
def test_the_same_text_is_read_once_the_encoding_is_right(way, field):
    if way == "target":
        field = "Köln"
    text = f"{HEAD}{ROWS}1,{field},1\n1,Köln,1\n{ROWS}"
    utf8 = values(dataset(text.encode(), way))
    assert utf8 == values(dataset(text.encode("latin-1"), way, encoding="latin-1"))
    met = ROWS.count("\n") * 2 + (field in CITIES[:1])
    assert len(utf8) == (met if way == "where" else text.count("\n") - 1)
    if way == "list":
        assert utf8[301][1] == 2


@pytest.mark.parametrize("way", ["list", "buckets", "multi-hot"])
def test_rows_that_are_not_chosen_may_have_any_text(way):
    content = f"{HEAD}{ROWS}999,Köln,1\n".encode("latin-1")
    ds = dataset(content, way)
    assert len(values(ds.where({"n": (None, 500)}))) == 300
    with pytest.raises(csvfeed.EncodingError):
        values(ds.where({"n": (None, 1000)}))


def test_conditions_look_only_at_rows_that_other_conditions_leave():
    content = f"{HEAD}{ROWS}999,Köln,1\n".encode("latin-1")
    ds = csvfeed.CsvDataset(content, features=["n"], target="y")
    assert len(values(ds.where({"city": ["Bonn"], "n": (None, 500)}))) == 300
    with pytest.raises(csvfeed.EncodingError, match="line 302, column 'city'"):
        values(ds.where({"city": ["Bonn"]}))


def test_missing_text_counts_first():
    content = f"{HEAD}1,\xff,1\n".encode("latin-1")
    for way in ("list", "buckets", "multi-hot"):
        with pytest.raises(csvfeed.EncodingError):
            values(dataset(content, way, missing=["\xff"]))
        assert len(values(dataset(content, way, missing=["\xff"], encoding="latin-1"))) == 1
