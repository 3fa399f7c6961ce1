import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import csvfeed
from csvfeed import cli
from csvfeed.demo.files import _count_digits, write_training_file, write_validation_file


def run(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "csvfeed", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Run the demo where its training file is there already."""
    directory = tmp_path_factory.mktemp("demo")
    write_training_file(directory / "xy.csv", 20_000, verbose=0)
    done = run("demo", "--rows", "20000", "--no-keep", "--directory", ".", cwd=directory)
    assert (done.returncode, done.stderr) == (0, "")
    return directory, done.stdout


def test_demo_trains_on_every_row_and_its_loss_falls(demo):
    _, output = demo
    assert output.count("80/80 - ") == 2
    before, after_one, after_two = (
        float(loss)
        for loss in re.search(r"validation loss +(\S+) -> (\S+) -> (\S+)", output).groups()
    )
    assert before > 5 * after_one > 10 * after_two
    first, second = (float(loss) for loss in re.findall(r" loss: (\S+)", output))
    assert first > 5 * second


def test_demo_ends_with_what_it_cost(demo):
    _, output = demo
    fast, slow = (
        int(re.search(rf"{reader} +([\d,]+) rows/s", output)[1].replace(",", ""))
        for reader in ("csvfeed", "pure Python")
    )
    assert fast > slow > 0
    for line in (
        r"from the file +\d+\.\d\d ms",
        r"from memory +\d+\.\d\d ms",
        r"waiting for data +\d+\.\d %",
        r"reading alone +\d+ MiB",
        r"the whole demo +\d+ MiB",
    ):
        assert re.search(line, output), line


def test_demo_uses_its_file_again_and_leaves_a_picture(demo):
    directory, output = demo
    assert "xy.csv is there already" in output
    assert [path.name for path in directory.iterdir()] == ["loss.png"]
    picture = (directory / "loss.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(picture) > 10_000


def test_demo_writes_each_number_once(tmp_path):
    write_training_file(tmp_path / "xy.csv", 20_000, verbose=0)
    x, y = np.loadtxt(tmp_path / "xy.csv", delimiter=",", skiprows=1, unpack=True)
    np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(np.sort(x), np.arange(20000))
    assert abs(x[:250].mean() - 10000) < 200
    write_validation_file(tmp_path / "validation.csv", 20_000)
    x, y = np.loadtxt(tmp_path / "validation.csv", delimiter=",", skiprows=1, unpack=True)
    np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(x, np.arange(25.5, 20000, 50))


@pytest.mark.parametrize("rows", [1, 2, 10, 11, 100, 101, 12345])
def test_size_of_the_file_is_known_before_it_is_written(rows):
    assert _count_digits(rows) == sum(len(str(n)) for n in range(rows))


def test_ctrl_c_ends_the_demo_and_leaves_no_partial_file(tmp_path):
    arguments = ("demo", "--rows", "50,000,000", "--directory", str(tmp_path))
    process = subprocess.Popen(
        [sys.executable, "-m", "csvfeed", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "xy.csv.partial").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert stderr.strip() == "csvfeed: interrupted"
    assert list(tmp_path.iterdir()) == []


def test_version_and_help():
    version = run("--version")
    assert (version.returncode, version.stdout) == (0, f"csvfeed {csvfeed.__version__}\n")
    top = run("--help")
    assert top.returncode == 0
    assert all(
        name in top.stdout for name in ("inspect", "head", "count", "predict", "bench", "demo")
    )
    demo = run("demo", "--help")
    assert demo.returncode == 0
    for option in ("--rows", "--epochs", "--batch-size", "--directory", "--no-keep"):
        assert option in demo.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("train",),
        ("demo", "--rows", "0"),
        ("demo", "--rows", "-5"),
        ("demo", "--rows", "many"),
        ("demo", "--rows", "4999"),
        ("demo", "--rows", "999", "--batch-size", "1"),
        ("demo", "--epochs", "1.5"),
    ],
)
def test_mistakes_in_the_arguments_exit_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)
    assert exit_.value.code == 2
    assert "usage: csvfeed" in capsys.readouterr().err


def test_a_directory_that_cannot_be_made_is_a_line_and_not_a_traceback(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert cli.main(["demo", "--rows", "20000", "--directory", str(tmp_path / "file")]) == 1
    stderr = capsys.readouterr().err
    assert stderr.startswith("csvfeed: error: ")
    assert stderr.count("\n") == 1


def test_missing_packages_are_named_before_any_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cli.demo, "PACKAGES", ("tensorflow", "no_such_package"))
    assert cli.main(["demo", "--rows", "20000", "--directory", str(tmp_path / "new")]) == 1
    message = "the demo needs no_such_package: pip install 'csvfeed[demo]'"
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_importing_the_command_loads_nothing_heavy():
    code = (
        "import sys, csvfeed.cli, csvfeed.demo;"
        "print({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
