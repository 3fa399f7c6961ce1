"""The examples of the how-to guides run as they stand, section by section."""

import gzip
import importlib.util
import itertools
import re
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import csvfeed

ROOT = Path(__file__).parents[2]
# The scripts of distributed.md are run by tests/training/test_distributed_scripts.py.
PAGES = ("training", "classification", "many-files", "bad-rows")


def text_of(page):
    return (ROOT / "docs" / f"{page}.md").read_text()


def blocks(text):
    return re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)


SECTIONS = {
    f"{page}: {title}": text
    for page in PAGES
    for title, text in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text_of(page), re.M | re.S)
    if blocks(text)
}


NEEDS = {
    "timeseries_dataset_from_array": "tensorflow",
    "import torch": "torch",
    "to_pandas": "pandas",
}
"""What examples need that not every environment has, by words in them."""


@pytest.fixture
def files(written_files, tmp_path, monkeypatch):
    """Go to a directory with small files such as the page speaks of."""
    shutil.copytree(written_files, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def written_files(tmp_path_factory):
    """Return the directory of which each section gets a copy."""
    directory = tmp_path_factory.mktemp("files")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        write_files()
    return directory


def write_files():
    """Write the files of the longest guide, and those of the others."""
    rng = np.random.default_rng(0)
    for name, header in (("train", "x,y"), ("validation", "x,y"), ("new", "order,x")):
        order = "A-" if name == "new" else ""
        rows = "".join(f"{order}{n},{n}\n" for n in range(5000))
        Path(f"{name}.csv").write_text(f"{header}\n{rows}")
    higgs = rng.normal(size=(6000, 29)).astype(np.float32)
    higgs[:, 0] = rng.integers(0, 2, len(higgs))
    np.savetxt("HIGGS.csv", higgs, fmt="%.18e", delimiter=",")
    rows = (
        f"u{rng.integers(200)},{rng.lognormal():.2f},{rng.integers(24)},"
        f"{rng.integers(1, 4)},{int(rng.random() < 0.1)}\n"
        for _ in range(3000)
    )
    Path("payments.csv").write_text("user,amount,hour,importance,fraud\n" + "".join(rows))
    rows = (
        ",".join(f"{size:.1f}" for size in rng.normal(n % 3, size=4))
        + f",{('setosa', 'versicolor', 'virginica')[n % 3]}\n"
        for n in range(300)
    )
    Path("flowers.csv").write_text("a,b,c,d,species\n" + "".join(rows))
    rows = (f"{n % 2}.5,{rng.normal():.2f},{('ham', 'spam')[n % 2]}\n" for n in range(300))
    Path("spam.csv").write_text("capitals,links,kind\n" + "".join(rows))
    rows = (f"{rng.normal():.3f},{'' if n % 7 else 1e4 + n},{n % 2}\n" for n in range(1000))
    Path("sensors.csv").write_text("vibration,pressure,failure\n" + "".join(rows))
    rows = (
        f"m{n // 100},{rng.normal():.3f},{n % 10},{20 + n % 100 / 10:.1f}\n" for n in range(2000)
    )
    Path("machines.csv").write_text("machine,vibration,load,heat\n" + "".join(rows))
    rows = (
        f"{rng.choice(['north', 'south', ''])},2024-03-{rng.integers(1, 32):02} "
        f"{rng.integers(24):02}:00:00,{rng.choice(['yes', 'no'])},{rng.lognormal():.1f},{n % 9}\n"
        for n in range(1000)
    )
    Path("trips.csv").write_text("zone,pickup,shared,miles,fare\n" + "".join(rows))
    rows = (
        f"{rng.integers(20)},{rng.integers(200_000) if n % 9 else ''},{rng.lognormal(9):.0f},"
        f"{('no', 'yes')[n % 2]},{('limousine', 'van', 'coupe')[n % 3]}\n"
        for n in range(1000)
    )
    Path("cars.csv").write_text("age,miles,price,sold,body\n" + "".join(rows))
    rows = (
        f"{n % 7},{' '.join(map(str, rng.integers(0, 256, 48 * 48)))},{rng.integers(90)},Training\n"
        for n in range(150)
    )
    Path("fer2013.csv").write_text("emotion,pixels,age,Usage\n" + "".join(rows))
    names = ",".join(f"pixel{at}" for at in range(784))
    rows = (f"{n % 10},{','.join(map(str, rng.integers(0, 256, 784)))}\n" for n in range(200))
    Path("mnist_train.csv").write_text(f"label,{names}\n" + "".join(rows))
    write_files_of_other_guides()


def write_files_of_other_guides():
    """Write the labels, the many files and the bad rows that the shorter guides speak of."""
    rows = (f"{n},{('no', 'yes')[n % 2]}\n" for n in range(100))
    Path("alarms.csv").write_text("level,alarm\n" + "".join(rows))
    rows = (f"{n % 5},{n % 7},{n % 2},{n % 3 == 0:d}\n" for n in range(300))
    Path("news.csv").write_text("goals,prices,sport,money\n" + "".join(rows))
    rows = (
        f"{n % 5},{n % 7},{('sport|money', 'money', '[]', 'sport')[n % 4]}\n" for n in range(300)
    )
    Path("stories.csv").write_text("goals,prices,about\n" + "".join(rows))
    rows = "".join(f"{n},{2 * n}\n" for n in range(100))
    for directory in ("logs", "plant"):
        Path(directory).mkdir()
    Path("logs/2024-01.csv").write_text(f"x,y\n{rows}")
    Path("logs/2024-02.csv.gz").write_bytes(gzip.compress(f"x,y\n{rows}".encode()))
    Path("plant/2024-01.csv").write_text(f"heat,y\n{rows}")
    rows = "".join(f"{n},{2 * n},{n}\n" for n in range(100))
    Path("plant/2024-02.csv").write_text(f"heat,pressure,y\n{rows}")
    rows = "".join(f"{n},{9 * n}\n" for n in range(50))
    for partition in itertools.product((2023, 2024), ("DE", "FR")):
        directory = Path("sales/year={}/country={}".format(*partition))
        directory.mkdir(parents=True)
        (directory / "part-00000.csv").write_text(f"items,revenue\n{rows}")
    Path("sales/_SUCCESS").touch()
    (orders,) = re.findall(r"^```text\n(items.*?)^```$", text_of("bad-rows"), re.M | re.S)
    Path("orders.csv").write_text(orders)


@pytest.mark.filterwarnings("ignore:.* left out:RuntimeWarning")
@pytest.mark.parametrize("section", SECTIONS)
def test_the_examples_run(section, files, capsys):
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mean_absolute_error", optimizer="adam")
    names = {"csvfeed": csvfeed, "keras": keras, "model": model}
    codes = blocks(SECTIONS[section])
    for words, package in NEEDS.items():
        if importlib.util.find_spec(package) is None:
            codes = [code for code in codes if words not in code]
    for code in codes:
        exec(compile(code, section, "exec"), names)
    printed = capsys.readouterr().out.splitlines()
    for promised in re.findall(r"^ *print\(.*\)  # (.+)$", "".join(codes), re.M):
        assert promised in printed
    if "predictions.csv" in SECTIONS[section]:
        header, *lines = (files / "predictions.csv").read_text().splitlines()
        assert header == "order,prediction"
        orders, predictions = zip(*(line.split(",") for line in lines), strict=True)
        assert orders == tuple(f"A-{n}" for n in range(5000))
        slope, bias = (value.numpy().item() for value in model.weights)
        np.testing.assert_allclose(
            np.array(predictions, float), slope * np.arange(5000) + bias, rtol=1e-4
        )


@pytest.mark.parametrize("page", PAGES)
def test_a_page_begins_with_the_imports_that_its_examples_share(page):
    opening = text_of(page).partition("\n## ")[0]
    assert blocks(opening) == ["import csvfeed\nimport keras\n"]


def test_the_example_of_higgs_times_text_and_cache(tmp_path, monkeypatch, capsys):
    pytest.importorskip("keras")
    monkeypatch.chdir(tmp_path)
    script = str(ROOT / "examples" / "higgs.py")
    monkeypatch.setattr(sys, "argv", [script, "--rows", "3000", "--epochs", "2"])
    runpy.run_path(script, run_name="__main__")
    head, *lines = capsys.readouterr().out.splitlines()
    assert "3,000 rows" in head
    ways = [tuple(re.findall(r"\w+", line)[:2]) for line in lines]
    assert ways == [("read", "text"), ("read", "cache"), ("fit", "text"), ("fit", "cache")]
    assert [line.count(" s") for line in lines] == [2, 2, 2, 2]
