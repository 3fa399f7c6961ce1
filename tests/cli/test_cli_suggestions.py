"""What ``csvfeed inspect`` makes of columns that are not all numbers, and that its code runs."""

import bz2
import glob
import gzip
import json
import lzma
import os
import re
import warnings
import zipfile

import numpy as np
import pytest
from generated import examples
from hypothesis import HealthCheck, given, settings
from inspected import check, check_bytes, tables

from csvfeed import cli

DATA = os.path.join(os.path.dirname(__file__), "..", "data")


@pytest.fixture
def suggested(capsys, write):
    """Inspect a text and run the code: what was found, by column, the code and the batches."""

    def suggested(text, *arguments):
        found_code = cli.main(["inspect", "--json", *arguments, write(text)])
        output = capsys.readouterr()
        assert output.err == ""
        found = json.loads(output.out)
        assert found_code == (3 if found["wrong_rows"]["count"] else 0)
        names = {}
        exec(found["code"], names)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            batches = list(names["ds"])
        columns = {column["name"]: column for column in found["columns"]}
        return columns, found["code"], names["ds"], batches

    return suggested


def table(header, row, rows=200):
    return "\n".join([header, *(row(n) for n in range(rows))]) + "\n"


def test_a_column_without_values_in_the_rows_that_are_left(suggested):
    _, code, ds, ((X, y),) = suggested("a,b,y\n1,,5\n2,,6\n9,4,\n")
    assert ds.feature_names == ["a"]
    assert "fill" not in code
    assert "# left out: b (it has no values in the rows that are read)" in code
    assert X.tolist() == [[1], [2]]
    assert y.tolist() == [5, 6]


@pytest.mark.parametrize("rows", [1, 9, 10, 500])
def test_one_column_of_text(suggested, rows):
    columns, _, ds, _ = suggested(table("name", lambda n: f"Ann{n}", rows))
    assert columns["name"]["kind"] in ("text", "constant")
    assert ds.num_rows == rows


def test_lists_of_numbers(suggested):
    columns, code, ds, ((X, _), *_) = suggested(
        table("label,pixels,use", lambda n: f"{n % 3},{n} 255 {n % 7} 0 13,train", 40), "--target=0"
    )
    assert columns["pixels"]["kind"] == "list"
    assert 'lists={"pixels": csvfeed.List(5)}' in code
    assert ds.feature_names == [f"pixels[{at}]" for at in range(5)]
    assert X[3].tolist() == [3, 255, 3, 0, 13]
    _, code, _, _ = suggested(table("v,y", lambda n: f'"[{n}.5, -1e-3]",{n}'))
    assert 'csvfeed.List(2, separator=",")' in code
    _, code, _, ((_, y), *_) = suggested(table("y,v", lambda n: f"{n},{n} 2 3 4"), "--target=v")
    assert "keras.layers.Dense(4)" in code
    assert y.shape[1:] == (4,)
    # Three numbers may be one thing, and lists of several lengths are none.
    _, code, _, _ = suggested(table("v,y", lambda n: f"{n} 12 7,{n}"))
    assert "lists=" not in code
    _, code, _, _ = suggested(table("v,y", lambda n: f"1 2 3 4{' 5' * (n % 2)},{n}"))
    assert "lists=" not in code


def test_dates_of_which_some_have_a_time(suggested):
    _, code, _, _ = suggested(
        table("when,y", lambda n: f"2024-01-{n % 28 + 1:02}{' 10:30' * (n % 2)},{n % 3}")
    )
    assert '"day"' in code
    assert "hour" not in code
    _, code, _, _ = suggested(table("when,y", lambda n: f"2024-01-{n % 28 + 1:02} 10:30,{n % 3}"))
    assert '"hour"' in code
    # No format reads both.
    columns, code, _, _ = suggested(
        table("when,y,z", lambda n: f"{n % 28 + 1}.1.2024{' 10:30' * (n % 2)},{n % 3},{n % 7}")
    )
    assert "dates=" not in code
    assert "dates of several forms" in columns["when"]["left_out"]


