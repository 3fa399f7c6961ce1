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
from hypothesis import HealthCheck, given, settings
from inspected import check, check_bytes, tables

from csvfeed import cli

DATA = os.path.join(os.path.dirname(__file__), "data")


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


@pytest.mark.parametrize("token", ["\\N", "1.#INF", "-1.#IND", "unknown", "-", "#VALUE!"])
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
    assert cli.main(["inspect", *how, write("a,b\n1,2,3\n4,5,6\n7,8,9\n")]) == 1
    error = capsys.readouterr().err
    assert "ds.rejects" not in error
    assert "line 2" in error


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


@pytest.mark.parametrize("path", sorted(glob.glob(f"{DATA}/*")), ids=os.path.basename)
def test_files_of_other_programs(path):
    check(path)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables())
def test_any_table_is_refused_or_read_by_the_code(content):
    check_bytes(content)
