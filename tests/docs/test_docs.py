"""What the pages say of the checkout is true."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]


@pytest.mark.parametrize("room", ["rust/core/src", "rust/binding/src", "python/csvfeed"])
def test_the_page_of_the_house_names_what_is_in_each_room(room):
    page = (ROOT / "docs/architecture.md").read_text()
    inside = [
        path for path in (ROOT / room).iterdir() if path.suffix in (".rs", ".py") or path.is_dir()
    ]
    names = {path.name + "/" * path.is_dir() for path in inside}
    unnamed = (
        names - {"lib.rs", "__init__.py", "__pycache__/"} - set(re.findall(r"`([^` ]+)`", page))
    )
    assert not unnamed
    for name in re.findall(r"^\| `([^`]+)`", page, re.MULTILINE):
        assert any(
            (ROOT / room / name).exists()
            for room in ("rust/core/src", "rust/binding/src", "python/csvfeed")
        )


def anchors_of(page):
    """Return the anchors that a page's headings get."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", page.read_text()):
        if "://" in target:
            continue
        linked = page.parent / target if target else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors_of(linked), f"{target}#{anchor}"


def test_the_index_links_every_page():
    index = ROOT / "docs/README.md"
    linked = set(re.findall(r"\]\(([\w-]+\.md)", index.read_text()))
    assert {path.name for path in index.parent.glob("*.md")} - linked == {index.name}


def test_each_dependency_has_its_reason():
    table = (ROOT / "CONTRIBUTING.md").read_text()
    for manifest in ("rust/core", "rust/binding", "rust/fuzz"):
        text = (ROOT / manifest / "Cargo.toml").read_text()
        for section in re.findall(r"dependencies\]\n(.*?)(?:\n\n|\Z)", text, re.DOTALL):
            for name in re.findall(r"^([a-z][\w-]+) =", section, re.MULTILINE):
                assert name == "csvfeed-core" or re.search(rf"\b{name}\b", table), name
    project = (ROOT / "pyproject.toml").read_text()
    for name in re.findall(r'"([a-z][\w-]+)(?:\[\w+\])?>=', project):
        assert re.search(rf"\b{name}\b", table), name