def test_a_day_that_may_be_a_month_is_asked_about(suggested):
    columns, code, _, _ = suggested(
        table("when,y,z", lambda n: f"{n % 12 + 1:02}/{n % 11 + 1:02}/2024,{n % 3},{n % 7}")
    )
    question = 'csvfeed.Date(..., format="%d/%m/%Y" or format="%m/%d/%Y")'
    assert question in columns["when"]["left_out"]
    assert "dates=" not in code
    assert "left out: when (dates that can be read in several ways" in code


def test_a_word_beside_many_numbers_is_a_missing_value(suggested):
    for share in (2, 10, 50):
        columns, code, ds, batches = suggested(
            table("rain,y", lambda n, share=share: f"{n / 4 if n % share else 'T'},{n % 2}")
        )
        assert columns["rain"]["kind"] == "number"
        assert 'missing=[*csvfeed.MISSING, "T"]' in code
        assert f"it stands in {100 // share} % of the rows of 'rain'" in code
        assert "on_error" not in code
        assert sum(len(X) for X, _ in batches) == ds.num_rows == 200


def test_a_name_that_is_also_a_missing_value_stays_a_name(suggested):
    _, code, ds, _ = suggested("-\n-\n" + "0.00\n" * 5)
    assert "header=True" in code
    assert (ds.columns, ds.num_rows) == (["-"], 6)


def test_a_word_beside_few_numbers_is_a_category(suggested):
    columns, code, ds, _ = suggested(
        table("lines,y", lambda n: f"{n % 2 if n % 10 else 'No phone service'},{n % 3}")
    )
    assert columns["lines"]["kind"] == "text"
    assert 'categories={"lines": "auto"}' in code
    assert ds.vocabulary["lines"] == ["0", "1", "No phone service"]
    assert ds.num_rows == 200


def test_a_word_that_is_a_value_elsewhere_is_no_missing_value(suggested):
    columns, code, ds, _ = suggested(
        table("code,state,y", lambda n: f"{n if n % 10 else 'PA'},{('PA', 'NY')[n % 2]},{n % 3}")
    )
    assert "missing=" not in code
    assert columns["code"]["kind"] == "text"
    assert ds.vocabulary["state"] == ["NY", "PA"]


def test_a_word_that_the_sample_does_not_have(suggested, monkeypatch):
    monkeypatch.setattr("csvfeed.cli.findings.SAMPLE_ROWS", 50)
    monkeypatch.setattr("csvfeed.cli.findings.SAMPLE_PLACES", 0)
    columns, code, ds, _ = suggested(
        table("a,y", lambda n: f"{n / 4 if n < 900 or n % 3 else 'lost'},{n % 3}", 1000)
    )
    assert columns["a"]["kind"] == "number"
    assert 'missing=[*csvfeed.MISSING, "lost"]' in code
    assert ds.num_rows == 1000


def test_rows_at_the_end_are_in_the_sample(suggested, monkeypatch):
    monkeypatch.setattr("csvfeed.cli.findings.SAMPLE_ROWS", 50)
    _, code, _, _ = suggested(
        table("a,y", lambda n: f"{n if n < 18_000 else 'word'},{n % 3}", 20_000)
    )
    # How often it is there is known from the sample alone.
    assert re.search(r"'word' is read as missing: it stands in [\d.]+ % of the rows", code)


def test_boolean_with_a_third_word_is_a_category(suggested):
    columns, _, ds, _ = suggested(
        table("online,y", lambda n: f"{('yes', 'no', 'No internet')[n % 3]},{n % 7}")
    )
    assert columns["online"]["kind"] == "text"
    assert ds.num_rows == 200


