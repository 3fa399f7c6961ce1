import gzip
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import csvfeed
from csvfeed import cli
from csvfeed.cli import findings

ROWS = 500
NAMES = "id,comment,city,age,price,active,when,flag,same,empty,label"


def row(n):
    city = ("London", '"Rome, IT"', "Paris")[n % 3]
    comment = f"this is what customer {n} had to say about it"
    age = "" if n % 10 == 0 else n % 90
    flag = ("1", "2", "-")[n % 3]
    active = ("yes", "no")[n % 2]
    when = f"2020-{n % 12 + 1:02}-{n % 28 + 1:02}"
    return f"{n},{comment},{city},{age},{n / 8},{active},{when},{flag},x,,{n % 2}"


TABLE = "\n".join([NAMES, *map(row, range(ROWS))]) + "\n"


def inspect(capsys, *arguments):
    """Return the exit code and what was printed."""
    code = cli.main(["inspect", *map(str, arguments)])
    output = capsys.readouterr()
    assert output.err == ""
    return code, output.out


def as_json(capsys, *arguments):
    code, output = inspect(capsys, "--json", *arguments)
    found = json.loads(output)
    found["by_name"] = {column["name"]: column for column in found["columns"]}
    return code, found


def run(code):
    """Run the code that is to be pasted and return its dataset."""
    names = {}
    exec(code, names)
    return names["ds"]


