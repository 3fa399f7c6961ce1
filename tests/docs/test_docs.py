"""What the pages say of the checkout is true."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


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


def floors(room):
    """Return the floor of each file and folder that the page's table for a room names."""
    page = (ROOT / "docs/architecture.md").read_text()
    table = page[page.index(f"`{room}/`") :].split("\n\n")[1]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name: floor for floor, row in enumerate(rows) for name in re.findall(r"`([^`]+)`", row)}


def imports_of(path, room):
    """Return the names of the files and folders of a room that one of its files imports."""
    text = path.read_text()
    if path.suffix == ".rs":
        # What tests alone import ties nothing together.
        text = re.split(r"#\[cfg\(test\)\]\n.*mod tests", text)[0]
        found = re.findall(r"\bcrate::(\w+)", text)
    else:
        found = re.findall(r"^\s*(?:from|import) csvfeed\.(\w+)", text, re.MULTILINE)
        for names in re.findall(r"^\s*from csvfeed import (.+)$", text, re.MULTILINE):
            found += re.findall(r"\w+", names.split(" as ")[0])
    for name in found:
        for file in (f"{name}.rs", f"{name}.py", f"{name}/"):
            if (room / file).exists():
                yield file


@pytest.mark.parametrize("name", ["rust/core/src", "rust/binding/src", "python/csvfeed"])
def test_a_room_imports_only_rooms_above_it_in_the_table(name):
    room, known = ROOT / name, floors(name)
    assert known
    assert all((room / file).exists() for file in known)
    for path in [*room.rglob("*.rs"), *room.rglob("*.py")]:
        first, *rest = path.relative_to(room).parts
        own = first + "/" * bool(rest)
        if own in ("lib.rs", "__init__.py") or path.stem in ("tests", "sweep"):
            continue
        for other in imports_of(path, room):
            if other in known and other != own:
                assert known[other] <= known[own], f"{path} imports {other}"


def anchors_of(page):
    """Return the anchors that a page's headings get."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
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
    for manifest in ("rust/core", "rust/binding", "rust/bench", "rust/fuzz"):
        text = (ROOT / manifest / "Cargo.toml").read_text()
        for section in re.findall(r"dependencies\]\n(.*?)(?:\n\n|\Z)", text, re.DOTALL):
            for name in re.findall(r"^([a-z][\w-]+) =", section, re.MULTILINE):
                assert name == "csvfeed-core" or re.search(rf"\b{name}\b", table), name
    project = (ROOT / "pyproject.toml").read_text()
    for name in re.findall(r'"([a-z][\w-]+)(?:\[\w+\])?>=', project):
        assert re.search(rf"\b{name}\b", table), name


def test_the_version_has_one_place():
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.M)
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert newest.group(1) == version
    others = ["pyproject.toml", "CITATION.cff", "README.md", "mkdocs.yml", "docs/**/*.md"]
    for path in [path for other in others for path in ROOT.glob(other)]:
        assert not re.search(rf"\bcsvfeed[ =]+{re.escape(version)}\b", path.read_text()), path
        assert not re.search(rf"^version[ :=]+.?{re.escape(version)}", path.read_text(), re.M), path
    for manifest in ("core", "binding"):
        assert "\nversion.workspace = true\n" in (ROOT / f"rust/{manifest}/Cargo.toml").read_text()


def test_the_changelog_has_the_headings_of_keep_a_changelog():
    headings = re.findall(r"^### (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert set(headings) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_every_action_of_a_workflow_is_pinned_to_a_commit():
    text = "".join(path.read_text() for path in ROOT.glob(".github/workflows/*.yml"))
    used = re.findall(r"uses: (.*)$", text, re.M)
    assert used
    for action in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    # Whatever calls make calls a target that is there.
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"run: make ([\w-]+)", text)) <= targets