@pytest.mark.parametrize("token", ["unknown", "-", "#VALUE!"])
def test_signs_for_no_value_are_told(suggested, token):
    _, code, ds, _ = suggested(table("a,y", lambda n: f"{n / 4 if n % 10 else token},{n % 3}"))
    assert "is read as missing: it stands in 10 % of the rows of 'a'" in code
    assert ds.stats()["a"].missing == 20


def test_rows_that_are_lost_are_told(suggested):
    _, code, ds, _ = suggested(table("x,y", lambda n: f"{n / 4},{n % 3}") + "oops,1\n1,2,3\n4\n")
    assert "# 3 rows are wrong and left out, 1.5 % of all:" in code
    assert "#   1 not a number, as in line 202, column 'x'" in code
    assert "#   2 wrong number of fields, as in line 203" in code
    assert ds.num_rows == 200


def test_rows_that_are_wrong_where_nobody_reads_are_not_skipped(suggested):
    text = table("id,a,b,y", lambda n: f"{n},{n % 7},{n % 5},{n % 3}") + "last,1,2,3\n"
    _, code, ds, _ = suggested(text)
    assert "left out: id" in code
    assert "on_error" not in code
    assert ds.num_rows == 201


def test_every_row_is_wrong(capsys, write):
    how = ["--delimiter", ",", "--skip-rows", "0", "--header", "yes"]
    assert cli.main(["inspect", *how, write("a,b\n1,2,3,4\n4,5,6,7\n7,8,9,1\n")]) == 1
    error = capsys.readouterr().err
    assert "ds.rejects" not in error


def test_pixels_are_data(suggested, capsys, write):
    names = ",".join(f"pixel{at}" for at in range(784))
    values = np.random.default_rng(0).integers(0, 256, (60, 784))
    values[:, 0] = np.random.default_rng(1).permutation(60)
    values[:, 1] = np.arange(60)
    text = table(f"label,{names}", lambda n: ",".join([str(n % 10), *map(str, values[n])]), rows=60)
    columns, _, ds, _ = suggested(text, "--target", "label")
    assert not [name for name, column in columns.items() if column["left_out"]]
    assert len(ds.feature_names) == 784
    path = write(text)
    for arguments in (["inspect", path], ["head", path], ["head", "--all", "-n", "2", path]):
        assert cli.main(arguments) == 0
        output = capsys.readouterr().out
        assert max(map(len, output.splitlines())) <= 80
        assert ("more columns: --all shows them" in output) == ("--all" not in arguments)
    assert "pixel400" in output
    assert "pixel783" in output


def test_identifiers_by_their_name_and_by_their_place(suggested):
    order = np.random.default_rng(0).permutation(200)
    columns, _, _, _ = suggested(
        table("row,a,user_id,y", lambda n: f"{n},{n % 7},{order[n]},{n % 3}")
    )
    assert [name for name, column in columns.items() if column["left_out"]] == ["user_id"]
    columns, _, _, _ = suggested(table("row,a,b,y", lambda n: f"{n},{n % 7},{n % 5},{n % 3}"))
    assert [name for name, column in columns.items() if column["left_out"]] == ["row"]
    # What is all there is, is data.
    columns, _, _, _ = suggested(table("x,y", lambda n: f"{order[n]},{order[n]}"))
    assert not [name for name, column in columns.items() if column["left_out"]]


@pytest.mark.parametrize("rows", [200, 200_000])
@pytest.mark.parametrize("first", [900_000_000, 9_000_000_000])
@pytest.mark.parametrize("is_sorted", [True, False])
def test_numbers_of_rows_that_float32_rounds_are_left_out(suggested, rows, first, is_sorted):
    order = np.arange(rows) if is_sorted else np.random.default_rng(0).permutation(rows)
    columns, code, ds, _ = suggested(
        table("a,tx,y", lambda n: f"{n % 7},{first + order[n]},{n % 3}", rows)
    )
    assert "float32 rounds those beyond 16,777,216" in columns["tx"]["left_out"]
    assert "left out: tx (each value is another" in code
    assert ds.feature_names == ["a"]


