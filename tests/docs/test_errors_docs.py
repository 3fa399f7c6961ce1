"""The table of errors in the docs: each input is read, and each message is what is raised."""

import re
from pathlib import Path

import pytest
from error_table import PAGE, SECTIONS, case_rows, page

import csvfeed

CASES = [case.what for cases in SECTIONS.values() for case in cases]


@pytest.fixture(scope="module")
def rows():
    """Return the row of each case, as it is raised now."""
    return case_rows()


@pytest.mark.parametrize("what", CASES)
def test_a_message_in_the_docs_is_the_one_that_is_raised(rows, what):
    assert rows[what] in PAGE.read_text(encoding="utf-8").splitlines()


def test_the_page_is_what_the_cases_make():
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "write it anew: python tests/support/error_table.py"


def test_no_case_is_there_twice():
    assert len(CASES) == len(set(CASES)) >= 30


def test_the_example_of_the_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("data.csv").write_text("a,y\n1,2\ntwo,3\n4,5\n")
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    exec(compile(code, PAGE.name, "exec"), {"csvfeed": csvfeed})
    assert "1 row of data.csv was left out" in capsys.readouterr().out
    assert "two" in Path("rejects.csv").read_text()
