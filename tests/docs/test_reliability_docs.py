"""Every test that the table of reliability names exists."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs/reliability.md").read_text(encoding="utf-8")


def functions_of(file):
    (path,) = TESTS.rglob(file)
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }


def test_every_row_names_tests_that_exist():
    rows = re.findall(r"^\| (?!what happens|\*\*)(.*) \|$", PAGE, re.MULTILINE)
    assert len(rows) > 20
    for row in rows:
        what, does, shown = row.split(" | ")
        assert what
        assert does
        names = re.findall(r"`(test_\w+\.py)::(test_\w+)`", shown)
        assert names, what
        for file, name in names:
            assert name in functions_of(file), name