def test_large_numbers_that_describe_rows_are_data(suggested):
    random = np.random.default_rng(0)
    amounts = random.lognormal(17, 2, 500).astype(int)
    _, _, ds, _ = suggested(
        table(
            "amount,price,area,y",
            # Amounts of all sizes, numbers that float32 has, and some that come again.
            lambda n: f"{amounts[n]},{(n + 300) * 100_000},{900_000_001 + n % 50},{n % 3}",
            500,
        )
    )
    assert ds.feature_names == ["amount", "price", "area"]


# Lines that are no rows


def values(batches):
    """Return all values that some batches hold, features and target, row by row."""
    return [
        row
        for batch in batches
        for row in np.column_stack([part.reshape(len(part), -1) for part in batch]).tolist()
    ]


UNITS = [
    "s,m/s,kg",
    "(s),(m s-1),(kg)",
    "[s],[-],[C]",
    "s,\u00b0C,%",
    "-,degC,hPa",
    "sec,W/m^2,\u00b5g/m3",
]


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_row_of_units_is_left_out_and_told(suggested, units, end):
    text = f"a,b,y\n{units}\n1,2.5,3\n5,6,8\n9,10,1\n4,4,4\n".replace("\n", end)
    _, code, ds, batches = suggested(text)
    assert "skip_rows_after_header=1,  # units: " in code
    assert "on_error" not in code
    assert values(batches) == [[1, 2.5, 3], [5, 6, 8], [9, 10, 1], [4, 4, 4]]
    assert ds.dialect.skip_rows_after_header == 1


@pytest.mark.parametrize(
    "row",
    ["oops,x,y", "T,1,2", "1,kg,3", "m,m,m/s", "Ann,s,kg"],
)
def test_a_first_row_that_is_wrong_is_no_row_of_units(suggested, row):
    # The third has a number, the fourth a text that comes again, the fifth no unit in it.
    again = "m,m,3\n" if row == "m,m,m/s" else ""
    _, code, ds, batches = suggested(
        f"a,b,y\n{row}\n1,2.5,3\n5,6,8\n9,10,1\n4,4,4\n6,1,7\n8,2,2\n{again}"
    )
    assert "skip_rows_after_header" not in code
    rows = sum(len(batch[0]) for batch in batches)
    # Each row is read, or told as wrong.
    assert rows + ds.rejects.count == 7 + bool(again)
    assert ("on_error" in code) == bool(ds.rejects.count)


@pytest.mark.parametrize(
    ("footer", "lines"),
    [
        ("Total,16,20\n", 1),
        ("Total,16,20\n\nSource: WHO\n", 3),
        ("Source: somebody, 2020\n", 1),
        ("Source: somebody,,\n", 1),
        ("4 rows\n", 1),
        ("Notes\nGenerated by a program\n", 2),
        ("(4 records)", 1),
    ],
)
def test_a_footer_is_left_out_and_told(suggested, footer, lines):
    _, code, ds, batches = suggested(f"c,n,y\na,1,2\nb,3,4\nc,5,6\nd,7,8\n{footer}")
    assert f"skip_footer={lines},  # no rows: " in code
    assert "on_error" not in code
    assert values(batches) == [[1, 1, 2], [2, 3, 4], [3, 5, 6], [4, 7, 8]]
    assert ds.vocabulary["c"] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("last", "rows"),
    [
        ("e,9\n", 4),  # Cut off, perhaps.
        ("e\n", 4),
        ("Total,17,20\n", 5),  # It adds nothing up.
        ("Norway,9,1\n", 5),
        ("e,9,1,2\n", 4),
    ],
)
def test_a_last_row_like_others_is_no_footer(suggested, last, rows):
    _, code, ds, _ = suggested(f"c,n,y\na,1,2\nb,3,4\nc,5,6\nd,7,8\n{last}")
    assert "skip_footer" not in code
    assert ds.num_rows == rows
    assert ("on_error" in code) == (rows == 4)


