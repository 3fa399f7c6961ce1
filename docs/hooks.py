"""What MkDocs reads: pages where the repository has them, so that links work there and here."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
READ = (
    "*.md",
    "LICENSE",
    "docs/**/*.md",
    "docs/*.css",
    "benches/results/**/*.md",
    "benches/results/**/*.png",
    "examples/*.py",
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace the files of docs/ by those of the repository that pages show or link to."""
    theme = [file for file in files if file.src_dir != config.docs_dir]
    paths = sorted({path for pattern in READ for path in ROOT.glob(pattern)})
    return Files([*theme, *(_file(path.relative_to(ROOT).as_posix(), config) for path in paths)])


def _file(path: str, config: MkDocsConfig) -> File:
    file = File(path, str(ROOT), config.site_dir, config.use_directory_urls)
    if not file.is_documentation_page() and not path.endswith((".png", ".css")):
        # Browsers show this as text; they would save it under its own name.
        file.dest_uri += ".txt"
    return file


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Give the width of the list of pages to a page that stands alone below its tab."""
    if page.parent is None:
        page.meta["hide"] = ["navigation"]
    return markdown
