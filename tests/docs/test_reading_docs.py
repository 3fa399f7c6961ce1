"""The examples of docs/reading.md give what the page says, section by section."""

import doctest
import re
import warnings
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "reading.md"
OPENING, *SECTIONS = re.split(r"^(?=## )", PAGE.read_text(), flags=re.M)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda text: text[3:].partition("\n")[0])
def test_the_examples_give_what_they_say(section, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(OPENING + section, {}, PAGE.name, str(PAGE), 0)
    assert len(test.examples) > 2, "a section shows what it says"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # That rows were left out.
        failed = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF).run(test)
    assert failed.failed == 0
