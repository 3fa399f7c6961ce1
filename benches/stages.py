"""Each stage of the Rust core by itself: nanoseconds a field, and bytes a second beside the floor.

``make bench-stages`` runs this: Criterion measures, the table goes to ``benches/results``. For a
part of it, which is printed and not kept::

    python benches/stages.py higgs/number
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import report

ROOT = Path(__file__).resolve().parent.parent
TEXTS = {
    "xy": "2 columns of integers of six digits",
    "wide6": "29 columns, six decimals (%.6f)",
    "higgs": "29 columns, %.18e of float32",
    "repr": "29 columns, shortest exact float64",
    "missing": "29 columns, NA in every field",
    "quoted": "29 columns, six decimals in quotes",
    "ties": "29 columns, 42 digits and an exponent, next to the middle of two float32",
    "mixed": "29 columns, any of the above and 1e-200 in each field",
}


# The fastest first; the floor is under none of them.
INSTRUCTIONS = ("avx512", "avx2", "neon", "portable", None)


def measure(only: str | None) -> list[dict]:
    """Run the Criterion benchmarks, all or those whose name holds a text.

    Returns
    -------
    list of dict
        One for each, with the seconds and the number of passes of each sample.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["cargo", "bench", "--locked", "--package", "csvfeed-bench", "--bench", "stages"]
        command += ["--", "--noplot", *([only] if only else [])]
        environment = os.environ | {"CRITERION_HOME": folder}
        subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=sys.stderr)
        found = [entry(path) for path in Path(folder).glob("**/new/benchmark.json")]
    texts, sets = list(TEXTS), list(INSTRUCTIONS)

    def place(entry: dict) -> tuple:
        return texts.index(entry["text"]), sets.index(entry["simd"]), entry["stage"]

    return sorted(found, key=place)


def entry(path: Path) -> dict:
    """Return what Criterion has written of one benchmark."""
    described = json.loads(path.read_text())
    sample = json.loads(path.with_name("sample.json").read_text())
    amount = described["throughput"]["ElementsAndBytes"]
    times = [time / count for time, count in zip(sample["times"], sample["iters"], strict=True)]
    return {
        "text": described["group_id"],
        "stage": described["function_id"],
        "simd": described["value_str"],
        "fields": amount["elements"],
        "bytes": amount["bytes"],
        "nanoseconds": {"median": median(times), "min": min(times), "max": max(times)},
    }


def program_output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "only", nargs="?", help="benchmarks whose name holds this, as in wide6/index"
    )
    parser.add_argument("--output", type=Path, help="a folder for the table")
    options = parser.parse_args()
    results = report.opening("stages") | {"load": os.getloadavg()[0]}
    results["versions"]["rustc"] = program_output("rustc", "--version").split()[1]
    measured = measure(options.only)
    texts = {text: TEXTS[text] for text in dict.fromkeys(entry["text"] for entry in measured)}
    results |= {"texts": texts, "entries": measured}
    print(report.text(results))
    output = options.output or (None if options.only else report.RESULTS)
    if output:
        report.save(results, output)


if __name__ == "__main__":
    main()