def test_what_is_in_a_file(capsys, write):
    code, found = as_json(capsys, write(TABLE))
    assert code == 0
    assert found["rows"] == ROWS
    assert found["bytes"] == len(TABLE)
    assert found["dialect"]["delimiter"] == ","
    columns = found["by_name"]
    kinds = {name: column["kind"] for name, column in columns.items()}
    assert kinds == {
        "id": "integer",
        "comment": "text",
        "city": "text",
        "age": "integer",
        "price": "number",
        "active": "boolean",
        "when": "date",
        "flag": "integer",
        "same": "constant",
        "empty": "empty",
        "label": "integer",
    }
    assert columns["age"]["missing"] == ROWS // 10
    assert columns["flag"]["missing"] == len(range(2, ROWS, 3))
    assert columns["price"]["mean"] == pytest.approx((ROWS - 1) / 16)
    assert sum(columns["price"]["histogram"]) == ROWS
    assert columns["label"]["histogram"] == [ROWS // 2, ROWS // 2]
    assert columns["active"]["mean"] == pytest.approx(0.5)
    assert (columns["when"]["min"], columns["when"]["max"]) == ("2020-01-01", "2020-12-28")
    assert columns["city"]["distinct"] == 3
    assert columns["city"]["values"][0] == ["London", 167]
    assert [name for name, column in columns.items() if column["left_out"]] == [
        "id",
        "comment",
        "same",
        "empty",
    ]


def test_the_code_runs(capsys, write):
    path = write(TABLE)
    _, output = inspect(capsys, path)
    code = output[output.index("import csvfeed") :]
    ds = run(code)
    assert ds.target_names == ["label"]
    assert "# the last column" in code
    assert ds.num_rows == ROWS
    assert ds.vocabulary["city"] == ["London", "Paris", "Rome, IT"]
    X, y = next(iter(ds))
    assert not np.isnan(X).any()
    assert set(y) == {0, 1}


@pytest.mark.parametrize("target", ["price", "4", "city"])
def test_a_target_that_is_asked_for(capsys, write, target):
    _, output = inspect(capsys, "--target", target, write(TABLE))
    code = output[output.index("import csvfeed") :]
    ds = run(code)
    assert ds.target_names == ["price" if target == "4" else target]
    assert "--target names" not in code
    assert next(iter(ds))[1].shape == (256,)


FILES = [
    "excel.csv",
    "excel_german.csv",
    "higgs.csv",
    "pandas.csv",
    "postgres.csv",
    "r.csv",
    "readings.tsv",
    "reviews.csv",
    "savetxt.txt",
    "sensors.csv",
    "ties.csv",
]


@pytest.mark.parametrize("name", FILES)
def test_the_code_for_files_of_other_programs_runs(capsys, name):
    path = os.path.join(os.path.dirname(__file__), "..", "data", name)
    code, found = as_json(capsys, path)
    assert code == 0
    ds = run(found["code"])
    rows = sum(len(batch[0]) for batch in ds)
    skipped = sum(column["missing"] for column in found["columns"][-1:])
    assert rows == found["rows"] - (skipped if "missing_target" in found["code"] else 0)


@pytest.mark.parametrize(
    "header",
    ["a,a,b", 'it\'s,"say ""so""",y', "back\\slash,\u00fcber,y", "class,import,def"],
)
def test_the_code_runs_whatever_the_names(capsys, write, header):
    _, found = as_json(capsys, write(f"{header}\n1,x,0\n2,y,1\n4,x,0\n"))
    assert len(next(iter(run(found["code"])))) == 2


def test_the_numbers_are_those_of_numpy(capsys, write):
    values = np.random.default_rng(0).normal(size=(3000, 4)).astype(np.float32)
    text = io.StringIO()
    np.savetxt(text, values, delimiter=",", fmt="%.9g")
    _, found = as_json(capsys, write(text.getvalue()))
    for column, expected in zip(found["columns"], values.T, strict=True):
        assert column["min"] == expected.min()
        assert column["max"] == expected.max()
        assert column["mean"] == pytest.approx(expected.mean(dtype=np.float64))
        bins = np.histogram(expected, 16, (expected.min(), expected.max()))[0]
        assert column["histogram"] == bins.tolist()


def test_rows_that_are_wrong(capsys, write):
    lines = TABLE.splitlines()
    lines[41] = lines[41].replace(",x,", ",")
    lines[44] = lines[44].rpartition(",")[0] + ",oops"
    path = write("\n".join(lines))
    code, output = inspect(capsys, path)
    assert code == 3
    assert "2 rows are wrong" in output
    assert "line 42: " in output
    assert "line 45, column 'label': 'oops': not a number" in output
    assert 'on_error="skip"' in output
    code, found = as_json(capsys, path)
    assert code == 3
    assert found["rows"] == ROWS - 2
    assert [one["line"] for one in found["wrong_rows"]["first"]] == [42, 45]
    with pytest.warns(RuntimeWarning):
        assert sum(len(X) for X, _ in run(found["code"])) == ROWS - 2


def test_a_column_that_turns_out_to_be_text(capsys, write, monkeypatch):
    monkeypatch.setattr(findings, "SAMPLE_ROWS", 20)
    lines = [f"{n if n < 50 else 'word'},{n % 5}" for n in range(1000)]
    code, found = as_json(capsys, write("\n".join(["a,y", *lines])))
    assert code == 0
    assert found["by_name"]["a"]["kind"] == "text"
    assert found["rows"] == 1000
    assert next(iter(run(found["code"])))[0].shape == (256, 1)


def test_what_is_of_the_first_rows_says_so(capsys, write, monkeypatch):
    monkeypatch.setattr(findings, "SAMPLE_ROWS", 200)
    _, output = inspect(capsys, write(TABLE))
    assert "are those of the first 200 rows" in output
    monkeypatch.setattr(findings, "SAMPLE_ROWS", 2000)
    _, output = inspect(capsys, write(TABLE))
    assert "are those of" not in output


def test_many_values_go_into_buckets(capsys, write, monkeypatch):
    monkeypatch.setattr("csvfeed.cli.findings.MOST_CATEGORIES", 10)
    monkeypatch.setattr("csvfeed.cli.suggestion.MOST_CATEGORIES", 10)
    lines = [f"word{n % 100},{n % 5}" for n in range(1000)]
    _, found = as_json(capsys, write("\n".join(["a,y", *lines])))
    assert 'categories={"a": 256}' in found["code"]
    assert next(iter(run(found["code"])))[0].max() <= 256


def test_several_files_are_one_table(capsys, write):
    first, second = write("x,y\n1,2\n", "1.csv"), write("y,x\n4,3\n", "2.csv")
    _, found = as_json(capsys, first, second)
    assert found["rows"] == 2
    assert found["by_name"]["x"]["max"] == 3
    ((X, y),) = run(found["code"])
    assert X.ravel().tolist() == [1, 3]
    assert y.tolist() == [2, 4]


def test_compressed_files(capsys, write):
    _, found = as_json(capsys, write(gzip.compress(TABLE.encode()), "x.csv.gz"))
    assert found["rows"] == ROWS
    assert run(found["code"]).num_rows == ROWS


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "csvfeed", *arguments], capture_output=True, check=False, **options
    )


