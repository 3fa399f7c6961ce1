"""The examples of docs/inspect.md print what the page says."""

import re
from pathlib import Path

from csvfeed import cli

PAGE = (Path(__file__).parents[2] / "docs" / "inspect.md").read_text()


def test_the_page_shows_what_is_printed(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    blocks = dict(re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL))
    assert blocks.keys() == {"csv", "console"}
    Path("trips.csv").write_text(blocks["csv"])
    command, _, expected = blocks["console"].partition("\n")
    assert command == "$ csvfeed inspect trips.csv"
    assert cli.main(["inspect", "trips.csv"]) == 3
    printed = re.sub(r"read in \S+ s", "read in 0.01 s", capsys.readouterr().out)
    assert printed == expected
