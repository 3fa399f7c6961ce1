"""The files of the corpus: `csvfeed inspect` gets each right, or asks."""

import json
import warnings

import numpy as np
import pytest
from corpus import FILES, attempt, comparable, is_among_choices

import csvfeed
from csvfeed import cli
from csvfeed.cli.findings import find
from csvfeed.cli.snippet import snippet
from csvfeed.cli.suggestion import suggest
from csvfeed.dialect import sniff

LETTERS = {"empty": "-", "constant": "c", "boolean": "b", "date": "d", "duration": "u", "text": "t"}


def letter(column):
    """Return the letter of the corpus for what a column is found to be."""
    if column.is_numeric:
        return "f" if column.form else "n"
    return LETTERS[column.kind]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_inspect_gets_a_file_right_or_asks(file, write):
    path = write(file.content)
    found = attempt(find, [path], {})
    if isinstance(found, csvfeed.DialectError):
        assert is_among_choices(found, file)
        return
    if isinstance(found, csvfeed.CsvError):
        assert "no rows after it" in str(found)
        assert not file.rows
        return
    assert "".join(map(letter, found.columns)) == file.kinds
    assert (found.rows, found.rejects.count) == (file.rows, file.bad)
    dialect = {**found.sample.dialect.options, **found.reading}
    assert comparable(dialect, file) == comparable(file.options, file)
    suggestion = suggest(found, None)
    code = snippet([path], suggestion)
    names = {}
    exec(code, names)
    assert ("on_error" in suggestion.options) == bool(file.bad)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        rows = sum(len(batch[0]) for batch in names["ds"])
        kept = csvfeed.CsvDataset(path, **{**suggestion.options, "missing_target": "keep"})
        without_target = sum(int(np.isnan(batch[-1]).sum()) for batch in kept)
        assert sum(len(batch[0]) for batch in kept) == file.rows
    assert rows == file.rows - (without_target if "missing_target" in suggestion.options else 0)


FLAGS = {
    "header": lambda value: "yes" if value else "no",
    "quote": lambda value: value or "none",
    "skip_rows": str,
}


def test_each_question_can_be_answered_on_the_command_line(capsys, write):
    asked = [
        file for file in FILES if isinstance(attempt(sniff, file.content), csvfeed.DialectError)
    ]
    assert asked
    for file in asked:
        answers = [
            f"--{name.replace('_', '-')}={FLAGS.get(name, str)(value)}"
            for name, value in file.written.items()
        ]
        path = write(file.content)
        assert cli.main(["inspect", "--json", *answers, path]) == 0, (
            file.name,
            capsys.readouterr(),
        )
        found = json.loads(capsys.readouterr().out)
        assert (found["rows"], len(found["columns"])) == (file.rows, len(file.kinds))
