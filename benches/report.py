"""Results as a page, a chart and the raw numbers behind them.

``python benches/report.py`` writes the pages and charts again from the numbers kept beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from importlib import metadata
from pathlib import Path

import charts
import epoch_charts
import epoch_tables
import tables

PAGES = tables.PAGES | {
    "shuffle": epoch_tables.shuffle_page,
    "cache": epoch_tables.cache_page,
}
CHARTS = charts.CHARTS | {"shuffle": epoch_charts.shuffle_chart}
RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = {
    "readers": ("csvfeed", "numpy", "pandas", "polars", "pyarrow", "duckdb", "tensorflow"),
    "fit": ("csvfeed", "numpy", "keras", "tensorflow", "jax"),
    "soak": ("csvfeed", "numpy", "keras", "tensorflow", "jax"),
    "stages": ("csvfeed",),
    "shuffle": ("csvfeed", "numpy", "keras", "tensorflow", "datasets"),
    "cache": ("csvfeed", "numpy"),
}


def opening(kind: str) -> dict:
    """Return what every result begins with: its kind, the date, the machine and the versions.

    Parameters
    ----------
    kind : {"readers", "fit", "soak", "stages", "shuffle", "cache"}
        Which benchmark it is.
    """
    versions = {"python": platform.python_version()}
    versions |= {package: version(package) for package in PACKAGES[kind]}
    date = time.strftime("%-d %B %Y")
    return {"kind": kind, "date": date, "machine": machine(), "versions": versions}


def version(package: str) -> str:
    """Return the version of an installed package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def machine() -> dict:
    """Describe the machine: its processor, the cores at hand, its memory and its system."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": processor,
        "instructions": instructions(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": memory,
        "system": f"{platform.system()} {platform.machine()}",
    }


def instructions() -> str | None:
    """Return the instruction set that csvfeed chose, if it can say."""
    try:
        import csvfeed

        return csvfeed.simd()
    except (ImportError, AttributeError):
        return None


def refuse_debug_build() -> None:
    """End the program if csvfeed is a debug build: its times would tell nothing."""
    from csvfeed._core import DEBUG

    if DEBUG:
        raise SystemExit("csvfeed is a debug build here; install a release build to measure it")


def text(results: dict) -> str:
    """Return the page of some results as Markdown."""
    return PAGES[results["kind"]](results)


def save(results: dict, folder: Path = RESULTS) -> None:
    """Write the page, the chart if there is one, and the numbers of some results into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = results["kind"]
    (folder / f"{kind}.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / f"{kind}.md").write_text(text(results))
    if kind in CHARTS:
        figure = CHARTS[kind](results)
        figure.savefig(folder / f"{kind}.png", dpi=160, metadata={"Software": None})
    print(
        f"written: {', '.join(sorted(path.name for path in folder.glob(f'{kind}.*')))} in {folder}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Write pages and charts again.")
    parser.add_argument("folder", nargs="?", type=Path, default=RESULTS)
    folder = parser.parse_args().folder
    for kind in PAGES:
        numbers = folder / f"{kind}.json"
        if numbers.exists():
            save(json.loads(numbers.read_text()), folder)


if __name__ == "__main__":
    main()
