"""``csvfeed count``, ``head`` and ``bench``."""

import gzip
import os
import subprocess
import sys

import pytest

import csvfeed
from csvfeed import cli


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "csvfeed", *arguments],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_count(capsys, write):
    first = write('a,b\n1,"x\ny"\n\n2,z\n', "1.csv")
    second = write(gzip.compress(b"a,b\n3,4\n"), "2.csv.gz")
    assert cli.main(["count", first]) == 0
    assert capsys.readouterr().out == "2\n"
    assert cli.main(["count", first, second]) == 0
    assert capsys.readouterr().out == f"2  {first}\n1  {second}\n3  in all\n"


def test_count_of_the_standard_input():
    done = command("count", "-", input="a;b\n1;2\n3;4\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")


def test_head_is_a_table(capsys, write):
    path = write('name,n,d\n"Rome, IT",1,2.5\nx,-20,NA\n' + "z" * 99 + ",3,4\n")
    assert cli.main(["head", path]) == 0
    assert capsys.readouterr().out == (
        "name                                n    d\n"
        "Rome, IT                            1  2.5\n"
        "x                                 -20   NA\n"
        f"{'z' * 31}…    3    4\n"
    )


def test_head_as_csv_is_a_file_again(capsys, write):
    path = write('name,n\n"a ""b""\nc",1\nx,2\ny,3\n')
    assert cli.main(["head", "--csv", "-n", "2", path]) == 0
    assert capsys.readouterr().out == 'name,n\n"a ""b""\nc",1\nx,2\n'


def test_head_says_what_it_leaves_out(capsys, write):
    assert cli.main(["head", write("a,b,c\n1\n" + 3 * "2,3,4\n")]) == 0
    output = capsys.readouterr()
    assert output.out == "a  b  c\n" + 3 * "2  3  4\n"
    assert output.err == "csvfeed: 1 row has more or fewer fields: left out\n"