def test_the_standard_input():
    done = command("inspect", "-", input=TABLE.encode())
    assert done.returncode == 0
    output = done.stdout.decode()
    assert output.startswith("<stdin>\n")
    assert "sys.stdin.buffer" in output


def test_plain_text_where_nobody_sees_colours(write):
    path = write(TABLE)
    done = command("inspect", path)
    assert b"\033" not in done.stdout + done.stderr
    done = command("inspect", path, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert done.stdout.isascii()


def test_colours_only_on_a_terminal_that_has_them(write):
    path = write(TABLE)
    for more, has_colours in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        ours, theirs = os.openpty()
        environment = {**os.environ, "TERM": "xterm", **more}
        environment.pop("NO_COLOR", None) if not more else None
        process = subprocess.Popen(
            [sys.executable, "-m", "csvfeed", "inspect", path], stdout=theirs, env=environment
        )
        os.close(theirs)
        output = b""
        try:
            while chunk := os.read(ours, 1 << 16):
                output += chunk
        except OSError:
            pass  # How a terminal ends.
        assert process.wait() == 0
        assert (b"\033[1m" in output) == has_colours


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "empty"), (b"a,b\n", "no rows")],
)
def test_files_with_nothing_in_them(write, content, message):
    done = command("inspect", write(content))
    assert done.returncode == 1
    assert done.stderr.startswith(b"csvfeed: error: ")
    assert done.stderr.count(b"\n") == 1
    assert message in done.stderr.decode()


def test_what_cannot_be(capsys, write):
    assert cli.main(["inspect", "/nothing/there.csv"]) == 1
    assert "there.csv" in capsys.readouterr().err
    assert cli.main(["inspect", write(TABLE), "--target", "nope"]) == 1
    assert "there is no column 'nope', only id, comment, " in capsys.readouterr().err
    with pytest.raises(SystemExit) as exit_:
        cli.main(["inspect"])
    assert exit_.value.code == 2


def test_rejects_are_what_the_dataset_says(capsys, write):
    path = write("x,y\n1,2\n3\n4,5,6\n7,8\n")
    _, found = as_json(capsys, "--delimiter", ",", path)
    rejects = csvfeed.CsvDataset(path, on_error="skip").rejects
    assert found["wrong_rows"]["count"] == rejects.count == 2
    assert found["wrong_rows"]["by_kind"] == rejects.by_kind


def test_a_row_that_is_too_long_is_one_wrong_row(capsys, write):
    lines = ["x;y", *(f"{n % 7};0,{n + 100}" for n in range(500))]
    lines[100] += ";9"
    for before in ([], ["Report"]):
        code, found = as_json(capsys, write("\n".join([*before, *lines])))
        assert code == 3
        assert list(found["by_name"]) == ["x", "y"]
        assert found["dialect"]["decimal"] == ","
        assert found["rows"] == 499
        with pytest.warns(RuntimeWarning):
            assert sum(len(X) for X, _ in run(found["code"])) == 499


@pytest.mark.parametrize(
    ("content", "target"),
    [
        ("x;y\n1,5;2\n", "y"),
        ("x,y\n1,2\n1,2\n", "y"),
        ("x,when\n1,2020-01-01\n2,2020-02-01\n", "x"),
    ],
)
def test_the_code_runs_for_constants_and_dates(capsys, write, content, target):
    _, found = as_json(capsys, write(content))
    ds = run(found["code"])
    assert ds.target_names == [target]
    assert len(ds.feature_names) in (1, 4)
    assert len(next(iter(ds))) == 2


def test_identifiers_are_left_out(capsys, write):
    order = np.random.default_rng(0).permutation(100)
    lines = [f"{100_000 + n},{n % 9},{n % 2}" for n in order]
    _, found = as_json(capsys, write("\n".join(["id,a,y", *lines])))
    assert found["by_name"]["id"]["left_out"] == "each value is another: an identifier?"
    assert run(found["code"]).feature_names == ["a"]
    assert run(as_json(capsys, "--target", "id", write("id,a\n7,1\n9,2\n"))[1]["code"])