def test_a_note_that_stands_elsewhere_too_is_no_footer(suggested):
    _, code, _, _ = suggested("c,n,y\na,1,2\nSource: x\nb,3,4\nc,5,6\nd,7,8\nSource: x\n")
    assert "skip_footer" not in code
    assert "on_error" in code


def test_edges_of_several_files_are_those_of_each(capsys, tmp_path):
    rows = "1,2\n3,5\n5,1\n7,4\n"
    for first, second, is_clear in [
        (f"a,y\ns,kg\n{rows}4 rows\n", f"a,y\ns,kg\n{rows}4 rows\n", True),
        (f"a,y\ns,kg\n{rows}4 rows\n", f"a,y\n{rows}", False),
    ]:
        paths = [str(tmp_path / name) for name in ("1.csv", "2.csv")]
        for path, text in zip(paths, (first, second), strict=True):
            with open(path, "w") as file:
                file.write(text)
        assert cli.main(["inspect", *paths]) in (0, 3)
        code = capsys.readouterr().out.partition("import csvfeed\n")[2]
        assert ("skip_footer=1" in code and "skip_rows_after_header=1" in code) == is_clear
        names = {}
        exec(f"import csvfeed\n{code}", names)
        assert names["ds"].num_rows == 8


def test_short_rows_are_a_choice_that_is_told(suggested):
    _, code, ds, _ = suggested(table("a,b,y", lambda n: f"{n / 4},{n % 3}{',1' * (n % 10 > 0)}"))
    assert 'too few fields: short_rows="fill" reads those' in code
    assert "short_rows=" not in code.partition(")\n#")[0]
    assert ds.num_rows == 180


def test_spaces_beside_quotes_are_found(suggested):
    text = 'a,"b, c" ,y\r\n1, "3" ,5\r\n2, "4" ,7\r\n9, "2" ,3\r\n'
    _, code, _, batches = suggested(text)
    assert "skip_initial_space=True" in code
    assert "skip_final_space=True" in code
    assert values(batches) == [[1, 3, 5], [2, 4, 7], [9, 2, 3]]


# Numbers and durations of other forms


@pytest.mark.parametrize(
    ("form", "fields", "expected"),
    [
        ("percent", ["12.5%", "-7%", "50%"], [0.125, -0.07, 0.5]),
        ("currency", ["$5", "$7.25", "-$1"], [5, 7.25, -1]),
        ("currency", ["5.00", "(7.25)", "(2)"], [5, -7.25, -2]),
        ("currency", ['"$1,234.50"', "$5.00", '"$2,000,000.00"'], [1234.5, 5, 2e6]),
        ("hex", ["0x1F", "0x2", "0xff"], [31, 2, 255]),
        ("fortran", ["1.5D+03", "2.0D-01", "3D1"], [1500, 0.2, 30]),
        ("msvc", ["1.#INF", "2.5", "-1.#INF"], [np.inf, 2.5, -np.inf]),
    ],
)
def test_numbers_of_a_form_are_read_in_it(suggested, form, fields, expected):
    text = "x,y\n" + "".join(f"{field},{n % 2}\n" for n, field in enumerate(fields * 3))
    columns, code, _, batches = suggested(text)
    assert columns["x"]["kind"] == "number"
    assert f'numbers={{"x": "{form}"}}' in code
    found = [row[0] for row in values(batches)]
    np.testing.assert_array_equal(found, np.array(expected * 3, np.float32))


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.parametrize("other", ["7", "2,5"])
@pytest.mark.parametrize(
    ("fields", "thousands"),
    [
        (["12,50 €", "3,00 €", "0,125 €"], ""),
        (["1.234,56 €", "12,50 €", "2.000 €"], "."),
        (["€ 1.234,56", "€ 12,50", "-€ 1,00"], "."),
        (["1.234,56 EUR", "12,50 EUR", "7,00 EUR"], "."),
        (["$1.234,56", "$12,50", "$-1,00"], "."),
        (["CHF 1'234,56", "CHF 2,50", "CHF 1,00"], "'"),
        (["12,5 %", "7,25 %", "0,5 %"], ""),
    ],
)
def test_the_notation_of_amounts_is_found(capsys, tmp_path, fields, thousands, other, encoding):
    path = tmp_path / "t.csv"
    rows = [f"{field};{n % 7 if n else other};{n % 2}\n" for n, field in enumerate(fields * 50)]
    path.write_text("Betrag;x;y\n" + "".join(rows), encoding=encoding)
    assert cli.main(["inspect", str(path)]) == 0
    code = capsys.readouterr().out.partition("import csvfeed\n")[2]
    names = {}
    exec(f"import csvfeed\n{code}", names)
    usual = [re.sub(r"[^\d,-]", "", field).replace(",", ".") for field in fields]
    X = np.concatenate([X for X, _ in names["ds"]])
    scale = 100 if "%" in fields[0] else 1
    np.testing.assert_allclose(X[:3, 0], [float(text) / scale for text in usual], rtol=1e-6)
    assert "decimal=','" in code or 'decimal=","' in code
    assert ("thousands=" in code) == bool(thousands)


