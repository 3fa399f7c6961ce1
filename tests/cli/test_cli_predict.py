"""``csvfeed predict``: a file through a saved model, as CSV."""

import csv
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import wait_until

from csvfeed import cli

keras = pytest.importorskip("keras")

ROWS = 50
IDS = ["A-1", "B, C", 'say "x"', "two\nlines", "é"]


def id_of(number):
    return f"{IDS[number % len(IDS)]} {number}"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Save some models whose predictions are known."""
    directory = tmp_path_factory.mktemp("models")
    inputs = keras.Input((2,))
    by_name = {name: keras.Input((1,), name=name) for name in ("b", "a")}
    ones = keras.layers.Dense(1, kernel_initializer="ones")
    flat = keras.layers.Reshape((2, 1))
    made = {
        "sum": keras.Model(inputs, ones(inputs)),
        "both": keras.Model(inputs, {"total": ones(inputs), "pair": flat(inputs)}),
        "list": keras.Model(
            inputs,
            [
                keras.layers.Dense(1, kernel_initializer="ones", name="first")(inputs),
                keras.layers.Rescaling(2.0, name="second")(inputs),
            ],
        ),
        "dated": keras.Model(
            dated := {name: keras.Input((1,), name=name) for name in ("a", "when.month")},
            keras.layers.Add()([*dated.values()]),
        ),
        "named": keras.Model(by_name, keras.layers.Subtract()([by_name["a"], by_name["b"]])),
        "windows": keras.Sequential([keras.Input((4, 2)), keras.layers.Flatten()]),
    }
    for name, model in made.items():
        model.save(directory / f"{name}.keras")
    return directory


@pytest.fixture
def table(write):
    lines = (
        '"{}",{},{},{}\n'.format(id_of(n).replace('"', '""'), n, n / 10, -n) for n in range(ROWS)
    )
    return write("id,a,b,y\n" + "".join(lines))


def rows_of(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def predict(models, model, *arguments):
    return cli.main(["predict", str(models / f"{model}.keras"), *map(str, arguments)])


def failed(capsys, *arguments):
    assert predict(*arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("csvfeed: error: ")
    assert "Traceback" not in error
    return error


def test_ids_and_predictions_are_written(models, table, tmp_path):
    out = tmp_path / "out.csv"
    options = ("--ids", "id", "--target", "y", "--out", out, "--batch-size", 16)
    assert predict(models, "sum", table, *options) == 0
    header, *rows = rows_of(out.read_text(encoding="utf-8"))
    assert header == ["id", "prediction"]
    assert [row[0] for row in rows] == [id_of(number) for number in range(ROWS)]
    expected = np.arange(ROWS) + np.arange(ROWS) / 10
    np.testing.assert_allclose([float(row[1]) for row in rows], expected, rtol=1e-6)
    # The shortest number that means the same float32.
    assert rows[1][1] == "1.1"
    assert sorted(os.listdir(tmp_path)) == ["out.csv", "table.csv"]


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("both", ["total", "pair.0.0", "pair.1.0"]),
        ("list", ["first", "second.0", "second.1"]),
        ("named", ["prediction"]),
    ],
)
def test_each_number_of_each_output_has_a_column(models, table, capsys, model, names):
    options = () if model == "named" else ("--features", "a", 2)
    assert predict(models, model, table, *options, "--ids", 0, "a", "--out", "-") == 0
    header, *rows = rows_of(capsys.readouterr().out)
    assert header == ["id", "a", *names]
    values = np.array([list(map(float, row[2:])) for row in rows])
    a, b = np.arange(ROWS), np.arange(ROWS) / 10
    expected = {
        "both": [a + b, a, b],
        "list": [a + b, 2 * a, 2 * b],
        "named": [a - b],
    }[model]
    by_name = dict(zip(header[2:], values.T, strict=True))
    for name, column in zip(names, expected, strict=True):
        np.testing.assert_allclose(by_name[name], column, rtol=1e-5)


def test_missing_features_are_filled(models, capsys, write):
    path = write("a;b\n1;2\n-;3\n")
    assert predict(models, "sum", path, "--missing", "-", "--fill", 5, "--out", "-") == 0
    assert capsys.readouterr().out == "prediction\n3.0\n8.0\n"


def test_predictions_that_are_no_numbers_are_counted(models, capsys, write, tmp_path):
    path, out = write("a,b\n1,2\n,3\n4,\n5,6\n,\n"), tmp_path / "out.csv"
    for model in ("sum", "both"):
        assert predict(models, model, path, "--out", out, "--batch-size", 2) == 0
        error = capsys.readouterr().err
        assert "3 of 5 rows have a prediction that is NaN: --fill " in error
    assert out.read_text().count("nan") > 3
    assert predict(models, "sum", path, "--fill", 0, "--out", out) == 0
    assert "NaN" not in capsys.readouterr().err
    # No value is missing.
    path = write("a,b\ninf,-inf\n1,\n")
    assert predict(models, "sum", path, "--fill", 0, "--out", out) == 0
    assert "csvfeed: 1 of 2 rows has a prediction that is NaN\n" in capsys.readouterr().err
    path = write("a,b\n1,2\n,3\n")
    assert predict(models, "sum", path, "--out", "-") == 0
    assert "1 of 2 rows has a prediction that is NaN" in capsys.readouterr().err


def test_the_features_that_a_model_got_are_said_unless_they_were_given(models, write, capsys):
    path = write("b,a\n1,2\n3,4\n")
    assert predict(models, "sum", path, "--out", "-") == 0
    assert "the model got the features b, a, in this order" in capsys.readouterr().err
    assert predict(models, "sum", path, "--features", "a", "b", "--out", "-") == 0
    assert capsys.readouterr().err == ""


def test_names_in_one_word_are_to_be_separated_by_spaces(models, table, capsys):
    error = failed(capsys, models, "sum", table, "--features", "a,b", "--out", "-")
    assert "no column of that name: separate the names by spaces, as in --features a b" in error
    error = failed(capsys, models, "sum", table, "--features", "a, b", "--out", "-")
    assert "separate the names by spaces" in error
    error = failed(capsys, models, "sum", table, "--features", "a,nope", "--out", "-")
    assert "separate" not in error


def test_a_model_of_dates_or_text_is_sent_to_python(models, table, capsys):
    error = failed(capsys, models, "dated", table, "--out", "-")
    assert "the model asks for column 'when.month', and there is no column of that name" in error
    assert "ds.predictions(model, as_dict=True)" in error
    assert "dates= or categories=" in error


def test_a_file_with_other_features_is_refused_before_the_first_batch(
    models, table, capsys, tmp_path
):
    out = tmp_path / "out.csv"
    error = failed(capsys, models, "sum", table, "--ids", "id", "--out", out)
    assert "sum.keras takes 2 features, and 3 columns of " in error
    assert "--features names those of the training" in error
    error = failed(capsys, models, "windows", table, "--ids", "id", "--out", out)
    assert "(None, 4, 2)" in error
    error = failed(capsys, models, "named", table, "--header", "no", "--out", out)
    assert "the model asks for column" in error
    error = failed(capsys, models, "sum", table, "--ids", "nope", "--out", out)
    assert (
        "--ids asks for column 'nope', and there is no column of that name: the columns are id"
        in error
    )
    assert not out.exists()


def test_nothing_that_is_read_is_overwritten(models, table, capsys, tmp_path):
    link = tmp_path / "link.csv"
    link.symlink_to(table)
    model = models / "sum.keras"
    for out in (table, link, model):
        assert "is a file that is read" in failed(capsys, models, "sum", table, "--out", out)
    assert "No such file or directory" in failed(capsys, models, "none", table, "--out", "x.csv")
    (models / "wrong.keras").write_bytes(b"no model")
    error = failed(capsys, models, "wrong", table, "--out", "x.csv")
    assert "wrong.keras: Keras cannot load it" in error


def test_a_wrong_row_leaves_the_file_as_it_was(models, capsys, tmp_path, write):
    path = write("a,b\n" + "1,2\n" * 3000 + "x,2\n")
    out = tmp_path / "out.csv"
    out.write_text("before")
    error = failed(capsys, models, "sum", path, "--out", out, "--batch-size", 8)
    assert "line 3002, column 'a'" in error
    assert out.read_text() == "before"
    assert sorted(os.listdir(tmp_path)) == ["out.csv", "table.csv"]


def test_ctrl_c_leaves_no_half_file(models, tmp_path):
    out = tmp_path / "out.csv"
    # A model that takes its time.
    script = (
        "import time, csvfeed.cli.predict\n"
        "from csvfeed.command import run\n"
        "class Model:\n"
        "    def predict_on_batch(self, X):\n"
        "        time.sleep(0.2)\n"
        "        return X\n"
        "csvfeed.cli.predict._load = lambda path: Model()\n"
        "run()\n"
    )
    table = tmp_path / "table.csv"
    table.write_text("a,b\n" + "1,2\n" * 5000)
    model = str(models / "sum.keras")
    command = [sys.executable, "-c", script, "predict", model, str(table), "--out", str(out)]
    process = subprocess.Popen([*command, "--batch-size", "1"], stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: any(Path(tmp_path).glob("out.csv.*")))
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == -signal.SIGINT
    assert error == "\ncsvfeed: interrupted\n"
    assert not list(tmp_path.glob("out*"))


def test_the_output_may_be_a_device(models, table):
    assert predict(models, "sum", table, "--features", "a", "b", "--out", "/dev/null") == 0
    assert not Path("/dev/null").is_file()
