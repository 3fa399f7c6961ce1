"""csvfeed beside other CSV readers: text to float32 batches.

``make bench`` runs this; with everything in it, it takes most of an hour. For a quick look::

    python benches/readers.py --files xy --readers polars,pandas --mb 20 --cores one

Every reader is checked against the exact values before it is timed. Every run is one pass over the
file in a fresh process; the readers take turns, round after round. The results of a full run go to
``benches/results``, those of a part only where ``--output`` says; parts add up to a whole there
with ``--add``, for a machine that is quiet only for minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import report
from contenders import BATCH_SIZES, CONTENDERS, Contender
from files import FILES, CsvFile, default_megabytes, prepare
from oracle import exact_table, verdict

CHECK_MEGABYTES = 4
SECONDS_AT_MOST = 600
# The readers that are asked for large batches as well.
LARGE_BATCH_READERS = ("csvfeed", "floor", "polars")
MEASURE = Path(__file__).with_name("measure.py")
ONE_THREAD = dict.fromkeys(
    ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
)


class ReaderFailedError(Exception):
    """A reader did not get through a file."""


def run(contender: Contender, file: CsvFile, cores: str, *options: str) -> dict:
    """Run one pass in a fresh process and return what it measured.

    Raises
    ------
    ReaderFailedError
        When the process ends in an error, or does not end in time.
    """
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, str(MEASURE), contender.name, json.dumps(asdict(file)), *options]
    if cores == "one":
        environment |= ONE_THREAD
        command += ["--core", str(max(os.sched_getaffinity(0)))]
    try:
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS_AT_MOST
        )
    except subprocess.TimeoutExpired:
        raise ReaderFailedError(f"not done after {SECONDS_AT_MOST} s") from None
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        raise ReaderFailedError(lines[-1][:200])
    return json.loads(ended.stdout.splitlines()[-1])


def check(contender: Contender, file: CsvFile, cores: str, exact: np.ndarray) -> str:
    """Compare all that a reader makes of a file with the exact values; say how it went.

    Raises
    ------
    ReaderFailedError
        When a value is further off than the neighbouring float32.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, "read.npy")
        run(contender, file, cores, "--keep", output)
        right, text = verdict(np.load(output), exact)
    if not right:
        raise ReaderFailedError(f"wrong: {text}")
    return text


def compare(
    file: CsvFile, cores: str, contenders: list[Contender], rounds: int, batch_size: int
) -> list[dict]:
    """Check the readers on the beginning of a file, then time those that are right on all of it.

    Parameters
    ----------
    file : CsvFile
        The file to read.
    cores : {"one", "all"}
        How many cores the readers may use.
    contenders : list of Contender
        The readers, in the order of the tables.
    rounds : int
        How often each is timed.
    batch_size : int
        Rows in a batch.

    Returns
    -------
    list of dict
        One for each reader: its name and label, the megabytes and rows it read, its seconds and
        peak memory in each round, the verdict on its floats, and why it was left out, if it was.
    """
    start = file.head(CHECK_MEGABYTES)
    exact = exact_table(start)
    entries, parts = [], {}
    for contender in contenders:
        entry = {"file": file.name, "cores": cores, "reader": contender.name}
        entry |= {"label": contender.label, "seconds": [], "peak": []}
        entry |= {"floats": None, "reason": contender.refusal(file)}
        entries.append(entry)
        if entry["reason"] is None:
            part = parts[contender.name] = contender.part(file)
            rows = 0 if contender.is_floor else part.count_rows()
            entry |= {"megabytes": part.megabytes, "rows": rows}
            if contender.is_floor:
                entry["floats"] = "-"
                continue
            try:
                entry["floats"] = check(contender, start, cores, exact)
            except ReaderFailedError as failure:
                leave_out(entry, failure)
    for number in range(rounds):
        # Each round starts with another reader, so that none always follows the same one.
        turn = number % len(entries)
        for entry in entries[turn:] + entries[:turn]:
            if entry["reason"] is None:
                name = entry["reader"]
                try:
                    options = ["--batch-size", str(batch_size)]
                    measured = run(CONTENDERS[name], parts[name], cores, *options)
                    record(entry, measured)
                except ReaderFailedError as failure:
                    leave_out(entry, failure)
                else:
                    speed = entry["megabytes"] / measured["seconds"]
                    say(f"{file.name}, {cores}, {number + 1}/{rounds}: {name} {speed:,.1f} MB/s")
    return entries