def test_amounts_yield_to_plain_numbers(suggested):
    row = "{};{};{}".format
    text = "a;b;y\n" + "\n".join(
        row(f"{n}.1234", f"{n % 9 + 1}.234,56 €", n % 2) for n in range(40)
    )
    columns, code, _, _ = suggested(text)
    assert columns["a"]["kind"] == "number"
    assert "decimal" not in re.sub("#.*", "", code)
    comment = re.sub(r"\n *# +", " ", code)
    assert "'b' looks like numbers, such as '1.234,56 €', and is read as names" in comment


def test_dots_in_amounts_that_may_separate_thousands_are_asked_about(suggested):
    text = "a;b;y\n" + "".join(f"{n % 9 + 1}.500 €;{n};{n % 2}\n" for n in range(40))
    columns, code, ds, _ = suggested(text)
    assert columns["a"]["left_out"].startswith("a dot in '1.500 €' may separate thousands")
    assert ds.feature_names == ["b"]
    for options, value in ((["--thousands", "."], 1500), (["--decimal", "."], 1.5)):
        _, code, _, batches = suggested(text, *options)
        assert 'numbers={"a": "currency"}' in code
        assert values(batches)[0][0] == value


@pytest.mark.parametrize(
    ("field", "is_told"),
    [
        ("{}.{:02} kg", True),
        ("{}x{}", False),
        ("AB-{}{}", False),
        ("{}{} EU", True),
        ("Ann{} of {}", False),
    ],
)
def test_text_that_looks_like_numbers_is_told(suggested, field, is_told):
    text = table("a,y", lambda n: f"{field.format(n // 2, n // 2)},{n % 2}", 4000)
    _, code, _, _ = suggested(text)
    assert 'categories={"a": ' in code
    assert ("'a' looks like numbers" in code) == is_told


def test_numbers_without_a_value_in_old_c_are_missing(suggested):
    _, code, ds, _ = suggested(table("a,y", lambda n: f"{n / 4 if n % 10 else '-1.#IND'},{n % 3}"))
    assert 'numbers={"a": "msvc"}' in code
    assert ds.stats()["a"].missing == 20


@pytest.mark.parametrize(
    ("fields", "question"),
    [
        (["12.5%", "50", "7%"], 'numbers with and without "%"'),
        (["$5", "5 EUR", "$7"], "amounts in several currencies"),
        (["12:30", "10:20", "01:10"], "hours and minutes, or minutes and seconds"),
    ],
)
def test_numbers_that_may_mean_several_things_are_asked_about(suggested, fields, question):
    text = "x,a,y\n" + "".join(f"{one},{n % 5},{n % 2}\n" for n, one in enumerate(fields * 4))
    columns, code, ds, _ = suggested(text)
    assert columns["x"]["left_out"].startswith(question)
    assert "left out: x (" in code
    assert ds.feature_names == ["a"]


