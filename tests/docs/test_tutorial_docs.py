"""The code in the README and in the tutorial runs as it stands, from first to last."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run_blocks(page, names):
    for code in re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.M | re.S):
        exec(compile(code, str(page), "exec"), names)


def test_the_readme_runs(tmp_path, monkeypatch):
    keras = pytest.importorskip("keras")
    monkeypatch.chdir(tmp_path)

    def your_model():
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(loss="mean_absolute_error", optimizer="adam")
        return model

    rows = "".join(f"{n % 97},{n % 97}\n" for n in range(2000))
    Path("train.csv").write_text(f"x,y\n{rows}")
    names = {"your_model": your_model}
    run_blocks(ROOT / "README.md", names)
    assert names["train"].num_rows + names["held_out"].num_rows == 2000
    assert any(Path("cache").iterdir())


def test_the_tutorial_runs(tmp_path, monkeypatch, capsys):
    pytest.importorskip("keras")
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs" / "tutorial.md"
    run_blocks(page, {})
    printed = capsys.readouterr().out
    for said in ("20000 80", "the power is gone", "line 20002, column 'distance'", "'three'"):
        assert said in printed
    (table,) = re.findall(r"^```text\n(.*?)^```$", page.read_text(), re.M | re.S)
    assert table in printed
