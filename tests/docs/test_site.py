"""The site shows every page and every public name, and a test runs the code of each page."""

import importlib
import re
from pathlib import Path

import pytest

import csvfeed
import csvfeed.dialect

ROOT = Path(__file__).parents[2]
SITE = (ROOT / "mkdocs.yml").read_text()
API = {page.stem: page.read_text() for page in (ROOT / "docs/api").glob("*.md")}
SHOWN = {name for text in API.values() for name in re.findall(r"^::: ([\w.]+)$", text, re.M)}
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benches/results/**/*.md")]
# What csvfeed itself asks a dataset for while it trains.
FOR_TRAINERS = {
    "classes_of",
    "codes_by_name",
    "count_classes",
    "epochs",
    "part_of_worker",
    "target_codes_by_name",
}


def public(module, names):
    return {f"{module}.{name}" for name in names}


def test_every_page_is_in_the_navigation():
    listed = re.findall(r"^ +- (?:.+: )?(\S+\.md)$|^  - .+: (\S+\.md)$", SITE, re.M)
    assert {first or second for first, second in listed} == {
        page.relative_to(ROOT).as_posix() for page in PAGES
    }


def test_the_reference_shows_every_public_name():
    expected = public("csvfeed", csvfeed.__all__)
    for module in ("csvfeed.keras", "csvfeed.ray"):
        text = (ROOT / "python" / f"{module.replace('.', '/')}.py").read_text()
        (names,) = re.findall(r"^__all__ = \[(.*)\]$", text, re.M)
        expected |= public(module, re.findall(r'"(\w+)"', names))
    expected |= public("csvfeed.remote", importlib.import_module("csvfeed.remote").__all__)
    expected |= public("csvfeed.dialect", ["Choice", "ranked", "sniff"])
    expected |= {"csvfeed.source.Origin", "csvfeed.origin.Handle"}
    assert expected == SHOWN


def test_the_reference_shows_every_member_of_a_dataset():
    members = {name for name in dir(csvfeed.CsvDataset) if not name.startswith("_")}
    listed = re.findall(r"^        - (\w+)$", API["dataset"], re.M)
    assert len(listed) == len(set(listed))
    assert set(listed) == members - FOR_TRAINERS | {"__iter__", "__len__"}
    table = set(re.findall(r"`(\w+)`", API["dataset"].partition(":::")[0]))
    assert table - {"CsvDataset", "len"} == set(listed) - {"__iter__", "__len__"}


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if "```python" in page.read_text()],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_a_test_runs_the_code_of_a_page(page):
    named = re.compile(rf'"{page.stem}"|\b{page.name}\b')
    tests = [*ROOT.glob("tests/*/test_*.py"), *ROOT.glob("tests/support/*.py")]
    assert any(named.search(test.read_text()) for test in tests if test != Path(__file__))