def test_a_slip_is_no_form(suggested):
    _, code, _, _ = suggested(table("a,y", lambda n: f"{n / 4 if n != 7 else '$5'},{n % 3}"))
    assert "numbers=" not in code
    assert "on_error" in code


def tags(n):
    """Some of six words, the same for the same number."""
    return [
        word for at, word in enumerate(["red", "big", "old", "new", "hot", "dry"]) if n >> at & 1
    ]


@pytest.mark.parametrize("separator", ["|", ";", ","])
def test_lists_of_categories_are_told_apart(suggested, separator):
    def row(n):
        return f'"{separator.join(tags(n % 64))}",{n % 5},{n % 2}'

    columns, code, ds, batches = suggested(table("tags,a,y", row, 300))
    assert columns["tags"]["kind"] == "list"
    assert f'lists={{"tags": csvfeed.MultiHot("auto", "{separator}")}}' in code
    assert "categories=" not in code
    assert "fill" not in code
    assert ds.feature_names[0] == "tags.big"
    assert values(batches)[1][:7] == [0, 0, 0, 0, 0, 1, 1]


def test_lists_of_categories_as_a_target_come_with_their_last_layer(suggested):
    text = table(
        "a,tags", lambda n: f"{n % 5},{'|'.join(tags(n % 63 + 1)) if n % 9 else 'NA'}", 300
    )
    _, code, ds, ((_, y), *_) = suggested(text, "--target", "tags")
    assert y.shape[1] == len(ds.target_names) == 6
    assert 'Dense(len(ds.target_names), activation="sigmoid")' in code


@pytest.mark.parametrize(
    "field",
    [
        lambda n: f'"{["Ulm", "Rom", "Bern", "Oslo"][n % 4]}, {["A", "B", "C"][n % 3]}"',
        lambda n: f"{n}|{n + 1}",
        lambda n: ["a|b", "b|a", "c"][n % 3],
        lambda n: f'"So, {n}, it is; well"',
    ],
    ids=["places", "numbers", "few", "sentences"],
)
def test_other_text_with_marks_in_it_is_no_list(suggested, field):
    columns, _, _, _ = suggested(table("a,b,y", lambda n: f"{field(n)},{n % 5},{n % 2}", 300))
    assert columns["a"]["kind"] == "text"


def test_long_values_are_cut(capsys, write):
    long = "so " * 9000
    for text in (
        table("a,y", lambda n: f"{'no' if n else long},{n}"),
        table("a,b,y", lambda n: f"{long},{n % 5},{n}"),
        table("a,y", lambda n: f"{n},{long if n % 2 else 'no'}"),
        table("a,y", lambda n: f"{n % 5 if n else long},{n}"),
        table(f"{long},y", lambda n: f"{n % 5},{'no' if n else 'x'}"),
    ):
        cli.main(["inspect", write(text)])
        output = capsys.readouterr().out
        assert all(len(line) < 200 or "features" in line for line in output.splitlines())
        assert output.count("so so") < 100


def test_durations_are_read_in_seconds(suggested):
    texts = ["125:03:07", "1 days 02:03:04", "00:00:01"]
    columns, code, _, batches = suggested(table("took,y", lambda n: f"{texts[n % 3]},{n % 2}", 9))
    assert columns["took"]["kind"] == "duration"
    assert columns["took"]["max"] == 450187
    assert 'dates={"took": csvfeed.Duration("seconds")}' in code
    assert [row[0] for row in values(batches)] == [450187, 93784, 1] * 3