@pytest.mark.parametrize("content", ["a;b\n1;2\n", "a\tb\n1\t2\n", "a|b\n1|2\n"])
def test_delimiters_are_found(capsys, write, content):
    path = write(content)
    assert cli.main(["head", path]) == 0
    assert capsys.readouterr().out == "a  b\n1  2\n"
    assert cli.main(["head", "--delimiter", content[1], "--header", "no", path]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "column_0  column_1"


def test_head_of_what_is_written_in_another_way(capsys, write):
    path = write("ort;preis\nK\xf6ln;1.234,5\nUlm;2,5\n".encode("latin-1"))
    assert cli.main(["head", "--encoding", "latin-1", path]) == 0
    assert capsys.readouterr().out == "ort     preis\nK\xf6ln  1.234,5\nUlm       2,5\n"
    path = write("a,b\n\u4e2d,2\n".encode("utf-16"))
    assert cli.main(["head", path]) == 0
    assert capsys.readouterr().out == "a   b\n\u4e2d  2\n"


def test_whoever_reads_the_output_may_go(write):
    path = write("a,b\n" + "1,2\n" * 500_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "csvfeed", "head", "--csv", "-n", "500000", path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141


def test_a_url(capsys):
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").pipe("/box/x.csv.gz", gzip.compress(b"a,b\n1,2\n"))
    assert cli.main(["head", "memory://box/x.csv.gz"]) == 0
    assert capsys.readouterr().out == "a  b\n1  2\n"
    assert cli.main(["count", "memory://box/x.csv.gz"]) == 0
    assert capsys.readouterr().out == "1\n"


def test_bench_compares(capsys, write):
    path = write("n,text,x\n" + "".join(f'{n},"a,b",{n / 4}\n' for n in range(20_000)))
    assert cli.main(["bench", "--rounds", "1", path]) == 0
    header, titles, *lines = capsys.readouterr().out.splitlines()
    assert header.startswith(f"{path}: ")
    assert header.endswith("2 of 3 columns, those of numbers")
    assert titles.split() == ["reader", "seconds", "MB/s", "times", "sums"]
    assert len(lines) == 7
    measured = [line for line in lines if "is not installed" not in line]
    assert len(measured) >= 3
    assert all(line.endswith("the same") for line in measured), "\n".join(lines)


def test_bench_of_a_part(capsys, write):
    path = write("n,x\n" + "".join(f"{n},{n / 4}\n" for n in range(200_000)))
    assert os.path.getsize(path) > 1_000_000
    assert cli.main(["bench", "--rounds", "1", "--mb", "1", path]) == 0
    assert ": the first " in capsys.readouterr().out
    assert cli.main(["bench", write("a,b\nx,y\n")]) == 1
    assert "no column has numbers" in capsys.readouterr().err


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_part_has_whole_rows(write, tmp_path, pack):
    content = b"a,b\n" + b"".join(b'%d,"x\n%d"\n' % (n, n) for n in range(50_000))
    reader = csvfeed.CsvDataset(write(pack(content)), features=[0], target=None)._reader
    copy = tmp_path / "part.csv"
    for most in (1, 100_000, 300_000):
        assert not reader.copy_text(str(copy), most)
        part = copy.read_bytes()
        assert content.startswith(part)
        assert len(part) <= most or part == b"a,b\n"
        assert part.endswith((b'"\n', b"a,b\n"))
        assert part.count(b'"') % 2 == 0
    assert len(part) > 200_000
    assert reader.copy_text(str(copy), len(content))
    assert copy.read_bytes() == content


@pytest.mark.parametrize("name", ["inspect", "head", "count", "bench", "demo"])
def test_each_command_has_help(name):
    done = command(name, "--help")
    assert done.returncode == 0
    assert f"usage: csvfeed {name}" in done.stdout
    assert name in command("--help").stdout


def test_the_help_has_the_exit_codes():
    output = command("--help").stdout
    assert all(f"\n  {code} " in output for code in (0, 1, 2, 3, 130, 141))


@pytest.mark.parametrize(
    "arguments",
    [
        ("head",),
        ("head", "x.csv", "-n", "0"),
        ("count",),
        ("bench", "x.csv", "--mb", "none"),
        ("inspect", "x.csv", "--header", "perhaps"),
    ],
)
def test_mistakes_in_the_arguments(arguments):
    done = command(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: csvfeed")


@pytest.mark.parametrize(
    ("argument", "meant"),
    [
        ("--sep=;", "--delimiter"),
        ("--delimeter=;", "--delimiter"),
        ("--skiprows=1", "--skip-rows"),
        ("--label=y", "--target"),
        ("--no-header", "--header no"),
        ("--nrows=5", None),
        ("-x", None),
    ],
)
def test_an_argument_of_another_name_is_answered(capsys, argument, meant):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["inspect", argument, "x.csv"])
    assert exit_.value.code == 2
    said = capsys.readouterr().err
    assert f"unrecognized arguments: {argument}" in said
    assert ("did you mean" in said) == (meant is not None)
    assert meant is None or said.endswith(f": did you mean {meant}?\n")


@pytest.mark.parametrize("name", ["head", "count", "bench"])
def test_what_is_not_there(capsys, name):
    assert cli.main([name, "/nothing/there.csv"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("csvfeed: error: ")
    assert "/nothing/there.csv" in error


ENDLESS = "import sys; [sys.stdout.write('1,2' + chr(10)) for _ in iter(int, 1)]"


@pytest.mark.parametrize("as_path", [False, True])
def test_head_reads_no_more_than_it_needs(as_path):
    with subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE) as endless:
        file = "/dev/stdin" if as_path else "-"
        done = command("head", "-n", "2", "--header", "no", file, stdin=endless.stdout, timeout=60)
        endless.kill()
    assert done.stdout == "column_0  column_1\n       1         2\n       1         2\n"


def test_head_of_the_standard_input_reads_on_until_it_has_its_rows():
    rows = "".join(f"{n},{'x' * 100}\n" for n in range(5000))
    done = command("head", "--csv", "-n", "4000", "-", input="n,x\n" + rows)
    assert done.stdout.splitlines()[1:] == rows.splitlines()[:4000]
    done = subprocess.run(
        [sys.executable, "-m", "csvfeed", "head", "-"],
        input=gzip.compress(b"a,b\n1,2\n"),
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"a  b\n1  2\n"


def test_a_full_disk_says_where_the_copy_is(capsys, monkeypatch):
    def no_room(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("csvfeed.cli.files.shutil.copyfileobj", no_room)
    assert cli.main(["count", "-"]) == 1
    error = capsys.readouterr().err
    assert "No space left on device" in error
    assert "TMPDIR" in error


def test_directories_and_patterns(capsys, write, tmp_path):
    write("a,b\n1,2\n", "1.csv")
    write("a,b\n3,4\n", "2.csv")
    for file in (str(tmp_path), str(tmp_path / "*.csv")):
        assert cli.main(["head", file]) == 0
        assert capsys.readouterr().out == "a  b\n1  2\n3  4\n"
        assert cli.main(["count", file]) == 0
        assert capsys.readouterr().out == "2\n"
        assert cli.main(["inspect", file]) == 0
        assert "2 rows, 2 columns" in capsys.readouterr().out
        assert cli.main(["bench", "--rounds", "1", file]) == 0
        assert "the first of 2 files" in capsys.readouterr().out


def test_how_a_file_is_written_can_be_said(capsys, write):
    path = write("Report\nof May\nx;y\n1,5;'a;b'\n# so far\n2,5;c\n")
    how = ["--skip-rows", "2", "--comment", "#", "--quote", "'", "--decimal", ","]
    assert cli.main(["head", *how, path]) == 0
    assert capsys.readouterr().out == "  x  y\n1,5  a;b\n2,5  c\n"
    assert cli.main(["count", "--delimiter", ";", *how, path]) == 0
    assert capsys.readouterr().out == "2\n"


def test_text_that_is_not_utf8_is_shown(capsys, write):
    for rest in ("", "Bonn,3,4\n"):
        assert (
            cli.main(
                ["head", "--delimiter", ",", write(f"ort,n\nK\xf6ln,1\n{rest}".encode("latin-1"))]
            )
            == 0
        )
        assert "K\xf6ln  1" in capsys.readouterr().out


def test_a_delimiter_at_the_end_of_each_row(capsys, write):
    assert cli.main(["head", write("x,y\n1,2,\n3,4,\n5,6,\n")]) == 0
    assert capsys.readouterr().out == "x  y\n1  2\n3  4\n5  6\n"