def record(entry: dict, measured: dict) -> None:
    if measured["rows"] != entry["rows"]:
        raise ReaderFailedError(f"wrong: {measured['rows']:,} rows instead of {entry['rows']:,}")
    entry["seconds"].append(measured["seconds"])
    entry["peak"].append(measured["peak"])


def leave_out(entry: dict, failure: ReaderFailedError) -> None:
    entry["reason"] = str(failure)
    say(f"{entry['file']}, {entry['cores']}: {entry['reader']} is left out: {failure}")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def hard_roundings(contenders: list[Contender]) -> dict[str, str]:
    """Let each reader round the numbers that lie next to the middle of two float32s."""
    file = prepare("halfway", 1)
    exact = exact_table(file)
    verdicts = {}
    for contender in contenders:
        if contender.is_floor:
            continue
        try:
            verdicts[contender.label] = check(contender, file, "one", exact)
        except ReaderFailedError as failure:
            verdicts[contender.label] = str(failure)
        say(f"hard roundings: {contender.label}: {verdicts[contender.label]}")
    return verdicts


def add_others(results: dict, numbers: Path) -> None:
    """Complete results with those of an earlier run of other files or another number of cores."""
    earlier = json.loads(numbers.read_text()) if numbers.exists() else {}
    keys_of = {"files": ["name"], "entries": ["file", "cores"], "large": ["file", "cores"]}
    for kind, keys in keys_of.items():

        def identity(part: dict, keys: list[str] = keys) -> list[str]:
            return [part[key] for key in keys]

        measured = [identity(part) for part in results[kind]]
        results[kind] += [part for part in earlier.get(kind, []) if identity(part) not in measured]
        order = list(FILES)
        results[kind].sort(key=lambda part, key=keys[0]: order.index(part[key]))


def chosen(choices: list[str], text: str) -> list[str]:
    names = text.split(",")
    unknown = set(names) - set(choices)
    if unknown:
        raise SystemExit(f"no such name: {', '.join(sorted(unknown))}; there are {choices}")
    return [name for name in choices if name in names]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", default=",".join(FILES), help="comma-separated; %(default)s")
    parser.add_argument(
        "--readers", default=",".join(CONTENDERS), help="comma-separated; %(default)s"
    )
    parser.add_argument("--rounds", type=int, default=5, help="%(default)s")
    parser.add_argument("--mb", type=int, default=default_megabytes(), help="%(default)s")
    parser.add_argument("--cores", choices=("one", "all", "both"), default="both")
    parser.add_argument("--output", type=Path, help="a folder for the table and the chart")
    parser.add_argument(
        "--add", action="store_true", help="to what the folder has of other files and cores"
    )
    return parser.parse_args()


def main() -> None:
    options = arguments()
    file_names = chosen(list(FILES), options.files)
    names = chosen(list(CONTENDERS), options.readers)
    cores = ["one", "all"] if options.cores == "both" else [options.cores]
    contenders = [CONTENDERS[name] for name in dict.fromkeys(["csvfeed", *names])]
    complete = len(file_names) == len(FILES) and len(names) == len(CONTENDERS) and len(cores) == 2
    output = options.output or (report.RESULTS if complete else None)

    report.refuse_debug_build()
    results = report.opening("readers") | {"rounds": options.rounds, "batch_size": BATCH_SIZES[0]}
    results |= {"large_batch_size": BATCH_SIZES[1], "files": [], "entries": [], "large": []}
    results |= {"halfway": hard_roundings(contenders)}
    few = [contender for contender in contenders if contender.name in LARGE_BATCH_READERS]
    for name in file_names:
        file = prepare(name, options.mb)
        description = {"name": name, "about": file.about, "rows": file.count_rows()}
        results["files"].append(description | {"megabytes": file.megabytes})
        for count in cores:
            for kind, group, size in zip(
                ("entries", "large"), (contenders, few), BATCH_SIZES, strict=True
            ):
                results[kind] += compare(file, count, group, options.rounds, size)
    if output and options.add:
        add_others(results, output / "readers.json")
    print(report.text(results))
    if output:
        report.save(results, output)


if __name__ == "__main__":
    main()