def test_what_other_files_of_a_table_have_is_a_question(capsys, tmp_path):
    (tmp_path / "1.csv").write_text("x,y\n1,2\n3,5\n")
    (tmp_path / "2.csv").write_text("x,z,y\n1,6,5\n3,1,4\n")
    assert cli.main(["inspect", str(tmp_path / "1.csv"), str(tmp_path / "2.csv")]) == 0
    assert 'columns="union"' in re.sub(r"\n# +", " ", capsys.readouterr().out)
    for year in (2020, 2021):
        (tmp_path / "keyed" / f"year={year}").mkdir(parents=True)
        (tmp_path / "keyed" / f"year={year}" / "1.csv").write_text("x,y\n1,2\n")
    assert cli.main(["inspect", str(tmp_path / "keyed")]) == 1
    assert "partitions=True makes columns of these" in capsys.readouterr().err


def test_the_names_of_rows_in_r(suggested):
    columns, code, _, _ = suggested(table('"","a","y"', lambda n: f'"{n + 1}",{n % 7},{n % 3}'))
    assert columns["column_0"]["left_out"].startswith("a column without a name")
    assert "left out: column_0 (a column without a name: it counts the rows)" in code


@pytest.mark.parametrize("columns", ["40", "60", "80", "120"])
def test_everything_fits_into_the_terminal(capsys, write, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    name = "a name that is longer than anybody would like it to be, and then some more"
    path = write(
        table(
            f'"{name}",big,text,wide,"another, {name}"',
            lambda n: (
                f'{n * 1e30},{-n * 123456789},"some words {n % 9}",\u4e2d\u6587{n % 3},{n % 2}'
            ),
        )
        + "1,2\n"
    )
    for arguments in (["inspect", path], ["inspect", "--all", path], ["head", path]):
        cli.main(arguments)
        output = capsys.readouterr().out.partition("import csvfeed")[0]
        for line in output.splitlines():
            wide = sum("\u4e00" <= character <= "\u9fff" for character in line)
            assert len(line) + wide <= int(columns) or line == path, line


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_files_from_the_standard_input(capsysbinary, monkeypatch, pack, tmp_path):
    content = b"a,b\n" + b"".join(b"%d,x%d\n" % (n, n) for n in range(100_000))
    path = tmp_path / "packed"
    path.write_bytes(pack(content))
    with open(path, "rb") as file:
        monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": file}))
        assert cli.main(["head", "--csv", "-n", "50000", "-"]) == 0
    assert capsysbinary.readouterr().out == content[: content.index(b"50000,")]


def test_zip_and_zstd_files(capsys, tmp_path):
    with zipfile.ZipFile(tmp_path / "1.zip", "w") as archive:
        archive.writestr("x.csv", "a,b\n1,x\n")
    # What zstd makes of these bytes: a frame with one raw block.
    frame = b"\x28\xb5\x2f\xfd\x20\x08\x41\x00\x00a,b\n1,x\n"
    (tmp_path / "2.zst").write_bytes(frame)
    for name in ("1.zip", "2.zst"):
        assert cli.main(["head", str(tmp_path / name)]) == 0
        assert capsys.readouterr().out == "a  b\n1  x\n"
        assert cli.main(["inspect", str(tmp_path / name)]) == 0
        assert "1 row, 2 columns" in capsys.readouterr().out


def test_an_empty_last_column_that_appears_once_bad_rows_are_left_out(tmp_path):
    path = tmp_path / "dates.csv"
    path.write_text('9/30/2001,""\n3/17/1956,""\n9/8/1954\n6/4/1984,""\n12/30/1962,""\n')
    assert check(str(path)) == "read"


@pytest.mark.parametrize("path", sorted(glob.glob(f"{DATA}/*")), ids=os.path.basename)
def test_files_of_other_programs(path):
    check(path)


@settings(max_examples=examples(100), suppress_health_check=list(HealthCheck))
@given(tables())
def test_any_table_is_refused_or_read_by_the_code(content):
    check_bytes(content)