@pytest.mark.parametrize(
    ("dates", "form"),
    [
        (["31.12.2024", "1.2.2023"], "%d.%m.%Y"),
        (["07/31/2024", "01/02/2023"], "%m/%d/%Y"),
        (["31/07/2024", "01/02/2023"], "%d/%m/%Y"),
        (["31.12.2024 10:00", "01.02.2023 11:30"], "%d.%m.%Y %H:%M"),
        (["01/02/2023", "03/04/2024"], None),
    ],
)
def test_dates_in_other_ways(capsys, write, dates, form):
    lines = [f"{dates[n % 2]},{n % 3},{n % 2}" for n in range(20)]
    _, found = as_json(capsys, write("\n".join(["when,a,y", *lines])))
    kind = found["by_name"]["when"]["kind"]
    assert kind == "date"
    if not form:
        # Nobody knows which is the month, so it is asked.
        assert 'format="%d/%m/%Y" or format="%m/%d/%Y"' in found["by_name"]["when"]["left_out"]
        assert "dates=" not in found["code"]
    else:
        assert f'format="{form}"' in found["code"]
        assert found["by_name"]["when"]["max"].startswith("2024-")
    assert next(iter(run(found["code"])))[0].shape[0] == 20


def test_a_category_that_occurs_once_stands_out(capsys, write):
    kinds = ["cat"] * 30 + ["dgo"] + ["dog"] * 30
    _, found = as_json(capsys, write("x,kind\n" + "".join(f"1.5,{kind}\n" for kind in kinds)))
    assert "'dgo' occurs once in 'kind': is it a spelling mistake?" in found["code"]
    kinds = ["cat"] * 30 + ["dgo", "cow", "emu", "ape"] + ["dog"] * 30
    _, found = as_json(capsys, write("x,kind\n" + "".join(f"1.5,{kind}\n" for kind in kinds)))
    assert "spelling" not in found["code"]


def test_a_target_of_classes_comes_with_its_last_layer(capsys, write):
    kinds = ["cat", "dog", "cow"]
    lines = "".join(f"{n / 8},{kinds[n % 3]},{kinds[n % 2]},{n % 2 > 0}\n" for n in range(60))
    path = write("x,kind,two,true\n" + lines)
    _, found = as_json(capsys, "--target", "kind", path)
    assert 'Dense(ds.num_classes, activation="softmax")' in found["code"]
    assert 'loss="sparse_categorical_crossentropy"' in found["code"]
    assert "(ds.classes names its 3 classes)" in found["code"]
    ds = run(found["code"])
    assert ds.num_classes == 3
    assert set(next(iter(ds))[1]) == {0, 1, 2}
    _, found = as_json(capsys, "--target", "two", path)
    assert "(1 is 'dog')" in found["code"]
    assert 'Dense(1, activation="sigmoid")' in found["code"]
    assert 'loss="binary_crossentropy"' in found["code"]
    assert set(next(iter(run(found["code"])))[1]) == {0, 1}
    _, found = as_json(capsys, "--target", "true", path)
    assert "(1 is true)" in found["code"]
    assert 'Dense(1, activation="sigmoid")' in found["code"]
    assert 'loss="binary_crossentropy"' in found["code"]
    _, found = as_json(capsys, "--target", "x", path)
    assert "layers.Dense(1)" in found["code"]
    assert 'loss="mse"' in found["code"]
    assert "softmax" not in found["code"]


def test_whole_numbers_from_0_may_be_classes(capsys, write):
    path = write("x,bit,digit\n" + "".join(f"{n / 8},{n % 2},{n % 10}\n" for n in range(60)))
    _, found = as_json(capsys, "--target", "bit", path)
    assert 'Dense(1, activation="sigmoid")' in found["code"]
    assert 'loss="binary_crossentropy"' in found["code"]
    assert "mse" not in found["code"]
    _, found = as_json(capsys, "--target", "digit", path)
    assert 'loss="mse"' in found["code"]
    assert "or, if its numbers from 0 to 9 are classes:" in found["code"]
    assert 'Dense(10, activation="softmax")' in found["code"]


def test_a_rare_class_beyond_the_sample_counts(capsys, write):
    lines = [f"{n / 8},{'cat' if n % 2 else 'dog'}" for n in range(90_000)]
    lines[40_001] = "1.5,cow"
    _, found = as_json(capsys, write("\n".join(["x,kind", *lines]) + "\n"))
    assert "(ds.classes names its 3 classes)" in found["code"]
